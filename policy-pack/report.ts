import * as fs from "node:fs";
import type { Exception } from "./config";
import { isPreview } from "./engine";
import type { Finding, Rule, Undecided } from "./rule";

interface Entry {
    rule: string;
    /** The rule's own level; configuration may have set another. */
    level: string;
    judged: Set<string>;
    findings: Map<string, object>;
    undecided: Map<string, object>;
    advice: Map<string, object>;
    exceptions: Map<string, object>;
}

/**
 * What each rule judged, for those who want to know that it judged anything at all: written as JSON to the file that
 * the environment variable EKS_STORAGE_POLICIES_REPORT names. It holds paths and messages, never values.
 */
export class Report {
    readonly #entries = new Map<string, Entry>();
    #written = 0;

    constructor(
        rules: Rule[],
        readonly file: string | undefined = process.env.EKS_STORAGE_POLICIES_REPORT,
    ) {
        for (const rule of file ? rules : []) {
            this.#entries.set(rule.name, {
                rule: rule.name,
                level: rule.level,
                judged: new Set(),
                findings: new Map(),
                undecided: new Map(),
                advice: new Map(),
                exceptions: new Map(),
            });
        }
    }

    judged(rule: string, urns: Iterable<string>): void {
        const entry = this.#entries.get(rule);
        for (const urn of entry ? urns : []) {
            entry!.judged.add(urn);
        }
    }

    found(rule: string, kind: "findings" | "advice", { resource, property, what, fix }: Finding): void {
        this.#entries
            .get(rule)
            ?.[kind].set(`${resource.urn} ${property} ${what}`, { urn: resource.urn, property, what, fix });
    }

    undecided(rule: string, { resource, property, why }: Undecided): void {
        this.#entries
            .get(rule)
            ?.undecided.set(`${resource.urn} ${property} ${why}`, { urn: resource.urn, property, why });
    }

    excepted(rule: string, { resource, property }: Finding, exception: Exception): void {
        this.#entries.get(rule)?.exceptions.set(`${resource.urn} ${property}`, {
            ...exception,
            resource: exception.resource,
            urn: resource.urn,
            at: property,
        });
    }

    /** @param now whether it must not wait (the end of a run), or may be left to the next call (one resource of many) */
    write(now: boolean): void {
        if (!this.file || (!now && Date.now() - this.#written < 250)) {
            return;
        }
        this.#written = Date.now();
        const rules = [...this.#entries.values()].map((entry) => ({
            rule: entry.rule,
            level: entry.level,
            judged: entry.judged.size,
            findings: [...entry.findings.values()],
            undecided: [...entry.undecided.values()],
            advice: [...entry.advice.values()],
            exceptions: [...entry.exceptions.values()],
        }));
        const text = JSON.stringify(
            { version: 1, pack: "eks-storage-policies", preview: isPreview(), rules },
            undefined,
            2,
        );
        const draft = `${this.file}.${process.pid}.tmp`;
        fs.writeFileSync(draft, `${text}\n`);
        fs.renameSync(draft, this.file);
    }
}
