import { readFileSync } from "node:fs";
import * as path from "node:path";
import { loadAll } from "js-yaml";
import type { Properties } from "../../shell/type";
import { isObject, text } from "../../shell/values";

/** The objects of YAML text; `List` objects are taken apart, as the provider does. */
export function parseManifests(yaml: string): Properties[] {
    return loadAll(yaml).flatMap((document) => flatten(document));
}

function flatten(document: unknown): Properties[] {
    if (!isObject(document)) {
        return [];
    }
    if (typeof document.kind === "string" && document.kind.endsWith("List") && Array.isArray(document.items)) {
        return document.items.flatMap(flatten);
    }
    if (typeof document.apiVersion !== "string" || typeof document.kind !== "string") {
        throw new Error("a document of the YAML has no apiVersion and kind");
    }
    return [document];
}

/** All that a `ConfigFile` or `ConfigGroup` (v2) is given: objects, YAML text, files of this machine. */
export function manifestsOf(inputs: Properties): Properties[] {
    const yaml = [inputs.yaml].flat().filter((one) => typeof one === "string" && one !== "");
    const files = [text(inputs.file), ...[inputs.files ?? []].flat()].filter(
        (one): one is string => typeof one === "string",
    );
    return [inputs.objs ?? []]
        .flat()
        .flatMap(flatten)
        .concat(
            yaml.flatMap((one) => parseManifests(String(one))),
            files.flatMap((file) => {
                if (/^https?:/.test(file)) {
                    throw new Error(
                        `${file}: the rehearsal reads no manifests from the network; keep a copy beside the program`,
                    );
                }
                if (!path.isAbsolute(file)) {
                    // The real plugin runs in the program's folder; one process serves all programs here.
                    throw new Error(
                        `${file}: give the rehearsal an absolute path (path.resolve(…)), or the text as yaml`,
                    );
                }
                return parseManifests(readFileSync(file, "utf8"));
            }),
        );
}
