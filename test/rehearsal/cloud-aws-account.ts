import assert from "node:assert/strict";
import { packages } from "../../rehearsal/cloud/packages";
import { Cloud, type CloudOptions } from "../../rehearsal/cloud/shell/cloud";
import { SimulatedProvider, type Checked } from "../../rehearsal/cloud/shell/provider";
import type { Properties } from "../../rehearsal/cloud/shell/type";
import type { WorldObject } from "../../rehearsal/cloud/shell/world";

const aws = packages.find(({ name }) => name === "aws")!;

/** A simulated account without an engine: what a test makes, changes and deletes through the AWS provider. */
export class Account {
    readonly cloud: Cloud;
    readonly provider: SimulatedProvider;

    constructor(options: CloudOptions = {}, config: Properties = {}) {
        this.cloud = new Cloud(packages, options);
        this.provider = new SimulatedProvider(this.cloud, aws, config);
    }

    /** Another provider of the same cloud, such as one of another account or region. */
    as(config: Properties): SimulatedProvider {
        return new SimulatedProvider(this.cloud, aws, config);
    }

    check(token: string, inputs: Properties, olds?: Properties, name = "it"): Checked {
        return this.provider.check(subject(token, name), inputs, olds);
    }

    /** The paths of what is refused about inputs. */
    refused(token: string, inputs: Properties): string[] {
        return this.check(token, inputs).failures.map(({ property }) => property);
    }

    async make(token: string, inputs: Properties, name = "it"): Promise<WorldObject> {
        const checked = this.check(token, inputs, undefined, name);
        assert.deepEqual(checked.failures, [], `${token} ${name}`);
        const { id, notReady } = await this.provider.create(subject(token, name), checked.inputs);
        assert.equal(notReady, undefined);
        return this.get(token, id)!;
    }

    async change(object: WorldObject, news: Properties): Promise<WorldObject> {
        const checked = this.check(object.token, { ...object.inputs, ...news }, object.inputs);
        assert.deepEqual(checked.failures, []);
        await this.provider.update(subject(object.token), object.id, checked.inputs);
        return this.get(object.token, object.id)!;
    }

    /** The inputs whose change would replace the object. */
    replacedBy(object: WorldObject, news: Properties): string[] {
        return this.provider.diff(object.token, object.inputs, { ...object.inputs, ...news }).replaces;
    }

    remove(object: WorldObject): Promise<void> {
        return this.provider.delete(subject(object.token), object.id, object.inputs);
    }

    get(token: string, id: string): WorldObject | undefined {
        return this.provider.worldFor().get(token, id);
    }

    all(token: string): WorldObject[] {
        return this.provider.worldFor().all(token);
    }

    /** A VPC with one subnet in each of so many zones, and a way out. */
    async network(zones = ["us-east-1a", "us-east-1b"]): Promise<{ vpc: WorldObject; subnets: WorldObject[] }> {
        const vpc = await this.make("aws:ec2/vpc:Vpc", { cidrBlock: "10.0.0.0/16", enableDnsHostnames: true });
        const gateway = await this.make("aws:ec2/internetGateway:InternetGateway", { vpcId: vpc.id });
        const subnets = [];
        for (const [index, availabilityZone] of zones.entries()) {
            const inputs = {
                vpcId: vpc.id,
                availabilityZone,
                cidrBlock: `10.0.${index}.0/24`,
                mapPublicIpOnLaunch: true,
            };
            subnets.push(await this.make("aws:ec2/subnet:Subnet", inputs, availabilityZone));
        }
        await this.make("aws:ec2/route:Route", {
            routeTableId: vpc.outputs.defaultRouteTableId,
            destinationCidrBlock: "0.0.0.0/0",
            gatewayId: gateway.id,
        });
        return { vpc, subnets };
    }

    /** A role that a service may assume. */
    role(name: string, service: string): Promise<WorldObject> {
        const Statement = [
            { Effect: "Allow", Action: ["sts:AssumeRole", "sts:TagSession"], Principal: { Service: service } },
        ];
        const assumeRolePolicy = JSON.stringify({ Version: "2012-10-17", Statement });
        return this.make("aws:iam/role:Role", { name, assumeRolePolicy }, name);
    }

    /** A cluster in a network of its own. */
    async cluster(
        inputs: Properties = {},
    ): Promise<{ cluster: WorldObject; vpc: WorldObject; subnets: WorldObject[] }> {
        const { vpc, subnets } = await this.network();
        const role = await this.role("control", "eks.amazonaws.com");
        const subnetIds = subnets.map(({ id }) => id);
        const cluster = await this.make("aws:eks/cluster:Cluster", {
            name: "platform",
            version: "1.36",
            roleArn: role.outputs.arn,
            vpcConfig: { subnetIds },
            accessConfig: { authenticationMode: "API" },
            ...inputs,
        });
        return { cluster, vpc, subnets };
    }

    /** A role that nodes can work with. */
    async nodeRole(): Promise<WorldObject> {
        const role = await this.role("nodes", "ec2.amazonaws.com");
        for (const policy of ["AmazonEKSWorkerNodePolicy", "AmazonEC2ContainerRegistryPullOnly"]) {
            const policyArn = `arn:aws:iam::aws:policy/${policy}`;
            await this.make("aws:iam/rolePolicyAttachment:RolePolicyAttachment", { role: role.id, policyArn });
        }
        return role;
    }
}

export function subject(token: string, name = "it") {
    return { token, name, urn: `urn:pulumi:test::project::${token}::${name}` };
}

/** Asserts that the API refuses, with its own error code. */
export async function refuses(code: string, operation: () => Promise<unknown>): Promise<void> {
    await assert.rejects(operation, (error: Error) => {
        assert.ok(error.message.startsWith(`${code}:`), `expected ${code}, got ${error.message}`);
        return true;
    });
}
