import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { managedPolicyArn, policyJson } from "../shared/iamPolicy";

/** The role of nodes, and what must be there before nodes use it. */
export interface NodeRole {
    arn: pulumi.Output<string>;
    parts: pulumi.Resource[];
}

/** A role with what nodes need, and no more. */
export function nodeRole(
    name: string,
    cluster: pulumi.Output<ClusterInfo>,
    tags: Record<string, string> | undefined,
    parent: pulumi.Resource,
): NodeRole {
    const role = new aws.iam.Role(
        `${name}-node`,
        {
            description: `Nodes of the group ${name}`,
            assumeRolePolicy: policyJson({
                Action: "sts:AssumeRole",
                Principal: { Service: "ec2.amazonaws.com" },
            }),
            tags,
        },
        { parent },
    );
    const policies: Record<string, pulumi.Output<string>> = {
        worker: managedPolicyArn(cluster.partition, "AmazonEKSWorkerNodePolicy"),
        images: managedPolicyArn(cluster.partition, "AmazonEC2ContainerRegistryPullOnly"),
        ssm: managedPolicyArn(cluster.partition, "AmazonSSMManagedInstanceCore"),
        // Where the VPC CNI has a role of its own nodes need no more than the worker policy has; the minimal one adds nothing to it.
        network: cluster.apply(({ partition, cniOnNodeRole }) =>
            managedPolicyArn(
                partition,
                cniOnNodeRole === false ? "AmazonEKSWorkerNodeMinimalPolicy" : "AmazonEKS_CNI_Policy",
            ),
        ),
    };
    const parts = Object.entries(policies).map(
        ([key, policyArn]) =>
            new aws.iam.RolePolicyAttachment(`${name}-node-${key}`, { role: role.name, policyArn }, { parent }),
    );
    return { arn: role.arn, parts };
}
