import { UNKNOWN } from "../../../policy-pack/plain";
import { rule as backups } from "../../../policy-pack/rules/backupsKept";
import { rule as database } from "../../../policy-pack/rules/databaseNotPublic";
import { rule as encrypted } from "../../../policy-pack/rules/rdsEncrypted";
import { rule as tls } from "../../../policy-pack/rules/rdsTlsRequired";
import { rule as stateful } from "../../../policy-pack/rules/statefulProtected";
import { WORLD } from "./groups";
import { fails, type Made, passes, waits } from "./helpers";

type Props = Record<string, unknown>;
const make =
    (type: string, name: string) =>
    (props: Props, from: Record<string, string[]> = {}, more: Partial<Made> = {}): Made => ({
        type,
        name,
        props,
        from,
        ...more,
    });
const instance = make("aws:rds/instance:Instance", "db");
const source = make("aws:rds/instance:Instance", "source");
const cluster = make("aws:rds/cluster:Cluster", "cluster");
const globalCluster = make("aws:rds/globalCluster:GlobalCluster", "global");

describe("rds-encrypted, made from others", () => {
    const member = (props: Props = {}): Made => cluster({ globalClusterIdentifier: "world", ...props });
    const first = (props: Props): Made => globalCluster({ globalClusterIdentifier: "world", ...props });

    it("judges a global cluster by what it says, not by its own name", () => {
        passes(encrypted, [first({ storageEncrypted: true })]);
        fails(encrypted, [first({})]);
        const type = "aws:docdb/globalCluster:GlobalCluster";
        passes(encrypted, [{ ...first({ storageEncrypted: true }), type }]);
        fails(encrypted, [{ ...first({}), type }]);
    });
    it("takes a global cluster made from a cluster of the program", () => {
        const made = first({ sourceDbClusterIdentifier: "arn:c" });
        passes(encrypted, [made, cluster({ arn: "arn:c", storageEncrypted: true })]);
        fails(encrypted, [made, cluster({ arn: "arn:c" })]);
    });
    it("follows a member to its global cluster, never to itself or another member", () => {
        passes(encrypted, [member(), first({ storageEncrypted: true })]);
        waits(encrypted, [member()]);
        waits(encrypted, [member(), { ...member(), name: "second" }]);
    });
    it("follows a snapshot to its database", () => {
        const restored = instance({ snapshotIdentifier: UNKNOWN }, { snapshotIdentifier: ["snapshot"] });
        const snapshot = make("aws:rds/snapshot:Snapshot", "snapshot");
        const ofSource = snapshot({ dbInstanceIdentifier: "source" });
        passes(encrypted, [restored, ofSource, source({ identifier: "source", storageEncrypted: true })]);
        fails(encrypted, [restored, ofSource, source({ identifier: "source" })]);
        waits(encrypted, [restored, ofSource]);
        passes(encrypted, [restored, snapshot({ dbInstanceIdentifier: "theirs", encrypted: true })]);
    });
    it("takes what is restored from a copy with a key", () => {
        const restored = instance({ snapshotIdentifier: UNKNOWN }, { snapshotIdentifier: ["copy"] });
        const copy = make("aws:rds/snapshotCopy:SnapshotCopy", "copy");
        passes(encrypted, [restored, copy({ sourceDbSnapshotIdentifier: "theirs", kmsKeyId: "key" })]);
        waits(encrypted, [restored, copy({ sourceDbSnapshotIdentifier: "theirs" })]);
    });
    it("does not go round in circles", () =>
        waits(encrypted, [
            instance({ snapshotIdentifier: "a" }),
            make("aws:rds/snapshotCopy:SnapshotCopy", "a")({ id: "a", sourceDbSnapshotIdentifier: "b" }),
            make("aws:rds/snapshotCopy:SnapshotCopy", "b")({ id: "b", sourceDbSnapshotIdentifier: "a" }),
        ]));
});

describe("rds-tls-required, what decides", () => {
    const group = (props: Props): Made =>
        make("aws:rds/parameterGroup:ParameterGroup", "group")({ name: "group", ...props });
    const sets = (name: string, value: unknown): Props => ({ parameters: [{ name, value }] });
    const old = instance({ engine: "postgres", engineVersion: "14", parameterGroupName: "group" });

    it("goes by the database where the group's family is not known", () => {
        passes(tls, [old, group({ family: UNKNOWN, ...sets("rds.force_ssl", "1") })]);
        fails(tls, [old, group({ family: UNKNOWN, ...sets("rds.force_ssl", "0") })]);
        fails(tls, [old, group({ family: UNKNOWN, parameters: [] })]);
        const unsaid = instance({ engine: UNKNOWN, parameterGroupName: "group" });
        waits(tls, [unsaid, group({ family: UNKNOWN, parameters: [] })]);
    });
    it("does not wait for a version that cannot matter", () => {
        fails(tls, [instance({ engine: "mysql", engineVersion: UNKNOWN })]);
        waits(tls, [instance({ engine: "postgres", engineVersion: UNKNOWN })]);
        passes(tls, [instance({ engine: "oracle-ee", engineVersion: UNKNOWN })]);
        fails(tls, [
            instance({ engine: "postgres", engineVersion: UNKNOWN, parameterGroupName: "default.postgres14" }),
        ]);
    });
    it("gives a replica the group of its source, unless that is in another region", () => {
        const strict = group({ family: "mysql8.0", ...sets("require_secure_transport", "1") });
        const of = (region: string): Made =>
            source({ engine: "mysql", identifier: "source", parameterGroupName: "group" }, {}, { region });
        const replica = (props: Props = {}): Made =>
            instance({ replicateSourceDb: "source", ...props }, {}, { region: "eu-west-1" });
        passes(tls, [strict, of("eu-west-1"), replica()]);
        passes(tls, [strict, of("eu-west-1"), replica({ engine: "mysql" })]);
        fails(tls, [strict, of("us-east-1"), replica()]);
        passes(tls, [strict, of("us-east-1"), replica({ parameterGroupName: "group" })]);
        waits(tls, [replica({ engine: "mysql" })]);
    });
});

describe("database-not-public, wherever databases are", () => {
    const kinds = ["rds/shardGroup:ShardGroup", "lightsail/database:Database"];
    for (const kind of [
        ...kinds,
        "timestreaminfluxdb/dbInstance:DbInstance",
        "timestreaminfluxdb/dbCluster:DbCluster",
    ]) {
        it(`knows ${kind}`, () => {
            fails(database, [make(`aws:${kind}`, "db")({ publiclyAccessible: true })]);
            passes(database, [make(`aws:${kind}`, "db")({ publiclyAccessible: false })]);
        });
    }
    const group = (props: Props, name = "group"): Made =>
        make(
            "aws:ec2/securityGroup:SecurityGroup",
            name,
        )({
            id: name,
            ingress: [{ protocol: "tcp", fromPort: 5000, toPort: 6000, cidrBlocks: [WORLD], ...props }],
        });
    const of = (props: Props = {}): Made => instance({ engine: "postgres", vpcSecurityGroupIds: ["group"], ...props });
    const everything = { protocol: "-1", fromPort: 0, toPort: 0 };

    it("needs no port to judge a group that is open on all", () => {
        fails(database, [of({ port: UNKNOWN }), group(everything)]);
        waits(database, [of({ port: UNKNOWN }), group({})]);
        passes(database, [of({ port: UNKNOWN }), group({ ...everything, cidrBlocks: ["10.0.0.0/8"] })]);
        passes(database, [of({ port: UNKNOWN }), group({ ...everything, protocol: "icmp" })]);
    });
    it("waits for ports and ranges that are not known", () => {
        waits(database, [of(), group({ fromPort: UNKNOWN })]);
        passes(database, [of(), group({ fromPort: UNKNOWN, cidrBlocks: ["10.0.0.0/8"] })]);
        waits(database, [of(), group({ cidrBlocks: UNKNOWN })]);
        waits(database, [group({ fromPort: 5432, toPort: 5432, cidrBlocks: [UNKNOWN] })]);
        passes(database, [of(), group({ fromPort: 443, toPort: 443, cidrBlocks: UNKNOWN })]);
    });
    it("waits for groups of which one of several is meant", () => {
        const some = instance(
            { engine: "postgres", vpcSecurityGroupIds: UNKNOWN },
            { vpcSecurityGroupIds: ["one", "two"] },
        );
        waits(database, [some, group({}, "one"), group({ cidrBlocks: [] }, "two")]);
        passes(database, [some, group({ cidrBlocks: [] }, "one"), group({ cidrBlocks: [] }, "two")]);
    });
});

describe("databases that AWS Backup keeps, and members of the whole world", () => {
    const plan = (props: Props): Made => make("aws:backup/selection:Selection", "plan")(props);
    const kept = instance({ engine: "postgres", arn: "arn:db", tags: { backup: "daily" } });

    it("takes a database that a backup plan names", () => {
        fails(backups, [kept]);
        passes(backups, [kept, plan({ resources: ["arn:db"] })]);
        fails(backups, [kept, plan({ resources: ["arn:other"] })]);
        passes(backups, [kept, plan({ resources: ["arn:aws:rds:*:*:db:*"] })]);
        fails(backups, [kept, plan({ resources: ["arn:aws:elasticfilesystem:*:*:file-system/*"] })]);
        const tag = { type: "STRINGEQUALS", key: "backup" };
        passes(backups, [kept, plan({ selectionTags: [{ ...tag, value: "daily" }] })]);
        fails(backups, [kept, plan({ selectionTags: [{ ...tag, value: "never" }] })]);
    });
    for (const type of [
        "aws:docdb/globalCluster:GlobalCluster",
        "aws:neptune/globalCluster:GlobalCluster",
        "aws-native:docdb:DbCluster",
        "aws-native:neptune:DbCluster",
    ]) {
        it(`protects ${type}`, () => {
            const stacks = { stacks: ["prod"] };
            fails(stateful, [make(type, "data")({})], stacks);
            passes(stateful, [make(type, "data")({ deletionProtection: true })], stacks);
        });
    }
});
