import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { InvalidArgumentsError, refuseProblems } from "../shared/check";
import { keepUntil } from "../shared/guard";
import { fittingProblems } from "../shared/fitting";
import type { ShapesOf } from "../shared/shape";
import { choices, keysOf, listOf } from "../shared/shape";
import { zoneProblems } from "../shared/zones";
import { mostTypes } from "./nodeProblems";
import { Architecture, awsArchitecture } from "./nodeTypes";

/** What instance types are chosen by, as `ec2-instance-selector` does. */
export interface InstanceRequirements {
    /** Exactly so many vCPUs. */
    vcpus: number;
    /** Exactly so much memory, in GiB. */
    memoryGiB: number;
    /** Exactly so many GPUs. @default 0 */
    gpus?: number;
    /** The architecture of the processors. @default amd64 */
    architecture?: Architecture;
    /** Whether only types of AWS's current generation are taken. @default true */
    currentGeneration?: boolean;
    /** Regular expressions for whole names of types that are not taken, for example `t.*`. @default none */
    denyList?: string[];
    /** Whether the types must be offered as spot capacity. @default true */
    spot?: boolean;
    /** The most that an hour of spot capacity may cost now, in USD, in the cheapest of the zones. Types without a known price are left out. @default no limit */
    maxSpotPrice?: number;
    /** Whether the types must have NVMe disks of their own. @default false */
    instanceStore?: boolean;
    /** The zones, by their full names, in each of which the types must be offered. @default any zone of the region */
    zones?: string[];
    /** How many types are taken at most, the cheapest ones; EKS takes 20. @default 20 */
    maxTypes?: number;
}

const shapes: ShapesOf<InstanceRequirements> = {
    vcpus: "integer",
    memoryGiB: "number",
    gpus: "integer",
    architecture: choices(Architecture),
    currentGeneration: "boolean",
    denyList: listOf("string"),
    spot: "boolean",
    maxSpotPrice: "number",
    instanceStore: "boolean",
    zones: listOf("string"),
    maxTypes: "integer",
};

/** What is wrong with requirements. */
export function checkInstanceRequirements(requirements: InstanceRequirements): Problem[] {
    return fittingProblems(requirements, keysOf(shapes), (sound) => {
        const problems: Problem[] = [];
        for (const key of ["vcpus", "memoryGiB"] as const) {
            const value = sound[key];
            if (!(value !== undefined && value > 0)) {
                problems.push({
                    path: key,
                    message: value === undefined ? "is missing." : `${value} is not above zero.`,
                });
            }
        }
        if ((sound.gpus ?? 0) < 0) {
            problems.push({ path: "gpus", message: "cannot be negative." });
        }
        (sound.denyList ?? []).forEach((pattern, index) => {
            try {
                new RegExp(pattern);
            } catch (error) {
                problems.push({
                    path: `denyList[${index}]`,
                    message: `"${pattern}" is no regular expression: ${(error as Error).message}`,
                });
            }
        });
        if (sound.maxSpotPrice !== undefined && sound.maxSpotPrice <= 0) {
            problems.push({
                path: "maxSpotPrice",
                message: `nothing costs ${sound.maxSpotPrice} USD; give a price, or leave it out.`,
            });
        }
        if (sound.maxTypes !== undefined && (sound.maxTypes < 1 || sound.maxTypes > mostTypes)) {
            problems.push({
                path: "maxTypes",
                message: `${sound.maxTypes} is outside 1 to ${mostTypes}, what a node group takes.`,
            });
        }
        return [...problems, ...(sound.zones ? zoneProblems("zones", sound.zones) : [])];
    });
}

/**
 * Chooses instance types by what they have, cheapest spot price first, and those without a known price last.
 *
 * AWS is asked at every deployment, and the answer kept in the state until the requirements change: a new type at AWS, or another price, never
 * replaces nodes that run.
 *
 * @example
 * const types = chooseInstanceTypes("workers", { vcpus: 2, memoryGiB: 4, denyList: ["t.*"] });
 */
export function chooseInstanceTypes(
    name: string,
    requirements: InstanceRequirements,
    opts: { parent: pulumi.Resource },
): pulumi.Output<string[]> {
    refuseProblems("chooseInstanceTypes", name, checkInstanceRequirements(requirements));
    const found = pulumi.output(findTypes(name, requirements, opts.parent));
    return keepUntil(opts.parent, `${name}-instance-types`, found, meaningOf(requirements));
}

/** What requirements ask for, however they are written: neither another order nor a default that is spelled out chooses anew. */
function meaningOf(requirements: InstanceRequirements): string {
    const defaults = { gpus: 0, architecture: Architecture.Amd64, currentGeneration: true, spot: true };
    const rest = { instanceStore: false, maxTypes: mostTypes, denyList: [], zones: [] };
    const stated = Object.entries(requirements).filter(([, value]) => value !== undefined);
    const all = { ...defaults, ...rest, ...Object.fromEntries(stated) };
    const inOrder = Object.entries(all)
        .map(([key, value]) => [key, Array.isArray(value) ? [...new Set(value)].sort() : value] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify(Object.fromEntries(inOrder));
}

async function findTypes(name: string, wanted: InstanceRequirements, parent: pulumi.Resource): Promise<string[]> {
    const denied = (wanted.denyList ?? []).map((pattern) => new RegExp(`^(?:${pattern})$`));
    const { instanceTypes } = await aws.ec2.getInstanceTypes({ filters: filtersOf(wanted) }, { parent });
    const offered = await offeredInAll(wanted.zones ?? [], parent);
    const candidates = instanceTypes.filter(
        (type) => !denied.some((pattern) => pattern.test(type)) && (offered === undefined || offered.has(type)),
    );
    const details = await Promise.all(
        candidates.map((instanceType) => aws.ec2.getInstanceType({ instanceType }, { parent })),
    );
    const fitting = details.filter((type) => fits(type, wanted)).map(({ instanceType }) => instanceType);
    const prices = await spotPrices(fitting, wanted.zones, parent);
    const affordable = fitting.filter(
        (type) => wanted.maxSpotPrice === undefined || (prices.get(type) ?? Infinity) <= wanted.maxSpotPrice,
    );
    if (affordable.length === 0) {
        const message =
            fitting.length > 0
                ? `${fitting.join(", ")} fit, but none costs ${wanted.maxSpotPrice} USD or less as spot capacity now.`
                : `AWS has no instance type in the provider's region that meets ${JSON.stringify(wanted)}.`;
        throw new InvalidArgumentsError(`chooseInstanceTypes "${name}"`, [{ path: "requirements", message }]);
    }
    return affordable.sort(byPrice(prices)).slice(0, wanted.maxTypes ?? mostTypes);
}

function byPrice(prices: Map<string, number>): (a: string, b: string) => number {
    const price = (type: string) => prices.get(type) ?? Number.MAX_VALUE;
    return (a, b) => price(a) - price(b) || a.localeCompare(b, "en");
}

/** What AWS filters by itself; everything is judged again by the details. */
function filtersOf(wanted: InstanceRequirements): { name: string; values: string[] }[] {
    const filters: Record<string, string> = {
        "vcpu-info.default-vcpus": String(wanted.vcpus),
        "memory-info.size-in-mib": String(wanted.memoryGiB * 1024),
        "processor-info.supported-architecture": awsArchitecture[wanted.architecture ?? Architecture.Amd64],
        "bare-metal": "false",
    };
    if (wanted.currentGeneration ?? true) {
        filters["current-generation"] = "true";
    }
    if (wanted.spot ?? true) {
        filters["supported-usage-class"] = "spot";
    }
    if (wanted.instanceStore) {
        filters["instance-storage-supported"] = "true";
    }
    return Object.entries(filters).map(([key, value]) => ({ name: key, values: [value] }));
}

function fits(type: aws.ec2.GetInstanceTypeResult, wanted: InstanceRequirements): boolean {
    const gpus = (type.gpuses ?? []).reduce((sum, { count }) => sum + count, 0);
    return (
        type.defaultVcpus === wanted.vcpus &&
        type.memorySize === wanted.memoryGiB * 1024 &&
        gpus === (wanted.gpus ?? 0) &&
        type.supportedArchitectures.includes(awsArchitecture[wanted.architecture ?? Architecture.Amd64]) &&
        (type.currentGeneration || wanted.currentGeneration === false) &&
        (type.supportedUsagesClasses.includes("spot") || wanted.spot === false) &&
        (type.instanceStorageSupported || !wanted.instanceStore)
    );
}

/** The types that are offered in each of the zones; undefined when any zone will do. */
async function offeredInAll(zones: string[], parent: pulumi.Resource): Promise<Set<string> | undefined> {
    if (zones.length === 0) {
        return undefined;
    }
    const offers = await Promise.all(
        zones.map((zone) =>
            aws.ec2.getInstanceTypeOfferings(
                { locationType: "availability-zone", filters: [{ name: "location", values: [zone] }] },
                { parent },
            ),
        ),
    );
    const [first, ...others] = offers.map(({ instanceTypes }) => new Set(instanceTypes));
    return new Set([...first].filter((type) => others.every((offer) => offer.has(type))));
}

/** The lowest current spot price of each type, where AWS tells one. */
async function spotPrices(
    types: string[],
    zones: string[] | undefined,
    parent: pulumi.Resource,
): Promise<Map<string, number>> {
    const where = zones ?? (await aws.getAvailabilityZones({ state: "available" }, { parent })).names;
    const prices = new Map<string, number>();
    await Promise.all(
        types.flatMap((instanceType) =>
            where.map(async (availabilityZone) => {
                const filters = [{ name: "product-description", values: ["Linux/UNIX"] }];
                // A type that nobody has bought there as spot capacity has no price.
                const found = await aws.ec2
                    .getSpotPrice({ instanceType, availabilityZone, filters }, { parent })
                    .catch(() => undefined);
                const price = Number(found?.spotPrice);
                if (price > 0 && price < (prices.get(instanceType) ?? Infinity)) {
                    prices.set(instanceType, price);
                }
            }),
        ),
    );
    return prices;
}
