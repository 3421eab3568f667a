import type { World } from "../shell/world";
import { labelsOf, nameOf, specOf, type Manifest } from "./api/object";
import { at, record, records } from "./api/value";
import { Cluster, Kinds } from "./cluster";
import { reconcile } from "./control/reconcile";
import { removePod } from "./control/workloads";
import { uninstall } from "./helm/release";

/** What can happen to a cluster without anybody running Pulumi: `drain:<node>`, `lose-zone:<zone>`, … */
export const Event = {
    /** Nobody new on the node, and its pods go elsewhere: `kubectl drain`. */
    Drain: "drain",
    /** The node takes pods again: `kubectl uncordon`. */
    Uncordon: "uncordon",
    /** The node is gone for good, with its instance. */
    LoseNode: "lose-node",
    /** A whole zone is gone: its nodes, and with them their pods. */
    LoseZone: "lose-zone",
    /** EC2 takes a spot instance back: the node leaves, and the node group replaces it in the same zone. */
    InterruptSpot: "interrupt-spot",
    /** A load that KEDA answers with so many workers: `load:<namespace>/<scaled object>=<replicas>`. */
    Load: "load",
    /** Somebody runs `helm uninstall`: `uninstall:<namespace>/<release>`. */
    Uninstall: "uninstall",
} as const;
export type Event = (typeof Event)[keyof typeof Event];

/** Reads `<event>:<subject>`. Throws an error of one line. */
export function parseEvent(spec: string): { event: Event; subject: string } {
    const [, event, subject] = /^([a-z-]+):(.+)$/.exec(spec) ?? [];
    const known = Object.values(Event).find((one) => one === event);
    if (!known) {
        throw new Error(
            `unknown event "${spec}": one of ${Object.values(Event).join(", ")}, then a colon and its subject`,
        );
    }
    return { event: known, subject };
}

/** Lets something happen in those clusters of a world that have what it names; there must be one. */
export function happenSomewhere(world: World, spec: string): void {
    const refusals: string[] = [];
    const clusters = Cluster.all(world);
    for (const { name } of clusters) {
        try {
            happen(world, name, spec);
        } catch (error) {
            refusals.push(error instanceof Error ? error.message : String(error));
        }
    }
    if (refusals.length === clusters.length) {
        throw new Error(`event "${spec}": ${refusals[0] ?? "there is no cluster yet"}`);
    }
}

/**
 * Lets something happen in a cluster, and brings its controllers to rest.
 *
 * @param spec `<event>:<subject>`; a node is named by its name, or by a label as `key=value`.
 * @returns What happened, in one line.
 */
export function happen(world: World, clusterName: string, spec: string): string {
    const { event, subject } = parseEvent(spec);
    const cluster = new Cluster(world.everywhere, clusterName);
    const told = events[event](cluster, subject);
    reconcile(cluster);
    return told;
}

const events: Record<Event, (cluster: Cluster, subject: string) => string> = {
    [Event.Drain]: (cluster, subject) => {
        const nodes = nodesBy(cluster, subject);
        const moved = nodes.flatMap((node) => {
            cordon(cluster, node, true);
            return evict(cluster, nameOf(node));
        });
        return `drained ${nodes.map(nameOf).join(", ")}: ${moved.length} pods evicted`;
    },
    [Event.Uncordon]: (cluster, subject) => {
        const nodes = nodesBy(cluster, subject);
        nodes.forEach((node) => cordon(cluster, node, false));
        return `${nodes.map(nameOf).join(", ")} takes pods again`;
    },
    [Event.LoseNode]: (cluster, subject) => lose(cluster, nodesBy(cluster, subject)),
    [Event.LoseZone]: (cluster, subject) => lose(cluster, nodesBy(cluster, `topology.kubernetes.io/zone=${subject}`)),
    [Event.InterruptSpot]: (cluster, subject) => {
        const nodes = nodesBy(cluster, subject);
        for (const node of nodes) {
            const object = cluster.get(Kinds.Node, "", nameOf(node));
            evict(cluster, nameOf(node));
            if (object) {
                const name = `${nameOf(node)}-r${cluster.next()}`;
                cluster.remove(object);
                cluster.put({ ...object, id: name, outputs: renamed(node, name) });
            }
        }
        return `interrupted ${nodes.map(nameOf).join(", ")}: replaced in the same zone`;
    },
    [Event.Load]: (cluster, subject) => {
        const [, namespace, name, replicas] = /^([^/]+)\/([^=]+)=(\d+)$/.exec(subject) ?? [];
        const scaled = namespace === undefined ? undefined : cluster.get(Kinds.ScaledObject, namespace, name);
        if (!scaled) {
            throw new Error(`no ScaledObject is meant by "${subject}": say namespace/name=replicas`);
        }
        const metadata = record(scaled.outputs.metadata);
        cluster.update(scaled, {
            ...scaled.outputs,
            metadata: {
                ...metadata,
                annotations: { ...record(metadata.annotations), "rehearsal/replicas": Number(replicas) },
            },
        });
        return `KEDA was asked for ${replicas} replicas of ${namespace}/${name}`;
    },
    [Event.Uninstall]: (cluster, subject) => {
        const release = cluster.releases().find(({ id }) => id === subject);
        if (!release) {
            const there = cluster.releases().map(({ id }) => id);
            throw new Error(`no Helm release is meant by "${subject}": there are ${there.join(", ") || "none"}`);
        }
        const left = uninstall(cluster, release);
        if (left !== undefined) {
            throw new Error(left);
        }
        return `uninstalled ${subject}`;
    },
};

function nodesBy(cluster: Cluster, subject: string): Manifest[] {
    const [key, value] = subject.split("=");
    const nodes = cluster
        .manifests(Kinds.Node)
        .filter((node) => (value === undefined ? nameOf(node) === subject : labelsOf(node)[key] === value));
    if (nodes.length === 0) {
        throw new Error(
            `no node is meant by "${subject}": there are ${cluster.manifests(Kinds.Node).map(nameOf).join(", ") || "none"}`,
        );
    }
    return nodes;
}

function cordon(cluster: Cluster, node: Manifest, unschedulable: boolean): void {
    const object = cluster.get(Kinds.Node, "", nameOf(node));
    if (object) {
        cluster.update(object, { ...object.outputs, spec: { ...specOf(object.outputs), unschedulable } });
    }
}

/** Pods of DaemonSets stay, as `--ignore-daemonsets` leaves them. */
function evict(cluster: Cluster, node: string): string[] {
    return cluster
        .list(Kinds.Pod)
        .filter(
            (pod) =>
                specOf(pod.outputs).nodeName === node &&
                !records(at(pod.outputs, "metadata", "ownerReferences")).some(({ kind }) => kind === "DaemonSet"),
        )
        .map((pod) => {
            removePod(cluster, pod);
            return pod.id;
        });
}

function lose(cluster: Cluster, nodes: Manifest[]): string {
    for (const node of nodes) {
        const object = cluster.get(Kinds.Node, "", nameOf(node));
        if (object) {
            cluster.remove(object);
        }
    }
    return `lost ${nodes.map(nameOf).join(", ")}`;
}

function renamed(node: Manifest, name: string): Manifest {
    const metadata = record(node.metadata);
    return {
        ...node,
        metadata: { ...metadata, name, labels: { ...record(metadata.labels), "kubernetes.io/hostname": name } },
    };
}

/** What the pods of a cluster are at, one line each: for reports and tests. */
export function pods(
    world: World,
    clusterName: string,
): { pod: string; node?: string; phase: string; reason?: string }[] {
    return new Cluster(world.everywhere, clusterName).list(Kinds.Pod).map(({ id, outputs }) => ({
        pod: id,
        node: specOf(outputs).nodeName as string | undefined,
        phase: String(at(outputs, "status", "phase")),
        reason: records(at(outputs, "status", "conditions")).find(({ type }) => type === "PodScheduled")?.message as
            string | undefined,
    }));
}
