import { Reference } from "../shell/marshal";
import type { Registered } from "../shell/monitor";
import type { Properties } from "../shell/type";
import { record, UNKNOWN } from "../shell/values";
import { asJson } from "./kubeconfig";
import type { InstanceRoles } from "./roles";
import { issuerUrl } from "./settings";

/** What the outputs of a cluster component are made of. */
export interface ClusterParts {
    inputs: Properties;
    subnetIds: unknown;
    cluster: Registered;
    role: Registered;
    provider: Registered;
    /** As users get it: without the profile that the component itself uses. */
    kubeconfig: unknown;
    clusterGroup?: Registered;
    nodeGroup?: Registered;
    /** The rule that lets nodes reach the API. */
    nodeRule?: Registered;
    oidc?: Registered;
    vpcCni?: Registered;
    nodeAccess?: Registered;
    storageClasses: Record<string, Registered>;
    /** The roles that nodes may have. */
    instances: InstanceRoles;
    /** The Auto Scaling group of the default nodes. */
    defaultNodes?: Registered;
}

/**
 * The outputs of `eks.Cluster`, each with the resources that it depends on: seldom more than the control plane itself. Both as
 * nodejs/eks/cluster/cluster.ts of v4.3.0 (`createCluster`, `createCore`) has it, and as its plugin was seen to answer.
 */
export function clusterOutputs(parts: ClusterParts): { outputs: Properties; dependencies: Record<string, string[]> } {
    const { cluster, clusterGroup, nodeGroup, nodeRule, oidc } = parts;
    const issuer = issuerUrl(cluster);
    // Where the component has no group, it names the one that EKS makes.
    const ownGroup = record(cluster.outputs.vpcConfig).clusterSecurityGroupId ?? UNKNOWN;
    const made: Record<string, [value: unknown, ...from: (Registered | undefined)[]]> = {
        eksCluster: [reference(cluster), cluster],
        kubeconfig: [parts.kubeconfig, cluster],
        kubeconfigJson: [asJson(parts.kubeconfig), cluster],
        clusterSecurityGroup: [reference(clusterGroup), clusterGroup],
        clusterSecurityGroupId: [clusterGroup ? clusterGroup.id : ownGroup, clusterGroup ?? cluster],
        nodeSecurityGroup: [reference(nodeGroup), nodeGroup],
        nodeSecurityGroupId: [nodeGroup ? nodeGroup.id : ownGroup, nodeGroup ?? cluster],
        eksClusterIngressRule: [reference(nodeRule), nodeRule],
        clusterIngressRuleId: [nodeRule ? (nodeRule.outputs.securityGroupRuleId ?? UNKNOWN) : "", nodeRule],
        instanceRoles: [parts.instances.roles.map(reference), ...parts.instances.roles, ...parts.instances.attachments],
        defaultNodeGroupAsgName: [parts.defaultNodes?.outputs.name ?? "", parts.defaultNodes],
        autoModeNodeRoleName: [""],
        fargateProfileId: [""],
        fargateProfileStatus: [""],
        oidcProviderArn: [oidc ? oidc.outputs.arn : "", oidc],
        oidcProviderUrl: [issuer, cluster],
        oidcIssuer: [issuer === UNKNOWN ? UNKNOWN : String(issuer).replace(/^https:\/\//, ""), cluster],
        core: [
            coreOf(parts),
            ...[cluster, parts.role, parts.provider, clusterGroup, nodeGroup, nodeRule, oidc],
            ...[parts.vpcCni, parts.nodeAccess, ...Object.values(parts.storageClasses)],
        ],
    };
    const urns = (from: (Registered | undefined)[]) => from.flatMap((one) => one?.urn ?? []);
    return {
        outputs: Object.fromEntries(Object.entries(made).map(([key, [value]]) => [key, value])),
        dependencies: Object.fromEntries(Object.entries(made).map(([key, [, ...from]]) => [key, urns(from)])),
    };
}

function coreOf(parts: ClusterParts): Properties {
    const { inputs, cluster, nodeGroup, nodeRule } = parts;
    const keyArn = inputs.encryptionConfigKeyArn;
    return {
        cluster: reference(cluster),
        endpoint: cluster.outputs.endpoint,
        kubeconfig: parts.kubeconfig,
        provider: reference(parts.provider),
        vpcId: inputs.vpcId,
        subnetIds: parts.subnetIds,
        publicSubnetIds: inputs.publicSubnetIds,
        privateSubnetIds: inputs.privateSubnetIds,
        clusterSecurityGroup: reference(parts.clusterGroup),
        clusterIamRole: reference(parts.role),
        oidcProvider: reference(parts.oidc),
        vpcCni: parts.vpcCni && new Reference(parts.vpcCni.urn),
        eksNodeAccess: reference(parts.nodeAccess),
        storageClasses: Object.fromEntries(
            Object.entries(parts.storageClasses).map(([key, made]) => [key, reference(made)]),
        ),
        encryptionConfig: keyArn === undefined ? undefined : { provider: { keyArn }, resources: ["secrets"] },
        accessEntries: Object.values(record(inputs.accessEntries)),
        instanceRoles: parts.instances.roles.map(reference),
        autoModeNodeRoleName: "",
        nodeGroupOptions: {
            ...(parts.instances.profileName === undefined ? {} : { instanceProfileName: parts.instances.profileName }),
            version: inputs.version,
            nodeSecurityGroup: reference(nodeGroup),
            clusterIngressRule: reference(nodeRule),
        },
        tags: inputs.tags,
        nodeSecurityGroupTags: inputs.nodeSecurityGroupTags,
    };
}

function reference(made: Registered | undefined): Reference | undefined {
    return made && new Reference(made.urn, made.id);
}
