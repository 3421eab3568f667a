import { isUnknown } from "../plain";
import type { Resource, Stack } from "../rule";
import { items } from "./tree";

/** What a property refers to, as far as the program shows it. */
export interface Referred {
    /** The resources of this program that it surely names. */
    resources: Resource[];
    /** Names that no resource of this program has. */
    external: string[];
    /** Those of this program that it may name: which, is known after `up` only. Empty when all is sure. */
    candidates: Resource[];
    /** Whether something is left unknown. */
    unknown: boolean;
}

/** The attributes by which AWS resources are named elsewhere. */
const NAMES = ["id", "arn", "name", "identifier", "clusterIdentifier", "globalClusterIdentifier", "replicationGroupId"];

/** The members of a global cluster carry its name, too: they refer to it. */
const isOwnName = ({ type }: Resource, attribute: string): boolean =>
    attribute !== "globalClusterIdentifier" || /globalcluster$/i.test(type);

function indexNames(stack: Stack): Map<string, Resource[]> {
    const index = new Map<string, Resource[]>();
    for (const resource of stack.resources) {
        const own = NAMES.filter((attribute) => isOwnName(resource, attribute));
        for (const name of new Set(own.map((attribute) => resource.props[attribute]))) {
            if (typeof name === "string" && name !== "") {
                const found = index.get(name);
                if (found) {
                    found.push(resource);
                } else {
                    index.set(name, [resource]);
                }
            }
        }
    }
    return index;
}

/**
 * Resolves a property that names other resources: by id, ARN or name when it is known, by the dependency that the engine
 * recorded when it is not.
 */
export function refer(stack: Stack, from: Resource, property: string, value: unknown, types: string[]): Referred {
    const names = stack.once(indexNames);
    const resources: Resource[] = [];
    const open: string[] = [];
    let unknown = 0;
    for (const item of items(value)) {
        if (isUnknown(item) || !(typeof item === "string" || item === null || item === undefined)) {
            // What is no name at all is refused by AWS; until then nothing is known of it.
            unknown++;
        } else if (typeof item === "string" && item !== "") {
            const named = (names.get(item) ?? []).filter(({ type }) => types.includes(type));
            if (named.length > 0) {
                resources.push(...named);
            } else {
                open.push(item);
            }
        }
    }
    const dependencies = (from.propertyDependencies?.[property] ?? [])
        .flatMap((urn) => stack.byUrn(urn) ?? [])
        .filter((resource) => types.includes(resource.type) && !resources.includes(resource));
    const missing = unknown + open.length;
    const whole = isUnknown(value);
    if (missing > 0 && dependencies.length > 0 && (whole || dependencies.length === missing)) {
        const sure = !whole || dependencies.length === 1;
        return sure
            ? { resources: [...resources, ...dependencies], external: [], candidates: [], unknown: false }
            : { resources, external: open, candidates: dependencies, unknown: true };
    }
    return { resources, external: open, candidates: unknown > 0 ? dependencies : [], unknown: unknown > 0 };
}
