import type * as Yaml from "js-yaml";
import { isTree } from "./values";

let parser: typeof Yaml | undefined;

/** More than any real file holds; aliases of YAML can make a few lines into billions, or refer to themselves. */
const mostNodes = 200_000;

/** The documents of a YAML or JSON text; undefined when it is neither, or without end. The parser is loaded when it is first needed. */
export function documents(text: string): unknown[] | undefined {
    try {
        const found = parsed(text);
        return nodesLeft(found, mostNodes) < 0 ? undefined : found;
    } catch {
        return undefined;
    }
}

function parsed(text: string): unknown[] {
    try {
        return [JSON.parse(text)];
    } catch {
        // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded when it is first needed
        parser ??= require("js-yaml") as typeof Yaml;
        return parser.loadAll(text) as unknown[];
    }
}

/** How many of so many nodes are left when a value is written out, aliases and all; negative when it has more. */
function nodesLeft(value: unknown, most: number): number {
    let left = most - 1;
    for (const inner of typeof value === "object" && value !== null ? (Object.values(value) as unknown[]) : []) {
        if (left < 0) {
            break;
        }
        left = nodesLeft(inner, left);
    }
    return left;
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
