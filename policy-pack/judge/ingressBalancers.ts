import { isUnknown } from "../plain";
import type { Judgement, Resource } from "../rule";
import type { KubernetesObject } from "../storage/model";
import { elements, get, isTree, parseBool, placeholder, under } from "../storage/values";
import { isGiven, judgeBehindGroups, judgeRanges, rangesIn, reached, type Admits } from "./sourceRanges";

export const alb = "alb.ingress.kubernetes.io/";
const securityGroups = `${alb}security-groups`;
const inbound = `${alb}inbound-cidrs`;
const oldClass = "kubernetes.io/ingress.class";

/** What decides on the load balancer of an Ingress, wherever an Ingress or a chart says it. */
export interface IngressSettings {
    resource: Resource;
    annotations: unknown;
    /** The path of the annotations. */
    at: string;
    className: unknown;
    /** Which cluster it is in: groups do not reach into another. */
    cluster?: string;
}

/** The classes of a program, and the settings that they hold for all their Ingresses. */
export interface IngressClasses {
    classes: KubernetesObject[];
    parameters: KubernetesObject[];
}

/** Whether nothing else in the program decides on an Ingress: no class, no other Ingress of its group, no security groups. */
export function isAlone({ annotations }: IngressSettings): boolean {
    const has = (key: string) => get(annotations, key) !== undefined;
    // With the old annotation no IngressClass counts; without any class, the default one may.
    return !isUnknown(annotations) && has(oldClass) && !has(`${alb}group.name`) && !has(securityGroups);
}

/** Judges Ingresses as the AWS Load Balancer Controller merges them: one load balancer a group, classes before annotations. */
export function judgeIngresses(
    ingresses: IngressSettings[],
    known: IngressClasses,
    judgement: Judgement,
    admits?: Admits,
): void {
    const groups = new Map<string, Member[]>();
    for (const [index, ingress] of ingresses.entries()) {
        const member = memberOf(ingress, known);
        if (member) {
            const key = member.group === undefined ? `alone ${index}` : `${ingress.cluster ?? ""} ${member.group}`;
            groups.set(key, [...(groups.get(key) ?? []), member]);
        }
    }
    groups.forEach((members) => judgeGroup(members, judgement, admits));
}

interface Member extends IngressSettings {
    group?: string;
    facing: boolean;
    /** The path of a scheme that is not known. */
    open?: string;
    /** Ports of its listeners. */
    ports: string[];
    /** Networks that it (or its class) lists. */
    listed?: { resource: Resource; ranges: unknown; path: string };
    prefixLists: boolean;
}

function memberOf(ingress: IngressSettings, { classes, parameters }: IngressClasses): Member | undefined {
    const { annotations, at, resource } = ingress;
    const said = (key: string) => get(annotations, alb + key);
    const own = classOf(ingress, classes);
    const controller = get(own?.body, "spec", "controller");
    const name = get(annotations, oldClass) ?? ingress.className;
    if (typeof controller === "string" ? !/\/alb$/.test(controller) : isOther(name)) {
        return undefined;
    }
    const setting = parameters.find((one) => one.name === get(own?.body, "spec", "parameters", "name"));
    const spec = get(setting?.body, "spec");
    const scheme = get(spec, "scheme") ?? said("scheme");
    const front = parseBool(said("enable-frontend-nlb")) === true ? said("frontend-nlb-scheme") : undefined;
    const group = get(spec, "group", "name") ?? said("group.name");
    const ofClass = get(spec, "inboundCIDRs");
    const listed = [
        ...(setting
            ? [{ resource: setting.resource, ranges: ofClass, path: under(setting.path, "spec", "inboundCIDRs") }]
            : []),
        { resource, ranges: said("inbound-cidrs"), path: under(at, inbound) },
    ].find(({ ranges }) => rangesIn(ranges).length > 0);
    return {
        ...ingress,
        group: typeof group === "string" ? group : undefined,
        // What is no text, the API server refuses: it says nothing that would be safe.
        facing: [scheme, front].some(
            (one) => one === "internet-facing" || (one !== undefined && typeof one !== "string" && !isUnknown(one)),
        ),
        open: placeholder(scheme)
            ? under(at, `${alb}scheme`)
            : placeholder(front)
              ? under(at, `${alb}frontend-nlb-scheme`)
              : undefined,
        ports: portsOf(said("listen-ports"), said("certificate-arn") ?? get(spec, "certificateArn")),
        listed,
        prefixLists:
            isGiven(said("security-group-prefix-lists")) ||
            ["prefixListsIDs", "PrefixListsIDs"].some((key) => elements(get(spec, key)).length > 0),
    };
}

/** The class in this program that an Ingress is of: by name, or the default one. The old annotation counts first and knows no settings. */
function classOf(
    { annotations, className }: IngressSettings,
    classes: KubernetesObject[],
): KubernetesObject | undefined {
    if (get(annotations, oldClass) !== undefined) {
        return undefined;
    }
    const isDefault = (one: KubernetesObject) =>
        get(one.annotations, "ingressclass.kubernetes.io/is-default-class") === "true";
    return classes.find((one) => (className === undefined ? isDefault(one) : one.name === className));
}

/** Whether the name of a class tells that it is another controller's. */
function isOther(name: unknown): boolean {
    return typeof name === "string" && /nginx|traefik|haproxy|istio|kong|contour|gce|azure|cilium/i.test(name);
}

/** The ports that an Ingress listens on, by `[{"HTTP": 80}]`; without it on 443 if it has a certificate, and 80 otherwise. */
function portsOf(listed: unknown, certificate: unknown): string[] {
    if (typeof listed === "string") {
        try {
            const parsed = JSON.parse(listed) as unknown;
            const ports = elements(parsed).flatMap(([one]) => (isTree(one) ? Object.values(one).map(String) : []));
            if (ports.length > 0) {
                return ports;
            }
        } catch {
            // no JSON: the controller refuses it; the default does no harm
        }
    }
    return [certificate === undefined ? "80" : "443"];
}

function judgeGroup(members: Member[], judgement: Judgement, admits?: Admits): void {
    const marked = members.filter(
        ({ annotations }) => isTree(annotations) && Object.keys(annotations).some((key) => key.startsWith(alb)),
    );
    marked.forEach(({ resource }) => judgement.judge(resource));
    if (!members.some(({ facing }) => facing)) {
        for (const { resource, open } of members) {
            if (open !== undefined) {
                judgement.unknown(resource, open, "whether the load balancer is internal is not known yet.");
            }
        }
        return;
    }
    const behind = members.filter(({ annotations }) => isGiven(get(annotations, securityGroups)));
    if (behind.length > 0) {
        for (const { resource, annotations, at } of behind) {
            judgeBehindGroups(resource, get(annotations, securityGroups), under(at, securityGroups), judgement, admits);
        }
        return;
    }
    members.forEach((member) => judgeMember(member, members, judgement));
}

function judgeMember(member: Member, members: Member[], judgement: Judgement): void {
    const { listed, ports, resource, at } = member;
    if (listed) {
        judgeRanges(listed.resource, listed.ranges, listed.path, judgement.judge(resource));
        return;
    }
    // Networks count for the ports of the Ingress that lists them, and for all of the group that share such a port.
    const limited = (port: string) =>
        members.some((one) => (one.listed !== undefined || one.prefixLists) && one.ports.includes(port));
    if (!ports.every(limited)) {
        const what = `The load balancer faces the internet and no networks are listed. ${reached}`;
        judgement.violation(resource, under(at, inbound), what);
    }
}
