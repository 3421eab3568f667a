import { isObject, same } from "../../shell/values";
import type { Manifest } from "./object";
import { copy } from "./value";

const identity = new Set(["apiVersion", "kind"]);

/** Server-side apply of some fields on an object: maps are merged, everything else is taken over. */
export function applyPatch(target: Manifest, patch: Manifest): Manifest {
    const result = copy(target);
    for (const [key, value] of Object.entries(patch)) {
        if (identity.has(key) || value === undefined || value === null) {
            continue;
        }
        const before = result[key];
        result[key] = isObject(before) && isObject(value) ? applyPatch(before, value) : copy(value);
    }
    return result;
}

/** Takes back what a patch had set and nothing has changed since. Name and namespace are not fields that one owns. */
export function withdrawPatch(target: Manifest, patch: Manifest, path = ""): Manifest {
    const result = copy(target);
    for (const [key, value] of Object.entries(patch)) {
        const here = path ? `${path}.${key}` : key;
        if (identity.has(key) || here === "metadata.name" || here === "metadata.namespace") {
            continue;
        }
        const now = result[key];
        if (isObject(now) && isObject(value)) {
            result[key] = withdrawPatch(now, value, here);
        } else if (same(now, value)) {
            delete result[key];
        }
    }
    return result;
}
