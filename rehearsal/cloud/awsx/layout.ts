import { formatCidr, overlaps, parseCidr, type Range } from "../aws/cidr";
import { list, record, text, texts } from "../shell/values";
import type { Properties } from "../shell/type";

/** One subnet that the component is going to make. */
export interface Subnet {
    type: "Public" | "Private" | "Isolated" | "Unused";
    zone: string;
    /** 1 for the first zone. */
    number: number;
    logicalName: string;
    cidr: string;
    tags: Properties;
    assignIpv6: boolean;
}

interface Spec {
    type: Subnet["type"];
    name?: string;
    prefix?: number;
    cidrs?: string[];
    tags: Properties;
    assignIpv6: boolean;
}

/**
 * Divides a VPC among zones as @pulumi/awsx does: each zone gets an equal, aligned part of the VPC, and in it the specs
 * follow each other in their order, each aligned to its own size.
 */
export function layout(name: string, vpcCidr: string, zones: string[], args: Properties): Subnet[] {
    const vpc = parseCidr(vpcCidr);
    if (!vpc) throw new Error(`cidrBlock "${vpcCidr}" is not a CIDR block`);
    const zoneBits = Math.ceil(Math.log2(zones.length));
    const zonePrefix =
        typeof args.availabilityZoneCidrMask === "number" ? args.availabilityZoneCidrMask : vpc.prefix + zoneBits;
    const specs = readSpecs(args, zonePrefix);
    const explicit = specs.filter(({ cidrs }) => cidrs !== undefined).length;
    if (explicit > 0 && explicit < specs.length) {
        throw new Error("if any subnet spec has explicit cidrBlocks, all subnet specs must have explicit cidrBlocks");
    }
    const wrong = specs.find(({ cidrs }) => cidrs !== undefined && cidrs.length !== zones.length);
    if (wrong) {
        throw new Error(
            `the number of CIDR blocks in subnetSpecs must match the number of availability zones: ${wrong.cidrs!.length} for ${zones.length}`,
        );
    }
    const subnets = zones.flatMap((zone, index) => {
        let next = vpc.first + index * 2 ** (32 - zonePrefix);
        return specs.map((spec): Subnet => {
            const label = spec.name ?? spec.type.toLowerCase();
            const cidr = spec.cidrs?.[index] ?? allocate(next, spec.prefix ?? zonePrefix + 1);
            const range = parseCidr(cidr);
            if (range) next = range.first + range.size;
            return {
                type: spec.type,
                zone,
                number: index + 1,
                logicalName: `${name}-${label}-${index + 1}`,
                cidr,
                tags: spec.tags,
                assignIpv6: spec.assignIpv6,
            };
        });
    });
    refuseOverlaps(subnets, vpc);
    return subnets;
}

function allocate(from: number, prefix: number): string {
    const size = 2 ** (32 - prefix);
    return formatCidr({ first: Math.ceil(from / size) * size, size, prefix });
}

function readSpecs(args: Properties, zonePrefix: number): Spec[] {
    const given = list(args.subnetSpecs).map(record);
    const specs =
        given.length > 0
            ? given
            : [
                  { type: "Private", cidrMask: zonePrefix + 1 },
                  { type: "Public", cidrMask: zonePrefix + 2 },
              ];
    const read = specs.map((spec: Properties): Spec => ({
        type: String(spec.type) as Subnet["type"],
        name: text(spec.name),
        prefix:
            typeof spec.cidrMask === "number"
                ? spec.cidrMask
                : typeof spec.size === "number"
                  ? 32 - Math.log2(spec.size)
                  : undefined,
        cidrs: Array.isArray(spec.cidrBlocks) ? texts(spec.cidrBlocks) : undefined,
        tags: record(spec.tags),
        assignIpv6: spec.assignIpv6AddressOnCreation === true,
    }));
    if (args.subnetStrategy !== undefined && args.subnetStrategy !== "Legacy") return read;
    // The old strategy: private subnets first, then public ones, then isolated ones.
    const order = ["Private", "Public", "Isolated", "Unused"];
    return [...read].sort((a, b) => order.indexOf(a.type) - order.indexOf(b.type));
}

function refuseOverlaps(subnets: Subnet[], vpc: Range): void {
    const seen: { subnet: Subnet; range: Range }[] = [];
    for (const subnet of subnets) {
        const range = parseCidr(subnet.cidr);
        if (!range) throw new Error(`"${subnet.cidr}" is not a CIDR block`);
        const other = seen.find((one) => overlaps(one.range, range));
        if (other) {
            throw new Error(
                `The following subnets overlap with at least one other subnet. Make the CIDR for the VPC larger, reduce the size of the subnets per AZ, or use less Availability Zones: ${other.subnet.logicalName}: ${other.subnet.cidr} and ${subnet.logicalName}: ${subnet.cidr}`,
            );
        }
        if (range.first < vpc.first || range.first + range.size > vpc.first + vpc.size) {
            throw new Error(`subnet ${subnet.logicalName} (${subnet.cidr}) does not fit into the VPC`);
        }
        seen.push({ subnet, range });
    }
}
