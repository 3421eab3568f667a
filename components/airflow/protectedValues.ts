import { type Problem } from "../shared/check";
import type { HelmValues } from "../shared/helmValues";

/** Values that hold lists to which a user's entries are added; Helm itself would let them replace ours. */
export const APPENDED_LISTS = ["env", "secret", "volumes", "volumeMounts"] as const;

/** Values that a user may not give, with the reason and what to use instead. */
const PROTECTED: Record<string, string> = {
    executor: "this component is about Celery: its workers, broker and scaling",
    airflowVersion: "use the arg airflowVersion, which also guards the database against a jump",
    defaultAirflowTag: "use the arg image, so that the Jobs run the same",
    defaultAirflowRepository: "use the arg image, so that the Jobs run the same",
    defaultAirflowDigest: "use the arg image, so that the Jobs run the same",
    "images.airflow": "use the arg image, so that the Jobs run the same",
    imagePullSecrets: "use the arg image.pullSecretName, so that the Jobs can pull too",
    "registry.secretName": "use the arg image.pullSecretName, so that the Jobs can pull too",
    "registry.connection": "secrets never stand in values; make a pull secret and name it in image.pullSecretName",
    fullnameOverride: "service accounts, roles and PgBouncer's host are known by the release's name",
    nameOverride: "service accounts, roles and PgBouncer's host are known by the release's name",
    useStandardNaming: "the chart's own URLs then name hosts that do not exist",
    data: "the connections come from the metastore and live in Secrets of the component",
    postgresql: "the metastore is outside the cluster",
    fernetKey: "secrets never stand in values; use the arg fernet",
    fernetKeySecretName: "use the arg fernet",
    apiSecretKey: "secrets never stand in values; the component makes and keeps this one",
    apiSecretKeySecretName: "the component makes and keeps this one",
    jwtSecret: "secrets never stand in values; the component makes and keeps this one",
    jwtSecretName: "the component makes and keeps this one",
    webserverSecretKey: "secrets never stand in values; the component makes and keeps this one",
    webserverSecretKeySecretName: "the component makes and keeps this one",
    extraSecrets: "secrets never stand in values; make a Kubernetes Secret and name it in `secret` or `extraEnvFrom`",
    enableBuiltInSecretEnvVars: "Airflow would start without its database, broker or keys",
    "redis.enabled": "the broker is part of the release",
    "redis.password": "secrets never stand in values; the component makes and keeps this one",
    "redis.passwordSecretName": "the component makes and keeps this one",
    "redis.persistence": "use the arg redisDisk, which also keeps Redis in the disk's zone",
    "pgbouncer.enabled": "use the arg pgbouncer: connections must lead where it is",
    "pgbouncer.configSecretName": "use the arg pgbouncer",
    "pgbouncer.auth_type": "PgBouncer's files are made for SCRAM",
    "pgbouncer.auth_file": "PgBouncer's files are made by the component",
    "pgbouncer.mountConfigSecret": "PgBouncer's files are made by the component",
    "pgbouncer.metricsExporterSidecar.statsSecretName": "the component makes and keeps this one",
    "pgbouncer.metricsExporterSidecar.statsSecretKey": "the component makes and keeps this one",
    "ports.pgbouncer": "the connections in the Secrets name this port",
    "ports.redisDB": "the broker's URL names this port",
    "ports.apiServer": "workers reach the API server on this port",
    migrateDatabaseJob: "migrations are a Job of the component, so that an upgrade works at any moment",
    createUserJob: "the user is made by a Job of the component, and its password never stands in values",
    "webserver.defaultUser": "use the arg admin",
    "workers.keda": "use the arg workers.scaling",
    "workers.hpa": "workers are scaled by KEDA, see the arg workers.scaling",
    "workers.replicas": "use the arg workers.replicas",
    "workers.queue": "use the arg workers.queues, which the query of KEDA follows",
    "workers.persistence": "logs are shared; a disk for each worker would tie it to one zone",
    "workers.terminationGracePeriodSeconds": "use the arg workers.terminationGracePeriodSeconds",
    "workers.celery.keda": "use the arg workers.scaling",
    "workers.celery.hpa": "workers are scaled by KEDA, see the arg workers.scaling",
    "workers.celery.replicas": "use the arg workers.replicas",
    "workers.celery.queue": "use the arg workers.queues, which the query of KEDA follows",
    "workers.celery.persistence": "logs are shared; a disk for each worker would tie it to one zone",
    "triggerer.persistence": "logs are shared; a disk for the triggerer would tie it to one zone",
    "config.core.executor": "this component is about Celery",
    "config.core.auth_manager": "use the arg authManager, so that the Jobs make its tables too",
    "config.core.execution_api_server_url": "workers reach the API server where the component puts it",
    "config.core.fernet_key": "secrets never stand in values; use the arg fernet",
    "config.database.sql_alchemy_conn": "secrets never stand in values; the connection comes from the metastore",
    "config.celery.worker_concurrency": "use the arg workers.concurrency, which the query of KEDA follows",
    "config.celery.broker_url": "secrets never stand in values; the broker is part of the release",
    "config.celery.result_backend": "secrets never stand in values; results go to the metastore",
    "config.api.base_url": "use the arg ui.hostName",
    "config.webserver.base_url": "use the arg ui.hostName",
    "config.logging.remote_logging": "use the arg logs",
    "config.logging.remote_base_log_folder": "use the arg logs",
    "config.logging.remote_log_conn_id": "use the arg logs",
    "config.secrets.backend": "use the arg secretsManager, which also grants the rights",
    "logs.persistence": "use the arg logs",
    "dags.gitSync": "use the arg dags",
    "dagProcessor.dagBundleConfigList": "use the arg dags",
    uid: "the logs' access points belong to uid 50000",
    gid: "the logs' access points belong to gid 0",
};

/** The chart's own top-level values; it ignores others without a word. */
const TOP_LEVEL =
    "affinity airflowConfigAnnotations airflowHome airflowLocalSettings airflowPodAnnotations airflowVersion allowJobLaunching " +
    "allowPodLaunching apiSecretAnnotations apiSecretKey apiSecretKeySecretName apiServer cleanup config containerLifecycleHooks " +
    "createUserJob dagProcessor dags data databaseCleanup defaultAirflowDigest defaultAirflowRepository defaultAirflowTag elasticsearch " +
    "enableBuiltInSecretEnvVars enableServiceLinks env executor extraConfigMaps extraEnv extraEnvFrom extraSecrets fernetKey " +
    "fernetKeySecretAnnotations fernetKeySecretName flower fullnameOverride gid images imagePullSecrets ingress jwtSecret " +
    "jwtSecretAnnotations jwtSecretName kerberos labels limits logs migrateDatabaseJob multiNamespaceMode nameOverride networkPolicies " +
    "nodeSelector opensearch otelCollector pgbouncer podTemplate ports postgresql priorityClasses quotas rbac redis registry " +
    "revisionHistoryLimit scheduler schedulerName secret securityContext securityContexts statsd tolerations " +
    "topologySpreadConstraints triggerer uid useStandardNaming volumeMounts volumes webserver webserverSecretAnnotations " +
    "webserverSecretKey webserverSecretKeySecretName workers";

/** What is wrong with further values of the chart. */
export function checkFurtherValues(values: HelmValues = {}): Problem[] {
    const known = new Set(TOP_LEVEL.split(" "));
    const problems: Problem[] = Object.keys(values)
        .filter((key) => !known.has(key))
        .map((key) => ({ path: key, message: "is no value of the chart, which would ignore it silently" }));
    for (const [path, reason] of Object.entries(PROTECTED)) {
        if (has(values, path.split("."))) {
            problems.push({ path, message: `cannot be set here: ${reason}` });
        }
    }
    for (const list of APPENDED_LISTS) {
        if (values[list] !== undefined && !Array.isArray(values[list])) {
            problems.push({ path: list, message: "must be a list" });
        }
    }
    for (const variable of variablesOf(values)) {
        if (PROTECTED_VARIABLES.includes(variable)) {
            problems.push({
                path: "env",
                message: `${variable} cannot be set here: the component sets it from its own settings and Secrets`,
            });
        }
    }
    return problems;
}

/** Variables that would override what the component promises. */
export const PROTECTED_VARIABLES = [
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
    "AIRFLOW__CORE__SQL_ALCHEMY_CONN",
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__CORE__AUTH_MANAGER",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CELERY__WORKER_CONCURRENCY",
    "AIRFLOW__CELERY__BROKER_URL",
    "AIRFLOW__CELERY__RESULT_BACKEND",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
    "AIRFLOW__WEBSERVER__SECRET_KEY",
    "KEDA_DB_CONN",
    "AIRFLOW_CONN_AIRFLOW_DB",
];

function variablesOf(values: HelmValues): string[] {
    const names = (list: unknown, key: string) =>
        Array.isArray(list) ? list.map((entry) => String((entry as HelmValues)?.[key])) : [];
    return [...names(values.env, "name"), ...names(values.secret, "envName")];
}

function has(values: unknown, path: string[]): boolean {
    if (path.length === 0) {
        return true;
    }
    return (
        typeof values === "object" &&
        values !== null &&
        path[0] in values &&
        has((values as HelmValues)[path[0]], path.slice(1))
    );
}
