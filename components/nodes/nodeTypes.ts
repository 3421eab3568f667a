import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";

/** The processor architecture of nodes, as Kubernetes spells it in `kubernetes.io/arch`. */
export const Architecture = {
    Amd64: "amd64",
    Arm64: "arm64",
} as const;
export type Architecture = (typeof Architecture)[keyof typeof Architecture];

/** What AWS calls an architecture. */
export const awsArchitecture: Record<Architecture, string> = { amd64: "x86_64", arm64: "arm64" };

/** What the instance types of a group must have. */
export interface TypeRequirements {
    architecture: Architecture;
    /** Cluster Autoscaler takes the first type for all: others with less would leave pods pending. */
    equalSizes: boolean;
    instanceStore: boolean;
    spot: boolean;
    maxPods?: number;
    prefixDelegation: boolean;
}

/** How many pods a node can have: limited by addresses, or with prefixes by what EKS recommends (max-pods-calculator). */
export function podLimit(type: aws.ec2.GetInstanceTypeResult, prefixDelegation: boolean): number {
    const addresses = type.maximumNetworkInterfaces * (type.maximumIpv4AddressesPerInterface - 1);
    return prefixDelegation ? Math.min(addresses * 16 + 2, type.defaultVcpus < 30 ? 110 : 250) : addresses + 2;
}

/** Asks AWS for the types and finds everything that is wrong with them, under the path of the argument that names them. */
export async function judgeTypes(
    path: string,
    names: string[],
    wanted: TypeRequirements,
    parent: pulumi.Resource,
): Promise<Problem[]> {
    const problems: Problem[] = [];
    const types: aws.ec2.GetInstanceTypeResult[] = [];
    for (const name of names) {
        await aws.ec2.getInstanceType({ instanceType: name }, { parent }).then(
            (type) => types.push(type),
            () => problems.push({ path, message: `AWS has no instance type ${name} in the provider's region.` }),
        );
    }
    for (const type of types) {
        problems.push(
            ...judgeType(type, wanted).map((message) => ({ path, message: `${type.instanceType} ${message}` })),
        );
    }
    const sizes = new Map<string, string[]>();
    for (const { defaultVcpus, memorySize, instanceType } of types) {
        const size = `${defaultVcpus} vCPU and ${memorySize / 1024} GiB`;
        sizes.set(size, [...(sizes.get(size) ?? []), instanceType]);
    }
    if (wanted.equalSizes && sizes.size > 1) {
        const groups = [...sizes].map(([size, members]) => `${size}: ${members.join(", ")}`);
        problems.push({
            path,
            message: `the types differ in size (${groups.join("; ")}); Cluster Autoscaler counts on equal ones, make a group for each size.`,
        });
    }
    return problems;
}

function judgeType(type: aws.ec2.GetInstanceTypeResult, wanted: TypeRequirements): string[] {
    const found: string[] = [];
    const architecture = awsArchitecture[wanted.architecture];
    if (!type.supportedArchitectures.includes(architecture)) {
        found.push(
            `is ${type.supportedArchitectures.join(", ")}, the group is ${architecture}; one group has one architecture.`,
        );
    }
    if (wanted.instanceStore && !type.instanceStorageSupported) {
        found.push("has no instance store; take a type with NVMe disks, such as those whose family ends in d.");
    }
    if (wanted.spot && !type.supportedUsagesClasses.includes("spot")) {
        found.push("is not offered as spot capacity.");
    }
    const limit = podLimit(type, wanted.prefixDelegation);
    if (wanted.maxPods !== undefined && wanted.maxPods > limit) {
        found.push(
            `takes ${limit} pods, ${wanted.maxPods} are wanted; ` +
                (wanted.prefixDelegation
                    ? "lower maxPods."
                    : "lower maxPods, or turn on prefix delegation of the cluster's VPC CNI."),
        );
    }
    return found;
}
