import * as fc from "fast-check";
import { UNKNOWN } from "../../../policy-pack/plain";
import type { Rule } from "../../../policy-pack/rule";
import { judgeAwsLoadBalancers } from "../../../policy-pack/judge/awsLoadBalancers";
import { adviseFileSystemPolicies } from "../../../policy-pack/judge/efsPolicy";
import { rules } from "../../../policy-pack/rules";
import { holds, judge } from "./helpers";

/** Every type that a rule on AWS speaks of, and every property that one reads. */
const TYPES =
    `aws:iam/role:Role aws:efs/fileSystem:FileSystem aws:efs/mountTarget:MountTarget aws:efs/backupPolicy:BackupPolicy aws:efs/fileSystemPolicy:FileSystemPolicy
    aws:efs/replicationConfiguration:ReplicationConfiguration aws:ebs/volume:Volume aws:ebs/snapshot:Snapshot aws:ebs/snapshotCopy:SnapshotCopy aws:ebs/encryptionByDefault:EncryptionByDefault
    aws:ec2/ami:Ami aws:ec2/amiCopy:AmiCopy aws:ec2/instance:Instance aws:ec2/launchTemplate:LaunchTemplate aws:ec2/launchConfiguration:LaunchConfiguration aws:ec2/spotFleetRequest:SpotFleetRequest
    aws:ec2/fleet:Fleet aws:ec2/subnet:Subnet aws:ec2/securityGroup:SecurityGroup aws:ec2/securityGroupRule:SecurityGroupRule aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule
    aws:ec2/defaultSecurityGroup:DefaultSecurityGroup aws:ec2/managedPrefixList:ManagedPrefixList aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry aws:autoscaling/group:Group
    aws:eks/cluster:Cluster aws:eks/nodeGroup:NodeGroup aws:eks/addon:Addon aws:rds/instance:Instance aws:rds/cluster:Cluster aws:rds/clusterInstance:ClusterInstance aws:rds/globalCluster:GlobalCluster
    aws:rds/parameterGroup:ParameterGroup aws:rds/proxy:Proxy aws:docdb/cluster:Cluster aws:dlm/lifecyclePolicy:LifecyclePolicy aws:backup/selection:Selection aws:lb/loadBalancer:LoadBalancer
    aws-native:iam:Role aws-native:ec2:SecurityGroup aws-native:ec2:LaunchTemplate aws-native:eks:Cluster aws-native:rds:DbInstance aws-native:rds:DbParameterGroup`.split(
        /\s+/,
    );
const PROPERTIES =
    `id arn name assumeRolePolicy assumeRolePolicyDocument encrypted kmsKeyId storageEncrypted snapshotId snapshotIdentifier replicateSourceDb restoreToPointInTime destination
    policy fileSystemId subnetId subnetIds availabilityZone availabilityZoneName vpcId backupPolicy blockDeviceMappings launchTemplateData rootBlockDevice ebsBlockDevices launchSpecifications launchTemplate
    launchTemplateConfigs metadataOptions ingress securityGroupIngress type protocol ipProtocol fromPort toPort cidrBlocks ipv6CidrBlocks cidrIpv4 cidrIp cidrIpv6 prefixListIds prefixListId securityGroupId
    entries cidr vpcConfig resourcesVpcConfig encryptionConfig version diskSize amiType capacityType instanceTypes addonName addonVersion engine engineVersion engineMode port parameterGroupName family
    parameters publiclyAccessible vpcSecurityGroupIds requireTls backupRetentionPeriod deletionProtection policyDetails resources selectionTags conditions tags mixedInstancesPolicy region internal
    securityGroups loadBalancerType enabled`.split(/\s+/);

const leaf = fc.oneof(
    fc.constantFrom<unknown>(
        UNKNOWN,
        null,
        undefined,
        true,
        false,
        "",
        "true",
        0,
        -1,
        2049,
        "0.0.0.0/0",
        "::/0",
        "all",
        "postgres",
        "14",
        "x",
        "SPOT",
        "prod",
        [],
        {},
    ),
    fc.anything({ maxDepth: 2 }),
);
const inner = fc.dictionary(
    fc.constantFrom(
        "ebs",
        "deviceName",
        "encrypted",
        "cidrBlocks",
        "protocol",
        "name",
        "value",
        "id",
        "httpTokens",
        "status",
        "overrides",
        "launchTemplate",
        "resources",
        "provider",
        "schedules",
    ),
    leaf,
    { maxKeys: 5 },
);
const value = fc.oneof(leaf, inner, fc.array(fc.oneof(leaf, inner), { maxLength: 4 }));
const resource = fc.record({
    type: fc.constantFrom(...TYPES),
    props: fc.dictionary(fc.constantFrom(...PROPERTIES), value, { maxKeys: 12 }),
});

describe("whatever a program says", () => {
    const helpers: Rule[] = [judgeAwsLoadBalancers, adviseFileSystemPolicies].map(
        (stack) => ({ name: stack.name, stack }) as unknown as Rule,
    );
    for (const rule of [...rules, ...helpers]) {
        holds(
            `${rule.name} never throws`,
            400,
            fc.property(fc.array(resource, { minLength: 1, maxLength: 5 }), (made) => {
                const names = made.map((_, index) => `r${index}`);
                const linked = made.map((one) => ({
                    ...one,
                    from: Object.fromEntries(Object.keys(one.props).map((key) => [key, names])),
                }));
                judge(rule, linked, { stacks: ["prod"], requireCustomerKey: true });
            }),
        );
    }
});
