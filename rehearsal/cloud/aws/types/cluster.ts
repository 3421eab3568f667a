import { createHash } from "node:crypto";
import type { Properties, SimulatedType } from "../../shell/type";
import { empty, list, record, text, texts } from "../../shell/values";
import type { World, WorldObject } from "../../shell/world";
import { Cluster, clusterName } from "../../kubernetes/cluster";
import { arn } from "../arn";
import { EKS_VERSIONS, minorOf, NEWEST_EKS_VERSION } from "../catalogue/eksVersions";
import { check, need, needGroupsInVpc, refuse, vpcOfSubnet, zoneOfSubnet } from "../checks";
import { contains, parseCidr } from "../cidr";
import { seconds } from "../durations";
import { trustsService } from "../iam/access";
import { Kind } from "../kinds";
import { makeImplicitGroup } from "./securityGroups";

const LOG_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"];
const PRIVATE_RANGES = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"].map((cidr) => parseCidr(cidr)!);
const MODES = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"];

/** Who carries out what the rehearsal does. */
export function callerArn(world: World): string {
    return arn(world, "iam", "role/rehearsal");
}

export const cluster: SimulatedType = {
    token: Kind.Cluster,
    seconds: seconds.cluster,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    duplicate: "ResourceInUseException",
    references: [
        { path: "roleArn", to: Kind.Role, by: "arn", holds: false, missing: "InvalidParameterException" },
        { path: "vpcConfig.subnetIds[*]", to: Kind.Subnet, missing: "InvalidParameterException" },
        { path: "vpcConfig.securityGroupIds[*]", to: Kind.SecurityGroup, missing: "InvalidParameterException" },
        {
            path: "encryptionConfig.provider.keyArn",
            to: Kind.Key,
            by: "arn",
            holds: false,
            missing: "InvalidParameterException",
        },
    ],
    // EKS API Reference, UpdateClusterConfig names what can change; the rest cannot.
    immutable: [
        "name",
        "roleArn",
        "accessConfig.bootstrapClusterCreatorAdminPermissions",
        "bootstrapSelfManagedAddons",
        "kubernetesNetworkConfig.ipFamily",
        "kubernetesNetworkConfig.serviceIpv4Cidr",
        "outpostConfig",
        "encryptionConfig",
    ],
    check: check((found, inputs) => {
        found.matches("name", /^[0-9A-Za-z][A-Za-z0-9_-]{0,99}$/, "a cluster name: up to 100 letters, digits, - and _");
        found.oneOf("version", EKS_VERSIONS).oneOf("enabledClusterLogTypes[*]", LOG_TYPES);
        found
            .oneOf("accessConfig.authenticationMode", MODES)
            .oneOf("upgradePolicy.supportType", ["STANDARD", "EXTENDED"]);
        found
            .oneOf("encryptionConfig.resources[*]", ["secrets"])
            .oneOf("kubernetesNetworkConfig.ipFamily", ["ipv4", "ipv6"]);
        const network = record(inputs.vpcConfig);
        found.when(
            network.endpointPublicAccess === false && network.endpointPrivateAccess !== true,
            "vpcConfig.endpointPrivateAccess",
            "Private and public endpoint access cannot both be false",
        );
        list(network.publicAccessCidrs).forEach((cidr, index) => {
            const range = parseCidr(cidr);
            const at = `vpcConfig.publicAccessCidrs[${index}]`;
            if (typeof cidr !== "string") return;
            if (!range && !cidr.includes(":")) found.add(at, `"${cidr}" is not a CIDR block`);
            // EKS User Guide, cluster endpoint: reserved ranges are refused.
            if (range && PRIVATE_RANGES.some((reserved) => contains(reserved, range))) {
                found.add(at, `InvalidParameterException: ${cidr} is a reserved range, not a public one`);
            }
        });
    }),
    checkChange: (olds, news) => {
        const failures = [];
        const [from, to] = [minorOf(olds.version), minorOf(news.version)];
        // EKS User Guide, "Update existing cluster": one minor version at a time, never back.
        if (to < from)
            failures.push({
                property: "version",
                reason: `Unsupported Kubernetes minor version update from 1.${from} to 1.${to}: a cluster cannot go back`,
            });
        if (to > from + 1)
            failures.push({
                property: "version",
                reason: `Unsupported Kubernetes minor version update from 1.${from} to 1.${to}: one minor version at a time`,
            });
        const mode = (inputs: Properties) =>
            MODES.indexOf(text(record(inputs.accessConfig).authenticationMode) ?? "CONFIG_MAP");
        if (mode(news) < mode(olds))
            failures.push({
                property: "accessConfig.authenticationMode",
                reason: "the authentication mode can go from CONFIG_MAP to API only, not back",
            });
        return failures;
    },
    relations: (inputs, world, self) => {
        const network = record(inputs.vpcConfig);
        const subnets = texts(network.subnetIds);
        const vpcs = new Set(subnets.map((id) => vpcOfSubnet(world, id)));
        if (vpcs.size > 1)
            refuse("InvalidParameterException", `Subnets are not in the same Vpc: ${[...vpcs].join(", ")}`);
        if (new Set(subnets.map((id) => zoneOfSubnet(world, id))).size < 2) {
            refuse("InvalidParameterException", "Subnets specified must be in at least two different AZs");
        }
        needGroupsInVpc(world, texts(network.securityGroupIds), vpcOfSubnet(world, subnets[0]));
        if (!trustsService(world, String(inputs.roleArn), "eks.amazonaws.com")) {
            refuse(
                "InvalidParameterException",
                `Role with arn: ${String(inputs.roleArn)}, could not be assumed because its trust policy does not name eks.amazonaws.com`,
            );
        }
        const behind =
            self &&
            world.find(
                Kind.NodeGroup,
                // Kubernetes version skew policy: nodes may be three minor versions behind.
                (group) =>
                    group.inputs.clusterName === self.id &&
                    minorOf(group.outputs.version) < minorOf(inputs.version) - 3,
            );
        if (behind)
            refuse(
                "InvalidRequestException",
                `node group ${behind.id} is more than three minor versions behind ${String(inputs.version)}`,
            );
    },
    outputs: (inputs, id, world, old) => {
        const hash = old
            ? String(old.outputs.endpoint).slice("https://".length).split(".")[0]
            : world.hex(32).toUpperCase();
        const network = record(inputs.vpcConfig);
        const before = record(old?.outputs.vpcConfig);
        const access = record(inputs.accessConfig);
        const ipFamily = record(inputs.kubernetesNetworkConfig).ipFamily ?? "ipv4";
        const vpcId = vpcOfSubnet(world, texts(network.subnetIds)[0]);
        const inTen = String(world.get(Kind.Vpc, vpcId ?? "")?.outputs.cidrBlock).startsWith("10.");
        return {
            arn: arn(world, "eks", `cluster/${id}`),
            version: inputs.version ?? old?.outputs.version ?? NEWEST_EKS_VERSION,
            endpoint: `https://${hash}.gr7.${world.region}.eks.amazonaws.com`,
            certificateAuthority: {
                data: Buffer.from(
                    `-----BEGIN CERTIFICATE-----\n${createHash("sha256").update(hash).digest("base64")}\n-----END CERTIFICATE-----\n`,
                ).toString("base64"),
            },
            identities: [{ oidcs: [{ issuer: `https://oidc.eks.${world.region}.amazonaws.com/id/${hash}` }] }],
            status: "ACTIVE",
            platformVersion: "eks.1",
            clusterId: "",
            createdAt: old?.outputs.createdAt ?? "2026-01-01T00:00:00Z",
            accessConfig: {
                authenticationMode: access.authenticationMode ?? "CONFIG_MAP",
                bootstrapClusterCreatorAdminPermissions: access.bootstrapClusterCreatorAdminPermissions ?? true,
            },
            upgradePolicy: { supportType: record(inputs.upgradePolicy).supportType ?? "EXTENDED" },
            deletionProtection: inputs.deletionProtection ?? false,
            kubernetesNetworkConfig: {
                ipFamily,
                serviceIpv4Cidr:
                    record(inputs.kubernetesNetworkConfig).serviceIpv4Cidr ??
                    (inTen ? "172.20.0.0/16" : "10.100.0.0/16"),
                ...record(inputs.kubernetesNetworkConfig),
            },
            vpcConfig: {
                ...network,
                endpointPublicAccess: network.endpointPublicAccess ?? true,
                endpointPrivateAccess: network.endpointPrivateAccess ?? false,
                // EKS API Reference, VpcConfigRequest: an absent or empty list means the whole world.
                publicAccessCidrs: empty(network.publicAccessCidrs) ? ["0.0.0.0/0"] : network.publicAccessCidrs,
                clusterSecurityGroupId: before.clusterSecurityGroupId ?? `sg-0${world.hex(16)}`,
                vpcId,
            },
        };
    },
    settled: (object, world, old) => {
        const network = record(object.outputs.vpcConfig);
        if (!old) {
            // EKS User Guide, "Amazon EKS security group requirements": the group that every managed node carries.
            makeImplicitGroup(world, {
                id: String(network.clusterSecurityGroupId),
                vpcId: String(network.vpcId),
                name: `eks-cluster-sg-${object.id}-${world.next()}`,
                description:
                    "EKS created security group applied to ENI that is attached to EKS Control Plane master nodes, as well as any managed workloads.",
                owner: { token: Kind.Cluster, id: object.id },
                tags: {
                    Name: `eks-cluster-sg-${object.id}`,
                    [`kubernetes.io/cluster/${object.id}`]: "owned",
                    "aws:eks:cluster-name": object.id,
                },
            });
            if (record(object.outputs.accessConfig).bootstrapClusterCreatorAdminPermissions === true) {
                makeAccessEntry(world, object.id, callerArn(world), "STANDARD");
                const policyArn = `arn:${world.partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`;
                const inputs = {
                    clusterName: object.id,
                    principalArn: callerArn(world),
                    policyArn,
                    accessScope: { type: "cluster" },
                };
                world.put({
                    token: Kind.AccessPolicyAssociation,
                    id: `${object.id}#${callerArn(world)}#${policyArn}`,
                    inputs,
                    outputs: inputs,
                    implicit: true,
                    owner: { token: Kind.Cluster, id: object.id },
                });
            }
        }
        makeLogGroup(object, world);
    },
    refusesDeletion: (object) =>
        object.inputs.deletionProtection === true
            ? `InvalidRequestException: Cluster ${object.id} has deletion protection enabled`
            : undefined,
    removed: (object, world) => {
        new Cluster(world.everywhere, clusterName(object)).vanish();
        for (const token of [Kind.Addon, Kind.AccessEntry, Kind.AccessPolicyAssociation, Kind.PodIdentityAssociation]) {
            for (const one of world.all(token)) if (one.inputs.clusterName === object.id) world.remove(token, one.id);
        }
        const group = String(record(object.outputs.vpcConfig).clusterSecurityGroupId);
        // A load balancer that was left behind keeps the group, and the group the VPC.
        const used = world.find(Kind.NetworkInterface, ({ inputs }) => texts(inputs.securityGroups).includes(group));
        if (!used) {
            for (const token of [Kind.SecurityGroupRule, Kind.IngressRule, Kind.EgressRule]) {
                for (const rule of world.all(token))
                    if (rule.inputs.securityGroupId === group) world.remove(token, rule.id);
            }
            world.remove(Kind.SecurityGroup, group);
        }
    },
};

/** EKS makes the log group when logging is on and it is not there; it stays when the cluster goes. */
function makeLogGroup(object: WorldObject, world: World): void {
    const name = `/aws/eks/${object.id}/cluster`;
    if (texts(object.inputs.enabledClusterLogTypes).length === 0 || world.get(Kind.LogGroup, name)) return;
    world.put({
        token: Kind.LogGroup,
        id: name,
        inputs: { name },
        outputs: { name, arn: arn(world, "logs", `log-group:${name}`) },
        implicit: true,
    });
}

export function makeAccessEntry(world: World, clusterName: string, principalArn: string, type: string): void {
    const id = `${clusterName}:${principalArn}`;
    if (world.get(Kind.AccessEntry, id)) return;
    const inputs = { clusterName, principalArn, type };
    const outputs = {
        ...inputs,
        accessEntryArn: arn(world, "eks", `access-entry/${clusterName}/role/${id.split("/").pop()}`),
        kubernetesGroups: [],
        userName: principalArn,
    };
    world.put({
        token: Kind.AccessEntry,
        id,
        inputs,
        outputs,
        implicit: true,
        owner: { token: Kind.Cluster, id: clusterName },
    });
}

export function clusterOf(world: World, inputs: Properties): WorldObject {
    return need(world, Kind.Cluster, inputs.clusterName, "ResourceNotFoundException");
}
