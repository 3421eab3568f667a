import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import type { NetworkInfo } from "../cluster/networkInfo";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { choices, keysOf, listOf, mapOf, type ShapesOf } from "../shared/shape";
import { zoneProblems } from "../shared/zones";
import {
    defaultEfsClasses,
    efsClasses,
    EFS_REASONS,
    efsClassesProblems,
    efsClassesShape,
    type EfsClassSpec,
} from "./efsStorageClass";
import { mountTargets, NfsClients, warnOfZonesWithoutMountTarget } from "./mountTargets";

/** Arguments of {@link ExistingFileSystem}. */
export interface ExistingFileSystemArgs {
    /** The id of the file system, `fs-…`. It must be encrypted. */
    fileSystemId: pulumi.Input<string>;
    /** The network of the file system. */
    network: pulumi.Input<NetworkInfo>;
    /** The cluster whose pods mount the file system. */
    cluster: pulumi.Input<ClusterInfo>;
    /** The full names of the availability zones where pods run. */
    zones: string[];
    /**
     * Whether to make the mount targets: for a file system that has none yet, such as one that AWS Backup restored.
     * @default false: they are there
     */
    makeMountTargets?: boolean;
    /** The ids of the mount targets that are there, by zone; given, they are looked up in the preview. @default not looked up */
    mountTargetIds?: Record<string, pulumi.Input<string>>;
    /** Who may open the NFS port of mount targets that are made. @default Nodes */
    clients?: NfsClients;
    /** The StorageClasses by name. @default `efs-sc`, made for Airflow's logs: see {@link airflowEfsClass} */
    classes?: Record<string, EfsClassSpec>;
    /** Tags of the security group. @default none */
    tags?: Record<string, pulumi.Input<string>>;
}

const shapes: ShapesOf<ExistingFileSystemArgs> = {
    fileSystemId: "string",
    network: "anything",
    cluster: "anything",
    zones: listOf("string"),
    makeMountTargets: "boolean",
    mountTargetIds: mapOf("string"),
    clients: choices(NfsClients),
    classes: efsClassesShape,
    tags: mapOf("string"),
};

/** What is wrong with the arguments of an {@link ExistingFileSystem}. */
export function checkExistingFileSystemArgs(args: ExistingFileSystemArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge, EFS_REASONS);
}

function judge(args: ExistingFileSystemArgs): Problem[] {
    const problems = [
        ...fileSystemIdProblems("fileSystemId", args.fileSystemId),
        ...zoneProblems("zones", args.zones ?? []),
        ...efsClassesProblems(args.classes),
    ];
    if (args.makeMountTargets) {
        if (args.mountTargetIds) {
            problems.push({ path: "mountTargetIds", message: "has no effect with makeMountTargets; leave out one" });
        }
        return problems;
    }
    if (args.clients !== undefined) {
        problems.push({ path: "clients", message: "has no effect without makeMountTargets; leave it out" });
    }
    for (const zone of args.mountTargetIds ? (args.zones ?? []) : []) {
        const id = plain(args.mountTargetIds?.[zone]);
        if (args.mountTargetIds?.[zone] === undefined) {
            problems.push({ path: "mountTargetIds", message: `there is none for ${zone}, which is one of zones` });
        } else if (id !== undefined && !/^fsmt-[0-9a-z]+$/.test(id)) {
            problems.push({ path: `mountTargetIds.${zone}`, message: `"${id}" is no id of a mount target, fsmt-…` });
        }
    }
    return problems;
}

/** What is wrong with the id of a file system. */
export function fileSystemIdProblems(path: string, input: pulumi.Input<string> | undefined): Problem[] {
    const id = input === undefined ? "" : plain(input);
    return id === undefined || /^fs-[0-9a-z]+$/.test(id)
        ? []
        : [{ path, message: `"${id}" is no id of a file system, fs-…` }];
}

/**
 * A file system that is there already, with the StorageClasses that hand out its directories: the sibling of
 * {@link EfsSharedStorage}. It is never changed nor removed.
 *
 * Creates a StorageClass for each name and, when asked to, a security group and a mount target for each zone.
 */
export class ExistingFileSystem extends pulumi.ComponentResource {
    /** The id of the file system. Give `dependsOn` the component to wait for mount targets that it makes. */
    readonly fileSystemId: pulumi.Output<string>;
    /** The ARN of the file system. */
    readonly fileSystemArn: pulumi.Output<string>;
    /** The name under which clients of the VPC find the mount target of their zone. */
    readonly dnsName: pulumi.Output<string>;
    /** The names of the StorageClasses by name. */
    readonly classNames: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: ExistingFileSystemArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("ExistingFileSystem", name, checkExistingFileSystemArgs(args));
        super("airflow-eks:index:ExistingFileSystem", name, {}, opts);
        const cluster = pulumi.output(args.cluster);
        const found = aws.efs.getFileSystemOutput({ fileSystemId: args.fileSystemId }, { parent: this });
        const fileSystemId = found.apply((fileSystem) => {
            if (!fileSystem.encrypted) {
                throw new Error(
                    `the file system ${fileSystem.fileSystemId} is not encrypted, and cannot be any more: copy its files into an encrypted one with AWS DataSync.`,
                );
            }
            return fileSystem.fileSystemId;
        });

        const made = args.makeMountTargets
            ? mountTargets(this, name, fileSystemId, {
                  ...{ network: pulumi.output(args.network), cluster, zones: args.zones, tags: args.tags },
                  clients: args.clients ?? NfsClients.Nodes,
              })
            : undefined;
        const checked = args.mountTargetIds ? checkedId(this, fileSystemId, args) : fileSystemId;
        warnOfZonesWithoutMountTarget(this, name, cluster, args.zones);
        const classes = efsClasses(
            this,
            name,
            args.classes ?? defaultEfsClasses,
            { fileSystemId: checked },
            Object.values(made?.byZone ?? {}),
        );

        this.fileSystemId = checked;
        this.fileSystemArn = found.arn;
        this.dnsName = found.dnsName;
        this.classNames = pulumi.all(classes).apply((names): Record<string, string> => names);
        this.registerOutputs({
            fileSystemId: this.fileSystemId,
            fileSystemArn: this.fileSystemArn,
            dnsName: this.dnsName,
            classNames: this.classNames,
        });
    }
}

/** The file system's id, once each zone's mount target has been looked at. */
function checkedId(
    parent: pulumi.Resource,
    fileSystemId: pulumi.Output<string>,
    args: ExistingFileSystemArgs,
): pulumi.Output<string> {
    const targets = args.zones.map((zone) =>
        pulumi
            .all([
                aws.efs.getMountTargetOutput({ mountTargetId: args.mountTargetIds?.[zone] }, { parent }),
                fileSystemId,
            ])
            .apply(([target, id]) => {
                if (target.fileSystemId !== id || target.availabilityZoneName !== zone) {
                    throw new Error(
                        `mountTargetIds.${zone}: ${target.mountTargetId} belongs to ${target.fileSystemId} in ${target.availabilityZoneName}, not to ${id} in ${zone}.`,
                    );
                }
                return id;
            }),
    );
    return pulumi.all(targets).apply(([id]) => id);
}
