import * as aws from "@pulumi/aws";
import * as eks from "@pulumi/eks";
import * as pulumi from "@pulumi/pulumi";
import { NodeGroup } from "../nodes/nodeGroup";
import { refuseProblems } from "../shared/check";
import { guardImmutable, keepUntil, refuseUpdate } from "../shared/guard";
import { managedPolicyArn } from "../shared/iamPolicy";
import { managedAddon } from "../shared/managedAddon";
import { accessEntries } from "./clusterAccess";
import type { ClusterInfo } from "./clusterInfo";
import { kubeconfigOf } from "./kubeconfig";
import { defaultVersion, upgradeRefusal } from "./kubernetesVersion";
import type { NetworkInfo } from "./networkInfo";
import type { PlatformClusterArgs } from "./platformClusterArgs";
import { checkPlatformClusterArgs, serviceOverlapProblems, systemNodeLabels } from "./platformClusterArgs";
import { WorkloadRole } from "./workloadRole";

/**
 * A new EKS cluster: private endpoint, secrets encrypted with a key of its own that rotates, access by access entries only, an OIDC
 * provider, the add-ons that every cluster needs in pinned versions, and a few on-demand nodes for what runs the platform.
 *
 * The control plane is made by `eks.Cluster`, with these choices: no add-ons, security groups, nodes or OIDC provider of its own. Its add-ons
 * are not pinned, and CoreDNS would wait for nodes that come later; its security groups are not those that managed nodes carry; its OIDC
 * provider asks the issuer for a thumbprint in every preview, which IAM no longer needs. EKS is told to install no add-ons by itself either
 * (`bootstrapSelfManagedAddons` false), so that there is one owner of each.
 *
 * Some 35 resources, in 15 minutes: control plane (10), VPC CNI (1), system nodes (2 to 3), CoreDNS (1). The key outlives the cluster.
 */
export class PlatformCluster extends pulumi.ComponentResource {
    /** What other components know about the cluster: there with the control plane and the add-ons that nodes need. */
    readonly info: pulumi.Output<ClusterInfo>;
    /** The same, there once pods can run: with system nodes, DNS and access entries. What starts pods takes this one. */
    readonly schedulable: pulumi.Output<ClusterInfo>;
    /** How to reach the cluster: a kubeconfig without credentials, for `k8s.Provider` and `kubectl`. */
    readonly kubeconfig: pulumi.Output<string>;
    /** The ARN of the key that encrypts secrets. */
    readonly secretsKeyArn: pulumi.Output<string>;

    constructor(name: string, args: PlatformClusterArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("PlatformCluster", name, checkPlatformClusterArgs(args));
        super("airflow-eks:index:PlatformCluster", name, {}, opts);
        const version = args.kubernetesVersion ?? defaultVersion;
        const network = pulumi.output(args.network).apply((known) => {
            refuseProblems("PlatformCluster", name, serviceOverlapProblems(args.serviceCidr, known.vpcCidr));
            return known;
        });

        const secretsKeyArn = args.secretsKeyArn ?? secretsKey(name, args, this).arn;
        const cluster = controlPlane(name, version, { ...args, secretsKeyArn }, network, this);
        const core = clusterInfo(name, args, cluster, network, this);
        const access = accessEntries(name, args.access ?? {}, core.name, core.partition, args.tags, this);

        const nodeAddons = addonsBeforeNodes(name, version, args, core, this);
        const info = after(core, nodeAddons);
        const nodes = systemNodes(name, args, info, this);
        const coredns = managedAddon(
            this,
            `${name}-coredns`,
            {
                addonName: "coredns",
                clusterName: core.name,
                kubernetesVersion: version,
                args: args.addons?.coredns,
                configuration: { nodeSelector: systemNodeLabels },
                tags: args.tags,
            },
            { dependsOn: [nodes] },
        );

        this.info = info;
        this.schedulable = after(info, [...access, nodes, coredns]);
        // Whoever reaches the cluster by it leaves before the access does.
        this.kubeconfig = after(kubeconfigOf(core, args.kubeconfig), access);
        this.secretsKeyArn = pulumi.output(secretsKeyArn);
        this.registerOutputs({
            info: this.info,
            schedulable: this.schedulable,
            kubeconfig: this.kubeconfig,
            secretsKeyArn: this.secretsKeyArn,
        });
    }
}

/** A value that comes once resources are there, and whose users leave before the resources do. */
function after<T>(value: pulumi.Output<T>, resources: pulumi.Resource[]): pulumi.Output<T> {
    const ready = resources.map((resource) => (resource instanceof NodeGroup ? resource.groupNames : resource.urn));
    return pulumi.all([value, pulumi.all(ready as pulumi.Output<unknown>[])]).apply(([resolved]) => resolved as T);
}

function secretsKey(name: string, args: PlatformClusterArgs, parent: pulumi.Resource): aws.kms.Key {
    return new aws.kms.Key(
        `${name}-secrets`,
        {
            description: `Secrets of the Kubernetes cluster ${clusterName(name, args)}`,
            enableKeyRotation: true,
            deletionWindowInDays: 30,
            tags: args.tags,
        },
        // A backup of the cluster's state can be read only with it.
        { parent, retainOnDelete: true },
    );
}

function clusterName(name: string, args: PlatformClusterArgs): string {
    return args.clusterName ?? `${name}-${pulumi.getStack().replace(/[^A-Za-z0-9_-]/g, "-")}`;
}

function controlPlane(
    name: string,
    version: string,
    args: PlatformClusterArgs,
    network: pulumi.Output<NetworkInfo>,
    parent: pulumi.Resource,
): eks.Cluster {
    const physicalName = clusterName(name, args);
    const guard = guardImmutable(
        parent,
        `${name}-guard`,
        { clusterName: physicalName, serviceCidr: args.serviceCidr, secretsKeyArn: args.secretsKeyArn },
        {
            what: `PlatformCluster "${name}"`,
            instead: "make a second cluster beside it, move what runs there, and then remove this one.",
        },
    );
    const upgrade = new pulumi.Stash(
        `${name}-kubernetes-version`,
        { input: version },
        {
            parent,
            // EKS refuses when its turn comes and the nodes are gone, the engine before anything is deleted.
            protect: args.deletionProtection,
            hooks: refuseUpdate(parent, `${name}-kubernetes-version`, (olds, news) => {
                const refusal = upgradeRefusal(String(olds.input), String(news.input));
                return refusal && `PlatformCluster "${name}": ${refusal}`;
            }),
        },
    );
    // EKS makes the group itself otherwise, keeps its logs forever, and leaves it behind.
    const logs = new aws.cloudwatch.LogGroup(
        `${name}-control-plane`,
        { name: `/aws/eks/${physicalName}/cluster`, retentionInDays: args.logRetentionDays ?? 90, tags: args.tags },
        { parent },
    );
    // The control plane's zones never change at EKS; nodes may use zones that came later all the same.
    const zones = keepUntil(parent, `${name}-control-plane-zones`, args.zones, "creation");
    return new eks.Cluster(
        name,
        {
            name: physicalName,
            version,
            vpcId: network.vpcId,
            privateSubnetIds: pulumi.all([zones, network]).apply(([kept, { privateSubnetIds }]) => {
                return Object.values(subnetsOf(name, kept, privateSubnetIds));
            }),
            endpointPrivateAccess: true,
            endpointPublicAccess: args.publicAccessCidrs !== undefined,
            publicAccessCidrs: args.publicAccessCidrs,
            encryptionConfigKeyArn: args.secretsKeyArn,
            enabledClusterLogTypes: args.logTypes ?? [
                "api",
                "audit",
                "authenticator",
                "controllerManager",
                "scheduler",
            ],
            authenticationMode: "API",
            kubernetesServiceIpAddressRange: args.serviceCidr,
            upgradePolicy: { supportType: (args.extendedSupport ?? true) ? "EXTENDED" : "STANDARD" },
            deletionProtection: args.deletionProtection,
            bootstrapSelfManagedAddons: false,
            useDefaultVpcCni: true,
            kubeProxyAddonOptions: { enabled: false },
            corednsAddonOptions: { enabled: false },
            skipDefaultNodeGroup: true,
            skipDefaultSecurityGroups: true,
            createOidcProvider: false,
            tags: args.tags,
        },
        { parent, dependsOn: [guard, upgrade, logs] },
    );
}

function subnetsOf(name: string, zones: string[], ids: Record<string, string>): Record<string, string> {
    const missing = zones.filter((zone) => ids[zone] === undefined);
    if (missing.length > 0) {
        throw new Error(
            `PlatformCluster "${name}": zones: the network has no private subnet in ${missing.join(", ")}, but in ` +
                `${Object.keys(ids).join(", ")}; add the zone to the network or leave it out here.`,
        );
    }
    return Object.fromEntries(zones.map((zone) => [zone, ids[zone]]));
}

/** What is known of the cluster once its control plane is there. */
function clusterInfo(
    name: string,
    args: PlatformClusterArgs,
    cluster: eks.Cluster,
    network: pulumi.Output<NetworkInfo>,
    parent: pulumi.Resource,
): pulumi.Output<ClusterInfo> {
    const control = cluster.eksCluster;
    const issuer = control.apply(({ identities }) => identities).apply((identities) => identities[0].oidcs[0].issuer);
    const oidc = new aws.iam.OpenIdConnectProvider(
        `${name}-oidc`,
        { url: issuer, clientIdLists: ["sts.amazonaws.com"], tags: args.tags },
        { parent },
    );
    return pulumi
        .output({
            name: control.name,
            kubernetesVersion: control.version,
            endpoint: control.endpoint,
            certificateAuthority: control.certificateAuthority.data,
            oidcProviderArn: oidc.arn,
            issuer,
            region: aws.getRegionOutput({}, { parent }).region,
            partition: aws.getPartitionOutput({}, { parent }).partition,
            accountId: aws.getCallerIdentityOutput({}, { parent }).accountId,
            network,
            nodeSecurityGroupId: control.vpcConfig.clusterSecurityGroupId,
        })
        .apply(
            ({
                issuer: url,
                network: { vpcId, vpcCidr, privateSubnetIds },
                nodeSecurityGroupId,
                ...known
            }): ClusterInfo => ({
                ...known,
                oidcIssuer: url.replace(/^https:\/\//, ""),
                vpcId,
                vpcCidr,
                nodeSubnetIds: subnetsOf(name, args.zones, privateSubnetIds),
                nodeSecurityGroupIds: [nodeSecurityGroupId],
                prefixDelegation: args.prefixDelegation ?? false,
                podIdentityAgent: args.podIdentityAgent ?? true,
                cniOnNodeRole: false,
            }),
        );
}

/** Add-ons without which nodes are not ready: pod networking, Services, and credentials by Pod Identity. */
function addonsBeforeNodes(
    name: string,
    kubernetesVersion: string,
    args: PlatformClusterArgs,
    core: pulumi.Output<ClusterInfo>,
    parent: pulumi.Resource,
): pulumi.Resource[] {
    const role = new WorkloadRole(
        `${name}-vpc-cni`,
        {
            cluster: core,
            namespace: "kube-system",
            serviceAccounts: ["aws-node"],
            managedPolicyArns: { network: managedPolicyArn(core.partition, "AmazonEKS_CNI_Policy") },
            tags: args.tags,
        },
        { parent },
    );
    const common = { clusterName: core.name, kubernetesVersion, tags: args.tags };
    const cni = managedAddon(parent, `${name}-vpc-cni`, {
        ...common,
        addonName: "vpc-cni",
        args: args.addons?.vpcCni,
        serviceAccountRoleArn: role.roleArn,
        configuration: {
            env: args.prefixDelegation ? { ENABLE_PREFIX_DELEGATION: "true", WARM_PREFIX_TARGET: "1" } : {},
            enableNetworkPolicy: String(args.networkPolicies ?? false),
        },
    });
    const proxy = managedAddon(parent, `${name}-kube-proxy`, {
        ...common,
        addonName: "kube-proxy",
        args: args.addons?.kubeProxy,
    });
    if (args.podIdentityAgent === false) {
        return [cni, proxy];
    }
    const agent = managedAddon(parent, `${name}-pod-identity-agent`, {
        ...common,
        addonName: "eks-pod-identity-agent",
        args: args.addons?.podIdentityAgent,
    });
    return [cni, proxy, agent];
}

function systemNodes(
    name: string,
    args: PlatformClusterArgs,
    cluster: pulumi.Output<ClusterInfo>,
    parent: pulumi.Resource,
): NodeGroup {
    return new NodeGroup(
        `${name}-system`,
        {
            cluster,
            zones: args.zones,
            instanceTypes: ["t3.large"],
            scaling: { min: 2, max: 4 },
            ...args.systemNodes,
            labels: systemNodeLabels,
            tags: args.tags,
        },
        { parent },
    );
}
