import type { Properties, SimulatedInvoke } from "../../shell/type";
import { list, record, text } from "../../shell/values";
import type { WorldObject } from "../../shell/world";
import { arn } from "../arn";
import { defaultVpc, isDefaultVpc } from "../defaultVpc";
import { Kind } from "../kinds";
import { answer, choose, only } from "./filters";
import { get, named } from "./lookUp";

const SUBNET_FILTERS = {
    "vpc-id": (object: WorldObject) => object.outputs.vpcId,
    "availability-zone": (object: WorldObject) => object.outputs.availabilityZone,
    "availability-zone-id": (object: WorldObject) => object.outputs.availabilityZoneId,
    "subnet-id": (object: WorldObject) => object.id,
    "cidr-block": (object: WorldObject) => object.outputs.cidrBlock,
    "default-for-az": (object: WorldObject) => object.implicit === true,
    "map-public-ip-on-launch": (object: WorldObject) => object.outputs.mapPublicIpOnLaunch,
    state: () => "available",
};
const GROUP_FILTERS = {
    "vpc-id": (object: WorldObject) => object.outputs.vpcId,
    "group-name": (object: WorldObject) => object.outputs.name,
    "group-id": (object: WorldObject) => object.id,
    description: (object: WorldObject) => object.outputs.description,
};
const VPC_FILTERS = {
    "vpc-id": (object: WorldObject) => object.id,
    cidr: (object: WorldObject) => object.outputs.cidrBlock,
    "is-default": (object: WorldObject) => isDefaultVpc(object),
    isDefault: (object: WorldObject) => isDefaultVpc(object),
    state: () => "available",
};

/** Whether filters choose the VPC that the account has from the start. */
function asksForDefault(args: Properties): boolean {
    return list(args.filters)
        .map(record)
        .some(({ name, values }) => /^(is-default|isDefault)$/.test(String(name)) && list(values).includes("true"));
}

export const networkLookups: SimulatedInvoke[] = [
    get("aws:ec2/getVpc", (args, world) => {
        if (args.default === true || asksForDefault(args)) defaultVpc(world);
        const found = choose(world, Kind.Vpc, args, VPC_FILTERS).filter(
            (one) =>
                (args.default === undefined || isDefaultVpc(one) === args.default) &&
                (args.id === undefined || one.id === args.id) &&
                (args.cidrBlock === undefined || one.outputs.cidrBlock === args.cidrBlock),
        );
        const vpc = only(found, "EC2 VPC");
        return answer(vpc, {
            state: "available",
            default: isDefaultVpc(vpc),
            cidrBlockAssociations: [
                {
                    cidrBlock: vpc.outputs.cidrBlock,
                    state: "associated",
                    associationId: `vpc-cidr-assoc-${vpc.id.slice(4)}`,
                },
            ],
        });
    }),
    get("aws:ec2/getVpcs", (args, world) => {
        if (asksForDefault(args)) defaultVpc(world);
        return {
            id: world.region,
            region: world.region,
            ids: choose(world, Kind.Vpc, args, VPC_FILTERS).map(({ id }) => id),
        };
    }),
    get("aws:ec2/getSubnet", (args, world) => {
        const keys = ["vpcId", "availabilityZone", "availabilityZoneId", "cidrBlock"];
        const found = choose(world, Kind.Subnet, args, SUBNET_FILTERS).filter(
            (one) =>
                (args.id === undefined || one.id === args.id) &&
                keys.every((key) => args[key] === undefined || one.outputs[key] === args[key]),
        );
        return answer(only(found, "EC2 Subnet"), {
            state: "available",
            availableIpAddressCount: 4000,
            defaultForAz: found[0].implicit === true,
        });
    }),
    get("aws:ec2/getSubnets", (args, world) => ({
        id: world.region,
        region: world.region,
        ids: choose(world, Kind.Subnet, args, SUBNET_FILTERS).map(({ id }) => id),
        tags: args.tags ?? {},
    })),
    get("aws:ec2/getSecurityGroup", (args, world) => {
        const found = choose(world, Kind.SecurityGroup, args, GROUP_FILTERS).filter(
            (one) =>
                (args.id === undefined || one.id === args.id) &&
                (args.name === undefined || one.outputs.name === args.name) &&
                (args.vpcId === undefined || one.outputs.vpcId === args.vpcId),
        );
        return answer(only(found, "EC2 Security Group"));
    }),
    get("aws:ec2/getSecurityGroups", (args, world) => {
        const found = choose(world, Kind.SecurityGroup, args, GROUP_FILTERS);
        return {
            id: world.region,
            region: world.region,
            ids: found.map(({ id }) => id),
            arns: found.map(({ outputs }) => outputs.arn),
            vpcIds: found.map(({ outputs }) => outputs.vpcId),
            tags: args.tags ?? {},
        };
    }),
    get("aws:ec2/getRouteTable", (args, world) => {
        const association =
            text(args.subnetId) === undefined
                ? undefined
                : world.find(Kind.RouteTableAssociation, ({ inputs }) => inputs.subnetId === args.subnetId);
        const id = association ? association.inputs.routeTableId : args.routeTableId;
        const found = choose(world, Kind.RouteTable, args, { "vpc-id": ({ outputs }) => outputs.vpcId }).filter(
            (one) =>
                (id === undefined ? args.subnetId === undefined : one.id === id) &&
                (args.vpcId === undefined || one.outputs.vpcId === args.vpcId),
        );
        const table = only(found, "EC2 Route Table");
        const routes = world.all(Kind.Route).filter(({ inputs }) => inputs.routeTableId === table.id);
        return answer(table, {
            routeTableId: table.id,
            routes: [
                ...list(table.outputs.routes),
                ...routes.map(({ inputs }) => ({ ...inputs, cidrBlock: inputs.destinationCidrBlock })),
            ],
            associations: world
                .all(Kind.RouteTableAssociation)
                .filter(({ inputs }) => inputs.routeTableId === table.id)
                .map(({ id: one, inputs }) => ({
                    routeTableAssociationId: one,
                    subnetId: inputs.subnetId,
                    main: false,
                })),
        });
    }),
    get("aws:ec2/getInternetGateway", (args, world) =>
        answer(
            only(
                choose(world, Kind.InternetGateway, args, { "attachment.vpc-id": ({ inputs }) => inputs.vpcId }),
                "EC2 Internet Gateway",
            ),
        ),
    ),
    get("aws:ec2/getVpcEndpoint", (args, world) =>
        answer(
            only(
                world
                    .all(Kind.VpcEndpoint)
                    .filter(
                        ({ id, inputs }) =>
                            (args.id === undefined || id === args.id) &&
                            (args.serviceName === undefined || inputs.serviceName === args.serviceName) &&
                            (args.vpcId === undefined || inputs.vpcId === args.vpcId),
                    ),
                "EC2 VPC Endpoint",
            ),
        ),
    ),
    get("aws:ec2/getLaunchTemplate", (args, world) =>
        answer(named(world, Kind.LaunchTemplate, args.id ?? args.name, ["name"], "InvalidLaunchTemplateId.NotFound")),
    ),
    get("aws:ec2/getPrefixList", (args, world) => ({
        id: "pl-63a5400a",
        name: args.name,
        prefixListId: "pl-63a5400a",
        cidrBlocks: ["198.51.100.0/24"],
        region: world.region,
    })),
    get("aws:ec2/getManagedPrefixList", (args, world) => ({
        id: args.id ?? "pl-63a5400a",
        name: args.name,
        arn: arn(world, "ec2", "prefix-list/pl-63a5400a", { account: "aws" }),
        entries: [{ cidr: "198.51.100.0/24", description: "" }],
        addressFamily: "IPv4",
        maxEntries: 10,
        ownerId: "AWS",
        version: 1,
        tags: {},
        region: world.region,
    })),
];
