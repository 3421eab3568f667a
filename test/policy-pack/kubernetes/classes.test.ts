import assert from "node:assert/strict";
import { rule as encrypted } from "../../../policy-pack/rules/ebsStorageClassEncrypted";
import { rule as topology } from "../../../policy-pack/rules/ebsTopologyInCluster";
import { rule as waits } from "../../../policy-pack/rules/ebsWaitForFirstConsumer";
import { rule as inTree } from "../../../policy-pack/rules/noInTreeEbs";
import { rule as parameters } from "../../../policy-pack/rules/storageParametersKnown";
import { UNKNOWN } from "../../../policy-pack/plain";
import {
    claim,
    claimSpec,
    ebsClass,
    efsClass,
    found,
    helm,
    judge,
    k8s,
    resource,
    storageClass,
    undecided,
    volume,
} from "./build";

const addon = (configurationValues: unknown, addonName = "aws-ebs-csi-driver") =>
    resource("aws:eks/addon:Addon", "addon", { addonName, configurationValues });
const list = (kind: string, items: object[]) => resource(`kubernetes:core/v1:${kind}`, "list", { kind, items });

describe("ebs-storage-class-encrypted", () => {
    for (const [what, body, expected] of [
        ["encrypted", {}, []],
        ["missing parameters", { parameters: undefined }, ["parameters.encrypted"]],
        ["null parameters", { parameters: null }, ["parameters.encrypted"]],
        ["empty parameters", { parameters: {} }, ["parameters.encrypted"]],
        ["false", { parameters: { encrypted: "false" } }, ["parameters.encrypted"]],
        ["True", { parameters: { encrypted: "True" } }, ["parameters.encrypted"]],
        ["TRUE", { parameters: { encrypted: "TRUE" } }, ["parameters.encrypted"]],
        ["yes", { parameters: { encrypted: "yes" } }, ["parameters.encrypted"]],
        ["1", { parameters: { encrypted: "1" } }, ["parameters.encrypted"]],
        ["a space", { parameters: { encrypted: " true" } }, ["parameters.encrypted"]],
        ["a boolean", { parameters: { encrypted: true } }, ["parameters.encrypted"]],
        ["another case of the key", { parameters: { ENCRYPTED: "true" } }, []],
        [
            "two cases of the key that disagree",
            { parameters: { encrypted: "true", Encrypted: "false" } },
            ["parameters.Encrypted"],
        ],
        ["a key alone", { parameters: { kmsKeyId: "arn:aws:kms:eu-west-1:1:key/1" } }, []],
        ["an empty key", { parameters: { kmsKeyId: "" } }, ["parameters.encrypted"]],
        ["a list for parameters", { parameters: ["encrypted"] }, ["parameters"]],
        ["a text for parameters", { parameters: "encrypted=true" }, ["parameters"]],
        ["encryption in transit", { parameters: { encryptInTransit: "true" } }, ["parameters.encrypted"]],
    ] as const) {
        it(`${expected.length === 0 ? "passes" : "fails"}: ${what}`, () => {
            assert.deepEqual(
                found(encrypted, [ebsClass("gp3", body)]),
                expected.map((property) => `gp3: ${property}`),
            );
        });
    }

    it("judges all three provisioners of EBS, and no other", () => {
        const judged = (provisioner: string) => found(encrypted, [storageClass("c", { provisioner })]).length;
        assert.deepEqual(
            ["ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com", "kubernetes.io/aws-ebs"].map(judged),
            [1, 1, 1],
        );
        const others = [
            "efs.csi.aws.com",
            "fsx.csi.aws.com",
            "kubernetes.io/no-provisioner",
            "kubernetes.io/gce-pd",
            "driver.longhorn.io",
            "rancher.io/local-path",
        ];
        assert.deepEqual(others.map(judged), [0, 0, 0, 0, 0, 0]);
    });

    it("leaves unknown values to up", () => {
        for (const body of [
            { parameters: UNKNOWN },
            { parameters: { encrypted: UNKNOWN } },
            { parameters: { kmsKeyId: UNKNOWN } },
        ]) {
            assert.deepEqual(
                found(encrypted, [
                    resource("kubernetes:storage.k8s.io/v1:StorageClass", "c", {
                        provisioner: "ebs.csi.aws.com",
                        ...body,
                    }),
                ]),
                [],
            );
        }
        const open = [ebsClass("c")].map((one) => ({
            ...one,
            props: { ...one.props, parameters: { encrypted: UNKNOWN } },
        }));
        assert.deepEqual(undecided(encrypted, open), ["c: parameters.encrypted"]);
        const keyed = [ebsClass("c")].map((one) => ({
            ...one,
            props: { ...one.props, parameters: { encrypted: "true", kmsKeyId: UNKNOWN } },
        }));
        assert.deepEqual(undecided(encrypted, keyed), []);
    });

    it("says that it cannot tell what an unknown provisioner makes", () => {
        const open = resource("kubernetes:storage.k8s.io/v1:StorageClass", "c", { provisioner: UNKNOWN });
        assert.deepEqual([found(encrypted, [open]), undecided(encrypted, [open])], [[], ["c: provisioner"]]);
    });

    it("asks to say what a key implies", () => {
        const { advice, findings } = judge(encrypted, [
            ebsClass("c", { parameters: { encrypted: "false", kmsKeyId: "arn:aws:kms:eu-west-1:1:key/1" } }),
        ]);
        assert.deepEqual([findings.length, advice?.length], [0, 1]);
    });

    it("can require a key of one's own", () => {
        const config = { requireCustomerKey: true };
        assert.deepEqual(found(encrypted, [ebsClass("c")], config), ["c: parameters.kmsKeyId"]);
        assert.deepEqual(
            found(
                encrypted,
                [ebsClass("c", { parameters: { encrypted: "true", kmsKeyId: "arn:aws:kms:eu-west-1:1:key/1" } })],
                config,
            ),
            [],
        );
    });

    it("finds classes of old API versions, in lists, and in lists of lists", () => {
        const plain = {
            apiVersion: "storage.k8s.io/v1beta1",
            kind: "StorageClass",
            metadata: { name: "x" },
            provisioner: "ebs.csi.aws.com",
        };
        assert.equal(found(encrypted, [k8s("storage.k8s.io/v1beta1", "StorageClass", "x", plain)]).length, 1);
        assert.deepEqual(found(encrypted, [list("List", [plain])]), ["list: items[0].parameters.encrypted"]);
        assert.deepEqual(found(encrypted, [list("List", [{ apiVersion: "v1", kind: "List", items: [plain] }])]), [
            "list: items[0].items[0].parameters.encrypted",
        ]);
        const untyped = { metadata: { name: "x" }, provisioner: "ebs.csi.aws.com" };
        assert.equal(
            found(encrypted, [resource("kubernetes:storage.k8s.io/v1:StorageClassList", "l", { items: [untyped] })])
                .length,
            1,
        );
    });

    it("finds the classes that the EBS CSI add-on makes", () => {
        const values = {
            storageClasses: [{ name: "a", parameters: { type: "gp3" } }],
            defaultStorageClass: { enabled: true },
        };
        const expected = [
            "addon: configurationValues.defaultStorageClass.encrypted",
            "addon: configurationValues.storageClasses[0].parameters.encrypted",
        ];
        assert.deepEqual(found(encrypted, [addon(JSON.stringify(values))]), expected);
        assert.deepEqual(found(encrypted, [addon("defaultStorageClass:\n  enabled: true\n")]), [expected[0]]);
        assert.deepEqual(found(encrypted, [addon(JSON.stringify({ defaultStorageClass: { enabled: false } }))]), []);
        assert.deepEqual(found(encrypted, [addon(JSON.stringify(values), "coredns")]), []);
        assert.deepEqual(found(encrypted, [helm("ebs", "aws-ebs-csi-driver", values)]).length, 2);
    });

    it("judges of a patch only what it says", () => {
        const patch = (body: object) =>
            resource("kubernetes:storage.k8s.io/v1:StorageClassPatch", "p", { metadata: { name: "gp2" }, ...body });
        assert.deepEqual(found(encrypted, [patch({})]), []);
        assert.deepEqual(
            found(encrypted, [patch({ provisioner: "ebs.csi.aws.com", parameters: { encrypted: "false" } })]),
            ["p: parameters.encrypted"],
        );
        assert.deepEqual(found(waits, [patch({ provisioner: "ebs.csi.aws.com" })]), []);
    });

    it("mends a class, and leaves others alone", () => {
        const edits = (body: object) => encrypted.remediate!(ebsClass("c", body), {});
        assert.deepEqual(edits({ parameters: undefined }), [{ path: ["parameters", "encrypted"], value: "true" }]);
        assert.deepEqual(edits({ parameters: { Encrypted: "false" } }), [
            { path: ["parameters", "Encrypted"], value: "true" },
        ]);
        assert.deepEqual(edits({}), []);
        assert.deepEqual(encrypted.remediate!(efsClass("c"), {}), []);
    });
});

describe("ebs-wait-for-first-consumer", () => {
    for (const [mode, expected] of [
        ["WaitForFirstConsumer", 0],
        ["Immediate", 1],
        [undefined, 1],
        [null, 1],
        ["waitForFirstConsumer", 1],
        [true, 1],
    ] as const) {
        it(`${expected ? "fails" : "passes"}: ${String(mode)}`, () => {
            assert.equal(found(waits, [ebsClass("c", { volumeBindingMode: mode })]).length, expected);
        });
    }

    it("does not mind EFS, whose volumes have no zone", () => {
        assert.deepEqual(found(waits, [efsClass("c")]), []);
    });

    it("knows what the driver's own chart puts in", () => {
        const values = { storageClasses: [{ name: "a" }, { name: "b", volumeBindingMode: "Immediate" }] };
        assert.deepEqual(found(waits, [addon(JSON.stringify(values))]), [
            "addon: configurationValues.storageClasses[1].volumeBindingMode",
        ]);
    });
});

describe("no-in-tree-ebs", () => {
    const mount = { name: "d", awsElasticBlockStore: { volumeID: "vol-1" } };
    const pod = { containers: [{ name: "c", image: "i" }], volumes: [mount] };
    for (const [what, one, path] of [
        ["a pod", k8s("v1", "Pod", "w", { spec: pod }), "spec.volumes[0].awsElasticBlockStore"],
        [
            "a Deployment",
            k8s("apps/v1", "Deployment", "w", { spec: { template: { spec: pod } } }),
            "spec.template.spec.volumes[0].awsElasticBlockStore",
        ],
        [
            "an old Deployment",
            k8s("extensions/v1beta1", "Deployment", "w", { spec: { template: { spec: pod } } }),
            "spec.template.spec.volumes[0].awsElasticBlockStore",
        ],
        [
            "a DaemonSet",
            k8s("apps/v1", "DaemonSet", "w", { spec: { template: { spec: pod } } }),
            "spec.template.spec.volumes[0].awsElasticBlockStore",
        ],
        [
            "a CronJob",
            k8s("batch/v1beta1", "CronJob", "w", { spec: { jobTemplate: { spec: { template: { spec: pod } } } } }),
            "spec.jobTemplate.spec.template.spec.volumes[0].awsElasticBlockStore",
        ],
        [
            "a Rollout",
            k8s("argoproj.io/v1alpha1", "Rollout", "w", { spec: { template: { spec: pod } } }),
            "spec.template.spec.volumes[0].awsElasticBlockStore",
        ],
        ["a volume", volume("w", { awsElasticBlockStore: { volumeID: "vol-1" } }), "spec.awsElasticBlockStore"],
        ["a class", storageClass("w", { provisioner: "kubernetes.io/aws-ebs" }), "provisioner"],
        [
            "values of a chart",
            helm("w", "jenkins", { controller: { volumes: [mount] } }),
            "values.controller.volumes[0].awsElasticBlockStore",
        ],
        [
            "the Airflow chart's extra volumes",
            helm("w", "airflow", { workers: { extraVolumes: [mount] } }),
            "values.workers.extraVolumes[0].awsElasticBlockStore",
        ],
        [
            "a chart's class",
            helm("w", "x", { storageClass: { create: true, provisioner: "kubernetes.io/aws-ebs" } }),
            "values.storageClass.provisioner",
        ],
        [
            "a chart's class with keys of its own",
            helm("w", "x", { disk: { provisioner: "kubernetes.io/aws-ebs", provisionerOptions: { type: "gp2" } } }),
            "values.disk.provisioner",
        ],
    ] as const) {
        it(`finds it in ${what}`, () => {
            assert.deepEqual(found(inTree, [one]), [`w: ${path}`]);
        });
    }

    it("passes other built-in provisioners, and the CSI driver", () => {
        assert.deepEqual(
            found(inTree, [
                ebsClass("a"),
                storageClass("b", { provisioner: "kubernetes.io/no-provisioner" }),
                storageClass("c", { provisioner: "kubernetes.io/gce-pd" }),
            ]),
            [],
        );
    });

    it("finds claims on a class that the configuration says is old", () => {
        const config = { storageClasses: { gp2: "kubernetes.io/aws-ebs" } };
        assert.deepEqual(found(inTree, [claim("c", claimSpec("ReadWriteOnce", "gp2"))], config), [
            "c: spec.storageClassName",
        ]);
        assert.deepEqual(
            found(inTree, [claim("c", claimSpec("ReadWriteOnce"))], { ...config, defaultStorageClass: "gp2" }),
            ["c: spec.storageClassName"],
        );
    });

    it("does not take the schema of a custom resource for a volume", () => {
        const schema = { properties: { awsElasticBlockStore: { type: "object" }, accessModes: { type: "array" } } };
        const crd = k8s("apiextensions.k8s.io/v1", "CustomResourceDefinition", "crd", {
            spec: { versions: [{ schema: { openAPIV3Schema: schema } }] },
        });
        assert.deepEqual(found(inTree, [crd]), []);
    });
});

describe("ebs-topology-in-cluster", () => {
    const allowed = (zones: unknown, key = "topology.kubernetes.io/zone") => ({
        allowedTopologies: [{ matchLabelExpressions: [{ key, values: zones }] }],
    });
    const subnet = (zone: string) =>
        resource("aws:ec2/subnet:Subnet", `subnet-${zone}`, {
            id: `subnet-${zone}`,
            availabilityZone: zone,
            availabilityZoneId: `id-${zone}`,
        });
    const group = (...zones: string[]) =>
        resource("aws:eks/nodeGroup:NodeGroup", "nodes", { subnetIds: zones.map((zone) => `subnet-${zone}`) });
    const cluster = [subnet("a"), subnet("b"), group("a", "b")];

    it("passes zones with nodes, and finds each without", () => {
        assert.deepEqual(found(topology, [...cluster, ebsClass("c", allowed(["a", "b"]))]), []);
        assert.deepEqual(found(topology, [...cluster, ebsClass("c", allowed(["a", "z"]))]), [
            "c: allowedTopologies[0].matchLabelExpressions[0].values[1]",
        ]);
        assert.deepEqual(
            found(topology, [...cluster, ebsClass("c", allowed(["z"], "topology.ebs.csi.aws.com/zone"))]).length,
            1,
        );
        assert.deepEqual(
            found(topology, [...cluster, ebsClass("c", allowed(["id-a"], "topology.k8s.aws/zone-id"))]),
            [],
        );
        assert.deepEqual(
            found(topology, [...cluster, ebsClass("c", allowed(["id-z"], "topology.k8s.aws/zone-id"))]).length,
            1,
        );
    });

    it("knows zones by dependency while subnets have no id yet", () => {
        const open = {
            ...group(),
            props: { subnetIds: [UNKNOWN] },
            propertyDependencies: { subnetIds: [subnet("a").urn] },
        };
        const first = { ...subnet("a"), props: { availabilityZone: "a" } };
        assert.deepEqual(found(topology, [first, open, ebsClass("c", allowed(["a"]))]), []);
        assert.deepEqual(found(topology, [first, open, ebsClass("c", allowed(["b"]))]).length, 1);
    });

    it("does not guess where nodes may come from elsewhere", () => {
        const karpenter = k8s("karpenter.sh/v1", "NodePool", "pool", { spec: {} });
        for (const others of [[], [karpenter, ...cluster], [group("a", "x"), subnet("a")]]) {
            assert.deepEqual(found(topology, [...others, ebsClass("c", allowed(["z"]))]), []);
            assert.equal(undecided(topology, [...others, ebsClass("c", allowed(["z"]))]).length, 1);
        }
    });

    it("takes zones from configuration", () => {
        assert.deepEqual(found(topology, [...cluster, ebsClass("c", allowed(["z"]))], { zones: ["z"] }), []);
    });

    it("judges the zones of volumes, of which one with nodes is enough", () => {
        const zone = (values: unknown, key = "topology.kubernetes.io/zone") => ({
            matchExpressions: [{ key, operator: "In", values }],
        });
        const disk = (...nodeSelectorTerms: object[]) =>
            volume("v", {
                csi: { driver: "ebs.csi.aws.com", volumeHandle: "vol-1" },
                nodeAffinity: { required: { nodeSelectorTerms } },
            });
        const place = ["v: spec.nodeAffinity"];
        const hostname = zone(["node-1"], "kubernetes.io/hostname");
        assert.deepEqual(found(topology, [...cluster, disk(zone(["a"]))]), []);
        assert.deepEqual(found(topology, [...cluster, disk(zone(["z"]))]), place);
        assert.deepEqual(found(topology, [...cluster, disk(zone(["z"], "topology.ebs.csi.aws.com/zone"))]), place);
        assert.deepEqual(found(topology, [...cluster, disk(zone(["z", "a"]))]), []);
        assert.deepEqual(found(topology, [...cluster, disk(zone(["z"]), zone(["b"]))]), []);
        assert.deepEqual(found(topology, [...cluster, disk(zone(["z"]), hostname)]), []);
        assert.deepEqual(undecided(topology, [...cluster, disk(zone([UNKNOWN]))]), place);
        assert.deepEqual(undecided(topology, [disk(zone(["z"]))]), place);
        assert.deepEqual(found(topology, [...cluster, volume("v", { hostPath: {}, nodeAffinity: {} })]), []);
        const old = { awsElasticBlockStore: { volumeID: "vol-1" } };
        const terms = { required: { nodeSelectorTerms: [zone(["z"])] } };
        assert.deepEqual(found(topology, [...cluster, volume("v", { ...old, nodeAffinity: terms })]), place);
        const files = { csi: { driver: "efs.csi.aws.com", volumeHandle: "fs-1" }, nodeAffinity: terms };
        assert.deepEqual(found(topology, [...cluster, volume("v", files)]), []);
    });

    it("judges the parameters of the built-in driver", () => {
        const old = (zones: string) =>
            storageClass("c", { provisioner: "kubernetes.io/aws-ebs", parameters: { zones } });
        assert.deepEqual(found(topology, [...cluster, old("a, b")]), []);
        assert.deepEqual(found(topology, [...cluster, old("a, z")]), ["c: parameters.zones"]);
    });
});

describe("storage-parameters-known", () => {
    const of = (given: object) =>
        found(parameters, [ebsClass("c", { parameters: { encrypted: "true", ...given } })]).map((line) =>
            line.slice(3),
        );
    const ofEfs = (given: object) => {
        const whole = { provisioningMode: "efs-ap", fileSystemId: "fs-1", directoryPerms: "700", ...given };
        return found(parameters, [efsClass("c", { parameters: whole })]).map((line) => line.slice(3));
    };
    it("passes what the drivers document", () => {
        assert.deepEqual(
            of({
                type: "gp3",
                iops: "4000",
                throughput: "250",
                "csi.storage.k8s.io/fstype": "xfs",
                tagSpecification_1: "a=b",
                kmsKeyId: "arn",
            }),
            [],
        );
        assert.deepEqual(of({ TYPE: "io2", iopsPerGB: "50", fsType: "ext4" }), []);
        assert.deepEqual(
            ofEfs({
                gidRangeStart: "1000",
                gidRangeEnd: "2000",
                basePath: "/airflow",
                uid: "50000",
                gid: "0",
                "csi.storage.k8s.io/provisioner-secret-name": "x",
            }),
            [],
        );
        assert.deepEqual(found(parameters, [efsClass("c", { parameters: undefined })]), []);
    });
    it("finds misspelt names and plain mistakes", () => {
        assert.deepEqual(of({ througput: "250" }), ["parameters.througput"]);
        assert.deepEqual(of({ type: "gp4" }), ["parameters.type"]);
        assert.deepEqual(of({ iops: "3000", iopsPerGB: "3" }), ["parameters.iopsPerGB"]);
        assert.deepEqual(of({ type: "gp2", throughput: "250" }), ["parameters.throughput"]);
        assert.deepEqual(of({ type: "io2" }), ["parameters.type"]);
        assert.deepEqual(of({ iops: 3000 }), ["parameters.iops"]);
        assert.deepEqual(of({ type: "io2", iops: "100", blockExpress: "true" }), ["parameters.blockExpress"]);
        assert.deepEqual(ofEfs({ directoryperms: "700" }), ["parameters.directoryperms"]);
        assert.deepEqual(ofEfs({ directoryPerms: "rwx" }), ["parameters.directoryPerms"]);
        assert.deepEqual(ofEfs({ gidRangeStart: "1" }), ["parameters.gidRangeEnd"]);
        assert.deepEqual(ofEfs({ provisioningMode: "efs-dir" }), ["parameters.provisioningMode"]);
        assert.deepEqual(ofEfs({ fileSystemId: undefined }), ["parameters.fileSystemId"]);
    });
    it("has nothing to say of other drivers", () => {
        assert.deepEqual(
            found(parameters, [
                storageClass("c", { provisioner: "driver.longhorn.io", parameters: { numberOfReplicas: "3" } }),
            ]),
            [],
        );
    });
});
