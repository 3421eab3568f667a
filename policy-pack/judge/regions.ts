import type { Resource } from "../rule";

/** The region of a resource of AWS, its own or its provider's; `undefined` when the program does not show it. */
export function regionOf({ props, provider }: Resource): string | undefined {
    const region = props.region ?? provider?.props.region;
    return typeof region === "string" ? region : undefined;
}

/** Whether two regions are one; a region that is not to be seen counts as any. */
export function sameRegion(one: string | undefined, other: string | undefined): boolean {
    return one === undefined || other === undefined || one === other;
}
