import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { createdIds, readOperations, type Operation } from "../../rehearsal/engine/operations";
import { forgottenCreations, forgottenDeletions, settle } from "../../rehearsal/engine/recovery";
import type { StateResource } from "../../rehearsal/engine/state";
import { awsTime } from "../../rehearsal/report/criticalPath";
import { judgement } from "../../rehearsal/report/judged";
import type { EngineEvent } from "../../rehearsal/engine/events";
import { duration, keptList } from "../../rehearsal/report/summary";

const urn = (name: string) => `urn:pulumi:dev::p::t:m:T::${name}`;
const resource = (name: string, more: Partial<StateResource> = {}): StateResource => ({
    urn: urn(name),
    type: "t:m:T",
    custom: true,
    id: name,
    ...more,
});
const operation = (op: string, name: string, seconds: number, more: Partial<Operation> = {}): Operation => ({
    op,
    token: "t:m:T",
    name,
    urn: urn(name),
    id: name,
    started: 0,
    finished: seconds,
    seconds,
    done: true,
    ...more,
});
const names = (time: ReturnType<typeof awsTime>) => time.chain.map(({ name }) => name);

describe("rehearsal: time on AWS", () => {
    it("is that of the longest chain of dependencies, not the sum", () => {
        const state = [
            resource("vpc"),
            resource("db", { dependencies: [urn("vpc")] }),
            resource("eks", { propertyDependencies: { a: [urn("vpc")], b: null } }),
            resource("nodes", { dependencies: [urn("eks")] }),
        ];
        const time = awsTime(
            [
                operation("create", "vpc", 10),
                operation("create", "db", 500),
                operation("create", "eks", 600),
                operation("create", "nodes", 120),
            ],
            [],
            state,
        );
        assert.equal(time.seconds, 730);
        assert.deepEqual(names(time), ["vpc", "eks", "nodes"]);
    });

    it("follows a dependency on a component to all that is inside it, but not a child's to its siblings", () => {
        const state = [
            resource("comp", { custom: false, id: undefined }),
            resource("inner", { custom: false, id: undefined, parent: urn("comp") }),
            resource("slow", { parent: urn("inner") }),
            resource("quick", { parent: urn("comp") }),
            resource("after", { dependencies: [urn("comp")] }),
        ];
        const time = awsTime(
            [operation("create", "slow", 100), operation("create", "quick", 1), operation("create", "after", 5)],
            [],
            state,
        );
        assert.equal(time.seconds, 105);
        assert.deepEqual(names(time), ["slow", "after"]);
    });

    it("waits for what a provider is configured with, and for a parent that is a real resource", () => {
        const provider = "urn:pulumi:dev::p::pulumi:providers:kubernetes::k";
        const state = [
            resource("eks"),
            resource("x", { urn: provider, type: "pulumi:providers:kubernetes", dependencies: [urn("eks")] }),
            resource("ns", { provider: `${provider}::1234` }),
            resource("child", { parent: urn("ns") }),
        ];
        const time = awsTime(
            [operation("create", "eks", 600), operation("create", "ns", 1), operation("create", "child", 2)],
            [],
            state,
        );
        assert.equal(time.seconds, 603);
    });

    it("deletes in layers, the deepest first, each waiting for the slowest of the one before", () => {
        const before = [
            resource("vpc"),
            resource("eks", { dependencies: [urn("vpc")] }),
            resource("db", { dependencies: [urn("vpc")] }),
            resource("pod", { dependencies: [urn("eks")] }),
            resource("kept", { dependencies: [urn("pod")] }),
        ];
        const deletions = [
            operation("delete", "eks", 400),
            operation("delete", "vpc", 5),
            operation("delete", "db", 300),
            operation("delete", "pod", 30),
        ];
        const time = awsTime(deletions, before, [resource("kept")]);
        assert.equal(time.seconds, 435);
        assert.deepEqual(names(time), ["pod", "eks", "vpc"]);
    });

    it("deletes after all else is done", () => {
        const both = awsTime(
            [operation("create", "new", 7), operation("delete", "eks", 400)],
            [resource("eks")],
            [resource("new")],
        );
        assert.equal(both.seconds, 407);
        assert.deepEqual(names(both), ["new", "eks"]);
    });

    it("counts nothing that failed, and survives circles", () => {
        const state = [resource("a", { dependencies: [urn("b")] }), resource("b", { dependencies: [urn("a")] })];
        assert.equal(
            awsTime([operation("create", "a", 5, { error: "no" }), operation("create", "b", 3)], [], state).seconds,
            3,
        );
        assert.deepEqual(awsTime([], [], []), { seconds: 0, chain: [] });
    });

    it("is told in minutes and seconds", () => {
        assert.deepEqual([0, 59.6, 60, 800].map(duration), ["0 s", "1 min", "1 min", "13 min 20 s"]);
    });
});

describe("rehearsal: the cloud's log", () => {
    it("joins starts and ends, and skips a line that was cut off", () => {
        const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-log-")), "log");
        const line = (at: string, name: string, more = {}) =>
            JSON.stringify({ at, op: "create", token: "t:m:T", name, urn: urn(name), started: 1, ...more });
        fs.writeFileSync(
            file,
            [
                line("start", "a"),
                line("start", "b"),
                line("end", "a", { id: "a-1", seconds: 4 }),
                line("start", "c"),
                line("made", "c", { id: "c-1" }),
                '{"at":"end","op":"cre',
            ].join("\n"),
        );
        const operations = readOperations(file);
        assert.deepEqual(
            operations.map(({ name, id, done }) => [name, id, done]),
            [
                ["a", "a-1", true],
                ["b", undefined, false],
                ["c", "c-1", false],
            ],
        );
        assert.deepEqual(
            [...createdIds(operations)],
            [
                [urn("a"), "a-1"],
                [urn("c"), "c-1"],
            ],
        );
        fs.rmSync(path.dirname(file), { recursive: true });
        assert.deepEqual(readOperations(file), []);
    });

    it("forgets what was deleted again", () => {
        const created = operation("create", "a", 1);
        assert.equal(createdIds([created, operation("delete", "a", 1)]).size, 0);
        assert.equal(createdIds([created, operation("delete", "a", 1, { id: "older" })]).size, 1);
    });
});

describe("rehearsal: repair of an interrupted state", () => {
    const pending = (type: "creating" | "updating" | "deleting", one: StateResource) => ({ type, resource: one });
    const settled = (
        resources: StateResource[],
        pendingOperations: ReturnType<typeof pending>[],
        ids: [string, string][],
        planned: StateResource[] = [],
    ) => {
        const deployment = { version: 3, deployment: { resources, pending_operations: pendingOperations } };
        const earlier = ids.map(([name, id]) => operation("create", name, 1, { id }));
        const plan = new Map(planned.map((one) => [one.urn, one]));
        const creations = forgottenCreations(earlier, plan, resources, pendingOperations);
        const urns = settle(deployment, creations, () => undefined);
        return { urns, resources, left: deployment.deployment.pending_operations as unknown };
    };

    it("adopts a creation that the cloud carried out, and forgets one that it did not", () => {
        const half = (name: string) => resource(name, { id: undefined, inputs: { x: 1 } });
        const { urns, resources, left } = settled(
            [resource("old")],
            [pending("creating", half("a")), pending("creating", half("b"))],
            [["a", "a-1"]],
        );
        assert.deepEqual(
            resources.map(({ id }) => id),
            ["old", "a-1"],
        );
        assert.deepEqual(resources[1]!.outputs, { x: 1 });
        assert.deepEqual(urns, [urn("a")]);
        assert.equal(left, undefined);
    });

    it("leaves the one that was being replaced for deletion", () => {
        const { urns, resources } = settled(
            [resource("a", { id: "a-1" })],
            [pending("creating", resource("a", { id: undefined }))],
            [["a", "a-2"]],
        );
        assert.deepEqual(
            resources.map(({ id, delete: doomed }) => [id, doomed]),
            [
                ["a-1", true],
                ["a-2", undefined],
            ],
        );
        assert.deepEqual(urns, [urn("a")]);
    });

    it("adopts what the engine forgot because its plugin was killed, but nothing that it knows", () => {
        const { resources } = settled(
            [resource("b")],
            [],
            [
                ["a", "a-1"],
                ["b", "b"],
                ["c", "c-1"],
            ],
            [resource("a", { id: undefined })],
        );
        assert.deepEqual(
            resources.map(({ id }) => id),
            ["b", "a-1"],
        );
    });

    it("leaves forgotten what the API answered with an error", () => {
        const failed = [operation("create", "a", 1, { error: "RequestTimeout" })];
        assert.deepEqual(forgottenCreations(failed, new Map([[urn("a"), resource("a")]]), [], []), []);
    });

    it("looks again at what was deleted without the engine's knowledge", () => {
        const known = [resource("a"), resource("b"), resource("c", { id: "newer" })];
        const earlier = [
            operation("delete", "a", 1),
            operation("delete", "b", 1, { error: "in use" }),
            operation("delete", "c", 1),
        ];
        assert.deepEqual(forgottenDeletions(earlier, known), [urn("a")]);
        assert.deepEqual(forgottenDeletions([...earlier, operation("create", "a", 1)], known), []);
    });

    it("reads again what was being updated or deleted", () => {
        const known = resource("a");
        assert.deepEqual(settled([known], [pending("updating", known)], []).urns, [urn("a")]);
        assert.deepEqual(settled([known], [pending("deleting", known)], []).urns, [urn("a")]);
        assert.deepEqual(settled([], [pending("deleting", known)], []).urns, []);
    });
});

describe("rehearsal: what the policy pack judged", () => {
    it("is undefined where no pack ran, and joins report and events where one did", () => {
        assert.equal(judgement("/nowhere", []), undefined);
        const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-judged-")), "judged.json");
        const rule = { rule: "r", level: "mandatory", judged: 3, findings: [{}], undecided: [], exceptions: [] };
        fs.writeFileSync(file, JSON.stringify({ version: 1, rules: [rule] }));
        const policyEvent = {
            policyName: "r",
            policyPackName: "p",
            enforcementLevel: "mandatory",
            message: "no\n",
            resourceUrn: urn("a"),
        };
        const event = { sequence: 1, timestamp: 1, policyEvent };
        const judged = judgement(file, [event, event]);
        assert.deepEqual(judged?.rules, [
            { rule: "r", level: "mandatory", judged: 3, findings: 1, undecided: 0, exceptions: 0 },
        ]);
        assert.deepEqual(judged?.violations, [
            { rule: "r", level: "mandatory", resource: { urn: urn("a"), type: "t:m:T", name: "a" }, message: "no" },
        ]);
        fs.rmSync(path.dirname(file), { recursive: true });
    });
});

describe("rehearsal: what a destroy keeps", () => {
    it("is told by type, name and id, and nothing else is", () => {
        const deleted = (name: string, retainOnDelete: boolean, planning = false) => {
            const old = { custom: true, id: `id-${name}`, retainOnDelete };
            const metadata = { op: "delete", urn: urn(name), type: "t:m:T", old, new: null };
            return { sequence: 1, timestamp: 1, resOutputsEvent: { planning, metadata } } as unknown as EngineEvent;
        };
        const said = keptList([deleted("files", true, true), deleted("files", true), deleted("role", false)]);
        assert.equal(said, "Stays in the account, no longer in the stack:\n  T  files  id-files");
        assert.equal(keptList([deleted("role", false)]), "");
    });
});
