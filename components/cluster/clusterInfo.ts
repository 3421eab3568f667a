/**
 * Everything that components know about a cluster. {@link PlatformCluster} (a new one) and {@link ExistingCluster} (one
 * that is there) both give it, so no other component knows which of the two it works with.
 */
export interface ClusterInfo {
    /** The name of the EKS cluster. */
    name: string;
    /** The Kubernetes version of the control plane, major and minor, for example `1.36`. */
    kubernetesVersion: string;
    /** The URL of the Kubernetes API server, with `https://`. */
    endpoint: string;
    /** The base64 encoded certificate of the cluster's certificate authority. */
    certificateAuthority: string;
    /** The ARN of the IAM OIDC provider that trusts the cluster's issuer. */
    oidcProviderArn: string;
    /** The cluster's OIDC issuer without `https://`, as IAM condition keys spell it. */
    oidcIssuer: string;
    /** The AWS region of the cluster. */
    region: string;
    /** The AWS partition of the cluster: `aws`, `aws-cn` or `aws-us-gov`. */
    partition: string;
    /** The id of the AWS account that owns the cluster. */
    accountId: string;
    /** The id of the VPC that nodes run in. */
    vpcId: string;
    /** The primary CIDR block of that VPC. */
    vpcCidr: string;
    /** The private subnet that nodes use in each zone, keyed by the zone's full name, for example `eu-west-1a`. */
    nodeSubnetIds: Record<string, string>;
    /**
     * The security groups that nodes really carry. For managed node groups without groups of their own this is the one
     * group that EKS makes for the cluster (`vpcConfig.clusterSecurityGroupId`), not a group of the eks component.
     */
    nodeSecurityGroupIds: string[];
    /** Whether the VPC CNI gives nodes /28 prefixes, so that more pods fit than the instance type has addresses for. */
    prefixDelegation: boolean;
    /** Whether the EKS Pod Identity agent runs, which `WorkloadRole` needs for its Pod Identity mode. */
    podIdentityAgent: boolean;
    /**
     * Whether the VPC CNI acts with the nodes' role, which then needs the policy `AmazonEKS_CNI_Policy`; false where it has a role of its own.
     * @default true
     */
    cniOnNodeRole?: boolean;
}
