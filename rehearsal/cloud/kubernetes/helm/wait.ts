import type { WorldObject } from "../../shell/world";
import { kindOf } from "../api/kinds";
import { nameOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { at, numberOr } from "../api/value";
import { Kinds, type Cluster } from "../cluster";
import { erase, markDeleted, obstacle } from "../control/deletion";
import { explain } from "../control/kubelet";
import { podsOf } from "../control/status";
import { isKept, objectsOf } from "./objects";

/** What `--wait` still waits for. Source: helm.sh/helm/v3, pkg/kube/ready.go. */
export function waitFor(cluster: Cluster, release: WorldObject, jobs: boolean): string[] {
    return objectsOf(cluster, release).flatMap((object) => {
        const manifest = object.outputs;
        switch (kindOf(object.token)?.kind) {
            case "Deployment":
                // One in four pods may be missing: the default of maxUnavailable, rounded down.
                return ready(manifest) >= wanted(manifest) - Math.floor(wanted(manifest) / 4) && isObserved(manifest)
                    ? []
                    : pods(cluster, manifest, Kinds.Deployment);
            case "StatefulSet":
                return ready(manifest) >= wanted(manifest) && isObserved(manifest)
                    ? []
                    : pods(cluster, manifest, Kinds.StatefulSet);
            case "DaemonSet":
                return numberOr(at(manifest, "status", "numberReady"), 0) >=
                    numberOr(at(manifest, "status", "desiredNumberScheduled"), 0)
                    ? []
                    : pods(cluster, manifest, Kinds.DaemonSet);
            case "Job":
                return !jobs || at(manifest, "status", "completionTime") !== undefined
                    ? []
                    : pods(cluster, manifest, Kinds.Job);
            case "PersistentVolumeClaim":
                return at(manifest, "status", "phase") === "Bound"
                    ? []
                    : [
                          `PersistentVolumeClaim is not bound: ${object.id}`,
                          ...cluster.events(Kinds.PersistentVolumeClaim, manifest),
                      ];
            case "Service":
                return specOf(manifest).type === "LoadBalancer" &&
                    at(manifest, "status", "loadBalancer", "ingress") === undefined
                    ? [
                          `Service does not have load balancer ingress IP address: ${object.id}`,
                          ...cluster.events(Kinds.Service, manifest),
                      ]
                    : [];
            default:
                return [];
        }
    });
}

function ready(manifest: Manifest): number {
    return numberOr(at(manifest, "status", "readyReplicas"), 0);
}

function wanted(manifest: Manifest): number {
    return numberOr(specOf(manifest).replicas, 1);
}

function isObserved(manifest: Manifest): boolean {
    return at(manifest, "status", "observedGeneration") !== undefined;
}

function pods(
    cluster: Cluster,
    manifest: Manifest,
    kind: typeof Kinds.Deployment | typeof Kinds.StatefulSet | typeof Kinds.DaemonSet | typeof Kinds.Job,
): string[] {
    const waiting = podsOf(cluster, kind, manifest).filter(
        (pod) => !["Running", "Succeeded"].includes(String(at(pod, "status", "phase"))),
    );
    return [
        `${kind.kind} is not ready: ${namespaceOf(manifest)}/${nameOf(manifest)}`,
        ...cluster.events(kind, manifest),
        ...new Set(waiting.map((pod) => explain(pod))),
    ];
}

const uninstallOrder = [
    "ScaledObject",
    "APIService",
    "Ingress",
    "IngressClass",
    "Service",
    "CronJob",
    "Job",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Deployment",
    "DaemonSet",
    "RoleBinding",
    "Role",
    "ClusterRoleBinding",
    "ClusterRole",
    "CustomResourceDefinition",
    "PersistentVolumeClaim",
];

/** Uninstalls as far as it goes, and says what stays. Source: helm.sh/helm/v3, pkg/releaseutil/kind_sorter.go (UninstallOrder). */
export function leftOf(cluster: Cluster, release: WorldObject): string | undefined {
    const rank = (object: WorldObject): number => {
        const index = uninstallOrder.indexOf(kindOf(object.token)?.kind ?? "");
        return index < 0 ? uninstallOrder.length : index;
    };
    let left: string | undefined;
    for (const object of objectsOf(cluster, release).sort((a, b) => rank(a) - rank(b))) {
        if (isKept(object)) {
            disown(cluster, object);
            continue;
        }
        const reason = obstacle(cluster, object);
        if (reason && kindOf(object.token)?.kind !== "PersistentVolumeClaim") {
            markDeleted(cluster, object);
            left ??= `uninstall: Failed to purge the release: ${object.id}: ${reason}: context deadline exceeded`;
        } else if (reason) {
            // Its pods go with the release; the claim follows them.
            removePodsOf(cluster, object);
            erase(cluster, object);
        } else {
            erase(cluster, object);
        }
    }
    return left;
}

function removePodsOf(cluster: Cluster, claim: WorldObject): void {
    for (const pod of cluster.inNamespace(Kinds.Pod, namespaceOf(claim.outputs))) {
        if (JSON.stringify(specOf(pod.outputs).volumes ?? "").includes(`"claimName":"${nameOf(claim.outputs)}"`)) {
            cluster.remove(pod);
        }
    }
}

/** What is kept belongs to nobody from now on, but remembers whose it was. */
function disown(cluster: Cluster, object: WorldObject): void {
    cluster.put({ ...object, owner: undefined });
}
