import { isPublic } from "../judge/cidr";
import { DATABASE_PORTS, type DatabaseKind, databasePorts, DATABASES } from "../judge/databases";
import { opensTcp } from "../judge/ports";
import { refer } from "../judge/references";
import {
    type Group,
    indexGroups,
    type Opening,
    openings,
    opensToWorld,
    rangesProperty,
    resolvedRanges,
    SECURITY_GROUPS,
} from "../judge/securityGroups";
import { MALFORMED, truth, UNTIL_UP } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type Stack } from "../rule";

const DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup";

export const rule: Rule = {
    name: "database-not-public",
    description: "No database has a public address, and no security group lets the internet reach one.",
    why: "A database that the internet reaches is guarded by its password alone, and is tried within minutes.",
    fix: "Set `publiclyAccessible: false`, keep the database in private subnets, and admit the security group of its clients instead of address ranges.",
    level: "mandatory",
    severity: "critical",
    resource(resource) {
        const judgement = new Judgement();
        const property = DATABASES[resource.type]?.public;
        if (property !== undefined) {
            judgeAddress(judgement.judge(resource), resource, property);
        }
        for (const opening of openings(resource)) {
            if (isForDatabases(opening) && opensToWorld(opening)) {
                judgement.violation(
                    resource,
                    rangesProperty(opening),
                    "the whole internet reaches a database's port through it",
                );
            }
        }
        return judgement;
    },
    stack(stack) {
        const judgement = new Judgement();
        const told = new Set<Opening>();
        for (const [type, kind] of Object.entries(DATABASES)) {
            for (const database of kind.groups === undefined ? [] : stack.ofType(type)) {
                judgeGroups(judgement.judge(database), stack, database, kind, told);
            }
        }
        return judgement;
    },
};

function judgeAddress(judgement: Judgement, resource: Resource, property: string): void {
    const open = truth(resource.props[property]);
    if (isUnknown(open)) {
        judgement.unknown(resource, property, UNTIL_UP);
    } else if (open === true || open === MALFORMED) {
        judgement.violation(
            resource,
            property,
            open === true
                ? "the database gets a public address"
                : "it is not a truth value, so the database may get a public address",
        );
    }
}

/** One port that nothing but a database is opened for. */
function isForDatabases({ ports }: Opening): boolean {
    return (
        !isUnknown(ports) && ports.protocol === "tcp" && ports.from === ports.to && DATABASE_PORTS.includes(ports.from)
    );
}

function judgeGroups(
    judgement: Judgement,
    stack: Stack,
    database: Resource,
    kind: DatabaseKind,
    told: Set<Opening>,
): void {
    const ports = databasePorts(database, kind);
    const property = kind.groups as string;
    for (const group of groupsOf(stack, database, property)) {
        if (isUnknown(ports)) {
            if (isPublic(group.openings.flatMap(({ cidrs }) => cidrs))) {
                judgement.unknown(database, "port", UNTIL_UP);
            }
            continue;
        }
        const reaching = group.openings
            .filter(
                (opening) => !isUnknown(opening.ports) && ports.some((port) => opensTcp(opening.ports as never, port)),
            )
            .map((opening) => ({ opening, cidrs: resolvedRanges(stack, opening).cidrs }));
        const world =
            reaching.find(({ cidrs }) => isPublic(cidrs)) ??
            (isPublic(reaching.flatMap(({ cidrs }) => cidrs)) ? reaching.at(-1) : undefined);
        if (world && !told.has(world.opening) && !(isForDatabases(world.opening) && opensToWorld(world.opening))) {
            told.add(world.opening);
            judgement.violation(
                world.opening.resource,
                rangesProperty(world.opening),
                `through it, or together with the other rules of its group, the whole internet reaches the database "${database.name}"`,
            );
        }
    }
}

function groupsOf(stack: Stack, database: Resource, property: string): Group[] {
    const groups = stack.once(indexGroups);
    const value = database.props[property];
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) {
        // Without a group the database joins the default one of its network.
        const defaults = stack.ofType(DEFAULT_GROUP);
        return defaults.length === 1 ? [groups.get(defaults[0]!.urn)!] : [];
    }
    const found = refer(stack, database, property, value, SECURITY_GROUPS);
    return [...found.resources.map(({ urn }) => urn), ...found.external].flatMap((key) => groups.get(key) ?? []);
}
