import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { BOOTSTRAP_SCRIPT } from "../../components/airflow/bootstrapScript";
import {
    type BootstrapGoal,
    type BootstrapStep,
    bootstrapSteps,
    identifier,
    literal,
} from "../../components/airflow/bootstrapSql";
import { databaseUrl, RESERVED_WORDS, SslMode } from "../../components/airflow/metastoreConnection";
import { bootstrapPlan } from "../../components/airflow/metastoreBootstrap";
import { PostgresServer } from "./postgres";

/** As on RDS: may create roles and databases, and is no superuser. */
const ADMIN = { user: "master", password: "ma'ster \"%@:" };

describe("the metastore's bootstrap on a real PostgreSQL server", function () {
    this.timeout(120_000);
    let server: PostgresServer;

    before(async () => {
        server = await PostgresServer.start();
        await server.rows(`CREATE ROLE master LOGIN CREATEROLE CREATEDB PASSWORD ${literal(ADMIN.password)}`);
    });
    after(() => server.stop());

    const goals: [string, BootstrapGoal][] = [
        ["plain names", { database: "airflow", user: "airflow", password: "abc123XYZ" }],
        [
            "a password full of signs",
            { database: "signs", user: "signs", password: "p'a\"s\\s %s %(x)s w@o:r/d?#&+$1 ;--" },
        ],
        ["names full of signs", { database: `my "db" '%s' @:\\`, user: `o'brien "x" %d;`, password: "' OR 1=1 --" }],
        ["upper case, which SQL would fold", { database: "AirFlow", user: "AirFlowUser", password: "X" }],
        ["words that SQL reserves", { database: "select", user: "user", password: "table" }],
        ["signs outside ASCII", { database: "große", user: "søren", password: "pässwörd\u00a0ﬁ²" }],
    ];
    for (const [what, goal] of goals) {
        it(`makes a database that its role can use: ${what}`, async () => {
            await run(server, bootstrapSteps(goal));
            await assertUsable(server, goal);
        });
        it(`changes nothing when it runs again: ${what}`, async () => {
            await server.as(goal, (client) => client.query("CREATE TABLE IF NOT EXISTS kept (x int)"));
            await run(server, bootstrapSteps(goal));
            await assertUsable(server, goal);
            assert.equal((await server.rows("SELECT * FROM kept", goal)).length, 0);
        });
    }

    it("knows the words that this server keeps for itself", async () => {
        const rows = await server.rows("SELECT word FROM pg_get_keywords() WHERE catcode IN ('R', 'T')");
        const reserved = rows.map((row) => String((row as { word: string }).word));
        assert.ok(reserved.length > 80);
        assert.deepEqual(
            reserved.filter((word) => !RESERVED_WORDS.includes(word)),
            [],
        );
    });

    it("does not create anything at a second run", async () => {
        const goal = { database: "once", user: "once", password: "one" };
        await run(server, bootstrapSteps(goal));
        const generated = await run(server, bootstrapSteps(goal));
        assert.deepEqual(generated, []);
    });

    it("rotates the password: the new one is taken, the old one is not", async () => {
        const goal = { database: "rotated", user: "rotated", password: "old" };
        await run(server, bootstrapSteps(goal));
        const renewed = { ...goal, password: "new" };
        await run(server, bootstrapSteps(renewed));
        await assertUsable(server, renewed);
        await assert.rejects(server.rows("SELECT 1", goal), /password authentication failed/);
    });

    it("makes the role owner, who may create tables in public since PostgreSQL 15", async () => {
        const goal = { database: "owned", user: "owner_role", password: "x" };
        await run(server, bootstrapSteps(goal));
        const [{ owner }] = await server.rows(
            "SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = 'owned'",
        );
        assert.equal(owner, "owner_role");
    });

    it("grants what is needed in a database that somebody else made", async () => {
        const goal = { database: "theirs", user: "guest", password: "x" };
        await server.rows("CREATE DATABASE theirs OWNER master");
        await run(server, bootstrapSteps(goal));
        await assertUsable(server, goal);
    });

    it("works when two run at the same time", async () => {
        const goal = { database: "twice", user: "twice", password: "x" };
        await Promise.all([1, 2, 3, 4].map(() => run(server, bootstrapSteps(goal))));
        await assertUsable(server, goal);
    });

    it("never holds the password", () => {
        const text = JSON.stringify(bootstrapSteps({ database: "d", user: "u", password: "very-secret-word" }));
        assert.ok(!text.includes("very-secret-word"));
        assert.match(text, /SCRAM-SHA-256\$4096:/);
    });

    it("quotes any text and any name so that PostgreSQL reads the same", async () => {
        await server.as({}, (client) =>
            fc.assert(
                fc.asyncProperty(fc.string({ unit: "binary", maxLength: 30 }), async (raw) => {
                    const text = Buffer.from(raw.replace(/\0/g, "")).toString();
                    const [row] = (await client.query(`SELECT ${literal(text)} AS text`)).rows;
                    assert.equal(row.text, text);
                    if (text !== "" && Buffer.byteLength(text) < 60) {
                        const [named] = (await client.query(`SELECT 1 AS ${identifier(text)}`)).rows;
                        assert.deepEqual(Object.keys(named), [text]);
                    }
                }),
                { numRuns: 300 },
            ),
        );
    });

    it("runs in Python as it does here", async () => {
        const python = pythonWithDriver();
        if (!python) {
            console.log("        (no Python with psycopg2 or psycopg here: the program itself was not run)");
            return;
        }
        const goal = { database: `py "db" %s`, user: "py'user", password: "p%s'w" };
        const connection = {
            ...goal,
            host: "127.0.0.1",
            port: server.port,
            sslMode: SslMode.Disable,
            admin: { ...ADMIN, database: "postgres" },
        };
        const environment = {
            ...process.env,
            BOOTSTRAP_PLAN: JSON.stringify(bootstrapPlan(connection)),
            BOOTSTRAP_PASSWORD: ADMIN.password,
            BOOTSTRAP_WAIT_SECONDS: "1",
        };
        const first = spawnSync(python, ["-c", BOOTSTRAP_SCRIPT], { env: environment, encoding: "utf8" });
        assert.equal(first.status, 0, first.stdout + first.stderr);
        assert.match(first.stdout, /done: create the database unless it is there/);
        await assertUsable(server, goal);
        const second = spawnSync(python, ["-c", BOOTSTRAP_SCRIPT], { env: environment, encoding: "utf8" });
        assert.equal(second.status, 0, second.stdout + second.stderr);
        assert.match(second.stdout, /already done: create the database unless it is there/);
        const wrong = spawnSync(python, ["-c", BOOTSTRAP_SCRIPT], {
            env: { ...environment, BOOTSTRAP_PASSWORD: "wrong" },
            encoding: "utf8",
        });
        assert.equal(wrong.status, 1);
        for (const { stdout, stderr } of [first, second, wrong]) {
            assert.ok(!/SCRAM-SHA-256|p%s'w|ma'ster/.test(stdout + stderr), stdout + stderr);
        }
    });

    it("lets a client in by the URL that pods get", async () => {
        const goal = { database: "by url/ü", user: "u:s@e r", password: "p:a@s/s w?o#r&d%41+'\"" };
        await run(server, bootstrapSteps(goal));
        const url = new URL(
            databaseUrl({ ...goal, host: "127.0.0.1", port: server.port, sslMode: SslMode.Disable }).replace(
                /^postgresql/,
                "http",
            ),
        );
        await assertUsable(server, {
            user: decodeURIComponent(url.username),
            password: decodeURIComponent(url.password),
            database: decodeURIComponent(url.pathname.slice(1)),
        });
    });
});

/** Carries steps out as the program in the pod does; the statements that were generated. */
async function run(server: PostgresServer, steps: BootstrapStep[]): Promise<string[]> {
    const airflow = databaseOf(steps);
    return server.as({ ...ADMIN, database: "postgres" }, async (admin) => {
        const generated: string[] = [];
        for (const { sql, generates } of steps.filter((step) => step.in === "admin")) {
            const { rows } = await admin.query(sql);
            for (const statement of generates ? rows.map((row) => String(Object.values(row)[0])) : []) {
                generated.push(statement);
                await admin.query(statement);
            }
        }
        await server.as({ ...ADMIN, database: airflow }, async (client) => {
            for (const { sql } of steps.filter((step) => step.in === "airflow")) {
                await client.query(sql);
            }
        });
        return generated;
    });
}

/** The database's name, read back out of the SQL. */
function databaseOf(steps: BootstrapStep[]): string {
    const grant = steps.find(({ sql }) => sql.startsWith("GRANT ALL PRIVILEGES ON DATABASE"))!.sql;
    return /ON DATABASE "((?:[^"]|"")*)"/.exec(grant)![1].replace(/""/g, '"');
}

/** What `airflow db migrate` needs. */
async function assertUsable(server: PostgresServer, goal: BootstrapGoal): Promise<void> {
    await server.as(goal, async (client) => {
        await client.query("CREATE TABLE probe (id serial PRIMARY KEY, name text)");
        await client.query("INSERT INTO probe (name) VALUES ('x')");
        await client.query("ALTER TABLE probe ADD COLUMN more int");
        await client.query("CREATE INDEX ON probe (name)");
        await client.query("DROP TABLE probe");
    });
}

/** CI names a Python that has the driver, and then it is this one or none; a laptop may have one, or say that it has none. */
function pythonWithDriver(): string | undefined {
    const named = process.env.PYTHON_WITH_PSYCOPG;
    if (named) {
        return named;
    }
    return ["python3", "python"].find((name) =>
        ["psycopg2", "psycopg"].some((driver) => spawnSync(name, ["-c", `import ${driver}`]).status === 0),
    );
}
