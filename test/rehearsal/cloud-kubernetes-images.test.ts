import * as assert from "node:assert/strict";
import { Bench, object, platform } from "./cloud-kubernetes-fixture";

const POD = "kubernetes:core/v1:Pod";

/** The fixture's cluster with one node, in a private subnet with a route table of its own. */
function bench(...routes: object[]): Bench {
    const all = platform();
    const nodes = all.filter(({ token }) => token === "kubernetes:core/v1:Node");
    for (const subnet of all.filter(({ token }) => token === "aws:ec2/subnet:Subnet")) {
        subnet.inputs.mapPublicIpOnLaunch = subnet.outputs.mapPublicIpOnLaunch = false;
    }
    const association = { routeTableId: "rtb-private", subnetId: "subnet-eu-west-1a" };
    return new Bench([
        ...all.filter((one) => !nodes.slice(1).includes(one)),
        object("aws:ec2/routeTable:RouteTable", "rtb-private", { vpcId: "vpc-1", routes }),
        object("aws:ec2/routeTableAssociation:RouteTableAssociation", "rtbassoc-1", association),
    ]);
}

/** What keeps a pod with this image from starting, if anything. */
async function problem(there: Bench, image: string): Promise<string | undefined> {
    const inputs = { metadata: { name: "pod", namespace: "default" }, spec: { containers: [{ name: "main", image }] } };
    return there.create(POD, "pod", inputs).then(
        () => undefined,
        (error: Error) => error.message,
    );
}

describe("Images", () => {
    const nat = { cidrBlock: "0.0.0.0/0", natGatewayId: "nat-1" };
    const gateway = { cidrBlock: "0.0.0.0/0", gatewayId: "igw-1" };
    const local = { cidrBlock: "10.1.0.0/16", vpcPeeringConnectionId: "pcx-1" };
    const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/busybox:1";
    const cases: [string, object[], string, boolean][] = [
        ["arrive through a NAT gateway", [nat], "public.ecr.aws/docker/library/busybox:1.37", true],
        ["do not arrive without a way to the internet", [local], "public.ecr.aws/docker/library/busybox:1.37", false],
        ["of Docker Hub do not either", [], "busybox", false],
        ["of ECR do, through its endpoints", [], ecr, true],
        ["of something that looks like ECR do not", [], `example.com/${ecr}`, false],
        ["do not arrive through an internet gateway on nodes with private addresses", [gateway], "busybox", false],
    ];
    for (const [what, routes, image, arrives] of cases) {
        it(what, async () => {
            const found = await problem(bench(...routes), image);
            if (arrives) {
                assert.equal(found, undefined);
            } else {
                assert.match(found ?? "", /Back-off pulling image .* has no way to the internet/);
            }
        });
    }
});
