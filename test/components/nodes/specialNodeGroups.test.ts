import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { InstanceRequirements } from "../../../components/nodes/chooseInstanceTypes";
import { checkInstanceRequirements, chooseInstanceTypes } from "../../../components/nodes/chooseInstanceTypes";
import { GravitonNodeGroup, checkGravitonNodeGroupArgs } from "../../../components/nodes/gravitonNodeGroup";
import { NvmeNodeGroup, checkNvmeNodeGroupArgs } from "../../../components/nodes/nvmeNodeGroup";
import { SpotNodeGroup, checkSpotNodeGroupArgs } from "../../../components/nodes/spotNodeGroup";
import type { Loose } from "../mocks";
import { clusterInfo, simulate } from "../mocks";
import { instanceTypeCalls } from "./fakeTypes";

const zones = ["eu-west-1a", "eu-west-1b"];
const common = { cluster: clusterInfo, zones, scaling: { min: 2, max: 3, desired: 2 } };
const options = {
    calls: instanceTypeCalls,
    outputs: {
        "aws:eks/nodeGroup:NodeGroup": (_: Loose, name: string) => ({
            nodeGroupName: `${name}-1234567`,
            resources: [{ autoscalingGroups: [{ name: `eks-${name}` }] }],
        }),
    },
};
class Parent extends pulumi.ComponentResource {
    constructor() {
        super("test:index:Parent", "parent");
    }
}

/** The requirements of the storage article's ec2-instance-selector call. */
const article: InstanceRequirements = { vcpus: 2, memoryGiB: 4, denyList: ["t.*"] };

async function chosen(requirements: InstanceRequirements) {
    return simulate(() => chooseInstanceTypes("workers", requirements, { parent: new Parent() }), options);
}

describe("chooseInstanceTypes", () => {
    it("takes what fits, cheapest first, without price last", async () => {
        const s = await chosen(article);
        assert.deepEqual(s.result, ["c5a.large", "c5d.large", "c6i.large", "c5.large", "c7x.large"]);
    });
    it("asks AWS to filter", async () => {
        const s = await chosen(article);
        const call = s.calls.find(({ token }) => token.endsWith(":getInstanceTypes"));
        const filters = Object.fromEntries(call?.inputs.filters.map(({ name, values }: Loose) => [name, values[0]]));
        assert.deepEqual(filters, {
            "vcpu-info.default-vcpus": "2",
            "memory-info.size-in-mib": "4096",
            "processor-info.supported-architecture": "x86_64",
            "bare-metal": "false",
            "current-generation": "true",
            "supported-usage-class": "spot",
        });
    });
    it("keeps the choice in the state until the requirements change", async () => {
        const first = (await chosen(article)).one("pulumi:index:Stash");
        const same = (await chosen({ ...article })).one("pulumi:index:Stash");
        const other = (await chosen({ ...article, maxTypes: 3 })).one("pulumi:index:Stash");
        assert.deepEqual(first.ignoreChanges, ["input"]);
        assert.equal(first.replacementTrigger, same.replacementTrigger);
        assert.notEqual(first.replacementTrigger, other.replacementTrigger);
    });
    it("takes requirements for the same however they are written", async () => {
        const trigger = async (requirements: InstanceRequirements) =>
            (await chosen(requirements)).one("pulumi:index:Stash").replacementTrigger;
        const { vcpus, memoryGiB } = article;
        const zones = ["eu-west-1a", "eu-west-1b"];
        assert.equal(
            await trigger({ vcpus, memoryGiB, zones, denyList: ["t.*", "m.*"] }),
            await trigger({
                ...{ denyList: ["m.*", "t.*"], zones: [...zones].reverse(), memoryGiB, vcpus, gpus: 0 },
                ...{
                    architecture: "amd64",
                    currentGeneration: true,
                    spot: true,
                    maxTypes: 20,
                    maxSpotPrice: undefined,
                },
            }),
        );
    });
    const cases: [string, InstanceRequirements, string[]][] = [
        ["without deny list burstable types too", { vcpus: 2, memoryGiB: 4, maxTypes: 2 }, ["t3.medium", "c5a.large"]],
        [
            "whole names are denied, not parts of them",
            { ...article, denyList: ["t.*", "c5"], maxTypes: 1 },
            ["c5a.large"],
        ],
        ["arm64", { ...article, architecture: "arm64" }, ["c6g.large"]],
        [
            "a price cap leaves out what has no price",
            { ...article, maxSpotPrice: 0.041 },
            ["c5a.large", "c5d.large", "c6i.large"],
        ],
        ["disks", { ...article, instanceStore: true }, ["c5d.large"]],
        [
            "zones in each of which it is offered",
            { ...article, zones: ["eu-west-1a", "eu-west-1c"], maxTypes: 2 },
            ["c5d.large", "c6i.large"],
        ],
        ["on demand", { ...article, spot: false, denyList: ["t.*", "c.*"] }, ["nospot.large"]],
        ["GPUs", { vcpus: 4, memoryGiB: 16, gpus: 1 }, ["g4dn.xlarge"]],
        ["older generations", { vcpus: 2, memoryGiB: 3.75, currentGeneration: false }, ["c4.large"]],
    ];
    for (const [what, requirements, expected] of cases) {
        it(what, async () => assert.deepEqual((await chosen(requirements)).result, expected));
    }
    it("says when nothing fits, and when nothing is cheap enough", async () => {
        await assert.rejects(
            chosen({ vcpus: 3, memoryGiB: 5 }),
            /no instance type .* that meets \{"vcpus":3,"memoryGiB":5\}/,
        );
        await assert.rejects(chosen({ ...article, maxSpotPrice: 0.001 }), /fit, but none costs 0\.001 USD/);
    });
    it("refuses bad requirements at once", () => {
        const bad = { vcpus: 0, gpus: -1, denyList: ["("], maxSpotPrice: 0, maxTypes: 21, cpus: 2 } as Loose;
        assert.deepEqual(
            checkInstanceRequirements(bad).map(({ path }) => path),
            ["cpus", "vcpus", "memoryGiB", "gpus", "denyList[0]", "maxSpotPrice", "maxTypes"],
        );
        assert.deepEqual(checkInstanceRequirements(article), []);
    });
});

describe("SpotNodeGroup", () => {
    const types = ["c5.large", "c5d.large", "c5a.large"];
    const paths = (args: Loose) => checkSpotNodeGroupArgs({ ...common, ...args }).map(({ path }) => path);

    it("works as the article has it", async () => {
        const s = await simulate(() => {
            const group = new SpotNodeGroup("managed-spot", { ...common, instanceTypes: types, diskSizeGiB: 20 });
            return { types: group.instanceTypes, labels: group.labels, names: group.groupNames };
        }, options);
        const group = s.one("aws:eks/nodeGroup:NodeGroup").inputs;
        assert.deepEqual(group.instanceTypes, types);
        assert.equal(group.capacityType, "SPOT");
        assert.deepEqual(group.scalingConfig, { minSize: 2, maxSize: 3, desiredSize: 2 });
        assert.deepEqual(group.labels, { lifecycle: "spot" });
        assert.deepEqual(group.taints, []);
        const template = s.one("aws:ec2/launchTemplate:LaunchTemplate").inputs;
        assert.equal(template.blockDeviceMappings[0].ebs.volumeSize, 20);
        assert.deepEqual(s.result, { types, labels: { lifecycle: "spot" }, names: { all: "managed-spot-1234567" } });
    });
    it("chooses types, offered in its zones", async () => {
        const s = await simulate(
            () => new SpotNodeGroup("workers", { ...common, requirements: article, taint: true }).instanceTypes,
            // One of the types is newer than the rehearsal's catalogue.
            { ...options, unknownToRehearsals: ["aws:eks/nodeGroup:NodeGroup"] },
        );
        const group = s.one("aws:eks/nodeGroup:NodeGroup").inputs;
        assert.deepEqual(group.instanceTypes, ["c5a.large", "c5d.large", "c6i.large", "c5.large", "c7x.large"]);
        assert.deepEqual(group.taints, [{ key: "lifecycle", value: "spot", effect: "NO_SCHEDULE" }]);
        assert.equal(s.calls.filter(({ token }) => token.endsWith(":getInstanceTypeOfferings")).length, 2);
    });
    it("refuses few types or one zone, unless there is a reason", async () => {
        assert.deepEqual(paths({ instanceTypes: ["c5.large"] }), ["instanceTypes"]);
        assert.deepEqual(paths({ instanceTypes: types, zones: ["eu-west-1a"] }), ["zones"]);
        const lowDiversityReason = "a workshop of an hour";
        assert.deepEqual(paths({ instanceTypes: ["c5.large"], zones: ["eu-west-1a"], lowDiversityReason }), []);
        assert.deepEqual(paths({ instanceTypes: ["c5.large"], lowDiversityReason: "ok" }), ["lowDiversityReason"]);
        const few = { requirements: { ...article, maxTypes: 2 } };
        const make = (args: Loose) =>
            simulate(() => new SpotNodeGroup("workers", { ...common, ...args }).labels, options);
        await assert.rejects(make(few), /2 type\(s\) of spot capacity can go all at once/);
        await make({ ...few, lowDiversityReason });
    });
    it("refuses requirements that are no map, and what it gives its nodes itself in another way", () => {
        assert.deepEqual(paths({ requirements: "2 vCPUs" }), ["requirements"]);
        const labels = { lifecycle: "always" };
        const taints = [{ key: "lifecycle", effect: "NO_EXECUTE" }];
        assert.deepEqual(paths({ instanceTypes: types, labels, taint: true, taints }), [
            "labels.lifecycle",
            "taints[0]",
        ]);
        assert.deepEqual(paths({ instanceTypes: types, labels: { lifecycle: "spot" }, taints }), []);
        const others = { family: "x86", disk: "ssd" };
        assert.deepEqual(
            [checkGravitonNodeGroupArgs, checkNvmeNodeGroupArgs].flatMap((check) =>
                check({ ...common, labels: others }).map(({ path }) => path),
            ),
            ["labels.family", "labels.disk"],
        );
    });
    it("takes either types or requirements", () => {
        assert.deepEqual(paths({}), ["instanceTypes"]);
        assert.deepEqual(paths({ instanceTypes: types, requirements: article }), ["instanceTypes"]);
        assert.deepEqual(paths({ requirements: { vcpus: 2 } }), ["requirements.memoryGiB"]);
        assert.deepEqual(paths({ requirements: article, architecture: "arm64" }), ["architecture"]);
    });
});

describe("GravitonNodeGroup", () => {
    it("has arm64 nodes with the article's type and label", async () => {
        const s = await simulate(() => new GravitonNodeGroup("arm", common).labels, options);
        const group = s.one("aws:eks/nodeGroup:NodeGroup").inputs;
        assert.deepEqual(group.instanceTypes, ["t4g.medium"]);
        assert.equal(group.amiType, "AL2023_ARM_64_STANDARD");
        assert.deepEqual(group.labels, { family: "graviton" });
        assert.deepEqual(group.taints, []);
    });
    it("keeps other images away when asked to", async () => {
        const s = await simulate(() => new GravitonNodeGroup("arm", { ...common, taint: true }).labels, options);
        assert.deepEqual(s.one("aws:eks/nodeGroup:NodeGroup").inputs.taints, [
            { key: "family", value: "graviton", effect: "NO_SCHEDULE" },
        ]);
    });
    it("refuses x86 types, and bad settings", async () => {
        const make = () =>
            simulate(() => new GravitonNodeGroup("arm", { ...common, instanceTypes: ["c5.large"] }).labels, options);
        await assert.rejects(make(), /c5\.large is x86_64, the group is arm64/);
        const bad = { ...common, instanceTypes: [], taint: "yes" } as Loose;
        assert.deepEqual(
            checkGravitonNodeGroupArgs(bad).map(({ path }) => path),
            ["taint", "instanceTypes"],
        );
    });
});

describe("NvmeNodeGroup", () => {
    const prefixes = { ...common, cluster: { ...clusterInfo, prefixDelegation: true } };
    const nodeConfig = (template: Loose) => Buffer.from(template.userData, "base64").toString();

    it("puts containers onto the disks, with the article's type, label, pods and root volume", async () => {
        const s = await simulate(() => new NvmeNodeGroup("nvme", { ...prefixes, maxPods: 100 }).className, options);
        const group = s.one("aws:eks/nodeGroup:NodeGroup").inputs;
        assert.deepEqual(group.instanceTypes, ["c5d.large"]);
        assert.deepEqual(group.labels, { disk: "nvme" });
        const template = s.one("aws:ec2/launchTemplate:LaunchTemplate").inputs;
        assert.equal(template.blockDeviceMappings[0].ebs.volumeSize, 30);
        assert.match(nodeConfig(template), /"maxPods": 100/);
        assert.match(nodeConfig(template), /"strategy": "RAID0"/);
        assert.equal(s.result, "");
        assert.equal(s.all("kubernetes:storage.k8s.io/v1:StorageClass").length, 0);
        const tags = s.all("aws:autoscaling/tag:Tag").map(({ inputs }) => inputs.tag.key.split("/").slice(2).join("/"));
        assert.deepEqual(tags, ["node-template/label/disk"], "the root volume is not what pods write to");
    });
    it("mounts the disks for pods", async () => {
        const s = await simulate(
            () =>
                new NvmeNodeGroup("nvme", {
                    ...common,
                    localStorage: "Mount",
                    localVolumes: { className: "scratch", disksPerNode: 2, size: "50Gi" },
                    labels: { pool: "fast" },
                }).className,
            options,
        );
        assert.match(nodeConfig(s.one("aws:ec2/launchTemplate:LaunchTemplate").inputs), /"strategy": "Mount"/);
        const storageClass = s.one("kubernetes:storage.k8s.io/v1:StorageClass").inputs;
        assert.equal(storageClass.provisioner, "kubernetes.io/no-provisioner");
        assert.equal(storageClass.volumeBindingMode, "WaitForFirstConsumer");
        assert.equal(s.result, "scratch");
        const volumes = s.all("kubernetes:core/v1:PersistentVolume");
        assert.deepEqual(
            volumes.map(({ inputs }) => [inputs.metadata.name, inputs.spec.local.path]),
            [
                ["scratch-0", "/mnt/k8s-disks/0"],
                ["scratch-1", "/mnt/k8s-disks/1"],
            ],
        );
        const [term] = volumes[0].inputs.spec.nodeAffinity.required.nodeSelectorTerms;
        assert.deepEqual(term.matchExpressions, [
            { key: "airflow-eks/local-volumes", operator: "In", values: ["scratch"] },
        ]);
        const { labels } = s.one("aws:eks/nodeGroup:NodeGroup").inputs;
        assert.deepEqual(labels, { pool: "fast", disk: "nvme", "airflow-eks/local-volumes": "scratch" });
    });
    it("refuses types without disks, and bad settings at once", async () => {
        const make = () =>
            simulate(() => new NvmeNodeGroup("nvme", { ...common, instanceTypes: ["c5.large"] }).labels, options);
        await assert.rejects(make(), /c5\.large has no instance store/);
        const paths = (args: Loose) => checkNvmeNodeGroupArgs({ ...common, ...args }).map(({ path }) => path);
        assert.deepEqual(paths({ localVolumes: {} }), ["localVolumes"]);
        assert.deepEqual(
            paths({ localStorage: "Mount", localVolumes: { className: "A b", disksPerNode: 0, size: "big" } }),
            ["localVolumes.className", "localVolumes.disksPerNode", "localVolumes.size"],
        );
        assert.deepEqual(paths({ localStorage: "raid" }), ["localStorage"]);
    });
});
