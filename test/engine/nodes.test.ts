import assert from "node:assert/strict";
import { type Rehearsal, Rehearsals } from "./harness";

const program = "test/engine/programs/cluster";
const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";

const absent = { nodes: null, spot: null, graviton: null, nvme: null, pod: null, knownTypes: null };
/** A network without a way to the internet, and a cluster whose API and nodes are private. */
const isolated = {
    network: {
        natGateways: "None",
        interfaceEndpoints: ["ec2", "ecr.api", "ecr.dkr", "eks", "eks-auth", "sts", "elasticfilesystem", "logs"],
        flowLogs: { trafficType: "ALL", retentionDays: 7 },
    },
    cluster: { privateEndpointReachable: true, prefixDelegation: true },
};

function rehearser(rehearsals: Rehearsals) {
    return (verb: Rehearsal["verb"], parts: Record<string, unknown> = {}, more: Partial<Rehearsal> = {}) =>
        rehearsals.run({
            ...{ verb, program, world: "nodes", policy: false },
            // Settings stay from one rehearsal to the next unless they are unset.
            set: Object.entries({ ...absent, ...isolated, ...parts }).map(
                ([key, value]) => `${key}=${JSON.stringify(value)}`,
            ),
            ...more,
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

const succeeds = (rehearsed: Rehearsed) => assert.equal(rehearsed.exitCode, 0, rehearsed.problems());
const scalingOf = ({ resources }: Rehearsed, name: string) =>
    resources.find(({ type, urn }) => type === NODE_GROUP && urn.endsWith(`::${name}`))?.outputs?.scalingConfig;

describe("Node groups on the engine", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    const rehearse = rehearser(rehearsals);
    after(() => rehearsals.remove());
    const spot = {
        instanceTypes: ["c5.large", "c5d.large", "c5a.large"],
        scaling: { min: 2, max: 3, desired: 2 },
        diskSizeGiB: 20,
    };

    const pod = { nodeSelector: { disk: "nvme" } };
    const mounted = { localStorage: "Mount", scaling: { min: 1, max: 1 } };

    it("come up in private: the article's spot group, Graviton, a group for each zone, disks for what pods write", async () => {
        const parts = {
            ...{ spot, graviton: {} },
            nodes: { groupPerZone: true, scaling: { min: 1, max: 2 } },
            nvme: { maxPods: 100, scaling: { min: 1, max: 1 } },
            // More than the root volume's 30 GiB.
            pod: { ...pod, storage: "40Gi" },
        };
        const up = await rehearse("up", parts, { policy: true });
        succeeds(up);
        const zonal = ["nodes-eu-west-1a", "nodes-eu-west-1b"];
        const groups = ["graviton", ...zonal, "nvme", "platform-system", "spot"];
        assert.deepEqual(Object.keys(done(up, NODE_GROUP)).sort(), groups);
        assert.deepEqual(scalingOf(up, "spot"), { minSize: 2, maxSize: 3, desiredSize: 2 });
        const { nodeSubnetIds } = up.outputs.info as { nodeSubnetIds: Record<string, string> };
        const subnetsOf = (name: string) =>
            up.resources.find(({ type, urn }) => type === NODE_GROUP && urn.endsWith(`::${name}`))?.inputs?.subnetIds;
        assert.deepEqual(zonal.map(subnetsOf), [[nodeSubnetIds["eu-west-1a"]], [nodeSubnetIds["eu-west-1b"]]]);
        const again = await rehearse("up", parts);
        succeeds(again);
        assert.deepEqual(Object.keys(again.changes ?? {}), ["same"], JSON.stringify(again.changes));
    });
    it("take a min above the size that they have, and go with the others, and disks become volumes in place", async () => {
        const up = await rehearse("up", { spot: { ...spot, scaling: { min: 4, max: 6 } }, nvme: mounted, pod });
        succeeds(up);
        assert.deepEqual(done(up, NODE_GROUP), {
            ...{ spot: ["update"], nvme: ["update"], graviton: ["delete"] },
            ...{ "nodes-eu-west-1a": ["delete"], "nodes-eu-west-1b": ["delete"] },
        });
        assert.deepEqual(scalingOf(up, "spot"), { minSize: 4, maxSize: 6, desiredSize: 4 });
        assert.deepEqual(done(up, "kubernetes:core/v1:PersistentVolume"), { "nvme-local-0": ["create"] });
    });
    it("roll in place to another template and other labels, and side by side to other types", async () => {
        const larger = { ...spot, scaling: { min: 4, max: 6 }, diskSizeGiB: 40 };
        const rolled = await rehearse("up", { spot: larger, nvme: { ...mounted, labels: { team: "data" } }, pod });
        succeeds(rolled);
        assert.deepEqual(done(rolled, NODE_GROUP), { spot: ["update"], nvme: ["update"] });
        // Its nodes could not be changed, and a claim is bound to it.
        assert.deepEqual(done(rolled, "kubernetes:core/v1:PersistentVolume"), {});
        const replaced = await rehearse("up", {
            spot: { ...larger, instanceTypes: ["c5.large", "c5d.large", "c5a.large", "c6i.large"] },
        });
        succeeds(replaced);
        const [first, ...others] = done(replaced, NODE_GROUP).spot;
        assert.equal(
            first,
            "create-replacement",
            `${[first, ...others].join(", ")}: the new group comes before the old one goes`,
        );
    });
    it("choose types once, and keep the choice when AWS has more, until other types are wanted", async () => {
        const requirements = { vcpus: 2, memoryGiB: 4, denyList: ["t.*"] };
        const parts = (more: object) => ({
            spot: { requirements: { ...requirements, ...more }, scaling: { min: 1, max: 2 } },
        });
        const typesIn = ({ resources }: Rehearsed) =>
            resources.find(({ type, urn }) => type === NODE_GROUP && urn.endsWith("::spot"))?.inputs
                ?.instanceTypes as string[];
        const early = await rehearse("up", { ...parts({}), knownTypes: "c5*" });
        succeeds(early);
        assert.deepEqual(typesIn(early).sort(), ["c5.large", "c5a.large", "c5ad.large", "c5d.large"]);
        // The same, in other words.
        assert.deepEqual(done(await rehearse("up", parts({ gpus: 0, spot: true })), NODE_GROUP), {});
        const later = await rehearse("up", parts({ denyList: ["t.*", "m.*"] }));
        succeeds(later);
        const types = typesIn(later);
        for (const type of [
            "c5.large",
            "c5a.large",
            "c5d.large",
            "c6i.large",
            "c6id.large",
            "c6in.large",
            "c7i.large",
        ]) {
            assert.ok(types.includes(type), `${type} is not among ${types.join(", ")}`);
        }
        assert.ok(!types.some((type) => type.startsWith("t")));
    });
    it("refuse in the preview what only AWS knows", async () => {
        const preview = await rehearse("preview", { nodes: { instanceTypes: ["m5.large", "c99.large", "m6g.large"] } });
        assert.notEqual(preview.exitCode, 0);
        assert.match(preview.problems(), /AWS has no instance type c99\.large/);
        assert.match(preview.problems(), /m6g\.large is arm64, the group is x86_64/);
    });
    it("leave nothing behind but the cluster's key", async () => {
        const destroyed = await rehearse("destroy", {});
        succeeds(destroyed);
        assert.deepEqual(destroyed.resources, []);
        assert.deepEqual(
            [...new Set(destroyed.leftBehind.map(({ type }) => type))].filter((type) => type !== "aws:kms/key:Key"),
            [],
        );
    });
});
