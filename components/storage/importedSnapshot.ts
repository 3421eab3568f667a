import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { guardImmutable } from "../shared/guard";
import { isDnsSubdomain, namespaceProblems } from "../shared/kubernetesNames";
import { keysOf, type ShapesOf } from "../shared/shape";
import { EBS_PROVISIONER } from "./ebsStorageClass";
import { type SnapshotInfo, sizeProblems } from "./volumeClaim";

/** Arguments of {@link ImportedSnapshot}. */
export interface ImportedSnapshotArgs {
    /** The id of the EBS snapshot, `snap-…`. The driver's policy wants it tagged `ebs.csi.aws.com/cluster: true`. */
    snapshotId: pulumi.Input<string>;
    /** The size of the volume that the snapshot was taken from, for example `10Gi`. */
    size: string;
    /** The namespace where claims begin with it. */
    namespace: pulumi.Input<string>;
    /** The name of the VolumeSnapshot. @default the component's name */
    snapshotName?: string;
}

const shapes: ShapesOf<ImportedSnapshotArgs> = {
    snapshotId: "string",
    size: "string",
    namespace: "string",
    snapshotName: "string",
};

/** What is wrong with the arguments of an {@link ImportedSnapshot}. */
export function checkImportedSnapshotArgs(args: ImportedSnapshotArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (fitting) => {
        const problems = [
            ...namespaceProblems("namespace", plain(fitting.namespace)),
            ...sizeProblems("size", fitting.size ?? ""),
        ];
        const id = fitting.snapshotId === undefined ? "" : plain(fitting.snapshotId);
        if (id !== undefined && !/^snap-[0-9a-z]+$/.test(id)) {
            problems.push({ path: "snapshotId", message: `"${id}" is no id of an EBS snapshot, snap-…` });
        }
        if (fitting.snapshotName !== undefined && !isDnsSubdomain(fitting.snapshotName)) {
            problems.push({ path: "snapshotName", message: `"${fitting.snapshotName}" is no name of a snapshot` });
        }
        return problems;
    });
}

/**
 * An EBS snapshot that is there already, such as one of a {@link SnapshotSchedule}, as a VolumeSnapshot from which claims can
 * begin. Removing it leaves the EBS snapshot where it is.
 */
export class ImportedSnapshot extends pulumi.ComponentResource {
    /** The snapshot, for `fromSnapshot` of a {@link VolumeClaim}. */
    readonly info: pulumi.Output<SnapshotInfo>;

    constructor(name: string, args: ImportedSnapshotArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("ImportedSnapshot", name, checkImportedSnapshotArgs(args));
        super("airflow-eks:index:ImportedSnapshot", name, {}, opts);
        const snapshotName = args.snapshotName ?? name;
        const guard = guardImmutable(
            this,
            `${name}-guard`,
            { snapshotId: args.snapshotId, namespace: args.namespace, snapshotName },
            {
                what: `the snapshot "${snapshotName}"`,
                instead: "make a second ImportedSnapshot, then remove this one.",
            },
        );
        const content = new k8s.apiextensions.CustomResource(
            `${name}-content`,
            {
                apiVersion: "snapshot.storage.k8s.io/v1",
                kind: "VolumeSnapshotContent",
                // The resource has no output `metadata` without the input.
                metadata: {},
                spec: {
                    driver: EBS_PROVISIONER,
                    deletionPolicy: "Retain",
                    source: { snapshotHandle: args.snapshotId },
                    volumeSnapshotRef: { name: snapshotName, namespace: args.namespace },
                },
            },
            { parent: this, dependsOn: [guard] },
        );
        const snapshot = new k8s.apiextensions.CustomResource(
            name,
            {
                apiVersion: "snapshot.storage.k8s.io/v1",
                kind: "VolumeSnapshot",
                metadata: {
                    name: snapshotName,
                    namespace: args.namespace,
                    annotations: { "pulumi.com/waitFor": "jsonpath={.status.readyToUse}=true" },
                },
                spec: { source: { volumeSnapshotContentName: content.metadata.name } },
            },
            { parent: this, dependsOn: [guard] },
        );
        this.info = snapshot.metadata.name.apply((known): SnapshotInfo => ({ name: known, size: args.size }));
        this.registerOutputs({ info: this.info });
    }
}
