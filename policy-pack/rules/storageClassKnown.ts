import { Judgement, type Rule } from "../rule";
import { storageOf } from "../storage";
import { isShared } from "./rwxOnlyOnEfs";
import { classConfig } from "./sharing";

export const rule: Rule = {
    name: "storage-class-known",
    description: "Every claim can be followed to its StorageClass.",
    why: "A claim whose class nobody knows cannot be judged: it may be shared on a disk that only one node can attach, or be unencrypted.",
    fix: "Define the class in this program, or tell the pack what the cluster has: `storageClasses: { <name>: <provisioner> }`, `defaultStorageClass: <name>`.",
    level: "advisory",
    severity: "low",
    config: classConfig,
    stack: (stack, config) => {
        const judgement = new Judgement();
        const storage = storageOf(stack);
        for (const claim of storage.carried.claims) {
            judgement.judge(claim.resource);
            const found = storage.resolve(claim, config);
            if ("backings" in found || (claim.partial && !isShared(claim) && claim.className === undefined)) {
                continue;
            }
            if (found.later) {
                judgement.unknown(claim.resource, claim.classPath, `${found.unresolved}.`);
            } else {
                const shared = isShared(claim) === true ? ", though it is to be shared (ReadWriteMany)" : "";
                judgement.violation(
                    claim.resource,
                    claim.classPath,
                    `What this claim's volume will be cannot be told${shared}: ${found.unresolved}.`,
                );
            }
        }
        return judgement;
    },
};
