import { isTree, isUnknown, UNKNOWN, type Unknown } from "../plain";

/** What is neither a truth value nor a spelling of one. */
export const MALFORMED: unique symbol = Symbol("malformed");
export type Malformed = typeof MALFORMED;

export type Tree = Record<string, unknown>;

export { isTree };

/** Why something that preview does not know is left over. */
export const UNTIL_UP = "its value is known only after `up` has made what it comes from";

/** Follows a path; an unknown value anywhere on it makes the whole unknown, a missing one `undefined`. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
    let here = value;
    for (const step of path) {
        if (isUnknown(here)) {
            return UNKNOWN;
        }
        if (here === null || typeof here !== "object" || !Object.hasOwn(here, step)) {
            return undefined;
        }
        here = (here as Record<string | number, unknown>)[step];
    }
    return here ?? undefined;
}

/** A list as it is, a single value as a list of one, nothing as an empty list. */
export function items(value: unknown): unknown[] {
    if (value === undefined || value === null) {
        return [];
    }
    return Array.isArray(value) ? value : [value];
}

/** One entry of a block that providers take as an object or as a list of objects, with its path. */
export function blocks(value: unknown, path: string): { value: unknown; path: string }[] {
    if (Array.isArray(value)) {
        return value.map((entry, index) => ({ value: entry, path: `${path}[${index}]` }));
    }
    return value === undefined || value === null ? [] : [{ value, path }];
}

/**
 * A truth value as the AWS provider reads it: booleans, and the strings that it converts to them. Kubernetes and CSI
 * drivers are stricter; do not use it for them.
 */
export function truth(value: unknown): boolean | undefined | Unknown | Malformed {
    if (value === undefined || value === null || value === "") {
        return undefined;
    }
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    if (typeof value === "boolean") {
        return value;
    }
    if (typeof value === "string") {
        if (["1", "t", "T", "true", "True", "TRUE"].includes(value)) {
            return true;
        }
        if (["0", "f", "F", "false", "False", "FALSE"].includes(value)) {
            return false;
        }
    }
    return MALFORMED;
}

/** A string, also when a number was written; `undefined` for anything else. */
export function text(value: unknown): string | undefined | Unknown {
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    if (typeof value === "string") {
        return value === "" ? undefined : value;
    }
    return typeof value === "number" && Number.isFinite(value) ? String(value) : undefined;
}

/** A whole number, also when it was written as a string. */
export function whole(value: unknown): number | undefined | Unknown | Malformed {
    if (value === undefined || value === null || value === "") {
        return undefined;
    }
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    const number = typeof value === "string" && /^\s*[+-]?\d+\s*$/.test(value) ? Number(value) : value;
    return typeof number === "number" && Number.isInteger(number) ? number : MALFORMED;
}

/** Whether a value is there at all; unknown values are there, but may still turn out to be nothing. */
export function present(value: unknown): boolean {
    return value !== undefined && value !== null && value !== "";
}
