import type { Properties } from "../../../shell/type";
import type { Manifest } from "../../api/object";
import { at, list, record, records, strings, text } from "../../api/value";
import { mergeValues, plain, role, roleBinding, service, serviceAccount, workload } from "../build";
import type { ChartModel, Hook, ReleaseRequest } from "../chart";
import { AirflowParts, prefixOf } from "./airflowParts";
import { airflowDefaults } from "./airflowDefaults";
import { claimTemplate, databaseCleanup, flower, pgbouncer, postgresql, redis } from "./airflowServices";
import { headless, scaledObject, workers } from "./airflowWorkers";

/** Read from renders of apache/airflow 1.22.0 with default values and with those of a production deployment. */
export const airflow: ChartModel = {
    name: "airflow",
    version: "1.22.0",
    appVersion: "3.2.2",
    check: checkValues,
    render: (request) => {
        const values = valuesOf(request);
        const parts = new AirflowParts(request, values);
        const hooks: Hook[] = [];
        const objects = [
            ...configuration(parts),
            ...secrets(parts, hooks),
            ...components(parts),
            ...claims(parts),
            ...jobs(parts, hooks),
        ];
        return { objects, hooks };
    },
};

/** Defaults under the given values; `workers.celery` over `workers`, as the chart merges them since 1.21. */
function valuesOf(request: ReleaseRequest): Properties {
    const values = mergeValues(airflowDefaults, request.values);
    const workers = record(values.workers);
    return { ...values, workers: mergeValues(workers, record(workers.celery)) };
}

/** What the chart's schema and templates/check-values.yaml refuse. */
function checkValues({ values }: ReleaseRequest): string[] {
    const problems: string[] = [];
    const version = text(values.airflowVersion) ?? "3.2.2";
    const [major, minor] = version.split(".").map(Number);
    if (major < 2 || (major === 2 && minor < 11)) {
        problems.push("This chart only supports Apache Airflow version 2.11.0 and above");
    }
    const redis = record(values.redis);
    const data = record(values.data);
    if (
        redis.enabled !== false &&
        redis.passwordSecretName &&
        !data.brokerUrlSecretName &&
        !JSON.stringify(values.env ?? "").includes("BROKER_URL_CMD")
    ) {
        problems.push("If you use redis.passwordSecretName, you must also set data.brokerUrlSecretName");
    }
    if (redis.password && redis.passwordSecretName) {
        problems.push("You must not set both redis.password and redis.passwordSecretName");
    }
    if (data.brokerUrl && data.brokerUrlSecretName) {
        problems.push("You must not set both data.brokerUrl and data.brokerUrlSecretName");
    }
    for (const [path, allowed] of Object.entries(closed)) {
        for (const key of Object.keys(record(at(values, ...path.split("."))))) {
            if (!allowed.split(" ").includes(key)) {
                problems.push(`at '/${path.replaceAll(".", "/")}': additional properties '${key}' not allowed`);
            }
        }
    }
    return problems;
}

/** Sections whose keys are known and few; the chart's schema refuses any other. */
const closed: Record<string, string> = {
    "logs.persistence": "enabled size annotations storageClassName existingClaim subPath",
    "redis.persistence": "enabled size storageClassName annotations existingClaim persistentVolumeClaimRetentionPolicy",
    "triggerer.persistence":
        "enabled size storageClassName fixPermissions annotations persistentVolumeClaimRetentionPolicy",
    "workers.celery.persistence":
        "enabled size storageClassName fixPermissions annotations persistentVolumeClaimRetentionPolicy securityContexts containerLifecycleHooks",
    "workers.celery.keda":
        "enabled namespaceLabels pollingInterval cooldownPeriod minReplicaCount maxReplicaCount advanced query usePgbouncer",
};

function configuration(parts: AirflowParts): Manifest[] {
    const { name, namespace, values } = parts;
    const launcher = [parts.account("scheduler"), parts.account("worker")];
    return [
        plain("v1", "ConfigMap", `${name}-config`, namespace, {
            data: {
                "airflow.cfg": "",
                "airflow_local_settings.py": "",
                ...(text(at(values, "dags", "gitSync", "knownHosts")) ? { known_hosts: "" } : {}),
            },
        }),
        ...(parts.on("statsd")
            ? [plain("v1", "ConfigMap", `${name}-statsd`, namespace, { data: { "mappings.yml": "" } })]
            : []),
        ...(at(values, "rbac", "create") === false
            ? []
            : [
                  role(`${name}-pod-launcher-role`, namespace),
                  role(`${name}-pod-log-reader-role`, namespace),
                  roleBinding(`${name}-pod-launcher-rolebinding`, `${name}-pod-launcher-role`, launcher[0], namespace),
                  roleBinding(
                      `${name}-pod-log-reader-rolebinding`,
                      `${name}-pod-log-reader-role`,
                      launcher[0],
                      namespace,
                  ),
              ]),
    ];
}

/** The Secrets that the chart makes itself where no name was given; three of them as hooks, made anew at each installation. */
function secrets(parts: AirflowParts, hooks: Hook[]): Manifest[] {
    const { name, namespace, values } = parts;
    const secret = (suffix: string, data: Record<string, string>): Manifest =>
        plain("v1", "Secret", `${name}-${suffix}`, namespace, { stringData: data });
    const hook = (manifest: Manifest): void => void hooks.push({ manifest, events: ["pre-install"], weight: 0 });
    if (!values.fernetKeySecretName) {
        hook(secret("fernet-key", { "fernet-key": "generated" }));
    }
    if (parts.on("redis") && !at(values, "redis", "passwordSecretName")) {
        hook(secret("redis-password", { password: "generated" }));
    }
    if (parts.on("redis") && !at(values, "data", "brokerUrlSecretName")) {
        hook(secret("broker-url", { connection: `redis://:generated@${name}-redis:6379/0` }));
    }
    const keda = parts.usesKeda();
    return [
        ...(at(values, "data", "metadataSecretName")
            ? []
            : [
                  secret("metadata", {
                      connection: parts.databaseUrl(),
                      ...(keda ? { kedaConnection: parts.databaseUrl() } : {}),
                  }),
              ]),
        ...(parts.major >= 3
            ? [
                  ...(values.apiSecretKeySecretName
                      ? []
                      : [secret("api-secret-key", { "api-secret-key": "generated" })]),
                  ...(values.jwtSecretName ? [] : [secret("jwt-secret", { "jwt-secret": "generated" })]),
              ]
            : values.webserverSecretKeySecretName
              ? []
              : [secret("webserver-secret-key", { "webserver-secret-key": "generated" })]),
        ...(parts.on("pgbouncer") && !at(values, "pgbouncer", "configSecretName")
            ? [secret("pgbouncer-config", { "pgbouncer.ini": "", "users.txt": "" })]
            : []),
        ...(parts.on("pgbouncer") && !at(values, "pgbouncer", "metricsExporterSidecar", "statsSecretName")
            ? [secret("pgbouncer-stats", { connection: "" })]
            : []),
    ];
}

function components(parts: AirflowParts): Manifest[] {
    const { name, namespace, values } = parts;
    const server = parts.major >= 3 ? "api-server" : "webserver";
    const section = parts.major >= 3 ? "apiServer" : "webserver";
    const processor = (at(values, "dagProcessor", "enabled") ?? parts.major >= 3) === true;
    return [
        ...parts.component(server, section, { logs: true, jwt: true }),
        service(
            `${name}-${server}`,
            namespace,
            parts.labels(server),
            list(at(values, section, "service", "ports")).length > 0
                ? records(at(values, section, "service", "ports")).map(portOf)
                : [{ name: portName(parts), port: 8080 }],
            {
                type: at(values, section, "service", "type"),
                ...pick(
                    record(at(values, section, "service")),
                    "loadBalancerIP",
                    "loadBalancerClass",
                    "loadBalancerSourceRanges",
                ),
            },
            at(values, section, "service", "annotations"),
        ),
        // Before Airflow 3 the scheduler reads the DAGs itself, unless a processor of its own does.
        ...parts.component("scheduler", "scheduler", {
            logs: true,
            jwt: true,
            groomer: true,
            dags: !processor && parts.major < 3,
        }),
        ...(!processor
            ? []
            : parts.component("dag-processor", "dagProcessor", { logs: true, groomer: true, dags: true })),
        ...(parts.on("triggerer")
            ? [
                  ...parts.component("triggerer", "triggerer", {
                      logs: true,
                      groomer: true,
                      dags: true,
                      ownVolume: true,
                  }),
                  headless(`${name}-triggerer`, namespace, parts.labels("triggerer"), "triggerer-logs", 8794),
                  ...scaledObject(
                      parts,
                      "triggerer",
                      "triggerer",
                      "SELECT ceil(COUNT(*)::decimal / 1000) FROM trigger",
                  ),
              ]
            : []),
        ...workers(parts),
        ...redis(parts),
        ...(parts.on("statsd")
            ? [
                  ...serviceAccount(parts.account("statsd"), namespace, at(values, "statsd", "serviceAccount")),
                  workload({
                      ...parts.common("statsd", "statsd"),
                      replicas: 1,
                      containers: [
                          {
                              name: "statsd",
                              image: "quay.io/prometheus/statsd-exporter:v0.30.0",
                              resources: at(values, "statsd", "resources"),
                              volumeMounts: [{ name: "config", mountPath: "/etc/statsd-exporter" }],
                          },
                      ],
                      volumes: [{ name: "config", configMap: { name: `${name}-statsd` } }],
                      pod: parts.foreign(65534),
                  }),
                  service(
                      `${name}-statsd`,
                      namespace,
                      parts.labels("statsd"),
                      [
                          { name: "statsd-ingest", protocol: "UDP", port: 9125 },
                          { name: "statsd-scrape", port: 9102 },
                      ],
                      {},
                      {
                          "prometheus.io/scrape": "true",
                          "prometheus.io/port": "9102",
                          ...strings(at(values, "statsd", "service", "extraAnnotations")),
                      },
                  ),
              ]
            : []),
        ...pgbouncer(parts),
        ...postgresql(parts),
        ...flower(parts),
        ...databaseCleanup(parts),
        ...ingress(parts, server),
    ];
}

/** The name of the port that people reach the UI by. */
function portName({ major }: AirflowParts): string {
    return major >= 3 ? "api-server" : "airflow-ui";
}

function portOf(port: Properties): Properties {
    const number = Number(String(port.port).replace(/^\{\{.*\}\}$/, "8080"));
    return { ...port, port: number };
}

function pick(from: Properties, ...keys: string[]): Properties {
    return Object.fromEntries(
        keys
            .filter(
                (key) =>
                    from[key] !== undefined &&
                    from[key] !== null &&
                    (!Array.isArray(from[key]) || from[key].length > 0),
            )
            .map((key) => [key, from[key]]),
    );
}

function ingress(parts: AirflowParts, server: string): Manifest[] {
    const { request, namespace, values, name } = parts;
    const section = record(at(values, "ingress", parts.major >= 3 ? "apiServer" : "web"));
    if (section.enabled !== true) {
        return [];
    }
    const backend = { service: { name: `${name}-${server}`, port: { name: portName(parts) } } };
    const paths = [
        { path: text(section.path) ?? "/", pathType: text(section.pathType) ?? "ImplementationSpecific", backend },
    ];
    const hosts = list(section.hosts);
    const secured = records(section.hosts).filter((host) => at(host, "tls", "enabled") === true);
    return [
        {
            apiVersion: "networking.k8s.io/v1",
            kind: "Ingress",
            metadata: { name: `${request.name}-ingress`, namespace, annotations: section.annotations },
            spec: {
                ...(text(section.ingressClassName) ? { ingressClassName: section.ingressClassName } : {}),
                rules:
                    hosts.length === 0
                        ? [{ http: { paths } }]
                        : hosts.map((host) => ({ host: text(host) ?? at(host, "name"), http: { paths } })),
                ...(secured.length > 0
                    ? {
                          tls: secured.map((host) => ({
                              hosts: [host.name],
                              secretName: at(host, "tls", "secretName"),
                          })),
                      }
                    : {}),
            },
        },
    ];
}

function claims(parts: AirflowParts): Manifest[] {
    const { request, namespace, values } = parts;
    const claim = (name: string, persistence: Properties, mode: unknown): Manifest => {
        const template = claimTemplate(name, persistence);
        return {
            apiVersion: "v1",
            kind: "PersistentVolumeClaim",
            metadata: { name, namespace, annotations: persistence.annotations },
            spec: { ...record(template.spec), accessModes: [mode] },
        };
    };
    const logs = record(at(values, "logs", "persistence"));
    const dags = record(at(values, "dags", "persistence"));
    return [
        ...(logs.enabled === true && !logs.existingClaim ? [claim(`${request.name}-logs`, logs, "ReadWriteMany")] : []),
        ...(dags.enabled === true && !dags.existingClaim ? [claim(`${request.name}-dags`, dags, dags.accessMode)] : []),
    ];
}

/** Migration and user creation: hooks after the installation by default, which waits for pods that wait for them. */
function jobs(parts: AirflowParts, hooks: Hook[]): Manifest[] {
    const { namespace, values } = parts;
    const made: Manifest[] = [];
    const specs = [
        {
            section: "migrateDatabaseJob",
            suffix: "run-airflow-migrations",
            account: "migrate-database-job",
            args: "exec airflow db migrate",
            weight: 1,
        },
        {
            section: "createUserJob",
            suffix: "create-user",
            account: "create-user-job",
            args: "exec airflow users create",
            weight: 2,
        },
    ];
    for (const { section, suffix, account, args, weight } of specs) {
        const settings = record(values[section]);
        const accountName =
            text(at(settings, "serviceAccount", "name")) ?? `${prefixOf(parts.request.name)}-${account}`;
        made.push(
            ...(settings.enabled === false ? [] : serviceAccount(accountName, namespace, settings.serviceAccount)),
        );
        if (settings.enabled === false) {
            continue;
        }
        const job: Manifest = {
            apiVersion: "batch/v1",
            kind: "Job",
            metadata: { name: `${parts.name}-${suffix}`, namespace },
            spec: {
                ttlSecondsAfterFinished: settings.ttlSecondsAfterFinished,
                template: {
                    spec: {
                        restartPolicy: "OnFailure",
                        serviceAccountName: accountName,
                        containers: [
                            {
                                name: suffix,
                                image: parts.image(),
                                args: ["bash", "-c", args],
                                env: parts.environment([settings.env], false),
                                resources: settings.resources,
                            },
                        ],
                        volumes: [{ name: "config", configMap: { name: `${parts.name}-config` } }],
                    },
                },
            },
        };
        if (settings.useHelmHooks === false) {
            made.push(job);
        } else {
            hooks.push({ manifest: job, events: ["post-install", "post-upgrade"], weight });
        }
    }
    return made;
}
