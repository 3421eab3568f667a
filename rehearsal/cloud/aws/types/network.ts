import type { SimulatedType } from "../../shell/type";
import { text } from "../../shell/values";
import { arn } from "../arn";
import { check, need, refuse, vpcOfSubnet } from "../checks";
import { contains, overlaps, parseCidr } from "../cidr";
import { seconds } from "../durations";
import { Kind } from "../kinds";
import { zoneId, zonesOf } from "../places";
import { makeDefaultGroup } from "./securityGroups";
import { addressIn, endpointTypes } from "./endpoints";

const vpcReference = { path: "vpcId", to: Kind.Vpc, missing: "InvalidVpcID.NotFound" };
const subnetReference = { path: "subnetId", to: Kind.Subnet, missing: "InvalidSubnetID.NotFound" };

const vpc: SimulatedType = {
    token: Kind.Vpc,
    seconds: seconds.vpc,
    id: (_, world) => `vpc-0${world.hex(16)}`,
    immutable: ["cidrBlock", "ipv4IpamPoolId", "ipv6IpamPoolId"],
    check: check((found, inputs) => {
        found.someOf("cidrBlock", "ipv4IpamPoolId").exclusive("cidrBlock", "ipv4NetmaskLength");
        // VPC User Guide, "VPC CIDR blocks": between a /16 and a /28.
        const cidr = text(inputs.cidrBlock);
        const range = parseCidr(cidr);
        if (cidr !== undefined && (!range || range.prefix < 16 || range.prefix > 28)) {
            found.add("cidrBlock", `"${cidr}" is not an IPv4 CIDR block between /16 and /28`);
        }
        found.oneOf("instanceTenancy", ["default", "dedicated"]);
    }),
    outputs: (inputs, id, world, old) => ({
        enableDnsSupport: inputs.enableDnsSupport ?? true,
        enableDnsHostnames: inputs.enableDnsHostnames ?? false,
        instanceTenancy: inputs.instanceTenancy ?? "default",
        arn: arn(world, "ec2", `vpc/${id}`),
        dhcpOptionsId: old?.outputs.dhcpOptionsId ?? `dopt-0${world.hex(16)}`,
        defaultNetworkAclId: old?.outputs.defaultNetworkAclId ?? `acl-0${world.hex(16)}`,
        defaultSecurityGroupId: old?.outputs.defaultSecurityGroupId ?? `sg-0${world.hex(16)}`,
        defaultRouteTableId: old?.outputs.defaultRouteTableId ?? `rtb-0${world.hex(16)}`,
        mainRouteTableId: old?.outputs.mainRouteTableId ?? old?.outputs.defaultRouteTableId ?? `rtb-0${world.hex(16)}`,
    }),
    settled: (object, world, old) => {
        if (old) return;
        makeDefaultGroup(world, object.id, String(object.outputs.defaultSecurityGroupId));
        const table = { ...object.outputs, mainRouteTableId: object.outputs.defaultRouteTableId };
        world.put({ ...object, outputs: table });
        world.put({
            token: Kind.RouteTable,
            id: String(object.outputs.defaultRouteTableId),
            inputs: { vpcId: object.id },
            outputs: { vpcId: object.id, routes: [] },
            implicit: true,
            owner: { token: Kind.Vpc, id: object.id },
        });
    },
    removed: (object, world) => {
        world.remove(Kind.SecurityGroup, String(object.outputs.defaultSecurityGroupId));
        world.remove(Kind.RouteTable, String(object.outputs.defaultRouteTableId));
    },
};

const subnet: SimulatedType = {
    token: Kind.Subnet,
    seconds: seconds.subnet,
    id: (_, world) => `subnet-0${world.hex(16)}`,
    references: [vpcReference],
    immutable: ["vpcId", "cidrBlock", "availabilityZone", "availabilityZoneId", "ipv6Native", "outpostArn"],
    check: check((found, inputs) => {
        found.someOf("cidrBlock", "ipv6CidrBlock", "ipv4IpamPoolId", "ipv6IpamPoolId");
        found.exclusive("availabilityZone", "availabilityZoneId");
        const cidr = text(inputs.cidrBlock);
        const range = parseCidr(cidr);
        if (cidr !== undefined && (!range || range.prefix < 16 || range.prefix > 28)) {
            found.add("cidrBlock", `"${cidr}" is not an IPv4 CIDR block between /16 and /28`);
        }
    }),
    relations: (inputs, world, self) => {
        const inside = parseCidr(need(world, Kind.Vpc, inputs.vpcId, "InvalidVpcID.NotFound").outputs.cidrBlock);
        const range = parseCidr(inputs.cidrBlock);
        // EC2 API Reference, CreateSubnet: within the VPC's range, overlapping no other subnet.
        if (range && inside && !contains(inside, range)) {
            refuse(
                "InvalidSubnet.Range",
                `The CIDR '${String(inputs.cidrBlock)}' is invalid: not within the VPC's range`,
            );
        }
        for (const other of world.all(Kind.Subnet)) {
            if (other.id === self?.id || other.outputs.vpcId !== inputs.vpcId) continue;
            const taken = parseCidr(other.outputs.cidrBlock);
            if (range && taken && overlaps(range, taken)) {
                refuse("InvalidSubnet.Conflict", `The CIDR '${String(inputs.cidrBlock)}' conflicts with ${other.id}`);
            }
        }
        const zone = text(inputs.availabilityZone);
        if (zone !== undefined && !zonesOf(world.region).includes(zone)) {
            const known = zonesOf(world.region).join(", ");
            refuse(
                "InvalidParameterValue",
                `Value (${zone}) for parameter availabilityZone is invalid: there are ${known}`,
            );
        }
    },
    outputs: (inputs, id, world, old) => {
        const byId = zonesOf(world.region).find((zone) => zoneId(zone) === inputs.availabilityZoneId);
        const zone =
            text(inputs.availabilityZone) ?? byId ?? text(old?.outputs.availabilityZone) ?? zonesOf(world.region)[0];
        return {
            availabilityZone: zone,
            availabilityZoneId: zoneId(zone),
            arn: arn(world, "ec2", `subnet/${id}`),
            mapPublicIpOnLaunch: inputs.mapPublicIpOnLaunch ?? false,
            assignIpv6AddressOnCreation: inputs.assignIpv6AddressOnCreation ?? false,
        };
    },
};

const internetGateway: SimulatedType = {
    token: Kind.InternetGateway,
    seconds: seconds.gateway,
    id: (_, world) => `igw-0${world.hex(16)}`,
    references: [vpcReference],
    unique: [["vpcId"]],
    duplicate: "Resource.AlreadyAssociated",
    outputs: (_, id, world) => ({ arn: arn(world, "ec2", `internet-gateway/${id}`) }),
    refusesDeletion: (object, world) => {
        // EC2 API Reference, DetachInternetGateway: no instance or NAT gateway with a public address may be left.
        const nat = world.find(
            Kind.NatGateway,
            (one) =>
                one.inputs.connectivityType !== "private" &&
                vpcOfSubnet(world, one.inputs.subnetId) === object.inputs.vpcId,
        );
        return (
            nat &&
            `DependencyViolation: Network ${String(object.inputs.vpcId)} has some mapped public address(es): ${nat.id}`
        );
    },
};

const routeTable: SimulatedType = {
    token: Kind.RouteTable,
    seconds: seconds.few,
    id: (_, world) => `rtb-0${world.hex(16)}`,
    references: [vpcReference],
    immutable: ["vpcId"],
    outputs: (inputs, id, world) => ({
        arn: arn(world, "ec2", `route-table/${id}`),
        routes: inputs.routes ?? [],
        propagatingVgws: inputs.propagatingVgws ?? [],
    }),
    removed: (object, world) => {
        for (const route of world.all(Kind.Route)) {
            if (route.inputs.routeTableId === object.id) world.remove(Kind.Route, route.id);
        }
    },
};

const routeTableAssociation: SimulatedType = {
    token: Kind.RouteTableAssociation,
    seconds: seconds.call,
    id: (_, world) => `rtbassoc-0${world.hex(16)}`,
    references: [
        { ...subnetReference, holds: false },
        { path: "routeTableId", to: Kind.RouteTable, missing: "InvalidRouteTableID.NotFound" },
    ],
    // EC2 API Reference, AssociateRouteTable: a subnet can be associated with one route table only.
    unique: [["subnetId"]],
    duplicate: "Resource.AlreadyAssociated",
    immutable: ["subnetId", "gatewayId"],
    check: check((found) => found.someOf("subnetId", "gatewayId").exclusive("subnetId", "gatewayId")),
    relations: (inputs, world) => {
        const table = world.get(Kind.RouteTable, String(inputs.routeTableId));
        const vpcId = vpcOfSubnet(world, inputs.subnetId);
        if (vpcId !== undefined && table?.outputs.vpcId !== vpcId) {
            refuse("InvalidParameterValue", "Route table and network gateway belong to different networks");
        }
    },
};

const ROUTE_TARGETS = [
    "gatewayId",
    "natGatewayId",
    "vpcEndpointId",
    "transitGatewayId",
    "vpcPeeringConnectionId",
    "networkInterfaceId",
    "egressOnlyGatewayId",
    "carrierGatewayId",
    "coreNetworkArn",
    "localGatewayId",
];

const route: SimulatedType = {
    token: Kind.Route,
    seconds: seconds.call,
    id: (inputs, world) => `r-${String(inputs.routeTableId)}${world.hex(10)}`,
    references: [
        { path: "routeTableId", to: Kind.RouteTable, missing: "InvalidRouteTableID.NotFound", holds: false },
        {
            path: "gatewayId",
            to: Kind.InternetGateway,
            missing: "InvalidGatewayID.NotFound",
            holds: false,
            outside: /^(vgw-|local$)/,
        },
        { path: "natGatewayId", to: Kind.NatGateway, missing: "InvalidNatGatewayID.NotFound", holds: false },
        { path: "vpcEndpointId", to: Kind.VpcEndpoint, missing: "InvalidVpcEndpointId.NotFound", holds: false },
    ],
    unique: [["routeTableId", "destinationCidrBlock"]],
    duplicate: "RouteAlreadyExists",
    immutable: ["routeTableId", "destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId"],
    check: check((found) => {
        found.someOf("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId");
        found.someOf(...ROUTE_TARGETS).exclusive(...ROUTE_TARGETS);
    }),
    relations: (inputs, world) => {
        const vpcId = world.get(Kind.RouteTable, String(inputs.routeTableId))?.outputs.vpcId;
        const gateway = text(inputs.gatewayId) && world.get(Kind.InternetGateway, String(inputs.gatewayId));
        const nat = text(inputs.natGatewayId) && world.get(Kind.NatGateway, String(inputs.natGatewayId));
        const target = gateway ? gateway.inputs.vpcId : nat ? vpcOfSubnet(world, nat.inputs.subnetId) : vpcId;
        // EC2 API Reference, CreateRoute.
        if (target !== vpcId) {
            refuse(
                "InvalidParameterValue",
                `route table ${String(inputs.routeTableId)} and its target belong to different networks`,
            );
        }
    },
    outputs: () => ({ state: "active", origin: "CreateRoute" }),
};

const eip: SimulatedType = {
    token: Kind.Eip,
    seconds: seconds.few,
    id: (_, world) => `eipalloc-0${world.hex(16)}`,
    outputs: (inputs, id, world, old) => {
        const publicIp = old?.outputs.publicIp ?? `198.51.100.${(world.next() % 250) + 1}`;
        return {
            allocationId: id,
            domain: inputs.domain ?? "vpc",
            publicIp,
            publicDns: `ec2-${String(publicIp).replaceAll(".", "-")}.${world.region}.compute.amazonaws.com`,
            arn: arn(world, "ec2", `elastic-ip/${id}`),
        };
    },
};

const natGateway: SimulatedType = {
    token: Kind.NatGateway,
    seconds: seconds.natGateway,
    id: (_, world) => `nat-0${world.hex(16)}`,
    references: [
        subnetReference,
        {
            path: "allocationId",
            to: Kind.Eip,
            missing: "InvalidAllocationID.NotFound",
            holds: "InvalidIPAddress.InUse",
        },
    ],
    unique: [["allocationId"]],
    duplicate: "Resource.AlreadyAssociated",
    immutable: ["subnetId", "allocationId", "connectivityType", "privateIp", "vpcId"],
    check: check((found, inputs) => {
        found.oneOf("connectivityType", ["public", "private"]);
        const isPublic = inputs.connectivityType === undefined || inputs.connectivityType === "public";
        const zonal = inputs.availabilityMode === undefined || inputs.availabilityMode === "zonal";
        found.when(zonal && !found.has("subnetId"), "subnetId", "required for a zonal NAT gateway");
        found.when(
            isPublic && zonal && !found.has("allocationId"),
            "allocationId",
            "required for a public NAT gateway",
        );
    }),
    relations: (inputs, world) => {
        // VPC User Guide, NAT gateways: a public one fails with Gateway.NotAttached without an internet gateway.
        const vpcId = vpcOfSubnet(world, inputs.subnetId);
        const attached = world.find(Kind.InternetGateway, (gateway) => gateway.inputs.vpcId === vpcId);
        if (inputs.connectivityType !== "private" && vpcId !== undefined && !attached) {
            refuse("Gateway.NotAttached", `Network ${vpcId} has no Internet gateway attached`);
        }
    },
    outputs: (inputs, _, world, old) => ({
        connectivityType: inputs.connectivityType ?? "public",
        publicIp: world.get(Kind.Eip, String(inputs.allocationId))?.outputs.publicIp,
        privateIp: old?.outputs.privateIp ?? addressIn(world, inputs.subnetId),
        networkInterfaceId: old?.outputs.networkInterfaceId ?? `eni-0${world.hex(16)}`,
        associationId: old?.outputs.associationId ?? `eipassoc-0${world.hex(16)}`,
    }),
};

export const networkTypes = [
    vpc,
    subnet,
    internetGateway,
    routeTable,
    routeTableAssociation,
    route,
    eip,
    natGateway,
    ...endpointTypes,
];
