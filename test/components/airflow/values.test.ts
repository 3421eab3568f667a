import assert from "node:assert/strict";
import { airflowValues, type ValueContext, type ValueSettings } from "../../../components/airflow/airflowValues";
import { workerCountQuery } from "../../../components/airflow/scaling";
import type { Loose } from "../mocks";
import { article, context, context2, settings } from "./samples";

const values = (given: Partial<ValueSettings> = {}, facts: Partial<ValueContext> = {}): Loose =>
    airflowValues({ ...settings, ...given }, { ...context, ...facts });

const secretEnv = (all: Loose, name: string) => (all.secret ?? []).find(({ envName }: Loose) => envName === name);

describe("the values of the chart", () => {
    describe("secrets", () => {
        it("names every Secret that the chart would else make anew at each upgrade (facts 2)", () => {
            const all = values();
            assert.deepEqual(all.data, { metadataSecretName: "metadata-1", brokerUrlSecretName: "broker-1" });
            assert.equal(all.fernetKeySecretName, "fernet-1");
            assert.equal(all.redis.passwordSecretName, "redis-1");
            assert.equal(all.apiSecretKeySecretName, "api-1");
            assert.equal(all.jwtSecretName, "jwt-1");
            assert.equal(all.pgbouncer.configSecretName, "pgbouncer-1");
            assert.equal(all.pgbouncer.metricsExporterSidecar.statsSecretName, "pgbouncer-stats-1");
        });

        it("leaves the result backend to Airflow, which derives it from the metastore (facts 2)", () => {
            const all = values();
            assert.ok(!("resultBackendSecretName" in all.data));
            assert.ok(!("resultBackendConnection" in all.data));
        });

        it("uses the webserver's key for Airflow 2, and no key of Airflow 3", () => {
            const all = airflowValues({ ...settings, airflowVersion: "2.11.0" }, context2) as Loose;
            assert.equal(all.webserverSecretKeySecretName, "webserver-1");
            assert.ok(!("jwtSecretName" in all) && !("apiSecretKeySecretName" in all));
            assert.equal(secretEnv(all, "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"), undefined);
        });

        it("gives Airflow 3 an asynchronous connection of its own (facts 3)", () => {
            assert.deepEqual(secretEnv(values(), "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC"), {
                envName: "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
                secretName: "metadata-1",
                secretKey: "asyncConnection",
            });
        });
    });

    describe("jobs", () => {
        it("switches the chart's own migration and user off (facts 9)", () => {
            const all = values();
            assert.equal(all.migrateDatabaseJob.enabled, false);
            assert.equal(all.createUserJob.enabled, false);
            assert.equal(all.images.migrationsWaitTimeout, 300);
        });
    });

    describe("the database", () => {
        it("has no server in the cluster", () => assert.equal(values().postgresql.enabled, false));

        it("mounts the certificates where the connection is verified, everywhere", () => {
            const all = values({}, { sslMode: "verify-full" });
            assert.deepEqual(all.volumes, [
                {
                    name: "metastore-ca",
                    secret: { secretName: "metadata-1", items: [{ key: "ca.pem", path: "ca.pem" }] },
                },
            ]);
            assert.equal(all.volumeMounts[0].mountPath, "/etc/metastore-ca");
            assert.ok(!("volumes" in values()));
        });

        it("without PgBouncer gives KEDA a connection without files that KEDA does not have", () => {
            const all = values({ pgbouncer: { enabled: false } });
            assert.equal(all.pgbouncer.enabled, false);
            assert.equal(all.enableBuiltInSecretEnvVars.AIRFLOW_CONN_AIRFLOW_DB, false);
            assert.equal(secretEnv(all, "AIRFLOW_CONN_AIRFLOW_DB").secretKey, "kedaConnection");
        });
    });

    describe("workers", () => {
        it("are what the article sets, when it is set", () => {
            const all = airflowValues(article, context) as Loose;
            const { keda, ...celery } = all.workers.celery;
            assert.equal(celery.replicas, 2);
            assert.deepEqual(celery.resources.limits, { cpu: "500m", memory: "1024Mi" });
            assert.equal(celery.terminationGracePeriodSeconds, 600);
            assert.equal(celery.persistence.enabled, false);
            assert.equal(all.config.celery.worker_concurrency, 2);
            assert.deepEqual(
                [keda.pollingInterval, keda.cooldownPeriod, keda.minReplicaCount, keda.maxReplicaCount],
                [3, 30, 2, 10],
            );
            assert.deepEqual(all.pgbouncer.resources, {
                requests: { cpu: "100m", memory: "128Mi" },
                limits: { cpu: "100m", memory: "128Mi" },
            });
        });

        it("are scaled by a query that counts with their own concurrency and queues", () => {
            const all = values({
                workers: { concurrency: 7, queues: ["default", "long"], scaling: { kedaInstalled: true } },
            });
            assert.equal(all.config.celery.worker_concurrency, 7);
            assert.equal(all.workers.celery.queue, "default,long");
            assert.equal(all.workers.celery.keda.query, workerCountQuery(7, ["default", "long"]));
        });

        it("are counted by KEDA past PgBouncer (facts 3)", () =>
            assert.equal(values().workers.celery.keda.usePgbouncer, false));

        it("stay for a while before KEDA takes them away", () =>
            assert.equal(
                values().workers.celery.keda.advanced.horizontalPodAutoscalerConfig.behavior.scaleDown
                    .stabilizationWindowSeconds,
                300,
            ));

        it("use the keys that are not deprecated (facts 4)", () =>
            assert.deepEqual(Object.keys(values().workers), ["celery"]));

        it("prefer Spot nodes, spread over zones, without a budget that would hold back their eviction", () => {
            const { celery } = values().workers;
            assert.deepEqual(celery.nodeSelector, { "eks.amazonaws.com/capacityType": "SPOT" });
            assert.equal(celery.topologySpreadConstraints[0].topologyKey, "topology.kubernetes.io/zone");
            assert.equal(celery.podDisruptionBudget.enabled, false);
        });

        it("on demand have a budget, and tasks no retries by default", () => {
            const all = values({ workers: { placement: { capacity: "ON_DEMAND" }, scaling: { kedaInstalled: true } } });
            assert.equal(all.workers.celery.podDisruptionBudget.enabled, true);
            assert.equal(all.config.core.default_task_retries, "0");
            assert.equal(values().config.core.default_task_retries, "2");
        });

        it("take no nodes from the chart's top-level selector when theirs is empty", () => {
            const all = values({ workers: { placement: { capacity: "ANY" }, scaling: { kedaInstalled: true } } });
            assert.deepEqual(all.workers.celery.nodeSelector, {});
            assert.ok(!("nodeSelector" in all) && !("tolerations" in all));
        });

        it("can run on Graviton with tolerations", () => {
            const { celery } = values({
                workers: {
                    placement: { architecture: "arm64", tolerations: [{ key: "spot", effect: "NoSchedule" }] },
                    scaling: { kedaInstalled: true },
                },
            }).workers;
            assert.equal(celery.nodeSelector["kubernetes.io/arch"], "arm64");
            assert.deepEqual(celery.tolerations, [{ key: "spot", operator: "Exists", effect: "NoSchedule" }]);
        });
    });

    describe("a pause", () => {
        it("stops everything that touches the database, and KEDA", () => {
            const all = values({ paused: true });
            for (const part of ["apiServer", "scheduler", "dagProcessor", "triggerer"]) {
                assert.equal(all[part].replicas, 0, part);
            }
            assert.equal(all.workers.celery.replicas, 0);
            assert.deepEqual(all.workers.celery.keda, { enabled: false });
        });
    });

    describe("everything else", () => {
        const parts = ["apiServer", "scheduler", "dagProcessor", "triggerer", "redis", "statsd", "pgbouncer"];
        it("runs on demand", () => {
            const all = values();
            for (const part of parts) {
                assert.deepEqual(all[part].nodeSelector, { "eks.amazonaws.com/capacityType": "ON_DEMAND" }, part);
            }
        });

        it("has resources of its own, each", () => {
            const all = values({ dags: article.dags });
            for (const resources of [
                ...parts.map((part) => all[part].resources),
                all.pgbouncer.metricsExporterSidecar.resources,
                all.dags.gitSync.resources,
                values({ logs: { bucket: "b" } }, { claimName: undefined }).scheduler.logGroomerSidecar.resources,
            ]) {
                assert.ok(resources.requests.cpu && resources.requests.memory && resources.limits.memory);
            }
        });

        it("has a disruption budget, except for what has one pod by nature", () => {
            const all = values();
            for (const part of ["apiServer", "scheduler", "dagProcessor", "triggerer", "pgbouncer"]) {
                assert.equal(all[part].podDisruptionBudget.enabled, true, part);
            }
        });

        it("needs no disk of one zone: neither workers nor triggerer nor Redis (facts 4, 5)", () => {
            const all = values();
            assert.equal(all.workers.celery.persistence.enabled, false);
            assert.equal(all.triggerer.persistence.enabled, false);
            assert.equal(all.redis.persistence.enabled, false);
        });

        it("keeps Redis where it is: the chart's safeToEvict false writes no annotation", () => {
            const { redis } = values();
            assert.equal(redis.safeToEvict, false);
            assert.deepEqual(redis.podAnnotations, { "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" });
        });

        it("keeps Redis in the zone of its disk, when it has one", () => {
            const { redis } = values({ redisDisk: { storageClassName: "gp3", zone: "eu-west-1b" } });
            assert.deepEqual(redis.persistence, { enabled: true, size: "1Gi", storageClassName: "gp3" });
            assert.equal(redis.nodeSelector["topology.kubernetes.io/zone"], "eu-west-1b");
        });

        it("uses one image", () => {
            const all = values(
                { image: { repository: "registry.example.com/airflow", tag: "9" } },
                { pullSecretName: "pull" },
            );
            assert.deepEqual(all.images.airflow, { repository: "registry.example.com/airflow", tag: "9" });
            // Off by default; the chart has another image for it when nothing is said.
            assert.deepEqual(all.images.flower, all.images.airflow);
            assert.deepEqual(all.imagePullSecrets, ["pull"]);
        });

        it("sets version and tag together (facts 0)", () => {
            const all = values({ airflowVersion: "3.3.0" });
            assert.deepEqual(
                [all.airflowVersion, all.defaultAirflowTag, all.images.airflow.tag],
                ["3.3.0", "3.3.0", "3.3.0"],
            );
        });
    });

    describe("logs", () => {
        const groomers = (all: Loose) =>
            ["scheduler", "dagProcessor", "triggerer"].filter((part) => all[part].logGroomerSidecar.enabled);

        it("on a shared volume are cleaned by no pod of the release (facts 4)", () => {
            const all = values({ sizes: { scheduler: { replicas: 3 } } });
            assert.deepEqual(all.logs.persistence, { enabled: true, existingClaim: "airflow-logs-1" });
            assert.deepEqual(groomers(all), []);
            assert.equal(all.workers.celery.logGroomerSidecar.enabled, false);
        });

        it("in S3 are reached without a key, and every pod cleans its own disk (facts 5)", () => {
            const all = values({ logs: { bucket: "logs", prefix: "a/b" } }, { claimName: undefined, bucket: "logs" });
            assert.equal(all.logs.persistence.enabled, false);
            assert.equal(all.config.logging.remote_logging, "True");
            assert.equal(all.config.logging.remote_base_log_folder, "s3://logs/a/b");
            assert.deepEqual(all.env, [
                { name: "AIRFLOW_CONN_AWS_LOGS", value: '{"conn_type":"aws","extra":{"region_name":"eu-west-1"}}' },
            ]);
            assert.equal(all.config.logging.remote_log_conn_id, "aws_logs");
            assert.deepEqual(groomers(all), ["scheduler", "dagProcessor", "triggerer"]);
            assert.equal(all.workers.celery.logGroomerSidecar.requirePersistence, false);
        });
    });

    describe("DAGs", () => {
        it("by git-sync 4 follow what ref says: branch and ref alike, rev HEAD (facts 7)", () => {
            for (const ref of ["main", "v1.2.3", "0123456789abcdef0123456789abcdef01234567"]) {
                const { gitSync } = values({ dags: { gitSync: { ...article.dags!.gitSync!, ref } } }).dags;
                assert.deepEqual([gitSync.branch, gitSync.ref, gitSync.rev], [ref, ref, "HEAD"]);
            }
        });

        it("by SSH check the server's keys", () => {
            const { gitSync } = values({ dags: article.dags }).dags;
            assert.equal(gitSync.sshKeySecret, "git-1");
            assert.match(gitSync.knownHosts, /^github\.com ssh-rsa /);
            assert.ok(!("sshKey" in gitSync));
            assert.deepEqual([gitSync.depth, gitSync.subPath], [1, "dags"]);
        });

        it("by token name the Secret only", () => {
            const all = values({ dags: { gitSync: { repo: "https://x.example/y.git", token: "very-secret" } } });
            assert.equal(all.dags.gitSync.credentialsSecret, "git-1");
            assert.ok(!JSON.stringify(all).includes("very-secret"));
        });

        it("can be bundles", () =>
            assert.deepEqual(
                values({ dags: { bundles: [{ name: "a", classpath: "b.C" }] } }).dagProcessor.dagBundleConfigList,
                [{ name: "a", classpath: "b.C", kwargs: {} }],
            ));

        it("as bundles pass a configuration file that gives the percent sign a meaning", () => {
            const bundles = [{ name: "a", classpath: "b.C", kwargs: { url: "x%20y", list: ["%s", 1, true] } }];
            const [{ kwargs }] = values({ dags: { bundles } }).dagProcessor.dagBundleConfigList;
            assert.deepEqual(kwargs, { url: "x%%20y", list: ["%%s", 1, true] });
        });

        it("are examples on request only", () => {
            assert.equal(values().config.core.load_examples, "False");
            assert.equal(values({ dags: { examples: true } }).config.core.load_examples, "True");
        });
    });

    describe("the UI", () => {
        const certificateArn = "arn:aws:acm:eu-west-1:123456789012:certificate/abc";
        const https = { certificateArn, hostName: "airflow.example.com" };

        it("is not exposed by default", () => assert.equal(values().apiServer.service.type, "ClusterIP"));

        it("behind a network load balancer is internal and plain without a certificate", () => {
            const { service } = values({ ui: { exposure: "network-load-balancer" } }).apiServer;
            const prefix = "service.beta.kubernetes.io/aws-load-balancer";
            assert.equal(service.type, "LoadBalancer");
            assert.equal(service.annotations[`${prefix}-type`], "external");
            assert.equal(service.annotations[`${prefix}-scheme`], "internal");
            assert.deepEqual(service.ports, [{ name: "api-server", port: 80, targetPort: "api-server" }]);
        });

        it("behind a network load balancer with a certificate speaks HTTPS only, to the ranges that are listed", () => {
            const all = values(
                {
                    ui: {
                        exposure: "network-load-balancer",
                        ...https,
                        internetFacing: true,
                        sourceRanges: ["203.0.113.0/24"],
                    },
                },
                { certificateArn },
            );
            const { service } = all.apiServer;
            const prefix = "service.beta.kubernetes.io/aws-load-balancer";
            assert.deepEqual(service.ports, [{ name: "api-server", port: 443, targetPort: "api-server" }]);
            assert.equal(service.annotations[`${prefix}-ssl-cert`], certificateArn);
            assert.equal(service.annotations[`${prefix}-scheme`], "internet-facing");
            assert.deepEqual(service.loadBalancerSourceRanges, ["203.0.113.0/24"]);
            assert.equal(all.config.api.base_url, "https://airflow.example.com");
        });

        it("on another port of the Service is where workers look for the API (the chart says 8080 always)", () => {
            const port = (ui: ValueSettings["ui"], arn?: string) =>
                values({ ui }, { certificateArn: arn }).config.core.execution_api_server_url;
            assert.equal(port({}), "http://airflow-api-server:8080/execution/");
            assert.equal(port({ exposure: "network-load-balancer" }), "http://airflow-api-server:80/execution/");
            assert.equal(
                port({ exposure: "network-load-balancer", ...https }, certificateArn),
                "http://airflow-api-server:443/execution/",
            );
            assert.equal(port({ exposure: "application-load-balancer" }), "http://airflow-api-server:8080/execution/");
        });

        it("behind an application load balancer redirects to HTTPS and asks the right path for health", () => {
            const all = values({ ui: { exposure: "application-load-balancer", ...https } }, { certificateArn });
            const { apiServer } = all.ingress;
            assert.deepEqual(apiServer.hosts, [{ name: "airflow.example.com" }]);
            assert.equal(apiServer.annotations["alb.ingress.kubernetes.io/ssl-redirect"], "443");
            assert.equal(apiServer.annotations["alb.ingress.kubernetes.io/healthcheck-path"], "/api/v2/monitor/health");
            assert.match(all.apiServer.args.join(" "), /--proxy-headers/);
        });

        it("of Airflow 2 is the webserver", () => {
            const all = airflowValues(
                {
                    ...settings,
                    airflowVersion: "2.11.0",
                    ui: { exposure: "network-load-balancer", hostName: "a.example.com" },
                },
                context2,
            ) as Loose;
            assert.equal(all.webserver.service.ports[0].name, "airflow-ui");
            assert.equal(all.config.webserver.base_url, "http://a.example.com");
            assert.ok(!("apiServer" in all));
        });
    });

    describe("rights at AWS", () => {
        it("reach the accounts that run tasks, and the others apart", () => {
            const all = values({}, { taskAnnotations: { role: "task" }, coreAnnotations: { role: "core" } });
            const annotation = (part: Loose) => part.serviceAccount.annotations.role;
            assert.equal(annotation(all.workers.celery), "task");
            assert.equal(annotation(all.triggerer), "task");
            for (const part of ["scheduler", "dagProcessor", "apiServer"]) {
                assert.equal(annotation(all[part]), "core", part);
            }
        });

        it("include Secrets Manager by choice", () => {
            const { secrets } = values({ secretsManager: { prefix: "team/airflow" } }).config;
            assert.match(secrets.backend, /SecretsManagerBackend$/);
            assert.equal(JSON.parse(secrets.backend_kwargs).connections_prefix, "team/airflow/connections");
            assert.ok(!("secrets" in values().config));
        });
    });

    describe("further values", () => {
        it("are merged last", () => {
            const all = values({
                values: { scheduler: { terminationGracePeriodSeconds: 99 }, statsd: { enabled: false } },
            });
            assert.equal(all.scheduler.terminationGracePeriodSeconds, 99);
            assert.equal(all.scheduler.replicas, 1);
            assert.equal(all.statsd.enabled, false);
        });

        it("add to lists that the component uses itself", () => {
            const all = values({
                values: { secret: [{ envName: "TOKEN", secretName: "mine" }], env: [{ name: "A", value: "1" }] },
                environment: { B: "2" },
            });
            assert.deepEqual(
                all.secret.map(({ envName }: Loose) => envName),
                ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC", "TOKEN"],
            );
            assert.deepEqual(
                all.env.map(({ name }: Loose) => name),
                ["B", "A"],
            );
        });
    });
});
