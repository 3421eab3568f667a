import assert from "node:assert/strict";
import type { AirflowNetworkArgs } from "../../../components/cluster/airflowNetwork";
import { AirflowNetwork, NatGateways, checkAirflowNetworkArgs } from "../../../components/cluster/airflowNetwork";
import { ExistingNetwork, checkExistingNetworkArgs } from "../../../components/cluster/existingNetwork";
import { layoutChangeRefusal, networkLayout } from "../../../components/cluster/networkLayout";
import { cidrsOverlap, parseCidr } from "../../../components/shared/cidr";
import type { Loose } from "../mocks";
import { simulate } from "../mocks";

const zones = ["eu-west-1a", "eu-west-1b"];

async function made(args: Partial<AirflowNetworkArgs> = {}) {
    return simulate(() => new AirflowNetwork("network", { zones, ...args }).info);
}

const paths = (args: Loose) => checkAirflowNetworkArgs({ zones, ...args }).map(({ path }) => path);

describe("the layout of a network", () => {
    it("has room for six zones, none of which moves another", () => {
        const all = ["a", "b", "c", "d", "e", "f"].map((letter) => `us-east-1${letter}`);
        for (const cidrBlock of ["10.20.0.0/16", "10.0.4.0/22"]) {
            const layout = networkLayout({ cidrBlock, zones: all });
            const blocks = layout.zones
                .flatMap(({ privateCidr, publicCidr }) => [privateCidr, publicCidr])
                .map((text) => parseCidr(text)!);
            blocks.forEach((block, i) => blocks.slice(0, i).forEach((other) => assert.ok(!cidrsOverlap(block, other))));
            assert.deepEqual(networkLayout({ cidrBlock, zones: all.slice(0, 2) }).zones, layout.zones.slice(0, 2));
        }
        assert.deepEqual(networkLayout({ cidrBlock: "10.20.0.0/16", zones: all }).zones[1], {
            zone: "us-east-1b",
            privateCidr: "10.20.32.0/19",
            publicCidr: "10.20.196.0/22",
        });
    });
    it("may gain zones at its end, and change in no other way", () => {
        const of = (list: string[], cidrBlock = "10.20.0.0/16") => networkLayout({ cidrBlock, zones: list });
        assert.equal(layoutChangeRefusal(of(zones), of([...zones, "eu-west-1c"])), undefined);
        assert.equal(layoutChangeRefusal(of(zones), of(zones)), undefined);
        assert.match(
            layoutChangeRefusal(of(zones), of(zones.slice(0, 1)))!,
            /zones were eu-west-1a, eu-west-1b and would be eu-west-1a: .*only be appended/,
        );
        assert.match(layoutChangeRefusal(of(zones), of([...zones].reverse()))!, /only be appended/);
        assert.match(layoutChangeRefusal(of(zones), of(zones, "10.30.0.0/16"))!, /10\.30\.0\.0\/16 would replace it/);
        const moved = networkLayout({
            cidrBlock: "10.20.0.0/16",
            zones,
            privateCidrs: { [zones[0]]: "10.20.64.0/19" },
        });
        assert.match(layoutChangeRefusal(of(zones), moved)!, /subnets of eu-west-1a are 10\.20\.0\.0\/19/);
    });
});

describe("AirflowNetwork", () => {
    it("gives one private and one public subnet a zone, keyed by zone", async () => {
        const s = await made();
        assert.deepEqual(s.result, {
            vpcId: "vpc-network",
            vpcCidr: "10.20.0.0/16",
            privateSubnetIds: { "eu-west-1a": "subnet-private-eu-west-1a", "eu-west-1b": "subnet-private-eu-west-1b" },
            publicSubnetIds: { "eu-west-1a": "subnet-public-eu-west-1a", "eu-west-1b": "subnet-public-eu-west-1b" },
        });
        const vpc = s.one("awsx:ec2:Vpc");
        assert.deepEqual(vpc.inputs.availabilityZoneNames, zones);
        assert.deepEqual(vpc.inputs.natGateways, { strategy: "OnePerAz" });
        assert.deepEqual(vpc.inputs.subnetSpecs, [
            {
                type: "Public",
                cidrBlocks: ["10.20.192.0/22", "10.20.196.0/22"],
                tags: { "kubernetes.io/role/elb": "1" },
            },
            {
                type: "Private",
                cidrBlocks: ["10.20.0.0/19", "10.20.32.0/19"],
                tags: { "kubernetes.io/role/internal-elb": "1" },
            },
        ]);
        assert.equal(vpc.inputs.enableDnsHostnames && vpc.inputs.enableDnsSupport, true);
        assert.equal(vpc.inputs.vpcEndpointSpecs, undefined, "awsx would name them after their service alone");
        const { inputs, name } = s.one("aws:ec2/vpcEndpoint:VpcEndpoint");
        assert.deepEqual(
            [name, inputs.vpcId, inputs.serviceName, inputs.vpcEndpointType, inputs.routeTableIds],
            ["network-s3", "vpc-network", "com.amazonaws.eu-west-1.s3", "Gateway", ["rtb-network-1", "rtb-network-2"]],
        );
        assert.deepEqual(vpc.dependencies, ["network-layout"], "the guard judges first");
    });
    it("logs what is rejected", async () => {
        const s = await made();
        const log = s.one("aws:ec2/flowLog:FlowLog").inputs;
        assert.equal(log.trafficType, "REJECT");
        assert.equal(log.vpcId, "vpc-network");
        assert.equal(s.one("aws:cloudwatch/logGroup:LogGroup").inputs.retentionInDays, 30);
        assert.match(s.one("aws:iam/role:Role").inputs.assumeRolePolicy, /vpc-flow-logs\.amazonaws\.com/);
    });
    it("takes every other setting", async () => {
        const s = await made({
            cidrBlock: "10.1.0.0/16",
            privateCidrs: { "eu-west-1a": "10.1.0.0/20", "eu-west-1b": "10.1.16.0/20" },
            publicCidrs: { "eu-west-1a": "10.1.32.0/24", "eu-west-1b": "10.1.33.0/24" },
            natGateways: NatGateways.Single,
            interfaceEndpoints: ["ecr.api"],
            flowLogs: { trafficType: "ALL", retentionDays: 7 },
            tags: { team: "data" },
        });
        const { inputs } = s.one("awsx:ec2:Vpc");
        assert.deepEqual(
            inputs.subnetSpecs.map(({ cidrBlocks }: Loose) => cidrBlocks),
            [
                ["10.1.32.0/24", "10.1.33.0/24"],
                ["10.1.0.0/20", "10.1.16.0/20"],
            ],
        );
        assert.deepEqual(inputs.natGateways, { strategy: "Single" });
        const group = s.one("aws:ec2/securityGroup:SecurityGroup");
        assert.deepEqual(group.inputs.ingress, [
            { protocol: "tcp", fromPort: 443, toPort: 443, cidrBlocks: ["10.1.0.0/16"] },
        ]);
        const { Name, ...tags } = s.one("aws:ec2/vpcEndpoint:VpcEndpoint", "network-ecr.api").inputs.tags;
        assert.deepEqual([Name, tags], ["network-ecr.api", { team: "data" }]);
        const { tags: _, ...endpoint } = s.one("aws:ec2/vpcEndpoint:VpcEndpoint", "network-ecr.api").inputs;
        assert.deepEqual(endpoint, {
            vpcId: "vpc-network",
            serviceName: "com.amazonaws.eu-west-1.ecr.api",
            vpcEndpointType: "Interface",
            subnetIds: ["subnet-private-eu-west-1a", "subnet-private-eu-west-1b"],
            securityGroupIds: ["sg-network-endpoints"],
            privateDnsEnabled: true,
        });
        assert.deepEqual(inputs.tags, { team: "data" });
        assert.equal(s.one("aws:ec2/flowLog:FlowLog").inputs.trafficType, "ALL");
        assert.equal(s.one("aws:cloudwatch/logGroup:LogGroup").inputs.retentionInDays, 7);
    });
    it("logs nothing when told so", async () => {
        const s = await made({ flowLogs: { enabled: false } });
        assert.deepEqual(s.resources.map(({ type }) => type).sort(), [
            "airflow-eks:index:AirflowNetwork",
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            "awsx:ec2:Vpc",
            "pulumi:index:Stash",
        ]);
    });
    it("refuses, by its guard, zones that are not appended", async () => {
        const s = await made();
        const guard = s.one("pulumi:index:Stash");
        const [hookName] = guard.hooks.beforeUpdate;
        const hook = s.hooks.get(hookName)!;
        assert.equal(hook.opts?.onDryRun, true, "in the preview too");
        const layout = (list: string[]) => ({ input: networkLayout({ cidrBlock: "10.20.0.0/16", zones: list }) });
        const change = (to: string[]) =>
            hook.callback({ oldInputs: layout(zones), newInputs: layout(to) } as Loose) as Promise<void>;
        await assert.rejects(
            change(["eu-west-1b"]),
            /AirflowNetwork "network": zones were eu-west-1a, eu-west-1b and would be eu-west-1b/,
        );
        await change([...zones, "eu-west-1c"]);
    });
    it("refuses in the preview zones of another region", async () => {
        await assert.rejects(
            made({ zones: ["us-east-1a", "us-east-1b"] }),
            /us-east-1a is not there for this account in the provider's region eu-west-1/,
        );
    });

    describe("refuses before anything is registered", () => {
        const bad: [string, Loose, string[]][] = [
            ["one zone only", { zones: ["eu-west-1a"] }, ["zones"]],
            ["a zone twice", { zones: ["eu-west-1a", "eu-west-1a"] }, ["zones[1]", "zones"]],
            ["zones of two regions", { zones: ["eu-west-1a", "us-east-1a"] }, ["zones"]],
            ["a block too small", { cidrBlock: "10.0.0.0/23" }, ["cidrBlock"]],
            ["a block too large", { cidrBlock: "10.0.0.0/8" }, ["cidrBlock"]],
            ["no block", { cidrBlock: "10.0.0.1/16" }, ["cidrBlock"]],
            ["a block with leading zeros", { cidrBlock: "010.20.0.0/16" }, ["cidrBlock"]],
            ["a reserved block", { cidrBlock: "169.254.0.0/16" }, ["cidrBlock"]],
            ["more zones than there is room for", { zones: [..."abcdefg"].map((z) => `us-east-1${z}`) }, ["zones"]],
            [
                "blocks that overlap",
                { privateCidrs: { "eu-west-1a": "10.20.0.0/18", "eu-west-1b": "10.20.32.0/19" } },
                ["privateCidrs.eu-west-1b"],
            ],
            [
                "a block outside",
                { publicCidrs: { "eu-west-1a": "10.30.0.0/24", "eu-west-1b": "10.20.200.0/24" } },
                ["publicCidrs.eu-west-1a"],
            ],
            ["a block missing", { publicCidrs: { "eu-west-1b": "10.20.200.0/24" } }, ["publicCidrs.eu-west-1a"]],
            [
                "a block smaller than a subnet",
                { publicCidrs: { "eu-west-1a": "10.20.224.0/29", "eu-west-1b": "10.20.200.0/24" } },
                ["publicCidrs.eu-west-1a"],
            ],
            [
                "a block of no zone",
                {
                    publicCidrs: {
                        "eu-west-1a": "10.20.224.0/24",
                        "eu-west-1b": "10.20.225.0/24",
                        "eu-west-1c": "10.20.226.0/24",
                    },
                },
                ["publicCidrs.eu-west-1c"],
            ],
            ["no way out", { natGateways: "None" }, ["interfaceEndpoints"]],
            ["S3 by interface", { interfaceEndpoints: ["s3"] }, ["interfaceEndpoints[0]"]],
            [
                "a whole service name",
                { interfaceEndpoints: ["com.amazonaws.eu-west-1.sts"] },
                ["interfaceEndpoints[0]"],
            ],
            ["an endpoint twice", { interfaceEndpoints: ["sts", "sts"] }, ["interfaceEndpoints[1]"]],
            ["a retention period", { flowLogs: { retentionDays: 31 } }, ["flowLogs.retentionDays"]],
            ["a kind of traffic", { flowLogs: { trafficType: "none" } }, ["flowLogs.trafficType"]],
            ["an unknown setting", { natGateway: "Single" }, ["natGateway"]],
            ["an unknown choice", { natGateways: "OnePerAz" }, ["natGateways"]],
        ];
        for (const [what, args, expected] of bad) {
            it(what, () => assert.deepEqual(paths(args), expected));
        }
        it("everything at once", () => {
            assert.deepEqual(paths({ zones: ["a"], cidrBlock: "10.0.0.0/28", flowLogs: { enabled: "no" } }), [
                "flowLogs.enabled",
                "zones[0]",
                "zones",
                "cidrBlock",
            ]);
        });
        it("not a network without NAT that has all endpoints", () => {
            const interfaceEndpoints = [
                "ec2",
                "ecr.api",
                "ecr.dkr",
                "eks",
                "eks-auth",
                "sts",
                "elasticfilesystem",
                "logs",
            ];
            assert.deepEqual(paths({ natGateways: "None", interfaceEndpoints }), []);
        });
    });
});

describe("ExistingNetwork", () => {
    const subnets: Record<string, Loose> = {
        "subnet-a": { zone: "eu-west-1a", free: 4000 },
        "subnet-b": { zone: "eu-west-1b", free: 4000 },
        "subnet-full": { zone: "eu-west-1b", free: 10 },
        "subnet-public": { zone: "eu-west-1b", free: 4000, isPublic: true },
        "subnet-foreign": { zone: "eu-west-1b", free: 4000, vpc: "vpc-2" },
    };
    const calls = (tagged: Record<string, string[]>, dns = true) => ({
        "aws:ec2/getVpc:getVpc": ({ id }: Loose) => {
            if (id !== "vpc-1") {
                throw new Error("no matching EC2 VPC found");
            }
            return { id, cidrBlock: "10.20.0.0/16", enableDnsHostnames: dns, enableDnsSupport: true };
        },
        "aws:ec2/getSubnets:getSubnets": ({ filters }: Loose) => ({
            ids: tagged[filters.find(({ name }: Loose) => name === "availability-zone").values[0]] ?? [],
        }),
        "aws:ec2/getSubnet:getSubnet": ({ id }: Loose) => {
            const subnet = subnets[id];
            if (!subnet) {
                throw new Error("no matching EC2 Subnet found");
            }
            return {
                id,
                vpcId: subnet.vpc ?? "vpc-1",
                availabilityZone: subnet.zone,
                availableIpAddressCount: subnet.free,
                mapPublicIpOnLaunch: subnet.isPublic ?? false,
            };
        },
    });
    const right = { "eu-west-1a": ["subnet-a"], "eu-west-1b": ["subnet-b"] };
    const found = (args: Loose = {}, answers: Loose = calls(right)) =>
        simulate(() => new ExistingNetwork("network", { vpcId: "vpc-1", zones, ...args }).info, { calls: answers });

    it("finds the private subnet of each zone by tag, and creates nothing", async () => {
        const s = await found();
        assert.deepEqual(s.result, {
            vpcId: "vpc-1",
            vpcCidr: "10.20.0.0/16",
            privateSubnetIds: { "eu-west-1a": "subnet-a", "eu-west-1b": "subnet-b" },
            publicSubnetIds: {},
        });
        assert.equal(s.resources.length, 1);
    });
    it("takes subnets that are named, and other tags", async () => {
        const ids = { "eu-west-1a": "subnet-a", "eu-west-1b": "subnet-b" };
        const named = await found({ privateSubnetIds: ids, publicSubnetIds: ids }, calls({}));
        assert.deepEqual(named.result.publicSubnetIds, ids);
        const tagged = await found({ privateSubnetTags: { tier: "private" } });
        const call = tagged.calls.find(({ token }) => token.endsWith(":getSubnets"));
        assert.deepEqual(call?.inputs.tags, { tier: "private" });
    });
    it("refuses with everything that is wrong at AWS", async () => {
        await assert.rejects(found({ vpcId: "vpc-9" }), /vpcId: the provider's account has no VPC vpc-9/);
        await assert.rejects(found({}, calls({ "eu-west-1b": ["subnet-b", "subnet-full"] }, false)), (error: Error) => {
            assert.match(error.message, /3 problem/);
            assert.match(error.message, /vpcId: vpc-1 resolves no DNS names/);
            assert.match(error.message, /privateSubnetIds\.eu-west-1a: no subnet of vpc-1 in eu-west-1a is tagged/);
            assert.match(error.message, /2 subnets of vpc-1 in eu-west-1b .*\(subnet-b, subnet-full\); name the one/);
            return true;
        });
        const named = (id: string) => found({ privateSubnetIds: { "eu-west-1a": "subnet-a", "eu-west-1b": id } });
        await assert.rejects(named("subnet-full"), /has 10 addresses free, 64 are asked for/);
        await assert.rejects(named("subnet-public"), /gives machines public addresses/);
        await assert.rejects(named("subnet-foreign"), /lies in vpc-2, not in vpc-1/);
        await assert.rejects(named("subnet-a"), /lies in eu-west-1a, not in eu-west-1b/);
        await assert.rejects(named("subnet-9"), /no subnet subnet-9/);
    });
    it("refuses bad arguments at once", () => {
        const bad = {
            vpcId: "myvpc",
            zones: ["eu-west-1a"],
            privateSubnetIds: { "eu-west-1c": "subnet-c" },
            privateSubnetTags: {},
            minFreeAddresses: -1,
            subnets: [],
        } as Loose;
        assert.deepEqual(
            checkExistingNetworkArgs(bad).map(({ path }) => path),
            [
                "subnets",
                "zones",
                "vpcId",
                "privateSubnetIds.eu-west-1a",
                "privateSubnetIds.eu-west-1c",
                "privateSubnetTags",
                "minFreeAddresses",
            ],
        );
        assert.deepEqual(checkExistingNetworkArgs({ vpcId: "vpc-1", zones }), []);
    });
});
