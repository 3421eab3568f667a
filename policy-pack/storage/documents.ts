import type * as Yaml from "js-yaml";
import { isTree } from "./values";

let parser: typeof Yaml | undefined;

/** The documents of a YAML or JSON text; undefined when it is neither. The parser is loaded when it is first needed. */
export function documents(text: string): unknown[] | undefined {
    try {
        return [JSON.parse(text)];
    } catch {
        // no JSON: YAML then
    }
    try {
        // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded when it is first needed
        parser ??= require("js-yaml") as typeof Yaml;
        return parser.loadAll(text) as unknown[];
    } catch {
        return undefined;
    }
}

/** One YAML or JSON object; undefined when the text is something else. An empty text is an empty object. */
export function document(text: string): Record<string, unknown> | undefined {
    if (text.trim() === "") {
        return {};
    }
    const all = documents(text);
    const [first = {}] = all ?? [undefined];
    return all?.length === 1 || all?.length === 0
        ? first === null
            ? {}
            : isTree(first)
              ? first
              : undefined
        : undefined;
}
