import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { afterAll, detached } from "../shared/detached";
import { fittingProblems } from "../shared/fitting";
import { guardImmutable, keepUntil } from "../shared/guard";
import { isDnsSubdomain, namespaceProblems } from "../shared/kubernetesNames";
import { keysOf, type ShapesOf } from "../shared/shape";
import { type SnapshotInfo, sizeProblems } from "./volumeClaim";

/** Arguments of {@link VolumeSnapshot}. */
export interface VolumeSnapshotArgs {
    /** The namespace of claim and snapshot. */
    namespace: pulumi.Input<string>;
    /** The claim whose volume is copied. A pod must have used it, else there is no volume. */
    claimName: pulumi.Input<string>;
    /**
     * The claim's size now, for the check of a restore: `size` of its {@link VolumeClaim}. It is kept as it was when the snapshot was taken.
     * @default looked up in the cluster: the preview fails when the claim is not there
     */
    claimSize?: pulumi.Input<string>;
    /** The class of the snapshot. @default the cluster's default, see {@link VolumeSnapshots} */
    className?: pulumi.Input<string>;
    /** The name of the snapshot. @default the component's name */
    snapshotName?: string;
}

const shapes: ShapesOf<VolumeSnapshotArgs> = {
    namespace: "string",
    claimName: "string",
    claimSize: "string",
    className: "string",
    snapshotName: "string",
};

/** What is wrong with the arguments of a {@link VolumeSnapshot}. */
export function checkVolumeSnapshotArgs(args: VolumeSnapshotArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (fitting) => {
        const problems = [
            ...namespaceProblems("namespace", plain(fitting.namespace)),
            ...sizeProblems("claimSize", plain(fitting.claimSize)),
        ];
        const names = {
            claimName: fitting.claimName ?? "",
            className: fitting.className,
            snapshotName: fitting.snapshotName,
        };
        for (const [path, input] of Object.entries(names)) {
            const name = plain(input);
            if (name !== undefined && !isDnsSubdomain(name)) {
                problems.push({ path, message: `"${name}" is no name in Kubernetes` });
            }
        }
        return problems;
    });
}

/**
 * A copy of a claim's volume as it is at this moment, from which other claims can begin. It waits until the copy is usable.
 * Removing it removes the VolumeSnapshot; the EBS snapshot stays unless its class says `Delete`.
 */
export class VolumeSnapshot extends pulumi.ComponentResource {
    /** The snapshot, for `fromSnapshot` of a {@link VolumeClaim}. */
    readonly info: pulumi.Output<SnapshotInfo>;

    constructor(name: string, args: VolumeSnapshotArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("VolumeSnapshot", name, checkVolumeSnapshotArgs(args));
        super("airflow-eks:index:VolumeSnapshot", name, {}, opts);
        const snapshotName = args.snapshotName ?? name;
        const claim = detached(args.claimName);
        const className = detached(args.className ?? "");
        const guard = guardImmutable(
            this,
            `${name}-guard`,
            { namespace: args.namespace, claimName: args.claimName, className: args.className, snapshotName },
            {
                what: `the snapshot "${snapshotName}"`,
                instead: "make a second VolumeSnapshot under another name, and then remove this one.",
            },
        );
        const size = keepUntil(
            this,
            `${name}-size`,
            args.claimSize ?? sizeInCluster(this, name, args),
            // The claim may grow afterwards; what the copy needs does not.
            snapshotName,
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
                spec: {
                    volumeSnapshotClassName: args.className === undefined ? undefined : className.value,
                    source: { persistentVolumeClaimName: claim.value },
                },
            },
            {
                parent: this,
                dependsOn: afterAll(guard, claim, className),
            },
        );
        this.info = pulumi
            .all([snapshot.metadata.name, size])
            .apply(([known, claimSize]): SnapshotInfo => ({ name: known, size: claimSize }));
        this.registerOutputs({ info: this.info });
    }
}

/** The size of a claim that is in the cluster; the look-up fails, also in the preview, when it is not there. */
function sizeInCluster(parent: pulumi.Resource, name: string, args: VolumeSnapshotArgs): pulumi.Output<string> {
    const id = pulumi.interpolate`${args.namespace}/${args.claimName}`;
    const found = k8s.core.v1.PersistentVolumeClaim.get(`${name}-claim`, id, { parent });
    return pulumi
        .all([found.status, found.spec])
        .apply(([status, spec]) => status?.capacity?.storage ?? spec?.resources?.requests?.storage ?? "0");
}
