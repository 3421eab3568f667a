import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { upgradeRefusal } from "../../../components/cluster/kubernetesVersion";
import { PlatformCluster } from "../../../components/cluster/platformCluster";
import type { PlatformClusterArgs } from "../../../components/cluster/platformClusterArgs";
import { checkPlatformClusterArgs } from "../../../components/cluster/platformClusterArgs";
import type { Loose, Registered, Simulated } from "../mocks";
import { networkInfo, simulate } from "../mocks";
import { instanceTypeCalls } from "../nodes/fakeTypes";

const zones = ["eu-west-1a", "eu-west-1b"];
const minimal: PlatformClusterArgs = { network: networkInfo, zones, publicAccessCidrs: ["203.0.113.0/24"] };
const options = {
    calls: instanceTypeCalls,
    outputs: {
        "aws:eks/nodeGroup:NodeGroup": (_: Loose, name: string) => ({
            nodeGroupName: `${name}-1234567`,
            resources: [{ autoscalingGroups: [{ name: `eks-${name}` }] }],
        }),
    },
};

async function made(args: Partial<PlatformClusterArgs> = {}) {
    return simulate(() => {
        const cluster = new PlatformCluster("platform", { ...minimal, ...args });
        return {
            info: cluster.info,
            schedulable: cluster.schedulable,
            kubeconfig: cluster.kubeconfig,
            secretsKeyArn: cluster.secretsKeyArn,
        };
    }, options);
}

const paths = (args: Loose) => checkPlatformClusterArgs({ ...minimal, ...args }).map(({ path }) => path);

/** Whether a resource comes after another one, by any chain. */
function comesAfter(s: Simulated<unknown>, later: Registered, earlier: string): boolean {
    const seen = new Set<string>();
    const reaches = (name: string): boolean => {
        if (seen.has(name)) {
            return false;
        }
        seen.add(name);
        return s.resources
            .filter((r) => r.name === name)
            .some((r) => r.dependencies.some((d) => d === earlier || reaches(d)));
    };
    return reaches(later.name);
}

describe("PlatformCluster", () => {
    it("makes a cluster that is right from the start", async () => {
        const s = await made();
        const { inputs, dependencies } = s.one("eks:index:Cluster");
        assert.equal(inputs.name, "platform-stack");
        assert.equal(inputs.version, "1.36");
        assert.equal(inputs.authenticationMode, "API");
        assert.equal(inputs.endpointPrivateAccess, true);
        assert.equal(inputs.endpointPublicAccess, true);
        assert.deepEqual(inputs.publicAccessCidrs, ["203.0.113.0/24"]);
        assert.deepEqual(inputs.privateSubnetIds, ["subnet-a", "subnet-b"]);
        assert.equal(inputs.vpcId, "vpc-1");
        assert.equal(inputs.enabledClusterLogTypes.length, 5);
        assert.deepEqual(inputs.upgradePolicy, { supportType: "EXTENDED" });
        assert.ok(dependencies.includes("platform-control-plane"), "its log group is there before EKS would make one");
        assert.equal(s.one("aws:cloudwatch/logGroup:LogGroup").inputs.name, "/aws/eks/platform-stack/cluster");
        assert.equal(s.one("aws:cloudwatch/logGroup:LogGroup").inputs.retentionInDays, 90);
    });

    it("leaves nothing to @pulumi/eks that it does not do well", async () => {
        const { inputs } = (await made()).one("eks:index:Cluster");
        assert.equal(inputs.bootstrapSelfManagedAddons, false);
        assert.equal(inputs.useDefaultVpcCni, true);
        assert.equal(inputs.kubeProxyAddonOptions.enabled, false);
        assert.equal(inputs.corednsAddonOptions.enabled, false);
        assert.equal(inputs.skipDefaultNodeGroup, true);
        assert.equal(inputs.skipDefaultSecurityGroups, true);
        assert.equal(inputs.createOidcProvider, false);
    });

    it("encrypts secrets with a key that rotates and outlives the cluster", async () => {
        const s = await made();
        const key = s.one("aws:kms/key:Key");
        assert.equal(key.inputs.enableKeyRotation, true);
        assert.equal(key.retainOnDelete, true);
        assert.equal(s.one("eks:index:Cluster").inputs.encryptionConfigKeyArn, s.result.secretsKeyArn);
        const given = await made({ secretsKeyArn: "arn:aws:kms:eu-west-1:123456789012:key/k" });
        assert.equal(given.all("aws:kms/key:Key").length, 0);
        assert.equal(
            given.one("eks:index:Cluster").inputs.encryptionConfigKeyArn,
            "arn:aws:kms:eu-west-1:123456789012:key/k",
        );
    });

    it("gives everything that components know of a cluster", async () => {
        const s = await made({ prefixDelegation: true });
        assert.deepEqual(s.result.info, {
            name: "platform-stack",
            kubernetesVersion: "1.36",
            endpoint: "https://ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
            certificateAuthority: "Q0E=",
            oidcProviderArn: "arn:aws:iam::123456789012:openIdConnectProvider/platform-oidc",
            oidcIssuer: "oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF",
            region: "eu-west-1",
            partition: "aws",
            accountId: "123456789012",
            vpcId: "vpc-1",
            vpcCidr: "10.20.0.0/16",
            nodeSubnetIds: { "eu-west-1a": "subnet-a", "eu-west-1b": "subnet-b" },
            nodeSecurityGroupIds: ["sg-cluster"],
            prefixDelegation: true,
            podIdentityAgent: true,
            cniOnNodeRole: false,
        });
        assert.deepEqual(s.result.schedulable, s.result.info);
        const oidc = s.one("aws:iam/openIdConnectProvider:OpenIdConnectProvider").inputs;
        assert.deepEqual(oidc, {
            url: "https://oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF",
            clientIdLists: ["sts.amazonaws.com"],
        });
    });

    it("pins add-ons, in the order in which nodes need them", async () => {
        const s = await made({
            addons: { coredns: { version: "v1.14.3-eksbuild.23" } },
            prefixDelegation: true,
            networkPolicies: true,
        });
        const addons = s.all("aws:eks/addon:Addon");
        const named = Object.fromEntries(addons.map((addon) => [addon.inputs.addonName, addon]));
        assert.deepEqual(Object.keys(named).sort(), ["coredns", "eks-pod-identity-agent", "kube-proxy", "vpc-cni"]);
        assert.equal(named.coredns.inputs.addonVersion, "v1.14.3-eksbuild.23");
        assert.equal(named["vpc-cni"].inputs.addonVersion, "v1.0.0-eksbuild.1");
        assert.deepEqual(JSON.parse(named["vpc-cni"].inputs.configurationValues), {
            env: { ENABLE_PREFIX_DELEGATION: "true", WARM_PREFIX_TARGET: "1" },
            enableNetworkPolicy: "true",
        });
        assert.match(named["vpc-cni"].inputs.serviceAccountRoleArn, /role\/platform-vpc-cni$/);
        assert.deepEqual(JSON.parse(named.coredns.inputs.configurationValues).nodeSelector, {
            "system-node": "enabled",
        });
        const nodes = s.one("aws:eks/nodeGroup:NodeGroup");
        for (const name of ["vpc-cni", "kube-proxy", "eks-pod-identity-agent"]) {
            assert.ok(comesAfter(s, nodes, named[name].name), `nodes after ${name}`);
        }
        assert.ok(comesAfter(s, named.coredns, nodes.name), "CoreDNS after nodes");
        const kept = s
            .all("pulumi:index:Stash")
            .filter(({ name }) => name.endsWith("-version") && name !== "platform-kubernetes-version");
        assert.equal(kept.length, 3, "a looked-up version is kept in the state, a given one is not");
        assert.match(JSON.stringify(kept[0].replacementTrigger), /1\.36/);
    });

    it("has on-demand system nodes with as few rights as possible", async () => {
        const s = await made({
            systemNodes: { instanceTypes: ["m5.large"], scaling: { min: 3, max: 3 }, diskSizeGiB: 30 },
        });
        const { inputs } = s.one("aws:eks/nodeGroup:NodeGroup");
        assert.deepEqual(inputs.labels, { "system-node": "enabled" });
        assert.equal(inputs.capacityType, "ON_DEMAND");
        assert.deepEqual(inputs.instanceTypes, ["m5.large"]);
        assert.deepEqual(inputs.scalingConfig, { minSize: 3, maxSize: 3, desiredSize: 3 });
        const policies = s
            .all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
            .filter(({ name }) => name.includes("-node-"));
        assert.ok(policies.every((policy) => !policy.inputs.policyArn.includes("CNI")));
    });

    it("gives access by entries, and takes it away last", async () => {
        const s = await made({
            access: {
                ci: { principalArn: "arn:aws:iam::123456789012:role/ci" },
                readers: {
                    principalArn: "arn:aws:iam::123456789012:role/readers",
                    policy: "AmazonEKSViewPolicy",
                    namespaces: ["airflow"],
                },
            },
        });
        assert.deepEqual(
            s
                .all("aws:eks/accessPolicyAssociation:AccessPolicyAssociation")
                .map(({ inputs }) => [inputs.policyArn, inputs.accessScope]),
            [
                ["arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy", { type: "cluster" }],
                [
                    "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
                    { type: "namespace", namespaces: ["airflow"] },
                ],
            ],
        );
        assert.equal(s.all("aws:eks/accessEntry:AccessEntry").length, 2);
    });

    it("has a kubeconfig without credentials, the same every time", async () => {
        const text = (await made()).result.kubeconfig;
        assert.equal(text, (await made()).result.kubeconfig);
        const config = JSON.parse(text);
        assert.deepEqual(config.users[0].user, {
            exec: {
                apiVersion: "client.authentication.k8s.io/v1beta1",
                command: "aws",
                args: [
                    "eks",
                    "get-token",
                    "--cluster-name",
                    "platform-stack",
                    "--region",
                    "eu-west-1",
                    "--output",
                    "json",
                ],
                interactiveMode: "Never",
            },
        });
        assert.equal(config.clusters[0].cluster.server, "https://ABCDEF.gr7.eu-west-1.eks.amazonaws.com");
        assert.equal(config.contexts[0].name, config["current-context"]);
        const other = JSON.parse(
            (await made({ kubeconfig: { roleArn: "arn:aws:iam::1:role/r", profile: "prod" } })).result.kubeconfig,
        );
        assert.deepEqual(other.users[0].user.exec.args.slice(-2), ["--role-arn", "arn:aws:iam::1:role/r"]);
        assert.deepEqual(other.users[0].user.exec.env, [{ name: "AWS_PROFILE", value: "prod" }]);
    });

    it("takes every other setting", async () => {
        const s = await made({
            clusterName: "airflow",
            kubernetesVersion: "1.35",
            publicAccessCidrs: undefined,
            privateEndpointReachable: true,
            logTypes: ["audit"],
            logRetentionDays: 7,
            serviceCidr: "172.30.0.0/16",
            podIdentityAgent: false,
            extendedSupport: false,
            deletionProtection: true,
            tags: { team: "data" },
        });
        const { inputs } = s.one("eks:index:Cluster");
        assert.equal(inputs.name, "airflow");
        assert.equal(inputs.version, "1.35");
        assert.equal(inputs.endpointPublicAccess, false);
        assert.equal(inputs.publicAccessCidrs, undefined);
        assert.deepEqual(inputs.enabledClusterLogTypes, ["audit"]);
        assert.equal(inputs.kubernetesServiceIpAddressRange, "172.30.0.0/16");
        assert.deepEqual(inputs.upgradePolicy, { supportType: "STANDARD" });
        assert.equal(inputs.deletionProtection, true);
        assert.deepEqual(inputs.tags, { team: "data" });
        assert.equal(s.all("aws:eks/addon:Addon").length, 3);
        assert.equal(s.result.info.podIdentityAgent, false);
        assert.equal(s.one("aws:cloudwatch/logGroup:LogGroup").inputs.retentionInDays, 7);
    });

    it("upgrades one minor version at a time, and never back", async () => {
        assert.equal(upgradeRefusal("1.35", "1.36"), undefined);
        assert.equal(upgradeRefusal("1.36", "1.36"), undefined);
        assert.match(upgradeRefusal("1.35", "1.37")!, /cannot become 1\.37 at once: .* Deploy 1\.36 first/);
        assert.match(upgradeRefusal("1.36", "1.35")!, /cannot go back to 1\.35/);
        const s = await made();
        const stash = s.one("pulumi:index:Stash", "platform-kubernetes-version");
        const hook = s.hooks.get(stash.hooks.beforeUpdate[0])!;
        assert.equal(hook.opts?.onDryRun, true, "in the preview too");
        const change = hook.callback({
            oldInputs: { input: "1.34" },
            newInputs: { input: "1.36" },
        } as Loose) as Promise<void>;
        await assert.rejects(change, /PlatformCluster "platform": Kubernetes 1\.34 cannot become 1\.36 at once/);
        assert.ok(s.one("eks:index:Cluster").dependencies.includes("platform-kubernetes-version"));
        assert.ok(s.one("eks:index:Cluster").dependencies.includes("platform-guard"));
    });

    it("refuses in the preview a zone that the network lacks", async () => {
        await assert.rejects(
            made({ zones: ["eu-west-1a", "eu-west-1d"] }),
            /network has no private subnet in eu-west-1d/,
        );
    });

    describe("refuses before anything is registered", () => {
        const ci = "arn:aws:iam::123456789012:role/ci";
        const bad: [string, Loose, string[]][] = [
            ["one zone", { zones: ["eu-west-1a"] }, ["zones"]],
            ["the whole world by an empty list", { publicAccessCidrs: [] }, ["publicAccessCidrs"]],
            ["the whole world by name", { publicAccessCidrs: ["0.0.0.0/0"] }, ["publicAccessCidrs[0]"]],
            ["half of it", { publicAccessCidrs: ["0.0.0.0/1"] }, ["publicAccessCidrs[0]"]],
            ["private addresses from the internet", { publicAccessCidrs: ["10.0.0.0/8"] }, ["publicAccessCidrs[0]"]],
            ["no block", { publicAccessCidrs: ["office"] }, ["publicAccessCidrs[0]"]],
            ["no path to the API", { publicAccessCidrs: undefined }, ["publicAccessCidrs"]],
            ["an old version", { kubernetesVersion: "1.28" }, ["kubernetesVersion"]],
            ["no version", { kubernetesVersion: "1.36.1" }, ["kubernetesVersion"]],
            ["a version that YAML took for a number", { kubernetesVersion: 1.36 }, ["kubernetesVersion"]],
            ["a name", { clusterName: "my cluster" }, ["clusterName"]],
            [
                "a session as principal",
                { access: { ci: { principalArn: "arn:aws:sts::123456789012:assumed-role/ci/x" } } },
                ["access.ci.principalArn"],
            ],
            ["nobody as principal", { access: { ci: {} } }, ["access.ci.principalArn"]],
            [
                "a principal twice",
                { access: { a: { principalArn: ci }, b: { principalArn: ci } } },
                ["access.b.principalArn"],
            ],
            ["no namespace", { access: { ci: { principalArn: ci, namespaces: [] } } }, ["access.ci.namespaces"]],
            ["a namespace", { access: { ci: { principalArn: ci, namespaces: ["A"] } } }, ["access.ci.namespaces[0]"]],
            ["an unknown policy", { access: { ci: { principalArn: ci, policy: "Admin" } } }, ["access.ci.policy"]],
            ["an alias as key", { secretsKeyArn: "alias/eks" }, ["secretsKeyArn"]],
            ["a log", { logTypes: ["kubelet"] }, ["logTypes[0]"]],
            ["a retention period", { logRetentionDays: 100 }, ["logRetentionDays"]],
            ["public Services", { serviceCidr: "8.8.0.0/16" }, ["serviceCidr"]],
            ["too few Services", { serviceCidr: "172.20.0.0/28" }, ["serviceCidr"]],
            ["no system nodes", { systemNodes: { scaling: { min: 0, max: 2 } } }, ["systemNodes.scaling.min"]],
            ["a small disk", { systemNodes: { diskSizeGiB: 10 } }, ["systemNodes.diskSizeGiB"]],
            ["a type", { systemNodes: { instanceTypes: ["large"] } }, ["systemNodes.instanceTypes[0]"]],
            ["an add-on's version", { addons: { coredns: { version: "latest" } } }, ["addons.coredns.version"]],
            ["an unknown add-on", { addons: { ebs: {} } }, ["addons.ebs"]],
            ["an unknown setting", { version: "1.36" }, ["version"]],
        ];
        for (const [what, args, expected] of bad) {
            it(what, () => assert.deepEqual(paths(args), expected));
        }
        it("Services among the VPC's addresses, also where the VPC is looked up", async () => {
            for (const network of [minimal.network, pulumi.output(minimal.network)]) {
                const overlapping = made({ network, serviceCidr: "10.20.0.0/16" });
                await assert.rejects(overlapping, /serviceCidr: 10\.20\.0\.0\/16 overlaps with the VPC/);
            }
        });
        it("everything at once", async () => {
            const args = { zones: ["eu-west-1a"], publicAccessCidrs: [], kubernetesVersion: "1.20", clusterName: "" };
            await assert.rejects(made(args), /PlatformCluster "platform" cannot be deployed like this, 4 problem/);
        });
    });
});
