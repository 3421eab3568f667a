import { admitInternet, judgeAwsLoadBalancers } from "../judge/awsLoadBalancers";
import { ingressSections, judgeChart, judgeSections, type Settings } from "../judge/balancerSections";
import { isAlone, judgeIngresses, type IngressSettings } from "../judge/ingressBalancers";
import { hasGroups, judgeService, type ServiceSettings } from "../judge/serviceBalancers";
import { isGiven, judgeBehindGroups, judgeRanges, rangesIn, reached, type Admits } from "../judge/sourceRanges";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type Stack } from "../rule";
import { storageOf } from "../storage";
import { clusterOf } from "../storage/cluster";
import type { ChartUse, KubernetesObject } from "../storage/model";
import { isDescribing } from "../storage/objects";
import { readResource } from "../storage/read";
import { elements, get, placeholder, under } from "../storage/values";

/** Groups of Kubernetes itself: what is in their objects is no setting of an operator. */
const builtIn = /^(|apps|batch|autoscaling|policy|extensions|.*\.k8s\.io)$/;

export const rule: Rule = {
    name: "load-balancer-not-public",
    description: "A load balancer is internal, or admits listed networks only.",
    why: "A Service of type LoadBalancer is open to the internet by default: Airflow's user interface, and its login page, to everyone.",
    fix: "Make it internal (aws-load-balancer-scheme: internal), or list the networks that may come in (loadBalancerSourceRanges, inbound-cidrs).",
    level: "mandatory",
    severity: "high",
    /** What an object tells by itself. */
    resource: (resource) => {
        const judgement = new Judgement();
        const { objects, charts, malformed } = readResource(resource);
        for (const { path, why } of malformed.filter(({ about }) => about === "balancer")) {
            judgement.violation(resource, path, `${why} It cannot be judged.`, "Correct it.");
        }
        for (const object of objects) {
            const service = serviceOf(object);
            if (service && !hasGroups(service)) {
                judgeService(service, judgement);
            }
            judgeIngresses(ingressesOf([object]).filter(isAlone), { classes: [], parameters: [] }, judgement);
        }
        operatorSettings(objects, charts).forEach((settings) => judgeSections(settings, judgement));
        charts.forEach((chart) => judgeChart(chart, judgement));
        return judgement;
    },
    /** What needs others: classes and groups of Ingresses, security groups, load balancers of AWS itself. */
    stack: (stack) => {
        const judgement = judgeAwsLoadBalancers(stack);
        const { objects, charts } = storageOf(stack).carried;
        const admits = admitsIn(stack);
        for (const object of objects) {
            const service = serviceOf(object);
            if (service && hasGroups(service)) {
                judgeService(service, judgement, admits);
            }
            judgeGateway(object, judgement, admits);
        }
        const known = {
            classes: objects.filter(({ group, kind }) => group === "networking.k8s.io" && kind === "IngressClass"),
            parameters: objects.filter(({ kind }) => kind === "IngressClassParams"),
        };
        const settings = [
            ...operatorSettings(objects, charts),
            ...charts.map(({ resource, values, path }) => ({ resource, value: values, path })),
        ];
        const ingresses = [
            ...ingressesOf(objects).filter((one) => !isAlone(one)),
            ...settings.flatMap(ingressSections),
        ];
        judgeIngresses(ingresses, known, judgement, admits);
        return judgement;
    },
};

/** What operators are told: the `spec` of objects that are neither Kubernetes' own nor install charts. */
function operatorSettings(objects: KubernetesObject[], charts: ChartUse[]): Settings[] {
    const paths = new Map<Resource, string[]>();
    for (const { resource, path } of charts) {
        paths.set(resource, [...(paths.get(resource) ?? []), path]);
    }
    return objects.flatMap((object) => {
        const { resource, body } = object;
        const path = under(object.path, "spec");
        const elsewhere = builtIn.test(object.group) || isDescribing(object);
        return elsewhere || paths.get(resource)?.some((one) => one.startsWith(path))
            ? []
            : [{ resource, value: body.spec, path }];
    });
}

function admitsIn(stack: Stack): Admits {
    return (resource, property, groups) => admitInternet(stack, resource, property, groups);
}

function serviceOf({ group, kind, resource, path, body, annotations }: KubernetesObject): ServiceSettings | undefined {
    const spec = body.spec;
    return group !== "" || kind !== "Service"
        ? undefined
        : {
              resource,
              type: get(spec, "type"),
              loadBalancerClass: get(spec, "loadBalancerClass"),
              ranges: get(spec, "loadBalancerSourceRanges"),
              annotations,
              at: {
                  section: under(path, "spec"),
                  ranges: under(path, "spec", "loadBalancerSourceRanges"),
                  annotations: under(path, "metadata", "annotations"),
              },
          };
}

function ingressesOf(objects: KubernetesObject[]): IngressSettings[] {
    return objects
        .filter(({ group, kind }) => kind === "Ingress" && (group === "networking.k8s.io" || group === "extensions"))
        .map(({ resource, annotations, path, body }) => ({
            resource,
            annotations,
            at: under(path, "metadata", "annotations"),
            className: get(body, "spec", "ingressClassName"),
            cluster: clusterOf(resource).provider,
        }));
}

/** The Gateway API's load balancers: their settings are an object of their own, internal if nothing is said. */
function judgeGateway(
    { group, kind, resource, path, body }: KubernetesObject,
    judgement: Judgement,
    admits: Admits,
): void {
    if (group !== "gateway.k8s.aws" || kind !== "LoadBalancerConfiguration") {
        return;
    }
    const [scheme, ranges, groups, lists] = ["scheme", "sourceRanges", "securityGroups", "securityGroupPrefixes"].map(
        (key) => get(body, "spec", key),
    );
    const at = (key: string) => under(path, "spec", key);
    judgement.judge(resource);
    if (placeholder(scheme)) {
        judgement.unknown(resource, at("scheme"), "whether the load balancer is internal is not known yet.");
    } else if (scheme !== "internet-facing") {
        return;
    } else if (elements(groups).length > 0) {
        judgeBehindGroups(resource, groups, at("securityGroups"), judgement, admits);
    } else if (rangesIn(ranges).length > 0) {
        judgeRanges(resource, ranges, at("sourceRanges"), judgement);
    } else if (!isUnknown(lists) && !elements(lists).some(([one]) => isGiven(one))) {
        const what = `The load balancer faces the internet and no networks are listed. ${reached}`;
        judgement.violation(resource, at("sourceRanges"), what);
    }
}
