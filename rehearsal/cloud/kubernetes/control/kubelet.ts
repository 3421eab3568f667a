import type { Properties } from "../../shell/type";
import type { WorldObject } from "../../shell/world";
import { Kinds, type Cluster } from "../cluster";
import { annotationsOf, nameOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { at, record, records, text } from "../api/value";
import { bindForPod, claimsOf, users, volumeRefusal } from "../storage/claims";
import { mountProblem } from "../storage/mounts";
import { isPodReady, ownerOf } from "../storage/drivers";
import { connectionProblem } from "./connections";
import { imageProblem } from "./images";
import { migrationProblem } from "./migrations";
import { schedule } from "./scheduler";
import { removePod } from "./workloads";

/** Gives pending pods a node, and lets the nodes' kubelets start what can start. */
export function reconcilePods(cluster: Cluster): void {
    const nodes = new Map(cluster.manifests(Kinds.Node).map((node) => [nameOf(node), withNetwork(cluster, node)]));
    for (const pod of cluster.list(Kinds.Pod)) {
        const node = text(specOf(pod.outputs).nodeName);
        if (node !== undefined && !nodes.has(node)) {
            // The node is gone, and its pods with it; who owns them makes new ones.
            removePod(cluster, pod);
        } else if (node === undefined) {
            place(cluster, pod, [...nodes.values()]);
        }
    }
    for (const pod of cluster.list(Kinds.Pod)) {
        const node = nodes.get(text(specOf(pod.outputs).nodeName) ?? "");
        if (node && !["Succeeded", "Failed"].includes(String(at(pod.outputs, "status", "phase")))) {
            run(cluster, pod, node);
        }
    }
}

/** Without a network plugin nodes do not become ready: "cni plugin not initialized". DaemonSets tolerate that, others wait. */
function withNetwork(cluster: Cluster, node: Manifest): Manifest {
    if (cluster.get(Kinds.DaemonSet, "kube-system", "aws-node")) {
        return node;
    }
    const taints = [
        ...records(at(node, "spec", "taints")),
        { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" },
    ];
    return { ...node, spec: { ...specOf(node), taints } };
}

function place(cluster: Cluster, pod: WorldObject, nodes: Manifest[]): void {
    const manifest = pod.outputs;
    const pinned = annotationsOf(manifest)["rehearsal/node"];
    const general = volumeRefusal(cluster, manifest);
    const placed = cluster
        .manifests(Kinds.Pod)
        .filter((other) => specOf(other).nodeName !== undefined && !isFinished(other));
    const result = general
        ? { message: `0/${nodes.length} nodes are available: ${general}.` }
        : schedule(manifest, {
              nodes: pinned ? nodes.filter((node) => nameOf(node) === pinned) : nodes,
              placed,
              volumes: (node) => volumeRefusal(cluster, manifest, node),
          });
    const problem = "message" in result ? result.message : bindForPod(cluster, manifest, result.node);
    if (problem || "message" in result) {
        cluster.event(Kinds.Pod, manifest, "FailedScheduling", problem ?? "");
        pending(cluster, pod, { type: "PodScheduled", status: "False", reason: "Unschedulable", message: problem });
        return;
    }
    cluster.clearEvents(Kinds.Pod, manifest);
    const now = cluster.fresh(pod) ?? pod;
    cluster.update(now, { ...now.outputs, spec: { ...specOf(now.outputs), nodeName: nameOf(result.node) } });
}

export function isFinished(pod: Manifest): boolean {
    return ["Succeeded", "Failed"].includes(String(at(pod, "status", "phase")));
}

function pending(
    cluster: Cluster,
    pod: WorldObject,
    condition: Properties,
    waiting?: { reason: string; message: string },
): void {
    const containers = records(specOf(pod.outputs).containers).map((container) => ({
        name: container.name,
        ready: false,
        state: { waiting: waiting ?? { reason: "ContainerCreating" } },
    }));
    cluster.setStatus(pod, {
        phase: "Pending",
        conditions: [condition, { type: "Ready", status: "False" }],
        ...(specOf(pod.outputs).nodeName === undefined ? {} : { containerStatuses: containers }),
    });
}

/** What the kubelet does with a pod: volumes, configuration, containers. */
function run(cluster: Cluster, pod: WorldObject, node: Manifest): void {
    const manifest = pod.outputs;
    const scheduled = { type: "PodScheduled", status: "True" };
    const mount =
        multiAttach(cluster, manifest) ??
        volumeSourceProblem(cluster, manifest) ??
        mountProblem(cluster, manifest, node);
    if (mount) {
        cluster.event(Kinds.Pod, manifest, "FailedMount", mount);
        return pending(cluster, pod, scheduled, { reason: "ContainerCreating", message: mount });
    }
    const pull = imageProblem(cluster, manifest, node);
    if (pull) {
        cluster.event(Kinds.Pod, manifest, "BackOff", pull);
        return pending(cluster, pod, scheduled, { reason: "ImagePullBackOff", message: pull });
    }
    const config = configurationProblem(cluster, manifest);
    if (config) {
        cluster.event(Kinds.Pod, manifest, "Failed", `Error: ${config}`);
        return pending(cluster, pod, scheduled, { reason: "CreateContainerConfigError", message: config });
    }
    const crash = connectionProblem(cluster, manifest, node) ?? migrationProblem(cluster, manifest);
    if (crash) {
        cluster.event(Kinds.Pod, manifest, "BackOff", `Back-off restarting failed container: ${crash}`);
        return pending(cluster, pod, scheduled, {
            reason: "CrashLoopBackOff",
            message: `back-off restarting failed container: ${crash}`,
        });
    }
    if (!isPodReady(manifest)) {
        cluster.clearEvents(Kinds.Pod, manifest);
    }
    const finite = records(at(manifest, "metadata", "ownerReferences")).some((owner) => owner.kind === "Job");
    const once = finite || (specOf(manifest).restartPolicy ?? "Always") !== "Always";
    cluster.setStatus(pod, {
        phase: once ? "Succeeded" : "Running",
        conditions: [
            scheduled,
            { type: "Initialized", status: "True" },
            { type: "Ready", status: once ? "False" : "True", ...(once ? { reason: "PodCompleted" } : {}) },
        ],
        podIP: at(manifest, "status", "podIP") ?? `10.0.${cluster.next() % 250}.${(cluster.next() % 250) + 1}`,
        containerStatuses: records(specOf(manifest).containers).map((container) => ({
            name: container.name,
            ready: !once,
            state: once ? { terminated: { reason: "Completed", exitCode: 0 } } : { running: {} },
        })),
    });
}

/** An EBS volume is attached to one node at a time. */
function multiAttach(cluster: Cluster, pod: Manifest): string | undefined {
    for (const { claim: name } of claimsOf(pod)) {
        const claim = cluster.manifest(Kinds.PersistentVolumeClaim, namespaceOf(pod), name);
        const volume = claim && cluster.manifest(Kinds.PersistentVolume, "", String(specOf(claim).volumeName));
        if (!claim || !volume || at(volume, "spec", "csi", "driver") !== "ebs.csi.aws.com") {
            continue;
        }
        const other = users(cluster, claim).find(
            (one) => nameOf(one) !== nameOf(pod) && isPodReady(one) && specOf(one).nodeName !== specOf(pod).nodeName,
        );
        if (other) {
            return `AttachVolume.Attach failed: Multi-Attach error for volume "${nameOf(volume)}": Volume is already used by pod(s) ${nameOf(other)}`;
        }
    }
    return undefined;
}

/** Secrets and ConfigMaps that are volumes must be there before any container starts. */
function volumeSourceProblem(cluster: Cluster, pod: Manifest): string | undefined {
    const namespace = namespaceOf(pod);
    for (const volume of records(specOf(pod).volumes)) {
        const sources = [volume, ...records(at(volume, "projected", "sources"))];
        for (const source of sources) {
            const secret = text(at(source, "secret", "secretName")) ?? text(at(source, "secret", "name"));
            const map = text(at(source, "configMap", "name"));
            const optional = at(source, "secret", "optional") === true || at(source, "configMap", "optional") === true;
            if (optional) {
                continue;
            }
            if (secret && !cluster.get(Kinds.Secret, namespace, secret)) {
                return `MountVolume.SetUp failed for volume "${String(volume.name)}": secret "${secret}" not found`;
            }
            if (map && !cluster.get(Kinds.ConfigMap, namespace, map)) {
                return `MountVolume.SetUp failed for volume "${String(volume.name)}": configmap "${map}" not found`;
            }
            const data = record(
                cluster.manifest(secret ? Kinds.Secret : Kinds.ConfigMap, namespace, secret ?? map ?? "")?.data,
            );
            for (const item of records(at(source, secret ? "secret" : "configMap", "items"))) {
                if (!(String(item.key) in data)) {
                    return `MountVolume.SetUp failed for volume "${String(volume.name)}": references non-existent ${secret ? "secret" : "config"} key: ${String(item.key)}`;
                }
            }
        }
    }
    return undefined;
}

/** What containers read into their environment must be there. Source: kubelet, CreateContainerConfigError. */
function configurationProblem(cluster: Cluster, pod: Manifest): string | undefined {
    const namespace = namespaceOf(pod);
    const missing = (kind: typeof Kinds.Secret | typeof Kinds.ConfigMap, reference: Properties): string | undefined => {
        if (reference.optional === true) {
            return undefined;
        }
        const name = String(reference.name);
        const manifest = cluster.manifest(kind, namespace, name);
        if (!manifest) {
            return `${kind.kind.toLowerCase()} "${name}" not found`;
        }
        return reference.key !== undefined && !(String(reference.key) in record(manifest.data))
            ? `couldn't find key ${String(reference.key)} in ${kind.kind} ${namespace}/${name}`
            : undefined;
    };
    for (const container of [...records(specOf(pod).initContainers), ...records(specOf(pod).containers)]) {
        for (const variable of records(container.env)) {
            const secret = at(variable, "valueFrom", "secretKeyRef");
            const map = at(variable, "valueFrom", "configMapKeyRef");
            const problem =
                (secret && missing(Kinds.Secret, record(secret))) || (map && missing(Kinds.ConfigMap, record(map)));
            if (problem) {
                return String(problem);
            }
        }
        for (const source of records(container.envFrom)) {
            const problem =
                (source.secretRef && missing(Kinds.Secret, record(source.secretRef))) ||
                (source.configMapRef && missing(Kinds.ConfigMap, record(source.configMapRef)));
            if (problem) {
                return String(problem);
            }
        }
        const user = at(container, "securityContext", "runAsUser") ?? at(specOf(pod).securityContext, "runAsUser");
        if (
            (at(container, "securityContext", "runAsNonRoot") ?? at(specOf(pod).securityContext, "runAsNonRoot")) ===
                true &&
            user === 0
        ) {
            return "container's runAsUser breaks non-root policy";
        }
    }
    return undefined;
}

/** What a pod that is not ready says, in one line. */
export function explain(pod: Manifest): string {
    const waiting = records(at(pod, "status", "containerStatuses"))
        .map((status) => at(status, "state", "waiting"))
        .find((state) => text(at(state, "message")) !== undefined);
    const condition = records(at(pod, "status", "conditions")).find(({ type }) => type === "PodScheduled");
    const message = waiting
        ? `${String(at(waiting, "reason"))}: ${String(at(waiting, "message"))}`
        : text(condition?.message);
    return `Pod ${namespaceOf(pod)}/${nameOf(pod)} (${ownerOf(pod)}): ${message ?? `phase ${String(at(pod, "status", "phase"))}`}`;
}
