import { readFileSync } from "node:fs";
import * as path from "node:path";
import { FAILSAFE_SCHEMA, loadAll, Type } from "js-yaml";
import type { Properties } from "../../shell/type";
import { isObject, text } from "../../shell/values";

const truths: Record<string, boolean | undefined> = Object.fromEntries(
    ["y yes true on", "n no false off"].flatMap((words, index) =>
        words
            .split(" ")
            .flatMap((word) => [word, word.toUpperCase(), word[0].toUpperCase() + word.slice(1)])
            .map((word) => [word, index === 0]),
    ),
);

const integer = /^([-+]?)(0b[01]+|0x[\da-fA-F]+|0o?[0-7]+|0|[1-9]\d*)$/;

function readInteger(text: string): number {
    const [, sign, digits] = integer.exec(text.replaceAll("_", "")) ?? [];
    const value = /^0\d/.test(digits) ? parseInt(digits, 8) : Number(digits);
    return sign === "-" ? -value : value;
}

const decimal = /^[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?$/;

function plain(tag: string, fits: (text: string) => boolean, read: (text: string) => unknown): Type {
    const resolve = (text: unknown): boolean => typeof text === "string" && fits(text);
    return new Type(`tag:yaml.org,2002:${tag}`, { kind: "scalar", resolve, construct: read });
}

/**
 * YAML as the provider and `kubectl` read it, which is YAML 1.1 in places: `0755` is octal, `yes` and `off` are booleans, dates are
 * text. Source: go.yaml.in/yaml/v2, resolve.go (behind k8s.io/apimachinery/pkg/util/yaml).
 */
const kubernetesYaml = FAILSAFE_SCHEMA.extend({
    implicit: [
        plain(
            "null",
            (text) => ["", "~", "null", "Null", "NULL"].includes(text),
            () => null,
        ),
        plain(
            "merge",
            (text) => text === "<<",
            (text) => text,
        ),
        plain(
            "bool",
            (text) => truths[text] !== undefined,
            (text) => truths[text],
        ),
        plain("int", (text) => integer.test(text.replaceAll("_", "")), readInteger),
        plain(
            "float",
            (text) => decimal.test(text.replaceAll("_", "")),
            (text) => Number(text.replaceAll("_", "")),
        ),
    ],
});

/** The objects of YAML text; `List` objects are taken apart, as the provider does. */
export function parseManifests(yaml: string): Properties[] {
    return loadAll(yaml, null, { schema: kubernetesYaml }).flatMap((document) => flatten(document));
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
