import { Kinds, type Cluster } from "../cluster";
import { labelsOf, namespaceOf, specOf, type Manifest } from "../api/object";
import type { Kind } from "../api/kinds";
import { labelsMatch } from "../api/selector";
import { at, numberOr, records } from "../api/value";
import { isPodReady } from "../storage/drivers";

/** Whether a workload has all the pods it wants, ready, from its present template. */
export function isReadyWorkload(cluster: Cluster, kind: Kind, namespace: string, name: string): boolean {
    const manifest = cluster.manifest(kind, namespace, name);
    return manifest !== undefined && isComplete(kind, manifest);
}

export function isComplete(kind: Kind, manifest: Manifest): boolean {
    if (kind.kind === "DaemonSet") {
        return (
            at(manifest, "status", "observedGeneration") !== undefined &&
            numberOr(at(manifest, "status", "numberReady"), 0) >=
                numberOr(at(manifest, "status", "desiredNumberScheduled"), 0)
        );
    }
    const wanted = numberOr(specOf(manifest).replicas, 1);
    return (
        at(manifest, "status", "observedGeneration") !== undefined &&
        numberOr(at(manifest, "status", "readyReplicas"), 0) >= wanted &&
        numberOr(at(manifest, "status", "updatedReplicas"), 0) >= wanted
    );
}

/** The pods that belong to a workload. */
export function podsOf(cluster: Cluster, kind: Kind, workload: Manifest): Manifest[] {
    return cluster
        .inNamespace(Kinds.Pod, namespaceOf(workload))
        .map((pod) => pod.outputs)
        .filter((pod) =>
            records(at(pod, "metadata", "ownerReferences")).some(
                (owner) => owner.kind === kind.kind && owner.name === at(workload, "metadata", "name"),
            ),
        );
}

/** The ready pods behind a Service. */
export function endpoints(cluster: Cluster, service: Manifest): Manifest[] {
    return cluster
        .inNamespace(Kinds.Pod, namespaceOf(service))
        .map((pod) => pod.outputs)
        .filter((pod) => isPodReady(pod) && labelsMatch(specOf(service).selector, labelsOf(pod)));
}
