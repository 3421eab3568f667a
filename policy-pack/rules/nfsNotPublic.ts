import { opensTcp } from "../judge/ports";
import {
    CARRIERS,
    indexGroups,
    type Opening,
    openings,
    opensToWorld,
    rangesProperty,
    resolvedRanges,
} from "../judge/securityGroups";
import { isPublic } from "../judge/cidr";
import { UNTIL_UP } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Rule, type Stack } from "../rule";

const NFS = 2049;

export const rule: Rule = {
    name: "nfs-not-public",
    description: "No security group lets the internet reach NFS (port 2049).",
    why: "A file system without a policy takes every client that reaches its port: an open port is open data.",
    fix: "Admit the security group of the nodes (`sourceSecurityGroupId`), or the network of the VPC, on TCP 2049 only.",
    level: "mandatory",
    severity: "critical",
    resource(resource) {
        const judgement = new Judgement();
        if (!CARRIERS.includes(resource.type)) {
            return judgement;
        }
        judgement.judge(resource);
        if (isUnknown(resource.props.ingress) || isUnknown(resource.props.securityGroupIngress)) {
            judgement.unknown(
                resource,
                isUnknown(resource.props.ingress) ? "ingress" : "securityGroupIngress",
                UNTIL_UP,
            );
        }
        for (const opening of openings(resource)) {
            judgeOpening(judgement, opening);
        }
        return judgement;
    },
    stack(stack) {
        const judgement = new Judgement();
        for (const group of stack.once(indexGroups).values()) {
            judgeGroup(judgement, stack, group.openings);
        }
        return judgement;
    },
};

function judgeOpening(judgement: Judgement, opening: Opening): void {
    const { resource, path } = opening;
    const mayReach = isUnknown(opening.ports) || reachesNfs(opening);
    if (!mayReach) {
        return;
    }
    if (opensToWorld(opening)) {
        if (isUnknown(opening.ports)) {
            judgement.unknown(resource, below(path, "fromPort"), UNTIL_UP);
        } else {
            judgement.violation(resource, rangesProperty(opening), "the whole internet reaches NFS through it");
        }
    } else if (opening.malformed.length > 0 && !isUnknown(opening.ports)) {
        judgement.violation(
            resource,
            rangesProperty(opening),
            "it admits something to NFS that is no address range; AWS refuses it",
        );
    } else if (opening.unknown) {
        judgement.unknown(resource, rangesProperty(opening), UNTIL_UP);
    }
}

/** TCP; UDP when it is NFS alone that is opened (EFS has none, other servers do). */
function reachesNfs({ ports }: Opening): boolean {
    return (
        !isUnknown(ports) &&
        (opensTcp(ports, NFS) || (ports.protocol === "udp" && ports.from === NFS && ports.to === NFS))
    );
}

/** What no rule of the group does alone: ranges that only together are the internet, and prefix lists. */
function judgeGroup(judgement: Judgement, stack: Stack, all: Opening[]): void {
    const toNfs = all.filter(reachesNfs);
    const [first] = toNfs;
    if (!first || toNfs.some(opensToWorld)) {
        return;
    }
    const resolved = toNfs.map((opening) => ({ opening, ...resolvedRanges(stack, opening) }));
    const world = resolved.find(({ cidrs }) => isPublic(cidrs));
    if (world) {
        judgement.violation(
            world.opening.resource,
            rangesProperty(world.opening),
            "the prefix lists that it names let the whole internet reach NFS",
        );
        return;
    }
    if (isPublic(resolved.flatMap(({ cidrs }) => cidrs))) {
        const last = resolved.filter(({ cidrs }) => cidrs.length > 0).at(-1)!.opening;
        judgement.violation(
            last.resource,
            rangesProperty(last),
            "together with the other rules of its security group it lets the whole internet reach NFS",
        );
        return;
    }
    for (const { opening } of resolved.filter(({ unresolved }) => unresolved)) {
        judgement.unknown(
            opening.resource,
            rangesProperty(opening),
            "it admits a prefix list to NFS whose entries this program does not show (yet)",
        );
    }
}

const below = (path: string, property: string): string => (path ? `${path}.${property}` : property);
