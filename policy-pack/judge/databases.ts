import { isUnknown, UNKNOWN, type Unknown } from "../plain";
import type { Resource } from "../rule";
import { text, whole } from "./tree";

/** Where a kind of database says who reaches it, and how. */
export interface DatabaseKind {
    /** Its port when `port` is not set: one, or by engine. */
    port: number | "by engine";
    groups?: string;
    public?: string;
}

export const DATABASES: Record<string, DatabaseKind> = {
    "aws:rds/instance:Instance": { port: "by engine", groups: "vpcSecurityGroupIds", public: "publiclyAccessible" },
    "aws:rds/cluster:Cluster": { port: "by engine", groups: "vpcSecurityGroupIds" },
    "aws:rds/clusterInstance:ClusterInstance": { port: "by engine", public: "publiclyAccessible" },
    "aws:rds/shardGroup:ShardGroup": { port: "by engine", public: "publiclyAccessible" },
    "aws:rds/proxy:Proxy": { port: "by engine", groups: "vpcSecurityGroupIds" },
    "aws:docdb/cluster:Cluster": { port: 27017, groups: "vpcSecurityGroupIds" },
    "aws:neptune/cluster:Cluster": { port: 8182, groups: "vpcSecurityGroupIds" },
    "aws:neptune/clusterInstance:ClusterInstance": { port: 8182, public: "publiclyAccessible" },
    "aws:redshift/cluster:Cluster": { port: 5439, groups: "vpcSecurityGroupIds", public: "publiclyAccessible" },
    "aws:redshiftserverless/workgroup:Workgroup": {
        port: 5439,
        groups: "securityGroupIds",
        public: "publiclyAccessible",
    },
    "aws:lightsail/database:Database": { port: "by engine", public: "publiclyAccessible" },
    "aws:timestreaminfluxdb/dbInstance:DbInstance": {
        port: 8086,
        groups: "vpcSecurityGroupIds",
        public: "publiclyAccessible",
    },
    "aws:timestreaminfluxdb/dbCluster:DbCluster": {
        port: 8086,
        groups: "vpcSecurityGroupIds",
        public: "publiclyAccessible",
    },
    "aws-native:rds:DbInstance": { port: "by engine", groups: "vpcSecurityGroups", public: "publiclyAccessible" },
    "aws-native:rds:DbCluster": { port: "by engine", groups: "vpcSecurityGroupIds", public: "publiclyAccessible" },
    "aws-native:redshift:Cluster": { port: 5439, groups: "vpcSecurityGroupIds", public: "publiclyAccessible" },
};

const ENGINE_PORTS: [RegExp, number][] = [
    [/postgres/, 5432],
    [/mysql|maria|^aurora$/, 3306],
    [/oracle/, 1521],
    [/sqlserver/, 1433],
    [/db2/, 50000],
];

/** Ports that are opened for a database and nothing else. */
export const DATABASE_PORTS = [5432, 3306, 1433, 1521, 27017, 5439];

/** The ports on which a database may listen: its own, its engine's, or any that a relational one has when neither is known. */
export function databasePorts(resource: Resource, kind: DatabaseKind): number[] | Unknown {
    const port = whole(resource.props.port);
    if (port === UNKNOWN) {
        return UNKNOWN;
    }
    if (typeof port === "number" && port > 0) {
        return [port];
    }
    if (kind.port !== "by engine") {
        return [kind.port];
    }
    const engine = text(resource.props.engine ?? resource.props.engineFamily);
    if (isUnknown(engine)) {
        return UNKNOWN;
    }
    const known = ENGINE_PORTS.find(([pattern]) => pattern.test((engine ?? "").toLowerCase()));
    return known ? [known[1]] : ENGINE_PORTS.map(([, number]) => number);
}
