import { Kinds, type Cluster } from "../cluster";
import { annotationsOf } from "../api/object";
import { text } from "../api/value";
import { allows, assumptionProblem, podIdentityProblem, type ServiceAccount } from "../../aws/iam/access";

/** Where a pod's AWS credentials come from. */
export interface PodIdentity {
    roleArn: string;
    via: "podIdentity" | "irsa";
}

/**
 * The role of a service account: a Pod Identity association (with the agent on the nodes) comes first in the SDKs' chain
 * of what EKS injects, then the annotation for IRSA. Nodes here hide their metadata from pods, so there is no third way.
 * Source: EKS user guide, "Learn how EKS Pod Identity grants pods access" and "IAM roles for service accounts".
 */
export function identityOf(cluster: Cluster, namespace: string, account: string): PodIdentity | undefined {
    const association = cluster.aws
        .all("aws:eks/podIdentityAssociation:PodIdentityAssociation")
        .find(
            ({ inputs }) =>
                inputs.clusterName === cluster.name &&
                inputs.namespace === namespace &&
                inputs.serviceAccount === account,
        );
    const associated = text(association?.inputs.roleArn);
    if (associated) {
        return { roleArn: associated, via: "podIdentity" };
    }
    const annotated = annotationsOf(cluster.manifest(Kinds.ServiceAccount, namespace, account) ?? {})[
        "eks.amazonaws.com/role-arn"
    ];
    return annotated ? { roleArn: annotated, via: "irsa" } : undefined;
}

/** Why a service account's pods cannot do something at AWS; `undefined` when they can. `context` is what the request says, such as tags. */
export function callsAws(
    cluster: Cluster,
    namespace: string,
    account: string,
    actions: string[],
    resource = "*",
    context: Record<string, string> = {},
): string | undefined {
    const identity = identityOf(cluster, namespace, account);
    if (!identity) {
        return `no EC2 IMDS role found, operation error ec2imds: GetMetadata: service account ${namespace}/${account} has no role`;
    }
    const who = { cluster: cluster.name, namespace, serviceAccount: account };
    const refused =
        identity.via === "irsa"
            ? assumptionProblem(cluster.aws, identity.roleArn, who)
            : associationProblem(cluster, identity.roleArn, who);
    if (refused) {
        return `AccessDenied: ${identity.via === "irsa" ? "Not authorized to perform sts:AssumeRoleWithWebIdentity" : "Unable to assume role for the pod identity association"} (${identity.roleArn}): ${refused}`;
    }
    const denied = actions.find((action) => !allows(cluster.aws, identity.roleArn, action, resource, context));
    return (
        denied &&
        `UnauthorizedOperation: ${identity.roleArn} is not authorized to perform: ${denied}${resource === "*" ? "" : ` on resource: ${resource}`}`
    );
}

/** A Pod Identity association works through the agent on the nodes, and a role that trusts the service. */
function associationProblem(cluster: Cluster, roleArn: string, who: ServiceAccount): string | undefined {
    const agent = cluster.aws.find(
        "aws:eks/addon:Addon",
        ({ inputs }) => inputs.clusterName === cluster.name && inputs.addonName === "eks-pod-identity-agent",
    );
    return agent ? podIdentityProblem(cluster.aws, roleArn, who) : "the add-on eks-pod-identity-agent is not installed";
}
