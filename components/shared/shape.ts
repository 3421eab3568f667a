import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "./check";

/**
 * What plain values an argument takes: a type's name, the choices of an enum (`choices(X)`), the shapes of an object's keys,
 * `listOf` or `mapOf` a shape, or `anything`.
 */
export type Shape = "string" | "number" | "integer" | "boolean" | "anything" | Choices | List | Dictionary | Keys;
export interface Choices {
    choices: readonly string[];
}
export interface List {
    listOf: Shape;
}
export interface Dictionary {
    mapOf: Shape;
}
export interface Keys {
    keys: Record<string, Shape>;
}

/** The shapes of all keys of an arguments interface: the compiler demands one for each, so that none is forgotten. */
export type ShapesOf<Args> = { [Key in keyof Required<Args>]: Shape };

export const choices = (values: Record<string, string>): Choices => ({ choices: Object.values(values) });
export const listOf = (shape: Shape): List => ({ listOf: shape });
export const mapOf = (shape: Shape): Dictionary => ({ mapOf: shape });
export const keysOf = <Args>(keys: ShapesOf<Args>): Keys => ({ keys });

/**
 * Problems with values that do not fit: keys that nothing reads, keys without a value, and values of another type. Settings
 * come from YAML, where no compiler looks. Outputs and promises are left to the provider.
 */
export function shapeProblems(value: unknown, shape: Shape, path = ""): Problem[] {
    if (value === undefined || shape === "anything") {
        return [];
    }
    if (value === null) {
        // `kmsKeyArn:` with nothing behind it: neither a value nor what the default would be.
        return [{ path, message: "has no value; give one ({} for an object of defaults), or leave the key out" }];
    }
    if (pulumi.Output.isInstance(value) || value instanceof Promise) {
        return [];
    }
    const misfit = (wanted: string): Problem[] => [{ path, message: `${shown(value)} is not ${wanted}` }];
    if (typeof shape === "string") {
        return fitsType(value, shape) ? [] : misfit(ARTICLES[shape]);
    }
    if ("choices" in shape) {
        return shape.choices.includes(value as string) ? [] : misfit(`one of ${shape.choices.join(", ")}`);
    }
    if ("listOf" in shape) {
        return Array.isArray(value)
            ? value.flatMap((entry, index) => shapeProblems(entry, shape.listOf, `${path}[${index}]`))
            : misfit("a list");
    }
    if (typeof value !== "object" || Array.isArray(value)) {
        return misfit("a map of keys and values");
    }
    return Object.entries(value).flatMap(([key, entry]) => {
        const at = path ? `${path}.${key}` : key;
        const entryShape = shapeOf(shape, key);
        return entryShape === undefined
            ? [
                  {
                      path: at,
                      message: `there is no such setting; known are ${Object.keys((shape as Keys).keys).join(", ")}`,
                  },
              ]
            : shapeProblems(entry, entryShape, at);
    });
}

/** The shape of an entry; undefined for a key that nothing reads, also one that every JavaScript object has, such as `constructor`. */
export function shapeOf(shape: Dictionary | Keys, key: string): Shape | undefined {
    return "mapOf" in shape ? shape.mapOf : Object.hasOwn(shape.keys, key) ? shape.keys[key] : undefined;
}

const ARTICLES = {
    string: "a text",
    number: "a number",
    integer: "a whole number",
    boolean: "true or false",
} as const;

function fitsType(value: unknown, type: keyof typeof ARTICLES): boolean {
    switch (type) {
        case "integer":
            return Number.isInteger(value);
        case "number":
            return typeof value === "number" && Number.isFinite(value);
        default:
            return typeof value === type;
    }
}

/** A value in a message: short, and never more than its beginning, since it may be long. */
function shown(value: unknown): string {
    const text = JSON.stringify(value) ?? String(value);
    return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
