import { isUnknown } from "../plain";
import type { Judgement, Resource } from "../rule";
import { get, parseBool, placeholder, under } from "../storage/values";
import { isGiven, judgeBehindGroups, judgeRanges, rangesIn, reached, type Admits } from "./sourceRanges";

const prefix = "service.beta.kubernetes.io/";
const securityGroups = `${prefix}aws-load-balancer-security-groups`;
const prefixLists = `${prefix}aws-load-balancer-security-group-prefix-lists`;
const annotatedRanges = `${prefix}load-balancer-source-ranges`;

/** What decides on the load balancer of a Service, wherever a Service, a chart, or an operator says it. */
export interface ServiceSettings {
    resource: Resource;
    type: unknown;
    loadBalancerClass: unknown;
    ranges: unknown;
    annotations: unknown;
    /** Paths of the section (or `spec`), of the list of networks, and of the annotations. */
    at: { section: string; ranges: string; annotations: string };
}

/** Judges a Service of type LoadBalancer: internal, or open to listed networks only. */
export function judgeService(service: ServiceSettings, judgement: Judgement, admits?: Admits): void {
    const { resource, annotations, at } = service;
    const why = open(service);
    if (why === undefined) {
        return;
    }
    judgement.judge(resource);
    if (why === "internal") {
        return;
    }
    if (why !== true) {
        judgement.unknown(resource, why.at, why.because);
        return;
    }
    const groups = get(annotations, securityGroups);
    if (isGiven(groups)) {
        judgeBehindGroups(resource, groups, under(at.annotations, securityGroups), judgement, admits);
        return;
    }
    const annotated = get(annotations, annotatedRanges);
    if (rangesIn(service.ranges).length > 0) {
        judgeRanges(resource, service.ranges, at.ranges, judgement);
    } else if (rangesIn(annotated).length > 0) {
        judgeRanges(resource, annotated, under(at.annotations, annotatedRanges), judgement);
    } else if (!isGiven(get(annotations, prefixLists))) {
        const what = `The load balancer faces the internet and no source ranges are listed. ${reached}`;
        judgement.violation(resource, at.ranges, what);
    }
}

/** Whether security groups decide who may come in: they may be elsewhere in the program. */
export function hasGroups({ annotations }: ServiceSettings): boolean {
    return !isUnknown(annotations) && isGiven(get(annotations, securityGroups));
}

/** Whether a Service has a load balancer that faces the internet; why not, when that is not to be seen; undefined when it has none. */
function open(service: ServiceSettings): true | "internal" | { at: string; because: string } | undefined {
    const { type, annotations, at } = service;
    if (isUnknown(type)) {
        return { at: under(at.section, "type"), because: "whether the service is a load balancer is not known yet." };
    }
    if (type !== "LoadBalancer") {
        return undefined;
    }
    switch (schemeOf(service)) {
        case "internal":
            return "internal";
        case "public":
            return true;
        case "elsewhere": {
            const because = "another controller than those of AWS makes this load balancer.";
            return { at: under(at.section, "loadBalancerClass"), because };
        }
        default: {
            const where = isUnknown(annotations) ? at.annotations : under(at.annotations, schemeKey);
            return { at: where, because: "whether the load balancer is internal is not known yet." };
        }
    }
}

const schemeKey = `${prefix}aws-load-balancer-scheme`;

/**
 * Who makes the load balancer decides what is default: the controller built into Kubernetes makes public ones, the AWS Load Balancer Controller
 * and EKS Auto Mode internal ones.
 */
function schemeOf({
    loadBalancerClass,
    annotations,
}: ServiceSettings): "internal" | "public" | "elsewhere" | "unknown" {
    const [scheme, internal, type] = [
        schemeKey,
        `${prefix}aws-load-balancer-internal`,
        `${prefix}aws-load-balancer-type`,
    ]
        .map((key) => get(annotations, key))
        .map((value) => (value === "" ? undefined : value));
    const ofClass = loadBalancerClass === "" ? undefined : loadBalancerClass;
    const controller =
        ["service.k8s.aws/nlb", "eks.amazonaws.com/nlb"].includes(ofClass as string) ||
        ["external", "nlb-ip"].includes(type as string);
    if (isUnknown(annotations)) {
        return "unknown";
    }
    if (ofClass !== undefined && !controller && !isUnknown(ofClass)) {
        return "elsewhere";
    }
    if (scheme !== undefined) {
        return placeholder(scheme)
            ? "unknown"
            : typeof scheme === "string" && scheme.trim().toLowerCase() === "internal"
              ? "internal"
              : "public";
    }
    if (internal !== undefined) {
        return placeholder(internal) ? "unknown" : isInternal(internal, controller) ? "internal" : "public";
    }
    return isUnknown(ofClass) || isUnknown(type) ? "unknown" : controller ? "internal" : "public";
}

/** The old annotation: any text but "false" (the AWS documentation once asked for 0.0.0.0/0) makes it internal. */
function isInternal(value: unknown, controller: boolean): boolean {
    return controller ? parseBool(value) === true || value === "0.0.0.0/0" : parseBool(value) !== false;
}
