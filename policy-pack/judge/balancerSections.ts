import type { Judgement, Resource } from "../rule";
import { chartName, isOfBitnami } from "../storage/charts";
import type { ChartUse } from "../storage/model";
import { get, isTree, under, type Tree } from "../storage/values";
import { alb, judgeIngresses } from "./ingressBalancers";
import { judgeService } from "./serviceBalancers";

/** Sections of charts' values whose Service is a load balancer when nothing is said. */
const publicCharts: Record<string, string[][]> = {
    ambassador: [["service"]],
    "emissary-ingress": [["service"]],
    "ingress-nginx": [["controller", "service"]],
    jupyterhub: [["proxy", "service"]],
    kong: [["proxy"]],
    "nginx-ingress": [["controller", "service"]],
    openvpn: [["service"]],
    traefik: [["service"]],
    wordpress: [["service"]],
};

/** The same of Bitnami's charts, whose names others use too. */
const bitnamiCharts: Record<string, string[][]> = {
    apisix: [["dataPlane", "service"]],
    appsmith: [["client", "service"]],
    concourse: [["service", "web"]],
    contour: [["envoy", "service"]],
    jupyterhub: [["proxy", "service", "public"]],
    mastodon: [["apache", "service"]],
    milvus: [
        ["proxy", "service"],
        ["attu", "service"],
    ],
    mlflow: [["tracking", "service"]],
    nessie: [["service", "server"]],
    parse: [
        ["server", "service"],
        ["dashboard", "service"],
    ],
    pinniped: [["supervisor", "service", "public"]],
    superset: [["web", "service"]],
    ...Object.fromEntries(
        [
            ...["apache", "dremio", "drupal", "ejbca", "ghost", "gitea", "haproxy", "harbor", "janusgraph", "jenkins"],
            ...["kube-arangodb", "matomo", "moodle", "neo4j", "nginx", "nginx-ingress-controller", "odoo", "redmine"],
            ...["sonarqube", "tensorflow-resnet", "tomcat", "wildfly", "wordpress"],
        ].map((name) => [name, [["service"]]]),
    ),
};

/** Judges what a chart makes of its values: sections that ask for a load balancer, and those that are one by default. */
export function judgeChart(chart: ChartUse, judgement: Judgement): void {
    const { resource, values, path } = chart;
    for (const keys of chart.moreValues ? [] : publicSections(chart)) {
        const section = get(values, ...keys);
        const above = keys.map((_, index) => get(values, ...keys.slice(0, index + 1)));
        const typed = [...above, get(section, "spec")].some((one) => typeOf(one) !== undefined);
        const off = [...above, get(section, "external")].some((one) => isOff(one));
        if (!typed && !off && (isTree(values) || values === undefined)) {
            const whole = { ...(isTree(section) ? section : {}), type: "LoadBalancer" };
            judgeSection(resource, whole, "type", under(path, ...keys), get(values, ...keys.slice(0, -1)), judgement);
        }
    }
    judgeSections(resource, values, path, judgement);
}

function publicSections(chart: ChartUse): string[][] {
    const name = chartName(chart) ?? "";
    const table = isOfBitnami(chart) ? bitnamiCharts : publicCharts;
    return Object.hasOwn(table, name) ? table[name] : [];
}

function typeOf(section: unknown): unknown {
    return get(section, "type") ?? get(section, "serviceType");
}

function isOff(section: unknown): boolean {
    return ["enabled", "create"].some((key) => [false, "false"].includes(get(section, key) as string));
}

/** Judges every section, of a chart's values or of a custom resource, that becomes a Service or an Ingress with a load balancer. */
export function judgeSections(resource: Resource, value: unknown, path: string, judgement: Judgement): void {
    visit(resource, value, path, undefined, judgement, 0);
}

function visit(
    resource: Resource,
    value: unknown,
    path: string,
    above: unknown,
    judgement: Judgement,
    depth: number,
): void {
    if (typeof value !== "object" || value === null || depth > 100) {
        return;
    }
    if (isTree(value)) {
        if (isOff(value) || typeof value.apiVersion === "string") {
            return;
        }
        for (const [key, one] of Object.entries(value)) {
            if (one === "LoadBalancer" && /type$/i.test(key)) {
                judgeSection(resource, value, key, path, above, judgement);
            } else if (one === "loadbalancer" && key === "type") {
                judgeListener(resource, value, path, judgement);
            } else if (one === "loadBalancer" && key === "type" && isTree(value.loadBalancer)) {
                // Confluent's way: the settings stand under the name of the type.
                judgeSection(resource, value.loadBalancer, key, under(path, one), undefined, judgement);
            } else if (/annotations$/i.test(key) && get(one, `${alb}scheme`) !== undefined) {
                const className = ["ingressClassName", "className", "class"].map((name) => get(value, name));
                const settings = { resource, annotations: one, at: under(path, key) };
                judgeIngresses(
                    [{ ...settings, className: className.find((name) => typeof name === "string") }],
                    { classes: [], parameters: [] },
                    judgement,
                );
            }
        }
    }
    for (const [key, inner] of Object.entries(value)) {
        visit(resource, inner, under(path, Array.isArray(value) ? Number(key) : key), value, judgement, depth + 1);
    }
}

/**
 * A section that asks for a Service of type LoadBalancer. What belongs to the Service stands beside the type, or (in custom resources that hold a
 * Service's `spec`) above it; names may begin as that of the type does (`agentServiceType`, `agentLoadBalancerSourceRanges`).
 */
function judgeSection(
    resource: Resource,
    section: Tree,
    typeKey: string,
    path: string,
    above: unknown,
    judgement: Judgement,
): void {
    const stem = typeKey.toLowerCase().replace(/(listener)?_?(service)?_?type$/, "");
    const spec = get(section, "spec");
    const named = (tree: unknown, ...names: RegExp[]) =>
        names.flatMap((name) =>
            isTree(tree) ? Object.keys(tree).filter((key) => name.test(key) && get(tree, key) !== undefined) : [],
        )[0];
    const rangesName = [
        ...(stem === "" ? [] : [new RegExp(`^${stem}\\w*load_?balancer_?source_?ranges$`, "i")]),
        /^(load_?balancer_?)?source_?ranges$/i,
    ];
    const [inSection, inSpec] = [named(section, ...rangesName), named(spec, ...rangesName)];
    const ranges = inSection ? get(section, inSection) : inSpec ? get(spec, inSpec) : undefined;
    const annotationsKey = named(section, /^annotations$/i, /service_?annotations$/i, /annotations$/i);
    const beside = { ...treeAt(above, "metadata", "annotations"), ...treeAt(above, "serviceAnnotations") };
    judgeService(
        {
            resource,
            type: "LoadBalancer",
            loadBalancerClass: get(section, "loadBalancerClass") ?? get(spec, "loadBalancerClass"),
            ranges,
            annotations: withAll(section, beside),
            at: {
                section: path,
                ranges: under(path, inSection ?? "loadBalancerSourceRanges"),
                annotations: under(path, annotationsKey ?? "annotations"),
            },
        },
        judgement,
    );
}

/** All annotations of a section, or the one value of them that is not known yet. */
function withAll(section: Tree, beside: Tree): unknown {
    const own = Object.keys(section)
        .filter((key) => /annotations$/i.test(key))
        .map((key) => get(section, key));
    const unknown = own.find((one) => typeof one === "symbol");
    return unknown ?? Object.assign({}, beside, ...own.filter(isTree));
}

function treeAt(value: unknown, ...keys: string[]): Tree {
    const found = get(value, ...keys);
    return isTree(found) ? found : {};
}

/** A listener of a Kafka cluster (Strimzi): the operator makes a load balancer of each broker, with these settings. */
function judgeListener(resource: Resource, listener: Tree, path: string, judgement: Judgement): void {
    if (get(listener, "port") === undefined || get(listener, "tls") === undefined) {
        return;
    }
    const at = under(path, "configuration");
    const configuration = get(listener, "configuration");
    judgeService(
        {
            resource,
            type: "LoadBalancer",
            loadBalancerClass: get(configuration, "class") ?? get(configuration, "controllerClass"),
            ranges: get(configuration, "loadBalancerSourceRanges"),
            annotations: get(configuration, "bootstrap", "annotations"),
            at: {
                section: path,
                ranges: under(at, "loadBalancerSourceRanges"),
                annotations: under(at, "bootstrap", "annotations"),
            },
        },
        judgement,
    );
}
