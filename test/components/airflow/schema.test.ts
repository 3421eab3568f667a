import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import Ajv from "ajv";
import { airflowValues, type ValueContext, type ValueSettings } from "../../../components/airflow/airflowValues";
import { article, context, context2, settings } from "./samples";

/** The chart's own schema is not ours to ship; whoever has it beside the clone gets it checked. */
const SCHEMA = resolve(__dirname, "../../../../shared/facts/airflow-chart-1.22.0/values.schema.json");
const role = { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/tasks" };
const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/abc";
const https = { certificateArn, hostName: "airflow.example.com" };

const cases: Record<string, [ValueSettings, ValueContext]> = {
    "Airflow 3 with defaults": [settings, context],
    "Airflow 2.11": [{ ...settings, airflowVersion: "2.11.0" }, context2],
    "the article's figures": [article, context],
    "a token for git": [
        { ...settings, dags: { gitSync: { repo: "https://github.com/example/dags.git", token: "x" } } },
        context,
    ],
    "DAG bundles": [
        { ...settings, dags: { bundles: [{ name: "main", classpath: "a.b.GitDagBundle", kwargs: { subdir: "x" } }] } },
        context,
    ],
    "logs in S3, connections in Secrets Manager": [
        { ...settings, logs: { bucket: "logs" }, secretsManager: { prefix: "airflow" } },
        { ...context, claimName: undefined, bucket: "logs", taskAnnotations: role, coreAnnotations: role },
    ],
    "a network load balancer": [
        {
            ...settings,
            ui: { exposure: "network-load-balancer", ...https, internetFacing: true, sourceRanges: ["203.0.113.0/24"] },
        },
        { ...context, certificateArn },
    ],
    "an application load balancer": [
        { ...settings, ui: { exposure: "application-load-balancer", ...https } },
        { ...context, certificateArn },
    ],
    "an application load balancer for 2.11": [
        { ...settings, airflowVersion: "2.11.0", ui: { exposure: "application-load-balancer" } },
        context2,
    ],
    "a verified database, fixed workers, Redis with a disk, an image of one's own": [
        {
            ...settings,
            workers: {
                replicas: 4,
                scaling: { enabled: false },
                placement: { capacity: "ON_DEMAND", architecture: "arm64" },
            },
            redisDisk: { storageClassName: "gp3", zone: "eu-west-1a" },
            image: { repository: "registry.example.com/airflow", tag: "7", digest: `sha256:${"0".repeat(64)}` },
            placement: { capacity: "ANY", tolerations: [{ key: "airflow", value: "yes", effect: "NoSchedule" }] },
            environment: { AIRFLOW__CORE__PARALLELISM: "64" },
        },
        { ...context, sslMode: "verify-full", pullSecretName: "registry" },
    ],
    "a pause": [{ ...settings, paused: true }, context],
    "further sets of workers": [
        { ...settings, values: { workers: { celery: { sets: [{ name: "long", queue: "long" }] } } } },
        context,
    ],
    "no PgBouncer": [{ ...settings, pgbouncer: { enabled: false } }, context],
};

describe("the values and the chart's own schema", () => {
    it("is there to check against in CI", () => {
        if (!existsSync(SCHEMA)) {
            console.log(`      (no schema of the chart at ${SCHEMA}: the values were not checked against it)`);
        }
        assert.ok(existsSync(SCHEMA) || !process.env.CI, "CI must have the chart's schema");
    });

    if (existsSync(SCHEMA)) {
        const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true, logger: false });
        const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, "utf8")));
        for (const [what, [given, facts]] of Object.entries(cases)) {
            it(`accepts the values of ${what}`, () => {
                // As Helm sees them: through JSON, where absent values are absent.
                const values = JSON.parse(JSON.stringify(airflowValues(given, facts)));
                validate(values);
                assert.deepEqual(validate.errors ?? [], []);
            });
        }
        it("would notice a key that the chart does not know", () => {
            const values = JSON.parse(JSON.stringify(airflowValues(settings, context)));
            values.logs.persistence.accessMode = "ReadWriteMany";
            assert.equal(validate(values), false);
        });
    }
});
