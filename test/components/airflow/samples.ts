import type { AirflowCeleryArgs } from "../../../components/airflow/airflowCeleryArgs";
import type { ValueContext, ValueSettings } from "../../../components/airflow/airflowValues";
import type { MetastoreConnection } from "../../../components/airflow/metastoreConnection";
import type { Problem } from "../../../components/shared/check";
import { clusterInfo } from "../mocks";

/** Settings with nothing but what has no default. */
export const settings: ValueSettings = {
    logs: { storageClassName: "efs-sc" },
    workers: { scaling: { kedaInstalled: true } },
};

export const secretNames3 = {
    metadata: "metadata-1",
    broker: "broker-1",
    redis: "redis-1",
    fernet: "fernet-1",
    api: "api-1",
    jwt: "jwt-1",
    pgbouncer: "pgbouncer-1",
    pgbouncerStats: "pgbouncer-stats-1",
    git: "git-1",
};
export const secretNames2 = { ...secretNames3, api: undefined, jwt: undefined, webserver: "webserver-1" };

export const context: ValueContext = {
    secrets: secretNames3,
    sslMode: "require",
    region: "eu-west-1",
    claimName: "airflow-logs-1",
    taskAnnotations: {},
    coreAnnotations: {},
};
export const context2: ValueContext = { ...context, secrets: secretNames2 };

export const metastore: MetastoreConnection = {
    host: "metastore.abc.eu-west-1.rds.amazonaws.com",
    port: 5432,
    database: "airflow",
    user: "airflow",
    password: "p@ss:w/rd%41 '\"?#&",
    sslMode: "require",
    admin: { user: "metastore_admin", password: "adm@n", database: "postgres" },
};

export const args: AirflowCeleryArgs = { ...settings, cluster: clusterInfo, metastore } as AirflowCeleryArgs;

/** The article's figures as settings: what a reader of it would write. */
export const article: ValueSettings = {
    logs: { storageClassName: "efs-sc", size: "10Gi" },
    workers: {
        replicas: 2,
        concurrency: 2,
        resources: {
            requests: { cpu: "500m", memory: "1024Mi" },
            limits: { cpu: "500m", memory: "1024Mi" },
        },
        terminationGracePeriodSeconds: 600,
        scaling: { kedaInstalled: true, pollingSeconds: 3, cooldownSeconds: 30, minReplicas: 2, maxReplicas: 10 },
    },
    dags: {
        gitSync: {
            repo: "git@github.com:example/dags.git",
            ref: "main",
            depth: 1,
            subPath: "dags",
            sshKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----",
            knownHosts: "github.com ssh-rsa AAAAB3NzaC1yc2E=",
        },
    },
    ui: { exposure: "network-load-balancer" },
};

export const paths = (problems: Problem[]) => problems.map(({ path }) => path);
