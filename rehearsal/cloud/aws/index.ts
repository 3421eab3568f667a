import { DEFAULT_ACCOUNT, DEFAULT_REGION } from "../shell/cloud";
import { Sdk } from "../shell/facts";
import type { SimulatedPackage } from "../shell/package";
import type { CheckFailure, Properties, SimulatedInvoke, SimulatedType } from "../shell/type";
import { empty, isObject, record, text, UNKNOWN } from "../shell/values";
import type { World } from "../shell/world";
import { genericArn, isGlobal } from "./arn";
import { invokes } from "./lookups";
import { Kind } from "./kinds";
import { types } from "./types";
import { reconcileSelfManaged } from "./types/autoscaling";
import { reconcileNodes } from "./types/nodes";

const sdk = new Sdk("@pulumi/aws");
const byToken = new Map<string, SimulatedType>(types.map((type) => [type.token, type]));
const invokesByToken = new Map<string, SimulatedInvoke>(invokes.map((invoke) => [invoke.token, invoke]));

/** @pulumi/aws: every type of the SDK; those that have a table of their own are strict about more than their form. */
export const aws: SimulatedPackage = {
    name: "aws",
    normalizes: true,
    checkConfig,
    place,
    scope: (token, world) => (isGlobal(token) ? world.accountId : `${world.accountId}/${world.region}`),
    type: (token) => byToken.get(token),
    facts: (token) => sdk.facts(token),
    hasTypeNamed: (name) => sdk.hasTypeNamed(name),
    invoke: (token) => {
        const found = invokesByToken.get(token);
        return found && { token, invoke: (args, world) => inDeclaredForm(token, found.invoke(args, world)) };
    },
    common,
    afterOperation: (world) => {
        // Nodes join when the last thing that they were waiting for is there.
        for (const group of world.all(Kind.NodeGroup)) {
            const [accountId, region] = String(group.scope).split("/");
            reconcileNodes(group, world.at(accountId, region));
        }
        for (const group of world.all(Kind.AutoscalingGroup)) {
            const [accountId, region] = String(group.scope).split("/");
            reconcileSelfManaged(group, world.at(accountId, region));
        }
    },
};

function checkConfig(config: Properties): CheckFailure[] {
    const region = config.region;
    if (typeof region === "string" && !/^[a-z]{2}(-[a-z]+)+-\d$/.test(region)) {
        return [{ property: "region", reason: `invalid AWS Region: ${region}` }];
    }
    return [];
}

/** The account is that of the first role that the provider assumes, if any. */
function place(config: Properties) {
    const roles = [config.assumeRoles ?? config.assumeRole].flat();
    const roleArn = text(record(roles[roles.length - 1]).roleArn);
    const region = text(config.region) ?? process.env.AWS_REGION ?? DEFAULT_REGION;
    const partition = region.startsWith("cn-") ? "aws-cn" : region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
    return { region, partition, accountId: roleArn?.split(":")[4] ?? DEFAULT_ACCOUNT };
}

/** What every type gives: tags with the provider's defaults, region, ARN; the rest of the declared outputs is empty. */
function common(token: string, inputs: Properties, id: string, world: World): Properties {
    const declared = sdk.facts(token)?.outputs ?? {};
    // As every bridged provider does: a policy pack finds by it which subnet a node group names.
    const outputs: Properties = { id };
    for (const [key, { optional, shape }] of Object.entries(declared)) {
        if (optional || key in inputs) continue;
        if (key === "arn") outputs[key] = genericArn(world, token, id);
        else if (key === "region") outputs[key] = world.region;
        else if (key === "ownerId" || key === "accountId") outputs[key] = world.accountId;
        else if (shape.kind === "string") outputs[key] = "";
        else if (shape.kind === "number") outputs[key] = 0;
        else if (shape.kind === "boolean") outputs[key] = false;
        else if (shape.kind === "array") outputs[key] = [];
        else outputs[key] = {};
    }
    if ("tagsAll" in declared) outputs.tagsAll = { ...defaultTags(world), ...record(inputs.tags) };
    return outputs;
}

/**
 * A look-up's answer in the form that the SDK declares: what a resource has as one block, a look-up has as a list with a
 * plural name (`scalingConfig`, `scalingConfigs`); what AWS would leave empty is there and empty.
 */
function inDeclaredForm(token: string, answer: Properties): Properties {
    const declared = sdk.result(token);
    if (!declared) return answer;
    const formed: Properties = {};
    for (const [key, { shape, optional }] of Object.entries(declared)) {
        const value = answer[key];
        formed[key] = value;
        if (shape.kind === "array") {
            const block = value ?? answer[singular(key)];
            if (!Array.isArray(block)) formed[key] = empty(block) ? (optional ? value : []) : [block];
            else formed[key] = block;
        } else if (value === undefined && !optional) {
            formed[key] = { string: "", number: 0, boolean: false }[shape.kind as string] ?? {};
        }
    }
    return formed;
}

function singular(key: string): string {
    return key
        .replace(/ies$/, "y")
        .replace(/(ss)es$/, "$1")
        .replace(/([^s])s$/, "$1");
}

function defaultTags(world: World): Properties {
    const tags = record(record(world.provider.defaultTags).tags);
    return isObject(tags) && Object.values(tags).every((value) => value !== UNKNOWN) ? tags : {};
}
