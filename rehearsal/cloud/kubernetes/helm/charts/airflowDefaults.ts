import type { Properties } from "../../../shell/type";

const account = { create: true };
const groomer = { enabled: true, resources: {} };
/** What the chart gives those that need no pod all the time. */
const quick = { rollingUpdate: { maxSurge: "100%", maxUnavailable: "50%" } };
/** What it gives those that answer people. */
export const careful = { type: "RollingUpdate", rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };

const scaling = { pollingInterval: 5, cooldownPeriod: 30, minReplicaCount: 0, maxReplicaCount: 10 };
const cpu = (averageUtilization: number): Properties => ({
    type: "Resource",
    resource: { name: "cpu", target: { type: "Utilization", averageUtilization } },
});

/** The defaults of apache/airflow 1.22.0 that decide which objects there are. */
export const airflowDefaults: Properties = {
    airflowVersion: "3.2.2",
    // Not the version that is given: whoever sets the one has to set the other.
    defaultAirflowTag: "3.2.2",
    executor: "CeleryExecutor",
    uid: 50000,
    gid: 0,
    postgresql: { enabled: true },
    data: { metadataConnection: {} },
    redis: {
        enabled: true,
        persistence: { enabled: true, size: "1Gi" },
        terminationGracePeriodSeconds: 600,
        safeToEvict: true,
        serviceAccount: account,
        resources: {},
    },
    statsd: { enabled: true, serviceAccount: account, resources: {} },
    pgbouncer: {
        enabled: false,
        replicas: 1,
        serviceAccount: account,
        resources: {},
        metricsExporterSidecar: { resources: {} },
        podDisruptionBudget: { enabled: false, config: { maxUnavailable: 1 } },
    },
    flower: { enabled: false, serviceAccount: account, service: { type: "ClusterIP" }, resources: {} },
    databaseCleanup: { enabled: false, schedule: "0 0 * * 0", serviceAccount: account, resources: {} },
    apiServer: {
        enabled: true,
        replicas: 1,
        strategy: careful,
        hpa: { enabled: false, minReplicaCount: 1, maxReplicaCount: 5, metrics: [cpu(50)] },
        serviceAccount: account,
        service: { type: "ClusterIP" },
        resources: {},
        podDisruptionBudget: { enabled: false, config: { maxUnavailable: 1 } },
    },
    webserver: {
        replicas: 1,
        strategy: careful,
        hpa: { enabled: false, minReplicaCount: 1, maxReplicaCount: 5, metrics: [cpu(50)] },
        serviceAccount: account,
        service: { type: "ClusterIP" },
        resources: {},
        podDisruptionBudget: { enabled: false, config: { maxUnavailable: 1 } },
    },
    scheduler: {
        enabled: true,
        replicas: 1,
        safeToEvict: true,
        serviceAccount: account,
        resources: {},
        logGroomerSidecar: groomer,
        terminationGracePeriodSeconds: 10,
        podDisruptionBudget: { enabled: false, config: { maxUnavailable: 1 } },
    },
    dagProcessor: {
        replicas: 1,
        strategy: quick,
        safeToEvict: true,
        serviceAccount: account,
        resources: {},
        logGroomerSidecar: groomer,
        terminationGracePeriodSeconds: 60,
        podDisruptionBudget: { enabled: false, config: { maxUnavailable: 1 } },
    },
    triggerer: {
        enabled: true,
        replicas: 1,
        strategy: quick,
        safeToEvict: true,
        serviceAccount: account,
        resources: {},
        logGroomerSidecar: groomer,
        terminationGracePeriodSeconds: 60,
        persistence: { enabled: true, size: "100Gi" },
        keda: { enabled: false, ...scaling, usePgbouncer: false },
        podDisruptionBudget: { enabled: false, config: { maxUnavailable: 1 } },
    },
    workers: {
        replicas: 1,
        strategy: quick,
        safeToEvict: false,
        serviceAccount: account,
        resources: {},
        logGroomerSidecar: { ...groomer, requirePersistence: true },
        terminationGracePeriodSeconds: 600,
        persistence: { enabled: true, size: "100Gi" },
        keda: { enabled: false, ...scaling, usePgbouncer: true },
        hpa: { enabled: false, minReplicaCount: 0, maxReplicaCount: 5, metrics: [cpu(80)] },
        podDisruptionBudget: { enabled: false, config: { maxUnavailable: 1 } },
        queue: "default",
    },
    migrateDatabaseJob: {
        enabled: true,
        useHelmHooks: true,
        serviceAccount: account,
        ttlSecondsAfterFinished: 300,
        resources: {},
    },
    createUserJob: {
        enabled: true,
        useHelmHooks: true,
        serviceAccount: account,
        ttlSecondsAfterFinished: 300,
        resources: {},
    },
    logs: { persistence: { enabled: false, size: "100Gi" } },
    dags: {
        persistence: { enabled: false, size: "1Gi", accessMode: "ReadWriteOnce" },
        gitSync: { enabled: false, resources: {} },
    },
    ingress: { apiServer: { enabled: false }, web: { enabled: false }, flower: { enabled: false } },
    rbac: { create: true },
    enableBuiltInSecretEnvVars: {},
    config: { celery: { worker_concurrency: 16 } },
};
