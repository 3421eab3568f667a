import { CUSTOMER_KEY, judgeCustomerKey } from "../judge/customerKey";
import { refer } from "../judge/references";
import { MALFORMED, present, text, truth, UNTIL_UP } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type RuleConfig, type Stack } from "../rule";

const INSTANCES = ["aws:rds/instance:Instance", "aws-native:rds:DbInstance"];
const CLUSTERS = [
    "aws:rds/cluster:Cluster",
    "aws:docdb/cluster:Cluster",
    "aws:neptune/cluster:Cluster",
    "aws-native:rds:DbCluster",
    "aws-native:docdb:DbCluster",
    "aws-native:neptune:DbCluster",
];
const GLOBAL_CLUSTERS = [
    "aws:rds/globalCluster:GlobalCluster",
    "aws:docdb/globalCluster:GlobalCluster",
    "aws:neptune/globalCluster:GlobalCluster",
];
const MEMBERS = [
    "aws:rds/clusterInstance:ClusterInstance",
    "aws:docdb/clusterInstance:ClusterInstance",
    "aws:neptune/clusterInstance:ClusterInstance",
];
/** Snapshots, and the property that names what each was made from. */
const SNAPSHOTS: Record<string, string> = {
    "aws:rds/snapshot:Snapshot": "dbInstanceIdentifier",
    "aws:rds/snapshotCopy:SnapshotCopy": "sourceDbSnapshotIdentifier",
    "aws:rds/clusterSnapshot:ClusterSnapshot": "dbClusterIdentifier",
    "aws:rds/clusterSnapshotCopy:ClusterSnapshotCopy": "sourceDbClusterSnapshotIdentifier",
    "aws:docdb/clusterSnapshot:ClusterSnapshot": "dbClusterIdentifier",
    "aws:neptune/clusterSnapshot:ClusterSnapshot": "dbClusterIdentifier",
};

/** Copies of copies, before a program has gone in circles. */
const LONGEST_CHAIN = 10;

/** Properties by which a database is made from another, and is then as encrypted as that one. */
const SOURCES = [
    "replicateSourceDb",
    "sourceDbInstanceIdentifier",
    "replicationSourceIdentifier",
    "snapshotIdentifier",
    "dbSnapshotIdentifier",
    "restoreToPointInTime",
    "sourceDbClusterIdentifier",
    "globalClusterIdentifier",
];

export const rule: Rule = {
    name: "rds-encrypted",
    description:
        "Every RDS, Aurora, DocumentDB and Neptune database is encrypted at rest, replicas and restored ones among them.",
    why: "Encryption can be chosen at creation only; without it the storage, its snapshots, backups and replicas are readable to whoever gets hold of them.",
    fix: "Set `storageEncrypted: true` (and `kmsKeyId` for a key of your own). An existing database is moved: copy a snapshot with a key and restore that.",
    level: "mandatory",
    severity: "high",
    config: CUSTOMER_KEY,
    stack(stack, config) {
        const judgement = new Judgement();
        for (const database of stack.ofType(...INSTANCES, ...CLUSTERS, ...GLOBAL_CLUSTERS)) {
            judgeDatabase(judgement.judge(database), stack, database, config);
        }
        for (const member of stack.ofType(...MEMBERS)) {
            const found = refer(stack, member, "clusterIdentifier", member.props.clusterIdentifier, CLUSTERS);
            if (found.resources.length === 0 && truth(member.props.storageEncrypted) !== true) {
                judgement.unknown(
                    member,
                    "clusterIdentifier",
                    "it is encrypted if its cluster is, which this program does not show (yet)",
                );
            }
        }
        return judgement;
    },
};

function judgeDatabase(judgement: Judgement, stack: Stack, database: Resource, config: RuleConfig): void {
    const { props } = database;
    const encrypted = truth(props.storageEncrypted);
    if (isUnknown(encrypted)) {
        judgement.unknown(database, "storageEncrypted", UNTIL_UP);
    } else if (encrypted === true) {
        if (!GLOBAL_CLUSTERS.includes(database.type)) {
            judgeCustomerKey(judgement, database, "kmsKeyId", props.kmsKeyId, config);
        }
    } else if (encrypted === MALFORMED) {
        judgement.violation(
            database,
            "storageEncrypted",
            "it is not a truth value, so the database is refused or made without encryption",
        );
    } else if (belongsToCluster(database)) {
        // As encrypted as the cluster, which is judged itself.
    } else if (encrypted === undefined && sourcesOf(database).length > 0) {
        judgeCopy(judgement, stack, database);
    } else if (encrypted === false && madeFromOwn(stack, database)) {
        // What it says has no effect: it is as encrypted as its source, which is judged itself.
    } else if (!(encrypted === undefined && text(props.engineMode) === "serverless")) {
        judgement.violation(
            database,
            "storageEncrypted",
            encrypted === false ? "the database is not encrypted" : missing(props),
        );
    }
}

/** Since February 2026 Aurora encrypts what is new with a key that AWS owns (Aurora guide, "Encrypting Aurora resources"). */
function missing({ engine }: Record<string, unknown>): string {
    return /^aurora/i.test(typeof engine === "string" ? engine : "")
        ? "it is missing: clusters made before February 2026 are not encrypted then, and newer ones with a key that AWS owns"
        : "it is missing, which means not encrypted";
}

/** With CloudFormation's types a member of a cluster is an instance like any other. */
function belongsToCluster({ type, props }: Resource): boolean {
    return type === "aws-native:rds:DbInstance" && present(props.dbClusterIdentifier);
}

/** The properties that say what a database is made from; a global cluster bears its own name, which is no source. */
function sourcesOf({ type, props }: Resource): string[] {
    const own = GLOBAL_CLUSTERS.includes(type) ? "globalClusterIdentifier" : undefined;
    return SOURCES.filter((property) => property !== own && present(props[property]));
}

/** Whether this program shows what the database is made from: a database, or a snapshot of one. */
function madeFromOwn(stack: Stack, database: Resource): boolean {
    const { props } = database;
    return sourcesOf(database).some((source) => {
        const value = source === "restoreToPointInTime" ? sourceOfPointInTime(props[source]) : props[source];
        const types = [
            ...INSTANCES,
            ...CLUSTERS,
            ...Object.keys(SNAPSHOTS),
            ...(props.storageEncrypted === false ? [] : GLOBAL_CLUSTERS),
        ];
        return refer(stack, database, source, value, types).resources.some((found) => isJudged(stack, found, 0));
    });
}

/** A database is judged itself. A snapshot is as encrypted as what it was made from; a copy with a key is encrypted. */
function isJudged(stack: Stack, found: Resource, depth: number): boolean {
    const source = SNAPSHOTS[found.type];
    if (source === undefined || found.props.storageEncrypted === true || found.props.encrypted === true) {
        return true;
    }
    if (depth > LONGEST_CHAIN) {
        return false;
    }
    const types = [...INSTANCES, ...CLUSTERS, ...Object.keys(SNAPSHOTS)];
    const from = refer(stack, found, source, found.props[source], types).resources;
    const copiedWithKey = source.startsWith("source") && present(found.props.kmsKeyId);
    return copiedWithKey || from.some((one) => one !== found && isJudged(stack, one, depth + 1));
}

function judgeCopy(judgement: Judgement, stack: Stack, database: Resource): void {
    const { props } = database;
    const keyed = present(props.kmsKeyId) && !isUnknown(props.kmsKeyId);
    if (keyed && (CLUSTERS.includes(database.type) || present(props.replicateSourceDb))) {
        // A cluster that is restored with a key is encrypted with it; a replica takes a key only if its source is encrypted.
        return;
    }
    if (madeFromOwn(stack, database)) {
        return;
    }
    const [source] = sourcesOf(database) as [string];
    judgement.unknown(
        database,
        source,
        "it is encrypted if what it is made from is, which this program does not show (yet)",
    );
}

function sourceOfPointInTime(value: unknown): unknown {
    const block = Array.isArray(value) ? (value[0] as unknown) : value;
    if (isUnknown(block) || typeof block !== "object" || block === null) {
        return block;
    }
    const tree = block as Record<string, unknown>;
    return (
        tree.sourceDbInstanceIdentifier ??
        tree.sourceClusterIdentifier ??
        tree.sourceDbiResourceId ??
        tree.sourceClusterResourceId
    );
}
