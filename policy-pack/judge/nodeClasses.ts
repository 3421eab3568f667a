import type { Resource, Stack } from "../rule";
import { storageOf } from "../storage";
import { under } from "../storage/values";
import { at, blocks, isTree } from "./tree";

/** A part of the nodes that Karpenter starts, with its path. */
export interface NodePart {
    resource: Resource;
    path: string;
    value: unknown;
}

/**
 * The disks that Karpenter's node classes ask for, in the words of EC2. A class that lists none is not here: then Karpenter asks for
 * encrypted ones by itself.
 */
export function nodeDisks(stack: Stack): NodePart[] {
    return nodeClasses(stack).flatMap(({ resource, path, value }) =>
        blocks(at(value, "blockDeviceMappings"), under(path, "blockDeviceMappings")).flatMap((mapping) => {
            const ebs = at(mapping.value, "ebs");
            const [kmsKeyId, snapshotId] = [at(ebs, "kmsKeyID"), at(ebs, "snapshotID")];
            const words = { encrypted: at(ebs, "encrypted"), kmsKeyId, snapshotId };
            return ebs === undefined && isTree(mapping.value)
                ? []
                : [{ resource, path: `${mapping.path}.ebs`, value: words }];
        }),
    );
}

/** The metadata service of the nodes; where nothing is said Karpenter requires tokens. */
export function nodeMetadata(stack: Stack): NodePart[] {
    return nodeClasses(stack).map(({ resource, path, value }) => ({
        resource,
        path: under(path, "metadataOptions"),
        value: at(value, "metadataOptions"),
    }));
}

function nodeClasses(stack: Stack): NodePart[] {
    return storageOf(stack)
        .carried.objects.filter(
            ({ group, kind }) => group === "karpenter.k8s.aws" && /^(EC2NodeClass|AWSNodeTemplate)$/.test(kind),
        )
        .map(({ resource, path, body }) => ({ resource, path: under(path, "spec"), value: body.spec }));
}
