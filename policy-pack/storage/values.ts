import { isUnknown, UNKNOWN, type Unknown } from "../plain";

export type Tree = Record<string, unknown>;

/** A piece of text that may not be known yet; undefined when there is none. */
export type Text = string | Unknown | undefined;

export function isTree(value: unknown): value is Tree {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value of a key, if the object has it; null counts as absent, an unknown object makes all its values unknown. */
export function get(value: unknown, ...keys: string[]): unknown {
    let here = value;
    for (const key of keys) {
        if (isUnknown(here)) {
            return UNKNOWN;
        }
        here = isTree(here) && Object.hasOwn(here, key) ? here[key] : undefined;
    }
    return here ?? undefined;
}

export function text(value: unknown): Text {
    return typeof value === "string" || isUnknown(value) ? value : undefined;
}

/** The elements of a list with their indexes; a single value counts as a list of one. */
export function elements(value: unknown): [unknown, number][] {
    if (value === undefined || value === null) {
        return [];
    }
    return Array.isArray(value) ? value.map((element, index) => [element, index]) : [[value, 0]];
}

/** Joins a path and what comes below it. */
export function under(path: string, ...keys: (string | number)[]): string {
    return keys.reduce<string>((sum, key) => {
        if (typeof key === "number") {
            return `${sum}[${key}]`;
        }
        const step = /^[\w-]+$/.test(key) ? key : JSON.stringify(key);
        return step === key ? (sum === "" ? key : `${sum}.${key}`) : `${sum}[${step}]`;
    }, path);
}

/** The values of a key in any case: drivers lower the keys of parameters. */
export function anyCase(value: unknown, key: string): { key: string; value: unknown }[] {
    return isTree(value)
        ? Object.entries(value)
              .filter(([name, one]) => name.toLowerCase() === key.toLowerCase() && one !== null && one !== undefined)
              .map(([name, one]) => ({ key: name, value: one }))
        : [];
}

/** What Go's strconv.ParseBool reads; undefined for anything else. */
export function parseBool(value: unknown): boolean | undefined {
    if (typeof value === "boolean") {
        return value;
    }
    if (["1", "t", "T", "TRUE", "true", "True"].includes(value as string)) {
        return true;
    }
    return ["0", "f", "F", "FALSE", "false", "False"].includes(value as string) ? false : undefined;
}

/** Whether a value is not known yet, or is a text that something else fills in (`{{ … }}`, `${…}`, `$(…)`). */
export function placeholder(value: unknown): boolean {
    return isUnknown(value) || (typeof value === "string" && /\{\{|\$\{|\$\(/.test(value));
}

/** A text, number, or truth value as a text; anything else (it may hold what cannot be a text) as undefined. */
export function scalar(value: unknown): string | undefined {
    return ["string", "number", "boolean"].includes(typeof value) ? String(value) : undefined;
}

/** What stands at a key that should hold an object or a list, in messages; never the value itself. */
export function shapeOf(value: unknown): string {
    return value === null
        ? "null"
        : Array.isArray(value)
          ? "a list"
          : typeof value === "object"
            ? "an object"
            : `a ${typeof value}`;
}
