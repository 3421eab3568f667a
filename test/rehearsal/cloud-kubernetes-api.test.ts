import { strict as assert } from "node:assert";
import { refusedUpdates, replacements } from "../../rehearsal/cloud/kubernetes/api/immutable";
import { isServed, servedInstead } from "../../rehearsal/cloud/kubernetes/api/kinds";
import {
    annotationBytes,
    dnsLabel,
    dnsSubdomain,
    labelValue,
    qualifiedName,
    serviceName,
} from "../../rehearsal/cloud/kubernetes/api/names";
import { applyPatch, withdrawPatch } from "../../rehearsal/cloud/kubernetes/api/patch";
import { gibibytes, quantity } from "../../rehearsal/cloud/kubernetes/api/quantity";
import { checkShape, fieldsOf, interfaceOf } from "../../rehearsal/cloud/kubernetes/api/shapes";
import { checkManifest } from "../../rehearsal/cloud/kubernetes/api/validate";
import type { Properties } from "../../rehearsal/cloud/shell/type";

const Secret = { apiVersion: "v1", kind: "Secret" };
const Claim = { apiVersion: "v1", kind: "PersistentVolumeClaim" };
const Deployment = { apiVersion: "apps/v1", kind: "Deployment" };
const Pod = { apiVersion: "v1", kind: "Pod" };
const StorageClass = { apiVersion: "storage.k8s.io/v1", kind: "StorageClass" };
const Job = { apiVersion: "batch/v1", kind: "Job" };

function findings(kind: { apiVersion: string; kind: string }, manifest: Properties): string[] {
    return checkManifest(kind, { ...kind, metadata: { name: "a" }, ...manifest }).map(
        ({ property, reason }) => `${property}: ${reason}`,
    );
}

function deployment(pod: Properties = {}, labels: Properties = { app: "a" }): Properties {
    const spec = { containers: [{ name: "c", image: "i" }], ...pod };
    return { spec: { selector: { matchLabels: { app: "a" } }, template: { metadata: { labels }, spec } } };
}

function claim(more: Properties = {}): Properties {
    return {
        spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: "gp3",
            resources: { requests: { storage: "4Gi" } },
            ...more,
        },
    };
}

describe("Kubernetes API: quantities and names", () => {
    it("reads quantities with every suffix", () => {
        const cases: [unknown, number | undefined][] = [
            ["500m", 0.5],
            ["1", 1],
            [2, 2],
            ["1.5Gi", 1.5 * 2 ** 30],
            ["1e3", 1000],
            ["1k", 1000],
            ["-1", -1],
            ["10GB", undefined],
            ["", undefined],
            ["ten", undefined],
            [undefined, undefined],
        ];
        for (const [given, expected] of cases) {
            assert.equal(quantity(given), expected, String(given));
        }
        assert.equal(gibibytes("1500Mi"), 2);
    });

    it("knows which names the API server takes", () => {
        assert.equal(dnsLabel("a-b"), undefined);
        assert.match(dnsLabel("A") ?? "", /lowercase/);
        assert.match(dnsLabel("a".repeat(64)) ?? "", /63/);
        assert.equal(dnsSubdomain("a.b-c.d"), undefined);
        assert.match(dnsSubdomain("a_b") ?? "", /subdomain/);
        assert.match(serviceName("1a") ?? "", /1035/);
        assert.equal(qualifiedName("eks.amazonaws.com/role-arn"), undefined);
        assert.match(qualifiedName("a/b/c") ?? "", /prefix/);
        assert.equal(labelValue(""), undefined);
        assert.match(labelValue("a b") ?? "", /label/);
        assert.equal(annotationBytes, 262_144);
    });
});

describe("Kubernetes API: what a manifest may contain", () => {
    it("derives fields from the installed SDK", () => {
        assert.equal(interfaceOf("storage.k8s.io/v1", "StorageClass"), "storage.v1.StorageClass");
        assert.equal(fieldsOf("storage.v1.StorageClass")?.get("provisioner")?.required, true);
        assert.equal(interfaceOf("keda.sh/v1alpha1", "ScaledObject"), undefined);
    });

    it("refuses unknown, missing and wrongly typed fields with their paths", () => {
        const pod = { spec: { containers: [{ nam: "c", ports: [{ containerPort: "80" }] }] } };
        assert.deepEqual(
            checkShape("v1", "Pod", pod).map(({ property }) => property),
            ["spec.containers[0].nam", "spec.containers[0].ports[0].containerPort", "spec.containers[0].name"],
        );
    });

    it("leaves unknown values of a preview alone", () => {
        const unknown = Symbol.for("rehearsal:unknown");
        assert.deepEqual(
            findings(Claim, { spec: { accessModes: unknown, resources: { requests: { storage: unknown } } } }),
            [],
        );
        assert.deepEqual(findings(Deployment, { spec: unknown }), []);
        assert.deepEqual(findings(Deployment, deployment({}, { app: unknown })), []);
    });

    it("takes what a real API server took", () => {
        assert.deepEqual(findings(Deployment, deployment()), []);
        assert.deepEqual(findings(Claim, claim()), []);
        assert.deepEqual(findings(Secret, { stringData: { "a.b": "c" }, data: { d: "ZQ==" } }), []);
    });

    const pod = (more: Properties): Properties => ({ spec: { containers: [{ name: "c", image: "i" }], ...more } });
    const schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
    const taken: [string, { apiVersion: string; kind: string }, Properties][] = [
        ["numbers as quantities", Pod, pod({ volumes: [{ name: "v", emptyDir: { sizeLimit: 1000000 } }] })],
        [
            "lists called limits",
            { apiVersion: "v1", kind: "LimitRange" },
            { spec: { limits: [{ type: "Container", max: { memory: "1Gi" }, defaultRequest: { cpu: 1 } }] } },
        ],
        [
            "a metric's average as a number",
            { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" },
            {
                spec: {
                    scaleTargetRef: { kind: "Deployment", name: "d" },
                    maxReplicas: 2,
                    metrics: [
                        {
                            type: "Pods",
                            pods: { metric: { name: "m" }, target: { type: "AverageValue", averageValue: 20 } },
                        },
                    ],
                },
            },
        ],
        [
            "the dashes of a schema's extensions",
            { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" },
            {
                metadata: { name: "things.example.com" },
                spec: {
                    group: "example.com",
                    scope: "Namespaced",
                    names: { plural: "things", kind: "Thing" },
                    versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }],
                },
            },
        ],
        [
            "volumes of other clouds",
            { apiVersion: "v1", kind: "PersistentVolume" },
            {
                spec: {
                    capacity: { storage: "1Gi" },
                    accessModes: ["ReadWriteOnce"],
                    gcePersistentDisk: { pdName: "disk" },
                },
            },
        ],
        [
            "a claim template that takes the place of a volume",
            { apiVersion: "apps/v1", kind: "StatefulSet" },
            {
                spec: {
                    ...(deployment({ volumes: [{ name: "data", emptyDir: {} }] }).spec as Properties),
                    serviceName: "s",
                    volumeClaimTemplates: [{ metadata: { name: "data" }, ...claim() }],
                },
            },
        ],
    ];
    for (const [name, kind, manifest] of taken) {
        it(`takes ${name}`, () => {
            assert.deepEqual(findings(kind, manifest), []);
        });
    }

    it("knows which versions of a kind a cluster serves, and in which one it serves it instead", () => {
        const served = (apiVersion: string, kind: string, minor = 36): boolean => isServed({ apiVersion, kind }, minor);
        assert.ok(served("apps/v1", "Deployment"));
        assert.ok(served("v1", "Pod"));
        assert.ok(served("autoscaling/v2", "HorizontalPodAutoscaler"));
        assert.ok(!served("extensions/v1beta1", "Deployment"));
        assert.ok(!served("batch/v1beta1", "CronJob"));
        assert.ok(!served("storage.k8s.io/v1", "VolumeAttributesClass", 33));
        assert.ok(served("storage.k8s.io/v1beta1", "VolumeAttributesClass", 33));
        assert.equal(servedInstead({ apiVersion: "extensions/v1beta1", kind: "Ingress" }, 36), "networking.k8s.io/v1");
        assert.equal(servedInstead({ apiVersion: "policy/v1beta1", kind: "PodSecurityPolicy" }, 36), undefined);
    });

    const refused: [string, { apiVersion: string; kind: string }, Properties, RegExp][] = [
        [
            "a selector that misses the template",
            Deployment,
            deployment({}, { app: "b" }),
            /`selector` does not match template `labels`/,
        ],
        [
            "a mount without a volume",
            Deployment,
            deployment({ containers: [{ name: "c", image: "i", volumeMounts: [{ name: "d", mountPath: "/d" }] }] }),
            /Not found: "d"/,
        ],
        [
            "requests above limits",
            Deployment,
            deployment({
                containers: [{ name: "c", image: "i", resources: { requests: { cpu: "2" }, limits: { cpu: "1" } } }],
            }),
            /less than or equal to cpu limit/,
        ],
        [
            "a quantity that is none",
            Deployment,
            deployment({ containers: [{ name: "c", image: "i", resources: { requests: { memory: "1GB" } } }] }),
            /quantities must match/,
        ],
        [
            "a size limit that is no quantity",
            Pod,
            pod({ volumes: [{ name: "v", emptyDir: { sizeLimit: "1GB" } }] }),
            /sizeLimit: quantities must match/,
        ],
        [
            "half a replica",
            Deployment,
            { spec: { ...(deployment().spec as Properties), replicas: 1.5 } },
            /replicas: expected an integer/,
        ],
        [
            "two containers of one name",
            Deployment,
            deployment({
                containers: [
                    { name: "c", image: "i" },
                    { name: "c", image: "i" },
                ],
            }),
            /Duplicate value: "c"/,
        ],
        ["a claim without a size", Claim, claim({ resources: {} }), /Required value/],
        ["an access mode that is none", Claim, claim({ accessModes: ["ReadWrite"] }), /Unsupported value: "ReadWrite"/],
        [
            "a Job that restarts always",
            Job,
            { spec: { template: { spec: { restartPolicy: "Always", containers: [{ name: "c", image: "i" }] } } } },
            /Unsupported value: "Always"/,
        ],
        ["data that is not base64", Secret, { data: { a: "plain text" } }, /illegal base64/],
        [
            "a binding mode that is none",
            StorageClass,
            { provisioner: "p", volumeBindingMode: "Later" },
            /Unsupported value: "Later"/,
        ],
        [
            "source ranges without a load balancer",
            { apiVersion: "v1", kind: "Service" },
            { spec: { ports: [{ port: 80 }], loadBalancerSourceRanges: ["10.0.0.0/8"] } },
            /may only be used when `type` is 'LoadBalancer'/,
        ],
        [
            "several ports without names",
            { apiVersion: "v1", kind: "Service" },
            { spec: { ports: [{ port: 80 }, { port: 81 }] } },
            /spec.ports\[0\].name: Required value/,
        ],
        [
            "an Ingress without rules",
            { apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
            { spec: {} },
            /either `defaultBackend` or `rules`/,
        ],
        [
            "a label with a space",
            Deployment,
            { ...deployment(), metadata: { name: "a", labels: { a: "b c" } } },
            /metadata.labels\["a"\]/,
        ],
        [
            "a ScaledObject with minimum above maximum",
            { apiVersion: "keda.sh/v1alpha1", kind: "ScaledObject" },
            { spec: { scaleTargetRef: { name: "w" }, minReplicaCount: 3, maxReplicaCount: 2, triggers: [{}] } },
            /MinReplicaCount=3/,
        ],
    ];
    for (const [name, kind, manifest, expected] of refused) {
        it(`refuses ${name}`, () => {
            assert.match(findings(kind, manifest).join("\n"), expected);
        });
    }
});

describe("Kubernetes API: what changes how", () => {
    it("replaces where the real provider replaces", () => {
        const change = (kind: { apiVersion: string; kind: string }, olds: Properties, news: Properties): string[] =>
            replacements(kind, olds, news, {});
        assert.deepEqual(change(StorageClass, { parameters: { type: "gp2" } }, { parameters: { type: "gp3" } }), [
            "parameters",
        ]);
        assert.deepEqual(change(StorageClass, { reclaimPolicy: "Delete" }, { reclaimPolicy: "Retain" }), []);
        assert.deepEqual(change(Claim, claim(), claim({ storageClassName: "other" })), ["spec.storageClassName"]);
        assert.deepEqual(change(Claim, claim(), claim({ resources: { requests: { storage: "8Gi" } } })), []);
        assert.deepEqual(change(Deployment, deployment(), deployment({ containers: [{ name: "c", image: "j" }] })), []);
        assert.deepEqual(change(Job, { spec: { template: { a: 1 } } }, { spec: { template: { a: 2 } } }), [
            "spec.template",
        ]);
        assert.deepEqual(change(Secret, { stringData: { a: "1" } }, { stringData: { a: "2" } }), ["stringData"]);
        assert.deepEqual(
            change(Secret, { metadata: { name: "a" } }, { metadata: { name: "a", namespace: "default" } }),
            [],
        );
        assert.deepEqual(
            replacements(Secret, { data: { a: "1" } }, { data: { a: "2" } }, { enableSecretMutable: true }),
            [],
        );
    });

    it("refuses what the API server refuses to change", () => {
        const live = {
            metadata: { name: "x" },
            reclaimPolicy: "Delete",
            volumeBindingMode: "Immediate",
            provisioner: "p",
        };
        assert.match(
            refusedUpdates(StorageClass, live, { ...live, reclaimPolicy: "Retain" }) ?? "",
            /reclaimPolicy are forbidden/,
        );
        assert.match(
            refusedUpdates(StorageClass, live, { ...live, volumeBindingMode: "WaitForFirstConsumer" }) ?? "",
            /field is immutable/,
        );
        assert.equal(refusedUpdates(StorageClass, live, { ...live, allowVolumeExpansion: true }), undefined);
    });

    it("lets a claim grow once it is bound, and shrink down to what it has", () => {
        const size = (storage: string): Properties => claim({ resources: { requests: { storage } } });
        const live = (phase: string, capacity?: string): Properties => ({
            metadata: { name: "x" },
            ...size("8Gi"),
            status: { phase, ...(capacity ? { capacity: { storage: capacity } } : {}) },
        });
        assert.match(refusedUpdates(Claim, live("Pending"), size("9Gi")) ?? "", /for bound claims/);
        assert.equal(refusedUpdates(Claim, live("Bound", "4Gi"), size("9Gi")), undefined);
        assert.equal(refusedUpdates(Claim, live("Bound", "4Gi"), size("5Gi")), undefined);
        assert.match(refusedUpdates(Claim, live("Bound", "4Gi"), size("3Gi")) ?? "", /less than status.capacity/);
    });

    it("merges patches and takes them back", () => {
        const target = { metadata: { labels: { a: "1" } }, spec: { replicas: 1 } };
        const patch = { metadata: { name: "x", labels: { b: "2" } } };
        const patched = applyPatch(target, patch);
        assert.deepEqual(patched, { metadata: { name: "x", labels: { a: "1", b: "2" } }, spec: { replicas: 1 } });
        assert.deepEqual(withdrawPatch(patched, patch), {
            metadata: { name: "x", labels: { a: "1" } },
            spec: { replicas: 1 },
        });
    });
});
