import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CheckFailure } from "../../shell/type";
import { quantity, quantityProblem } from "./quantity";

/** The type of one field, as the installed SDK declares it. */
export type Shape =
    | { kind: "string" | "number" | "integer" | "boolean" | "quantity" | "any" }
    | { kind: "literal"; value: string }
    | { kind: "reference"; name: string }
    | { kind: "list"; of: Shape }
    | { kind: "map"; of: Shape }
    | { kind: "either"; of: Shape[] };

export interface Field {
    required: boolean;
    shape: Shape;
}

export type Fields = Map<string, Field>;

interface Declarations {
    /** Where each interface's text lies, by `core.v1.PodSpec`. */
    text: Map<string, string>;
    /** The interface of each kind, by `storage.k8s.io/v1/StorageClass`. */
    kinds: Map<string, string>;
}

let declarations: Declarations | undefined;
const parsed = new Map<string, Fields>();

/**
 * What the API server's schema knows, derived from the installed @pulumi/kubernetes: its input types are generated from
 * the OpenAPI document of the API server. The file is regular (it is generated), so lines are enough to read it.
 */
function load(): Declarations {
    if (declarations) {
        return declarations;
    }
    const file = join(dirname(require.resolve("@pulumi/kubernetes/package.json")), "types", "input.d.ts");
    const text = new Map<string, string>();
    const kinds = new Map<string, string>();
    let group = "";
    let version = "";
    let name = "";
    let body: string[] = [];
    let apiVersion = "";
    let kind = "";
    for (const line of readFileSync(file, "utf8").split("\n")) {
        if (name) {
            if (line === "        }" || line === "    }") {
                text.set(name, body.join("\n"));
                if (apiVersion && kind) {
                    kinds.set(`${apiVersion}/${kind}`, name);
                }
                name = "";
            } else if (!/^\s*(\*|\/\*)/.test(line)) {
                body.push(line);
                apiVersion ||= /^ {12}apiVersion\??: pulumi\.Input<"([^"]+)"/.exec(line)?.[1] ?? "";
                kind ||= /^ {12}kind\??: pulumi\.Input<"([^"]+)"/.exec(line)?.[1] ?? "";
            }
            continue;
        }
        const start = /^(?:export declare namespace (\w+) \{| {4}namespace (\w+) \{| {8}interface (\w+) \{)$/.exec(
            line,
        );
        if (start?.[1]) {
            group = start[1];
        } else if (start?.[2]) {
            version = start[2];
        } else if (start?.[3]) {
            name = `${group}.${version}.${start[3]}`;
            body = [];
            apiVersion = kind = "";
        }
    }
    return (declarations = { text, kinds });
}

/** The fields of a declared interface, by `core.v1.PodSpec`. */
export function fieldsOf(name: string): Fields | undefined {
    const known = parsed.get(name);
    if (known) {
        return known;
    }
    const body = load().text.get(name);
    if (body === undefined) {
        return undefined;
    }
    const fields: Fields = new Map();
    for (const statement of body.split(/;\n(?= {12}[\w"$])|;$/)) {
        const match = /^\s*(?:"([^"]+)"|([\w$]+))(\?)?:\s*([\s\S]+)$/.exec(statement);
        if (match) {
            fields.set(match[1] ?? match[2], { required: !match[3], shape: shapeOf(match[4]) });
        }
    }
    parsed.set(name, fields);
    return fields;
}

/** The interface that describes a kind, or `undefined` when the API server itself does not serve it. */
export function interfaceOf(apiVersion: string, kind: string): string | undefined {
    return load().kinds.get(`${apiVersion}/${kind}`);
}

/** The API versions in which the SDK knows a kind: `apps/v1`, `extensions/v1beta1`. */
export function versionsOf(kind: string): string[] {
    return [...load().kinds.keys()]
        .filter((one) => one.endsWith(`/${kind}`))
        .map((one) => one.slice(0, -kind.length - 1));
}

function shapeOf(source: string): Shape {
    const parts = alternatives(source.trim());
    if (parts.length > 1) {
        const shapes = parts.filter((part) => part !== "undefined").map(shapeOf);
        return shapes.length === 1 ? shapes[0] : { kind: "either", of: shapes };
    }
    const type = parts[0];
    if (type.startsWith("pulumi.Input<") && type.endsWith(">")) {
        return shapeOf(type.slice("pulumi.Input<".length, -1));
    }
    if (type.endsWith("[]")) {
        return { kind: "list", of: shapeOf(type.slice(0, -2)) };
    }
    const entry = /^\{\s*\[key: string\]:\s*([\s\S]+?);?\s*\}$/.exec(type);
    if (entry) {
        return { kind: "map", of: shapeOf(entry[1]) };
    }
    if (type.startsWith("inputs.")) {
        return { kind: "reference", name: type.slice("inputs.".length) };
    }
    if (type.startsWith('"')) {
        return { kind: "literal", value: type.slice(1, -1) };
    }
    return type === "string" || type === "number" || type === "boolean" ? { kind: type } : { kind: "any" };
}

/** Splits at `|` outside of brackets. */
function alternatives(source: string): string[] {
    const parts: string[] = [];
    let depth = 0;
    let from = 0;
    for (let index = 0; index < source.length; index++) {
        const character = source[index];
        if ("<{[(".includes(character)) {
            depth++;
        } else if (">}])".includes(character)) {
            depth--;
        } else if (character === "|" && depth === 0) {
            parts.push(source.slice(from, index).trim());
            from = index + 1;
        }
    }
    return [...parts, source.slice(from).trim()];
}

/**
 * What is wrong with an object's shape: unknown fields (server-side apply refuses them: "field not declared in
 * schema"), missing required ones, wrong types. Unknown values of a preview (symbols) are left alone.
 */
export function checkShape(apiVersion: string, kind: string, object: unknown): CheckFailure[] {
    const name = interfaceOf(apiVersion, kind);
    return name ? check({ kind: "reference", name }, object, "") : [];
}

function check(shape: Shape, value: unknown, path: string): CheckFailure[] {
    if (value === undefined || value === null || typeof value === "symbol") {
        return [];
    }
    const wrong = (expected: string): CheckFailure[] => [
        {
            property: path,
            reason: `expected ${expected}, got ${Array.isArray(value) ? "a list" : `"${typeof value}"`}`,
        },
    ];
    switch (shape.kind) {
        case "any":
            return [];
        case "quantity":
            // JSON may write a quantity as a number too: `cpu: 1`.
            return quantity(value) === undefined ? [{ property: path, reason: quantityProblem(value) }] : [];
        case "integer":
            return Number.isInteger(value) ? [] : wrong("an integer");
        case "string":
        case "number":
        case "boolean":
            return typeof value === shape.kind ? [] : wrong(`"${shape.kind}"`);
        case "literal":
            return value === shape.value
                ? []
                : [{ property: path, reason: `must be "${shape.value}", got ${JSON.stringify(value)}` }];
        case "list":
            return Array.isArray(value)
                ? value.flatMap((part, index) => check(shape.of, part, `${path}[${index}]`))
                : wrong("a list");
        case "map":
            return isRecord(value)
                ? Object.entries(value).flatMap(([key, part]) => check(shape.of, part, `${path}["${key}"]`))
                : wrong("a map");
        case "either":
            return shape.of.some((option) => check(option, value, path).length === 0)
                ? []
                : check(shape.of[0], value, path);
        case "reference":
            return checkReference(shape.name, value, path, wrong);
    }
}

/** Fields that hold a quantity, or a map of them; the SDK declares both as strings. Source: `resource.Quantity` in k8s.io/api. */
const quantities = new Set(
    (
        "allocatable allocatedResources averageValue capacity default defaultRequest divisor hard limits max " +
        "maxLimitRequestRatio maximumVolumeSize min overhead podFixed requests sizeLimit tolerance used"
    ).split(" "),
);

/** What the SDK's declaration of a field leaves out: quantities, and that nearly all numbers are whole ones. */
function refined(owner: string, field: string, shape: Shape): Shape {
    const [group] = owner.split(".");
    if (quantities.has(field) || (field === "value" && owner.endsWith(".MetricTarget"))) {
        const isText = (one: Shape): boolean => one.kind === "string";
        if (isText(shape) && ["autoscaling", "core", "storage"].includes(group)) {
            return { kind: "quantity" };
        }
        if (shape.kind === "map" && isText(shape.of)) {
            return { kind: "map", of: { kind: "quantity" } };
        }
    }
    if (shape.kind === "either") {
        return { kind: "either", of: shape.of.map((option) => refined(owner, field, option)) };
    }
    return shape.kind === "number" && !/JSONSchemaProps(Patch)?$/.test(owner) ? { kind: "integer" } : shape;
}

/** Fields that the SDK demands and the API server does without: their zero value means something. */
const dispensable = new Set([
    "apiextensions.v1.CustomResourceDefinitionVersion.served",
    "core.v1.LimitRangeSpec.limits",
    "networking.v1.NetworkPolicySpec.podSelector",
    "scheduling.v1.PriorityClass.value",
    "storage.v1.CSIDriver.spec",
]);

function checkReference(
    name: string,
    value: unknown,
    path: string,
    wrong: (expected: string) => CheckFailure[],
): CheckFailure[] {
    const fields = fieldsOf(name);
    if (!fields) {
        return [];
    }
    if (!isRecord(value)) {
        return wrong("an object");
    }
    const below = (field: string): string => (path ? `${path}.${field}` : field);
    const failures: CheckFailure[] = [];
    for (const [field, part] of Object.entries(value)) {
        // The provider turns the SDK's `x_kubernetes_…` into `x-kubernetes-…`; YAML has the latter from the start.
        const known =
            fields.get(field) ?? fields.get(field.replace(/^x-kubernetes-.*/, (dashed) => dashed.replaceAll("-", "_")));
        if (!known) {
            failures.push({ property: below(field), reason: "field not declared in schema" });
        } else {
            failures.push(...check(refined(name, field, known.shape), part, below(field)));
        }
    }
    for (const [field, { required }] of fields) {
        if (required && (value[field] === undefined || value[field] === null) && !dispensable.has(`${name}.${field}`)) {
            failures.push({ property: below(field), reason: "required value" });
        }
    }
    return failures;
}

function isRecord(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
