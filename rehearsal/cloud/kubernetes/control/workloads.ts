import { createHash } from "node:crypto";
import type { Properties } from "../../shell/type";
import type { WorldObject } from "../../shell/world";
import { Kinds, type Cluster } from "../cluster";
import type { Kind } from "../api/kinds";
import { hasPriority } from "../api/access";
import { liveManifest } from "../api/live";
import { nameOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { at, numberOr, record, records, text } from "../api/value";
import { isPodReady } from "../storage/drivers";
import { podsOf } from "./status";
import { isReady, matchesNode, tolerates } from "./scheduler";

const hashLabel = "pod-template-hash";
export const workloadKinds = [Kinds.Deployment, Kinds.StatefulSet, Kinds.DaemonSet, Kinds.Job] as const;

/** The workload controllers: pods for every workload, away with pods whose workload is gone or changed. */
export function reconcileWorkloads(cluster: Cluster): void {
    collectOrphans(cluster);
    for (const workload of cluster.list(Kinds.Deployment)) {
        deployment(cluster, workload);
    }
    for (const workload of cluster.list(Kinds.StatefulSet)) {
        statefulSet(cluster, workload);
    }
    for (const workload of cluster.list(Kinds.DaemonSet)) {
        daemonSet(cluster, workload);
    }
    for (const workload of cluster.list(Kinds.Job)) {
        job(cluster, workload);
    }
}

function collectOrphans(cluster: Cluster): void {
    for (const pod of cluster.list(Kinds.Pod)) {
        const owner = records(at(pod.outputs, "metadata", "ownerReferences"))[0];
        const kind = workloadKinds.find((one) => one.kind === owner?.kind);
        const workload = owner && kind && cluster.manifest(kind, namespaceOf(pod.outputs), String(owner.name));
        if (owner && (!workload || at(workload, "metadata", "uid") !== owner.uid)) {
            removePod(cluster, pod);
        }
    }
}

export function removePod(cluster: Cluster, pod: WorldObject): void {
    cluster.clearEvents(Kinds.Pod, pod.outputs);
    cluster.remove(pod);
}

/** A short hash of a template: pods of another hash are of an older revision. */
export function templateHash(template: unknown): string {
    return createHash("sha256")
        .update(JSON.stringify(template) ?? "")
        .digest("hex")
        .slice(0, 10);
}

function live(cluster: Cluster, kind: Kind, workload: WorldObject): WorldObject[] {
    return podsOf(cluster, kind, workload.outputs)
        .map((pod) => cluster.get(Kinds.Pod, namespaceOf(pod), nameOf(pod)))
        .filter((pod): pod is WorldObject => pod !== undefined);
}

function deployment(cluster: Cluster, workload: WorldObject): void {
    const manifest = workload.outputs;
    const wanted = numberOr(specOf(manifest).replicas, 1);
    const hash = templateHash(specOf(manifest).template);
    const pods = live(cluster, Kinds.Deployment, workload);
    const fresh = pods.filter((pod) => at(pod.outputs, "metadata", "labels", hashLabel) === hash);
    const stale = pods.filter((pod) => !fresh.includes(pod));
    if (at(specOf(manifest).strategy, "type") === "Recreate" && stale.length > 0) {
        stale.forEach((pod) => removePod(cluster, pod));
        return;
    }
    const surge = share(at(specOf(manifest).strategy, "rollingUpdate", "maxSurge"), wanted, true);
    const unavailable = share(at(specOf(manifest).strategy, "rollingUpdate", "maxUnavailable"), wanted, false);
    const room = Math.max(0, Math.min(wanted - fresh.length, wanted + surge - pods.length));
    for (let count = 0; count < room; count++) {
        const name = `${nameOf(manifest)}-${hash}-${cluster.hex(5)}`;
        if (!makePod(cluster, Kinds.Deployment, manifest, name, { [hashLabel]: hash })) {
            break;
        }
    }
    fresh.slice(wanted).forEach((pod) => removePod(cluster, pod));
    const ready = pods.filter((pod) => isPodReady(pod.outputs)).length;
    // Old pods that are not ready help nobody; ready ones go as far as availability allows.
    const idle = stale.filter((pod) => !isPodReady(pod.outputs));
    const surplus = stale.filter((pod) => !idle.includes(pod)).slice(0, Math.max(0, ready - (wanted - unavailable)));
    [...idle, ...surplus].forEach((pod) => removePod(cluster, pod));
    const now = live(cluster, Kinds.Deployment, workload);
    setStatus(cluster, workload, {
        replicas: now.length,
        updatedReplicas: now.filter((pod) => at(pod.outputs, "metadata", "labels", hashLabel) === hash).length,
        readyReplicas: now.filter((pod) => isPodReady(pod.outputs)).length,
        availableReplicas: now.filter((pod) => isPodReady(pod.outputs)).length,
    });
}

function share(value: unknown, of: number, up: boolean): number {
    const percent = /^(\d+)%$/.exec(text(value) ?? "25%");
    const exact = typeof value === "number" ? value : (of * Number(percent?.[1] ?? 25)) / 100;
    return up ? Math.ceil(exact) : Math.floor(exact);
}

function statefulSet(cluster: Cluster, workload: WorldObject): void {
    const manifest = workload.outputs;
    const wanted = numberOr(specOf(manifest).replicas, 1);
    const hash = templateHash(specOf(manifest).template);
    const pods = live(cluster, Kinds.StatefulSet, workload);
    const byName = new Map(pods.map((pod) => [nameOf(pod.outputs), pod]));
    const ordered = (specOf(manifest).podManagementPolicy ?? "OrderedReady") === "OrderedReady";
    for (let ordinal = 0; ordinal < wanted; ordinal++) {
        const name = `${nameOf(manifest)}-${ordinal}`;
        const pod = byName.get(name);
        if (!pod) {
            makeClaims(cluster, manifest, name);
            makePod(cluster, Kinds.StatefulSet, manifest, name, {
                [hashLabel]: hash,
                "statefulset.kubernetes.io/pod-name": name,
            });
        }
        if (ordered && !(pod && isPodReady(pod.outputs))) {
            break;
        }
    }
    const surplus = pods.filter((pod) => Number(nameOf(pod.outputs).split("-").pop()) >= wanted);
    surplus.forEach((pod) => removePod(cluster, pod));
    // A rolling update replaces from the highest ordinal, one pod at a time.
    const stale = pods.filter(
        (pod) => at(pod.outputs, "metadata", "labels", hashLabel) !== hash && !surplus.includes(pod),
    );
    const settled = pods.length >= wanted && pods.every((pod) => isPodReady(pod.outputs) || stale.includes(pod));
    if (stale.length > 0 && settled && at(specOf(manifest).updateStrategy, "type") !== "OnDelete") {
        removePod(cluster, stale[stale.length - 1]);
    }
    const now = live(cluster, Kinds.StatefulSet, workload);
    setStatus(cluster, workload, {
        replicas: now.length,
        updatedReplicas: now.filter((pod) => at(pod.outputs, "metadata", "labels", hashLabel) === hash).length,
        readyReplicas: now.filter((pod) => isPodReady(pod.outputs)).length,
    });
}

/** The claims of a StatefulSet's templates: made once for each ordinal, and left when the set goes. */
function makeClaims(cluster: Cluster, manifest: Manifest, pod: string): void {
    for (const template of records(specOf(manifest).volumeClaimTemplates)) {
        const name = `${String(at(template, "metadata", "name"))}-${pod}`;
        if (!cluster.get(Kinds.PersistentVolumeClaim, namespaceOf(manifest), name)) {
            const claim = {
                ...template,
                metadata: { ...record(template.metadata), name, namespace: namespaceOf(manifest) },
            };
            cluster.apply(Kinds.PersistentVolumeClaim, liveManifest(cluster, Kinds.PersistentVolumeClaim, claim));
        }
    }
}

const daemonTolerations = [
    "not-ready",
    "unreachable",
    "disk-pressure",
    "memory-pressure",
    "pid-pressure",
    "unschedulable",
].map((condition) => ({
    key: `node.kubernetes.io/${condition}`,
    operator: "Exists",
}));

function daemonSet(cluster: Cluster, workload: WorldObject): void {
    const manifest = workload.outputs;
    const hash = templateHash(specOf(manifest).template);
    const template = { spec: record(at(manifest, "spec", "template", "spec")) };
    const like = {
        spec: { ...template.spec, tolerations: [...records(template.spec.tolerations), ...daemonTolerations] },
    };
    const nodes = cluster
        .manifests(Kinds.Node)
        .filter(
            (node) =>
                isReady(node) &&
                matchesNode(like, node) &&
                records(at(node, "spec", "taints")).every(
                    (taint) => taint.effect === "PreferNoSchedule" || tolerates(like, taint),
                ),
        );
    const pods = live(cluster, Kinds.DaemonSet, workload);
    for (const pod of pods) {
        const node = at(pod.outputs, "metadata", "annotations", "rehearsal/node");
        if (at(pod.outputs, "metadata", "labels", hashLabel) !== hash || !nodes.some((one) => nameOf(one) === node)) {
            removePod(cluster, pod);
        }
    }
    const covered = new Set(
        live(cluster, Kinds.DaemonSet, workload).map((pod) =>
            at(pod.outputs, "metadata", "annotations", "rehearsal/node"),
        ),
    );
    for (const node of nodes.filter((one) => !covered.has(nameOf(one)))) {
        makePod(
            cluster,
            Kinds.DaemonSet,
            manifest,
            `${nameOf(manifest)}-${cluster.hex(5)}`,
            { [hashLabel]: hash },
            nameOf(node),
        );
    }
    const now = live(cluster, Kinds.DaemonSet, workload);
    setStatus(cluster, workload, {
        desiredNumberScheduled: nodes.length,
        currentNumberScheduled: now.length,
        updatedNumberScheduled: now.length,
        numberReady: now.filter((pod) => isPodReady(pod.outputs)).length,
    });
}

function job(cluster: Cluster, workload: WorldObject): void {
    const manifest = workload.outputs;
    const status = record(manifest.status);
    if (status.completionTime !== undefined || specOf(manifest).suspend === true) {
        return;
    }
    const wanted = numberOr(specOf(manifest).completions, 1);
    const pods = live(cluster, Kinds.Job, workload);
    const succeeded = pods.filter((pod) => at(pod.outputs, "status", "phase") === "Succeeded").length;
    const active = pods.filter(
        (pod) => !["Succeeded", "Failed"].includes(String(at(pod.outputs, "status", "phase"))),
    ).length;
    const room = Math.min(numberOr(specOf(manifest).parallelism, 1) - active, wanted - succeeded - active);
    for (let count = 0; count < room; count++) {
        makePod(cluster, Kinds.Job, manifest, `${nameOf(manifest)}-${cluster.hex(5)}`, {
            "batch.kubernetes.io/job-name": nameOf(manifest),
            "job-name": nameOf(manifest),
        });
    }
    const done = succeeded >= wanted;
    setStatus(cluster, workload, {
        active: done ? 0 : Math.max(active, room),
        succeeded,
        ready: 0,
        ...(done ? { completionTime: "2026-01-01T00:00:00Z", conditions: [{ type: "Complete", status: "True" }] } : {}),
    });
}

function setStatus(cluster: Cluster, workload: WorldObject, status: Properties): void {
    cluster.setStatus(workload, { ...status, observedGeneration: at(workload.outputs, "metadata", "generation") ?? 1 });
}

/** Makes a pod from a workload's template, unless admission refuses it. */
function makePod(
    cluster: Cluster,
    kind: Kind,
    workload: Manifest,
    name: string,
    labels: Record<string, string>,
    node?: string,
): boolean {
    const template = record(specOf(workload).template);
    const spec = { ...record(template.spec) };
    const namespace = namespaceOf(workload);
    const account = text(spec.serviceAccountName) ?? "default";
    const refused = !cluster.get(Kinds.ServiceAccount, namespace, account)
        ? `pods "${name}" is forbidden: error looking up service account ${namespace}/${account}: serviceaccount "${account}" not found`
        : text(spec.priorityClassName) && !hasPriority(cluster, String(spec.priorityClassName))
          ? `pods "${name}" is forbidden: no PriorityClass with name ${String(spec.priorityClassName)} was found`
          : undefined;
    if (refused) {
        cluster.event(kind, workload, "FailedCreate", `Error creating: ${refused}`);
        return false;
    }
    cluster.clearEvents(kind, workload);
    if (kind.kind === "StatefulSet") {
        spec.volumes = [
            ...records(spec.volumes),
            ...records(specOf(workload).volumeClaimTemplates).map((claim) => ({
                name: at(claim, "metadata", "name"),
                persistentVolumeClaim: { claimName: `${String(at(claim, "metadata", "name"))}-${name}` },
            })),
        ];
    }
    if (kind.kind === "DaemonSet") {
        spec.tolerations = [...records(spec.tolerations), ...daemonTolerations];
    }
    const metadata = record(template.metadata);
    cluster.apply(
        Kinds.Pod,
        liveManifest(cluster, Kinds.Pod, {
            metadata: {
                ...metadata,
                name,
                namespace,
                labels: { ...record(metadata.labels), ...labels },
                annotations: { ...record(metadata.annotations), ...(node ? { "rehearsal/node": node } : {}) },
                ownerReferences: [
                    {
                        apiVersion: kind.apiVersion,
                        kind: kind.kind,
                        name: nameOf(workload),
                        uid: at(workload, "metadata", "uid"),
                        controller: true,
                    },
                ],
            },
            spec,
        }),
    );
    return true;
}
