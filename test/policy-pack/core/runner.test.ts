import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { PolicyResource, ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { unknownCheckingProxy } from "./proxy";
import { Report } from "../../../policy-pack/report";
import { Judgement, type Rule } from "../../../policy-pack/rule";
import { policiesOf, type Policy } from "../../../policy-pack/runner";

const unknownText = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const base = { description: "Size is small.", why: "…", fix: "Make it small.", level: "mandatory" as const };
const small: Rule = {
    ...base,
    name: "small",
    config: { most: { type: "integer", default: 3, minimum: 1 } },
    resource: (resource, { most }) => {
        const judgement = new Judgement();
        const { size } = resource.props;
        if (typeof size === "symbol") {
            return judgement.unknown(resource, "size", "not known yet.");
        }
        if (size === 2) {
            judgement.advise(resource, "size", "Two is a crowd.");
        }
        return (size as number) > (most as number)
            ? judgement.violation(resource, "size", "It is big.")
            : judgement.judge(resource);
    },
};
let built = 0;
const counted = (stack: { resources: unknown[] }) => {
    built++;
    return stack.resources.length;
};
const few: Rule = {
    ...base,
    name: "few",
    stack: (stack) =>
        stack.once(counted) > 1
            ? new Judgement().violation(stack.resources[0], "(all)", "There are several.")
            : new Judgement(),
};
const alsoFew: Rule = { ...few, name: "also-few" };

function run(policies: Policy[], resources: { name: string; props: object }[], config: Record<string, object> = {}) {
    const lines: string[] = [];
    const urn = (name: string) => `urn:pulumi:s::p::t:m:T::${name}`;
    const say = (policy: Policy) => (message: string, at?: string) =>
        lines.push(`${policy.name} [${at ?? "-"}] ${message}`);
    const shared = { getConfig: () => config, stackTags: new Map(), notApplicable: () => assert.fail() };
    for (const { name, props } of resources) {
        for (const policy of policies.filter(({ validateResource }) => validateResource)) {
            const args = {
                ...shared,
                type: "t:m:T",
                name,
                urn: urn(name),
                props: unknownCheckingProxy(props),
                opts: {},
            };
            const validate = policy.validateResource as (args: ResourceValidationArgs, say: object) => void;
            validate(
                { ...args, getConfig: () => config[policy.name] ?? {} } as unknown as ResourceValidationArgs,
                say(policy),
            );
        }
    }
    for (const policy of policies.filter(({ validateStack }) => validateStack)) {
        const made = resources.map(({ name, props }) => ({
            type: "t:m:T",
            name,
            urn: urn(name),
            props: unknownCheckingProxy(props),
            opts: {},
            dependencies: [],
            propertyDependencies: {},
        })) as unknown as PolicyResource[];
        policy.validateStack!(
            {
                ...shared,
                resources: made,
                getConfig: () => config[policy.name] ?? {},
            } as unknown as StackValidationArgs,
            say(policy),
        );
    }
    return lines;
}

describe("the policy pack's runner", () => {
    it("reports rule, resource, property, consequence, and fix", () => {
        const [line] = run(policiesOf([small]), [{ name: "a", props: { size: 9 } }]);
        assert.equal(line, "small [-] a (t:m:T), size: It is big. Make it small.");
    });

    it("lists what is unknown as one advisory line of a companion, not as a failure of the rule", () => {
        const lines = run(policiesOf([small]), [
            { name: "a", props: { size: unknownText } },
            { name: "b", props: { size: 1 } },
        ]);
        assert.equal(lines.length, 1);
        assert.match(lines[0], /^judged-later .*a \(t:m:T\), size: small could not judge this yet: not known yet\.$/);
    });

    it("has advice told by a companion that is always advisory", () => {
        const policies = policiesOf([small]);
        assert.match(run(policies, [{ name: "a", props: { size: 2 } }])[0], /^advice .*Two is a crowd/);
        assert.equal(policies.find(({ name }) => name === "advice")?.enforcementLevel, "advisory");
    });

    it("builds the index of a stack once for all rules, and anew for the next run", () => {
        built = 0;
        const policies = policiesOf([few, alsoFew]);
        const two = [
            { name: "a", props: {} },
            { name: "b", props: {} },
        ];
        assert.equal(run(policies, two).length, 2);
        assert.equal(built, 1);
        assert.equal(run(policies, two).length, 2);
        assert.equal(built, 2);
    });

    it("never takes what an earlier run saw for the present one", () => {
        const policies = policiesOf([small, few]);
        assert.equal(run(policies, [{ name: "a", props: { size: 9 } }]).length, 1);
        assert.equal(run(policies, [{ name: "a", props: { size: 1 } }]).length, 0);
    });

    it("fills in defaults, and takes what is configured", () => {
        const resources = [{ name: "a", props: { size: 4 } }];
        assert.equal(run(policiesOf([small]), resources).length, 1);
        assert.equal(run(policiesOf([small]), resources, { small: { most: 5 } }).length, 0);
    });

    it("lets an exception hold until its last day, and says when it has ended", () => {
        const resources = [{ name: "a", props: { size: 9 } }];
        const except = (until: string, resource = "a") => ({
            small: { exceptions: [{ resource, reason: "old", until }] },
        });
        assert.deepEqual(run(policiesOf([small]), resources, except("2999-12-31")), []);
        assert.match(
            run(policiesOf([small]), resources, except("2020-02-29"))[0],
            /An exception for it ended on 2020-02-29/,
        );
        assert.equal(run(policiesOf([small]), resources, except("2999-12-31", "b")).length, 1);
        assert.deepEqual(run(policiesOf([small]), resources, except("2999-12-31", "*::a")), []);
        assert.deepEqual(run(policiesOf([small]), resources, except("2999-12-31", "t:m:T")), []);
        assert.equal(run(policiesOf([small]), resources, except(new Date().toISOString().slice(0, 10))).length, 0);
    });

    for (const [what, config, problem] of [
        ["an unknown setting", { mosst: 3 }, /mosst: is not known; known are exceptions, most/],
        ["a wrong type", { most: "3" }, /most: expected integer, got string/],
        ["a value out of range", { most: 0 }, /most: must be between 1/],
        [
            "an exception without a reason",
            { exceptions: [{ resource: "a", until: "2999-01-01" }] },
            /exceptions\[0\]\.reason: is required/,
        ],
        [
            "an exception without an end",
            { exceptions: [{ resource: "a", reason: "b" }] },
            /exceptions\[0\]\.until: is required/,
        ],
        [
            "an impossible day",
            { exceptions: [{ resource: "a", reason: "b", until: "2025-02-30" }] },
            /2025-02-30 is not a day/,
        ],
        [
            "an unknown key of an exception",
            { exceptions: [{ resource: "a", reason: "b", until: "2999-01-01", x: 1 }] },
            /exceptions\[0\]\.x: is not known/,
        ],
    ] as const) {
        it(`refuses ${what}`, () => {
            assert.throws(() => run(policiesOf([small]), [{ name: "a", props: {} }], { small: config }), problem);
        });
    }

    it("takes a rule that fails for a finding, and does not repeat what the failure says", () => {
        const broken: Rule = {
            ...base,
            name: "broken",
            resource: () => {
                throw new TypeError("secret-value");
            },
        };
        const [line] = run(policiesOf([broken]), [{ name: "a", props: {} }]);
        assert.match(line, /^broken .*itself failed here \(TypeError/);
        assert.doesNotMatch(line, /secret-value/);
    });

    it("writes what each rule judged", () => {
        const folder = fs.mkdtempSync(path.join(os.tmpdir(), "judged-"));
        try {
            const file = path.join(folder, "report.json");
            const rules = [small, few];
            const resources = ["a", "b", "c"].map((name, index) => ({
                name,
                props: { size: [1, 9, unknownText][index] },
            }));
            const config = { few: { exceptions: [{ resource: "a", reason: "known", until: "2999-01-01" }] } };
            run(policiesOf(rules, new Report(rules, file)), resources, config);
            const report = JSON.parse(fs.readFileSync(file, "utf8"));
            const [first, second] = report.rules;
            assert.deepEqual(
                [first.rule, first.judged, first.findings.length, first.undecided.length],
                ["small", 3, 1, 1],
            );
            assert.deepEqual([second.rule, second.findings.length, second.exceptions[0].reason], ["few", 0, "known"]);
        } finally {
            fs.rmSync(folder, { recursive: true });
        }
    });
});
