import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { plain, refuseProblems } from "../shared/check";
import { policyJson } from "../shared/iamPolicy";
import { isDnsSubdomain, namespaceProblems } from "../shared/kubernetesNames";
import type { ClusterInfo } from "./clusterInfo";

/** How pods get the credentials of a role. */
export const WorkloadIdentity = {
    /** IAM roles for service accounts: the pod's token is exchanged at STS, the service account names the role. */
    Irsa: "Irsa",
    /** EKS Pod Identity: an agent on the node hands out credentials, an association names the role. */
    PodIdentity: "PodIdentity",
} as const;
export type WorkloadIdentity = (typeof WorkloadIdentity)[keyof typeof WorkloadIdentity];

/** Arguments of {@link WorkloadRole}. */
export interface WorkloadRoleArgs {
    /** The cluster whose service accounts may use the role. */
    cluster: pulumi.Input<ClusterInfo>;
    /** The Kubernetes namespace of the service accounts. */
    namespace: pulumi.Input<string>;
    /** The names of the service accounts that may use the role, each spelled out: a wildcard would admit whoever may make a service account. */
    serviceAccounts: string[];
    /**
     * How pods get the role's credentials. Pod Identity needs the add-on `eks-pod-identity-agent`, and gives sessions tags such as the
     * cluster's name that policies can use.
     * @default Irsa
     */
    mode?: WorkloadIdentity;
    /** ARNs of managed policies, under names of your choice (they name the attachments). At most 10, AWS's default quota. */
    managedPolicyArns?: Record<string, pulumi.Input<string>>;
    /** Inline policies as JSON documents, under their names; 10,240 characters together. See `policyJson` for TypeScript. */
    inlinePolicies?: Record<string, pulumi.Input<string>>;
    /** ARN of a policy that bounds what the role can ever do, where the account demands one. @default none */
    permissionsBoundary?: pulumi.Input<string>;
    /** What the role is for. @default names the service accounts */
    description?: pulumi.Input<string>;
    /** Tags of the role. Policies see them as `aws:PrincipalTag/…`. @default none */
    tags?: Record<string, pulumi.Input<string>>;
}

/** What is wrong with the arguments of a {@link WorkloadRole}. */
export function checkWorkloadRoleArgs(args: WorkloadRoleArgs): Problem[] {
    const problems = namespaceProblems("namespace", plain(args.namespace));
    if (args.serviceAccounts.length === 0) {
        problems.push({ path: "serviceAccounts", message: "name at least one service account that may use the role." });
    }
    args.serviceAccounts.forEach((account, index) => {
        if (!isDnsSubdomain(account)) {
            problems.push({
                path: `serviceAccounts[${index}]`,
                message: `"${account}" is no name of a service account; wildcards are not taken, list each name.`,
            });
        } else if (args.serviceAccounts.indexOf(account) !== index) {
            problems.push({ path: `serviceAccounts[${index}]`, message: `"${account}" is there twice; list it once.` });
        }
    });
    // Trust policies hold 2,048 characters by default, some 350 of which are not service accounts.
    const trusted = args.serviceAccounts.reduce((sum, account) => sum + account.length + 90, 350);
    if ((args.mode ?? WorkloadIdentity.Irsa) === WorkloadIdentity.Irsa && trusted > 2048) {
        problems.push({
            path: "serviceAccounts",
            message: `${args.serviceAccounts.length} service accounts do not fit into a trust policy (2,048 characters); use PodIdentity or more than one role.`,
        });
    }
    if (Object.keys(args.managedPolicyArns ?? {}).length > 10) {
        problems.push({
            path: "managedPolicyArns",
            message: "a role takes 10 managed policies at most; use inline policies.",
        });
    }
    for (const [key, input] of Object.entries(args.managedPolicyArns ?? {})) {
        const arn = plain(input);
        if (arn !== undefined && !/^arn:aws[a-z-]*:iam::(aws|\d{12}):policy\/.+$/.test(arn)) {
            problems.push({
                path: `managedPolicyArns.${key}`,
                message: `"${arn}" is not the ARN of a policy, such as arn:aws:iam::aws:policy/ReadOnlyAccess.`,
            });
        }
    }
    return [...problems, ...inlinePolicyProblems(args.inlinePolicies ?? {})];
}

/**
 * The IAM role of one or more Kubernetes service accounts of one namespace, and of nobody else: trust names the exact
 * service accounts of the one cluster. All outputs are there once the policies are attached and, with Pod Identity, the
 * associations made; so what takes any of them (a release that takes `annotations`) starts its pods with working credentials,
 * and on destroy is gone before they are.
 *
 * Creates one role, one resource for each policy and, with Pod Identity, one association for each service account.
 */
export class WorkloadRole extends pulumi.ComponentResource {
    /** The ARN of the role. */
    readonly roleArn: pulumi.Output<string>;
    /** The name of the role. */
    readonly roleName: pulumi.Output<string>;
    /** The annotations that the service accounts need; none with Pod Identity. */
    readonly annotations: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: WorkloadRoleArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("WorkloadRole", name, checkWorkloadRoleArgs(args));
        super("airflow-eks:index:WorkloadRole", name, {}, opts);
        const mode = args.mode ?? WorkloadIdentity.Irsa;
        const cluster = pulumi.output(args.cluster);

        const role = new aws.iam.Role(
            name,
            {
                description:
                    args.description ??
                    pulumi.interpolate`Service accounts ${args.serviceAccounts.join(", ")} in namespace ${args.namespace}`,
                assumeRolePolicy: mode === WorkloadIdentity.Irsa ? irsaTrust(cluster, args) : podIdentityTrust(cluster),
                permissionsBoundary: args.permissionsBoundary,
                tags: args.tags,
            },
            { parent: this },
        );
        const parts: pulumi.Resource[] = [
            ...Object.entries(args.managedPolicyArns ?? {}).map(
                ([key, policyArn]) =>
                    new aws.iam.RolePolicyAttachment(
                        `${name}-${key}`,
                        { role: role.name, policyArn },
                        { parent: this },
                    ),
            ),
            ...Object.entries(args.inlinePolicies ?? {}).map(
                ([key, policy]) =>
                    new aws.iam.RolePolicy(`${name}-${key}`, { role: role.name, name: key, policy }, { parent: this }),
            ),
        ];
        if (mode === WorkloadIdentity.PodIdentity) {
            parts.push(...associations(name, args, cluster, role, this));
        }

        // URNs rather than ids: they are known in preview, so a policy that is added does not hide the role there.
        const ready = pulumi.all(parts.map((part) => part.urn));
        this.roleArn = pulumi.all([role.arn, ready]).apply(([arn]) => arn);
        this.roleName = pulumi.all([role.name, ready]).apply(([roleName]) => roleName);
        this.annotations = this.roleArn.apply((arn): Record<string, string> =>
            mode === WorkloadIdentity.Irsa ? { "eks.amazonaws.com/role-arn": arn } : {},
        );
        this.registerOutputs({ roleArn: this.roleArn, roleName: this.roleName, annotations: this.annotations });
    }
}

function irsaTrust(cluster: pulumi.Output<ClusterInfo>, args: WorkloadRoleArgs): pulumi.Output<string> {
    return policyJson({
        Action: "sts:AssumeRoleWithWebIdentity",
        Principal: { Federated: cluster.oidcProviderArn },
        Condition: pulumi.all([cluster.oidcIssuer, args.namespace]).apply(([issuer, namespace]) => ({
            StringEquals: {
                [`${issuer}:aud`]: "sts.amazonaws.com",
                [`${issuer}:sub`]: args.serviceAccounts.map(
                    (account) => `system:serviceaccount:${namespace}:${account}`,
                ),
            },
        })),
    });
}

function podIdentityTrust(cluster: pulumi.Output<ClusterInfo>): pulumi.Output<string> {
    return policyJson({
        // Without TagSession the agent is denied: it always tags the session with cluster, namespace and service account.
        Action: ["sts:AssumeRole", "sts:TagSession"],
        Principal: { Service: "pods.eks.amazonaws.com" },
        Condition: cluster.apply(({ partition, region, accountId, name }) => ({
            StringEquals: { "aws:SourceAccount": accountId },
            ArnEquals: { "aws:SourceArn": `arn:${partition}:eks:${region}:${accountId}:cluster/${name}` },
        })),
    });
}

function associations(
    name: string,
    args: WorkloadRoleArgs,
    cluster: pulumi.Output<ClusterInfo>,
    role: aws.iam.Role,
    parent: pulumi.Resource,
): pulumi.Resource[] {
    const clusterName = cluster.apply((info) => {
        if (!info.podIdentityAgent) {
            throw new Error(
                `WorkloadRole "${name}": cluster ${info.name} does not run the add-on eks-pod-identity-agent, without which no pod gets ` +
                    "credentials by Pod Identity; install it, or use the mode Irsa.",
            );
        }
        return info.name;
    });
    return args.serviceAccounts.map(
        (serviceAccount) =>
            new aws.eks.PodIdentityAssociation(
                `${name}-${serviceAccount}`,
                { clusterName, namespace: args.namespace, serviceAccount, roleArn: role.arn },
                { parent },
            ),
    );
}

function inlinePolicyProblems(policies: Record<string, pulumi.Input<string>>): Problem[] {
    const problems: Problem[] = [];
    let size = 0;
    for (const [key, input] of Object.entries(policies)) {
        const path = `inlinePolicies.${key}`;
        const policy = plain(input);
        if (!/^[\w+=,.@-]{1,128}$/.test(key)) {
            problems.push({ path, message: `"${key}" is no name of a policy: use letters, digits and any of +=,.@_-` });
        }
        if (policy === undefined) {
            continue;
        }
        try {
            const document: unknown = JSON.parse(policy);
            size += JSON.stringify(document).length;
            if (typeof document !== "object" || document === null || !("Statement" in document)) {
                problems.push({ path, message: "is no policy document: it has no Statement." });
            }
        } catch {
            problems.push({ path, message: "is not JSON; give the policy document as a JSON string." });
        }
    }
    if (size > 10240) {
        problems.push({
            path: "inlinePolicies",
            message: `hold ${size} characters, IAM takes 10,240 for a role; move some into a managed policy.`,
        });
    }
    return problems;
}
