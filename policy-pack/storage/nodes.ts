import { templateOf } from "../judge/launchTemplates";
import { refer } from "../judge/references";
import { isUnknown, UNKNOWN, type Unknown } from "../plain";
import type { Resource, Stack } from "../rule";
import { elements, get, isTree, scalar, text, type Tree } from "./values";

/** Nodes of one kind, as far as the program tells. */
export interface NodeGroup {
    resource: Resource;
    labels: Tree | Unknown;
    /** Whether nodes may carry labels that the program does not show (user data of a launch template). */
    moreLabels: boolean;
    taints: Taint[] | Unknown;
    architectures: Set<string> | undefined;
    zones: Set<string> | undefined;
    zoneIds: Set<string> | undefined;
    instanceTypes: string[] | undefined;
    capacityType: string | undefined;
    name: string | undefined;
    windows: boolean;
}

export interface Taint {
    key: unknown;
    value: unknown;
    effect: unknown;
}

export interface Nodes {
    groups: NodeGroup[];
    /** Nodes can come from elsewhere too: Karpenter, Auto Mode, Fargate, nodes that manage themselves. */
    elsewhere: string | undefined;
}

const SUBNETS = ["aws:ec2/subnet:Subnet", "aws:ec2/defaultSubnet:DefaultSubnet"];

/** The nodes of a program, read once for all rules of a run. */
export function nodesOf(stack: Stack): Nodes {
    return stack.once(readNodes);
}

function readNodes(stack: Stack): Nodes {
    const groups = stack.ofType("aws:eks/nodeGroup:NodeGroup").map((resource) => readGroup(resource, stack));
    return { groups, elsewhere: elsewhere(stack) };
}

function elsewhere(stack: Stack): string | undefined {
    if (stack.ofType("aws:eks/fargateProfile:FargateProfile").length > 0) {
        return "a Fargate profile";
    }
    if (stack.ofType("aws:autoscaling/group:Group", "aws:ec2/fleet:Fleet").length > 0) {
        return "an Auto Scaling group";
    }
    if (
        stack.resources.some(({ type }) =>
            /^kubernetes:(karpenter\.sh|karpenter\.k8s\.aws|eks\.amazonaws\.com)\//.test(type),
        )
    ) {
        return "Karpenter";
    }
    if (
        stack.resources.some(
            ({ type, props }) => type.endsWith(":Release") && /karpenter/.test(scalar(props.chart) ?? ""),
        )
    ) {
        return "Karpenter";
    }
    const auto = stack.ofType("aws:eks/cluster:Cluster").some(({ props }) => {
        const enabled = get(props, "computeConfig", "enabled");
        return enabled === true || isUnknown(enabled);
    });
    return auto ? "EKS Auto Mode" : undefined;
}

function readGroup(resource: Resource, stack: Stack): NodeGroup {
    const { props } = resource;
    const types = get(props, "instanceTypes");
    const instanceTypes =
        Array.isArray(types) && types.every((type) => typeof type === "string") ? (types as string[]) : undefined;
    const amiType = text(get(props, "amiType"));
    const labels = get(props, "labels") ?? {};
    return {
        resource,
        labels: isUnknown(labels) || !isTree(labels) ? UNKNOWN : labels,
        moreLabels: labelsByUserData(resource, stack),
        taints: taintsOf(get(props, "taints")),
        architectures: architecturesOf(amiType, instanceTypes, props),
        ...zonesOf(resource, stack),
        instanceTypes,
        capacityType: isUnknown(props.capacityType)
            ? undefined
            : typeof props.capacityType === "string"
              ? props.capacityType
              : "ON_DEMAND",
        name: typeof props.nodeGroupName === "string" ? props.nodeGroupName : undefined,
        windows: typeof amiType === "string" && amiType.startsWith("WINDOWS"),
    };
}

function taintsOf(value: unknown): Taint[] | Unknown {
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    const taints = elements(value).map(([taint]) => taint);
    return taints.some(isUnknown)
        ? UNKNOWN
        : taints.map((taint) => ({ key: get(taint, "key"), value: get(taint, "value"), effect: get(taint, "effect") }));
}

function architecturesOf(
    amiType: string | Unknown | undefined,
    instanceTypes: string[] | undefined,
    props: Tree,
): Set<string> | undefined {
    if (typeof amiType === "string" && /ARM_64|x86_64/i.test(amiType)) {
        return new Set([/ARM_64/i.test(amiType) ? "arm64" : "amd64"]);
    }
    if (instanceTypes && instanceTypes.length > 0) {
        return new Set(instanceTypes.map(architectureOf));
    }
    const plain = amiType === undefined && props.instanceTypes === undefined && props.launchTemplate === undefined;
    return plain ? new Set(["amd64"]) : undefined;
}

/** Graviton families have a `g` right after their generation (m7g, c6gn, im4gn, is4gen, g5g), besides a1. */
export function architectureOf(instanceType: string): "arm64" | "amd64" {
    return /^(a1|[a-z]+\d+g[a-z]*(-[a-z0-9]+)?)\./.test(instanceType) ? "arm64" : "amd64";
}

/** Whether a launch template's user data gives nodes labels, or may do so. */
function labelsByUserData(resource: Resource, stack: Stack): boolean {
    if (get(resource.props, "launchTemplate") === undefined) {
        return false;
    }
    const template = templateOf(stack, resource);
    return template === undefined || mentionsLabels(template.props.userData);
}

function mentionsLabels(userData: unknown): boolean {
    if (userData === undefined || userData === null || userData === "") {
        return false;
    }
    return (
        typeof userData !== "string" ||
        /node-labels|register-with-taints|\[settings/i.test(
            Buffer.from(userData, "base64").toString("latin1") + userData,
        )
    );
}

function zonesOf(resource: Resource, stack: Stack): Pick<NodeGroup, "zones" | "zoneIds"> {
    const ids = get(resource.props, "subnetIds");
    const known = isUnknown(ids) ? [] : elements(ids).map(([id]) => id);
    const open = isUnknown(ids) || known.some(isUnknown);
    const origins = (resource.propertyDependencies?.subnetIds ?? []).flatMap((urn) => stack.byUrn(urn) ?? []);
    const found = open
        ? origins.filter(({ type }) => SUBNETS.includes(type))
        : refer(stack, resource, "subnetIds", ids, SUBNETS).resources;
    const complete = found.length > 0 && (open || found.length === new Set(known).size);
    return {
        zones: complete ? allOf(found, "availabilityZone") : undefined,
        zoneIds: complete ? allOf(found, "availabilityZoneId") : undefined,
    };
}

function allOf(subnets: Resource[], key: string): Set<string> | undefined {
    const values = subnets.map(({ props }) => props[key]);
    return values.every((value): value is string => typeof value === "string" && value !== "")
        ? new Set(values)
        : undefined;
}
