import assert from "node:assert/strict";
import { allows, assumptionProblem, podIdentityProblem } from "../../rehearsal/cloud/aws/iam/access";
import type { Properties } from "../../rehearsal/cloud/shell/type";
import type { WorldObject } from "../../rehearsal/cloud/shell/world";
import { Account, refuses } from "./cloud-aws-account";

const CLUSTER = "aws:eks/cluster:Cluster";
const NODES = "aws:eks/nodeGroup:NodeGroup";
const ADDON = "aws:eks/addon:Addon";
const ENTRY = "aws:eks/accessEntry:AccessEntry";
const ROLE = "aws:iam/role:Role";
const TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate";
const NODE = "kubernetes:core/v1:Node";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";

describe("simulated AWS: clusters", () => {
    it("makes its own security group, which every node carries, and takes it along", async () => {
        const account = new Account();
        const { cluster } = await account.cluster();
        const { clusterSecurityGroupId } = cluster.outputs.vpcConfig as Properties;
        assert.equal(account.get(GROUP, String(clusterSecurityGroupId))?.implicit, true);
        await account.remove(cluster);
        assert.equal(account.get(GROUP, String(clusterSecurityGroupId)), undefined);
    });

    it("leaves that group behind while a load balancer's interface carries it", async () => {
        const account = new Account();
        const { cluster, vpc, subnets } = await account.cluster();
        const group = String((cluster.outputs.vpcConfig as Properties).clusterSecurityGroupId);
        await account.make("aws:ec2/networkInterface:NetworkInterface", {
            subnetId: subnets[0].id,
            securityGroups: [group],
        });
        await account.remove(cluster);
        assert.ok(account.get(GROUP, group));
        await refuses("DependencyViolation", () => account.remove(vpc));
    });

    it("needs two zones, one VPC, and a role that EKS may assume", async () => {
        const account = new Account();
        const { cluster, subnets } = await account.cluster();
        const again = (inputs: Properties) => () =>
            account.make(CLUSTER, { ...cluster.inputs, name: "other", ...inputs });
        await refuses("InvalidParameterException", again({ vpcConfig: { subnetIds: [subnets[0].id] } }));
        const role = await account.role("wrong", "ec2.amazonaws.com");
        await refuses("InvalidParameterException", again({ roleArn: role.outputs.arn }));
        await refuses("InvalidParameterException", again({ roleArn: "arn:aws:iam::123456789012:role/nobody" }));
        await refuses("ResourceInUseException", () => account.make(CLUSTER, cluster.inputs));
    });

    it("an empty list of public CIDRs means the world", async () => {
        const account = new Account();
        const { cluster, subnets } = await account.cluster();
        const open = await account.change(cluster, {
            vpcConfig: { subnetIds: subnets.map(({ id }) => id), publicAccessCidrs: [] },
        });
        assert.deepEqual((open.outputs.vpcConfig as Properties).publicAccessCidrs, ["0.0.0.0/0"]);
    });

    it("reserved ranges and an endpoint that nobody reaches are refused", () => {
        const refused = (vpcConfig: Properties) =>
            new Account().refused(CLUSTER, { roleArn: "x", vpcConfig: { subnetIds: [], ...vpcConfig } });
        assert.deepEqual(refused({ publicAccessCidrs: ["10.1.0.0/16"] }), ["vpcConfig.publicAccessCidrs[0]"]);
        assert.deepEqual(refused({ endpointPublicAccess: false }), ["vpcConfig.endpointPrivateAccess"]);
        assert.deepEqual(refused({ endpointPublicAccess: false, endpointPrivateAccess: true }), []);
    });

    it("goes up one minor version at a time, never back", async () => {
        const account = new Account();
        const { cluster } = await account.cluster({ version: "1.34" });
        await refuses("InvalidRequest", () => account.change(cluster, { version: "1.36" }));
        await refuses("InvalidRequest", () => account.change(cluster, { version: "1.33" }));
        assert.equal((await account.change(cluster, { version: "1.35" })).outputs.version, "1.35");
        assert.deepEqual(account.refused(CLUSTER, { roleArn: "x", vpcConfig: { subnetIds: [] }, version: "1.99" }), [
            "version",
        ]);
    });

    it("deletion protection and node groups hold it", async () => {
        const account = new Account();
        const { cluster, subnets } = await account.cluster({ deletionProtection: true });
        await refuses("InvalidRequestException", () => account.remove(cluster));
        const open = await account.change(cluster, { deletionProtection: false });
        const nodes = await account.make(NODES, await groupInputs(account, subnets));
        await refuses("ResourceInUseException", () => account.remove(open));
        await account.remove(nodes);
        await account.remove(open);
    });

    it("logging makes a log group that stays and that a program cannot make again", async () => {
        const account = new Account();
        const { cluster } = await account.cluster({ enabledClusterLogTypes: ["api"] });
        await account.remove(cluster);
        await refuses("ResourceAlreadyExistsException", () =>
            account.make("aws:cloudwatch/logGroup:LogGroup", { name: "/aws/eks/platform/cluster" }),
        );
    });

    it("access entries: mode, names that EKS keeps, the creator's own", async () => {
        const account = new Account();
        await account.cluster();
        const admin = { clusterName: "platform", principalArn: "arn:aws:iam::123456789012:role/admin" };
        assert.deepEqual(account.refused(ENTRY, { ...admin, kubernetesGroups: ["system:masters"] }), [
            "kubernetesGroups[0]",
        ]);
        const association = {
            ...admin,
            policyArn: "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
            accessScope: { type: "cluster" },
        };
        const token = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation";
        await refuses("ResourceNotFoundException", () => account.make(token, association));
        await account.make(ENTRY, admin);
        await account.make(token, association);
        await refuses("ResourceInUseException", () => account.make(ENTRY, admin));
        await refuses("ResourceInUseException", () =>
            account.make(ENTRY, { ...admin, principalArn: "arn:aws:iam::123456789012:role/rehearsal" }),
        );
        const old = new Account();
        await old.cluster({ accessConfig: { authenticationMode: "CONFIG_MAP" } });
        await refuses("InvalidRequestException", () => old.make(ENTRY, admin));
    });

    it("add-ons: name, version, configuration and role must exist", async () => {
        const account = new Account();
        await account.cluster();
        const cni = { clusterName: "platform", addonName: "vpc-cni" };
        assert.deepEqual(account.refused(ADDON, { ...cni, addonName: "vpc_cni" }), ["addonName"]);
        assert.deepEqual(account.refused(ADDON, { ...cni, configurationValues: "{" }), ["configurationValues"]);
        assert.deepEqual(account.refused(ADDON, { ...cni, configurationValues: '{"evn":{}}' }), [
            "configurationValues",
        ]);
        await refuses("InvalidParameterException", () =>
            account.make(ADDON, { ...cni, addonVersion: "v0.1.0-eksbuild.1" }),
        );
        await refuses("InvalidParameterException", () =>
            account.make(ADDON, { ...cni, serviceAccountRoleArn: "arn:aws:iam::123456789012:role/no" }),
        );
        await account.make(ADDON, { ...cni, configurationValues: '{"env":{"ENABLE_PREFIX_DELEGATION":"true"}}' });
        await refuses("ResourceInUseException", () => account.make(ADDON, cni));
    });

    it("an add-on with deployments waits for nodes that take its pods", async () => {
        const account = new Account();
        const { subnets } = await account.cluster();
        const ebs = { clusterName: "platform", addonName: "aws-ebs-csi-driver" };
        await assert.rejects(account.make(ADDON, ebs), /notReady|DEGRADED|Expected/);
        await account.remove(account.all(ADDON)[0]);
        const taints = [{ key: "dedicated", value: "x", effect: "NO_SCHEDULE" }];
        const tainted = await account.make(NODES, { ...(await groupInputs(account, subnets)), taints });
        await assert.rejects(account.make(ADDON, ebs));
        await account.remove(account.all(ADDON)[0]);
        await account.change(tainted, { taints: [] });
        await account.remove(tainted);
        await account.make(NODES, { ...(await groupInputs(account, subnets)), nodeGroupName: "open" });
        await account.make(ADDON, ebs);
    });

    it("an add-on whose pods find no node is degraded, with what its pods say, and stays in the state", async () => {
        const account = new Account({ patience: 0 });
        const { subnets } = await account.cluster();
        const made = async (addonName: string, configuration: object = {}) => {
            const inputs = {
                clusterName: "platform",
                addonName,
                configurationValues: JSON.stringify(configuration),
            };
            const { notReady = [] } = await account.provider.create({ token: ADDON, name: "it", urn: "" }, inputs);
            const [there] = account.all(ADDON);
            await account.remove(there);
            return notReady.join("\n");
        };
        const degraded =
            /last state: 'DEGRADED', timeout: 20m0s.*\nInsufficientNumberOfReplicas: .*\nPod kube-system\/coredns/;
        assert.match(await made("coredns"), degraded);
        await account.make(NODES, await groupInputs(account, subnets));
        assert.equal(await made("coredns"), "");
        assert.match(await made("coredns", { nodeSelector: { pool: "system" } }), degraded);
        assert.match(
            await made("coredns", { resources: { requests: { cpu: "64", memory: "1Gi" } } }),
            /Insufficient cpu/,
        );
        assert.equal(await made("vpc-cni"), "");
    });
});

/** Node group inputs that work, with a role that is made when it is not there. */
async function groupInputs(account: Account, subnets: WorldObject[]): Promise<Properties> {
    const role = account.get(ROLE, "nodes") ?? (await account.nodeRole());
    return {
        clusterName: "platform",
        nodeRoleArn: role.outputs.arn,
        subnetIds: subnets.map(({ id }) => id),
        scalingConfig: { minSize: 1, desiredSize: 2, maxSize: 3 },
    };
}

describe("simulated AWS: node groups", () => {
    const plain = {
        clusterName: "c",
        nodeRoleArn: "arn",
        subnetIds: [],
        scalingConfig: { minSize: 1, desiredSize: 1, maxSize: 1 },
    };

    it("minimum, desired and maximum are in order", () => {
        const account = new Account();
        const scaling = (minSize: number, desiredSize: number, maxSize: number) =>
            account.refused(NODES, { ...plain, scalingConfig: { minSize, desiredSize, maxSize } });
        assert.deepEqual(scaling(3, 2, 5), ["scalingConfig.desiredSize"]);
        assert.deepEqual(scaling(1, 6, 5), ["scalingConfig.desiredSize"]);
        assert.deepEqual(scaling(6, 6, 5), ["scalingConfig.minSize", "scalingConfig.desiredSize"]);
        assert.deepEqual(scaling(0, 0, 0), ["scalingConfig.maxSize"]);
        assert.deepEqual(scaling(0, 0, 1), []);
    });

    it("the AMI type fits the architecture", () => {
        const account = new Account();
        const of = (instanceTypes: string[], amiType?: string) =>
            account.refused(NODES, { ...plain, instanceTypes, ...(amiType ? { amiType } : {}) });
        assert.deepEqual(of(["m7g.large"]), ["instanceTypes"]);
        assert.deepEqual(of(["m7g.large"], "AL2023_ARM_64_STANDARD"), []);
        assert.deepEqual(of(["m7i.large"], "AL2023_ARM_64_STANDARD"), ["instanceTypes"]);
        assert.deepEqual(of(["g5g.xlarge"]), ["instanceTypes"]);
        assert.deepEqual(of(["g5.xlarge"]), []);
        assert.deepEqual(of(["m99.large"]), ["instanceTypes[0]"]);
    });

    it("launch template and group do not both say the same", async () => {
        const account = new Account();
        assert.deepEqual(
            account.refused(NODES, { ...plain, diskSize: 50, launchTemplate: { id: "lt-1", version: "1" } }),
            ["diskSize"],
        );
        const { subnets } = await account.cluster();
        const template = await account.make(TEMPLATE, { instanceType: "m5.large" });
        const inputs = { ...(await groupInputs(account, subnets)), launchTemplate: { id: template.id, version: "1" } };
        await refuses("InvalidParameterException", () =>
            account.make(NODES, { ...inputs, instanceTypes: ["m5.large"] }),
        );
        await refuses("InvalidRequestException", () =>
            account.make(NODES, { ...inputs, launchTemplate: { id: template.id, version: "2" } }),
        );
        await account.make(NODES, inputs);
    });

    it("makes nodes in its subnets with its labels, taints and groups, and takes them along", async () => {
        const account = new Account();
        const { cluster, subnets } = await account.cluster();
        const group = await account.make(NODES, {
            ...(await groupInputs(account, subnets)),
            labels: { role: "worker" },
            capacityType: "SPOT",
            taints: [{ key: "spot", value: "true", effect: "NO_SCHEDULE" }],
        });
        const nodes = account.all(NODE).map(({ outputs }) => outputs as Record<string, Properties>);
        assert.equal(nodes.length, 2);
        const labels = nodes[0].metadata.labels as Properties;
        assert.equal(labels.role, "worker");
        assert.equal(labels["eks.amazonaws.com/capacityType"], "SPOT");
        assert.deepEqual(
            nodes.map(({ metadata }) => (metadata.labels as Properties)["topology.kubernetes.io/zone"]).sort(),
            ["us-east-1a", "us-east-1b"],
        );
        assert.deepEqual(nodes[0].spec.taints, [{ key: "spot", value: "true", effect: "NoSchedule" }]);
        const carried = (nodes[0].metadata.annotations as Properties)["rehearsal/security-group-ids"];
        assert.equal(carried, (cluster.outputs.vpcConfig as Properties).clusterSecurityGroupId);
        await account.remove(group);
        assert.equal(account.all(NODE).length, 0);
    });

    const NODE_CONFIG = {
        apiVersion: "node.eks.aws/v1alpha1",
        kind: "NodeConfig",
        spec: { kubelet: { config: { maxPods: 20 } }, instance: { localStorage: { strategy: "RAID0" } } },
    };
    const asYaml = (strategy: string) =>
        `kind: NodeConfig\nspec:\n  kubelet:\n    config:\n      maxPods: 20\n  instance:\n    localStorage: {strategy: ${strategy}}\n`;
    const inMime = (type: string, body: string) =>
        `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="B"\n\n--B\nContent-Type: ${type}\n\n${body}\n--B--\n`;
    // c5d.large: 50 GB of NVMe, 29 pods; the root volume has 30 GiB.
    for (const [what, userData, disk, pods] of [
        ["JSON in a MIME part", inMime("application/node.eks.aws", JSON.stringify(NODE_CONFIG)), "47Gi", "20"],
        ["YAML without MIME", asYaml("RAID10"), "47Gi", "20"],
        ["disks that are only mounted", asYaml("Mount"), "30Gi", "20"],
        ["more pods than addresses", "kind: NodeConfig\nspec: {kubelet: {config: {maxPods: 100}}}", "30Gi", "29"],
        ["a part for somebody else", inMime("text/x-shellscript", asYaml("RAID0")), "30Gi", "29"],
        ["none that can be read", "kind: [", "30Gi", "29"],
    ]) {
        it(`nodes follow their user data: ${what}`, async () => {
            const account = new Account();
            const { subnets } = await account.cluster();
            const template = await account.make(TEMPLATE, {
                userData: Buffer.from(userData).toString("base64"),
                blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { volumeSize: 30 } }],
            });
            await account.make(NODES, {
                ...(await groupInputs(account, subnets)),
                instanceTypes: ["c5d.large"],
                launchTemplate: { id: template.id, version: "1" },
            });
            const { capacity } = account.all(NODE)[0].outputs.status as { capacity: Properties };
            assert.deepEqual([capacity["ephemeral-storage"], capacity.pods], [disk, pods]);
        });
    }

    it("nodes do not join without policies, network plugin or a way out", async () => {
        const account = new Account();
        const { subnets } = await account.cluster({ bootstrapSelfManagedAddons: false });
        const role = await account.role("bare", "ec2.amazonaws.com");
        const inputs = { ...(await groupInputs(account, subnets)), nodeRoleArn: role.outputs.arn };
        const checked = account.check(NODES, inputs);
        const [route] = account.all("aws:ec2/route:Route");
        await account.remove(route);
        const { notReady = [] } = await account.provider.create(
            { token: NODES, name: "it", urn: "urn" },
            checked.inputs,
        );
        for (const reason of [
            /AmazonEKSWorkerNodePolicy/,
            /pull images/,
            /cni plugin not initialized/,
            /no route out/,
        ]) {
            assert.ok(
                notReady.some((one) => reason.test(one)),
                `${String(reason)} in ${notReady.join("; ")}`,
            );
        }
        assert.equal(account.all(NODE).length, 0);
    });

    it("a group waits for a network plugin that comes while it is being made", async () => {
        const account = new Account();
        const { subnets } = await account.cluster({ bootstrapSelfManagedAddons: false });
        const inputs = await groupInputs(account, subnets);
        const nodes = account.make(NODES, inputs);
        await new Promise((resolve) => setTimeout(resolve, 100));
        await account.make(ADDON, { clusterName: "platform", addonName: "vpc-cni" });
        await nodes;
        assert.equal(account.all(NODE).length, 2);
    });

    it("is replaced for what EKS cannot change, scales in place", async () => {
        const account = new Account();
        const { subnets } = await account.cluster();
        const group = await account.make(NODES, await groupInputs(account, subnets));
        for (const news of [
            { instanceTypes: ["m5.large"] },
            { subnetIds: [subnets[0].id] },
            { capacityType: "SPOT" },
        ]) {
            assert.deepEqual(account.replacedBy(group, news), Object.keys(news));
        }
        const scaled = { scalingConfig: { minSize: 1, desiredSize: 3, maxSize: 3 } };
        assert.deepEqual(account.replacedBy(group, scaled), []);
        await account.change(group, scaled);
        assert.equal(account.all(NODE).length, 3);
    });
});

describe("simulated AWS: who may do what", () => {
    const ISSUER_KEY = "aws:iam/openIdConnectProvider:OpenIdConnectProvider";
    const who = { cluster: "platform", namespace: "airflow", serviceAccount: "worker" };

    async function irsa(
        conditions: (issuer: string) => object,
        clientIdLists = ["sts.amazonaws.com"],
        registered = true,
    ) {
        const account = new Account();
        const { cluster } = await account.cluster();
        const [{ oidcs }] = cluster.outputs.identities as { oidcs: { issuer: string }[] }[];
        const issuer = oidcs[0].issuer.replace("https://", "");
        const arn = `arn:aws:iam::123456789012:oidc-provider/${issuer}`;
        if (registered) await account.make(ISSUER_KEY, { url: `https://${issuer}`, clientIdLists });
        const Statement = [conditions(issuer)].flat().map((Condition) => ({
            Effect: "Allow",
            Principal: { Federated: arn },
            Action: "sts:AssumeRoleWithWebIdentity",
            Condition,
        }));
        const role = await account.make(ROLE, {
            name: "r",
            assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement }),
        });
        return { world: account.provider.worldFor(), arn: String(role.outputs.arn) };
    }
    const sub = "system:serviceaccount:airflow:worker";
    const exact = (issuer: string) => ({
        StringEquals: { [`${issuer}:sub`]: sub, [`${issuer}:aud`]: "sts.amazonaws.com" },
    });

    const cases: [string, (issuer: string) => object, boolean][] = [
        ["exact subject and audience", exact, true],
        [
            "another service account",
            (issuer) => ({ StringEquals: { [`${issuer}:sub`]: "system:serviceaccount:airflow:web" } }),
            false,
        ],
        ["another audience", (issuer) => ({ StringEquals: { [`${issuer}:sub`]: sub, [`${issuer}:aud`]: "x" } }), false],
        [
            "a wildcard under StringLike",
            (issuer) => ({ StringLike: { [`${issuer}:sub`]: "system:serviceaccount:airflow:*" } }),
            true,
        ],
        [
            "a wildcard under StringEquals is a letter",
            (issuer) => ({ StringEquals: { [`${issuer}:sub`]: "system:serviceaccount:airflow:*" } }),
            false,
        ],
        [
            "the keys of another issuer",
            () => ({ StringEquals: { "oidc.eks.us-east-1.amazonaws.com/id/OTHER:sub": sub } }),
            false,
        ],
        [
            "statements are alternatives",
            (issuer) => [{ StringEquals: { [`${issuer}:sub`]: "x" } }, exact(issuer)],
            true,
        ],
        ["one of several values", (issuer) => ({ StringEquals: { [`${issuer}:sub`]: ["x", sub] } }), true],
        ["a negated operator does not ask for an absent key", () => ({ StringNotEquals: { "other:key": "x" } }), true],
    ];
    for (const [name, conditions, expected] of cases) {
        it(`IRSA: ${name}`, async () => {
            const { world, arn } = await irsa(conditions);
            const problem = assumptionProblem(world, arn, who);
            assert.equal(problem === undefined, expected, problem);
        });
    }

    it("IRSA: the issuer must be registered with the audience", async () => {
        const unregistered = await irsa(exact, [], false);
        assert.match(assumptionProblem(unregistered.world, unregistered.arn, who)!, /no IAM OIDC provider/);
        const otherAudience = await irsa(exact, ["other"]);
        assert.match(assumptionProblem(otherAudience.world, otherAudience.arn, who)!, /audience/);
    });

    it("Pod Identity: the association and both actions in the trust policy", async () => {
        const account = new Account();
        await account.cluster();
        const token = "aws:eks/podIdentityAssociation:PodIdentityAssociation";
        const half = await account.make(ROLE, {
            name: "half",
            assumeRolePolicy: JSON.stringify({
                Version: "2012-10-17",
                Statement: [
                    { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "pods.eks.amazonaws.com" } },
                ],
            }),
        });
        const association = { clusterName: "platform", namespace: "airflow", serviceAccount: "worker" };
        await refuses("InvalidParameterException", () =>
            account.make(token, { ...association, roleArn: half.outputs.arn }),
        );
        const role = await account.role("whole", "pods.eks.amazonaws.com");
        await account.make(token, { ...association, roleArn: role.outputs.arn });
        assert.equal(podIdentityProblem(account.provider.worldFor(), String(role.outputs.arn), who), undefined);
        await refuses("ResourceInUseException", () =>
            account.make(token, { ...association, roleArn: role.outputs.arn }),
        );
    });

    const arnOf = (cluster: string) => `arn:aws:eks:us-east-1:123456789012:cluster/${cluster}`;
    const sourced = (arn: string) => ({
        StringEquals: { "aws:SourceAccount": "123456789012" },
        ArnEquals: { "aws:SourceArn": arn },
    });
    const tagged = (namespace: string) => ({ StringEquals: { "aws:RequestTag/kubernetes-namespace": namespace } });
    for (const [what, Condition, expected] of [
        ["its cluster and account", sourced(arnOf("platform")), true],
        ["another cluster", sourced(arnOf("other")), false],
        ["its namespace", tagged("airflow"), true],
        ["another namespace", tagged("kube-system"), false],
    ] as [string, object, boolean][]) {
        it(`Pod Identity: a trust policy for ${what} is ${expected ? "met" : "refused"}`, async () => {
            const account = new Account();
            await account.cluster();
            const statement = {
                Effect: "Allow",
                Action: ["sts:AssumeRole", "sts:TagSession"],
                Principal: { Service: "pods.eks.amazonaws.com" },
                Condition,
            };
            const role = await account.make(ROLE, {
                name: "conditional",
                assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
            });
            const make = () =>
                account.make("aws:eks/podIdentityAssociation:PodIdentityAssociation", {
                    ...{ clusterName: "platform", namespace: "airflow", serviceAccount: "worker" },
                    roleArn: role.outputs.arn,
                });
            await (expected ? make() : refuses("InvalidParameterException", make));
            const problem = podIdentityProblem(account.provider.worldFor(), String(role.outputs.arn), who);
            assert.equal(problem === undefined, expected, problem);
        });
    }

    it("policies: inline, attached, AWS's own; a denial wins", async () => {
        const account = new Account();
        const role = await account.role("worker", "ec2.amazonaws.com");
        const arn = String(role.outputs.arn);
        const may = (action: string, resource?: string) => allows(account.provider.worldFor(), arn, action, resource);
        assert.equal(may("s3:GetObject", "arn:aws:s3:::logs/a"), false);
        const policy = (Effect: string, Action: string, Resource: string) =>
            JSON.stringify({ Version: "2012-10-17", Statement: { Effect, Action, Resource } });
        await account.make("aws:iam/rolePolicy:RolePolicy", {
            name: "logs",
            role: role.id,
            policy: policy("Allow", "s3:Get*", "arn:aws:s3:::logs/*"),
        });
        assert.equal(may("s3:GetObject", "arn:aws:s3:::logs/a"), true);
        assert.equal(may("s3:GetObject", "arn:aws:s3:::other/a"), false);
        const denied = await account.make("aws:iam/policy:Policy", { name: "no", policy: policy("Deny", "s3:*", "*") });
        const attached = await account.make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
            role: role.id,
            policyArn: denied.outputs.arn,
        });
        assert.equal(may("s3:GetObject", "arn:aws:s3:::logs/a"), false);
        await refuses("DeleteConflict", () => account.remove(denied));
        await refuses("DeleteConflict", () => account.remove(role));
        await account.remove(attached);
        await account.remove(denied);
    });

    it("documents that IAM refuses", () => {
        const account = new Account();
        const trust = (assumeRolePolicy: unknown) => account.refused(ROLE, { name: "r", assumeRolePolicy });
        const statement = { Effect: "Allow", Action: "sts:AssumeRole", Principal: { Service: "ec2.amazonaws.com" } };
        assert.deepEqual(trust({ Version: "2012-10-17", Statement: [statement] }), []);
        const broken: object[] = [
            { ...statement, Effect: "allow" },
            { ...statement, Resource: "*" },
            { Effect: "Allow", Action: "sts:AssumeRole" },
            { ...statement, Condition: { StringMatches: {} } },
            { ...statement, Conditions: {} },
        ];
        for (const one of broken)
            assert.deepEqual(
                trust(JSON.stringify({ Version: "2012-10-17", Statement: [one] })),
                ["assumeRolePolicy"],
                JSON.stringify(one),
            );
        assert.deepEqual(trust("{"), ["assumeRolePolicy"]);
    });

    it("a policy of AWS that does not exist, a principal that does not exist", async () => {
        const account = new Account();
        const role = await account.role("r", "ec2.amazonaws.com");
        await refuses("NoSuchEntity", () =>
            account.make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
                role: role.id,
                policyArn: "arn:aws:iam::aws:policy/AmazonEKSWorkerNodesPolicy",
            }),
        );
        // No table of ours names this one; the SDK does.
        await account.make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", {
            role: role.id,
            policyArn: "arn:aws:iam::aws:policy/AmazonEventBridgeFullAccess",
        });
        const Statement = [
            { Effect: "Allow", Action: "sts:AssumeRole", Principal: { AWS: "arn:aws:iam::123456789012:role/ghost" } },
        ];
        await refuses("MalformedPolicyDocument", () =>
            account.make(ROLE, { name: "x", assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement }) }),
        );
    });
});
