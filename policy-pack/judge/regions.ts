import type { Resource } from "../rule";

/** The region of a resource of AWS, its own or its provider's; `undefined` when the program does not show it. */
export function regionOf({ props, provider }: Resource): string | undefined {
    const region = props.region ?? provider?.props.region;
    return typeof region === "string" ? region : undefined;
}

/** Looks things up by region: those of the region, and those of which the region is not to be seen. */
export class ByRegion<T> {
    readonly #things = new Map<string | undefined, T[]>();
    readonly #all: T[] = [];

    put(region: string | undefined, thing: T): this {
        this.#all.push(thing);
        const things = this.#things.get(region);
        if (things) {
            things.push(thing);
        } else {
            this.#things.set(region, [thing]);
        }
        return this;
    }

    of(region: string | undefined): T[] {
        return region === undefined
            ? this.#all
            : [...(this.#things.get(region) ?? []), ...(this.#things.get(undefined) ?? [])];
    }
}

/** Whether two regions are one; a region that is not to be seen counts as any. */
export function sameRegion(one: string | undefined, other: string | undefined): boolean {
    return one === undefined || other === undefined || one === other;
}
