import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { keyArnProblems } from "../shared/arns";
import { type Problem, under } from "../shared/check";
import { choices, keysOf, listOf, mapOf } from "../shared/shape";
import { rangeProblems, ReclaimPolicy } from "./choices";
import { CLASS_TAGS, driverTagProblems } from "./driverTags";
import { classNameProblems } from "./efsStorageClass";

/** The name under which the EBS driver registers. */
export const EBS_PROVISIONER = "ebs.csi.aws.com";

/** The kinds of EBS volume. */
export const EbsVolumeType = {
    /** Solid state, 3,000 operations a second and 125 MiB/s without extra cost: right for nearly all. */
    Gp3: "gp3",
    /** Solid state, as fast as it is large; older than gp3 and dearer. */
    Gp2: "gp2",
    /** Solid state with reserved operations, up to 64,000 a second. */
    Io1: "io1",
    /** As io1, more durable, up to 256,000 operations a second. */
    Io2: "io2",
    /** Disks for large sequential reads and writes. */
    St1: "st1",
    /** Disks for what is rarely read. */
    Sc1: "sc1",
} as const;
export type EbsVolumeType = (typeof EbsVolumeType)[keyof typeof EbsVolumeType];

/** The file system that a new volume is formatted with. */
export const FileSystemType = { Ext4: "ext4", Xfs: "xfs" } as const;
export type FileSystemType = (typeof FileSystemType)[keyof typeof FileSystemType];

/**
 * A StorageClass that gives each claim an EBS volume of its own: encrypted, made in the zone of its first pod, and able to grow.
 * Sources of names and limits: the driver's docs/parameters.md, the EBS user guide.
 */
export interface EbsClassSpec {
    /** The kind of volume. @default gp3 */
    type?: EbsVolumeType;
    /** The file system. @default ext4 */
    fsType?: FileSystemType;
    /** Operations a second that each volume gets, whatever its size: gp3 3,000 to 80,000, io1 to 64,000, io2 to 256,000. */
    iops?: number;
    /** Operations a second for each GiB, instead of `iops`: gp3 to 500, io1 to 50, io2 to 1,000. */
    iopsPerGb?: number;
    /** Raises `iopsPerGb` where a small volume would get less than EBS demands; without it such a claim fails. @default false */
    allowAutoIopsPerGbIncrease?: boolean;
    /** MiB/s of each volume, 125 to 2,000, at most a quarter of its operations a second; gp3 only. @default 125 */
    throughput?: number;
    /** The key that encrypts the volumes. @default the stack's `kmsKeyArn`, or else the key that AWS manages for EBS */
    kmsKeyArn?: pulumi.Input<string>;
    /** The full names of the zones where volumes may be made. @default wherever the first pod runs */
    zones?: string[];
    /** What happens to a volume when its claim is deleted. @default Delete */
    reclaimPolicy?: ReclaimPolicy;
    /** Options of the mount, one in each element. @default none */
    mountOptions?: string[];
    /** Tags of the volumes, which may hold `{{ .PVCName }}` and `{{ .PVCNamespace }}`. @default none */
    tags?: Record<string, string>;
}

/** The shape of EBS classes by their names. */
export const ebsClassesShape = mapOf(
    keysOf<EbsClassSpec>({
        type: choices(EbsVolumeType),
        fsType: choices(FileSystemType),
        iops: "integer",
        iopsPerGb: "integer",
        allowAutoIopsPerGbIncrease: "boolean",
        throughput: "integer",
        kmsKeyArn: "string",
        zones: listOf("string"),
        reclaimPolicy: choices(ReclaimPolicy),
        mountOptions: listOf("string"),
        tags: mapOf("string"),
    }),
);

/** Why there are no such settings in an EBS class. */
export const EBS_REASONS = {
    encrypted: "there is no such setting: volumes of these classes are always encrypted",
    isDefault: "there is no such setting: name the one default class in defaultClass",
    bindingMode:
        "there is no such setting: volumes are always made in the zone of their first pod (WaitForFirstConsumer), else pods are stranded",
    provisioner:
        "there is no such setting: the EBS CSI driver serves these classes; the in-tree provisioner cannot move volumes",
    allowVolumeExpansion: "there is no such setting: volumes of these classes can always grow",
    blockExpress: "there is no such setting: all io2 volumes have it since driver 1.47",
};

interface Limits {
    iops?: [number, number];
    iopsPerGb?: number;
    throughput?: [number, number];
}

const LIMITS: Record<string, Limits> = {
    [EbsVolumeType.Gp3]: { iops: [3000, 80000], iopsPerGb: 500, throughput: [125, 2000] },
    [EbsVolumeType.Io1]: { iops: [100, 64000], iopsPerGb: 50 },
    [EbsVolumeType.Io2]: { iops: [100, 256000], iopsPerGb: 1000 },
};

/** What is wrong with the EBS classes of a component, by their names. `zones` are those of the cluster. */
export function ebsClassesProblems(classes: Record<string, EbsClassSpec>, zones: string[]): Problem[] {
    return Object.entries(classes).flatMap(([name, spec]) => [
        ...classNameProblems(`classes.${name}`, name),
        ...under(`classes.${name}`, ebsClassProblems(spec, zones)),
    ]);
}

function ebsClassProblems(spec: EbsClassSpec, zones: string[]): Problem[] {
    return [
        ...performanceProblems(spec),
        ...keyArnProblems("kmsKeyArn", spec.kmsKeyArn),
        ...zoneListProblems(spec.zones, zones),
        ...driverTagProblems("tags", spec.tags ?? {}, CLASS_TAGS),
    ];
}

function performanceProblems(spec: EbsClassSpec): Problem[] {
    const type = spec.type ?? EbsVolumeType.Gp3;
    const limits = LIMITS[type] ?? {};
    const problems: Problem[] = [];
    const within = (key: "iops" | "iopsPerGb" | "throughput", range: [number, number] | undefined, unit: string) => {
        if (spec[key] !== undefined && range === undefined) {
            problems.push({ path: key, message: `${type} volumes take no ${key}; leave it out or use gp3` });
        } else if (range !== undefined) {
            problems.push(...rangeProblems(key, spec[key], range[0], range[1], `${unit}, the limits of ${type}`));
        }
    };
    within("iops", limits.iops, "");
    within("iopsPerGb", limits.iopsPerGb === undefined ? undefined : [1, limits.iopsPerGb], "");
    within("throughput", limits.throughput, " MiB/s");
    if (spec.iops !== undefined && spec.iopsPerGb !== undefined) {
        problems.push({ path: "iopsPerGb", message: "there are iops as well; leave out one of the two" });
    }
    if ((type === EbsVolumeType.Io1 || type === EbsVolumeType.Io2) && (spec.iops ?? spec.iopsPerGb) === undefined) {
        problems.push({ path: "iops", message: `${type} volumes need iops or iopsPerGb` });
    }
    if (spec.allowAutoIopsPerGbIncrease && spec.iopsPerGb === undefined) {
        problems.push({ path: "allowAutoIopsPerGbIncrease", message: "has no effect without iopsPerGb; leave it out" });
    }
    const iops = spec.iops ?? (spec.iopsPerGb === undefined ? 3000 : undefined);
    if (spec.throughput !== undefined && iops !== undefined && limits.throughput && spec.throughput > iops / 4) {
        problems.push({
            path: "throughput",
            message: `${spec.throughput} MiB/s needs ${spec.throughput * 4} iops, four for each MiB/s; there are ${iops}`,
        });
    }
    return problems;
}

function zoneListProblems(zones: string[] | undefined, known: string[]): Problem[] {
    if (zones === undefined) {
        return [];
    }
    if (zones.length === 0) {
        return [{ path: "zones", message: "no volume could be made in no zone; leave zones out to allow all" }];
    }
    return zones.flatMap((zone, index) => {
        if (!known.includes(zone)) {
            return [{ path: `zones[${index}]`, message: `"${zone}" is not one of the zones ${known.join(", ")}` }];
        }
        return zones.indexOf(zone) === index
            ? []
            : [{ path: `zones[${index}]`, message: `"${zone}" is there twice; list it once.` }];
    });
}

/** Makes an EBS class. */
export function ebsClass(
    name: string,
    args: {
        className: string;
        spec: EbsClassSpec;
        isDefault: boolean;
        kmsKeyArn?: pulumi.Input<string>;
        zones?: pulumi.Input<string[]>;
    },
    opts: pulumi.CustomResourceOptions,
): k8s.storage.v1.StorageClass {
    const { spec } = args;
    return new k8s.storage.v1.StorageClass(
        name,
        {
            metadata: {
                name: args.className,
                annotations: { "storageclass.kubernetes.io/is-default-class": String(args.isDefault) },
            },
            provisioner: EBS_PROVISIONER,
            parameters: parameters(spec, spec.kmsKeyArn ?? args.kmsKeyArn),
            allowedTopologies: args.zones && [
                { matchLabelExpressions: [{ key: "topology.kubernetes.io/zone", values: args.zones }] },
            ],
            mountOptions: spec.mountOptions,
            reclaimPolicy: spec.reclaimPolicy ?? ReclaimPolicy.Delete,
            volumeBindingMode: "WaitForFirstConsumer",
            allowVolumeExpansion: true,
        },
        // Kubernetes changes no class, and two cannot have one name. Claims and volumes live on without it.
        { ...opts, deleteBeforeReplace: true },
    );
}

function parameters(
    spec: EbsClassSpec,
    kmsKeyArn: pulumi.Input<string> | undefined,
): Record<string, pulumi.Input<string>> {
    const { iops, iopsPerGb, throughput } = spec;
    const numbers: Record<string, number | undefined> = { iops, iopsPerGB: iopsPerGb, throughput };
    return {
        type: spec.type ?? EbsVolumeType.Gp3,
        // The standard spelling: the bare `fsType` is deprecated.
        "csi.storage.k8s.io/fstype": spec.fsType ?? FileSystemType.Ext4,
        encrypted: "true",
        ...(kmsKeyArn === undefined ? {} : { kmsKeyId: kmsKeyArn }),
        ...Object.fromEntries(
            Object.entries(numbers)
                .filter(([, value]) => value !== undefined)
                .map(([key, value]) => [key, String(value)]),
        ),
        ...(spec.allowAutoIopsPerGbIncrease ? { allowAutoIOPSPerGBIncrease: "true" } : {}),
        ...Object.fromEntries(
            Object.entries(spec.tags ?? {}).map(([key, value], index) => [
                `tagSpecification_${index + 1}`,
                `${key}=${value}`,
            ]),
        ),
    };
}
