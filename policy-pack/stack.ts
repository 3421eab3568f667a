import type { Resource, Stack } from "./rule";

/** Indexes a program's resources; each index is built when it is first asked for. */
export function stackOf(resources: Resource[]): Stack {
    return new IndexedStack(resources);
}

class IndexedStack implements Stack {
    #types?: Map<string, Resource[]>;
    #urns?: Map<string, Resource>;
    #children?: Map<string, Resource[]>;
    readonly #made = new Map<(stack: Stack) => unknown, unknown>();

    constructor(readonly resources: Resource[]) {}

    ofType(...types: string[]): Resource[] {
        this.#types ??= groupBy(this.resources, (resource) => resource.type);
        return types.flatMap((type) => this.#types!.get(type) ?? []);
    }

    byUrn(urn: string): Resource | undefined {
        this.#urns ??= new Map(this.resources.map((resource) => [resource.urn, resource]));
        return this.#urns.get(urn);
    }

    childrenOf(urn: string): Resource[] {
        this.#children ??= groupBy(this.resources, (resource) => resource.parent ?? "");
        return this.#children.get(urn) ?? [];
    }

    once<T>(make: (stack: Stack) => T): T {
        if (!this.#made.has(make)) {
            this.#made.set(make, make(this));
        }
        return this.#made.get(make) as T;
    }
}

function groupBy(resources: Resource[], key: (resource: Resource) => string): Map<string, Resource[]> {
    const groups = new Map<string, Resource[]>();
    for (const resource of resources) {
        const group = groups.get(key(resource));
        if (group) {
            group.push(resource);
        } else {
            groups.set(key(resource), [resource]);
        }
    }
    return groups;
}
