import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import type { ShapesOf } from "../shared/shape";
import { choices, keysOf, listOf, mapOf } from "../shared/shape";
import { zoneProblems } from "../shared/zones";
import { findCluster, findOidcProvider } from "./clusterLookUp";
import type { ClusterInfo } from "./clusterInfo";
import type { KubeconfigSettings } from "./kubeconfig";
import { kubeconfigOf } from "./kubeconfig";

/** Where the IAM OIDC provider of a cluster comes from. */
export const OidcProviderSource = {
    /** The account has one for the cluster's issuer already. */
    Find: "Find",
    /** It is made here, and goes with the stack. */
    Create: "Create",
} as const;
export type OidcProviderSource = (typeof OidcProviderSource)[keyof typeof OidcProviderSource];

/** Arguments of {@link ExistingCluster}. */
export interface ExistingClusterArgs {
    /** The name of the cluster, in the provider's account and region. */
    clusterName: pulumi.Input<string>;
    /** The availability zones that nodes and storage use, by their full names. */
    zones: string[];
    /** Whether the IAM OIDC provider, which gives service accounts their roles, is found or made. @default Find */
    oidcProvider?: OidcProviderSource;
    /**
     * The security groups that the cluster's nodes really carry, where launch templates give them others than EKS's own: file systems and
     * databases admit these. @default the one group that EKS made for the cluster
     */
    nodeSecurityGroupIds?: pulumi.Input<pulumi.Input<string>[]>;
    /** The subnet of the nodes in each zone, keyed by zone. @default the one private subnet of the cluster in that zone */
    nodeSubnetIds?: Record<string, pulumi.Input<string>>;
    /** Says that Pulumi runs where a private endpoint is reachable: in the VPC, by VPN or peering. @default false */
    privateEndpointReachable?: boolean;
    /** Whether the VPC CNI delegates prefixes, where it is no managed add-on that could be asked. @default what the add-on says */
    prefixDelegation?: boolean;
    /** Whether the Pod Identity agent runs, where it is no managed add-on. @default what EKS says */
    podIdentityAgent?: boolean;
    /** Whether the VPC CNI acts with the role of the nodes, where it is no managed add-on. @default what the add-on says, else true */
    cniOnNodeRole?: boolean;
    /** How the kubeconfig gets credentials. @default those of whoever uses it */
    kubeconfig?: KubeconfigSettings;
    /** Tags of the OIDC provider, where it is made. @default none */
    tags?: Record<string, string>;
}

const shapes: ShapesOf<ExistingClusterArgs> = {
    clusterName: "string",
    zones: listOf("string"),
    oidcProvider: choices(OidcProviderSource),
    nodeSecurityGroupIds: listOf("string"),
    nodeSubnetIds: mapOf("string"),
    privateEndpointReachable: "boolean",
    prefixDelegation: "boolean",
    podIdentityAgent: "boolean",
    cniOnNodeRole: "boolean",
    kubeconfig: keysOf<KubeconfigSettings>({ roleArn: "string", profile: "string" }),
    tags: mapOf("string"),
};

/** What is wrong with the arguments of an {@link ExistingCluster}. */
export function checkExistingClusterArgs(args: ExistingClusterArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (sound) => {
        const problems = zoneProblems("zones", sound.zones ?? []);
        const name = plain(sound.clusterName);
        if (sound.clusterName === undefined || name === "") {
            problems.push({ path: "clusterName", message: "is missing; name the cluster." });
        }
        const groups = plain(sound.nodeSecurityGroupIds);
        if (groups?.length === 0) {
            problems.push({
                path: "nodeSecurityGroupIds",
                message: "every node carries a group; name it, or leave this out.",
            });
        }
        (groups ?? []).forEach((input, index) => {
            const group = plain(input);
            if (group !== undefined && !/^sg-[0-9a-z]+$/.test(group)) {
                problems.push({
                    path: `nodeSecurityGroupIds[${index}]`,
                    message: `"${group}" is no id of a security group, such as sg-0a1b2c3d.`,
                });
            }
        });
        const subnets = Object.keys(sound.nodeSubnetIds ?? {});
        for (const zone of subnets.filter((given) => !sound.zones?.includes(given))) {
            problems.push({ path: `nodeSubnetIds.${zone}`, message: `${zone} is not among the zones.` });
        }
        return problems;
    });
}

/**
 * A cluster that is there, as the other components see it. Everything is looked up in the preview and judged there: that the cluster is
 * active and new enough, that its endpoint can be reached, that each zone has a private subnet for nodes, that its OIDC provider is there.
 *
 * Creates nothing, or one IAM OIDC provider.
 */
export class ExistingCluster extends pulumi.ComponentResource {
    /** What other components know about the cluster. */
    readonly info: pulumi.Output<ClusterInfo>;
    /** The same: pods run there already. */
    readonly schedulable: pulumi.Output<ClusterInfo>;
    /** How to reach the cluster: a kubeconfig without credentials, for `k8s.Provider` and `kubectl`. */
    readonly kubeconfig: pulumi.Output<string>;

    constructor(name: string, args: ExistingClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("ExistingCluster", name, checkExistingClusterArgs(args));
        super("airflow-eks:index:ExistingCluster", name, {}, opts);
        const subject = `ExistingCluster "${name}"`;
        const found = pulumi
            .output({
                clusterName: args.clusterName,
                nodeSecurityGroupIds: args.nodeSecurityGroupIds,
                nodeSubnetIds: args.nodeSubnetIds,
            })
            .apply((known) => findCluster(subject, { ...args, ...known }, this));
        const oidcProviderArn =
            args.oidcProvider === OidcProviderSource.Create
                ? new aws.iam.OpenIdConnectProvider(
                      `${name}-oidc`,
                      {
                          url: pulumi.interpolate`https://${found.oidcIssuer}`,
                          clientIdLists: ["sts.amazonaws.com"],
                          tags: args.tags,
                      },
                      { parent: this },
                  ).arn
                : found.oidcIssuer.apply((issuer) => findOidcProvider(subject, issuer, this));

        this.info = pulumi
            .all([found, oidcProviderArn])
            .apply(([cluster, arn]): ClusterInfo => ({ ...cluster, oidcProviderArn: arn }));
        this.schedulable = this.info;
        this.kubeconfig = kubeconfigOf(this.info, args.kubeconfig);
        this.registerOutputs({ info: this.info, schedulable: this.schedulable, kubeconfig: this.kubeconfig });
    }
}
