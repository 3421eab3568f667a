import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { Properties } from "./type";
import { isObject, UNKNOWN, type Path } from "./values";

// The marks that the engine puts around special values (pulumi/sdk: `sdk/nodejs/runtime/rpc.ts`).
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";
const RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e";
const OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4";
const UNKNOWNS = new Set([
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9", // string
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
    "030794c1-ac77-496b-92df-f27374a8bd58", // asset
    "e48ece36-62e2-4504-bad9-02848725956a", // archive
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);
const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Values without marks, and where in them the secrets are. */
export interface Unmarked {
    value: Properties;
    secrets: Path[];
}

/** A reference to another resource, as components receive it. */
export interface ResourceReference {
    urn: string;
    id?: unknown;
}

/** A reference among the outputs of a component. */
export class Reference {
    constructor(
        readonly urn: string,
        readonly id?: unknown,
    ) {}
}

export function unmarshal(struct: Struct | undefined): Unmarked {
    const secrets: Path[] = [];
    const value = struct ? unmark(struct.toJavaScript(), [], secrets) : {};
    return { value: isObject(value) ? value : {}, secrets };
}

function unmark(value: unknown, path: Path, secrets: Path[]): unknown {
    if (typeof value === "string") return UNKNOWNS.has(value) ? UNKNOWN : value;
    if (Array.isArray(value)) return value.map((element, index) => unmark(element, [...path, index], secrets));
    if (!isObject(value)) return value;
    switch (value[SIGNATURE]) {
        case SECRET:
            secrets.push(path);
            return unmark(value.value, path, secrets);
        case OUTPUT:
            if (value.secret === true) secrets.push(path);
            return "value" in value ? unmark(value.value, path, secrets) : UNKNOWN;
        case RESOURCE:
            return { urn: String(value.urn), id: unmark(value.id, path, secrets) } satisfies ResourceReference;
    }
    return Object.fromEntries(
        Object.entries(value).map(([key, element]) => [key, unmark(element, [...path, key], secrets)]),
    );
}

/** Puts the marks back: unknowns, and secrets at the given paths as far as these exist. */
export function marshal(value: Properties, secrets: Path[] = []): Struct {
    return Struct.fromJavaScript(mark(value, [], secrets) as Record<string, never>);
}

function mark(value: unknown, path: Path, secrets: Path[]): unknown {
    const here = secrets.some((secret) => secret.length === path.length);
    const inside = here ? secrets.filter((secret) => secret.length > path.length) : secrets;
    const plain = markInside(value, path, inside);
    return here && path.length > 0 && value !== undefined ? { [SIGNATURE]: SECRET, value: plain } : plain;
}

function markInside(value: unknown, path: Path, secrets: Path[]): unknown {
    const below = (key: string | number): Path[] => secrets.filter((secret) => secret[path.length] === key);
    if (value === UNKNOWN) return UNKNOWN_STRING;
    if (value === undefined) return null;
    if (Array.isArray(value)) return value.map((element, index) => mark(element, [...path, index], below(index)));
    if (value instanceof Reference) {
        const id = value.id === undefined ? {} : { id: value.id === UNKNOWN ? "" : value.id };
        return { [SIGNATURE]: RESOURCE, urn: value.urn, ...id, packageVersion: "" };
    }
    if (!isObject(value)) return value;
    return Object.fromEntries(
        Object.entries(value)
            .filter(([, element]) => element !== undefined)
            .map(([key, element]) => [key, mark(element, [...path, key], below(key))]),
    );
}
