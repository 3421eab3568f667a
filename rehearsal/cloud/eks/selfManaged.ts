import { Kind } from "../aws/kinds";
import { isPublicSubnet } from "../aws/network";
import { Reference } from "../shell/marshal";
import type { ChildOptions, Registered, Registrar } from "../shell/monitor";
import type { ConstructRequest, ConstructResult } from "../shell/package";
import type { Properties } from "../shell/type";
import { empty, hasUnknown, isObject, list, record, text, texts, UNKNOWN } from "../shell/values";
import type { World } from "../shell/world";
import { coreOf } from "./nodeGroup";
import { clusterTag, resource } from "./settings";

/** What a group of self-managed nodes needs to know of its cluster. */
export interface NodesOf {
    cluster: Registered;
    vpcId: unknown;
    subnetIds: unknown;
    publicSubnetIds?: unknown;
    privateSubnetIds?: unknown;
    nodeSecurityGroupId: unknown;
    profileName: unknown;
}

/**
 * Self-managed nodes: a launch template and an Auto Scaling group.
 * Source: pulumi-eks 4.3, nodejs/eks/nodes/nodegroup.ts (`createNodeGroupV2`).
 */
export async function selfManagedNodes(
    name: string,
    args: Properties,
    nodes: NodesOf,
    monitor: Registrar,
    world: World,
    options: ChildOptions = {},
): Promise<Registered> {
    refuseArguments(args);
    const { cluster } = nodes;
    const profileName = args.instanceProfileName ?? nodes.profileName;
    if (profileName === undefined) throw new Error("an instanceProfile or instanceProfileName is required");
    const keyName = await keyOf(name, args, monitor);
    const volume = Object.fromEntries(
        [
            ["encrypted", "nodeRootVolumeEncrypted"],
            ["volumeSize", "nodeRootVolumeSize"],
            ["volumeType", "nodeRootVolumeType"],
            ["iops", "nodeRootVolumeIops"],
            ["throughput", "nodeRootVolumeThroughput"],
            ["deleteOnTermination", "nodeRootVolumeDeleteOnTermination"],
        ]
            .filter(([, key]) => args[key] !== undefined)
            .map(([field, key]) => [field, typeof args[key] === "boolean" ? String(args[key]) : args[key]]),
    );
    const groups = [nodes.nodeSecurityGroupId, ...list(args.extraNodeSecurityGroups).map((one) => record(one).id)];
    const template = await monitor.custom(
        Kind.LaunchTemplate,
        `${name}-launchTemplate`,
        {
            imageId: args.amiId ?? (await recommendedImage(args, cluster, monitor)),
            instanceType: args.instanceType ?? "t3.medium",
            iamInstanceProfile: { name: profileName },
            ...(keyName === undefined ? {} : { keyName }),
            ...(args.spotPrice === undefined
                ? {}
                : { instanceMarketOptions: { marketType: "spot", spotOptions: { maxPrice: args.spotPrice } } }),
            ...(empty(volume) ? {} : { blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: volume }] }),
            networkInterfaces: [
                {
                    associatePublicIpAddress: String(args.nodeAssociatePublicIpAddress ?? true),
                    securityGroups: groups.includes(UNKNOWN) ? UNKNOWN : groups,
                },
            ],
            ...(args.metadataOptions === undefined ? {} : { metadataOptions: args.metadataOptions }),
            userData: userData(args, cluster),
        },
        { ...options, dependsOn: [cluster, ...(options.dependsOn ?? [])] },
    );
    const { latestVersion } = template.outputs;
    const tags = { ...record(args.autoScalingGroupTags), ...clusterTag(cluster.outputs.name) };
    return monitor.custom(
        Kind.AutoscalingGroup,
        name,
        {
            minSize: args.minSize ?? 1,
            maxSize: args.maxSize ?? 2,
            desiredCapacity: args.desiredCapacity ?? 2,
            launchTemplate: {
                name: template.outputs.name,
                version: hasUnknown(latestVersion) ? UNKNOWN : String(latestVersion),
            },
            vpcZoneIdentifiers: args.nodeSubnetIds ?? workerSubnets(nodes, world),
            instanceRefresh: {
                strategy: "Rolling",
                preferences: { minHealthyPercentage: args.minRefreshPercentage ?? 50 },
            },
            tags: [
                ...Object.entries(tags).map(([key, value]) => ({ key, value, propagateAtLaunch: true })),
                {
                    key: "Name",
                    value: hasUnknown(cluster.outputs.name) ? UNKNOWN : `${String(cluster.outputs.name)}-worker`,
                    propagateAtLaunch: true,
                },
            ],
        },
        {
            ...options,
            dependsOn: [template, ...(options.dependsOn ?? [])],
            ignoreChanges: args.ignoreScalingChanges === true ? ["desiredCapacity"] : [],
        },
    );
}

function refuseArguments(args: Properties): void {
    for (const [one, other] of [
        ["nodePublicKey", "keyName"],
        ["amiId", "gpu"],
    ]) {
        if (args[one] !== undefined && args[other] !== undefined) {
            throw new Error(`${one} and ${other} are mutually exclusive. Choose a single approach`);
        }
    }
    if (args.nodeRootVolumeIops !== undefined && args.nodeRootVolumeType !== "io1") {
        throw new Error(
            "Cannot create a cluster node root volume of non-io1 type with provisioned IOPS (nodeRootVolumeIops).",
        );
    }
    if (args.nodeRootVolumeThroughput !== undefined && args.nodeRootVolumeType !== "gp3") {
        throw new Error(
            "Cannot create a cluster node root volume of non-gp3 type with provisioned throughput (nodeRootVolumeThroughput).",
        );
    }
}

async function keyOf(name: string, args: Properties, monitor: Registrar): Promise<unknown> {
    if (args.nodePublicKey === undefined) return args.keyName;
    const key = await monitor.custom("aws:ec2/keyPair:KeyPair", `${name}-keyPair`, { publicKey: args.nodePublicKey });
    return key.outputs.keyName;
}

async function recommendedImage(args: Properties, cluster: Registered, monitor: Registrar): Promise<unknown> {
    const version = args.version ?? cluster.outputs.version;
    if (hasUnknown(version)) return UNKNOWN;
    const architecture = /^[a-z]+\d+g/.test(String(args.instanceType)) ? "arm64" : "x86_64";
    const parameter = `/aws/service/eks/optimized-ami/${String(version)}/amazon-linux-2023/${architecture}/standard/recommended/image_id`;
    return (await monitor.invoke("aws:ssm/getParameter:getParameter", { name: parameter })).value;
}

/** What nodeadm reads: the cluster, and what the kubelet is told of labels and taints. */
function userData(args: Properties, cluster: Registered): unknown {
    if (args.nodeUserDataOverride !== undefined) {
        return hasUnknown(args.nodeUserDataOverride)
            ? UNKNOWN
            : Buffer.from(String(args.nodeUserDataOverride)).toString("base64");
    }
    const { name, endpoint } = cluster.outputs;
    if (hasUnknown([name, endpoint, args.labels, args.taints, args.nodeUserData, args.kubeletExtraArgs]))
        return UNKNOWN;
    const labels = Object.entries(record(args.labels)).map(([key, value]) => `${key}=${String(value)}`);
    const taints = Object.entries(record(args.taints)).map(
        ([key, taint]) => `${key}=${text(record(taint).value) ?? ""}:${String(record(taint).effect)}`,
    );
    const flags = [
        ...(labels.length > 0 ? [`--node-labels=${labels.join(",")}`] : []),
        ...(taints.length > 0 ? [`--register-with-taints=${taints.join(",")}`] : []),
        ...(text(args.kubeletExtraArgs)?.split(" ") ?? []),
    ];
    const config = [
        "apiVersion: node.eks.aws/v1alpha1",
        "kind: NodeConfig",
        "spec:",
        "  cluster:",
        `    name: ${String(name)}`,
        `    apiServerEndpoint: ${String(endpoint)}`,
        ...(flags.length > 0 ? ["  kubelet:", "    flags:", ...flags.map((flag) => `    - ${flag}`)] : []),
    ].join("\n");
    const parts = [`Content-Type: application/node.eks.aws\n\n${config}\n`];
    if (text(args.nodeUserData))
        parts.push(`Content-Type: text/x-shellscript; charset="us-ascii"\n\n${String(args.nodeUserData)}\n`);
    const body = parts.map((part) => `--BOUNDARY\n${part}`).join("\n");
    const mime = `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="BOUNDARY"\n\n${body}\n--BOUNDARY--\n`;
    return Buffer.from(mime).toString("base64");
}

/** Private subnets if there are some: a subnet is public when its route table leads to an internet gateway. */
function workerSubnets({ privateSubnetIds, publicSubnetIds, subnetIds }: NodesOf, world: World): unknown {
    const given = privateSubnetIds ?? publicSubnetIds ?? subnetIds;
    if (privateSubnetIds !== undefined || publicSubnetIds !== undefined || hasUnknown(given)) return given;
    const hidden = texts(given).filter((id) => !isPublicSubnet(world.everywhere, id));
    return hidden.length > 0 ? hidden : given;
}

/** `eks.NodeGroupV2`: self-managed nodes of their own, beside or instead of the default ones. */
export async function constructNodeGroupV2(
    { name, inputs }: ConstructRequest,
    monitor: Registrar,
    world: World,
): Promise<ConstructResult> {
    const root = await monitor.root();
    const core = await coreOf(monitor, inputs.cluster);
    if (!isObject(core.cluster)) throw new Error("cluster is required");
    const cluster = await resource(monitor, core.cluster);
    const ownGroup = record(cluster.outputs.vpcConfig).clusterSecurityGroupId ?? UNKNOWN;
    const clusterSecurityGroupId = isObject(core.clusterSecurityGroup)
        ? record(core.clusterSecurityGroup).id
        : ownGroup;
    const given = isObject(inputs.nodeSecurityGroup) ? record(inputs.nodeSecurityGroup).id : inputs.nodeSecurityGroupId;
    if (given !== undefined && inputs.clusterIngressRule === undefined && inputs.clusterIngressRuleId === undefined) {
        throw new Error(
            "clusterIngressRule or clusterIngressRuleId is required when nodeSecurityGroup is manually specified",
        );
    }
    const profile = isObject(inputs.instanceProfile) ? await resource(monitor, inputs.instanceProfile) : undefined;
    const control = { cluster, vpcId: core.vpcId, clusterSecurityGroupId, tags: record(core.tags) };
    const own = given === undefined ? await nodeSecurityGroup(name, control, monitor) : undefined;
    const nodeSecurityGroupId = own?.group.id ?? given;
    const nodes: NodesOf = {
        cluster,
        vpcId: core.vpcId,
        subnetIds: core.subnetIds,
        publicSubnetIds: core.publicSubnetIds,
        privateSubnetIds: core.privateSubnetIds,
        nodeSecurityGroupId,
        profileName: profile?.outputs.name ?? record(core.nodeGroupOptions).instanceProfileName,
    };
    const asg = await selfManagedNodes(name, inputs, nodes, monitor, world, {
        uses: Object.keys(inputs),
    });
    const outputs = {
        autoScalingGroup: new Reference(asg.urn, asg.id),
        extraNodeSecurityGroups: inputs.extraNodeSecurityGroups ?? [],
        nodeSecurityGroup: own && new Reference(own.group.urn, own.group.id),
        nodeSecurityGroupId,
    };
    await monitor.outputs(root, outputs);
    return { urn: root.urn, outputs };
}

/** The group of self-managed nodes, with the rules between them and the control plane. */
export async function nodeSecurityGroup(
    name: string,
    about: { cluster: Registered; vpcId: unknown; clusterSecurityGroupId: unknown; tags: Properties },
    monitor: Registrar,
    options: ChildOptions = {},
    more: Properties = {},
): Promise<{ group: Registered; rule: Registered }> {
    const { cluster, vpcId, clusterSecurityGroupId, tags } = about;
    const group = await monitor.custom(
        Kind.SecurityGroup,
        `${name}-nodeSecurityGroup`,
        {
            vpcId,
            revokeRulesOnDelete: true,
            tags: { Name: `${name}-nodeSecurityGroup`, ...clusterTag(cluster.outputs.name), ...more, ...tags },
        },
        { ...options, dependsOn: [cluster] },
    );
    const rule = (suffix: string, securityGroupId: unknown, properties: Properties): Promise<Registered> =>
        monitor.custom(
            Kind.SecurityGroupRule,
            `${name}-${suffix}`,
            { ...properties, securityGroupId },
            { dependsOn: [group] },
        );
    const tcp = (fromPort: number, toPort: number, source: unknown, description: string): Properties => ({
        description,
        type: "ingress",
        fromPort,
        toPort,
        protocol: "tcp",
        sourceSecurityGroupId: source,
    });
    const all = { fromPort: 0, toPort: 0, protocol: "-1" };
    const control = clusterSecurityGroupId;
    const [apiRule] = await Promise.all([
        rule(
            "eksClusterIngressRule",
            control,
            tcp(443, 443, group.id, "Allow pods to communicate with the cluster API Server"),
        ),
        rule("eksNodeIngressRule", group.id, {
            ...all,
            description: "Allow nodes to communicate with each other",
            type: "ingress",
            self: true,
        }),
        rule(
            "eksNodeClusterIngressRule",
            group.id,
            tcp(
                1025,
                65535,
                control,
                "Allow worker Kubelets and pods to receive communication from the cluster control plane",
            ),
        ),
        rule(
            "eksExtApiServerClusterIngressRule",
            group.id,
            tcp(
                443,
                443,
                control,
                "Allow pods running extension API servers on port 443 to receive communication from cluster control plane",
            ),
        ),
        rule("eksNodeInternetEgressRule", group.id, {
            ...all,
            description: "Allow internet access.",
            type: "egress",
            cidrBlocks: ["0.0.0.0/0"],
        }),
    ]);
    return { group, rule: apiRule };
}
