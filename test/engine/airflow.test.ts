import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { aws } from "../../rehearsal/cloud/aws";
import { kubernetes } from "../../rehearsal/cloud/kubernetes";
import { Cloud } from "../../rehearsal/cloud/shell/cloud";
import { node, platform } from "../rehearsal/cloud-kubernetes-fixture";
import { type Rehearsal, Rehearsals } from "./harness";

const program = "test/engine/programs/airflow";
const JOB = "kubernetes:batch/v1:Job";
const SECRET = "kubernetes:core/v1:Secret";
const RELEASE = "kubernetes:helm.sh/v3:Release";
const INSTANCE = "aws:rds/instance:Instance";
const SNAPSHOT = "aws:rds/snapshot:Snapshot";

/** The fixture's cluster with nodes of both kinds in two zones. */
function seedFile(directory: string): string {
    const nodes = ["eu-west-1a", "eu-west-1b"].flatMap((zone) => [
        node(`services-${zone}`, zone, {
            labels: { "eks.amazonaws.com/capacityType": "ON_DEMAND", "system-node": "enabled" },
            cpu: "3920m",
            memory: "14Gi",
        }),
        node(`spot-${zone}`, zone, {
            labels: { "eks.amazonaws.com/capacityType": "SPOT" },
            cpu: "3920m",
            memory: "14Gi",
        }),
    ]);
    const objects = platform().filter(({ token }) => token !== "kubernetes:core/v1:Node");
    const file = join(directory, "seed.json");
    writeFileSync(file, JSON.stringify([...objects, ...nodes]));
    return file;
}

function rehearser(rehearsals: Rehearsals, world: string) {
    const seed = seedFile(rehearsals.directory);
    /** All settings each time: the rehearsal keeps what an earlier run has set. */
    return (
        verb: Rehearsal["verb"],
        airflow: object,
        metastores: Record<string, object> = { metastore: {} },
        metastore = "metastore",
    ) =>
        rehearsals.run({
            ...{ verb, program, seed, world, policy: false },
            set: [
                `airflow=${JSON.stringify(airflow)}`,
                `metastores=${JSON.stringify(metastores)}`,
                `metastore=${metastore}`,
            ],
        });
}

type Rehearsed = Awaited<ReturnType<ReturnType<typeof rehearser>>>;

/** What the engine did with resources of a type, by logical name: only what is not "same". */
function done({ events }: Rehearsed, type: string): Record<string, string[]> {
    const result: Record<string, string[]> = {};
    for (const event of events) {
        const metadata = (event.resOutputsEvent ?? event.resOpFailedEvent)?.metadata;
        if (metadata?.type === type && metadata.op !== "same") {
            (result[metadata.urn.split("::").pop() ?? ""] ??= []).push(metadata.op);
        }
    }
    return result;
}

const succeeds = (rehearsed: Rehearsed) => assert.equal(rehearsed.exitCode, 0, rehearsed.problems());
const unchanged = (rehearsed: Rehearsed) => {
    succeeds(rehearsed);
    assert.deepEqual(Object.keys(rehearsed.changes ?? {}), ["same"], JSON.stringify(rehearsed.changes));
};
const refused = (rehearsed: Rehearsed, why: RegExp) => {
    assert.notEqual(rehearsed.exitCode, 0, "it was not refused");
    assert.match(rehearsed.problems(), why);
    const carried = rehearsed.operations.filter(({ op, error }) => op !== "read" && op !== "invoke" && !error);
    assert.deepEqual(
        carried.map(({ op, name }) => `${op} ${name}`),
        [],
    );
};
const jobs = ["airflow-create-user", "airflow-metastore", "airflow-migrate"];
/** Names of the Kubernetes objects of a type, by logical name. */
const names = ({ resources }: Rehearsed, type: string) =>
    Object.fromEntries(
        resources
            .filter((resource) => resource.type === type)
            .map(({ urn, outputs }) => [
                urn.split("::").pop() ?? "",
                (outputs as { metadata: { name: string } }).metadata.name,
            ]),
    );
/** Whether some of a list come in this order. */
const comeInOrder = (all: string[], some: string[]) =>
    assert.deepEqual(
        all.filter((one, index) => some.includes(one) && all.indexOf(one) === index),
        some,
        all.join(", "),
    );
/** The order in which the cloud was asked to begin. */
const begun = ({ operations }: Rehearsed, op: string) =>
    operations.filter((operation) => operation.op === op).map(({ name, token }) => `${token.split(":").pop()} ${name}`);

describe("Airflow on the engine", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    const rehearse = rehearser(rehearsals, "airflow");
    after(() => rehearsals.remove());
    const directory = join(rehearsals.directory, ".rehearsal", "worlds", "airflow");
    const universe = () => new Cloud([aws, kubernetes], { directory }).universe;

    const at = (airflowVersion: string, more: object = {}) => ({ airflowVersion, ...more });
    const further = { values: { workers: { celery: { sets: [{ name: "long", queue: "long" }] } } } };
    let first: Rehearsed;
    let renewed: Rehearsed;

    it("refuses bad settings before it registers anything, all at once", async () => {
        const bad = {
            airflowVersion: "3.2",
            chart: { version: "1.23.0" },
            dags: { gitSync: { repo: "git@github.com:example/dags.git", knownHosts: "# none\n" } },
            workers: { replicas: 11, concurrency: 0, scaling: { kedaInstalled: false } },
            logs: { storageClassName: "team-gp3" },
            ui: { exposure: "network-load-balancer", internetFacing: true },
            values: { logs: null, config: { core: { FERNET_KEY: "x" } } },
        };
        const preview = await rehearse("preview", bad);
        refused(preview, /AirflowCelery "airflow" cannot be deployed like this, 12 problem\(s\)/);
        for (const path of [
            ...["airflowVersion", "chart.version", "dags.gitSync.sshKey", "dags.gitSync.knownHosts"],
            ...["workers.replicas", "workers.concurrency", "workers.scaling.kedaInstalled", "logs.storageClassName"],
            ...["ui.certificateArn", "ui.sourceRanges", "values.logs", "values.config.core.FERNET_KEY"],
        ]) {
            assert.ok(preview.problems().includes(`- ${path}: `), `${path}: ${preview.problems()}`);
        }
        const quoted = await rehearse("preview", at("3.2.2"), { metastore: { database: "air-flow" } });
        refused(quoted, /database: the database name "air-flow" would need quoting/);
    });

    it("comes up: database, role, migration, user, release", async () => {
        first = await rehearse("up", at("3.2.2"));
        succeeds(first);
        assert.deepEqual(done(first, RELEASE), { keda: ["create"], airflow: ["create"] });
        assert.deepEqual(Object.keys(done(first, JOB)).sort(), jobs);
        comeInOrder(begun(first, "create"), [
            "Instance metastore",
            "Job airflow-metastore",
            "Job airflow-migrate",
            "Job airflow-create-user",
            "Release airflow",
        ]);
    });

    it("stays as it is, also after a refresh, which finds the Jobs that are done", async () => {
        const refreshed = await rehearse("refresh", at("3.2.2"));
        succeeds(refreshed);
        assert.deepEqual(done(refreshed, JOB), {});
        unchanged(await rehearse("up", at("3.2.2")));
    });

    it("is upgraded twice within a minute: Jobs run again, no Secret changes, the database is not touched", async () => {
        for (const version of ["3.2.3", "3.3.0"]) {
            const up = await rehearse("up", at(version, version === "3.3.0" ? further : {}));
            succeeds(up);
            assert.deepEqual(done(up, RELEASE), { airflow: ["update"] });
            for (const job of jobs) {
                assert.ok(done(up, JOB)[job].includes("replace"), `${job}: ${JSON.stringify(done(up, JOB))}`);
            }
            assert.deepEqual([done(up, SECRET), done(up, INSTANCE)], [{}, {}]);
            assert.deepEqual(names(up, SECRET), names(first, SECRET));
        }
    });

    it("counts and scales each set of workers by its own queues", () => {
        const scaled = [...universe().every()].filter(({ token }) => token.endsWith(":ScaledObject"));
        const queries = scaled.map(({ outputs }) => JSON.stringify(outputs).match(/queue IN \([^)]*\)/)?.[0]);
        assert.deepEqual(queries.sort(), ["queue IN ('default')", "queue IN ('long')"]);
    });

    it("rotates the database's passwords and the Fernet key: the Job sets them, the pods get new Secrets", async () => {
        renewed = await rehearse("up", at("3.3.0", { fernet: { newest: 2 } }), {
            metastore: { passwordRotation: "2", deletionProtection: false },
        });
        succeeds(renewed);
        assert.deepEqual(done(renewed, INSTANCE), { metastore: ["update"] });
        assert.ok(done(renewed, JOB)["airflow-metastore"].includes("replace"));
        assert.deepEqual(done(renewed, RELEASE), { airflow: ["update"] });
        const [before, after] = [names(first, SECRET), names(renewed, SECRET)];
        for (const name of ["airflow-metadata", "airflow-pgbouncer", "airflow-jobs", "airflow-fernet"]) {
            assert.notEqual(after[name], before[name], name);
        }
        for (const name of ["airflow-jwt", "airflow-api", "airflow-redis"]) {
            assert.equal(after[name], before[name], name);
        }
    });

    it("refuses what would cost the data before it touches anything", async () => {
        const metastore = { passwordRotation: "2", deletionProtection: false };
        refused(
            await rehearse("preview", at("3.3.0"), { metastore: { ...metastore, restoreFrom: "x" } }),
            /cannot be changed like this without losing it/,
        );
    });

    it("comes down: the release first, the database last, with a snapshot and its key", async () => {
        const destroyed = await rehearse("destroy", at("3.3.0"), { metastore: { deletionProtection: false } });
        succeeds(destroyed);
        const order = begun(destroyed, "delete");
        comeInOrder(order, ["Release airflow", "Release keda"]);
        comeInOrder(order, ["Release airflow", "Job airflow-migrate", "Job airflow-metastore", "Instance metastore"]);
        assert.match(String(renewed.outputs.finalSnapshot), /^metastore-final-[0-9a-f]{8}$/);
        const left = [...universe().every()].filter(({ token }) => token === SNAPSHOT).map(({ id }) => id);
        assert.deepEqual(left, [renewed.outputs.finalSnapshot]);
        assert.ok(!order.includes("Key metastore"), "the snapshot's key was deleted");
    });
});

describe("Airflow 2.11 to 3 on the engine", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    const rehearse = rehearser(rehearsals, "airflow2");
    after(() => rehearsals.remove());

    const metastores = { metastore: { snapshots: ["before-airflow-3"] } };
    const two = { airflowVersion: "2.11.0" };
    const three = { airflowVersion: "3.2.2" };
    let snapshot: string;

    it("begins with 2.11", async () => {
        const up = await rehearse("up", two);
        succeeds(up);
        assert.ok("airflow-webserver" in names(up, SECRET));
    });

    it("refuses the jump while Airflow runs", async () => {
        const jump = { ...three, acknowledgeChangeFrom: "2.11.0" };
        refused(await rehearse("up", jump), /must stand still/);
    });

    it("stands still, takes a snapshot, migrates when that is acknowledged, goes on", async () => {
        const paused = await rehearse("up", { ...two, paused: true }, metastores);
        succeeds(paused);
        assert.deepEqual([done(paused, RELEASE), done(paused, JOB)], [{ airflow: ["update"] }, {}]);
        assert.deepEqual(done(paused, SNAPSHOT), { "metastore-before-airflow-3": ["create"] });
        snapshot = (paused.outputs.snapshots as Record<string, string>)["before-airflow-3"];

        const migrated = await rehearse("up", { ...three, paused: true, acknowledgeChangeFrom: "2.11.0" }, metastores);
        succeeds(migrated);
        assert.ok(done(migrated, JOB)["airflow-migrate"].includes("replace"));
        assert.deepEqual(done(migrated, INSTANCE), {});
        comeInOrder(
            migrated.operations.map(({ op, token, name }) => `${op} ${token.split(":").pop()} ${name}`),
            ["create Job airflow-migrate", "update Release airflow"],
        );

        const running = await rehearse("up", three, metastores);
        succeeds(running);
        assert.deepEqual([done(running, RELEASE), done(running, JOB)], [{ airflow: ["update"] }, {}]);
    });

    it("has a way back: a second database from the snapshot, with 2.11", async () => {
        const back = await rehearse(
            "up",
            { ...two, acknowledgeChangeFrom: "3.2.2" },
            { ...metastores, restored: { restoreFrom: snapshot } },
            "restored",
        );
        succeeds(back);
        assert.deepEqual(done(back, INSTANCE), { restored: ["create"] });
        assert.ok(done(back, JOB)["airflow-metastore"].includes("replace"));
        assert.deepEqual(done(back, RELEASE), { airflow: ["update"] });
    });
});
