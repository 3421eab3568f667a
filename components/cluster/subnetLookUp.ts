import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";

/** By what load balancers, and we, know private subnets. */
export const privateSubnetTags = { "kubernetes.io/role/internal-elb": "1" };

/** The ids of a zone's subnets of a VPC that carry tags. */
export async function taggedSubnets(
    vpcId: string,
    zone: string,
    tags: Record<string, string>,
    parent: pulumi.Resource,
): Promise<string[]> {
    const filters = [
        { name: "vpc-id", values: [vpcId] },
        { name: "availability-zone", values: [zone] },
    ];
    return (await aws.ec2.getSubnets({ filters, tags }, { parent })).ids;
}

/** A subnet, or undefined when the provider's account has none of that id in its region. */
export async function subnetById(id: string, parent: pulumi.Resource): Promise<aws.ec2.GetSubnetResult | undefined> {
    return aws.ec2.getSubnet({ id }, { parent }).catch(() => undefined);
}

/** What is wrong with a subnet that shall serve a zone of a VPC. */
export function subnetProblems(
    path: string,
    id: string,
    zone: string,
    vpcId: string,
    subnet: aws.ec2.GetSubnetResult | undefined,
): Problem[] {
    if (subnet === undefined) {
        return [{ path, message: `the provider's account has no subnet ${id} in its region.` }];
    }
    const problems: Problem[] = [];
    if (subnet.vpcId !== vpcId) {
        problems.push({ path, message: `${id} lies in ${subnet.vpcId}, not in ${vpcId}.` });
    }
    if (subnet.availabilityZone !== zone) {
        problems.push({ path, message: `${id} lies in ${subnet.availabilityZone}, not in ${zone}.` });
    }
    return problems;
}
