import assert from "node:assert/strict";
import { UNKNOWN } from "../../../policy-pack/plain";
import type { Resource, Rule } from "../../../policy-pack/rule";
import { rules } from "../../../policy-pack/rules";
import { rule as encrypted } from "../../../policy-pack/rules/ebsStorageClassEncrypted";
import { rule as transit } from "../../../policy-pack/rules/efsInTransitEncrypted";
import { rule as balancer } from "../../../policy-pack/rules/loadBalancerNotPublic";
import { rule as shared } from "../../../policy-pack/rules/rwxOnlyOnEfs";
import { claimSpec, ebsClass, found, helm, judge, k8s, resource, undecided, volume } from "./build";

type Tree = Record<string, unknown>;
type Path = (string | number)[];

const template = { metadata: { name: "data" }, spec: claimSpec("ReadWriteOnce", "disk") };
const pod = {
    containers: [{ name: "c" }],
    nodeSelector: { tier: "a" },
    tolerations: [{ operator: "Exists" }],
    volumes: [
        { name: "a", ephemeral: { volumeClaimTemplate: template } },
        { name: "b", persistentVolumeClaim: { claimName: "data" } },
    ],
};
const alb = { "alb.ingress.kubernetes.io/scheme": "internal" };

/** Objects in which nothing is wrong; the rule that tells of what is malformed in them; where that can be, and what stands there. */
const objects: [string, Rule, Resource, [Path, "text" | "number" | "list" | "object"][]][] = [
    [
        "a class",
        encrypted,
        ebsClass("x", {
            allowedTopologies: [{ matchLabelExpressions: [{ key: "topology.kubernetes.io/zone", values: ["a"] }] }],
        }),
        [
            [["provisioner"], "text"],
            [["allowedTopologies"], "list"],
            [["allowedTopologies", 0, "matchLabelExpressions"], "list"],
            [["allowedTopologies", 0, "matchLabelExpressions", 0, "key"], "text"],
        ],
    ],
    [
        "a volume",
        transit,
        volume("x", { csi: { driver: "efs.csi.aws.com", volumeHandle: "fs-1" } }),
        [
            [["spec"], "object"],
            [["spec", "csi"], "object"],
            [["spec", "csi", "driver"], "text"],
        ],
    ],
    [
        "a claim",
        shared,
        k8s("v1", "PersistentVolumeClaim", "x", { spec: claimSpec("ReadWriteOnce", "disk") }),
        [
            [["spec"], "object"],
            [["spec", "storageClassName"], "text"],
        ],
    ],
    [
        "a StatefulSet",
        shared,
        k8s("apps/v1", "StatefulSet", "x", {
            spec: { replicas: 1, template: { spec: pod }, volumeClaimTemplates: [template] },
        }),
        [
            [["spec"], "object"],
            [["spec", "replicas"], "number"],
            [["spec", "volumeClaimTemplates"], "list"],
            [["spec", "volumeClaimTemplates", 0], "object"],
            [["spec", "volumeClaimTemplates", 0, "spec"], "object"],
            [["spec", "template"], "object"],
            [["spec", "template", "spec"], "object"],
            [["spec", "template", "spec", "volumes"], "list"],
            [["spec", "template", "spec", "volumes", 0], "object"],
            [["spec", "template", "spec", "volumes", 0, "ephemeral"], "object"],
            [["spec", "template", "spec", "volumes", 0, "ephemeral", "volumeClaimTemplate"], "object"],
            [["spec", "template", "spec", "volumes", 1, "persistentVolumeClaim"], "object"],
            [["spec", "template", "spec", "volumes", 1, "persistentVolumeClaim", "claimName"], "text"],
            [["spec", "template", "spec", "nodeSelector"], "object"],
            [["spec", "template", "spec", "tolerations"], "list"],
        ],
    ],
    [
        "a Pod",
        shared,
        k8s("v1", "Pod", "x", { spec: pod }),
        [
            [["spec"], "object"],
            [["spec", "volumes"], "list"],
        ],
    ],
    [
        "a CronJob",
        shared,
        k8s("batch/v1", "CronJob", "x", { spec: { jobTemplate: { spec: { template: { spec: pod } } } } }),
        [
            [["spec", "jobTemplate"], "object"],
            [["spec", "jobTemplate", "spec", "template", "spec"], "object"],
        ],
    ],
    [
        "a list",
        shared,
        resource("kubernetes:core/v1:List", "x", { items: [{ apiVersion: "v1", kind: "Pod", spec: pod }] }),
        [
            [["items"], "list"],
            [["items", 0], "object"],
        ],
    ],
    [
        "a Helm release",
        shared,
        helm("x", "redis", { persistence: { storageClass: "disk", size: "1Gi", accessModes: ["ReadWriteOnce"] } }),
        [
            [["chart"], "text"],
            [["values"], "object"],
            [["values", "persistence", "accessModes", 0], "text"],
        ],
    ],
    [
        "a Service",
        balancer,
        k8s("v1", "Service", "x", { metadata: { annotations: {} }, spec: { type: "ClusterIP" } }),
        [
            [["spec"], "object"],
            [["spec", "type"], "text"],
            [["metadata", "annotations"], "object"],
        ],
    ],
    [
        "an Ingress",
        balancer,
        k8s("networking.k8s.io/v1", "Ingress", "x", {
            metadata: { annotations: alb },
            spec: { ingressClassName: "alb" },
        }),
        [
            [["metadata", "annotations"], "object"],
            [["metadata", "annotations", "alb.ingress.kubernetes.io/scheme"], "text"],
        ],
    ],
];
const values = { text: "word", number: 5, list: ["word"], object: { a: 1 }, truth: true };

function replaced(tree: unknown, [step, ...rest]: Path, value: unknown): Tree {
    const copy = (Array.isArray(tree) ? [...(tree as unknown[])] : { ...(tree as object) }) as Tree;
    copy[step] = rest.length === 0 ? value : replaced(copy[step], rest, value);
    return copy;
}

describe("what is of a wrong type", () => {
    for (const [what, rule, good, places] of objects) {
        it(`is found by ${rule.name} in ${what}, and nowhere else`, () => {
            assert.deepEqual(found(rule, [good]), []);
            for (const [path, expected] of places) {
                for (const [type, value] of Object.entries(values).filter(([name]) => name !== expected)) {
                    const bad = { ...good, props: replaced(good.props, path, value) };
                    assert.ok(found(rule, [bad]).length > 0, `${path.join(".")} as ${type}`);
                }
                const later = { ...good, props: replaced(good.props, path, UNKNOWN) };
                assert.deepEqual(found(rule, [later]), [], `${path.join(".")} as unknown`);
            }
        });
    }

    it("is not what a template fills in, nor what is absent", () => {
        const spec = { replicas: "${replicas}", template: { spec: { ...pod, tolerations: null } } };
        assert.deepEqual(found(shared, [k8s("apps/v1", "Deployment", "x", { spec })]), []);
    });

    it("is found in the settings of an EKS add-on", () => {
        const addon = (configurationValues: string) =>
            resource("aws:eks/addon:Addon", "a", { addonName: "aws-ebs-csi-driver", configurationValues });
        assert.deepEqual(found(encrypted, [addon("{ not")]), ["a: configurationValues"]);
        assert.deepEqual(found(encrypted, [addon("{}")]), []);
    });

    it("is found in YAML that holds no objects", () => {
        const group = (yaml: unknown) => resource("kubernetes:yaml/v2:ConfigGroup", "g", { yaml });
        for (const yaml of ["just text", 5, ["- a\n- b"]]) {
            assert.equal(found(shared, [group(yaml)]).length, 1);
        }
        assert.deepEqual(found(shared, [group("---\n# nothing\n---\n")]), []);
    });

    it("is YAML without end, by aliases: said to be so at once, by every rule", () => {
        const laughs = Array.from({ length: 40 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`).join("\n");
        const endless = [`a0: &a0 [x]\n${laughs}`, "a: &a [*a, *a]", "a: &a {b: *a, c: *a, type: LoadBalancer}"];
        for (const text of endless) {
            const application = k8s("argoproj.io/v1alpha1", "Application", "a", {
                spec: { source: { chart: "x", helm: { values: text } } },
            });
            assert.deepEqual(undecided(shared, [application]), ["a: spec.source.helm.values"]);
            const group = resource("kubernetes:yaml/v2:ConfigGroup", "g", { yaml: [text] });
            assert.deepEqual(found(shared, [group]), ["g: yaml[0]"]);
            for (const rule of rules) {
                assert.doesNotThrow(() => judge(rule, [application, group]));
            }
        }
    });

    it("is a network that is none, unless something else fills it in", () => {
        const service = (range: unknown) =>
            k8s("v1", "Service", "s", { spec: { type: "LoadBalancer", loadBalancerSourceRanges: [range] } });
        for (const range of ["10.0.0.0", "anywhere", "10.0.0.0/40", 5]) {
            assert.equal(found(balancer, [service(range)]).length, 1, String(range));
        }
        for (const range of ["${office}", "<your address>/32", "$OFFICE"]) {
            const { findings, undecided } = judge(balancer, [service(range)]);
            assert.deepEqual([findings.length, undecided.length], [0, 1], range);
        }
    });

    it("does not make a rule say the same twice", () => {
        for (const [, rule, good, places] of objects) {
            for (const [path] of places) {
                const all = found(rule, [{ ...good, props: replaced(good.props, path, true) }]);
                assert.deepEqual(all, [...new Set(all)], `${rule.name} ${path.join(".")}`);
            }
        }
    });
});
