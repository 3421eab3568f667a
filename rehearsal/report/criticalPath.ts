import type { Operation } from "../engine/operations";
import type { StateResource } from "../engine/state";

/** One operation on the longest chain. */
export interface Link {
    op: string;
    urn: string;
    type: string;
    name: string;
    seconds: number;
    source?: string;
}

/** How long a run takes on AWS when whatever can run side by side does, and the chain that makes it so long. */
export interface AwsTime {
    seconds: number;
    chain: Link[];
}

/**
 * How long what the cloud carried out takes on AWS, each operation weighed by what it typically takes there. Creations and updates wait
 * for what they depend on, so that the longest chain counts. Deletions come after them, in layers as the engine schedules
 * them: the deepest first, and a layer only when the one before is gone, so that the slowest of each layer counts.
 * `before` and `after` are the engine's states: what was deleted is only in the first.
 */
export function awsTime(operations: Operation[], before: StateResource[], after: StateResource[]): AwsTime {
    const carried = operations.filter(({ done, error }) => done && !error);
    const built = longest(weigh(carried, ["create", "update"]), dependencies(after));
    const removed = layered(weigh(carried, ["delete"]), before, after);
    return { seconds: built.seconds + removed.seconds, chain: [...built.chain, ...removed.chain] };
}

function layered(links: Map<string, Link>, before: StateResource[], after: StateResource[]): AwsTime {
    const stays = new Set(after.filter((one) => !one.delete).map(({ urn, id }) => `${urn} ${id}`));
    const condemned = new Map(
        before.filter(({ urn, id }) => !stays.has(`${urn} ${id}`)).map((resource) => [resource.urn, resource]),
    );
    const depths = new Map<string, number>();
    const depthOf = (urn: string): number => {
        const resource = condemned.get(urn);
        if (resource === undefined) {
            return -1;
        }
        if (!depths.has(urn)) {
            depths.set(urn, 0); // Against circles, which the engine's state has none of.
            depths.set(urn, 1 + Math.max(-1, ...namedBy(resource).map(depthOf)));
        }
        return depths.get(urn)!;
    };
    const slowest = new Map<number, Link>();
    for (const link of links.values()) {
        const depth = depthOf(link.urn);
        if (link.seconds > (slowest.get(depth)?.seconds ?? 0)) {
            slowest.set(depth, link);
        }
    }
    const chain = [...slowest].sort(([one], [other]) => other - one).map(([, link]) => link);
    return { seconds: chain.reduce((sum, { seconds }) => sum + seconds, 0), chain };
}

/** All that a resource's own state names: what the engine's dependency graph is made of. */
function namedBy(resource: StateResource): string[] {
    const { dependencies = [], propertyDependencies = {}, deletedWith, provider, parent } = resource;
    const one = [parent, deletedWith, provider?.slice(0, provider.lastIndexOf("::"))];
    const properties = Object.values(propertyDependencies).flatMap((urns) => urns ?? []);
    return [...dependencies, ...properties, ...one.filter((urn): urn is string => Boolean(urn))];
}

function weigh(operations: Operation[], ops: string[]): Map<string, Link> {
    const links = new Map<string, Link>();
    for (const { op, urn, token: type, name, seconds = 0, source } of operations) {
        const known = links.get(urn)?.seconds ?? -1;
        if (ops.includes(op) && urn && seconds > known) {
            links.set(urn, { op, urn, type, name, seconds, source });
        }
    }
    return links;
}

/** URN -> URNs that it waits for. A component stands for all that is inside it; a provider for what configures it. */
function dependencies(resources: StateResource[]): Map<string, Set<string>> {
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const inside = new Map<string, string[]>();
    for (const { urn, parent } of resources) {
        if (parent) {
            inside.set(parent, [...(inside.get(parent) ?? []), urn]);
        }
    }
    const expand = (urn: string): string[] => {
        const resource = byUrn.get(urn);
        return resource === undefined || resource.custom ? [urn] : (inside.get(urn) ?? []).flatMap(expand);
    };
    const needs = new Map<string, Set<string>>();
    for (const resource of resources) {
        const { urn, parent } = resource;
        // Inside a component nobody waits for it: it is its children.
        const others = namedBy(resource).filter((other) => other !== parent || byUrn.get(other)?.custom);
        const own = new Set([...(needs.get(urn) ?? []), ...others.flatMap(expand)]);
        own.delete(urn);
        needs.set(urn, own);
    }
    return needs;
}

function longest(links: Map<string, Link>, needs: Map<string, Set<string>>): AwsTime {
    const ends = new Map<string, { seconds: number; previous?: string }>();
    const visit = (urn: string, path: Set<string>): { seconds: number; previous?: string } => {
        const known = ends.get(urn);
        if (known) {
            return known;
        }
        // A component that is told to depend on one of its own children makes a circle; the engine does not wait there either.
        const end: { seconds: number; previous?: string } = { seconds: 0 };
        for (const need of needs.get(urn) ?? []) {
            if (!path.has(need)) {
                const { seconds } = visit(need, path.add(urn));
                if (seconds > end.seconds || end.previous === undefined) {
                    end.seconds = seconds;
                    end.previous = need;
                }
            }
        }
        path.delete(urn);
        end.seconds += links.get(urn)?.seconds ?? 0;
        ends.set(urn, end);
        return end;
    };
    let last: string | undefined;
    for (const urn of links.keys()) {
        const { seconds } = visit(urn, new Set());
        if (last === undefined || seconds > ends.get(last)!.seconds) {
            last = urn;
        }
    }
    const chain: Link[] = [];
    for (let urn = last; urn !== undefined; urn = ends.get(urn)?.previous) {
        const link = links.get(urn);
        if (link && link.seconds > 0) {
            chain.unshift(link);
        }
    }
    return { seconds: last === undefined ? 0 : ends.get(last)!.seconds, chain };
}
