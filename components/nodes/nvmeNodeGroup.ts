import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { plain, refuseProblems } from "../shared/check";
import { isDnsSubdomain, isLabelValue } from "../shared/kubernetesNames";
import { parseQuantity } from "../shared/quantity";
import { fittingProblems } from "../shared/fitting";
import type { ShapesOf } from "../shared/shape";
import { choices, keysOf, listOf } from "../shared/shape";
import type { CommonNodeGroupArgs } from "./nodeGroup";
import { CapacityType, NodeGroup, commonNodeGroupShapes, judgeCommonNodeGroupArgs } from "./nodeGroup";
import { ownLabelProblems, typeNameProblems } from "./nodeProblems";
import { Architecture } from "./nodeTypes";
import { LocalStorage } from "./nodeUserData";

/** The disks of nodes as volumes for pods. */
export interface LocalVolumes {
    /** The name of the StorageClass, and the beginning of the volumes' names. @default local-nvme */
    className?: string;
    /** How many disks the instance types have: one volume for each, at `/mnt/k8s-disks/<number>`. @default 1 */
    disksPerNode?: number;
    /** The size that the volumes say they have, for claims to match; Kubernetes does not limit what is written. @default 40Gi */
    size?: string;
}

/** Arguments of {@link NvmeNodeGroup}. */
export interface NvmeNodeGroupArgs extends CommonNodeGroupArgs {
    /** The instance types, all with NVMe disks of their own. @default c5d.large */
    instanceTypes?: pulumi.Input<pulumi.Input<string>[]>;
    /** The architecture of the types. @default amd64 */
    architecture?: Architecture;
    /** @default ON_DEMAND */
    capacityType?: CapacityType;
    /** How the disks are used: under everything that pods write locally, or as volumes of their own. @default RAID0 */
    localStorage?: LocalStorage;
    /** The volumes of the mode `Mount`. @default one a node, `local-nvme` */
    localVolumes?: LocalVolumes;
}

/** The label of nodes with NVMe disks. */
export const nvmeLabel = { disk: "nvme" };

/** The label by which volumes find the nodes that have them; its value is the class. A volume's nodes can never be changed, other labels can. */
const volumesLabel = "airflow-eks/local-volumes";

const shapes: ShapesOf<NvmeNodeGroupArgs> = {
    ...commonNodeGroupShapes,
    instanceTypes: listOf("string"),
    architecture: choices(Architecture),
    capacityType: choices(CapacityType),
    localStorage: choices(LocalStorage),
    localVolumes: keysOf<LocalVolumes>({ className: "string", disksPerNode: "integer", size: "string" }),
};
/** With the disks under everything else the root volume holds little but the system. */
const defaultDiskSizeGiB = 30;

/** What is wrong with the arguments of an {@link NvmeNodeGroup}. */
export function checkNvmeNodeGroupArgs(args: NvmeNodeGroupArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (sound) => [
        ...judgeCommonNodeGroupArgs(sound),
        ...ownLabelProblems(nvmeLabel, sound),
        ...typeNameProblems("instanceTypes", plain(sound.instanceTypes)),
        ...localVolumeProblems(sound),
    ]);
}

/**
 * Nodes on types with NVMe disks of their own, many times faster than network volumes. What is on them goes with the node.
 *
 * With `RAID0` images, containers, emptyDir volumes and logs lie on them, and pods need no change. With `Mount` each disk is a volume for pods:
 * the StorageClass takes claims, and a pod with such a claim runs on a node of this group and finds that node's disk, always the one of the
 * node it is on. So a claim is scratch space, the same for all pods that share it on a node; nothing is moved between nodes.
 *
 * The nodes carry the label `disk: nvme`, with `Mount` also `airflow-eks/local-volumes: <class>`. Creates what a {@link NodeGroup} creates; with `Mount` also one StorageClass and a PersistentVolume for
 * each disk, by the Kubernetes provider of `opts`.
 *
 * @example
 * new NvmeNodeGroup("scratch", { cluster, zones, scaling: { min: 1, max: 1 }, maxPods: 100 });
 */
export class NvmeNodeGroup extends pulumi.ComponentResource {
    /** The physical names of the groups, keyed by zone, or under `all` when one group spans the zones. */
    readonly groupNames: pulumi.Output<Record<string, string>>;
    /** The names of the Auto Scaling groups, with the same keys. */
    readonly autoScalingGroupNames: pulumi.Output<Record<string, string>>;
    /** The labels of the nodes, for selectors. */
    readonly labels: pulumi.Output<Record<string, string>>;
    /** The StorageClass of the disks, for claims: take it from here, or they are not removed before the volumes. Empty with `RAID0`. */
    readonly className: pulumi.Output<string>;

    constructor(name: string, args: NvmeNodeGroupArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("NvmeNodeGroup", name, checkNvmeNodeGroupArgs(args));
        super("airflow-eks:index:NvmeNodeGroup", name, {}, opts);
        const { localVolumes: volumes, ...common } = args;
        const localStorage = args.localStorage ?? LocalStorage.Raid0;
        const className = volumes?.className ?? "local-nvme";
        const mounted = localStorage === LocalStorage.Mount;
        const labels = { ...args.labels, ...nvmeLabel, ...(mounted ? { [volumesLabel]: className } : {}) };
        const group = new NodeGroup(
            name,
            {
                ...common,
                instanceTypes: args.instanceTypes ?? ["c5d.large"],
                diskSizeGiB: args.diskSizeGiB ?? defaultDiskSizeGiB,
                localStorage,
                labels,
            },
            { parent: this },
        );
        this.groupNames = group.groupNames;
        this.autoScalingGroupNames = group.autoScalingGroupNames;
        this.labels = group.labels;
        this.className = mounted ? localClass(name, className, volumes ?? {}, this) : pulumi.output("");
        this.registerOutputs({
            groupNames: this.groupNames,
            autoScalingGroupNames: this.autoScalingGroupNames,
            labels: this.labels,
            className: this.className,
        });
    }
}

function localVolumeProblems({ localStorage, localVolumes }: Partial<NvmeNodeGroupArgs>): Problem[] {
    if (localVolumes === undefined) {
        return [];
    }
    const problems: Problem[] = [];
    if (localStorage !== LocalStorage.Mount) {
        problems.push({
            path: "localVolumes",
            message: "exist with localStorage Mount only; set that, or leave them out.",
        });
    }
    const { className, disksPerNode, size } = localVolumes;
    if (className !== undefined && !(isDnsSubdomain(className) && isLabelValue(className))) {
        const message = `"${className}" is no name of a StorageClass that nodes can carry as a label, of at most 63 letters.`;
        problems.push({ path: "localVolumes.className", message });
    }
    if (disksPerNode !== undefined && (disksPerNode < 1 || disksPerNode > 24)) {
        problems.push({
            path: "localVolumes.disksPerNode",
            message: `${disksPerNode} is outside 1 to 24, what instance types have.`,
        });
    }
    if (size !== undefined && !((parseQuantity(size) ?? 0) > 0)) {
        problems.push({ path: "localVolumes.size", message: `"${size}" is no size such as 40Gi.` });
    }
    return problems;
}

function localClass(
    name: string,
    className: string,
    volumes: LocalVolumes,
    parent: pulumi.Resource,
): pulumi.Output<string> {
    const storageClass = new k8s.storage.v1.StorageClass(
        `${name}-local`,
        {
            metadata: { name: className },
            provisioner: "kubernetes.io/no-provisioner",
            // The volume is chosen with the node, or the claim would tie the pod to a node before there is one.
            volumeBindingMode: "WaitForFirstConsumer",
            reclaimPolicy: "Retain",
        },
        { parent },
    );
    const disks = [...Array(volumes.disksPerNode ?? 1).keys()].map(
        (disk) =>
            new k8s.core.v1.PersistentVolume(
                `${name}-local-${disk}`,
                {
                    metadata: { name: `${className}-${disk}` },
                    spec: {
                        storageClassName: storageClass.metadata.name,
                        capacity: { storage: volumes.size ?? "40Gi" },
                        accessModes: ["ReadWriteOnce"],
                        persistentVolumeReclaimPolicy: "Retain",
                        local: { path: `/mnt/k8s-disks/${disk}` },
                        nodeAffinity: {
                            required: {
                                nodeSelectorTerms: [
                                    {
                                        matchExpressions: [{ key: volumesLabel, operator: "In", values: [className] }],
                                    },
                                ],
                            },
                        },
                    },
                },
                { parent },
            ),
    );
    // A volume cannot go while a claim is bound to it: whoever names the class comes after the volumes, and leaves before them.
    return pulumi.all([storageClass.metadata.name, ...disks.map(({ urn }) => urn)]).apply(([known]) => known);
}
