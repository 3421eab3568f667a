import * as fs from "node:fs";
import * as path from "node:path";
import { endLeftover, identify, isAlive, type ProcessIdentity } from "./processes";

interface Holder extends ProcessIdentity {
    what: string;
    since: string;
    /** The engine and the cloud that the holder started. */
    children: ProcessIdentity[];
}

export class LockedError extends Error {
    override name = "LockedError";
}

/** How long one waits for another who is just taking over the lock of a dead holder: it may have to end what that one left. */
const PATIENCE_MS = 60_000;

/**
 * A lock that dies with its process: a file that names the holder. What a killed holder left running (engine, cloud) is
 * ended by the next who takes the lock.
 */
export class Lock {
    readonly #file: string;
    readonly #holder: Holder;

    private constructor(file: string, holder: Holder) {
        this.#file = file;
        this.#holder = holder;
    }

    /** Takes the lock, or throws a {@link LockedError} that names who holds it. */
    static async take(file: string, what: string): Promise<Lock> {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        const self = identify(process.pid) ?? { pid: process.pid, started: "" };
        const holder: Holder = { ...self, what, since: new Date().toISOString(), children: [] };
        const deadline = Date.now() + PATIENCE_MS;
        for (;;) {
            if (createWhole(file, JSON.stringify(holder))) {
                return new Lock(file, holder);
            }
            const other = read(file);
            if (other && isAlive(other)) {
                throw new LockedError(`${what}: already being rehearsed by process ${other.pid} since ${other.since}`);
            }
            await removeStale(file, self);
            if (Date.now() > deadline) {
                throw new LockedError(`${what}: the lock ${file} cannot be taken`);
            }
        }
    }

    /** Notes a process that must not outlive the holder. */
    owns(pid: number | undefined): void {
        const identity = pid === undefined ? undefined : identify(pid);
        if (identity) {
            this.#holder.children.push(identity);
            replaceWhole(this.#file, JSON.stringify(this.#holder));
        }
    }

    release(): void {
        fs.rmSync(this.#file, { force: true });
    }
}

/** Creates a file that never exists half written; false when it is there already. */
function createWhole(file: string, text: string): boolean {
    const own = `${file}.${process.pid}`;
    fs.writeFileSync(own, text);
    try {
        fs.linkSync(own, file);
        return true;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST") {
            return false;
        }
        throw error;
    } finally {
        fs.rmSync(own, { force: true });
    }
}

function replaceWhole(file: string, text: string): void {
    const own = `${file}.${process.pid}`;
    fs.writeFileSync(own, text);
    fs.renameSync(own, file);
}

/** Removes the lock of a dead holder. Two who try at once are kept apart by a short-lived second file. */
async function removeStale(file: string, self: ProcessIdentity): Promise<void> {
    const guard = `${file}.takeover`;
    if (!createWhole(guard, JSON.stringify(self))) {
        const before = read(guard);
        await new Promise((resolve) => setTimeout(resolve, 100));
        const now = read(guard);
        // The same dead one, seen twice: it was killed in the midst of this.
        if (now && before?.pid === now.pid && before.started === now.started && !isAlive(now)) {
            fs.rmSync(guard, { force: true });
        }
        return;
    }
    try {
        const other = read(file);
        if (other === undefined || !isAlive(other)) {
            for (const child of other?.children ?? []) {
                await endLeftover(child);
            }
            fs.rmSync(file, { force: true });
        }
    } finally {
        fs.rmSync(guard, { force: true });
    }
}

function read(file: string): Holder | undefined {
    try {
        return JSON.parse(fs.readFileSync(file, "utf8")) as Holder;
    } catch {
        return undefined;
    }
}
