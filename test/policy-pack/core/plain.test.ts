import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { unknownCheckingProxy } from "./proxy";
import { matches } from "../../../policy-pack/config";
import { toPlain, UNKNOWN, withUnknowns } from "../../../policy-pack/plain";

const sentinels = [
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "030794c1-ac77-496b-92df-f27374a8bd58",
    "e48ece36-62e2-4504-bad9-02848725956a",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
];

describe("plain trees", () => {
    it("keep known values and mark unknown ones, at any depth, without reading through the SDK's proxies", () => {
        const props = { a: 1, b: [true, { c: sentinels[2] }], d: null, e: { f: "text" } };
        assert.deepEqual(toPlain(unknownCheckingProxy(props)), {
            a: 1,
            b: [true, { c: UNKNOWN }],
            d: null,
            e: { f: "text" },
        });
    });

    it("know every kind of unknown value that the SDK knows", () => {
        for (const sentinel of sentinels) {
            assert.throws(() => unknownCheckingProxy({ a: sentinel }).a, /can't be known/);
            assert.deepEqual(toPlain({ a: sentinel }), { a: UNKNOWN });
        }
    });

    it("do not follow cycles for ever, nor what is shared many times", () => {
        const cycle: Record<string, unknown> = { name: "x" };
        cycle.self = cycle;
        assert.deepEqual(toPlain(cycle), { name: "x", self: UNKNOWN });
        let shared: unknown = "leaf";
        for (let depth = 0; depth < 60; depth++) {
            shared = [shared, shared];
        }
        assert.ok(Array.isArray(toPlain(shared)));
    });

    it("cut what is deeper than anything real", () => {
        let deep: unknown = "leaf";
        for (let depth = 0; depth < 100_000; depth++) {
            deep = { deep };
        }
        assert.doesNotThrow(() => toPlain(deep));
    });

    it("hold files and archives for unknown: a pack does not see into them", () => {
        assert.deepEqual(toPlain({ file: new pulumi.asset.StringAsset("x") }), { file: UNKNOWN });
    });

    it("keep unknown inputs that a provider's preview left out of its outputs", () => {
        const outputs = { spec: { modes: ["a"], status: 1 }, id: UNKNOWN };
        const inputs = { spec: { modes: ["b"], className: UNKNOWN, size: "1Gi" }, other: UNKNOWN };
        const whole = { spec: { modes: ["a"], status: 1, className: UNKNOWN }, id: UNKNOWN, other: UNKNOWN };
        assert.deepEqual(withUnknowns(outputs, inputs), whole);
        assert.equal(withUnknowns(outputs, {}), outputs);
    });

    it("keep a key called __proto__ as a key", () => {
        const plain = toPlain(JSON.parse('{"__proto__": {"polluted": true}}')) as Record<string, unknown>;
        assert.ok(Object.hasOwn(plain, "__proto__"));
        assert.equal(plain.polluted, undefined);
    });
});

describe("patterns of exceptions", () => {
    for (const [pattern, text, expected] of [
        ["a", "a", true],
        ["a", "ab", false],
        ["a*", "ab", true],
        ["*b", "ab", true],
        ["a*c*e", "abcde", true],
        ["a*c*e", "abde", false],
        ["*", "", true],
        ["a*a", "a", false],
        ["*ab*ab", "ab", false],
        ["a.c", "abc", false],
    ] as const) {
        it(`${pattern} ${expected ? "covers" : "does not cover"} ${JSON.stringify(text)}`, () => {
            assert.equal(matches(pattern, text), expected);
        });
    }
});
