import assert from "node:assert/strict";
import fc from "fast-check";
import type { Resource } from "../../../policy-pack/rule";
import { rules } from "../../../policy-pack/rules";
import { rule as encrypted } from "../../../policy-pack/rules/ebsStorageClassEncrypted";
import { rule as waits } from "../../../policy-pack/rules/ebsWaitForFirstConsumer";
import { rule as shared } from "../../../policy-pack/rules/rwxOnlyOnEfs";
import { rule as known } from "../../../policy-pack/rules/storageClassKnown";
import { rule as balancer } from "../../../policy-pack/rules/loadBalancerNotPublic";
import { found, helm, judge, k8s, resource, storageClass } from "./build";

/** Every property is tried twice: with a seed that never changes, and with one that is new each time (and named, so that it can be repeated). */
const fresh = Date.now() % 2 ** 31;
const seeds = [20_261_121, fresh];

interface Claim {
    modes: string[];
    class: { by: "name" | "annotation"; name: string } | { by: "default" } | { by: "none" };
    form: number;
}

const provisioners = [
    "ebs.csi.aws.com",
    "ebs.csi.eks.amazonaws.com",
    "kubernetes.io/aws-ebs",
    "efs.csi.aws.com",
    "fsx.csi.aws.com",
    "driver.longhorn.io",
];
const classes = fc.uniqueArray(
    fc.record({
        name: fc.constantFrom("a", "b", "c"),
        provisioner: fc.constantFrom(...provisioners),
        isDefault: fc.boolean(),
    }),
    { selector: ({ name }) => name, maxLength: 3 },
);
const claims: fc.Arbitrary<Claim[]> = fc.array(
    fc.record({
        modes: fc.uniqueArray(fc.constantFrom("ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"), {
            minLength: 1,
        }),
        class: fc.oneof(
            fc.record({
                by: fc.constantFrom("name" as const, "annotation" as const),
                name: fc.constantFrom("a", "b", "c", "d"),
            }),
            fc.constant({ by: "default" as const }),
            fc.constant({ by: "none" as const }),
        ),
        form: fc.nat(),
    }),
    { maxLength: 5 },
);

type Template = { metadata: object; spec: object };
const inPods = (template: Template) => ({
    containers: [{}],
    volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: template } }],
});
const object = (apiVersion: string, kind: string, template: Template) => ({ apiVersion, kind, ...template });

/** Ways in which one and the same claim can be written. */
const forms: ((name: string, template: Template) => Resource)[] = [
    (name, template) => k8s("v1", "PersistentVolumeClaim", name, template),
    (name, template) => k8s("apps/v1", "StatefulSet", name, { spec: { volumeClaimTemplates: [template] } }),
    (name, template) => k8s("apps/v1beta2", "StatefulSet", name, { spec: { volumeClaimTemplates: [template] } }),
    (name, template) => k8s("v1", "Pod", name, { spec: inPods(template) }),
    (name, template) => k8s("apps/v1", "Deployment", name, { spec: { template: { spec: inPods(template) } } }),
    (name, template) =>
        k8s("extensions/v1beta1", "DaemonSet", name, { spec: { template: { spec: inPods(template) } } }),
    (name, template) => k8s("batch/v1", "Job", name, { spec: { template: { spec: inPods(template) } } }),
    (name, template) =>
        k8s("batch/v1beta1", "CronJob", name, {
            spec: { jobTemplate: { spec: { template: { spec: inPods(template) } } } },
        }),
    (name, template) =>
        resource("kubernetes:core/v1:List", name, { items: [object("v1", "PersistentVolumeClaim", template)] }),
    (name, template) => resource("kubernetes:core/v1:PersistentVolumeClaimList", name, { items: [template] }),
    (name, template) =>
        k8s("monitoring.coreos.com/v1", "Prometheus", name, { spec: { storage: { volumeClaimTemplate: template } } }),
    (name, template) =>
        k8s("example.com/v1", "Database", name, { spec: { nodes: [{ volumeClaimTemplates: [template] }] } }),
    (name, template) => helm(name, "some-chart", { server: { volumeClaimTemplates: [template] } }),
    (name, template) => helm(name, "some-chart", { extraDeploy: [object("v1", "PersistentVolumeClaim", template)] }),
    (name, template) =>
        helm(name, "airflow", {
            ...quiet,
            workers: { celery: { volumeClaimTemplates: [template], persistence: { enabled: false } } },
        }),
];
const quiet = { redis: { enabled: false }, triggerer: { enabled: false }, postgresql: { enabled: false } };

function write(claim: Claim, index: number): Resource {
    const said = claim.class;
    const metadata =
        said.by === "annotation" ? { annotations: { "volume.beta.kubernetes.io/storage-class": said.name } } : {};
    const storageClassName = said.by === "name" ? said.name : said.by === "none" ? "" : undefined;
    const spec = {
        accessModes: claim.modes,
        resources: { requests: { storage: "1Gi" } },
        ...(storageClassName !== undefined && { storageClassName }),
    };
    return forms[claim.form % forms.length](`claim-${index}`, { metadata, spec });
}

/** What the rule should say, told in the plainest way. */
function expected(
    all: { name: string; provisioner: string; isDefault: boolean }[],
    claim: Claim,
): "violated" | "unknown" | "fine" {
    const said = claim.class;
    const possible = all.filter((one) =>
        said.by === "default" ? one.isDefault : said.by !== "none" && one.name === said.name,
    );
    if (possible.length === 0) {
        return "unknown";
    }
    const shares = claim.modes.includes("ReadWriteMany");
    return shares && possible.every(({ provisioner }) => provisioner !== "efs.csi.aws.com") ? "violated" : "fine";
}

const annotations = (isDefault: boolean) => ({
    annotations: isDefault ? { "storageclass.kubernetes.io/is-default-class": "true" } : {},
});

for (const seed of seeds) {
    describe(`generated programs against a plain oracle (seed ${seed})`, function () {
        this.timeout(120_000);
        const options = { seed, numRuns: 2_000 };

        it("rwx-only-on-efs and storage-class-known", () => {
            fc.assert(
                fc.property(classes, claims, fc.boolean(), (all, asked, reversed) => {
                    const written = asked.map(write);
                    const program = [
                        ...all.map(({ name, provisioner, isDefault }) =>
                            storageClass(name, { provisioner, metadata: annotations(isDefault) }),
                        ),
                        ...written,
                    ];
                    const order = reversed ? [...program].reverse() : program;
                    const names = (lines: string[]) => [...new Set(lines.map((line) => line.split(":")[0]))].sort();
                    const should = (what: string) =>
                        asked
                            .flatMap((claim, index) => (expected(all, claim) === what ? [`claim-${index}`] : []))
                            .sort();
                    assert.deepEqual(names(found(shared, order)), should("violated"));
                    assert.deepEqual(names(found(known, order)), should("unknown"));
                }),
                options,
            );
        });

        it("ebs-storage-class-encrypted and ebs-wait-for-first-consumer", () => {
            const cased = (name: string) =>
                fc
                    .array(fc.boolean(), { minLength: name.length, maxLength: name.length })
                    .map((upper) =>
                        [...name].map((letter, at) => (upper[at] ? letter.toUpperCase() : letter)).join(""),
                    );
            const value = fc.constantFrom("true", "True", "false", "1", "yes", "", "TRUE", "true ");
            const said = fc.option(fc.record({ key: cased("encrypted"), value }), { nil: undefined });
            const mode = fc.constantFrom("WaitForFirstConsumer", "Immediate", undefined, "Later");
            const customerKey = fc.option(fc.constantFrom("", "arn:aws:kms:eu-west-1:123456789012:key/1"), {
                nil: undefined,
            });
            fc.assert(
                fc.property(
                    fc.constantFrom(...provisioners),
                    said,
                    customerKey,
                    mode,
                    (provisioner, encryption, key, volumeBindingMode) => {
                        const parameters = {
                            ...(encryption && { [encryption.key]: encryption.value }),
                            ...(key !== undefined && { kmsKeyId: key }),
                        };
                        const one = storageClass("c", { provisioner, parameters, volumeBindingMode });
                        const ebs = /ebs/.test(provisioner);
                        const plain = encryption?.value !== "true" && !key;
                        assert.equal(found(encrypted, [one]).length, ebs && plain ? 1 : 0);
                        assert.equal(
                            found(waits, [one]).length,
                            ebs && volumeBindingMode !== "WaitForFirstConsumer" ? 1 : 0,
                        );
                    },
                ),
                options,
            );
        });

        it("load-balancer-not-public", () => {
            const ranges = fc.option(
                fc.subarray(["10.0.0.0/8", "203.0.113.0/24", "0.0.0.0/0", "::/0", "2001:db8::/48"]),
                { nil: undefined },
            );
            const type = fc.constantFrom("LoadBalancer", "ClusterIP", "NodePort", undefined);
            const scheme = fc.constantFrom("internal", "internet-facing", undefined);
            const made = fc.constantFrom("nlb", "external", "nlb-ip", undefined);
            fc.assert(
                fc.property(type, ranges, scheme, made, (kind, listed, facing, controller) => {
                    const set = {
                        "service.beta.kubernetes.io/aws-load-balancer-scheme": facing,
                        "service.beta.kubernetes.io/aws-load-balancer-type": controller,
                    };
                    const noted = Object.fromEntries(Object.entries(set).filter(([, text]) => text !== undefined));
                    const one = k8s("v1", "Service", "s", {
                        metadata: { annotations: noted },
                        spec: { type: kind, loadBalancerSourceRanges: listed },
                    });
                    const internal =
                        facing === "internal" ||
                        (facing === undefined && (controller === "external" || controller === "nlb-ip"));
                    const open =
                        !listed || listed.length === 0 || listed.includes("0.0.0.0/0") || listed.includes("::/0");
                    assert.equal(found(balancer, [one]).length, kind === "LoadBalancer" && !internal && open ? 1 : 0);
                }),
                options,
            );
        });

        it("no rule falls over anything that can be sent", () => {
            const types = [
                "kubernetes:core/v1:PersistentVolumeClaim",
                "kubernetes:core/v1:PersistentVolume",
                "kubernetes:core/v1:Service",
                "kubernetes:core/v1:List",
                "kubernetes:core/v1:Pod",
                "kubernetes:apps/v1:StatefulSet",
                "kubernetes:storage.k8s.io/v1:StorageClass",
                "kubernetes:helm.sh/v3:Release",
                "kubernetes:networking.k8s.io/v1:Ingress",
                "kubernetes:argoproj.io/v1alpha1:Application",
                "kubernetes:yaml/v2:ConfigGroup",
                "kubernetes:keda.sh/v1alpha1:ScaledObject",
                "aws:eks/addon:Addon",
                "aws:eks/nodeGroup:NodeGroup",
            ];
            const key = fc.constantFrom(
                "spec",
                "template",
                "metadata",
                "annotations",
                "items",
                "volumes",
                "accessModes",
                "storageClassName",
                "volumeClaimTemplates",
                "parameters",
                "provisioner",
                "values",
                "persistence",
                "nodeSelector",
                "type",
                "nfs",
                "csi",
                "ephemeral",
                "apiVersion",
                "kind",
                "name",
                "yaml",
                "chart",
                "addonName",
                "configurationValues",
                "__proto__",
            );
            const leaf = fc.oneof(
                fc.constantFrom(
                    null,
                    true,
                    5,
                    "",
                    "LoadBalancer",
                    "airflow",
                    "ebs.csi.aws.com",
                    "aws-ebs-csi-driver",
                    "ReadWriteMany",
                    "v1",
                    "PersistentVolumeClaim",
                    "{{ x }}",
                    "a: [",
                    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
                ),
                fc.string(),
            );
            const { tree } = fc.letrec((tie) => ({
                tree: fc.oneof(
                    { depthSize: "small", withCrossShrink: true },
                    leaf,
                    fc.array(tie("tree"), { maxLength: 3 }),
                    fc.dictionary(key, tie("tree"), { maxKeys: 5 }),
                ),
            }));
            const one = fc.record({ type: fc.constantFrom(...types), props: fc.dictionary(key, tree, { maxKeys: 8 }) });
            fc.assert(
                fc.property(fc.array(one, { minLength: 1, maxLength: 4 }), (program) => {
                    const resources = program.map(({ type, props }, index) => resource(type, `r${index}`, props));
                    rules.forEach((rule) => judge(rule, resources));
                }),
                options,
            );
        });
    });
}
