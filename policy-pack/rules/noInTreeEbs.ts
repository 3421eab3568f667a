import { Judgement, type Rule } from "../rule";
import { storageOf } from "../storage";
import { inTreeEbs } from "../storage/backing";
import { readResource } from "../storage/read";
import { under } from "../storage/values";
import { classConfig } from "./sharing";

export const rule: Rule = {
    name: "no-in-tree-ebs",
    description: "No StorageClass, PersistentVolume, or pod uses the EBS driver that was built into Kubernetes.",
    why: "It is gone from Kubernetes since 1.27; what still names it works only by translation, without snapshots, expansion of all types, or gp3.",
    fix: "Use the driver ebs.csi.aws.com (add-on aws-ebs-csi-driver), and gp3 where a class said gp2.",
    level: "mandatory",
    severity: "medium",
    config: classConfig,
    resource: (resource) => {
        const judgement = new Judgement();
        const { classes, volumes, mounts, workloads } = readResource(resource);
        for (const one of classes) {
            judgement.judge(resource);
            if (one.provisioner === inTreeEbs) {
                judgement.violation(
                    resource,
                    under(one.path, "provisioner"),
                    "The class asks the driver that was built into Kubernetes.",
                );
            }
        }
        for (const volume of volumes) {
            judgement.judge(resource);
            if (volume.source.type === "awsElasticBlockStore") {
                judgement.violation(
                    resource,
                    volume.sourcePath,
                    "The volume belongs to the driver that was built into Kubernetes.",
                );
            }
        }
        for (const mount of mounts.filter(({ source }) => source.type === "awsElasticBlockStore")) {
            judgement.violation(
                resource,
                mount.path,
                "The pod mounts the EBS volume by the driver that was built into Kubernetes.",
            );
        }
        workloads.forEach(() => judgement.judge(resource));
        return judgement;
    },
    /** What the program does not define itself: claims on a class that the configuration says is one of the old ones. */
    stack: (stack, config) => {
        const judgement = new Judgement();
        const storage = storageOf(stack);
        for (const claim of storage.carried.claims) {
            const found = storage.resolve(claim, config);
            if ("backings" in found && found.classes.length === 0 && found.via.endsWith("(by configuration)")) {
                judgement.judge(claim.resource);
                if (found.backings.every(({ type }) => type === "in-tree-ebs")) {
                    judgement.violation(
                        claim.resource,
                        claim.classPath,
                        `By ${found.via}, the claim asks the driver that was built into Kubernetes.`,
                    );
                }
            }
        }
        return judgement;
    },
};
