import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { InvalidArgumentsError, plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import type { ShapesOf } from "../shared/shape";
import { keysOf, listOf, mapOf } from "../shared/shape";
import { zoneProblems } from "../shared/zones";
import type { NetworkInfo } from "./networkInfo";
import { privateSubnetTags, subnetById, subnetProblems, taggedSubnets } from "./subnetLookUp";

/** Arguments of {@link ExistingNetwork}. */
export interface ExistingNetworkArgs {
    /** The id of the VPC. */
    vpcId: pulumi.Input<string>;
    /** The availability zones to use, by their full names, at least two. */
    zones: string[];
    /** The private subnet of each zone, keyed by zone, where they are not to be found by tag. @default found by `privateSubnetTags` */
    privateSubnetIds?: Record<string, pulumi.Input<string>>;
    /** The public subnet of each zone, keyed by zone. Only internet-facing load balancers need them. @default none */
    publicSubnetIds?: Record<string, pulumi.Input<string>>;
    /** Tags that the private subnets carry; exactly one subnet of each zone must. @default `kubernetes.io/role/internal-elb` = `1` */
    privateSubnetTags?: Record<string, pulumi.Input<string>>;
    /** How many addresses each private subnet must have free now: every pod and node takes one. @default 64 */
    minFreeAddresses?: number;
}

const shapes: ShapesOf<ExistingNetworkArgs> = {
    vpcId: "string",
    zones: listOf("string"),
    privateSubnetIds: mapOf("string"),
    publicSubnetIds: mapOf("string"),
    privateSubnetTags: mapOf("string"),
    minFreeAddresses: "integer",
};

/** What is wrong with the arguments of an {@link ExistingNetwork}. */
export function checkExistingNetworkArgs(args: ExistingNetworkArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (sound) => [
        ...zoneProblems("zones", sound.zones ?? [], 2),
        ...(sound.vpcId === undefined ? [{ path: "vpcId", message: "is missing; name the VPC." }] : []),
        ...judge({ ...sound, zones: sound.zones ?? [] }),
    ]);
}

function judge(args: Partial<ExistingNetworkArgs> & { zones: string[] }): Problem[] {
    const problems: Problem[] = [];
    const vpcId = plain(args.vpcId);
    if (vpcId !== undefined && !/^vpc-[0-9a-z]+$/.test(vpcId)) {
        problems.push({ path: "vpcId", message: `"${vpcId}" is no id of a VPC, such as vpc-0a1b2c3d4e5f67890.` });
    }
    for (const [path, ids] of Object.entries({
        privateSubnetIds: args.privateSubnetIds,
        publicSubnetIds: args.publicSubnetIds,
    })) {
        if (ids === undefined) {
            continue;
        }
        for (const zone of args.zones.filter((wanted) => !(wanted in ids))) {
            problems.push({
                path: `${path}.${zone}`,
                message: "missing: give one subnet for each zone, or none at all.",
            });
        }
        for (const zone of Object.keys(ids).filter((given) => !args.zones.includes(given))) {
            problems.push({ path: `${path}.${zone}`, message: `${zone} is not among the zones.` });
        }
    }
    if (args.privateSubnetIds !== undefined && args.privateSubnetTags !== undefined) {
        problems.push({
            path: "privateSubnetTags",
            message: "subnets are named by privateSubnetIds; leave out one of the two.",
        });
    }
    if (args.minFreeAddresses !== undefined && args.minFreeAddresses < 0) {
        problems.push({ path: "minFreeAddresses", message: "cannot be negative." });
    }
    return problems;
}

/**
 * A VPC that is there, with its private subnets, found for each zone and checked in the preview: that they lie in that VPC and zone,
 * give out no public addresses, and have addresses free. Creates nothing.
 */
export class ExistingNetwork extends pulumi.ComponentResource {
    /** What other components know about the network. */
    readonly info: pulumi.Output<NetworkInfo>;

    constructor(name: string, args: ExistingNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("ExistingNetwork", name, checkExistingNetworkArgs(args));
        super("airflow-eks:index:ExistingNetwork", name, {}, opts);
        this.info = pulumi
            .all([args.vpcId, args.privateSubnetIds, args.publicSubnetIds, args.privateSubnetTags ?? privateSubnetTags])
            .apply(([vpcId, privateIds, publicIds, tags]) =>
                lookUp(`ExistingNetwork "${name}"`, { ...args, vpcId, privateIds, publicIds, tags }, this),
            );
        this.registerOutputs({ info: this.info });
    }
}

interface LookUp {
    vpcId: string;
    zones: string[];
    privateIds?: Record<string, string>;
    publicIds?: Record<string, string>;
    tags: Record<string, string>;
    minFreeAddresses?: number;
}

async function lookUp(subject: string, wanted: LookUp, parent: pulumi.Resource): Promise<NetworkInfo> {
    const problems: Problem[] = [];
    const vpc = await aws.ec2.getVpc({ id: wanted.vpcId }, { parent }).catch((error: Error) => {
        const message = `the provider's account has no VPC ${wanted.vpcId} in its region (${error.message})`;
        throw new InvalidArgumentsError(subject, [{ path: "vpcId", message }]);
    });
    if (!vpc.enableDnsHostnames || !vpc.enableDnsSupport) {
        problems.push({
            path: "vpcId",
            message: `${wanted.vpcId} resolves no DNS names of AWS; turn on DNS hostnames and DNS support, or EFS cannot be mounted.`,
        });
    }
    const privateSubnetIds: Record<string, string> = {};
    for (const zone of wanted.zones) {
        const path = `privateSubnetIds.${zone}`;
        const id = wanted.privateIds?.[zone] ?? (await findSubnet(path, zone, wanted, problems, parent));
        if (id !== undefined) {
            privateSubnetIds[zone] = id;
            problems.push(...(await privateSubnetProblems(path, id, zone, wanted, parent)));
        }
    }
    for (const [zone, id] of Object.entries(wanted.publicIds ?? {})) {
        const subnet = await subnetById(id, parent);
        problems.push(...subnetProblems(`publicSubnetIds.${zone}`, id, zone, wanted.vpcId, subnet));
    }
    if (problems.length > 0) {
        throw new InvalidArgumentsError(subject, problems);
    }
    return { vpcId: vpc.id, vpcCidr: vpc.cidrBlock, privateSubnetIds, publicSubnetIds: wanted.publicIds ?? {} };
}

async function findSubnet(
    path: string,
    zone: string,
    { vpcId, tags }: LookUp,
    problems: Problem[],
    parent: pulumi.Resource,
): Promise<string | undefined> {
    const ids = await taggedSubnets(vpcId, zone, tags, parent);
    if (ids.length === 1) {
        return ids[0];
    }
    const carried = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
    problems.push({
        path,
        message:
            ids.length === 0
                ? `no subnet of ${vpcId} in ${zone} is tagged ${carried.join(", ")}; tag one, or name it here.`
                : `${ids.length} subnets of ${vpcId} in ${zone} are tagged ${carried.join(", ")} (${ids.join(", ")}); name the one to use here.`,
    });
    return undefined;
}

async function privateSubnetProblems(
    path: string,
    id: string,
    zone: string,
    wanted: LookUp,
    parent: pulumi.Resource,
): Promise<Problem[]> {
    const subnet = await subnetById(id, parent);
    const problems = subnetProblems(path, id, zone, wanted.vpcId, subnet);
    const needed = wanted.minFreeAddresses ?? 64;
    if (subnet !== undefined && subnet.availableIpAddressCount < needed) {
        problems.push({
            path,
            message: `${id} has ${subnet.availableIpAddressCount} addresses free, ${needed} are asked for; use a larger subnet or lower minFreeAddresses.`,
        });
    }
    if (subnet?.mapPublicIpOnLaunch) {
        problems.push({ path, message: `${id} gives machines public addresses; nodes belong into a private subnet.` });
    }
    return problems;
}
