import type { Problem } from "../shared/check";
import type { Cidr } from "../shared/cidr";
import { cidrContains, cidrPart, cidrsOverlap, formatCidr, parseCidr } from "../shared/cidr";

/** The subnets of one zone. */
export interface ZoneLayout {
    zone: string;
    privateCidr: string;
    publicCidr: string;
}

/** Which addresses a network gives to what. */
export interface NetworkLayout {
    cidrBlock: string;
    zones: ZoneLayout[];
}

/** Which settings of a network decide its layout. */
export interface NetworkLayoutSettings {
    cidrBlock: string;
    zones: string[];
    privateCidrs?: Record<string, string>;
    publicCidrs?: Record<string, string>;
}

/** What AWS takes for no VPC: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html */
const refusedBlocks = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"];

/** How many zones the standard layout has room for: no region has more. */
const mostZones = 6;

/**
 * Divides a block: six eighths are for private subnets, one for each zone there may ever be; of the seventh each zone's public
 * subnet takes an eighth; the last stays free. A zone's blocks depend on its place in the list only, so appending one moves none.
 */
export function networkLayout({ cidrBlock, zones, privateCidrs, publicCidrs }: NetworkLayoutSettings): NetworkLayout {
    const block = parseCidr(cidrBlock);
    if (!block) {
        throw new Error(`"${cidrBlock}" is no block of IPv4 addresses`);
    }
    return {
        cidrBlock,
        zones: zones.map((zone, index) => ({
            zone,
            privateCidr: privateCidrs?.[zone] ?? formatCidr(cidrPart(block, block.prefix + 3, index)),
            publicCidr: publicCidrs?.[zone] ?? formatCidr(publicPart(block, index)),
        })),
    };
}

/** What is wrong with the settings of a layout. */
export function networkLayoutProblems(settings: NetworkLayoutSettings): Problem[] {
    const { cidrBlock, zones } = settings;
    const block = parseCidr(cidrBlock);
    if (!block) {
        return [{ path: "cidrBlock", message: `"${cidrBlock}" is no block of IPv4 addresses such as 10.20.0.0/16.` }];
    }
    const problems: Problem[] = [];
    if (refusedBlocks.some((refused) => cidrsOverlap(parseCidr(refused)!, block))) {
        problems.push({
            path: "cidrBlock",
            message: `"${cidrBlock}" is reserved, AWS makes no VPC of it; take a private block.`,
        });
    }
    if (block.prefix < 16 || block.prefix > 22) {
        problems.push({
            path: "cidrBlock",
            message:
                block.prefix < 16
                    ? `"${cidrBlock}" is larger than a VPC may be; give a /16 or smaller.`
                    : `"${cidrBlock}" is too small: each pod takes an address, and a zone's share must hold a subnet; give a /22 or larger.`,
        });
    }
    const explicit = settings.privateCidrs !== undefined || settings.publicCidrs !== undefined;
    if (!explicit && zones.length > mostZones) {
        problems.push({
            path: "zones",
            message: `the standard layout has room for ${mostZones} zones, these are ${zones.length}.`,
        });
    }
    for (const [path, cidrs] of [
        ["privateCidrs", settings.privateCidrs],
        ["publicCidrs", settings.publicCidrs],
    ] as const) {
        problems.push(...explicitProblems(path, cidrs, zones, block));
    }
    return problems.length > 0 ? problems : overlapProblems(networkLayout(settings));
}

/**
 * Why a network that is there cannot become another one, or undefined when it can. awsx numbers subnets by position, so anything
 * but a zone at the end would replace subnets that nodes, mount targets and databases use.
 */
export function layoutChangeRefusal(old: NetworkLayout, next: NetworkLayout): string | undefined {
    if (old.cidrBlock !== next.cidrBlock) {
        return `the VPC has the block ${old.cidrBlock}; ${next.cidrBlock} would replace it with all that is in it. Keep the block, or make a second network.`;
    }
    const were = old.zones.map(({ zone }) => zone);
    const are = next.zones.map(({ zone }) => zone);
    if (were.some((zone, index) => are[index] !== zone)) {
        return (
            `zones were ${were.join(", ")} and would be ${are.join(", ")}: zones can only be appended. Leave the network's zones as they were ` +
            "(a subnet costs nothing) and list fewer zones where things use them, such as node groups."
        );
    }
    const moved = old.zones.find(
        (zone, index) =>
            zone.privateCidr !== next.zones[index].privateCidr || zone.publicCidr !== next.zones[index].publicCidr,
    );
    return (
        moved &&
        `the subnets of ${moved.zone} are ${moved.privateCidr} and ${moved.publicCidr}; other blocks would replace them. Keep them.`
    );
}

function publicPart(block: Cidr, index: number): Cidr {
    return cidrPart(cidrPart(block, block.prefix + 3, mostZones), block.prefix + 6, index);
}

function explicitProblems(
    path: string,
    cidrs: Record<string, string> | undefined,
    zones: string[],
    block: Cidr,
): Problem[] {
    if (cidrs === undefined) {
        return [];
    }
    const problems: Problem[] = zones
        .filter((zone) => !(zone in cidrs))
        .map((zone) => ({ path: `${path}.${zone}`, message: "missing: give a block for each zone, or none at all." }));
    for (const [zone, text] of Object.entries(cidrs)) {
        const at = `${path}.${zone}`;
        const part = parseCidr(text);
        if (!zones.includes(zone)) {
            problems.push({ path: at, message: `${zone} is not among the zones of the network.` });
        } else if (!part) {
            problems.push({ path: at, message: `"${text}" is no block of IPv4 addresses such as 10.20.32.0/19.` });
        } else if (part.prefix > 28) {
            problems.push({ path: at, message: `"${text}" is smaller than a subnet may be; give a /28 or larger.` });
        } else if (!cidrContains(block, part)) {
            problems.push({ path: at, message: `"${text}" does not lie in the network's block ${formatCidr(block)}.` });
        }
    }
    return problems;
}

function overlapProblems(layout: NetworkLayout): Problem[] {
    const blocks = layout.zones.flatMap(({ zone, privateCidr, publicCidr }) => [
        { path: `privateCidrs.${zone}`, text: privateCidr },
        { path: `publicCidrs.${zone}`, text: publicCidr },
    ]);
    return blocks.flatMap((block, index) =>
        blocks
            .slice(0, index)
            .filter((other) => cidrsOverlap(parseCidr(block.text)!, parseCidr(other.text)!))
            .map((other) => ({
                path: block.path,
                message: `${block.text} overlaps with ${other.path} (${other.text}).`,
            })),
    );
}
