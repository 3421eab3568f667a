import type { SimulatedType } from "../../shell/type";
import { list, record, texts } from "../../shell/values";
import { arn } from "../arn";
import { check, need, refuse, vpcOfSubnet, zoneOfSubnet } from "../checks";
import { seconds } from "../durations";
import { Kind } from "../kinds";
import { databaseInstance } from "./databaseInstance";
import {
    checkPassword,
    checkVersion,
    IDENTIFIER,
    IDENTIFIER_SAYS,
    keyReference,
    lowerName,
    PORTS,
    VERSIONS,
} from "./databaseRules";

const snapshot: SimulatedType = {
    token: Kind.DbSnapshot,
    seconds: seconds.snapshot,
    id: (inputs) => String(inputs.dbSnapshotIdentifier),
    unique: [["dbSnapshotIdentifier"]],
    duplicate: "DBSnapshotAlreadyExists",
    references: [
        {
            path: "dbInstanceIdentifier",
            to: Kind.DbInstance,
            by: "identifier",
            holds: false,
            missing: "DBInstanceNotFound",
        },
    ],
    immutable: ["dbSnapshotIdentifier", "dbInstanceIdentifier"],
    outputs: (inputs, id, world) => {
        const source = world.find(Kind.DbInstance, ({ outputs }) => outputs.identifier === inputs.dbInstanceIdentifier);
        const { engine, engineVersion, username, allocatedStorage, kmsKeyId } = source?.outputs ?? {};
        return {
            dbSnapshotArn: arn(world, "rds", `snapshot:${id}`),
            engine,
            engineVersion,
            username,
            allocatedStorage,
            kmsKeyId,
            encrypted: source?.outputs.storageEncrypted,
            status: "available",
            snapshotType: "manual",
        };
    },
};

const subnetGroup: SimulatedType = {
    token: Kind.DbSubnetGroup,
    seconds: seconds.few,
    autoname: false,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    duplicate: "DBSubnetGroupAlreadyExists",
    references: [{ path: "subnetIds[*]", to: Kind.Subnet, missing: "InvalidSubnet" }],
    immutable: ["name", "namePrefix"],
    defaults: (inputs, context) => ({ description: "Managed by Pulumi", ...lowerName("name")(inputs, context) }),
    check: check((found) =>
        found.matches(
            "name",
            /^(?!default$)[a-z0-9 ._-]{1,255}$/,
            'a name of lower-case letters, digits, spaces and ._-, not "default"',
        ),
    ),
    relations: (inputs, world) => {
        const subnets = texts(inputs.subnetIds);
        if (new Set(subnets.map((id) => vpcOfSubnet(world, id))).size > 1)
            refuse("InvalidSubnet", "the subnets are in different VPCs");
        // RDS User Guide, working with a DB instance in a VPC: at least two zones.
        if (new Set(subnets.map((id) => zoneOfSubnet(world, id))).size < 2) {
            refuse(
                "DBSubnetGroupDoesNotCoverEnoughAZs",
                "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: 1. Add subnets to cover at least 2 AZs.",
            );
        }
    },
    outputs: (inputs, id, world) => ({
        arn: arn(world, "rds", `subgrp:${id}`),
        vpcId: vpcOfSubnet(world, texts(inputs.subnetIds)[0]),
        supportedNetworkTypes: ["IPV4"],
    }),
};

const parameterGroup: SimulatedType = {
    token: Kind.DbParameterGroup,
    seconds: seconds.few,
    autoname: false,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    duplicate: "DBParameterGroupAlreadyExists",
    immutable: ["name", "namePrefix", "family", "description"],
    defaults: (inputs, context) => ({ description: "Managed by Pulumi", ...lowerName("name")(inputs, context) }),
    check: check((found, inputs) => {
        found
            .matches("name", IDENTIFIER, IDENTIFIER_SAYS)
            .oneOf("parameters[*].applyMethod", ["immediate", "pending-reboot"]);
        const families = Object.entries(VERSIONS).flatMap(([engine, versions]) =>
            versions.map((version) => engine + version),
        );
        found.oneOf("family", families);
        list(inputs.parameters).forEach((entry, index) => {
            const { name, applyMethod } = record(entry);
            // RDS User Guide, parameter groups: static parameters change with a reboot only.
            if (STATIC.has(String(name)) && applyMethod !== "pending-reboot")
                found.add(
                    `parameters[${index}].applyMethod`,
                    `InvalidParameterCombination: cannot use immediate apply method for static parameter ${String(name)}`,
                );
        });
    }),
    outputs: (_, id, world) => ({ arn: arn(world, "rds", `pg:${id}`) }),
};

const STATIC = new Set([
    "max_connections",
    "shared_buffers",
    "shared_preload_libraries",
    "max_worker_processes",
    "wal_buffers",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "rds.logical_replication",
    "huge_pages",
    "track_activity_query_size",
    "max_replication_slots",
    "max_wal_senders",
]);

const dbCluster: SimulatedType = {
    token: Kind.DbCluster,
    seconds: seconds.database,
    autoname: false,
    id: (inputs) => String(inputs.clusterIdentifier),
    unique: [["clusterIdentifier"]],
    duplicate: "DBClusterAlreadyExistsFault",
    references: [
        {
            path: "dbSubnetGroupName",
            to: Kind.DbSubnetGroup,
            by: "name",
            missing: "DBSubnetGroupNotFoundFault",
            holds: "InvalidDBSubnetGroupStateFault",
        },
        { path: "vpcSecurityGroupIds[*]", to: Kind.SecurityGroup, missing: "InvalidParameterValue" },
        { ...keyReference, path: "kmsKeyId" },
    ],
    immutable: [
        "clusterIdentifier",
        "engine",
        "masterUsername",
        "databaseName",
        "storageEncrypted",
        "kmsKeyId",
        "dbSubnetGroupName",
        "availabilityZones",
    ],
    defaults: lowerName("clusterIdentifier"),
    check: check((found, inputs) => {
        found.matches("clusterIdentifier", IDENTIFIER, IDENTIFIER_SAYS);
        checkVersion(found, inputs);
        checkPassword(found, inputs, "masterPassword");
    }),
    outputs: (inputs, id, world, old) => {
        const hash = old ? String(old.outputs.endpoint).split(".")[1].replace("cluster-", "") : `c${world.hex(11)}`;
        return {
            arn: arn(world, "rds", `cluster:${id}`),
            endpoint: `${id}.cluster-${hash}.${world.region}.rds.amazonaws.com`,
            readerEndpoint: `${id}.cluster-ro-${hash}.${world.region}.rds.amazonaws.com`,
            port: inputs.port ?? PORTS[String(inputs.engine)],
            clusterResourceId: old?.outputs.clusterResourceId ?? `cluster-${world.hex(26).toUpperCase()}`,
            storageEncrypted: inputs.storageEncrypted ?? false,
        };
    },
    refusesDeletion: (object) => {
        if (object.inputs.deletionProtection === true)
            return "InvalidParameterCombination: Cannot delete protected Cluster, please disable deletion protection and try again.";
        return object.inputs.skipFinalSnapshot === true || object.inputs.finalSnapshotIdentifier !== undefined
            ? undefined
            : "InvalidParameterCombination: finalSnapshotIdentifier is required when skipFinalSnapshot is false";
    },
};

const clusterInstance: SimulatedType = {
    token: Kind.DbClusterInstance,
    seconds: seconds.database,
    autoname: false,
    id: (inputs) => String(inputs.identifier),
    unique: [["identifier"]],
    duplicate: "DBInstanceAlreadyExists",
    references: [
        {
            path: "clusterIdentifier",
            to: Kind.DbCluster,
            missing: "DBClusterNotFoundFault",
            holds: "InvalidDBClusterStateFault",
        },
    ],
    immutable: ["clusterIdentifier", "engine", "availabilityZone"],
    defaults: lowerName("identifier"),
    outputs: (inputs, id, world) => {
        const parent = need(world, Kind.DbCluster, inputs.clusterIdentifier, "DBClusterNotFoundFault");
        return {
            arn: arn(world, "rds", `db:${id}`),
            endpoint: `${id}.${String(parent.outputs.endpoint).split(".").slice(1).join(".")}`,
            port: parent.outputs.port,
            storageEncrypted: parent.outputs.storageEncrypted,
            kmsKeyId: parent.outputs.kmsKeyId ?? "",
            dbiResourceId: `db-${world.hex(26).toUpperCase()}`,
        };
    },
};

export const databaseTypes = [databaseInstance, snapshot, subnetGroup, parameterGroup, dbCluster, clusterInstance];
