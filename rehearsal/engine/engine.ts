import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as readline from "node:readline";
import type { EngineEvent } from "./events";
import type { Places } from "./places";
import { RehearsalError } from "./usage";

/** What one call of the CLI left: its status, its events (with `--json`), and what it printed besides. */
export interface EngineRun {
    exitCode: number;
    events: EngineEvent[];
    stdout: string;
    stderr: string;
}

export interface EngineContext {
    binary: string;
    directory: string;
    project: string;
    stack: string;
    places: Places;
    environment: NodeJS.ProcessEnv;
    /** Told of each process that is started, so that none outlives the rehearsal. */
    owns: (pid: number | undefined) => void;
}

/** Calls the real `pulumi` in the program's folder. */
export class Engine {
    readonly #context: EngineContext;
    /** What runs now: at the beginning of a rehearsal nothing, else one call after another. */
    #child: ChildProcess | undefined;
    #stopped = false;

    constructor(context: EngineContext) {
        this.#context = context;
    }

    /** Runs an operation with the engine's event stream; `tell` sees each event as it happens. */
    operation(verb: string, args: string[], tell: (event: EngineEvent) => void): Promise<EngineRun> {
        const { stack, places } = this.#context;
        const common = ["--json", "--stack", stack, "--config-file", places.configFile, "--skip-plugin-pre-install"];
        return this.#run([verb, ...common, ...args], this.#context.directory, tell);
    }

    /** Runs a command that prints a document. */
    document(args: string[]): Promise<EngineRun> {
        return this.#run([...args, "--stack", this.#context.stack], this.#context.directory);
    }

    /**
     * Creates the stack in the file backend if it is not there. Done in an empty folder: `stack init` writes the passphrase's salt
     * into the project's own settings file.
     */
    async ensureStack(): Promise<void> {
        const { project, stack } = this.#context;
        if (fs.existsSync(this.stateFile)) {
            return;
        }
        fs.mkdirSync(this.#context.places.state, { recursive: true });
        fs.mkdirSync(this.#context.environment.HOME!, { recursive: true });
        const empty = fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-"));
        try {
            fs.writeFileSync(path.join(empty, "Pulumi.yaml"), JSON.stringify({ name: project, runtime: "nodejs" }));
            const run = await this.#run(["stack", "init", stack, "--no-select"], empty);
            if (run.exitCode !== 0) {
                throw new RehearsalError(`the engine could not create the stack ${stack}: ${run.stderr.trim()}`);
            }
        } finally {
            fs.rmSync(empty, { recursive: true, force: true });
        }
    }

    get stateFile(): string {
        const { project, stack, places } = this.#context;
        return path.join(places.state, ".pulumi", "stacks", project, `${stack}.json`);
    }

    /** Hands on Ctrl-C: the engine finishes what is under way and saves its state. Nothing else is started then. */
    interrupt(): void {
        this.#stopped = true;
        this.#child?.kill("SIGINT");
    }

    get isInterrupted(): boolean {
        return this.#stopped;
    }

    /** Ends what runs, whatever it does: the next rehearsal repairs the state. */
    abandon(): void {
        this.#stopped = true;
        this.#child?.kill("SIGKILL");
    }

    async #run(args: string[], cwd: string, tell?: (event: EngineEvent) => void): Promise<EngineRun> {
        if (this.#stopped) {
            throw new RehearsalError("interrupted");
        }
        const environment = this.#context.environment;
        const child = spawn(this.#context.binary, [...args, "--non-interactive", "--color", "never"], {
            cwd,
            env: environment,
            stdio: ["ignore", "pipe", "pipe"],
            // A group of its own: Ctrl-C reaches it once, through us.
            detached: process.platform !== "win32",
        });
        this.#child = child;
        this.#context.owns(child.pid);
        const run: EngineRun = { exitCode: 1, events: [], stdout: "", stderr: "" };
        child.stderr.setEncoding("utf8").on("data", (text: string) => (run.stderr += text));
        readline.createInterface({ input: child.stdout }).on("line", (line) => {
            const event = tell && parseEvent(line);
            if (event) {
                run.events.push(event);
                tell(event);
            } else {
                run.stdout += `${line}\n`;
            }
        });
        run.exitCode = await new Promise<number>((resolve, reject) => {
            child.on("error", (error) => reject(new RehearsalError(`the Pulumi CLI does not start: ${error.message}`)));
            child.on("close", (code) => resolve(code ?? 1));
        });
        this.#child = undefined;
        return run;
    }
}

function parseEvent(line: string): EngineEvent | undefined {
    try {
        const event = JSON.parse(line) as EngineEvent;
        return typeof event.sequence === "number" ? event : undefined;
    } catch {
        return undefined;
    }
}
