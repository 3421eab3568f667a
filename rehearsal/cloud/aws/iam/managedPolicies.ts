import { ManagedPolicy } from "@pulumi/aws/types/enums/iam";

/** A policy that AWS manages, reduced to the actions that the rehearsal asks about. */
function actions(...patterns: string[]): unknown {
    return { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: patterns, Resource: "*" }] };
}

const NOTHING_ASKED_ABOUT = { Version: "2012-10-17", Statement: [] };
const EBS = actions(
    "ec2:CreateVolume",
    "ec2:DeleteVolume",
    "ec2:AttachVolume",
    "ec2:DetachVolume",
    "ec2:ModifyVolume",
    "ec2:CreateSnapshot",
    "ec2:DeleteSnapshot",
    "ec2:CreateTags",
    "ec2:Describe*",
    "ec2:EnableFastSnapshotRestores",
    "ec2:LockSnapshot",
);
const EFS = actions(
    "elasticfilesystem:DescribeAccessPoints",
    "elasticfilesystem:DescribeFileSystems",
    "elasticfilesystem:DescribeMountTargets",
    "elasticfilesystem:CreateAccessPoint",
    "elasticfilesystem:DeleteAccessPoint",
    "elasticfilesystem:TagResource",
    "ec2:DescribeAvailabilityZones",
);

/** What the rehearsal asks about is granted by these only. */
const GRANTING: Record<string, unknown> = {
    AdministratorAccess: actions("*"),
    PowerUserAccess: actions("*"),
    ReadOnlyAccess: actions("*:Get*", "*:List*", "*:Describe*"),
    AmazonEKSClusterPolicy: actions("ec2:*", "elasticloadbalancing:*", "kms:DescribeKey", "autoscaling:*"),
    AmazonEKSServicePolicy: actions("ec2:*"),
    AmazonEKSVPCResourceController: actions("ec2:*NetworkInterface*"),
    AmazonEKSWorkerNodePolicy: actions("ec2:Describe*", "eks:DescribeCluster", "eks-auth:AssumeRoleForPodIdentity"),
    AmazonEKSWorkerNodeMinimalPolicy: actions(
        "eks-auth:AssumeRoleForPodIdentity",
        "eks:DescribeCluster",
        "ec2:Describe*",
    ),
    AmazonEKS_CNI_Policy: actions(
        "ec2:AssignPrivateIpAddresses",
        "ec2:AttachNetworkInterface",
        "ec2:CreateNetworkInterface",
        "ec2:Describe*",
    ),
    AmazonEKSFargatePodExecutionRolePolicy: actions("ecr:*"),
    AmazonEKSComputePolicy: actions("ec2:*"),
    AmazonEKSBlockStoragePolicy: actions("ec2:*"),
    AmazonEKSBlockStoragePolicyV2: actions("ec2:*"),
    AmazonEKSLoadBalancingPolicy: actions("elasticloadbalancing:*"),
    AmazonEKSNetworkingPolicy: actions("ec2:*"),
    AmazonEC2ContainerRegistryReadOnly: actions(
        "ecr:GetAuthorizationToken",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:Describe*",
        "ecr:List*",
    ),
    AmazonEC2ContainerRegistryPullOnly: actions(
        "ecr:GetAuthorizationToken",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:BatchImportUpstreamImage",
    ),
    AmazonEC2ContainerRegistryPowerUser: actions("ecr:*"),
    AmazonSSMManagedInstanceCore: actions("ssm:*", "ssmmessages:*", "ec2messages:*"),
    AmazonS3ReadOnlyAccess: actions("s3:Get*", "s3:List*"),
    AmazonS3FullAccess: actions("s3:*"),
    AmazonEC2FullAccess: actions("ec2:*"),
    AmazonEC2ReadOnlyAccess: actions("ec2:Describe*"),
    AmazonRoute53FullAccess: actions("route53:*"),
    AmazonElasticFileSystemFullAccess: actions("elasticfilesystem:*"),
    AmazonElasticFileSystemReadOnlyAccess: actions("elasticfilesystem:Describe*"),
    AmazonElasticFileSystemClientFullAccess: actions(
        "elasticfilesystem:ClientMount",
        "elasticfilesystem:ClientRootAccess",
        "elasticfilesystem:ClientWrite",
        "elasticfilesystem:DescribeMountTargets",
    ),
    AmazonElasticFileSystemClientReadWriteAccess: actions(
        "elasticfilesystem:ClientMount",
        "elasticfilesystem:ClientWrite",
        "elasticfilesystem:DescribeMountTargets",
    ),
    AmazonElasticFileSystemsUtils: actions("elasticfilesystem:DescribeMountTargets", "logs:*"),
    CloudWatchAgentServerPolicy: actions("cloudwatch:PutMetricData", "logs:*", "ec2:Describe*"),
    CloudWatchLogsFullAccess: actions("logs:*"),
    AWSXrayWriteOnlyAccess: actions("xray:Put*"),
    AmazonPrometheusRemoteWriteAccess: actions("aps:RemoteWrite"),
    SecretsManagerReadWrite: actions("secretsmanager:*"),
    AutoScalingFullAccess: actions("autoscaling:*"),
    "service-role/AmazonEBSCSIDriverPolicy": EBS,
    "service-role/AmazonEBSCSIDriverPolicyV2": EBS,
    AmazonEBSCSIDriverEKSClusterScopedPolicy: EBS,
    "service-role/AmazonEBSCSIDriverEKSClusterScopedPolicy": EBS,
    "service-role/AmazonEFSCSIDriverPolicy": EFS,
    "service-role/AmazonS3FilesCSIDriverPolicy": actions("s3:*", "s3files:*"),
    "service-role/AWSBackupServiceRolePolicyForBackup": actions("backup:*", "elasticfilesystem:*", "ec2:*", "rds:*"),
    "service-role/AWSBackupServiceRolePolicyForRestores": actions("backup:*", "elasticfilesystem:*", "ec2:*", "rds:*"),
    "service-role/AWSDataLifecycleManagerServiceRole": actions(
        "ec2:CreateSnapshot",
        "ec2:DeleteSnapshot",
        "ec2:CreateTags",
        "ec2:Describe*",
    ),
    "service-role/AmazonRDSEnhancedMonitoringRole": actions("logs:*"),
    "service-role/AWSLambdaBasicExecutionRole": actions("logs:*"),
    "service-role/AWSLambdaVPCAccessExecutionRole": actions("logs:*", "ec2:*NetworkInterface*"),
    "service-role/AmazonEC2SpotFleetTaggingRole": actions("ec2:CreateTags"),
    "aws-service-role/AmazonEKSServiceRolePolicy": actions("ec2:*"),
};

/**
 * Policies that AWS manages, by the part of the ARN after `policy/`: those above, and every other that the SDK names, which
 * grants nothing that the rehearsal asks about. Any other name is refused, as a typo would be.
 */
export const MANAGED_POLICIES: Record<string, unknown> = {
    ...Object.fromEntries(
        Object.values(ManagedPolicy).map((arn) => [arn.replace(/^.*:policy\//, ""), NOTHING_ASKED_ABOUT]),
    ),
    ...GRANTING,
};
