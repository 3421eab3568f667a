import assert from "node:assert/strict";
import { workerCountQuery } from "../../components/airflow/scaling";
import { PostgresServer } from "./postgres";

describe("KEDA's query on real task instances", function () {
    this.timeout(120_000);
    let server: PostgresServer;

    before(async () => {
        server = await PostgresServer.start();
        // The columns of Airflow's table that matter here.
        await server.rows(
            "CREATE TABLE task_instance (id serial PRIMARY KEY, state varchar(20), queue varchar(256), executor varchar(1000))",
        );
    });
    after(() => server.stop());
    beforeEach(() => server.rows("TRUNCATE task_instance"));

    const add = (count: number, state: string | null, queue = "default") =>
        server.as({}, (client) =>
            client.query("INSERT INTO task_instance (state, queue) SELECT $1, $2 FROM generate_series(1, $3::int)", [
                state,
                queue,
                count,
            ]),
        );
    const workers = async (concurrency: number, queues = ["default"]) => {
        const rows = await server.rows(workerCountQuery(concurrency, queues));
        assert.equal(rows.length, 1);
        return Number(Object.values(rows[0])[0]);
    };

    for (const [tasks, concurrency, expected] of [
        [0, 2, 0],
        [1, 2, 1],
        [2, 2, 1],
        [3, 2, 2],
        [4, 4, 1],
        [5, 4, 2],
        [16, 16, 1],
        [17, 16, 2],
        [1, 1, 1],
        [7, 1, 7],
        [4999, 16, 313],
        [5000, 8, 625],
    ]) {
        it(`wants ${expected} workers for ${tasks} tasks at ${concurrency} a worker`, async () => {
            await add(tasks, "queued");
            assert.equal(await workers(concurrency), expected);
        });
    }

    it("counts what runs and what waits together", async () => {
        await add(3, "running");
        await add(2, "queued");
        assert.equal(await workers(2), 3);
    });

    it("counts no task in any other state", async () => {
        for (const state of [
            "success",
            "failed",
            "scheduled",
            "deferred",
            "up_for_retry",
            "skipped",
            "removed",
            null,
        ]) {
            await add(10, state);
        }
        assert.equal(await workers(2), 0);
    });

    it("counts the queues of these workers only", async () => {
        await add(4, "queued");
        await add(6, "queued", "long");
        await add(100, "queued", "elsewhere");
        assert.equal(await workers(2), 2);
        assert.equal(await workers(2, ["long"]), 3);
        assert.equal(await workers(2, ["default", "long"]), 5);
    });
});
