import { spawn, type ChildProcess } from "node:child_process";
import * as path from "node:path";
import * as readline from "node:readline";
import { ROOT } from "./places";
import { RehearsalError, UsageError } from "./usage";

export interface CloudOptions {
    world: string;
    log: string;
    speed: number;
    faults: string[];
    happenings: string[];
    /** What relative paths of the program are relative to. */
    directory: string;
    /** What exists before anything is deployed. */
    seed?: string;
    environment: NodeJS.ProcessEnv;
    /** Told of the process as soon as there is one, so that it does not outlive the rehearsal. */
    owns: (pid: number | undefined) => void;
}

/** The simulated cloud: one process for each rehearsal, one loopback port for each Pulumi package. It ends when we end. */
export class CloudProcess {
    readonly #child: ChildProcess;
    #stderr = "";
    #ended = false;
    /** It was told to end: to do so by itself, or not asked any more. */
    #stopping: "asked" | "killed" | undefined;
    /** It ended otherwise than it was told to. */
    #died = false;
    ports: Record<string, number> = {};

    private constructor(child: ChildProcess) {
        this.#child = child;
        child.stderr!.on("data", (data: Buffer) => {
            this.#stderr = (this.#stderr + data.toString()).slice(-20_000);
        });
        child.on("error", (error) => {
            this.#ended = true;
            this.#stderr += error.message;
        });
        // After a crash this may be seen only when it is told to stop: then the signal tells.
        child.on("exit", (_code, signal) => {
            this.#ended = true;
            this.#died = this.#stopping === undefined || (this.#stopping === "asked" && signal !== null);
        });
    }

    static async start(options: CloudOptions): Promise<CloudProcess> {
        const main = process.env.REHEARSAL_CLOUD || path.join(ROOT, "rehearsal", "cloud", "main.ts");
        const faults = options.faults.flatMap((fault) => ["--fault", fault]);
        const happenings = options.happenings.flatMap((happening) => ["--event", happening]);
        const seed = options.seed ? ["--seed", options.seed] : [];
        const speed = ["--speed", String(options.speed)];
        const args = [
            main,
            "--world",
            options.world,
            "--log",
            options.log,
            "--directory",
            options.directory,
            ...speed,
            ...faults,
            ...happenings,
            ...seed,
        ];
        const child = spawn(process.execPath, ["--import", "tsx", ...args], {
            cwd: ROOT,
            env: options.environment,
            stdio: ["pipe", "pipe", "pipe"],
            // A group of its own: Ctrl-C is for the engine, which finishes with this cloud what is under way.
            detached: process.platform !== "win32",
        });
        options.owns(child.pid);
        child.stdin!.on("error", () => undefined);
        const cloud = new CloudProcess(child);
        cloud.ports = await cloud.#announced();
        return cloud;
    }

    /** Whether it ended before it was told to. */
    get died(): boolean {
        return this.#died;
    }

    /** The last that it wrote on stderr. */
    get lastWords(): string {
        return this.#stderr.trim();
    }

    #announced(): Promise<Record<string, number>> {
        return new Promise((resolve, reject) => {
            readline.createInterface({ input: this.#child.stdout! }).once("line", (line) => {
                try {
                    resolve((JSON.parse(line) as { ports: Record<string, number> }).ports);
                } catch {
                    reject(new RehearsalError(`the simulated cloud announced no ports but: ${line}`));
                }
            });
            this.#child.once("close", (code, signal) => {
                const said = this.#stderr.trim();
                const wrong = code === 2 ? new UsageError(said.split("\n").at(-1)) : undefined;
                reject(wrong ?? new RehearsalError(`the simulated cloud did not start (${signal ?? code}): ${said}`));
            });
        });
    }

    async stop(): Promise<void> {
        if (this.#ended) {
            return;
        }
        this.#stopping = "asked";
        const gone = new Promise((resolve) => this.#child.once("exit", resolve));
        this.#child.stdin!.end();
        const patience = setTimeout(() => {
            this.#stopping = "killed";
            this.#child.kill("SIGKILL");
        }, 5000);
        await gone;
        clearTimeout(patience);
    }
}
