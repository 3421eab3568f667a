import { refer } from "../judge/references";
import { at, isTree, items, MALFORMED, present, text, UNTIL_UP, whole } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type RuleConfig, type Stack } from "../rule";

/** Databases, and how many days their backups are kept when nothing is said. */
const DATABASES: Record<string, number> = {
    "aws:rds/instance:Instance": 0,
    "aws:rds/cluster:Cluster": 1,
    "aws:docdb/cluster:Cluster": 1,
    "aws:neptune/cluster:Cluster": 1,
    "aws-native:rds:DbInstance": 1,
    "aws-native:rds:DbCluster": 1,
};
const FILE_SYSTEMS = ["aws:efs/fileSystem:FileSystem", "aws-native:efs:FileSystem"];
const BACKUP_POLICY = "aws:efs/backupPolicy:BackupPolicy";
const SELECTION = "aws:backup/selection:Selection";

export const rule: Rule = {
    name: "backups-kept",
    description: "Databases keep automated backups, and file systems are backed up.",
    why: "Without them a wrong DELETE, or a lost volume, is final.",
    fix: "Set `backupRetentionPeriod` to 1 day or more on databases; add an aws.efs.BackupPolicy with status ENABLED, or a backup selection that holds the file system.",
    level: "advisory",
    severity: "medium",
    config: {
        minimumDays: {
            type: "integer",
            minimum: 1,
            maximum: 35,
            default: 1,
            description: "For how many days at least a database's backups are kept.",
        },
    },
    stack(stack, config) {
        const judgement = new Judgement();
        for (const [type, byDefault] of Object.entries(DATABASES)) {
            for (const database of stack.ofType(type)) {
                judgeDatabase(judgement, stack, database, byDefault, config);
            }
        }
        for (const files of stack.ofType(...FILE_SYSTEMS)) {
            judgeFileSystem(judgement.judge(files), stack, files);
        }
        return judgement;
    },
};

function judgeDatabase(
    judgement: Judgement,
    stack: Stack,
    database: Resource,
    byDefault: number,
    config: RuleConfig,
): void {
    const { props } = database;
    if (
        present(props.replicateSourceDb) ||
        present(props.sourceDbInstanceIdentifier) ||
        present(props.dbClusterIdentifier)
    ) {
        // Replicas are backed up at their source, members of a cluster with the cluster.
        return;
    }
    judgement.judge(database);
    const wanted = typeof config.minimumDays === "number" ? config.minimumDays : 1;
    const days = whole(props.backupRetentionPeriod);
    if (isUnknown(days)) {
        judgement.unknown(database, "backupRetentionPeriod", UNTIL_UP);
        return;
    }
    const kept = typeof days === "number" ? days : days === MALFORMED ? 0 : byDefault;
    if (kept < wanted && !isSelected(stack, database, "rds")) {
        judgement.violation(
            database,
            "backupRetentionPeriod",
            kept === 0
                ? `${days === undefined ? "it is missing, which means that" : "at 0"} no automated backup is made, and no point in time can be restored`
                : `backups are kept for ${kept} day(s), fewer than the ${wanted} that the configuration asks for`,
        );
    }
}

/** The backup policies of each file system. */
function indexPolicies(stack: Stack): Map<string, Resource[]> {
    const index = new Map<string, Resource[]>();
    for (const policy of stack.ofType(BACKUP_POLICY)) {
        const found = refer(stack, policy, "fileSystemId", policy.props.fileSystemId, FILE_SYSTEMS);
        for (const { urn } of [...found.resources, ...found.candidates]) {
            index.set(urn, [...(index.get(urn) ?? []), policy]);
        }
    }
    return index;
}

function judgeFileSystem(judgement: Judgement, stack: Stack, files: Resource): void {
    const native = text(at(files.props, "backupPolicy", "status"));
    const policies = stack.once(indexPolicies).get(files.urn) ?? [];
    const states = [
        ...policies.map((policy) =>
            text(at(policy.props, "backupPolicy", "status") ?? at(policy.props, "backupPolicy", 0, "status")),
        ),
        native,
    ];
    if (states.includes("ENABLED") || isSelected(stack, files, "elasticfilesystem")) {
        return;
    }
    if (states.some(isUnknown)) {
        judgement.unknown(policies[0] ?? files, "backupPolicy.status", UNTIL_UP);
    } else if (states.every((state) => state === undefined) && present(files.props.availabilityZoneName)) {
        // EFS backs up One Zone file systems by default.
    } else if (mayBeSelected(stack, files)) {
        judgement.unknown(files, "tags", "a backup selection goes by tags, of which this program does not show enough");
    } else {
        judgement.violation(
            policies[0] ?? files,
            policies[0] ? "backupPolicy.status" : "backupPolicy",
            "no backup of the file system is made",
        );
    }
}

/** What the plans of AWS Backup take: resources by name, all of a service, those with a tag. */
interface Selected {
    resources: Set<Resource>;
    patterns: string[];
    tags: Set<string>;
    /** Whether a plan has conditions, which are not followed. */
    conditional: boolean;
}

function indexSelections(stack: Stack): Selected {
    const selected: Selected = { resources: new Set(), patterns: [], tags: new Set(), conditional: false };
    for (const selection of stack.ofType(SELECTION)) {
        const { resources, selectionTags, conditions } = selection.props;
        selected.conditional ||= present(conditions);
        const found = refer(stack, selection, "resources", resources, [...Object.keys(DATABASES), ...FILE_SYSTEMS]);
        [...found.resources, ...found.candidates].forEach((resource) => selected.resources.add(resource));
        const names = items(resources).filter((name): name is string => typeof name === "string");
        selected.patterns.push(...names.filter((name) => name.endsWith("*")));
        items(selectionTags).forEach((tag) => selected.tags.add(tagged(at(tag, "key"), at(tag, "value"))));
    }
    return selected;
}

const tagged = (key: unknown, value: unknown): string =>
    typeof key === "string" && typeof value === "string" ? JSON.stringify([key, value]) : "";

function isSelected(stack: Stack, resource: Resource, service: string): boolean {
    const { resources, patterns, tags } = stack.once(indexSelections);
    const own = isTree(resource.props.tags) ? Object.entries(resource.props.tags) : [];
    return (
        resources.has(resource) ||
        patterns.some((pattern) => pattern === "*" || pattern.includes(`:${service}:`)) ||
        own.map(([key, value]) => tagged(key, value)).some((tag) => tag !== "" && tags.has(tag))
    );
}

/** Whether a plan goes by what this program does not show. */
function mayBeSelected(stack: Stack, files: Resource): boolean {
    const { conditional, tags } = stack.once(indexSelections);
    return conditional || (tags.size > 0 && isUnknown(files.props.tags));
}
