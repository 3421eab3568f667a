import type { Properties } from "../../shell/type";
import type { World, WorldObject } from "../../shell/world";
import { Cluster, Kinds } from "../cluster";
import type { Kind } from "../api/kinds";
import { liveManifest } from "../api/live";
import { annotationsOf, nameOf, namespaceOf, type Manifest } from "../api/object";
import { at, record, records, text } from "../api/value";
import { snapshotDefinitions } from "./definitions";
import { explain } from "./kubelet";
import { isComplete, podsOf } from "./status";

const addonToken = "aws:eks/addon:Addon";

interface Part {
    kind: typeof Kinds.Deployment | typeof Kinds.DaemonSet;
    name: string;
    account?: string;
    replicas?: number;
    /** Requests of all containers together: cpu, memory. */
    cpu: string;
    memory: string;
    /** Which part of the add-on's configuration speaks of it. */
    section?: string;
    /** Runs on every node, whatever its taints. */
    everywhere?: boolean;
}

/**
 * What each EKS add-on puts into kube-system: names, accounts and the sum of requests as the add-ons' manifests have them
 * (EKS user guide, "AWS add-ons"; charts of the drivers). Add-ons that are not here are taken to bring nothing.
 */
const parts: Record<string, Part[]> = {
    coredns: [
        { kind: Kinds.Deployment, name: "coredns", account: "coredns", replicas: 2, cpu: "100m", memory: "70Mi" },
    ],
    "kube-proxy": [
        {
            kind: Kinds.DaemonSet,
            name: "kube-proxy",
            account: "kube-proxy",
            cpu: "100m",
            memory: "0",
            everywhere: true,
        },
    ],
    "vpc-cni": [
        { kind: Kinds.DaemonSet, name: "aws-node", account: "aws-node", cpu: "50m", memory: "0", everywhere: true },
    ],
    "eks-pod-identity-agent": [
        { kind: Kinds.DaemonSet, name: "eks-pod-identity-agent", cpu: "0", memory: "0", everywhere: true },
    ],
    "aws-ebs-csi-driver": [
        {
            kind: Kinds.Deployment,
            name: "ebs-csi-controller",
            account: "ebs-csi-controller-sa",
            replicas: 2,
            cpu: "60m",
            memory: "240Mi",
            section: "controller",
        },
        {
            kind: Kinds.DaemonSet,
            name: "ebs-csi-node",
            account: "ebs-csi-node-sa",
            cpu: "30m",
            memory: "120Mi",
            section: "node",
            everywhere: true,
        },
    ],
    "aws-efs-csi-driver": [
        {
            kind: Kinds.Deployment,
            name: "efs-csi-controller",
            account: "efs-csi-controller-sa",
            replicas: 2,
            cpu: "0",
            memory: "0",
            section: "controller",
        },
        {
            kind: Kinds.DaemonSet,
            name: "efs-csi-node",
            account: "efs-csi-node-sa",
            cpu: "0",
            memory: "0",
            section: "node",
            everywhere: true,
        },
    ],
    "snapshot-controller": [
        {
            kind: Kinds.Deployment,
            name: "snapshot-controller",
            account: "snapshot-controller",
            replicas: 2,
            cpu: "10m",
            memory: "32Mi",
        },
    ],
    "metrics-server": [
        {
            kind: Kinds.Deployment,
            name: "metrics-server",
            account: "metrics-server",
            replicas: 2,
            cpu: "100m",
            memory: "200Mi",
        },
    ],
    "eks-node-monitoring-agent": [
        { kind: Kinds.DaemonSet, name: "eks-node-monitoring-agent", cpu: "10m", memory: "30Mi", everywhere: true },
    ],
};

/** Add-ons that every cluster gets by itself unless `bootstrapSelfManagedAddons` is false. */
const selfManaged = ["coredns", "kube-proxy", "vpc-cni"];

const systemNamespaces = ["default", "kube-system", "kube-public", "kube-node-lease"];

/** Brings what belongs to each add-on that is installed, and takes away what belongs to none any more. */
export function reconcileAddons(cluster: Cluster): void {
    for (const name of systemNamespaces) {
        ensure(cluster, Kinds.Namespace, { metadata: { name } });
    }
    for (const namespace of cluster.manifests(Kinds.Namespace)) {
        if (at(namespace, "metadata", "deletionTimestamp") === undefined) {
            ensure(cluster, Kinds.ServiceAccount, { metadata: { name: "default", namespace: nameOf(namespace) } });
            ensure(cluster, Kinds.ConfigMap, {
                metadata: { name: "kube-root-ca.crt", namespace: nameOf(namespace) },
                data: { "ca.crt": "" },
            });
        }
    }
    // Clusters of EKS have this class; since 1.30 it is not the default any more (EKS user guide, "Extended versions").
    if (cluster.eks && !cluster.get(Kinds.StorageClass, "", "gp2") && !cluster.get(marker, "default", "gp2")) {
        ensure(cluster, Kinds.StorageClass, {
            metadata: {
                name: "gp2",
                ...(cluster.minor < 30
                    ? { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } }
                    : {}),
            },
            provisioner: "kubernetes.io/aws-ebs",
            parameters: { type: "gp2", fsType: "ext4" },
            volumeBindingMode: "WaitForFirstConsumer",
        });
        cluster.apply(marker, { metadata: { name: "gp2", namespace: "default" } });
    }
    const installed = new Map(addonsOf(cluster).map((addon) => [String(addon.inputs.addonName), addon]));
    const wanted = new Set([...installed.keys(), ...(bootstraps(cluster) ? selfManaged : [])]);
    for (const name of wanted) {
        bring(cluster, name, installed.get(name));
    }
    for (const [name, its] of Object.entries(parts)) {
        if (!wanted.has(name)) {
            its.forEach((part) => withdraw(cluster, part, name));
        }
    }
}

const marker: Kind = { apiVersion: "rehearsal/v1", kind: "Fact" };

function bootstraps(cluster: Cluster): boolean {
    return cluster.eks !== undefined && cluster.eks.outputs.bootstrapSelfManagedAddons !== false;
}

function addonsOf(cluster: Cluster): WorldObject[] {
    return cluster.aws.all(addonToken).filter((addon) => addon.inputs.clusterName === cluster.name);
}

function ensure(cluster: Cluster, kind: Kind, manifest: Manifest, owner?: WorldObject["owner"]): void {
    if (!cluster.get(kind, namespaceOf(manifest), nameOf(manifest))) {
        cluster.apply(kind, liveManifest(cluster, kind, manifest), owner);
    }
}

function bring(cluster: Cluster, name: string, addon: WorldObject | undefined): void {
    const configuration = parse(addon?.inputs.configurationValues);
    const owner = { token: addonToken, id: name };
    if (name === "snapshot-controller") {
        snapshotDefinitions().forEach((definition) =>
            ensure(cluster, Kinds.CustomResourceDefinition, definition, owner),
        );
    }
    for (const part of parts[name] ?? []) {
        const annotations =
            text(addon?.inputs.serviceAccountRoleArn) && part.account
                ? { "eks.amazonaws.com/role-arn": String(addon?.inputs.serviceAccountRoleArn) }
                : undefined;
        if (part.account) {
            account(cluster, part.account, annotations, owner);
        }
        const section = part.section ? record(configuration[part.section]) : configuration;
        const manifest = workload(part, section, addon?.inputs.preserve === true);
        const old = cluster.get(part.kind, "kube-system", part.name);
        const same =
            old &&
            JSON.stringify(record(old.outputs.metadata).annotations) ===
                JSON.stringify(record(manifest.metadata).annotations);
        if (!same) {
            cluster.apply(part.kind, liveManifest(cluster, part.kind, manifest, old?.outputs), owner);
        }
    }
}

/** The role is written on the account; a new role reaches the account too. */
function account(
    cluster: Cluster,
    name: string,
    annotations: Record<string, string> | undefined,
    owner: WorldObject["owner"],
): void {
    const there = cluster.get(Kinds.ServiceAccount, "kube-system", name);
    if (
        !there ||
        (annotations && JSON.stringify(at(there.outputs, "metadata", "annotations")) !== JSON.stringify(annotations))
    ) {
        cluster.apply(
            Kinds.ServiceAccount,
            liveManifest(
                cluster,
                Kinds.ServiceAccount,
                { metadata: { name, namespace: "kube-system", annotations } },
                there?.outputs,
            ),
            owner,
        );
    }
}

function workload(part: Part, configuration: Properties, preserve: boolean): Manifest {
    const labels = { "app.kubernetes.io/name": part.name };
    const replicas = configuration.replicaCount ?? configuration.replicas ?? part.replicas;
    const requests =
        Object.keys(record(at(configuration, "resources", "requests"))).length > 0
            ? record(at(configuration, "resources", "requests"))
            : { cpu: part.cpu, memory: part.memory };
    const tolerations = part.everywhere
        ? [{ operator: "Exists" }]
        : [
              { key: "CriticalAddonsOnly", operator: "Exists" },
              { key: "node-role.kubernetes.io/control-plane", operator: "Exists", effect: "NoSchedule" },
              ...records(configuration.tolerations),
          ];
    return {
        metadata: {
            name: part.name,
            namespace: "kube-system",
            labels,
            annotations: {
                "rehearsal/configuration": JSON.stringify(configuration),
                ...(preserve ? { "rehearsal/preserve": "true" } : {}),
            },
        },
        spec: {
            ...(part.kind.kind === "Deployment" ? { replicas } : {}),
            selector: { matchLabels: labels },
            template: {
                metadata: { labels },
                spec: {
                    serviceAccountName: part.account ?? "default",
                    priorityClassName: part.everywhere ? "system-node-critical" : "system-cluster-critical",
                    nodeSelector: configuration.nodeSelector,
                    affinity: configuration.affinity,
                    tolerations,
                    containers: [{ name: part.name, image: `eks/${part.name}`, resources: { requests } }],
                },
            },
        },
    };
}

function withdraw(cluster: Cluster, part: Part, name: string): void {
    const there = cluster.get(part.kind, "kube-system", part.name);
    // An add-on that is removed with `preserve` leaves its software running.
    const preserved = there && annotationsOf(there.outputs)["rehearsal/preserve"] === "true";
    if (there?.owner?.token === addonToken && there.owner.id === name && !preserved) {
        cluster.remove(there);
    }
}

function parse(configuration: unknown): Properties {
    try {
        return typeof configuration === "string" ? record(JSON.parse(configuration)) : {};
    } catch {
        return {};
    }
}

/** What the cluster's controllers made of an add-on's pods; `undefined` where nothing is known of what it brings. */
export function addonProblems(world: World, clusterName: string, addonName: string): string[] | undefined {
    const cluster = new Cluster(world.everywhere, clusterName);
    return parts[addonName]?.flatMap((part) => {
        const manifest = cluster.manifest(part.kind, "kube-system", part.name);
        // DaemonSets without nodes are content; Deployments are not.
        if (manifest && isComplete(part.kind, manifest)) {
            return [];
        }
        const pods = manifest ? podsOf(cluster, part.kind, manifest) : [];
        const waiting = pods.find((pod) => at(pod, "status", "phase") !== "Running");
        return [waiting ? explain(waiting) : `${part.kind.kind} kube-system/${part.name} has no pods`];
    });
}
