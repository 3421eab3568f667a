import type { Properties, SimulatedType } from "../../shell/type";
import { record, text, texts } from "../../shell/values";
import type { World } from "../../shell/world";
import { arn } from "../arn";
import { check, need, needGroupsInVpc, refuse, zoneOfSubnet } from "../checks";
import { formatAddress, parseCidr } from "../cidr";
import { seconds } from "../durations";
import { Kind } from "../kinds";

const vpcReference = { path: "vpcId", to: Kind.Vpc, missing: "InvalidVpcID.NotFound" };
const subnetReference = { path: "subnetId", to: Kind.Subnet, missing: "InvalidSubnetID.NotFound" };

const vpcEndpoint: SimulatedType = {
    token: Kind.VpcEndpoint,
    seconds: (inputs) => (inputs.vpcEndpointType === "Interface" ? seconds.interfaceEndpoint : seconds.gatewayEndpoint),
    id: (_, world) => `vpce-0${world.hex(16)}`,
    references: [
        vpcReference,
        { path: "subnetIds[*]", to: Kind.Subnet, missing: "InvalidSubnetId.NotFound" },
        { path: "securityGroupIds[*]", to: Kind.SecurityGroup, missing: "InvalidGroup.NotFound" },
        { path: "routeTableIds[*]", to: Kind.RouteTable, missing: "InvalidRouteTableId.NotFound", holds: false },
    ],
    immutable: ["vpcId", "serviceName", "vpcEndpointType", "serviceRegion"],
    check: check((found, inputs) => {
        found.oneOf("vpcEndpointType", ["Gateway", "Interface", "GatewayLoadBalancer", "Resource", "ServiceNetwork"]);
        found.json("policy").someOf("serviceName", "resourceConfigurationArn", "serviceNetworkArn");
        const gateway = inputs.vpcEndpointType === undefined || inputs.vpcEndpointType === "Gateway";
        // VPC (PrivateLink) guide: gateway endpoints exist for these two services only, and have no network interfaces.
        const service = text(inputs.serviceName);
        if (gateway && service !== undefined && !/\.(s3|dynamodb)$/.test(service)) {
            found.add("vpcEndpointType", `${service} has no gateway endpoint: say "Interface"`);
        }
        for (const path of ["subnetIds", "securityGroupIds"]) {
            found.when(gateway && found.has(path), path, "not for a Gateway endpoint");
        }
        found.when(gateway && inputs.privateDnsEnabled === true, "privateDnsEnabled", "not for a Gateway endpoint");
        found.when(
            inputs.vpcEndpointType === "Interface" && found.has("routeTableIds"),
            "routeTableIds",
            "not for an Interface endpoint",
        );
    }),
    relations: (inputs, world, self) => {
        const network = need(world, Kind.Vpc, inputs.vpcId, "InvalidVpcId.NotFound");
        const service = text(inputs.serviceName) ?? "";
        if (!/^(com\.amazonaws\.|aws\.|cn\.com\.amazonaws\.)/.test(service) || !service.includes(world.region)) {
            refuse("InvalidServiceName", `The Vpc Endpoint Service '${service}' does not exist in ${world.region}`);
        }
        needGroupsInVpc(world, texts(inputs.securityGroupIds), network.id);
        const zones = texts(inputs.subnetIds).map((id) => zoneOfSubnet(world, id));
        if (new Set(zones).size < zones.length) {
            refuse(
                "DuplicateSubnetsInSameZone",
                "Found another VPC endpoint subnet in the availability zone of one of the subnets",
            );
        }
        for (const other of world.all(Kind.VpcEndpoint)) {
            if (other.id === self?.id || other.inputs.vpcId !== inputs.vpcId || other.inputs.serviceName !== service)
                continue;
            if (inputs.privateDnsEnabled === true && other.inputs.privateDnsEnabled === true) {
                refuse(
                    "InvalidParameter",
                    `private-dns-enabled cannot be set because there is already a conflicting DNS domain for ${service} in the VPC ${network.id}`,
                );
            }
            const shared = texts(inputs.routeTableIds).find((id) => texts(other.inputs.routeTableIds).includes(id));
            if (shared !== undefined) {
                refuse("RouteAlreadyExists", `route table ${shared} already has a route to ${service}`);
            }
        }
        if (
            inputs.privateDnsEnabled === true &&
            !(network.outputs.enableDnsHostnames && network.outputs.enableDnsSupport)
        ) {
            refuse(
                "InvalidParameter",
                `Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for ${network.id}`,
            );
        }
    },
    outputs: (inputs, id, world, old) => ({
        arn: arn(world, "ec2", `vpc-endpoint/${id}`),
        vpcEndpointType: inputs.vpcEndpointType ?? "Gateway",
        state: "available",
        securityGroupIds:
            inputs.vpcEndpointType === "Interface"
                ? (inputs.securityGroupIds ?? [
                      world.get(Kind.Vpc, String(inputs.vpcId))?.outputs.defaultSecurityGroupId,
                  ])
                : [],
        prefixListId:
            inputs.vpcEndpointType === "Interface" ? undefined : (old?.outputs.prefixListId ?? `pl-${world.hex(8)}`),
        networkInterfaceIds: texts(inputs.subnetIds).map((one) => `eni-0${one.slice(-16)}`),
        dnsEntries:
            inputs.vpcEndpointType === "Interface"
                ? [{ dnsName: `${id}.${String(inputs.serviceName)}.vpce.amazonaws.com`, hostedZoneId: "Z7HUB22UULQXV" }]
                : [],
    }),
};

const flowLog: SimulatedType = {
    token: Kind.FlowLog,
    seconds: seconds.few,
    id: (_, world) => `fl-0${world.hex(16)}`,
    references: [
        { ...vpcReference, holds: false },
        { ...subnetReference, holds: false },
        { path: "iamRoleArn", to: Kind.Role, by: "arn", holds: false, missing: "InvalidParameter" },
        {
            path: "logDestination",
            to: [Kind.LogGroup, Kind.Bucket],
            by: "arn",
            holds: false,
            outside: /:(firehose|s3):/,
        },
    ],
    // EC2 API Reference, CreateFlowLogs; a flow log cannot be changed.
    immutable: [
        "vpcId",
        "subnetId",
        "eniId",
        "logDestination",
        "logDestinationType",
        "iamRoleArn",
        "trafficType",
        "logFormat",
        "maxAggregationInterval",
        "destinationOptions",
    ],
    check: check((found, inputs) => {
        const sources = ["vpcId", "subnetId", "eniId", "transitGatewayId", "transitGatewayAttachmentId"];
        found.someOf(...sources).exclusive(...sources);
        found.oneOf("trafficType", ["ACCEPT", "REJECT", "ALL"]).oneOf("maxAggregationInterval", [60, 600]);
        found.oneOf("logDestinationType", ["cloud-watch-logs", "s3", "kinesis-data-firehose"]);
        const toLogs = inputs.logDestinationType === undefined || inputs.logDestinationType === "cloud-watch-logs";
        found.when(toLogs && !found.has("iamRoleArn"), "iamRoleArn", "required for CloudWatch Logs");
        found.someOf("logDestination", "logGroupName");
    }),
    outputs: (_, id, world) => ({ arn: arn(world, "ec2", `vpc-flow-log/${id}`) }),
};

const networkInterface: SimulatedType = {
    token: Kind.NetworkInterface,
    seconds: seconds.few,
    id: (_, world) => `eni-0${world.hex(16)}`,
    references: [
        subnetReference,
        { path: "securityGroups[*]", to: Kind.SecurityGroup, missing: "InvalidGroup.NotFound" },
    ],
    immutable: ["subnetId", "interfaceType"],
    outputs: (inputs, id, world, old) => ({
        arn: arn(world, "ec2", `network-interface/${id}`),
        privateIp: old?.outputs.privateIp ?? addressIn(world, inputs.subnetId),
    }),
    refusesDeletion: (object) =>
        object.implicit ? `InvalidParameterValue: Network interface ${object.id} is currently in use` : undefined,
};

/** An address of a subnet that nothing else has. */
export function addressIn(world: World, subnetId: unknown): string {
    const subnetObject = typeof subnetId === "string" ? world.get(Kind.Subnet, subnetId) : undefined;
    const range = parseCidr(record(subnetObject?.outputs as Properties | undefined).cidrBlock);
    // VPC User Guide, subnet sizing: the first four addresses and the last one are AWS's own.
    return range ? formatAddress(range.first + 4 + (world.next() % Math.max(1, range.size - 5))) : "10.0.0.10";
}

export const endpointTypes = [vpcEndpoint, flowLog, networkInterface];
