import { adviseFileSystemPolicies } from "../judge/efsPolicy";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type Stack } from "../rule";
import { backingOfClass, efsDriver, isEfsAddress, isEfsServer } from "../storage/backing";
import type { Carried, StorageClass, Volume, VolumeSource } from "../storage/model";
import { readResource } from "../storage/read";
import { anyCase, elements, get, isTree, parseBool, shapeOf, under } from "../storage/values";

const plainNfs = "EFS is mounted as plain NFS here: files travel unencrypted.";
const useDriver = `Use the driver ${efsDriver}, which encrypts unless told otherwise.`;

export const rule: Rule = {
    name: "efs-in-transit-encrypted",
    description: "What is mounted from EFS travels encrypted.",
    why: "The EFS CSI driver uses TLS unless it is switched off, and plain NFS never does: then everyone on the way reads the files.",
    fix: "Leave out encryptInTransit (TLS is on by default) and options that ask for plain NFS.",
    level: "mandatory",
    severity: "high",
    resource: (resource) => judgeCarried(resource, readResource(resource)),
    /** What only the whole program tells: NFS servers that are EFS by address or by origin. */
    stack: (stack) => {
        const judgement = new Judgement();
        for (const resource of stack.resources) {
            const { volumes, mounts } = readResource(resource);
            for (const { source, path } of [
                ...volumes.map((volume) => ({ ...volume, path: volume.sourcePath })),
                ...mounts,
            ]) {
                if (source.type === "nfs" && !isEfsAddress(source.server)) {
                    judgeServer(resource, source, path, stack, judgement);
                }
            }
        }
        return judgement.add(adviseFileSystemPolicies(stack));
    },
};

function judgeServer(resource: Resource, source: VolumeSource, path: string, stack: Stack, judgement: Judgement): void {
    const efs = isEfsServer(source.server, resource, stack);
    judgement.judge(resource);
    if (efs === true) {
        judgement.violation(resource, under(path, "server"), plainNfs, useDriver);
    } else if (efs === undefined) {
        judgement.unknown(resource, under(path, "server"), "whether the NFS server is EFS is not known yet.");
    }
}

function judgeCarried(resource: Resource, { volumes, mounts, classes, charts, malformed }: Carried): Judgement {
    const judgement = new Judgement();
    for (const { path, why } of malformed.filter(({ about }) => about === "volume")) {
        judgement.violation(resource, path, `${why} It cannot be judged.`, "Correct it.");
    }
    volumes.forEach((volume) => judgeVolume(resource, volume, judgement));
    mounts.forEach(({ source, path }) => judgeSource(resource, source, path, judgement));
    classes.forEach((one) => judgeClass(resource, one, judgement));
    charts.forEach(({ values, path }) => judgeValues(resource, values, path, judgement, 0));
    return judgement;
}

function judgeVolume(resource: Resource, volume: Volume, judgement: Judgement): void {
    judgeSource(resource, volume.source, volume.sourcePath, judgement);
    if (volume.source.type === "csi" && volume.source.driver === efsDriver) {
        judgeOptions(resource, volume.mountOptions, under(volume.path, "spec", "mountOptions"), judgement);
    }
}

function judgeSource(resource: Resource, source: VolumeSource, path: string, judgement: Judgement): void {
    if (source.type === "nfs" && isEfsAddress(source.server)) {
        judgement.violation(resource, under(path, "server"), plainNfs, useDriver);
    } else if (source.type === "csi" && source.driver === "nfs.csi.k8s.io") {
        for (const { key } of anyCase(source.attributes, "server").filter(({ value }) => isEfsAddress(value))) {
            judgement.violation(resource, under(path, "volumeAttributes", key), plainNfs, useDriver);
        }
    } else if (source.type === "unknown" || isUnknown(source.driver)) {
        judgement.unknown(resource, path, "whether this is EFS is not known yet.");
    } else if (source.type === "csi" && source.driver === efsDriver) {
        judgement.judge(resource);
        judgeSwitch(resource, source.attributes, under(path, "volumeAttributes"), judgement);
    }
}

function judgeClass(resource: Resource, storageClass: StorageClass, judgement: Judgement): void {
    const { provisioner, parameters, parametersPath, path } = storageClass;
    if (provisioner === efsDriver) {
        judgement.judge(resource);
        judgeSwitch(resource, parameters, parametersPath, judgement);
        judgeOptions(resource, storageClass.mountOptions, under(path, "mountOptions"), judgement);
    } else if (typeof provisioner === "string" && backingOfClass(storageClass).type === "efs") {
        judgement.violation(resource, under(path, "provisioner"), plainNfs, useDriver);
    }
}

/** `encryptInTransit`, read as the driver reads it: keys in any case, Go's spellings of truth. */
function judgeSwitch(resource: Resource, attributes: unknown, path: string, judgement: Judgement): void {
    if (isUnknown(attributes)) {
        judgement.unknown(resource, path, "whether TLS is switched off is not known yet.");
        return;
    }
    if (attributes !== undefined && !isTree(attributes)) {
        judgement.violation(resource, path, `It should be an object of texts and is ${shapeOf(attributes)}.`);
        return;
    }
    for (const { key, value } of anyCase(attributes, "encryptInTransit")) {
        const at = under(path, key);
        if (isUnknown(value)) {
            judgement.unknown(resource, at, "whether TLS is switched off is not known yet.");
        } else if (parseBool(value) === false) {
            judgement.violation(resource, at, "TLS is switched off: files travel unencrypted.");
        } else if (parseBool(value) === undefined) {
            judgement.violation(resource, at, "This is no truth value: the driver refuses to mount the volume.");
        }
    }
}

function judgeOptions(resource: Resource, options: unknown, path: string, judgement: Judgement): void {
    if (isUnknown(options)) {
        judgement.unknown(resource, path, "the mount options are not known yet.");
        return;
    }
    const list = typeof options === "string" ? options.split(",") : elements(options).map(([option]) => option);
    for (const [index, option] of list.entries()) {
        if (isUnknown(option)) {
            judgement.unknown(resource, under(path, index), "the mount option is not known yet.");
        } else if (
            typeof option === "string" &&
            /^\s*(no-?tls|(tls|encryptintransit)=(false|f|0|no|off|none))\s*$/i.test(option)
        ) {
            judgement.violation(resource, under(path, index), "The option asks for a connection without TLS.");
        }
    }
}

/** Charts that mount NFS themselves take the server from their values. */
function judgeValues(resource: Resource, values: unknown, path: string, judgement: Judgement, depth: number): void {
    if (typeof values !== "object" || values === null || depth > 50) {
        return;
    }
    for (const [key, value] of Object.entries(values)) {
        const at = under(path, Array.isArray(values) ? Number(key) : key);
        if (
            /^(nfs)?-?server$/i.test(key) &&
            isEfsAddress(value) &&
            !judgement.findings.some(({ property }) => property === at)
        ) {
            const nfs = get(values, "driver") === undefined && get(values, "volumeHandle") === undefined;
            if (nfs) {
                judgement.violation(resource, at, plainNfs, useDriver);
            }
        } else {
            judgeValues(resource, value, at, judgement, depth + 1);
        }
    }
}
