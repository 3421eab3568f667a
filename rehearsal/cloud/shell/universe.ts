import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as path from "node:path";
import type { Properties } from "./type";
import type { World, WorldObject } from "./world";

type Change =
    | { put: WorldObject }
    | { remove: { scope: string; token: string; id: string } }
    | { next: number }
    | { seeded: string };

/** Which provider asks, and what it sees. */
export interface Viewer {
    accountId: string;
    region: string;
    partition?: string;
    provider: Properties;
    /** The scope of a token for this provider; `undefined` sees all scopes. */
    scope: (token: string) => string | undefined;
}

const EVERYWHERE: Viewer = { accountId: "123456789012", region: "us-east-1", provider: {}, scope: () => undefined };

/** The whole simulated cloud of one stack: what exists, and the journal that remembers it. */
export class Universe {
    private readonly objects = new Map<string, Map<string, WorldObject>>();
    private readonly seeds = new Set<string>();
    private counter = 0;
    private changes: Change[] = [];
    private depth = 0;
    private journal: number | undefined;

    /** @param directory Where the journal lies; without it, everything is forgotten with the process. */
    constructor(directory?: string) {
        if (directory !== undefined) this.openJournal(path.join(directory, "world.jsonl"));
    }

    /** Runs one operation. What it changes is written as one line, or not at all when it throws. */
    transaction<T>(operation: () => T): T {
        if (this.depth > 0) return operation();
        const undo: (() => void)[] = [];
        this.undo = undo;
        this.depth++;
        try {
            const result = operation();
            this.write(this.changes);
            return result;
        } catch (error) {
            undo.reverse().forEach((step) => step());
            throw error;
        } finally {
            this.changes = [];
            this.depth--;
        }
    }
    private undo: (() => void)[] = [];

    view(viewer: Viewer = EVERYWHERE): World {
        const scopeOf = viewer.scope;
        const seeing = (scope: Viewer["scope"]) => this.view({ ...viewer, scope });
        return {
            accountId: viewer.accountId,
            region: viewer.region,
            partition: viewer.partition ?? "aws",
            provider: viewer.provider,
            get everywhere() {
                return seeing(() => undefined);
            },
            within: (cluster) => seeing((token) => (token.startsWith("kubernetes:") ? cluster : undefined)),
            at: (accountId, region) => this.view({ ...viewer, accountId, region, scope: () => undefined }),
            scopeOf,
            get: (token, id) => this.get(scopeOf(token), token, id),
            all: (token) => this.all(scopeOf(token), token),
            everything: () => [...this.objects.keys()].flatMap((token) => this.all(scopeOf(token), token)),
            find: (token, predicate) =>
                (Array.isArray(token) ? token : [token]).flatMap((one) => this.all(scopeOf(one), one)).find(predicate),
            put: (object) => this.put({ ...object, scope: object.scope ?? scopeOf(object.token) ?? "" }),
            remove: (token, id) => {
                const object = this.get(scopeOf(token), token, id);
                if (object) this.remove(object);
            },
            next: () => this.next(),
            hex: (digits) => createHash("sha256").update(`rehearsal ${this.next()}`).digest("hex").slice(0, digits),
        };
    }

    /** Puts objects into the world, once: what becomes of them stays so when the same seed is given again. */
    seed(objects: WorldObject[]): void {
        const seeded = createHash("sha256").update(JSON.stringify(objects)).digest("hex");
        if (this.seeds.has(seeded)) return;
        this.transaction(() => {
            for (const { scope = "", ...object } of objects) {
                if (!this.get(scope, object.token, object.id)) this.put({ ...object, scope });
            }
            this.apply({ seeded });
            this.changes.push({ seeded });
        });
    }

    /** Every object, in no particular order of types. */
    *every(): Iterable<WorldObject> {
        for (const ofType of this.objects.values()) yield* ofType.values();
    }

    private get(scope: string | undefined, token: string, id: string): WorldObject | undefined {
        const ofType = this.objects.get(token);
        if (!ofType) return undefined;
        if (scope !== undefined) return ofType.get(`${scope}\n${id}`);
        return [...ofType.values()].find((object) => object.id === id);
    }

    private all(scope: string | undefined, token: string): WorldObject[] {
        const objects = [...(this.objects.get(token)?.values() ?? [])];
        return scope === undefined ? objects : objects.filter((object) => object.scope === scope);
    }

    private put(object: WorldObject): void {
        const before = this.get(object.scope, object.token, object.id);
        this.changes.push({ put: object });
        this.undo.push(() => this.apply(before ? { put: before } : { remove: { ...object, scope: object.scope! } }));
        this.apply({ put: object });
        this.writeUnlessInTransaction();
    }

    private remove(object: WorldObject): void {
        const change = { remove: { scope: object.scope!, token: object.token, id: object.id } };
        this.changes.push(change);
        this.undo.push(() => this.apply({ put: object }));
        this.apply(change);
        this.writeUnlessInTransaction();
    }

    private next(): number {
        this.apply({ next: this.counter + 1 });
        this.changes.push({ next: this.counter });
        this.writeUnlessInTransaction();
        return this.counter;
    }

    private apply(change: Change): void {
        if ("put" in change) {
            const { token, scope, id } = change.put;
            if (!this.objects.has(token)) this.objects.set(token, new Map());
            this.objects.get(token)!.set(`${scope}\n${id}`, change.put);
        } else if ("remove" in change) {
            this.objects.get(change.remove.token)?.delete(`${change.remove.scope}\n${change.remove.id}`);
        } else if ("seeded" in change) {
            this.seeds.add(change.seeded);
        } else {
            this.counter = change.next;
        }
    }

    private writeUnlessInTransaction(): void {
        if (this.depth > 0) return;
        this.write(this.changes);
        this.changes = [];
        this.undo = [];
    }

    private write(changes: Change[]): void {
        if (this.journal === undefined || changes.length === 0) return;
        // A write that returned is with the kernel: it survives the death of this process.
        fs.writeSync(this.journal, JSON.stringify(changes) + "\n");
    }

    private openJournal(file: string): void {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        if (fs.existsSync(file)) {
            const lines = fs.readFileSync(file, "utf8").split("\n");
            // What follows the last line end was torn by a kill before its operation answered: it did not happen.
            lines.pop();
            lines.forEach((line, index) => {
                let changes: Change[];
                try {
                    changes = JSON.parse(line) as Change[];
                } catch {
                    throw new Error(`${file}:${index + 1}: not a line of the journal; delete the file to start over`);
                }
                changes.forEach((change) => this.apply(change));
            });
        }
        const compact = file + ".compact";
        const all: Change[] = [
            { next: this.counter },
            ...[...this.seeds].map((seeded) => ({ seeded })),
            ...[...this.every()].map((object) => ({ put: object })),
        ];
        fs.writeFileSync(compact, all.map((change) => JSON.stringify([change]) + "\n").join(""), { mode: 0o600 });
        fs.renameSync(compact, file);
        this.journal = fs.openSync(file, "a", 0o600);
    }
}
