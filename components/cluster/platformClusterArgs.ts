import type * as pulumi from "@pulumi/pulumi";
import { typeNameProblems } from "../nodes/nodeProblems";
import type { NodeScaling } from "../nodes/nodeScaling";
import { scalingProblems, scalingShape } from "../nodes/nodeScaling";
import type { Problem } from "../shared/check";
import { plain, under } from "../shared/check";
import { cidrContains, cidrsOverlap, parseCidr } from "../shared/cidr";
import type { ManagedAddonArgs } from "../shared/managedAddon";
import { checkManagedAddonArgs, managedAddonShapes } from "../shared/managedAddon";
import { fittingProblems } from "../shared/fitting";
import type { ShapesOf } from "../shared/shape";
import { choices, keysOf, listOf, mapOf } from "../shared/shape";
import { zoneProblems } from "../shared/zones";
import type { ClusterAccess } from "./clusterAccess";
import { AccessPolicy, accessProblems } from "./clusterAccess";
import type { KubeconfigSettings } from "./kubeconfig";
import { defaultVersion, versionProblems } from "./kubernetesVersion";
import type { NetworkInfo } from "./networkInfo";
import { retentionPeriods } from "./retentionPeriods";

/** The label of the nodes on which controllers run. */
export const systemNodeLabels = { "system-node": "enabled" };

/** The nodes for what runs the platform: controllers, CoreDNS, the Airflow scheduler where it has no group of its own. */
export interface SystemNodes {
    /** Instance types of one size, x86. @default t3.large */
    instanceTypes?: string[];
    /** How many nodes. @default 2 to 4 */
    scaling?: NodeScaling;
    /** The size of the root volumes in GiB. @default 50 */
    diskSizeGiB?: number;
    /** The version of EKS's machine image. @default the newest when the group or its Kubernetes version is new, then kept */
    releaseVersion?: string;
}

/** How the managed add-ons of the cluster are pinned. */
export interface PlatformAddons {
    /** `vpc-cni`: the addresses of pods. */
    vpcCni?: ManagedAddonArgs;
    /** `kube-proxy`: Services. */
    kubeProxy?: ManagedAddonArgs;
    /** `coredns`: names in the cluster. */
    coredns?: ManagedAddonArgs;
    /** `eks-pod-identity-agent`: credentials by Pod Identity. */
    podIdentityAgent?: ManagedAddonArgs;
}

/** Arguments of {@link PlatformCluster}. */
export interface PlatformClusterArgs {
    /** The network that the cluster lies in. */
    network: pulumi.Input<NetworkInfo>;
    /** The zones of the nodes, at least two, by their full names. Later ones serve nodes only, the control plane keeps its own. */
    zones: string[];
    /** The name of the cluster at AWS; it never changes. @default the component's name and the stack's */
    clusterName?: string;
    /** The Kubernetes version, major and minor. Raise it by one minor version at a time; add-ons and nodes follow. @default 1.36 */
    kubernetesVersion?: string;
    /**
     * The blocks of addresses from which the API is reachable over the internet, such as an office's or a CI runner's. Without them there
     * is no public endpoint. @default none
     */
    publicAccessCidrs?: string[];
    /** Says that Pulumi runs where the private endpoint is reachable: in the VPC, by VPN or peering. Needed without `publicAccessCidrs`. @default false */
    privateEndpointReachable?: boolean;
    /** Who may use the API, under names of your choice. Whoever makes the cluster is its admin without an entry, and may have none here. @default none */
    access?: Record<string, ClusterAccess>;
    /** ARN of a KMS key for secrets; it never changes. @default a key of its own that rotates and outlives the cluster */
    secretsKeyArn?: pulumi.Input<string>;
    /** Which control plane logs are kept. @default all: api, audit, authenticator, controllerManager, scheduler */
    logTypes?: string[];
    /** How many days they are kept, one of CloudWatch's retention periods. @default 90 */
    logRetentionDays?: number;
    /** Addresses of Services, apart from the VPC's; it never changes. @default EKS's choice, 172.20.0.0/16 or 10.100.0.0/16 */
    serviceCidr?: string;
    /** Whether nodes get blocks of 16 addresses, so that a `.large` takes 110 pods instead of 29. Subnets must have whole /28 blocks free. @default false */
    prefixDelegation?: boolean;
    /** Whether the VPC CNI enforces NetworkPolicies. @default false */
    networkPolicies?: boolean;
    /** Whether the agent of EKS Pod Identity runs. @default true */
    podIdentityAgent?: boolean;
    /** The nodes for what runs the platform. @default two t3.large */
    systemNodes?: SystemNodes;
    /** How add-ons are pinned. @default the newest version when the cluster's is new, then kept */
    addons?: PlatformAddons;
    /** Whether the cluster may stay on a version after its standard support, for six times the price; else EKS upgrades it by itself. @default true */
    extendedSupport?: boolean;
    /** Whether EKS refuses to delete the cluster. @default false */
    deletionProtection?: boolean;
    /** How the kubeconfig gets credentials. @default those of whoever uses it */
    kubeconfig?: KubeconfigSettings;
    /** Tags of everything that belongs to the cluster. @default none */
    tags?: Record<string, string>;
}

const logTypes = ["api", "audit", "authenticator", "controllerManager", "scheduler"];

const shapes: ShapesOf<PlatformClusterArgs> = {
    network: "anything",
    zones: listOf("string"),
    clusterName: "string",
    kubernetesVersion: "string",
    publicAccessCidrs: listOf("string"),
    privateEndpointReachable: "boolean",
    access: mapOf(
        keysOf<ClusterAccess>({ principalArn: "string", policy: choices(AccessPolicy), namespaces: listOf("string") }),
    ),
    secretsKeyArn: "string",
    logTypes: listOf("string"),
    logRetentionDays: "integer",
    serviceCidr: "string",
    prefixDelegation: "boolean",
    networkPolicies: "boolean",
    podIdentityAgent: "boolean",
    systemNodes: keysOf<SystemNodes>({
        instanceTypes: listOf("string"),
        scaling: scalingShape,
        diskSizeGiB: "integer",
        releaseVersion: "string",
    }),
    addons: keysOf<PlatformAddons>({
        vpcCni: keysOf(managedAddonShapes),
        kubeProxy: keysOf(managedAddonShapes),
        coredns: keysOf(managedAddonShapes),
        podIdentityAgent: keysOf(managedAddonShapes),
    }),
    extendedSupport: "boolean",
    deletionProtection: "boolean",
    kubeconfig: keysOf<KubeconfigSettings>({ roleArn: "string", profile: "string" }),
    tags: mapOf("string"),
};

/** What is wrong with the arguments of a {@link PlatformCluster}. */
export function checkPlatformClusterArgs(args: PlatformClusterArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (sound) => [
        ...zoneProblems("zones", sound.zones ?? [], 2),
        ...versionProblems("kubernetesVersion", sound.kubernetesVersion ?? defaultVersion),
        ...nameProblems(sound.clusterName),
        ...endpointProblems(sound),
        ...accessProblems("access", sound.access ?? {}),
        ...keyProblems(plain(sound.secretsKeyArn)),
        ...logProblems(sound),
        ...serviceCidrProblems(sound.serviceCidr),
        ...serviceOverlapProblems(sound.serviceCidr, plain(sound.network)?.vpcCidr),
        ...systemNodeProblems(sound.systemNodes ?? {}),
        ...Object.entries(sound.addons ?? {}).flatMap(([key, addon]) =>
            under(`addons.${key}`, checkManagedAddonArgs(addon)),
        ),
    ]);
}

function nameProblems(name: string | undefined): Problem[] {
    return name === undefined || /^[0-9A-Za-z][0-9A-Za-z_-]{0,99}$/.test(name)
        ? []
        : [
              {
                  path: "clusterName",
                  message: `"${name}" is no name of a cluster: letters, digits, "-" and "_", at most 100.`,
              },
          ];
}

function endpointProblems({
    publicAccessCidrs: cidrs,
    privateEndpointReachable,
}: Partial<PlatformClusterArgs>): Problem[] {
    const path = "publicAccessCidrs";
    if (cidrs === undefined) {
        return privateEndpointReachable
            ? []
            : [
                  {
                      path,
                      message:
                          "without it the API is reachable from the VPC only: list the addresses that Pulumi comes from, or say " +
                          "privateEndpointReachable where it runs in the VPC or is connected to it.",
                  },
              ];
    }
    if (cidrs.length === 0) {
        return [{ path, message: "AWS takes an empty list for the whole world; leave it out for no public endpoint." }];
    }
    return cidrs.flatMap((text, index) => {
        const at = `${path}[${index}]`;
        const block = parseCidr(text);
        if (!block) {
            return [{ path: at, message: `"${text}" is no block of IPv4 addresses such as 203.0.113.0/24.` }];
        }
        if (block.prefix < 8) {
            return [
                {
                    path: at,
                    message: `"${text}" is the whole world or most of it; list the addresses that need the API.`,
                },
            ];
        }
        const isPrivate = privateBlocks.some((outer) => cidrContains(parseCidr(outer)!, block));
        return isPrivate
            ? [
                  {
                      path: at,
                      message: `"${text}" is private; nobody reaches the public endpoint from there, EKS refuses it.`,
                  },
              ]
            : [];
    });
}

const privateBlocks = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];

function keyProblems(arn: string | undefined): Problem[] {
    return arn === undefined || /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/.+$/.test(arn)
        ? []
        : [{ path: "secretsKeyArn", message: `"${arn}" is not the ARN of a KMS key; EKS takes no alias.` }];
}

function logProblems({ logTypes: types, logRetentionDays: days }: Partial<PlatformClusterArgs>): Problem[] {
    const problems = (types ?? []).flatMap((type, index) =>
        logTypes.includes(type)
            ? []
            : [{ path: `logTypes[${index}]`, message: `"${type}" is none of ${logTypes.join(", ")}.` }],
    );
    if (days !== undefined && !retentionPeriods.includes(days)) {
        problems.push({
            path: "logRetentionDays",
            message: `CloudWatch does not keep logs for ${days} days, but for one of ${retentionPeriods.join(", ")}.`,
        });
    }
    return problems;
}

function serviceCidrProblems(text: string | undefined): Problem[] {
    if (text === undefined) {
        return [];
    }
    const block = parseCidr(text);
    const fits =
        block &&
        block.prefix >= 12 &&
        block.prefix <= 24 &&
        privateBlocks.some((outer) => cidrContains(parseCidr(outer)!, block));
    return fits
        ? []
        : [
              {
                  path: "serviceCidr",
                  message: `"${text}" will not do: EKS takes a private block from /12 to /24, such as 172.20.0.0/16.`,
              },
          ];
}

/** EKS refuses a block of Services that shares addresses with the VPC. */
export function serviceOverlapProblems(serviceCidr: string | undefined, vpcCidr: string | undefined): Problem[] {
    const [services, vpc] = [parseCidr(serviceCidr ?? ""), parseCidr(vpcCidr ?? "")];
    return services && vpc && cidrsOverlap(services, vpc)
        ? [
              {
                  path: "serviceCidr",
                  message: `${serviceCidr} overlaps with the VPC's ${vpcCidr}; give a block apart from it.`,
              },
          ]
        : [];
}

function systemNodeProblems({ instanceTypes, scaling, diskSizeGiB }: SystemNodes): Problem[] {
    const problems = [
        ...typeNameProblems("instanceTypes", instanceTypes),
        ...(scaling ? scalingProblems("scaling", scaling) : []),
    ];
    if (scaling && scaling.min < 1) {
        problems.push({
            path: "scaling.min",
            message: "without a system node neither DNS nor controllers run; give at least 1, better 2.",
        });
    }
    if (diskSizeGiB !== undefined && diskSizeGiB < 20) {
        problems.push({
            path: "diskSizeGiB",
            message: `${diskSizeGiB} GiB do not hold the machine image; give 20 or more.`,
        });
    }
    return under("systemNodes", problems);
}
