import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule } from "../rule";
import { efsDriver, inTreeEbs, isEbsProvisioner } from "../storage/backing";
import type { StorageClass } from "../storage/model";
import { readResource } from "../storage/read";
import { get, isTree, shapeOf, under } from "../storage/values";

/** Of the EBS driver: documented in its docs/parameters.md (case does not matter). */
const ebsKeys = [
    "csi.storage.k8s.io/fstype",
    "fsType",
    "type",
    "iops",
    "iopsPerGB",
    "allowAutoIOPSPerGBIncrease",
    "allowAutoIOPSIncreaseOnModify",
    "throughput",
    "encrypted",
    "kmsKeyId",
    "blockSize",
    "inodeSize",
    "bytesPerInode",
    "numberOfInodes",
    "ext4BigAlloc",
    "ext4ClusterSize",
    "ext4EncryptionSupport",
    "volumeInitializationRate",
    "blockAttachUntilInitialized",
    "outpostArn",
    "blockExpress",
];
const oldKeys = ["zone", "zones"];
const efsKeys = [
    "provisioningMode",
    "fileSystemId",
    "fileSystemIdConfigRef",
    "fileSystemIdSecretRef",
    "directoryPerms",
    "uid",
    "gid",
    "gidRangeStart",
    "gidRangeEnd",
    "basePath",
    "subPathPattern",
    "ensureUniqueDirectory",
    "az",
    "enforceZoneAffinity",
    "reuseAccessPoint",
    "enableTagging",
    "encryptInTransit",
    "crossaccount",
];
const ebsTypes = ["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"];

export const rule: Rule = {
    name: "storage-parameters-known",
    description: "The parameters of a StorageClass are ones that its driver has.",
    why: "A driver refuses a misspelt parameter when the first claim comes (EBS), or ignores it (EFS): the mistake shows long after `up` went through.",
    fix: "See the driver's docs/parameters.md.",
    level: "advisory",
    severity: "low",
    resource: (resource) => {
        const judgement = new Judgement();
        for (const one of readResource(resource).classes) {
            if (isEbsProvisioner(one.provisioner) || one.provisioner === efsDriver) {
                judge(one, judgement.judge(resource));
            }
        }
        return judgement;
    },
};

function judge(one: StorageClass, judgement: Judgement): void {
    const { resource, parameters, parametersPath } = one;
    if (!isTree(parameters)) {
        return;
    }
    const efs = String(one.provisioner) === efsDriver;
    const known = efs ? efsKeys : one.provisioner === inTreeEbs ? [...ebsKeys, ...oldKeys] : ebsKeys;
    for (const [key, value] of Object.entries(parameters)) {
        const path = under(parametersPath, key);
        if (value === null || value === undefined) {
            continue;
        }
        if (!isKnown(key, known)) {
            const near = nearest(key, known);
            judgement.violation(
                resource,
                path,
                `${one.provisioner as string} has no parameter ${key}.`,
                near ? `Did you mean ${near}?` : undefined,
            );
        } else if (efs && !known.includes(key) && !key.includes("/")) {
            const right = known.find((name) => name.toLowerCase() === key.toLowerCase());
            judgement.violation(
                resource,
                path,
                `The EFS driver minds the case of parameters, and takes no ${key}.`,
                `Write ${right}.`,
            );
        } else if (typeof value !== "string" && !isUnknown(value)) {
            judgement.violation(
                resource,
                path,
                `Parameters are texts, and this is ${shapeOf(value)}: the API server refuses the class.`,
                "Put it in quotes.",
            );
        }
    }
    if (efs) {
        judgeEfs(resource, parameters, parametersPath, judgement);
    } else {
        judgeEbs(resource, parameters, parametersPath, judgement);
    }
}

function judgeEfs(resource: Resource, parameters: Record<string, unknown>, path: string, judgement: Judgement): void {
    const say = (key: string, what: string) => judgement.violation(resource, under(path, key), what);
    const mode = get(parameters, "provisioningMode");
    if (mode === undefined) {
        // A class without parameters is for volumes made by hand.
        if (Object.keys(parameters).length > 0) {
            say("provisioningMode", "Without it the driver refuses every claim.");
        }
        return;
    }
    if (typeof mode === "string" && !["efs-ap", "s3files-ap"].includes(mode)) {
        say("provisioningMode", "The driver knows efs-ap (and s3files-ap for S3 Files) only.");
    }
    const systems = ["fileSystemId", "fileSystemIdConfigRef", "fileSystemIdSecretRef"].filter(
        (key) => get(parameters, key) !== undefined,
    );
    if (systems.length !== 1) {
        say(
            "fileSystemId",
            systems.length === 0 ? "No file system is named." : `Only one of ${systems.join(", ")} may be given.`,
        );
    }
    const [start, end] = [get(parameters, "gidRangeStart"), get(parameters, "gidRangeEnd")];
    if ((start === undefined) !== (end === undefined)) {
        say(
            start === undefined ? "gidRangeStart" : "gidRangeEnd",
            "The driver needs both ends of the range, or neither.",
        );
    }
    const permissions = get(parameters, "directoryPerms");
    if (typeof permissions === "string" && !/^[0-7]{3,4}$/.test(permissions)) {
        say("directoryPerms", "It should be three or four octal digits.");
    }
}

function judgeEbs(resource: Resource, parameters: Record<string, unknown>, path: string, judgement: Judgement): void {
    const lower = new Map(Object.entries(parameters).map(([key, value]) => [key.toLowerCase(), { key, value }]));
    const say = (name: string, what: string) =>
        judgement.violation(resource, under(path, lower.get(name)?.key ?? name), what);
    const type = lower.get("type")?.value;
    if (typeof type === "string" && !ebsTypes.includes(type.toLowerCase())) {
        say("type", `EBS has no such volume type; it has ${ebsTypes.join(", ")}.`);
    }
    if (lower.has("iops") && lower.has("iopspergb")) {
        say("iopspergb", "Only one of iops and iopsPerGB may be given.");
    }
    for (const name of ["iops", "iopspergb", "throughput"]) {
        const value = lower.get(name)?.value;
        if (typeof value === "string" && !/^\d+$/.test(value)) {
            say(name, "It should be a whole number, as a text.");
        }
    }
    const volumeType = type === undefined ? "gp3" : type;
    if (lower.has("throughput") && typeof volumeType === "string" && volumeType !== "gp3") {
        say("throughput", "Only gp3 volumes have it.");
    }
    if ((type === "io1" || type === "io2") && !lower.has("iops") && !lower.has("iopspergb")) {
        say("type", `Volumes of type ${type} need iops or iopsPerGB.`);
    }
    if (lower.has("blockexpress")) {
        say("blockexpress", "It has had no effect since driver 1.47: every io2 volume is Block Express.");
    }
}

function isKnown(key: string, known: string[]): boolean {
    return (
        known.some((name) => name.toLowerCase() === key.toLowerCase()) ||
        /^tagSpecification(_\d+|)$/i.test(key) ||
        /^csi\.storage\.k8s\.io\//i.test(key)
    );
}

function nearest(key: string, known: string[]): string | undefined {
    const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
    const scored = known
        .map((name) => ({ name, far: distance(plain(key), plain(name)) }))
        .sort((a, b) => a.far - b.far);
    return scored[0] && scored[0].far <= 3 && scored[0].far < plain(key).length / 2 ? scored[0].name : undefined;
}

function distance(a: string, b: string): number {
    let row = Array.from({ length: b.length + 1 }, (_, index) => index);
    for (let i = 1; i <= Math.min(a.length, 60); i++) {
        const next = [i];
        for (let j = 1; j <= b.length; j++) {
            next[j] = Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
        }
        row = next;
    }
    return row[b.length];
}
