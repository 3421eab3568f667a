import type { Properties } from "../../shell/type";
import type { WorldObject } from "../../shell/world";
import type { Kind } from "./kinds";
import { at, record, strings, text } from "./value";

/** A live object as the API server holds it: the manifest with defaults and status. */
export type Manifest = Properties;

export function nameOf(manifest: Manifest): string {
    return text(at(manifest, "metadata", "name")) ?? "";
}

export function namespaceOf(manifest: Manifest): string {
    return text(at(manifest, "metadata", "namespace")) || "default";
}

export function labelsOf(manifest: Manifest): Record<string, string> {
    return strings(at(manifest, "metadata", "labels"));
}

export function annotationsOf(manifest: Manifest): Record<string, string> {
    return strings(at(manifest, "metadata", "annotations"));
}

export function specOf(manifest: Manifest): Properties {
    return record(manifest.spec);
}

/** `namespace/name`, or the name alone where the kind has no namespace: Pulumi's id and the API server's key. */
export function idOf(namespaced: boolean, manifest: Manifest): string {
    return namespaced ? `${namespaceOf(manifest)}/${nameOf(manifest)}` : nameOf(manifest);
}

/** An object of the world together with its kind. */
export interface Live {
    kind: Kind;
    manifest: Manifest;
    object: WorldObject;
}
