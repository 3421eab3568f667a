import { UNKNOWN } from "../../../policy-pack/plain";
import { rule as volumes } from "../../../policy-pack/rules/ebsVolumeEncrypted";
import { rule as transit } from "../../../policy-pack/rules/efsInTransitEncrypted";
import { rule as imds } from "../../../policy-pack/rules/imdsv2Required";
import { rule as spot } from "../../../policy-pack/rules/spotDiversified";
import * as assert from "node:assert/strict";
import { fails, judge, type Made, passes, waits } from "./helpers";

type Props = Record<string, unknown>;
const made =
    (type: string, name: string) =>
    (props: Props, from: Record<string, string[]> = {}, region?: string): Made => ({ type, name, props, from, region });
const instance = made("aws:ec2/instance:Instance", "vm");
const template = made("aws:ec2/launchTemplate:LaunchTemplate", "template");
const launch = made("aws:ec2/launchConfiguration:LaunchConfiguration", "launch");

describe("ebs-volume-encrypted, disks that come from elsewhere", () => {
    const copy = made("aws:ec2/amiCopy:AmiCopy", "image");
    const ofCopy: [Props, Record<string, string[]>] = [{ ami: UNKNOWN }, { ami: ["image"] }];

    it("takes the disk of an image of the program, which is judged itself", () => {
        passes(volumes, [instance(...ofCopy), copy({ encrypted: true })]);
        fails(volumes, [instance(...ofCopy), copy({})]);
        fails(volumes, [instance({ ami: "ami-1" }), copy({ encrypted: true })]);
    });
    it("takes silence on that disk, not on others, nor a no", () => {
        const with_ = (props: Props): Made => instance({ ami: "ami-1", ...props });
        const image = copy({ id: "ami-1", encrypted: true });
        passes(volumes, [with_({ rootBlockDevice: { volumeSize: 50 } }), image]);
        fails(volumes, [with_({ rootBlockDevice: { encrypted: false } }), image]);
        fails(volumes, [with_({ ebsBlockDevices: [{ deviceName: "/dev/sdf" }] }), image]);
        passes(volumes, [
            template({ imageId: "ami-1", blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: {} }] }),
            image,
        ]);
        fails(volumes, [
            template({ imageId: "ami-2", blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: {} }] }),
            image,
        ]);
    });
    it("takes devices of the image that are taken away", () => {
        const root = { deviceName: "/dev/xvda", ebs: { encrypted: "true" } };
        const away = (noDevice: unknown): Made =>
            template({ blockDeviceMappings: [root, { deviceName: "/dev/sdb", noDevice, ebs: {} }] });
        passes(volumes, [away("")]);
        passes(volumes, [away("true")]);
        fails(volumes, [away(undefined)]);
        const old = (noDevice: unknown): Made =>
            launch({ rootBlockDevice: { encrypted: true }, ebsBlockDevices: [{ deviceName: "/dev/sdb", noDevice }] });
        passes(volumes, [old(true)]);
        fails(volumes, [old(false)]);
    });
    it("does not pass over an instance whose launch template is not in the program", () => {
        waits(volumes, [instance({ launchTemplate: { id: "lt-1" } })]);
        const root = { deviceName: "/dev/xvda", ebs: { encrypted: "true" } };
        passes(volumes, [
            instance({ launchTemplate: { id: "lt-1" } }),
            template({ id: "lt-1", blockDeviceMappings: [root] }),
        ]);
    });
});

describe("ebs-volume-encrypted, nodes whose image is not said", () => {
    const nodes: Made = { type: "aws:eks/nodeGroup:NodeGroup", props: { launchTemplate: { id: "lt-1" } } };
    const maps = (deviceName: string, more: Props = {}): Made =>
        template({ id: "lt-1", blockDeviceMappings: [{ deviceName, ebs: { encrypted: "true" } }], ...more });

    it("wants the device of Amazon Linux, unless the template has an image of its own", () => {
        passes(volumes, [nodes, maps("/dev/xvda")]);
        fails(volumes, [nodes, maps("/dev/sda1")]);
        passes(volumes, [nodes, maps("/dev/sda1", { imageId: "ami-1" })]);
        passes(volumes, [{ ...nodes, props: { ...nodes.props, amiType: "CUSTOM" } }, maps("/dev/sda1")]);
        passes(volumes, [{ ...nodes, props: { ...nodes.props, amiType: UNKNOWN } }, maps("/dev/sda1")]);
    });
});

describe("imdsv2-required, where the default comes from", () => {
    const defaults = made("aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", "defaults");

    it("takes the account's default in its own region only", () => {
        passes(imds, [template({}, {}, "eu-west-1"), defaults({ httpTokens: "required" }, {}, "eu-west-1")]);
        fails(imds, [template({}, {}, "eu-west-1"), defaults({ httpTokens: "required" }, {}, "us-east-1")]);
        fails(imds, [template({}), defaults({ httpTokens: "optional" })]);
        waits(imds, [template({}), defaults({ httpTokens: UNKNOWN })]);
    });
    it("follows an instance to its launch template", () => {
        const of = instance({ launchTemplate: { name: "nodes" } });
        passes(imds, [of, template({ name: "nodes", metadataOptions: { httpTokens: "required" } })]);
        fails(imds, [of, template({ name: "nodes" })]);
        waits(imds, [of]);
        passes(imds, [instance({ launchTemplate: { name: "nodes" }, metadataOptions: { httpTokens: "required" } })]);
    });
});

describe("spot-diversified, launch configurations", () => {
    it("finds the one type of a scaling group with a spot price", () => {
        const group = made("aws:autoscaling/group:Group", "group")(
            { launchConfiguration: UNKNOWN },
            { launchConfiguration: ["launch"] },
        );
        fails(spot, [group, launch({ instanceType: "m5.large", spotPrice: "0.1" })]);
        passes(spot, [group, launch({ instanceType: "m5.large" })]);
    });
});

describe("spot-diversified, types that a launch template says", () => {
    const named = (name: string): Props => ({ launchTemplateSpecification: { launchTemplateName: name } });
    const one = (name: string, props: Props): Made => ({ ...template({ name, ...props }), name });
    const fleet = (...launchTemplateConfigs: Props[]): Made => ({
        type: "aws:ec2/fleet:Fleet",
        props: { targetCapacitySpecification: { defaultTargetCapacityType: "spot" }, launchTemplateConfigs },
    });
    const group = (launchTemplate: Props): Made => ({
        type: "aws:autoscaling/group:Group",
        props: {
            mixedInstancesPolicy: { instancesDistribution: { onDemandPercentageAboveBaseCapacity: 0 }, launchTemplate },
        },
    });
    const [m5, m6] = [one("a", { instanceType: "m5.large" }), one("b", { instanceType: "m6i.large" })];

    it("takes several templates of different types", () => {
        passes(spot, [fleet(named("a"), named("b")), m5, m6]);
        fails(spot, [fleet(named("a"), named("b")), m5, { ...m6, props: { ...m5.props, name: "b" } }]);
        fails(spot, [fleet(named("a")), m5]);
        passes(spot, [group({ ...named("a"), overrides: [named("a"), named("b")] }), m5, m6]);
        fails(spot, [group({ ...named("a"), overrides: [named("a")] }), m5, m6]);
    });
    it("takes types by attributes, and waits for templates that are not in the program", () => {
        const any = one("any", { instanceRequirements: { vcpuCount: { min: 2 } } });
        passes(spot, [fleet(named("any")), any]);
        passes(spot, [group(named("any")), any]);
        fails(spot, [group(named("a")), m5]);
        waits(spot, [fleet(named("theirs"))]);
        waits(spot, [group(named("theirs"))]);
    });
});

describe("efs-in-transit-encrypted, the policy of a file system", () => {
    const advised = (...statements: Props[]): number =>
        judge(transit, [
            made("aws:efs/fileSystem:FileSystem", "files")({ id: "fs-1", encrypted: true }),
            made(
                "aws:efs/fileSystemPolicy:FileSystemPolicy",
                "policy",
            )({ fileSystemId: "fs-1", policy: { Version: "2012-10-17", Statement: statements } }),
        ]).advice.length;
    const deny = (Condition: Props): Props => ({ Effect: "Deny", Principal: "*", Action: "*", Condition });
    const allow = (Condition: Props): Props => ({ ...deny(Condition), Effect: "Allow" });
    const target = { "elasticfilesystem:AccessedViaMountTarget": "true" };
    const cases: [string, number, Props[]][] = [
        ["a denial of plain transport", 0, [deny({ Bool: { "aws:SecureTransport": "false" } })]],
        ["a truth value", 0, [deny({ Bool: { "aws:SecureTransport": false } })]],
        ["a denial on mount targets", 0, [deny({ Bool: { "aws:SecureTransport": "false", ...target } })]],
        ["a denial by text", 0, [deny({ StringEquals: { "aws:SecureTransport": "false" } })]],
        ["a denial of all but TLS", 0, [deny({ StringNotEquals: { "aws:SecureTransport": "true" } })]],
        ["a denial of TLS", 1, [deny({ Bool: { "aws:SecureTransport": "true" } })]],
        ["a denial of all but plain", 1, [deny({ StringNotEquals: { "aws:SecureTransport": "false" } })]],
        [
            "a denial for some",
            1,
            [deny({ Bool: { "aws:SecureTransport": "false" }, StringEquals: { "aws:SourceVpc": "v" } })],
        ],
        ["a permission with TLS", 0, [allow({ Bool: { "aws:SecureTransport": "true" } })]],
        ["another one without", 1, [allow({ Bool: { "aws:SecureTransport": "true" } }), allow({ Bool: target })]],
    ];
    for (const [title, count, statements] of cases) {
        it(`${count === 0 ? "takes" : "advises against"}: ${title}`, () => assert.equal(advised(...statements), count));
    }
});
