import { Kinds, type Cluster } from "../cluster";
import { nameOf, specOf } from "../api/object";
import { at, records } from "../api/value";

/** The CSI drivers of this project, by the provisioner that classes and volumes name. */
export interface Driver {
    name: string;
    controller: string;
    controllerAccount: string;
    node: string;
}

const ebs: Driver = {
    name: "ebs.csi.aws.com",
    controller: "ebs-csi-controller",
    controllerAccount: "ebs-csi-controller-sa",
    node: "ebs-csi-node",
};
const efs: Driver = {
    name: "efs.csi.aws.com",
    controller: "efs-csi-controller",
    controllerAccount: "efs-csi-controller-sa",
    node: "efs-csi-node",
};

export const Drivers = { ebs, efs } as const;

/**
 * The driver behind a provisioner. The in-tree EBS provisioner has been answered by the CSI driver since Kubernetes 1.23
 * ("CSI migration"): without the driver, its claims wait for ever.
 */
export function driverOf(provisioner: unknown): Driver | undefined {
    switch (provisioner) {
        case "ebs.csi.aws.com":
        case "kubernetes.io/aws-ebs":
            return ebs;
        case "efs.csi.aws.com":
            return efs;
        default:
            return undefined;
    }
}

/** Whether the driver's controller runs, so that somebody answers claims and deletions. */
export function controllerRuns(cluster: Cluster, driver: Driver): boolean {
    return runningPods(cluster, driver.controller).length > 0;
}

/** Whether the driver's part on a node runs, so that volumes can be mounted there. */
export function runsOnNode(cluster: Cluster, driver: Driver, node: string): boolean {
    return runningPods(cluster, driver.node).some((pod) => specOf(pod).nodeName === node);
}

function runningPods(cluster: Cluster, workload: string): Record<string, unknown>[] {
    return cluster
        .manifests(Kinds.Pod)
        .filter(
            (pod) =>
                at(pod, "metadata", "namespace") === "kube-system" &&
                records(at(pod, "metadata", "ownerReferences")).some((owner) => owner.name === workload) &&
                at(pod, "status", "phase") === "Running" &&
                isPodReady(pod),
        );
}

export function isPodReady(pod: Record<string, unknown>): boolean {
    return records(at(pod, "status", "conditions")).some(({ type, status }) => type === "Ready" && status === "True");
}

/** The name of the workload that a pod belongs to. */
export function ownerOf(pod: Record<string, unknown>): string {
    return String(records(at(pod, "metadata", "ownerReferences"))[0]?.name ?? nameOf(pod));
}

/**
 * Takes a driver's startup taint off the nodes on which it runs. Source: EBS CSI driver docs/install.md and EFS CSI driver
 * README, "agent-not-ready": until then, no pod that needs the driver comes to a fresh node.
 */
export function liftStartupTaints(cluster: Cluster): void {
    for (const node of cluster.list(Kinds.Node)) {
        const taints = records(at(node.outputs, "spec", "taints"));
        const left = taints.filter(
            ({ key }) =>
                !Object.values(Drivers).some(
                    (driver) =>
                        key === `${driver.name}/agent-not-ready` && runsOnNode(cluster, driver, nameOf(node.outputs)),
                ),
        );
        if (left.length < taints.length) {
            cluster.update(node, { ...node.outputs, spec: { ...specOf(node.outputs), taints: left } });
        }
    }
}
