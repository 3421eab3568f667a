import type { SimulatedInvoke } from "../../shell/type";
import { list, record, text, texts } from "../../shell/values";
import { arn } from "../arn";
import { refuse } from "../checks";
import { Kind } from "../kinds";
import { answer, choose, only } from "./filters";
import { get, named } from "./lookUp";

export const objectLookups: SimulatedInvoke[] = [
    get("aws:efs/getFileSystem", (args, world) =>
        answer(
            only(
                choose(world, Kind.FileSystem, args, {}).filter(
                    ({ id, outputs }) =>
                        (args.fileSystemId === undefined || id === args.fileSystemId) &&
                        (args.creationToken === undefined || outputs.creationToken === args.creationToken),
                ),
                "EFS file system",
            ),
            { fileSystemId: args.fileSystemId },
        ),
    ),
    get("aws:efs/getMountTarget", (args, world) =>
        answer(
            only(
                world
                    .all(Kind.MountTarget)
                    .filter(
                        ({ id, inputs }) =>
                            (args.mountTargetId === undefined || id === args.mountTargetId) &&
                            (args.fileSystemId === undefined || inputs.fileSystemId === args.fileSystemId),
                    ),
                "EFS mount target",
            ),
            { mountTargetId: args.mountTargetId },
        ),
    ),
    get("aws:efs/getAccessPoint", (args, world) =>
        answer(named(world, Kind.AccessPoint, args.accessPointId, [], "AccessPointNotFound")),
    ),
    get("aws:efs/getAccessPoints", (args, world) => ({
        id: args.fileSystemId,
        fileSystemId: args.fileSystemId,
        region: world.region,
        ids: world
            .all(Kind.AccessPoint)
            .filter(({ inputs }) => inputs.fileSystemId === args.fileSystemId)
            .map(({ id }) => id),
    })),
    get("aws:rds/getInstance", (args, world) => {
        const found = named(world, Kind.DbInstance, args.dbInstanceIdentifier, ["identifier"], "DBInstanceNotFound");
        return answer(found, {
            dbInstanceIdentifier: found.outputs.identifier,
            dbInstanceArn: found.outputs.arn,
            dbSubnetGroup: found.outputs.dbSubnetGroupName,
            vpcSecurityGroups: found.outputs.vpcSecurityGroupIds,
            masterUsername: found.outputs.username,
            dbInstanceClass: found.outputs.instanceClass,
            dbInstancePort: found.outputs.port,
            preferredBackupWindow: found.outputs.backupWindow ?? "",
        });
    }),
    get("aws:rds/getSnapshot", (args, world) =>
        answer(
            only(
                world
                    .all(Kind.DbSnapshot)
                    .filter(
                        ({ id, inputs }) =>
                            (args.dbSnapshotIdentifier === undefined || id === args.dbSnapshotIdentifier) &&
                            (args.dbInstanceIdentifier === undefined ||
                                inputs.dbInstanceIdentifier === args.dbInstanceIdentifier),
                    )
                    .slice(args.mostRecent === true ? -1 : 0),
                "RDS DB Snapshot",
            ),
        ),
    ),
    get("aws:rds/getSubnetGroup", (args, world) =>
        answer(named(world, Kind.DbSubnetGroup, args.name, ["name"], "DBSubnetGroupNotFoundFault")),
    ),
    get("aws:rds/getEngineVersion", (args, world) => {
        const version = text(args.version) ?? "17.6";
        return {
            id: version,
            engine: args.engine,
            version,
            versionActual: version,
            defaultOnly: true,
            parameterGroupFamily: `${String(args.engine)}${version.split(".")[0]}`,
            region: world.region,
            latest: args.latest,
            preferredVersions: args.preferredVersions,
        };
    }),
    get("aws:route53/getZone", (args, world) => {
        const name = text(args.name)?.replace(/\.$/, "");
        const zone = only(
            world
                .all(Kind.Zone)
                .filter(
                    ({ id, inputs, outputs }) =>
                        (args.zoneId === undefined || id === args.zoneId) &&
                        (name === undefined || outputs.name === name) &&
                        (args.privateZone === undefined || args.privateZone === list(inputs.vpcs).length > 0),
                ),
            "Route 53 Hosted Zone",
        );
        return answer(zone, {
            zoneId: zone.id,
            privateZone: list(zone.inputs.vpcs).length > 0,
            resourceRecordSetCount: 2,
            nameServers: zone.outputs.nameServers,
        });
    }),
    get("aws:acm/getCertificate", (args, world) => {
        const statuses = texts(args.statuses).length > 0 ? texts(args.statuses) : ["ISSUED"];
        const found = world
            .all(Kind.Certificate)
            .filter(
                ({ inputs, outputs }) => inputs.domainName === args.domain && statuses.includes(String(outputs.status)),
            );
        return answer(only(found.slice(args.mostRecent === true ? -1 : 0), "ACM Certificate"), { domain: args.domain });
    }),
    get("aws:kms/getKey", (args, world) => {
        const wanted = String(args.keyId);
        const alias = world.find(Kind.Alias, ({ id, outputs }) => id === wanted || outputs.arn === wanted);
        const key = named(world, Kind.Key, alias ? alias.outputs.targetKeyId : wanted, ["arn"], "NotFoundException");
        return answer(key, {
            keyId: args.keyId,
            enabled: true,
            keyState: "Enabled",
            keySpec: "SYMMETRIC_DEFAULT",
            keyManager: "CUSTOMER",
            origin: "AWS_KMS",
            awsAccountId: world.accountId,
        });
    }),
    get("aws:kms/getAlias", (args, world) => {
        const name = String(args.name);
        if (name.startsWith("alias/aws/")) {
            const targetKeyId = `aws-${name.slice("alias/aws/".length)}`;
            return {
                id: name,
                name,
                arn: arn(world, "kms", name),
                targetKeyId,
                targetKeyArn: arn(world, "kms", `key/${targetKeyId}`),
                region: world.region,
            };
        }
        return answer(named(world, Kind.Alias, name, ["name"], "NotFoundException"));
    }),
    get("aws:s3/getBucket", (args, world) =>
        answer(named(world.everywhere, Kind.Bucket, args.bucket, ["bucket"], "NotFound")),
    ),
    get("aws:cloudwatch/getLogGroup", (args, world) =>
        answer(named(world, Kind.LogGroup, args.name, ["name"], "ResourceNotFoundException")),
    ),
    get("aws:autoscaling/getGroup", (args, world) =>
        answer(named(world, Kind.AutoscalingGroup, args.name, ["name"], "ValidationError")),
    ),
    get("aws:sns/getTopic", (args, world) => answer(named(world, Kind.Topic, args.name, ["name"], "NotFound"))),
    get("aws:secretsmanager/getSecret", (args, world) =>
        answer(named(world, Kind.Secret, args.arn ?? args.name, ["name", "arn"], "ResourceNotFoundException")),
    ),
    get("aws:secretsmanager/getSecretVersion", (args, world) => {
        const version = world
            .all(Kind.SecretVersion)
            .filter(({ inputs }) => inputs.secretId === args.secretId)
            .pop();
        if (!version)
            return refuse("ResourceNotFoundException", "Secrets Manager can't find the specified secret value");
        return { ...answer(version), secretString: record(version.inputs).secretString ?? "" };
    }),
    get("aws:elb/getServiceAccount", (_, world) => ({
        id: "127311923021",
        arn: `arn:${world.partition}:iam::127311923021:root`,
        region: world.region,
    })),
];
