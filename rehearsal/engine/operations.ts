import * as fs from "node:fs";

/** One operation as the simulated cloud carried it out; times are simulated seconds since the cloud started. */
export interface Operation {
    op: string;
    token: string;
    name: string;
    urn: string;
    id?: string;
    started: number;
    finished?: number;
    /** How long it typically takes on AWS. */
    seconds?: number;
    /** Where that figure comes from. */
    source?: string;
    fault?: string;
    error?: string;
    /** False where the cloud died before it was done. */
    done: boolean;
}

/** Reads the operations of the cloud's log. A last line that was cut off by a kill is skipped. */
export function readOperations(file: string): Operation[] {
    const operations: Operation[] = [];
    const open = new Map<string, Operation>();
    for (const { at, ...fields } of readEntries(file)) {
        if (at === "generic") {
            continue;
        }
        const key = `${fields.op} ${fields.urn} ${fields.token}`;
        const begun = at === "start" ? undefined : open.get(key);
        if (begun) {
            Object.assign(begun, fields, { done: at === "end" });
        } else {
            const operation: Operation = { ...fields, done: at === "end" };
            operations.push(operation);
            open.set(key, operation);
        }
        if (at === "end") {
            open.delete(key);
        }
    }
    return operations;
}

/** What the cloud checked for its form only: types without a table of their own, charts without a model. */
export function readGeneric(file: string): string[] {
    const found = readEntries(file).flatMap((entry) => (entry.at === "generic" ? (entry.what ?? []) : []));
    return [...new Set(found)].sort();
}

/** What each URN's latest carried-out creation made: the way back from a creation that the engine forgot. */
export function createdIds(operations: Operation[]): Map<string, string> {
    const ids = new Map<string, string>();
    for (const { op, urn, id, done, error } of operations) {
        if (op === "create" && id) {
            ids.set(urn, id);
        } else if (op === "delete" && done && !error && ids.get(urn) === id) {
            ids.delete(urn);
        }
    }
    return ids;
}

type Entry = Omit<Operation, "done"> & { at: "start" | "end" | "generic"; what?: string };

function readEntries(file: string): Entry[] {
    return readLines(file).flatMap((line) => {
        try {
            return [JSON.parse(line) as Entry];
        } catch {
            return []; // The last line of one who was killed.
        }
    });
}

function readLines(file: string): string[] {
    try {
        return fs.readFileSync(file, "utf8").split("\n").filter(Boolean);
    } catch {
        return [];
    }
}
