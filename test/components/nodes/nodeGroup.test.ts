import assert from "node:assert/strict";
import type * as pulumi from "@pulumi/pulumi";
import type { NodeGroupArgs } from "../../../components/nodes/nodeGroup";
import { CapacityType, NodeGroup, checkNodeGroupArgs } from "../../../components/nodes/nodeGroup";
import { TaintEffect } from "../../../components/nodes/nodeTaint";
import { Architecture } from "../../../components/nodes/nodeTypes";
import { LocalStorage } from "../../../components/nodes/nodeUserData";
import type { Loose } from "../mocks";
import { clusterInfo, simulate } from "../mocks";
import { instanceTypeCalls } from "./fakeTypes";

const zones = ["eu-west-1a", "eu-west-1b"];
const minimal: NodeGroupArgs = {
    cluster: clusterInfo,
    zones,
    instanceTypes: ["c5.large"],
    scaling: { min: 2, max: 3 },
};
const outputs = {
    "aws:eks/nodeGroup:NodeGroup": (_: Loose, name: string) => ({
        nodeGroupName: `${name}-1234567`,
        resources: [{ autoscalingGroups: [{ name: `eks-${name}` }] }],
    }),
};
type Differing = Partial<{ [Key in keyof NodeGroupArgs]: Loose }>;

async function made(args: Differing = {}, calls: Record<string, (inputs: Loose) => Loose> = {}) {
    return simulate(
        () => {
            const group = new NodeGroup("workers", { ...minimal, ...args });
            return {
                groupNames: group.groupNames,
                autoScalingGroupNames: group.autoScalingGroupNames,
                nodeRoleArn: group.nodeRoleArn,
                labels: group.labels,
            };
        },
        { calls: { ...instanceTypeCalls, ...calls }, outputs },
    );
}

function paths(args: Differing): string[] {
    return checkNodeGroupArgs({ ...minimal, ...args } as NodeGroupArgs).map(({ path }) => path);
}

function userDataOf(template: Loose): Loose {
    const mime = Buffer.from(template.inputs.userData, "base64").toString();
    const [, body] = /Content-Type: application\/node.eks.aws\n\n([^]*?)\n--/.exec(mime) ?? [];
    return JSON.parse(body);
}

describe("NodeGroup", () => {
    it("makes a managed group with encrypted disks and metadata for nodes only", async () => {
        const s = await made();
        const template = s.one("aws:ec2/launchTemplate:LaunchTemplate").inputs;
        assert.deepEqual(template.blockDeviceMappings, [
            {
                deviceName: "/dev/xvda",
                ebs: { volumeSize: 50, volumeType: "gp3", encrypted: "true", deleteOnTermination: "true" },
            },
        ]);
        assert.deepEqual(template.metadataOptions, {
            httpEndpoint: "enabled",
            httpTokens: "required",
            httpPutResponseHopLimit: 1,
        });
        assert.deepEqual(template.vpcSecurityGroupIds, ["sg-nodes"]);
        assert.equal(template.userData, undefined, "EKS's own user data will do");
        assert.equal(template.imageId, undefined, "EKS chooses and updates the image");
        const group = s.one("aws:eks/nodeGroup:NodeGroup").inputs;
        assert.deepEqual(group.subnetIds, ["subnet-a", "subnet-b"]);
        assert.deepEqual(group.scalingConfig, { minSize: 2, maxSize: 3, desiredSize: 2 });
        assert.deepEqual(group.updateConfig, { maxUnavailable: 1 });
        assert.equal(group.amiType, "AL2023_x86_64_STANDARD");
        assert.equal(group.capacityType, "ON_DEMAND");
        assert.equal(group.version, "1.36");
        assert.equal(group.nodeGroupName, undefined, "a fixed name would stop a replacement beside the old group");
        assert.deepEqual(group.launchTemplate, { id: "lt-workers", version: "1" });
        assert.deepEqual(s.result.groupNames, { all: "workers-1234567" });
        assert.deepEqual(s.result.autoScalingGroupNames, { all: "eks-workers" });
    });

    it("gives nodes the rights they need, which stay until the nodes are gone", async () => {
        const s = await made();
        const policies = s.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment");
        assert.deepEqual(policies.map(({ inputs }) => inputs.policyArn.split("/").pop()).sort(), [
            "AmazonEC2ContainerRegistryPullOnly",
            "AmazonEKSWorkerNodePolicy",
            "AmazonEKS_CNI_Policy",
            "AmazonSSMManagedInstanceCore",
        ]);
        const { dependencies } = s.one("aws:eks/nodeGroup:NodeGroup");
        for (const { name } of policies) {
            assert.ok(dependencies.includes(name), name);
        }
        assert.match(s.result.nodeRoleArn, /:role\/workers-node$/);
    });

    it("leaves the rights of pod networking to the VPC CNI's own role where it has one", async () => {
        const s = await made({ cluster: { ...clusterInfo, cniOnNodeRole: false } });
        const arns = s.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment").map(({ inputs }) => inputs.policyArn);
        assert.ok(!arns.some((arn) => arn.includes("CNI")), arns.join());
    });

    it("uses a role that is given, and then makes none", async () => {
        const s = await made({ nodeRoleArn: "arn:aws:iam::123456789012:role/nodes" });
        assert.equal(s.all("aws:iam/role:Role").length, 0);
        assert.equal(s.one("aws:eks/nodeGroup:NodeGroup").inputs.nodeRoleArn, "arn:aws:iam::123456789012:role/nodes");
    });

    it("takes every other setting", async () => {
        const s = await made({
            architecture: Architecture.Arm64,
            instanceTypes: ["c6g.large"],
            capacityType: CapacityType.Spot,
            diskSizeGiB: 20,
            diskKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/k",
            metadataHopLimit: 2,
            sshKeyName: "someone",
            releaseVersion: "1.36.2-20261001",
            maxUnavailablePercentage: 33,
            scaling: { min: 2, max: 9, desired: 4 },
            tags: { team: "data" },
        });
        const template = s.one("aws:ec2/launchTemplate:LaunchTemplate").inputs;
        assert.equal(template.blockDeviceMappings[0].ebs.volumeSize, 20);
        assert.equal(template.blockDeviceMappings[0].ebs.kmsKeyId, "arn:aws:kms:eu-west-1:123456789012:key/k");
        assert.equal(template.metadataOptions.httpPutResponseHopLimit, 2);
        assert.equal(template.keyName, "someone");
        assert.deepEqual(
            template.tagSpecifications.map(({ resourceType, tags }: Loose) => [resourceType, tags.team]),
            [
                ["instance", "data"],
                ["volume", "data"],
                ["network-interface", "data"],
            ],
        );
        const group = s.one("aws:eks/nodeGroup:NodeGroup").inputs;
        assert.equal(group.amiType, "AL2023_ARM_64_STANDARD");
        assert.equal(group.capacityType, "SPOT");
        assert.equal(group.releaseVersion, "1.36.2-20261001");
        assert.deepEqual(group.updateConfig, { maxUnavailablePercentage: 33 });
        assert.deepEqual(group.scalingConfig, { minSize: 2, maxSize: 9, desiredSize: 4 });
    });

    it("makes one group a zone when asked to", async () => {
        const s = await made({ groupPerZone: true });
        const groups = s.all("aws:eks/nodeGroup:NodeGroup");
        assert.deepEqual(
            groups.map(({ name, inputs }) => [name, inputs.subnetIds]),
            [
                ["workers-eu-west-1a", ["subnet-a"]],
                ["workers-eu-west-1b", ["subnet-b"]],
            ],
        );
        assert.deepEqual(s.result.autoScalingGroupNames, {
            "eu-west-1a": "eks-workers-eu-west-1a",
            "eu-west-1b": "eks-workers-eu-west-1b",
        });
        assert.equal(s.all("aws:iam/role:Role").length, 1);
    });

    it("configures nodeadm by MIME user data", async () => {
        const s = await made({
            instanceTypes: ["c5d.large"],
            localStorage: LocalStorage.Raid0,
            maxPods: 100,
            cluster: { ...clusterInfo, prefixDelegation: true },
        });
        assert.deepEqual(userDataOf(s.one("aws:ec2/launchTemplate:LaunchTemplate")), {
            apiVersion: "node.eks.aws/v1alpha1",
            kind: "NodeConfig",
            spec: { kubelet: { config: { maxPods: 100 } }, instance: { localStorage: { strategy: "RAID0" } } },
        });
    });

    describe("for Cluster Autoscaler", () => {
        /** What Cluster Autoscaler makes of a group's tags (cloudprovider/aws: extractLabelsFromAsg, extractTaintsFromAsg, …). */
        function nodeOf(tags: { key: string; value: string }[]) {
            const prefix = "k8s.io/cluster-autoscaler/node-template/";
            const node = { labels: {} as Loose, taints: [] as Loose[], resources: {} as Loose };
            for (const { key, value } of tags) {
                assert.ok(key.startsWith(prefix), key);
                const [kind, ...rest] = key.slice(prefix.length).split("/");
                const name = rest.join("/");
                if (kind === "label") {
                    node.labels[name] = value;
                } else if (kind === "taint") {
                    const parts = /^(.*):(NoSchedule|NoExecute|PreferNoSchedule)$/.exec(value);
                    assert.ok(parts, `Cluster Autoscaler skips a taint like ${value}`);
                    node.taints.push({ key: name, value: parts[1], effect: parts[2] });
                } else {
                    node.resources[name] = value;
                }
            }
            return node;
        }

        it("describes the node that it would get", async () => {
            const s = await made({
                labels: { "example.com/pool": "workers" },
                taints: [
                    { key: "dedicated", value: "airflow", effect: TaintEffect.NoSchedule },
                    { key: "gone", effect: TaintEffect.NoExecute },
                ],
                diskSizeGiB: 40,
            });
            const tags = s.all("aws:autoscaling/tag:Tag");
            assert.ok(
                tags.every(
                    ({ inputs }) => inputs.autoscalingGroupName === "eks-workers" && !inputs.tag.propagateAtLaunch,
                ),
            );
            assert.deepEqual(nodeOf(tags.map(({ inputs }) => inputs.tag)), {
                labels: { "example.com/pool": "workers" },
                taints: [
                    { key: "dedicated", value: "airflow", effect: "NoSchedule" },
                    { key: "gone", value: "", effect: "NoExecute" },
                ],
                resources: { "ephemeral-storage": "40Gi" },
            });
            assert.deepEqual(s.one("aws:eks/nodeGroup:NodeGroup").inputs.taints, [
                { key: "dedicated", value: "airflow", effect: "NO_SCHEDULE" },
                { key: "gone", effect: "NO_EXECUTE" },
            ]);
        });

        it("tags nothing when the group is not autoscaled, and then owns the size", async () => {
            const s = await made({ autoscaled: false, labels: { a: "b" }, scaling: { min: 1, max: 5, desired: 3 } });
            assert.equal(s.all("aws:autoscaling/tag:Tag").length, 0);
            assert.deepEqual(s.one("aws:eks/nodeGroup:NodeGroup").ignoreChanges, []);
            assert.equal(s.one("aws:eks/nodeGroup:NodeGroup").inputs.scalingConfig.desiredSize, 3);
        });
    });

    describe("size", () => {
        /** A group as it stands at AWS, after an autoscaler has been at it. */
        function standing(minSize: number, maxSize: number, size: number, tag = "workers") {
            return {
                "aws:eks/getNodeGroups:getNodeGroups": () => ({ names: ["other-1234567", "workers-1234567"] }),
                "aws:eks/getNodeGroup:getNodeGroup": () => ({
                    scalingConfigs: [{ minSize, maxSize, desiredSize: size }],
                    tags: { "airflow-eks/node-group": tag },
                }),
            };
        }
        /** The options that the group's transform chooses when the engine asks it. */
        async function chosen(args: Differing, calls: Record<string, (inputs: Loose) => Loose>) {
            const s = await made(args, calls);
            const group = s.one("aws:eks/nodeGroup:NodeGroup");
            const [transform] = group.transforms;
            const result = await transform({
                custom: true,
                type: group.type,
                name: group.name,
                props: group.inputs,
                opts: {},
            });
            return {
                size: group.inputs.scalingConfig,
                ignored: (result?.opts as pulumi.CustomResourceOptions)?.ignoreChanges ?? [],
            };
        }

        it("is left to the autoscaler as long as min and max stand", async () => {
            const { ignored } = await chosen({}, standing(2, 3, 3));
            assert.deepEqual(ignored, ["scalingConfig.desiredSize"]);
        });
        it("is raised with min, since AWS refuses less", async () => {
            const { size, ignored } = await chosen({ scaling: { min: 5, max: 9 } }, standing(2, 9, 3));
            assert.deepEqual(size, { minSize: 5, maxSize: 9, desiredSize: 5 });
            assert.deepEqual(ignored, []);
        });
        it("stays what the autoscaler made it when max changes", async () => {
            const { size, ignored } = await chosen({ scaling: { min: 2, max: 20, desired: 2 } }, standing(2, 10, 7));
            assert.deepEqual(size, { minSize: 2, maxSize: 20, desiredSize: 7 });
            assert.deepEqual(ignored, []);
        });
        it("is lowered with max", async () => {
            const { size } = await chosen({ scaling: { min: 2, max: 4 } }, standing(2, 10, 7));
            assert.equal(size.desiredSize, 4);
        });
        it("of another group with a similar name does not count", async () => {
            const { size } = await chosen({ scaling: { min: 2, max: 20 } }, standing(2, 10, 7, "workers-other"));
            assert.equal(size.desiredSize, 2);
        });
    });

    describe("refuses before anything is registered", () => {
        const bad: [string, Differing, string[]][] = [
            ["no zone", { zones: [] }, ["zones"]],
            ["a zone's letter", { zones: ["a"] }, ["zones[0]"]],
            ["no type", { instanceTypes: [] }, ["instanceTypes"]],
            ["a missing type", { instanceTypes: undefined }, ["instanceTypes"]],
            ["no name of a type", { instanceTypes: ["large"] }, ["instanceTypes[0]"]],
            ["a type twice", { instanceTypes: ["c5.large", "c5.large"] }, ["instanceTypes[1]"]],
            ["desired above max", { scaling: { min: 1, max: 2, desired: 3 } }, ["scaling.desired"]],
            ["desired below min", { scaling: { min: 2, max: 2, desired: 1 } }, ["scaling.desired"]],
            ["min above max", { scaling: { min: 3, max: 2 } }, ["scaling.min"]],
            ["max zero", { scaling: { min: 0, max: 0 } }, ["scaling.max"]],
            ["negative sizes", { scaling: { min: -1, max: 2 } }, ["scaling.min"]],
            ["no scaling", { scaling: undefined }, ["scaling"]],
            ["a label that Kubernetes refuses", { labels: { "a b": "c" } }, ["labels.a b"]],
            ["a value that Kubernetes refuses", { labels: { a: "b c" } }, ["labels.a"]],
            ["a reserved label", { labels: { "kubernetes.io/arch": "arm64" } }, ["labels.kubernetes.io/arch"]],
            [
                "EKS's own label",
                { labels: { "eks.amazonaws.com/capacityType": "SPOT" } },
                ["labels.eks.amazonaws.com/capacityType"],
            ],
            [
                "a label too long for tags",
                { labels: { [`${"a".repeat(40)}.com/${"b".repeat(50)}`]: "" } },
                [`labels.${"a".repeat(40)}.com/${"b".repeat(50)}`],
            ],
            ["a taint key", { taints: [{ key: "/", effect: "NO_SCHEDULE" }] }, ["taints[0].key"]],
            ["a taint value", { taints: [{ key: "a", value: "b c", effect: "NO_SCHEDULE" }] }, ["taints[0].value"]],
            ["a taint's effect", { taints: [{ key: "a", effect: "NoSchedule" }] }, ["taints[0].effect"]],
            [
                "a taint twice",
                {
                    taints: [
                        { key: "a", effect: "NO_SCHEDULE" },
                        { key: "a", effect: "NO_EXECUTE" },
                    ],
                },
                ["taints[1]"],
            ],
            ["a disk smaller than the image", { diskSizeGiB: 19 }, ["diskSizeGiB"]],
            ["too many pods", { maxPods: 300 }, ["maxPods"]],
            ["all nodes at once", { maxUnavailable: 3 }, ["maxUnavailable"]],
            ["more than half at once", { maxUnavailablePercentage: 60 }, ["maxUnavailablePercentage"]],
            ["two ways to update", { maxUnavailable: 1, maxUnavailablePercentage: 10 }, ["maxUnavailablePercentage"]],
            ["a hop limit", { metadataHopLimit: 3 }, ["metadataHopLimit"]],
            [
                "more types than EKS takes",
                { instanceTypes: [...Array(21).keys()].map((n) => `c${n}.large`) },
                ["instanceTypes"],
            ],
            ["a key's alias", { diskKeyArn: "alias/disks" }, ["diskKeyArn"]],
            ["a role's name", { nodeRoleArn: "nodes" }, ["nodeRoleArn"]],
            ["no version of the image", { releaseVersion: "latest" }, ["releaseVersion"]],
            ["an unknown setting", { diskSize: 20 } as Differing, ["diskSize"]],
            ["text for numbers", { scaling: { min: "2", max: 3 } }, ["scaling.min"]],
            ["an unknown architecture", { architecture: "x86_64" }, ["architecture"]],
        ];
        for (const [what, args, expected] of bad) {
            it(what, () => assert.deepEqual(paths(args), expected));
        }
        it("everything at once", async () => {
            const args = { zones: ["a"], diskSizeGiB: 5, maxPods: 1, labels: { "a b": "" }, architecture: "x86" };
            assert.deepEqual(paths(args), ["architecture", "zones[0]", "labels.a b", "diskSizeGiB", "maxPods"]);
            await assert.rejects(made(args), /NodeGroup "workers" cannot be deployed like this, 5 problem/);
        });
        it("nothing of what is right", () => assert.deepEqual(paths({}), []));
    });

    describe("refuses in the preview what only AWS knows", () => {
        const bad: [string, Differing, RegExp][] = [
            ["an unknown type", { instanceTypes: ["c5.large", "c99.large"] }, /AWS has no instance type c99\.large/],
            [
                "mixed architectures",
                { instanceTypes: ["c5.large", "c6g.large"] },
                /c6g\.large is arm64, the group is x86_64/,
            ],
            [
                "mixed sizes",
                { instanceTypes: ["c5.large", "m5.large"] },
                /differ in size \(2 vCPU and 4 GiB: c5.large; 2 vCPU and 8 GiB: m5.large\)/,
            ],
            ["disks where there are none", { localStorage: LocalStorage.Raid0 }, /c5\.large has no instance store/],
            [
                "spot where there is none",
                { instanceTypes: ["nospot.large"], capacityType: "SPOT" },
                /nospot\.large is not offered as spot/,
            ],
            [
                "more pods than addresses",
                { maxPods: 100 },
                /c5\.large takes 29 pods, 100 are wanted; .*prefix delegation/,
            ],
            [
                "more pods than with prefixes",
                { maxPods: 120, cluster: { ...clusterInfo, prefixDelegation: true } },
                /takes 110 pods, 120 are wanted; lower/,
            ],
            ["a zone without subnet", { zones: ["eu-west-1d"] }, /no node subnet in eu-west-1d/],
        ];
        for (const [what, args, message] of bad) {
            it(what, async () => assert.rejects(made(args), message));
        }
        it("and all of it at once", async () => {
            await assert.rejects(made({ instanceTypes: ["c99.large", "c6g.large", "m5.large"] }), (error: Error) => {
                assert.match(error.message, /c99/);
                assert.match(error.message, /c6g\.large is arm64/);
                assert.match(error.message, /differ in size/);
                return true;
            });
        });
        it("but not mixed sizes of a group that nothing scales", async () => {
            await made({ instanceTypes: ["c5.large", "m5.large"], autoscaled: false });
        });
        it("but 100 pods with prefixes", async () => {
            await made({ maxPods: 100, cluster: { ...clusterInfo, prefixDelegation: true } });
        });
    });
});
