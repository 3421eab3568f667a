import type { ConfigProperty } from "../rule";
import type { Backing } from "../storage/backing";

/** Configuration of the rules that follow a claim to its class. */
export const classConfig: Record<string, ConfigProperty> = {
    storageClasses: {
        type: "object",
        additionalProperties: { type: "string", minLength: 1 },
        description:
            "The provisioners of classes that the cluster has already, by class name: { gp2: ebs.csi.aws.com }.",
    },
    defaultStorageClass: {
        type: "string",
        minLength: 1,
        description: "The class that is the cluster's default already.",
    },
};

/** What a backing is called in messages. */
export function nameOf(backing: Backing): string {
    switch (backing.type) {
        case "efs":
            return "EFS";
        case "ebs":
        case "in-tree-ebs":
            return "EBS";
        case "s3files":
            return "S3 Files";
        case "static":
            return "volumes made by hand";
        case "unknown":
            return "something not known yet";
        default:
            return backing.name;
    }
}
