import * as assert from "node:assert/strict";
import { judgeAwsLoadBalancers } from "../../../policy-pack/judge/awsLoadBalancers";
import { UNKNOWN } from "../../../policy-pack/plain";
import type { Rule } from "../../../policy-pack/rule";
import { rule as database } from "../../../policy-pack/rules/databaseNotPublic";
import { rule as endpoint } from "../../../policy-pack/rules/eksEndpointNotPublic";
import { group, modern, open, WORLD } from "./groups";
import { fails, found, type Made, passes, waits } from "./helpers";

describe("database-not-public", () => {
    const instance = (props: Record<string, unknown> = {}, from: Record<string, string[]> = {}): Made => ({
        type: "aws:rds/instance:Instance",
        name: "db",
        props: { engine: "postgres", ...props },
        from,
    });
    const admits = (cidr: string, port = 5432, to = port): Made => ({
        type: "aws:ec2/securityGroup:SecurityGroup",
        name: "group",
        props: { id: "sg-1", ingress: [{ protocol: "tcp", fromPort: port, toPort: to, cidrBlocks: [cidr] }] },
    });
    const bad: Record<string, Made[]> = {
        "a public address": [instance({ publiclyAccessible: true })],
        "a public address as text": [instance({ publiclyAccessible: "true" })],
        "a member of a cluster": [
            { type: "aws:rds/clusterInstance:ClusterInstance", props: { publiclyAccessible: true } },
        ],
        "a warehouse": [{ type: "aws:redshift/cluster:Cluster", props: { publiclyAccessible: true } }],
        "CloudFormation's type": [{ type: "aws-native:rds:DbInstance", props: { publiclyAccessible: true } }],
        "its port, in a group of which nothing else is known": [admits(WORLD)],
        "a range around its port": [instance({ vpcSecurityGroupIds: ["sg-1"] }), admits(WORLD, 5000, 6000)],
        "a group that is not made yet": [
            instance({ vpcSecurityGroupIds: [UNKNOWN] }, { vpcSecurityGroupIds: ["group"] }),
            admits(WORLD, 0, 65535),
        ],
        "a port of its own": [instance({ vpcSecurityGroupIds: ["sg-1"], port: 6000 }), admits(WORLD, 6000)],
        "two rules together": [
            instance({ vpcSecurityGroupIds: ["sg-1"] }),
            admits("1.0.0.0/8"),
            modern({ fromPort: 5432, toPort: 5432, cidrIpv4: "2.0.0.0/8" }),
        ],
        "the default group": [
            instance(),
            {
                type: "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup",
                props: { ingress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: [WORLD] }] },
            },
        ],
        "a cluster of DocumentDB": [
            { type: "aws:docdb/cluster:Cluster", props: { vpcSecurityGroupIds: ["sg-1"] } },
            admits(WORLD, 27000, 27100),
        ],
        "nonsense in the place of a truth value": [instance({ publiclyAccessible: "yes" })],
    };
    for (const [title, made] of Object.entries(bad)) {
        it(`refuses: ${title}`, () => fails(database, made));
    }
    const good: Record<string, Made[]> = {
        "nothing said": [instance()],
        said: [instance({ publiclyAccessible: false })],
        "a group for the network": [instance({ vpcSecurityGroupIds: ["sg-1"] }), admits("10.0.0.0/8")],
        "an open web server beside it": [instance({ vpcSecurityGroupIds: ["sg-2"] }), admits(WORLD, 443)],
        "another port of its group": [instance({ vpcSecurityGroupIds: ["sg-1"] }), admits(WORLD, 443)],
        "an office": [instance({ vpcSecurityGroupIds: ["sg-1"] }), admits("203.0.113.0/24")],
    };
    for (const [title, made] of Object.entries(good)) {
        it(`takes: ${title}`, () => passes(database, made));
    }
    it("waits for what is not known", () => {
        waits(database, [instance({ publiclyAccessible: UNKNOWN })]);
        waits(database, [instance({ vpcSecurityGroupIds: ["sg-1"], port: UNKNOWN }), admits(WORLD, 443)]);
    });
    it("says an open port once, whoever uses the group", () =>
        assert.deepEqual(found(database, [instance({ vpcSecurityGroupIds: ["sg-1"] }), admits(WORLD)]), [
            "group ingress[0]",
        ]));
});

describe("eks-endpoint-not-public", () => {
    const cluster = (vpcConfig: unknown): Made[] => [
        { type: "aws:eks/cluster:Cluster", name: "c", props: { vpcConfig } },
    ];
    it("refuses the default and the internet", () => {
        assert.deepEqual(found(endpoint, cluster({ subnetIds: [] })), ["c vpcConfig.endpointPublicAccess"]);
        fails(endpoint, cluster({ endpointPublicAccess: true }));
        fails(endpoint, cluster({ endpointPublicAccess: true, publicAccessCidrs: [] }));
        assert.deepEqual(found(endpoint, cluster({ publicAccessCidrs: [WORLD] })), ["c vpcConfig.publicAccessCidrs"]);
        fails(endpoint, cluster({ publicAccessCidrs: ["0.0.0.0/1", "128.0.0.0/1"] }));
        fails(endpoint, [
            { type: "aws-native:eks:Cluster", props: { resourcesVpcConfig: { endpointPublicAccess: true } } },
        ]);
    });
    it("takes a private one and listed networks", () => {
        passes(endpoint, cluster({ endpointPublicAccess: false, endpointPrivateAccess: true }));
        passes(endpoint, cluster({ endpointPublicAccess: true, publicAccessCidrs: ["203.0.113.0/24"] }));
        passes(endpoint, cluster({ endpointPublicAccess: false, publicAccessCidrs: [WORLD] }));
    });
    it("waits for what is not known", () => {
        waits(endpoint, cluster({ endpointPublicAccess: UNKNOWN }));
        waits(endpoint, cluster({ endpointPublicAccess: true, publicAccessCidrs: [UNKNOWN] }));
        waits(endpoint, cluster({ endpointPublicAccess: true, publicAccessCidrs: UNKNOWN }));
        waits(endpoint, cluster(UNKNOWN));
    });
});

describe("load balancers on AWS", () => {
    const rule = { name: "x", stack: judgeAwsLoadBalancers } as unknown as Rule;
    const balancer = (props: Record<string, unknown>): Made => ({ type: "aws:lb/loadBalancer:LoadBalancer", props });
    const web = (cidr: string): Made => ({
        ...group(open({ fromPort: 443, toPort: 443, cidrBlocks: [cidr] })),
        props: { id: "sg-1", ingress: [open({ fromPort: 443, toPort: 443, cidrBlocks: [cidr] })] },
    });
    it("refuses one that everybody reaches", () => {
        fails(rule, [balancer({ securityGroups: ["sg-1"] }), web(WORLD)]);
        fails(rule, [balancer({ internal: false, loadBalancerType: "network" })]);
        fails(rule, [{ ...balancer({ securityGroups: [UNKNOWN] }), from: { securityGroups: ["group"] } }, web("::/0")]);
    });
    it("takes internal ones and those for listed networks", () => {
        passes(rule, [balancer({ internal: true, securityGroups: ["sg-1"] }), web(WORLD)]);
        passes(rule, [balancer({ securityGroups: ["sg-1"] }), web("203.0.113.0/24")]);
        passes(rule, [balancer({ loadBalancerType: "gateway" })]);
    });
    it("waits for what is not known", () => {
        waits(rule, [balancer({ internal: UNKNOWN })]);
        waits(rule, [balancer({ securityGroups: UNKNOWN })]);
        waits(rule, [balancer({ securityGroups: ["sg-9"] })]);
    });
});
