import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import { keyArnProblems } from "../shared/arns";
import { type Problem, under } from "../shared/check";
import { guardImmutable } from "../shared/guard";
import { policyJson } from "../shared/iamPolicy";
import { zoneProblems } from "../shared/zones";
import { choices, keysOf, mapOf, type ShapesOf } from "../shared/shape";
import { rangeProblems } from "./choices";

/** How throughput is paid for. */
export const EfsThroughputMode = {
    /** By what is read and written; the right one for logs: little data, bursts of writes. */
    Elastic: "elastic",
    /** By what is stored: 50 KiB/s for each GiB, at least 1 MiB/s, which throttles a small file system full of logs. */
    Bursting: "bursting",
    /** By what is reserved, see `provisionedMibps`. */
    Provisioned: "provisioned",
} as const;
export type EfsThroughputMode = (typeof EfsThroughputMode)[keyof typeof EfsThroughputMode];

/** The latency that a file system is made for. It cannot be changed later. */
export const EfsPerformanceMode = {
    /** The lowest latency; right for all but thousands of clients at once. */
    GeneralPurpose: "generalPurpose",
    /** More operations a second, each slower; not with elastic throughput. */
    MaxIo: "maxIO",
} as const;
export type EfsPerformanceMode = (typeof EfsPerformanceMode)[keyof typeof EfsPerformanceMode];

/** After how many days without access a file moves to cheaper storage. */
export const EfsTransition = {
    After1Day: "AFTER_1_DAY",
    After7Days: "AFTER_7_DAYS",
    After14Days: "AFTER_14_DAYS",
    After30Days: "AFTER_30_DAYS",
    After60Days: "AFTER_60_DAYS",
    After90Days: "AFTER_90_DAYS",
    After180Days: "AFTER_180_DAYS",
    After270Days: "AFTER_270_DAYS",
    After365Days: "AFTER_365_DAYS",
    Never: "NEVER",
} as const;
export type EfsTransition = (typeof EfsTransition)[keyof typeof EfsTransition];

/** Which files move to cheaper storage, and back. */
export interface EfsLifecycle {
    /** To Infrequent Access, where each read costs. @default AFTER_30_DAYS */
    toInfrequentAccess?: EfsTransition;
    /** To Archive; later than to Infrequent Access, and with elastic throughput only. @default NEVER */
    toArchive?: EfsTransition;
    /** Back to Standard when a file is read or written. @default false */
    backOnAccess?: boolean;
}

/** A copy that EFS keeps up to date, minutes behind. */
export interface EfsReplication {
    /** The region of the copy, for example `eu-central-1`. @default the file system's own */
    region?: string;
    /** The key that encrypts the copy, one of its region. @default the key that AWS manages for EFS there */
    kmsKeyArn?: pulumi.Input<string>;
    /** One zone for the copy, cheaper. @default all zones of its region */
    availabilityZone?: string;
}

/** What a file system is like, apart from who reaches it. */
export interface EfsFileSystemSettings {
    /**
     * Whether to encrypt with a key of the file system's own, which costs about a dollar a month and can be withdrawn. Without it,
     * and without `kmsKeyArn`, the key that AWS manages for EFS encrypts. It cannot be changed later.
     * @default true unless `kmsKeyArn` is given
     */
    ownKey?: boolean;
    /** A key of yours that encrypts the file system. It cannot be changed later. */
    kmsKeyArn?: pulumi.Input<string>;
    /** The latency that the file system is made for. It cannot be changed later. @default generalPurpose */
    performanceMode?: EfsPerformanceMode;
    /** How throughput is paid for. @default elastic */
    throughputMode?: EfsThroughputMode;
    /** The throughput in MiB/s, 1 to 3414, that is reserved and paid for; with `provisioned` only. */
    provisionedMibps?: number;
    /** Which files move to cheaper storage. @default to Infrequent Access after 30 days */
    lifecycle?: EfsLifecycle;
    /**
     * Whether AWS Backup keeps daily backups, 35 days each. To restore, run a restore job into a new file system and use
     * {@link ExistingFileSystem} with it.
     * @default true
     */
    backups?: boolean;
    /**
     * A copy that EFS keeps up to date. It cannot be changed. Left out later, it is forgotten, and EFS goes on copying until
     * `aws efs delete-replication-configuration` ends it; the copy is then a file system of its own.
     * @default none
     */
    replication?: EfsReplication;
    /** The file system's `Name` tag. @default the component's name */
    displayName?: string;
    /** Further tags of what AWS bills. @default none */
    tags?: Record<string, pulumi.Input<string>>;
    /**
     * Whether `destroy` is refused. Without it, `destroy` forgets the file system, and it stays in the account with its
     * data, key, policy and backups.
     * @default false
     */
    protect?: boolean;
}

/** The shapes of {@link EfsFileSystemSettings}, for those of the component. */
export const fileSystemShapes: ShapesOf<EfsFileSystemSettings> = {
    ownKey: "boolean",
    kmsKeyArn: "string",
    performanceMode: choices(EfsPerformanceMode),
    throughputMode: choices(EfsThroughputMode),
    provisionedMibps: "integer",
    lifecycle: keysOf<EfsLifecycle>({
        toInfrequentAccess: choices(EfsTransition),
        toArchive: choices(EfsTransition),
        backOnAccess: "boolean",
    }),
    backups: "boolean",
    replication: keysOf<EfsReplication>({ region: "string", kmsKeyArn: "string", availabilityZone: "string" }),
    displayName: "string",
    tags: mapOf("string"),
    protect: "boolean",
};

/** What is wrong with the settings of a file system. */
export function fileSystemProblems(settings: EfsFileSystemSettings): Problem[] {
    return [
        ...keyProblems(settings),
        ...throughputProblems(settings),
        ...under("lifecycle", lifecycleProblems(settings)),
        ...under("replication", replicationProblems(settings.replication)),
    ];
}

/** Makes a file system with all that belongs to its data: key, policy, backups, replica. They outlive the program. */
export function efsFileSystem(
    parent: pulumi.Resource,
    name: string,
    settings: EfsFileSystemSettings,
): { fileSystem: aws.efs.FileSystem; policy: aws.efs.FileSystemPolicy } {
    const fileSystem = makeFileSystem(parent, name, settings);
    const policy = tlsPolicy(parent, name, fileSystem);
    backupPolicy(parent, name, fileSystem, settings.backups ?? true);
    if (settings.replication) {
        replicate(parent, name, fileSystem, settings.replication);
    }
    return { fileSystem, policy };
}

function makeFileSystem(parent: pulumi.Resource, name: string, args: EfsFileSystemSettings): aws.efs.FileSystem {
    const keep = { parent, retainOnDelete: true, protect: args.protect };
    const throughputMode = args.throughputMode ?? EfsThroughputMode.Elastic;
    const performanceMode = args.performanceMode ?? EfsPerformanceMode.GeneralPurpose;
    const ownKey = args.kmsKeyArn === undefined && (args.ownKey ?? true);
    const guard = guardImmutable(
        parent,
        `${name}-guard`,
        { performanceMode, key: args.kmsKeyArn ?? (ownKey ? "a key of its own" : "the key that AWS manages") },
        {
            what: `the file system "${name}"`,
            instead:
                "make a second EfsSharedStorage with the new settings and class names of its own, copy the files with AWS DataSync, " +
                "let the claims use the new classes, and then remove the first one.",
        },
    );
    const key = ownKey
        ? new aws.kms.Key(
              `${name}-key`,
              {
                  description: `Encrypts the file system ${name}`,
                  enableKeyRotation: true,
                  deletionWindowInDays: 30,
                  tags: args.tags,
              },
              keep,
          )
        : undefined;
    return new aws.efs.FileSystem(
        name,
        {
            encrypted: true,
            kmsKeyId: key?.arn ?? args.kmsKeyArn,
            performanceMode,
            throughputMode,
            provisionedThroughputInMibps: args.provisionedMibps,
            lifecyclePolicies: lifecyclePolicies(args.lifecycle ?? {}),
            tags: { ...args.tags, Name: args.displayName ?? name },
        },
        { ...keep, dependsOn: [guard] },
    );
}

function lifecyclePolicies(lifecycle: EfsLifecycle): aws.types.input.efs.FileSystemLifecyclePolicy[] {
    const toInfrequentAccess = lifecycle.toInfrequentAccess ?? EfsTransition.After30Days;
    const toArchive = lifecycle.toArchive ?? EfsTransition.Never;
    // EFS takes one transition in each element.
    return [
        ...(toInfrequentAccess === EfsTransition.Never ? [] : [{ transitionToIa: toInfrequentAccess }]),
        ...(toArchive === EfsTransition.Never ? [] : [{ transitionToArchive: toArchive }]),
        ...(lifecycle.backOnAccess ? [{ transitionToPrimaryStorageClass: "AFTER_1_ACCESS" }] : []),
    ];
}

/** Without a policy everybody who reaches the port may mount; with one, only whom it allows. So it allows as well as denies. */
function tlsPolicy(parent: pulumi.Resource, name: string, fileSystem: aws.efs.FileSystem): aws.efs.FileSystemPolicy {
    return new aws.efs.FileSystemPolicy(
        `${name}-policy`,
        {
            fileSystemId: fileSystem.id,
            policy: policyJson(
                {
                    Sid: "MountThroughTheNetwork",
                    Principal: { AWS: "*" },
                    Action: [
                        "elasticfilesystem:ClientMount",
                        "elasticfilesystem:ClientWrite",
                        "elasticfilesystem:ClientRootAccess",
                    ],
                    Resource: fileSystem.arn,
                    Condition: { Bool: { "elasticfilesystem:AccessedViaMountTarget": "true" } },
                },
                {
                    Sid: "RefuseUnencryptedTransport",
                    Effect: "Deny",
                    Principal: { AWS: "*" },
                    Action: "*",
                    Resource: fileSystem.arn,
                    Condition: { Bool: { "aws:SecureTransport": "false" } },
                },
            ),
        },
        { parent, retainOnDelete: true },
    );
}

function backupPolicy(parent: pulumi.Resource, name: string, fileSystem: aws.efs.FileSystem, on: boolean): void {
    new aws.efs.BackupPolicy(
        `${name}-backups`,
        { fileSystemId: fileSystem.id, backupPolicy: { status: on ? "ENABLED" : "DISABLED" } },
        { parent, retainOnDelete: true },
    );
}

function replicate(
    parent: pulumi.Resource,
    name: string,
    fileSystem: aws.efs.FileSystem,
    { region, kmsKeyArn, availabilityZone }: EfsReplication,
): void {
    const guard = guardImmutable(
        parent,
        `${name}-replica-guard`,
        { region, kmsKeyArn, availabilityZone },
        {
            what: `the copy of the file system "${name}"`,
            instead:
                "leave `replication` out and run `pulumi up`, end the copying with `aws efs delete-replication-configuration " +
                "--source-file-system-id …` (the copy stays), and then set the new `replication`.",
        },
    );
    new aws.efs.ReplicationConfiguration(
        `${name}-replica`,
        {
            sourceFileSystemId: fileSystem.id,
            destination: { region, kmsKeyId: kmsKeyArn, availabilityZoneName: availabilityZone },
        },
        { parent, retainOnDelete: true, dependsOn: [guard] },
    );
}

function keyProblems(args: EfsFileSystemSettings): Problem[] {
    const problems: Problem[] = [];
    if (args.ownKey && args.kmsKeyArn !== undefined) {
        problems.push({ path: "ownKey", message: "there is a kmsKeyArn as well; leave out one of the two" });
    }
    return [...problems, ...keyArnProblems("kmsKeyArn", args.kmsKeyArn)];
}

function throughputProblems(args: EfsFileSystemSettings): Problem[] {
    const mode = args.throughputMode ?? EfsThroughputMode.Elastic;
    const problems = [...rangeProblems("provisionedMibps", args.provisionedMibps, 1, 3414, " MiB/s")];
    if (mode === EfsThroughputMode.Provisioned && args.provisionedMibps === undefined) {
        problems.push({
            path: "provisionedMibps",
            message: "say how many MiB/s to reserve, or use elastic throughput",
        });
    }
    if (mode !== EfsThroughputMode.Provisioned && args.provisionedMibps !== undefined) {
        problems.push({ path: "provisionedMibps", message: `has no effect with ${mode} throughput; leave it out` });
    }
    if (mode === EfsThroughputMode.Elastic && args.performanceMode === EfsPerformanceMode.MaxIo) {
        problems.push({
            path: "performanceMode",
            message: "EFS has no maxIO with elastic throughput; use generalPurpose",
        });
    }
    return problems;
}

function lifecycleProblems(args: EfsFileSystemSettings): Problem[] {
    const lifecycle = args.lifecycle ?? {};
    const problems: Problem[] = [];
    const toArchive = lifecycle.toArchive ?? EfsTransition.Never;
    if (toArchive === EfsTransition.Never) {
        return problems;
    }
    const toInfrequentAccess = lifecycle.toInfrequentAccess ?? EfsTransition.After30Days;
    if ((args.throughputMode ?? EfsThroughputMode.Elastic) !== EfsThroughputMode.Elastic) {
        problems.push({ path: "toArchive", message: "EFS archives with elastic throughput only" });
    }
    if (toInfrequentAccess === EfsTransition.Never || days(toArchive) <= days(toInfrequentAccess)) {
        problems.push({
            path: "toArchive",
            message: `${toArchive} is not later than toInfrequentAccess, ${toInfrequentAccess}`,
        });
    }
    return problems;
}

function days(transition: EfsTransition): number {
    return Number(/\d+/.exec(transition)?.[0]);
}

function replicationProblems(replication: EfsReplication | undefined): Problem[] {
    if (!replication) {
        return [];
    }
    const problems = keyArnProblems("kmsKeyArn", replication.kmsKeyArn);
    if (replication.region !== undefined && !/^[a-z]{2,}(-[a-z]+)+-\d$/.test(replication.region)) {
        problems.push({ path: "region", message: `"${replication.region}" is no region, such as eu-central-1` });
    }
    if (replication.availabilityZone !== undefined) {
        problems.push(...zoneProblems("availabilityZone", [replication.availabilityZone]).slice(0, 1));
    }
    return problems.map(({ path, message }) => ({ path: path.replace("[0]", ""), message }));
}
