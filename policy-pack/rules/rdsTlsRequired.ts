import { demandsTls, parameterValue, splitFamily, type TlsSetting, tlsSetting } from "../judge/parameterGroups";
import { refer } from "../judge/references";
import { present, text, truth, UNTIL_UP } from "../judge/tree";
import { versionNumbers } from "../judge/versions";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type Stack } from "../rule";

interface Kind {
    /** The property that names the parameter group, and what that can be. */
    group: string;
    groups: string[];
    engine?: string;
}

const DATABASES: Record<string, Kind> = {
    "aws:rds/instance:Instance": { group: "parameterGroupName", groups: ["aws:rds/parameterGroup:ParameterGroup"] },
    "aws:rds/cluster:Cluster": {
        group: "dbClusterParameterGroupName",
        groups: ["aws:rds/clusterParameterGroup:ClusterParameterGroup"],
    },
    "aws:docdb/cluster:Cluster": {
        group: "dbClusterParameterGroupName",
        groups: ["aws:docdb/clusterParameterGroup:ClusterParameterGroup"],
        engine: "docdb",
    },
    "aws-native:rds:DbInstance": { group: "dbParameterGroupName", groups: ["aws-native:rds:DbParameterGroup"] },
    "aws-native:rds:DbCluster": {
        group: "dbClusterParameterGroupName",
        groups: ["aws-native:rds:DbClusterParameterGroup"],
    },
};
const GROUPS = Object.values(DATABASES).flatMap(({ groups }) => groups);
const PROXIES: Record<string, string> = { "aws:rds/proxy:Proxy": "requireTls", "aws-native:rds:DbProxy": "requireTls" };

export const rule: Rule = {
    name: "rds-tls-required",
    description: "A database refuses connections without TLS.",
    why: "Offering TLS is not enough: a client that does not ask for it sends its password and all data in plain text.",
    fix: "Give the database a parameter group with `rds.force_ssl` = 1 (PostgreSQL, SQL Server) or `require_secure_transport` = 1 (MySQL, MariaDB); set `requireTls: true` on a proxy.",
    level: "mandatory",
    severity: "high",
    resource(resource) {
        const judgement = new Judgement();
        const property = PROXIES[resource.type];
        if (property === undefined) {
            return judgement;
        }
        judgement.judge(resource);
        const required = truth(resource.props[property]);
        if (isUnknown(required)) {
            judgement.unknown(resource, property, UNTIL_UP);
        } else if (required !== true) {
            judgement.violation(resource, property, "the proxy takes connections without TLS");
        }
        return judgement;
    },
    stack(stack) {
        const judgement = new Judgement();
        for (const group of stack.ofType(...GROUPS)) {
            judgeGroup(judgement, group);
        }
        for (const [type, kind] of Object.entries(DATABASES)) {
            for (const database of stack.ofType(type)) {
                judgeDatabase(judgement.judge(database), stack, database, kind);
            }
        }
        return judgement;
    },
};

/** A group that switches TLS off is wrong whoever uses it. */
function judgeGroup(judgement: Judgement, group: Resource): void {
    const family = text(group.props.family);
    if (typeof family !== "string") {
        return;
    }
    const { engine, version } = splitFamily(family);
    const setting = tlsSetting(engine, version);
    if (!setting) {
        return;
    }
    judgement.judge(group);
    for (const { value, path } of parameterValue(group.props.parameters, setting.parameter)) {
        if (isUnknown(value)) {
            judgement.unknown(group, path, UNTIL_UP);
        } else if (!demandsTls(setting.parameter, value)) {
            judgement.violation(
                group,
                path,
                `\`${setting.parameter}\` does not require TLS: clients may connect in plain text`,
            );
        }
    }
}

function judgeDatabase(judgement: Judgement, stack: Stack, database: Resource, kind: Kind): void {
    const { props } = database;
    if (present(props.replicateSourceDb) && !present(props[kind.group]) && !present(props.engine)) {
        judgeReplica(judgement, stack, database);
        return;
    }
    if (present(props.dbClusterIdentifier)) {
        // CloudFormation's member of a cluster: the cluster's group decides.
        return;
    }
    const reference = props[kind.group];
    const found = refer(stack, database, kind.group, reference, kind.groups);
    const [group] = found.resources;
    const family = text(group?.props.family) ?? defaultFamily(reference);
    const engine = kind.engine ?? text(props.engine);
    if (group) {
        judgeWithGroup(judgement, database, kind, group, family);
        return;
    }
    if (found.unknown || (present(reference) && family === undefined)) {
        const judgeable = isUnknown(engine) || engine === undefined || tlsSetting(engine, undefined) !== undefined;
        if (judgeable) {
            judgement.unknown(database, kind.group, "its parameter group is not to be seen in this program (yet)");
        }
        return;
    }
    judgeDefaults(judgement, database, kind, engine, family);
}

function judgeWithGroup(
    judgement: Judgement,
    database: Resource,
    kind: Kind,
    group: Resource,
    family: ReturnType<typeof text>,
): void {
    if (isUnknown(family)) {
        judgement.unknown(database, kind.group, UNTIL_UP);
        return;
    }
    const { engine, version } = splitFamily(family ?? "");
    const setting = tlsSetting(engine, version);
    if (!setting || parameterValue(group.props.parameters, setting.parameter).length > 0) {
        // What the group says is judged there.
        return;
    }
    judgeSilence(judgement, database, kind.group, setting, "its parameter group does not set it");
}

function judgeDefaults(
    judgement: Judgement,
    database: Resource,
    kind: Kind,
    engine: ReturnType<typeof text>,
    family: ReturnType<typeof text>,
): void {
    const version = text(database.props.engineVersion);
    if (isUnknown(engine) || isUnknown(version)) {
        judgement.unknown(database, isUnknown(engine) ? "engine" : "engineVersion", UNTIL_UP);
        return;
    }
    if (engine === undefined && family === undefined) {
        judgement.unknown(
            database,
            "engine",
            "its engine is that of what it is made from, which this program does not show",
        );
        return;
    }
    const known =
        typeof family === "string"
            ? splitFamily(family)
            : {
                  engine: (engine as string).toLowerCase(),
                  version: version === undefined ? undefined : versionNumbers(version),
              };
    const setting = tlsSetting(known.engine, known.version);
    if (setting) {
        judgeSilence(
            judgement,
            database,
            kind.group,
            setting,
            "it has the default parameter group, which does not set it",
        );
    }
}

function judgeSilence(
    judgement: Judgement,
    database: Resource,
    property: string,
    setting: TlsSetting,
    why: string,
): void {
    if (setting.byDefault) {
        return;
    }
    judgement.violation(
        database,
        property,
        setting.exists
            ? `\`${setting.parameter}\` is off by default and ${why}: clients may connect in plain text`
            : "this version of the engine cannot refuse connections without TLS",
    );
}

/** A replica takes over its source's group, which is judged with the source. */
function judgeReplica(judgement: Judgement, stack: Stack, database: Resource): void {
    const source = refer(
        stack,
        database,
        "replicateSourceDb",
        database.props.replicateSourceDb,
        Object.keys(DATABASES),
    );
    if (source.resources.length === 0) {
        judgement.unknown(
            database,
            "replicateSourceDb",
            "its parameter group is that of its source, which this program does not show (yet)",
        );
    }
}

/** `default.postgres16` names the family; `default.aurora-mysql8.0` as well; SQL Server has editions. */
function defaultFamily(reference: unknown): string | undefined {
    const name =
        typeof reference === "string" ? /^default\.(.+)$/.exec(reference.trim().toLowerCase())?.[1] : undefined;
    return name;
}
