import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs, type Verb } from "../../rehearsal/engine/args";
import { pulumiCli } from "../../rehearsal/engine/pulumiCli";
import { prepare, readDocument, rehearse as rehearseOnce, type Outcome } from "../../rehearsal/engine/rehearse";
import type { Places } from "../../rehearsal/engine/places";
import type { Deployment } from "../../rehearsal/engine/state";

/** One rehearsal; all but the verb has a default. */
export interface Rehearsal {
    verb: Exclude<Verb, "start" | "outputs" | "export">;
    /** The program's folder. @default the clone's own program */
    program?: string;
    /** @default dev */
    stack?: string;
    /** `key=value`, as on the command line. */
    set?: string[];
    /** `key=value` of secret settings. */
    secret?: string[];
    /** Fault specs, as on the command line. */
    faults?: string[];
    /** What happens to the cluster before, for example `["lose-zone:eu-west-1a"]`. */
    happenings?: string[];
    /** Enforce the policy pack. @default true */
    policy?: boolean;
    /** up, destroy, refresh without the preview before. @default true, which saves time */
    skipPreview?: boolean;
    fresh?: boolean;
    /** A simulated account that several stacks or programs share. */
    world?: string;
    /** JSON file of what exists before. */
    seed?: string;
    speed?: number;
    /** Handed to the engine, for example `["--target", urn]`. */
    engineArgs?: string[];
}

/** What {@link Rehearsals.run} answers with: see {@link Outcome}; `log` is what a person would have read on the way. */
export interface Rehearsed extends Outcome {
    log: string[];
}

/**
 * Real engine, simulated cloud, in a folder of its own: what a test file does there no other sees. Use one for each test file
 * (`describe`); its state lasts from call to call, so that day 2 is: up, then up with another `set`.
 *
 * ```ts
 * describe("EFS", function () {
 *     this.timeout(900_000); // Only for what hangs: machines differ.
 *     const rehearsals = new Rehearsals();
 *     after(() => rehearsals.remove());
 *
 *     it("comes up", async () => {
 *         const up = await rehearsals.run({ verb: "up", program: "examples/storage-workshop" });
 *         assert.equal(up.exitCode, 0, up.problems());
 *         assert.equal(up.outputs.fileSystemId, …);
 *         up.resources;   // the engine's state       up.operations; // what the cloud carried out, with AWS durations
 *         up.policies;    // rules and violations     up.diagnostics // errors and warnings
 *     });
 * });
 * ```
 *
 * `program(files)` writes a small program into the folder; its `index.ts` can import the clone's components by `ROOT`.
 */
export class Rehearsals {
    readonly directory = fs.mkdtempSync(path.join(os.tmpdir(), "rehearsals-"));
    #programs = 0;
    #underWay: { abandon: AbortController; ended: Promise<unknown> } | undefined;

    constructor() {
        // On a fresh machine it is fetched or built now, which is no test's own time.
        before("the Pulumi CLI is there", async function () {
            this.timeout(1_800_000);
            await pulumiCli(console.log);
        });
    }

    async run(rehearsal: Rehearsal): Promise<Rehearsed & { problems: () => string }> {
        await this.#endAbandoned();
        const log: string[] = [];
        const prepared = this.#inside(() => prepare(this.#request(rehearsal)));
        const abandon = new AbortController();
        const listener = {
            say: (line: string) => void log.push(line),
            event: () => undefined,
            signal: abandon.signal,
        };
        const ended = this.#inside(() => rehearseOnce(prepared, listener));
        const underWay = (this.#underWay = { abandon, ended });
        const outcome = await ended.finally(() => {
            this.#underWay = this.#underWay === underWay ? undefined : this.#underWay;
        });
        if (abandon.signal.aborted) {
            throw new Error("abandoned: its test was over"); // What the test would have done next is not done.
        }
        return { ...outcome, log, problems: () => problems(outcome) };
    }

    /** A test that ran out of time leaves its rehearsal running, which must not fail the tests after it. */
    async #endAbandoned(): Promise<void> {
        this.#underWay?.abandon.abort();
        await this.#underWay?.ended.catch(() => undefined);
    }

    /** The engine's state, as `pulumi stack export` prints it. */
    async export(rehearsal: { program?: string; stack?: string; showSecrets?: boolean } = {}): Promise<Deployment> {
        return (await this.#document("export", rehearsal)) as Deployment;
    }

    /** The stack's outputs, secrets in plain text where asked for. */
    async outputs(
        rehearsal: { program?: string; stack?: string; showSecrets?: boolean } = {},
    ): Promise<Record<string, unknown>> {
        return (await this.#document("outputs", rehearsal)) as Record<string, unknown>;
    }

    /** Writes a program of a few files; `Pulumi.yaml` is made where it is not given. Answers with its folder. */
    program(files: Record<string, string>, name = `program-${++this.#programs}`): string {
        const folder = path.join(this.directory, name);
        const project = `name: ${name}\nruntime: {name: nodejs, options: {typescript: false, nodeargs: "--require tsx/cjs"}}\nmain: index.ts\n`;
        fs.mkdirSync(folder, { recursive: true });
        for (const [file, text] of Object.entries({ "Pulumi.yaml": project, "package.json": "{}", ...files })) {
            fs.writeFileSync(path.join(folder, file), text);
        }
        if (!fs.existsSync(path.join(this.directory, "node_modules"))) {
            fs.symlinkSync(path.join(ROOT, "node_modules"), path.join(this.directory, "node_modules"));
        }
        return folder;
    }

    /** Where what a program's rehearsals leave lies. */
    places(program: string): Places {
        return this.#inside(() => prepare(this.#request({ verb: "up", program }))).places;
    }

    async remove(): Promise<void> {
        await this.#endAbandoned();
        fs.rmSync(this.directory, { recursive: true, force: true, maxRetries: 5 });
    }

    #request(rehearsal: Rehearsal) {
        const {
            verb,
            stack = "dev",
            set = [],
            secret = [],
            faults = [],
            policy = true,
            skipPreview = true,
            fresh = false,
        } = rehearsal;
        const request = parseArgs([verb, stack, ...faults.flatMap((fault) => ["--fault", fault])])!;
        const program = rehearsal.program ? path.resolve(ROOT, rehearsal.program) : ROOT;
        const { world, seed, speed = 0, happenings = [], engineArgs = [] } = rehearsal;
        return {
            ...request,
            program,
            set,
            secret,
            policy,
            skipPreview,
            fresh,
            world,
            seed,
            speed,
            happenings,
            engineArgs,
        };
    }

    async #document(
        verb: "outputs" | "export",
        { program, stack = "dev", showSecrets = false }: { program?: string; stack?: string; showSecrets?: boolean },
    ) {
        const request = {
            ...parseArgs([verb, stack])!,
            showSecrets,
            program: program ? path.resolve(ROOT, program) : ROOT,
        };
        const listener = { say: () => undefined, event: () => undefined };
        const { document } = await this.#inside(() => readDocument(prepare(request), listener));
        return document;
    }

    /** Everything of a rehearsal is found by REHEARSAL_DIR when it is prepared. */
    #inside<T>(work: () => T): T {
        const before = process.env.REHEARSAL_DIR;
        process.env.REHEARSAL_DIR = path.join(this.directory, ".rehearsal");
        try {
            return work();
        } finally {
            if (before === undefined) {
                delete process.env.REHEARSAL_DIR;
            } else {
                process.env.REHEARSAL_DIR = before;
            }
        }
    }
}

/** The clone's root. */
export const ROOT = path.resolve(__dirname, "..", "..");

function problems({ exitCode, diagnostics, policies, stderr }: Outcome): string {
    const lines = diagnostics.map(
        ({ severity, urn = "", message }) => `${severity}: ${urn.split("::").slice(2).join(" ")} ${message}`,
    );
    const broken = (policies?.violations ?? []).map(({ rule, message }) => `policy: ${rule}: ${message}`);
    return [`exit status ${exitCode}`, ...lines, ...broken, stderr].join("\n");
}
