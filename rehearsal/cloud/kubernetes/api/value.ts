import type { Properties } from "../../shell/type";
import { list, record, text } from "../../shell/values";

export { list, record, text };

/** Reading plain trees without trusting their shape, beyond what the shell has for it. */
export function records(value: unknown): Properties[] {
    return list(value).map(record);
}

/** The entries of a map whose values are strings. */
export function strings(value: unknown): Record<string, string> {
    return Object.fromEntries(
        Object.entries(record(value)).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
}

/** The value below a path of property names and indices. */
export function at(value: unknown, ...path: (string | number)[]): unknown {
    return path.reduce<unknown>((here, key) => (typeof key === "number" ? list(here)[key] : record(here)[key]), value);
}

/** A number, or a fallback where it is absent or unknown. */
export function numberOr(value: unknown, fallback: number): number {
    return typeof value === "number" ? value : fallback;
}

/** A deep copy; symbols (unknown values) are kept as they are. */
export function copy<T>(value: T): T {
    if (Array.isArray(value)) {
        return value.map((part: unknown) => copy(part)) as T;
    }
    if (typeof value === "object" && value !== null) {
        return Object.fromEntries(
            Object.entries(value).map(([key, part]: [string, unknown]) => [key, copy(part)]),
        ) as T;
    }
    return value;
}
