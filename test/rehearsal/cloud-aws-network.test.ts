import assert from "node:assert/strict";
import { admits, isPublicSubnet } from "../../rehearsal/cloud/aws/network";
import { zoneId } from "../../rehearsal/cloud/aws/places";
import type { Properties } from "../../rehearsal/cloud/shell/type";
import type { WorldObject } from "../../rehearsal/cloud/shell/world";
import { Account, refuses } from "./cloud-aws-account";

const VPC = "aws:ec2/vpc:Vpc";
const SUBNET = "aws:ec2/subnet:Subnet";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";
const RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";
const OLD_RULE = "aws:ec2/securityGroupRule:SecurityGroupRule";
const SYSTEM = "aws:efs/fileSystem:FileSystem";
const TARGET = "aws:efs/mountTarget:MountTarget";
const ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint";

describe("simulated AWS: networks", () => {
    let account: Account;
    let vpc: WorldObject;
    let subnets: WorldObject[];
    beforeEach(async () => {
        account = new Account();
        ({ vpc, subnets } = await account.network());
    });

    it("a VPC is between /16 and /28", () => {
        assert.deepEqual(account.refused(VPC, { cidrBlock: "10.0.0.0/15" }), ["cidrBlock"]);
        assert.deepEqual(account.refused(VPC, { cidrBlock: "10.0.0/16" }), ["cidrBlock"]);
        assert.deepEqual(account.refused(VPC, { cidrBlock: "10.0.0.0/28" }), []);
        assert.deepEqual(account.refused(VPC, {}), ["cidrBlock"]);
    });

    it("a subnet lies in its VPC, overlaps no other, in a zone that exists", async () => {
        const make = (inputs: object) => () => account.make(SUBNET, { vpcId: vpc.id, ...inputs });
        await refuses("InvalidSubnet.Range", make({ cidrBlock: "10.1.0.0/24" }));
        await refuses("InvalidSubnet.Conflict", make({ cidrBlock: "10.0.0.128/25" }));
        await refuses("InvalidParameterValue", make({ cidrBlock: "10.0.9.0/24", availabilityZone: "us-east-1z" }));
        await refuses("InvalidVpcID.NotFound", () =>
            account.make(SUBNET, { vpcId: "vpc-1", cidrBlock: "10.0.9.0/24" }),
        );
    });

    it("zone ids are those that AWS writes", () => {
        assert.equal(zoneId("us-east-1a"), "use1-az1");
        assert.equal(zoneId("eu-central-1b"), "euc1-az2");
        assert.equal(zoneId("ap-southeast-2c"), "apse2-az3");
    });

    it("what is in use stays: subnet, VPC, security group", async () => {
        await refuses("DependencyViolation", () => account.remove(vpc));
        const system = await account.make(SYSTEM, {});
        const group = await account.make(GROUP, { vpcId: vpc.id });
        const target = await account.make(TARGET, {
            fileSystemId: system.id,
            subnetId: subnets[0].id,
            securityGroups: [group.id],
        });
        await refuses("DependencyViolation", () => account.remove(subnets[0]));
        await refuses("DependencyViolation", () => account.remove(group));
        await refuses("FileSystemInUse", () => account.remove(system));
        await account.remove(target);
        await account.remove(group);
        await account.remove(subnets[0]);
        await account.remove(system);
    });

    it("the default group goes with its VPC, and not before", async () => {
        const bare = await account.make(VPC, { cidrBlock: "10.9.0.0/16" });
        const group = account.get(GROUP, String(bare.outputs.defaultSecurityGroupId))!;
        await refuses("CannotDelete", () => account.remove(group));
        await account.remove(bare);
        assert.equal(account.get(GROUP, group.id), undefined);
    });

    it("a public NAT gateway needs an internet gateway, and an address of its own", async () => {
        const bare = await account.make(VPC, { cidrBlock: "10.9.0.0/16" });
        const alone = await account.make(SUBNET, { vpcId: bare.id, cidrBlock: "10.9.0.0/24" });
        const eip = await account.make("aws:ec2/eip:Eip", {});
        const nat = (subnetId: string) =>
            account.make("aws:ec2/natGateway:NatGateway", { subnetId, allocationId: eip.id });
        await refuses("Gateway.NotAttached", () => nat(alone.id));
        const made = await nat(subnets[0].id);
        await refuses("Resource.AlreadyAssociated", () => nat(subnets[1].id));
        await refuses("InvalidIPAddress.InUse", () => account.remove(eip));
        const [gateway] = account.all("aws:ec2/internetGateway:InternetGateway");
        await refuses("DependencyViolation", () => account.remove(gateway));
        await account.remove(made);
        await account.remove(gateway);
    });

    it("routes and associations are one of a kind", async () => {
        const table = await account.make("aws:ec2/routeTable:RouteTable", { vpcId: vpc.id });
        const [gateway] = account.all("aws:ec2/internetGateway:InternetGateway");
        const route = { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
        await account.make("aws:ec2/route:Route", route);
        await refuses("RouteAlreadyExists", () => account.make("aws:ec2/route:Route", route));
        const association = { routeTableId: table.id, subnetId: subnets[0].id };
        await account.make("aws:ec2/routeTableAssociation:RouteTableAssociation", association);
        await refuses("Resource.AlreadyAssociated", () =>
            account.make("aws:ec2/routeTableAssociation:RouteTableAssociation", association),
        );
        await refuses("DependencyViolation", () => account.remove(table));
        assert.deepEqual(
            account.refused("aws:ec2/route:Route", { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0" }),
            ["gatewayId"],
        );
    });

    it("endpoints: gateway ones have no interfaces, private names exist once", async () => {
        const s3 = { vpcId: vpc.id, serviceName: "com.amazonaws.us-east-1.s3" };
        assert.deepEqual(account.refused(ENDPOINT, { ...s3, subnetIds: [subnets[0].id] }), ["subnetIds"]);
        assert.deepEqual(account.refused(ENDPOINT, { ...s3, serviceName: "com.amazonaws.us-east-1.sts" }), [
            "vpcEndpointType",
        ]);
        await refuses("InvalidServiceName", () =>
            account.make(ENDPOINT, { ...s3, serviceName: "com.amazonaws.eu-west-1.s3" }),
        );
        const sts = {
            vpcId: vpc.id,
            serviceName: "com.amazonaws.us-east-1.sts",
            vpcEndpointType: "Interface",
            privateDnsEnabled: true,
        };
        await account.make(ENDPOINT, { ...sts, subnetIds: [subnets[0].id] });
        await refuses("InvalidParameter", () => account.make(ENDPOINT, sts));
    });
});

describe("simulated AWS: security groups", () => {
    let account: Account;
    let vpc: WorldObject;
    let files: WorldObject;
    let nodes: WorldObject;
    beforeEach(async () => {
        account = new Account();
        ({ vpc } = await account.network());
        files = await account.make(GROUP, { vpcId: vpc.id, name: "files" });
        const egress = [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }];
        nodes = await account.make(GROUP, { vpcId: vpc.id, name: "nodes", egress });
    });
    const nfs = { ipProtocol: "tcp", fromPort: 2049, toPort: 2049 };
    const world = () => account.provider.worldFor();
    const reaches = (port = 2049) =>
        admits(world(), { targetGroups: [files.id], sourceGroups: [nodes.id], port, sourceIp: "10.0.0.9" });

    it("names are unique within a VPC", async () => {
        await refuses("InvalidGroup.Duplicate", () => account.make(GROUP, { vpcId: vpc.id, name: "files" }));
        const other = await account.make(VPC, { cidrBlock: "10.9.0.0/16" });
        await account.make(GROUP, { vpcId: other.id, name: "files" });
    });

    it("a connection comes through when the group that the source really carries is admitted", async () => {
        assert.equal(reaches(), false);
        const other = await account.make(GROUP, { vpcId: vpc.id, name: "other" });
        await account.make(RULE, { securityGroupId: files.id, referencedSecurityGroupId: other.id, ...nfs });
        assert.equal(reaches(), false);
        await account.make(RULE, { securityGroupId: files.id, referencedSecurityGroupId: nodes.id, ...nfs });
        assert.equal(reaches(), true);
        assert.equal(reaches(2048), false);
    });

    it("rules of all three kinds count, and ranges of addresses", async () => {
        const byAddress = await account.make(RULE, { securityGroupId: files.id, cidrIpv4: "10.0.0.0/24", ...nfs });
        assert.equal(reaches(), true);
        await account.remove(byAddress);
        const old = {
            type: "ingress",
            securityGroupId: files.id,
            protocol: "tcp",
            fromPort: 2000,
            toPort: 2100,
            sourceSecurityGroupId: nodes.id,
        };
        const rule = await account.make(OLD_RULE, old);
        assert.equal(reaches(), true);
        await account.remove(rule);
        await account.change(files, {
            ingress: [{ protocol: "-1", fromPort: 0, toPort: 0, securityGroups: [nodes.id] }],
        });
        assert.equal(reaches(), true);
    });

    it("a source without egress rules reaches nothing", async () => {
        await account.make(RULE, { securityGroupId: files.id, cidrIpv4: "0.0.0.0/0", ...nfs });
        const mute = await account.make(GROUP, { vpcId: vpc.id, name: "mute" });
        assert.equal(admits(world(), { targetGroups: [files.id], sourceGroups: [mute.id], port: 2049 }), false);
        assert.equal(reaches(), true);
    });

    it("the same permission twice is refused, however it is written", async () => {
        await account.make(RULE, { securityGroupId: files.id, referencedSecurityGroupId: nodes.id, ...nfs });
        const again = {
            type: "ingress",
            securityGroupId: files.id,
            protocol: "6",
            fromPort: 2049,
            toPort: 2049,
            sourceSecurityGroupId: nodes.id,
        };
        await refuses("InvalidPermission.Duplicate", () => account.make(OLD_RULE, again));
        await account.make(OLD_RULE, { ...again, toPort: 2050 });
    });

    it("a group that a rule of another one names stays; its own rules go with it", async () => {
        const rule = await account.make(RULE, {
            securityGroupId: files.id,
            referencedSecurityGroupId: nodes.id,
            ...nfs,
        });
        await refuses("DependencyViolation", () => account.remove(nodes));
        await account.remove(files);
        assert.equal(account.get(RULE, rule.id), undefined);
        await account.remove(nodes);
    });

    it("ports and sources must make sense", () => {
        const refused = (inputs: object) => account.refused(RULE, { securityGroupId: "sg-1", ...inputs });
        assert.deepEqual(refused({ ipProtocol: "tcp", cidrIpv4: "10.0.0.0/8" }), ["fromPort", "toPort"]);
        assert.deepEqual(refused({ ipProtocol: "-1", cidrIpv4: "10.0.0.0/8", fromPort: 22 }), ["fromPort"]);
        assert.deepEqual(refused({ ...nfs }), ["cidrIpv4"]);
        assert.deepEqual(refused({ ...nfs, cidrIpv4: "10.0.0.0/8", referencedSecurityGroupId: "sg-2" }), [
            "referencedSecurityGroupId",
        ]);
        assert.deepEqual(refused({ ...nfs, cidrIpv4: "10.0.0/8" }), ["cidrIpv4"]);
        assert.deepEqual(refused({ ...nfs, fromPort: 2050, cidrIpv4: "10.0.0.0/8" }), ["fromPort"]);
    });
});

describe("simulated AWS: file systems", () => {
    let account: Account;
    let subnets: WorldObject[];
    beforeEach(async () => {
        account = new Account();
        ({ subnets } = await account.network());
    });

    it("one mount target for each zone, all in one VPC", async () => {
        const system = await account.make(SYSTEM, {});
        const mount = (subnetId: string) => account.make(TARGET, { fileSystemId: system.id, subnetId });
        await mount(subnets[0].id);
        await refuses("MountTargetConflict", () => mount(subnets[0].id));
        await mount(subnets[1].id);
        const other = await account.make(VPC, { cidrBlock: "10.9.0.0/16" });
        const foreign = await account.make(SUBNET, {
            vpcId: other.id,
            cidrBlock: "10.9.0.0/24",
            availabilityZone: "us-east-1c",
        });
        await refuses("MountTargetConflict", () => mount(foreign.id));
    });

    it("a One Zone file system is mounted in its zone only", async () => {
        const system = await account.make(SYSTEM, { availabilityZoneName: "us-east-1a" });
        await refuses("AvailabilityZonesMismatch", () =>
            account.make(TARGET, { fileSystemId: system.id, subnetId: subnets[1].id }),
        );
        await account.make(TARGET, { fileSystemId: system.id, subnetId: subnets[0].id });
    });

    it("settings that exclude each other", () => {
        const cases: [object, string[]][] = [
            [{ kmsKeyId: "arn:aws:kms:x" }, ["encrypted"]],
            [{ throughputMode: "provisioned" }, ["provisionedThroughputInMibps"]],
            [{ throughputMode: "elastic", provisionedThroughputInMibps: 5 }, ["provisionedThroughputInMibps"]],
            [{ performanceMode: "maxIO", throughputMode: "elastic" }, ["performanceMode"]],
            [{ lifecyclePolicies: [{ transitionToIa: "AFTER_2_DAYS" }] }, ["lifecyclePolicies[0].transitionToIa"]],
            [{ throughputMode: "provisioned", provisionedThroughputInMibps: 5, encrypted: true }, []],
        ];
        for (const [inputs, paths] of cases) assert.deepEqual(account.refused(SYSTEM, { ...inputs }), paths);
    });

    it("encryption cannot be added later, throughput can change", async () => {
        const system = await account.make(SYSTEM, { throughputMode: "bursting" });
        assert.deepEqual(account.replacedBy(system, { encrypted: true }), ["encrypted"]);
        const changed = await account.change(system, { throughputMode: "elastic" });
        assert.equal(changed.outputs.throughputMode, "elastic");
        assert.equal(changed.id, system.id);
    });

    it("a policy that locks everybody out is refused", () => {
        const deny = { Effect: "Deny", Principal: "*", Action: "elasticfilesystem:*" };
        const policy = (Statement: object[]) => JSON.stringify({ Version: "2012-10-17", Statement });
        const token = "aws:efs/fileSystemPolicy:FileSystemPolicy";
        assert.deepEqual(account.refused(token, { fileSystemId: "fs-1", policy: policy([deny]) }), ["policy"]);
        const conditional = { ...deny, Condition: { Bool: { "aws:SecureTransport": "false" } } };
        assert.deepEqual(account.refused(token, { fileSystemId: "fs-1", policy: policy([conditional]) }), []);
        assert.deepEqual(account.refused(token, { fileSystemId: "fs-1", policy: "{" }), ["policy"]);
    });

    it("an access point's root is a path of up to four names", () => {
        const refused = (path: string) =>
            new Account().refused("aws:efs/accessPoint:AccessPoint", { fileSystemId: "fs-1", rootDirectory: { path } });
        for (const path of ["/", "/a", "/a/b c/d-e/f.g"]) assert.deepEqual(refused(path), [], path);
        for (const path of ["a", "/a/", "//a", "/.a", "/a/b/c/d/e", "/a;b", `/${"x".repeat(100)}`])
            assert.deepEqual(refused(path), ["rootDirectory.path"], path);
    });

    it("a replica appears in the other region and outlives its configuration", async () => {
        const system = await account.make(SYSTEM, {});
        const configuration = await account.make("aws:efs/replicationConfiguration:ReplicationConfiguration", {
            sourceFileSystemId: system.id,
            destination: { region: "us-west-2" },
        });
        const there = () => account.as({ region: "us-west-2" }).worldFor().all(SYSTEM);
        assert.deepEqual(
            there().map(({ outputs }) => outputs.encrypted),
            [true],
        );
        await refuses("ReplicationAlreadyExists", () => account.remove(system));
        await account.remove(configuration);
        await account.remove(system);
        assert.equal(there().length, 1);
    });
});

describe("simulated AWS: what an account has from the start", () => {
    const look = (account: Account, name: string, args: Properties) =>
        account.provider.invoke(`aws:ec2/${name}:${name}`, args);

    it("a default VPC with a public subnet in each zone", async () => {
        const account = new Account();
        assert.throws(() => look(account, "getVpc", { id: "vpc-1" }), /no matching EC2 VPC/);
        const vpc = look(account, "getVpc", { default: true });
        assert.deepEqual([vpc.cidrBlock, vpc.default], ["172.31.0.0/16", true]);
        assert.deepEqual(look(account, "getVpcs", { filters: [{ name: "is-default", values: ["true"] }] }).ids, [
            vpc.id,
        ]);
        const filters = [{ name: "vpc-id", values: [vpc.id] }];
        const ids = look(account, "getSubnets", { filters }).ids as string[];
        const subnets = ids.map((id) => look(account, "getSubnet", { id }));
        assert.ok(subnets.length >= 2);
        assert.equal(new Set(subnets.map(({ availabilityZone }) => availabilityZone)).size, subnets.length);
        assert.ok(ids.every((id) => isPublicSubnet(account.provider.worldFor(), id)));
        assert.equal(look(account, "getVpc", { default: true }).id, vpc.id);
        const group = await account.make("aws:ec2/securityGroup:SecurityGroup", {});
        assert.equal(group.outputs.vpcId, vpc.id);
    });

    it("an Auto Scaling group keeps its size within its bounds", () => {
        const refused = (inputs: Properties) =>
            new Account().refused("aws:autoscaling/group:Group", { launchTemplate: { id: "lt-1" }, ...inputs });
        assert.deepEqual(refused({ minSize: 1, maxSize: 2, desiredCapacity: 2 }), []);
        assert.deepEqual(refused({ minSize: 3, maxSize: 2 }), ["minSize"]);
        assert.deepEqual(refused({ minSize: 1, maxSize: 2, desiredCapacity: 3 }), ["desiredCapacity"]);
        assert.deepEqual(refused({ minSize: 2, maxSize: 3, desiredCapacity: 1 }), ["desiredCapacity"]);
        assert.deepEqual(new Account().refused("aws:autoscaling/group:Group", { minSize: 1, maxSize: 2 }).length, 1);
    });
});
