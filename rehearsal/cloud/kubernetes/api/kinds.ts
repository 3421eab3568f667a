import { interfaceOf } from "./shapes";

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

/** Whether the API server serves the kind without any CustomResourceDefinition. */
export function isBuiltIn(kind: Kind): boolean {
    return interfaceOf(kind.apiVersion, kind.kind.replace(/Patch$/, "")) !== undefined;
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
