import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";

/** The clone's root. */
export const ROOT = path.resolve(__dirname, "..", "..");

/** The user's cache folder, shared by all clones: only the Pulumi CLI lies there. */
export function cacheDirectory(
    env: NodeJS.ProcessEnv = process.env,
    platform: NodeJS.Platform = process.platform,
): string {
    if (env.REHEARSAL_CACHE_DIR) {
        return path.resolve(env.REHEARSAL_CACHE_DIR);
    }
    const home = env.HOME || os.homedir();
    const base =
        platform === "darwin"
            ? path.join(home, "Library", "Caches")
            : platform === "win32"
              ? env.LOCALAPPDATA || path.join(home, "AppData", "Local")
              : env.XDG_CACHE_HOME && path.isAbsolute(env.XDG_CACHE_HOME)
                ? env.XDG_CACHE_HOME
                : path.join(home, ".cache");
    return path.join(base, "airflow-on-eks-rehearsal");
}

/** Where everything of the rehearsals of this clone lies, apart from the CLI. `REHEARSAL_DIR` gives each test its own. */
export function rehearsalDirectory(env: NodeJS.ProcessEnv = process.env): string {
    return path.resolve(env.REHEARSAL_DIR || path.join(ROOT, ".rehearsal"));
}

/** The files of one program's one stack. */
export interface Places {
    /** The Pulumi home of the rehearsals: never the user's. */
    home: string;
    /** The file backend: one a program, so that projects of the same name do not meet. */
    state: string;
    /** Copy of the stack's configuration, with stand-ins and `--set` values; the engine writes to it. */
    configFile: string;
    /** What `--set` said since the last `--fresh`. */
    settingsFile: string;
    /** The simulated account. */
    world: string;
    /** The cloud's log of operations of the latest rehearsal. */
    operationsLog: string;
    lock: string;
    worldLock: string;
    /** The policy pack writes here what it judged. */
    judged: string;
}

export function placesOf(program: string, project: string, stack: string, world: string | undefined): Places {
    const base = rehearsalDirectory();
    const key = programKey(program, project);
    const worldName = world ?? `${key}.${stack}`;
    const own = path.join(base, "programs", key);
    return {
        home: path.join(base, "home"),
        state: path.join(own, "state"),
        configFile: path.join(own, `Pulumi.${stack}.yaml`),
        settingsFile: path.join(own, `${stack}.set.json`),
        world: path.join(base, "worlds", worldName),
        operationsLog: path.join(own, `${stack}.operations.jsonl`),
        lock: path.join(own, `${stack}.lock`),
        worldLock: path.join(base, "worlds", `${worldName}.lock`),
        judged: path.join(own, `${stack}.judged.json`),
    };
}

/** The project's name, made unique by the folder where that is not the clone's root. */
function programKey(program: string, project: string): string {
    const real = fs.realpathSync(program);
    if (real === fs.realpathSync(ROOT)) {
        return project;
    }
    return `${project}-${createHash("sha256").update(real).digest("hex").slice(0, 8)}`;
}
