import * as fs from "node:fs";
import type { EngineEvent, PolicyEvent } from "../engine/events";
import { nameOf, typeOf } from "../engine/events";

/** What one rule of the policy pack looked at and found. The pack itself writes these figures. */
export interface JudgedRule {
    rule: string;
    level: string;
    /** How many resources it looked at. */
    judged: number;
    findings: number;
    /** What is not known before `up`. */
    undecided: number;
    exceptions: number;
}

export interface Violation {
    rule: string;
    level: string;
    resource?: { urn: string; type: string; name: string };
    message: string;
}

export interface Judgement {
    rules: JudgedRule[];
    /** Violations of mandatory rules, and advice, as the engine reported them. */
    violations: Violation[];
}

interface Report {
    version: number;
    rules: { rule: string; level: string; judged: number; findings?: []; undecided?: []; exceptions?: [] }[];
}

/** Joins the pack's own report with the engine's policy events; undefined where no pack ran. */
export function judgement(file: string, events: EngineEvent[]): Judgement | undefined {
    const report = readReport(file);
    // What the preview said is stale once the update has said it again, knowing more.
    const last = events.map(({ preludeEvent }) => preludeEvent !== undefined).lastIndexOf(true);
    const policyEvents = events.slice(Math.max(last, 0)).flatMap(({ policyEvent }) => policyEvent ?? []);
    const ran = events.some(({ summaryEvent }) => Object.keys(summaryEvent?.policyPacks ?? {}).length > 0);
    if (!report && policyEvents.length === 0 && !ran) {
        return undefined;
    }
    const rules = (report?.rules ?? []).map(({ rule, level, judged, findings, undecided, exceptions }) => ({
        rule,
        level,
        judged,
        findings: findings?.length ?? 0,
        undecided: undecided?.length ?? 0,
        exceptions: exceptions?.length ?? 0,
    }));
    return { rules, violations: distinct(policyEvents) };
}

function distinct(events: PolicyEvent[]): Violation[] {
    const seen = new Map<string, Violation>();
    for (const { policyName, enforcementLevel, message, resourceUrn: urn } of events) {
        const resource = urn ? { urn, type: typeOf(urn), name: nameOf(urn) } : undefined;
        const text = message.trim();
        seen.set(`${policyName} ${urn} ${text}`, {
            rule: policyName,
            level: enforcementLevel,
            resource,
            message: text,
        });
    }
    return [...seen.values()];
}

function readReport(file: string): Report | undefined {
    try {
        return JSON.parse(fs.readFileSync(file, "utf8")) as Report;
    } catch {
        return undefined;
    }
}
