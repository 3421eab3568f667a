import type { SimulatedType } from "../../shell/type";
import { list, text, texts } from "../../shell/values";
import type { World, WorldObject } from "../../shell/world";
import { arn } from "../arn";
import { check, needGroupsInVpc, refuse, zoneOfSubnet } from "../checks";
import { seconds } from "../durations";
import { Kind } from "../kinds";
import {
    checkPassword,
    checkVersion,
    familyOf,
    IDENTIFIER,
    IDENTIFIER_SAYS,
    keyReference,
    lowerName,
    PORTS,
    RESERVED,
    VERSIONS,
} from "./databaseRules";

export const databaseInstance: SimulatedType = {
    token: Kind.DbInstance,
    seconds: (inputs) => (inputs.multiAz === true ? seconds.multiZoneDatabase : seconds.database),
    autoname: false,
    id: (_, world) => `db-${world.hex(26).toUpperCase()}`,
    unique: [["identifier"]],
    duplicate: "DBInstanceAlreadyExists",
    references: [
        {
            path: "dbSubnetGroupName",
            to: Kind.DbSubnetGroup,
            by: "name",
            missing: "DBSubnetGroupNotFoundFault",
            holds: "InvalidDBSubnetGroupStateFault",
        },
        {
            path: "parameterGroupName",
            to: Kind.DbParameterGroup,
            by: "name",
            missing: "DBParameterGroupNotFound",
            holds: "InvalidDBParameterGroupState",
            outside: /^default\./,
        },
        { path: "vpcSecurityGroupIds[*]", to: Kind.SecurityGroup, missing: "InvalidParameterValue" },
        { path: "monitoringRoleArn", to: Kind.Role, by: "arn", holds: false },
        {
            path: "snapshotIdentifier",
            to: Kind.DbSnapshot,
            holds: false,
            missing: "DBSnapshotNotFound",
            outside: /^arn:/,
        },
        { ...keyReference, path: "kmsKeyId" },
        { ...keyReference, path: "performanceInsightsKmsKeyId" },
    ],
    // RDS API Reference, ModifyDBInstance does not take these.
    immutable: [
        "engine",
        "username",
        "dbName",
        "storageEncrypted",
        "kmsKeyId",
        "availabilityZone",
        "characterSetName",
        "snapshotIdentifier",
        "timezone",
        "restoreToPointInTime",
        "s3Import",
        "backupTarget",
    ],
    mutable: ["identifier"],
    defaults: lowerName("identifier"),
    secretOutputs: ["password"],
    check: check((found, inputs) => {
        const copy = ["snapshotIdentifier", "replicateSourceDb", "restoreToPointInTime", "s3Import"].some((key) =>
            found.has(key),
        );
        found
            .matches("identifier", IDENTIFIER, IDENTIFIER_SAYS)
            .matches(
                "finalSnapshotIdentifier",
                /^[A-Za-z](?!.*--)[A-Za-z0-9-]{0,253}[A-Za-z0-9]$/,
                "a snapshot identifier",
            );
        found.matches(
            "instanceClass",
            /^db\.[a-z0-9]+(-[a-z]+)?\.[a-z0-9]+$/,
            "an instance class such as db.t4g.medium",
        );
        found.matches(
            "dbName",
            /^[A-Za-z_][A-Za-z0-9_]{0,62}$/,
            "a database name: letters, digits and _, starting with a letter",
        );
        checkVersion(found, inputs);
        checkPassword(found, inputs, "password");
        found.exclusive("password", "manageMasterUserPassword").exclusive("password", "passwordWo");
        if (!copy) {
            for (const key of ["engine", "allocatedStorage", "username"])
                found.when(!found.has(key), key, `required for a new database`);
            found.when(
                !["password", "passwordWo", "manageMasterUserPassword"].some((key) => found.has(key)),
                "password",
                "password, passwordWo or manageMasterUserPassword is required",
            );
        }
        if (RESERVED.has(text(inputs.username) ?? "") && String(inputs.engine).includes("postgres"))
            found.add(
                "username",
                `MasterUsername ${String(inputs.username)} cannot be used as it is a reserved word used by the engine`,
            );
        found
            .range("backupRetentionPeriod", 0, 35)
            .oneOf("monitoringInterval", [0, 1, 5, 10, 15, 30, 60])
            .oneOf("storageType", ["gp2", "gp3", "io1", "io2", "standard"]);
        const small =
            typeof inputs.allocatedStorage === "number" &&
            inputs.allocatedStorage < 20 &&
            inputs.storageType !== "standard";
        found.when(small, "allocatedStorage", "InvalidParameterValue: Invalid storage size: at least 20 GiB");
        const { allocatedStorage, maxAllocatedStorage } = inputs;
        // RDS User Guide, storage autoscaling: the maximum is at least 10 % above.
        found.when(
            typeof allocatedStorage === "number" &&
                typeof maxAllocatedStorage === "number" &&
                maxAllocatedStorage > 0 &&
                maxAllocatedStorage < allocatedStorage * 1.1,
            "maxAllocatedStorage",
            "must be at least 10 percent above allocatedStorage, or 0",
        );
        found.when(
            found.has("kmsKeyId") && inputs.storageEncrypted !== true && !copy,
            "kmsKeyId",
            "InvalidParameterCombination: needs storageEncrypted",
        );
        found.matches("kmsKeyId", /^arn:/, "the ARN of a key");
        found.when(
            Number(inputs.monitoringInterval) > 0 && !found.has("monitoringRoleArn"),
            "monitoringRoleArn",
            "required when monitoringInterval is above 0",
        );
        found.when(
            found.has("performanceInsightsRetentionPeriod") && inputs.performanceInsightsEnabled !== true,
            "performanceInsightsRetentionPeriod",
            "needs performanceInsightsEnabled",
        );
        found.when(
            inputs.multiAz === true && found.has("availabilityZone"),
            "availabilityZone",
            "InvalidParameterCombination: not with multiAz",
        );
        found.when(found.has("storageThroughput") && inputs.storageType !== "gp3", "storageThroughput", "only for gp3");
        const small3 = inputs.storageType === "gp3" && typeof allocatedStorage === "number" && allocatedStorage < 400;
        // RDS User Guide, gp3 storage: below the striping threshold of 400 GiB, IOPS and throughput are fixed.
        for (const key of ["iops", "storageThroughput"])
            found.when(
                small3 && found.has(key),
                key,
                "You can't specify IOPS or storage throughput for gp3 below 400 GiB",
            );
    }),
    checkChange: (olds, news) => {
        const failures = [];
        if (Number(news.allocatedStorage) < Number(olds.allocatedStorage))
            failures.push({
                property: "allocatedStorage",
                reason: "InvalidParameterCombination: storage cannot shrink",
            });
        const [from, to] = [parseInt(String(olds.engineVersion)), parseInt(String(news.engineVersion))];
        if (to > from && news.allowMajorVersionUpgrade !== true)
            failures.push({
                property: "engineVersion",
                reason: "InvalidParameterCombination: a major upgrade needs allowMajorVersionUpgrade",
            });
        if (to < from)
            failures.push({
                property: "engineVersion",
                reason: "InvalidParameterCombination: a version cannot go back",
            });
        return failures;
    },
    relations: (inputs, world) => {
        const group = world.find(Kind.DbSubnetGroup, ({ outputs }) => outputs.name === inputs.dbSubnetGroupName);
        if (!group && inputs.replicateSourceDb === undefined)
            refuse("InvalidSubnet", "No default subnet detected in VPC: give dbSubnetGroupName");
        needGroupsInVpc(world, texts(inputs.vpcSecurityGroupIds), group ? String(group.outputs.vpcId) : undefined);
        const parameters = world.find(
            Kind.DbParameterGroup,
            ({ outputs }) => outputs.name === inputs.parameterGroupName,
        );
        if (
            parameters &&
            inputs.engineVersion !== undefined &&
            parameters.inputs.family !== familyOf(inputs.engine, inputs.engineVersion)
        ) {
            refuse(
                "InvalidParameterCombination",
                `The parameter group ${String(inputs.parameterGroupName)} with DBParameterGroupFamily ${String(parameters.inputs.family)} can't be used for ${String(inputs.engine)} ${String(inputs.engineVersion)}`,
            );
        }
    },
    outputs: (inputs, id, world, old) => {
        const source = world.find(Kind.DbSnapshot, (one) => one.id === inputs.snapshotIdentifier);
        const engine = inputs.engine ?? source?.outputs.engine ?? "postgres";
        const port = inputs.port ?? PORTS[String(engine)] ?? 5432;
        const address = `${String(inputs.identifier)}.c${id.slice(3, 14).toLowerCase()}.${world.region}.rds.amazonaws.com`;
        const group = world.find(Kind.DbSubnetGroup, ({ outputs }) => outputs.name === inputs.dbSubnetGroupName);
        const version =
            text(inputs.engineVersion) ??
            text(source?.outputs.engineVersion) ??
            VERSIONS[String(engine)]?.slice(-2)[0] ??
            "17";
        const vpc = world.get(Kind.Vpc, String(group?.outputs.vpcId));
        return {
            arn: arn(world, "rds", `db:${String(inputs.identifier)}`),
            engine,
            address,
            endpoint: `${address}:${String(port)}`,
            port,
            status: "available",
            resourceId: id,
            hostedZoneId: "Z2R2ITUGPM61AM",
            engineVersion: version,
            engineVersionActual: version.includes(".") ? version : `${version}.6`,
            username: inputs.username ?? source?.outputs.username,
            dbName: inputs.dbName ?? source?.outputs.dbName ?? "",
            allocatedStorage: inputs.allocatedStorage ?? source?.outputs.allocatedStorage,
            storageEncrypted: inputs.storageEncrypted ?? source?.outputs.encrypted ?? false,
            kmsKeyId: inputs.kmsKeyId ?? (inputs.storageEncrypted === true ? arn(world, "kms", "key/aws-rds") : ""),
            storageType: inputs.storageType ?? "gp2",
            multiAz: inputs.multiAz ?? false,
            publiclyAccessible: inputs.publiclyAccessible ?? false,
            backupRetentionPeriod: inputs.backupRetentionPeriod ?? 0,
            deletionProtection: inputs.deletionProtection ?? false,
            autoMinorVersionUpgrade: inputs.autoMinorVersionUpgrade ?? true,
            availabilityZone:
                inputs.availabilityZone ??
                old?.outputs.availabilityZone ??
                zoneOfSubnet(world, texts(group?.inputs.subnetIds)[0]),
            parameterGroupName: inputs.parameterGroupName ?? `default.${familyOf(engine, version)}`,
            vpcSecurityGroupIds: inputs.vpcSecurityGroupIds ?? [vpc?.outputs.defaultSecurityGroupId],
            masterUserSecrets:
                inputs.manageMasterUserPassword === true
                    ? list(old?.outputs.masterUserSecrets)[0]
                        ? old?.outputs.masterUserSecrets
                        : [
                              {
                                  secretArn: arn(world, "secretsmanager", `secret:rds!${id.toLowerCase()}`),
                                  secretStatus: "active",
                                  kmsKeyId: inputs.masterUserSecretKmsKeyId ?? "",
                              },
                          ]
                    : [],
        };
    },
    refusesDeletion: (object, world) => {
        if (object.inputs.deletionProtection === true)
            return "InvalidParameterCombination: Cannot delete protected DB Instance, please disable deletion protection and try again.";
        if (object.inputs.skipFinalSnapshot === true || object.inputs.replicateSourceDb !== undefined) return undefined;
        const final = text(object.inputs.finalSnapshotIdentifier);
        if (final === undefined)
            return "InvalidParameterCombination: finalSnapshotIdentifier is required when skipFinalSnapshot is false";
        if (world.get(Kind.DbSnapshot, final))
            return `DBSnapshotAlreadyExists: Cannot create the snapshot because a snapshot with the identifier ${final} already exists.`;
        return undefined;
    },
    removed: (object, world) => {
        const final = text(object.inputs.finalSnapshotIdentifier);
        if (object.inputs.skipFinalSnapshot !== true && final !== undefined)
            putSnapshot(world, final, object, "manual");
    },
};

function putSnapshot(world: World, id: string, source: WorldObject, kind: string): void {
    const { engine, engineVersion, username, allocatedStorage, dbName, kmsKeyId, port } = source.outputs;
    const inputs = { dbSnapshotIdentifier: id, dbInstanceIdentifier: source.outputs.identifier };
    const outputs = {
        ...inputs,
        engine,
        engineVersion,
        username,
        allocatedStorage,
        dbName,
        kmsKeyId,
        port,
        encrypted: source.outputs.storageEncrypted,
        snapshotType: kind,
        status: "available",
        dbSnapshotArn: arn(world, "rds", `snapshot:${id}`),
    };
    world.put({ token: Kind.DbSnapshot, id, inputs, outputs, implicit: true });
}
