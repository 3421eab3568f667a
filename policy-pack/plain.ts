/**
 * Stands for a value that the engine does not know yet (preview only), or that a pack cannot see (an asset, a cycle). Rules judge plain
 * trees in which such leaves are this symbol, so that reading one never turns a whole rule into an advisory line.
 */
export const UNKNOWN: unique symbol = Symbol.for("eks-storage-policies.unknown");
export type Unknown = typeof UNKNOWN;

export function isUnknown(value: unknown): value is Unknown {
    return value === UNKNOWN;
}

/** What the engine sends in place of an unknown boolean, number, string, array, asset, archive, object. */
const sentinels = new Set([
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
]);
const deepest = 200;

/**
 * Copies a resource's properties into a plain tree. Values are read from property descriptors, which the policy SDK's proxies (they throw when an
 * unknown value is read) do not intercept.
 */
export function toPlain(value: unknown): unknown {
    return copy(value, new Set(), new Map());
}

/** As {@link toPlain}, for the properties of a resource. */
export function toProperties(value: unknown): Record<string, unknown> {
    const plain = toPlain(value);
    return isTree(plain) ? plain : {};
}

/** Whether a value is an object that is no array. */
export function isTree(value: unknown): value is Record<string, unknown> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The outputs, with what the inputs hold as unknown and a provider's preview left out: absent would mean something else. */
export function withUnknowns(
    outputs: Record<string, unknown>,
    inputs: Record<string, unknown>,
): Record<string, unknown> {
    const missing = Object.entries(inputs).flatMap(([key, input]): [string, unknown][] => {
        const output = Object.hasOwn(outputs, key) ? outputs[key] : undefined;
        if (output === undefined || output === null) {
            return isUnknown(input) ? [[key, input]] : [];
        }
        return isTree(output) && isTree(input) ? [[key, withUnknowns(output, input)]] : [];
    });
    return missing.length === 0 ? outputs : { ...outputs, ...Object.fromEntries(missing) };
}

function copy(value: unknown, above: Set<object>, done: Map<object, unknown>): unknown {
    if (typeof value === "string") {
        return sentinels.has(value) ? UNKNOWN : value;
    }
    if (typeof value === "function" || typeof value === "bigint") {
        return UNKNOWN;
    }
    if (value === null || typeof value !== "object") {
        return value;
    }
    const known = done.get(value);
    if (known !== undefined) {
        return known;
    }
    if (above.size >= deepest || above.has(value)) {
        return UNKNOWN;
    }
    above.add(value);
    let result: unknown;
    if (Array.isArray(value)) {
        result = Array.from({ length: value.length }, (_, index) => copy(own(value, String(index)), above, done));
    } else if (isAsset(value)) {
        result = UNKNOWN;
    } else {
        result = Object.fromEntries(Object.keys(value).map((key) => [key, copy(own(value, key), above, done)]));
    }
    above.delete(value);
    done.set(value, result);
    return result;
}

function own(container: object, key: string): unknown {
    const property = Object.getOwnPropertyDescriptor(container, key);
    return property === undefined || "value" in property ? property?.value : UNKNOWN;
}

function isAsset(value: object): boolean {
    return ["__pulumiAsset", "__pulumiArchive", "__pulumiOutput"].some((mark) => own(value, mark) === true);
}
