import * as yaml from "js-yaml";
import * as fs from "node:fs";
import type { CheckFailure, Properties } from "../../shell/type";
import { isObject, list, text } from "../../shell/values";

/**
 * The values of a release: its `valueYamlFiles`, later ones above earlier ones, and `values` above all of them.
 * Source: @pulumi/kubernetes, helm/v3/release.d.ts; pulumi-kubernetes, provider/pkg/provider/helm_release.go.
 */
export function valuesOf(inputs: Properties): Properties {
    const files = list(inputs.valueYamlFiles).map((asset) => {
        try {
            return read(asset);
        } catch {
            return {}; // Refused when the release was checked; read again when files may be gone.
        }
    });
    return [...files, inputs.values].filter(isObject).reduce<Properties>(merge, {});
}

/** Files that cannot be read, or hold no values. */
export function valueFileProblems(inputs: Properties): CheckFailure[] {
    if (inputs.valueYamlFiles !== undefined && !Array.isArray(inputs.valueYamlFiles)) {
        return [{ property: "valueYamlFiles", reason: "expected a list of assets" }];
    }
    return list(inputs.valueYamlFiles).flatMap((asset, index) => {
        try {
            read(asset);
            return [];
        } catch (error) {
            const reason = error instanceof Error ? error.message.split("\n")[0] : String(error);
            return [{ property: `valueYamlFiles[${index}]`, reason }];
        }
    });
}

/** The value files that a rehearsal does not fetch. */
export function unreadFiles(inputs: Properties): string[] {
    return list(inputs.valueYamlFiles).flatMap((asset) => (isObject(asset) ? (text(asset.uri) ?? []) : []));
}

/** Paths are relative to the program's folder, as for the real provider: the process works there. */
function read(asset: unknown): Properties {
    if (!isObject(asset)) {
        if (typeof asset === "symbol") {
            return {};
        }
        throw new Error("expected an asset: a file, or a text");
    }
    const [path, content] = [text(asset.path), text(asset.text)];
    const source = path ? fs.readFileSync(path, "utf8") : content;
    const values = source === undefined ? {} : (yaml.load(source) ?? {});
    if (!isObject(values)) {
        throw new Error("expected YAML with a map of values");
    }
    return values;
}

function merge(below: Properties, above: Properties): Properties {
    const merged = { ...below };
    for (const [key, value] of Object.entries(above)) {
        const there = merged[key];
        merged[key] = isObject(there) && isObject(value) ? merge(there, value) : value;
    }
    return merged;
}
