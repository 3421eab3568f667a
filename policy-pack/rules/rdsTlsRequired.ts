import { demandsTls, parameterValue, splitFamily, type TlsSetting, tlsSetting } from "../judge/parameterGroups";
import { refer } from "../judge/references";
import { regionOf, sameRegion } from "../judge/regions";
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
    for (const parameter of parametersOf(group)) {
        judgement.judge(group);
        for (const { value, path } of parameterValue(group.props.parameters, parameter)) {
            if (isUnknown(value)) {
                judgement.unknown(group, path, UNTIL_UP);
            } else if (!demandsTls(parameter, value)) {
                judgement.violation(
                    group,
                    path,
                    `\`${parameter}\` does not require TLS: clients may connect in plain text`,
                );
            }
        }
    }
}

/** The parameter that matters in a group: that of its family, or any while the family is not known. */
function parametersOf(group: Resource): string[] {
    const family = text(group.props.family);
    if (typeof family === "string") {
        const { engine, version } = splitFamily(family);
        const setting = tlsSetting(engine, version);
        return setting ? [setting.parameter] : [];
    }
    if (!isUnknown(family)) {
        return [];
    }
    return group.type.includes("docdb") ? ["tls"] : ["rds.force_ssl", "require_secure_transport"];
}

function judgeDatabase(judgement: Judgement, stack: Stack, database: Resource, kind: Kind): void {
    const { props } = database;
    if (present(props.replicateSourceDb) && !present(props[kind.group])) {
        judgeReplica(judgement, stack, database, kind);
        return;
    }
    if (present(props.dbClusterIdentifier)) {
        // CloudFormation's member of a cluster: the cluster's group decides.
        return;
    }
    const reference = props[kind.group];
    const found = refer(stack, database, kind.group, reference, kind.groups);
    const [group] = found.resources;
    if (group) {
        judgeWithGroup(judgement, database, kind, group);
        return;
    }
    const family = defaultFamily(reference);
    const engine = kind.engine ?? text(props.engine);
    if (found.unknown || (present(reference) && family === undefined)) {
        const judgeable = isUnknown(engine) || engine === undefined || tlsSetting(engine, undefined) !== undefined;
        if (judgeable) {
            judgement.unknown(database, kind.group, "its parameter group is not to be seen in this program (yet)");
        }
        return;
    }
    judgeDefaults(judgement, database, kind, family);
}

function judgeWithGroup(judgement: Judgement, database: Resource, kind: Kind, group: Resource): void {
    const family = text(group.props.family);
    const known = isUnknown(family) ? engineOf(database, kind) : splitFamily(family ?? "");
    if (!known) {
        judgement.unknown(database, kind.group, UNTIL_UP);
        return;
    }
    const setting = tlsSetting(known.engine, known.version);
    if (!setting || parameterValue(group.props.parameters, setting.parameter).length > 0) {
        // What the group says is judged there.
        return;
    }
    judgeSilence(judgement, database, kind.group, setting, "its parameter group does not set it");
}

/** What the database says of itself; nothing when what is not known of it would matter. */
function engineOf({ props }: Resource, kind: Kind): ReturnType<typeof splitFamily> | undefined {
    const engine = kind.engine ?? text(props.engine);
    if (typeof engine !== "string") {
        return undefined;
    }
    const known = { engine: engine.toLowerCase(), version: undefined };
    const version = text(props.engineVersion);
    if (isUnknown(version)) {
        // Where the newest version takes plain connections all of them do.
        return tlsSetting(known.engine, undefined)?.byDefault ? undefined : known;
    }
    return version === undefined ? known : { ...known, version: versionNumbers(version) };
}

function judgeDefaults(judgement: Judgement, database: Resource, kind: Kind, family?: string): void {
    const engine = kind.engine ?? text(database.props.engine);
    if (engine === undefined && family === undefined) {
        judgement.unknown(
            database,
            "engine",
            "its engine is that of what it is made from, which this program does not show",
        );
        return;
    }
    const known = family === undefined ? engineOf(database, kind) : splitFamily(family);
    if (!known) {
        judgement.unknown(database, isUnknown(engine) ? "engine" : "engineVersion", UNTIL_UP);
        return;
    }
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

/** A replica takes over its source's group, which is judged with the source; in another region it has the default one. */
function judgeReplica(judgement: Judgement, stack: Stack, database: Resource, kind: Kind): void {
    const { replicateSourceDb, engine, engineVersion } = database.props;
    const [source] = refer(stack, database, "replicateSourceDb", replicateSourceDb, Object.keys(DATABASES)).resources;
    if (!source) {
        judgement.unknown(
            database,
            "replicateSourceDb",
            "its parameter group is that of its source, which this program does not show (yet)",
        );
    } else if (!sameRegion(regionOf(source), regionOf(database))) {
        const { engine: theirs, engineVersion: ofTheirs } = source.props;
        const props = { ...database.props, engine: engine ?? theirs, engineVersion: engineVersion ?? ofTheirs };
        judgeDefaults(judgement, { ...database, props }, kind);
    }
}

/** `default.postgres16` names the family; `default.aurora-mysql8.0` as well; SQL Server has editions. */
function defaultFamily(reference: unknown): string | undefined {
    return typeof reference === "string" ? /^default\.(.+)$/.exec(reference.trim().toLowerCase())?.[1] : undefined;
}
