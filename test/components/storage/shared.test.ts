import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../../../components/shared/check";
import { detached } from "../../../components/shared/detached";
import { fittingProblems } from "../../../components/shared/fitting";
import { guardImmutable, keepUntil, refuseUpdate } from "../../../components/shared/guard";
import { checkManagedAddonArgs } from "../../../components/shared/managedAddon";
import { keysOf, listOf, mapOf } from "../../../components/shared/shape";
import { simulate } from "../mocks";
import { assertProblems } from "./problems";

class Part extends pulumi.ComponentResource {
    constructor(name: string, make: (part: Part) => void) {
        super("test:index:Part", name);
        make(this);
    }
}

/** What a guard of these inputs says to a change: its hook's message, or undefined. */
async function judged(before: Record<string, unknown>, after: Record<string, unknown>): Promise<string | undefined> {
    const made = await simulate(
        () =>
            void new Part(
                "part",
                (part) => void guardImmutable(part, "part-guard", before, { what: "It", instead: "go away." }),
            ),
    );
    const guard = made.one("pulumi:index:Stash");
    const hook = made.hooks.get(guard.hooks.beforeUpdate[0]);
    const { urn, name, type } = guard;
    try {
        await hook?.callback({ urn, id: "", name, type, oldInputs: { input: before }, newInputs: { input: after } });
        return undefined;
    } catch (error) {
        return (error as Error).message;
    }
}

describe("guardImmutable", () => {
    it("lets through what stays the same, and names every change", async () => {
        assert.equal(await judged({ a: { x: 1, y: [2] } }, { a: { y: [2], x: 1 } }), undefined);
        assert.equal(
            await judged({ a: 1, b: "x", c: true }, { a: 2, b: "y", c: true }),
            'It cannot be changed like this without losing it: a from 1 to 2, b from "x" to "y". Set it back, or: go away.',
        );
    });

    it("takes over what the state does not have yet, and leaves to `up` what is not known", async () => {
        assert.equal(await judged({ a: 1 }, { a: 1, later: 2 }), undefined);
        assert.equal(await judged({ a: 1 }, { a: pulumi.unknown }), undefined);
        assert.match((await judged({ a: 1, b: 1 }, { a: pulumi.unknown, b: 2 })) ?? "", /: b from 1 to 2\./);
    });

    it("marks what is not set, so that setting it is a change", async () => {
        const made = await simulate(
            () =>
                void new Part(
                    "part",
                    (part) => void guardImmutable(part, "g", { key: undefined }, { what: "", instead: "" }),
                ),
        );
        assert.deepEqual(made.one("pulumi:index:Stash").inputs.input, { key: "(not set)" });
    });

    it("compares secrets and shows none", async () => {
        const made = await simulate(
            () =>
                void new Part(
                    "part",
                    (part) => void guardImmutable(part, "g", { key: "a" }, { what: "It", instead: "" }),
                ),
        );
        const guard = made.one("pulumi:index:Stash");
        const hook = made.hooks.get(guard.hooks.beforeUpdate[0]);
        const { urn, name, type } = guard;
        const change = (from: string, to: string) =>
            hook?.callback({
                ...{ urn, id: "", name, type },
                oldInputs: { input: pulumi.secret({ key: from }) },
                newInputs: { input: pulumi.secret({ key: to }) },
            });
        await change("old-secret", "old-secret");
        await assert.rejects(
            async () => change("old-secret", "new-secret"),
            (error: Error) => /losing it: key\./.test(error.message) && !/-secret/.test(error.message),
        );
    });

    it("has hooks of different names for parts of different types", async () => {
        const made = await simulate(() => {
            new Part("a", (part) => void refuseUpdate(part, "same", () => undefined));
            class Other extends pulumi.ComponentResource {}
            refuseUpdate(new Other("test:index:Other", "b"), "same", () => undefined);
        });
        assert.equal(made.resources.length, 2);
    });
});

describe("keepUntil", () => {
    it("keeps a value until its trigger changes", async () => {
        const made = await simulate(() => {
            let kept: pulumi.Output<string> | undefined;
            new Part("part", (part) => (kept = keepUntil(part, "kept", "v1", { kubernetes: "1.36" })));
            return kept;
        });
        const stash = made.one("pulumi:index:Stash");
        assert.deepEqual([stash.inputs.input, stash.ignoreChanges], ["v1", ["input"]]);
        assert.deepEqual(stash.replacementTrigger, { kubernetes: "1.36" });
        assert.equal(made.result, "v1");
    });
});

describe("detached", () => {
    it("gives a value without what it comes from, secret if it was, and what it comes from besides", async () => {
        await simulate(async () => {
            const origin = new pulumi.Stash("origin", { input: "x" });
            const { value, dependsOn } = detached(origin.output.apply((text: string) => `${text}!`));
            assert.equal(await value, "x!");
            assert.deepEqual(
                (await dependsOn).map((resource) => resource === origin),
                [true],
            );
            const hidden = await (detached(pulumi.secret("psst")).value as Promise<unknown>);
            assert.ok(pulumi.Output.isInstance(hidden) && (await pulumi.isSecret(hidden)));
        });
    });
});

describe("detached values that are not known", () => {
    it("stay unknown, so that a preview does not show a claim of the default class", async () => {
        await simulate(async () => {
            const value = await (detached(pulumi.output(pulumi.unknown)).value as Promise<unknown>);
            assert.ok(pulumi.containsUnknowns(value));
        });
    });
});

describe("fittingProblems", () => {
    const shape = keysOf<{ size: number; classes: object; zones: string[] }>({
        size: "integer",
        classes: mapOf(keysOf<{ perms: string; uid: number }>({ perms: "string", uid: "integer" })),
        zones: listOf("string"),
    });
    const judge = (args: {
        size?: number;
        classes?: Record<string, { perms?: string; uid?: number }>;
        zones?: string[];
    }): Problem[] => [
        ...((args.size ?? 0) > 0 ? [] : [{ path: "size", message: "too small" }]),
        ...Object.entries(args.classes ?? {}).flatMap(([key, { perms }]) =>
            perms?.toUpperCase() === "X" ? [{ path: `classes.${key}.perms`, message: "bad perms" }] : [],
        ),
        ...(args.zones ?? []).flatMap((zone, index) =>
            zone.length > 1 ? [{ path: `zones[${index}]`, message: "long" }] : [],
        ),
    ];

    it("finds what is wrong beside what does not fit, at every depth", () => {
        assertProblems(
            fittingProblems(
                {
                    size: 0,
                    classes: { a: { uid: "1", perms: "x" }, b: { perms: 5 }, c: 7 },
                    zones: [1, "bb"],
                    odd: 1,
                } as never,
                shape,
                judge,
            ),
            {
                ...{ size: /too small/, "classes.a.uid": /whole number/, "classes.a.perms": /bad perms/ },
                ...{
                    "classes.b.perms": /5 is not a text/,
                    "classes.c": /map/,
                    "zones[0]": /text/,
                    odd: /no such setting/,
                },
            },
        );
    });

    it("leaves out a list of which an element does not fit, so that no other is found under a wrong number", () => {
        assertProblems(fittingProblems({ size: 1, zones: ["bb", 1, "cc"] } as never, shape, judge), {
            "zones[1]": /text/,
        });
        assertProblems(fittingProblems({ size: 1, zones: ["a", "cc"] } as never, shape, judge), { "zones[1]": /long/ });
    });

    it("refuses keys without a value, which YAML makes of `classes:`, rather than take them for the default", () => {
        assertProblems(fittingProblems({ size: null, classes: { a: null }, zones: [null] } as never, shape, judge), {
            ...{ size: /no value/, "classes.a": /no value; give one \(\{\}/, "zones[0]": /no value/ },
        });
    });

    it("takes no key that every JavaScript object has for one of its own", () => {
        const odd = JSON.parse('{"size": 1, "constructor": {}, "classes": {"a": {"__proto__": {"uid": 1}}}}') as never;
        assertProblems(fittingProblems(odd, shape, judge, { size: "never said" }), {
            ...{
                constructor: /no such setting; known/,
                "classes.a.__proto__": /no such setting; known are perms, uid/,
            },
        });
    });

    it("says so when the arguments are no map at all", () => {
        for (const value of ["2 vCPUs", [], 7]) {
            assertProblems(fittingProblems(value as never, shape, judge), { "": /is not a map/ });
        }
    });

    it("says nothing more about what did not fit, and gives the reason where there is one", () => {
        const found = fittingProblems({ size: "big", odd: 1 } as never, shape, judge, { odd: "it is even" });
        assert.deepEqual(
            found.map(({ path, message }) => `${path}: ${message}`),
            ['size: "big" is not a whole number', "odd: it is even"],
        );
    });
});

describe("checkManagedAddonArgs", () => {
    const floor = { version: "v1.10.2-eksbuild.3", why: "because" };
    it("compares versions by number, part by part", () => {
        const older = ["v1.9.9-eksbuild.9", "v1.10.1-eksbuild.4", "v1.10.2-eksbuild.2", "v0.99.0-eksbuild.1"];
        for (const version of older) {
            assertProblems(checkManagedAddonArgs({ version }, floor), {
                version: /older than v1\.10\.2-eksbuild\.3: because/,
            });
        }
        for (const version of ["v1.10.2-eksbuild.3", "v1.10.10-eksbuild.1", "v2.0.0-eksbuild.1"]) {
            assert.deepEqual(checkManagedAddonArgs({ version }, floor), []);
        }
    });
});
