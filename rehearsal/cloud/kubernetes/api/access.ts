import { CloudError } from "../../shell/type";
import { Kinds, type Cluster } from "../cluster";
import { isNamespaced, isServed, qualifiedKind, resourceName, servedInstead, type Kind } from "./kinds";
import { nameOf, namespaceOf, type Manifest } from "./object";
import { at, record, records, text } from "./value";

/** Throws when the API server cannot be reached or does not know who asks. */
export function reach(cluster: Cluster): void {
    const eks = cluster.eks;
    if (!eks) {
        throw new CloudError(
            "Unreachable",
            "configured Kubernetes cluster is unreachable: unable to load schema information from the API server: " +
                (cluster.name
                    ? `the EKS cluster "${cluster.name}" does not exist (any more)`
                    : "the kubeconfig names no cluster of the simulated cloud"),
        );
    }
    if (!isAdmitted(cluster)) {
        throw new CloudError(
            "Unauthorized",
            `the server has asked for the client to provide credentials: nobody has an access entry with an access policy in "${cluster.name}"`,
        );
    }
}

/**
 * Who made the cluster is its administrator unless `bootstrapClusterCreatorAdminPermissions` is false; else an access
 * entry with an associated access policy is needed. Source: EKS user guide, "Grant IAM users access to Kubernetes".
 */
function isAdmitted(cluster: Cluster): boolean {
    const access = record(cluster.eks?.outputs.accessConfig);
    if (access.bootstrapClusterCreatorAdminPermissions !== false) {
        return true;
    }
    return (
        access.authenticationMode === "CONFIG_MAP" ||
        cluster.aws
            .all("aws:eks/accessPolicyAssociation:AccessPolicyAssociation")
            .some((association) => association.inputs.clusterName === cluster.name)
    );
}

/** Whether the API server has the kind in that version, by itself or by a CustomResourceDefinition. */
export function serves(cluster: Cluster, kind: Kind): boolean {
    if (isServed(kind, cluster.minor)) {
        return true;
    }
    const [group, version] = kind.apiVersion.includes("/") ? kind.apiVersion.split("/") : ["", kind.apiVersion];
    return cluster
        .manifests(Kinds.CustomResourceDefinition)
        .some(
            (one) =>
                at(one, "spec", "group") === group &&
                at(one, "spec", "names", "kind") === kind.kind &&
                records(at(one, "spec", "versions")).some(
                    (served) => served.name === version && served.served !== false,
                ),
        );
}

/** Throws when the API server does not serve the kind. */
export function served(cluster: Cluster, kind: Kind): void {
    if (serves(cluster, kind)) {
        return;
    }
    const instead = servedInstead(kind, cluster.minor);
    throw new CloudError(
        "NoMatch",
        `creation of resource with kind ${kind.apiVersion}/${kind.kind} failed because the Kubernetes API server reported that the ` +
            `apiVersion for this resource does not exist. Verify that any required CRDs have been created: no matches for kind "${kind.kind}" in version "${kind.apiVersion}"` +
            (instead ? ` (Kubernetes 1.${cluster.minor} serves it in ${instead})` : ""),
    );
}

/** Throws when the namespace of an object is not there, or about to go. */
export function inNamespace(cluster: Cluster, kind: Kind, manifest: Manifest): void {
    if (!isNamespaced(kind.kind)) {
        return;
    }
    const name = namespaceOf(manifest);
    const namespace = cluster.manifest(Kinds.Namespace, "", name);
    if (!namespace) {
        throw new CloudError("NotFound", `namespaces "${name}" not found`);
    }
    if (at(namespace, "metadata", "deletionTimestamp") !== undefined) {
        throw new CloudError(
            "Forbidden",
            `${resourceName(kind)} "${nameOf(manifest)}" is forbidden: unable to create new content in namespace ${name} because it is being terminated`,
        );
    }
}

/** Throws when an object of that name is there (pulumi-kubernetes 4.29 and later create, they do not adopt). */
export function absent(cluster: Cluster, kind: Kind, manifest: Manifest): void {
    const there = cluster.get(kind, namespaceOf(manifest), nameOf(manifest));
    if (there) {
        const leaving = at(there.outputs, "metadata", "deletionTimestamp") !== undefined;
        throw new CloudError(
            "AlreadyExists",
            `${resourceName(kind)} "${nameOf(manifest)}" already exists${leaving ? ": object is being deleted" : ""}`,
        );
    }
}

/** What object count quotas and references refuse at admission. Source: "Admission Controllers". */
export function admit(cluster: Cluster, kind: Kind, manifest: Manifest): void {
    const pod = kind.kind === "Pod" ? record(manifest.spec) : record(at(manifest, "spec", "template", "spec"));
    const priority = text(pod.priorityClassName);
    // Only pods are looked at: a Deployment is taken, and its pods are refused.
    if (kind.kind === "Pod" && priority && !hasPriority(cluster, priority)) {
        throw new CloudError(
            "Forbidden",
            `pods "${nameOf(manifest)}" is forbidden: no PriorityClass with name ${priority} was found`,
        );
    }
    if (kind.kind === "Pod") {
        const account = text(pod.serviceAccountName) ?? text(pod.serviceAccount) ?? "default";
        if (!cluster.get(Kinds.ServiceAccount, namespaceOf(manifest), account)) {
            throw new CloudError(
                "Forbidden",
                `pods "${nameOf(manifest)}" is forbidden: error looking up service account ${namespaceOf(manifest)}/${account}: serviceaccount "${account}" not found`,
            );
        }
    }
}

export function hasPriority(cluster: Cluster, name: string): boolean {
    return name.startsWith("system-") || cluster.get(Kinds.PriorityClass, "", name) !== undefined;
}

export function describe(kind: Kind, manifest: Manifest): string {
    return `${qualifiedKind(kind)} "${nameOf(manifest)}"`;
}
