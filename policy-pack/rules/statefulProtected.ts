import { items, truth, UNTIL_UP } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule } from "../rule";

/** What holds data, and the property by which AWS itself refuses to delete it, where there is one. */
const STATEFUL: Record<string, string | undefined> = {
    "aws:efs/fileSystem:FileSystem": undefined,
    "aws:ebs/volume:Volume": undefined,
    "aws:rds/instance:Instance": "deletionProtection",
    "aws:rds/cluster:Cluster": "deletionProtection",
    "aws:rds/globalCluster:GlobalCluster": "deletionProtection",
    "aws:docdb/cluster:Cluster": "deletionProtection",
    "aws:docdb/globalCluster:GlobalCluster": "deletionProtection",
    "aws:neptune/cluster:Cluster": "deletionProtection",
    "aws:neptune/globalCluster:GlobalCluster": "deletionProtection",
    "aws-native:efs:FileSystem": undefined,
    "aws-native:ec2:Volume": undefined,
    "aws-native:rds:DbInstance": "deletionProtection",
    "aws-native:rds:DbCluster": "deletionProtection",
    "aws-native:docdb:DbCluster": "deletionProtection",
    "aws-native:neptune:DbCluster": "deletionProtection",
};

export const rule: Rule = {
    name: "stateful-protected",
    description: "In the stacks that its configuration names, whatever holds data is protected against deletion.",
    why: "A renamed resource or a stray `pulumi destroy` deletes file systems and databases as readily as anything else.",
    fix: "Set the resource option `protect: true` (for databases `deletionProtection: true` does as well).",
    level: "mandatory",
    severity: "high",
    config: {
        stacks: {
            type: "array",
            items: { type: "string", minLength: 1 },
            description: "The names of the stacks in which data must be protected; `*` stands for any text.",
            default: [],
        },
    },
    resource(resource, config) {
        const judgement = new Judgement();
        if (!(resource.type in STATEFUL) || !isNamed(resource, items(config.stacks))) {
            return judgement;
        }
        judgement.judge(resource);
        if (resource.options?.protect === true) {
            return judgement;
        }
        const property = STATEFUL[resource.type];
        const own = property === undefined ? false : truth(resource.props[property]);
        if (isUnknown(own)) {
            judgement.unknown(resource, property as string, UNTIL_UP);
        } else if (own !== true && !isMember(resource)) {
            judgement.violation(
                resource,
                property ?? "protect",
                "nothing keeps it and its data from being deleted with the next change of the program",
            );
        }
        return judgement;
    },
};

/** A member of a cluster holds no data of its own. */
function isMember({ type, props }: Resource): boolean {
    return type === "aws-native:rds:DbInstance" && props.dbClusterIdentifier !== undefined;
}

function isNamed({ urn }: Resource, stacks: unknown[]): boolean {
    const stack = /^urn:pulumi:(.+?)::/.exec(urn)?.[1] ?? "";
    return stacks.some((name) => typeof name === "string" && matches(name, stack));
}

function matches(name: string, stack: string): boolean {
    const pattern = name
        .split("*")
        .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
        .join(".*");
    return new RegExp(`^${pattern}$`).test(stack);
}
