import { numberOr } from "../api/value";

/** What the EBS CSI driver makes of a StorageClass: a volume's properties, or the error of CreateVolume. */
export interface EbsVolumeRequest {
    type: string;
    encrypted: boolean;
    kmsKeyId?: string;
    iops?: number;
    throughput?: number;
    fsType: string;
}

interface Limits {
    minGiB: number;
    maxGiB: number;
    iops?: { base?: number; perGiB: number; max: number; min: number };
    throughput?: number;
}

/**
 * Source: aws-ebs-csi-driver docs/parameters.md at v1.64, and the volume types in the EBS user guide (gp3: 64 TiB, 80,000
 * IOPS at 500 per GiB, 2,000 MiB/s; io2 Block Express: 256,000 at 1,000 per GiB; io1: 64,000 at 50 per GiB).
 */
const types: Record<string, Limits> = {
    gp3: { minGiB: 1, maxGiB: 65536, iops: { base: 3000, perGiB: 500, max: 80_000, min: 3000 }, throughput: 2000 },
    gp2: { minGiB: 1, maxGiB: 16384 },
    io1: { minGiB: 4, maxGiB: 16384, iops: { perGiB: 50, max: 64_000, min: 100 } },
    io2: { minGiB: 4, maxGiB: 65536, iops: { perGiB: 1000, max: 256_000, min: 100 } },
    st1: { minGiB: 125, maxGiB: 16384 },
    sc1: { minGiB: 125, maxGiB: 16384 },
    standard: { minGiB: 1, maxGiB: 1024 },
};

const known = new Set([
    "type",
    "iops",
    "iopspergb",
    "allowautoiopspergbincrease",
    "allowautoiopsincreaseonmodify",
    "throughput",
    "encrypted",
    "kmskeyid",
    "blocksize",
    "inodesize",
    "bytesperinode",
    "numberofinodes",
    "ext4bigalloc",
    "ext4clustersize",
    "ext4encryptionsupport",
    "blockexpress",
    "volumeinitializationrate",
    "outpostarn",
    "fstype",
    "csi.storage.k8s.io/fstype",
    "csi.storage.k8s.io/pv/name",
    "csi.storage.k8s.io/pvc/name",
    "csi.storage.k8s.io/pvc/namespace",
]);

/** Reads a class's parameters as the driver does: keys without regard to case, `encrypted` only by the word `true`. */
export function ebsVolume(parameters: Record<string, string>, gib: number): EbsVolumeRequest | { error: string } {
    const values = new Map<string, string>();
    for (const [key, value] of Object.entries(parameters)) {
        const lower = key.toLowerCase();
        // The standard key of the file system type is the one that the provisioner reads in its exact spelling.
        if (!known.has(lower) && !lower.startsWith("tagspecification_")) {
            return { error: `Invalid parameter key ${key} for CreateVolume` };
        }
        if (lower === "csi.storage.k8s.io/fstype" && key !== "csi.storage.k8s.io/fstype") {
            return { error: `Invalid parameter key ${key} for CreateVolume` };
        }
        values.set(lower, value);
    }
    const type = (values.get("type") ?? "gp3").toLowerCase();
    const limits = types[type];
    if (!limits) {
        return { error: `Could not create volume: invalid AWS VolumeType "${type}"` };
    }
    if (gib < limits.minGiB || gib > limits.maxGiB) {
        return {
            error: `InvalidParameterValue: Volume of ${gib}GiB is ${gib < limits.minGiB ? "too small" : "too large"} for volume type ${type}; ${gib < limits.minGiB ? `minimum is ${limits.minGiB}GiB` : `maximum is ${limits.maxGiB}GiB`}`,
        };
    }
    const fsType = values.get("csi.storage.k8s.io/fstype") ?? values.get("fstype") ?? "ext4";
    if (!["ext2", "ext3", "ext4", "xfs", "ntfs"].includes(fsType)) {
        return { error: `Volume capability not supported: file system "${fsType}"` };
    }
    const iops = iopsOf(type, limits, values, gib);
    if (typeof iops === "object") {
        return iops;
    }
    const throughput = throughputOf(type, limits, values, iops);
    if (typeof throughput === "object") {
        return throughput;
    }
    const kmsKeyId = values.get("kmskeyid");
    if (kmsKeyId !== undefined && kmsKeyId !== "" && !/^arn:aws[\w-]*:kms:/.test(kmsKeyId)) {
        return { error: `InvalidParameterValue: kmsKeyId must be the full ARN of a key, got "${kmsKeyId}"` };
    }
    return {
        type,
        encrypted: values.get("encrypted") === "true" || Boolean(kmsKeyId),
        kmsKeyId: kmsKeyId || undefined,
        iops,
        throughput,
        fsType,
    };
}

type Failure = { error: string };

function iopsOf(type: string, limits: Limits, values: Map<string, string>, gib: number): number | undefined | Failure {
    const total = whole(values.get("iops"));
    const perGb = whole(values.get("iopspergb"));
    if (total === null || perGb === null) {
        return { error: `Could not parse invalid iops or iopsPerGB: must be a whole number` };
    }
    if (total !== undefined && perGb !== undefined) {
        return { error: "Invalid StorageClass parameters; specify either IOPS or IOPSPerGb, not both" };
    }
    if (!limits.iops) {
        return total !== undefined || perGb !== undefined
            ? { error: `InvalidParameterCombination: The parameter iops is not supported for ${type} volumes.` }
            : undefined;
    }
    if (total === undefined && perGb === undefined) {
        return type.startsWith("io")
            ? { error: `Invalid StorageClass parameters; must specify either IOPS or IOPSPerGB for ${type}` }
            : limits.iops.base;
    }
    const free = limits.iops.base ?? 0;
    const most = Math.max(Math.min(limits.iops.max, limits.iops.perGiB * gib), free);
    if (total !== undefined) {
        if (total < limits.iops.min || total > most) {
            return {
                error: `InvalidParameterValue: Iops to volume size ratio or IOPS of ${total} is out of range for ${gib}GiB of ${type}: from ${limits.iops.min} to ${most}`,
            };
        }
        return total;
    }
    // The driver caps IOPS that are given per GB, and lifts them to the minimum only when allowed to.
    const wanted = (perGb ?? 0) * gib;
    if ((perGb ?? 0) > limits.iops.perGiB) {
        return {
            error: `InvalidParameterValue: maximum ratio of IOPS to volume size for ${type} is ${limits.iops.perGiB}, got ${numberOr(perGb, 0)}`,
        };
    }
    if (wanted < limits.iops.min) {
        return values.get("allowautoiopspergbincrease") === "true"
            ? limits.iops.min
            : {
                  error: `InvalidParameterValue: Volume IOPS of ${wanted} is too low; minimum is ${limits.iops.min}. Set allowAutoIOPSPerGBIncrease to "true" to lift it.`,
              };
    }
    return Math.min(wanted, most);
}

function throughputOf(
    type: string,
    limits: Limits,
    values: Map<string, string>,
    iops: number | undefined,
): number | undefined | Failure {
    const throughput = whole(values.get("throughput"));
    if (throughput === null) {
        return { error: `Could not parse invalid throughput: must be a whole number of MiB/s` };
    }
    if (limits.throughput === undefined) {
        return throughput === undefined
            ? undefined
            : { error: `InvalidParameterCombination: The parameter throughput is not supported for ${type} volumes.` };
    }
    if (throughput === undefined) {
        return 125;
    }
    // 0.25 MiB/s for each provisioned IOPS.
    if (throughput < 125 || throughput > limits.throughput || throughput > (iops ?? 3000) / 4) {
        return {
            error: `InvalidParameterValue: Throughput of ${throughput} MiB/s is out of range: from 125 to ${Math.min(limits.throughput, (iops ?? 3000) / 4)}`,
        };
    }
    return throughput;
}

/** A whole number, `undefined` when absent, `null` when it is none. */
function whole(value: string | undefined): number | undefined | null {
    return value === undefined || value === "" ? undefined : /^\d+$/.test(value) ? Number(value) : null;
}
