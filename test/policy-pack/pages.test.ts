import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { rules } from "../../policy-pack/rules";
import { judge } from "./kubernetes/build";
import { pages } from "./pages";

describe("the pages of the policy pack's rules", () => {
    const all = pages();

    it("are there for every rule, and for nothing else", () => {
        assert.deepEqual(all.map(({ rule }) => rule).sort(), rules.map(({ name }) => name).sort());
    });

    it("are listed in the pack's README, with level and description", () => {
        const readme = fs.readFileSync(path.join(__dirname, "../../policy-pack/README.md"), "utf8").replace(/ +/g, " ");
        for (const { name, level, description } of rules) {
            assert.ok(readme.includes(`| [\`${name}\`](docs/${name}.md) | ${level} | ${description} |`), name);
        }
    });

    for (const { rule: name, good, bad, config } of all) {
        const rule = rules.find((one) => one.name === name);

        it(`${name}: the program that passes passes every rule`, () => {
            assert.ok(good.length > 0, "no ```yaml good block");
            const found = rules.flatMap((one) =>
                judge(one, good, one.name === name ? config : {}).findings.map(
                    ({ resource, property }) => `${one.name}: ${resource.name} ${property}`,
                ),
            );
            assert.deepEqual(found, []);
        });

        it(`${name}: the program that fails fails this rule and no other`, () => {
            assert.ok(rule && bad.length > 0, "no rule, or no ```yaml bad block");
            const found = rules.filter((one) => judge(one, bad, one.name === name ? config : {}).findings.length > 0);
            assert.deepEqual(
                found.map((one) => one.name),
                [name],
            );
        });
    }
});
