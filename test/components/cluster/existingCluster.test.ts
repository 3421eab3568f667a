import assert from "node:assert/strict";
import {
    ExistingCluster,
    OidcProviderSource,
    checkExistingClusterArgs,
} from "../../../components/cluster/existingCluster";
import type { Loose } from "../mocks";
import { simulate } from "../mocks";

const zones = ["eu-west-1a", "eu-west-1b"];
const issuer = "oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF";
const subnets: Record<string, Loose> = {
    "subnet-a": { zone: "eu-west-1a" },
    "subnet-b": { zone: "eu-west-1b" },
    "subnet-b2": { zone: "eu-west-1b" },
    "subnet-pub-a": { zone: "eu-west-1a", isPublic: true },
    "subnet-c": { zone: "eu-west-1c" },
    "subnet-foreign": { zone: "eu-west-1b", vpc: "vpc-2" },
};

interface Answers {
    cluster?: Loose;
    vpcConfig?: Loose;
    addons?: Record<string, Loose>;
    tagged?: string[];
    provider?: boolean;
}

function calls({
    cluster,
    vpcConfig,
    addons = {},
    tagged = [],
    provider = true,
}: Answers): Record<string, (inputs: Loose) => Loose> {
    return {
        "aws:eks/getCluster:getCluster": ({ name }) => {
            if (name !== "shared") {
                throw new Error(`ResourceNotFoundException: No cluster found for name: ${name}.`);
            }
            return {
                name,
                status: "ACTIVE",
                version: "1.35",
                endpoint: "https://api",
                certificateAuthorities: [{ data: "Q0E=" }],
                identities: [{ oidcs: [{ issuer: `https://${issuer}` }] }],
                vpcConfig: {
                    vpcId: "vpc-1",
                    subnetIds: ["subnet-a", "subnet-b", "subnet-pub-a"],
                    clusterSecurityGroupId: "sg-cluster",
                    endpointPublicAccess: true,
                    ...vpcConfig,
                },
                ...cluster,
            };
        },
        "aws:ec2/getVpc:getVpc": ({ id }) => ({ id, cidrBlock: "10.0.0.0/16" }),
        "aws:ec2/getSubnet:getSubnet": ({ id }) => {
            const subnet = subnets[id];
            if (!subnet) {
                throw new Error("no matching EC2 Subnet found");
            }
            return {
                id,
                vpcId: subnet.vpc ?? "vpc-1",
                availabilityZone: subnet.zone,
                mapPublicIpOnLaunch: subnet.isPublic ?? false,
            };
        },
        "aws:ec2/getSubnets:getSubnets": () => ({ ids: tagged }),
        "aws:eks/getAddon:getAddon": ({ addonName }) => {
            if (!addons[addonName]) {
                throw new Error(`ResourceNotFoundException: No addon: ${addonName} found in cluster: shared`);
            }
            return { addonName, ...addons[addonName] };
        },
        "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": ({ url }) => {
            if (!provider) {
                throw new Error("finding IAM OIDC Provider by url: not found");
            }
            return { arn: `arn:aws:iam::123456789012:oidc-provider/${url.replace("https://", "")}` };
        },
    };
}

const found = (args: Loose = {}, answers: Answers = {}) =>
    simulate(
        () => {
            const cluster = new ExistingCluster("shared", { clusterName: "shared", zones, ...args });
            return { info: cluster.info, schedulable: cluster.schedulable, kubeconfig: cluster.kubeconfig };
        },
        { calls: calls(answers) },
    );

describe("ExistingCluster", () => {
    it("finds everything that components know of a cluster, and creates nothing", async () => {
        const s = await found();
        assert.deepEqual(s.result.info, {
            name: "shared",
            kubernetesVersion: "1.35",
            endpoint: "https://api",
            certificateAuthority: "Q0E=",
            oidcProviderArn: `arn:aws:iam::123456789012:oidc-provider/${issuer}`,
            oidcIssuer: issuer,
            region: "eu-west-1",
            partition: "aws",
            accountId: "123456789012",
            vpcId: "vpc-1",
            vpcCidr: "10.0.0.0/16",
            nodeSubnetIds: { "eu-west-1a": "subnet-a", "eu-west-1b": "subnet-b" },
            nodeSecurityGroupIds: ["sg-cluster"],
            prefixDelegation: false,
            podIdentityAgent: false,
            cniOnNodeRole: true,
        });
        assert.deepEqual(s.result.schedulable, s.result.info);
        assert.match(s.result.kubeconfig, /"get-token","--cluster-name","shared"/);
        assert.equal(s.resources.length, 1);
    });
    it("takes an issuer with or without https://", async () => {
        const plainIssuer = { identities: [{ oidcs: [{ issuer: `${issuer}/` }] }] };
        assert.equal((await found({}, { cluster: plainIssuer })).result.info.oidcIssuer, issuer);
    });
    it("makes the OIDC provider when told so", async () => {
        const s = await found({ oidcProvider: OidcProviderSource.Create }, { provider: false });
        const provider = s.one("aws:iam/openIdConnectProvider:OpenIdConnectProvider");
        assert.deepEqual(provider.inputs, { url: `https://${issuer}`, clientIdLists: ["sts.amazonaws.com"] });
        assert.match(s.result.info.oidcProviderArn, /shared-oidc$/);
    });
    it("asks the add-ons", async () => {
        const role = {
            serviceAccountRoleArn: "arn:aws:iam::123456789012:role/cni",
            configurationValues: "env:\n  ENABLE_PREFIX_DELEGATION: 'true'\n",
        };
        const { info } = (await found({}, { addons: { "vpc-cni": role, "eks-pod-identity-agent": {} } })).result;
        assert.deepEqual([info.prefixDelegation, info.podIdentityAgent, info.cniOnNodeRole], [true, true, false]);
        const json = { configurationValues: '{"env":{"ENABLE_PREFIX_DELEGATION":"true"}}' };
        assert.equal((await found({}, { addons: { "vpc-cni": json } })).result.info.prefixDelegation, true);
        const off = { configurationValues: '{"env":{"ENABLE_PREFIX_DELEGATION":"false"}}' };
        assert.equal((await found({}, { addons: { "vpc-cni": off } })).result.info.prefixDelegation, false);
        const associated = { podIdentityAssociations: [{ roleArn: "arn:aws:iam::123456789012:role/cni" }] };
        assert.equal((await found({}, { addons: { "vpc-cni": associated } })).result.info.cniOnNodeRole, false);
    });
    it("takes the settings' word where add-ons cannot be asked", async () => {
        const { info } = (await found({ prefixDelegation: true, podIdentityAgent: true, cniOnNodeRole: false })).result;
        assert.deepEqual([info.prefixDelegation, info.podIdentityAgent, info.cniOnNodeRole], [true, true, false]);
    });
    it("takes security groups and subnets that are named", async () => {
        const { info } = (
            await found({ nodeSecurityGroupIds: ["sg-1", "sg-2"], nodeSubnetIds: { "eu-west-1b": "subnet-b2" } })
        ).result;
        assert.deepEqual(info.nodeSecurityGroupIds, ["sg-1", "sg-2"]);
        assert.deepEqual(info.nodeSubnetIds, { "eu-west-1a": "subnet-a", "eu-west-1b": "subnet-b2" });
    });
    it("finds a zone that came after the cluster by tag", async () => {
        const { info } = (await found({ zones: [...zones, "eu-west-1c"] }, { tagged: ["subnet-c"] })).result;
        assert.equal(info.nodeSubnetIds["eu-west-1c"], "subnet-c");
    });

    describe("refuses in the preview", () => {
        const bad: [string, Loose, Answers, RegExp][] = [
            [
                "a cluster that is not there",
                { clusterName: "other" },
                {},
                /clusterName: account 123456789012 has no cluster "other" in eu-west-1/,
            ],
            [
                "one that is too old",
                {},
                { cluster: { version: "1.29" } },
                /runs Kubernetes 1\.29; the components need 1\.34 or newer/,
            ],
            ["one that is not active", {}, { cluster: { status: "CREATING" } }, /shared is CREATING/],
            ["one without issuer", {}, { cluster: { identities: [] } }, /has no OIDC issuer/],
            [
                "a private endpoint",
                {},
                { vpcConfig: { endpointPublicAccess: false } },
                /privateEndpointReachable: the API of shared is reachable from its VPC only/,
            ],
            [
                "a missing OIDC provider",
                {},
                { provider: false },
                /oidcProvider: the account has no IAM OIDC provider .* set Create/,
            ],
            ["zones of another region", { zones: ["us-east-1a"] }, {}, /us-east-1a is not in eu-west-1/],
            [
                "two subnets in a zone",
                {},
                { vpcConfig: { subnetIds: ["subnet-a", "subnet-b", "subnet-b2"] } },
                /nodeSubnetIds\.eu-west-1b: there are 2 private subnets .*\(subnet-b, subnet-b2\)/,
            ],
            [
                "no private subnet in a zone",
                {},
                { vpcConfig: { subnetIds: ["subnet-pub-a", "subnet-b"] } },
                /nodeSubnetIds\.eu-west-1a: neither the cluster nor its VPC/,
            ],
            [
                "a subnet of another VPC",
                { nodeSubnetIds: { "eu-west-1b": "subnet-foreign" } },
                {},
                /subnet-foreign lies in vpc-2, not in vpc-1/,
            ],
            [
                "a subnet of another zone",
                { nodeSubnetIds: { "eu-west-1b": "subnet-a" } },
                {},
                /subnet-a lies in eu-west-1a, not in eu-west-1b/,
            ],
            ["a subnet that is not there", { nodeSubnetIds: { "eu-west-1b": "subnet-9" } }, {}, /no subnet subnet-9/],
        ];
        for (const [what, args, answers, message] of bad) {
            it(what, async () => assert.rejects(found(args, answers), message));
        }
        it("but not a private endpoint with a declared path to it", async () => {
            await found({ privateEndpointReachable: true }, { vpcConfig: { endpointPublicAccess: false } });
        });
        it("with everything at once", async () => {
            const answers = {
                cluster: { version: "1.29", status: "UPDATING" },
                vpcConfig: { endpointPublicAccess: false, subnetIds: [] },
            };
            await assert.rejects(found({}, answers), /5 problem\(s\)/);
        });
        it("and passes on other failures", async () => {
            const failing = calls({});
            failing["aws:eks/getAddon:getAddon"] = () => {
                throw new Error("AccessDeniedException: not authorized to perform eks:DescribeAddon");
            };
            const program = () => new ExistingCluster("shared", { clusterName: "shared", zones }).info;
            await assert.rejects(simulate(program, { calls: failing }), /AccessDenied/);
        });
    });

    it("refuses bad arguments at once", () => {
        const bad = {
            zones: ["a"],
            oidcProvider: "Make",
            nodeSecurityGroupIds: ["group"],
            nodeSubnetIds: { "eu-west-1c": "subnet-c" },
            name: "shared",
        } as Loose;
        assert.deepEqual(
            checkExistingClusterArgs(bad).map(({ path }) => path),
            ["oidcProvider", "name", "zones[0]", "clusterName", "nodeSecurityGroupIds[0]", "nodeSubnetIds.eu-west-1c"],
        );
        assert.deepEqual(
            checkExistingClusterArgs({ clusterName: "c", zones, nodeSecurityGroupIds: [] }).map(({ path }) => path),
            ["nodeSecurityGroupIds"],
        );
        assert.deepEqual(checkExistingClusterArgs({ clusterName: "c", zones }), []);
    });
});
