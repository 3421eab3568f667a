/**
 * What the policy pack costs: microseconds per resource for the rules themselves (beyond reading the resources), at 100, 1,000 and 10,000
 * resources, and the time to load it. Run by hand: `npx tsx bench/policyPack.ts`.
 */
import { performance } from "node:perf_hooks";
import { execFileSync } from "node:child_process";
import * as path from "node:path";
import { withDefaults } from "../policy-pack/config";
import type { Resource } from "../policy-pack/rule";
import { rules } from "../policy-pack/rules";
import { stackOf } from "../policy-pack/stack";
import { pages } from "../test/policy-pack/pages";

const ROOT = path.resolve(__dirname, "..");

/** A program of the given size: the mended programs of all pages, again and again, each time with names of its own. */
function program(size: number): Resource[] {
    const shown = pages().flatMap(({ good }) => good);
    return Array.from({ length: size }, (_, index) => {
        const round = Math.floor(index / shown.length);
        const text = JSON.stringify(shown[index % shown.length])
            .replace(/"(fs|lt|subnet|vpc)-([\w-]+)"/g, `"$1-$2-${round}"`)
            .replace(/("urn:[^"]*)"/g, `$1-${round}"`);
        return JSON.parse(text) as Resource;
    });
}

function judge(resources: Resource[]): void {
    const stack = stackOf(resources);
    for (const rule of rules) {
        const config = withDefaults(rule, {});
        for (const resource of rule.resource ? resources : []) {
            rule.resource!(resource, config);
        }
        rule.stack?.(stack, config);
    }
}

function median(values: number[]): number {
    return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

/** Milliseconds of the processor, which other work on the machine does not change. */
function worked(work: () => void): number {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1_000;
}

function timed(work: () => void): number {
    const start = performance.now();
    work();
    return performance.now() - start;
}

judge(program(500));
for (const size of [100, 1_000, 10_000]) {
    const rounds = Array.from({ length: Math.max(3, 3_000 / size) }, () => program(size));
    const perResource = (1_000 * median(rounds.map((resources) => worked(() => judge(resources))))) / size;
    console.log(`${size} resources, ${rules.length} rules: ${perResource.toFixed(1)} µs per resource`);
}

const load = (what: string): number =>
    median(
        Array.from({ length: 5 }, () =>
            timed(() => void execFileSync(process.execPath, ["-e", `require("tsx/cjs"); ${what}`], { cwd: ROOT })),
        ),
    );
const empty = load(`require("@pulumi/policy")`);
const whole = load(`require("@pulumi/policy"); require("./policy-pack/rules")`);
console.log(`start: ${Math.round(whole)} ms, of which the policy SDK takes ${Math.round(empty)} ms`);
