import { isPublic } from "../judge/cidr";
import { DATABASE_PORTS, type DatabaseKind, databasePorts, DATABASES } from "../judge/databases";
import { opensEverything, opensTcp } from "../judge/ports";
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
import { isUnknown, UNKNOWN, type Unknown } from "../plain";
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
        for (const opening of openings(resource).filter(isForDatabases)) {
            if (opensToWorld(opening)) {
                judgement.violation(
                    resource,
                    rangesProperty(opening),
                    "the whole internet reaches a database's port through it",
                );
            } else if (opening.unknown) {
                judgement.unknown(resource, rangesProperty(opening), UNTIL_UP);
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
    const { groups, maybe } = groupsOf(stack, database, property);
    for (const group of groups) {
        const world = wayIn(stack, group, ports);
        if (isOpening(world)) {
            tell(judgement, database, world, told);
        } else if (world === UNKNOWN) {
            judgement.unknown(database, property, "whether a group lets the internet reach its port is not known yet");
        }
    }
    if (maybe.some((group) => wayIn(stack, group, ports) !== undefined)) {
        judgement.unknown(database, property, "which security groups it has is known only after `up`");
    }
}

const isOpening = (way: Way): way is Opening => way !== undefined && !isUnknown(way);

type Way = Opening | Unknown | undefined;

const knownWays = (): Map<Group, Map<string, Way>> => new Map();

/** The opening by which the internet reaches one of the ports; looked for once, for many databases share a group. */
function wayIn(stack: Stack, group: Group, ports: number[] | Unknown): Way {
    const known = stack.once(knownWays);
    const ways = known.get(group) ?? new Map<string, Way>();
    known.set(group, ways);
    const key = isUnknown(ports) ? "?" : ports.join();
    if (!ways.has(key)) {
        ways.set(key, findWay(stack, group, ports));
    }
    return ways.get(key);
}

/** By itself, or with the others of its group. */
function findWay(stack: Stack, group: Group, ports: number[] | Unknown): Way {
    const reach = group.openings.map((opening) => ({ opening, reaches: reaches(opening, ports) }));
    const sure = reach
        .filter(({ reaches }) => reaches === true)
        .map(({ opening }) => ({ opening, cidrs: resolvedRanges(stack, opening).cidrs }));
    const world =
        sure.find(({ cidrs }) => isPublic(cidrs)) ??
        (isPublic(sure.flatMap(({ cidrs }) => cidrs)) ? sure.at(-1) : undefined);
    if (world) {
        return world.opening;
    }
    const open = reach.some(
        ({ opening, reaches }) =>
            (reaches === true && opening.unknown) || (isUnknown(reaches) && opensToWorld(opening)),
    );
    return open ? UNKNOWN : undefined;
}

function reaches({ ports: open }: Opening, ports: number[] | Unknown): boolean | Unknown {
    if (isUnknown(open)) {
        return UNKNOWN;
    }
    if (isUnknown(ports)) {
        return opensEverything(open) || (open.protocol === "tcp" ? UNKNOWN : false);
    }
    return ports.some((port) => opensTcp(open, port));
}

function tell(judgement: Judgement, database: Resource, opening: Opening, told: Set<Opening>): void {
    if (told.has(opening) || (isForDatabases(opening) && opensToWorld(opening))) {
        return;
    }
    told.add(opening);
    judgement.violation(
        opening.resource,
        rangesProperty(opening),
        `through it, or together with the other rules of its group, the whole internet reaches the database "${database.name}"`,
    );
}

/** The groups that a database surely has, and those that it may have. */
function groupsOf(stack: Stack, database: Resource, property: string): { groups: Group[]; maybe: Group[] } {
    const index = stack.once(indexGroups);
    const value = database.props[property];
    if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) {
        // Without a group the database joins the default one of its network.
        const defaults = stack.ofType(DEFAULT_GROUP);
        return { groups: defaults.length === 1 ? [index.get(defaults[0]!.urn)!] : [], maybe: [] };
    }
    const found = refer(stack, database, property, value, SECURITY_GROUPS);
    const known = (keys: string[]): Group[] => keys.flatMap((key) => index.get(key) ?? []);
    return {
        groups: known([...found.resources.map(({ urn }) => urn), ...found.external]),
        maybe: known(found.candidates.map(({ urn }) => urn)),
    };
}
