import { record, text, texts } from "../../shell/values";
import type { World, WorldObject } from "../../shell/world";
import { Kind } from "../kinds";
import { allowsRequest, denies, type Request } from "./document";
import { MANAGED_POLICIES } from "./managedPolicies";

/** A pod's identity. */
export interface ServiceAccount {
    /** The name of its EKS cluster. */
    cluster: string;
    namespace: string;
    serviceAccount: string;
}

export function roleByArn(world: World, arn: string): WorldObject | undefined {
    return world.everywhere.find(Kind.Role, ({ outputs }) => outputs.arn === arn);
}

export function clusterByName(world: World, name: string): WorldObject | undefined {
    return world.everywhere.find(Kind.Cluster, ({ outputs }) => outputs.name === name);
}

/**
 * Why a pod with this service account cannot get the role's credentials from an annotation (IRSA); `undefined` when it can. As STS
 * decides it: the issuer is registered in the role's account, `sts.amazonaws.com` is one of its audiences, and the role trusts the token.
 */
export function assumptionProblem(world: World, roleArn: string, who: ServiceAccount): string | undefined {
    const role = roleByArn(world, roleArn);
    if (!role) return `role ${roleArn} does not exist`;
    const cluster = clusterByName(world, who.cluster);
    const issuer = issuerOf(cluster);
    if (issuer === undefined) return `cluster ${who.cluster} does not exist`;
    const account = roleArn.split(":")[4];
    const provider = world.everywhere.find(
        Kind.OpenIdConnectProvider,
        ({ outputs }) => outputs.url === issuer && String(outputs.arn).split(":")[4] === account,
    );
    if (!provider) return `no IAM OIDC provider of account ${account} trusts the cluster's issuer ${issuer}`;
    if (!texts(provider.inputs.clientIdLists).includes("sts.amazonaws.com")) {
        return `the OIDC provider of ${issuer} does not list the audience sts.amazonaws.com`;
    }
    const request: Request = {
        action: "sts:AssumeRoleWithWebIdentity",
        principal: { kind: "Federated", name: String(provider.outputs.arn) },
        context: {
            [`${issuer}:sub`]: `system:serviceaccount:${who.namespace}:${who.serviceAccount}`,
            [`${issuer}:aud`]: "sts.amazonaws.com",
        },
    };
    if (allowsRequest(role.outputs.assumeRolePolicy, request)) return undefined;
    return `the trust policy of ${roleArn} does not admit system:serviceaccount:${who.namespace}:${who.serviceAccount} of ${issuer}`;
}

/** The issuer of a cluster's tokens without `https://`. */
export function issuerOf(cluster: WorldObject | undefined): string | undefined {
    const identity = record([record(cluster?.outputs).identities].flat()[0]);
    const oidc = record([identity.oidcs].flat()[0]);
    return text(oidc.issuer)?.replace(/^https:\/\//, "");
}

/**
 * Why EKS Pod Identity cannot give a role to a service account, for people; `undefined` when it can. The service assumes the role and
 * tags the session, and says for which cluster and account it does: trust policies may ask for that (EKS User Guide, "Create IAM role
 * with trust policy required by EKS Pod Identity" and "List of session tags added by EKS Pod Identity").
 */
export function podIdentityProblem(world: World, roleArn: string, who: ServiceAccount): string | undefined {
    const clusterArn = String(clusterByName(world, who.cluster)?.outputs.arn);
    const tags = {
        "eks-cluster-arn": clusterArn,
        "eks-cluster-name": who.cluster,
        "kubernetes-namespace": who.namespace,
        "kubernetes-service-account": who.serviceAccount,
    };
    const context = {
        "aws:SourceArn": clusterArn,
        "aws:SourceAccount": clusterArn.split(":")[4],
        ...Object.fromEntries(Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value])),
    };
    const principal = { kind: "Service" as const, name: "pods.eks.amazonaws.com" };
    const policy = roleByArn(world, roleArn)?.outputs.assumeRolePolicy;
    return ["sts:AssumeRole", "sts:TagSession"].every((action) => allowsRequest(policy, { action, principal, context }))
        ? undefined
        : `the trust policy of ${roleArn} does not allow pods.eks.amazonaws.com to sts:AssumeRole and sts:TagSession ` +
              `for ${who.namespace}/${who.serviceAccount} of ${who.cluster}`;
}

/** Whether a role trusts a service. */
export function trustsService(world: World, roleArn: string, service: string): boolean {
    return allowsRequest(roleByArn(world, roleArn)?.outputs.assumeRolePolicy, {
        action: "sts:AssumeRole",
        principal: { kind: "Service", name: service },
        context: {},
    });
}

/**
 * Whether a role's policies allow an action on a resource. Conditions are judged on an empty context save what is given.
 * Of AWS's own policies only the actions are known, as patterns.
 */
export function allows(
    world: World,
    roleArn: string,
    action: string,
    resource = "*",
    context: Request["context"] = {},
): boolean {
    const role = roleByArn(world, roleArn);
    if (!role) return false;
    const request: Request = { action, resource, context };
    const documents = policiesOf(world, role);
    return (
        documents.some((document) => allowsRequest(document, request)) &&
        !documents.some((document) => denies(document, request))
    );
}

/** The documents of all policies that a role has, inline or attached. */
export function policiesOf(world: World, role: WorldObject): unknown[] {
    const all = world.everywhere;
    const attached = [
        ...texts(role.inputs.managedPolicyArns),
        ...all
            .all(Kind.RolePolicyAttachment)
            .filter(({ inputs }) => roleNamed(inputs.role, role))
            .map(({ inputs }) => String(inputs.policyArn)),
    ];
    return [
        ...[role.inputs.inlinePolicies ?? []].flat().map((inline) => record(inline).policy),
        ...all
            .all(Kind.RolePolicy)
            .filter(({ inputs }) => roleNamed(inputs.role, role))
            .map(({ inputs }) => inputs.policy),
        ...attached.map(
            (arn) =>
                MANAGED_POLICIES[arn.replace(/^.*:policy\//, "")] ??
                all.find(Kind.Policy, ({ outputs }) => outputs.arn === arn)?.outputs.policy,
        ),
    ];
}

/** Attachments name a role by its name; the real provider takes the ARN's last part too. */
export function roleNamed(value: unknown, role: WorldObject): boolean {
    return value === role.id || value === role.outputs.arn;
}
