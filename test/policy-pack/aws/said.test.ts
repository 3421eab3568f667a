import * as assert from "node:assert/strict";
import { saidOf } from "../../../policy-pack/judge/said";
import { UNKNOWN } from "../../../policy-pack/plain";

describe("what a program says, in preview", () => {
    it("is not what the provider will fill in", () =>
        assert.deepEqual(saidOf({ encrypted: UNKNOWN, size: 8, id: UNKNOWN }, { size: 8 }), { size: 8 }));
    it("is unknown where it is", () =>
        assert.deepEqual(saidOf({ encrypted: UNKNOWN }, { encrypted: UNKNOWN }), { encrypted: UNKNOWN }));
    it("is what the inputs say where the outputs are not known", () =>
        assert.deepEqual(saidOf({ name: UNKNOWN }, { name: "a" }), { name: "a" }));
    it("is looked for at every depth", () =>
        assert.deepEqual(
            saidOf(
                { options: { tokens: UNKNOWN, hops: 1 }, devices: [{ name: "a", key: UNKNOWN }] },
                { options: { hops: 1 }, devices: [{ name: "a" }] },
            ),
            { options: { hops: 1 }, devices: [{ name: "a" }] },
        ));
    it("gives way to what came out", () =>
        assert.deepEqual(saidOf({ encrypted: true, list: [1, 2] }, { list: [1] }), { encrypted: true, list: [1, 2] }));
});
