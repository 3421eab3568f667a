import * as aws from "@pulumi/aws";
import * as awsx from "@pulumi/awsx";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { refuseProblems } from "../shared/check";
import { refuseUpdate } from "../shared/guard";
import { policyJson } from "../shared/iamPolicy";
import { fittingProblems } from "../shared/fitting";
import type { ShapesOf } from "../shared/shape";
import { choices, keysOf, listOf, mapOf } from "../shared/shape";
import { regionOfZone, zoneProblems } from "../shared/zones";
import { availableZones } from "./availableZones";
import type { NetworkInfo } from "./networkInfo";
import type { NetworkLayout } from "./networkLayout";
import { layoutChangeRefusal, networkLayout, networkLayoutProblems } from "./networkLayout";
import { retentionPeriods } from "./retentionPeriods";

/** How private subnets reach the internet. */
export const NatGateways = {
    /** Not at all: nodes reach AWS through endpoints, and images must come from ECR, also each `gateImage`. */
    None: "None",
    /** Through one NAT gateway: cheap, but without its zone no pod reaches the internet, and traffic between zones is charged. */
    Single: "Single",
    /** Through one NAT gateway a zone: a zone can fail alone. */
    OnePerZone: "OnePerZone",
} as const;
export type NatGateways = (typeof NatGateways)[keyof typeof NatGateways];

/** What is logged of the network's traffic. */
export interface FlowLogSettings {
    /** Whether flow logs are kept at all. @default true */
    enabled?: boolean;
    /** Which traffic: `ACCEPT`, `REJECT` or `ALL`. @default REJECT: it shows what a security group stops, at a fraction of the volume */
    trafficType?: string;
    /** How many days CloudWatch keeps them, one of its retention periods. @default 30 */
    retentionDays?: number;
}

/** Arguments of {@link AirflowNetwork}. */
export interface AirflowNetworkArgs {
    /**
     * The availability zones by their full names, at least two (EKS and RDS ask for that). Zones may be appended later, never removed or
     * reordered: their place decides which subnet is theirs.
     */
    zones: string[];
    /** The VPC's addresses, a /16 to /22. It must overlap with no network that is peered with it, and never changes. @default 10.20.0.0/16 */
    cidrBlock?: string;
    /** The block of each zone's private subnet, keyed by zone. @default an eighth of `cidrBlock` each, with room for six zones */
    privateCidrs?: Record<string, string>;
    /** The block of each zone's public subnet, keyed by zone. @default a 64th of `cidrBlock` each */
    publicCidrs?: Record<string, string>;
    /** How private subnets reach the internet. A NAT gateway costs by hour and by GB. @default OnePerZone */
    natGateways?: NatGateways;
    /**
     * AWS services that get an interface endpoint in the private subnets, by the last part of the service's name, for example `ecr.api`.
     * Each costs by hour and zone. The gateway endpoint for S3 is always there and costs nothing. @default none
     */
    interfaceEndpoints?: string[];
    /** Flow logs to CloudWatch. @default rejected traffic, 30 days */
    flowLogs?: FlowLogSettings;
    /** Tags of everything in the network. @default none */
    tags?: Record<string, string>;
}

/** Without a way to the internet nodes cannot join, and pods get neither images nor credentials, unless these have endpoints. */
const neededWithoutNat = ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts", "elasticfilesystem", "logs"];
/** The addresses of a network that names none. */
export const defaultCidrBlock = "10.20.0.0/16";

const shapes: ShapesOf<AirflowNetworkArgs> = {
    zones: listOf("string"),
    cidrBlock: "string",
    privateCidrs: mapOf("string"),
    publicCidrs: mapOf("string"),
    natGateways: choices(NatGateways),
    interfaceEndpoints: listOf("string"),
    flowLogs: keysOf<FlowLogSettings>({ enabled: "boolean", trafficType: "string", retentionDays: "integer" }),
    tags: mapOf("string"),
};

/** What is wrong with the arguments of an {@link AirflowNetwork}. */
export function checkAirflowNetworkArgs(args: AirflowNetworkArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (sound) => [
        ...zoneProblems("zones", sound.zones ?? [], 2),
        ...networkLayoutProblems(layoutSettings(sound)),
        ...judge(sound),
    ]);
}

function judge(args: Partial<AirflowNetworkArgs>): Problem[] {
    const problems: Problem[] = [];
    const endpoints = args.interfaceEndpoints ?? [];
    endpoints.forEach((service, index) => {
        const path = `interfaceEndpoints[${index}]`;
        if (!/^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(service) || service.startsWith("com.amazonaws")) {
            problems.push({
                path,
                message: `"${service}" is no service; give the part after the region, such as ecr.api.`,
            });
        } else if (endpoints.indexOf(service) !== index) {
            problems.push({ path, message: `"${service}" is there twice; list it once.` });
        } else if (service === "s3") {
            problems.push({ path, message: "S3 has its gateway endpoint already, which costs nothing; leave it out." });
        }
    });
    if (args.natGateways === NatGateways.None) {
        const missing = neededWithoutNat.filter((service) => !endpoints.includes(service));
        if (missing.length > 0) {
            problems.push({
                path: "interfaceEndpoints",
                message: `without NAT gateways nodes cannot join and pods cannot start unless there are endpoints for ${missing.join(", ")} too.`,
            });
        }
    }
    const { trafficType, retentionDays } = args.flowLogs ?? {};
    if (trafficType !== undefined && !["ACCEPT", "REJECT", "ALL"].includes(trafficType)) {
        problems.push({ path: "flowLogs.trafficType", message: `"${trafficType}" is none of ACCEPT, REJECT, ALL.` });
    }
    if (retentionDays !== undefined && !retentionPeriods.includes(retentionDays)) {
        problems.push({
            path: "flowLogs.retentionDays",
            message: `CloudWatch does not keep logs for ${retentionDays} days, but for one of ${retentionPeriods.join(", ")}.`,
        });
    }
    return problems;
}

/**
 * A VPC for Airflow: a private and a public subnet in each zone, tagged for load balancers, NAT gateways, an endpoint for S3 (so that
 * logs and images do not pass the NAT gateways), flow logs. Made by `awsx.ec2.Vpc`, with every block of addresses explicit, except for
 * the endpoints: awsx names them after their service alone, so that a program could have one network a region, and in the preview of
 * a further endpoint nothing of the network would be known.
 *
 * Appending a zone changes nothing that is there. Removing or reordering zones, or another block, is refused in the preview.
 */
export class AirflowNetwork extends pulumi.ComponentResource {
    /** What other components know about the network. Available once subnets have their routes. */
    readonly info: pulumi.Output<NetworkInfo>;

    constructor(name: string, args: AirflowNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("AirflowNetwork", name, checkAirflowNetworkArgs(args));
        super("airflow-eks:index:AirflowNetwork", name, {}, opts);
        const layout = networkLayout(layoutSettings(args));

        const guard = new pulumi.Stash(
            `${name}-layout`,
            { input: availableZones(this, `AirflowNetwork "${name}"`, args.zones).apply(() => layout) },
            {
                parent: this,
                hooks: refuseUpdate(this, `${name}-layout`, (olds, news) => {
                    const refusal = layoutChangeRefusal(olds.input as NetworkLayout, news.input as NetworkLayout);
                    return refusal && `AirflowNetwork "${name}": ${refusal}`;
                }),
            },
        );
        const vpc = new awsx.ec2.Vpc(name, vpcArgs(args, layout), { parent: this, dependsOn: [guard] });
        const endpoints = vpcEndpoints(name, args, vpc, layout, this);
        if (args.flowLogs?.enabled ?? true) {
            flowLogs(name, args, vpc.vpcId, this);
        }

        this.info = networkInfo(vpc, layout, endpoints);
        this.registerOutputs({ info: this.info });
    }
}

function layoutSettings(args: Partial<AirflowNetworkArgs>) {
    return { ...args, zones: args.zones ?? [], cidrBlock: args.cidrBlock ?? defaultCidrBlock };
}

function vpcArgs(args: AirflowNetworkArgs, layout: NetworkLayout): awsx.ec2.VpcArgs {
    const strategies = { None: "None", Single: "Single", OnePerZone: "OnePerAz" } as const;
    return {
        cidrBlock: layout.cidrBlock,
        availabilityZoneNames: args.zones,
        // EFS mounts and interface endpoints are found by name.
        enableDnsHostnames: true,
        enableDnsSupport: true,
        natGateways: { strategy: strategies[args.natGateways ?? NatGateways.OnePerZone] },
        subnetStrategy: "Auto",
        subnetNameTagStrategy: "AvailabilityZone",
        subnetSpecs: [
            {
                type: "Public",
                cidrBlocks: layout.zones.map(({ publicCidr }) => publicCidr),
                tags: { "kubernetes.io/role/elb": "1" },
            },
            {
                type: "Private",
                cidrBlocks: layout.zones.map(({ privateCidr }) => privateCidr),
                tags: { "kubernetes.io/role/internal-elb": "1" },
            },
        ],
        tags: args.tags,
    };
}

/** The gateway endpoint of S3, which serves all route tables, and the interface endpoints, which admit HTTPS from the VPC. */
function vpcEndpoints(
    name: string,
    args: AirflowNetworkArgs,
    vpc: awsx.ec2.Vpc,
    layout: NetworkLayout,
    parent: pulumi.Resource,
): aws.ec2.VpcEndpoint[] {
    const endpoint = (service: string, how: Partial<aws.ec2.VpcEndpointArgs>) =>
        new aws.ec2.VpcEndpoint(
            `${name}-${service}`,
            {
                vpcId: vpc.vpcId,
                serviceName: `com.amazonaws.${regionOfZone(args.zones[0])}.${service}`,
                tags: { Name: `${name}-${service}`, ...args.tags },
                ...how,
            },
            { parent },
        );
    const routeTableIds = vpc.routeTables.apply((tables) => pulumi.all(tables.map(({ id }) => id)));
    const s3 = endpoint("s3", { vpcEndpointType: "Gateway", routeTableIds });
    const services = args.interfaceEndpoints ?? [];
    if (services.length === 0) {
        return [s3];
    }
    const group = new aws.ec2.SecurityGroup(
        `${name}-endpoints`,
        {
            description: "Interface endpoints, HTTPS from the VPC",
            vpcId: vpc.vpcId,
            ingress: [{ protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: [layout.cidrBlock] }],
            tags: args.tags,
        },
        { parent },
    );
    const interfaces = {
        vpcEndpointType: "Interface",
        subnetIds: vpc.privateSubnetIds,
        securityGroupIds: [group.id],
        // Pods ask for the service's usual name.
        privateDnsEnabled: true,
    };
    return [s3, ...services.map((service) => endpoint(service, interfaces))];
}

function networkInfo(
    vpc: awsx.ec2.Vpc,
    layout: NetworkLayout,
    endpoints: aws.ec2.VpcEndpoint[],
): pulumi.Output<NetworkInfo> {
    // awsx gives ids in the order of the zones. The routes are taken along so that what uses the network leaves before they do:
    // without a route to AWS no controller could clean up behind itself.
    return pulumi
        .all([vpc.vpcId, vpc.privateSubnetIds, vpc.publicSubnetIds, paths(vpc, endpoints)])
        .apply(([vpcId, privateSubnetIds, publicSubnetIds]): NetworkInfo => ({
            vpcId,
            vpcCidr: layout.cidrBlock,
            privateSubnetIds: byZone(layout, privateSubnetIds),
            publicSubnetIds: byZone(layout, publicSubnetIds),
        }));
}

function paths(vpc: awsx.ec2.Vpc, endpoints: aws.ec2.VpcEndpoint[]): pulumi.Output<unknown> {
    // URNs rather than ids: they are known in preview, so an endpoint that is added does not hide the network there.
    const reached = pulumi.all(endpoints.map(({ urn }) => urn));
    return pulumi
        .all([vpc.routes, vpc.routeTableAssociations, vpc.natGateways, vpc.internetGateway, reached])
        .apply(() => undefined);
}

function byZone(layout: NetworkLayout, ids: string[]): Record<string, string> {
    if (ids.length !== layout.zones.length) {
        throw new Error(`awsx.ec2.Vpc made ${ids.length} subnets of a kind for ${layout.zones.length} zones`);
    }
    return Object.fromEntries(layout.zones.map(({ zone }, index) => [zone, ids[index]]));
}

function flowLogs(
    name: string,
    args: AirflowNetworkArgs,
    vpcId: pulumi.Input<string>,
    parent: pulumi.Resource,
): aws.ec2.FlowLog {
    const group = new aws.cloudwatch.LogGroup(
        `${name}-flow-logs`,
        { retentionInDays: args.flowLogs?.retentionDays ?? 30, tags: args.tags },
        { parent },
    );
    const role = new aws.iam.Role(
        `${name}-flow-logs`,
        {
            description: "VPC flow logs write to their log group",
            assumeRolePolicy: policyJson({
                Action: "sts:AssumeRole",
                Principal: { Service: "vpc-flow-logs.amazonaws.com" },
            }),
            tags: args.tags,
        },
        { parent },
    );
    const policy = new aws.iam.RolePolicy(
        `${name}-flow-logs`,
        {
            role: role.name,
            policy: policyJson({
                Action: ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"],
                Resource: [group.arn, pulumi.interpolate`${group.arn}:*`],
            }),
        },
        { parent },
    );
    return new aws.ec2.FlowLog(
        `${name}-flow-logs`,
        {
            vpcId,
            trafficType: args.flowLogs?.trafficType ?? "REJECT",
            logDestination: group.arn,
            iamRoleArn: role.arn,
            tags: args.tags,
        },
        { parent, dependsOn: [policy] },
    );
}
