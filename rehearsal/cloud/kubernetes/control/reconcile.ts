import { Kinds, type Cluster } from "../cluster";
import { at, record } from "../api/value";
import { deleteReleased, pendingDeletion, reconcileClaims } from "../storage/claims";
import { liftStartupTaints } from "../storage/drivers";
import { reconcileSnapshots } from "../storage/snapshots";
import { reconcileAddons } from "./addons";
import { dnsPending, synchronizeDns } from "./dns";
import { reconcileAutoscalers, reconcileScaledObjects } from "./keda";
import { reconcilePods } from "./kubelet";
import { reconcileLoadBalancers } from "./loadBalancers";
import { reconcileWorkloads } from "./workloads";

/** Runs the controllers until nothing changes any more, as a cluster comes to rest. */
export function reconcile(cluster: Cluster): void {
    if (!cluster.eks) {
        return;
    }
    let before = "";
    for (let round = 0; round < 40; round++) {
        reconcileAddons(cluster);
        reconcileScaledObjects(cluster);
        reconcileAutoscalers(cluster);
        reconcileWorkloads(cluster);
        reconcileClaims(cluster);
        reconcilePods(cluster);
        liftStartupTaints(cluster);
        reconcileClaims(cluster);
        reconcileSnapshots(cluster);
        reconcileLoadBalancers(cluster);
        const after = fingerprint(cluster);
        if (after === before) {
            break;
        }
        before = after;
    }
    synchronizeDns(cluster, 0);
}

/** Lets time pass for what controllers do in the background: volumes of deleted claims, DNS records. */
export function elapse(cluster: Cluster, seconds: number): void {
    if (cluster.eks && seconds > 0) {
        deleteReleased(cluster, seconds);
        synchronizeDns(cluster, seconds);
    }
}

/** The seconds that background work still needs. */
export function pendingSeconds(cluster: Cluster): number {
    return Math.max(pendingDeletion(cluster), dnsPending(cluster));
}

function fingerprint(cluster: Cluster): string {
    const kinds = [
        Kinds.Pod,
        Kinds.PersistentVolumeClaim,
        Kinds.PersistentVolume,
        Kinds.Deployment,
        Kinds.StatefulSet,
        Kinds.DaemonSet,
        Kinds.Job,
        Kinds.Service,
        Kinds.Ingress,
        Kinds.VolumeSnapshot,
    ];
    return kinds
        .map((kind) =>
            cluster
                .list(kind)
                .map(
                    (object) =>
                        `${object.id} ${JSON.stringify(object.outputs.status)} ${JSON.stringify(at(record(object.outputs.spec), "replicas"))}`,
                )
                .join("\n"),
        )
        .join("\n");
}
