import type { Duration, Properties } from "../shell/type";
import type { World } from "../shell/world";
import type { Kind } from "./api/kinds";
import { at, list, numberOr, record, records } from "./api/value";
import { Cluster } from "./cluster";
import { pendingSeconds } from "./control/reconcile";

const source = {
    api: "one call to the API server",
    namespace: "namespace controller: contents are deleted one kind after the other",
    pods: "image pull and start of small containers (kubelet: about 5 to 40 s), readiness probes",
    balancer: "Elastic Load Balancing user guide: an NLB or ALB is provisioned within two to three minutes",
    volume: "EBS CSI driver: CreateVolume and AttachVolume take 5 to 15 s",
    job: "image pull and a short run",
};

/** How long operations on Kubernetes objects take on EKS, until the provider stops waiting. */
export function secondsOf(kind: Kind): Duration | ((inputs: Properties, world: World) => Duration) {
    switch (kind.kind) {
        case "Namespace":
            return { create: 1, update: 1, delete: 12, source: source.namespace };
        case "Deployment":
        case "StatefulSet":
        case "DaemonSet":
            return (inputs, world) => ({
                create: 35,
                update: 45,
                delete: terminationSeconds(inputs, world),
                source: source.pods,
            });
        case "Pod":
            return { create: 25, update: 1, delete: 30, source: source.pods };
        case "Job":
            return { create: 45, update: 1, delete: 5, source: source.job };
        case "Service":
            return (inputs) =>
                at(inputs, "spec", "type") === "LoadBalancer"
                    ? { create: 150, update: 20, delete: 30, source: source.balancer }
                    : { create: 3, update: 1, delete: 1, source: source.api };
        case "Ingress":
            return { create: 150, update: 20, delete: 40, source: source.balancer };
        case "PersistentVolumeClaim":
            return { create: 8, update: 20, delete: 5, source: source.volume };
        case "VolumeSnapshot":
            return {
                create: 30,
                update: 1,
                delete: 5,
                source: "EBS: a snapshot of a few GiB is usable after seconds to minutes",
            };
        case "CustomResourceDefinition":
            return { create: 3, update: 1, delete: 5, source: source.api };
        default:
            return { create: 1, update: 1, delete: 1, source: source.api };
    }
}

/** Pods end within seconds; those with a preStop hook may wait for background work, as long as their grace allows. */
export function terminationSeconds(workload: Properties, world: World): number {
    const grace = preStopGrace(workload);
    return grace === 0 ? 15 : Math.max(5, Math.min(grace, pendingSeconds(Cluster.of(world)) + 5));
}

/** The grace period of a workload whose containers have a preStop hook; 0 without one. */
export function preStopGrace(workload: Properties): number {
    const spec = record(at(workload, "spec", "template", "spec"));
    const hooked = records(list(spec.containers)).some(
        (container) => at(container, "lifecycle", "preStop") !== undefined,
    );
    return hooked ? numberOr(spec.terminationGracePeriodSeconds, 30) : 0;
}
