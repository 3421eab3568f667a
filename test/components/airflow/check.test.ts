import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { type AirflowCeleryArgs, checkAirflowCeleryArgs } from "../../../components/airflow/airflowCeleryArgs";
import { type AirflowMetastoreArgs, checkAirflowMetastoreArgs } from "../../../components/airflow/airflowMetastore";
import { checkCloudWatchAlarmsArgs } from "../../../components/airflow/cloudWatchAlarms";
import { checkExistingMetastoreArgs, type ExistingMetastoreArgs } from "../../../components/airflow/existingMetastore";
import { clusterInfo, type Loose, networkInfo } from "../mocks";
import { args, article, paths } from "./samples";

const ssh = article.dags!.gitSync!;
const PEM = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----";
const workers = (more: Loose) => ({ workers: { scaling: { kedaInstalled: true }, ...more } });

describe("bad arguments of AirflowCelery", () => {
    const found = (more: Loose) => paths(checkAirflowCeleryArgs({ ...args, ...more } as AirflowCeleryArgs));

    it("are not found in good ones", () => {
        assert.deepEqual(found({}), []);
        assert.deepEqual(found(article), []);
        assert.deepEqual(found({ logs: { bucket: "logs" } }), []);
        assert.deepEqual(found({ image: { repository: "registry.example.com:5000/team/airflow", tag: "1" } }), []);
        assert.deepEqual(found({ logs: { storageClassName: pulumi.output("gp3") } }), []);
    });

    const cases: [string, Loose, string[]][] = [
        ["an unknown Airflow", { airflowVersion: "4.0.0" }, ["airflowVersion"]],
        ["an unknown chart", { chart: { version: "1.0.0" } }, ["chart.version"]],
        [
            "an SSH repository without a key",
            { dags: { gitSync: { ...ssh, sshKey: undefined } } },
            ["dags.gitSync.sshKey"],
        ],
        ["no known hosts", { dags: { gitSync: { ...ssh, knownHosts: " " } } }, ["dags.gitSync.knownHosts"]],
        [
            "known hosts that are none",
            { dags: { gitSync: { ...ssh, knownHosts: "github.com" } } },
            ["dags.gitSync.knownHosts"],
        ],
        [
            "a key in base64 (facts: encoded twice)",
            { dags: { gitSync: { ...ssh, sshKey: "LS0tLS1CRUdJTiBPUEVOU1NI" } } },
            ["dags.gitSync.sshKey"],
        ],
        [
            "half a key",
            { dags: { gitSync: { ...ssh, sshKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nabc" } } },
            ["dags.gitSync.sshKey"],
        ],
        [
            "known hosts in comments only",
            { dags: { gitSync: { ...ssh, knownHosts: "# github.com ssh-rsa AAAA\n" } } },
            ["dags.gitSync.knownHosts"],
        ],
        [
            "the known hosts of another server",
            { dags: { gitSync: { ...ssh, knownHosts: "gitlab.com,10.0.0.1 ssh-rsa AAAA" } } },
            ["dags.gitSync.knownHosts"],
        ],
        [
            "known hosts for HTTPS",
            { dags: { gitSync: { repo: "https://a.b/c.git", knownHosts: ssh.knownHosts } } },
            ["dags.gitSync.knownHosts"],
        ],
        ["an empty token", { dags: { gitSync: { repo: "https://a.b/c.git", token: "" } } }, ["dags.gitSync.token"]],
        [
            "a user without a token",
            { dags: { gitSync: { repo: "https://a.b/c.git", username: "me" } } },
            ["dags.gitSync.username"],
        ],
        ["a ref that git takes for an option", { dags: { gitSync: { ...ssh, ref: "-f" } } }, ["dags.gitSync.ref"]],
        ["no pause between looks", { dags: { gitSync: { ...ssh, period: "0s" } } }, ["dags.gitSync.period"]],
        ["a token for SSH", { dags: { gitSync: { ...ssh, token: "x" } } }, ["dags.gitSync.token"]],
        [
            "a key for HTTPS",
            { dags: { gitSync: { repo: "https://a.b/c.git", sshKey: ssh.sshKey } } },
            ["dags.gitSync.sshKey"],
        ],
        ["a password in the URL", { dags: { gitSync: { repo: "https://me:pw@a.b/c.git" } } }, ["dags.gitSync.repo"]],
        ["plain HTTP", { dags: { gitSync: { repo: "http://a.b/c.git" } } }, ["dags.gitSync.repo"]],
        [
            "a folder outside the repository",
            { dags: { gitSync: { ...ssh, subPath: "../x" } } },
            ["dags.gitSync.subPath"],
        ],
        ["a ref that is none", { dags: { gitSync: { ...ssh, ref: "a b" } } }, ["dags.gitSync.ref"]],
        ["bundles beside git-sync", { dags: { gitSync: ssh, bundles: [] } }, ["dags.bundles"]],
        [
            "bundles in Airflow 2",
            { airflowVersion: "2.11.0", dags: { bundles: [{ name: "a", classpath: "b.C" }] } },
            ["dags.bundles"],
        ],
        ["fewer replicas than KEDA keeps", workers({ replicas: 1 }), ["workers.replicas"]],
        ["more replicas than KEDA allows", workers({ replicas: 11 }), ["workers.replicas"]],
        [
            "limits that cross",
            { workers: { scaling: { kedaInstalled: true, minReplicas: 3, maxReplicas: 2 } } },
            ["workers.scaling.minReplicas"],
        ],
        ["concurrency 0", workers({ concurrency: 0 }), ["workers.concurrency"]],
        ["concurrency beyond any node", workers({ concurrency: 100000 }), ["workers.concurrency"]],
        ["a queue twice", workers({ queues: ["a", "a"] }), ["workers.queues[1]"]],
        ["a queue that Celery takes for an option", workers({ queues: ["-c"] }), ["workers.queues[0]"]],
        ["a queue that needs quoting", workers({ queues: ["a'b"] }), ["workers.queues[0]"]],
        ["no queue", workers({ queues: [] }), ["workers.queues"]],
        ["missing KEDA", { workers: {} }, ["workers.scaling.kedaInstalled"]],
        ["missing KEDA, by default", { workers: undefined }, ["workers.scaling.kedaInstalled"]],
        ["a class of EBS for logs", { logs: { storageClassName: "gp3" } }, ["logs.storageClassName"]],
        ["another class of EBS for logs", { logs: { storageClassName: "ebs-sc" } }, ["logs.storageClassName"]],
        ["a class of EBS under any name", { logs: { storageClassName: "team-gp3" } }, ["logs.storageClassName"]],
        ["a class that cannot be", { logs: { storageClassName: "EFS SC" } }, ["logs.storageClassName"]],
        ["no class at all", { logs: { storageClassName: "" } }, ["logs.storageClassName"]],
        ["a bucket's folder on a volume", { logs: { storageClassName: "efs-sc", prefix: "a" } }, ["logs.prefix"]],
        ["a volume's size in a bucket", { logs: { bucket: "logs", size: "1Gi" } }, ["logs.size"]],
        ["logs nowhere", { logs: {} }, ["logs.storageClassName"]],
        ["logs in two places", { logs: { storageClassName: "efs-sc", bucket: "b" } }, ["logs.storageClassName"]],
        ["a bucket's URL", { logs: { bucket: "s3://b" } }, ["logs.bucket"]],
        [
            "a public load balancer without certificate and ranges",
            { ui: { exposure: "network-load-balancer", internetFacing: true } },
            ["ui.certificateArn", "ui.sourceRanges"],
        ],
        [
            "a public load balancer for everybody",
            {
                ui: {
                    exposure: "application-load-balancer",
                    internetFacing: true,
                    certificateArn: "arn:aws:acm:eu-west-1:123456789012:certificate/a",
                    hostName: "a.example.com",
                    sourceRanges: ["0.0.0.0/0"],
                },
            },
            ["ui.sourceRanges[0]"],
        ],
        [
            "a certificate without a name",
            {
                ui: {
                    exposure: "network-load-balancer",
                    certificateArn: "arn:aws:acm:eu-west-1:123456789012:certificate/a",
                },
            },
            ["ui.hostName"],
        ],
        ["ranges without a load balancer", { ui: { sourceRanges: ["10.0.0.0/8"] } }, ["ui.sourceRanges"]],
        ["a name without a load balancer", { ui: { hostName: "a.example.com" } }, ["ui.hostName"]],
        ...[
            "service.beta.kubernetes.io/aws-load-balancer-scheme",
            "service.beta.kubernetes.io/aws-load-balancer-internal",
            "service.beta.kubernetes.io/load-balancer-source-ranges",
            "service.beta.kubernetes.io/aws-load-balancer-ssl-cert",
        ].map((annotation): [string, Loose, string[]] => [
            `the annotation ${annotation}`,
            { ui: { exposure: "network-load-balancer", annotations: { [annotation]: "x" } } },
            [`ui.annotations.${annotation}`],
        ]),
        ...["scheme", "inbound-cidrs", "security-groups"].map((annotation): [string, Loose, string[]] => [
            `the annotation ${annotation} of an application load balancer`,
            {
                ui: {
                    exposure: "application-load-balancer",
                    sourceRanges: ["10.0.0.0/8"],
                    annotations: { [`alb.ingress.kubernetes.io/${annotation}`]: "x" },
                },
            },
            [`ui.annotations.alb.ingress.kubernetes.io/${annotation}`],
        ]),
        ["an exposure that is none", { ui: { exposure: "nodeport" } }, ["ui.exposure"]],
        ["a tag within the repository", { image: { repository: "apache/airflow:3.2.2" } }, ["image.repository"]],
        ["a repository in capitals", { image: { repository: "Team/Airflow" } }, ["image.repository"]],
        ["a tag that is none", { image: { tag: "" } }, ["image.tag"]],
        ["a pull secret without a name", { image: { pullSecretName: "" } }, ["image.pullSecretName"]],
        ["the tag latest", { image: { tag: "latest" } }, ["image.tag"]],
        ["no pods", { sizes: { scheduler: { replicas: 0 } } }, ["sizes.scheduler.replicas"]],
        [
            "memory that is no quantity",
            { sizes: { redis: { requests: { memory: "1 GB" } } } },
            ["sizes.redis.requests.memory"],
        ],
        [
            "a request above its limit",
            { sizes: { scheduler: { resources: { requests: { memory: "2Gi" }, limits: { memory: "1Gi" } } } } },
            ["sizes.scheduler.resources.requests.memory"],
        ],
        ["a user that nobody knows", { authManager: "a.B" }, ["createUser"]],
        ["the chart's own password", { admin: { password: "admin" } }, ["admin.password"]],
        ["no key to decrypt with", { fernet: { newest: 1, oldest: 2 } }, ["fernet.oldest"]],
        ["a key that is none", { fernet: { keys: ["abc"] } }, ["fernet.keys[0]"]],
        ["a key twice", { fernet: { keys: [`${"A".repeat(43)}=`, `${"A".repeat(43)}=`] } }, ["fernet.keys[1]"]],
        ["a thousand keys", { fernet: { newest: 1000 } }, ["fernet.newest"]],
        [
            "a disk of nothing",
            { redisDisk: { storageClassName: "gp3", zone: "eu-west-1a", size: "0" } },
            ["redisDisk.size"],
        ],
        ["pools of no PgBouncer", { pgbouncer: { enabled: false, poolSize: 9 } }, ["pgbouncer.poolSize"]],
        ["a disk without a zone", { redisDisk: { storageClassName: "gp3" } }, ["redisDisk.zone"]],
        [
            "a variable of the component",
            { environment: { AIRFLOW__CORE__FERNET_KEY: "x" } },
            ["environment.AIRFLOW__CORE__FERNET_KEY"],
        ],
        ...["AIRFLOW__LOGGING__REMOTE_LOGGING", "AIRFLOW__API__BASE_URL", "AIRFLOW__CELERY__WORKER_AUTOSCALE"].map(
            (variable): [string, Loose, string[]] => [
                `the variable ${variable}`,
                { environment: { [variable]: "x" } },
                [`environment.${variable}`],
            ],
        ),
        [
            "a variable in two places",
            { environment: { A: "1" }, values: { env: [{ name: "A", value: "2" }] } },
            ["values.env"],
        ],
        ["a text for a number", workers({ concurrency: "4" }), ["workers.concurrency"]],
        ["a text for a switch", { paused: "yes" }, ["paused"]],
        ["a key that nothing reads", { workes: {} }, ["workes"]],
        ["a nested key that nothing reads", workers({ placement: { arch: "arm64" } }), ["workers.placement.arch"]],
        ["a namespace that is none", { namespace: "Air Flow" }, ["namespace"]],
    ];
    for (const [what, more, expected] of cases) {
        it(`are found: ${what}`, () => assert.deepEqual(found(more), expected));
    }

    const protectedValues: [Loose, string][] = [
        [{ executor: "KubernetesExecutor" }, "executor"],
        [{ data: { metadataConnection: {} } }, "data"],
        [{ postgresql: { enabled: true } }, "postgresql"],
        [{ fernetKey: "x" }, "fernetKey"],
        [{ redis: { password: "x" } }, "redis.password"],
        [{ redis: { persistence: { enabled: true } } }, "redis.persistence"],
        [{ migrateDatabaseJob: { useHelmHooks: true } }, "migrateDatabaseJob"],
        [{ workers: { keda: { usePgbouncer: true } } }, "workers.keda"],
        [{ workers: { celery: { persistence: { enabled: true } } } }, "workers.celery.persistence"],
        [{ config: { celery: { worker_concurrency: 8 } } }, "config.celery.worker_concurrency"],
        [{ logs: { persistence: { size: "1Gi" } } }, "logs.persistence"],
        [{ useStandardNaming: true }, "useStandardNaming"],
        [{ images: { airflow: { tag: "x" } } }, "images.airflow"],
        [{ extraSecrets: { a: {} } }, "extraSecrets"],
        [{ dags: { gitSync: { ref: "x" } } }, "dags.gitSync"],
        [{ env: [{ name: "KEDA_DB_CONN", value: "x" }] }, "env"],
        [{ secret: [{ envName: "AIRFLOW__CORE__FERNET_KEY", secretName: "x" }] }, "secret"],
        [{ scheduler: { env: [{ name: "AIRFLOW__CORE__FERNET_KEY", value: "x" }] } }, "scheduler.env"],
        [{ extraEnv: "- name: AIRFLOW__CORE__EXECUTOR\n  value: x" }, "extraEnv"],
        [{ wrokers: {} }, "wrokers"],
        [{ apiServer: { service: { type: "LoadBalancer" } } }, "apiServer.service"],
        [{ ingress: { web: { enabled: true } } }, "ingress"],
        [{ flower: { enabled: true, service: { type: "NodePort" } } }, "flower.service"],
        [{ flower: { password: "x" } }, "flower.password"],
        [{ scheduler: { replicas: 2 } }, "scheduler.replicas"],
        [{ scheduler: { enabled: false } }, "scheduler.enabled"],
        [{ scheduler: { logGroomerSidecar: { enabled: true } } }, "scheduler.logGroomerSidecar.enabled"],
        [{ triggerer: { securityContexts: { pod: { runAsUser: 0 } } } }, "triggerer.securityContexts.pod"],
        [{ securityContext: { runAsUser: 0 } }, "securityContext"],
        [{ workers: { resources: {} } }, "workers.resources"],
        [{ workers: { celery: { args: ["bash"] } } }, "workers.celery.args"],
        [{ pgbouncer: { extraIni: "x" } }, "pgbouncer.extraIni"],
        [{ images: { useDefaultImageForMigration: true } }, "images.useDefaultImageForMigration"],
        [{ config: { smtp: { smtp_password: "x" } } }, "config.smtp.smtp_password"],
        [{ config: { api_auth: { jwt_secret: "x" } } }, "config.api_auth.jwt_secret"],
        [{ config: { database: { sql_alchemy_conn_async: "x" } } }, "config.database.sql_alchemy_conn_async"],
        [{ config: { celery: { Worker_Concurrency: 8 } } }, "config.celery.Worker_Concurrency"],
        [{ config: { celery: { worker_autoscale: "8,2" } } }, "config.celery.worker_autoscale"],
        // What would take the place of a map in which the component has said something.
        [{ logs: null }, "logs"],
        [{ workers: { celery: null } }, "workers.celery"],
        [{ workers: { celery: { keda: null } } }, "workers.celery.keda"],
        [{ config: { celery: [] } }, "config.celery"],
        [{ redis: "off" }, "redis"],
    ];
    for (const [values, path] of protectedValues) {
        it(`are found: the value ${path} would break a promise`, () => {
            const [problem, ...others] = checkAirflowCeleryArgs({ ...args, values });
            assert.equal(problem.path, `values.${path}`);
            assert.deepEqual(others, []);
            assert.ok(problem.message.length > 20, problem.message);
            assert.ok(!problem.message.includes("undefined"), problem.message);
        });
    }

    it("are not found in a null that only removes a default of the chart", () => {
        const values = { scheduler: { startupProbe: null }, statsd: { extraMappings: null } };
        assert.deepEqual(checkAirflowCeleryArgs({ ...args, values }), []);
    });

    it("are found all at once", () => {
        const problems = found({
            airflowVersion: "1.0",
            logs: {},
            workers: { concurrency: 0, replicas: "many" },
            dags: { gitSync: { repo: "git@a.b:c.git" } },
        });
        assert.deepEqual(problems.sort(), [
            "airflowVersion",
            "dags.gitSync.knownHosts",
            "dags.gitSync.sshKey",
            "logs.storageClassName",
            "workers.concurrency",
            "workers.replicas",
            "workers.scaling.kedaInstalled",
        ]);
    });

    it("are told without secrets", () => {
        const problems = checkAirflowCeleryArgs({
            ...args,
            admin: { password: "hunter2" },
            dags: { gitSync: { ...ssh, sshKey: "private-text" } },
            fernet: { keys: ["private-key"] },
        });
        assert.equal(problems.length, 3);
        assert.ok(!/hunter2|private-/.test(JSON.stringify(problems)));
    });
});

describe("bad arguments of AirflowMetastore", () => {
    const good = { network: networkInfo, cluster: clusterInfo, zones: ["eu-west-1a", "eu-west-1b"] };
    const found = (more: Loose) => paths(checkAirflowMetastoreArgs({ ...good, ...more } as AirflowMetastoreArgs));

    it("are not found in good ones", () => {
        assert.deepEqual(found({}), []);
        assert.deepEqual(
            found({ engineVersion: "17.6", snapshots: ["before-airflow-3"], parameters: { work_mem: "8192" } }),
            [],
        );
        assert.deepEqual(found({ backupWindow: "23:30-00:30", maintenanceWindow: "Sun:23:00-Sun:23:30" }), []);
    });

    const cases: [string, Loose, string[]][] = [
        ["one zone only", { zones: ["eu-west-1a"] }, ["zones"]],
        ["a database name that needs quoting", { database: "Air-Flow" }, ["database"]],
        ["a role name that needs quoting", { user: "air flow" }, ["user"]],
        ["the server's own database", { database: "postgres" }, ["database"]],
        ["a database name that is a word of SQL", { database: "user" }, ["database"]],
        ["the administrator's name", { user: "metastore_admin" }, ["user"]],
        ...["pg_monitor", "rdsadmin", "public", "airflow_stats"].map((user): [string, Loose, string[]] => [
            `the role ${user}`,
            { user },
            ["user"],
        ]),
        ["a version with a zero before it", { engineVersion: "017" }, ["engineVersion"]],
        ["a snapshot without a name", { restoreFrom: "" }, ["restoreFrom"]],
        ["the name of the final snapshot", { snapshots: ["final"] }, ["snapshots[0]"]],
        ["a snapshot twice", { snapshots: ["a", "a"] }, ["snapshots[1]"]],
        ["nobody let in", { nodeSecurityGroupCount: 0 }, ["nodeSecurityGroupCount"]],
        ["more storage than there is", { maxAllocatedStorage: 70000 }, ["maxAllocatedStorage"]],
        ["TLS switched off in capitals", { parameters: { "RDS.Force_SSL": "0" } }, ["parameters"]],
        ["a parameter that is none", { parameters: { "work mem": "1" } }, ["parameters.work mem"]],
        ["a version that Airflow does not know", { engineVersion: "12" }, ["engineVersion"]],
        ["too little storage", { allocatedStorage: 10 }, ["allocatedStorage"]],
        ["storage that cannot grow", { allocatedStorage: 100, maxAllocatedStorage: 100 }, ["maxAllocatedStorage"]],
        ["no backups", { backupRetentionDays: 0 }, ["backupRetentionDays"]],
        ["windows that overlap", { maintenanceWindow: "Mon:01:30-Mon:02:30" }, ["maintenanceWindow"]],
        [
            "windows that overlap past midnight",
            { backupWindow: "23:30-00:30", maintenanceWindow: "Mon:00:00-Mon:01:00" },
            ["maintenanceWindow"],
        ],
        ["a window that is none", { backupWindow: "25:00-26:00" }, ["backupWindow"]],
        ["TLS switched off", { parameters: { "rds.force_ssl": "0" } }, ["parameters"]],
        ["a certificate's path", { caCertificate: "/etc/ca.pem" }, ["caCertificate"]],
        ["an instance type for a class", { instanceClass: "t4g.medium" }, ["instanceClass"]],
        ["a text for a number", { allocatedStorage: "20" }, ["allocatedStorage"]],
        ["a key that nothing reads", { storage: 20 }, ["storage"]],
    ];
    for (const [what, more, expected] of cases) {
        it(`are found: ${what}`, () => assert.deepEqual(found(more), expected));
    }
});

describe("bad arguments of ExistingMetastore", () => {
    const good = { host: "db.example.com", password: "x" };
    const found = (more: Loose) => paths(checkExistingMetastoreArgs({ ...good, ...more } as ExistingMetastoreArgs));

    it("are not found in good ones", () => {
        assert.deepEqual(found({}), []);
        assert.deepEqual(found({ user: "Air Flow", database: "what's there" }), []);
        assert.deepEqual(found({ adminUser: "postgres", adminPassword: pulumi.secret("x") }), []);
    });

    const cases: [string, Loose, string[]][] = [
        ["neither host nor password", { host: undefined, password: undefined }, ["host", "password"]],
        ["names without a letter", { database: "", user: "" }, ["database", "user"]],
        ["a password of two lines", { password: "a\nb" }, ["password"]],
        ["certificates without TLS", { sslMode: "disable", caCertificate: PEM }, ["caCertificate"]],
        ["an administrator's database without one", { adminDatabase: "postgres" }, ["adminDatabase"]],
        ["a URL for a host", { host: "postgresql://db" }, ["host"]],
        ["a port that is none", { port: 70000 }, ["port"]],
        ["verification without certificates", { sslMode: "verify-full" }, ["caCertificate"]],
        ["an unknown mode", { sslMode: "prefer" }, ["sslMode"]],
        ["half an administrator", { adminUser: "postgres" }, ["adminUser"]],
        [
            "the administrator for Airflow",
            { user: "postgres", adminUser: "postgres", adminPassword: "x" },
            ["adminUser"],
        ],
        [
            "a name to be made that needs quoting",
            { database: "air-flow", adminUser: "a", adminPassword: "x" },
            ["database"],
        ],
    ];
    for (const [what, more, expected] of cases) {
        it(`are found: ${what}`, () => assert.deepEqual(found(more), expected));
    }
});

describe("bad arguments of CloudWatchAlarms", () => {
    it("are found", () => {
        assert.deepEqual(paths(checkCloudWatchAlarmsArgs({})), ["database"]);
        const database = { instanceIdentifier: "db" };
        assert.deepEqual(paths(checkCloudWatchAlarmsArgs({ database })), []);
        assert.deepEqual(
            paths(
                checkCloudWatchAlarmsArgs({
                    actions: ["topic"],
                    database: { ...database, cpuPercent: 150, connections: 0 },
                }),
            ),
            ["actions[0]", "database.cpuPercent", "database.connections"],
        );
    });
});
