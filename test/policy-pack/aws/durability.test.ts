import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { compareVersions } from "../../../policy-pack/judge/versions";
import { UNKNOWN } from "../../../policy-pack/plain";
import { rule as backups } from "../../../policy-pack/rules/backupsKept";
import { rule as floor } from "../../../policy-pack/rules/efsCsiVersionFloor";
import { rule as targets } from "../../../policy-pack/rules/efsMountTargetPerZone";
import { rule as imds } from "../../../policy-pack/rules/imdsv2Required";
import { rule as spot } from "../../../policy-pack/rules/spotDiversified";
import { rule as stateful } from "../../../policy-pack/rules/statefulProtected";
import { fails, found, holds, judge, type Made, passes, waits } from "./helpers";

const files = (props: Record<string, unknown> = {}): Made => ({
    type: "aws:efs/fileSystem:FileSystem",
    name: "files",
    props: { id: "fs-1", ...props },
});

describe("efs-mount-target-per-zone", () => {
    const subnet = (zone: string, vpcId = "vpc-1"): Made => ({
        type: "aws:ec2/subnet:Subnet",
        name: `subnet-${zone}`,
        props: { id: `subnet-${zone}`, availabilityZone: `eu-west-1${zone}`, vpcId },
    });
    const target = (zone: string, more: Partial<Made> = {}): Made => ({
        type: "aws:efs/mountTarget:MountTarget",
        name: `target-${zone}`,
        props: { fileSystemId: "fs-1", subnetId: `subnet-${zone}` },
        ...more,
    });
    const unmade = (zone: string): Made =>
        target(zone, {
            props: { fileSystemId: UNKNOWN, subnetId: UNKNOWN },
            from: { fileSystemId: ["files"], subnetId: [`subnet-${zone}`] },
        });
    const nodes = (...zones: string[]): Made => ({
        type: "aws:eks/nodeGroup:NodeGroup",
        name: "nodes",
        props: { subnetIds: zones.map((zone) => `subnet-${zone}`) },
    });
    const network = ["a", "b", "c"].map((zone) => subnet(zone));

    it("takes one in each zone of the nodes", () => {
        passes(targets, [...network, files(), nodes("a", "b"), target("a"), target("b")]);
        passes(targets, [...network, files(), nodes("a"), target("a"), target("b"), target("c")]);
        passes(targets, [...network, files(), nodes("a"), { ...nodes("b"), name: "more" }, target("a"), target("b")]);
    });
    it("finds the zone that has none", () => {
        assert.deepEqual(found(targets, [...network, files(), nodes("a", "b"), target("a")]), ["files mountTargets"]);
        assert.match(
            judge(targets, [...network, files(), nodes("a", "b"), target("a")]).findings[0]!.what,
            /eu-west-1b/,
        );
        fails(targets, [...network, files(), nodes("a")]);
        fails(targets, [...network, files(), nodes("a"), { ...nodes("c"), name: "more" }, target("a")]);
    });
    it("knows a subnet again, also while its zone is not known", () => {
        const unknown = (zone: string): Made => ({ ...subnet(zone), props: { id: `subnet-${zone}` } });
        passes(targets, [unknown("a"), unknown("b"), files(), nodes("a", "b"), target("a"), target("b")]);
        waits(targets, [unknown("a"), unknown("b"), files(), nodes("a", "b"), target("a")]);
    });
    it("judges before anything is made, by the dependencies", () => {
        const ahead: Made = {
            ...nodes(),
            props: { subnetIds: [UNKNOWN, UNKNOWN] },
            from: { subnetIds: ["subnet-a", "subnet-b"] },
        };
        passes(targets, [...network, files({ id: undefined }), ahead, unmade("a"), unmade("b")]);
        fails(targets, [...network, files({ id: undefined }), ahead, unmade("a")]);
    });
    it("refuses two in one zone", () => {
        const second: Made = {
            ...subnet("a"),
            name: "second",
            props: { id: "subnet-2", availabilityZone: "eu-west-1a", vpcId: "vpc-1" },
        };
        const twice = target("x", { props: { fileSystemId: "fs-1", subnetId: "subnet-2" } });
        assert.deepEqual(found(targets, [...network, second, files(), nodes("a"), target("a"), twice]), [
            "target-x subnetId",
        ]);
    });
    it("asks a One Zone file system for one only", () => {
        const one = files({ availabilityZoneName: "eu-west-1a" });
        passes(targets, [...network, one, nodes("a", "b"), target("a")]);
        fails(targets, [...network, one, nodes("a", "b")]);
    });
    it("has nothing to say of nodes in another network or region", () => {
        const foreign: Made = {
            ...subnet("c", "vpc-2"),
            name: "foreign",
            props: { id: "subnet-f", availabilityZone: "eu-west-1c", vpcId: "vpc-2" },
        };
        const theirs: Made = { ...nodes(), name: "theirs", props: { subnetIds: ["subnet-f"] } };
        passes(targets, [...network, foreign, files(), nodes("a"), theirs, target("a")]);
        passes(targets, [...network, files({ region: "us-east-1" }), nodes("a")]);
    });
    it("knows nodes of scaling groups and Fargate", () => {
        const scaling: Made = {
            type: "aws:autoscaling/group:Group",
            props: {
                vpcZoneIdentifiers: ["subnet-b"],
                tags: [{ key: "kubernetes.io/cluster/platform", value: "owned", propagateAtLaunch: true }],
            },
        };
        fails(targets, [...network, files(), nodes("a"), scaling, target("a")]);
        passes(targets, [
            ...network,
            files(),
            nodes("a"),
            { ...scaling, props: { vpcZoneIdentifiers: ["subnet-b"] } },
            target("a"),
        ]);
        fails(targets, [
            ...network,
            files(),
            { type: "aws:eks/fargateProfile:FargateProfile", props: { subnetIds: ["subnet-b"] } },
            target("a"),
        ]);
    });
    it("compares subnets that are not of the program by id", () => {
        passes(targets, [files(), nodes("a"), target("a")]);
        waits(targets, [files(), nodes("a", "b"), target("a")]);
    });
    it("says nothing of programs without a cluster", () => passes(targets, [files(), ...network, target("a")]));
    it("takes zones from the configuration", () => {
        fails(targets, [...network, files(), target("a")], { zones: ["eu-west-1a", "eu-west-1b"] });
        passes(targets, [...network, files(), target("a")], { zones: ["eu-west-1a"] });
    });
    it("waits for what is not known", () => {
        const cluster: Made = { type: "aws:eks/cluster:Cluster", props: {} };
        waits(targets, [cluster, files()]);
        waits(targets, [...network, cluster, files(), target("a")]);
        waits(targets, [
            subnet("a"),
            files({ id: UNKNOWN }),
            { ...nodes(), props: { subnetIds: UNKNOWN }, from: { subnetIds: ["subnet-a"] } },
        ]);
        waits(targets, [...network, files(), nodes("a"), { ...unmade("a"), from: {} }]);
        waits(targets, [...network, files(), { ...nodes("a"), props: { subnetIds: UNKNOWN } }, target("a")]);
    });
    const zones = fc.subarray(["a", "b", "c"]);
    holds(
        "finds just what is missing",
        300,
        fc.property(zones, zones, fc.boolean(), (where, covered, ahead) => {
            const place: Made = ahead
                ? {
                      ...nodes(),
                      props: { subnetIds: where.map(() => UNKNOWN) },
                      from: { subnetIds: where.map((zone) => `subnet-${zone}`) },
                  }
                : nodes(...where);
            const made = [
                ...network,
                files(ahead ? { id: undefined } : {}),
                place,
                ...covered.map(ahead ? unmade : (zone) => target(zone)),
            ];
            assert.equal(
                judge(targets, made).findings.length > 0,
                where.some((zone) => !covered.includes(zone)),
            );
        }),
    );
});

describe("stateful-protected", () => {
    const prod = { stacks: ["prod"] };
    it("says nothing of stacks that are not named", () => {
        passes(stateful, [files()]);
        passes(stateful, [{ ...files(), stack: "dev" }], prod);
        passes(stateful, [{ ...files(), stack: "prod-2" }], prod);
    });
    it("asks for protection in those that are", () => {
        assert.deepEqual(found(stateful, [files()], prod), ["files protect"]);
        passes(stateful, [{ ...files(), protect: true }], prod);
        fails(stateful, [{ ...files(), stack: "prod-eu" }], { stacks: ["prod-*"] });
        fails(stateful, [{ type: "aws:ebs/volume:Volume", props: {} }], prod);
        passes(stateful, [{ type: "aws:sqs/queue:Queue", props: {} }], prod);
    });
    it("takes a database's own protection as well", () => {
        const database = (props: Record<string, unknown>): Made[] => [
            { type: "aws:rds/instance:Instance", name: "db", props },
        ];
        assert.deepEqual(found(stateful, database({}), prod), ["db deletionProtection"]);
        fails(stateful, database({ deletionProtection: false }), prod);
        passes(stateful, database({ deletionProtection: true }), prod);
        waits(stateful, database({ deletionProtection: UNKNOWN }), prod);
    });
});

describe("backups-kept", () => {
    const database = (props: Record<string, unknown>, type = "aws:rds/instance:Instance"): Made[] => [
        { type, name: "db", props },
    ];
    it("asks databases for a day or more", () => {
        assert.deepEqual(found(backups, database({})), ["db backupRetentionPeriod"]);
        fails(backups, database({ backupRetentionPeriod: 0 }));
        fails(backups, database({ backupRetentionPeriod: "0" }));
        passes(backups, database({ backupRetentionPeriod: 1 }));
        fails(backups, database({ backupRetentionPeriod: 1 }), { minimumDays: 7 });
        passes(backups, database({ backupRetentionPeriod: 7 }), { minimumDays: 7 });
        passes(backups, database({}, "aws:rds/cluster:Cluster"));
        passes(backups, database({ replicateSourceDb: "db-1" }));
        waits(backups, database({ backupRetentionPeriod: UNKNOWN }));
    });
    it("asks file systems for a policy or a selection", () => {
        const policy = (status: unknown): Made => ({
            type: "aws:efs/backupPolicy:BackupPolicy",
            name: "policy",
            props: { fileSystemId: "fs-1", backupPolicy: { status } },
        });
        assert.deepEqual(found(backups, [files()]), ["files backupPolicy"]);
        assert.deepEqual(found(backups, [files(), policy("DISABLED")]), ["policy backupPolicy.status"]);
        passes(backups, [files(), policy("ENABLED")]);
        passes(backups, [
            files(),
            {
                ...policy("ENABLED"),
                props: { fileSystemId: UNKNOWN, backupPolicy: { status: "ENABLED" } },
                from: { fileSystemId: ["files"] },
            },
        ]);
        passes(backups, [files({ availabilityZoneName: "eu-west-1a" })]);
        waits(backups, [files(), policy(UNKNOWN)]);
        const selection = (props: Record<string, unknown>): Made => ({ type: "aws:backup/selection:Selection", props });
        passes(backups, [files(), selection({ resources: ["*"] })]);
        passes(backups, [
            files({ arn: "arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1" }),
            selection({ resources: ["arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1"] }),
        ]);
        passes(backups, [
            files({ tags: { backup: "yes" } }),
            selection({ selectionTags: [{ type: "STRINGEQUALS", key: "backup", value: "yes" }] }),
        ]);
        fails(backups, [
            files({ tags: { backup: "no" } }),
            selection({ selectionTags: [{ type: "STRINGEQUALS", key: "backup", value: "yes" }] }),
        ]);
    });
});

describe("efs-csi-version-floor", () => {
    const addon = (addonVersion: unknown, addonName: unknown = "aws-efs-csi-driver"): Made[] => [
        { type: "aws:eks/addon:Addon", name: "addon", props: { addonName, addonVersion } },
    ];
    it("judges the add-on", () => {
        for (const old of ["v1.3.7-eksbuild.1", "v1.3.2-eksbuild.9", "v1.0.0", "1.2", "nonsense"]) {
            assert.deepEqual(found(floor, addon(old)), ["addon addonVersion"], old);
        }
        for (const fine of ["v1.3.8-eksbuild.1", "v1.10.0-eksbuild.1", "v3.4.2-eksbuild.1", undefined]) {
            passes(floor, addon(fine));
        }
        passes(floor, addon("v1.1.0-eksbuild.1", "aws-ebs-csi-driver"));
        fails(floor, addon("v1.7.0-eksbuild.1"), { minimum: "2.0.0" });
        waits(floor, addon(UNKNOWN));
    });
    const release = (version: unknown, values: unknown = {}): Made[] => [
        {
            type: "kubernetes:helm.sh/v3:Release",
            name: "release",
            props: { chart: "aws-efs-csi-driver", version, values },
        },
    ];
    it("judges the chart, whose version is another", () => {
        for (const old of ["2.2.5", "v2.2.5", "1.2.4", "^1.0.0", "1.x", "~2.1.0"]) {
            assert.deepEqual(found(floor, release(old)), ["release version"], old);
        }
        for (const fine of ["2.2.6", "2.5.0", "4.4.1", "^2.0.0", "2.x", "~2.2.0", ">=2.0.0", undefined]) {
            passes(floor, release(fine));
        }
        assert.deepEqual(found(floor, release("2.5.0", { image: { tag: "v1.3.2" } })), ["release values.image.tag"]);
        waits(floor, release(UNKNOWN));
    });
    it("judges the chart that Argo CD and Flux install", () => {
        const chart = "aws-efs-csi-driver";
        const installed = (kind: string, spec: object): Made[] => [
            { type: `kubernetes:${kind}`, name: "app", props: { metadata: { name: "app" }, spec } },
        ];
        const argo = (targetRevision: string) => ({
            sources: [{ ref: "values" }, { chart, targetRevision, helm: {} }],
        });
        const application = "argoproj.io/v1alpha1:Application";
        assert.deepEqual(found(floor, installed(application, argo("2.2.5"))), ["app spec.sources[1].targetRevision"]);
        passes(floor, installed(application, argo("2.2.6")));
        const flux = (version: string) => ({ chart: { spec: { chart, version } } });
        const release = "helm.toolkit.fluxcd.io/v2:HelmRelease";
        assert.deepEqual(found(floor, installed(release, flux("2.2.5"))), ["app spec.chart.spec.version"]);
        passes(floor, installed(release, flux("2.2.6")));
    });
    it("judges images", () => {
        const daemon = (image: string): Made[] => [
            {
                type: "kubernetes:apps/v1:DaemonSet",
                name: "node",
                props: {
                    apiVersion: "apps/v1",
                    kind: "DaemonSet",
                    metadata: { name: "efs-csi-node" },
                    spec: { template: { spec: { containers: [{ name: "efs-plugin", image }] } } },
                },
            },
        ];
        fails(floor, daemon("amazon/aws-efs-csi-driver:v1.3.7"));
        fails(floor, daemon("602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/aws-efs-csi-driver:v1.3.2"));
        passes(floor, daemon("public.ecr.aws/efs-csi-driver/amazon/aws-efs-csi-driver:v2.1.0"));
        passes(floor, daemon("registry:5000/other:v1.0.0"));
        waits(floor, daemon("amazon/aws-efs-csi-driver:master"));
        waits(floor, daemon("amazon/aws-efs-csi-driver"));
    });
    const version = fc.tuple(fc.nat(5), fc.nat(20), fc.nat(20));
    holds(
        "compares versions as numbers",
        500,
        fc.property(version, version, (a, b) => {
            const expected = a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
            assert.equal(Math.sign(compareVersions(`v${a.join(".")}-eksbuild.3`, b.join("."))!), Math.sign(expected));
        }),
    );
});

describe("spot-diversified", () => {
    const group = (props: Record<string, unknown>): Made[] => [
        { type: "aws:eks/nodeGroup:NodeGroup", name: "nodes", props },
    ];
    it("asks spot nodes for several types", () => {
        assert.deepEqual(found(spot, group({ capacityType: "SPOT", instanceTypes: ["m5.large"] })), [
            "nodes instanceTypes",
        ]);
        fails(spot, group({ capacityType: "SPOT" }));
        fails(spot, group({ capacityType: "SPOT", instanceTypes: ["m5.large", "m5.large"] }));
        passes(spot, group({ capacityType: "SPOT", instanceTypes: ["m5.large", "m6i.large"] }));
        fails(spot, group({ capacityType: "SPOT", instanceTypes: ["m5.large", "m6i.large"] }), { minimumTypes: 3 });
        passes(spot, group({ capacityType: "ON_DEMAND", instanceTypes: ["m5.large"] }));
        passes(spot, group({ instanceTypes: ["m5.large"] }));
        waits(spot, group({ capacityType: UNKNOWN }));
        waits(spot, group({ capacityType: "SPOT", instanceTypes: UNKNOWN }));
    });
    it("asks scaling groups, too", () => {
        const scaling = (percentage: unknown, ...types: string[]): Made[] => [
            {
                type: "aws:autoscaling/group:Group",
                props: {
                    mixedInstancesPolicy: {
                        instancesDistribution: { onDemandPercentageAboveBaseCapacity: percentage },
                        launchTemplate: { overrides: types.map((instanceType) => ({ instanceType })) },
                    },
                },
            },
        ];
        fails(spot, scaling(0, "m5.large"));
        passes(spot, scaling(0, "m5.large", "m5a.large"));
        passes(spot, scaling(100, "m5.large"));
        passes(spot, scaling(undefined, "m5.large"));
    });
});

describe("imdsv2-required", () => {
    const template = (props: Record<string, unknown>): Made[] => [
        { type: "aws:ec2/launchTemplate:LaunchTemplate", name: "template", props },
    ];
    it("asks for tokens", () => {
        passes(imds, template({ metadataOptions: { httpTokens: "required" } }));
        passes(imds, template({ metadataOptions: { httpEndpoint: "disabled" } }));
        assert.deepEqual(found(imds, template({})), ["template metadataOptions.httpTokens"]);
        fails(imds, template({ metadataOptions: { httpTokens: "optional" } }));
        fails(imds, template({ metadataOptions: { httpEndpoint: "enabled" } }));
        fails(imds, [{ type: "aws:ec2/instance:Instance", props: {} }]);
        waits(imds, template({ metadataOptions: { httpTokens: UNKNOWN } }));
        waits(imds, template({ metadataOptions: UNKNOWN }));
    });
    it("takes the account's default", () => {
        const byDefault: Made = {
            type: "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults",
            props: { httpTokens: "required" },
        };
        passes(imds, [...template({}), byDefault]);
        fails(imds, [...template({ metadataOptions: { httpTokens: "optional" } }), byDefault]);
    });
});
