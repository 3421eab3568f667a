import * as fs from "node:fs";
import * as path from "node:path";
import { parseEvent } from "../cloud/kubernetes/nature";
import { isSimulated } from "../cloud/packages";
import { awsTime, type AwsTime } from "../report/criticalPath";
import { judgement, type Judgement } from "../report/judged";
import type { Request, Verb } from "./args";
import { CloudProcess } from "./cloudProcess";
import {
    knownStacks,
    parseSecret,
    parseSetting,
    readProject,
    readTracked,
    writeConfigCopy,
    type Project,
    type Setting,
    seedOf,
} from "./config";
import { Engine, type EngineRun } from "./engine";
import { rehearsalEnvironment } from "./environment";
import type { EngineEvent, Summary } from "./events";
import { nameOf } from "./events";
import { parseFault } from "./faults";
import { LanguageHost } from "./languageHost";
import { Lock, LockedError } from "./lock";
import { createdIds, readGeneric, readOperations, type Operation } from "./operations";
import { placesOf, type Places } from "./places";
import { policyPackArgs } from "./policyPack";
import { pulumiCli, type PulumiCli } from "./pulumiCli";
import { Plan, removeBackendLocks, removeTornAttributes, repair, setLogAside } from "./recovery";
import { readState, type StateResource } from "./state";
import { RehearsalError, UsageError } from "./usage";

/** Who is told what happens while it happens. */
export interface Listener {
    say(line: string): void;
    event(event: EngineEvent): void;
    /** Aborted by who does not wait for the end any more: what runs is killed. */
    signal?: AbortSignal;
}

/** What a rehearsal of an operation showed. */
export interface Outcome {
    verb: Verb;
    project: string;
    stack: string;
    exitCode: number;
    /** The engine's own figures; undefined where it did not come so far. */
    changes?: Record<string, number>;
    /** Errors and warnings, as the engine worded them. */
    diagnostics: { severity: string; message: string; urn?: string }[];
    /** The stack's outputs; secrets are `"[secret]"`. */
    outputs: Record<string, unknown>;
    policies?: Judgement;
    aws: AwsTime;
    operations: Operation[];
    /** Types, charts and files of which the simulated cloud knows the form only: what AWS would do with them was not rehearsed. */
    genericOnly: string[];
    /** What the cloud made in this rehearsal and the engine forgot. */
    leftBehind: { urn: string; name: string; type: string; id: string }[];
    resources: StateResource[];
    events: EngineEvent[];
    stderr: string;
    /** Real seconds that it took. */
    seconds: number;
}

/** What `outputs` and `export` answer with. */
export interface Document {
    exitCode: number;
    document: unknown;
    stderr: string;
}

interface Prepared {
    request: Request;
    project: Project;
    stack: string;
    settings: Setting[];
    /** What exists before anything is deployed. */
    seed?: string;
    places: Places;
}

/** Checks a request against the program's own files. Starts nothing; throws a {@link UsageError}. */
export function prepare(request: Request): Prepared {
    const project = readProject(request.program);
    const stacks = knownStacks(request.program);
    const stack = request.stack ?? "dev";
    if (stacks.length > 0 && !stacks.includes(stack)) {
        throw new UsageError(`unknown stack "${stack}"; there are Pulumi.${stacks.join(".yaml, Pulumi.")}.yaml`);
    }
    const seed = request.seed ?? seedOf(project);
    if (seed !== undefined) {
        checkSeed(seed);
    }
    readTracked(project, stack);
    refuseUnknown(request);
    const settings = [
        ...request.set.map((text) => parseSetting(text, project)),
        ...request.secret.map((text) => parseSecret(text, project)),
    ];
    return {
        request,
        project,
        stack,
        settings,
        seed,
        places: placesOf(request.program, project.name, stack, request.world),
    };
}

function checkSeed(file: string): void {
    let objects: unknown;
    try {
        objects = JSON.parse(fs.readFileSync(file, "utf8"));
    } catch (error) {
        throw new UsageError(`--seed ${file}: ${(error as Error).message.replace(/\s+/g, " ")}`);
    }
    const isObject = (one: unknown) => ["token", "id", "inputs", "outputs"].every((key) => key in Object(one));
    if (!Array.isArray(objects) || !objects.every(isObject)) {
        throw new UsageError(`--seed ${file}: expected a list of objects with token, id, inputs and outputs`);
    }
}

/** Answers `outputs` and `export` from the engine's state. */
export async function readDocument(prepared: Prepared, listener: Listener): Promise<Document> {
    const { request, project, stack, places } = prepared;
    const cli = await pulumiCli((line) => listener.say(line));
    const engine = engineFor(prepared, cli, rehearsalEnvironment(places), () => undefined);
    if (!fs.existsSync(engine.stateFile)) {
        throw new RehearsalError(`${project.name} ${stack} was not rehearsed yet: npm run rehearse -- up ${stack}`);
    }
    const secrets = request.showSecrets ? ["--show-secrets"] : [];
    const args = request.verb === "export" ? ["stack", "export"] : ["stack", "output", "--json"];
    const run = await engine.document([...args, ...secrets, ...request.engineArgs]);
    const document = run.exitCode === 0 ? (JSON.parse(run.stdout) as unknown) : null;
    return { exitCode: run.exitCode, document, stderr: run.stderr };
}

/** Rehearses one operation: engine, program, policy pack and simulated cloud. */
export async function rehearse(prepared: Prepared, listener: Listener): Promise<Outcome> {
    const { project, stack, places } = prepared;
    const what = `${project.name} ${stack}`;
    listener.say(`Rehearsing ${prepared.request.verb === "start" ? "up" : prepared.request.verb} of ${what}`);
    const locks: Lock[] = [];
    try {
        locks.push(await Lock.take(places.lock, what));
        locks.push(await Lock.take(places.worldLock, `the simulated account of ${what}`));
        return await withLocks(prepared, listener, locks);
    } catch (error) {
        throw error instanceof LockedError ? new RehearsalError(error.message) : error;
    } finally {
        locks.forEach((lock) => lock.release());
    }
}

/** Refuses faults and events that cannot be. */
function refuseUnknown({ faults, happenings }: Request): void {
    if (faults.length > 0) {
        const unknown = faults.map(parseFault).find(({ type }) => !isSimulated(type));
        if (unknown) {
            throw new UsageError(`fault "${unknown.spec}": nothing of type "${unknown.type}" is simulated`);
        }
    }
    if (happenings.length > 0) {
        try {
            happenings.forEach(parseEvent);
        } catch (error) {
            throw new UsageError((error as Error).message);
        }
    }
}

async function withLocks(prepared: Prepared, listener: Listener, locks: Lock[]): Promise<Outcome> {
    const began = Date.now();
    const { request, project, stack, settings, seed, places } = prepared;
    const owns = (pid: number | undefined) => locks[0]!.owns(pid);
    const cli = await pulumiCli((line) => listener.say(line));
    if (request.fresh) {
        forget(places, project.name, stack);
    }
    fs.mkdirSync(places.home, { recursive: true });
    fs.mkdirSync(places.world, { recursive: true });
    fs.rmSync(places.judged, { force: true });
    removeBackendLocks(places, project.name, stack);
    const earlier = setLogAside(places);

    const environment = rehearsalEnvironment(places);
    if (!cli.needsLanguageHost) {
        // As the npm launcher does, so that the release's language host is found.
        environment.PATH = `${path.dirname(cli.binary)}${path.delimiter}${environment.PATH ?? ""}`;
    }
    const engine = engineFor(prepared, cli, environment, owns);
    const host = cli.needsLanguageHost ? new LanguageHost(environment, owns) : undefined;
    const cloudStarting = CloudProcess.start({
        world: places.world,
        log: places.operationsLog,
        speed: request.speed,
        faults: request.faults,
        happenings: request.happenings,
        seed,
        directory: project.workingDirectory,
        environment,
        owns,
    });
    const stackReady = engine.ensureStack();
    stackReady.catch(() => undefined);
    const interrupt = () => engine.interrupt();
    const abandon = () => engine.abandon();
    process.on("SIGINT", interrupt);
    process.on("SIGTERM", interrupt);
    listener.signal?.addEventListener("abort", abandon);
    let cloud: CloudProcess | undefined;
    try {
        cloud = await cloudStarting;
        // Not before: where the cloud refuses the call, its settings are not remembered.
        writeConfigCopy(project, stack, places, settings).forEach((note) => listener.say(note));
        await stackReady;
        environment.PULUMI_DEBUG_PROVIDERS = pairs(cloud.ports);
        if (host) {
            environment.PULUMI_DEBUG_LANGUAGES = pairs({ nodejs: await host.listen() });
        }
        await repair(engine, places, earlier, (line) => listener.say(line));
        const before = readState(engine.stateFile).resources;
        const plan = new Plan(places);
        const run = await engine.operation(ENGINE_VERB[request.verb], operationArgs(request), (event) => {
            plan.event(event);
            listener.event(event);
        });
        await cloud.stop();
        const outcome = conclude(prepared, engine, before, run);
        if (engine.isInterrupted) {
            listener.say(
                "Interrupted: what was under way was finished and is known; the same call goes on from there.",
            );
            outcome.exitCode ||= INTERRUPTED; // The engine itself may call it a success.
        }
        tellDeath(cloud, outcome, listener);
        tellUnusedFaults(request, outcome, listener);
        outcome.seconds = (Date.now() - began) / 1000;
        return outcome;
    } finally {
        process.off("SIGINT", interrupt);
        process.off("SIGTERM", interrupt);
        listener.signal?.removeEventListener("abort", abandon);
        host?.close();
        await cloud?.stop();
        await stackReady.catch(() => undefined); // Nothing runs any more when the locks are given back.
    }
}

/** What a shell answers for a command that Ctrl-C ended. */
const INTERRUPTED = 130;

const ENGINE_VERB: Record<Verb, string> = {
    start: "up",
    up: "up",
    preview: "preview",
    policy: "preview",
    refresh: "refresh",
    destroy: "destroy",
    outputs: "stack",
    export: "stack",
};

/** Whether the engine's stream holds a preview before the operation itself. */
export function previewsFirst(request: Request): boolean {
    return ["preview", "policy"].includes(request.verb) || !request.skipPreview;
}

function operationArgs(request: Request): string[] {
    const verb = ENGINE_VERB[request.verb];
    const pack = verb === "up" || verb === "preview" ? policyPackArgs(request.policy, request.program) : [];
    const agreed = verb === "preview" ? [] : ["--yes", ...(request.skipPreview ? ["--skip-preview"] : [])];
    return [...agreed, ...pack, ...request.engineArgs];
}

function engineFor(
    { request, project, stack, places }: Prepared,
    cli: PulumiCli,
    environment: NodeJS.ProcessEnv,
    owns: (pid: number | undefined) => void,
): Engine {
    const { binary } = cli;
    removeTornAttributes(places, project.name, stack);
    return new Engine({ binary, directory: request.program, project: project.name, stack, places, environment, owns });
}

/** `--fresh`: as if this stack had never been rehearsed. */
function forget(places: Places, project: string, stack: string): void {
    for (const folder of ["stacks", "backups", "history"]) {
        const base = `${places.state}/.pulumi/${folder}/${project}/${stack}`;
        for (const file of [base, `${base}.json`, `${base}.json.attrs`, `${base}.json.bak`, `${base}.json.bak.attrs`]) {
            fs.rmSync(file, { recursive: true, force: true });
        }
    }
    const log = places.operationsLog;
    for (const file of [places.configFile, places.settingsFile, places.world, log, `${log}.last`, `${log}.plan`]) {
        fs.rmSync(file, { recursive: true, force: true });
    }
}

function conclude(
    { request, project, stack, places }: Prepared,
    engine: Engine,
    before: StateResource[],
    run: EngineRun,
): Outcome {
    const resources = readState(engine.stateFile).resources;
    const operations = readOperations(places.operationsLog);
    const stackResource = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
    return {
        verb: request.verb,
        project: project.name,
        stack,
        exitCode: run.exitCode,
        changes: lastSummary(run.events)?.resourceChanges,
        diagnostics: diagnostics(run),
        outputs: maskSecrets(stackResource?.outputs ?? {}) as Record<string, unknown>,
        policies: judgement(places.judged, run.events),
        aws: awsTime(operations, before, resources),
        operations,
        genericOnly: readGeneric(places.operationsLog),
        leftBehind: leftBehind(operations, resources),
        resources,
        events: run.events,
        stderr: run.stderr,
        seconds: 0,
    };
}

function lastSummary(events: EngineEvent[]): Summary | undefined {
    return events.flatMap(({ summaryEvent }) => summaryEvent ?? []).at(-1);
}

function diagnostics(run: EngineRun): Outcome["diagnostics"] {
    const said = run.events.flatMap(({ diagnosticEvent, errorEvent }) => [
        ...(diagnosticEvent && ["error", "warning"].includes(diagnosticEvent.severity) ? [diagnosticEvent] : []),
        ...(errorEvent ? [{ severity: "error", message: errorEvent.error, urn: undefined }] : []),
    ]);
    const seen = new Map(
        said.map(({ severity, message, urn }) => [`${urn} ${message}`, { severity, message: message.trim(), urn }]),
    );
    return [...seen.values()];
}

function leftBehind(operations: Operation[], resources: StateResource[]): Outcome["leftBehind"] {
    const known = new Set(resources.map(({ urn, id }) => `${urn} ${id}`));
    return [...createdIds(operations)]
        .filter(([urn, id]) => !known.has(`${urn} ${id}`))
        .map(([urn, id]) => ({ urn, name: nameOf(urn), type: operations.find((one) => one.urn === urn)!.token, id }));
}

const SECRET_SIGNATURE = "4dabf18193072939515e22adb298388d";

/** The state holds secrets encrypted; what is shown of them is that they are there. */
function maskSecrets(value: unknown): unknown {
    if (value === null || typeof value !== "object") {
        return value;
    }
    if (Array.isArray(value)) {
        return value.map(maskSecrets);
    }
    if (SECRET_SIGNATURE in value) {
        return "[secret]";
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskSecrets(inner)]));
}

function tellDeath(cloud: CloudProcess, outcome: Outcome, listener: Listener): void {
    if (cloud.died) {
        const words = cloud.lastWords;
        listener.say(`The simulated cloud was killed${words ? `: ${words}` : ""}. What it had carried out is on disk.`);
        outcome.exitCode ||= 1;
    }
}

/** A fault that fits nothing, such as a misspelt name, looks like a success otherwise. */
function tellUnusedFaults({ faults }: Request, { verb, operations }: Outcome, listener: Listener): void {
    const hit = new Set(operations.map(({ fault }) => fault));
    for (const fault of faults.filter((one) => !hit.has(one))) {
        const why = ["preview", "policy"].includes(verb) ? "a preview carries out nothing" : "no operation fitted it";
        listener.say(`fault "${fault}" did not occur: ${why}`);
    }
}

function pairs(ports: Record<string, number>): string {
    return Object.entries(ports)
        .map(([name, port]) => `${name}:${port}`)
        .join(",");
}
