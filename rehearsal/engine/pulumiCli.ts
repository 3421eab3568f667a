import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { Lock, LockedError } from "./lock";
import { cacheDirectory, ROOT } from "./places";
import { RehearsalError } from "./usage";

/** Lies beside a CLI that was built here: that one has no language host of its own. */
const BUILT_MARK = "built-from-go-modules";
const STUB = `#!/bin/sh
# The engine wants to see a language host beside it; inside a rehearsal it attaches to one that already runs.
echo "pulumi-language-nodejs: this CLI was built for rehearsals and runs programs only inside one" >&2
exit 1
`;

/** Progress, one line a step. */
export type Say = (line: string) => void;

/** The two ways to a CLI. Each fills `<directory>/bin` or throws an error of one line. */
export interface Ways {
    download(version: string, directory: string, say: Say): Promise<void>;
    build(version: string, directory: string, say: Say): Promise<void>;
}

export interface PulumiCli {
    binary: string;
    /** False where the release's own language host lies beside the CLI. */
    needsLanguageHost: boolean;
}

/** Finds the CLI in the cache, or gets it there: by the npm launcher's download, else by a build from Go modules. */
export async function pulumiCli(
    say: Say,
    ways: Ways = { download, build },
    version = launcherVersion(),
    cache = cacheDirectory(),
): Promise<PulumiCli> {
    const home = path.join(cache, "versions", version);
    return inspect(home) ?? (await oneAtATime(cache, say, () => obtain(home, version, say, ways)));
}

function inspect(home: string): PulumiCli | undefined {
    const bin = path.join(home, "bin");
    const binary = path.join(bin, process.platform === "win32" ? "pulumi.exe" : "pulumi");
    try {
        fs.accessSync(binary, fs.constants.X_OK);
    } catch {
        return undefined;
    }
    return { binary, needsLanguageHost: fs.existsSync(path.join(bin, BUILT_MARK)) };
}

async function obtain(home: string, version: string, say: Say, ways: Ways): Promise<PulumiCli> {
    const there = inspect(home);
    if (there) {
        return there;
    }
    const failures: string[] = [];
    for (const way of ["download", "build"] as const) {
        const temporary = `${home}.${way}-${process.pid}`;
        fs.rmSync(temporary, { recursive: true, force: true });
        fs.mkdirSync(temporary, { recursive: true });
        try {
            await ways[way](version, temporary, say);
            if (!inspect(temporary)) {
                throw new Error("it left no executable");
            }
            fs.rmSync(home, { recursive: true, force: true });
            fs.renameSync(temporary, home);
            return inspect(home)!;
        } catch (error) {
            failures.push(`${way}: ${oneLine(error)}`);
            say(`  ${failures.at(-1)}`);
        } finally {
            fs.rmSync(temporary, { recursive: true, force: true });
        }
    }
    throw new RehearsalError(
        `no Pulumi CLI ${version}: neither could the npm launcher download it (${failures[0]}) nor could it be built from Go modules ` +
            `(${failures[1]}). Allow access to get.pulumi.com, or install Go (https://go.dev/dl) with access to a Go module proxy, and try again.`,
    );
}

async function oneAtATime<T>(cache: string, say: Say, work: () => Promise<T>): Promise<T> {
    for (let told = false; ; told = true) {
        try {
            const lock = await Lock.take(path.join(cache, "cli.lock"), "Pulumi CLI");
            try {
                return await work();
            } finally {
                lock.release();
            }
        } catch (error) {
            if (!(error instanceof LockedError)) {
                throw error;
            }
            if (!told) {
                say("Another rehearsal is fetching the Pulumi CLI; waiting for it.");
            }
            await new Promise((resolve) => setTimeout(resolve, 1000));
        }
    }
}

/** The npm package `pulumi` downloads the release that bears its own version, with all language hosts. */
async function download(version: string, directory: string, say: Say): Promise<void> {
    say(`Pulumi CLI ${version}: downloading it (once; kept in ${cacheDirectory()})`);
    const launcher = path.join(path.dirname(require.resolve("pulumi/package.json", { paths: [ROOT] })), "run.js");
    const home = path.join(directory, "launcher");
    await run(process.execPath, [launcher, "version"], {
        cwd: directory,
        env: { PULUMI_HOME: home, PULUMI_VERSION: version },
    });
    fs.renameSync(path.join(home, "versions", version, "bin"), path.join(directory, "bin"));
    fs.rmSync(home, { recursive: true, force: true });
}

/** What `go install …@version` would do, were it not for the replace directives in Pulumi's own go.mod. */
async function build(version: string, directory: string, say: Say): Promise<void> {
    const go = (await run("go", ["version"], { cwd: directory }).catch(() => "")).trim();
    if (go === "") {
        throw new Error("Go is not installed");
    }
    const tool = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
    const label = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version";
    const bin = path.join(directory, "bin");
    fs.mkdirSync(bin);
    fs.writeFileSync(path.join(directory, "go.mod"), "module rehearsal-cli\n");
    say(`Pulumi CLI ${version}: building it from Go modules with ${go.split(" ")[2]} (about 4 minutes, once)`);
    say("  1/3 resolving modules");
    await run("go", ["get", "-tool", `${tool}@v${version}`], { cwd: directory, say });
    say("  2/3 compiling");
    const linker = `-s -w -X ${label}=v${version}`;
    await run("go", ["build", "-o", `${bin}${path.sep}`, "-ldflags", linker, tool], { cwd: directory, say });
    say("  3/3 trying it");
    await run(path.join(bin, "pulumi"), ["version"], { cwd: directory, env: { PULUMI_HOME: directory } });
    fs.writeFileSync(path.join(bin, "pulumi-language-nodejs"), STUB, { mode: 0o755 });
    fs.writeFileSync(path.join(bin, BUILT_MARK), `${go}\n`);
}

interface RunOptions {
    cwd: string;
    env?: NodeJS.ProcessEnv;
    /** Told every half minute that the command still works. */
    say?: Say;
}

function run(command: string, args: string[], options: RunOptions): Promise<string> {
    return new Promise((resolve, reject) => {
        const began = Date.now();
        const heartbeat = setInterval(
            () => options.say?.(`      … ${Math.round((Date.now() - began) / 1000)} s`),
            30_000,
        );
        const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true", ...options.env };
        const child = execFile(
            command,
            args,
            { cwd: options.cwd, env, maxBuffer: 1 << 26 },
            (error, stdout, stderr) => {
                clearInterval(heartbeat);
                if (error) {
                    const lines = stderr.trim().split("\n");
                    reject(new Error(lines.at(-1) || error.message));
                } else {
                    resolve(stdout);
                }
            },
        );
        child.stdin?.end();
    });
}

function launcherVersion(): string {
    const file = require.resolve("pulumi/package.json", { paths: [ROOT] });
    return (JSON.parse(fs.readFileSync(file, "utf8")) as { version: string }).version;
}

function oneLine(error: unknown): string {
    return String(error instanceof Error ? error.message : error).replace(/\s*\n\s*/g, " ");
}
