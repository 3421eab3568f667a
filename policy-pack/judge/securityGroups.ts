import { isUnknown, UNKNOWN, type Unknown } from "../plain";
import type { Resource, Stack } from "../rule";
import { isPublic, parseCidr } from "./cidr";
import { type Ports, readPorts } from "./ports";
import { refer } from "./references";
import { at, blocks, isTree, items, text } from "./tree";

export const SECURITY_GROUPS = [
    "aws:ec2/securityGroup:SecurityGroup",
    "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
    "aws-native:ec2:SecurityGroup",
];
const SECURITY_GROUP_RULES = [
    "aws:ec2/securityGroupRule:SecurityGroupRule",
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    "aws-native:ec2:SecurityGroupIngress",
];
export const CARRIERS = [...SECURITY_GROUPS, ...SECURITY_GROUP_RULES];
const PREFIX_LISTS = ["aws:ec2/managedPrefixList:ManagedPrefixList", "aws-native:ec2:PrefixList"];
const PREFIX_LIST_ENTRY = "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry";

/** One way into a security group, inline or as a resource of its own. */
export interface Opening {
    resource: Resource;
    path: string;
    ports: Ports | Unknown;
    /** Address ranges that are known. */
    cidrs: string[];
    /** Ranges or lists of which the value is not known. */
    unknown: boolean;
    /** Prefix lists by id; unknown ids are resolved by dependency. */
    prefixLists: unknown[];
    /** Things in the place of a range that are none. */
    malformed: string[];
}

/** Reads the ingress of a security group or of a rule of any generation; egress and other types give nothing. */
export function openings(resource: Resource): Opening[] {
    const { type, props } = resource;
    if (
        type === "aws:ec2/securityGroup:SecurityGroup" ||
        type === "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup"
    ) {
        return blocks(props.ingress, "ingress").map(({ value, path }) => classic(resource, value, path));
    }
    if (type === "aws:ec2/securityGroupRule:SecurityGroupRule") {
        const opening = classic(resource, props, "");
        if (isUnknown(props.type)) {
            return [{ ...opening, ports: UNKNOWN }];
        }
        return typeof props.type === "string" && props.type.toLowerCase() === "egress" ? [] : [opening];
    }
    if (type === "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule") {
        return [modern(resource, props, "", ["cidrIpv4", "cidrIpv6"], "prefixListId")];
    }
    if (type === "aws-native:ec2:SecurityGroup") {
        return blocks(props.securityGroupIngress, "securityGroupIngress").map(({ value, path }) =>
            modern(resource, value, path, ["cidrIp", "cidrIpv6"], "sourcePrefixListId"),
        );
    }
    return type === "aws-native:ec2:SecurityGroupIngress"
        ? [modern(resource, props, "", ["cidrIp", "cidrIpv6"], "sourcePrefixListId")]
        : [];
}

function classic(resource: Resource, rule: unknown, path: string): Opening {
    const ranges = [...listed(at(rule, "cidrBlocks")), ...listed(at(rule, "ipv6CidrBlocks"))];
    return {
        ...read(resource, path, rule, ranges, listed(at(rule, "prefixListIds"))),
        ports: isUnknown(rule) ? UNKNOWN : readPorts(at(rule, "protocol"), at(rule, "fromPort"), at(rule, "toPort")),
    };
}

function modern(resource: Resource, rule: unknown, path: string, cidrs: string[], prefixList: string): Opening {
    const ranges = cidrs.flatMap((key) => listed(at(rule, key)));
    return {
        ...read(resource, path, rule, ranges, listed(at(rule, prefixList))),
        ports: isUnknown(rule) ? UNKNOWN : readPorts(at(rule, "ipProtocol"), at(rule, "fromPort"), at(rule, "toPort")),
    };
}

const listed = (value: unknown): unknown[] => items(value).filter((item) => item !== null && item !== "");

function read(
    resource: Resource,
    path: string,
    rule: unknown,
    ranges: unknown[],
    prefixLists: unknown[],
): Omit<Opening, "ports"> {
    const cidrs: string[] = [];
    const malformed = isTree(rule) || isUnknown(rule) || rule === null ? [] : [typeof rule];
    let unknown = false;
    for (const range of ranges) {
        const cidr = text(range);
        if (cidr === UNKNOWN) {
            unknown = true;
        } else if (cidr !== undefined && parseCidr(cidr)) {
            cidrs.push(cidr);
        } else {
            malformed.push(typeof range);
        }
    }
    return { resource, path, cidrs, unknown, prefixLists, malformed };
}

/** A security group as the stack shows it: all ways into it, from wherever they are written. */
export interface Group {
    /** The group itself, when this program makes it. */
    resource?: Resource;
    openings: Opening[];
}

/** All groups of the program with the rules that belong to each, by the URN of the group or by its id. */
export function indexGroups(stack: Stack): Map<string, Group> {
    const groups = new Map<string, Group>();
    for (const resource of stack.ofType(...SECURITY_GROUPS)) {
        groups.set(resource.urn, { resource, openings: openings(resource) });
    }
    for (const rule of stack.ofType(...SECURITY_GROUP_RULES)) {
        const property = "securityGroupId" in rule.props ? "securityGroupId" : "groupId";
        const found = refer(stack, rule, property, rule.props[property], SECURITY_GROUPS);
        const key =
            found.resources[0]?.urn ??
            found.external[0] ??
            ([...(rule.propertyDependencies?.[property] ?? [])].sort().join(" ") || rule.urn);
        const group = groups.get(key) ?? { openings: [] };
        group.openings.push(...openings(rule));
        groups.set(key, group);
    }
    return groups;
}

/** The ranges of an opening with its prefix lists looked up in the program. */
export function resolvedRanges(stack: Stack, opening: Opening): { cidrs: string[]; unresolved: boolean } {
    if (opening.prefixLists.length === 0) {
        return { cidrs: opening.cidrs, unresolved: false };
    }
    const lists = stack.once(indexPrefixLists);
    const { props } = opening.resource;
    const property =
        opening.path.split(/[.[]/)[0] ||
        (["prefixListIds", "prefixListId", "sourcePrefixListId"].find((key) => key in props) as string);
    const found = refer(stack, opening.resource, property, opening.prefixLists, PREFIX_LISTS);
    const entries = found.resources.map((list) => lists.get(list.urn));
    return {
        cidrs: [...opening.cidrs, ...entries.flatMap((entry) => entry?.cidrs ?? [])],
        unresolved: found.unknown || found.external.length > 0 || entries.some((entry) => entry?.unknown),
    };
}

function indexPrefixLists(stack: Stack): Map<string, { cidrs: string[]; unknown: boolean }> {
    const lists = new Map<string, { cidrs: string[]; unknown: boolean }>();
    const put = (urn: string, cidr: unknown) => {
        const list = lists.get(urn) ?? { cidrs: [], unknown: false };
        if (typeof cidr === "string") {
            list.cidrs.push(cidr);
        } else if (isUnknown(cidr)) {
            list.unknown = true;
        }
        lists.set(urn, list);
    };
    for (const list of stack.ofType(...PREFIX_LISTS)) {
        const entries = list.props.entries;
        if (isUnknown(entries)) {
            put(list.urn, entries);
        }
        items(entries).forEach((entry) => put(list.urn, at(entry, "cidr")));
    }
    for (const entry of stack.ofType(PREFIX_LIST_ENTRY)) {
        const found = refer(stack, entry, "prefixListId", entry.props.prefixListId, PREFIX_LISTS);
        found.resources.forEach((list) => put(list.urn, entry.props.cidr));
    }
    return lists;
}

/** The property that names the ranges of a rule that is a resource of its own. */
export function rangesProperty({ path, resource: { props } }: Opening): string {
    const keys = ["cidrBlocks", "ipv6CidrBlocks", "cidrIpv4", "cidrIp", "cidrIpv6"];
    const lists = ["prefixListIds", "prefixListId", "sourcePrefixListId"];
    return path || ([...keys, ...lists].find((key) => props[key] !== undefined && props[key] !== null) ?? "cidrBlocks");
}

/** Whether an opening lets the internet in, judged by itself. */
export function opensToWorld(opening: Opening): boolean {
    return isPublic(opening.cidrs);
}
