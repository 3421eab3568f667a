import * as fs from "node:fs";

/** A resource in the engine's own state. */
export interface StateResource {
    urn: string;
    type: string;
    custom: boolean;
    id?: string;
    delete?: boolean;
    inputs?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
    parent?: string;
    dependencies?: string[];
    propertyDependencies?: Record<string, string[] | null>;
    deletedWith?: string;
    provider?: string;
    protect?: boolean;
    retainOnDelete?: boolean;
    external?: boolean;
    initErrors?: string[];
}

export interface PendingOperation {
    type: "creating" | "updating" | "deleting" | "reading" | "importing";
    resource: StateResource;
}

/** What `pulumi stack export` prints. */
export interface Deployment {
    version: number;
    deployment: { resources?: StateResource[]; pending_operations?: PendingOperation[] } & Record<string, unknown>;
}

/** Reads the file backend's checkpoint, which is faster than asking the CLI; an empty state where there is none. */
export function readState(file: string): { resources: StateResource[]; pending: PendingOperation[] } {
    let checkpoint: { latest?: Deployment["deployment"] };
    try {
        checkpoint = (JSON.parse(fs.readFileSync(file, "utf8")) as { checkpoint: typeof checkpoint }).checkpoint;
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return { resources: [], pending: [] };
        }
        throw error;
    }
    return { resources: checkpoint.latest?.resources ?? [], pending: checkpoint.latest?.pending_operations ?? [] };
}
