import type { World, WorldObject } from "../shell/world";
import { arn } from "./arn";
import { Kind } from "./kinds";
import { zoneId, zonesOf } from "./places";
import { makeDefaultGroup } from "./types/securityGroups";

/**
 * The VPC that an account has in each region from the start: 172.31.0.0/16, a public subnet in each zone, an internet gateway and a
 * main route table that leads there. It is made when something asks for it first.
 * Source: VPC User Guide, "Default VPCs".
 */
export function defaultVpc(world: World): WorldObject {
    return world.find(Kind.Vpc, isDefaultVpc) ?? makeDefaultVpc(world);
}

/** Nobody but the account itself makes a VPC unasked. */
export function isDefaultVpc(vpc: WorldObject): boolean {
    return vpc.implicit === true;
}

function makeDefaultVpc(world: World): WorldObject {
    const [vpc, group, table, gateway] = ["vpc", "sg", "rtb", "igw"].map((prefix) => `${prefix}-0${world.hex(16)}`);
    const owner = { token: Kind.Vpc, id: vpc };
    const put = (token: string, id: string, outputs: Record<string, unknown>): WorldObject => {
        const object = { token, id, inputs: outputs, outputs: { id, ...outputs }, implicit: true };
        world.put(id === vpc ? object : { ...object, owner });
        return object;
    };
    makeDefaultGroup(world, vpc, group);
    put(Kind.InternetGateway, gateway, { vpcId: vpc, arn: arn(world, "ec2", `internet-gateway/${gateway}`) });
    put(Kind.RouteTable, table, {
        vpcId: vpc,
        arn: arn(world, "ec2", `route-table/${table}`),
        routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: gateway }],
    });
    zonesOf(world.region).forEach((zone, index) => {
        const id = `subnet-0${world.hex(16)}`;
        put(Kind.Subnet, id, {
            vpcId: vpc,
            cidrBlock: `172.31.${index * 16}.0/20`,
            availabilityZone: zone,
            availabilityZoneId: zoneId(zone),
            mapPublicIpOnLaunch: true,
            assignIpv6AddressOnCreation: false,
            arn: arn(world, "ec2", `subnet/${id}`),
        });
    });
    return put(Kind.Vpc, vpc, {
        cidrBlock: "172.31.0.0/16",
        enableDnsSupport: true,
        enableDnsHostnames: true,
        instanceTenancy: "default",
        arn: arn(world, "ec2", `vpc/${vpc}`),
        defaultSecurityGroupId: group,
        defaultRouteTableId: table,
        mainRouteTableId: table,
    });
}
