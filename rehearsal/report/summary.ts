import { describeChanges } from "./progress";
import type { JudgedRule, Judgement } from "./judged";
import { type EngineEvent, isKept, nameOf } from "../engine/events";
import type { Outcome } from "../engine/rehearse";
import type { StateResource } from "../engine/state";

/** What a person reads when a rehearsal is over. */
export function summary(outcome: Outcome): string {
    const { verb, exitCode } = outcome;
    const parts = [headline(outcome)];
    if (exitCode === 0 && (verb === "start" || verb === "up")) {
        parts.push(resourceTable(outcome.resources));
    }
    if (outcome.policies) {
        const inFull = verb === "policy";
        const list = violationList(outcome.policies, inFull, outcome);
        parts.push(
            [inFull ? ruleTable(outcome.policies) : ruleLine(outcome.policies), list].filter(Boolean).join("\n"),
        );
    }
    if (exitCode === 0 && (verb === "start" || verb === "up")) {
        parts.push(outputList(outcome.outputs));
    }
    parts.push(
        timeOnAws(outcome),
        keptList(outcome.events),
        genericList(outcome),
        leftBehindList(outcome),
        whatNext(outcome),
    );
    return parts.filter((part) => part !== "").join("\n\n");
}

function headline({ verb, project, stack, exitCode, changes, diagnostics, seconds }: Outcome): string {
    const name = `${project} ${stack}`;
    const took = `${seconds.toFixed(0)} s`;
    if (exitCode !== 0) {
        const errors = diagnostics.filter(({ severity }) => severity === "error").length;
        return `✗ ${verb} of ${name} failed after ${took}${errors > 0 ? `, with ${errors} error(s) above` : ""}.`;
    }
    const moved = Object.entries(changes ?? {}).some(([op, count]) => op !== "same" && count > 0);
    const what = moved
        ? describeChanges(changes ?? {})
        : `no changes${changes?.same ? ` (${changes.same} unchanged)` : ""}`;
    return `✓ ${verb === "start" ? "up" : verb} of ${name} on the simulated cloud: ${what}, in ${took}.`;
}

/** Resources by the stack's own parts: what a person sees on the first page of the program. */
function resourceTable(resources: StateResource[]): string {
    const living = resources.filter((one) => !one.delete && !isPlumbing(one.type));
    const custom = living.filter((one) => one.custom);
    const root = resources.find(({ type }) => type === "pulumi:pulumi:Stack")?.urn;
    const parents = new Map(resources.map(({ urn, parent }) => [urn, parent]));
    const counts = new Map<string, number>();
    for (const { urn } of custom) {
        let top = urn;
        for (let up = parents.get(top); up !== undefined && up !== root; up = parents.get(top)) {
            top = up;
        }
        counts.set(top, (counts.get(top) ?? 0) + 1);
    }
    const rows = [...counts].map(([urn, count]) => [nameOf(urn), shortType(typeIn(resources, urn)), String(count)]);
    const total = `Resources (${custom.length}, ${living.length - custom.length - 1} components)`;
    return rows.length === 0 ? "" : `${total}\n${table(rows)}`;
}

function isPlumbing(type: string): boolean {
    return type.startsWith("pulumi:providers:");
}

function typeIn(resources: StateResource[], urn: string): string {
    return resources.find((one) => one.urn === urn)?.type ?? "";
}

function shortType(type: string): string {
    return type.slice(type.lastIndexOf(":") + 1);
}

function ruleLine({ rules, violations }: Judgement): string {
    const broken = brokenRules(violations);
    const used = rules.filter(({ judged }) => judged > 0);
    const judged = used.reduce((sum, rule) => sum + rule.judged, 0);
    const passed = used.filter(({ rule }) => !broken.has(rule)).length;
    const figures =
        rules.length > 0 ? `${passed} of ${rules.length} rules passed, ${judged} judgements` : "no rule was broken";
    const exceptions = rules.reduce((sum, rule) => sum + rule.exceptions, 0);
    const idle =
        rules.length - used.length - [...broken].filter((rule) => !used.some((one) => one.rule === rule)).length;
    const notes = [
        ...(broken.size > 0 ? [`${broken.size} BROKEN`] : []),
        ...(idle > 0 ? [`${idle} had nothing to judge`] : []),
        ...(exceptions > 0 ? [`${exceptions} exceptions`] : []),
    ];
    return `Policy pack\n  ${[broken.size > 0 && rules.length === 0 ? "" : figures, ...notes].filter(Boolean).join("; ")}`;
}

function ruleTable({ rules, violations }: Judgement): string {
    const broken = brokenRules(violations);
    const row = (rule: JudgedRule) => [
        broken.has(rule.rule) ? "✗" : rule.judged > 0 ? "✓" : "·",
        rule.rule,
        rule.level,
        `${rule.judged} judged`,
        rule.undecided > 0 ? `${rule.undecided} only after up` : "",
        rule.exceptions > 0 ? `${rule.exceptions} exceptions` : "",
    ];
    return rules.length === 0 ? "Policy pack: it reported nothing" : `Policy pack\n${table(rules.map(row))}`;
}

function brokenRules(violations: Judgement["violations"]): Set<string> {
    return new Set(violations.filter(({ level }) => level === "mandatory").map(({ rule }) => rule));
}

/** Broken rules in full; advice only where somebody asked for the rules. */
function violationList({ violations }: Judgement, inFull: boolean, { verb, stack }: Outcome): string {
    const advice = violations.filter(({ level }) => level !== "mandatory");
    const shown = inFull ? violations : violations.filter(({ level }) => level === "mandatory");
    const lines = shown.map(({ rule, level, resource, message }) => {
        const where = resource ? `  ${shortType(resource.type)} ${resource.name}` : "";
        return `  ${level === "mandatory" ? "✗" : "i"} ${rule}${where}\n      ${message.replace(/\n/g, "\n      ")}`;
    });
    if (!inFull && advice.length > 0) {
        const how =
            verb === "start" ? `npm run rehearse -- policy ${stack}` : `the same with "policy" instead of "${verb}"`;
        lines.push(`  ${advice.length} piece(s) of advice: ${how}`);
    }
    return lines.join("\n");
}

/** The outputs, the ones that open a door first. */
function outputList(outputs: Record<string, unknown>): string {
    const rows = Object.entries(outputs).map(([name, value]) => [name, flat(value)]);
    return rows.length === 0 ? "" : `Outputs\n${table(rows)}`;
}

function flat(value: unknown): string {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.length > 160 ? `${text.slice(0, 157)}…` : text;
}

function timeOnAws({ aws, verb }: Outcome): string {
    if (aws.seconds < 1 || verb === "preview" || verb === "policy") {
        return "";
    }
    const rows = aws.chain.map((link) => [duration(link.seconds), link.op, shortType(link.type), link.name]);
    return `On AWS this takes about ${duration(aws.seconds)}. The longest chain:\n${table(rows)}`;
}

/** `13 min 20 s`. */
export function duration(seconds: number): string {
    const whole = Math.round(seconds);
    const minutes = Math.floor(whole / 60);
    return minutes === 0 ? `${whole} s` : `${minutes} min${whole % 60 === 0 ? "" : ` ${whole % 60} s`}`;
}

/** What was taken out of the stack and is still there. */
export function keptList(events: EngineEvent[]): string {
    const rows = events.flatMap(({ resOutputsEvent }) => {
        const step = resOutputsEvent?.metadata;
        return step?.old?.custom && isKept(step) && !resOutputsEvent?.planning
            ? [[shortType(step.type), nameOf(step.urn), step.old.id]]
            : [];
    });
    return rows.length === 0 ? "" : `Stays in the account, no longer in the stack:\n${table(rows)}`;
}

/** What a person must not take for rehearsed. */
function genericList({ genericOnly }: Outcome): string {
    const list = genericOnly.map((what) => `  ${what}`).join("\n");
    return list === ""
        ? ""
        : `Checked for their form only, because the simulated cloud does not know what they do:\n${list}`;
}

function leftBehindList({ leftBehind }: Outcome): string {
    if (leftBehind.length === 0) {
        return "";
    }
    const rows = leftBehind.map(({ type, name, id }) => [shortType(type), name, id]);
    return `In the account, but not in the engine's state (a fault hid the answer); on AWS, delete or import them:\n${table(rows)}`;
}

function whatNext({ verb, stack, exitCode }: Outcome): string {
    if (verb !== "start" || exitCode !== 0) {
        return "";
    }
    return [
        "Try next",
        "  npm start                                            again: no changes",
        `  npm run rehearse -- outputs ${stack}`,
        `  npm run rehearse -- policy ${stack}                       what each rule judged`,
        `  npm run rehearse -- up ${stack} --fresh --fault 'create:NodeGroup=throttled'`,
        `  npm run rehearse -- destroy ${stack}`,
        "  npm run rehearse -- --help",
    ].join("\n");
}

function table(rows: string[][]): string {
    const widths = rows.reduce<number[]>(
        (known, row) => row.map((cell, column) => Math.max(known[column] ?? 0, cell.length)),
        [],
    );
    return rows
        .map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column]!)).join("  ")}`.trimEnd())
        .join("\n");
}
