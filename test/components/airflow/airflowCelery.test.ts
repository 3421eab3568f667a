import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { AirflowCelery } from "../../../components/airflow/airflowCelery";
import type { AirflowCeleryArgs } from "../../../components/airflow/airflowCeleryArgs";
import { type Loose, simulate, type Simulated, type SimulateOptions } from "../mocks";
import { args, article, metastore } from "./samples";

const SECRET = "kubernetes:core/v1:Secret";
const JOB = "kubernetes:batch/v1:Job";
const RELEASE = "kubernetes:helm.sh/v3:Release";
const CRON_JOB = "kubernetes:batch/v1:CronJob";
const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";

/** Kubernetes objects get their name from the provider, which makes another for other data. */
const options: SimulateOptions = {
    outputs: {
        [SECRET]: (inputs, name) => ({
            metadata: { ...inputs.metadata, name: `${name}-${Object.values(inputs.stringData).join("").length}` },
        }),
        [CLAIM]: (inputs, name) => ({ metadata: { ...inputs.metadata, name: `${name}-claim` } }),
        [RELEASE]: (inputs) => ({ status: { namespace: inputs.namespace, name: inputs.name } }),
    },
};

const deploy = (more: Partial<AirflowCeleryArgs> = {}, given: SimulateOptions = options) =>
    simulate(() => {
        const airflow = new AirflowCelery("airflow", {
            ...args,
            metastore: pulumi.secret(metastore),
            ...more,
        });
        return {
            url: airflow.url,
            portForward: airflow.portForward,
            adminUsername: airflow.adminUsername,
            namespace: airflow.namespace,
            taskRoleArn: airflow.taskRoleArn,
        };
    }, given);

const jobNames = (simulated: Simulated<unknown>) =>
    simulated.all(JOB).map(({ inputs }) => inputs.metadata.name as string);
const secretData = (simulated: Simulated<unknown>, name: string): Loose =>
    simulated.one(SECRET, name).inputs.stringData;
const environment = (job: { inputs: Loose }): Record<string, Loose> =>
    Object.fromEntries(job.inputs.spec.template.spec.containers[0].env.map((entry: Loose) => [entry.name, entry]));

describe("AirflowCelery", () => {
    it("makes what the release needs, and the release as airflow from the chart that was checked", async () => {
        const simulated = await deploy();
        const release = simulated.one(RELEASE);
        assert.equal(release.inputs.name, "airflow");
        assert.equal(release.inputs.chart, "airflow");
        assert.equal(release.inputs.version, "1.22.0");
        assert.equal(release.inputs.repositoryOpts.repo, "https://airflow.apache.org");
        assert.equal(release.inputs.timeout, 1200);
        assert.equal(release.inputs.namespace, "airflow");
        assert.deepEqual(simulated.result, {
            url: "http://localhost:8080",
            portForward: "kubectl --namespace airflow port-forward service/airflow-api-server 8080:8080",
            adminUsername: "admin",
            namespace: "airflow",
            taskRoleArn: "",
        });
    });

    it("takes the chart from a mirror or a folder", async () => {
        const mirror = (await deploy({ chart: { repository: "oci://registry.example.com/charts" } })).one(RELEASE);
        assert.equal(mirror.inputs.chart, "oci://registry.example.com/charts/airflow");
        assert.equal(mirror.inputs.version, "1.22.0");
        assert.ok(!("repositoryOpts" in mirror.inputs));
        const folder = (await deploy({ chart: { path: "./charts/airflow" } })).one(RELEASE);
        assert.equal(folder.inputs.chart, "./charts/airflow");
    });

    describe("Jobs", () => {
        it("run one after the other, and before the release", async () => {
            const simulated = await deploy();
            const [bootstrap, migrate, user] = ["airflow-metastore", "airflow-migrate", "airflow-create-user"];
            assert.deepEqual(
                simulated
                    .all(JOB)
                    .map(({ name }) => name)
                    .sort(),
                [user, bootstrap, migrate],
            );
            // A component stands for the resources in it.
            assert.ok(simulated.one(JOB, migrate).dependencies.includes(bootstrap));
            assert.ok(simulated.one(JOB, user).dependencies.includes(migrate));
            assert.ok(simulated.one(RELEASE).dependencies.includes(user));
            assert.ok(simulated.one(RELEASE).dependencies.includes(migrate));
        });

        it("are named by what they run", async () => {
            const names = jobNames(await deploy());
            for (const prefix of ["metastore-bootstrap", "airflow-migrate", "airflow-create-user"]) {
                assert.ok(
                    names.some((name) => new RegExp(`^${prefix}-[0-9a-f]{10}$`).test(name)),
                    `${prefix}: ${names}`,
                );
            }
        });

        it("run again when the image changes, all of them", async () => {
            const before = jobNames(await deploy());
            const after = jobNames(await deploy({ airflowVersion: "3.3.0" }));
            assert.deepEqual(
                before.filter((name) => after.includes(name)),
                [],
            );
        });

        it("do not run again when only the release changes", async () => {
            const before = jobNames(await deploy());
            const after = jobNames(
                await deploy({
                    workers: { concurrency: 9, scaling: { kedaInstalled: true, maxReplicas: 50 } },
                    values: { scheduler: { terminationGracePeriodSeconds: 30 } },
                    ui: { exposure: "network-load-balancer" },
                }),
            );
            assert.deepEqual(after, before);
        });

        it("run again when the database's password changes, because their Secrets have other names then", async () => {
            const before = jobNames(await deploy());
            const after = jobNames(await deploy({ metastore: { ...metastore, password: `${metastore.password}x` } }));
            assert.notDeepEqual(after, before);
        });

        it("use the direct connection, since PgBouncer is not there yet", async () => {
            const simulated = await deploy();
            const { secretKeyRef } = environment(simulated.one(JOB, "airflow-migrate"))
                .AIRFLOW__DATABASE__SQL_ALCHEMY_CONN.valueFrom;
            assert.equal(secretKeyRef.key, "connection");
            assert.match(secretKeyRef.name, /^airflow-jobs-/);
            assert.match(
                secretData(simulated, "airflow-jobs").connection,
                /@metastore\.abc\.eu-west-1\.rds\.amazonaws\.com:5432\/airflow\?sslmode=require$/,
            );
        });

        it("know the auth manager, whose tables are migrated with Airflow's", async () => {
            const simulated = await deploy();
            for (const job of ["airflow-migrate", "airflow-create-user"]) {
                assert.match(environment(simulated.one(JOB, job)).AIRFLOW__CORE__AUTH_MANAGER.value, /FabAuthManager$/);
            }
        });

        it("hold no secret in arguments, variables or name", async () => {
            const simulated = await deploy({ admin: { password: "open sesame!" } });
            for (const job of simulated.all(JOB)) {
                const text = JSON.stringify(job.inputs);
                assert.ok(!/open sesame|p@ss:w|adm@n|SCRAM-SHA-256/.test(text), job.name);
                assert.deepEqual(job.secretInputs, [], job.name);
            }
        });

        it("stay when they are done: nothing removes them behind the state's back", async () => {
            for (const { inputs, replaceOnChanges } of (await deploy()).all(JOB)) {
                assert.ok(!("ttlSecondsAfterFinished" in inputs.spec));
                assert.equal(inputs.spec.template.spec.restartPolicy, "Never");
                assert.equal(inputs.spec.backoffLimit, 6);
                assert.deepEqual(replaceOnChanges, []);
            }
        });

        it("run where everything else runs, with its image and pull secret", async () => {
            const simulated = await deploy({
                image: { repository: "registry.example.com/airflow", tag: "9", pullSecretName: "pull" },
                placement: { architecture: "arm64" },
            });
            for (const { inputs } of simulated.all(JOB)) {
                const { spec } = inputs.spec.template;
                assert.equal(spec.containers[0].image, "registry.example.com/airflow:9");
                assert.deepEqual(spec.imagePullSecrets, [{ name: "pull" }]);
                assert.deepEqual(spec.nodeSelector, {
                    "eks.amazonaws.com/capacityType": "ON_DEMAND",
                    "kubernetes.io/arch": "arm64",
                });
            }
        });

        it("leave database and user out when somebody else makes them", async () => {
            const simulated = await deploy({ bootstrapMetastore: false, createUser: false });
            assert.deepEqual(
                simulated.all(JOB).map(({ name }) => name),
                ["airflow-migrate"],
            );
            assert.equal(simulated.result.adminUsername, "");
        });

        it("stop when the metastore names no administrator but should be made", async () => {
            await assert.rejects(
                deploy({ metastore: { ...metastore, admin: undefined } }),
                /names no administrator.*bootstrapMetastore to false/s,
            );
        });
    });

    describe("Secrets", () => {
        it("have the shapes that the chart reads (facts 2, 10)", async () => {
            const simulated = await deploy({ dags: article.dags });
            const keys = Object.fromEntries(
                simulated.all(SECRET).map(({ name, inputs }) => [name, Object.keys(inputs.stringData).sort()]),
            );
            assert.deepEqual(keys, {
                "airflow-metastore": ["ca.pem", "password", "plan"],
                "airflow-metadata": ["asyncConnection", "ca.pem", "connection", "kedaConnection"],
                "airflow-broker": ["connection"],
                "airflow-redis": ["password"],
                "airflow-fernet": ["fernet-key"],
                "airflow-api": ["api-secret-key"],
                "airflow-jwt": ["jwt-secret"],
                "airflow-git": ["gitSshKey"],
                "airflow-pgbouncer": ["pgbouncer.ini", "users.txt"],
                "airflow-pgbouncer-stats": ["connection"],
                "airflow-jobs": ["asyncConnection", "ca.pem", "connection", "fernet-key"],
                "airflow-admin": ["password"],
            });
        });

        it("of Airflow 2 have its webserver's key instead", async () => {
            const names = (await deploy({ airflowVersion: "2.11.0" })).all(SECRET).map(({ name }) => name);
            assert.ok(names.includes("airflow-webserver"));
            assert.ok(!names.includes("airflow-jwt") && !names.includes("airflow-api"));
        });

        it("have no names of their own, so that other data means another name", async () => {
            for (const { inputs, name } of (await deploy()).all(SECRET)) {
                assert.ok(!("name" in inputs.metadata), name);
            }
        });

        it("are secrets in the state, all of them", async () => {
            for (const { secretInputs, name } of (await deploy({ dags: article.dags })).all(SECRET)) {
                assert.deepEqual(secretInputs, ["stringData"], name);
            }
        });

        it("lead pods to PgBouncer without TLS, KEDA and the asynchronous engine past it with TLS (facts 3)", async () => {
            const data = secretData(await deploy(), "airflow-metadata");
            assert.match(data.connection, /@airflow-pgbouncer\.airflow:6543\/airflow-metadata\?sslmode=disable$/);
            assert.match(data.kedaConnection, /^postgresql:\/\/.*@metastore\..*:5432\/airflow\?sslmode=require$/);
            assert.match(data.asyncConnection, /^postgresql\+asyncpg:\/\/.*@metastore\..*:5432\/airflow\?ssl=require$/);
        });

        it("lead pods straight to the database without PgBouncer", async () => {
            const simulated = await deploy({ pgbouncer: { enabled: false } });
            assert.match(
                secretData(simulated, "airflow-metadata").connection,
                /@metastore\..*:5432\/airflow\?sslmode=require$/,
            );
            assert.ok(!simulated.all(SECRET).some(({ name }) => name.includes("pgbouncer")));
        });

        it("give broker and Redis the same password", async () => {
            const simulated = await deploy();
            const { password } = secretData(simulated, "airflow-redis");
            assert.equal(
                secretData(simulated, "airflow-broker").connection,
                `redis://:${password}@airflow-redis:6379/0`,
            );
        });

        it("hold a Fernet key that is one: 32 bytes in URL-safe base64", async () => {
            const simulated = await deploy(
                {},
                {
                    outputs: {
                        ...options.outputs,
                        "random:index/randomBytes:RandomBytes": () => ({
                            base64: Buffer.alloc(32, 0xfb).toString("base64"),
                        }),
                    },
                },
            );
            const key = secretData(simulated, "airflow-fernet")["fernet-key"];
            assert.match(key, /^[A-Za-z0-9_-]{43}=$/);
            assert.equal(Buffer.from(key, "base64url").length, 32);
        });

        it("hold several Fernet keys during a rotation, the newest first", async () => {
            const simulated = await deploy({ fernet: { newest: 3, oldest: 2 } });
            const key = (generation: number) => Buffer.from(`airflow-fernet-${generation}`).toString("base64");
            assert.equal(secretData(simulated, "airflow-fernet")["fernet-key"], `${key(3)},${key(2)}`);
            const own = await deploy({ fernet: { keys: ["A".repeat(43) + "=", "B".repeat(43) + "="] } });
            assert.equal(secretData(own, "airflow-fernet")["fernet-key"], `${"A".repeat(43)}=,${"B".repeat(43)}=`);
        });

        it("hold an SSH key that ends as OpenSSH wants it", async () => {
            const { gitSshKey } = secretData(await deploy({ dags: article.dags }), "airflow-git");
            assert.match(gitSshKey, /^-----BEGIN OPENSSH PRIVATE KEY-----\n[^\r]*-----END OPENSSH PRIVATE KEY-----\n$/);
        });

        it("hold all four keys that the chart refers to for a token (facts 2)", async () => {
            const simulated = await deploy({ dags: { gitSync: { repo: "https://a.b/c.git", token: "t" } } });
            assert.deepEqual(secretData(simulated, "airflow-git"), {
                GIT_SYNC_USERNAME: "git",
                GITSYNC_USERNAME: "git",
                GIT_SYNC_PASSWORD: "t",
                GITSYNC_PASSWORD: "t",
            });
        });

        it("come from random with letters and digits, and change when a rotation is asked for", async () => {
            const PASSWORD = "random:index/randomPassword:RandomPassword";
            for (const { inputs } of (await deploy({ rotation: "2" })).all(PASSWORD)) {
                assert.equal(inputs.special, false);
                assert.deepEqual(inputs.keepers, { rotation: "2" });
                assert.ok(inputs.length >= 24);
            }
        });
    });

    it("tells the release nothing secret, and names the Secrets that exist", async () => {
        const simulated = await deploy({ dags: article.dags });
        const release = simulated.one(RELEASE);
        assert.deepEqual(release.secretInputs, []);
        const text = JSON.stringify(release.inputs.values);
        assert.ok(!/p@ss|adm@n|BEGIN OPENSSH|metastore\.abc/.test(text));
        const { values } = release.inputs;
        const named = [
            values.data.metadataSecretName,
            values.data.brokerUrlSecretName,
            values.redis.passwordSecretName,
            values.fernetKeySecretName,
            values.jwtSecretName,
            values.apiSecretKeySecretName,
            values.pgbouncer.configSecretName,
            values.pgbouncer.metricsExporterSidecar.statsSecretName,
            values.dags.gitSync.sshKeySecret,
        ];
        const there = simulated
            .all(SECRET)
            .map(({ name, inputs }) => `${name}-${Object.values(inputs.stringData).join("").length}`);
        named.forEach((name) => assert.ok(there.includes(name), `${name} of ${there}`));
    });

    describe("logs", () => {
        it("have one claim that every node can mount", async () => {
            const simulated = await deploy({ logs: { storageClassName: "efs-sc", size: "20Gi" } });
            const { inputs } = simulated.one(CLAIM);
            assert.deepEqual(inputs.spec, {
                accessModes: ["ReadWriteMany"],
                storageClassName: "efs-sc",
                resources: { requests: { storage: "20Gi" } },
            });
            assert.equal(simulated.one(RELEASE).inputs.values.logs.persistence.existingClaim, "airflow-logs-claim");
        });

        it("are cleaned by one CronJob, however many pods write them (facts 4)", async () => {
            const simulated = await deploy({
                logs: { storageClassName: "efs-sc", retentionDays: 7 },
                sizes: { scheduler: { replicas: 3 } },
            });
            const { spec } = simulated.one(CRON_JOB).inputs;
            assert.equal(spec.concurrencyPolicy, "Forbid");
            const pod = spec.jobTemplate.spec.template.spec;
            assert.match(pod.containers[0].args[2], /find \. -type f -mtime \+7 -delete/);
            assert.equal(pod.volumes[0].persistentVolumeClaim.claimName, "airflow-logs-claim");
            assert.deepEqual((await deploy({ logs: { bucket: "logs" } })).all(CRON_JOB), []);
        });

        it("never shrink", async () => {
            const simulated = await deploy();
            const [hookName] = simulated.one(CLAIM).hooks.beforeUpdate;
            const claim = (storage: string) => ({ spec: { resources: { requests: { storage } } } });
            const change = (from: string, to: string) =>
                (simulated.hooks.get(hookName) as Loose).callback({ oldInputs: claim(from), newInputs: claim(to) });
            await assert.rejects(change("10Gi", "5Gi"), /cannot shrink from 10Gi to 5Gi/);
            await change("10Gi", "20Gi");
            await change("10Gi", "10240Mi");
        });

        it("on a class that turns out to be one for disks end the deployment", async () => {
            await assert.rejects(
                deploy({ logs: { storageClassName: pulumi.output("gp3-encrypted") } }),
                /ReadWriteMany/,
            );
        });

        it("in S3 need no claim, but rights for all five accounts", async () => {
            const simulated = await deploy({ logs: { bucket: "my-logs" } });
            assert.deepEqual(simulated.all(CLAIM), []);
            const trust = simulated
                .all("aws:iam/role:Role")
                .map(({ inputs }) => JSON.stringify(inputs.assumeRolePolicy));
            for (const account of ["worker", "triggerer", "scheduler", "dag-processor", "api-server"]) {
                assert.equal(
                    trust.filter((text) => text.includes(`system:serviceaccount:airflow:airflow-${account}`)).length,
                    1,
                    account,
                );
            }
            const policies = simulated
                .all("aws:iam/rolePolicy:RolePolicy")
                .map(({ inputs }) => JSON.parse(inputs.policy));
            assert.equal(policies.length, 2);
            assert.deepEqual(policies[0].Statement[0].Resource, "arn:aws:s3:::my-logs/airflow/logs/*");
        });
    });

    describe("rights", () => {
        const policy = JSON.stringify({
            Version: "2012-10-17",
            Statement: [{ Effect: "Allow", Action: "s3:*", Resource: "*" }],
        });

        it("of tasks reach workers and triggerer only", async () => {
            const simulated = await deploy({ taskPolicies: { data: policy } });
            const role = simulated.one("aws:iam/role:Role");
            const trust = JSON.stringify(role.inputs.assumeRolePolicy);
            assert.match(trust, /airflow-worker/);
            assert.match(trust, /airflow-triggerer/);
            assert.ok(!/airflow-scheduler|airflow-api-server/.test(trust));
            const { values } = simulated.one(RELEASE).inputs;
            assert.equal(
                values.workers.celery.serviceAccount.annotations["eks.amazonaws.com/role-arn"],
                simulated.result.taskRoleArn,
            );
            assert.ok(!("serviceAccount" in values.scheduler));
        });

        it("to Secrets Manager end at the prefix", async () => {
            const simulated = await deploy({ secretsManager: { prefix: "team" } });
            for (const { inputs } of simulated.all("aws:iam/rolePolicy:RolePolicy")) {
                for (const resource of JSON.parse(inputs.policy).Statement[0].Resource) {
                    assert.match(
                        resource,
                        /^arn:aws:secretsmanager:eu-west-1:123456789012:secret:team\/(connections|variables|config)\/\*$/,
                    );
                }
            }
        });
    });

    describe("the address", () => {
        it("is the host name of the settings", async () => {
            const { result } = await deploy({
                ui: {
                    exposure: "network-load-balancer",
                    certificateArn: "arn:aws:acm:eu-west-1:123456789012:certificate/abc",
                    hostName: "airflow.example.com",
                },
            });
            assert.equal(result.url, "https://airflow.example.com");
            assert.match(result.portForward, /8080:443$/);
        });

        for (const [exposure, type] of [
            ["network-load-balancer", "kubernetes:core/v1:Service"],
            ["application-load-balancer", "kubernetes:networking.k8s.io/v1:Ingress"],
        ] as const) {
            it(`is what AWS has given the ${exposure}`, async () => {
                const { result } = await deploy(
                    { ui: { exposure } },
                    {
                        outputs: {
                            ...options.outputs,
                            [type]: () => ({
                                status: { loadBalancer: { ingress: [{ hostname: "x.elb.amazonaws.com" }] } },
                            }),
                        },
                    },
                );
                assert.equal(result.url, "http://x.elb.amazonaws.com");
            });
        }
    });

    it("guards the version before it makes anything", async () => {
        const simulated = await deploy({ airflowVersion: "3.2.2" });
        const stash = simulated.one("pulumi:index:Stash", "airflow-version");
        assert.deepEqual(stash.inputs.input, { airflowVersion: "3.2.2", paused: false });
        assert.ok(simulated.one("kubernetes:core/v1:Namespace").dependencies.includes("airflow-version"));
        assert.ok(simulated.one(RELEASE).dependencies.includes("airflow-version"));
        const hook = simulated.hooks.get(stash.hooks.beforeUpdate[0]) as Loose;
        const input = (airflowVersion: string) => ({ input: { airflowVersion, paused: false } });
        await assert.rejects(
            hook.callback({ oldInputs: input("2.11.0"), newInputs: input("3.2.2") }),
            /set paused to true/,
        );
        await hook.callback({ oldInputs: input("3.1.0"), newInputs: input("3.2.2") });
    });

    it("stays in its namespace, with its logs", async () => {
        const simulated = await deploy();
        const stash = simulated.one("pulumi:index:Stash", "airflow-place");
        assert.ok(simulated.one("kubernetes:core/v1:Namespace").dependencies.includes("airflow-place"));
        const hook = simulated.hooks.get(stash.hooks.beforeUpdate[0]) as Loose;
        const input = (namespace: string) => ({ input: { namespace } });
        await assert.rejects(
            hook.callback({ oldInputs: input("airflow"), newInputs: input("other") }),
            /namespace from "airflow" to "other"/,
        );
    });

    it("refuses bad arguments before it registers anything", async () => {
        const simulated = await simulate(() => {
            assert.throws(
                () => new AirflowCelery("airflow", { ...args, logs: {}, airflowVersion: "1.0" }),
                /AirflowCelery "airflow" cannot be deployed like this, 2 problem\(s\)/,
            );
        });
        assert.deepEqual(simulated.resources, []);
    });
});
