import { Kind } from "../aws/kinds";
import { Reference } from "../shell/marshal";
import type { Registered, Registrar } from "../shell/monitor";
import type { ConstructRequest, ConstructResult } from "../shell/package";
import type { Properties } from "../shell/type";
import { list, record, text, texts } from "../shell/values";
import { layout, type Subnet } from "./layout";

/** What the component makes for one subnet. */
interface Made {
    subnet: Subnet;
    resource: Registered;
    table: Registered;
    association: Registered;
    route?: Registered;
    eip?: Registered;
    nat?: Registered;
}

const VPC_INPUTS = [
    "assignGeneratedIpv6CidrBlock",
    "enableDnsHostnames",
    "enableDnsSupport",
    "enableNetworkAddressUsageMetrics",
    "instanceTenancy",
    "ipv4IpamPoolId",
    "ipv4NetmaskLength",
    "ipv6CidrBlock",
    "ipv6CidrBlockNetworkBorderGroup",
    "ipv6IpamPoolId",
    "ipv6NetmaskLength",
    "region",
];

/** `awsx.ec2.Vpc`: the children that the real component makes, with the same names, parents and numbering. */
export async function constructVpc(request: ConstructRequest, monitor: Registrar): Promise<ConstructResult> {
    const { name, inputs } = request;
    if (inputs.availabilityZoneNames !== undefined && inputs.numberOfAvailabilityZones !== undefined) {
        throw new Error("Only one of [availabilityZoneNames] and [numberOfAvailabilityZones] can be specified");
    }
    const root = await monitor.root();
    const zones = Array.isArray(inputs.availabilityZoneNames)
        ? texts(inputs.availabilityZoneNames)
        : await firstZones(monitor, Number(inputs.numberOfAvailabilityZones ?? 3));
    const strategy = text(record(inputs.natGateways).strategy) ?? "OnePerAz";
    const allocations = texts(record(inputs.natGateways).elasticIpAllocationIds);
    refuseWrongAllocations(strategy, allocations, zones.length);
    const cidrBlock = text(inputs.cidrBlock) ?? "10.0.0.0/16";
    const subnets = layout(name, cidrBlock, zones, inputs);
    refuseUnservedPrivateSubnets(strategy, subnets);
    const shared = { Name: name, ...record(inputs.tags) };

    const given = Object.fromEntries(
        VPC_INPUTS.filter((key) => inputs[key] !== undefined).map((key) => [key, inputs[key]]),
    );
    const vpc = await monitor.custom(Kind.Vpc, name, { ...given, cidrBlock, tags: shared });
    const gateway = monitor.custom(
        Kind.InternetGateway,
        name,
        { vpcId: vpc.id, tags: shared },
        { parent: vpc, dependsOn: [vpc] },
    );
    const auto = inputs.vpcEndpointStrategy === "Auto";
    const early = auto ? [] : endpoints(monitor, vpc, inputs, []);

    const bySubnet = new Map<Subnet, Promise<Made>>();
    const nats = new Map<number, Promise<Registered>>();
    const made = subnets
        .filter(({ type }) => type !== "Unused")
        .sort((a, b) => a.number - b.number || rank(a) - rank(b))
        .map((subnet) => {
            const promise = makeSubnet(subnet);
            bySubnet.set(subnet, promise);
            return promise;
        });

    async function makeSubnet(subnet: Subnet): Promise<Made> {
        const displayed = inputs.subnetNameTagStrategy === "AvailabilityZone" ? zonedName(subnet) : subnet.logicalName;
        const tags = { ...shared, Name: displayed, SubnetType: subnet.type };
        const wantsNat =
            subnet.type === "Public" && (strategy === "OnePerAz" || (strategy === "Single" && subnet.number === 1));
        let announce: (nat: Registered) => void = () => undefined;
        let abandon: (error: unknown) => void = () => undefined;
        if (wantsNat) {
            const nat = new Promise<Registered>((resolve, reject) => ((announce = resolve), (abandon = reject)));
            nat.catch(() => undefined);
            nats.set(subnet.number, nat);
        }
        try {
            const resource = await monitor.custom(
                Kind.Subnet,
                subnet.logicalName,
                {
                    vpcId: vpc.id,
                    availabilityZone: subnet.zone,
                    mapPublicIpOnLaunch: subnet.type === "Public",
                    assignIpv6AddressOnCreation: subnet.assignIpv6,
                    cidrBlock: subnet.cidr,
                    tags: { ...tags, ...subnet.tags, Name: displayed, SubnetType: subnet.type },
                },
                { parent: vpc, dependsOn: [vpc] },
            );
            const nat = wantsNat ? makeNat(subnet, resource) : undefined;
            nat?.then(({ nat: one }) => announce(one), abandon);
            const table = await monitor.custom(
                Kind.RouteTable,
                subnet.logicalName,
                { vpcId: vpc.id, tags },
                { parent: resource, dependsOn: [vpc, resource] },
            );
            const [association, route] = await Promise.all([
                monitor.custom(
                    Kind.RouteTableAssociation,
                    subnet.logicalName,
                    { routeTableId: table.id, subnetId: resource.id },
                    { parent: table, dependsOn: [table, resource] },
                ),
                makeRoute(subnet, table),
            ]);
            return { subnet, resource, table, association, route, ...(await nat) };
        } catch (error) {
            abandon(error);
            throw error;
        }
    }

    async function makeNat(subnet: Subnet, parent: Registered): Promise<{ eip?: Registered; nat: Registered }> {
        const tags = { ...record(inputs.tags), Name: `${name}-${subnet.number}` };
        const eip =
            allocations.length > 0
                ? undefined
                : await monitor.custom(Kind.Eip, `${name}-${subnet.number}`, { tags }, { parent, dependsOn: [parent] });
        // The real component lets the gateway's own retries cover an internet gateway that comes later.
        const igw = await gateway;
        const nat = await monitor.custom(
            Kind.NatGateway,
            `${name}-${subnet.number}`,
            {
                subnetId: parent.id,
                allocationId: eip ? eip.outputs.allocationId : allocations[subnet.number - 1],
                tags,
            },
            { parent, dependsOn: [parent, igw, ...(eip ? [eip] : [])] },
        );
        return { eip, nat };
    }

    async function makeRoute(subnet: Subnet, table: Registered): Promise<Registered | undefined> {
        const options = (target: Registered) => ({ parent: table, dependsOn: [table, target] });
        const destination = { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0" };
        if (subnet.type === "Public") {
            const igw = await gateway;
            return monitor.custom(Kind.Route, subnet.logicalName, { ...destination, gatewayId: igw.id }, options(igw));
        }
        if (subnet.type !== "Private" || strategy === "None") return undefined;
        const nat = await nats.get(strategy === "Single" ? 1 : subnet.number)!;
        return monitor.custom(Kind.Route, subnet.logicalName, { ...destination, natGatewayId: nat.id }, options(nat));
    }

    const all = await Promise.all(made);
    const igw = await gateway;
    const endpointResources = await Promise.all(auto ? endpoints(monitor, vpc, inputs, all) : early);
    const ids = (type: Subnet["type"]) =>
        all.filter(({ subnet }) => subnet.type === type).map(({ resource }) => resource.id);
    const reference = (resource: Registered) => new Reference(resource.urn, resource.id);
    const present = (resources: (Registered | undefined)[]) =>
        resources.filter((one): one is Registered => one !== undefined).map(reference);
    const outputs: Properties = {
        vpc: reference(vpc),
        vpcId: vpc.id,
        internetGateway: reference(igw),
        subnets: all.map(({ resource }) => reference(resource)),
        routeTables: all.map(({ table }) => reference(table)),
        routeTableAssociations: all.map(({ association }) => reference(association)),
        routes: present(all.map(({ route }) => route)),
        natGateways: present(all.map(({ nat }) => nat)),
        eips: present(all.map(({ eip }) => eip)),
        vpcEndpoints: endpointResources.map(reference),
        publicSubnetIds: ids("Public"),
        privateSubnetIds: ids("Private"),
        isolatedSubnetIds: ids("Isolated"),
        subnetLayout: resolvedLayout(subnets),
    };
    const subnetUrns = (type: Subnet["type"]) =>
        all.filter(({ subnet }) => subnet.type === type).map(({ resource }) => resource.urn);
    const urns = (references: unknown) =>
        [references]
            .flat()
            .filter((one): one is Reference => one instanceof Reference)
            .map(({ urn }) => urn);
    await monitor.outputs(root, outputs);
    return {
        urn: root.urn,
        outputs,
        dependencies: {
            ...Object.fromEntries(Object.entries(outputs).map(([key, value]) => [key, urns(value)])),
            vpcId: [vpc.urn],
            publicSubnetIds: subnetUrns("Public"),
            privateSubnetIds: subnetUrns("Private"),
            isolatedSubnetIds: subnetUrns("Isolated"),
            subnetLayout: [],
        },
    };
}

function endpoints(monitor: Registrar, vpc: Registered, inputs: Properties, made: Made[]): Promise<Registered>[] {
    const privates = made.filter(({ subnet }) => subnet.type === "Private");
    const inner = privates.length > 0 ? privates : made.filter(({ subnet }) => subnet.type === "Isolated");
    return list(inputs.vpcEndpointSpecs).map((entry) => {
        const spec = record(entry);
        const isInterface = spec.vpcEndpointType === "Interface" || spec.vpcEndpointType === "GatewayLoadBalancer";
        const filled: Properties = {};
        if (isInterface && spec.subnetIds === undefined && inner.length > 0)
            filled.subnetIds = inner.map(({ resource }) => resource.id);
        if (!isInterface && spec.routeTableIds === undefined && made.length > 0)
            filled.routeTableIds = made.map(({ table }) => table.id);
        const uses = filled.subnetIds
            ? inner.map(({ resource }) => resource)
            : filled.routeTableIds
              ? made.map(({ table }) => table)
              : [];
        const tags = {
            Name: String(record(inputs.tags).Name ?? vpcName(vpc)),
            ...record(inputs.tags),
            ...record(spec.tags),
        };
        return monitor.custom(
            Kind.VpcEndpoint,
            String(spec.serviceName),
            { ...spec, ...filled, tags, vpcId: vpc.id },
            { parent: vpc, dependsOn: [vpc, ...uses] },
        );
    });
}

function vpcName(vpc: Registered): string {
    return vpc.urn.slice(vpc.urn.lastIndexOf("::") + 2);
}

function rank(subnet: Subnet): number {
    return subnet.type === "Public" ? 0 : subnet.type === "Private" ? 1 : 2;
}

/** `network-public-1a` instead of `network-public-1`: only the tag, never the logical name. */
function zonedName({ logicalName, zone }: Subnet): string {
    return `${logicalName.replace(/\d+$/, "")}${zone.split("-").pop()}`;
}

async function firstZones(monitor: Registrar, count: number): Promise<string[]> {
    const { names } = await monitor.invoke("aws:index/getAvailabilityZones:getAvailabilityZones", {});
    if (texts(names).length < count) {
        throw new Error(
            `The configured region for this provider does not have at least ${count} Availability Zones. Either specify an explicit list of zones in availabilityZoneNames or choose a region with at least ${count} AZs.`,
        );
    }
    return texts(names).slice(0, count);
}

function refuseWrongAllocations(strategy: string, allocations: string[], zones: number): void {
    const wanted = strategy === "None" ? 0 : strategy === "Single" ? 1 : zones;
    if (allocations.length > 0 && allocations.length !== wanted) {
        throw new Error(
            `The number of Elastic IPs must be ${wanted} with strategy ${strategy}, got ${allocations.length}`,
        );
    }
}

function refuseUnservedPrivateSubnets(strategy: string, subnets: Subnet[]): void {
    if (strategy !== "None" && !subnets.some(({ type }) => type === "Public")) {
        throw new Error(
            "If NAT Gateway strategy is 'OnePerAz' or 'Single', both private and public subnets must be declared.",
        );
    }
}

function resolvedLayout(subnets: Subnet[]): Properties[] {
    const types = [...new Set(subnets.map(({ type }) => type))];
    return types.map((type) => ({
        type,
        cidrBlocks: subnets.filter((one) => one.type === type).map(({ cidr }) => cidr),
    }));
}
