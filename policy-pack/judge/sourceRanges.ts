import { isUnknown, UNKNOWN } from "../plain";
import type { Judgement, Resource } from "../rule";
import { elements, shapeOf } from "../storage/values";
import { isPublic, parseCidr } from "./cidr";

/** What an open load balancer means. */
export const reached = "The whole internet reaches what is behind it.";

/** The networks in a list, or in a text with commas between them. */
export function rangesIn(ranges: unknown): unknown[] {
    return typeof ranges === "string"
        ? ranges.split(",").filter((range) => range.trim() !== "")
        : elements(ranges).map(([range]) => range);
}

/** Judges the networks that may reach a load balancer that faces the internet. */
export function judgeRanges(resource: Resource, ranges: unknown, path: string, judgement: Judgement): void {
    const list = rangesIn(ranges);
    const known = list.filter((range): range is string => typeof range === "string").map((range) => range.trim());
    const strange = known.filter((range) => parseCidr(range) === undefined);
    if (isPublic(known)) {
        const fix = "List the networks that need it.";
        judgement.violation(resource, path, `The listed networks are the internet. ${reached}`, fix);
    } else if (list.some(isUnknown) || strange.some((range) => /[<>${]/.test(range))) {
        judgement.unknown(resource, path, "the networks that may come in are not known yet.");
    } else if (known.length !== list.length) {
        const shape = shapeOf(list.find((one) => typeof one !== "string"));
        judgement.violation(resource, path, `A list of networks has texts, and one here is ${shape}.`);
    } else if (strange.length > 0) {
        judgement.violation(resource, path, "One of these is no network, as 203.0.113.0/24 is: it is refused.");
    }
}

/** Whether an annotation says something. */
export function isGiven(value: unknown): boolean {
    return isUnknown(value) || (typeof value === "string" && value.trim() !== "");
}

/** Whether security groups, named by a property, let in the whole internet; undefined when that is not (all) to be seen. */
export type Admits = (resource: Resource, property: string, groups: unknown) => boolean | undefined;

/** Judges a load balancer whose security groups decide who may come in: listed networks have no effect then. */
export function judgeBehindGroups(
    resource: Resource,
    groups: unknown,
    path: string,
    judgement: Judgement,
    admits?: Admits,
): void {
    const named = isUnknown(groups)
        ? UNKNOWN
        : rangesIn(groups).map((one) => (typeof one === "string" ? one.trim() : one));
    const internet = admits?.(resource, path.split(/[.[]/)[0], named);
    judgement.judge(resource);
    if (internet === true) {
        const fix = "Admit the networks that need it in those groups.";
        judgement.violation(resource, path, `The security groups that it names let the internet in. ${reached}`, fix);
    } else if (internet === undefined) {
        judgement.unknown(resource, path, "the security groups that it names decide who may come in.");
    }
}
