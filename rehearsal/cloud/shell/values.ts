import type { Properties } from "./type";

/** Stands where the engine does not know a value yet. A symbol, so that no code takes it for a string by accident. */
export const UNKNOWN: unique symbol = Symbol.for("rehearsal:unknown");

export type Path = (string | number)[];

export function isObject(value: unknown): value is Properties {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as it is when known, and of the kind that is expected; else `undefined`. */
export function text(value: unknown): string | undefined {
    return typeof value === "string" ? value : undefined;
}

export function list(value: unknown): unknown[] {
    return Array.isArray(value) ? value : [];
}

export function texts(value: unknown): string[] {
    return list(value).filter((element): element is string => typeof element === "string");
}

export function record(value: unknown): Properties {
    return isObject(value) ? value : {};
}

/** Whether a value, or anything inside it, is unknown. */
export function hasUnknown(value: unknown): boolean {
    if (value === UNKNOWN) return true;
    if (Array.isArray(value)) return value.some(hasUnknown);
    return isObject(value) && Object.values(value).some(hasUnknown);
}

/** Equality as an API sees it: absent, `null` and empty collections are the same. */
export function same(a: unknown, b: unknown): boolean {
    if (a === b) return true;
    if (empty(a) && empty(b)) return true;
    if (Array.isArray(a) && Array.isArray(b)) {
        return a.length === b.length && a.every((element, index) => same(element, b[index]));
    }
    if (isObject(a) && isObject(b)) {
        return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((key) => same(a[key], b[key]));
    }
    return false;
}

export function empty(value: unknown): boolean {
    return (
        value === undefined ||
        value === null ||
        (Array.isArray(value) && value.length === 0) ||
        (isObject(value) && Object.keys(value).length === 0)
    );
}

/** A path as Pulumi writes it: `subnetIds[1]`, `tags["a.b"]`. */
export function formatPath(path: Path): string {
    return path.reduce<string>((text, part) => {
        if (typeof part === "number") return `${text}[${part}]`;
        if (!/^[A-Za-z_$][\w$]*$/.test(part)) return `${text}[${JSON.stringify(part)}]`;
        return text === "" ? part : `${text}.${part}`;
    }, "");
}

/** The values at a path such as `vpcConfig.subnetIds[*]`, each with the path where it was found. */
export function valuesAt(root: unknown, path: string): { path: string; value: unknown }[] {
    let found: { path: Path; value: unknown }[] = [{ path: [], value: root }];
    for (const part of path.replaceAll("[*]", ".*").split(".")) {
        found = found.flatMap(({ path: at, value }) => {
            if (part === "*") {
                return list(value).map((element, index) => ({ path: [...at, index], value: element }));
            }
            // Blocks that may occur once are objects in Pulumi, lists elsewhere.
            return isObject(value) && value[part] !== undefined ? [{ path: [...at, part], value: value[part] }] : [];
        });
    }
    return found
        .filter(({ value }) => value !== null && value !== undefined)
        .map(({ path: at, value }) => ({ path: formatPath(at), value }));
}

export type Difference = { path: Path; kind: "add" | "update" | "delete" };

/** The leaves at which two values differ. */
export function differences(old: unknown, now: unknown, path: Path = []): Difference[] {
    if (same(old, now)) return [];
    if (empty(old) && !isObject(now) && !Array.isArray(now)) return [{ path, kind: "add" }];
    if (empty(now) && !isObject(old) && !Array.isArray(old)) return [{ path, kind: "delete" }];
    if (Array.isArray(old) && Array.isArray(now)) {
        return Array.from({ length: Math.max(old.length, now.length) }, (_, index) => index).flatMap((index) =>
            differences(old[index], now[index], [...path, index]),
        );
    }
    if (isObject(old) && isObject(now)) {
        return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((key) =>
            differences(old[key], now[key], [...path, key]),
        );
    }
    return [{ path, kind: empty(old) ? "add" : empty(now) ? "delete" : "update" }];
}
