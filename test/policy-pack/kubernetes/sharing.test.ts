import assert from "node:assert/strict";
import { UNKNOWN } from "../../../policy-pack/plain";
import type { Provider, Resource } from "../../../policy-pack/rule";
import { rule as single } from "../../../policy-pack/rules/rwoSingleWriter";
import { rule as shared } from "../../../policy-pack/rules/rwxOnlyOnEfs";
import { rule as known } from "../../../policy-pack/rules/storageClassKnown";
import {
    claim,
    claimSpec,
    ebsClass,
    efsClass,
    found,
    helm,
    k8s,
    resource,
    storageClass,
    undecided,
    urnOf,
    volume,
} from "./build";

const ebs = ebsClass("disk");
const efs = efsClass("files");
const rwx = (name?: unknown) => claimSpec("ReadWriteMany", name);
const template = (spec: object) => ({ metadata: { name: "data" }, spec });
const pod = (spec: object) => ({
    containers: [{ name: "c" }],
    volumes: [{ name: "v", ephemeral: { volumeClaimTemplate: { spec } } }],
});
const inPod = "volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes";
const isDefault = { metadata: { annotations: { "storageclass.kubernetes.io/is-default-class": "true" } } };

describe("rwx-only-on-efs: everywhere a claim can hide", () => {
    const hidden: [string, (name: string) => Resource, string][] = [
        ["a claim", (name) => claim("x", rwx(name)), "spec.accessModes"],
        [
            "one of several modes",
            (name) => claim("x", { ...rwx(name), accessModes: ["ReadWriteOnce", "ReadWriteMany"] }),
            "spec.accessModes",
        ],
        ["a text for modes", (name) => claim("x", { ...rwx(name), accessModes: "ReadWriteMany" }), "spec.accessModes"],
        ["an odd spelling", (name) => claim("x", { ...rwx(name), accessModes: ["readwritemany"] }), "spec.accessModes"],
        [
            "the old annotation",
            (name) =>
                claim("x", rwx(), undefined, { annotations: { "volume.beta.kubernetes.io/storage-class": name } }),
            "spec.accessModes",
        ],
        [
            "a StatefulSet",
            (name) => k8s("apps/v1", "StatefulSet", "x", { spec: { volumeClaimTemplates: [template(rwx(name))] } }),
            "spec.volumeClaimTemplates[0].spec.accessModes",
        ],
        [
            "an old StatefulSet",
            (name) =>
                k8s("apps/v1beta1", "StatefulSet", "x", { spec: { volumeClaimTemplates: [template(rwx(name))] } }),
            "spec.volumeClaimTemplates[0].spec.accessModes",
        ],
        [
            "a StatefulSet's patch",
            (name) =>
                k8s("apps/v1", "StatefulSetPatch", "x", { spec: { volumeClaimTemplates: [template(rwx(name))] } }),
            "spec.volumeClaimTemplates[0].spec.accessModes",
        ],
        [
            "a claim's patch",
            (name) => k8s("v1", "PersistentVolumeClaimPatch", "x", { spec: rwx(name) }),
            "spec.accessModes",
        ],
        ["a Pod", (name) => k8s("v1", "Pod", "x", { spec: pod(rwx(name)) }), `spec.${inPod}`],
        [
            "a PodTemplate",
            (name) => k8s("v1", "PodTemplate", "x", { template: { spec: pod(rwx(name)) } }),
            `template.spec.${inPod}`,
        ],
        ...["Deployment", "DaemonSet", "ReplicaSet", "StatefulSet"].map(
            (kind): [string, (name: string) => Resource, string] => [
                `a ${kind}'s pod`,
                (name) => k8s("apps/v1", kind, "x", { spec: { template: { spec: pod(rwx(name)) } } }),
                `spec.template.spec.${inPod}`,
            ],
        ),
        [
            "a Job",
            (name) => k8s("batch/v1", "Job", "x", { spec: { template: { spec: pod(rwx(name)) } } }),
            `spec.template.spec.${inPod}`,
        ],
        [
            "a CronJob",
            (name) =>
                k8s("batch/v1", "CronJob", "x", {
                    spec: { jobTemplate: { spec: { template: { spec: pod(rwx(name)) } } } },
                }),
            `spec.jobTemplate.spec.template.spec.${inPod}`,
        ],
        [
            "a list",
            (name) =>
                resource("kubernetes:core/v1:List", "x", {
                    items: [{ apiVersion: "v1", kind: "PersistentVolumeClaim", spec: rwx(name) }],
                }),
            "items[0].spec.accessModes",
        ],
        [
            "a list of claims",
            (name) => resource("kubernetes:core/v1:PersistentVolumeClaimList", "x", { items: [{ spec: rwx(name) }] }),
            "items[0].spec.accessModes",
        ],
        [
            "YAML that was not taken apart",
            (name) =>
                resource("kubernetes:yaml/v2:ConfigGroup", "x", {
                    yaml: `apiVersion: v1\nkind: PersistentVolumeClaim\nspec: {accessModes: [ReadWriteMany], storageClassName: ${name}}\n`,
                }),
            "yaml[0].spec.accessModes",
        ],
        [
            "Prometheus",
            (name) =>
                k8s("monitoring.coreos.com/v1", "Prometheus", "x", {
                    spec: { storage: { volumeClaimTemplate: { spec: rwx(name) } } },
                }),
            "spec.storage.volumeClaimTemplate.spec.accessModes",
        ],
        [
            "Elasticsearch",
            (name) =>
                k8s("elasticsearch.k8s.elastic.co/v1", "Elasticsearch", "x", {
                    spec: { nodeSets: [{ volumeClaimTemplates: [template(rwx(name))] }] },
                }),
            "spec.nodeSets[0].volumeClaimTemplates[0].spec.accessModes",
        ],
        [
            "Crunchy Postgres",
            (name) =>
                k8s("postgres-operator.crunchydata.com/v1beta1", "PostgresCluster", "x", {
                    spec: { instances: [{ dataVolumeClaimSpec: rwx(name) }] },
                }),
            "spec.instances[0].dataVolumeClaimSpec.accessModes",
        ],
        [
            "a Tekton run",
            (name) =>
                k8s("tekton.dev/v1", "PipelineRun", "x", {
                    spec: { workspaces: [{ volumeClaimTemplate: { spec: rwx(name) } }] },
                }),
            "spec.workspaces[0].volumeClaimTemplate.spec.accessModes",
        ],
        [
            "a KubeVirt disk",
            (name) => k8s("cdi.kubevirt.io/v1beta1", "DataVolume", "x", { spec: { pvc: rwx(name) } }),
            "spec.pvc.accessModes",
        ],
        [
            "an object in a custom resource",
            (name) =>
                k8s("work.open-cluster-management.io/v1", "ManifestWork", "x", {
                    spec: {
                        workload: { manifests: [{ apiVersion: "v1", kind: "PersistentVolumeClaim", spec: rwx(name) }] },
                    },
                }),
            "spec.workload.manifests[0].spec.accessModes",
        ],
        [
            "the Airflow chart's logs",
            (name) => helm("x", "airflow", { logs: { persistence: { enabled: true, storageClassName: name } } }),
            "values.logs.persistence.enabled",
        ],
        [
            "the Airflow chart's DAGs",
            (name) =>
                helm("x", "apache-airflow/airflow", {
                    dags: { persistence: { enabled: true, accessMode: "ReadWriteMany", storageClassName: name } },
                }),
            "values.dags.persistence.accessMode",
        ],
        [
            "the Airflow chart's templates",
            (name) => helm("x", "airflow", { workers: { celery: { volumeClaimTemplates: [template(rwx(name))] } } }),
            "values.workers.celery.volumeClaimTemplates[0].spec.accessModes",
        ],
        [
            "a chart's accessMode",
            (name) =>
                helm("x", "nextcloud", {
                    persistence: { enabled: true, accessMode: "ReadWriteMany", storageClass: name },
                }),
            "values.persistence.accessMode",
        ],
        [
            "a chart's accessModes, deep down",
            (name) =>
                helm("x", "suite", {
                    a: { b: { persistence: { accessModes: ["ReadWriteMany"], storageClassName: name } } },
                }),
            "values.a.b.persistence.accessModes",
        ],
        [
            "a chart's class for all",
            (name) =>
                helm("x", "wordpress", {
                    global: { storageClass: name },
                    persistence: { accessModes: ["ReadWriteMany"] },
                }),
            "values.persistence.accessModes",
        ],
        [
            "a chart's extra objects",
            (name) =>
                helm("x", "any", {
                    extraObjects: [{ apiVersion: "v1", kind: "PersistentVolumeClaim", spec: rwx(name) }],
                }),
            "values.extraObjects[0].spec.accessModes",
        ],
        [
            "a chart's extra manifests",
            (name) =>
                helm("x", "any", {
                    extraDeploy: [
                        `apiVersion: v1\nkind: PersistentVolumeClaim\nspec: {accessModes: [ReadWriteMany], storageClassName: ${name}}`,
                    ],
                }),
            "values.extraDeploy[0].spec.accessModes",
        ],
        [
            "a pod template in a ConfigMap",
            (name) =>
                k8s("v1", "ConfigMap", "x", {
                    data: {
                        "pod_template_file.yaml": `apiVersion: v1\nkind: Pod\nspec: ${JSON.stringify(pod(rwx(name)))}`,
                    },
                }),
            `data["pod_template_file.yaml"].spec.${inPod}`,
        ],
        [
            "a chart's class for all, before the section's (Bitnami)",
            (name) =>
                helm("x", "bitnami/wordpress", {
                    global: { storageClass: name },
                    persistence: { accessModes: ["ReadWriteMany"], storageClass: name === "disk" ? "files" : "disk" },
                }),
            "values.persistence.accessModes",
        ],
        [
            "a chart's keys with capital letters",
            (name) => helm("x", "y", { Persistence: { AccessMode: "ReadWriteMany", StorageClass: name } }),
            "values.Persistence.AccessMode",
        ],
        [
            "a chart with an old and a new key for modes",
            (name) =>
                helm("x", "y", {
                    persistence: {
                        accessModes: ["ReadWriteOnce"],
                        accessMode: "ReadWriteMany",
                        storageClass: name,
                    },
                }),
            "values.persistence.accessModes",
        ],
        [
            "JupyterHub's users",
            (name) =>
                helm("x", "jupyterhub", {
                    singleuser: { storage: { dynamic: { storageClass: name, storageAccessModes: ["ReadWriteMany"] } } },
                }),
            "values.singleuser.storage.dynamic.storageAccessModes",
        ],
        [
            "the community's Airflow chart, whose logs are shared when nothing is said",
            (name) =>
                helm(
                    "x",
                    "airflow",
                    { logs: { persistence: { enabled: true, storageClass: name } } },
                    { repositoryOpts: { repo: "https://airflow-helm.github.io/charts" } },
                ),
            "values.logs.persistence.accessMode",
        ],
        [
            "a custom resource of a YAML program",
            (name) =>
                resource("kubernetes:apiextensions.k8s.io:CustomResource", "x", {
                    apiVersion: "helm.cattle.io/v1",
                    kind: "HelmChart",
                    spec: {
                        valuesContent: `persistence: {accessMode: ReadWriteMany, storageClass: ${name}, size: 1Gi}`,
                    },
                }),
            "spec.valuesContent.persistence.accessMode",
        ],
        [
            "Argo CD's second source",
            (name) =>
                k8s("argoproj.io/v1alpha1", "Application", "x", {
                    spec: {
                        sources: [
                            { chart: "one", helm: { valuesObject: {} } },
                            {
                                chart: "two",
                                helm: {
                                    valuesObject: { persistence: { accessMode: "ReadWriteMany", storageClass: name } },
                                },
                            },
                        ],
                    },
                }),
            "spec.sources[1].helm.valuesObject.persistence.accessMode",
        ],
        [
            "an operator's own keys",
            (name) =>
                k8s("example.com/v1", "Cluster", "x", {
                    spec: { storage: { size: "1Gi", storageClass: name, accessModes: ["ReadWriteMany"] } },
                }),
            "spec.storage.accessModes",
        ],
        [
            "Argo CD's values",
            (name) =>
                k8s("argoproj.io/v1alpha1", "Application", "x", {
                    spec: {
                        source: {
                            chart: "airflow",
                            repoURL: "https://airflow.apache.org",
                            helm: { values: `logs: {persistence: {enabled: true, storageClassName: ${name}}}` },
                        },
                    },
                }),
            "spec.source.helm.values.logs.persistence.enabled",
        ],
        [
            "Argo CD's parameters",
            (name) =>
                k8s("argoproj.io/v1alpha1", "Application", "x", {
                    spec: {
                        source: {
                            chart: "airflow",
                            repoURL: "https://airflow.apache.org",
                            helm: {
                                valuesObject: {},
                                parameters: [
                                    { name: "logs.persistence.enabled", value: "true" },
                                    { name: "logs.persistence.storageClassName", value: name },
                                ],
                            },
                        },
                    },
                }),
            "spec.source.helm.valuesObject.logs.persistence.enabled",
        ],
        [
            "Flux's values",
            (name) =>
                k8s("helm.toolkit.fluxcd.io/v2", "HelmRelease", "x", {
                    spec: {
                        chart: { spec: { chart: "nextcloud" } },
                        values: { persistence: { accessMode: "ReadWriteMany", storageClass: name } },
                    },
                }),
            "spec.values.persistence.accessMode",
        ],
    ];
    for (const [what, make, path] of hidden) {
        it(`${what}: fails on EBS, passes on EFS, is open on a class that nobody knows`, () => {
            assert.deepEqual(found(shared, [ebs, efs, make("disk")]), [`x: ${path}`]);
            assert.deepEqual(found(shared, [ebs, efs, make("files")]), []);
            assert.deepEqual(found(shared, [ebs, efs, make("elsewhere")]), []);
            assert.deepEqual(
                found(known, [ebs, efs, make("files")]).filter((line) =>
                    line.includes(path.split(".").slice(0, -1).join(".")),
                ),
                [],
            );
            assert.ok(found(known, [ebs, efs, make("elsewhere")]).length >= 1);
        });
    }
});

describe("rwx-only-on-efs: what is no claim, or not shared", () => {
    for (const [what, ...resources] of [
        [
            "a volume that offers more",
            volume("v", { accessModes: ["ReadWriteMany"], csi: { driver: "ebs.csi.aws.com", volumeHandle: "vol-1" } }),
        ],
        ["ReadWriteOncePod", claim("c", claimSpec("ReadWriteOncePod", "disk"))],
        ["ReadOnlyMany", claim("c", claimSpec("ReadOnlyMany", "disk"))],
        [
            "the schema of a custom resource",
            k8s("apiextensions.k8s.io/v1", "CustomResourceDefinition", "c", {
                spec: {
                    versions: [
                        {
                            schema: {
                                openAPIV3Schema: {
                                    properties: {
                                        volumeClaimTemplate: {
                                            accessModes: ["ReadWriteMany"],
                                            storageClassName: "disk",
                                        },
                                    },
                                },
                            },
                        },
                    ],
                },
            }),
        ],
        [
            "a Kyverno pattern",
            k8s("kyverno.io/v1", "ClusterPolicy", "c", {
                spec: { rules: [{ validate: { pattern: { spec: rwx("disk") } } }] },
            }),
        ],
        [
            "text in a ConfigMap",
            k8s("v1", "ConfigMap", "c", { data: { "claim.yaml": "accessModes: [ReadWriteMany]" } }),
        ],
        [
            "a chart's section that is off",
            helm("c", "x", { persistence: { enabled: false, accessMode: "ReadWriteMany", storageClass: "disk" } }),
        ],
        [
            "a subchart that is off",
            helm("c", "x", {
                redis: { enabled: false, persistence: { accessMode: "ReadWriteMany", storageClass: "disk" } },
            }),
        ],
        [
            "a chart's existing claim",
            helm("c", "x", {
                persistence: { existingClaim: "other", accessMode: "ReadWriteMany", storageClass: "disk" },
            }),
        ],
        [
            "an object that has nothing to do with it",
            k8s("example.com/v1", "Door", "c", { spec: { accessModes: ["key", "card"], storageClassName: "disk" } }),
        ],
    ] as [string, ...Resource[]][]) {
        it(`passes: ${what}`, () => {
            assert.deepEqual(found(shared, [ebs, efs, ...resources]), []);
        });
    }

    it("does not judge twice what YAML was taken apart into", () => {
        const group = resource("kubernetes:yaml/v2:ConfigGroup", "g", {
            yaml: "apiVersion: v1\nkind: PersistentVolumeClaim\nspec: {accessModes: [ReadWriteMany], storageClassName: disk}",
        });
        assert.deepEqual(found(shared, [ebs, group, claim("x", rwx("disk"), { parent: group.urn })]), [
            "x: spec.accessModes",
        ]);
    });
});

describe("storage-class-known: what looks like a claim", () => {
    for (const [what, spec, expected] of [
        ["a class and a size", { storageClassName: "fast", storageSize: "1Ti" }, 1],
        ["a class alone", { storageClassName: "fast" }, 0],
        ["a storage class of S3", { storageClass: "STANDARD_IA", size: "1Ti" }, 0],
    ] as const) {
        it(what, () => {
            const one = k8s("example.com/v1", "Warehouse", "x", { spec: { storageVolumes: [spec] } });
            assert.equal(found(known, [one]).length, expected);
        });
    }
});

describe("rwx-only-on-efs: which class it is", () => {
    it("takes the default class, by both annotations", () => {
        const old = { metadata: { annotations: { "storageclass.beta.kubernetes.io/is-default-class": "true" } } };
        for (const annotated of [isDefault, old]) {
            assert.deepEqual(found(shared, [ebsClass("disk", annotated), efs, claim("c", rwx())]), [
                "c: spec.accessModes",
            ]);
            assert.deepEqual(found(shared, [ebs, efsClass("files", annotated), claim("c", rwx())]), []);
        }
        const off = { metadata: { annotations: { "storageclass.kubernetes.io/is-default-class": "false" } } };
        assert.deepEqual(found(known, [ebsClass("disk", off), claim("c", rwx())]), ["c: spec.storageClassName"]);
    });

    it("leaves two default classes of different kinds open", () => {
        const both = [ebsClass("disk", isDefault), efsClass("files", isDefault), claim("c", rwx())];
        assert.deepEqual(found(shared, both), []);
        assert.deepEqual(undecided(shared, both), ["c: spec.storageClassName"]);
    });

    it("sees a default mark that a patch takes away", () => {
        const patch = k8s("storage.k8s.io/v1", "StorageClassPatch", "p", {
            metadata: { name: "disk", annotations: { "storageclass.kubernetes.io/is-default-class": "false" } },
        });
        assert.deepEqual(
            found(shared, [ebsClass("disk", isDefault), efsClass("files", isDefault), patch, claim("c", rwx())]),
            [],
        );
        assert.deepEqual(
            undecided(shared, [ebsClass("disk", isDefault), efsClass("files", isDefault), patch, claim("c", rwx())]),
            [],
        );
    });

    it("follows the volume that a claim names, or that is reserved for it", () => {
        const disk = volume("pv", {
            csi: { driver: "ebs.csi.aws.com", volumeHandle: "vol-1" },
            accessModes: ["ReadWriteMany"],
        });
        const files = volume("pv", {
            csi: { driver: "efs.csi.aws.com", volumeHandle: "fs-1" },
            accessModes: ["ReadWriteMany"],
        });
        const named = claim("c", { ...rwx("files"), volumeName: "pv" });
        assert.deepEqual(found(shared, [efs, disk, named]), ["c: spec.accessModes"]);
        assert.deepEqual(found(shared, [ebs, files, claim("c", { ...rwx("disk"), volumeName: "pv" })]), []);
        const reserved = {
            ...disk,
            props: {
                ...disk.props,
                spec: { ...(disk.props.spec as object), claimRef: { name: "c", namespace: "default" } },
            },
        };
        assert.deepEqual(found(shared, [reserved, claim("c", rwx(""))]), ["c: spec.accessModes"]);
    });

    it("follows volumes made by hand: by their class's name, or without any", () => {
        const disk = (spec: object) =>
            volume("pv", { awsElasticBlockStore: { volumeID: "vol-1" }, accessModes: ["ReadWriteMany"], ...spec });
        const files = (spec: object) =>
            volume("pv", {
                csi: { driver: "efs.csi.aws.com", volumeHandle: "fs-1" },
                accessModes: ["ReadWriteMany"],
                ...spec,
            });
        assert.deepEqual(found(shared, [disk({ storageClassName: "manual" }), claim("c", rwx("manual"))]), [
            "c: spec.accessModes",
        ]);
        assert.deepEqual(found(shared, [files({ storageClassName: "manual" }), claim("c", rwx("manual"))]), []);
        assert.deepEqual(found(known, [files({ storageClassName: "manual" }), claim("c", rwx("manual"))]), []);
        assert.deepEqual(found(shared, [files({}), claim("c", rwx(""))]), []);
        assert.deepEqual(found(shared, [disk({}), claim("c", rwx(""))]), ["c: spec.accessModes"]);
        assert.deepEqual(found(known, [claim("c", rwx(""))]), ["c: spec.storageClassName"]);
        const byHand = storageClass("manual", { provisioner: "kubernetes.io/no-provisioner" });
        assert.deepEqual(found(shared, [byHand, disk({ storageClassName: "manual" }), claim("c", rwx("manual"))]), [
            "c: spec.accessModes",
        ]);
        assert.deepEqual(found(known, [byHand, claim("c", rwx("manual"))]), ["c: spec.storageClassName"]);
    });

    it("follows a name that is not known yet to the class that it comes from", () => {
        const later = (from: Resource) => ({
            ...claim("c", {}),
            props: { spec: { accessModes: ["ReadWriteMany"], storageClassName: UNKNOWN } },
            propertyDependencies: { spec: [from.urn] },
        });
        assert.deepEqual(found(shared, [ebs, efs, later(ebs)]), ["c: spec.accessModes"]);
        assert.deepEqual(found(shared, [ebs, efs, later(efs)]), []);
        const loose = { ...later(ebs), propertyDependencies: {}, dependencies: [ebs.urn] };
        assert.deepEqual(found(shared, [ebs, efs, loose]), ["c: spec.accessModes"]);
        const component = resource("my:index:Storage", "storage", {});
        assert.deepEqual(found(shared, [component, { ...ebs, parent: component.urn }, later(component)]), [
            "c: spec.accessModes",
        ]);
        assert.deepEqual(undecided(known, [ebs, { ...later(ebs), propertyDependencies: {} }]), [
            "c: spec.storageClassName",
        ]);
    });

    it("knows the names that Pulumi makes, and does not take the logical name for one", () => {
        const unnamed = resource("kubernetes:storage.k8s.io/v1:StorageClass", "disk", {
            provisioner: "ebs.csi.aws.com",
        });
        assert.deepEqual(found(shared, [unnamed, claim("c", rwx("disk-0a1b2c3d"))]), ["c: spec.accessModes"]);
        assert.deepEqual(found(shared, [unnamed, claim("c", rwx("disk"))]), []);
        assert.deepEqual(found(known, [unnamed, claim("c", rwx("disk"))]), ["c: spec.storageClassName"]);
    });

    it("takes classes of the cluster from configuration", () => {
        assert.deepEqual(found(shared, [claim("c", rwx("gp2"))], { storageClasses: { gp2: "ebs.csi.aws.com" } }), [
            "c: spec.accessModes",
        ]);
        assert.deepEqual(
            found(shared, [claim("c", rwx())], {
                storageClasses: { gp2: "ebs.csi.aws.com" },
                defaultStorageClass: "gp2",
            }),
            ["c: spec.accessModes"],
        );
        assert.deepEqual(found(known, [claim("c", rwx("e"))], { storageClasses: { e: "efs.csi.aws.com" } }), []);
    });

    it("keeps clusters apart, but not two providers of one cluster", () => {
        const provider = (name: string, kubeconfig: unknown): Provider => ({
            urn: urnOf("pulumi:providers:kubernetes", name),
            type: "pulumi:providers:kubernetes",
            name,
            props: { kubeconfig },
        });
        const config = (server: string) =>
            JSON.stringify({
                clusters: [{ name: "c", cluster: { server } }],
                contexts: [{ name: "x", context: { cluster: "c" } }],
                "current-context": "x",
            });
        const [one, same, other] = [
            provider("one", config("https://a")),
            provider("same", `${config("https://a")} `),
            provider("other", config("https://b")),
        ];
        const disk = ebsClass("class", {}, { provider: one });
        assert.deepEqual(found(shared, [disk, claim("c", rwx("class"), { provider: one })]), ["c: spec.accessModes"]);
        assert.deepEqual(found(shared, [disk, claim("c", rwx("class"), { provider: same })]), ["c: spec.accessModes"]);
        assert.deepEqual(found(shared, [disk, claim("c", rwx("class"), { provider: other })]), []);
        assert.deepEqual(found(known, [disk, claim("c", rwx("class"), { provider: other })]), [
            "c: spec.storageClassName",
        ]);
        const files = efsClass("class", {}, { provider: other });
        assert.deepEqual(found(shared, [disk, files, claim("c", rwx("class"), { provider: other })]), []);
        assert.deepEqual(found(shared, [disk, files, claim("c", rwx("class"), { provider: one })]), [
            "c: spec.accessModes",
        ]);
    });

    it("does not take S3 Files or other shared file systems for EFS, unless told so", () => {
        const s3 = efsClass("s3", { parameters: { provisioningMode: "s3files-ap" } });
        const fsx = storageClass("fsx", { provisioner: "fsx.csi.aws.com" });
        for (const [one, name, allowed] of [
            [s3, "s3", "s3files"],
            [fsx, "fsx", "fsx.csi.aws.com"],
        ] as const) {
            assert.deepEqual(found(shared, [one, claim("c", rwx(name))]), ["c: spec.accessModes"]);
            assert.deepEqual(found(shared, [one, claim("c", rwx(name))], { allowedSharedProvisioners: [allowed] }), []);
        }
    });

    it("finds shared raw block volumes on EBS too", () => {
        const block = claim("c", { ...rwx("disk"), volumeMode: "Block" });
        assert.deepEqual(found(shared, [ebs, block]), ["c: spec.accessModes"]);
    });
});

describe("rwx-only-on-efs: unknown and malformed", () => {
    it("leaves what something else fills in open", () => {
        for (const mode of ["${ACCESS_MODE:=ReadWriteOnce}", "{{ .Values.mode }}", "$(mode)"]) {
            const one = claim("c", { ...rwx("disk"), accessModes: [mode] });
            assert.deepEqual([found(shared, [ebs, one]), undecided(shared, [ebs, one])], [[], ["c: spec.accessModes"]]);
        }
        const none = claim("c", { ...rwx("disk"), accessModes: ["ReadWriteSometimes"] });
        assert.deepEqual(found(shared, [ebs, none]), ["c: spec.accessModes"]);
    });

    it("lists what cannot be read yet", () => {
        const unknownModes = { ...claim("c", {}), props: { spec: { accessModes: UNKNOWN, storageClassName: "disk" } } };
        assert.deepEqual(undecided(shared, [ebs, unknownModes]), ["c: spec.accessModes"]);
        assert.deepEqual(
            undecided(shared, [
                efs,
                { ...unknownModes, props: { spec: { accessModes: UNKNOWN, storageClassName: "files" } } },
            ]),
            [],
        );
        const deployment = { ...k8s("apps/v1", "Deployment", "d", {}), props: { spec: { template: UNKNOWN } } };
        assert.deepEqual(undecided(shared, [deployment]), ["d: spec.template"]);
        assert.deepEqual(
            undecided(shared, [{ ...helm("h", "airflow", {}), props: { chart: "airflow", values: UNKNOWN } }]),
            ["h: values"],
        );
        assert.deepEqual(undecided(shared, [helm("h", "x", {}, { valueYamlFiles: [UNKNOWN] })]), ["h: valueYamlFiles"]);
    });

    it("lists files and charts that preview cannot take apart", () => {
        const chart = resource("kubernetes:helm.sh/v4:Chart", "c", { chart: "x", values: { a: [{ b: UNKNOWN }] } });
        assert.deepEqual(undecided(shared, [chart]), ["c: values"]);
        assert.deepEqual(undecided(shared, [chart, claim("x", claimSpec("ReadWriteOnce"), { parent: chart.urn })]), []);
        const group = resource("kubernetes:yaml/v2:ConfigGroup", "g", { yaml: UNKNOWN });
        assert.deepEqual(undecided(shared, [group]), ["g: yaml"]);
        assert.deepEqual(
            undecided(shared, [resource("kubernetes:yaml/v2:ConfigGroup", "g", { files: ["a.yaml"] })]),
            [],
        );
    });

    it("finds what the API server would refuse", () => {
        for (const accessModes of [5, true, [5], ["Sometimes"], {}, [[]]]) {
            assert.deepEqual(
                found(shared, [ebs, claim("c", { accessModes, storageClassName: "disk" })]),
                ["c: spec.accessModes"],
                JSON.stringify(accessModes),
            );
        }
        assert.deepEqual(found(shared, [claim("c", "text" as unknown as object)]), ["c: spec"]);
    });

    it("does not fall over anything", () => {
        const odd = [
            null,
            undefined,
            0,
            "",
            "x",
            [],
            {},
            [null],
            { spec: null },
            { spec: [] },
            { spec: { template: 5, volumeClaimTemplates: "x", volumes: {} } },
            { items: 5 },
            { metadata: 5 },
        ];
        for (const kind of ["PersistentVolumeClaim", "PersistentVolume", "List", "Pod", "Service"]) {
            for (const props of odd) {
                assert.doesNotThrow(
                    () => found(shared, [resource(`kubernetes:core/v1:${kind}`, "x", props as object)]),
                    `${kind} ${JSON.stringify(props)}`,
                );
            }
        }
    });

    it("bears a value that is huge", () => {
        let deep: object = rwx("disk");
        for (let depth = 0; depth < 150; depth++) {
            deep = { [`k${depth}`]: deep };
        }
        const wide = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, { n: index }]));
        assert.equal(found(shared, [ebs, k8s("example.com/v1", "X", "x", { spec: { deep, wide } })]).length, 1);
    });
});

describe("the Airflow chart", () => {
    const settings = (values: unknown) =>
        found(known, [helm("a", "airflow", values)]).map((line) => line.replace("a: values.", ""));
    const workers = "workers.celery.persistence.storageClassName";
    it("makes volumes for workers, triggerer, Redis, and its own database by default", () => {
        assert.deepEqual(
            settings({}),
            [
                "postgresql.primary.persistence.storageClassName",
                "redis.persistence.storageClassName",
                "triggerer.persistence.storageClassName",
                workers,
            ].sort(),
        );
    });
    it("makes fewer when they are switched off", () => {
        const off = { persistence: { enabled: false } };
        assert.deepEqual(settings({ postgresql: { enabled: false }, redis: off, triggerer: off, workers: off }), []);
        assert.deepEqual(
            settings({ postgresql: { enabled: false }, redis: off, triggerer: off, workers: { celery: off } }),
            [],
        );
        assert.deepEqual(
            settings({
                postgresql: { enabled: false },
                redis: { enabled: false },
                executor: "KubernetesExecutor",
                triggerer: { enabled: false },
            }),
            [],
        );
        assert.deepEqual(
            settings({
                postgresql: { enabled: false },
                redis: off,
                logs: { persistence: { enabled: true, storageClassName: "x" } },
            }),
            ["logs.persistence.storageClassName"],
        );
    });
    it("takes the new section before the old one", () => {
        const chart = helm("a", "airflow", {
            workers: {
                persistence: { storageClassName: "disk" },
                celery: { persistence: { storageClassName: "files" } },
            },
            triggerer: { enabled: false },
            redis: { enabled: false },
            postgresql: { enabled: false },
        });
        assert.deepEqual(found(known, [ebs, chart]), ["a: values.workers.celery.persistence.storageClassName"]);
    });
    it("shares an existing claim for its logs", () => {
        const chart = helm("a", "airflow", { logs: { persistence: { enabled: true, existingClaim: "logs" } } });
        assert.deepEqual(found(shared, [ebs, claim("logs", claimSpec("ReadWriteOnce", "disk")), chart]), [
            "a: values.logs.persistence.enabled",
        ]);
        assert.deepEqual(found(shared, [efs, claim("logs", rwx("files")), chart]), []);
        assert.ok(found(known, [chart]).includes("a: values.logs.persistence.storageClassName"));
    });
    it("shares nothing that the community's chart does not", () => {
        const chart = (values: object) =>
            helm("a", "airflow", values, { repositoryOpts: { repo: "https://airflow-helm.github.io/charts" } });
        const section = (more: object) => ({ persistence: { enabled: true, storageClass: "disk", ...more } });
        assert.deepEqual(found(shared, [ebs, chart({ dags: section({}) })]), []);
        assert.deepEqual(found(shared, [ebs, chart({ dags: section({ accessMode: "ReadWriteMany" }) })]), [
            "a: values.dags.persistence.accessMode",
        ]);
        assert.deepEqual(found(shared, [ebs, chart({ logs: section({ enabled: false }) })]), []);
        assert.deepEqual(found(shared, [ebs, chart({ logs: section({ existingClaim: "other" }) })]), []);
        assert.deepEqual(found(known, [chart({})]), []);
    });
    it("is read by shape when it is another chart of the name", () => {
        const bitnami = helm(
            "a",
            "airflow",
            { dags: { persistence: { accessModes: ["ReadWriteMany"], storageClass: "disk" } } },
            { repositoryOpts: { repo: "https://charts.bitnami.com/bitnami" } },
        );
        assert.deepEqual(found(shared, [ebs, bitnami]), ["a: values.dags.persistence.accessModes"]);
        assert.deepEqual(found(known, [ebs, bitnami]), []);
    });
});

describe("rwo-single-writer", () => {
    const data = claim("data", claimSpec("ReadWriteOnce", "disk"));
    const mounts = (spec: object, kind = "Deployment", claimName: unknown = "data") =>
        k8s("apps/v1", kind, "w", {
            spec: {
                ...spec,
                template: { spec: { containers: [{}], volumes: [{ persistentVolumeClaim: { claimName } }] } },
            },
        });
    const place = "spec.template.spec.volumes[0].persistentVolumeClaim";
    it("finds several replicas on one disk", () => {
        assert.deepEqual(found(single, [ebs, data, mounts({ replicas: 2 })]), ["w: spec.replicas"]);
        assert.deepEqual(found(single, [ebs, data, mounts({ replicas: 2 }, "StatefulSet")]), ["w: spec.replicas"]);
        assert.deepEqual(found(single, [ebs, data, mounts({}, "DaemonSet")]), [`w: ${place}`]);
        const job = k8s("batch/v1", "Job", "w", {
            spec: {
                parallelism: 4,
                template: { spec: { containers: [{}], volumes: [{ persistentVolumeClaim: { claimName: "data" } }] } },
            },
        });
        assert.deepEqual(found(single, [ebs, data, job]), ["w: spec.parallelism"]);
    });
    it("finds what an autoscaler may make of it", () => {
        const scaler = (maxReplicas: number, name = "w") =>
            k8s("autoscaling/v2", "HorizontalPodAutoscaler", "h", {
                spec: { maxReplicas, scaleTargetRef: { kind: "Deployment", name } },
            });
        assert.deepEqual(found(single, [ebs, data, mounts({}), scaler(5)]), [`w: ${place}`]);
        assert.deepEqual(found(single, [ebs, data, mounts({}), scaler(1)]), []);
        assert.deepEqual(found(single, [ebs, data, mounts({}), scaler(5, "other")]), []);
        const keda = k8s("keda.sh/v1alpha1", "ScaledObject", "k", { spec: { scaleTargetRef: { name: "w" } } });
        assert.deepEqual(found(single, [ebs, data, mounts({}), keda]), [`w: ${place}`]);
    });
    it("passes one replica, EFS, ReadWriteMany, templates, and other claims", () => {
        assert.deepEqual(found(single, [ebs, data, mounts({ replicas: 1 })]), []);
        assert.deepEqual(found(single, [ebs, data, mounts({})]), []);
        assert.deepEqual(
            found(single, [efs, claim("data", claimSpec("ReadWriteOnce", "files")), mounts({ replicas: 3 })]),
            [],
        );
        assert.deepEqual(found(single, [efs, claim("data", rwx("files")), mounts({ replicas: 3 })]), []);
        assert.deepEqual(found(single, [ebs, data, mounts({ replicas: 3 }, "Deployment", "other")]), []);
        assert.deepEqual(
            found(single, [
                ebs,
                k8s("apps/v1", "StatefulSet", "s", {
                    spec: { replicas: 3, volumeClaimTemplates: [template(claimSpec("ReadWriteOnce", "disk"))] },
                }),
            ]),
            [],
        );
        const elsewhere = claim("data", claimSpec("ReadWriteOnce", "disk"), undefined, { namespace: "one" });
        const workload = mounts({ replicas: 3 });
        const other = { ...workload, props: { ...workload.props, metadata: { name: "w", namespace: "two" } } };
        assert.deepEqual(found(single, [ebs, elsewhere, other]), []);
    });
    it("leaves an unknown number of replicas open", () => {
        assert.deepEqual(
            undecided(single, [
                ebs,
                data,
                {
                    ...mounts({}),
                    props: { ...mounts({}).props, spec: { ...(mounts({}).props.spec as object), replicas: UNKNOWN } },
                },
            ]),
            ["w: spec.replicas"],
        );
    });
    it("finds DAGs that the Airflow chart shares on a disk", () => {
        assert.deepEqual(
            found(single, [
                ebs,
                helm("a", "airflow", { dags: { persistence: { enabled: true, storageClassName: "disk" } } }),
            ]),
            ["a: values.dags.persistence.accessMode"],
        );
    });
});
