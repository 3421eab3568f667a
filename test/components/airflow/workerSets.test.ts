import assert from "node:assert/strict";
import { AirflowCelery } from "../../../components/airflow/airflowCelery";
import { type AirflowCeleryArgs, checkAirflowCeleryArgs } from "../../../components/airflow/airflowCeleryArgs";
import { airflowValues } from "../../../components/airflow/airflowValues";
import { workerCountQuery } from "../../../components/airflow/scaling";
import { type Loose, simulate } from "../mocks";
import { args, context, paths, settings } from "./samples";

const long = { name: "long", queue: "long, gpu", keda: { maxReplicaCount: 3 } };
const fixed = { name: "fixed", queue: "fixed", replicas: 5, keda: { enabled: false } };
const celery = (sets: object[], more: object = {}) => ({ values: { workers: { celery: { sets, ...more } } } });

describe("further sets of workers", () => {
    const valuesOf = (more: Loose): Loose => airflowValues({ ...settings, ...more }, context);

    it("are counted by KEDA by their own queues, not by those of the first workers", () => {
        const { keda, sets } = valuesOf(celery([long, fixed])).workers.celery;
        assert.equal(keda.query, workerCountQuery(4, ["default"]));
        assert.deepEqual(sets[0].keda, { maxReplicaCount: 3, query: workerCountQuery(4, ["long", "gpu"]) });
        assert.deepEqual(sets[1], fixed);
    });

    it("stand still in a pause, whatever they say", () => {
        const all = valuesOf({ ...celery([long, fixed]), paused: true });
        for (const set of all.workers.celery.sets) {
            assert.deepEqual([set.replicas, set.keda.enabled], [0, false]);
        }
    });

    it("have no budget beside one of the first workers, whose selector has their pods too", () => {
        const onDemand = { scaling: { kedaInstalled: true }, placement: { capacity: "ON_DEMAND" } };
        const [set] = valuesOf({ ...celery([long]), workers: onDemand }).workers.celery.sets;
        assert.deepEqual(set.podDisruptionBudget, { enabled: false });
        assert.ok(!("podDisruptionBudget" in valuesOf(celery([long])).workers.celery.sets[0]));
    });

    it("may all work at the same time: Airflow's own limit follows", () => {
        const limit = (more: Loose) => valuesOf(more).config.core.parallelism;
        assert.equal(limit({ workers: { replicas: 2, scaling: { enabled: false } } }), "32");
        assert.equal(limit({}), "40");
        assert.equal(limit(celery([long, fixed])), String((10 + 3 + 5) * 4));
        assert.equal(limit({ values: { config: { core: { parallelism: 7 } } } }), 7);
    });

    it("have the rights that tasks have", async () => {
        const policy = JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
        });
        const simulated = await simulate(
            () =>
                new AirflowCelery("airflow", {
                    ...args,
                    ...celery([long, { ...fixed, serviceAccount: { name: "mine" } }]),
                    taskPolicies: { data: policy },
                }),
        );
        const trust = JSON.stringify(simulated.one("aws:iam/role:Role").inputs.assumeRolePolicy);
        for (const account of ["airflow-worker", "airflow-triggerer", "airflow-worker-long", "mine"]) {
            assert.match(trust, new RegExp(`system:serviceaccount:airflow:${account}(?![-a-z])`), account);
        }
    });

    const found = (more: Loose) => paths(checkAirflowCeleryArgs({ ...args, ...more } as AirflowCeleryArgs));
    const at = (key: string, index = 0) => [`values.workers.celery.sets[${index}].${key}`];
    const cases: [string, Loose, string[]][] = [
        ["good ones", celery([long, fixed]), []],
        ["no queue", celery([{ name: "long" }]), at("queue")],
        ["the queue of the first workers", celery([{ name: "long", queue: "default" }]), at("queue")],
        ["the queue of another set", celery([long, { name: "other", queue: "gpu" }]), at("queue", 1)],
        ["the name of another set", celery([long, { name: "long", queue: "other" }]), at("name", 1)],
        ["the first workers' name", celery([{ name: "default", queue: "other" }]), at("name")],
        ["a query of its own", celery([{ ...long, keda: { query: "SELECT 1" } }]), at("keda.query")],
        ["arguments of its own", celery([{ ...long, args: ["bash"] }]), at("args")],
        ["a disk", celery([{ ...long, persistence: { enabled: true } }]), at("persistence")],
        [
            "a variable that KEDA does not follow",
            celery([{ ...long, env: [{ name: "AIRFLOW__CELERY__WORKER_CONCURRENCY", value: "9" }] }]),
            at("env"),
        ],
        [
            "KEDA where there is none",
            { ...celery([{ ...long, keda: { enabled: true } }]), workers: { scaling: { enabled: false } } },
            at("keda.enabled"),
        ],
        [
            "a second budget",
            {
                ...celery([{ ...long, podDisruptionBudget: { enabled: true } }]),
                workers: { scaling: { kedaInstalled: true }, placement: { capacity: "ON_DEMAND" } },
            },
            at("podDisruptionBudget"),
        ],
        ["nothing but sets", celery([long], { enableDefault: false }), ["values.workers.celery.enableDefault"]],
    ];
    for (const [what, more, expected] of cases) {
        it(`are checked: ${what}`, () => assert.deepEqual(found(more), expected));
    }
});
