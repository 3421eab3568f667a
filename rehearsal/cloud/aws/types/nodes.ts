import type { Properties } from "../../shell/type";
import { list, record, text, texts } from "../../shell/values";
import type { World, WorldObject } from "../../shell/world";
import { INSTANCE_TYPES, maxPods, type InstanceType } from "../catalogue/instanceTypes";
import { need, parseJson, vpcOfSubnet, zoneOfSubnet } from "../checks";
import { allows } from "../iam/access";
import { Kind } from "../kinds";
import { reachesInternet } from "../network";
import { nodeConfig } from "../nodeConfig";
import { zoneId } from "../places";
import { addressIn } from "./endpoints";

const NODE = "kubernetes:core/v1:Node";
export const EFFECTS: Record<string, string> = {
    NO_SCHEDULE: "NoSchedule",
    NO_EXECUTE: "NoExecute",
    PREFER_NO_SCHEDULE: "PreferNoSchedule",
};

export function templateOf(world: World, inputs: Properties): WorldObject | undefined {
    const { id, name } = record(inputs.launchTemplate);
    if (id === undefined && name === undefined) return undefined;
    return world.find(Kind.LaunchTemplate, (one) => one.id === id || one.inputs.name === name);
}

/** What keeps instances from becoming nodes, as far as the rest of the account decides it. */
export function whyNodesDoNotJoin(group: WorldObject, world: World): string[] {
    const reasons: string[] = [];
    const role = String(group.inputs.nodeRoleArn);
    // EKS User Guide, node IAM role.
    if (!allows(world, role, "ec2:DescribeInstances"))
        reasons.push(`${role} lacks AmazonEKSWorkerNodePolicy (or the minimal one)`);
    if (!allows(world, role, "ecr:GetAuthorizationToken"))
        reasons.push(`${role} cannot pull images: it lacks AmazonEC2ContainerRegistryPullOnly`);
    const cluster = world.get(Kind.Cluster, String(group.inputs.clusterName));
    // EKS API Reference, CreateCluster: without the self-managed add-ons there is no network plugin until the add-on comes.
    const cni = world.get(Kind.Addon, `${String(group.inputs.clusterName)}:vpc-cni`);
    if (cluster?.inputs.bootstrapSelfManagedAddons === false && !cni) {
        reasons.push("container runtime network not ready: cni plugin not initialized (the vpc-cni add-on is missing)");
    }
    for (const id of texts(group.inputs.subnetIds)) {
        if (!reachesOut(world, id))
            reasons.push(
                `Instances failed to join the kubernetes cluster: subnet ${id} has no route out and lacks interface endpoints`,
            );
    }
    const groups = nodeGroups(group, world);
    const own = String(record(cluster?.outputs.vpcConfig).clusterSecurityGroupId);
    if (templateGroups(group, world).length > 0 && !groups.includes(own)) {
        // With groups of their own, nodes need the cluster's group or rules that let them reach the API server.
        const known = texts(record(cluster?.outputs.vpcConfig).securityGroupIds);
        const admitted = [own, ...known].some((target) => ruleAdmits(world, target, groups));
        if (!admitted) reasons.push(`no rule of ${own} admits port 443 from the nodes' groups ${groups.join(", ")}`);
    }
    return [...new Set(reasons)];
}

function ruleAdmits(world: World, target: string, sources: string[]): boolean {
    const tokens = [Kind.IngressRule, Kind.SecurityGroupRule];
    return tokens.some((token) =>
        world
            .all(token)
            .some(
                ({ inputs }) =>
                    inputs.securityGroupId === target &&
                    (sources.includes(String(inputs.sourceSecurityGroupId ?? inputs.referencedSecurityGroupId)) ||
                        inputs.cidrIpv4 !== undefined ||
                        texts(inputs.cidrBlocks).length > 0),
            ),
    );
}

/** EKS User Guide, private clusters: what nodes need when there is no way to the internet. */
function reachesOut(world: World, subnetId: string): boolean {
    if (reachesInternet(world, subnetId) === true) return true;
    const vpcId = vpcOfSubnet(world, subnetId);
    const endpoints = world
        .all(Kind.VpcEndpoint)
        .filter(({ inputs }) => inputs.vpcId === vpcId)
        .map(({ inputs }) => String(inputs.serviceName));
    return ["ecr.api", "ecr.dkr", "s3", "ec2"].every((service) =>
        endpoints.some((name) => name.endsWith(`.${service}`)),
    );
}

function templateGroups(group: WorldObject, world: World): string[] {
    const template = templateOf(world, group.inputs)?.inputs ?? {};
    return [
        ...texts(template.vpcSecurityGroupIds),
        ...list(template.networkInterfaces).flatMap((one) => texts(record(one).securityGroups)),
    ];
}

/** The groups that the nodes really carry: the template's, or the one that EKS made for the cluster. */
export function nodeGroups(group: WorldObject, world: World): string[] {
    const own = templateGroups(group, world);
    if (own.length > 0) return own;
    return [
        String(
            record(world.get(Kind.Cluster, String(group.inputs.clusterName))?.outputs.vpcConfig).clusterSecurityGroupId,
        ),
    ];
}

/** @param group The node group, or the Auto Scaling group of self-managed nodes, that the nodes belong to. */
export function removeNodes(world: World, group: Pick<WorldObject, "token" | "id">, keep: number): void {
    const nodes = world.all(NODE).filter(({ owner }) => owner?.token === group.token && owner.id === group.id);
    for (const node of nodes.slice(keep)) world.within(node.scope!).remove(NODE, node.id);
}

/** Makes the nodes that a group wants and that can join. */
export function reconcileNodes(group: WorldObject, world: World): void {
    const wanted = Number(record(group.inputs.scalingConfig).desiredSize);
    const there = world
        .all(NODE)
        .filter((node) => node.owner?.token === group.token && node.owner.id === group.id).length;
    if (there >= wanted || whyNodesDoNotJoin(group, world).length > 0) return;
    const subnets = texts(group.inputs.subnetIds);
    for (let index = there; index < wanted; index++) makeNode(group, subnets[index % subnets.length], world);
}

function makeNode(group: WorldObject, subnetId: string, world: World): void {
    const cluster = String(group.inputs.clusterName);
    const zone = zoneOfSubnet(world, subnetId) ?? "";
    const template = templateOf(world, group.inputs)?.inputs ?? {};
    const name = texts(group.outputs.instanceTypes)[0] ?? text(template.instanceType) ?? "t3.medium";
    const machine = INSTANCE_TYPES.get(name) ?? need(world, "instance type", name, "InvalidInstanceType");
    const address = addressIn(world, subnetId);
    const host = `ip-${address.replaceAll(".", "-")}.${world.region === "us-east-1" ? "ec2" : `${world.region}.compute`}.internal`;
    const architecture = (machine as InstanceType).architecture === "arm64" ? "arm64" : "amd64";
    const labels = {
        ...record(group.inputs.labels),
        // Old names that kubelet and cloud controller still write (kubelet_node_status.go, cloud-provider's node_controller.go of 1.36).
        "beta.kubernetes.io/os": "linux",
        "beta.kubernetes.io/arch": architecture,
        "beta.kubernetes.io/instance-type": name,
        "failure-domain.beta.kubernetes.io/zone": zone,
        "failure-domain.beta.kubernetes.io/region": world.region,
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": world.region,
        "topology.k8s.aws/zone-id": zone && zoneId(zone),
        "kubernetes.io/arch": architecture,
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": host,
        "node.kubernetes.io/instance-type": name,
        ...(group.token === Kind.NodeGroup
            ? {
                  "eks.amazonaws.com/nodegroup": String(group.inputs.nodeGroupName),
                  "eks.amazonaws.com/capacityType": String(group.outputs.capacityType),
              }
            : {}),
    };
    const taints = list(group.inputs.taints)
        .map(record)
        .map(({ key, value, effect }) => ({ key, value, effect: EFFECTS[String(effect)] }));
    const resources = nodeResources(machine as InstanceType, group, template, world);
    world.put({
        token: NODE,
        id: host,
        scope: cluster,
        inputs: {},
        outputs: {
            apiVersion: "v1",
            kind: "Node",
            metadata: {
                name: host,
                labels,
                annotations: {
                    "rehearsal/subnet-id": subnetId,
                    "rehearsal/security-group-ids": nodeGroups(group, world).join(","),
                },
            },
            spec: { providerID: `aws:///${zone}/i-0${world.hex(16)}`, taints },
            status: {
                ...resources,
                addresses: [{ type: "InternalIP", address }],
                conditions: [{ type: "Ready", status: "True" }],
            },
        },
        implicit: true,
        owner: { token: group.token, id: group.id },
    });
}

/** What kubelet keeps for itself: the EKS AMI's own formula (amazon-eks-ami, nodeadm: memory by pods, CPU by cores). */
function nodeResources(machine: InstanceType, group: WorldObject, template: Properties, world: World): Properties {
    const cni = world.get(Kind.Addon, `${String(group.inputs.clusterName)}:vpc-cni`);
    const env = record(record(parseJson(cni?.inputs.configurationValues)).env);
    const config = nodeConfig(Buffer.from(text(template.userData) ?? "", "base64").toString("utf8"));
    const addressed = maxPods(machine, env.ENABLE_PREFIX_DELEGATION === "true" && machine.nitro);
    // kubelet takes any number, and pods beyond the addresses never start.
    const pods = Math.min(config.maxPods ?? addressed, addressed);
    const reservedCpu =
        [0.06, 0.01, 0.005, 0.005].slice(0, machine.vcpus).reduce((sum, part) => sum + part, 0) +
        Math.max(0, machine.vcpus - 4) * 0.0025;
    const reservedMemory = 255 + 11 * pods + 100;
    const usesInstanceStore = /^RAID(0|10)$/.test(config.localStorage ?? "") && machine.instanceStoreGB > 0;
    const root = Number(
        record(record(list(template.blockDeviceMappings)[0]).ebs).volumeSize ?? (group.outputs.diskSize || 20),
    );
    const disk = usesInstanceStore ? Math.round(machine.instanceStoreGB * 0.93) : root;
    return {
        capacity: {
            cpu: String(machine.vcpus),
            memory: `${Math.round(machine.memoryGiB * 1024 * 0.97)}Mi`,
            pods: String(pods),
            "ephemeral-storage": `${disk}Gi`,
        },
        allocatable: {
            cpu: `${Math.round((machine.vcpus - reservedCpu) * 1000)}m`,
            memory: `${Math.max(128, Math.round(machine.memoryGiB * 1024 * 0.97) - reservedMemory)}Mi`,
            pods: String(pods),
            "ephemeral-storage": `${Math.round(disk * 0.89)}Gi`,
        },
    };
}
