import assert from "node:assert/strict";
import { UNKNOWN } from "../../../policy-pack/plain";
import { rule as transit } from "../../../policy-pack/rules/efsInTransitEncrypted";
import { rule as balancer } from "../../../policy-pack/rules/loadBalancerNotPublic";
import { rule as schedulable } from "../../../policy-pack/rules/workloadSchedulable";
import { efsClass, found, helm, k8s, resource, storageClass, undecided, volume } from "./build";

const prefix = "service.beta.kubernetes.io/";
const service = (annotations: object, spec: object = {}) =>
    k8s("v1", "Service", "s", { metadata: { annotations }, spec: { type: "LoadBalancer", ...spec } });
const ranges = "s: spec.loadBalancerSourceRanges";

describe("load-balancer-not-public: Services", () => {
    for (const [what, annotations, spec, expected] of [
        ["nothing said", {}, {}, ranges],
        ["ClusterIP", {}, { type: "ClusterIP" }, undefined],
        ["NodePort", {}, { type: "NodePort" }, undefined],
        ["source ranges", {}, { loadBalancerSourceRanges: ["203.0.113.0/24"] }, undefined],
        ["empty source ranges", {}, { loadBalancerSourceRanges: [] }, ranges],
        ["the internet as a range", {}, { loadBalancerSourceRanges: ["203.0.113.0/24", "0.0.0.0/0"] }, ranges],
        ["the internet in halves", {}, { loadBalancerSourceRanges: ["0.0.0.0/1", "128.0.0.0/1"] }, ranges],
        ["the IPv6 internet", {}, { loadBalancerSourceRanges: ["::/0"] }, ranges],
        [
            "ranges by annotation",
            { [`${prefix}load-balancer-source-ranges`]: "203.0.113.0/24, 198.51.100.0/24" },
            {},
            undefined,
        ],
        [
            "the internet by annotation",
            { [`${prefix}load-balancer-source-ranges`]: "0.0.0.0/0" },
            {},
            `s: metadata.annotations["${prefix}load-balancer-source-ranges"]`,
        ],
        ["scheme internal", { [`${prefix}aws-load-balancer-scheme`]: "internal" }, {}, undefined],
        ["scheme internet-facing", { [`${prefix}aws-load-balancer-scheme`]: "internet-facing" }, {}, ranges],
        ["the old annotation, true", { [`${prefix}aws-load-balancer-internal`]: "true" }, {}, undefined],
        ["the old annotation, 0.0.0.0/0", { [`${prefix}aws-load-balancer-internal`]: "0.0.0.0/0" }, {}, undefined],
        ["the old annotation, false", { [`${prefix}aws-load-balancer-internal`]: "false" }, {}, ranges],
        [
            "the scheme against the old annotation",
            {
                [`${prefix}aws-load-balancer-internal`]: "true",
                [`${prefix}aws-load-balancer-scheme`]: "internet-facing",
            },
            {},
            ranges,
        ],
        ["an NLB of the built-in controller", { [`${prefix}aws-load-balancer-type`]: "nlb" }, {}, ranges],
        ["an NLB of the AWS controller", { [`${prefix}aws-load-balancer-type`]: "external" }, {}, undefined],
        [
            "an NLB of the AWS controller, facing the internet",
            {
                [`${prefix}aws-load-balancer-type`]: "external",
                [`${prefix}aws-load-balancer-scheme`]: "internet-facing",
            },
            {},
            ranges,
        ],
        ["the class of the AWS controller", {}, { loadBalancerClass: "service.k8s.aws/nlb" }, undefined],
        ["EKS Auto Mode", {}, { loadBalancerClass: "eks.amazonaws.com/nlb" }, undefined],
        [
            "EKS Auto Mode, facing the internet",
            { [`${prefix}aws-load-balancer-scheme`]: "internet-facing" },
            { loadBalancerClass: "eks.amazonaws.com/nlb" },
            ranges,
        ],
        [
            "prefix lists",
            {
                [`${prefix}aws-load-balancer-scheme`]: "internet-facing",
                [`${prefix}aws-load-balancer-security-group-prefix-lists`]: "pl-1",
            },
            {},
            undefined,
        ],
        ["a controller that is not of AWS", {}, { loadBalancerClass: "tailscale" }, undefined],
        ["a range that is none", {}, { loadBalancerSourceRanges: [5] }, ranges],
    ] as [string, object, object, string | undefined][]) {
        it(`${expected ? "fails" : "passes"}: ${what}`, () => {
            assert.deepEqual(found(balancer, [service(annotations, spec)]), expected ? [expected] : []);
        });
    }

    it("leaves unknown values to up", () => {
        const open = { ...service({}), props: { spec: { type: "LoadBalancer", loadBalancerSourceRanges: UNKNOWN } } };
        assert.deepEqual([found(balancer, [open]), undecided(balancer, [open])], [[], [ranges]]);
        const spec = { ...service({}), props: { spec: UNKNOWN } };
        assert.deepEqual(undecided(balancer, [spec]), ["s: spec.type"]);
        const annotations = {
            ...service({}),
            props: { metadata: { annotations: UNKNOWN }, spec: { type: "LoadBalancer" } },
        };
        assert.deepEqual(
            [found(balancer, [annotations]), undecided(balancer, [annotations])],
            [[], ["s: metadata.annotations"]],
        );
    });

    it("finds services in lists and in charts", () => {
        assert.equal(
            found(balancer, [
                resource("kubernetes:core/v1:ServiceList", "l", { items: [{ spec: { type: "LoadBalancer" } }] }),
            ]).length,
            1,
        );
        assert.deepEqual(
            found(balancer, [helm("a", "airflow", { apiServer: { service: { type: "LoadBalancer" } } })]),
            ["a: values.apiServer.service.loadBalancerSourceRanges"],
        );
        const internal = { [`${prefix}aws-load-balancer-scheme`]: "internal" };
        assert.deepEqual(
            found(balancer, [
                helm("a", "airflow", { webserver: { service: { type: "LoadBalancer", annotations: internal } } }),
            ]),
            [],
        );
        assert.deepEqual(found(balancer, [helm("n", "ingress-nginx", {})]), [
            "n: values.controller.service.loadBalancerSourceRanges",
        ]);
        assert.deepEqual(
            found(balancer, [helm("n", "ingress-nginx", { controller: { service: { type: "ClusterIP" } } })]),
            [],
        );
        assert.deepEqual(
            found(balancer, [helm("n", "ingress-nginx", { controller: { service: { annotations: internal } } })]),
            [],
        );
    });
});

describe("load-balancer-not-public: Ingresses", () => {
    const alb = "alb.ingress.kubernetes.io/";
    const ingress = (annotations: object, spec: object = { ingressClassName: "alb" }) =>
        k8s("networking.k8s.io/v1", "Ingress", "i", { metadata: { annotations }, spec });
    const inbound = `i: metadata.annotations["${alb}inbound-cidrs"]`;
    const facing = { [`${alb}scheme`]: "internet-facing" };
    for (const [what, one, expected] of [
        ["internal by default", ingress({}), undefined],
        ["internal", ingress({ [`${alb}scheme`]: "internal" }), undefined],
        ["facing the internet", ingress(facing), inbound],
        ["with networks", ingress({ ...facing, [`${alb}inbound-cidrs`]: "203.0.113.0/24" }), undefined],
        ["with the internet", ingress({ ...facing, [`${alb}inbound-cidrs`]: "0.0.0.0/0, ::/0" }), inbound],
        ["with prefix lists", ingress({ ...facing, [`${alb}security-group-prefix-lists`]: "pl-1" }), undefined],
        ["of another class", ingress(facing, { ingressClassName: "nginx" }), undefined],
        ["of the old group", k8s("extensions/v1beta1", "Ingress", "i", { metadata: { annotations: facing } }), inbound],
    ] as const) {
        it(`${expected ? "fails" : "passes"}: ${what}`, () => {
            assert.deepEqual(found(balancer, [one]), expected ? [expected] : []);
        });
    }

    it("takes the scheme of the class's parameters", () => {
        const parameters = (spec: object) => k8s("elbv2.k8s.aws/v1beta1", "IngressClassParams", "public", { spec });
        const own = k8s("networking.k8s.io/v1", "IngressClass", "alb", {
            spec: { controller: "ingress.k8s.aws/alb", parameters: { kind: "IngressClassParams", name: "public" } },
        });
        assert.deepEqual(found(balancer, [parameters({ scheme: "internet-facing" }), own, ingress({})]), [inbound]);
        assert.deepEqual(
            found(balancer, [
                parameters({ scheme: "internet-facing", inboundCIDRs: ["203.0.113.0/24"] }),
                own,
                ingress({}),
            ]),
            [],
        );
        assert.deepEqual(found(balancer, [parameters({ scheme: "internal" }), own, ingress({})]), []);
    });

    it("finds ingresses in charts", () => {
        assert.deepEqual(found(balancer, [helm("g", "grafana", { ingress: { enabled: true, annotations: facing } })]), [
            `g: values.ingress.annotations["${alb}inbound-cidrs"]`,
        ]);
        assert.deepEqual(
            found(balancer, [helm("g", "grafana", { ingress: { enabled: false, annotations: facing } })]),
            [],
        );
    });
});

describe("efs-in-transit-encrypted", () => {
    const csi = (more: object, spec: object = {}) =>
        volume("v", { csi: { driver: "efs.csi.aws.com", volumeHandle: "fs-1", ...more }, ...spec });
    const dns = "fs-0123456789abcdef0.efs.eu-west-1.amazonaws.com";
    const pod = (one: object) => k8s("v1", "Pod", "v", { spec: { containers: [], volumes: [one] } });
    for (const [what, one, expected] of [
        ["nothing said", csi({}), undefined],
        ["true", csi({ volumeAttributes: { encryptInTransit: "true" } }), undefined],
        [
            "false",
            csi({ volumeAttributes: { encryptInTransit: "false" } }),
            "v: spec.csi.volumeAttributes.encryptInTransit",
        ],
        [
            "False",
            csi({ volumeAttributes: { encryptInTransit: "False" } }),
            "v: spec.csi.volumeAttributes.encryptInTransit",
        ],
        ["0", csi({ volumeAttributes: { encryptInTransit: "0" } }), "v: spec.csi.volumeAttributes.encryptInTransit"],
        [
            "a boolean",
            csi({ volumeAttributes: { encryptInTransit: false } }),
            "v: spec.csi.volumeAttributes.encryptInTransit",
        ],
        [
            "another case",
            csi({ volumeAttributes: { ENCRYPTINTRANSIT: "false" } }),
            "v: spec.csi.volumeAttributes.ENCRYPTINTRANSIT",
        ],
        [
            "no truth value",
            csi({ volumeAttributes: { encryptInTransit: "no" } }),
            "v: spec.csi.volumeAttributes.encryptInTransit",
        ],
        ["with an access point", csi({ volumeHandle: "fs-1::fsap-1" }), undefined],
        ["the option tls", csi({}, { mountOptions: ["tls", "iam"] }), undefined],
        ["the option notls", csi({}, { mountOptions: ["notls"] }), "v: spec.mountOptions[0]"],
        [
            "another driver",
            volume("v", { csi: { driver: "ebs.csi.aws.com", volumeAttributes: { encryptInTransit: "false" } } }),
            undefined,
        ],
        ["plain NFS to EFS", volume("v", { nfs: { server: dns, path: "/" } }), "v: spec.nfs.server"],
        [
            "plain NFS to EFS in one zone",
            volume("v", { nfs: { server: `eu-west-1a.${dns}`, path: "/" } }),
            "v: spec.nfs.server",
        ],
        [
            "plain NFS to EFS whose id is filled in later",
            volume("v", { nfs: { server: "${FS_ID}.efs.eu-west-1.amazonaws.com", path: "/" } }),
            "v: spec.nfs.server",
        ],
        ["plain NFS to something else", volume("v", { nfs: { server: "nfs.example.com", path: "/" } }), undefined],
        ["plain NFS in a pod", pod({ name: "d", nfs: { server: dns, path: "/" } }), "v: spec.volumes[0].nfs.server"],
        [
            "the NFS driver",
            volume("v", { csi: { driver: "nfs.csi.k8s.io", volumeAttributes: { server: dns } } }),
            "v: spec.csi.volumeAttributes.server",
        ],
        [
            "a class of the NFS driver",
            storageClass("v", { provisioner: "nfs.csi.k8s.io", parameters: { server: dns } }),
            "v: provisioner",
        ],
        ["a class of EFS", efsClass("v", { mountOptions: ["tls"] }), undefined],
        ["a class of EFS without TLS", efsClass("v", { mountOptions: ["iam", "noTLS"] }), "v: mountOptions[1]"],
        [
            "a class that switches TLS off",
            efsClass("v", { parameters: { encryptInTransit: "false" } }),
            "v: parameters.encryptInTransit",
        ],
        [
            "a chart that mounts NFS",
            helm("v", "nfs-subdir-external-provisioner", { nfs: { server: dns, path: "/" } }),
            "v: values.nfs.server",
        ],
    ] as const) {
        it(`${expected ? "fails" : "passes"}: ${what}`, () => {
            assert.deepEqual(found(transit, [one]), expected ? [expected] : []);
        });
    }

    it("knows EFS by the address of a mount target, and by where the address comes from", () => {
        const target = resource("aws:efs/mountTarget:MountTarget", "t", { ipAddress: "10.0.0.9" });
        assert.deepEqual(found(transit, [target, volume("v", { nfs: { server: "10.0.0.9" } })]), [
            "v: spec.nfs.server",
        ]);
        assert.deepEqual(found(transit, [target, volume("v", { nfs: { server: "10.0.0.8" } })]), []);
        const later = { ...volume("v", {}), props: { spec: { nfs: { server: UNKNOWN } } } };
        assert.deepEqual(found(transit, [target, { ...later, propertyDependencies: { spec: [target.urn] } }]), [
            "v: spec.nfs.server",
        ]);
        assert.deepEqual(undecided(transit, [target, later]), ["v: spec.nfs.server"]);
        const driver = { ...volume("v", {}), props: { spec: { csi: { driver: UNKNOWN } } } };
        assert.deepEqual(undecided(transit, [driver]), ["v: spec.csi"]);
    });
});

describe("workload-schedulable", () => {
    const group = (props: object) => resource("aws:eks/nodeGroup:NodeGroup", "nodes", props);
    const work = (spec: object) =>
        k8s("apps/v1", "Deployment", "w", { spec: { template: { spec: { containers: [{}], ...spec } } } });
    const arm = group({
        instanceTypes: ["m7g.large", "c7gn.xlarge"],
        labels: { tier: "workers" },
        taints: [{ key: "only", value: "airflow", effect: "NO_SCHEDULE" }],
    });
    const tolerations = [{ key: "only", operator: "Equal", value: "airflow", effect: "NoSchedule" }];
    const selector = "w: spec.template.spec.nodeSelector";
    for (const [what, spec, expected] of [
        ["labels that nodes have", { nodeSelector: { tier: "workers" }, tolerations }, undefined],
        ["labels that no node has", { nodeSelector: { tier: "system" }, tolerations }, selector],
        ["the architecture of the nodes", { nodeSelector: { "kubernetes.io/arch": "arm64" }, tolerations }, undefined],
        ["another architecture", { nodeSelector: { "kubernetes.io/arch": "amd64" }, tolerations }, selector],
        ["a taint without toleration", {}, "w: spec.template.spec.tolerations"],
        ["a toleration of everything", { tolerations: [{ operator: "Exists" }] }, undefined],
        [
            "a toleration of another value",
            { tolerations: [{ key: "only", value: "other", effect: "NoSchedule" }] },
            "w: spec.template.spec.tolerations",
        ],
        [
            "a toleration of another effect",
            { tolerations: [{ key: "only", operator: "Exists", effect: "NoExecute" }] },
            "w: spec.template.spec.tolerations",
        ],
        [
            "a label that something else sets",
            { nodeSelector: { "nvidia.com/gpu.present": "true" }, tolerations },
            undefined,
        ],
    ] as const) {
        it(`${expected ? "fails" : "passes"}: ${what}`, () => {
            assert.deepEqual(found(schedulable, [arm, work(spec)]), expected ? [expected] : []);
        });
    }

    it("judges required affinity: terms are alternatives, expressions in one all hold", () => {
        const affinity = (...terms: object[]) => ({
            tolerations,
            affinity: {
                nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } },
            },
        });
        const term = (...matchExpressions: object[]) => ({ matchExpressions });
        const good = { key: "tier", operator: "In", values: ["workers", "x"] };
        const bad = { key: "tier", operator: "NotIn", values: ["workers"] };
        assert.deepEqual(found(schedulable, [arm, work(affinity(term(good)))]), []);
        assert.deepEqual(found(schedulable, [arm, work(affinity(term(bad), term(good)))]), []);
        assert.deepEqual(found(schedulable, [arm, work(affinity(term(good), {}))]), []);
        assert.deepEqual(found(schedulable, [arm, work(affinity({}))]), ["w: spec.template.spec.affinity"]);
        assert.deepEqual(found(schedulable, [arm, work(affinity(term(good, bad)))]), [
            "w: spec.template.spec.affinity",
        ]);
        assert.deepEqual(found(schedulable, [arm, work(affinity(term({ key: "gone", operator: "Exists" })))]), [
            "w: spec.template.spec.affinity",
        ]);
    });

    it("says nothing where nodes may come from elsewhere", () => {
        const pool = k8s("karpenter.sh/v1", "NodePool", "p", { spec: {} });
        assert.deepEqual(found(schedulable, [arm, pool, work({ nodeSelector: { tier: "x" } })]), []);
        assert.deepEqual(found(schedulable, [work({ nodeSelector: { tier: "x" } })]), []);
    });

    it("does not mind taints that drivers take away, nor pods that run everywhere", () => {
        const starting = group({ taints: [{ key: "ebs.csi.aws.com/agent-not-ready", effect: "NO_EXECUTE" }] });
        assert.deepEqual(found(schedulable, [starting, work({})]), []);
        assert.deepEqual(
            found(schedulable, [
                arm,
                k8s("apps/v1", "DaemonSet", "w", { spec: { template: { spec: { containers: [{}] } } } }),
            ]),
            [],
        );
    });

    it("judges the selectors of charts", () => {
        assert.deepEqual(
            found(schedulable, [arm, helm("a", "airflow", { workers: { nodeSelector: { tier: "x" } } })]),
            ["a: values.workers.nodeSelector"],
        );
        assert.deepEqual(
            found(schedulable, [arm, helm("a", "airflow", { workers: { nodeSelector: { tier: "workers" } } })]),
            [],
        );
    });
});
