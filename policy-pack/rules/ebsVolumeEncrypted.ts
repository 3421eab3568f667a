import { type Device, type Devices, instanceDevices, mappedDevices, mappedNames } from "../judge/blockDevices";
import { CUSTOMER_KEY, judgeCustomerKey } from "../judge/customerKey";
import { LAUNCH_TEMPLATES, templateOf } from "../judge/launchTemplates";
import { nodeDisks } from "../judge/nodeClasses";
import { refer } from "../judge/references";
import { ByRegion, regionOf } from "../judge/regions";
import { at, blocks, MALFORMED, present, text, truth, UNTIL_UP } from "../judge/tree";
import { isUnknown } from "../plain";
import { type ConfigProperty, Judgement, type Resource, type Rule, type RuleConfig, type Stack } from "../rule";

const VOLUMES = ["aws:ebs/volume:Volume", "aws-native:ec2:Volume"];
const SNAPSHOTS = [
    "aws:ebs/snapshot:Snapshot",
    "aws:ebs/snapshotCopy:SnapshotCopy",
    "aws:ebs/snapshotImport:SnapshotImport",
];
const COPIES: Record<string, string> = {
    "aws:ebs/snapshotCopy:SnapshotCopy": "sourceSnapshotId",
    "aws:ec2/amiCopy:AmiCopy": "sourceAmiId",
};
const IMAGES = ["aws:ec2/ami:Ami", "aws:ec2/amiCopy:AmiCopy", "aws:ec2/amiFromInstance:AmiFromInstance"];
const NODE_GROUPS = ["aws:eks/nodeGroup:NodeGroup", "aws-native:eks:Nodegroup"];
const BY_DEFAULT = "aws:ebs/encryptionByDefault:EncryptionByDefault";

const CONFIG: Record<string, ConfigProperty> = {
    ...CUSTOMER_KEY,
    accountEncryptsByDefault: {
        type: "boolean",
        default: false,
        description:
            "Whether the account encrypts EBS volumes by default (set outside this program): then none can be made without.",
    },
};

export const rule: Rule = {
    name: "ebs-volume-encrypted",
    description:
        "Every EBS volume, snapshot copy and machine image is encrypted, the disks of instances and nodes among them.",
    why: "A volume cannot be encrypted afterwards, and its snapshots are as readable as it is; node disks hold emptyDirs, logs, images and cached secrets.",
    fix: "Set `encrypted: true` on every device, the root device by its name among them (`/dev/xvda` for Amazon Linux), or switch on encryption by default for the account (aws.ebs.EncryptionByDefault).",
    level: "mandatory",
    severity: "high",
    config: CONFIG,
    stack(stack, config) {
        const regions = encryptedRegions(stack);
        const context: Context = {
            stack,
            config,
            judgement: new Judgement(),
            byDefault: (resource) =>
                config.accountEncryptsByDefault === true || regions.of(regionOf(resource)).length > 0,
        };
        judgeDefault(context);
        stack.ofType(...VOLUMES).forEach((volume) => judgeVolume(context, volume, "", volume.props, true));
        Object.keys(COPIES).forEach((type) => stack.ofType(type).forEach((copy) => judgeCopy(context, copy)));
        stack
            .ofType("aws:ebs/snapshotImport:SnapshotImport")
            .forEach((one) => judgeVolume(context, one, "", one.props, true));
        stack.ofType("aws:ebs/snapshot:Snapshot").forEach((one) => judgeInherited(context, one, "volumeId", VOLUMES));
        stack
            .ofType("aws:ebs/volumeCopy:VolumeCopy")
            .forEach((one) => judgeInherited(context, one, "sourceVolumeId", VOLUMES));
        stack.ofType("aws:ec2/ami:Ami").forEach((image) => judgeImage(context, image));
        stack.ofType("aws:dlm/lifecyclePolicy:LifecyclePolicy").forEach((policy) => judgeLifecycle(context, policy));
        judgeInstances(context);
        stack.ofType(...LAUNCH_TEMPLATES).forEach((template) => judgeTemplate(context, template));
        stack.ofType(...NODE_GROUPS).forEach((group) => judgeNodeGroup(context, group));
        nodeDisks(stack).forEach(({ resource, path, value }) => judgeVolume(context, resource, path, value, true));
        return context.judgement;
    },
};

interface Context {
    stack: Stack;
    config: RuleConfig;
    judgement: Judgement;
    /** Whether the account encrypts all that this resource makes, whatever it says. */
    byDefault: (resource: Resource) => boolean;
}

/** Where the program switches on encryption by default. */
function encryptedRegions(stack: Stack): ByRegion<Resource> {
    const regions = new ByRegion<Resource>();
    stack
        .ofType(BY_DEFAULT)
        .filter(({ props }) => [undefined, true].includes(truth(props.enabled) as boolean | undefined))
        .forEach((one) => regions.put(regionOf(one), one));
    return regions;
}

function judgeDefault({ stack, judgement }: Context): void {
    for (const one of stack.ofType(BY_DEFAULT)) {
        judgement.judge(one);
        if (truth(one.props.enabled) === false) {
            judgement.violation(
                one,
                "enabled",
                "it switches off the encryption of every new volume of the account that does not ask for it",
            );
        }
    }
}

/** A volume that says by itself whether it is encrypted. `required`: silence means no. */
function judgeVolume(context: Context, resource: Resource, path: string, ebs: unknown, required: boolean): void {
    const { judgement, config, byDefault } = context;
    judgement.judge(resource);
    const property = (key: string) => (path === "" ? key : `${path}.${key}`);
    const encrypted = truth(at(ebs, "encrypted"));
    if (isUnknown(ebs) || isUnknown(encrypted)) {
        judgement.unknown(resource, property("encrypted"), UNTIL_UP);
    } else if (encrypted === true) {
        judgeCustomerKey(judgement, resource, property("kmsKeyId"), at(ebs, "kmsKeyId"), config);
    } else if (encrypted === MALFORMED) {
        judgement.violation(
            resource,
            property("encrypted"),
            "it is not a truth value, so the volume is refused or made without encryption",
        );
    } else if (byDefault(resource)) {
        // The account's setting wins, even over an explicit `false`.
        judgeCustomerKey(judgement, resource, property("kmsKeyId"), at(ebs, "kmsKeyId"), config);
    } else if (encrypted === undefined && present(at(ebs, "snapshotId"))) {
        judgeFromSnapshot(context, resource, property("encrypted"), ebs, path);
    } else if (encrypted === false || required) {
        judgement.violation(
            resource,
            property("encrypted"),
            encrypted === false
                ? "the volume is not encrypted"
                : "it is missing, so the volume is not encrypted unless the account does so by default",
        );
    }
}

/** Silence on a volume from a snapshot means: as the snapshot is. */
function judgeFromSnapshot(context: Context, resource: Resource, property: string, ebs: unknown, path: string): void {
    const top = path === "" ? "snapshotId" : (path.split(/[.[]/)[0] as string);
    const found = refer(context.stack, resource, top, at(ebs, "snapshotId"), SNAPSHOTS);
    if (found.resources.length === 0) {
        context.judgement.unknown(
            resource,
            property,
            "the volume is encrypted if the snapshot is that it comes from, which this program does not show",
        );
    }
}

function judgeCopy(context: Context, copy: Resource): void {
    const { stack, judgement, byDefault, config } = context;
    judgement.judge(copy);
    const encrypted = truth(copy.props.encrypted);
    if (encrypted === undefined && !byDefault(copy)) {
        const from = COPIES[copy.type] as string;
        if (refer(stack, copy, from, copy.props[from], SNAPSHOTS).resources.length > 0) {
            // A copy of a snapshot of this program is as encrypted as that one, which is judged itself.
            judgeCustomerKey(judgement, copy, "kmsKeyId", copy.props.kmsKeyId, config);
            return;
        }
    }
    judgeVolume(context, copy, "", copy.props, true);
}

/** What can only be as encrypted as what it is made from. */
function judgeInherited(
    { stack, judgement, byDefault }: Context,
    resource: Resource,
    property: string,
    types: string[],
): void {
    judgement.judge(resource);
    const encrypted = truth(resource.props.encrypted);
    const from = refer(stack, resource, property, resource.props[property], types);
    if (encrypted === undefined && from.resources.length === 0 && !byDefault(resource)) {
        judgement.unknown(
            resource,
            property,
            "it is encrypted if the volume is that it is made from, which this program does not show",
        );
    } else if (encrypted === false && from.resources.length === 0) {
        judgement.violation(resource, "encrypted", "the volume that it is made from is not encrypted");
    }
}

function judgeImage(context: Context, image: Resource): void {
    for (const { value, path } of blocks(image.props.ebsBlockDevices, "ebsBlockDevices")) {
        judgeVolume(context, image, path, value, true);
    }
}

function judgeLifecycle(context: Context, policy: Resource): void {
    for (const schedule of blocks(at(policy.props.policyDetails, "schedules"), "policyDetails.schedules")) {
        for (const { value, path } of blocks(
            at(schedule.value, "crossRegionCopyRules"),
            `${schedule.path}.crossRegionCopyRules`,
        )) {
            if (truth(at(value, "encrypted")) === false && !context.byDefault(policy)) {
                context.judgement.violation(
                    policy,
                    `${path}.encrypted`,
                    "the copies of snapshots in the other region are not encrypted",
                );
            }
        }
    }
}

function judgeInstances(context: Context): void {
    const { stack } = context;
    for (const type of ["aws:ec2/instance:Instance", "aws:ec2/spotInstanceRequest:SpotInstanceRequest"]) {
        for (const instance of stack.ofType(type)) {
            judgeDevices(context, instance, instanceDevices(instance.props, ""), "ami");
        }
    }
    for (const launch of stack.ofType("aws:ec2/launchConfiguration:LaunchConfiguration")) {
        judgeDevices(context, launch, instanceDevices(launch.props, ""), "imageId");
    }
    for (const instance of stack.ofType("aws-native:ec2:Instance")) {
        const devices = mappedDevices(instance.props.blockDeviceMappings, "blockDeviceMappings");
        judgeDevices(context, instance, devices, "imageId");
    }
    for (const fleet of stack.ofType("aws:ec2/spotFleetRequest:SpotFleetRequest")) {
        for (const { value, path } of blocks(fleet.props.launchSpecifications, "launchSpecifications")) {
            judgeDevices(context, fleet, instanceDevices(value, path), path.concat(".ami"));
        }
    }
}

function judgeTemplate(context: Context, template: Resource): void {
    const native = template.type.startsWith("aws-native:");
    const path = native ? "launchTemplateData.blockDeviceMappings" : "blockDeviceMappings";
    const image = native ? "launchTemplateData.imageId" : "imageId";
    judgeDevices(context, template, mappedDevices(at(template.props, ...path.split(".")), path), image);
}

function judgeDevices(context: Context, resource: Resource, devices: Devices, image: string): void {
    const { judgement, byDefault } = context;
    const ownImage = isOwnImage(context, resource, image);
    judgement.judge(resource);
    for (const property of devices.unknown) {
        judgement.unknown(resource, property, UNTIL_UP);
    }
    for (const { ebs, path, root } of devices.devices as Device[]) {
        // Silence on the disk that comes from the image means: as the image is.
        judgeVolume(context, resource, path, ebs, !(root && ownImage));
    }
    if (devices.root !== "missing" || ownImage || byDefault(resource)) {
        return;
    }
    if (present(resource.props.launchTemplate)) {
        judgeTemplateOf(context, resource);
    } else {
        judgement.violation(
            resource,
            devices.rootPath,
            devices.devices.length === 0
                ? "no device is listed, so the disk that instances start from is as the image and the account have it: not encrypted by default"
                : "the devices listed are not the one that instances start from, whose disk is as the image and the account have it",
        );
    }
}

/** Whether the image is made by this program: its devices are judged themselves. */
function isOwnImage({ stack }: Context, resource: Resource, path: string): boolean {
    const [top, ...below] = path.split(/[.[\]]+/) as [string, ...string[]];
    const value = at(resource.props[top], ...below);
    return present(value) && refer(stack, resource, top, value, IMAGES).resources.length > 0;
}

/** An instance has the devices of its launch template, too. */
function judgeTemplateOf({ stack, judgement }: Context, instance: Resource): void {
    if (!templateOf(stack, instance)) {
        judgement.unknown(
            instance,
            "launchTemplate",
            "its launch template is not in this program, so its devices cannot be seen",
        );
    }
}

/** Node groups without a launch template take a disk from EKS, which encrypts it only if the account does. */
function judgeNodeGroup(context: Context, group: Resource): void {
    const { stack, judgement, byDefault } = context;
    judgement.judge(group);
    const reference = group.props.launchTemplate;
    if (isUnknown(reference)) {
        judgement.unknown(group, "launchTemplate", UNTIL_UP);
        return;
    }
    if (!present(reference)) {
        if (!byDefault(group)) {
            judgeOwnDisk(judgement, group);
        }
        return;
    }
    const template = templateOf(stack, group);
    if (!template) {
        if (!byDefault(group)) {
            judgement.unknown(
                group,
                "launchTemplate",
                "its launch template is not in this program, so its devices cannot be seen",
            );
        }
        return;
    }
    const needed = devicesOf(text(group.props.amiType), template);
    const mapped = mappedNames(template);
    const missing = mapped ? needed.filter((device) => !mapped.includes(device)) : [];
    if (missing.length > 0 && mapped!.length > 0 && !byDefault(group)) {
        judgement.violation(
            group,
            "launchTemplate",
            `nodes of this image type keep data on ${missing.join(" and ")}, for which the launch template has no encrypted device`,
            `Map ${missing.join(" and ")} in the launch template, encrypted.`,
        );
    }
}

/** A size of one's own is a disk of one's own; without it the group has what EKS gives it, which is not the program's to say. */
function judgeOwnDisk(judgement: Judgement, group: Resource): void {
    const what = "without a launch template the nodes' disks are encrypted only if the account does so by default";
    const fix =
        "Give the group a launch template whose device `/dev/xvda` is encrypted, or switch on encryption by default for the account.";
    // EKS reports the size of its own disk, too: what the program asked for counts.
    if (present((group.inputs ?? group.props).diskSize)) {
        judgement.violation(group, "diskSize", what, fix);
    } else {
        judgement.advise(group, "launchTemplate", what, fix);
    }
}

/** The devices that the images of EKS have, Amazon Linux when nothing is said; nothing for images of one's own. */
function devicesOf(amiType: ReturnType<typeof text>, template: Resource): string[] {
    const ownImage = present(template.props.imageId ?? at(template.props.launchTemplateData, "imageId"));
    if (isUnknown(amiType) || ownImage) {
        return [];
    }
    if (amiType === undefined) {
        return ["/dev/xvda"];
    }
    if (/^BOTTLEROCKET/.test(amiType)) {
        return ["/dev/xvda", "/dev/xvdb"];
    }
    return /^AL2/.test(amiType) ? ["/dev/xvda"] : /^WINDOWS/.test(amiType) ? ["/dev/sda1"] : [];
}
