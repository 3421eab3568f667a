import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { Judgement, type Resource, type Rule, type RuleConfig } from "../../../policy-pack/rule";
import { stackOf } from "../../../policy-pack/stack";

/** A resource for a test; `from` names the resources that a property's value comes from. */
export interface Made {
    type: string;
    name?: string;
    props: Record<string, unknown>;
    from?: Record<string, string[]>;
    protect?: boolean;
    region?: string;
    stack?: string;
}

const urnOf = (made: Made, index: number): string =>
    `urn:pulumi:${made.stack ?? "prod"}::test::${made.type}::${made.name ?? `r${index}`}`;

export function resources(made: Made[]): Resource[] {
    const urns = new Map(made.map((one, index) => [one.name ?? `r${index}`, urnOf(one, index)]));
    return made.map((one, index) => ({
        type: one.type,
        name: one.name ?? `r${index}`,
        urn: urnOf(one, index),
        props: one.props,
        options: { protect: one.protect ?? false },
        provider: one.region
            ? {
                  urn: `urn:${one.region}`,
                  type: "pulumi:providers:aws",
                  name: one.region,
                  props: { region: one.region },
              }
            : undefined,
        propertyDependencies: Object.fromEntries(
            Object.entries(one.from ?? {}).map(([property, names]) => [property, names.map((name) => urns.get(name)!)]),
        ),
    }));
}

/** All that a rule says of a program: what it finds in each resource, and in the whole. */
export function judge(rule: Rule, made: Made[], config: RuleConfig = {}): Judgement {
    const all = resources(made);
    const judgement = new Judgement();
    for (const resource of all) {
        judgement.add(rule.resource?.(resource, config) ?? new Judgement());
    }
    return judgement.add(rule.stack?.(stackOf(all), config) ?? new Judgement());
}

/** Findings as `name property`, sorted. */
export function found(rule: Rule, made: Made[], config: RuleConfig = {}): string[] {
    return judge(rule, made, config)
        .findings.map(({ resource, property }) => `${resource.name} ${property}`)
        .sort();
}

export function passes(rule: Rule, made: Made[], config: RuleConfig = {}): void {
    const judgement = judge(rule, made, config);
    assert.deepEqual(
        [judgement.findings, judgement.undecided].map((list) =>
            list.map(({ resource, property }) => `${resource.name} ${property}`),
        ),
        [[], []],
    );
}

/** Nothing is found, but something is left over for later. */
export function waits(rule: Rule, made: Made[], config: RuleConfig = {}): void {
    const judgement = judge(rule, made, config);
    assert.deepEqual(
        judgement.findings.map(({ property, what }) => `${property}: ${what}`),
        [],
    );
    assert.notEqual(judgement.undecided.length, 0, "nothing is undecided");
}

export function fails(rule: Rule, made: Made[], config: RuleConfig = {}): void {
    assert.notEqual(judge(rule, made, config).findings.length, 0, "nothing is found");
}

const FIXED = 20261121;
const FRESH = Date.now() % 2 ** 31;

/** Tries a property on a fixed seed and on a fresh one, which the test's title names. */
export function holds<T>(title: string, runs: number, property: fc.IProperty<T>): void {
    it(`${title} (seed ${FIXED}, ${runs} cases)`, () => fc.assert(property, { seed: FIXED, numRuns: runs }));
    it(`${title} (fresh seed ${FRESH}, ${runs} cases)`, () => fc.assert(property, { seed: FRESH, numRuns: runs }));
}
