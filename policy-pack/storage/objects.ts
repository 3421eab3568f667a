import type { Resource } from "../rule";
import type { KubernetesObject, Place } from "./model";
import { elements, get, isTree, text, under, type Tree } from "./values";

/** Kinds that describe objects instead of being any: what looks like a claim in them is none. */
const describing = new Set([
    "apiextensions.k8s.io",
    "admissionregistration.k8s.io",
    "kyverno.io",
    "policies.kyverno.io",
    "templates.gatekeeper.sh",
    "constraints.gatekeeper.sh",
    "mutations.gatekeeper.sh",
    "apiregistration.k8s.io",
]);
const describingKinds = new Set(["StorageProfile", "Event", "ConfigMap", "Secret", "Lease", "ControllerRevision"]);

export function isDescribing({ group, kind }: Pick<KubernetesObject, "group" | "kind">): boolean {
    return describing.has(group) || describingKinds.has(kind);
}

/** Splits `kubernetes:storage.k8s.io/v1:StorageClass` into API version and kind; undefined for other types. */
export function kubernetesType(type: string): { apiVersion: string; kind: string } | undefined {
    const match = /^kubernetes:(.+):([^:]+)$/.exec(type);
    return match ? { apiVersion: match[1], kind: match[2] } : undefined;
}

/** Objects that Pulumi itself makes of files and charts: what is in them appears as their children. */
export function isContainer({ type }: Resource): boolean {
    return /^kubernetes:(yaml|yaml\/v2|kustomize|kustomize\/v2|helm\.sh\/v\d+):(ConfigFile|ConfigGroup|Directory|Chart)$/.test(
        type,
    );
}

/** The object (or, of a list, objects) that a body stands for. What has no name for its kind is passed on with what its place says. */
export function objectsIn(place: Place, body: unknown, apiVersion: string, kind: string): KubernetesObject[] {
    if (!isTree(body)) {
        return [];
    }
    const list = kind !== "List" && kind.endsWith("List") && Array.isArray(get(body, "items"));
    if (kind === "List" || list) {
        return elements(get(body, "items")).flatMap(([item, index]) => {
            const where = { ...place, path: under(place.path, "items", index) };
            const itemVersion = text(get(item, "apiVersion"));
            const itemKind = text(get(item, "kind"));
            return objectsIn(
                where,
                item,
                typeof itemVersion === "string" ? itemVersion : apiVersion,
                typeof itemKind === "string" ? itemKind : list ? kind.slice(0, -"List".length) : "",
            );
        });
    }
    const metadata = get(body, "metadata");
    const patch = kind.endsWith("Patch") && kind !== "Patch";
    return [
        {
            ...place,
            group: groupOf(apiVersion),
            kind: patch ? kind.slice(0, -"Patch".length) : kind,
            name: text(get(metadata, "name")),
            namespace: text(get(metadata, "namespace")),
            annotations: get(metadata, "annotations"),
            body: body as Tree,
            patch,
        },
    ];
}

/** The core group has no name in manifests and is called `core` in Pulumi's types. */
function groupOf(apiVersion: string): string {
    const group = apiVersion.includes("/") ? apiVersion.slice(0, apiVersion.lastIndexOf("/")) : "";
    return group === "core" ? "" : group;
}

/** Whether an object found inside another is a whole Kubernetes object, and not a reference to one. */
export function looksLikeObject(value: unknown): value is Tree & { apiVersion: string; kind: string } {
    return (
        isTree(value) &&
        typeof value.apiVersion === "string" &&
        typeof value.kind === "string" &&
        ["spec", "provisioner", "items", "template", "webhooks", "data", "stringData"].some(
            (key) => get(value, key) !== undefined,
        )
    );
}
