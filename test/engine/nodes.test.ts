import assert from "node:assert/strict";
import { type Rehearsal, Rehearsals } from "./harness";

const program = "test/engine/programs/cluster";
const NODE_GROUP = "aws:eks/nodeGroup:NodeGroup";

const absent = { nodes: null, spot: null, graviton: null, nvme: null, pod: null };

function rehearser(rehearsals: Rehearsals) {
    return (verb: Rehearsal["verb"], parts: Record<string, unknown> = {}) =>
        rehearsals.run({
            ...{ verb, program, world: "nodes", policy: false },
            // Settings stay from one rehearsal to the next unless they are unset.
            set: Object.entries({ ...absent, network: {}, cluster: {}, ...parts }).map(
                ([key, value]) => `${key}=${JSON.stringify(value)}`,
            ),
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

    it("come up: the article's spot group beside Graviton and NVMe nodes, with a pod on a local volume", async () => {
        const up = await rehearse("up", {
            spot,
            graviton: {},
            nvme: { localStorage: "Mount" },
            pod: { nodeSelector: { disk: "nvme" } },
        });
        succeeds(up);
        assert.deepEqual(Object.keys(done(up, NODE_GROUP)).sort(), ["graviton", "nvme", "platform-system", "spot"]);
        assert.deepEqual(scalingOf(up, "spot"), { minSize: 2, maxSize: 3, desiredSize: 2 });
    });
    it("take a min above the size that they have, and go with the others", async () => {
        const up = await rehearse("up", { spot: { ...spot, scaling: { min: 4, max: 6 } } });
        succeeds(up);
        assert.deepEqual(done(up, NODE_GROUP), { spot: ["update"], graviton: ["delete"], nvme: ["delete"] });
        assert.deepEqual(scalingOf(up, "spot"), { minSize: 4, maxSize: 6, desiredSize: 4 });
    });
    it("roll in place to another template, and side by side to other types", async () => {
        const larger = { ...spot, scaling: { min: 4, max: 6 }, diskSizeGiB: 40 };
        const rolled = await rehearse("up", { spot: larger });
        succeeds(rolled);
        assert.deepEqual(done(rolled, NODE_GROUP), { spot: ["update"] });
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
    it("choose types once, and keep the choice", async () => {
        const requirements = { vcpus: 2, memoryGiB: 4, denyList: ["t.*"] };
        const parts = { spot: { requirements, scaling: { min: 1, max: 2 } } };
        const up = await rehearse("up", parts);
        succeeds(up);
        const group = up.resources.find(({ type, urn }) => type === NODE_GROUP && urn.endsWith("::spot"));
        const types = group?.inputs?.instanceTypes as string[];
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
        assert.deepEqual(done(await rehearse("up", parts), NODE_GROUP), {});
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
