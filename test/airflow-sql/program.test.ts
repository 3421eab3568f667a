import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BOOTSTRAP_SCRIPT } from "../../components/airflow/bootstrapScript";
import { bootstrapPlan } from "../../components/airflow/metastoreBootstrap";
import { metastore } from "../components/airflow/samples";

/** Stands in for psycopg2: writes down what it is asked, and fails where the environment says so. */
const DRIVER = `
import json, os
class Error(Exception): pass
class OperationalError(Error): pass
def note(**entry):
    with open(os.environ["DRIVER_LOG"], "a") as log: log.write(json.dumps(entry) + "\\n")
class Cursor:
    def execute(self, sql):
        note(sql=sql)
        if os.environ.get("DRIVER_FAILS") and os.environ["DRIVER_FAILS"] in sql: raise Error(sql)
        self.rows = [("GENERATED " + sql[:20],)] if sql.startswith("SELECT") else []
    def fetchall(self): return self.rows
class Connection:
    autocommit = False
    def cursor(self): return Cursor()
def connect(**arguments):
    note(connect={key: value for key, value in arguments.items() if key != "password"}, password=arguments["password"])
    if os.environ.get("DRIVER_REFUSES"): raise OperationalError("no route to host")
    return Connection()
`;

describe("the program that carries the bootstrap out", () => {
    const folder = mkdtempSync(join(tmpdir(), "bootstrap-"));
    after(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "psycopg2.py"), DRIVER);
    const plan = bootstrapPlan(metastore);
    const python = ["python3", "python"].find((name) => spawnSync(name, ["--version"]).status === 0);

    function run(environment: Record<string, string> = {}) {
        const log = join(folder, "log");
        writeFileSync(log, "");
        const { status, stdout, stderr } = spawnSync(python!, ["-c", BOOTSTRAP_SCRIPT], {
            encoding: "utf8",
            env: {
                ...process.env,
                PYTHONPATH: folder,
                DRIVER_LOG: log,
                BOOTSTRAP_PLAN: JSON.stringify(plan),
                BOOTSTRAP_PASSWORD: metastore.admin!.password,
                BOOTSTRAP_WAIT_SECONDS: "-1",
                ...environment,
            },
        });
        const asked = readFileSync(log, "utf8")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line));
        return { status, output: stdout + stderr, asked };
    }

    if (!python) {
        it("needs Python to be tried, which is not here", () => assert.ok(!process.env.CI, "CI must have Python"));
        return;
    }

    it("runs each step where it belongs, and what a step generates right after it", () => {
        const { status, output, asked } = run();
        assert.equal(status, 0, output);
        assert.deepEqual(
            asked
                .filter((entry) => entry.connect)
                .map(({ connect, password }) => [connect.dbname, connect.user, password]),
            [
                ["postgres", "metastore_admin", "adm@n"],
                ["airflow", "metastore_admin", "adm@n"],
            ],
        );
        assert.deepEqual(
            asked.filter((entry) => entry.sql).map(({ sql }) => sql),
            plan.steps.flatMap(({ sql, generates }) => (generates ? [sql, `GENERATED ${sql.slice(0, 20)}`] : [sql])),
        );
    });

    it("stops at a step that fails, and says which without its SQL", () => {
        const { status, output } = run({ DRIVER_FAILS: "ALTER ROLE" });
        assert.equal(status, 1);
        assert.match(output, /FAILED: set the role's password: Error/);
        assert.ok(!output.includes("SCRAM-SHA-256"), output);
    });

    it("waits for a server that is not there yet, and gives up in the end", () => {
        const { status, output } = run({ DRIVER_REFUSES: "yes" });
        assert.equal(status, 1);
        assert.match(output, /cannot connect yet: no route to host/);
        assert.ok(!output.includes("adm@n"));
    });
});
