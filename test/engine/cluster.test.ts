import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { node, platform } from "../rehearsal/cloud-kubernetes-fixture";
import { type Rehearsal, Rehearsals } from "./harness";

const program = "test/engine/programs/cluster";
const zones = ["eu-west-1a", "eu-west-1b"];

const absent = {
    network: null,
    existingNetwork: null,
    cluster: null,
    existingCluster: null,
    zones: null,
    inCluster: null,
};

function rehearser(rehearsals: Rehearsals, world: string, more: Partial<Rehearsal> = {}) {
    return (verb: Rehearsal["verb"], parts: Record<string, unknown> = {}) =>
        rehearsals.run({
            ...{ verb, program, world, policy: false, ...more },
            // Settings stay from one rehearsal to the next unless they are unset.
            set: Object.entries({ ...absent, ...parts }).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
        });
}

type Rehearsed = Awaited<ReturnType<ReturnType<typeof rehearser>>>;

/** What the engine did with resources of a type, by logical name: only what is not "same". */
function done({ events }: Rehearsed, type: string): Record<string, string[]> {
    const result: Record<string, string[]> = {};
    for (const event of events) {
        const metadata = (event.resOutputsEvent ?? event.resOpFailedEvent)?.metadata;
        if (metadata?.type === type && metadata.op !== "same") {
            (result[metadata.urn.split("::").pop() ?? ""] ??= []).push(metadata.op);
        }
    }
    return result;
}

/** The order in which the cloud carried operations out, as `op name`. */
const made = ({ operations }: Rehearsed) =>
    operations
        .filter(({ op }) => op === "create" || op === "delete")
        .map(({ op, token, name }) => `${op} ${token.split(":").pop()} ${name}`);
const before = (rehearsed: Rehearsed, first: string, second: string) => {
    const all = made(rehearsed);
    const [a, b] = [all.indexOf(first), all.indexOf(second)];
    assert.ok(a >= 0 && b >= 0, `${first} or ${second} is not among ${all.join(", ")}`);
    assert.ok(a < b, `${first} comes after ${second}`);
};
const succeeds = (rehearsed: Rehearsed) => assert.equal(rehearsed.exitCode, 0, rehearsed.problems());
const refused = (rehearsed: Rehearsed, why: RegExp) => {
    assert.notEqual(rehearsed.exitCode, 0, "it was not refused");
    assert.match(rehearsed.problems(), why);
    assert.deepEqual(made(rehearsed), [], "something was made or deleted before it was refused");
};

describe("Network and cluster on the engine", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    const rehearse = rehearser(rehearsals, "cluster");
    after(() => rehearsals.remove());
    const parts = { network: {}, cluster: { kubernetesVersion: "1.35" }, inCluster: true };
    const later = { ...parts, cluster: { kubernetesVersion: "1.36" }, zones: [...zones, "eu-west-1c"] };
    let kubeconfig: unknown;

    it("come up: subnets by zone, nodes after their add-ons, DNS after nodes", async () => {
        const up = await rehearse("up", parts);
        succeeds(up);
        kubeconfig = up.outputs.kubeconfig;
        const network = up.outputs.networkInfo as { privateSubnetIds: Record<string, string> };
        const subnet = up.resources.find(({ id }) => id === network.privateSubnetIds["eu-west-1b"]);
        assert.equal(subnet?.outputs?.availabilityZone, "eu-west-1b", "keyed by the zone in which it really is");
        const endpoint = up.resources.find(({ type }) => type === "aws:ec2/vpcEndpoint:VpcEndpoint");
        assert.equal((endpoint?.outputs?.routeTableIds as string[]).length, 4, "S3's endpoint serves all route tables");
        before(up, "create Addon platform-vpc-cni", "create NodeGroup platform-system");
        before(up, "create Addon platform-kube-proxy", "create NodeGroup platform-system");
        before(up, "create NodeGroup platform-system", "create Addon platform-coredns");
        const { info } = up.outputs as { info: { nodeSecurityGroupIds: string[]; kubernetesVersion: string } };
        assert.equal(info.kubernetesVersion, "1.35");
        const cluster = up.resources.find(({ type }) => type === "aws:eks/cluster:Cluster");
        const { clusterSecurityGroupId } = cluster?.outputs?.vpcConfig as { clusterSecurityGroupId: string };
        assert.deepEqual(info.nodeSecurityGroupIds, [clusterSecurityGroupId]);
    });
    it("are found by another program as they are", async () => {
        const { info, networkInfo } = (await rehearsals.outputs({ program })) as {
            info: { name: string };
            networkInfo: { vpcId: string };
        };
        const other = rehearser(rehearsals, "cluster", { stack: "other" });
        const up = await other("up", {
            existingNetwork: { vpcId: networkInfo.vpcId },
            existingCluster: { clusterName: info.name },
        });
        succeeds(up);
        assert.deepEqual(up.outputs.info, info);
        assert.deepEqual(made(up), [], "nothing is made at AWS");
        refused(await other("preview", { existingCluster: { clusterName: "nobody" } }), /has no cluster "nobody"/);
    });
    it("refuse in the preview zones in another order, and to skip a version", async () => {
        const reordered = { ...parts, zones: [...zones].reverse() };
        refused(await rehearse("preview", reordered), /AirflowNetwork "network": .*zones can only be appended/);
        const skipped = { ...parts, cluster: { kubernetesVersion: "1.37" } };
        refused(await rehearse("preview", skipped), /1\.35 cannot become 1\.37 at once.*Deploy 1\.36 first/);
    });
    it("take a zone and the next version in place: control plane, add-ons, nodes", async () => {
        const up = await rehearse("up", later);
        succeeds(up);
        assert.deepEqual(Object.values(done(up, "aws:ec2/subnet:Subnet")), [["create"], ["create"]]);
        assert.deepEqual(Object.values(done(up, "aws:eks/cluster:Cluster")), [["update"]]);
        assert.deepEqual(done(up, "kubernetes:core/v1:ConfigMap"), {}, "what is in the cluster is not touched");
        assert.equal(up.outputs.kubeconfig, kubeconfig);
        const again = await rehearse("up", later);
        succeeds(again);
        assert.deepEqual(made(again), []);
    });
    it("leave nothing behind but the key, and routes last", async () => {
        const destroyed = await rehearse("destroy", later);
        succeeds(destroyed);
        assert.deepEqual(destroyed.resources, []);
        before(destroyed, "delete ConfigMap note", "delete Cluster platform-eksCluster");
        before(destroyed, "delete Addon platform-coredns", "delete NodeGroup platform-system");
        before(destroyed, "delete NodeGroup platform-system", "delete Addon platform-vpc-cni");
        before(destroyed, "delete NodeGroup platform-system", "delete NatGateway network-1");
        const kept = destroyed.leftBehind.map(({ type }) => type);
        assert.deepEqual(
            kept.filter((type) => type !== "aws:kms/key:Key"),
            [],
        );
    });
});

/** A cluster that others made: its API is private, and nobody has told IAM of its issuer. */
function privateCluster(directory: string): string {
    const vpcConfig = {
        ...{ vpcId: "vpc-1", subnetIds: zones.map((zone) => `subnet-${zone}`), clusterSecurityGroupId: "sg-nodes" },
        ...{ endpointPrivateAccess: true, endpointPublicAccess: false },
    };
    const more = { vpcConfig, status: "ACTIVE", certificateAuthority: { data: "Q0E=" } };
    const objects = platform()
        .filter(({ token }) => token !== OIDC_PROVIDER)
        .map((one) =>
            one.token === "aws:eks/cluster:Cluster" ? { ...one, outputs: { ...one.outputs, ...more } } : one,
        );
    const file = path.join(directory, "seed.json");
    fs.writeFileSync(file, JSON.stringify([...objects, node("node-c", "eu-west-1a")]));
    return file;
}
const OIDC_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider";

describe("A private cluster that is there, on the engine", function () {
    this.timeout(300_000);
    const rehearsals = new Rehearsals();
    const rehearse = rehearser(rehearsals, "private", { seed: privateCluster(rehearsals.directory), policy: true });
    after(() => rehearsals.remove());
    const existing = { clusterName: "platform", privateEndpointReachable: true };

    it("is refused in the preview where it cannot be reached, and without its OIDC provider", async () => {
        const unreachable = { clusterName: "platform", oidcProvider: "Create" };
        refused(await rehearse("preview", { existingCluster: unreachable }), /reachable from its VPC only/);
        refused(await rehearse("preview", { existingCluster: existing }), /no IAM OIDC provider .* set Create/);
    });
    it("gets its OIDC provider, which goes with the stack, and nothing else", async () => {
        const parts = { existingCluster: { ...existing, oidcProvider: "Create" }, inCluster: true };
        const up = await rehearse("up", parts);
        succeeds(up);
        assert.deepEqual(made(up), ["create OpenIdConnectProvider platform-oidc", "create ConfigMap note"]);
        const { oidcProviderArn, oidcIssuer } = up.outputs.info as Record<string, string>;
        assert.equal(oidcProviderArn, `arn:aws:iam::123456789012:oidc-provider/${oidcIssuer}`);
        const destroyed = await rehearse("destroy", parts);
        succeeds(destroyed);
        assert.deepEqual(made(destroyed), ["delete ConfigMap note", "delete OpenIdConnectProvider platform-oidc"]);
    });
});
