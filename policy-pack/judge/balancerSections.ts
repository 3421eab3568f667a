import type { Judgement, Resource } from "../rule";
import { chartName, isOfBitnami } from "../storage/charts";
import type { ChartUse } from "../storage/model";
import { get, isTree, under, type Tree } from "../storage/values";
import { clusterOf } from "../storage/cluster";
import { alb, isAlone, judgeIngresses, type IngressSettings } from "./ingressBalancers";
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
    judgeSections({ resource, value: values, path }, judgement);
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

/** Settings in which sections may become Services and Ingresses: a chart's values, what an operator is told. */
export interface Settings {
    resource: Resource;
    value: unknown;
    path: string;
}

/** Judges every section that becomes a Service with a load balancer, or an Ingress that can be judged alone. */
export function judgeSections(settings: Settings, judgement: Judgement): void {
    visit(settings, undefined, 0, judgement, (ingress) => {
        if (isAlone(ingress)) {
            judgeIngresses([ingress], { classes: [], parameters: [] }, judgement);
        }
    });
}

/** The Ingresses that such settings make, as far as they are not judged alone. */
export function ingressSections(settings: Settings): IngressSettings[] {
    const found: IngressSettings[] = [];
    visit(settings, undefined, 0, undefined, (ingress) => {
        if (!isAlone(ingress)) {
            found.push(ingress);
        }
    });
    return found;
}

function visit(
    { resource, value, path }: Settings,
    above: unknown,
    depth: number,
    services: Judgement | undefined,
    ingress: (settings: IngressSettings) => void,
): void {
    if (typeof value !== "object" || value === null || depth > 100) {
        return;
    }
    if (isTree(value)) {
        if (isOff(value) || typeof value.apiVersion === "string") {
            return;
        }
        for (const [key, one] of Object.entries(value)) {
            if (services && typeof one === "string" && /type$/i.test(key)) {
                judgeTyped(resource, value, key, path, above, services);
            } else if (/annotations$/i.test(key) && isTree(one)) {
                const named = ["ingressClassName", "className", "class"].map((name) => get(value, name));
                const className = named.find((name) => typeof name === "string" && name !== "");
                if (className !== undefined || Object.keys(one).some((name) => name.startsWith(alb))) {
                    const cluster = clusterOf(resource).provider;
                    ingress({ resource, annotations: one, at: under(path, key), className, cluster });
                }
            }
        }
    }
    for (const [key, inner] of Object.entries(value)) {
        const at = under(path, Array.isArray(value) ? Number(key) : key);
        visit({ resource, value: inner, path: at }, value, depth + 1, services, ingress);
    }
}

/** A section with a type, of whatever: judged if it is one of a load balancer. */
function judgeTyped(
    resource: Resource,
    section: Tree,
    key: string,
    path: string,
    above: unknown,
    judgement: Judgement,
): void {
    const type = section[key];
    if (type === "LoadBalancer") {
        judgeSection(resource, section, key, path, above, judgement);
    } else if (type === "loadbalancer" && key === "type") {
        judgeListener(resource, section, path, judgement);
    } else if (type === "loadBalancer" && key === "type" && isTree(section.loadBalancer)) {
        // Confluent's way: the settings stand under the name of the type.
        judgeSection(resource, section.loadBalancer, key, under(path, type), undefined, judgement);
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
