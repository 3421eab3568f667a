import type { ClusterInfo, NetworkInfo } from "../../../../components";

/** The cluster that `platform()` of the Kubernetes fixture seeds, as components see one. */
export const zones = ["eu-west-1a", "eu-west-1b"];
const subnets = Object.fromEntries(zones.map((zone) => [zone, `subnet-${zone}`]));
const oidcIssuer = "oidc.eks.eu-west-1.amazonaws.com/id/ABC";
const endpoint = "https://ABC.gr7.eu-west-1.eks.amazonaws.com";

export const kubeconfig = JSON.stringify({
    "current-context": "aws",
    contexts: [{ name: "aws", context: { cluster: "kubernetes" } }],
    clusters: [{ name: "kubernetes", cluster: { server: endpoint } }],
});

export const cluster = {
    name: "platform",
    kubernetesVersion: "1.36",
    endpoint,
    certificateAuthority: "Q0E=",
    oidcProviderArn: `arn:aws:iam::123456789012:oidc-provider/${oidcIssuer}`,
    oidcIssuer,
    region: "eu-west-1",
    partition: "aws",
    accountId: "123456789012",
    vpcId: "vpc-1",
    vpcCidr: "10.0.0.0/16",
    nodeSubnetIds: subnets,
    nodeSecurityGroupIds: ["sg-nodes"],
    prefixDelegation: false,
    podIdentityAgent: false,
} as ClusterInfo;

export const network: NetworkInfo = {
    vpcId: "vpc-1",
    vpcCidr: "10.0.0.0/16",
    privateSubnetIds: subnets,
    publicSubnetIds: {},
} as NetworkInfo;
