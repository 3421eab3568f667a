import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { ClusterInfo } from "../cluster/clusterInfo";
import type { NetworkInfo } from "../cluster/networkInfo";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { guardImmutable, isUnknown, refuseUpdate } from "../shared/guard";
import { keysOf, listOf, mapOf } from "../shared/shape";
import { zoneProblems } from "../shared/zones";
import { BACKUP_WINDOW, MAINTENANCE_WINDOW, windowProblems } from "./rdsWindows";
import { checkIdentifier, checkRole, endpointOf, type MetastoreConnection, SslMode } from "./metastoreConnection";

/** Arguments of {@link AirflowMetastore}. */
export interface AirflowMetastoreArgs {
    /** The network whose private subnets hold the database. */
    network: pulumi.Input<NetworkInfo>;
    /** The cluster whose nodes may reach it; nobody else may. */
    cluster: pulumi.Input<ClusterInfo>;
    /** How many security groups the cluster's nodes carry: more than one only where an existing cluster's settings say so. @default 1 */
    nodeSecurityGroupCount?: number;
    /** The availability zones (full names) whose private subnets it may use: at least two, RDS wants a choice. */
    zones: string[];
    /**
     * PostgreSQL's major version, or an exact one such as `17.6`. A higher major is an upgrade in place, with a downtime of
     * minutes; there is no way back but a snapshot.
     * @default 17, the newest that Airflow's documentation lists as tested for 2.11 and for 3
     */
    engineVersion?: string;
    /** The instance class. Memory decides the number of connections: about 112 for each GiB. @default db.t4g.medium */
    instanceClass?: pulumi.Input<string>;
    /** Storage in GiB (gp3). It can grow, never shrink. @default 20 */
    allocatedStorage?: number;
    /** Up to how many GiB RDS grows the storage by itself; a full disk stops Airflow. @default 100 */
    maxAllocatedStorage?: number;
    /** Whether a second instance in another zone stands by: a lost zone then costs a minute instead of a restore; twice the price. @default true */
    multiAz?: boolean;
    /** For how many days RDS keeps daily backups and the log for any point in time between them, 1 to 35. @default 14 */
    backupRetentionDays?: number;
    /** When daily backups begin, UTC, `hh:mm-hh:mm`. @default 01:00-02:00 */
    backupWindow?: string;
    /** When AWS may patch, UTC, `ddd:hh:mm-ddd:hh:mm`; apart from the backup window. @default Mon:03:00-Mon:04:00 */
    maintenanceWindow?: string;
    /**
     * Whether changes that restart the database happen in `up` instead of in the maintenance window.
     * @default true, so that `up` means what it says
     */
    applyImmediately?: boolean;
    /** Whether AWS refuses to delete the instance. To destroy the stack set it to false and run `up` first. @default true */
    deletionProtection?: boolean;
    /** Whether destroy leaves a last snapshot. False only where the data is worth nothing. @default true */
    finalSnapshot?: boolean;
    /** A snapshot to begin with instead of an empty database. Only at creation: to go back later, make another metastore from it. @default none */
    restoreFrom?: string;
    /** Names of snapshots to take now, for example `before-airflow-3`. They stay when the name is removed and when the stack is destroyed. @default none */
    snapshots?: string[];
    /** Airflow's database. @default airflow */
    database?: string;
    /** Airflow's role. @default airflow */
    user?: string;
    /** Any text; another text means another password for Airflow and for the administrator. @default 1 */
    passwordRotation?: pulumi.Input<string>;
    /**
     * PEM certificates of the authority that signed the server's certificate: the bundle of the region from
     * https://truststore.pki.rds.amazonaws.com. With it clients verify the server, without it they encrypt only.
     * @default none
     */
    caCertificate?: pulumi.Input<string>;
    /** Settings of the database beside `rds.force_ssl`, by their PostgreSQL names. @default none */
    parameters?: Record<string, string>;
    /** Tags of all that AWS bills. @default none */
    tags?: Record<string, pulumi.Input<string>>;
}

const ADMIN_USER = "metastore_admin";
const PORT = 5432;
const DEFAULT_ENGINE_VERSION = "17";

const shape = keysOf<AirflowMetastoreArgs>({
    network: "anything",
    cluster: "anything",
    nodeSecurityGroupCount: "integer",
    zones: listOf("string"),
    engineVersion: "string",
    instanceClass: "string",
    allocatedStorage: "integer",
    maxAllocatedStorage: "integer",
    multiAz: "boolean",
    backupRetentionDays: "integer",
    backupWindow: "string",
    maintenanceWindow: "string",
    applyImmediately: "boolean",
    deletionProtection: "boolean",
    finalSnapshot: "boolean",
    restoreFrom: "string",
    snapshots: listOf("string"),
    database: "string",
    user: "string",
    passwordRotation: "string",
    caCertificate: "string",
    parameters: mapOf("string"),
    tags: mapOf("string"),
});

/** What is wrong with the arguments of an {@link AirflowMetastore}. */
export function checkAirflowMetastoreArgs(args: AirflowMetastoreArgs): Problem[] {
    return fittingProblems(args, shape, judge);
}

function judge(args: AirflowMetastoreArgs): Problem[] {
    const problems = [
        ...zoneProblems("zones", args.zones ?? [], 2),
        ...checkIdentifier("database", plain(args.database), "the database name"),
        ...checkRole("user", plain(args.user)),
    ];
    const refuse = (path: string, message: string) => problems.push({ path, message });
    if (args.user === ADMIN_USER) {
        refuse("user", `"${ADMIN_USER}" is the administrator's name; give Airflow a role of its own`);
    }
    if (["postgres", "template0", "template1", "rdsadmin"].includes(args.database ?? "")) {
        refuse("database", `"${args.database}" belongs to the server; give Airflow a database of its own`);
    }
    const certificate = plain(args.caCertificate);
    if (certificate !== undefined && !certificate.includes("-----BEGIN CERTIFICATE-----")) {
        refuse("caCertificate", "is no PEM certificate; give the file's content, not its path");
    }
    const instanceClass = plain(args.instanceClass);
    if (instanceClass !== undefined && !/^db\.[a-z0-9-]+\.[a-z0-9-]+$/.test(instanceClass)) {
        refuse("instanceClass", `"${instanceClass}" is no instance class of RDS such as db.t4g.medium`);
    }
    const major = Number((args.engineVersion ?? DEFAULT_ENGINE_VERSION).split(".")[0]);
    if (!/^[1-9]\d*(\.\d+)?$/.test(args.engineVersion ?? DEFAULT_ENGINE_VERSION) || major < 14 || major > 18) {
        refuse(
            "engineVersion",
            `"${args.engineVersion}" is no PostgreSQL version that Airflow works with; use 14 to 18`,
        );
    }
    const storage = args.allocatedStorage ?? 20;
    if (!Number.isInteger(storage) || storage < 20 || storage > 65536) {
        refuse("allocatedStorage", `${storage} is not a whole number of GiB from 20 to 65536, as RDS takes for gp3`);
    }
    const limit = args.maxAllocatedStorage ?? 100;
    if (limit > 65536) {
        refuse("maxAllocatedStorage", `${limit} is more than 65536 GiB, the most that RDS gives`);
    } else if (!Number.isInteger(limit) || limit < Math.ceil(storage * 1.1)) {
        refuse(
            "maxAllocatedStorage",
            `${limit} leaves no room to grow; RDS wants a limit at least 10 % above allocatedStorage, ${Math.ceil(storage * 1.1)} here`,
        );
    }
    const retention = args.backupRetentionDays ?? 14;
    if (!Number.isInteger(retention) || retention < 1 || retention > 35) {
        refuse("backupRetentionDays", `${retention} is not 1 to 35; without backups nothing can be restored`);
    }
    problems.push(...windowProblems(args.backupWindow, args.maintenanceWindow));
    if (args.restoreFrom === "") {
        refuse("restoreFrom", "is empty; name a snapshot, or leave it out for an empty database");
    }
    if ((args.nodeSecurityGroupCount ?? 1) < 1) {
        refuse("nodeSecurityGroupCount", "must be at least 1: nobody would be let in");
    }
    for (const [index, snapshot] of (args.snapshots ?? []).entries()) {
        if (snapshot === "final" || (args.snapshots ?? []).indexOf(snapshot) !== index) {
            refuse(
                `snapshots[${index}]`,
                snapshot === "final"
                    ? '"final" is what destroy calls its own; give another name'
                    : `"${snapshot}" is there twice`,
            );
        } else if (!/^[a-z](-?[a-z0-9])*$/.test(snapshot) || snapshot.length > 100) {
            refuse(`snapshots[${index}]`, `"${snapshot}" must be lower case letters, digits and single hyphens`);
        }
    }
    for (const parameter of Object.keys(args.parameters ?? {})) {
        if (parameter.trim().toLowerCase() === "rds.force_ssl") {
            refuse(
                "parameters",
                "rds.force_ssl stays 1: without it passwords and data may cross the network in the clear",
            );
        } else if (!/^[a-z][a-z0-9_.]*$/.test(parameter)) {
            refuse(`parameters.${parameter}`, "is no name of a parameter: lower case letters, digits, _ and .");
        }
    }
    return problems;
}

/**
 * Airflow's database on RDS for PostgreSQL: in private subnets, encrypted with a key of its own, TLS forced, reachable from
 * the cluster's nodes only, backed up, in two zones.
 *
 * It never loses data by an update: what would replace the instance is refused in preview, deletion protection stops a
 * destroy, and destroy leaves a snapshot and its key. Database and role inside are made by `AirflowCelery`, which runs in
 * the cluster.
 *
 * Creates a key, a subnet group, a security group with a rule for each group of the nodes, a parameter group, two passwords and one instance (two with `multiAz`).
 */
export class AirflowMetastore extends pulumi.ComponentResource {
    /** What clients need to know; a secret as a whole. */
    readonly connection: pulumi.Output<MetastoreConnection>;
    /** `host:port/database`, to read. */
    readonly endpoint: pulumi.Output<string>;
    /** The instance's name in RDS, for alarms and for the console. */
    readonly instanceIdentifier: pulumi.Output<string>;
    /** The security group of the database. */
    readonly securityGroupId: pulumi.Output<string>;
    /** The snapshot that destroy leaves; empty without one. */
    readonly finalSnapshotIdentifier: pulumi.Output<string>;
    /** Identifiers of the snapshots that were asked for, by their names. */
    readonly snapshotIdentifiers: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: AirflowMetastoreArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("AirflowMetastore", name, checkAirflowMetastoreArgs(args));
        super("airflow-eks:index:AirflowMetastore", name, {}, opts);

        const suffix = new random.RandomId(name, { byteLength: 4 }, { parent: this });
        const finalSnapshot = pulumi.interpolate`${name}-final-${suffix.hex}`;
        const adminPassword = password(this, `${name}-admin`, args);
        const airflowPassword = password(this, `${name}-airflow`, args);
        const group = securityGroup(this, name, args);
        const admitted = admitNodes(this, name, args, group);
        const instance = databaseInstance(this, name, args, { adminPassword, group, finalSnapshot });
        const snapshots = (args.snapshots ?? []).map((snapshot) =>
            takeSnapshot(this, name, snapshot, instance, suffix),
        );

        this.connection = pulumi
            .all([
                instance.address,
                instance.port,
                airflowPassword,
                adminPassword,
                args.caCertificate,
                // Whoever connects has to be let in.
                pulumi.all(admitted.map((rule) => rule.urn)),
            ])
            .apply(([host, port, airflow, admin, caCertificate]): MetastoreConnection => ({
                host,
                port,
                database: args.database ?? "airflow",
                user: args.user ?? "airflow",
                password: airflow,
                sslMode: caCertificate ? SslMode.VerifyFull : SslMode.Require,
                caCertificate,
                admin: { user: ADMIN_USER, password: admin, database: "postgres" },
            }));
        this.instanceIdentifier = instance.identifier;
        this.securityGroupId = group.id;
        this.finalSnapshotIdentifier = (args.finalSnapshot ?? true) ? finalSnapshot : pulumi.output("");
        this.snapshotIdentifiers = pulumi
            .all(snapshots.map((snapshot) => snapshot.dbSnapshotIdentifier))
            .apply((identifiers): Record<string, string> =>
                Object.fromEntries((args.snapshots ?? []).map((snapshot, index) => [snapshot, identifiers[index]])),
            );
        this.endpoint = endpointOf(this.connection);
        this.registerOutputs({
            connection: this.connection,
            endpoint: this.endpoint,
            instanceIdentifier: this.instanceIdentifier,
            securityGroupId: this.securityGroupId,
            finalSnapshotIdentifier: this.finalSnapshotIdentifier,
            snapshotIdentifiers: this.snapshotIdentifiers,
        });
    }
}

function password(parent: pulumi.Resource, name: string, args: AirflowMetastoreArgs): pulumi.Output<string> {
    const generated = new random.RandomPassword(
        name,
        { length: 40, special: false, keepers: { rotation: args.passwordRotation ?? "1" } },
        { parent },
    );
    return pulumi.secret(generated.result);
}

function securityGroup(parent: pulumi.Resource, name: string, args: AirflowMetastoreArgs): aws.ec2.SecurityGroup {
    return new aws.ec2.SecurityGroup(
        name,
        {
            description: "Airflow database, PostgreSQL from the nodes of the cluster",
            vpcId: pulumi.output(args.network).vpcId,
            tags: args.tags,
        },
        { parent },
    );
}

/** Rules of their own: the database then comes up beside the cluster, whose nodes' groups are known only at its end. */
function admitNodes(
    parent: pulumi.Resource,
    name: string,
    args: AirflowMetastoreArgs,
    group: aws.ec2.SecurityGroup,
): pulumi.Resource[] {
    const count = args.nodeSecurityGroupCount ?? 1;
    const groups = pulumi.output(args.cluster).apply(({ name: cluster, nodeSecurityGroupIds: ids }) => {
        if (ids.length !== count) {
            throw new Error(
                `AirflowMetastore "${name}": the nodes of cluster ${cluster} carry ${ids.length} security groups (${ids.join(", ")}), ` +
                    `not ${count}: set nodeSecurityGroupCount to ${ids.length}.`,
            );
        }
        return ids;
    });
    return Array.from(
        { length: count },
        (_, index) =>
            new aws.vpc.SecurityGroupIngressRule(
                `${name}-nodes-${index}`,
                {
                    description: "PostgreSQL from the nodes of the cluster",
                    securityGroupId: group.id,
                    referencedSecurityGroupId: groups[index],
                    ipProtocol: "tcp",
                    fromPort: PORT,
                    toPort: PORT,
                    tags: args.tags,
                },
                { parent },
            ),
    );
}

function databaseInstance(
    parent: pulumi.Resource,
    name: string,
    args: AirflowMetastoreArgs,
    parts: {
        adminPassword: pulumi.Output<string>;
        group: aws.ec2.SecurityGroup;
        finalSnapshot: pulumi.Output<string>;
    },
): aws.rds.Instance {
    const engineVersion = args.engineVersion ?? DEFAULT_ENGINE_VERSION;
    const key = new aws.kms.Key(
        name,
        { description: `Airflow database ${name} and its snapshots`, enableKeyRotation: true, tags: args.tags },
        // Snapshots outlive the stack, and are worth nothing without their key.
        { parent, retainOnDelete: true },
    );
    const subnets = new aws.rds.SubnetGroup(
        name,
        {
            description: "Private subnets of the Airflow database",
            subnetIds: pulumi
                .output(args.network)
                .apply((network) => args.zones.map((zone) => subnetOf(network, zone))),
            tags: args.tags,
        },
        { parent },
    );
    const parameters = new aws.rds.ParameterGroup(
        name,
        {
            description: "Airflow database, TLS only",
            family: `postgres${engineVersion.split(".")[0]}`,
            parameters: [
                { name: "rds.force_ssl", value: "1" },
                ...Object.entries(args.parameters ?? {}).map(([parameter, value]) => ({
                    name: parameter,
                    value,
                    // Static parameters refuse `immediate`; a dynamic one waits for the next restart at worst.
                    applyMethod: "pending-reboot",
                })),
            ],
            tags: args.tags,
        },
        { parent },
    );
    const guard = guardImmutable(
        parent,
        `${name}-identity`,
        { engine: "postgres", administrator: ADMIN_USER, kmsKey: key.arn, restoreFrom: args.restoreFrom },
        {
            what: `the database "${name}"`,
            instead:
                "make a second AirflowMetastore from a snapshot (restoreFrom), let Airflow use it, and remove this one afterwards (docs/airflow.md).",
        },
    );
    return new aws.rds.Instance(
        name,
        {
            engine: "postgres",
            engineVersion,
            allowMajorVersionUpgrade: true,
            autoMinorVersionUpgrade: !engineVersion.includes("."),
            instanceClass: args.instanceClass ?? "db.t4g.medium",
            storageType: "gp3",
            allocatedStorage: args.allocatedStorage ?? 20,
            maxAllocatedStorage: args.maxAllocatedStorage ?? 100,
            storageEncrypted: true,
            kmsKeyId: key.arn,
            username: ADMIN_USER,
            password: parts.adminPassword,
            port: PORT,
            dbSubnetGroupName: subnets.name,
            vpcSecurityGroupIds: [parts.group.id],
            publiclyAccessible: false,
            parameterGroupName: parameters.name,
            multiAz: args.multiAz ?? true,
            backupRetentionPeriod: args.backupRetentionDays ?? 14,
            backupWindow: args.backupWindow ?? BACKUP_WINDOW,
            maintenanceWindow: args.maintenanceWindow ?? MAINTENANCE_WINDOW,
            applyImmediately: args.applyImmediately ?? true,
            copyTagsToSnapshot: true,
            deletionProtection: args.deletionProtection ?? true,
            skipFinalSnapshot: !(args.finalSnapshot ?? true),
            finalSnapshotIdentifier: (args.finalSnapshot ?? true) ? parts.finalSnapshot : undefined,
            snapshotIdentifier: args.restoreFrom,
            enabledCloudwatchLogsExports: ["postgresql", "upgrade"],
            tags: args.tags,
        },
        {
            parent,
            dependsOn: [guard],
            // RDS refuses when its turn comes, the engine before anything is deleted.
            protect: args.deletionProtection ?? true,
            hooks: refuseUpdate(parent, `${name}-storage`, (olds, news) => refuseShrinking(name, olds, news)),
            // Two zones, encryption and a restore take their time; a major upgrade longer.
            customTimeouts: { create: "60m", update: "120m", delete: "60m" },
        },
    );
}

function refuseShrinking(
    name: string,
    olds: Record<string, unknown>,
    news: Record<string, unknown>,
): string | undefined {
    const [before, after] = [olds.allocatedStorage, news.allocatedStorage];
    return !isUnknown(after) && Number(after) < Number(before)
        ? `the storage of the database "${name}" cannot shrink from ${before} to ${after} GiB: RDS only grows it. Set it back.`
        : undefined;
}

function takeSnapshot(
    parent: pulumi.Resource,
    name: string,
    snapshot: string,
    instance: aws.rds.Instance,
    suffix: random.RandomId,
): aws.rds.Snapshot {
    return new aws.rds.Snapshot(
        `${name}-${snapshot}`,
        {
            dbInstanceIdentifier: instance.identifier,
            dbSnapshotIdentifier: pulumi.interpolate`${name}-${snapshot}-${suffix.hex}`,
        },
        { parent, retainOnDelete: true, customTimeouts: { create: "60m" } },
    );
}

function subnetOf(network: NetworkInfo, zone: string): string {
    const subnet = network.privateSubnetIds[zone];
    if (subnet === undefined) {
        const known = Object.keys(network.privateSubnetIds).join(", ");
        throw new Error(`The network has no private subnet in zone ${zone} for the database; it has ${known}.`);
    }
    return subnet;
}
