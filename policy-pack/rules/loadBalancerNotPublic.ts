import { judgeAwsLoadBalancers } from "../judge/awsLoadBalancers";
import { isPublic } from "../judge/cidr";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule } from "../rule";
import { storageOf } from "../storage";
import { chartName } from "../storage/charts";
import type { ChartUse, KubernetesObject } from "../storage/model";
import { readResource } from "../storage/read";
import { elements, get, isTree, parseBool, shapeOf, under } from "../storage/values";

const service = "service.beta.kubernetes.io/";
const alb = "alb.ingress.kubernetes.io/";
const open = "The whole internet reaches what is behind it.";

/** Charts whose service is a load balancer when nothing is said: their section, and how they call the ranges. */
const publicCharts: Record<string, string[]> = {
    "ingress-nginx": ["controller", "service"],
    "nginx-ingress": ["controller", "service"],
    traefik: ["service"],
    wordpress: ["service"],
};

export const rule: Rule = {
    name: "load-balancer-not-public",
    description: "A load balancer is internal, or admits listed networks only.",
    why: "A Service of type LoadBalancer is open to the internet by default: Airflow's user interface, and its login page, to everyone.",
    fix: "Make it internal (aws-load-balancer-scheme: internal), or list the networks that may come in (loadBalancerSourceRanges, inbound-cidrs).",
    level: "mandatory",
    severity: "high",
    resource: (resource) => {
        const judgement = new Judgement();
        const { objects, charts } = readResource(resource);
        for (const object of objects) {
            judgeObject(object, judgement);
        }
        charts.forEach((chart) => judgeChart(chart, judgement));
        return judgement;
    },
    stack: (stack) => {
        const judgement = judgeAwsLoadBalancers(stack);
        const objects = storageOf(stack).carried.objects;
        const settings = objects.filter(
            ({ group, kind }) => group === "elbv2.k8s.aws" && kind === "IngressClassParams",
        );
        const classes =
            settings.length === 0
                ? []
                : objects.filter(({ group, kind }) => group === "networking.k8s.io" && kind === "IngressClass");
        for (const ingress of settings.length === 0 ? [] : objects.filter(isIngress)) {
            judgeByClass(ingress, classes, settings, judgement);
        }
        return judgement;
    },
};

function judgeObject(object: KubernetesObject, judgement: Judgement): void {
    const { group, kind, resource, path, body, annotations } = object;
    if (group === "" && kind === "Service") {
        const spec = { ...(isTree(body.spec) ? body.spec : {}), unknown: isUnknown(body.spec) };
        judgeService(
            resource,
            spec,
            annotations,
            { spec: under(path, "spec"), annotations: under(path, "metadata", "annotations") },
            judgement,
        );
    } else if (isIngress(object)) {
        judgeIngress(object, judgement);
    } else if (group === "gateway.k8s.aws" && kind === "LoadBalancerConfiguration") {
        judgement.judge(resource);
        if (get(body, "spec", "scheme") === "internet-facing") {
            judgeRanges(resource, get(body, "spec", "sourceRanges"), under(path, "spec", "sourceRanges"), judgement);
        }
    }
}

interface Where {
    spec: string;
    annotations: string;
}

function judgeService(
    resource: Resource,
    spec: Record<string, unknown>,
    annotations: unknown,
    where: Where,
    judgement: Judgement,
): void {
    if (spec.unknown === true || isUnknown(spec.type)) {
        judgement.unknown(
            resource,
            under(where.spec, "type"),
            "whether the service is a load balancer is not known yet.",
        );
        return;
    }
    if (spec.type !== "LoadBalancer") {
        return;
    }
    judgement.judge(resource);
    const scheme = schemeOf(spec, annotations);
    if (scheme === "internal") {
        return;
    }
    if (scheme === "elsewhere") {
        judgement.unknown(
            resource,
            under(where.spec, "loadBalancerClass"),
            "another controller than those of AWS makes this load balancer.",
        );
        return;
    }
    if (isUnknown(scheme)) {
        judgement.unknown(resource, where.annotations, "whether the load balancer is internal is not known yet.");
        return;
    }
    const own = get(annotations, `${service}aws-load-balancer-security-groups`);
    const lists = get(annotations, `${service}aws-load-balancer-security-group-prefix-lists`);
    if (isGiven(lists)) {
        return;
    }
    const ranges = get(spec, "loadBalancerSourceRanges");
    const listed = isUnknown(ranges) || elements(ranges).length > 0;
    if (isGiven(own) && !listed) {
        const key = under(where.annotations, `${service}aws-load-balancer-security-groups`);
        judgement.unknown(resource, key, "the security groups that it names decide who may come in.");
        return;
    }
    const annotated = get(annotations, "service.beta.kubernetes.io/load-balancer-source-ranges");
    if (listed) {
        judgeRanges(resource, ranges, under(where.spec, "loadBalancerSourceRanges"), judgement);
    } else if (annotated !== undefined) {
        judgeRanges(
            resource,
            annotated,
            under(where.annotations, "service.beta.kubernetes.io/load-balancer-source-ranges"),
            judgement,
        );
    } else {
        judgement.violation(
            resource,
            under(where.spec, "loadBalancerSourceRanges"),
            `The load balancer faces the internet and no source ranges are listed. ${open}`,
        );
    }
}

/**
 * Who makes the load balancer decides what is default: the controller built into Kubernetes makes public ones, the AWS Load Balancer Controller
 * and EKS Auto Mode internal ones.
 */
function schemeOf(spec: Record<string, unknown>, annotations: unknown): "internal" | "public" | "elsewhere" | symbol {
    if (isUnknown(annotations)) {
        return annotations;
    }
    const [scheme, internal, type] = [
        "aws-load-balancer-scheme",
        "aws-load-balancer-internal",
        "aws-load-balancer-type",
    ].map((key) => get(annotations, service + key));
    const loadBalancerClass = get(spec, "loadBalancerClass");
    const controller =
        ["service.k8s.aws/nlb", "eks.amazonaws.com/nlb"].includes(loadBalancerClass as string) ||
        ["external", "nlb-ip"].includes(type as string);
    if (loadBalancerClass !== undefined && !controller && !isUnknown(loadBalancerClass)) {
        return "elsewhere";
    }
    if (isUnknown(scheme)) {
        return scheme;
    }
    if (typeof scheme === "string" && scheme !== "") {
        return scheme.trim().toLowerCase() === "internal" ? "internal" : "public";
    }
    if (isUnknown(internal)) {
        return internal;
    }
    if (internal !== undefined && internal !== "") {
        // The old annotation: any text but "false" (the AWS documentation once asked for 0.0.0.0/0) makes it internal.
        return controller
            ? parseBool(internal) === true || internal === "0.0.0.0/0"
                ? "internal"
                : "public"
            : parseBool(internal) === false
              ? "public"
              : "internal";
    }
    if (isUnknown(loadBalancerClass) || isUnknown(type)) {
        return (isUnknown(type) ? type : loadBalancerClass) as symbol;
    }
    return controller ? "internal" : "public";
}

function isIngress({ group, kind }: KubernetesObject): boolean {
    return kind === "Ingress" && (group === "networking.k8s.io" || group === "extensions");
}

function judgeIngress(ingress: KubernetesObject, judgement: Judgement): void {
    const { resource, annotations, path } = ingress;
    const where = under(path, "metadata", "annotations");
    const scheme = get(annotations, `${alb}scheme`);
    if (isUnknown(scheme)) {
        judgement.unknown(
            resource,
            under(where, `${alb}scheme`),
            "whether the load balancer is internal is not known yet.",
        );
        return;
    }
    if (scheme !== "internet-facing" || isOtherClass(ingress)) {
        if (isTree(annotations) && Object.keys(annotations).some((key) => key.startsWith(alb))) {
            judgement.judge(resource);
        }
        return;
    }
    judgement.judge(resource);
    judgeInbound(ingress, judgement);
}

function judgeInbound({ resource, annotations, path }: KubernetesObject, judgement: Judgement): void {
    const where = under(path, "metadata", "annotations");
    if (isGiven(get(annotations, `${alb}security-group-prefix-lists`))) {
        return;
    }
    const ranges = get(annotations, `${alb}inbound-cidrs`);
    if (isGiven(get(annotations, `${alb}security-groups`)) && ranges === undefined) {
        judgement.unknown(
            resource,
            under(where, `${alb}security-groups`),
            "the security groups that it names decide who may come in.",
        );
    } else if (ranges === undefined || ranges === "") {
        judgement.violation(
            resource,
            under(where, `${alb}inbound-cidrs`),
            `The load balancer faces the internet and no networks are listed. ${open}`,
        );
    } else {
        judgeRanges(resource, ranges, under(where, `${alb}inbound-cidrs`), judgement);
    }
}

function isOtherClass({ body, annotations }: KubernetesObject): boolean {
    const name = get(body, "spec", "ingressClassName") ?? get(annotations, "kubernetes.io/ingress.class");
    return typeof name === "string" && /nginx|traefik|haproxy|istio|kong|contour|gce|azure|cilium/i.test(name);
}

/** An Ingress that says nothing of the scheme takes it from the parameters of its class. */
function judgeByClass(
    ingress: KubernetesObject,
    classes: KubernetesObject[],
    settings: KubernetesObject[],
    judgement: Judgement,
): void {
    const name =
        get(ingress.body, "spec", "ingressClassName") ?? get(ingress.annotations, "kubernetes.io/ingress.class");
    const own = classes.find((one) => typeof name === "string" && one.name === name);
    const parameters = get(own?.body, "spec", "parameters", "name");
    const setting = settings.find((one) => typeof parameters === "string" && one.name === parameters);
    const facing =
        get(setting?.body, "spec", "scheme") === "internet-facing" &&
        get(ingress.annotations, `${alb}scheme`) !== "internet-facing";
    const limited = [get(setting?.body, "spec", "inboundCIDRs"), get(setting?.body, "spec", "prefixListsIDs")].some(
        (one) => isUnknown(one) || elements(one).length > 0,
    );
    if (facing && !limited) {
        judgeInbound(ingress, judgement);
    }
}

function judgeRanges(resource: Resource, ranges: unknown, path: string, judgement: Judgement): void {
    const list = typeof ranges === "string" ? ranges.split(",") : elements(ranges).map(([range]) => range);
    const known = list.filter((range): range is string => typeof range === "string").map((range) => range.trim());
    if (isPublic(known)) {
        judgement.violation(
            resource,
            path,
            `The listed networks are the internet. ${open}`,
            "List the networks that need it.",
        );
    } else if (isUnknown(ranges) || list.some(isUnknown)) {
        judgement.unknown(resource, path, "the networks that may come in are not known yet.");
    } else if (known.length !== list.length) {
        judgement.violation(
            resource,
            path,
            `A list of networks has texts, and one here is ${shapeOf(list.find((one) => typeof one !== "string"))}.`,
        );
    } else if (known.filter((range) => range !== "").length === 0) {
        judgement.violation(resource, path, `No networks are listed. ${open}`);
    }
}

function isGiven(value: unknown): boolean {
    return isUnknown(value) || (typeof value === "string" && value.trim() !== "");
}

/** A chart's values: every section with `type: LoadBalancer`, the annotations beside it, and charts that default to it. */
function judgeChart(chart: ChartUse, judgement: Judgement): void {
    const { resource, values, path } = chart;
    const name = chartName(chart);
    const defaults =
        name !== undefined && Object.hasOwn(publicCharts, name) && !chart.moreValues ? publicCharts[name] : undefined;
    if (
        defaults &&
        isTree(values) &&
        get(values, ...defaults, "type") === undefined &&
        get(values, ...defaults, "enabled") !== false &&
        get(values, ...defaults, "external", "enabled") !== false
    ) {
        const section = get(values, ...defaults);
        judgeSection(
            resource,
            { ...(isTree(section) ? section : {}), type: "LoadBalancer" },
            under(path, ...defaults),
            judgement,
        );
    }
    visit(resource, values, path, judgement, 0);
}

function visit(resource: Resource, value: unknown, path: string, judgement: Judgement, depth: number): void {
    if (typeof value !== "object" || value === null || depth > 100) {
        return;
    }
    if (isTree(value)) {
        if (value.enabled === false || typeof value.apiVersion === "string") {
            return;
        }
        if (value.type === "LoadBalancer") {
            judgeSection(resource, value, path, judgement);
        }
        const annotations = get(value, "annotations");
        if (get(annotations, `${alb}scheme`) === "internet-facing" && isTree(annotations)) {
            const object = {
                resource,
                path,
                annotations,
                group: "networking.k8s.io",
                kind: "Ingress",
                name: undefined,
                namespace: undefined,
            };
            judgeInbound(
                { ...object, body: {}, patch: false },
                new Relocated(judgement, under(path, "metadata", "annotations"), under(path, "annotations")),
            );
        }
    }
    for (const [key, inner] of Object.entries(value)) {
        visit(resource, inner, under(path, Array.isArray(value) ? Number(key) : key), judgement, depth + 1);
    }
}

function judgeSection(resource: Resource, section: Record<string, unknown>, path: string, judgement: Judgement): void {
    const ranges = section.loadBalancerSourceRanges ?? get(section, "spec", "loadBalancerSourceRanges");
    judgeService(
        resource,
        { ...section, loadBalancerSourceRanges: ranges },
        section.annotations,
        { spec: path, annotations: under(path, "annotations") },
        judgement,
    );
}

/** Writes findings under another path: charts have no `metadata` above their annotations. */
class Relocated extends Judgement {
    constructor(
        readonly inner: Judgement,
        readonly from: string,
        readonly to: string,
    ) {
        super();
    }

    #move(property: string): string {
        return property.startsWith(this.from) ? this.to + property.slice(this.from.length) : property;
    }

    override violation(resource: Resource, property: string, what: string, fix?: string): this {
        this.inner.violation(resource, this.#move(property), what, fix);
        return this;
    }

    override unknown(resource: Resource, property: string, why: string): this {
        this.inner.unknown(resource, this.#move(property), why);
        return this;
    }
}
