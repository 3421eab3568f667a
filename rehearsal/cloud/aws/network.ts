import { list, record } from "../shell/values";
import type { Properties } from "../shell/type";
import type { World } from "../shell/world";
import { vpcOfSubnet } from "./checks";
import { contains, parseCidr } from "./cidr";
import { Kind } from "./kinds";
import { rulesOf } from "./types/securityGroups";

export interface Connection {
    /** The groups of what is connected to. Without any, nothing admits the connection. */
    targetGroups: string[];
    /** The groups that the connecting network interface carries. */
    sourceGroups: string[];
    /** The address that connects, where a rule may name it. */
    sourceIp?: string;
    /** The address that is connected to. */
    targetIp?: string;
    port: number;
    protocol?: "tcp" | "udp";
}

/** Whether the security groups on both ends let a connection through (VPC User Guide, security groups: they are stateful). */
export function admits(world: World, connection: Connection): boolean {
    return refusal(world, connection) === undefined;
}

/** Why a connection does not come through, for people; `undefined` when it does. */
export function refusal(world: World, connection: Connection): string | undefined {
    const { targetGroups, sourceGroups, sourceIp, targetIp, port, protocol = "tcp" } = connection;
    const fits = (rule: { protocol: string; fromPort: number; toPort: number }) =>
        rule.protocol === "-1" || (rule.protocol === protocol && rule.fromPort <= port && port <= rule.toPort);
    const names = (cidrs: string[], address?: string) => {
        const range = address === undefined ? undefined : parseCidr(`${address}/32`);
        return cidrs.some((cidr) => {
            const outer = parseCidr(cidr);
            return outer !== undefined && (outer.prefix === 0 || (range !== undefined && contains(outer, range)));
        });
    };
    const admitted = targetGroups.some((group) =>
        rulesOf(world, group).some(
            (rule) =>
                rule.direction === "ingress" &&
                fits(rule) &&
                (rule.groups.some((id) => sourceGroups.includes(id)) || names(rule.cidrs, sourceIp)),
        ),
    );
    if (!admitted) {
        return `no rule of ${targetGroups.join(", ") || "(no security group)"} admits ${protocol}/${port} from ${sourceGroups.join(", ") || (sourceIp ?? "anywhere")}`;
    }
    const leaves =
        sourceGroups.length === 0 ||
        sourceGroups.some((group) =>
            rulesOf(world, group).some(
                (rule) =>
                    rule.direction === "egress" &&
                    fits(rule) &&
                    (rule.groups.some((id) => targetGroups.includes(id)) || names(rule.cidrs, targetIp)),
            ),
        );
    return leaves ? undefined : `no egress rule of ${sourceGroups.join(", ")} lets ${protocol}/${port} out`;
}

/** Whether machines of a subnet reach the internet; `undefined` where nothing is known of the subnet's routes. */
export function reachesInternet(world: World, subnetId: string): boolean | undefined {
    const way = wayOut(world, subnetId);
    if (way === undefined || way === "none") return way && false;
    // An internet gateway serves machines with public addresses only.
    return !leadsToGateway(way) || world.get(Kind.Subnet, subnetId)?.outputs.mapPublicIpOnLaunch === true;
}

/** Whether a subnet is a public one: its route table leads to an internet gateway. */
export function isPublicSubnet(world: World, subnetId: string): boolean {
    const way = wayOut(world, subnetId);
    return way !== undefined && way !== "none" && leadsToGateway(way);
}

function leadsToGateway(route: Properties): boolean {
    return String(route.gatewayId ?? "").startsWith("igw-");
}

/** The default route of a subnet's route table; `undefined` where no table is known. */
function wayOut(world: World, subnetId: string): Properties | "none" | undefined {
    const association = world.find(Kind.RouteTableAssociation, ({ inputs }) => inputs.subnetId === subnetId);
    const vpc = world.get(Kind.Vpc, vpcOfSubnet(world, subnetId) ?? "");
    const table = association?.inputs.routeTableId ?? vpc?.outputs.mainRouteTableId;
    if (typeof table !== "string") return undefined;
    const routes = [
        ...world
            .all(Kind.Route)
            .filter(({ inputs }) => inputs.routeTableId === table)
            .map(({ inputs }) => inputs),
        ...list(world.get(Kind.RouteTable, table)?.inputs.routes).map(record),
    ];
    return (
        routes.find(({ cidrBlock, destinationCidrBlock }) => (destinationCidrBlock ?? cidrBlock) === "0.0.0.0/0") ??
        "none"
    );
}
