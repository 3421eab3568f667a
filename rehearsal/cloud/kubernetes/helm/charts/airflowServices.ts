import type { Properties } from "../../../shell/type";
import type { Manifest } from "../../api/object";
import { at, record, records, strings, text } from "../../api/value";
import { plain, role, roleBinding, service, serviceAccount, workload } from "../build";
import { careful } from "./airflowDefaults";
import { type AirflowParts, CONFIG_MOUNTS, SAFE_TO_EVICT } from "./airflowParts";

export function redis(parts: AirflowParts): Manifest[] {
    const { name, namespace, values } = parts;
    if (!parts.on("redis") || !parts.celery()) {
        return [];
    }
    const persistence = record(at(values, "redis", "persistence"));
    const password = text(at(values, "redis", "passwordSecretName")) ?? `${name}-redis-password`;
    const own = persistence.enabled === true && !persistence.existingClaim;
    return [
        ...serviceAccount(parts.account("redis"), namespace, at(values, "redis", "serviceAccount")),
        workload({
            ...parts.common("redis", "redis"),
            podAnnotations: {
                ...strings(at(values, "redis", "podAnnotations")),
                ...(at(values, "redis", "safeToEvict") === true ? { [SAFE_TO_EVICT]: "true" } : {}),
            },
            kind: "StatefulSet",
            containers: [
                {
                    name: "redis",
                    image: "redis:7.2-bookworm",
                    resources: at(values, "redis", "resources"),
                    env: [{ name: "REDIS_PASSWORD", valueFrom: { secretKeyRef: { name: password, key: "password" } } }],
                    volumeMounts: [{ name: "redis-db", mountPath: "/data" }],
                },
            ],
            pod: {
                terminationGracePeriodSeconds: at(values, "redis", "terminationGracePeriodSeconds"),
                ...parts.foreign(0),
            },
            claimTemplates: own ? [claimTemplate("redis-db", persistence)] : undefined,
            volumes: own
                ? []
                : [
                      persistence.existingClaim
                          ? { name: "redis-db", persistentVolumeClaim: { claimName: persistence.existingClaim } }
                          : { name: "redis-db", emptyDir: {} },
                  ],
        }),
        service(`${name}-redis`, namespace, parts.labels("redis"), [{ name: "redis-db", port: 6379 }]),
    ];
}

export function claimTemplate(name: string, persistence: Properties): Properties {
    const className = text(persistence.storageClassName);
    return {
        metadata: { name, annotations: persistence.annotations },
        spec: {
            ...(className ? { storageClassName: className === "-" ? "" : className } : {}),
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: persistence.size } },
        },
    };
}

export function pgbouncer(parts: AirflowParts): Manifest[] {
    const { name, namespace, values } = parts;
    if (!parts.on("pgbouncer")) {
        return [];
    }
    const config = text(at(values, "pgbouncer", "configSecretName")) ?? `${name}-pgbouncer-config`;
    const stats =
        text(at(values, "pgbouncer", "metricsExporterSidecar", "statsSecretName")) ?? `${name}-pgbouncer-stats`;
    const statsKey = text(at(values, "pgbouncer", "metricsExporterSidecar", "statsSecretKey")) ?? "connection";
    return [
        ...serviceAccount(parts.account("pgbouncer"), namespace, at(values, "pgbouncer", "serviceAccount")),
        workload({
            ...parts.common("pgbouncer", "pgbouncer"),
            replicas: at(values, "pgbouncer", "replicas"),
            strategy: { rollingUpdate: careful.rollingUpdate },
            pod: parts.foreign(65534),
            containers: [
                {
                    name: "pgbouncer",
                    image: "apache/airflow:airflow-pgbouncer-2025.03.05-1.23.1",
                    resources: at(values, "pgbouncer", "resources"),
                    volumeMounts: [
                        ...["pgbouncer.ini", "users.txt"].map((file) => ({
                            name: "pgbouncer-config",
                            mountPath: `/etc/pgbouncer/${file}`,
                            subPath: file,
                            readOnly: true,
                        })),
                        ...records(values.volumeMounts),
                    ],
                },
                {
                    name: "metrics-exporter",
                    image: "apache/airflow:airflow-pgbouncer-exporter-2025.03.05-0.18.0",
                    resources: at(values, "pgbouncer", "metricsExporterSidecar", "resources"),
                    env: [{ name: "DATABASE_URL", valueFrom: { secretKeyRef: { name: stats, key: statsKey } } }],
                },
            ],
            volumes: [
                {
                    name: "pgbouncer-config",
                    secret: {
                        secretName: config,
                        items: [
                            { key: "pgbouncer.ini", path: "pgbouncer.ini" },
                            { key: "users.txt", path: "users.txt" },
                        ],
                    },
                },
                ...records(values.volumes),
            ],
        }),
        service(
            `${name}-pgbouncer`,
            namespace,
            parts.labels("pgbouncer"),
            [
                { name: "pgbouncer", port: 6543 },
                { name: "pgb-metrics", port: 9127 },
            ],
            {},
            {
                "prometheus.io/scrape": "true",
                "prometheus.io/port": "9127",
                ...strings(at(values, "pgbouncer", "service", "extraAnnotations")),
            },
        ),
        ...parts.budgetOf("pgbouncer", "pgbouncer"),
    ];
}

/** The page that shows Celery's workers. */
export function flower(parts: AirflowParts): Manifest[] {
    const { name, namespace, values } = parts;
    if (!parts.on("flower") || !parts.celery()) {
        return [];
    }
    const settings = record(values.flower);
    const image = record(at(values, "images", "flower"));
    return [
        ...serviceAccount(parts.account("flower"), namespace, settings.serviceAccount),
        workload({
            ...parts.common("flower", "flower"),
            replicas: 1,
            containers: [
                {
                    name: "flower",
                    image: `${text(image.repository) ?? "apache/airflow"}:${text(image.tag) ?? String(values.defaultAirflowTag)}`,
                    env: [
                        ...parts.environment([settings.env]),
                        ...(text(settings.secretName)
                            ? [
                                  {
                                      name: "AIRFLOW__CELERY__FLOWER_BASIC_AUTH",
                                      valueFrom: { secretKeyRef: { name: settings.secretName, key: "basicAuth" } },
                                  },
                              ]
                            : []),
                    ],
                    resources: settings.resources,
                    volumeMounts: [...CONFIG_MOUNTS, ...records(values.volumeMounts)],
                },
            ],
            volumes: [{ name: "config", configMap: { name: `${name}-config` } }, ...records(values.volumes)],
            pod: { securityContext: parts.securityContext(settings), imagePullSecrets: parts.pullSecrets() },
        }),
        service(
            `${name}-flower`,
            namespace,
            parts.labels("flower"),
            [{ name: "flower-ui", port: 5555 }],
            { type: at(settings, "service", "type") },
            at(settings, "service", "annotations"),
        ),
    ];
}

/** Old rows of the database, deleted now and then. */
export function databaseCleanup(parts: AirflowParts): Manifest[] {
    const { name, namespace, values } = parts;
    if (!parts.on("databaseCleanup")) {
        return [];
    }
    const settings = record(values.databaseCleanup);
    const account = parts.account("database-cleanup");
    const { metadata, spec } = workload({
        ...parts.common("database-cleanup", "databaseCleanup"),
        account,
        containers: [
            {
                name: "database-cleanup",
                image: parts.image(),
                env: parts.environment([settings.env]),
                resources: settings.resources,
                volumeMounts: [...CONFIG_MOUNTS, ...records(values.volumeMounts)],
            },
        ],
        volumes: [{ name: "config", configMap: { name: `${name}-config` } }, ...records(values.volumes)],
        pod: {
            restartPolicy: "Never",
            securityContext: parts.securityContext(settings),
            imagePullSecrets: parts.pullSecrets(),
        },
    });
    return [
        ...serviceAccount(account, namespace, settings.serviceAccount),
        role(`${name}-database-cleanup-role`, namespace),
        roleBinding(`${name}-database-cleanup-rolebinding`, `${name}-database-cleanup-role`, account, namespace),
        {
            apiVersion: "batch/v1",
            kind: "CronJob",
            metadata,
            spec: {
                schedule: settings.schedule,
                concurrencyPolicy: "Forbid",
                jobTemplate: { spec: { backoffLimit: 1, template: record(spec).template } },
            },
        },
    ];
}

/** The bundled database, for those who forget to switch it off. */
export function postgresql(parts: AirflowParts): Manifest[] {
    const { name, namespace } = parts;
    if (!parts.on("postgresql")) {
        return [];
    }
    const labels = {
        "app.kubernetes.io/instance": parts.request.name,
        "app.kubernetes.io/name": "postgresql",
        "app.kubernetes.io/component": "primary",
    };
    return [
        plain("v1", "Secret", `${name}-postgresql`, namespace, { stringData: { "postgres-password": "postgres" } }),
        workload({
            kind: "StatefulSet",
            name: `${name}-postgresql`,
            namespace,
            labels,
            replicas: 1,
            account: "default",
            containers: [
                {
                    name: "postgresql",
                    image: "docker.io/bitnamilegacy/postgresql:16.1.0-debian-11-r15",
                    resources: { requests: { cpu: "250m", memory: "256Mi" } },
                },
            ],
            claimTemplates: [claimTemplate("data", { size: "8Gi" })],
        }),
        service(`${name}-postgresql`, namespace, labels, [{ name: "tcp-postgresql", port: 5432 }]),
        service(`${name}-postgresql-hl`, namespace, labels, [{ name: "tcp-postgresql", port: 5432 }], {
            clusterIP: "None",
        }),
    ];
}
