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
import { parseManifests } from "../../rehearsal/cloud/kubernetes/components/manifests";
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

const deploymentTemplate = (deployment().spec as { template: Properties }).template;

function webhook(rule: Properties): Properties {
    return {
        name: "a.example.com",
        clientConfig: { service: { namespace: "n", name: "s" } },
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
        rules: [rule],
    };
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
                    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" },
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

    const Binding = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRoleBinding" };
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
    const definition = (version: Properties, spec: Properties = {}): Properties => ({
        metadata: { name: "things.example.com" },
        spec: {
            group: "example.com",
            scope: "Namespaced",
            names: { plural: "things", kind: "Thing" },
            versions: [
                {
                    name: "v1",
                    served: true,
                    storage: true,
                    schema: { openAPIV3Schema: { type: "object" } },
                    ...version,
                },
            ],
            ...spec,
        },
    });
    const Definition = { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition" };
    const Policy = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" };
    const Service = { apiVersion: "v1", kind: "Service" };
    const Ingress = { apiVersion: "networking.k8s.io/v1", kind: "Ingress" };
    const backend = (service: Properties): Properties => ({ spec: { defaultBackend: { service } } });
    const container = (more: Properties): Properties =>
        deployment({ containers: [{ name: "c", image: "i", ...more }] });
    const Volume = { apiVersion: "v1", kind: "PersistentVolume" };
    const volume = (more: Properties): Properties => ({
        spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], ...more },
    });

    // Each of them was seen refused, and its neighbour taken, by the validation code of Kubernetes 1.36.2 itself.
    const pairs: [string, { apiVersion: string; kind: string }, Properties, Properties, RegExp][] = [
        [
            "an account's namespace",
            Binding,
            { roleRef, subjects: [{ kind: "ServiceAccount", name: "a", namespace: "b" }] },
            { roleRef, subjects: [{ kind: "ServiceAccount", name: "a" }] },
            /subjects\[0\].namespace: Required value/,
        ],
        [
            "a role's kind",
            Binding,
            { roleRef },
            { roleRef: { ...roleRef, kind: "Role" } },
            /roleRef.kind: Unsupported value: "Role"/,
        ],
        [
            "verbs",
            { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role" },
            { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
            { rules: [{ apiGroups: [""], resources: ["pods"], verbs: [] }] },
            /rules\[0\].verbs: Required value/,
        ],
        [
            "URLs in a namespace",
            { apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role" },
            { rules: [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }] },
            { rules: [{ nonResourceURLs: ["/metrics"], verbs: ["get"] }] },
            /namespaced rules cannot apply to non-resource URLs/,
        ],
        ["a schema", Definition, definition({}), definition({ schema: {} }), /openAPIV3Schema: Required value/],
        [
            "a stored version",
            Definition,
            definition({}),
            definition({ storage: false }),
            /must have exactly one version marked as storage version/,
        ],
        [
            "a scope",
            Definition,
            definition({}),
            definition({}, { scope: "Namespace" }),
            /scope: Unsupported value: "Namespace"/,
        ],
        [
            "a peer",
            Policy,
            { spec: { podSelector: {}, ingress: [{ from: [{ podSelector: {} }] }] } },
            { spec: { podSelector: {}, ingress: [{ from: [{}] }] } },
            /from\[0\]: Required value: must specify a peer/,
        ],
        [
            "a policy's range",
            Policy,
            { spec: { egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0/8" } }] }] } },
            { spec: { egress: [{ to: [{ ipBlock: { cidr: "10.0.0.0" } }] }] } },
            /must be a valid CIDR value/,
        ],
        [
            "a backend's port",
            Ingress,
            backend({ name: "s", port: { number: 80 } }),
            backend({ name: "s", port: {} }),
            /port name or number is required/,
        ],
        [
            "a port's protocol",
            Service,
            { spec: { ports: [{ port: 80, targetPort: 0, protocol: "" }] } },
            { spec: { ports: [{ port: 80, protocol: "tcp" }] } },
            /Unsupported value: "tcp"/,
        ],
        [
            "a whole port",
            Service,
            { spec: { ports: [{ port: 80, targetPort: "http" }] } },
            { spec: { ports: [{ port: 80, targetPort: 1.5 }] } },
            /targetPort: expected an integer/,
        ],
        [
            "a headless balancer",
            Service,
            { spec: { clusterIP: "None" } },
            { spec: { type: "LoadBalancer", clusterIP: "None", ports: [{ port: 80 }] } },
            /may not be set to 'None' for LoadBalancer/,
        ],
        [
            "ranges of an annotation",
            Service,
            {
                metadata: {
                    name: "a",
                    annotations: { "service.beta.kubernetes.io/load-balancer-source-ranges": "10.0.0.0/8" },
                },
                spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
            },
            {
                metadata: {
                    name: "a",
                    annotations: { "service.beta.kubernetes.io/load-balancer-source-ranges": "me" },
                },
                spec: { type: "LoadBalancer", ports: [{ port: 80 }] },
            },
            /must be a valid CIDR value/,
        ],
        [
            "a probe's handler",
            Deployment,
            container({ readinessProbe: { httpGet: { port: 80 } } }),
            container({ readinessProbe: { periodSeconds: 5 } }),
            /must specify a handler type/,
        ],
        [
            "where a variable comes from",
            Deployment,
            container({ env: [{ name: "A", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }] }),
            container({ env: [{ name: "A", valueFrom: {} }] }),
            /must specify one of/,
        ],
        [
            "permissions of a volume",
            Deployment,
            deployment({ volumes: [{ name: "v", secret: { secretName: "s", defaultMode: 0o755 } }] }),
            deployment({ volumes: [{ name: "v", secret: { secretName: "s", defaultMode: 755 } }] }),
            /defaultMode: Invalid value: 755: must be a number between 0 and 0777/,
        ],
        [
            "a volume's path",
            Deployment,
            deployment({ volumes: [{ name: "v" }] }),
            deployment({ volumes: [{ name: "v", hostPath: { path: "" } }] }),
            /hostPath.path: Required value/,
        ],
        [
            "the node of a local volume",
            Volume,
            volume({
                local: { path: "/d" },
                nodeAffinity: {
                    required: {
                        nodeSelectorTerms: [{ matchExpressions: [{ key: "k", operator: "In", values: ["v"] }] }],
                    },
                },
            }),
            volume({ local: { path: "/d" } }),
            /Local volume requires node affinity/,
        ],
        [
            "a volume's handle",
            Volume,
            volume({ csi: { driver: "d.example.com", volumeHandle: "h" } }),
            volume({ csi: { driver: "d.example.com", volumeHandle: "" } }),
            /volumeHandle: Required value/,
        ],
        [
            "a provisioner's name",
            StorageClass,
            { provisioner: "ebs.csi.aws.com" },
            { provisioner: "ebs csi" },
            /provisioner: Invalid value: "ebs csi"/,
        ],
        [
            "what is scaled",
            { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler" },
            { spec: { scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "d" }, maxReplicas: 2 } },
            { spec: { scaleTargetRef: { kind: "Deployment", name: "d" }, maxReplicas: 2 } },
            /apiVersion must specify API group/,
        ],
        [
            "who asks a webhook what",
            { apiVersion: "admissionregistration.k8s.io/v1", kind: "ValidatingWebhookConfiguration" },
            {
                webhooks: [
                    webhook({ operations: ["CREATE"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }),
                ],
            },
            {
                webhooks: [
                    webhook({ operations: ["Create"], apiGroups: [""], apiVersions: ["v1"], resources: ["pods"] }),
                ],
            },
            /operations\[0\]: Unsupported value: "Create"/,
        ],
        [
            "the labels of an old controller",
            { apiVersion: "v1", kind: "ReplicationController" },
            { spec: { selector: {}, template: deploymentTemplate } },
            { spec: { selector: { app: "b" }, template: deploymentTemplate } },
            /`selector` does not match template `labels`/,
        ],
    ];
    for (const [name, kind, good, bad, expected] of pairs) {
        it(`asks for ${name}`, () => {
            assert.deepEqual(findings(kind, good), []);
            assert.match(findings(kind, bad).join("\n"), expected);
        });
    }

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

describe("Kubernetes API: manifests as YAML", () => {
    it("are read as the provider reads them: octal numbers, booleans of YAML 1.1, dates as text", () => {
        const [read] = parseManifests(
            '{apiVersion: v1, kind: A, mode: 0755, on: yes, off: "no", day: 2026-01-02, size: 5Gi, part: 1.5, time: 12:30, none: ~}',
        );
        assert.deepEqual(read, {
            apiVersion: "v1",
            kind: "A",
            mode: 0o755,
            true: true,
            false: "no",
            day: "2026-01-02",
            size: "5Gi",
            part: 1.5,
            time: "12:30",
            none: null,
        });
    });
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
