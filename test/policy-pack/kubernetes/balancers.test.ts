import assert from "node:assert/strict";
import { UNKNOWN } from "../../../policy-pack/plain";
import type { Resource } from "../../../policy-pack/rule";
import { rule } from "../../../policy-pack/rules/loadBalancerNotPublic";
import { found, helm, k8s, resource, undecided } from "./build";

const elb = "service.beta.kubernetes.io/";
const alb = "alb.ingress.kubernetes.io/";
const facing = { [`${elb}aws-load-balancer-scheme`]: "internet-facing" };
const internal = { [`${elb}aws-load-balancer-internal`]: "true" };
const office = "203.0.113.0/24";

const service = (annotations: object, spec: object = {}) =>
    k8s("v1", "Service", "s", { metadata: { annotations }, spec: { type: "LoadBalancer", ...spec } });
const ingress = (name: string, annotations: object, spec: object = { ingressClassName: "alb" }) =>
    k8s("networking.k8s.io/v1", "Ingress", name, { metadata: { annotations }, spec });
const ingressClass = (controller: string, more: object = {}, parameters = "settings") =>
    k8s("networking.k8s.io/v1", "IngressClass", "alb", {
        ...more,
        spec: { controller, parameters: { kind: "IngressClassParams", name: parameters } },
    });
const settings = (spec: object, group = "elbv2.k8s.aws/v1beta1") =>
    k8s(group, "IngressClassParams", "settings", { spec });
const ours = ingressClass("ingress.k8s.aws/alb");
const open = { [`${alb}scheme`]: "internet-facing" };
const inbound = (name: string) => `${name}: metadata.annotations["${alb}inbound-cidrs"]`;

function judged(resources: Resource[]): { found: string[]; open: string[] } {
    return { found: found(rule, resources), open: undecided(rule, resources) };
}

describe("load-balancer-not-public: what limits a Service", () => {
    it("has judged an internal one too, but none that is no load balancer", () => {
        const count = (one: Resource) => [...(rule.resource!(one, rule.config ?? {}).judged ?? [])].length;
        assert.equal(count(service(internal)), 1);
        assert.equal(count(service(internal, { type: "ClusterIP" })), 0);
    });

    const lists = { ...facing, [`${elb}aws-load-balancer-security-group-prefix-lists`]: "pl-1" };
    const groups = { ...facing, [`${elb}aws-load-balancer-security-groups`]: "sg-1, sg-2" };
    const byGroups = `s: metadata.annotations["${elb}aws-load-balancer-security-groups"]`;
    for (const [what, one, expected, left] of [
        ["prefix lists", service(lists), [], []],
        [
            "prefix lists beside the internet",
            service(lists, { loadBalancerSourceRanges: ["0.0.0.0/0"] }),
            ["s: spec.loadBalancerSourceRanges"],
            [],
        ],
        ["groups that are not in the program", service(groups), [], [byGroups]],
        [
            "groups, with a list that has no effect then",
            service(groups, { loadBalancerSourceRanges: ["0.0.0.0/0"] }),
            [],
            [byGroups],
        ],
        ["an empty class", service({}, { loadBalancerClass: "" }), ["s: spec.loadBalancerSourceRanges"], []],
        [
            "a scheme to be filled in",
            service({ [`${elb}aws-load-balancer-scheme`]: "{{ .Values.scheme }}" }),
            [],
            [`s: metadata.annotations["${elb}aws-load-balancer-scheme"]`],
        ],
    ] as [string, Resource, string[], string[]][]) {
        it(what, () => {
            assert.deepEqual(judged([one]), { found: expected, open: left });
        });
    }

    it("security groups of the program, by id and by origin", () => {
        const group = (cidr: string) =>
            resource("aws:ec2/securityGroup:SecurityGroup", "g", {
                id: "sg-1",
                ingress: [{ protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: [cidr] }],
            });
        const named = service({ ...facing, [`${elb}aws-load-balancer-security-groups`]: "sg-1" });
        assert.deepEqual(judged([group("0.0.0.0/0"), named]), { found: [byGroups], open: [] });
        assert.deepEqual(judged([group(office), named]), { found: [], open: [] });
        const later = service({ ...facing, [`${elb}aws-load-balancer-security-groups`]: UNKNOWN });
        const from = (one: Resource) => ({ ...later, propertyDependencies: { metadata: [one.urn] } });
        assert.deepEqual(judged([group("0.0.0.0/0"), from(group("0.0.0.0/0"))]), { found: [byGroups], open: [] });
        assert.deepEqual(judged([later]), { found: [], open: [byGroups] });
    });
});

describe("load-balancer-not-public: Ingresses with classes and groups", () => {
    const limited = { inboundCIDRs: [office] };
    for (const [what, resources, expected] of [
        ["a class that lists networks", [settings(limited), ours, ingress("i", open)], []],
        [
            "a class that lists the internet",
            [
                settings({ inboundCIDRs: ["0.0.0.0/0"] }),
                ours,
                ingress("i", { ...open, [`${alb}inbound-cidrs`]: office }),
            ],
            ["settings: spec.inboundCIDRs"],
        ],
        ["a class that makes it internal", [settings({ scheme: "internal" }), ours, ingress("i", open)], []],
        [
            "a class of EKS Auto Mode",
            [
                settings({ scheme: "internet-facing" }, "eks.amazonaws.com/v1"),
                ingressClass("eks.amazonaws.com/alb"),
                ingress("i", {}),
            ],
            [inbound("i")],
        ],
        [
            "a class that is the default one",
            [
                settings({ scheme: "internet-facing" }),
                ingressClass("ingress.k8s.aws/alb", {
                    metadata: { name: "alb", annotations: { "ingressclass.kubernetes.io/is-default-class": "true" } },
                }),
                ingress("i", {}, {}),
            ],
            [inbound("i")],
        ],
        [
            "a class that is not the default one",
            [settings({ scheme: "internet-facing" }), ours, ingress("i", {}, {})],
            [],
        ],
        ["a class's prefix lists", [settings({ PrefixListsIDs: ["pl-1"] }), ours, ingress("i", open)], []],
        [
            "the old annotation, which knows no settings",
            [settings(limited), ours, ingress("i", { ...open, "kubernetes.io/ingress.class": "alb" }, {})],
            [inbound("i")],
        ],
        ["another controller's class", [ingressClass("k8s.io/ingress-nginx"), ingress("i", open)], []],
        [
            "prefix lists beside the internet",
            [
                ingress("i", {
                    ...open,
                    [`${alb}security-group-prefix-lists`]: "pl-1",
                    [`${alb}inbound-cidrs`]: "0.0.0.0/0",
                }),
            ],
            [inbound("i")],
        ],
        [
            "an NLB in front that faces the internet",
            [ingress("i", { [`${alb}enable-frontend-nlb`]: "true", [`${alb}frontend-nlb-scheme`]: "internet-facing" })],
            [inbound("i")],
        ],
        [
            "an NLB in front that is not enabled",
            [ingress("i", { [`${alb}frontend-nlb-scheme`]: "internet-facing" })],
            [],
        ],
    ] as [string, Resource[], string[]][]) {
        it(`${expected.length > 0 ? "fails" : "passes"}: ${what}`, () => {
            assert.deepEqual(found(rule, resources), expected);
        });
    }

    it("networks that one of a group lists hold for the others on the same port", () => {
        const group = { [`${alb}group.name`]: "shared" };
        const first = ingress("a", { ...open, ...group, [`${alb}inbound-cidrs`]: office });
        assert.deepEqual(found(rule, [first, ingress("b", { ...open, ...group })]), []);
        assert.deepEqual(found(rule, [first, ingress("b", group)]), []);
        assert.deepEqual(found(rule, [first, ingress("b", { ...open, [`${alb}group.name`]: "other" })]), [
            inbound("b"),
        ]);
        const ports = { [`${alb}listen-ports`]: '[{"HTTP": 80}, {"HTTPS": 443}]' };
        assert.deepEqual(found(rule, [first, ingress("b", { ...group, ...ports })]), [inbound("b")]);
        assert.deepEqual(found(rule, [first, ingress("b", { ...group, [`${alb}certificate-arn`]: "arn:1" })]), [
            inbound("b"),
        ]);
    });

    it("security groups decide, and lists have no effect then", () => {
        const one = ingress("i", { ...open, [`${alb}security-groups`]: "sg-1", [`${alb}inbound-cidrs`]: "0.0.0.0/0" });
        const path = `i: metadata.annotations["${alb}security-groups"]`;
        assert.deepEqual(judged([one]), { found: [], open: [path] });
        const group = resource("aws:ec2/securityGroup:SecurityGroup", "g", {
            id: "sg-1",
            ingress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
        });
        assert.deepEqual(judged([one, group]), { found: [path], open: [] });
    });

    it("a scheme that is not known yet is left to up", () => {
        const path = `i: metadata.annotations["${alb}scheme"]`;
        for (const scheme of [UNKNOWN, "$(scheme)"]) {
            assert.deepEqual(judged([ingress("i", { [`${alb}scheme`]: scheme })]), { found: [], open: [path] });
        }
    });

    it("the Gateway API: networks, prefix lists, security groups", () => {
        const gateway = (spec: object) =>
            k8s("gateway.k8s.aws/v1beta1", "LoadBalancerConfiguration", "g", {
                spec: { scheme: "internet-facing", ...spec },
            });
        assert.deepEqual(found(rule, [gateway({})]), ["g: spec.sourceRanges"]);
        assert.deepEqual(found(rule, [gateway({ scheme: "internal" })]), []);
        assert.deepEqual(found(rule, [gateway({ sourceRanges: [office] })]), []);
        assert.deepEqual(found(rule, [gateway({ securityGroupPrefixes: ["pl-1"] })]), []);
        const groups = judged([gateway({ securityGroups: ["sg-1"] })]);
        assert.deepEqual(groups, { found: [], open: ["g: spec.securityGroups"] });
    });
});

describe("load-balancer-not-public: settings of charts and operators", () => {
    const cluster = (spec: object) => k8s("example.com/v1", "Cluster", "x", { spec });
    const ranges = { loadBalancerSourceRanges: [office] };
    for (const [what, one, expected] of [
        [
            "a chart's serviceType",
            helm("x", "jenkins", { controller: { serviceType: "LoadBalancer" } }),
            "values.controller.loadBalancerSourceRanges",
        ],
        [
            "a chart's serviceType, internal",
            helm("x", "jenkins", {
                controller: { serviceType: "LoadBalancer", serviceAnnotations: internal },
            }),
            undefined,
        ],
        [
            "a second serviceType, with the ranges of the first",
            helm("x", "jenkins", {
                controller: {
                    serviceType: "ClusterIP",
                    agentServiceType: "LoadBalancer",
                    agentLoadBalancerSourceRanges: ["0.0.0.0/0"],
                    ...ranges,
                },
            }),
            "values.controller.agentLoadBalancerSourceRanges",
        ],
        [
            "a section that is not created",
            helm("x", "y", { service: { create: false, type: "LoadBalancer" } }),
            undefined,
        ],
        ["traefik, as it comes", helm("x", "traefik", {}), "values.service.loadBalancerSourceRanges"],
        ["traefik as ClusterIP", helm("x", "traefik", { service: { spec: { type: "ClusterIP" } } }), undefined],
        ["traefik with ranges", helm("x", "traefik", { service: { spec: ranges } }), undefined],
        [
            "Bitnami's nginx, as it comes",
            helm("x", "oci://registry-1.docker.io/bitnamicharts/nginx", {}),
            "values.service.loadBalancerSourceRanges",
        ],
        [
            "another nginx, as it comes",
            helm("x", "nginx", {}, { repositoryOpts: { repo: "https://example.com" } }),
            undefined,
        ],
        ["Bitnami's nginx as ClusterIP", helm("x", "bitnami/nginx", { service: { type: "ClusterIP" } }), undefined],
        [
            "an operator's Service",
            cluster({ service: { type: "LoadBalancer" } }),
            "spec.service.loadBalancerSourceRanges",
        ],
        [
            "an operator's Service, internal",
            cluster({ service: { type: "LoadBalancer", annotations: internal } }),
            undefined,
        ],
        ["an operator's Service with ranges", cluster({ expose: { type: "LoadBalancer", ...ranges } }), undefined],
        [
            "an operator's template of a Service",
            cluster({ http: { service: { spec: { type: "LoadBalancer" } } } }),
            "spec.http.service.spec.loadBalancerSourceRanges",
        ],
        [
            "an operator's template of a Service, internal",
            cluster({
                http: { service: { metadata: { annotations: internal }, spec: { type: "LoadBalancer" } } },
            }),
            undefined,
        ],
        [
            "a Kafka listener",
            cluster({ kafka: { listeners: [{ type: "loadbalancer", port: 9094, tls: true }] } }),
            "spec.kafka.listeners[0].configuration.loadBalancerSourceRanges",
        ],
        [
            "a Kafka listener, internal",
            cluster({
                kafka: {
                    listeners: [
                        {
                            type: "loadbalancer",
                            port: 9094,
                            tls: true,
                            configuration: { bootstrap: { annotations: internal } },
                        },
                    ],
                },
            }),
            undefined,
        ],
        [
            "Confluent's external access",
            cluster({ externalAccess: { type: "loadBalancer", loadBalancer: { domain: "x.org" } } }),
            "spec.externalAccess.loadBalancer.loadBalancerSourceRanges",
        ],
        [
            "Confluent's external access, internal",
            cluster({
                externalAccess: { type: "loadBalancer", loadBalancer: { domain: "x.org", annotations: internal } },
            }),
            undefined,
        ],
        [
            "a Deployment that has such a key",
            k8s("apps/v1", "Deployment", "x", { spec: { type: "LoadBalancer" } }),
            undefined,
        ],
        [
            "Argo CD, a chart among several sources",
            k8s("argoproj.io/v1alpha1", "Application", "x", {
                spec: {
                    sources: [
                        { ref: "values" },
                        { chart: "y", helm: { valuesObject: { service: { type: "LoadBalancer" } } } },
                    ],
                },
            }),
            "spec.sources[1].helm.valuesObject.service.loadBalancerSourceRanges",
        ],
        [
            "Argo CD, a set of applications",
            k8s("argoproj.io/v1alpha1", "ApplicationSet", "x", {
                spec: {
                    template: {
                        spec: { source: { path: "charts/y", helm: { values: "service: {type: LoadBalancer}" } } },
                    },
                },
            }),
            "spec.template.spec.source.helm.values.service.loadBalancerSourceRanges",
        ],
        [
            "a custom resource of a YAML program",
            resource("kubernetes:apiextensions.k8s.io:CustomResource", "x", {
                apiVersion: "helm.cattle.io/v1",
                kind: "HelmChart",
                spec: { chart: "y", valuesContent: "service: {type: LoadBalancer}" },
            }),
            "spec.valuesContent.service.loadBalancerSourceRanges",
        ],
    ] as [string, Resource, string | undefined][]) {
        it(`${expected ? "fails" : "passes"}: ${what}`, () => {
            assert.deepEqual(found(rule, [one]), expected ? [`x: ${expected}`] : []);
        });
    }

    it("an Ingress of a chart, under whatever its annotations are called", () => {
        const values = (annotations: object) => ({ ingress: { ingressAnnotations: annotations } });
        const path = `x: values.ingress.ingressAnnotations["${alb}inbound-cidrs"]`;
        assert.deepEqual(found(rule, [helm("x", "y", values(open))]), [path]);
        assert.deepEqual(found(rule, [helm("x", "y", values({ ...open, [`${alb}inbound-cidrs`]: office }))]), []);
    });

    it("an Ingress of a chart, with the classes and groups of the program", () => {
        const chart = (annotations: object, className = "alb") =>
            helm("x", "y", { ingress: { enabled: true, ingressClassName: className, annotations } });
        const path = `x: values.ingress.annotations["${alb}inbound-cidrs"]`;
        const parameters = (spec: object) => [settings(spec), ours];
        assert.deepEqual(found(rule, [...parameters({ inboundCIDRs: [office] }), chart(open)]), []);
        assert.deepEqual(found(rule, [...parameters({ scheme: "internet-facing" }), chart({})]), [path]);
        assert.deepEqual(found(rule, [...parameters({ scheme: "internet-facing" }), chart({}, "nginx")]), []);
        const group = { ...open, [`${alb}group.name`]: "shared" };
        const first = ingress("a", { ...group, [`${alb}inbound-cidrs`]: office });
        assert.deepEqual(found(rule, [first, chart(group)]), []);
        assert.deepEqual(found(rule, [chart(group)]), [path]);
    });
});
