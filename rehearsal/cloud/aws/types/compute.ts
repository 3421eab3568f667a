import type { Properties, SimulatedType } from "../../shell/type";
import { list, record, text, texts } from "../../shell/values";
import { arn } from "../arn";
import { check, needGroupsInVpc, refuse, vpcOfSubnet } from "../checks";
import { INSTANCE_TYPES } from "../catalogue/instanceTypes";
import { seconds } from "../durations";
import { Kind } from "../kinds";
import { zonesOf } from "../places";
import { addressIn } from "./endpoints";

const groupReference = { to: Kind.SecurityGroup, missing: "InvalidGroup.NotFound" };
const keyReference = {
    to: [Kind.Key, Kind.Alias],
    by: "arn",
    holds: false,
    missing: "InvalidKMSKey.NotFound",
    outside: /^alias\/aws\/|^[0-9a-f-]{36}$/,
};

/** An AMI id that could be one. */
export const AMI = /^(ami-[0-9a-f]{8,17}|resolve:ssm:.+)$/;

const launchTemplate: SimulatedType = {
    token: Kind.LaunchTemplate,
    seconds: seconds.few,
    id: (_, world) => `lt-0${world.hex(16)}`,
    unique: [["name"]],
    duplicate: "InvalidLaunchTemplateName.AlreadyExistsException",
    references: [
        { ...groupReference, path: "vpcSecurityGroupIds[*]" },
        { ...groupReference, path: "networkInterfaces[*].securityGroups[*]" },
        { ...keyReference, path: "blockDeviceMappings[*].ebs.kmsKeyId" },
        {
            path: "iamInstanceProfile.name",
            to: Kind.InstanceProfile,
            missing: "InvalidIamInstanceProfileName.NotFound",
            holds: false,
        },
    ],
    immutable: ["name", "namePrefix"],
    changing: ["latestVersion", "defaultVersion"],
    check: check((found, inputs) => {
        found.matches("name", /^[a-zA-Z0-9().\-/_]{3,128}$/, "a launch template name of 3 to 128 characters");
        found.matches("imageId", AMI, "the id of an image");
        found
            .exclusive("vpcSecurityGroupIds", "securityGroupNames")
            .exclusive("defaultVersion", "updateDefaultVersion");
        // EC2 API Reference, RequestLaunchTemplateData: user data is base64, up to 16 KB before encoding.
        const data = text(inputs.userData);
        if (
            data !== undefined &&
            (!/^[A-Za-z0-9+/\r\n]*={0,2}\s*$/.test(data) || Buffer.from(data, "base64").length > 16384)
        ) {
            found.add("userData", "must be base64 of up to 16 KB");
        }
        found.oneOf("metadataOptions.httpTokens", ["optional", "required"]);
        found
            .oneOf("metadataOptions.httpEndpoint", ["enabled", "disabled"])
            .range("metadataOptions.httpPutResponseHopLimit", 1, 64);
        list(inputs.blockDeviceMappings).forEach((mapping, index) =>
            volumeProblems(record(record(mapping).ebs), (path, reason) =>
                found.add(`blockDeviceMappings[${index}].ebs.${path}`, reason),
            ),
        );
        found.when(
            list(inputs.networkInterfaces).length > 0 && found.has("vpcSecurityGroupIds"),
            "vpcSecurityGroupIds",
            "InvalidParameterCombination: network interfaces and an instance-level security group must not both be given",
        );
        for (const one of texts([inputs.instanceType])) {
            if (!INSTANCE_TYPES.has(one))
                found.add("instanceType", `"${one}" is none of the instance types that the rehearsal knows`);
        }
    }),
    outputs: (_, id, world, old) => ({
        arn: arn(world, "ec2", `launch-template/${id}`),
        latestVersion: Number(old?.outputs.latestVersion ?? 0) + 1,
        defaultVersion: 1,
    }),
    settled: (object, world) => {
        const defaultVersion =
            object.inputs.updateDefaultVersion === true
                ? object.outputs.latestVersion
                : (object.inputs.defaultVersion ?? 1);
        world.put({ ...object, outputs: { ...object.outputs, defaultVersion } });
    },
};

/** EBS User Guide, volume types: sizes, IOPS and throughput. */
export function volumeProblems(volume: Properties, add: (path: string, reason: string) => void): void {
    const type = text(volume.volumeType ?? volume.type) ?? "gp2";
    const size = volume.volumeSize ?? volume.size;
    const { iops, throughput } = volume;
    if (!["gp2", "gp3", "io1", "io2", "sc1", "st1", "standard"].includes(type))
        add("volumeType", `"${type}" is not a volume type`);
    const [low, high] = {
        gp2: [1, 16384],
        io1: [4, 16384],
        gp3: [1, 65536],
        io2: [4, 65536],
        sc1: [125, 16384],
        st1: [125, 16384],
        standard: [1, 1024],
    }[type] ?? [1, 65536];
    if (typeof size === "number" && (size < low || size > high))
        add("volumeSize", `${type} volumes have ${low} to ${high} GiB`);
    if (typeof iops === "number" && !["gp3", "io1", "io2"].includes(type)) add("iops", `${type} volumes take no IOPS`);
    if (typeof throughput === "number" && type !== "gp3") add("throughput", "only gp3 volumes take a throughput");
    if (type === "gp3" && typeof iops === "number" && (iops < 3000 || iops > 80000))
        add("iops", "gp3 volumes have 3000 to 80000 IOPS");
    if (type === "gp3" && typeof throughput === "number" && (throughput < 125 || throughput > 2000))
        add("throughput", "gp3 volumes have 125 to 2000 MiB/s");
    if (type.startsWith("io") && iops === undefined && size !== undefined) add("iops", `required for ${type}`);
    if (
        volume.kmsKeyId !== undefined &&
        (volume.encrypted === undefined || volume.encrypted === false || volume.encrypted === "false")
    ) {
        add("kmsKeyId", "InvalidParameterDependency: a key can be given only when encrypted is true");
    }
}

const instance: SimulatedType = {
    token: Kind.Instance,
    seconds: seconds.instance,
    id: (_, world) => `i-0${world.hex(16)}`,
    references: [
        { ...groupReference, path: "vpcSecurityGroupIds[*]" },
        { path: "subnetId", to: Kind.Subnet, missing: "InvalidSubnetID.NotFound" },
        {
            path: "launchTemplate.id",
            to: Kind.LaunchTemplate,
            missing: "InvalidLaunchTemplateId.NotFound",
            holds: false,
        },
        { path: "iamInstanceProfile", to: Kind.InstanceProfile, missing: "InvalidParameterValue", holds: false },
    ],
    immutable: [
        "ami",
        "subnetId",
        "availabilityZone",
        "keyName",
        "ebsBlockDevices",
        "networkInterfaces",
        "placementGroup",
        "tenancy",
    ],
    check: check((found, inputs) => {
        found
            .matches("ami", AMI, "the id of an image")
            .someOf("ami", "launchTemplate")
            .someOf("instanceType", "launchTemplate");
        for (const one of texts([inputs.instanceType])) {
            if (!INSTANCE_TYPES.has(one))
                found.add("instanceType", `"${one}" is none of the instance types that the rehearsal knows`);
        }
    }),
    relations: (inputs, world) =>
        needGroupsInVpc(world, texts(inputs.vpcSecurityGroupIds), vpcOfSubnet(world, inputs.subnetId)),
    outputs: (inputs, id, world, old) => {
        const subnet = text(inputs.subnetId) && world.get(Kind.Subnet, String(inputs.subnetId));
        return {
            arn: arn(world, "ec2", `instance/${id}`),
            instanceState: "running",
            availabilityZone: (subnet && subnet.outputs.availabilityZone) || zonesOf(world.region)[0],
            privateIp: old?.outputs.privateIp ?? addressIn(world, inputs.subnetId),
            primaryNetworkInterfaceId: old?.outputs.primaryNetworkInterfaceId ?? `eni-0${world.hex(16)}`,
        };
    },
};

const volume: SimulatedType = {
    token: Kind.Volume,
    seconds: seconds.volume,
    id: (_, world) => `vol-0${world.hex(16)}`,
    references: [
        { ...keyReference, path: "kmsKeyId" },
        { path: "snapshotId", to: Kind.Snapshot, holds: false, missing: "InvalidSnapshot.NotFound" },
    ],
    immutable: ["availabilityZone", "encrypted", "kmsKeyId", "snapshotId", "outpostArn", "multiAttachEnabled"],
    check: check((found, inputs) => {
        found.someOf("size", "snapshotId");
        volumeProblems(inputs, (path, reason) =>
            found.add(path.replace("volumeType", "type").replace("volumeSize", "size"), reason),
        );
    }),
    checkChange: (olds, news) =>
        typeof olds.size === "number" && typeof news.size === "number" && news.size < olds.size
            ? [{ property: "size", reason: `a volume cannot shrink: ${olds.size} GiB to ${news.size} GiB` }]
            : [],
    relations: (inputs, world) => {
        if (!zonesOf(world.region).includes(String(inputs.availabilityZone))) {
            refuse("InvalidZone.NotFound", `The zone '${String(inputs.availabilityZone)}' does not exist.`);
        }
    },
    outputs: (inputs, id, world) => ({
        arn: arn(world, "ec2", `volume/${id}`),
        type: inputs.type ?? "gp2",
        size: inputs.size ?? 8,
        encrypted: inputs.encrypted ?? false,
    }),
    refusesDeletion: ({ id, outputs }) =>
        text(outputs.attachedTo)
            ? `VolumeInUse: Volume ${id} is currently attached to ${String(outputs.attachedTo)}`
            : undefined,
};

const snapshot: SimulatedType = {
    token: Kind.Snapshot,
    seconds: seconds.snapshot,
    id: (_, world) => `snap-0${world.hex(16)}`,
    references: [{ path: "volumeId", to: Kind.Volume, holds: false, missing: "InvalidVolume.NotFound" }],
    immutable: ["volumeId", "description", "outpostArn"],
    outputs: (inputs, id, world) => ({
        arn: arn(world, "ec2", `snapshot/${id}`, { account: "" }),
        volumeSize: world.get(Kind.Volume, String(inputs.volumeId))?.outputs.size ?? 8,
        encrypted: world.get(Kind.Volume, String(inputs.volumeId))?.outputs.encrypted ?? false,
    }),
};

export const computeTypes = [launchTemplate, instance, volume, snapshot];
