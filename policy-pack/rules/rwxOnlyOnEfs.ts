import { isUnknown } from "../plain";
import { Judgement, type Rule, type RuleConfig } from "../rule";
import { storageOf, type Resolution, type Storage } from "../storage";
import type { Backing } from "../storage/backing";
import type { Claim } from "../storage/model";
import { classConfig, nameOf } from "./sharing";

export const rule: Rule = {
    name: "rwx-only-on-efs",
    description: "Claims that several nodes share (ReadWriteMany) are on EFS.",
    why: "An EBS volume attaches to one node: the second pod hangs in ContainerCreating with a Multi-Attach error, or the claim is never provisioned at all.",
    fix: "Use a class of the driver efs.csi.aws.com, or ask for ReadWriteOnce if one pod is enough.",
    level: "mandatory",
    severity: "high",
    config: {
        ...classConfig,
        allowedSharedProvisioners: {
            type: "array",
            items: { type: "string", minLength: 1 },
            default: [],
            description:
                "Other provisioners whose volumes may be shared, for example fsx.csi.aws.com (s3files for S3 Files, nfs for other NFS servers).",
        },
    },
    stack: (stack, config) => {
        const judgement = new Judgement();
        const storage = storageOf(stack);
        for (const claim of storage.carried.claims) {
            judge(claim, storage, config, judgement);
        }
        for (const { resource, path } of storage.carried.blanks) {
            judgement.unknown(resource, path, "what it holds is not known (yet), and there may be a claim in it.");
        }
        for (const { resource, path, why } of storage.carried.malformed.filter(({ about }) => about === "claim")) {
            judgement.violation(resource, path, `${why} It cannot be judged.`, "Correct it.");
        }
        return judgement;
    },
};

function judge(claim: Claim, storage: Storage, config: RuleConfig, judgement: Judgement): void {
    const { resource, modes, modesPath } = claim;
    judgement.judge(resource);
    const shared = isShared(claim);
    if (shared === false) {
        if (!isUnknown(modes) && modes.includes("malformed")) {
            judgement.violation(
                resource,
                modesPath,
                "This is no list of access modes; the API server refuses it.",
                "Use ReadWriteOnce or another access mode of Kubernetes.",
            );
        }
        if (!isUnknown(modes) && modes.includes("ReadOnlyMany")) {
            adviseReaders(claim, storage.resolve(claim, config), judgement);
        }
        return;
    }
    const found = storage.resolve(claim, config);
    const verdict = judgeBackings(found, config);
    if (shared === undefined) {
        if (verdict !== "allowed") {
            judgement.unknown(resource, modesPath, "the access modes are not known yet.");
        }
    } else if (verdict === "refused") {
        const { backings, via } = found as Extract<Resolution, { backings: Backing[] }>;
        const names = [...new Set(backings.map(nameOf))].join(" or ");
        judgement.violation(
            resource,
            modesPath,
            `The claim is to be shared by several nodes (ReadWriteMany), but ${via} is ${names}. ${consequence(backings)}`,
        );
    } else if (verdict === "open" && "backings" in found) {
        judgement.unknown(
            resource,
            claim.classPath,
            `it is to be shared (ReadWriteMany), and ${found.via} may be EFS or something else.`,
        );
    }
    // What cannot be resolved at all is reported by storage-class-known.
}

function adviseReaders({ resource, modesPath }: Claim, found: Resolution, judgement: Judgement): void {
    if ("backings" in found && found.backings.every(({ type }) => type === "ebs" || type === "in-tree-ebs")) {
        judgement.advise(
            resource,
            modesPath,
            "The EBS CSI driver does not provision ReadOnlyMany volumes: the claim stays Pending.",
            "Share files on EFS.",
        );
    }
}

/** Whether a claim asks for ReadWriteMany; undefined when that is not known yet. */
export function isShared({ modes }: Claim): boolean | undefined {
    if (isUnknown(modes)) {
        return undefined;
    }
    return modes.includes("ReadWriteMany") ? true : modes.some(isUnknown) ? undefined : false;
}

function judgeBackings(found: Resolution, config: RuleConfig): "allowed" | "refused" | "open" {
    if ("unresolved" in found) {
        return "open";
    }
    const allowed = (config.allowedSharedProvisioners as string[] | undefined) ?? [];
    const fits = found.backings.map((backing) => {
        switch (backing.type) {
            case "efs":
                return true;
            case "unknown":
            case "static":
                return undefined;
            case "other":
                return allowed.includes(backing.name);
            case "s3files":
                return allowed.includes("s3files");
            default:
                return false;
        }
    });
    return fits.every((fit) => fit === true) ? "allowed" : fits.every((fit) => fit === false) ? "refused" : "open";
}

function consequence(backings: Backing[]): string {
    return backings.every(({ type }) => type === "ebs" || type === "in-tree-ebs")
        ? "Its volume attaches to one node only: pods on others never start."
        : "Only EFS is known here to be shared by nodes in all zones.";
}
