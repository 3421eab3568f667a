import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import type { NetworkInfo } from "../cluster/networkInfo";
import { type Problem, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { choices, keysOf, listOf, type ShapesOf } from "../shared/shape";
import { zoneProblems } from "../shared/zones";
import { type EfsFileSystemSettings, efsFileSystem, fileSystemProblems, fileSystemShapes } from "./efsFileSystem";
import {
    defaultEfsClasses,
    efsClasses,
    EFS_REASONS,
    efsClassesProblems,
    efsClassesShape,
    type EfsClassSpec,
} from "./efsStorageClass";
import { mountTargets, NfsClients, warnOfZonesWithoutMountTarget } from "./mountTargets";

/** Arguments of {@link EfsSharedStorage}. */
export interface EfsSharedStorageArgs extends EfsFileSystemSettings {
    /** The network of the mount targets. */
    network: pulumi.Input<NetworkInfo>;
    /** The cluster whose pods mount the file system. */
    cluster: pulumi.Input<ClusterInfo>;
    /** The full names of the availability zones that get a mount target: all those where pods run. */
    zones: string[];
    /** The StorageClasses by name. @default `efs-sc`, made for Airflow's logs: see {@link airflowEfsClass} */
    classes?: Record<string, EfsClassSpec>;
    /** Who may open the NFS port. @default Nodes */
    clients?: NfsClients;
}

const shapes: ShapesOf<EfsSharedStorageArgs> = {
    ...fileSystemShapes,
    network: "anything",
    cluster: "anything",
    zones: listOf("string"),
    classes: efsClassesShape,
    clients: choices(NfsClients),
};

/** What is wrong with the arguments of an {@link EfsSharedStorage}. */
export function checkEfsSharedStorageArgs(args: EfsSharedStorageArgs): Problem[] {
    const reasons = { ...EFS_REASONS, encrypted: "there is no such setting: all files are encrypted, always" };
    return fittingProblems(args, keysOf(shapes), judge, reasons);
}

function judge(args: EfsSharedStorageArgs): Problem[] {
    return [
        ...zoneProblems("zones", args.zones ?? []),
        ...efsClassesProblems(args.classes),
        ...fileSystemProblems(args),
    ];
}

/**
 * A file system that pods of all zones read and write at the same time: EFS, encrypted at rest and in transit, with one
 * mount target in each zone and the StorageClasses that hand out its directories.
 *
 * Creates a file system (with key, policy and backup policy), a security group, a mount target for each zone and a
 * StorageClass for each name. File system, key, policy, backup policy and replication outlive the program. The classes
 * work once {@link EfsCsiDriver} runs.
 */
export class EfsSharedStorage extends pulumi.ComponentResource {
    /** The id of the file system. Give `dependsOn` the component to wait for the mount targets. */
    readonly fileSystemId: pulumi.Output<string>;
    /** The ARN of the file system. */
    readonly fileSystemArn: pulumi.Output<string>;
    /** The name under which clients of the VPC find the mount target of their zone. */
    readonly dnsName: pulumi.Output<string>;
    /** The ARN of the key that encrypts the file system. */
    readonly kmsKeyArn: pulumi.Output<string>;
    /** The id of the security group of the mount targets. */
    readonly securityGroupId: pulumi.Output<string>;
    /** The ids of the mount targets by zone. */
    readonly mountTargetIds: pulumi.Output<Record<string, string>>;
    /** The names of the StorageClasses by name: there once the mount targets are, so that what uses one can be mounted. */
    readonly classNames: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: EfsSharedStorageArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("EfsSharedStorage", name, checkEfsSharedStorageArgs(args));
        super("airflow-eks:index:EfsSharedStorage", name, {}, opts);
        const cluster = pulumi.output(args.cluster);
        const network = pulumi.output(args.network);

        const { fileSystem, policy } = efsFileSystem(this, name, args);
        const targets = mountTargets(this, name, fileSystem.id, {
            ...{ network, cluster, zones: args.zones, tags: args.tags },
            clients: args.clients ?? NfsClients.Nodes,
        });
        warnOfZonesWithoutMountTarget(this, name, cluster, args.zones);
        const classes = efsClasses(this, name, args.classes ?? defaultEfsClasses, { fileSystemId: fileSystem.id }, [
            policy,
            ...Object.values(targets.byZone),
        ]);

        this.fileSystemId = fileSystem.id;
        this.fileSystemArn = fileSystem.arn;
        this.dnsName = fileSystem.dnsName;
        this.kmsKeyArn = fileSystem.kmsKeyId;
        this.securityGroupId = targets.securityGroupId;
        this.mountTargetIds = idsOf(targets.byZone);
        this.classNames = pulumi.all(classes).apply((names): Record<string, string> => names);
        this.registerOutputs({
            fileSystemId: this.fileSystemId,
            fileSystemArn: this.fileSystemArn,
            dnsName: this.dnsName,
            kmsKeyArn: this.kmsKeyArn,
            securityGroupId: this.securityGroupId,
            mountTargetIds: this.mountTargetIds,
            classNames: this.classNames,
        });
    }
}

/** The ids of resources by their keys. */
export function idsOf(resources: Record<string, pulumi.CustomResource>): pulumi.Output<Record<string, string>> {
    const ids = Object.fromEntries(Object.entries(resources).map(([key, resource]) => [key, resource.id]));
    return pulumi.all(ids).apply((known): Record<string, string> => known);
}
