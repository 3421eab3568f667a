import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { keyArnProblems, roleArnProblems } from "../shared/arns";
import type { Problem } from "../shared/check";
import { InvalidArgumentsError, plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import type { ShapesOf } from "../shared/shape";
import { choices, keysOf, listOf, mapOf } from "../shared/shape";
import { zoneProblems } from "../shared/zones";
import { nodeLabelProblems, releaseVersionProblems, typeNameProblems } from "./nodeProblems";
import type { NodeRole } from "./nodeRole";
import { nodeRole } from "./nodeRole";
import type { NodeScaling } from "./nodeScaling";
import { autoscaledSize, desiredSize, groupTag, scalingProblems, scalingShape } from "./nodeScaling";
import type { NodeTaint } from "./nodeTaint";
import { TaintEffect, taintProblems } from "./nodeTaint";
import { templateTags } from "./nodeTemplateTags";
import { Architecture, judgeTypes } from "./nodeTypes";
import { LocalStorage, nodeUserData } from "./nodeUserData";

/** How AWS sells the nodes of a group. */
export const CapacityType = {
    OnDemand: "ON_DEMAND",
    /** Two thirds cheaper, taken back with two minutes' notice. */
    Spot: "SPOT",
} as const;
export type CapacityType = (typeof CapacityType)[keyof typeof CapacityType];

/** What all node groups have in common. */
export interface CommonNodeGroupArgs {
    /** The cluster that the nodes join. */
    cluster: pulumi.Input<ClusterInfo>;
    /** The availability zones of the nodes, by their full names; each must have a node subnet in the cluster. */
    zones: string[];
    /** How many nodes there are, in each zone when `groupPerZone` is set. */
    scaling: NodeScaling;
    /**
     * Whether each zone gets a group of its own. Pods with EBS volumes need that when groups grow from few nodes: an autoscaler cannot
     * ask one group for a node in the volume's zone.
     * @default false
     */
    groupPerZone?: boolean;
    /** Labels of the nodes. @default none */
    labels?: Record<string, string>;
    /** Taints of the nodes. @default none */
    taints?: NodeTaint[];
    /** The size of the root volume in GiB, an encrypted gp3 volume for images, containers and emptyDir; 20 at least. @default 50 */
    diskSizeGiB?: number;
    /** ARN of the key that encrypts root volumes; its policy must admit `AWSServiceRoleForAutoScaling`. @default the account's key for EBS */
    diskKeyArn?: pulumi.Input<string>;
    /**
     * The most pods on a node. More than the type has addresses for (29 on a `.large`) needs the cluster's prefix delegation.
     * @default what EKS recommends for the type
     */
    maxPods?: number;
    /** Whether Cluster Autoscaler may change the number of nodes: then `desired` is only where it starts. @default true */
    autoscaled?: boolean;
    /** How many nodes an update of the group replaces at the same time. Give this or `maxUnavailablePercentage`. @default 1 */
    maxUnavailable?: number;
    /** How many nodes an update replaces at the same time, in percent of the group, up to 50. @default `maxUnavailable` counts */
    maxUnavailablePercentage?: number;
    /** The version of EKS's machine image, for example `1.36.2-20261001`. @default the newest when the group or its Kubernetes version is new, then kept */
    releaseVersion?: pulumi.Input<string>;
    /** How far metadata requests may travel: 1 keeps pods from taking the node's credentials, 2 lets them. @default 1 */
    metadataHopLimit?: number;
    /** Name of an EC2 key pair for SSH. @default none: use SSM Session Manager, which needs no open port */
    sshKeyName?: pulumi.Input<string>;
    /** ARN of a role for the nodes. @default a role with what nodes need, and no more */
    nodeRoleArn?: pulumi.Input<string>;
    /** Tags of the group, its machines, volumes and interfaces. @default none */
    tags?: Record<string, string>;
}

/** Arguments of {@link NodeGroup}. */
export interface NodeGroupArgs extends CommonNodeGroupArgs {
    /** The instance types, of one architecture and, with autoscaling, of one size. Several make spot capacity last. */
    instanceTypes: pulumi.Input<pulumi.Input<string>[]>;
    /** The architecture of the types, which decides the machine image. @default amd64 */
    architecture?: Architecture;
    /** How the machines are bought: spot capacity costs a third and is taken back with two minutes' notice. @default ON_DEMAND */
    capacityType?: CapacityType;
    /** How the disks of the instance type are used. Then each type must have some. @default not at all */
    localStorage?: LocalStorage;
}

/** The smallest root volume that Amazon Linux 2023's image for EKS fits into, in GiB. */
const smallestDisk = 20;

/** The shapes of {@link CommonNodeGroupArgs}. */
export const commonNodeGroupShapes: ShapesOf<CommonNodeGroupArgs> = {
    cluster: "anything",
    zones: listOf("string"),
    scaling: scalingShape,
    groupPerZone: "boolean",
    labels: mapOf("string"),
    taints: listOf(keysOf<NodeTaint>({ key: "string", value: "string", effect: choices(TaintEffect) })),
    diskSizeGiB: "integer",
    diskKeyArn: "string",
    maxPods: "integer",
    autoscaled: "boolean",
    maxUnavailable: "integer",
    maxUnavailablePercentage: "integer",
    releaseVersion: "string",
    metadataHopLimit: "integer",
    sshKeyName: "string",
    nodeRoleArn: "string",
    tags: mapOf("string"),
};

const shapes: ShapesOf<NodeGroupArgs> = {
    ...commonNodeGroupShapes,
    instanceTypes: listOf("string"),
    architecture: choices(Architecture),
    capacityType: choices(CapacityType),
    localStorage: choices(LocalStorage),
};

/** What is wrong with the arguments that all node groups share, once their shape is right. */
export function judgeCommonNodeGroupArgs(args: Partial<CommonNodeGroupArgs>): Problem[] {
    const problems = [
        ...zoneProblems("zones", args.zones ?? []),
        ...scalingProblems("scaling", args.scaling),
        ...nodeLabelProblems("labels", args.labels ?? {}),
        ...taintProblems(args.taints ?? []),
        ...keyArnProblems("diskKeyArn", args.diskKeyArn),
        ...roleArnProblems("nodeRoleArn", args.nodeRoleArn),
        ...releaseVersionProblems("releaseVersion", args.releaseVersion),
    ];
    const max = args.scaling?.max ?? Infinity;
    const { diskSizeGiB, maxPods, maxUnavailable, maxUnavailablePercentage: percentage, metadataHopLimit } = args;
    if (diskSizeGiB !== undefined && !(Number.isInteger(diskSizeGiB) && diskSizeGiB >= smallestDisk)) {
        problems.push({
            path: "diskSizeGiB",
            message: `${diskSizeGiB} GiB do not hold the machine image; give ${smallestDisk} or more.`,
        });
    }
    if (maxPods !== undefined && !(Number.isInteger(maxPods) && maxPods >= 4 && maxPods <= 250)) {
        problems.push({ path: "maxPods", message: `${maxPods} is outside 4 to 250, what a node on EKS can run.` });
    }
    if (
        maxUnavailable !== undefined &&
        !(Number.isInteger(maxUnavailable) && maxUnavailable >= 1 && maxUnavailable <= 100)
    ) {
        problems.push({ path: "maxUnavailable", message: `${maxUnavailable} is outside 1 to 100.` });
    } else if (maxUnavailable !== undefined && max > 1 && maxUnavailable >= max) {
        problems.push({
            path: "maxUnavailable",
            message: `${maxUnavailable} of ${max} nodes would replace all at once; leave at least one.`,
        });
    }
    if (percentage !== undefined && !(Number.isInteger(percentage) && percentage >= 1 && percentage <= 50)) {
        problems.push({ path: "maxUnavailablePercentage", message: `${percentage} is outside 1 to 50.` });
    }
    if (maxUnavailable !== undefined && percentage !== undefined) {
        problems.push({
            path: "maxUnavailablePercentage",
            message: "maxUnavailable is given too; AWS takes one of the two.",
        });
    }
    if (metadataHopLimit !== undefined && ![1, 2].includes(metadataHopLimit)) {
        problems.push({
            path: "metadataHopLimit",
            message: `${metadataHopLimit} is neither 1 (nodes only) nor 2 (pods too).`,
        });
    }
    return problems;
}

/** What is wrong with the arguments of a {@link NodeGroup}. */
export function checkNodeGroupArgs(args: NodeGroupArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (sound) => [
        ...judgeCommonNodeGroupArgs(sound),
        ...typeNameProblems("instanceTypes", sound.instanceTypes ? plain(sound.instanceTypes) : []),
    ]);
}

/**
 * A managed node group on Amazon Linux 2023: encrypted root volumes, metadata for nodes only, no SSH, tags by which Cluster Autoscaler
 * knows what a node would be like before there is one. AWS replaces nodes one by one (or as many as asked for) when version, image or
 * settings change; a change of instance types makes a new group beside the old one, which is drained before it goes.
 *
 * Creates for each group (one, or one a zone) a launch template and the group, one tag of the Auto Scaling group for each label, taint and
 * the disk; and once a role with three or four policies. A node group takes two to three minutes.
 */
export class NodeGroup extends pulumi.ComponentResource {
    /** The physical names of the groups, keyed by zone, or under `all` when one group spans the zones. */
    readonly groupNames: pulumi.Output<Record<string, string>>;
    /** The names of the Auto Scaling groups, with the same keys. */
    readonly autoScalingGroupNames: pulumi.Output<Record<string, string>>;
    /** The ARN of the nodes' role. */
    readonly nodeRoleArn: pulumi.Output<string>;
    /** The labels of the nodes, for selectors. */
    readonly labels: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: NodeGroupArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("NodeGroup", name, checkNodeGroupArgs(args));
        super("airflow-eks:index:NodeGroup", name, {}, opts);
        const cluster = pulumi.output(args.cluster);
        const instanceTypes = judgedTypes(name, args, cluster, this);
        const role = args.nodeRoleArn
            ? { arn: pulumi.output(args.nodeRoleArn), parts: [] }
            : nodeRole(name, cluster, args.tags, this);

        const groups: Record<string, aws.eks.NodeGroup> = {};
        const parts = args.groupPerZone
            ? args.zones.map((zone) => ({ key: zone, groupName: `${name}-${zone}`, zones: [zone] }))
            : [{ key: "all", groupName: name, zones: args.zones }];
        for (const { key, groupName, zones } of parts) {
            const template = launchTemplate(groupName, args, cluster, this);
            const group = nodeGroup(groupName, zones, args, { cluster, instanceTypes, role, template }, this);
            autoScalingTags(groupName, group, args, this);
            groups[key] = group;
        }

        this.groupNames = keyed(groups, (group) => group.nodeGroupName);
        this.autoScalingGroupNames = keyed(groups, autoScalingGroupName);
        this.nodeRoleArn = role.arn;
        this.labels = pulumi.output(args.labels ?? {}).apply((labels): Record<string, string> => labels);
        this.registerOutputs({
            groupNames: this.groupNames,
            autoScalingGroupNames: this.autoScalingGroupNames,
            nodeRoleArn: this.nodeRoleArn,
            labels: this.labels,
        });
    }
}

/** The instance types once AWS confirmed that they are what the group needs. */
function judgedTypes(
    name: string,
    args: NodeGroupArgs,
    cluster: pulumi.Output<ClusterInfo>,
    parent: pulumi.Resource,
): pulumi.Output<string[]> {
    return pulumi.all([args.instanceTypes, cluster.prefixDelegation]).apply(async ([types, prefixDelegation]) => {
        const problems = await judgeTypes(
            "instanceTypes",
            types,
            {
                architecture: args.architecture ?? Architecture.Amd64,
                equalSizes: args.autoscaled ?? true,
                instanceStore: args.localStorage !== undefined,
                spot: args.capacityType === CapacityType.Spot,
                maxPods: args.maxPods,
                prefixDelegation,
            },
            parent,
        );
        if (problems.length > 0) {
            throw new InvalidArgumentsError(`NodeGroup "${name}"`, problems);
        }
        return types;
    });
}

function launchTemplate(
    groupName: string,
    args: NodeGroupArgs,
    cluster: pulumi.Output<ClusterInfo>,
    parent: pulumi.Resource,
): aws.ec2.LaunchTemplate {
    const tags = { Name: groupName, ...args.tags };
    return new aws.ec2.LaunchTemplate(
        groupName,
        {
            description: `Nodes of the group ${groupName}`,
            updateDefaultVersion: true,
            blockDeviceMappings: [
                {
                    // The root device of Amazon Linux; another name would add a second volume and leave the root one unencrypted.
                    deviceName: "/dev/xvda",
                    ebs: {
                        volumeSize: args.diskSizeGiB ?? 50,
                        volumeType: "gp3",
                        encrypted: "true",
                        kmsKeyId: args.diskKeyArn,
                        deleteOnTermination: "true",
                    },
                },
            ],
            metadataOptions: {
                httpEndpoint: "enabled",
                httpTokens: "required",
                httpPutResponseHopLimit: args.metadataHopLimit ?? 1,
            },
            vpcSecurityGroupIds: cluster.nodeSecurityGroupIds,
            keyName: args.sshKeyName,
            userData: nodeUserData(args),
            tagSpecifications: ["instance", "volume", "network-interface"].map((resourceType) => ({
                resourceType,
                tags,
            })),
            tags: args.tags,
        },
        { parent },
    );
}

interface GroupParts {
    cluster: pulumi.Output<ClusterInfo>;
    instanceTypes: pulumi.Output<string[]>;
    role: NodeRole;
    template: aws.ec2.LaunchTemplate;
}

function nodeGroup(
    groupName: string,
    zones: string[],
    args: NodeGroupArgs,
    { cluster, instanceTypes, role, template }: GroupParts,
    parent: pulumi.Resource,
): aws.eks.NodeGroup {
    const { scaling } = args;
    const { scalingConfig, opts } =
        (args.autoscaled ?? true)
            ? autoscaledSize(cluster.name, groupName, scaling, parent)
            : {
                  scalingConfig: {
                      minSize: scaling.min,
                      maxSize: scaling.max,
                      desiredSize: desiredSize(scaling, undefined),
                  },
                  opts: {},
              };
    return new aws.eks.NodeGroup(
        groupName,
        {
            clusterName: cluster.name,
            nodeRoleArn: role.arn,
            subnetIds: cluster.nodeSubnetIds.apply((ids) => subnetsOf(zones, ids)),
            instanceTypes,
            capacityType: args.capacityType ?? CapacityType.OnDemand,
            amiType:
                (args.architecture ?? Architecture.Amd64) === Architecture.Arm64
                    ? "AL2023_ARM_64_STANDARD"
                    : "AL2023_x86_64_STANDARD",
            version: cluster.kubernetesVersion,
            releaseVersion: args.releaseVersion,
            launchTemplate: { id: template.id, version: template.latestVersion.apply(String) },
            scalingConfig,
            updateConfig:
                args.maxUnavailablePercentage !== undefined
                    ? { maxUnavailablePercentage: args.maxUnavailablePercentage }
                    : { maxUnavailable: args.maxUnavailable ?? 1 },
            labels: args.labels,
            taints: args.taints?.map(({ key, value, effect }) => ({ key, value, effect })),
            tags: { ...args.tags, [groupTag]: groupName },
        },
        // Nodes lose their rights before they are drained unless the policies stay until they are gone.
        { ...opts, parent, dependsOn: role.parts },
    );
}

function subnetsOf(zones: string[], ids: Record<string, string>): string[] {
    return zones.map((zone) => {
        if (ids[zone] === undefined) {
            throw new Error(
                `zones: the cluster has no node subnet in ${zone}, but in ${Object.keys(ids).join(", ")}; use one of these.`,
            );
        }
        return ids[zone];
    });
}

function autoScalingTags(
    groupName: string,
    group: aws.eks.NodeGroup,
    args: NodeGroupArgs,
    parent: pulumi.Resource,
): void {
    if (args.autoscaled === false) {
        return;
    }
    for (const [suffix, tag] of Object.entries(templateTags(args))) {
        new aws.autoscaling.Tag(
            `${groupName}-${suffix}`,
            { autoscalingGroupName: autoScalingGroupName(group), tag: { ...tag, propagateAtLaunch: false } },
            { parent },
        );
    }
}

function autoScalingGroupName(group: aws.eks.NodeGroup): pulumi.Output<string> {
    return group.resources.apply((resources) => resources[0].autoscalingGroups[0].name);
}

function keyed(
    groups: Record<string, aws.eks.NodeGroup>,
    value: (group: aws.eks.NodeGroup) => pulumi.Output<string>,
): pulumi.Output<Record<string, string>> {
    return pulumi
        .output(Object.fromEntries(Object.entries(groups).map(([key, group]) => [key, value(group)])))
        .apply((values): Record<string, string> => values);
}
