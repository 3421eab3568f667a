import { execFileSync } from "node:child_process";
import * as fs from "node:fs";

/** A process, told apart from a later one with the same id by the moment at which it started. */
export interface ProcessIdentity {
    pid: number;
    started: string;
}

export function identify(pid: number): ProcessIdentity | undefined {
    const started = startOf(pid);
    return started === undefined ? undefined : { pid, started };
}

export function isAlive(identity: ProcessIdentity): boolean {
    return startOf(identity.pid) === identity.started;
}

/** When a process started, in whatever unit the system tells; undefined when there is none, or only its remains. */
function startOf(pid: number): string | undefined {
    if (process.platform === "linux") {
        try {
            const stat = fs.readFileSync(`/proc/${pid}/stat`, "utf8");
            const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
            return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
        } catch {
            return undefined;
        }
    }
    try {
        process.kill(pid, 0);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EPERM") {
            return undefined;
        }
    }
    if (process.platform === "win32") {
        return "running";
    }
    try {
        const line = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], { encoding: "utf8" }).trim();
        return line.startsWith("Z") ? undefined : line.replace(/^\S+\s+/, "");
    } catch {
        return undefined;
    }
}

/** Ends a process that an earlier rehearsal left behind, and waits until it is gone. */
export async function endLeftover(identity: ProcessIdentity, patienceMs = 5000): Promise<void> {
    const until = Date.now() + patienceMs;
    while (isAlive(identity)) {
        try {
            process.kill(identity.pid, "SIGKILL");
        } catch {
            return;
        }
        if (Date.now() > until) {
            throw new Error(`process ${identity.pid} of an earlier rehearsal does not end`);
        }
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}
