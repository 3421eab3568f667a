import { templateOf } from "../judge/launchTemplates";
import { nodeMetadata } from "../judge/nodeClasses";
import { ByRegion, regionOf } from "../judge/regions";
import { at, blocks, present, text, UNTIL_UP } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type Stack } from "../rule";

/** What starts instances, and where it keeps the settings of their metadata service. */
const OPTIONS: Record<string, string[]> = {
    "aws:ec2/instance:Instance": ["metadataOptions"],
    "aws:ec2/launchTemplate:LaunchTemplate": ["metadataOptions"],
    "aws:ec2/launchConfiguration:LaunchConfiguration": ["metadataOptions"],
    "aws:ec2/spotInstanceRequest:SpotInstanceRequest": ["metadataOptions"],
    "aws-native:ec2:Instance": ["metadataOptions"],
    "aws-native:ec2:LaunchTemplate": ["launchTemplateData", "metadataOptions"],
};
const DEFAULTS = "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults";

const stillAnswers = "version 1 of the metadata service still answers";

export const rule: Rule = {
    name: "imdsv2-required",
    description: "Instances answer for their credentials to sessions only (IMDSv2).",
    why: "With version 1 a single forwarded request, from a pod or through a proxy, is enough to read the credentials of the node's role.",
    fix: 'Set `metadataOptions: { httpTokens: "required" }` (hop limit 1 keeps pods away from it, 2 lets them use it).',
    level: "advisory",
    severity: "medium",
    stack(stack) {
        const judgement = new Judgement();
        for (const [type, path] of Object.entries(OPTIONS)) {
            for (const resource of stack.ofType(type)) {
                judgeInstances(judgement.judge(resource), stack, resource, path);
            }
        }
        for (const { resource, path, value } of nodeMetadata(stack)) {
            const tokens = text(at(value, "httpTokens"));
            judgement.judge(resource);
            if (isUnknown(tokens)) {
                judgement.unknown(resource, `${path}.httpTokens`, UNTIL_UP);
            } else if (tokens !== undefined && tokens !== "required" && at(value, "httpEndpoint") !== "disabled") {
                judgement.violation(resource, `${path}.httpTokens`, stillAnswers);
            }
        }
        return judgement;
    },
};

function judgeInstances(judgement: Judgement, stack: Stack, resource: Resource, path: string[]): void {
    const [options] = blocks(at(resource.props, ...path), path.join("."));
    const tokens = text(at(options?.value, "httpTokens"));
    const endpoint = text(at(options?.value, "httpEndpoint"));
    if (tokens === "required" || endpoint === "disabled") {
        return;
    }
    const property = `${path.join(".")}.httpTokens`;
    if (isUnknown(tokens) || isUnknown(endpoint)) {
        judgement.unknown(resource, property, UNTIL_UP);
        return;
    }
    if (tokens === undefined && present(resource.props.launchTemplate)) {
        judgeTemplateOf(judgement, stack, resource);
        return;
    }
    const byDefault = stack.once(accountDefaults).of(regionOf(resource));
    if (tokens === undefined && byDefault.includes("required")) {
        return;
    }
    if (tokens === undefined && byDefault.some(isUnknown)) {
        judgement.unknown(resource, property, UNTIL_UP);
        return;
    }
    judgement.violation(
        resource,
        property,
        tokens === undefined
            ? "it is missing, so the image or the account decides whether version 1 still answers"
            : stillAnswers,
    );
}

/** What the program makes the default of the account. */
function accountDefaults(stack: Stack): ByRegion<ReturnType<typeof text>> {
    const tokens = new ByRegion<ReturnType<typeof text>>();
    stack.ofType(DEFAULTS).forEach((one) => tokens.put(regionOf(one), text(one.props.httpTokens)));
    return tokens;
}

/** An instance takes over what its template says, which is judged there. */
function judgeTemplateOf(judgement: Judgement, stack: Stack, instance: Resource): void {
    if (!templateOf(stack, instance)) {
        judgement.unknown(instance, "launchTemplate", "its launch template is not to be seen in this program (yet)");
    }
}
