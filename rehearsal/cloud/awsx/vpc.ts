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
    const auto = inputs.vpcEndpointStrategy === "Auto";
    const cidrBlock = text(inputs.cidrBlock) ?? "10.0.0.0/16";
    const subnets = layout(name, cidrBlock, zones, inputs);
    refuseUnservedPrivateSubnets(strategy, subnets);
    const shared = { Name: name, ...record(inputs.tags) };

    const given = Object.fromEntries(
        VPC_INPUTS.filter((key) => inputs[key] !== undefined).map((key) => [key, inputs[key]]),
    );
    const dns = auto ? namesForEndpoints(inputs) : {};
    const vpc = await monitor.custom(Kind.Vpc, name, { ...dns, ...given, cidrBlock, tags: shared });
    const gateway = monitor.custom(
        Kind.InternetGateway,
        name,
        { vpcId: vpc.id, tags: shared },
        { parent: vpc, dependsOn: [vpc] },
    );
    const early = auto ? [] : endpoints(monitor, vpc, inputs, shared, []);

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
    const endpointResources = await Promise.all(auto ? endpoints(monitor, vpc, inputs, shared, all) : early);
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
        subnetLayout: resolvedLayout(subnets, inputs),
    };
    // The component makes its outputs from one object that holds the ids of VPC and subnets, so each depends on all of these. It
    // registers none of them: the state shows the component without outputs (awsx/ec2/vpc.ts, seen with the real plugin).
    const always = [vpc.urn, ...all.map(({ resource }) => resource.urn)];
    const urns = (references: unknown) =>
        [references]
            .flat()
            .filter((one): one is Reference => one instanceof Reference)
            .map(({ urn }) => urn);
    return {
        urn: root.urn,
        outputs,
        dependencies: Object.fromEntries(
            Object.entries(outputs).map(([key, value]) => [key, [...new Set([...always, ...urns(value)])]]),
        ),
    };
}

/** With "Auto", and an interface endpoint that gives its service's name an address in the VPC, the VPC serves names. */
function namesForEndpoints(inputs: Properties): Properties {
    const named = list(inputs.vpcEndpointSpecs)
        .map(record)
        .some((spec) => isInterface(spec) && spec.privateDnsEnabled !== false);
    if (!named) return {};
    for (const key of ["enableDnsHostnames", "enableDnsSupport"]) {
        if (inputs[key] === false) {
            throw new Error(
                `vpcEndpointStrategy "Auto" requires ${key} to be true when Interface endpoint private DNS is enabled.`,
            );
        }
    }
    return { enableDnsHostnames: true, enableDnsSupport: true };
}

function isInterface(spec: Properties): boolean {
    return text(spec.vpcEndpointType)?.toLowerCase() === "interface";
}

/** The endpoints; where `made` holds the subnets (strategy "Auto"), with what the specs leave out: awsx/ec2/vpc.ts. */
function endpoints(
    monitor: Registrar,
    vpc: Registered,
    inputs: Properties,
    shared: Properties,
    made: Made[],
): Promise<Registered>[] {
    return list(inputs.vpcEndpointSpecs).map(async (entry) => {
        const spec = record(entry);
        const service = String(spec.serviceName);
        const tags = { ...shared, ...record(spec.tags) };
        const filled: Properties = {};
        const uses: Registered[] = [];
        if (made.length > 0 && isInterface(spec)) {
            filled.privateDnsEnabled = true;
            if (spec.subnetIds === undefined && spec.subnetConfigurations === undefined) {
                const chosen = oneSubnetPerZone(made);
                filled.subnetIds = chosen.map(({ id }) => id);
                uses.push(...chosen);
            }
            if (spec.securityGroupIds === undefined) {
                const group = await endpointGroup(monitor, vpc, service, tags);
                filled.securityGroupIds = [group.id];
                uses.push(group);
            }
        } else if (made.length > 0 && (text(spec.vpcEndpointType) ?? "Gateway").toLowerCase() === "gateway") {
            filled.routeTableIds = made.map(({ table }) => table.id);
            if (spec.routeTableIds === undefined) uses.push(...made.map(({ table }) => table));
        }
        return monitor.custom(
            Kind.VpcEndpoint,
            service,
            { ...filled, ...spec, tags, vpcId: vpc.id },
            { parent: vpc, dependsOn: [vpc, ...uses] },
        );
    });
}

/** Admits HTTPS from the whole VPC. */
async function endpointGroup(
    monitor: Registrar,
    vpc: Registered,
    service: string,
    tags: Properties,
): Promise<Registered> {
    const group = await monitor.custom(
        Kind.SecurityGroup,
        `${service}-sg`,
        { vpcId: vpc.id, tags },
        { parent: vpc, dependsOn: [vpc] },
    );
    await monitor.custom(
        Kind.SecurityGroupRule,
        `${service}-ingress`,
        {
            type: "ingress",
            securityGroupId: group.id,
            protocol: "tcp",
            fromPort: 443,
            toPort: 443,
            cidrBlocks: [vpc.outputs.cidrBlock],
        },
        { parent: vpc, dependsOn: [vpc, group] },
    );
    return group;
}

function oneSubnetPerZone(made: Made[]): Registered[] {
    const order = ["Private", "Isolated", "Public"];
    const zones = [...new Set(made.map(({ subnet }) => subnet.zone))];
    return zones.map((zone) => {
        const here = made.filter(({ subnet }) => subnet.zone === zone);
        return here.sort((a, b) => order.indexOf(a.subnet.type) - order.indexOf(b.subnet.type))[0].resource;
    });
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
    const served = subnets.some(({ type }) => type === "Private" || type === "Isolated");
    if (strategy !== "None" && !(served && subnets.some(({ type }) => type === "Public"))) {
        throw new Error(
            "If NAT Gateway strategy is 'OnePerAz' or 'Single', public subnets must be declared to host the NAT Gateway resource, along with private or isolated subnets to route through it.",
        );
    }
}

/** The specs as given, with mask and size; of the old strategy, the masks of a zone's subnets. */
function resolvedLayout(subnets: Subnet[], inputs: Properties): Properties[] {
    const given = list(inputs.subnetSpecs).map(record);
    if (given.length > 0 && inputs.subnetStrategy !== undefined && inputs.subnetStrategy !== "Legacy") {
        return given.map(({ type, name, cidrBlocks, cidrMask, size }) => {
            const mask = typeof cidrMask === "number" ? cidrMask : typeof size === "number" ? 32 - Math.log2(size) : 0;
            return { type, name, cidrBlocks, ...(mask > 0 ? { cidrMask: mask, size: 2 ** (32 - mask) } : {}) };
        });
    }
    const first = subnets.filter(({ number }) => number === 1);
    return first.map(({ type, cidr }) => ({ type, cidrMask: Number(cidr.split("/")[1]) }));
}
