import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { plain } from "../shared/check";
import { namespaceProblems } from "../shared/kubernetesNames";

/** What a principal may do in a cluster: EKS's own access policies. */
export const AccessPolicy = {
    /** Everything, as `cluster-admin`. */
    ClusterAdmin: "AmazonEKSClusterAdminPolicy",
    /** Everything in namespaces, without quotas and the namespaces themselves. */
    Admin: "AmazonEKSAdminPolicy",
    /** Read and write, without roles. */
    Edit: "AmazonEKSEditPolicy",
    /** Read, without secrets. */
    View: "AmazonEKSViewPolicy",
} as const;
export type AccessPolicy = (typeof AccessPolicy)[keyof typeof AccessPolicy];

/** Who may use a cluster's API, beside whoever made the cluster. */
export interface ClusterAccess {
    /** ARN of the IAM role (without the path of a session) or user. */
    principalArn: pulumi.Input<string>;
    /** What it may do. @default AmazonEKSClusterAdminPolicy */
    policy?: AccessPolicy;
    /** The namespaces in which it may do that. @default all of the cluster */
    namespaces?: string[];
}

/** What is wrong with the access to a cluster. */
export function accessProblems(path: string, access: Record<string, ClusterAccess>): Problem[] {
    const seen = new Map<string, string>();
    return Object.entries(access).flatMap(([key, { principalArn, namespaces }]) => {
        const problems: Problem[] = [];
        const at = `${path}.${key}`;
        const arn = plain(principalArn);
        if (principalArn === undefined) {
            problems.push({ path: `${at}.principalArn`, message: "is missing; give the ARN of a role or user." });
        }
        if (arn !== undefined) {
            if (!/^arn:aws[a-z-]*:iam::\d{12}:(role|user)\/.+$/.test(arn)) {
                problems.push({
                    path: `${at}.principalArn`,
                    message: `"${arn}" is not the ARN of an IAM role or user; for an assumed role give the role's, not the session's.`,
                });
            } else if (seen.has(arn)) {
                problems.push({
                    path: `${at}.principalArn`,
                    message: `${arn} has an entry already (${seen.get(arn)}); EKS takes one for each principal.`,
                });
            }
            seen.set(arn, key);
        }
        if (namespaces?.length === 0) {
            problems.push({
                path: `${at}.namespaces`,
                message: "an empty list gives access to nothing; leave it out for the whole cluster.",
            });
        }
        return [...problems, ...(namespaces ?? []).flatMap((ns, i) => namespaceProblems(`${at}.namespaces[${i}]`, ns))];
    });
}

/** Makes the access entries; gives all resources that access consists of. */
export function accessEntries(
    name: string,
    access: Record<string, ClusterAccess>,
    clusterName: pulumi.Input<string>,
    partition: pulumi.Input<string>,
    tags: Record<string, string> | undefined,
    parent: pulumi.Resource,
): pulumi.Resource[] {
    return Object.entries(access).flatMap(([key, { principalArn, policy, namespaces }]) => {
        const entry = new aws.eks.AccessEntry(`${name}-${key}`, { clusterName, principalArn, tags }, { parent });
        const association = new aws.eks.AccessPolicyAssociation(
            `${name}-${key}`,
            {
                clusterName,
                principalArn: entry.principalArn,
                policyArn: pulumi.interpolate`arn:${partition}:eks::aws:cluster-access-policy/${policy ?? AccessPolicy.ClusterAdmin}`,
                accessScope: namespaces ? { type: "namespace", namespaces } : { type: "cluster" },
            },
            { parent },
        );
        return [entry, association];
    });
}
