import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { policyJson, type PolicyStatement } from "../shared/iamPolicy";
import { keysOf, mapOf, type ShapesOf } from "../shared/shape";
import { fileSystemIdProblems } from "./existingFileSystem";

/** What a cluster of another account needs to use a file system: see {@link CrossAccountClasses}. */
export interface CrossAccountAccess {
    /** The id of the file system. */
    fileSystemId: string;
    /** The ARN of the role, in the file system's account, that the driver assumes. */
    roleArn: string;
    /** What the driver must say to assume the role. Secret. */
    externalId: string;
}

/** Arguments of {@link CrossAccountFileSystem}. */
export interface CrossAccountFileSystemArgs {
    /** The id of the file system, in the account of the component's AWS provider. */
    fileSystemId: pulumi.Input<string>;
    /** The id of the account of the cluster, 12 digits. */
    clusterAccountId: string;
    /** What the driver must say to assume the role. @default 32 random letters and digits */
    externalId?: pulumi.Input<string>;
    /**
     * Whether everybody who reaches the NFS port may still mount, as without a policy. Without it only the other account may, and clients
     * of this account need rights of their own.
     * @default true
     */
    othersMayMount?: boolean;
    /** ARN of a policy that bounds what the role can ever do, where the account demands one. @default none */
    permissionsBoundary?: pulumi.Input<string>;
    /** Tags of the role. @default none */
    tags?: Record<string, pulumi.Input<string>>;
}

const shapes: ShapesOf<CrossAccountFileSystemArgs> = {
    fileSystemId: "string",
    clusterAccountId: "string",
    externalId: "string",
    othersMayMount: "boolean",
    permissionsBoundary: "string",
    tags: mapOf("string"),
};

/** What is wrong with the arguments of a {@link CrossAccountFileSystem}. */
export function checkCrossAccountFileSystemArgs(args: CrossAccountFileSystemArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: CrossAccountFileSystemArgs): Problem[] {
    const problems = fileSystemIdProblems("fileSystemId", args.fileSystemId);
    if (!/^\d{12}$/.test(args.clusterAccountId ?? "")) {
        problems.push({
            path: "clusterAccountId",
            message: `"${args.clusterAccountId ?? ""}" is no account id, 12 digits in quotes`,
        });
    }
    const externalId = plain(args.externalId);
    if (externalId !== undefined && !/^[\w+=,.@:/-]{2,1224}$/.test(externalId)) {
        problems.push({ path: "externalId", message: "use 2 to 1,224 letters, digits and any of +=,.@:/_-" });
    }
    return problems;
}

/**
 * Opens an EFS file system to a cluster of another account. It runs with an AWS provider of the file system's account
 * (`providers`), and its output goes into {@link CrossAccountClasses}, which runs with the cluster's.
 *
 * What it cannot do for two accounts: join their networks. Peer the VPCs or use a transit gateway, route both ways, and admit
 * TCP 2049 from the nodes' addresses to the mount targets. The cluster's {@link EfsCsiDriver} needs `crossAccountRoleArns`.
 *
 * Creates a role for the driver, and replaces the file system's policy.
 */
export class CrossAccountFileSystem extends pulumi.ComponentResource {
    /** What the cluster needs. Secret, for the external id. */
    readonly access: pulumi.Output<CrossAccountAccess>;
    /** The ARN of the role that the driver assumes: for `crossAccountRoleArns` of {@link EfsCsiDriver}. */
    readonly roleArn: pulumi.Output<string>;

    constructor(name: string, args: CrossAccountFileSystemArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("CrossAccountFileSystem", name, checkCrossAccountFileSystemArgs(args));
        super("airflow-eks:index:CrossAccountFileSystem", name, {}, opts);
        const fileSystem = aws.efs.getFileSystemOutput({ fileSystemId: args.fileSystemId }, { parent: this });
        const partition = aws.getPartitionOutput({}, { parent: this }).partition;
        const account = pulumi.interpolate`arn:${partition}:iam::${args.clusterAccountId}:root`;
        const externalId = pulumi.secret(
            args.externalId ??
                new random.RandomPassword(`${name}-external-id`, { length: 32, special: false }, { parent: this })
                    .result,
        );

        const role = driverRole(this, name, account, externalId, fileSystem.arn, args);
        const policy = fileSystemPolicy(this, name, account, fileSystem, args.othersMayMount ?? true);

        this.roleArn = role.arn;
        this.access = pulumi
            .all([fileSystem.fileSystemId, role.arn, externalId, policy.urn])
            .apply(([fileSystemId, roleArn, id]): CrossAccountAccess => ({ fileSystemId, roleArn, externalId: id }));
        this.registerOutputs({ access: this.access, roleArn: this.roleArn });
    }
}

function driverRole(
    parent: pulumi.Resource,
    name: string,
    account: pulumi.Output<string>,
    externalId: pulumi.Output<string>,
    fileSystemArn: pulumi.Output<string>,
    args: CrossAccountFileSystemArgs,
): aws.iam.Role {
    const role = new aws.iam.Role(
        name,
        {
            description: `The EFS driver of clusters of account ${args.clusterAccountId}`,
            assumeRolePolicy: policyJson({
                Action: "sts:AssumeRole",
                Principal: { AWS: account },
                Condition: { StringEquals: { "sts:ExternalId": externalId } },
            }),
            permissionsBoundary: args.permissionsBoundary,
            tags: args.tags,
        },
        { parent },
    );
    new aws.iam.RolePolicy(
        name,
        { role: role.name, name: "access-points", policy: policyJson(...accessPointStatements(fileSystemArn)) },
        { parent },
    );
    return role;
}

/** After the driver's own example for this, narrowed to the one file system where EFS can tell. */
function accessPointStatements(fileSystemArn: pulumi.Output<string>): PolicyStatement[] {
    const tag = "efs.csi.aws.com/cluster";
    const onlyTheTag = { "ForAllValues:StringEquals": { "aws:TagKeys": tag } };
    return [
        {
            Sid: "Look",
            Action: [
                "elasticfilesystem:DescribeAccessPoints",
                "elasticfilesystem:DescribeFileSystems",
                "elasticfilesystem:DescribeMountTargets",
                "ec2:DescribeAvailabilityZones",
            ],
            Resource: "*",
        },
        {
            Sid: "MakeAccessPoints",
            Action: "elasticfilesystem:CreateAccessPoint",
            Resource: fileSystemArn,
            Condition: { Null: { [`aws:RequestTag/${tag}`]: "false" }, ...onlyTheTag },
        },
        {
            Sid: "TagNewAccessPoints",
            Action: "elasticfilesystem:TagResource",
            Resource: "*",
            Condition: {
                StringEquals: { "elasticfilesystem:CreateAction": "CreateAccessPoint" },
                Null: { [`aws:RequestTag/${tag}`]: "false" },
                ...onlyTheTag,
            },
        },
        {
            Sid: "DeleteItsAccessPoints",
            Action: "elasticfilesystem:DeleteAccessPoint",
            Resource: "*",
            Condition: { Null: { [`aws:ResourceTag/${tag}`]: "false" } },
        },
    ];
}

function fileSystemPolicy(
    parent: pulumi.Resource,
    name: string,
    account: pulumi.Output<string>,
    fileSystem: pulumi.Output<aws.efs.GetFileSystemResult>,
    othersMayMount: boolean,
): aws.efs.FileSystemPolicy {
    const client = ["Mount", "Write", "RootAccess"].map((right) => `elasticfilesystem:Client${right}`);
    const anybody: PolicyStatement = {
        Sid: "MountThroughTheNetwork",
        Principal: { AWS: "*" },
        Action: client,
        Resource: fileSystem.arn,
        Condition: { Bool: { "elasticfilesystem:AccessedViaMountTarget": "true" } },
    };
    return new aws.efs.FileSystemPolicy(
        `${name}-policy`,
        {
            fileSystemId: fileSystem.fileSystemId,
            policy: policyJson(
                {
                    Sid: "MountFromTheOtherAccount",
                    Principal: { AWS: account },
                    Action: client,
                    Resource: fileSystem.arn,
                },
                ...(othersMayMount ? [anybody] : []),
                {
                    Sid: "RefuseUnencryptedTransport",
                    Effect: "Deny",
                    Principal: { AWS: "*" },
                    Action: "*",
                    Resource: fileSystem.arn,
                    Condition: { Bool: { "aws:SecureTransport": "false" } },
                },
            ),
        },
        // Without any policy the file system would take unencrypted connections from everybody.
        { parent, retainOnDelete: true },
    );
}
