import * as assert from "node:assert/strict";
import { checkEbsCsiStackArgs, EbsCsiStack, type EbsCsiStackArgs } from "../../../components/storage/ebsCsiStack";
import { checkEfsCsiDriverArgs, EfsCsiDriver, type EfsCsiDriverArgs } from "../../../components/storage/efsCsiDriver";
import { clusterInfo, type Loose, simulate } from "../mocks";
import { assertProblems } from "./problems";

const ZONES = ["eu-west-1a", "eu-west-1b"];
const KEY = "arn:aws:kms:eu-west-1:123456789012:key/abc";
const ADDON = "aws:eks/addon:Addon";
const CLASS = "kubernetes:storage.k8s.io/v1:StorageClass";
const newest = (version: string) => ({ "aws:eks/getAddonVersion:getAddonVersion": () => ({ version }) });

function efs(args: Partial<EfsCsiDriverArgs> = {}, version = "v3.4.2-eksbuild.1") {
    return simulate(
        () => {
            const driver = new EfsCsiDriver("driver", { cluster: clusterInfo, ...args });
            return { version: driver.version, roleArn: driver.roleArn };
        },
        { calls: newest(version) },
    );
}

function ebs(args: Partial<EbsCsiStackArgs> = {}, version = "v1.66.0-eksbuild.1") {
    return simulate(
        () => {
            const disks = new EbsCsiStack("disks", { cluster: clusterInfo, zones: ZONES, ...args });
            return { version: disks.version, classNames: disks.classNames, defaultClassName: disks.defaultClassName };
        },
        { calls: newest(version) },
    );
}

const configurationOf = (addon: { inputs: Loose }) => JSON.parse(addon.inputs.configurationValues);

describe("EfsCsiDriver", () => {
    it("installs the newest add-on for the cluster's version and keeps it in the state", async () => {
        const made = await efs();
        const { inputs, dependencies } = made.one(ADDON);
        assert.equal(inputs.addonName, "aws-efs-csi-driver");
        assert.equal(inputs.clusterName, "platform");
        assert.equal(inputs.addonVersion, "v3.4.2-eksbuild.1");
        assert.equal(inputs.resolveConflictsOnCreate, "OVERWRITE");
        assert.equal(inputs.resolveConflictsOnUpdate, "PRESERVE");
        assert.ok(dependencies.includes("driver-version"));
        const [call] = made.calls.filter(({ token }) => token.endsWith("getAddonVersion"));
        assert.deepEqual(call.inputs, {
            addonName: "aws-efs-csi-driver",
            kubernetesVersion: "1.36",
            mostRecent: true,
        });
        const kept = made.one("pulumi:index:Stash", "driver-version");
        assert.deepEqual(kept.ignoreChanges, ["input"]);
        assert.equal(kept.replacementTrigger, "1.36");
    });

    it("takes an exact version without asking AWS, and a date to ask anew", async () => {
        const pinned = await efs({ version: "v3.4.1-eksbuild.2" });
        assert.equal(pinned.one(ADDON).inputs.addonVersion, "v3.4.1-eksbuild.2");
        assert.equal(pinned.all("pulumi:index:Stash").length, 0);
        assert.equal(pinned.calls.filter(({ token }) => token.endsWith("getAddonVersion")).length, 0);
        const dated = await efs({ versionAsOf: "2026-11" });
        assert.equal(dated.one("pulumi:index:Stash").replacementTrigger, "1.36 as of 2026-11");
    });

    it("has one role for its two service accounts, by IRSA or Pod Identity, never both", async () => {
        const irsa = await efs();
        const trust = JSON.parse(irsa.one("aws:iam/role:Role").inputs.assumeRolePolicy).Statement[0];
        assert.deepEqual(trust.Condition.StringEquals["oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF:sub"], [
            "system:serviceaccount:kube-system:efs-csi-controller-sa",
            "system:serviceaccount:kube-system:efs-csi-node-sa",
        ]);
        assert.equal(irsa.one(ADDON).inputs.serviceAccountRoleArn, irsa.result.roleArn);
        assert.equal(
            irsa.one("aws:iam/rolePolicyAttachment:RolePolicyAttachment").inputs.policyArn,
            "arn:aws:iam::aws:policy/service-role/AmazonEFSCSIDriverPolicy",
        );
        const pods = await efs({ identity: "PodIdentity" });
        assert.equal(pods.one(ADDON).inputs.serviceAccountRoleArn, undefined);
        const associations = pods.all("aws:eks/podIdentityAssociation:PodIdentityAssociation");
        assert.equal(associations.length, 2);
        for (const { name } of associations) {
            assert.ok(pods.one(ADDON).dependencies.includes(name), "pods get credentials when they start, not later");
        }
    });

    it("runs its controller on system nodes and gives its nodes memory for heavy writing", async () => {
        const { controller, node } = configurationOf((await efs()).one(ADDON));
        assert.deepEqual(controller.nodeSelector, { "system-node": "enabled" });
        assert.equal(controller.replicaCount, 2);
        assert.equal(controller.deleteAccessPointRootDir, false);
        assert.equal(node.resources.limits.memory, "1Gi");
        const other = configurationOf(
            (
                await efs({
                    controllerNodeSelector: { pool: "base" },
                    controllerTolerations: [{ key: "base", operator: "Exists", effect: "NoSchedule" }],
                    controllerReplicas: 1,
                    nodeMemoryRequest: "256Mi",
                    nodeMemoryLimit: "2Gi",
                    accessPointTags: { team: "data" },
                })
            ).one(ADDON),
        );
        assert.deepEqual(other.controller.nodeSelector, { pool: "base" });
        assert.equal(other.controller.tolerations[0].key, "base");
        assert.deepEqual(other.controller.tags, { team: "data" });
        assert.deepEqual(other.node.resources, {
            requests: { cpu: "20m", memory: "256Mi" },
            limits: { memory: "2Gi" },
        });
    });

    it("may mount file systems itself when it deletes directories or reaches other accounts", async () => {
        const deleting = await efs({ deleteAccessPointRootDir: true });
        assert.equal(configurationOf(deleting.one(ADDON)).controller.resources.limits.cpu, "3");
        assert.ok(policies(deleting).includes("arn:aws:iam::aws:policy/AmazonElasticFileSystemClientFullAccess"));
        const roleArn = "arn:aws:iam::222222222222:role/efs";
        const across = await efs({ crossAccountRoleArns: { shared: roleArn } });
        const [statement] = JSON.parse(across.one("aws:iam/rolePolicy:RolePolicy").inputs.policy).Statement;
        assert.deepEqual([statement.Action, statement.Resource], ["sts:AssumeRole", [roleArn]]);
        assert.ok(policies(across).includes("arn:aws:iam::aws:policy/AmazonElasticFileSystemClientFullAccess"));
        assert.equal(policies(await efs()).length, 1);
    });

    it("leaves only after the volumes it serves: a gate on it waits for them", async () => {
        const made = await efs({ drainTimeoutSeconds: 600 });
        const gate = made.one("kubernetes:apps/v1:Deployment", "driver-gate");
        assert.ok(
            made.one("airflow-eks:index:DrainGate").dependencies.includes("driver") || gate.dependencies.length > 0,
        );
        const env = gate.inputs.spec.template.spec.containers[0].env;
        assert.ok(env.some(({ name, value }: Loose) => name === "DRIVER" && value === "efs.csi.aws.com"));
        assert.equal(gate.inputs.spec.template.spec.terminationGracePeriodSeconds, 630);
    });

    it("has gates that run where the controllers do, from an image that nodes can reach", async () => {
        const args = {
            controllerTolerations: [{ key: "base", operator: "Exists" }],
            gateImage: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/python:3.13",
        };
        for (const [made, name] of [
            [await efs(args), "driver-gate"],
            [await ebs(args), "disks-gate"],
        ] as const) {
            const pod = made.one("kubernetes:apps/v1:Deployment", name).inputs.spec.template.spec;
            assert.deepEqual(pod.tolerations, args.controllerTolerations);
            assert.equal(pod.containers[0].image, args.gateImage);
        }
        const usual = (await efs()).one("kubernetes:apps/v1:Deployment", "driver-gate").inputs.spec.template.spec;
        assert.deepEqual(usual.tolerations, [{ key: "CriticalAddonsOnly", operator: "Exists" }]);
    });

    it("makes nothing when the driver is there already", async () => {
        const made = await efs({ alreadyInstalled: true });
        assert.deepEqual(
            made.resources.map(({ type }) => type),
            ["airflow-eks:index:EfsCsiDriver"],
        );
        assert.deepEqual(made.result, { version: "", roleArn: "" });
    });

    it("refuses bad input, all at once", () => {
        assertProblems(
            checkEfsCsiDriverArgs({
                ...{ cluster: clusterInfo, version: "v1.3.6-eksbuild.1", conflictsOnCreate: "PRESERVE" },
                ...{ identity: "Keys", controllerReplicas: 0, nodeMemoryRequest: "2Gi", nodeMemoryLimit: "1 GB" },
                ...{ crossAccountRoleArns: { a: "role" }, drainTimeoutSeconds: 5, fsGroup: 1 },
                controllerNodeSelector: { "a b": "c" },
                controllerTolerations: [{ key: "x", effect: "Never" }],
                accessPointTags: { "team:data": "x", owner: "data team", "aws:x": "y", fine: "a:b" },
            } as unknown as EfsCsiDriverArgs),
            {
                version: /older than v1\.3\.8-eksbuild\.1: .*article 004/,
                conflictsOnCreate: /updates only/,
                identity: /one of Irsa, PodIdentity/,
                controllerReplicas: /1 to 10/,
                nodeMemoryLimit: /no amount of memory/,
                "crossAccountRoleArns.a": /ARN of a role/,
                drainTimeoutSeconds: /30 to 1800/,
                fsGroup: /no such setting/,
                "controllerNodeSelector.a b": /label key/,
                "controllerTolerations[0].effect": /one of NoSchedule/,
                "accessPointTags.team:data": /holds ":", a space/,
                "accessPointTags.owner": /"data team" holds a space/,
                "accessPointTags.aws:x": /reserved/,
            },
        );
        const check = (args: object) => checkEfsCsiDriverArgs({ cluster: clusterInfo, ...args });
        assertProblems(check({ version: "3.4.2" }), { version: /no version of an EKS add-on/ });
        assertProblems(check({ nodeMemoryRequest: "2Gi" }), { nodeMemoryRequest: /more than nodeMemoryLimit, 1Gi/ });
        assert.deepEqual(check({ version: "v1.3.8-eksbuild.1", conflictsOnUpdate: "NONE" }), []);
    });

    it("fails when the newest version is below the floor", async () => {
        await assert.rejects(efs({}, "v1.3.2-eksbuild.1"), /newest aws-efs-csi-driver .* v1\.3\.2/);
    });
});

describe("EbsCsiStack", () => {
    it("installs the add-on with the driver's new policy and the articles' settings", async () => {
        const made = await ebs();
        const { inputs } = made.one(ADDON);
        assert.equal(inputs.addonName, "aws-ebs-csi-driver");
        assert.equal(inputs.addonVersion, "v1.66.0-eksbuild.1");
        assert.equal(inputs.resolveConflictsOnCreate, "OVERWRITE");
        assert.equal(inputs.resolveConflictsOnUpdate, "PRESERVE");
        assert.deepEqual(policies(made), ["arn:aws:iam::aws:policy/service-role/AmazonEBSCSIDriverPolicyV2"]);
        const { controller, node, sidecars } = configurationOf(made.one(ADDON));
        assert.deepEqual(controller.nodeSelector, { "system-node": "enabled" });
        assert.deepEqual(node.resources, { requests: { cpu: "30m" } });
        assert.equal(node.reservedVolumeAttachments, undefined);
        assert.equal(sidecars, undefined);
        assert.equal(made.all("aws:iam/rolePolicy:RolePolicy").length, 0);
    });

    it("hands on every option of the driver", async () => {
        const made = await ebs({
            ...{
                conflictsOnCreate: "NONE",
                conflictsOnUpdate: "OVERWRITE",
                policy: "Cluster",
                identity: "PodIdentity",
            },
            ...{ controllerReplicas: 1, nodeCpuRequest: "50m", reservedAttachments: 3, snapshotter: true },
            ...{ volumeTags: { team: "data" }, controllerNodeSelector: { pool: "base" } },
            controllerTolerations: [{ operator: "Exists" }],
        });
        const { inputs } = made.one(ADDON);
        assert.equal(inputs.resolveConflictsOnCreate, "NONE");
        assert.equal(inputs.resolveConflictsOnUpdate, "OVERWRITE");
        assert.equal(inputs.serviceAccountRoleArn, undefined);
        assert.deepEqual(policies(made), ["arn:aws:iam::aws:policy/AmazonEBSCSIDriverEKSClusterScopedPolicy"]);
        assert.deepEqual(made.one("aws:iam/role:Role").inputs.tags, { "eks-cluster-name": "platform" });
        const { controller, node, sidecars } = configurationOf(made.one(ADDON));
        assert.deepEqual(controller.extraVolumeTags, { team: "data" });
        assert.deepEqual(controller.tolerations, [{ operator: "Exists" }]);
        assert.equal(controller.replicaCount, 1);
        assert.equal(node.reservedVolumeAttachments, 3);
        assert.equal(node.resources.requests.cpu, "50m");
        assert.equal(sidecars.snapshotter.forceEnable, true);
    });

    it("makes gp3 and standard by default, of which exactly one is the cluster's default", async () => {
        const made = await ebs();
        const gp3 = made.one(CLASS, "disks-gp3").inputs;
        assert.deepEqual(gp3.parameters, { type: "gp3", "csi.storage.k8s.io/fstype": "ext4", encrypted: "true" });
        assert.equal(gp3.provisioner, "ebs.csi.aws.com");
        assert.equal(gp3.volumeBindingMode, "WaitForFirstConsumer");
        assert.equal(gp3.allowVolumeExpansion, true);
        assert.equal(gp3.reclaimPolicy, "Delete");
        assert.equal(gp3.allowedTopologies, undefined);
        const standard = made.one(CLASS, "disks-standard").inputs;
        assert.deepEqual(standard.parameters, {
            type: "io2",
            "csi.storage.k8s.io/fstype": "xfs",
            encrypted: "true",
            iopsPerGB: "50",
        });
        assert.deepEqual(standard.allowedTopologies, [
            { matchLabelExpressions: [{ key: "topology.kubernetes.io/zone", values: ZONES }] },
        ]);
        assert.deepEqual(defaults(made.all(CLASS)), ["gp3"]);
        assert.equal(made.result.defaultClassName, "gp3");
        assert.deepEqual(made.result.classNames, { gp3: "gp3", standard: "standard" });
        assert.deepEqual(defaults((await ebs({ defaultClass: "standard" })).all(CLASS)), ["standard"]);
    });

    it("hands on every option of a class", async () => {
        const made = await ebs({
            kmsKeyArn: KEY,
            classes: {
                gp3: {
                    iops: 8000,
                    throughput: 2000,
                    fsType: "xfs",
                    mountOptions: ["noatime"],
                    reclaimPolicy: "Retain",
                },
                io1: { type: "io1", iopsPerGb: 50, allowAutoIopsPerGbIncrease: true, kmsKeyArn: `${KEY}2` },
                tagged: { tags: { claim: "{{ .PVCName }}", team: "data" }, zones: ["eu-west-1b"] },
            },
        });
        const gp3 = made.one(CLASS, "disks-gp3").inputs;
        assert.deepEqual(gp3.parameters, {
            ...{ type: "gp3", "csi.storage.k8s.io/fstype": "xfs", encrypted: "true", kmsKeyId: KEY },
            ...{ iops: "8000", throughput: "2000" },
        });
        assert.deepEqual(gp3.mountOptions, ["noatime"]);
        assert.equal(gp3.reclaimPolicy, "Retain");
        const io1 = made.one(CLASS, "disks-io1").inputs.parameters;
        assert.equal(io1.allowAutoIOPSPerGBIncrease, "true");
        assert.equal(io1.kmsKeyId, `${KEY}2`);
        const tagged = made.one(CLASS, "disks-tagged").inputs;
        assert.equal(tagged.parameters.tagSpecification_1, "claim={{ .PVCName }}");
        assert.equal(tagged.parameters.tagSpecification_2, "team=data");
        assert.deepEqual(tagged.allowedTopologies[0].matchLabelExpressions[0].values, ["eu-west-1b"]);
    });

    it("may use the keys of its classes, and lend them to EBS only", async () => {
        const made = await ebs({ kmsKeyArn: KEY, classes: { gp3: {}, other: { kmsKeyArn: `${KEY}2` } } });
        const [use, lend] = JSON.parse(made.one("aws:iam/rolePolicy:RolePolicy").inputs.policy).Statement;
        assert.deepEqual(use.Resource, [KEY, `${KEY}2`]);
        assert.ok(use.Action.includes("kms:GenerateDataKeyWithoutPlaintext"));
        assert.equal(lend.Action, "kms:CreateGrant");
        assert.deepEqual(lend.Resource, [KEY, `${KEY}2`]);
        assert.deepEqual(lend.Condition, { Bool: { "kms:GrantIsForAWSResource": "true" } });
    });

    it("demotes default classes of others once its own is there", async () => {
        const made = await ebs({ demotedClasses: ["gp2"] });
        const patch = made.one("kubernetes:storage.k8s.io/v1:StorageClassPatch");
        assert.equal(patch.inputs.metadata.name, "gp2");
        assert.equal(patch.inputs.metadata.annotations["storageclass.kubernetes.io/is-default-class"], "false");
        assert.ok(patch.dependencies.includes("disks-gp3"));
        assert.equal((await ebs()).all("kubernetes:storage.k8s.io/v1:StorageClassPatch").length, 0);
    });

    it("replaces classes by deleting first, and removes them before the gate and the driver", async () => {
        const made = await ebs();
        for (const { deleteBeforeReplace, dependencies } of made.all(CLASS)) {
            assert.ok(deleteBeforeReplace);
            assert.ok(dependencies.includes("disks-gate"));
        }
    });

    it("fails when a class names a zone without nodes", async () => {
        const cluster = { ...clusterInfo, nodeSubnetIds: { "eu-west-1a": "subnet-a" } };
        await assert.rejects(
            simulate(() => void new EbsCsiStack("disks", { cluster, zones: ZONES })),
            /class "standard" allows volumes in eu-west-1b, where no node of cluster platform can run/,
        );
    });

    describe("bad input", () => {
        const check = (args: object) =>
            checkEbsCsiStackArgs({ cluster: clusterInfo, zones: ZONES, ...args } as EbsCsiStackArgs);

        it("is found all at once, each with its path", () => {
            assertProblems(
                check({
                    zones: ["eu-west-1a", "eu-west-1b", "eu-west-1"],
                    version: "latest",
                    defaultClass: "gp2",
                    demotedClasses: ["gp2", "gp2", "gp3", "GP2"],
                    volumeTags: { "kubernetes.io/x": "y", owner: "data,ops", "": "x", long: "x".repeat(257) },
                    kmsKeyArn: "key",
                    policy: "All",
                    nodeCpuRequest: "much",
                    reservedAttachments: 0,
                    encrypted: false,
                    classes: {
                        UPPER: {},
                        gp3: {
                            iops: 90000,
                            throughput: 3000,
                            encrypted: "false",
                            zones: ["eu-west-1c"],
                            isDefault: true,
                        },
                        fast: { throughput: 1000 },
                        both: { iops: 4000, iopsPerGb: 10 },
                        auto: { allowAutoIopsPerGbIncrease: true },
                        io1: { type: "io1" },
                        io2: { type: "io2", iopsPerGb: 5000, throughput: 500 },
                        old: { type: "gp2", iops: 3000 },
                        odd: {
                            type: "gp4",
                            fsType: "zfs",
                            bindingMode: "Immediate",
                            provisioner: "kubernetes.io/aws-ebs",
                        },
                        none: { zones: [], tags: { "aws:x": "y" }, fsTypo: "xfs", iops: "3000" },
                    },
                }),
                {
                    "zones[2]": /full name/,
                    version: /no version/,
                    defaultClass: /not one of the classes/,
                    "demotedClasses[1]": /twice/,
                    "demotedClasses[2]": /made by this component/,
                    "demotedClasses[3]": /no name of a StorageClass/,
                    "volumeTags.kubernetes.io/x": /reserved/,
                    "volumeTags.owner": /holds ","/,
                    "volumeTags.": /1 to 128 characters/,
                    "volumeTags.long": /256 characters/,
                    kmsKeyArn: /ARN of a key/,
                    policy: /one of Account, Cluster/,
                    nodeCpuRequest: /share of a processor/,
                    reservedAttachments: /1 to 100/,
                    encrypted: /always encrypted/,
                    "classes.UPPER": /no name/,
                    "classes.gp3.iops": /3000 to 80000, the limits of gp3/,
                    "classes.gp3.throughput": /125 to 2000 MiB/,
                    "classes.gp3.encrypted": /always encrypted/,
                    "classes.gp3.zones[0]": /not one of the zones/,
                    "classes.gp3.isDefault": /defaultClass/,
                    "classes.fast.throughput": /needs 4000 iops/,
                    "classes.both.iopsPerGb": /leave out one/,
                    "classes.auto.allowAutoIopsPerGbIncrease": /without iopsPerGb/,
                    "classes.io1.iops": /need iops or iopsPerGb/,
                    "classes.io2.iopsPerGb": /1 to 1000/,
                    "classes.io2.throughput": /take no throughput/,
                    "classes.old.iops": /take no iops/,
                    "classes.odd.type": /one of gp3/,
                    "classes.odd.fsType": /one of ext4, xfs/,
                    "classes.odd.bindingMode": /WaitForFirstConsumer/,
                    "classes.odd.provisioner": /in-tree/,
                    "classes.none.zones": /no zone/,
                    "classes.none.tags.aws:x": /reserved/,
                    "classes.none.fsTypo": /no such setting/,
                    "classes.none.iops": /"3000" is not a whole number/,
                },
            );
        });

        it("includes a policy that the version cannot serve", () => {
            assertProblems(check({ policy: "Cluster", version: "v1.57.0-eksbuild.1" }), { version: /1\.58/ });
            assert.deepEqual(check({ policy: "Cluster", version: "v1.58.0-eksbuild.1" }), []);
        });

        it("does not include what works", () => {
            assert.deepEqual(check({}), []);
            assert.deepEqual(check({ classes: { gp3: { iops: 80000, throughput: 2000 } } }), []);
        });
    });
});

function policies(made: Awaited<ReturnType<typeof efs | typeof ebs>>): string[] {
    return made.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment").map(({ inputs }) => inputs.policyArn);
}

function defaults(classes: { inputs: Loose }[]): string[] {
    return classes
        .filter(({ inputs }) => inputs.metadata.annotations["storageclass.kubernetes.io/is-default-class"] === "true")
        .map(({ inputs }) => inputs.metadata.name);
}
