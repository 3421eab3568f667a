import * as assert from "node:assert/strict";
import * as path from "node:path";
import { rules } from "../../policy-pack/rules";
import type { Resource } from "../../policy-pack/rule";
import { type Page, pages } from "../policy-pack/pages";
import { Rehearsals } from "./harness";

/** Registers the resources of a JSON file as they stand there: the pack judges them, no provider is needed. */
const PROGRAM = `
const pulumi = require("@pulumi/pulumi");
const made = new Map();

/** A value that the engine knows to come from other resources. */
const link = (value, origins) => origins.length === 0 ? value : pulumi.all(origins.map(({ urn }) => urn)).apply(() => value);

class Any extends pulumi.Resource {
    constructor({ type, name, props, protect, parent, from }) {
        const linked = Object.fromEntries(Object.entries(props).map(([key, value]) => [key, link(value, (from[key] ?? []).map((urn) => made.get(urn)))]));
        super(type, name, false, linked, { protect, parent: made.get(parent) });
        pulumi.runtime.registerResourceOutputs(this, linked);
    }
}

for (const one of require("./resources.json")) {
    made.set(one.urn, new Any(one));
}
`;
const PROJECT = "name: judged\nruntime: {name: nodejs, options: {typescript: false}}\nmain: index.js\n";

describe("the policy pack through the real engine", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    after(() => rehearsals.remove());

    /** A preview of a program under the whole pack; the pages' configurations are those of their own rules. */
    async function preview(name: string, resources: object[], shown: Page[]) {
        const policy = JSON.stringify(Object.fromEntries(shown.map(({ rule, config }) => [rule, config])));
        const files = {
            "Pulumi.yaml": PROJECT,
            "index.js": PROGRAM,
            "resources.json": JSON.stringify(resources),
            "policy.json": policy,
        };
        const program = rehearsals.program(files, name);
        const engineArgs = ["--policy-pack-config", path.join(program, "policy.json")];
        const outcome = await rehearsals.run({ verb: "preview", program, stack: "test", engineArgs });
        const told = (outcome.policies?.violations ?? []).filter(({ rule }) => rules.some((one) => one.name === rule));
        return { ...outcome, told };
    }

    for (const page of pages()) {
        const { level } = rules.find(({ name }) => name === page.rule)!;

        it(`${page.rule}: a program that breaks it breaks it alone, ${level === "mandatory" ? "and is stopped" : "and is told"}`, async () => {
            const { told, exitCode, problems } = await preview(
                page.rule,
                page.bad.map((one) => written(one)),
                [page],
            );
            assert.deepEqual([...new Set(told.map(({ rule }) => rule))], [page.rule], problems());
            assert.deepEqual([...new Set(told.map((one) => one.level))], [level]);
            assert.equal(exitCode === 0, level !== "mandatory", problems());
            const { fix } = rules.find(({ name }) => name === page.rule)!;
            assert.ok(
                told.some(
                    ({ message }) =>
                        page.bad.some(({ name }) => message.includes(`${name} (`)) && message.length > fix.length / 2,
                ),
            );
        });
    }

    it("all of them mended, in one program, pass", async () => {
        const all = pages();
        const mended = all.flatMap((page) => page.good.map((one) => written(one, page.rule)));
        const { told, exitCode, problems } = await preview("mended", mended, all);
        assert.deepEqual([exitCode, told], [0, []], problems());
    });

    it("a setting that a rule does not know stops the run", async () => {
        const [page] = pages();
        const { exitCode, problems } = await preview(
            "wrong",
            page!.good.map((one) => written(one)),
            [{ ...page!, config: { nonsense: true } }],
        );
        assert.notEqual(exitCode, 0);
        assert.match(problems(), /nonsense/);
    });
});

/** Within a program of all pages each page has names and, for what AWS keeps by region, a region of its own. */
function written({ type, name, urn, props, options, parent, propertyDependencies }: Resource, page?: string): object {
    const apart = page !== undefined && page !== "efs-mount-target-per-zone" && type.startsWith("aws:");
    return {
        type,
        name: page === undefined ? name : `${page}-${name}`,
        urn: `${page} ${urn}`,
        props: apart ? { region: `region-of-${page}`, ...props } : props,
        protect: (page !== undefined && page !== "stateful-protected") || options?.protect,
        parent: parent === undefined ? undefined : `${page} ${parent}`,
        from: Object.fromEntries(
            Object.entries(propertyDependencies ?? {}).map(([property, urns]) => [
                property,
                urns.map((one) => `${page} ${one}`),
            ]),
        ),
    };
}
