import * as fs from "node:fs";
import * as path from "node:path";
import type { Engine } from "./engine";
import type { EngineEvent } from "./events";
import { createdIds, readOperations, type Operation } from "./operations";
import type { Places } from "./places";
import type { Say } from "./pulumiCli";
import { readState, type Deployment, type PendingOperation, type StateResource } from "./state";
import { RehearsalError } from "./usage";

/** Removes the file backend's own lock. Whoever held it is dead: we hold the rehearsal's lock on this stack. */
export function removeBackendLocks(places: Places, project: string, stack: string): void {
    const folder = path.join(places.state, ".pulumi", "locks", "organization", project, stack);
    fs.rmSync(folder, { recursive: true, force: true });
}

/**
 * Removes attribute files that a killed engine left half written: the file backend writes them in place, beside the files that it
 * replaces whole, cannot read a file with a torn one ("failed to load checkpoint: EOF"), and needs none. Source: gocloud.dev,
 * blob/fileblob/attrs.go.
 */
export function removeTornAttributes(places: Places, project: string, stack: string): void {
    const checkpoint = path.join("stacks", project, `${stack}.json`);
    for (const file of ["meta.yaml", checkpoint, `${checkpoint}.bak`]) {
        const attributes = path.join(places.state, ".pulumi", `${file}.attrs`);
        try {
            JSON.parse(fs.readFileSync(attributes, "utf8"));
        } catch {
            fs.rmSync(attributes, { force: true });
        }
    }
}

/** Notes what the engine is about to create, so that it can be adopted if the engine never learns that it exists. */
export class Plan {
    readonly #file: string;

    constructor(places: Places) {
        this.#file = `${places.operationsLog}.plan`;
    }

    event(event: EngineEvent): void {
        const step = event.resourcePreEvent?.metadata;
        if (step?.new?.custom && step.op.startsWith("create")) {
            const { urn, type, parent, provider, inputs } = step.new;
            const resource: StateResource = {
                urn,
                type,
                custom: true,
                parent,
                provider,
                inputs: withoutSecrets(inputs),
            };
            fs.appendFileSync(this.#file, `${JSON.stringify(resource)}\n`);
        }
    }

    read(): Map<string, StateResource> {
        const lines = fs.existsSync(this.#file) ? fs.readFileSync(this.#file, "utf8").split("\n") : [];
        const resources = lines.flatMap((line) => {
            try {
                return [JSON.parse(line) as StateResource];
            } catch {
                return []; // The last line of one who was killed.
            }
        });
        return new Map(resources.map((resource) => [resource.urn, resource]));
    }

    forget(): void {
        fs.rmSync(this.#file, { force: true });
    }
}

/** Events hide what is secret; the next update fills it in again. */
function withoutSecrets(inputs: Record<string, unknown>): Record<string, unknown> {
    return Object.fromEntries(
        Object.entries(inputs).filter(([, value]) => !JSON.stringify(value)?.includes('"[secret]"')),
    );
}

/** Puts the log of the last rehearsal aside until its state is known to be whole. */
export function setLogAside(places: Places): Operation[] {
    const aside = `${places.operationsLog}.last`;
    if (fs.existsSync(places.operationsLog)) {
        fs.appendFileSync(aside, `${fs.readFileSync(places.operationsLog, "utf8")}\n`);
        fs.rmSync(places.operationsLog);
    }
    return readOperations(aside);
}

/**
 * Repairs a state whose last rehearsal was killed, wholly or in part, the way that Pulumi documents it: export, correct, import, refresh
 * what was corrected. Afterwards the engine knows what the cloud really did.
 */
export async function repair(engine: Engine, places: Places, earlier: Operation[], say: Say): Promise<void> {
    const plan = new Plan(places);
    const { resources, pending } = readState(engine.stateFile);
    const creations = forgottenCreations(earlier, plan.read(), resources, pending);
    const deletions = forgottenDeletions(earlier, resources);
    const count = new Set([
        ...pending.map(({ resource }) => resource.urn),
        ...creations.map(({ urn }) => urn),
        ...deletions,
    ]).size;
    if (count > 0) {
        say(`The last rehearsal was interrupted in ${count} operation(s); repairing the engine's state first.`);
        await correct(engine, `${places.lock}.repair.json`, (deployment) => [
            ...settle(deployment, creations, say),
            ...deletions,
        ]);
    }
    plan.forget();
    fs.rmSync(`${places.operationsLog}.last`, { force: true });
}

async function correct(engine: Engine, file: string, change: (deployment: Deployment) => string[]): Promise<void> {
    const exported = await engine.document(["stack", "export"]);
    if (exported.exitCode !== 0) {
        throw new RehearsalError(`the engine cannot export its state: ${exported.stderr.trim()}`);
    }
    const deployment = JSON.parse(exported.stdout) as Deployment;
    const targets = change(deployment).flatMap((urn) => ["--target", urn]);
    fs.writeFileSync(file, JSON.stringify(deployment));
    const imported = await engine.document(["stack", "import", "--file", file]);
    fs.rmSync(file, { force: true });
    if (imported.exitCode !== 0) {
        throw new RehearsalError(`the engine does not take back its repaired state: ${imported.stderr.trim()}`);
    }
    if (targets.length > 0) {
        const refreshed = await engine.operation("refresh", ["--yes", "--skip-preview", ...targets], () => undefined);
        if (refreshed.exitCode !== 0) {
            throw new RehearsalError(`the repaired state cannot be refreshed: ${refreshed.stderr.trim()}`);
        }
    }
}

/**
 * What the cloud created and said so without an error, but the engine does not know: its plugin or the engine itself was
 * killed. (A creation whose answer was an error stays forgotten, as on AWS.)
 */
export function forgottenCreations(
    earlier: Operation[],
    planned: Map<string, StateResource>,
    known: StateResource[],
    pending: PendingOperation[],
): StateResource[] {
    const started = new Map(
        pending.filter(({ type }) => type === "creating").map(({ resource }) => [resource.urn, resource]),
    );
    return [...createdIds(earlier.filter(({ error }) => !error))].flatMap(([urn, id]) => {
        const resource = started.get(urn) ?? planned.get(urn);
        const isKnown = known.some((one) => one.urn === urn && one.id === id);
        return resource && !isKnown ? [{ ...resource, id, outputs: { ...resource.inputs, ...resource.outputs } }] : [];
    });
}

/** What the cloud deleted, but the engine believes to be there. */
export function forgottenDeletions(earlier: Operation[], known: StateResource[]): string[] {
    const gone = new Set<string>();
    for (const { op, urn, id, done, error } of earlier) {
        if (op === "delete" && done && !error) {
            gone.add(`${urn} ${id}`);
        } else if (op === "create") {
            gone.delete(`${urn} ${id}`); // The same name, made anew.
        }
    }
    const doomed = known.filter(({ urn, id, delete: dead }) => !dead && gone.has(`${urn} ${id}`));
    return doomed.map(({ urn }) => urn);
}

/** Empties the pending operations into the resources; answers with the URNs whose real state is to be read. */
export function settle(deployment: Deployment, creations: StateResource[], say: Say): string[] {
    const resources = (deployment.deployment.resources ??= []);
    const urns = new Set<string>();
    for (const { type, resource } of deployment.deployment.pending_operations ?? []) {
        if (type !== "creating") {
            urns.add(resource.urn);
        }
    }
    delete deployment.deployment.pending_operations;
    for (const creation of creations) {
        adopt(resources, creation);
        urns.add(creation.urn);
        say(`  ${creation.urn.split("::").slice(2).join(" ")}: was created as ${creation.id}; adopted`);
    }
    return [...urns].filter((urn) => resources.some((one) => one.urn === urn && !one.delete));
}

/** Puts a resource behind all that it can depend on; the one that it was to replace is left for deletion. */
function adopt(resources: StateResource[], resource: StateResource): void {
    for (const older of resources) {
        if (older.urn === resource.urn) {
            older.delete = true;
        }
    }
    resources.push(resource);
}
