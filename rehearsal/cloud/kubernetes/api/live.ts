import type { Properties } from "../../shell/type";
import { Kinds, type Cluster } from "../cluster";
import { withStringData } from "./immutable";
import { isNamespaced, type Kind } from "./kinds";
import { annotationsOf, nameOf, namespaceOf, type Manifest } from "./object";
import { at, copy, numberOr, record, records, text } from "./value";

/**
 * What the API server makes of a manifest: defaults, generated metadata, fields that it owns, the status that it keeps.
 *
 * @param old What was there before, for updates.
 */
export function liveManifest(cluster: Cluster, kind: Kind, manifest: Manifest, old?: Manifest): Manifest {
    const live = copy(manifest);
    live.apiVersion = kind.apiVersion;
    live.kind = kind.kind;
    live.metadata = metadataOf(cluster, kind, manifest, old);
    const spec = record(live.spec);
    if (live.spec !== undefined || specDefaults[kind.kind]) {
        live.spec = specDefaults[kind.kind]?.(spec, cluster, old) ?? spec;
    }
    topDefaults[kind.kind]?.(live);
    const changed = JSON.stringify(old?.spec) !== JSON.stringify(live.spec);
    record(live.metadata).generation = Math.max(1, numberOr(at(old, "metadata", "generation"), 0) + (changed ? 1 : 0));
    if (kind.kind === "Secret" && kind.apiVersion === "v1") {
        live.data = withStringData(manifest);
        live.stringData = undefined;
    }
    const status = old?.status ?? firstStatus[kind.kind];
    if (status !== undefined) {
        live.status = copy(status);
    }
    return live;
}

function metadataOf(cluster: Cluster, kind: Kind, manifest: Manifest, old?: Manifest): Properties {
    const metadata: Properties = { ...record(manifest.metadata) };
    const before = record(old?.metadata);
    if (isNamespaced(kind.kind)) {
        metadata.namespace = namespaceOf(manifest);
    } else {
        delete metadata.namespace;
    }
    metadata.uid =
        before.uid ?? `${cluster.hex(8)}-${cluster.hex(4)}-4${cluster.hex(3)}-a${cluster.hex(3)}-${cluster.hex(12)}`;
    metadata.creationTimestamp = before.creationTimestamp ?? "2026-01-01T00:00:00Z";
    metadata.resourceVersion = String(cluster.next());
    for (const field of ["finalizers", "deletionTimestamp", "ownerReferences"]) {
        if (before[field] !== undefined && metadata[field] === undefined) {
            metadata[field] = before[field];
        }
    }
    if (kind.kind === "Namespace") {
        metadata.labels = { "kubernetes.io/metadata.name": nameOf(manifest), ...record(metadata.labels) };
    }
    return metadata;
}

type SpecDefaults = (spec: Properties, cluster: Cluster, old?: Manifest) => Properties;

const podDefaults = (spec: unknown, restartPolicy = "Always"): Properties => ({
    restartPolicy,
    terminationGracePeriodSeconds: 30,
    dnsPolicy: "ClusterFirst",
    schedulerName: "default-scheduler",
    ...record(spec),
    serviceAccountName: text(record(spec).serviceAccountName) || text(record(spec).serviceAccount) || "default",
});

const templated = (spec: Properties): Properties =>
    spec.template === undefined
        ? spec
        : { ...spec, template: { ...record(spec.template), spec: podDefaults(record(spec.template).spec) } };

/** Replicas that an autoscaler set stay when the manifest does not say any. */
const scaled: SpecDefaults = (spec, _, old) => ({
    replicas: at(old, "spec", "replicas") ?? 1,
    ...templated(spec),
});

const specDefaults: Record<string, SpecDefaults> = {
    Deployment: (spec, cluster, old) => ({
        strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: "25%" } },
        revisionHistoryLimit: 10,
        progressDeadlineSeconds: 600,
        ...scaled(spec, cluster, old),
    }),
    StatefulSet: (spec, cluster, old) => ({
        podManagementPolicy: "OrderedReady",
        updateStrategy: { type: "RollingUpdate" },
        ...scaled(spec, cluster, old),
    }),
    DaemonSet: templated,
    Job: (spec, cluster, old) => ({
        backoffLimit: 6,
        completions: 1,
        parallelism: 1,
        completionMode: "NonIndexed",
        suspend: false,
        selector: at(old, "spec", "selector") ?? {
            matchLabels: { "batch.kubernetes.io/controller-uid": cluster.hex(8) },
        },
        ...templated(spec),
    }),
    CronJob: (spec) => ({
        concurrencyPolicy: "Allow",
        suspend: false,
        successfulJobsHistoryLimit: 3,
        failedJobsHistoryLimit: 1,
        ...spec,
    }),
    Pod: (spec, _, old) => ({
        ...podDefaults(spec),
        ...(at(old, "spec", "nodeName") ? { nodeName: at(old, "spec", "nodeName") } : {}),
    }),
    Service: serviceDefaults,
    PersistentVolumeClaim: (spec, cluster, old) => {
        const given = spec.storageClassName ?? at(old, "spec", "storageClassName");
        const className = given ?? (old === undefined ? defaultClass(cluster) : undefined);
        const volumeName = spec.volumeName ?? at(old, "spec", "volumeName");
        return {
            volumeMode: "Filesystem",
            ...spec,
            ...(className === undefined ? {} : { storageClassName: className }),
            ...(volumeName === undefined ? {} : { volumeName }),
        };
    },
    PersistentVolume: (spec, _, old) => ({
        persistentVolumeReclaimPolicy: "Retain",
        volumeMode: "Filesystem",
        ...spec,
        ...(spec.claimRef === undefined && at(old, "spec", "claimRef") !== undefined
            ? { claimRef: at(old, "spec", "claimRef") }
            : {}),
    }),
    Namespace: (spec) => ({ finalizers: ["kubernetes"], ...spec }),
};

function serviceDefaults(spec: Properties, cluster: Cluster, old?: Manifest): Properties {
    const type = text(spec.type) ?? "ClusterIP";
    if (type === "ExternalName") {
        return { ...spec, type };
    }
    const clusterIP =
        spec.clusterIP ??
        at(old, "spec", "clusterIP") ??
        `172.20.${cluster.next() % 250}.${(cluster.next() % 250) + 1}`;
    const ports = records(spec.ports).map((port) => {
        const before = records(at(old, "spec", "ports")).find((one) => one.port === port.port);
        return {
            protocol: "TCP",
            ...port,
            targetPort: port.targetPort ?? port.port,
            ...(type === "ClusterIP"
                ? {}
                : { nodePort: port.nodePort ?? before?.nodePort ?? 30000 + (cluster.next() % 2767) }),
        };
    });
    return {
        sessionAffinity: "None",
        internalTrafficPolicy: "Cluster",
        ipFamilies: ["IPv4"],
        ...spec,
        type,
        clusterIP,
        clusterIPs: [clusterIP],
        ports,
    };
}

const topDefaults: Record<string, (live: Properties) => void> = {
    StorageClass: (live) => {
        live.reclaimPolicy ??= "Delete";
        live.volumeBindingMode ??= "Immediate";
    },
    Secret: (live) => {
        live.type ??= "Opaque";
    },
};

const firstStatus: Record<string, Properties> = {
    Namespace: { phase: "Active" },
    PersistentVolumeClaim: { phase: "Pending" },
    PersistentVolume: { phase: "Available" },
    Pod: { phase: "Pending" },
    Service: { loadBalancer: {} },
    Ingress: { loadBalancer: {} },
};

const defaultAnnotations = [
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
];

/** The class of claims that name none: the newest one that is marked as default (admission plugin DefaultStorageClass). */
export function defaultClass(cluster: Cluster): string | undefined {
    const marked = cluster
        .manifests(Kinds.StorageClass)
        .filter((one) => defaultAnnotations.some((annotation) => annotationsOf(one)[annotation] === "true"));
    return marked.length === 0 ? undefined : nameOf(marked[marked.length - 1]);
}
