import { interfaceOf, versionsOf } from "./shapes";

/** What names a kind of object: its API version as manifests write it (`v1`, `apps/v1`) and its kind. */
export interface Kind {
    apiVersion: string;
    kind: string;
}

/** Kinds without a namespace. Source: `kubectl api-resources --namespaced=false` of Kubernetes 1.36 and the CRDs of the charts here. */
const clusterScoped = new Set([
    "Namespace",
    "Node",
    "PersistentVolume",
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "CustomResourceDefinition",
    "APIService",
    "CertificateSigningRequest",
    "FlowSchema",
    "PriorityLevelConfiguration",
    "IngressClass",
    "RuntimeClass",
    "ClusterRole",
    "ClusterRoleBinding",
    "PriorityClass",
    "CSIDriver",
    "CSINode",
    "StorageClass",
    "VolumeAttachment",
    "VolumeAttributesClass",
    "VolumeSnapshotClass",
    "VolumeSnapshotContent",
    "VolumeGroupSnapshotClass",
    "VolumeGroupSnapshotContent",
    "ClusterTriggerAuthentication",
    "IngressClassParams",
    "GatewayClass",
    "NodePool",
    "EC2NodeClass",
    "NodeClass",
    "CNINode",
    "ClusterIssuer",
]);

export function isNamespaced(kind: string): boolean {
    return !clusterScoped.has(kind.replace(/Patch$/, ""));
}

/** The Pulumi type token: `kubernetes:core/v1:Secret`, `kubernetes:apps/v1:Deployment`. */
export function tokenOf({ apiVersion, kind }: Kind): string {
    return `kubernetes:${apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`}:${kind}`;
}

/** The kind that a token stands for; `undefined` for components and for what is no object (Helm releases). */
export function kindOf(token: string): Kind | undefined {
    const [packageName, group, kind] = token.split(":");
    if (packageName !== "kubernetes" || !group || !kind || !/\/v\d/.test(group)) {
        return undefined;
    }
    if (/^(helm\.sh|yaml|kustomize|pulumi)\b/.test(group)) {
        return undefined;
    }
    return { apiVersion: group.startsWith("core/") ? group.slice("core/".length) : group, kind };
}

/** Whether Kubernetes itself has, or once had, the kind: no CustomResourceDefinition brings it. */
export function isBuiltIn(kind: Kind): boolean {
    return interfaceOf(kind.apiVersion, kind.kind.replace(/Patch$/, "")) !== undefined;
}

/**
 * The minor version of Kubernetes that first served a stable kind, for those that are younger than the oldest cluster of EKS.
 * Source: kubernetes/kubernetes, `k8s:prerelease-lifecycle-gen:introduced` in k8s.io/api.
 */
const servedSince: Record<string, number> = {
    "networking.k8s.io/v1/IPAddress": 33,
    "networking.k8s.io/v1/ServiceCIDR": 33,
    "resource.k8s.io/v1/DeviceClass": 34,
    "resource.k8s.io/v1/ResourceClaim": 34,
    "resource.k8s.io/v1/ResourceClaimTemplate": 34,
    "resource.k8s.io/v1/ResourceSlice": 34,
    "storage.k8s.io/v1/VolumeAttributesClass": 34,
    "admissionregistration.k8s.io/v1/MutatingAdmissionPolicy": 36,
    "admissionregistration.k8s.io/v1/MutatingAdmissionPolicyBinding": 36,
    "certificates.k8s.io/v1/ClusterTrustBundle": 37,
    "certificates.k8s.io/v1/PodCertificateRequest": 37,
    "resource.k8s.io/v1/DeviceTaintRule": 37,
    "storagemigration.k8s.io/v1/StorageVersionMigration": 37,
};

/** Beta kinds that EKS serves all the same, and up to which minor version. Source: EKS user guide, release notes of 1.31. */
const servedBetas: Record<string, number> = {
    "storage.k8s.io/v1beta1/VolumeAttributesClass": 36,
    "flowcontrol.apiserver.k8s.io/v1beta3/FlowSchema": 31,
    "flowcontrol.apiserver.k8s.io/v1beta3/PriorityLevelConfiguration": 31,
};

/**
 * Whether the API server of a minor version serves a built-in kind. Alpha and beta versions are off unless somebody turns them on.
 * Source: kubernetes/kubernetes, pkg/controlplane/instance.go (`DefaultAPIResourceConfigSource`).
 */
export function isServed(kind: Kind, minor: number): boolean {
    const key = `${kind.apiVersion}/${kind.kind.replace(/Patch$/, "")}`;
    const stable = /(^|\/)v\d+$/.test(kind.apiVersion);
    return isBuiltIn(kind) && (stable ? minor >= (servedSince[key] ?? 0) : minor <= (servedBetas[key] ?? 0));
}

/** The API version in which a cluster serves a kind that it does not serve in the version asked for. */
export function servedInstead({ kind }: Kind, minor: number): string | undefined {
    return versionsOf(kind).find((apiVersion) => isServed({ apiVersion, kind }, minor));
}

/** Resources such as `DeploymentPatch`: server-side apply on an object that something else made. */
export function isPatch(kind: Kind): boolean {
    return (
        kind.kind.endsWith("Patch") && interfaceOf(kind.apiVersion, kind.kind.slice(0, -"Patch".length)) !== undefined
    );
}

/** The plural that the API server uses in messages: `deployments.apps`, `storageclasses.storage.k8s.io`. */
export function resourceName({ apiVersion, kind }: Kind): string {
    const lower = kind.toLowerCase();
    const plural = /(s|x|ch|sh)$/.test(lower)
        ? `${lower}es`
        : /[^aeiou]y$/.test(lower)
          ? `${lower.slice(0, -1)}ies`
          : `${lower}s`;
    return apiVersion.includes("/") ? `${plural}.${apiVersion.split("/")[0]}` : plural;
}

/** `Deployment.apps`, as messages about invalid objects name a kind. */
export function qualifiedKind({ apiVersion, kind }: Kind): string {
    return apiVersion.includes("/") ? `${kind}.${apiVersion.split("/")[0]}` : kind;
}
