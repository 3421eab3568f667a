import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { layout } from "../../rehearsal/cloud/awsx/layout";
import { constructVpc } from "../../rehearsal/cloud/awsx/vpc";
import { constructCluster } from "../../rehearsal/cloud/eks/cluster";
import { constructManagedNodeGroup } from "../../rehearsal/cloud/eks/nodeGroup";
import { constructNodeGroupV2 } from "../../rehearsal/cloud/eks/selfManaged";
import { SimulatedMocks } from "../../rehearsal/cloud/mocks";
import type { ChildOptions, Registered, Registrar } from "../../rehearsal/cloud/shell/monitor";
import { UNKNOWN, type Properties } from "../../rehearsal/cloud/shell/type";
import { Account } from "./cloud-aws-account";

interface Child {
    type: string;
    name: string;
    inputs: Properties;
    parent?: string;
}

/** Registers children with a simulated account at once, or only previews them. */
class Recorder implements Registrar {
    readonly children: Child[] = [];
    constructor(
        private readonly account: Account,
        private readonly preview = false,
    ) {}

    root = async () => ({ urn: "root", id: undefined, outputs: {} });
    outputs = async () => undefined;
    invoke = async (token: string, args: Properties): Promise<Properties> => this.account.provider.invoke(token, args);

    async component(type: string, name: string, options: ChildOptions = {}): Promise<Registered> {
        this.children.push({ type, name, inputs: {}, parent: options.parent?.urn });
        return { urn: name, id: undefined, outputs: {} };
    }

    async custom(type: string, name: string, inputs: Properties, options: ChildOptions = {}): Promise<Registered> {
        this.children.push({ type, name, inputs, parent: options.parent?.urn });
        if (!type.startsWith("aws:")) return { urn: name, id: name, outputs: inputs };
        const checked = this.account.check(type, inputs, undefined, name);
        assert.deepEqual(checked.failures, [], `${type} ${name}`);
        if (this.preview)
            return { urn: name, id: UNKNOWN, outputs: this.account.provider.previewCreate(type, checked.inputs) };
        const { id, outputs } = await this.account.provider.create({ token: type, name, urn: name }, checked.inputs);
        return { urn: name, id, outputs };
    }
}

const vpcArgs = {
    cidrBlock: "10.20.0.0/16",
    availabilityZoneNames: ["us-east-1a", "us-east-1b", "us-east-1c"],
    natGateways: { strategy: "Single" },
    subnetStrategy: "Auto",
    subnetSpecs: [
        { type: "Public", cidrMask: 22, tags: { "kubernetes.io/role/elb": "1" } },
        { type: "Private", cidrMask: 19 },
    ],
    vpcEndpointSpecs: [{ serviceName: "com.amazonaws.us-east-1.s3" }],
};
const request = (type: string, name: string, inputs: Properties, dryRun = false) => ({
    type,
    name,
    inputs,
    secrets: [],
    dryRun,
});

describe("simulated awsx: the VPC component", () => {
    it("numbers and sizes subnets as the real one was seen to", () => {
        const subnets = layout("network", "10.20.0.0/16", vpcArgs.availabilityZoneNames, vpcArgs);
        assert.deepEqual(
            subnets.map(({ logicalName, cidr }) => `${logicalName} ${cidr}`),
            [
                "network-public-1 10.20.0.0/22",
                "network-private-1 10.20.32.0/19",
                "network-public-2 10.20.64.0/22",
                "network-private-2 10.20.96.0/19",
                "network-public-3 10.20.128.0/22",
                "network-private-3 10.20.160.0/19",
            ],
        );
    });

    it("takes explicit blocks, and refuses too few, mixed, overlapping or outside ones", () => {
        const zones = ["a", "b"];
        const make = (subnetSpecs: Properties[]) => () =>
            layout("n", "10.0.0.0/16", zones, { subnetStrategy: "Auto", subnetSpecs });
        const publics = { type: "Public", cidrBlocks: ["10.0.0.0/24", "10.0.1.0/24"] };
        assert.deepEqual(
            make([publics])().map(({ cidr }) => cidr),
            publics.cidrBlocks,
        );
        assert.throws(
            make([{ type: "Public", cidrBlocks: ["10.0.0.0/24"] }]),
            /must match the number of availability zones/,
        );
        assert.throws(make([publics, { type: "Private", cidrMask: 20 }]), /all subnet specs must have explicit/);
        assert.throws(make([publics, { type: "Private", cidrBlocks: ["10.0.1.0/25", "10.0.2.0/24"] }]), /overlap/);
        assert.throws(make([{ type: "Public", cidrBlocks: ["10.1.0.0/24", "10.0.1.0/24"] }]), /does not fit/);
    });

    it("makes the children that the real one was seen to make", async () => {
        const recorder = new Recorder(new Account());
        const { outputs } = await constructVpc(request("awsx:ec2:Vpc", "network", vpcArgs), recorder);
        const count = (type: string) => recorder.children.filter((child) => child.type.endsWith(`:${type}`)).length;
        const counts = [
            "Vpc",
            "Subnet",
            "InternetGateway",
            "RouteTable",
            "RouteTableAssociation",
            "Route",
            "Eip",
            "NatGateway",
            "VpcEndpoint",
        ];
        assert.deepEqual(counts.map(count), [1, 6, 1, 6, 6, 6, 1, 1, 1]);
        const nat = recorder.children.find(({ type }) => type.endsWith(":NatGateway"))!;
        assert.deepEqual([nat.name, nat.parent], ["network-1", "network-public-1"]);
        const subnet = recorder.children.find(
            ({ name, type }) => name === "network-public-2" && type.endsWith(":Subnet"),
        )!;
        assert.deepEqual(subnet.inputs.tags, {
            Name: "network-public-2",
            SubnetType: "Public",
            "kubernetes.io/role/elb": "1",
        });
        assert.equal((outputs.privateSubnetIds as string[]).length, 3);
    });

    it("in preview too, with unknown ids", async () => {
        const recorder = new Recorder(new Account(), true);
        const { outputs } = await constructVpc(request("awsx:ec2:Vpc", "network", vpcArgs, true), recorder);
        assert.equal(outputs.vpcId, UNKNOWN);
        assert.equal(recorder.children.length, 29);
    });

    it("NAT strategies", async () => {
        for (const [strategy, gateways, routes] of [
            ["None", 0, 3],
            ["Single", 1, 6],
            ["OnePerAz", 3, 6],
        ] as const) {
            const recorder = new Recorder(new Account());
            await constructVpc(request("awsx:ec2:Vpc", "network", { ...vpcArgs, natGateways: { strategy } }), recorder);
            const count = (type: string) => recorder.children.filter((child) => child.type.endsWith(`:${type}`)).length;
            assert.deepEqual([count("NatGateway"), count("Route")], [gateways, routes], strategy);
        }
    });

    it("with vpcEndpointStrategy Auto a gateway endpoint gets the route tables", async () => {
        const recorder = new Recorder(new Account());
        await constructVpc(request("awsx:ec2:Vpc", "network", { ...vpcArgs, vpcEndpointStrategy: "Auto" }), recorder);
        const endpoint = recorder.children.find(({ type }) => type.endsWith(":VpcEndpoint"))!;
        assert.equal((endpoint.inputs.routeTableIds as string[]).length, 6);
    });

    it("with it an interface endpoint serves each zone by name, and admits the VPC", async () => {
        const recorder = new Recorder(new Account());
        const service = "com.amazonaws.us-east-1.sts";
        const vpcEndpointSpecs = [{ serviceName: service, vpcEndpointType: "Interface" }];
        const { outputs } = await constructVpc(
            request("awsx:ec2:Vpc", "network", { ...vpcArgs, vpcEndpointStrategy: "Auto", vpcEndpointSpecs }),
            recorder,
        );
        const named = (name: string) => recorder.children.find((child) => child.name === name)!;
        const vpc = recorder.children.find(({ type }) => type.endsWith(":Vpc"))!;
        assert.deepEqual([vpc.inputs.enableDnsHostnames, vpc.inputs.enableDnsSupport], [true, true]);
        const rule = named(`${service}-ingress`).inputs;
        assert.deepEqual([rule.fromPort, rule.toPort, rule.cidrBlocks], [443, 443, ["10.20.0.0/16"]]);
        const endpoint = named(service).inputs;
        assert.deepEqual(endpoint.securityGroupIds, [rule.securityGroupId]);
        assert.equal(endpoint.privateDnsEnabled, true);
        assert.deepEqual(endpoint.subnetIds, outputs.privateSubnetIds);
        await assert.rejects(
            constructVpc(
                request("awsx:ec2:Vpc", "n", {
                    ...vpcArgs,
                    ...{ vpcEndpointStrategy: "Auto", vpcEndpointSpecs, enableDnsSupport: false },
                }),
                new Recorder(new Account()),
            ),
            /requires enableDnsSupport to be true/,
        );
    });

    it("whoever takes one of its ids depends on the VPC and all subnets, and on what is named", async () => {
        const { dependencies } = await constructVpc(
            request("awsx:ec2:Vpc", "network", vpcArgs),
            new Recorder(new Account()),
        );
        const subnets = ["public", "private"].flatMap((kind) => [1, 2, 3].map((zone) => `network-${kind}-${zone}`));
        const sorted = (key: string) => [...dependencies![key]].sort();
        assert.deepEqual(sorted("vpcId"), ["network", ...subnets].sort());
        assert.deepEqual(sorted("privateSubnetIds"), sorted("vpcId"));
        assert.ok(sorted("natGateways").includes("network-1"));
    });

    it("NAT gateways need public subnets and others that go through them", async () => {
        const make = (type: string) => {
            const subnetSpecs = [{ type, cidrMask: 24 }];
            return constructVpc(request("awsx:ec2:Vpc", "n", { ...vpcArgs, subnetSpecs }), new Recorder(new Account()));
        };
        await assert.rejects(make("Public"), /along with private or isolated subnets/);
        await assert.rejects(make("Private"), /public subnets must be declared/);
    });
});

describe("simulated eks: the cluster component", () => {
    const base = (subnetIds: unknown, vpcId: unknown): Properties => ({
        name: "platform",
        version: "1.36",
        authenticationMode: "API",
        skipDefaultNodeGroup: true,
        corednsAddonOptions: { enabled: false },
        createOidcProvider: true,
        vpcId,
        subnetIds,
        accessEntries: {
            admin: {
                principalArn: "arn:aws:iam::123456789012:role/admin",
                accessPolicies: {
                    admin: {
                        policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
                        accessScope: { type: "cluster" },
                    },
                },
            },
        },
    });

    it("makes the children that the real one was seen to make", async () => {
        const account = new Account();
        const { vpc, subnets } = await account.network();
        const recorder = new Recorder(account);
        const inputs = base(
            subnets.map(({ id }) => id),
            vpc.id,
        );
        const { outputs } = await constructCluster(
            request("eks:index:Cluster", "cluster", inputs),
            recorder,
            account.provider.worldFor(),
        );
        assert.deepEqual(
            recorder.children.map(({ name }) => name).sort(),
            [
                "cluster-admin",
                "cluster-admin-admin",
                "cluster-eksCluster",
                "cluster-eksClusterIngressRule",
                "cluster-eksClusterInternetEgressRule",
                "cluster-eksClusterSecurityGroup",
                "cluster-eks-k8s",
                "cluster-eksExtApiServerClusterIngressRule",
                "cluster-eksNodeClusterIngressRule",
                "cluster-eksNodeIngressRule",
                "cluster-eksNodeInternetEgressRule",
                "cluster-eksRole",
                "cluster-eksRole-4b490823",
                "cluster-eksRole-role",
                "cluster-kube-proxy",
                "cluster-nodeSecurityGroup",
                "cluster-oidcProvider",
                "cluster-vpc-cni",
                "cluster-vpc-cni",
            ].sort(),
        );
        assert.match(String(outputs.oidcIssuer), /^oidc\.eks\.us-east-1/);
        assert.match(String(outputs.oidcProviderUrl), /^https:\/\//);
        const kubeconfig = JSON.parse(String(outputs.kubeconfigJson)) as {
            users: { user: { exec: { args: string[] } } }[];
        };
        assert.deepEqual(kubeconfig.users[0].user.exec.args.slice(0, 6), [
            "--region",
            "us-east-1",
            "eks",
            "get-token",
            "--cluster-name",
            "platform",
        ]);
    });

    it("without security groups of its own it names the one that EKS makes; little depends on more than the control plane", async () => {
        const account = new Account();
        const { vpc, subnets } = await account.network();
        const inputs = {
            ...base(
                subnets.map(({ id }) => id),
                vpc.id,
            ),
            skipDefaultSecurityGroups: true,
            providerCredentialOpts: { profileName: "ci" },
            vpcCniOptions: { enablePrefixDelegation: true },
            tags: { team: "data" },
        };
        const recorder = new Recorder(account);
        const { outputs, dependencies } = await constructCluster(
            request("eks:index:Cluster", "cluster", inputs),
            recorder,
            account.provider.worldFor(),
        );
        const cluster = account.provider.worldFor().get("aws:eks/cluster:Cluster", "platform")!;
        const { clusterSecurityGroupId } = cluster.outputs.vpcConfig as Properties;
        assert.match(String(clusterSecurityGroupId), /^sg-/);
        assert.deepEqual(
            [outputs.clusterSecurityGroupId, outputs.nodeSecurityGroupId, outputs.clusterIngressRuleId],
            [clusterSecurityGroupId, clusterSecurityGroupId, ""],
        );
        for (const key of ["eksCluster", "kubeconfig", "clusterSecurityGroupId", "oidcIssuer"])
            assert.deepEqual(dependencies![key], ["cluster-eksCluster"], key);
        assert.deepEqual(dependencies!.oidcProviderArn, ["cluster-oidcProvider"]);
        const child = (name: string) => recorder.children.filter((one) => one.name === name).at(-1)!.inputs;
        assert.equal(child("cluster-oidcProvider").tags, undefined);
        assert.match(String(child("cluster-eks-k8s").kubeconfig), /"--profile","ci"/);
        assert.doesNotMatch(String(outputs.kubeconfigJson), /--profile/, "that one is for everybody");
        const text = String(child("cluster-vpc-cni").configurationValues);
        const { env } = JSON.parse(text) as { env: Record<string, string> };
        assert.deepEqual([env.ENABLE_PREFIX_DELEGATION, env.AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER], ["true", undefined]);
        assert.deepEqual(Object.keys(env), Object.keys(env).sort(), "the same text each time");
    });

    it("in preview what hangs on the cluster is unknown", async () => {
        const account = new Account();
        const recorder = new Recorder(account, true);
        const inputs = base(UNKNOWN, UNKNOWN);
        const { outputs } = await constructCluster(
            request("eks:index:Cluster", "cluster", inputs, true),
            recorder,
            account.provider.worldFor(),
        );
        assert.deepEqual(
            [outputs.kubeconfigJson, outputs.oidcIssuer, outputs.oidcProviderArn],
            [UNKNOWN, UNKNOWN, UNKNOWN],
        );
    });

    const nodesOf = (account: Account): string[] =>
        account.provider
            .worldFor()
            .everywhere.all("kubernetes:core/v1:Node")
            .map(({ outputs }) => String((outputs.metadata as Properties).name));

    it("without a network or node group of the program's, has the default ones, whose nodes join", async () => {
        const account = new Account();
        const recorder = new Recorder(account);
        const inputs = { name: "platform", authenticationMode: "API", desiredCapacity: 3, maxSize: 3 };
        const { outputs } = await constructCluster(
            request("eks:index:Cluster", "c", inputs),
            recorder,
            account.provider.worldFor(),
        );
        const child = (name: string): Properties => recorder.children.find((one) => one.name === name)!.inputs;
        const world = account.provider.worldFor();
        const vpc = world.find("aws:ec2/vpc:Vpc", () => true)!;
        assert.equal(vpc.outputs.cidrBlock, "172.31.0.0/16");
        assert.equal(child("c-eksClusterSecurityGroup").vpcId, vpc.id);
        assert.deepEqual(child("c").vpcZoneIdentifiers, (child("c-eksCluster").vpcConfig as Properties).subnetIds);
        assert.equal(child("c-defaultNodeGroupInstanceRole").type, "EC2_LINUX");
        assert.equal(child("c-coredns").addonName, "coredns");
        assert.match(String(outputs.defaultNodeGroupAsgName), /^c-/);
        assert.equal((outputs.instanceRoles as unknown[]).length, 1);
        assert.equal(nodesOf(account).length, 3);
        const [node] = world.everywhere.all("kubernetes:core/v1:Node");
        const labels = (node.outputs.metadata as Properties).labels as Properties;
        assert.deepEqual([labels["kubernetes.io/arch"], labels["beta.kubernetes.io/arch"]], ["amd64", "amd64"]);
        assert.equal(labels["beta.kubernetes.io/os"], "linux");
    });

    it("default nodes whose role nobody admits do not join", async () => {
        const account = new Account();
        // The recorder makes nothing inside the cluster: `aws-auth` is not there.
        const inputs = { name: "platform", desiredCapacity: 1 };
        await constructCluster(
            request("eks:index:Cluster", "c", inputs),
            new Recorder(account),
            account.provider.worldFor(),
        );
        assert.deepEqual(nodesOf(account), []);
    });

    it("more self-managed nodes have a security group of their own, and the private subnets", async () => {
        const account = new Account();
        const recorder = new Recorder(account);
        const world = account.provider.worldFor();
        const network = await constructVpc(request("awsx:ec2:Vpc", "network", vpcArgs), recorder);
        const { vpcId, privateSubnetIds, publicSubnetIds } = network.outputs;
        const subnetIds = [...(publicSubnetIds as string[]), ...(privateSubnetIds as string[])];
        const inputs = { name: "platform", vpcId, subnetIds, authenticationMode: "API", createInstanceRole: true };
        await constructCluster(
            request("eks:index:Cluster", "c", { ...inputs, skipDefaultNodeGroup: true }),
            recorder,
            world,
        );
        const made = (token: string) => world.find(token, () => true)!;
        recorder.invoke = async () => ({ id: "platform", state: made("aws:eks/cluster:Cluster").outputs });
        const core = { cluster: { urn: "c", id: "platform" }, vpcId, subnetIds };
        const profile = made("aws:iam/instanceProfile:InstanceProfile").outputs.name;
        const group = { cluster: core, instanceProfileName: profile, amiId: "ami-0123456789abcdef0" };
        await constructNodeGroupV2(request("eks:index:NodeGroupV2", "more", group), recorder, world);
        const more = world.find("aws:autoscaling/group:Group", () => true)!;
        assert.deepEqual(more.inputs.vpcZoneIdentifiers, privateSubnetIds);
        assert.equal(nodesOf(account).length, 2);
        assert.ok(recorder.children.some(({ name }) => name === "more-nodeSecurityGroup"));
        await assert.rejects(
            constructNodeGroupV2(
                request("eks:index:NodeGroupV2", "odd", { ...group, nodeSecurityGroupId: "sg-1" }),
                recorder,
                world,
            ),
            /clusterIngressRule or clusterIngressRuleId is required/,
        );
    });

    it("what it does not have it refuses by name", async () => {
        const account = new Account();
        const construct = (inputs: Properties) =>
            constructCluster(
                request("eks:index:Cluster", "c", inputs),
                new Recorder(account),
                account.provider.worldFor(),
            );
        await assert.rejects(construct({ autoMode: { enabled: true } }), /autoMode/);
        await assert.rejects(construct({ fargate: true }), /fargate/);
        await assert.rejects(construct({ ...base([], "vpc-1"), publicSubnetIds: [] }), /mutually exclusive/);
        await assert.rejects(
            construct({ ...base([], "vpc-1"), authenticationMode: "CONFIG_MAP" }),
            /'accessEntries'.* set to 'CONFIG_MAP'/,
        );
    });
});

describe("simulated eks: the managed node group", () => {
    const inputs = {
        clusterName: "platform",
        nodeRoleArn: "arn:aws:iam::123456789012:role/n",
        subnetIds: ["subnet-1"],
    };
    const construct = async (more: Properties) => {
        const recorder = new Recorder(new Account(), true);
        const { outputs } = await constructManagedNodeGroup(
            request("eks:index:ManagedNodeGroup", "nodes", { ...inputs, ...more }, true),
            recorder,
        );
        return { outputs, template: recorder.children.find(({ type }) => type.endsWith(":LaunchTemplate"))?.inputs };
    };

    it("writes a launch template only where an option needs one, and puts no tags on it", async () => {
        const plain = await construct({ diskSize: 40, tags: { team: "data" } });
        assert.deepEqual([plain.template, plain.outputs.placementGroupName], [undefined, ""]);
        const { template } = await construct({ diskSize: 40, tags: { team: "data" }, enableIMDSv2: false });
        assert.equal((template?.metadataOptions as Properties).httpTokens, "optional");
        assert.equal(template?.tags, undefined);
        const options = { enableIMDSv2: true, launchTemplate: { id: "lt-1", version: "1" } };
        await assert.rejects(construct(options), /provide a custom launch template, you cannot provide any of/);
    });
});

describe("simulated mocks", () => {
    it("make outputs of the same types, and refuse the same inputs", async () => {
        const mocks = new SimulatedMocks({ region: "eu-west-1" });
        const make = (inputs: Properties) =>
            mocks.newResource({
                type: "aws:efs/fileSystem:FileSystem",
                name: "files",
                inputs,
            } as unknown as pulumi.runtime.MockResourceArgs);
        const made = await make({ encrypted: true });
        assert.match(String(made.id), /^fs-/);
        assert.match(String(made.state.dnsName), /\.efs\.eu-west-1\./);
        await assert.rejects(make({ encrypt: true }), /unknown property "encrypt"/);
        assert.deepEqual(
            mocks.resources.map(({ name, type }) => [name, type]),
            [["files", "aws:efs/fileSystem:FileSystem"]],
        );
    });

    it("ask how parts fit together only when strict", async () => {
        const args = {
            type: "aws:efs/mountTarget:MountTarget",
            name: "m",
            inputs: { fileSystemId: "fs-1", subnetId: "subnet-1" },
        } as unknown as pulumi.runtime.MockResourceArgs;
        assert.match(String((await new SimulatedMocks().newResource(args)).id), /^fsmt-/);
        await assert.rejects(new SimulatedMocks({ strict: true }).newResource(args), /FileSystemNotFound/);
    });

    it("work behind Pulumi's own", async () => {
        const mocks = new SimulatedMocks();
        await pulumi.runtime.setMocks(mocks);
        const { id, encrypted } = await new Promise<{ id: string; encrypted: boolean }>((resolve) => {
            void import("@pulumi/aws").then((aws) => {
                const system = new aws.efs.FileSystem("files", { encrypted: true });
                pulumi.all([system.id, system.encrypted]).apply(([one, two]) => resolve({ id: one, encrypted: two }));
            });
        });
        assert.match(id, /^fs-/);
        assert.equal(encrypted, true);
    });
});
