/** Values that hold lists to which a user's entries are added; Helm itself would let them replace ours. */
export const APPENDED_LISTS = ["env", "secret", "volumes", "volumeMounts"] as const;

const IMAGE = "use the arg image, so that the Jobs run the same";
const NAMES = "service accounts, roles and PgBouncer's host are known by the release's name";
const MADE_HERE = "secrets never stand in values; the component makes and keeps this one";
const OWN_SECRET = "secrets never stand in values; put it into a Kubernetes Secret and name that";
const SCALING = "use the arg workers.scaling";
const QUEUES = "use the arg workers.queues, which the query of KEDA follows";
const CONCURRENCY = "use the arg workers.concurrency, which the query of KEDA follows";
const OWN_DISK = "logs are shared; a disk for each worker would tie it to one zone";
const GROOMER =
    "a shared volume is cleaned by one CronJob, a pod's own disk by its sidecar; see the arg logs.retentionDays";
const ACCESS_POINT = "the logs' access points belong to uid 50000 and gid 0";
const REPLICAS = "use the arg sizes, whose number of pods a pause sets to 0";
const EXPOSURE =
    "use the arg ui, which keeps the UI internal, or public with a certificate and ranges only; for another controller make an Ingress of your own";
const POOL = "the component writes PgBouncer's files, and the chart would ignore this one; use the arg pgbouncer";
const NEEDED = "Airflow does not work without it; to stop Airflow use the arg paused";

/** Parts that run Airflow's image, beside the workers. */
const PARTS = ["apiServer", "webserver", "scheduler", "dagProcessor", "triggerer"];

const each = (parts: string[], key: string, reason: string): Record<string, string> =>
    Object.fromEntries(parts.map((part) => [`${part}.${key}`, reason]));

/** Values that a user may not give, with the reason and what to use instead. */
export const PROTECTED: Record<string, string> = {
    executor: "this component is about Celery: its workers, broker and scaling",
    airflowVersion: "use the arg airflowVersion, which also guards the database against a jump",
    defaultAirflowTag: IMAGE,
    defaultAirflowRepository: IMAGE,
    defaultAirflowDigest: IMAGE,
    "images.airflow": IMAGE,
    "images.useDefaultImageForMigration": IMAGE,
    imagePullSecrets: "use the arg image.pullSecretName, so that the Jobs can pull too",
    "registry.secretName": "use the arg image.pullSecretName, so that the Jobs can pull too",
    "registry.connection": "secrets never stand in values; make a pull secret and name it in image.pullSecretName",
    fullnameOverride: NAMES,
    nameOverride: NAMES,
    useStandardNaming: "the chart's own URLs then name hosts that do not exist",
    data: "the connections come from the metastore and live in Secrets of the component",
    postgresql: "the metastore is outside the cluster",
    fernetKey: "secrets never stand in values; use the arg fernet",
    fernetKeySecretName: "use the arg fernet",
    apiSecretKey: MADE_HERE,
    apiSecretKeySecretName: "the component makes and keeps this one",
    jwtSecret: MADE_HERE,
    jwtSecretName: "the component makes and keeps this one",
    webserverSecretKey: MADE_HERE,
    webserverSecretKeySecretName: "the component makes and keeps this one",
    extraSecrets: "secrets never stand in values; make a Kubernetes Secret and name it in `secret` or `extraEnvFrom`",
    "flower.username": `${OWN_SECRET} in flower.secretName`,
    "flower.password": `${OWN_SECRET} in flower.secretName`,
    "elasticsearch.connection": `${OWN_SECRET} in elasticsearch.secretName`,
    "opensearch.connection": `${OWN_SECRET} in opensearch.secretName`,
    "kerberos.keytabBase64Content": "secrets never stand in values; mount a Kubernetes Secret with the keytab",
    enableBuiltInSecretEnvVars: "Airflow would start without its database, broker or keys",
    "redis.enabled": "the broker is part of the release",
    "redis.password": MADE_HERE,
    "redis.passwordSecretName": "the component makes and keeps this one",
    "redis.persistence": "use the arg redisDisk, which also keeps Redis in the disk's zone",
    "redis.service": "the broker is for the pods of the release only",
    "pgbouncer.enabled": "use the arg pgbouncer: connections must lead where it is",
    "pgbouncer.replicas": "use the arg pgbouncer",
    "pgbouncer.configSecretName": "use the arg pgbouncer",
    "pgbouncer.auth_type": "PgBouncer's files are made for SCRAM",
    "pgbouncer.auth_file": "PgBouncer's files are made by the component",
    "pgbouncer.mountConfigSecret": "PgBouncer's files are made by the component",
    "pgbouncer.maxClientConn": POOL,
    "pgbouncer.metadataPoolSize": POOL,
    "pgbouncer.resultBackendPoolSize": POOL,
    "pgbouncer.sslmode": POOL,
    "pgbouncer.ciphers": POOL,
    "pgbouncer.ssl": POOL,
    "pgbouncer.verbose": POOL,
    "pgbouncer.logConnections": POOL,
    "pgbouncer.logDisconnections": POOL,
    "pgbouncer.extraIni": POOL,
    "pgbouncer.extraIniMetadata": POOL,
    "pgbouncer.extraIniResultBackend": POOL,
    "pgbouncer.metricsExporterSidecar.statsSecretName": "the component makes and keeps this one",
    "pgbouncer.metricsExporterSidecar.statsSecretKey": "the component makes and keeps this one",
    "ports.pgbouncer": "the connections in the Secrets name this port",
    "ports.redisDB": "the broker's URL names this port",
    "ports.apiServer": "workers reach the API server on this port",
    migrateDatabaseJob: "migrations are a Job of the component, so that an upgrade works at any moment",
    createUserJob: "the user is made by a Job of the component, and its password never stands in values",
    "webserver.defaultUser": "use the arg admin",
    "apiServer.service": EXPOSURE,
    "webserver.service": EXPOSURE,
    "flower.service": "Flower asks nobody who they are; reach it with kubectl port-forward",
    ingress: EXPOSURE,
    ...each(["apiServer", "scheduler", "dagProcessor"], "enabled", NEEDED),
    ...each(PARTS, "replicas", REPLICAS),
    ...each([...PARTS, "workers.celery"], "securityContext", ACCESS_POINT),
    ...each([...PARTS, "workers.celery"], "securityContexts.pod", ACCESS_POINT),
    ...each(["scheduler", "dagProcessor", "triggerer", "workers.celery"], "logGroomerSidecar.enabled", GROOMER),
    "workers.celery.keda": SCALING,
    "workers.celery.hpa": `workers are scaled by KEDA; ${SCALING}`,
    "workers.celery.replicas": "use the arg workers.replicas",
    "workers.celery.queue": QUEUES,
    "workers.celery.args": "queues stand in it, and the way in which a worker is told to finish its tasks",
    "workers.celery.command": "queues stand in it, and the way in which a worker is told to finish its tasks",
    "workers.celery.enableDefault": "the arg workers describes these workers; sets are further ones",
    "workers.celery.persistence": OWN_DISK,
    "workers.celery.terminationGracePeriodSeconds": "use the arg workers.terminationGracePeriodSeconds",
    "triggerer.persistence": "logs are shared; a disk for the triggerer would tie it to one zone",
    "config.core.executor": "this component is about Celery",
    "config.core.auth_manager": "use the arg authManager, so that the Jobs make its tables too",
    "config.core.execution_api_server_url": "workers reach the API server where the component puts it",
    "config.celery.worker_concurrency": CONCURRENCY,
    "config.celery.worker_autoscale": CONCURRENCY,
    "config.api.base_url": "use the arg ui.hostName",
    "config.webserver.base_url": "use the arg ui.hostName",
    "config.logging.base_log_folder": "the logs' volume is mounted where the chart has it",
    "config.logging.remote_logging": "use the arg logs",
    "config.logging.remote_base_log_folder": "use the arg logs",
    "config.logging.remote_log_conn_id": "use the arg logs",
    "config.secrets.backend": "use the arg secretsManager, which also grants the rights",
    "logs.persistence": "use the arg logs",
    "dags.gitSync": "use the arg dags",
    "dagProcessor.dagBundleConfigList": "use the arg dags",
    uid: ACCESS_POINT,
    gid: ACCESS_POINT,
    securityContext: ACCESS_POINT,
    "securityContexts.pod": ACCESS_POINT,
};

/** What a set of workers may not say: what the component promises of all workers. */
export const PROTECTED_IN_SETS: Record<string, string> = {
    ...Object.fromEntries(
        ["args", "command", "hpa", "persistence", "securityContext", "securityContexts.pod"].map((key) => [
            key,
            PROTECTED[`workers.celery.${key}`],
        ]),
    ),
    "logGroomerSidecar.enabled": GROOMER,
    "keda.query": "the component asks for the tasks of the set's own queues",
    "keda.usePgbouncer": "KEDA's prepared statements do not go through PgBouncer's pools",
};

/** Settings of Airflow that hold secrets, though their names do not end like it. The chart writes all settings into a ConfigMap. */
const SECRET_OPTIONS = [
    "core.fernet_key",
    "core.sql_alchemy_conn",
    "database.sql_alchemy_conn",
    "database.sql_alchemy_conn_async",
    "celery.broker_url",
    "celery.flower_basic_auth",
    "celery.result_backend",
    "sentry.sentry_dsn",
    "secrets.backend_kwargs",
    "workers.secrets_backend_kwargs",
];

/** Whether a setting of Airflow holds a secret, by name or by its place in {@link SECRET_OPTIONS}. */
export function isSecretOption(section: string, option: string): boolean {
    return SECRET_OPTIONS.includes(`${section}.${option}`) || /(^|_)(password|passwd|secret|secret_key)$/.test(option);
}

/** The variable that sets an option of Airflow, and wins over its configuration file. */
export function variableOf(section: string, option: string): string {
    return `AIRFLOW__${section}__${option}`.toUpperCase();
}

/** Variables that would override what the component promises, with the reason. */
export const PROTECTED_VARIABLES: Record<string, string> = {
    ...Object.fromEntries(
        Object.entries(PROTECTED)
            .map(([path, reason]) => [path.split("."), reason] as const)
            .filter(([[root, , option]]) => root === "config" && option !== undefined)
            .map(([[, section, option], reason]) => [variableOf(section, option), reason]),
    ),
    ...Object.fromEntries(
        [
            "AIRFLOW__CORE__FERNET_KEY",
            "AIRFLOW__CORE__SQL_ALCHEMY_CONN",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
            "AIRFLOW__CELERY__BROKER_URL",
            "AIRFLOW__CELERY__RESULT_BACKEND",
            "AIRFLOW__API__SECRET_KEY",
            "AIRFLOW__API_AUTH__JWT_SECRET",
            "AIRFLOW__WEBSERVER__SECRET_KEY",
            "AIRFLOW__SECRETS__BACKEND_KWARGS",
            "AIRFLOW_CONN_AIRFLOW_DB",
            "AIRFLOW_CONN_AWS_LOGS",
            "KEDA_DB_CONN",
        ].map((variable) => [variable, "the component sets it from its own settings and Secrets"]),
    ),
};

/** The chart's own top-level values; it ignores others without a word. */
export const TOP_LEVEL = (
    "affinity airflowConfigAnnotations airflowHome airflowLocalSettings airflowPodAnnotations airflowVersion allowJobLaunching " +
    "allowPodLaunching apiSecretAnnotations apiSecretKey apiSecretKeySecretName apiServer cleanup config containerLifecycleHooks " +
    "createUserJob dagProcessor dags data databaseCleanup defaultAirflowDigest defaultAirflowRepository defaultAirflowTag elasticsearch " +
    "enableBuiltInSecretEnvVars enableServiceLinks env executor extraConfigMaps extraEnv extraEnvFrom extraSecrets fernetKey " +
    "fernetKeySecretAnnotations fernetKeySecretName flower fullnameOverride gid images imagePullSecrets ingress jwtSecret " +
    "jwtSecretAnnotations jwtSecretName kerberos labels limits logs migrateDatabaseJob multiNamespaceMode nameOverride networkPolicies " +
    "nodeSelector opensearch otelCollector pgbouncer podTemplate ports postgresql priorityClasses quotas rbac redis registry " +
    "revisionHistoryLimit scheduler schedulerName secret securityContext securityContexts statsd tolerations " +
    "topologySpreadConstraints triggerer uid useStandardNaming volumeMounts volumes webserver webserverSecretAnnotations " +
    "webserverSecretKey webserverSecretKeySecretName workers"
).split(" ");
