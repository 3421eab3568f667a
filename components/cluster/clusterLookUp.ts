import * as aws from "@pulumi/aws";
import type * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { InvalidArgumentsError } from "../shared/check";
import { regionOfZone } from "../shared/zones";
import type { ClusterInfo } from "./clusterInfo";
import { oldestVersion, olderThan } from "./kubernetesVersion";
import { privateSubnetTags, subnetById, subnetProblems, taggedSubnets } from "./subnetLookUp";

/** What is asked of a cluster that is there. */
export interface WantedCluster {
    clusterName: string;
    zones: string[];
    nodeSecurityGroupIds?: string[];
    nodeSubnetIds?: Record<string, string>;
    privateEndpointReachable?: boolean;
    prefixDelegation?: boolean;
    podIdentityAgent?: boolean;
    cniOnNodeRole?: boolean;
}

/** All that AWS says of a cluster, apart from its OIDC provider; refuses, with everything that is wrong, one that will not do. */
export async function findCluster(
    subject: string,
    wanted: WantedCluster,
    parent: pulumi.Resource,
): Promise<Omit<ClusterInfo, "oidcProviderArn">> {
    const name = wanted.clusterName;
    const [{ region }, { partition }, { accountId }] = await Promise.all([
        aws.getRegion({}, { parent }),
        aws.getPartition({}, { parent }),
        aws.getCallerIdentity({}, { parent }),
    ]);
    const cluster = await aws.eks.getCluster({ name }, { parent }).catch((error: Error) => {
        const message = `account ${accountId} has no cluster "${name}" in ${region} (${error.message})`;
        throw new InvalidArgumentsError(subject, [{ path: "clusterName", message }]);
    });
    const problems = [...clusterProblems(cluster, wanted), ...regionProblems(wanted.zones, region)];
    const vpc = await aws.ec2.getVpc({ id: cluster.vpcConfig.vpcId }, { parent });
    const nodeSubnetIds = await findNodeSubnets(cluster, wanted, problems, parent);
    const cni = await findAddon(name, "vpc-cni", parent);
    const agent = await findAddon(name, "eks-pod-identity-agent", parent);
    if (problems.length > 0) {
        throw new InvalidArgumentsError(subject, problems);
    }
    return {
        name,
        kubernetesVersion: cluster.version,
        endpoint: cluster.endpoint,
        certificateAuthority: cluster.certificateAuthorities[0].data,
        oidcIssuer: issuerOf(cluster),
        region,
        partition,
        accountId,
        vpcId: vpc.id,
        vpcCidr: vpc.cidrBlock,
        nodeSubnetIds,
        nodeSecurityGroupIds: wanted.nodeSecurityGroupIds ?? [cluster.vpcConfig.clusterSecurityGroupId],
        prefixDelegation: wanted.prefixDelegation ?? delegatesPrefixes(cni),
        podIdentityAgent: wanted.podIdentityAgent ?? agent !== undefined,
        cniOnNodeRole: wanted.cniOnNodeRole ?? !hasOwnRole(cni),
    };
}

/** The ARN of the account's OIDC provider for an issuer. */
export async function findOidcProvider(subject: string, issuer: string, parent: pulumi.Resource): Promise<string> {
    const found = await aws.iam
        .getOpenIdConnectProvider({ url: `https://${issuer}` }, { parent })
        .catch((error: Error) => {
            const message = `the account has no IAM OIDC provider for ${issuer}; set Create to have it made here (${error.message})`;
            throw new InvalidArgumentsError(subject, [{ path: "oidcProvider", message }]);
        });
    return found.arn;
}

/** An issuer as IAM's condition keys spell it, however it was given. */
function issuerOf(cluster: aws.eks.GetClusterResult): string {
    return (cluster.identities[0]?.oidcs[0]?.issuer ?? "").replace(/^https:\/\//, "").replace(/\/$/, "");
}

function clusterProblems(cluster: aws.eks.GetClusterResult, wanted: WantedCluster): Problem[] {
    const problems: Problem[] = [];
    const path = "clusterName";
    if (cluster.status !== "ACTIVE") {
        problems.push({ path, message: `${cluster.name} is ${cluster.status}; wait until it is ACTIVE.` });
    }
    if (olderThan(cluster.version, oldestVersion)) {
        problems.push({
            path,
            message: `${cluster.name} runs Kubernetes ${cluster.version}; the components need ${oldestVersion} or newer, upgrade it first.`,
        });
    }
    if (issuerOf(cluster) === "") {
        problems.push({
            path,
            message: `${cluster.name} has no OIDC issuer, so no service account could have a role.`,
        });
    }
    if (!cluster.vpcConfig.endpointPublicAccess && !wanted.privateEndpointReachable) {
        problems.push({
            path: "privateEndpointReachable",
            message: `the API of ${cluster.name} is reachable from its VPC only; set this to true where Pulumi runs in the VPC or is connected to it.`,
        });
    }
    return problems;
}

function regionProblems(zones: string[], region: string): Problem[] {
    return zones
        .filter((zone) => regionOfZone(zone) !== region)
        .map((zone) => ({ path: "zones", message: `${zone} is not in ${region}, where the cluster is.` }));
}

async function findNodeSubnets(
    cluster: aws.eks.GetClusterResult,
    wanted: WantedCluster,
    problems: Problem[],
    parent: pulumi.Resource,
): Promise<Record<string, string>> {
    const { vpcId, subnetIds } = cluster.vpcConfig;
    const subnets = await Promise.all(subnetIds.map((id) => aws.ec2.getSubnet({ id }, { parent })));
    const found: Record<string, string> = {};
    for (const zone of wanted.zones) {
        const path = `nodeSubnetIds.${zone}`;
        const given = wanted.nodeSubnetIds?.[zone];
        if (given !== undefined) {
            found[zone] = given;
            problems.push(...subnetProblems(path, given, zone, vpcId, await subnetById(given, parent)));
            continue;
        }
        const ofCluster = subnets.filter((subnet) => subnet.availabilityZone === zone && !subnet.mapPublicIpOnLaunch);
        // Zones that came after the cluster cannot be among its own subnets.
        const ids =
            ofCluster.length > 0
                ? ofCluster.map(({ id }) => id)
                : await taggedSubnets(vpcId, zone, privateSubnetTags, parent);
        if (ids.length === 1) {
            found[zone] = ids[0];
        } else {
            problems.push({
                path,
                message:
                    ids.length === 0
                        ? `neither the cluster nor its VPC has a private subnet in ${zone}; name the nodes' subnet here.`
                        : `there are ${ids.length} private subnets in ${zone} (${ids.join(", ")}); name the nodes' here.`,
            });
        }
    }
    return found;
}

async function findAddon(
    clusterName: string,
    addonName: string,
    parent: pulumi.Resource,
): Promise<aws.eks.GetAddonResult | undefined> {
    return aws.eks.getAddon({ clusterName, addonName }, { parent }).catch((error: Error) => {
        if (/not ?found|no addon|couldn't find|empty result/i.test(error.message)) {
            return undefined;
        }
        throw error;
    });
}

function delegatesPrefixes(cni: aws.eks.GetAddonResult | undefined): boolean {
    if (!cni?.configurationValues) {
        return false;
    }
    // JSON or YAML.
    return /ENABLE_PREFIX_DELEGATION["']?\s*:\s*["']?true\b/.test(cni.configurationValues);
}

function hasOwnRole(cni: aws.eks.GetAddonResult | undefined): boolean {
    return Boolean(cni?.serviceAccountRoleArn) || (cni?.podIdentityAssociations ?? []).length > 0;
}
