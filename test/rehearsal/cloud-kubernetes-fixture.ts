import { aws } from "../../rehearsal/cloud/aws";
import { kubernetes } from "../../rehearsal/cloud/kubernetes";
import { Cluster } from "../../rehearsal/cloud/kubernetes/cluster";
import { reconcile } from "../../rehearsal/cloud/kubernetes/control/reconcile";
import { Cloud } from "../../rehearsal/cloud/shell/cloud";
import { SimulatedProvider } from "../../rehearsal/cloud/shell/provider";
import type { Properties } from "../../rehearsal/cloud/shell/type";
import type { WorldObject } from "../../rehearsal/cloud/shell/world";

const scope = "123456789012/eu-west-1";
const issuer = "oidc.eks.eu-west-1.amazonaws.com/id/ABC";
export const endpoint = "https://ABC.gr7.eu-west-1.eks.amazonaws.com";
export const kubeconfig = JSON.stringify({
    "current-context": "aws",
    contexts: [{ name: "aws", context: { cluster: "kubernetes" } }],
    clusters: [{ name: "kubernetes", cluster: { server: endpoint } }],
});

/** A node as a node group makes it. */
export function node(
    name: string,
    zone: string,
    more: { labels?: Properties; taints?: Properties[]; cpu?: string; memory?: string } = {},
): WorldObject {
    const labels = {
        "topology.kubernetes.io/zone": zone,
        "topology.kubernetes.io/region": "eu-west-1",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/os": "linux",
        "kubernetes.io/hostname": name,
        ...more.labels,
    };
    return {
        token: "kubernetes:core/v1:Node",
        id: name,
        scope: "platform",
        inputs: {},
        implicit: true,
        outputs: {
            apiVersion: "v1",
            kind: "Node",
            metadata: {
                name,
                labels,
                annotations: { "rehearsal/security-group-ids": "sg-nodes", "rehearsal/subnet-id": `subnet-${zone}` },
            },
            spec: { taints: more.taints ?? [] },
            status: {
                allocatable: { cpu: more.cpu ?? "1930m", memory: more.memory ?? "7Gi", pods: "29" },
                conditions: [{ type: "Ready", status: "True" }],
            },
        },
    };
}

/** An object of AWS, as if it had been made with these inputs. */
export function object(token: string, id: string, outputs: Properties): WorldObject {
    return { token, id, scope, inputs: outputs, outputs: { id, ...outputs } };
}

/** A role for an account of kube-system, by IRSA. */
export function role(name: string, account: string, actions: string[]): WorldObject[] {
    const condition = {
        StringEquals: {
            [`${issuer}:sub`]: `system:serviceaccount:kube-system:${account}`,
            [`${issuer}:aud`]: "sts.amazonaws.com",
        },
    };
    const trust = {
        Version: "2012-10-17",
        Statement: [
            {
                Effect: "Allow",
                Action: "sts:AssumeRoleWithWebIdentity",
                Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${issuer}` },
                Condition: condition,
            },
        ],
    };
    const policy = { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] };
    return [
        object("aws:iam/role:Role", name, {
            name,
            arn: `arn:aws:iam::123456789012:role/${name}`,
            assumeRolePolicy: JSON.stringify(trust),
        }),
        object("aws:iam/rolePolicy:RolePolicy", `${name}:p`, { role: name, policy: JSON.stringify(policy) }),
    ];
}

function addon(addonName: string, roleName?: string): WorldObject {
    return object("aws:eks/addon:Addon", `platform:${addonName}`, {
        clusterName: "platform",
        addonName,
        ...(roleName ? { serviceAccountRoleArn: `arn:aws:iam::123456789012:role/${roleName}` } : {}),
    });
}

const zones = ["eu-west-1a", "eu-west-1b"];

/** An EKS cluster in two zones with both CSI drivers, as other parts of the simulated cloud make it. */
export function platform(): WorldObject[] {
    return [
        object("aws:ec2/vpc:Vpc", "vpc-1", { cidrBlock: "10.0.0.0/16", mainRouteTableId: "rtb-1" }),
        object("aws:ec2/routeTable:RouteTable", "rtb-1", {
            vpcId: "vpc-1",
            routes: [{ cidrBlock: "0.0.0.0/0", gatewayId: "igw-1" }],
        }),
        ...zones.map((zone) =>
            object("aws:ec2/subnet:Subnet", `subnet-${zone}`, {
                vpcId: "vpc-1",
                availabilityZone: zone,
                mapPublicIpOnLaunch: true,
                tags: { "kubernetes.io/role/internal-elb": "1", "kubernetes.io/role/elb": "1" },
            }),
        ),
        object("aws:eks/cluster:Cluster", "platform", {
            name: "platform",
            endpoint,
            version: "1.36",
            arn: "arn:aws:eks:eu-west-1:123456789012:cluster/platform",
            vpcConfig: { vpcId: "vpc-1", subnetIds: zones.map((zone) => `subnet-${zone}`) },
            identities: [{ oidcs: [{ issuer: `https://${issuer}` }] }],
        }),
        object("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "oidc", {
            arn: `arn:aws:iam::123456789012:oidc-provider/${issuer}`,
            url: issuer,
            clientIdLists: ["sts.amazonaws.com"],
        }),
        ...role("ebs", "ebs-csi-controller-sa", ["ec2:*"]),
        ...role("efs", "efs-csi-controller-sa", ["elasticfilesystem:*"]),
        addon("aws-ebs-csi-driver", "ebs"),
        addon("aws-efs-csi-driver", "efs"),
        addon("snapshot-controller"),
        object("aws:ec2/securityGroup:SecurityGroup", "sg-nodes", {
            vpcId: "vpc-1",
            ingress: [],
            egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
        }),
        node("node-a", "eu-west-1a"),
        node("node-b", "eu-west-1b"),
    ];
}

/** The simulated cloud with a Kubernetes provider, driven without the engine. */
export class Bench {
    readonly cloud: Cloud;
    readonly provider: SimulatedProvider;

    constructor(objects: WorldObject[] = platform()) {
        this.cloud = new Cloud([aws, kubernetes]);
        // Nothing else is under way here: what is not ready now never will be.
        this.cloud.clock.until = (left) => Promise.resolve(left());
        this.cloud.universe.seed(objects);
        this.provider = new SimulatedProvider(this.cloud, kubernetes, { kubeconfig });
        this.settle();
    }

    get cluster(): Cluster {
        return new Cluster(this.cloud.universe.view(), "platform");
    }

    get world() {
        return this.cloud.universe.view();
    }

    settle(): void {
        this.cloud.universe.transaction(() => reconcile(this.cluster));
    }

    /** Checks and creates, as the engine does; findings and reasons are thrown. */
    async create(token: string, name: string, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
        const subject = { token, name, urn: `urn:pulumi:dev::test::${token}::${name}` };
        const checked = this.provider.check(subject, inputs);
        if (checked.failures.length > 0) {
            throw new Error(checked.failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
        }
        const made = await this.provider.create(subject, checked.inputs);
        if (made.notReady) {
            throw new Error(made.notReady.join("\n"));
        }
        return made;
    }

    async update(token: string, name: string, id: string, olds: Properties, news: Properties): Promise<Properties> {
        const subject = { token, name, urn: `urn:pulumi:dev::test::${token}::${name}` };
        const checked = this.provider.check(subject, news, olds);
        if (checked.failures.length > 0) {
            throw new Error(checked.failures.map(({ property, reason }) => `${property}: ${reason}`).join("\n"));
        }
        const made = await this.provider.update(subject, id, checked.inputs);
        if (made.notReady) {
            throw new Error(made.notReady.join("\n"));
        }
        return made.outputs;
    }

    async delete(token: string, id: string): Promise<void> {
        const object = this.cluster.aws.within("platform").get(token, id);
        await this.provider.delete({ token, name: id, urn: `urn:${id}` }, id, object?.inputs ?? {});
    }
}
