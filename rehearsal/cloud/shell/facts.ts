import * as fs from "node:fs";
import * as path from "node:path";
import type { CheckFailure, Properties } from "./type";
import { formatPath, isObject, UNKNOWN, type Path } from "./values";

/** The form of a value, as an SDK's declaration gives it. */
export type Shape =
    | { kind: "string" | "number" | "boolean" | "any" }
    | { kind: "literal"; value: string }
    | { kind: "array"; element: Shape }
    | { kind: "map"; element: Shape }
    | { kind: "object"; fields: () => Fields | undefined }
    | { kind: "union"; members: Shape[] };

export interface Field {
    shape: Shape;
    optional: boolean;
    /** The documentation says that a change makes a new resource. */
    replaces: boolean;
}

export type Fields = Record<string, Field>;

/** What the installed SDK says of a resource type. */
export interface TypeFacts {
    inputs: Fields;
    /** Declared outputs; those that are not optional are always there once the resource exists. */
    outputs: Record<string, { optional: boolean; shape: Shape }>;
}

// The ways in which the documentation of @pulumi/aws says it.
const REPLACES =
    /forces? (a )?new|forces? (replacement|recreation)|will (force|require|cause|trigger) .{0,20}(recreat|new|replace)|(creates|create) a new resource|cannot be (changed|modified) after|will be (destroyed|recreated)/i;
const NEGATED = /_?not_? (force|recreate)|"forces new"|without forc/i;

/** Reads types from the declaration files of one installed SDK, when they are asked for. */
export class Sdk {
    private readonly root: string;
    private readonly cache = new Map<string, TypeFacts | undefined>();
    private files: string[] | undefined;
    private readonly nested: Record<string, string | undefined> = {};
    private readonly interfaces = new Map<string, Fields | undefined>();

    constructor(packageName: string) {
        this.root = path.dirname(require.resolve(`${packageName}/package.json`));
    }

    /** @param token For example `aws:efs/mountTarget:MountTarget` or `kubernetes:core/v1:Pod`. */
    facts(token: string): TypeFacts | undefined {
        if (!this.cache.has(token)) this.cache.set(token, this.read(token));
        return this.cache.get(token);
    }

    /** Whether some module has a class of this name. */
    hasTypeNamed(name: string): boolean {
        const file = `${name[0].toLowerCase()}${name.slice(1)}.d.ts`;
        this.files ??= fs
            .readdirSync(this.root, { recursive: true, encoding: "utf8" })
            .map((one) => path.basename(one));
        return this.files.includes(file);
    }

    /** The fields of a look-up's result, for example of `aws:eks/getNodeGroup:getNodeGroup`. */
    result(token: string): Fields | undefined {
        const [, module, name] = token.split(":");
        const file = path.join(this.root, `${module.replace(/^index\//, "")}.d.ts`);
        if (name === undefined || !fs.existsSync(file)) return undefined;
        const key = `result ${token}`;
        if (!this.interfaces.has(key)) {
            const heading = `export interface ${name[0].toUpperCase()}${name.slice(1)}Result `;
            const found = body(fs.readFileSync(file, "utf8"), heading);
            this.interfaces.set(
                key,
                found === undefined ? undefined : this.members(found, /^readonly (\w+)(\?)?: (.*);$/),
            );
        }
        return this.interfaces.get(key);
    }

    private read(token: string): TypeFacts | undefined {
        const [, module, name] = token.split(":");
        if (module === undefined || name === undefined) return undefined;
        const lower = name[0].toLowerCase() + name.slice(1);
        const file = [module, `${module}/${lower}`]
            .map((part) => path.join(this.root, `${part}.d.ts`))
            .find((candidate) => path.basename(candidate) === `${lower}.d.ts` && fs.existsSync(candidate));
        if (file === undefined) return undefined;
        const source = fs.readFileSync(file, "utf8");
        const args = body(source, `export interface ${name}Args `);
        const declaration = body(source, `export declare class ${name} `);
        if (declaration === undefined) return undefined;
        const outputs = Object.entries(this.members(declaration, /^readonly (\w+): pulumi\.Output<(.*)>;$/)).map(
            ([key, { shape, optional }]) => [key, { shape, optional }] as const,
        );
        return { inputs: args === undefined ? {} : this.fields(args), outputs: Object.fromEntries(outputs) };
    }

    private fields(source: string): Fields {
        return this.members(source, /^"?([\w$-]+)"?(\?)?: (.*);$/);
    }

    private members(source: string, pattern: RegExp): Fields {
        const fields: Fields = {};
        let comment = "";
        let open = "";
        for (const text of source.split("\n").map((line) => line.trim())) {
            if (text.startsWith("/**")) comment = text;
            else if (text.startsWith("*")) comment += " " + text.slice(1).trim();
            // A map type spans three lines.
            const line = open + text;
            open = /^[\w"].*\{$/.test(text) ? line : open !== "" && !/\}.*;$/.test(text) ? line : "";
            if (open !== "") continue;
            const match = pattern.exec(line);
            if (!match) continue;
            const type = match[match.length - 1];
            const mark = match.length > 3 && match[2] === "?";
            fields[match[1]] = {
                shape: this.shape(type),
                optional: mark || /\| undefined>*$/.test(type.trim()),
                replaces: REPLACES.test(comment) && !NEGATED.test(comment),
            };
            comment = "";
        }
        return fields;
    }

    private shape(type: string): Shape {
        const parser = new TypeParser(type, (name) => this.named(name));
        return parser.union();
    }

    private named(name: string): Shape {
        if (name === "string" || name === "number" || name === "boolean") return { kind: name };
        if (name === "pulumi.ID" || name === "pulumi.URN") return { kind: "string" };
        if (name.startsWith("enums.")) return { kind: "any" };
        const match = /^(input|output)s\.(.+)$/.exec(name);
        // Resources, assets and policy documents are no plain blocks.
        if (!match) return { kind: "any" };
        return { kind: "object", fields: () => this.interface(match[1], match[2]) };
    }

    /** The fields of a nested type such as `eks.ClusterVpcConfig`. */
    private interface(side: string, name: string): Fields | undefined {
        const key = `${side} ${name}`;
        if (!this.interfaces.has(key)) this.interfaces.set(key, this.readInterface(side, name.split(".")));
        return this.interfaces.get(key);
    }

    private readInterface(side: string, parts: string[]): Fields | undefined {
        this.nested[side] ??= fs.readFileSync(path.join(this.root, `types/${side}.d.ts`), "utf8");
        let source: string | undefined = this.nested[side];
        for (const [depth, namespace] of parts.slice(0, -1).entries()) {
            source = body(source, `${depth === 0 ? "export declare " : ""}namespace ${namespace} `);
            if (source === undefined) return undefined;
        }
        const found = body(source, `interface ${parts[parts.length - 1]} `);
        return found === undefined ? undefined : this.fields(found);
    }
}

/** What stands between the braces after a heading, found by the indentation of generated code. */
function body(source: string, heading: string): string | undefined {
    let start = source.indexOf(`\n${heading}`) + 1;
    let indentation = "";
    if (start === 0 && source.startsWith(heading)) start = 0;
    else if (start === 0) {
        const match = new RegExp(`\\n( *)(?:export )?${heading.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}`).exec(source);
        if (!match) return undefined;
        start = match.index + 1;
        indentation = match[1];
    }
    const open = source.indexOf("{\n", start);
    const end = source.indexOf(`\n${indentation}}`, open);
    return open < 0 || end < 0 ? undefined : source.slice(open + 1, end + 1);
}

class TypeParser {
    private at = 0;

    constructor(
        private readonly source: string,
        private readonly named: (name: string) => Shape,
    ) {}

    union(): Shape {
        const members: Shape[] = [];
        do {
            const member = this.postfix();
            if (member) members.push(member);
        } while (this.take("|"));
        if (members.some(({ kind }) => kind === "any")) return { kind: "any" };
        return members.length === 1 ? members[0] : { kind: "union", members };
    }

    private postfix(): Shape | undefined {
        let shape = this.primary();
        while (this.take("[]")) shape = { kind: "array", element: shape ?? { kind: "any" } };
        return shape;
    }

    private primary(): Shape | undefined {
        if (this.take("(")) {
            const inner = this.union();
            this.take(")");
            return inner;
        }
        if (this.take("{")) {
            this.at = this.source.indexOf("]:", this.at) + 2;
            const element = this.union();
            this.take(";");
            this.take("}");
            return { kind: "map", element };
        }
        this.skip();
        const literal = /^"([^"]*)"/.exec(this.source.slice(this.at));
        if (literal) {
            this.at += literal[0].length;
            return { kind: "literal", value: literal[1] };
        }
        const name = /^[\w.$]+/.exec(this.source.slice(this.at))?.[0] ?? "";
        this.at += name.length;
        if (this.take("<")) {
            const inner = this.union();
            this.take(">");
            return name === "pulumi.Input" || name === "pulumi.Output" ? inner : { kind: "any" };
        }
        if (name === "undefined") return undefined;
        if (name === "" || name === "any") {
            if (name === "") this.at = this.source.length;
            return { kind: "any" };
        }
        return this.named(name);
    }

    private skip(): void {
        while (this.source[this.at] === " ") this.at++;
    }

    private take(token: string): boolean {
        this.skip();
        if (!this.source.startsWith(token, this.at)) return false;
        this.at += token.length;
        return true;
    }
}

/** Everything about inputs that the SDK's declarations alone show to be wrong. */
export function checkFields(fields: Fields, inputs: Properties, at: Path = []): CheckFailure[] {
    const failures: CheckFailure[] = [];
    for (const [key, value] of Object.entries(inputs)) {
        if (value === undefined || value === null || key === "__defaults") continue;
        const field = fields[key];
        if (field) failures.push(...checkShape(field.shape, value, [...at, key]));
        else {
            const known = Object.keys(fields).find((name) => name.toLowerCase() === key.toLowerCase());
            const hint = known === undefined ? "" : `, did you mean "${known}"?`;
            failures.push({ property: formatPath([...at, key]), reason: `unknown property "${key}"${hint}` });
        }
    }
    for (const [key, { optional }] of Object.entries(fields)) {
        if (!optional && (inputs[key] === undefined || inputs[key] === null)) {
            failures.push({ property: formatPath([...at, key]), reason: `missing required property "${key}"` });
        }
    }
    return failures;
}

function checkShape(shape: Shape, value: unknown, at: Path): CheckFailure[] {
    if (value === UNKNOWN || value === undefined || value === null) return [];
    const wrong = (expected: string): CheckFailure[] => [
        { property: formatPath(at), reason: `expected ${expected}, got ${describe(value)}` },
    ];
    switch (shape.kind) {
        case "any":
            return [];
        case "string":
        case "number":
        case "boolean":
            return typeof value === shape.kind ? [] : wrong(`a ${shape.kind}`);
        case "literal":
            return value === shape.value ? [] : wrong(JSON.stringify(shape.value));
        case "array":
            if (!Array.isArray(value)) return wrong("a list");
            return value.flatMap((element, index) => checkShape(shape.element, element, [...at, index]));
        case "map":
            if (!isObject(value)) return wrong("a map");
            return Object.entries(value).flatMap(([key, element]) => checkShape(shape.element, element, [...at, key]));
        case "object": {
            if (!isObject(value)) return wrong("an object");
            const fields = shape.fields();
            return fields ? checkFields(fields, value, at) : [];
        }
        case "union": {
            const results = shape.members.map((member) => checkShape(member, value, at));
            return results.some((result) => result.length === 0) ? [] : results.sort((a, b) => a.length - b.length)[0];
        }
    }
}

function describe(value: unknown): string {
    return Array.isArray(value) ? "a list" : isObject(value) ? "an object" : `a ${typeof value}`;
}

/** A value with what the cloud will add inside it marked as unknown: fields that are always there, but not given. */
export function withUnknownFields(shape: Shape, value: unknown): unknown {
    if (shape.kind === "array" && Array.isArray(value)) {
        return value.map((element) => withUnknownFields(shape.element, element));
    }
    if (shape.kind === "union") {
        const [block] = shape.members.filter(({ kind }) => kind === "object" || kind === "array");
        return block === undefined ? value : withUnknownFields(block, value);
    }
    if (shape.kind !== "object" || !isObject(value)) return value;
    const filled: Properties = { ...value };
    for (const [key, field] of Object.entries(shape.fields() ?? {})) {
        if (key in filled) filled[key] = withUnknownFields(field.shape, filled[key]);
        else if (!field.optional) filled[key] = UNKNOWN;
    }
    return filled;
}

/** Whether the documentation says that a change at this path makes a new resource. */
export function replacesAt(fields: Fields, at: Path): boolean {
    let here: Fields | undefined = fields;
    for (const part of at) {
        if (here === undefined) return false;
        if (typeof part === "number") continue;
        const field: Field | undefined = here[part];
        if (field === undefined) return false;
        if (field.replaces) return true;
        here = fieldsOf(field.shape);
    }
    return false;
}

function fieldsOf(shape: Shape): Fields | undefined {
    if (shape.kind === "object") return shape.fields();
    if (shape.kind === "array" || shape.kind === "map") return fieldsOf(shape.element);
    if (shape.kind === "union") return shape.members.map(fieldsOf).find((fields) => fields !== undefined);
    return undefined;
}
