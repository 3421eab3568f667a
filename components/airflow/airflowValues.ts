import { type HelmValues, mergeValues } from "../shared/helmValues";
import type { AirflowCeleryArgs } from "./airflowCeleryArgs";
import { DEFAULT_AIRFLOW_VERSION, majorOf } from "./airflowVersion";
import { dagValues } from "./dags";
import { logValues } from "./logs";
import { CA_FILE, CA_FOLDER, SslMode } from "./metastoreConnection";
import { nodeSelectorOf, spreadOverZones, tolerationsOf } from "./placement";
import { APPENDED_LISTS } from "./protectedValues";
import { type ResolvedSizes, sizesOf } from "./resources";
import { uiValues } from "./userInterface";
import { mostWorkers, workerValues } from "./workers";
import { capacityOfSets, withWorkerSets } from "./workerSets";

/** The release's name: hosts, service accounts and claims in the chart's templates begin with it. */
export const RELEASE = "airflow";

/** The class that authenticates people unless the user names another. */
export const FAB_AUTH_MANAGER = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager";

/** The Kubernetes Secrets of the component, by what they hold. */
export interface SecretNames {
    metadata: string;
    broker: string;
    redis: string;
    fernet: string;
    /** Airflow 3. */
    api?: string;
    /** Airflow 3. */
    jwt?: string;
    /** Airflow 2. */
    webserver?: string;
    pgbouncer?: string;
    pgbouncerStats?: string;
    git?: string;
}

/** What the values need beside settings: names and facts that are known once other things are there. */
export interface ValueContext {
    secrets: SecretNames;
    sslMode: SslMode;
    region: string;
    claimName?: string;
    bucket?: string;
    certificateArn?: string;
    pullSecretName?: string;
    /** Annotations of the service accounts whose pods run tasks. */
    taskAnnotations: Record<string, string>;
    /** Annotations of the other service accounts of Airflow. */
    coreAnnotations: Record<string, string>;
}

/** The parts of the settings that decide values. */
export type ValueSettings = Omit<AirflowCeleryArgs, "cluster" | "metastore">;

/**
 * The values of the chart: typed settings in, plain values out, nothing secret in between. Each concern adds its part; what the
 * user gives comes last.
 */
export function airflowValues(settings: ValueSettings, context: ValueContext): HelmValues {
    const major = majorOf(settings.airflowVersion ?? DEFAULT_AIRFLOW_VERSION);
    const sizes = sizesOf(settings.sizes);
    const paused = settings.paused ?? false;
    const workers = settings.workers ?? {};
    const parts: HelmValues[] = [
        imageValues(settings, context),
        secretValues(context, major),
        databaseValues(settings, context, sizes),
        componentValues(settings, sizes, major, paused),
        redisValues(settings, sizes),
        workerValues(workers, paused, capacityOfSets(settings.values, workers, mostWorkers(workers))),
        dagValues(settings.dags, context.secrets.git, sizes.gitSync),
        logValues(settings.logs, context, sizes),
        accountValues(context, major),
        secretsBackendValues(settings),
        uiValues(settings.ui, context.certificateArn, major),
        environmentValues(settings),
        settings.values ?? {},
        paused ? STILL : {},
    ];
    return withWorkerSets(parts.reduce(combine, {}), workers, paused);
}

/** What further values may have switched on, and a pause does not bear: it would work on the database or bring pods of its own. */
const STILL: HelmValues = {
    apiServer: { hpa: { enabled: false } },
    webserver: { hpa: { enabled: false } },
    triggerer: { keda: { enabled: false } },
    databaseCleanup: { enabled: false },
    flower: { enabled: false },
};

/** Lays values over values, and adds to the lists that several concerns share. */
function combine(below: HelmValues, above: HelmValues): HelmValues {
    const merged = mergeValues(below, above);
    for (const list of APPENDED_LISTS) {
        const entries = [...((below[list] as unknown[]) ?? []), ...((above[list] as unknown[]) ?? [])];
        if (entries.length > 0) {
            merged[list] = entries;
        }
    }
    return merged;
}

function imageValues(settings: ValueSettings, context: ValueContext): HelmValues {
    const version = settings.airflowVersion ?? DEFAULT_AIRFLOW_VERSION;
    const { repository = "apache/airflow", tag = version, digest } = settings.image ?? {};
    return {
        airflowVersion: version,
        defaultAirflowTag: version,
        images: {
            airflow: { repository, tag, ...(digest ? { digest } : {}) },
            // The chart would run Flower with Airflow's published image.
            flower: { repository, tag: digest ? `${tag}@${digest}` : tag },
            migrationsWaitTimeout: 300,
        },
        ...(context.pullSecretName ? { imagePullSecrets: [context.pullSecretName] } : {}),
        // Kubernetes would put a variable for each Service of the namespace into each pod, AIRFLOW_… among them.
        enableServiceLinks: false,
    };
}

/** Names of Secrets only: what the chart would make itself it makes anew at each upgrade. */
function secretValues({ secrets }: ValueContext, major: 2 | 3): HelmValues {
    return {
        data: { metadataSecretName: secrets.metadata, brokerUrlSecretName: secrets.broker },
        fernetKeySecretName: secrets.fernet,
        redis: { passwordSecretName: secrets.redis },
        ...(major === 3
            ? {
                  apiSecretKeySecretName: secrets.api,
                  jwtSecretName: secrets.jwt,
                  secret: [
                      {
                          envName: "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC",
                          secretName: secrets.metadata,
                          secretKey: "asyncConnection",
                      },
                  ],
              }
            : { webserverSecretKeySecretName: secrets.webserver }),
        // The component's own Jobs ran before the release.
        migrateDatabaseJob: { enabled: false, serviceAccount: { create: false } },
        createUserJob: { enabled: false, serviceAccount: { create: false } },
    };
}

function databaseValues(settings: ValueSettings, context: ValueContext, sizes: ResolvedSizes): HelmValues {
    const pgbouncer = settings.pgbouncer ?? {};
    return {
        postgresql: { enabled: false },
        pgbouncer:
            (pgbouncer.enabled ?? true)
                ? {
                      enabled: true,
                      replicas: pgbouncer.replicas ?? 1,
                      configSecretName: context.secrets.pgbouncer,
                      resources: sizes.pgbouncer,
                      podDisruptionBudget: { enabled: true, config: { maxUnavailable: 1 } },
                      topologySpreadConstraints: spreadOverZones("pgbouncer"),
                      ...placeOf(settings),
                      metricsExporterSidecar: {
                          statsSecretName: context.secrets.pgbouncerStats,
                          resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "64Mi" } },
                      },
                  }
                : { enabled: false },
        ...((pgbouncer.enabled ?? true) ? {} : directKeda(context)),
        ...(context.sslMode === SslMode.VerifyFull
            ? {
                  volumes: [
                      {
                          name: "metastore-ca",
                          secret: { secretName: context.secrets.metadata, items: [{ key: CA_FILE, path: CA_FILE }] },
                      },
                  ],
                  volumeMounts: [{ name: "metastore-ca", mountPath: CA_FOLDER, readOnly: true }],
              }
            : {}),
    };
}

/**
 * Without PgBouncer the chart lets KEDA read Airflow's own connection, which may name a certificate's file that KEDA does not have.
 * KEDA gets its connection under the same name; tasks that use the Airflow connection `airflow_db` get it too.
 */
function directKeda({ secrets }: ValueContext): HelmValues {
    return {
        enableBuiltInSecretEnvVars: { AIRFLOW_CONN_AIRFLOW_DB: false },
        secret: [{ envName: "AIRFLOW_CONN_AIRFLOW_DB", secretName: secrets.metadata, secretKey: "kedaConnection" }],
    };
}

function placeOf(settings: ValueSettings) {
    return { nodeSelector: nodeSelectorOf(settings.placement), tolerations: tolerationsOf(settings.placement) };
}

/** Everything that must stay: on demand nodes, probes with patience, one pod at a time taken away. */
function componentValues(settings: ValueSettings, sizes: ResolvedSizes, major: 2 | 3, paused: boolean): HelmValues {
    // Not at the top, where the chart looks for workers too when their own selector is empty.
    const place = placeOf(settings);
    const of = (component: string, part: { replicas: number; resources: unknown }) => ({
        replicas: paused ? 0 : part.replicas,
        resources: part.resources,
        podDisruptionBudget: { enabled: true, config: { maxUnavailable: 1 } },
        topologySpreadConstraints: spreadOverZones(component),
        ...place,
    });
    // Small nodes and a network file system make the first start slow.
    const patience = { startupProbe: { failureThreshold: 30 } };
    const server = { ...of(major === 3 ? "api-server" : "webserver", sizes.apiServer), ...patience };
    return {
        executor: "CeleryExecutor",
        ...(major === 3 ? { apiServer: server } : { webserver: server }),
        scheduler: { ...of("scheduler", sizes.scheduler), ...patience },
        dagProcessor: { enabled: true, ...of("dag-processor", sizes.dagProcessor) },
        triggerer: of("triggerer", sizes.triggerer),
        // Its Service has the annotations by which a Prometheus finds it.
        statsd: { enabled: true, resources: sizes.statsd, ...place },
        // Off unless further values switch them on.
        databaseCleanup: { ...place, resources: sizes.jobs },
        flower: { ...place, resources: sizes.jobs },
        config: {
            core: { auth_manager: settings.authManager ?? FAB_AUTH_MANAGER },
            // Each process of the server takes some 400 MiB.
            ...(major === 3 ? { api: { workers: 2 } } : {}),
        },
    };
}

/** Redis holds what waits for a worker, for seconds; lost with its node, Airflow's scheduler queues it again. */
function redisValues(settings: ValueSettings, sizes: ResolvedSizes): HelmValues {
    const disk = settings.redisDisk;
    const place = placeOf(settings);
    return {
        redis: {
            enabled: true,
            resources: sizes.redis,
            // False alone writes nothing, and the Cluster Autoscaler would then take Redis away with an emptied node.
            safeToEvict: false,
            podAnnotations: { "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" },
            persistence: disk
                ? { enabled: true, size: disk.size ?? "1Gi", storageClassName: disk.storageClassName }
                : { enabled: false },
            ...place,
            ...(disk ? { nodeSelector: { ...place.nodeSelector, "topology.kubernetes.io/zone": disk.zone } } : {}),
        },
    };
}

function accountValues(context: ValueContext, major: 2 | 3): HelmValues {
    const account = (annotations: Record<string, string>) =>
        Object.keys(annotations).length > 0 ? { serviceAccount: { annotations } } : {};
    const core = account(context.coreAnnotations);
    const task = account(context.taskAnnotations);
    return {
        workers: { celery: task },
        triggerer: task,
        scheduler: core,
        dagProcessor: core,
        ...(major === 3 ? { apiServer: core } : { webserver: core }),
    };
}

function secretsBackendValues(settings: ValueSettings): HelmValues {
    const manager = settings.secretsManager;
    return manager
        ? {
              config: {
                  secrets: {
                      backend: "airflow.providers.amazon.aws.secrets.secrets_manager.SecretsManagerBackend",
                      backend_kwargs: JSON.stringify({
                          connections_prefix: `${manager.prefix ?? "airflow"}/connections`,
                          variables_prefix: `${manager.prefix ?? "airflow"}/variables`,
                          config_prefix: `${manager.prefix ?? "airflow"}/config`,
                      }),
                  },
              },
          }
        : {};
}

function environmentValues(settings: ValueSettings): HelmValues {
    const env = Object.entries(settings.environment ?? {}).map(([name, value]) => ({ name, value }));
    return env.length > 0 ? { env } : {};
}
