import type { Properties } from "../../shell/type";
import { differences, same } from "../../shell/values";
import type { Kind } from "./kinds";
import { isPatch, qualifiedKind } from "./kinds";
import { nameOf, type Manifest } from "./object";
import { quantity } from "./quantity";
import { at, copy, list, record } from "./value";

/** What the provider's configuration says about data that pods read. */
export interface Mutability {
    enableSecretMutable?: unknown;
    enableConfigMapMutable?: unknown;
}

const selector = ["spec.selector"];
const containers = (
    "args command env image imagePullPolicy lifecycle livenessProbe ports readinessProbe resources securityContext stdin " +
    "stdinOnce terminationMessagePath terminationMessagePolicy tty volumeDevices volumeMounts workingDir"
).split(" ");
const podSpec = (
    "affinity automountServiceAccountToken dnsConfig dnsPolicy enableServiceLinks hostAliases hostIPC hostNetwork hostPID hostname " +
    "imagePullSecrets nodeName nodeSelector overhead preemptionPolicy priority priorityClassName readinessGates restartPolicy " +
    "runtimeClassName schedulerName securityContext serviceAccount serviceAccountName shareProcessNamespace subdomain " +
    "terminationGracePeriodSeconds volumes"
).split(" ");
/** Where the bytes of a PersistentVolume can lie. */
export const volumeSources = (
    "awsElasticBlockStore azureDisk azureFile cephfs cinder csi fc flexVolume flocker gcePersistentDisk glusterfs hostPath iscsi " +
    "local nfs photonPersistentDisk portworxVolume quobyte rbd scaleIO storageos vsphereVolume"
).split(" ");

/**
 * What the real provider replaces an object for, beside name and namespace.
 * Source: pulumi-kubernetes, provider/pkg/provider/diff.go (`forceNew`). What is not here reaches the API server as an
 * update, and the API server may refuse it: see {@link refusedUpdates}.
 */
const replacedFor: Record<string, string[]> = {
    "storage.k8s.io/v1/StorageClass": ["parameters", "provisioner"],
    "apps/v1/Deployment": selector,
    "apps/v1/DaemonSet": selector,
    "apps/v1/StatefulSet": [
        "spec.podManagementPolicy",
        "spec.revisionHistoryLimit",
        "spec.selector",
        "spec.serviceName",
        "spec.volumeClaimTemplates",
    ],
    "batch/v1/Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
    "rbac.authorization.k8s.io/v1/RoleBinding": ["roleRef"],
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": ["roleRef"],
    "v1/PersistentVolume": volumeSources.map((source) => `spec.${source}`),
    "v1/PersistentVolumeClaim": ["spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"],
    "v1/Pod": [
        ...podSpec.map((field) => `spec.${field}`),
        ...containers.flatMap((field) => [`spec.containers[*].${field}`, `spec.initContainers[*].${field}`]),
    ],
    "v1/ResourceQuota": ["spec.scopes"],
    "v1/Service": ["spec.clusterIP"],
};

/** The paths that change and that the provider answers with a replacement. */
export function replacements(kind: Kind, olds: Manifest, news: Manifest, mutability: Mutability): string[] {
    const paths = ["metadata.name", "metadata.namespace", ...(isPatch(kind) ? [] : forceNew(kind, news, mutability))];
    return differences(canonical(olds), canonical(news))
        .map(({ path }) =>
            path.reduce<string>(
                (text, part) => (typeof part === "number" ? `${text}[*]` : text === "" ? part : `${text}.${part}`),
                "",
            ),
        )
        .map((changed) =>
            paths.find((path) => changed === path || changed.startsWith(`${path}.`) || changed.startsWith(`${path}[`)),
        )
        .filter((path): path is string => path !== undefined)
        .filter((path, index, all) => all.indexOf(path) === index)
        .map((path) => path.replace("[*]", ""));
}

function forceNew(kind: Kind, news: Manifest, mutability: Mutability): string[] {
    const key = `${kind.apiVersion}/${kind.kind}`;
    const immutable = news.immutable === true;
    if (key === "v1/Secret") {
        return immutable || !isOn(mutability.enableSecretMutable) ? ["type", "stringData", "data"] : ["type"];
    }
    if (key === "v1/ConfigMap") {
        return immutable || !isOn(mutability.enableConfigMapMutable) ? ["binaryData", "data"] : [];
    }
    return replacedFor[key] ?? [];
}

function isOn(value: unknown): boolean {
    return value === true || value === "true";
}

/** An absent namespace is `default`; numbers written as strings stay what they are. */
function canonical(manifest: Manifest): Manifest {
    const result = copy(manifest);
    const metadata = record(result.metadata);
    if (metadata.namespace === undefined || metadata.namespace === "") {
        result.metadata = { ...metadata, namespace: "default" };
    }
    return result;
}

/**
 * What the API server refuses to change although the provider sends it, worded as it does.
 * Source: the update validations of kubernetes/kubernetes (pkg/apis, validation.go of each group), seen on a real API server (1.36).
 *
 * @param live What the API server holds, with status.
 */
export function refusedUpdates(kind: Kind, live: Manifest, news: Manifest): string | undefined {
    const problems = refusals[`${kind.apiVersion}/${kind.kind}`]?.(live, news) ?? [];
    const [first] = problems;
    return first === undefined
        ? undefined
        : `${qualifiedKind(kind)} "${nameOf(live)}" is invalid: ${problems.join(", ")}`;
}

type Refusal = (live: Manifest, news: Manifest) => string[];

const refusals: Record<string, Refusal> = {
    "storage.k8s.io/v1/StorageClass": (live, news) => [
        ...((live.reclaimPolicy ?? "Delete") !== (news.reclaimPolicy ?? "Delete")
            ? ["reclaimPolicy: Forbidden: updates to reclaimPolicy are forbidden."]
            : []),
        ...((live.volumeBindingMode ?? "Immediate") !== (news.volumeBindingMode ?? "Immediate")
            ? ["volumeBindingMode: Invalid value: field is immutable"]
            : []),
        ...(same(live.parameters, news.parameters)
            ? []
            : ["parameters: Forbidden: updates to parameters are forbidden."]),
        ...(live.provisioner === news.provisioner
            ? []
            : ["provisioner: Forbidden: updates to provisioner are forbidden."]),
    ],
    "storage.k8s.io/v1/VolumeAttributesClass": (live, news) =>
        ["driverName", "parameters"]
            .filter((field) => !same(live[field], news[field]))
            .map((field) => `${field}: Forbidden: updates to ${field} are forbidden.`),
    "v1/PersistentVolumeClaim": refuseClaim,
    "v1/PersistentVolume": (live, news) => [
        ...(same(source(live), source(news))
            ? []
            : ["spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"]),
        ...((at(live, "spec", "volumeMode") ?? "Filesystem") === (at(news, "spec", "volumeMode") ?? "Filesystem")
            ? []
            : ["spec.volumeMode: Invalid value: field is immutable"]),
        ...(at(live, "spec", "nodeAffinity") === undefined ||
        same(at(live, "spec", "nodeAffinity"), at(news, "spec", "nodeAffinity"))
            ? []
            : ["spec.nodeAffinity: Invalid value: field is immutable, except for updating from beta label to GA"]),
    ],
    "apps/v1/Deployment": immutable("spec.selector"),
    "apps/v1/DaemonSet": immutable("spec.selector"),
    "apps/v1/StatefulSet": (live, news) => {
        const free = new Set([
            "replicas",
            "ordinals",
            "template",
            "updateStrategy",
            "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
        ]);
        const fields = new Set([...Object.keys(record(live.spec)), ...Object.keys(record(news.spec))]);
        return [...fields].some((field) => !free.has(field) && !same(at(live, "spec", field), at(news, "spec", field)))
            ? [
                  "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', " +
                      "'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
              ]
            : [];
    },
    "batch/v1/Job": immutable(
        "spec.selector",
        "spec.template",
        "spec.completions",
        "spec.completionMode",
        "spec.podFailurePolicy",
        "spec.backoffLimitPerIndex",
        "spec.successPolicy",
        "spec.managedBy",
    ),
    "v1/Secret": refuseSealed(["data", "stringData"], true),
    "v1/ConfigMap": refuseSealed(["data", "binaryData"], false),
    "v1/Service": (live, news) => [
        ...(at(news, "spec", "clusterIP") === undefined ||
        at(live, "spec", "clusterIP") === at(news, "spec", "clusterIP")
            ? []
            : ["spec.clusterIPs[0]: Invalid value: may not change once set"]),
        ...(at(live, "spec", "loadBalancerClass") === undefined ||
        at(live, "spec", "loadBalancerClass") === at(news, "spec", "loadBalancerClass")
            ? []
            : ["spec.loadBalancerClass: Invalid value: may not change once set"]),
    ],
    "rbac.authorization.k8s.io/v1/RoleBinding": immutableTop("roleRef", "cannot change roleRef"),
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": immutableTop("roleRef", "cannot change roleRef"),
    "scheduling.k8s.io/v1/PriorityClass": immutableTop("value", "Forbidden: may not be changed in an update."),
    "networking.k8s.io/v1/IngressClass": (live, news) =>
        at(live, "spec", "controller") === at(news, "spec", "controller")
            ? []
            : ["spec.controller: Invalid value: field is immutable"],
    "snapshot.storage.k8s.io/v1/VolumeSnapshot": (live, news) =>
        same(at(live, "spec", "source"), at(news, "spec", "source"))
            ? []
            : ["spec.source: Invalid value: field is immutable"],
};

function immutable(...paths: string[]): Refusal {
    return (live, news) =>
        paths
            .filter((path) => !same(at(live, ...path.split(".")), at(news, ...path.split("."))))
            .map((path) => `${path}: Invalid value: field is immutable`);
}

function immutableTop(field: string, message: string): Refusal {
    return (live, news) => (same(live[field], news[field]) ? [] : [`${field}: ${message}`]);
}

/** Immutable Secrets and ConfigMaps: neither their data nor the flag can be taken back. */
function refuseSealed(fields: string[], secret: boolean): Refusal {
    return (live, news) => {
        if (live.immutable !== true) {
            return [];
        }
        const message = "Forbidden: field is immutable when `immutable` is set";
        const now = secret ? { data: withStringData(news) } : record(news);
        return [
            ...(news.immutable === true ? [] : [`immutable: ${message}`]),
            ...fields
                .filter((field) => field !== "stringData" && !same(live[field], (now as Properties)[field]))
                .map((field) => `${field}: ${message}`),
        ];
    };
}

/** `stringData` is merged into `data` by the API server and never given back. */
export function withStringData(secret: Manifest): Properties {
    const data = { ...record(secret.data) };
    for (const [key, value] of Object.entries(record(secret.stringData))) {
        data[key] = typeof value === "string" ? Buffer.from(value).toString("base64") : value;
    }
    return data;
}

function source(volume: Manifest): Properties {
    const spec = record(volume.spec);
    return Object.fromEntries(Object.entries(spec).filter(([field]) => volumeSources.includes(field)));
}

function refuseClaim(live: Manifest, news: Manifest): string[] {
    const bound = at(live, "status", "phase") === "Bound";
    const oldSize = quantity(at(live, "spec", "resources", "requests", "storage"));
    const newSize = quantity(at(news, "spec", "resources", "requests", "storage"));
    const actual = quantity(at(live, "status", "capacity", "storage"));
    const frozen = (claim: Manifest): Properties =>
        Object.fromEntries(
            Object.entries(record(claim.spec))
                .filter(([field]) => !["volumeName", "volumeMode", "storageClassName", "dataSourceRef"].includes(field))
                .map(([field, value]) => {
                    if (field === "resources" && bound) {
                        return [field, { ...record(value), requests: undefined }];
                    }
                    return [field, field === "volumeAttributesClassName" && bound ? undefined : value];
                }),
        );
    const changed =
        !same(frozen(live), frozen(news)) ||
        ["volumeMode", "storageClassName", "volumeName"].some(
            (field) => at(news, "spec", field) !== undefined && at(news, "spec", field) !== at(live, "spec", field),
        );
    if (changed) {
        return [
            "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ];
    }
    if (bound && actual !== undefined && newSize !== undefined && newSize < actual) {
        return ["spec.resources.requests.storage: Forbidden: field can not be less than status.capacity"];
    }
    return !bound && oldSize !== newSize
        ? [
              "spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
          ]
        : [];
}

/** The fields of a claim, as lists for messages. */
export function accessModes(claim: Manifest): string[] {
    return list(at(claim, "spec", "accessModes")).filter((mode): mode is string => typeof mode === "string");
}
