import type { WorldObject } from "../shell/world";
import { kindOf } from "./api/kinds";
import { annotationsOf, nameOf, namespaceOf, specOf, type Manifest } from "./api/object";
import { at, numberOr, record } from "./api/value";
import { Kinds, type Cluster } from "./cluster";
import { explain } from "./control/kubelet";
import { endpoints, isComplete, podsOf } from "./control/status";
import { waitsForConsumer } from "./storage/claims";

/** Seconds that the real provider waits for each kind. Source: pulumi-kubernetes, provider/pkg/await. */
export function timeoutOf(object: WorldObject): number {
    const annotated = Number(annotationsOf(object.outputs)["pulumi.com/timeoutSeconds"]);
    return annotated > 0 ? annotated : kindOf(object.token)?.kind === "PersistentVolumeClaim" ? 300 : 600;
}

/** What the real provider still waits for. Source: pulumi-kubernetes, provider/pkg/await, one awaiter a kind. */
export function awaited(cluster: Cluster, object: WorldObject): string[] | undefined {
    const manifest = object.outputs;
    if (annotationsOf(manifest)["pulumi.com/skipAwait"] === "true") {
        return undefined;
    }
    const left = check(cluster, kindOf(object.token)?.kind ?? "", manifest);
    return left && [`'${nameOf(manifest)}' timed out waiting to be Ready`, ...left];
}

function check(cluster: Cluster, kind: string, manifest: Manifest): string[] | undefined {
    switch (kind) {
        case "Deployment":
            return workload(cluster, manifest, Kinds.Deployment, "Minimum number of live Pods was not attained");
        case "StatefulSet":
            return workload(
                cluster,
                manifest,
                Kinds.StatefulSet,
                `${numberOr(at(manifest, "status", "readyReplicas"), 0)} out of ${numberOr(specOf(manifest).replicas, 1)} replicas succeeded readiness checks`,
            );
        case "DaemonSet":
            return workload(cluster, manifest, Kinds.DaemonSet, "not all scheduled Pods are ready");
        case "Job":
            return at(manifest, "status", "completionTime") !== undefined || specOf(manifest).suspend === true
                ? undefined
                : ["Waiting for Job to complete", ...podReasons(cluster, manifest, Kinds.Job)];
        case "Pod":
            return ["Running", "Succeeded"].includes(String(at(manifest, "status", "phase")))
                ? undefined
                : [explain(manifest)];
        case "PersistentVolumeClaim":
            return at(manifest, "status", "phase") === "Bound" || waitsForConsumer(cluster, manifest)
                ? undefined
                : [
                      `PersistentVolumeClaim ${namespaceOf(manifest)}/${nameOf(manifest)} is ${String(at(manifest, "status", "phase"))}`,
                      ...cluster.events(Kinds.PersistentVolumeClaim, manifest),
                  ];
        case "PersistentVolume":
            return ["Available", "Bound"].includes(String(at(manifest, "status", "phase")))
                ? undefined
                : [`the volume is ${String(at(manifest, "status", "phase"))}`];
        case "Service":
            return service(cluster, manifest);
        case "Ingress":
            return ingress(cluster, manifest);
        default:
            return undefined;
    }
}

function workload(
    cluster: Cluster,
    manifest: Manifest,
    kind: typeof Kinds.Deployment | typeof Kinds.StatefulSet | typeof Kinds.DaemonSet,
    message: string,
): string[] | undefined {
    return isComplete(kind, manifest) ? undefined : [message, ...podReasons(cluster, manifest, kind)];
}

/** What the pods that are not ready say, and what the controller could not even make. */
function podReasons(
    cluster: Cluster,
    manifest: Manifest,
    kind: typeof Kinds.Deployment | typeof Kinds.StatefulSet | typeof Kinds.DaemonSet | typeof Kinds.Job,
): string[] {
    const pods = podsOf(cluster, kind, manifest).filter(
        (pod) => !["Running", "Succeeded"].includes(String(at(pod, "status", "phase"))),
    );
    return [...new Set([...cluster.events(kind, manifest), ...pods.map((pod) => explain(pod))])];
}

/** A Service must have somebody behind it, and an address when it is a load balancer. */
function service(cluster: Cluster, manifest: Manifest): string[] | undefined {
    const spec = specOf(manifest);
    const reasons: string[] = [];
    const headless = spec.clusterIP === "None";
    const selects = Object.keys(record(spec.selector)).length > 0;
    if (
        spec.type !== "ExternalName" &&
        selects &&
        !headless &&
        endpoints(cluster, manifest).length === 0 &&
        !scaledToZero(cluster, manifest)
    ) {
        reasons.push(
            "Service does not target any Pods. Selected Pods may not be ready, or field '.spec.selector' may not match labels on any Pods",
        );
    }
    if (spec.type === "LoadBalancer" && at(manifest, "status", "loadBalancer", "ingress") === undefined) {
        reasons.push(
            "Service was not allocated an IP address; does your cloud provider support this?",
            ...cluster.events(Kinds.Service, manifest),
        );
    }
    return reasons.length > 0 ? reasons : undefined;
}

/** Pods that nobody wants to run cannot be waited for. */
function scaledToZero(cluster: Cluster, manifest: Manifest): boolean {
    return cluster
        .inNamespace(Kinds.Deployment, namespaceOf(manifest))
        .some(
            ({ outputs }) =>
                numberOr(specOf(outputs).replicas, 1) === 0 &&
                Object.entries(record(specOf(manifest).selector)).every(
                    ([key, value]) => at(outputs, "spec", "template", "metadata", "labels", key) === value,
                ),
        );
}

function ingress(cluster: Cluster, manifest: Manifest): string[] | undefined {
    return at(manifest, "status", "loadBalancer", "ingress") !== undefined
        ? undefined
        : [
              "Ingress .status.loadBalancer field was not updated with a hostname/IP address.",
              ...cluster.events(Kinds.Ingress, manifest),
          ];
}
