import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { type Problem, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { isDnsSubdomain } from "../shared/kubernetesNames";
import { checkManagedAddonArgs, managedAddon, type ManagedAddonArgs, managedAddonShapes } from "../shared/managedAddon";
import { choices, keysOf, mapOf, type ShapesOf } from "../shared/shape";
import { ReclaimPolicy } from "./choices";
import { CLASS_TAGS, driverTagProblems } from "./driverTags";
import { EBS_PROVISIONER } from "./ebsStorageClass";

/** Arguments of {@link VolumeSnapshots}. */
export interface VolumeSnapshotsArgs extends ManagedAddonArgs {
    /** The cluster, once pods can run on it. */
    cluster: pulumi.Input<ClusterInfo>;
    /** The name of the class of snapshots. @default ebs-snapshots */
    className?: string;
    /** What happens to the EBS snapshot when its VolumeSnapshot is deleted. @default Retain */
    deletionPolicy?: ReclaimPolicy;
    /** Tags of the EBS snapshots. @default none */
    snapshotTags?: Record<string, string>;
}

const shapes: ShapesOf<VolumeSnapshotsArgs> = {
    ...managedAddonShapes,
    cluster: "anything",
    className: "string",
    deletionPolicy: choices(ReclaimPolicy),
    snapshotTags: mapOf("string"),
};

/** What is wrong with the arguments of {@link VolumeSnapshots}. */
export function checkVolumeSnapshotsArgs(args: VolumeSnapshotsArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (fitting) => [
        ...checkManagedAddonArgs(fitting),
        ...driverTagProblems("snapshotTags", fitting.snapshotTags ?? {}, CLASS_TAGS),
        ...(isDnsSubdomain(fitting.className ?? DEFAULT_CLASS)
            ? []
            : [{ path: "className", message: `"${fitting.className}" is no name of a class` }]),
    ]);
}

const DEFAULT_CLASS = "ebs-snapshots";

/**
 * Snapshots of EBS volumes by Kubernetes objects: the managed add-on `snapshot-controller`, one in a cluster, and the class of
 * the snapshots. Let {@link EbsCsiStack} depend on this component: its driver looks for the controller when it is installed (or
 * set its `snapshotter`). EFS has no snapshots, see `backups` of {@link EfsSharedStorage}.
 */
export class VolumeSnapshots extends pulumi.ComponentResource {
    /** The add-on's version. */
    readonly version: pulumi.Output<string>;
    /** The name of the class, the default for snapshots that name none. */
    readonly className: pulumi.Output<string>;

    constructor(name: string, args: VolumeSnapshotsArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("VolumeSnapshots", name, checkVolumeSnapshotsArgs(args));
        super("airflow-eks:index:VolumeSnapshots", name, {}, opts);
        const cluster = pulumi.output(args.cluster);
        const addon = managedAddon(this, name, {
            addonName: "snapshot-controller",
            clusterName: cluster.name,
            kubernetesVersion: cluster.kubernetesVersion,
            args,
        });
        const tags = Object.entries(args.snapshotTags ?? {});
        const snapshotClass = new k8s.apiextensions.CustomResource(
            `${name}-class`,
            {
                apiVersion: "snapshot.storage.k8s.io/v1",
                kind: "VolumeSnapshotClass",
                metadata: {
                    name: args.className ?? DEFAULT_CLASS,
                    annotations: { "snapshot.storage.kubernetes.io/is-default-class": "true" },
                },
                driver: EBS_PROVISIONER,
                deletionPolicy: args.deletionPolicy ?? ReclaimPolicy.Retain,
                parameters: Object.fromEntries(
                    tags.map(([key, value], index) => [`tagSpecification_${index + 1}`, `${key}=${value}`]),
                ),
            },
            { parent: this, dependsOn: [addon], deleteBeforeReplace: true },
        );
        this.version = addon.addonVersion;
        this.className = snapshotClass.metadata.name;
        this.registerOutputs({ version: this.version, className: this.className });
    }
}
