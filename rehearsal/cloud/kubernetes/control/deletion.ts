import type { WorldObject } from "../../shell/world";
import { Kinds, type Cluster } from "../cluster";
import { kindOf, type Kind } from "../api/kinds";
import { nameOf, namespaceOf, specOf } from "../api/object";
import { at, list, record, text } from "../api/value";
import { endpoints } from "./status";
import { releaseVolume, users } from "../storage/claims";
import { releaseSnapshot } from "../storage/snapshots";
import { obstacle as balancerObstacle, removeBalancer } from "./loadBalancers";
import { kedaAlive } from "./keda";

/** Marks an object as being deleted: what happens next depends on its finalizers. */
export function markDeleted(cluster: Cluster, object: WorldObject): void {
    const metadata = record(object.outputs.metadata);
    if (metadata.deletionTimestamp === undefined) {
        cluster.update(object, {
            ...object.outputs,
            metadata: { ...metadata, deletionTimestamp: "2026-01-01T00:00:00Z" },
        });
    }
}

/** What keeps an object from disappearing, as its finalizers would. */
export function obstacle(cluster: Cluster, object: WorldObject): string | undefined {
    switch (kindOf(object.token)?.kind) {
        case "Namespace":
            return namespaceObstacle(cluster, object);
        case "Service":
        case "Ingress":
            return balancerObstacle(cluster, object);
        case "PersistentVolumeClaim": {
            const user = users(cluster, object.outputs)[0];
            return (
                user &&
                `finalizer kubernetes.io/pvc-protection: the claim is in use by pod ${namespaceOf(user)}/${nameOf(user)}`
            );
        }
        case "PersistentVolume": {
            const claim = at(object.outputs, "spec", "claimRef");
            const bound =
                at(object.outputs, "status", "phase") === "Bound" &&
                cluster.get(Kinds.PersistentVolumeClaim, String(at(claim, "namespace")), String(at(claim, "name")));
            return bound
                ? `finalizer kubernetes.io/pv-protection: the volume is bound to claim ${String(at(claim, "namespace"))}/${String(at(claim, "name"))}`
                : undefined;
        }
        case "ScaledObject":
            return kedaAlive(cluster)
                ? undefined
                : "finalizer finalizer.keda.sh is still there: the KEDA operator does not run (any more)";
        case "TargetGroupBinding":
            return undefined;
        case "CustomResourceDefinition":
            return definitionObstacle(cluster, object);
        default:
            return undefined;
    }
}

/** Removes an object and what hangs on it. */
export function erase(cluster: Cluster, object: WorldObject): void {
    const kind = kindOf(object.token);
    switch (kind?.kind) {
        case "Service":
        case "Ingress":
            removeBalancer(cluster, object);
            break;
        case "PersistentVolumeClaim":
            releaseVolume(cluster, object.outputs);
            break;
        case "VolumeSnapshot":
            releaseSnapshot(cluster, object);
            break;
        case "CustomResourceDefinition":
            instances(cluster, object).forEach((one) => cluster.remove(one));
            break;
        default:
            break;
    }
    if (kind) {
        cluster.clearEvents(kind, object.outputs);
    }
    cluster.remove(object);
}

/** The objects of a CustomResourceDefinition. */
function instances(cluster: Cluster, definition: WorldObject): WorldObject[] {
    const spec = specOf(definition.outputs);
    return list(spec.versions).flatMap((version) =>
        cluster.list({
            apiVersion: `${String(spec.group)}/${String(at(version, "name"))}`,
            kind: String(at(spec, "names", "kind")),
        }),
    );
}

function definitionObstacle(cluster: Cluster, definition: WorldObject): string | undefined {
    for (const instance of instances(cluster, definition)) {
        const reason = obstacle(cluster, instance);
        if (reason) {
            return `instances of ${nameOf(definition.outputs)} remain: ${nameOf(instance.outputs)}: ${reason}`;
        }
    }
    return undefined;
}

/** Kinds that live in namespaces, in the order in which their objects go: what uses others first. */
function namespacedKinds(cluster: Cluster): Kind[] {
    const custom = cluster.manifests(Kinds.CustomResourceDefinition).flatMap((definition) =>
        at(definition, "spec", "scope") === "Cluster"
            ? []
            : list(at(definition, "spec", "versions")).map((version) => ({
                  apiVersion: `${String(at(definition, "spec", "group"))}/${String(at(version, "name"))}`,
                  kind: String(at(definition, "spec", "names", "kind")),
              })),
    );
    return [
        ...custom,
        Kinds.Ingress,
        Kinds.Service,
        Kinds.HorizontalPodAutoscaler,
        Kinds.PodDisruptionBudget,
        Kinds.CronJob,
        Kinds.Job,
        Kinds.Deployment,
        Kinds.StatefulSet,
        Kinds.DaemonSet,
        Kinds.Pod,
        Kinds.PersistentVolumeClaim,
        Kinds.Secret,
        Kinds.ConfigMap,
        Kinds.ServiceAccount,
        Kinds.Role,
        Kinds.RoleBinding,
        Kinds.NetworkPolicy,
        Kinds.Event,
        { apiVersion: "v1", kind: "ResourceQuota" },
        { apiVersion: "v1", kind: "LimitRange" },
        { apiVersion: "rehearsal/v1", kind: "Fact" },
    ];
}

/** A namespace goes once everything in it is gone, and only while every API that is registered answers. */
function namespaceObstacle(cluster: Cluster, namespace: WorldObject): string | undefined {
    if (["default", "kube-system", "kube-public", "kube-node-lease"].includes(namespace.id)) {
        return `namespaces "${namespace.id}" is forbidden: this namespace may not be deleted`;
    }
    const silent = silentApi(cluster);
    if (silent) {
        return `NamespaceDeletionDiscoveryFailure: Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: ${silent}`;
    }
    let left: string | undefined;
    for (const kind of namespacedKinds(cluster)) {
        for (const object of cluster.inNamespace(kind, namespace.id)) {
            const fresh = cluster.fresh(object);
            const reason = fresh && obstacle(cluster, fresh);
            if (fresh && reason) {
                markDeleted(cluster, fresh);
                left ??= `NamespaceContentRemaining: ${kind.kind} ${fresh.id}: ${reason}`;
            } else if (fresh) {
                erase(cluster, fresh);
            }
        }
    }
    if (!left) {
        // The record of a release is a Secret in its namespace.
        cluster
            .releases()
            .filter((release) => text(release.outputs.namespace) === namespace.id)
            .forEach((release) => cluster.remove(release));
    }
    return left;
}

/** An aggregated API whose server has no endpoints blocks the deletion of every namespace. */
function silentApi(cluster: Cluster): string | undefined {
    const api = cluster.manifests(Kinds.APIService).find((one) => {
        const service = at(one, "spec", "service");
        if (service === undefined) {
            return false;
        }
        const manifest = cluster.manifest(Kinds.Service, String(at(service, "namespace")), String(at(service, "name")));
        return !manifest || endpoints(cluster, manifest).length === 0;
    });
    return (
        api && `${String(at(api, "spec", "group"))}/${String(at(api, "spec", "version"))}: stale GroupVersion discovery`
    );
}
