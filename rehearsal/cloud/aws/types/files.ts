import type { SimulatedType } from "../../shell/type";
import { list, record, text, texts } from "../../shell/values";
import { arn } from "../arn";
import { check, need, needGroupsInVpc, parseJson, refuse, vpcOfSubnet, zoneOfSubnet } from "../checks";
import { seconds } from "../durations";
import { statements } from "../iam/document";
import { Kind } from "../kinds";
import { zoneId, zonesOf } from "../places";
import { addressIn } from "./endpoints";

const fileSystemReference = { path: "fileSystemId", to: Kind.FileSystem, missing: "FileSystemNotFound" };
const LIFE = [
    "AFTER_1_DAY",
    "AFTER_7_DAYS",
    "AFTER_14_DAYS",
    "AFTER_30_DAYS",
    "AFTER_60_DAYS",
    "AFTER_90_DAYS",
    "AFTER_180_DAYS",
    "AFTER_270_DAYS",
    "AFTER_365_DAYS",
];

const fileSystem: SimulatedType = {
    token: Kind.FileSystem,
    seconds: seconds.fileSystem,
    id: (_, world) => `fs-0${world.hex(16)}`,
    references: [
        { path: "kmsKeyId", to: [Kind.Key, Kind.Alias], by: "arn", holds: false, missing: "KmsKeyNotFoundException" },
    ],
    unique: [["creationToken"]],
    duplicate: "FileSystemAlreadyExists",
    // EFS API Reference, UpdateFileSystem: only throughput can change.
    immutable: ["encrypted", "kmsKeyId", "performanceMode", "creationToken", "availabilityZoneName"],
    check: check((found, inputs) => {
        found
            .oneOf("performanceMode", ["generalPurpose", "maxIO"])
            .oneOf("throughputMode", ["bursting", "provisioned", "elastic"]);
        found.matches("creationToken", /^.{1,64}$/, "a creation token of up to 64 characters");
        found.matches("kmsKeyId", /^arn:/, "the ARN of a key");
        found.range("provisionedThroughputInMibps", 1, 3414);
        found
            .oneOf("lifecyclePolicies[*].transitionToIa", LIFE)
            .oneOf("lifecyclePolicies[*].transitionToArchive", LIFE);
        found.oneOf("lifecyclePolicies[*].transitionToPrimaryStorageClass", ["AFTER_1_ACCESS"]);
        found.oneOf("protection.replicationOverwrite", ["ENABLED", "DISABLED"]);
        // EFS API Reference, CreateFileSystem.
        found.when(
            found.has("kmsKeyId") && inputs.encrypted === false,
            "encrypted",
            "must be true when kmsKeyId is given",
        );
        found.when(
            found.has("kmsKeyId") && inputs.encrypted === undefined,
            "encrypted",
            "all of `encrypted,kms_key_id` must be specified",
        );
        const provisioned = inputs.throughputMode === "provisioned";
        const amount = found.has("provisionedThroughputInMibps");
        found.when(provisioned && !amount, "provisionedThroughputInMibps", "required with throughput mode provisioned");
        found.when(
            !provisioned && amount && text(inputs.throughputMode) !== undefined,
            "provisionedThroughputInMibps",
            "only with throughput mode provisioned",
        );
        const maxIo = inputs.performanceMode === "maxIO";
        found.when(
            maxIo && inputs.throughputMode === "elastic",
            "performanceMode",
            "maxIO is not supported with elastic throughput",
        );
        found.when(
            maxIo && found.has("availabilityZoneName"),
            "performanceMode",
            "maxIO is not supported by One Zone file systems",
        );
        list(inputs.lifecyclePolicies).forEach((policy, index) => {
            const given = Object.keys(record(policy));
            found.when(
                given.length > 1,
                `lifecyclePolicies[${index}]`,
                "each lifecycle policy holds one transition: write several",
            );
        });
    }),
    relations: (inputs, world) => {
        const zone = text(inputs.availabilityZoneName);
        if (zone !== undefined && !zonesOf(world.region).includes(zone)) {
            refuse("ValidationException", `availability zone ${zone} does not exist in ${world.region}`);
        }
    },
    outputs: (inputs, id, world, old) => ({
        arn: arn(world, "elasticfilesystem", `file-system/${id}`),
        creationToken: inputs.creationToken ?? old?.outputs.creationToken ?? `terraform-${world.hex(26)}`,
        dnsName: `${id}.efs.${world.region}.amazonaws.com`,
        encrypted: inputs.encrypted ?? false,
        kmsKeyId: inputs.kmsKeyId ?? (inputs.encrypted ? arn(world, "kms", "key/aws-elasticfilesystem") : ""),
        performanceMode: inputs.performanceMode ?? "generalPurpose",
        throughputMode: inputs.throughputMode ?? "bursting",
        protection: inputs.protection ?? { replicationOverwrite: "ENABLED" },
        availabilityZoneName: inputs.availabilityZoneName ?? "",
        availabilityZoneId: text(inputs.availabilityZoneName) ? zoneId(String(inputs.availabilityZoneName)) : "",
        name: record(inputs.tags).Name ?? "",
        numberOfMountTargets: world.all(Kind.MountTarget).filter((target) => target.inputs.fileSystemId === id).length,
    }),
    current: (object, world) => ({
        numberOfMountTargets: world.all(Kind.MountTarget).filter((target) => target.inputs.fileSystemId === object.id)
            .length,
    }),
    refusesDeletion: (object, world) => {
        const replication = world.find(
            Kind.ReplicationConfiguration,
            ({ inputs }) => inputs.sourceFileSystemId === object.id,
        );
        return (
            replication &&
            `ReplicationAlreadyExists: file system ${object.id} is the source of a replication configuration`
        );
    },
    removed: (object, world) => {
        for (const token of [Kind.FileSystemPolicy, Kind.BackupPolicy]) {
            for (const one of world.all(token)) if (one.inputs.fileSystemId === object.id) world.remove(token, one.id);
        }
        // EFS User Guide, deleting a file system: its access points go with it.
        for (const point of world.all(Kind.AccessPoint)) {
            if (point.inputs.fileSystemId === object.id) world.remove(Kind.AccessPoint, point.id);
        }
    },
};

const mountTarget: SimulatedType = {
    token: Kind.MountTarget,
    seconds: seconds.mountTarget,
    id: (_, world) => `fsmt-0${world.hex(16)}`,
    references: [
        { ...fileSystemReference, holds: "FileSystemInUse" },
        { path: "subnetId", to: Kind.Subnet, missing: "SubnetNotFound" },
        { path: "securityGroups[*]", to: Kind.SecurityGroup, missing: "SecurityGroupNotFound" },
    ],
    immutable: ["fileSystemId", "subnetId", "ipAddress", "ipAddressType", "ipv6Address"],
    check: check((found, inputs) => {
        // EFS quotas: up to five security groups for a mount target.
        found.when(
            list(inputs.securityGroups).length > 5,
            "securityGroups",
            "a mount target has up to 5 security groups",
        );
        found.oneOf("ipAddressType", ["IPV4_ONLY", "IPV6_ONLY", "DUAL_STACK"]);
    }),
    relations: (inputs, world, self) => {
        const zone = zoneOfSubnet(world, inputs.subnetId);
        const vpcId = vpcOfSubnet(world, inputs.subnetId);
        needGroupsInVpc(world, texts(inputs.securityGroups), vpcId);
        const system = need(world, Kind.FileSystem, inputs.fileSystemId, "FileSystemNotFound");
        const only = text(system.inputs.availabilityZoneName);
        if (only && only !== zone) {
            refuse(
                "AvailabilityZonesMismatch",
                `the One Zone file system ${system.id} is in ${only}, the subnet in ${zone}`,
            );
        }
        // EFS API Reference, CreateMountTarget: one for each zone, all in one VPC.
        for (const other of world.all(Kind.MountTarget)) {
            if (other.id === self?.id || other.inputs.fileSystemId !== inputs.fileSystemId) continue;
            if (other.outputs.availabilityZoneName === zone) {
                refuse("MountTargetConflict", `mount target already exists in this AZ: ${other.id} in ${zone}`);
            }
            if (vpcOfSubnet(world, other.inputs.subnetId) !== vpcId) {
                refuse(
                    "MountTargetConflict",
                    "requested subnet for new mount target is not in the same VPC as existing mount targets",
                );
            }
        }
    },
    outputs: (inputs, _, world, old) => {
        const zone = zoneOfSubnet(world, inputs.subnetId) ?? "";
        const vpc = world.get(Kind.Vpc, vpcOfSubnet(world, inputs.subnetId) ?? "");
        const system = String(inputs.fileSystemId);
        return {
            availabilityZoneName: zone,
            availabilityZoneId: zone ? zoneId(zone) : "",
            ipAddress: inputs.ipAddress ?? old?.outputs.ipAddress ?? addressIn(world, inputs.subnetId),
            ipAddressType: inputs.ipAddressType ?? "IPV4_ONLY",
            dnsName: `${system}.efs.${world.region}.amazonaws.com`,
            mountTargetDnsName: `${zone}.${system}.efs.${world.region}.amazonaws.com`,
            fileSystemArn: arn(world, "elasticfilesystem", `file-system/${system}`),
            networkInterfaceId: old?.outputs.networkInterfaceId ?? `eni-0${world.hex(16)}`,
            securityGroups: inputs.securityGroups ?? [vpc?.outputs.defaultSecurityGroupId],
        };
    },
};

/** The root of an access point: EFS API Reference, RootDirectory. */
export const ROOT_PATH = /^(?=.{1,100}$)(\/|(\/(?!\.)[^$#<>;`|&?{}^*/\n]+){1,4})$/;

const accessPoint: SimulatedType = {
    token: Kind.AccessPoint,
    seconds: seconds.accessPoint,
    id: (_, world) => `fsap-0${world.hex(16)}`,
    references: [{ ...fileSystemReference, holds: false }],
    // EFS User Guide, access points: they cannot be changed.
    immutable: ["fileSystemId", "posixUser", "rootDirectory"],
    check: check((found) => {
        found.matches("rootDirectory.path", ROOT_PATH, "an absolute path of up to four levels and 100 characters");
        found.matches("rootDirectory.creationInfo.permissions", /^[0-7]{3,4}$/, "an octal mode such as 755");
        found.range("posixUser.uid", 0, 4294967295).range("posixUser.gid", 0, 4294967295);
    }),
    outputs: (inputs, id, world) => ({
        arn: arn(world, "elasticfilesystem", `access-point/${id}`),
        fileSystemArn: arn(world, "elasticfilesystem", `file-system/${String(inputs.fileSystemId)}`),
        rootDirectory: inputs.rootDirectory ?? { path: "/" },
    }),
};

const fileSystemPolicy: SimulatedType = {
    token: Kind.FileSystemPolicy,
    seconds: seconds.few,
    id: (inputs) => String(inputs.fileSystemId),
    references: [{ ...fileSystemReference, holds: false }],
    immutable: ["fileSystemId"],
    defaults: (inputs) => ({
        ...inputs,
        policy: typeof inputs.policy === "object" ? JSON.stringify(inputs.policy) : inputs.policy,
    }),
    check: check((found, inputs) => {
        found.json("policy");
        const document = parseJson(inputs.policy);
        if (document === undefined) return;
        for (const statement of statements(document)) {
            if (!["Allow", "Deny"].includes(String(statement.Effect)))
                found.add("policy", "InvalidPolicyException: a statement's Effect is Allow or Deny");
            if (statement.Principal === undefined && statement.NotPrincipal === undefined)
                found.add("policy", "InvalidPolicyException: a statement needs a Principal");
        }
        // EFS API Reference, PutFileSystemPolicy: the safety check that BypassPolicyLockoutSafetyCheck turns off.
        const locked = statements(document).some(
            ({ Effect, Principal, Action, Condition }) =>
                Effect === "Deny" &&
                (Principal === "*" || record(Principal).AWS === "*") &&
                Condition === undefined &&
                [Action]
                    .flat()
                    .some(
                        (action) =>
                            action === "*" ||
                            action === "elasticfilesystem:*" ||
                            action === "elasticfilesystem:PutFileSystemPolicy",
                    ),
        );
        found.when(
            locked && inputs.bypassPolicyLockoutSafetyCheck !== true,
            "policy",
            "InvalidPolicyException: the policy would lock out whoever sets it",
        );
    }),
};

const backupPolicy: SimulatedType = {
    token: Kind.BackupPolicy,
    seconds: seconds.few,
    id: (inputs) => String(inputs.fileSystemId),
    references: [{ ...fileSystemReference, holds: false }],
    immutable: ["fileSystemId"],
    check: check((found) => found.oneOf("backupPolicy.status", ["ENABLED", "DISABLED"])),
};

const replication: SimulatedType = {
    token: Kind.ReplicationConfiguration,
    seconds: seconds.replication,
    id: (inputs) => String(inputs.sourceFileSystemId),
    references: [{ path: "sourceFileSystemId", to: Kind.FileSystem, missing: "FileSystemNotFound" }],
    unique: [["sourceFileSystemId"]],
    duplicate: "ReplicationAlreadyExists",
    immutable: ["sourceFileSystemId", "destination"],
    check: check((found, inputs) => {
        const target = record(inputs.destination);
        found.when(
            target.region === undefined &&
                target.availabilityZoneName === undefined &&
                target.fileSystemId === undefined,
            "destination",
            "one of region, availabilityZoneName, fileSystemId is required",
        );
    }),
    outputs: (inputs, _, world, old) => {
        const source = need(world, Kind.FileSystem, inputs.sourceFileSystemId, "FileSystemNotFound");
        const target = record(inputs.destination);
        const known = record(list(old?.outputs.destinations)[0]).fileSystemId;
        const fileSystemId = target.fileSystemId ?? known ?? `fs-0${world.hex(16)}`;
        return {
            sourceFileSystemArn: source.outputs.arn,
            originalSourceFileSystemArn: source.outputs.arn,
            sourceFileSystemRegion: world.region,
            creationTime: "2026-01-01T00:00:00Z",
            destination: { ...target, fileSystemId, status: "ENABLED" },
            destinations: [{ fileSystemId }],
        };
    },
    settled: (object, world, old) => {
        const target = record(object.outputs.destination);
        if (old || record(object.inputs.destination).fileSystemId !== undefined) return;
        const region = text(target.region) ?? world.region;
        const id = String(target.fileSystemId);
        // EFS User Guide, replication: the destination is encrypted, read-only, and stays when the replication is deleted.
        world.put({
            token: Kind.FileSystem,
            id,
            scope: `${world.accountId}/${region}`,
            inputs: { encrypted: true, kmsKeyId: target.kmsKeyId },
            outputs: {
                encrypted: true,
                kmsKeyId: target.kmsKeyId,
                arn: arn(world, "elasticfilesystem", `file-system/${id}`, { region }),
                dnsName: `${id}.efs.${region}.amazonaws.com`,
            },
            implicit: true,
            owner: { token: Kind.ReplicationConfiguration, id: object.id },
        });
    },
};

export const fileTypes = [fileSystem, mountTarget, accessPoint, fileSystemPolicy, backupPolicy, replication];
