import type { Properties } from "../../../shell/type";
import type { Manifest } from "../../api/object";
import { at, list, record, records, text } from "../../api/value";
import { budget, plain, serviceAccount, workload, type WorkloadSpec } from "../build";
import type { ReleaseRequest } from "../chart";

/** What a component of Airflow has beside its main container. */
interface Traits {
    logs?: boolean;
    groomer?: boolean;
    dags?: boolean;
    jwt?: boolean;
    /** May keep its logs on a volume of its own. */
    ownVolume?: boolean;
}

/** Service accounts bear the release's name with `-airflow` unless that is in it already. */
export function prefixOf(release: string): string {
    return release.includes("airflow") ? release : `${release}-airflow`;
}

/** What tells the Cluster Autoscaler whether it may take a pod away with its node. */
export const SAFE_TO_EVICT = "cluster-autoscaler.kubernetes.io/safe-to-evict";

/** The pieces that the chart's templates share. */
export class AirflowParts {
    readonly name: string;
    readonly namespace: string;
    readonly major: number;

    constructor(
        readonly request: ReleaseRequest,
        readonly values: Properties,
        /** The set of workers that the values are for; none for the first one. */
        readonly workerSet?: string,
    ) {
        this.name =
            text(values.fullnameOverride) ||
            (values.useStandardNaming === true ? prefixOf(request.name) : request.name);
        this.namespace = request.namespace;
        this.major = Number(String(values.airflowVersion).split(".")[0]);
    }

    on(section: string): boolean {
        return at(this.values, section, "enabled") === true;
    }

    account(component: string): string {
        const section = sections[component] ?? component;
        return (
            text(at(this.values, section, "serviceAccount", "name")) ||
            `${prefixOf(this.request.name)}-${component}${this.suffix()}`
        );
    }

    /** What a component's objects are called. */
    objectName(component: string): string {
        return `${this.name}-${component}${this.suffix()}`;
    }

    labels(component: string): Record<string, string> {
        return {
            ...{ tier: "airflow", component, release: this.request.name },
            ...(this.workerSet === undefined ? {} : { "worker-set": this.workerSet }),
        };
    }

    private suffix(): string {
        return this.workerSet === undefined ? "" : `-${this.workerSet}`;
    }

    /** What pods of other images have: another user, and the same Secrets to pull with. */
    foreign(uid: number): Properties {
        return { securityContext: { runAsUser: uid }, imagePullSecrets: this.pullSecrets() };
    }

    pullSecrets(): Properties[] {
        return list(this.values.imagePullSecrets).map((one) => (typeof one === "string" ? { name: one } : record(one)));
    }

    image(): string {
        const tag = text(at(this.values, "images", "airflow", "tag")) ?? String(this.values.defaultAirflowTag);
        const repository = text(at(this.values, "images", "airflow", "repository")) ?? "apache/airflow";
        const digest = text(at(this.values, "images", "airflow", "digest"));
        return digest ? `${repository}@${digest}` : `${repository}:${tag}`;
    }

    /** KEDA reads the database by a connection of its own, past PgBouncer. */
    usesKeda(): boolean {
        const direct = (section: string): boolean => {
            const keda = record(at(this.values, section, "keda"));
            return keda.enabled === true && keda.usePgbouncer === false;
        };
        return (
            this.on("pgbouncer") &&
            (direct("workers") ||
                (at(this.values, "triggerer", "keda", "enabled") === true &&
                    at(this.values, "triggerer", "keda", "usePgbouncer") !== true))
        );
    }

    databaseUrl(): string {
        const connection = record(at(this.values, "data", "metadataConnection"));
        const host = this.on("pgbouncer")
            ? `${this.name}-pgbouncer.${this.namespace}`
            : (text(connection.host) ?? `${this.name}-postgresql.${this.namespace}`);
        return `postgresql://${text(connection.user) ?? "postgres"}:${text(connection.pass) ?? "postgres"}@${host}:5432/${text(connection.db) ?? "postgres"}`;
    }

    /** The variables that every Airflow container reads, and the Secrets behind them. */
    environment(more: unknown[] = [], custom = true, jwt = false): Properties[] {
        const { values, name } = this;
        const secret = (variable: string, given: unknown, fallback: string, key: string): Properties => ({
            name: variable,
            valueFrom: { secretKeyRef: { name: text(given) ?? `${name}-${fallback}`, key } },
        });
        const metadata = at(values, "data", "metadataSecretName");
        const off = record(values.enableBuiltInSecretEnvVars);
        const builtIn: Properties[] = [
            secret("AIRFLOW__CORE__FERNET_KEY", values.fernetKeySecretName, "fernet-key", "fernet-key"),
            secret("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", metadata, "metadata", "connection"),
            secret("AIRFLOW_CONN_AIRFLOW_DB", metadata, "metadata", "connection"),
            ...(this.usesKeda() ? [secret("KEDA_DB_CONN", metadata, "metadata", "kedaConnection")] : []),
            ...(this.major >= 3
                ? [
                      secret(
                          "AIRFLOW__API__SECRET_KEY",
                          values.apiSecretKeySecretName,
                          "api-secret-key",
                          "api-secret-key",
                      ),
                  ]
                : [
                      secret(
                          "AIRFLOW__WEBSERVER__SECRET_KEY",
                          values.webserverSecretKeySecretName,
                          "webserver-secret-key",
                          "webserver-secret-key",
                      ),
                  ]),
            ...(this.major >= 3 && jwt
                ? [secret("AIRFLOW__API_AUTH__JWT_SECRET", values.jwtSecretName, "jwt-secret", "jwt-secret")]
                : []),
            ...(this.celery()
                ? [
                      secret(
                          "AIRFLOW__CELERY__BROKER_URL",
                          at(values, "data", "brokerUrlSecretName"),
                          "broker-url",
                          "connection",
                      ),
                  ]
                : []),
            ...(at(values, "data", "resultBackendSecretName")
                ? [
                      secret(
                          "AIRFLOW__CELERY__RESULT_BACKEND",
                          at(values, "data", "resultBackendSecretName"),
                          "",
                          "connection",
                      ),
                  ]
                : []),
        ].filter((variable) => off[String(variable.name)] !== false);
        const given = custom
            ? [
                  ...records(values.env),
                  ...records(values.secret).map(({ envName, secretName, secretKey }) => ({
                      name: envName,
                      valueFrom: { secretKeyRef: { name: secretName, key: secretKey ?? "value" } },
                  })),
              ]
            : [];
        return [...builtIn, ...given, ...more.flatMap((one) => records(one))];
    }

    /** What a workload of the chart has by its component's name. */
    common(
        component: string,
        section: string,
    ): Pick<WorkloadSpec, "name" | "namespace" | "labels" | "account" | "placement" | "podAnnotations"> {
        return {
            name: this.objectName(component),
            namespace: this.namespace,
            labels: this.labels(component),
            account: this.account(component),
            placement: [record(this.values[section]), this.values],
            podAnnotations: at(this.values, section, "podAnnotations"),
        };
    }

    budgetOf(component: string, section: string): Manifest[] {
        const settings = record(at(this.values, section, "podDisruptionBudget"));
        return settings.enabled === true
            ? [
                  budget(
                      `${this.name}-${component}-pdb${this.suffix()}`,
                      this.namespace,
                      this.labels(component),
                      settings.config,
                  ),
              ]
            : [];
    }

    /** One of Airflow's own components: account, workload, disruption budget. */
    component(component: string, section: string, traits: Traits): Manifest[] {
        const { values, namespace } = this;
        const settings = record(values[section]);
        if (settings.enabled === false) {
            return [];
        }
        const shared = at(values, "logs", "persistence", "enabled") === true;
        const persistence = record(settings.persistence);
        const persistent = traits.ownVolume === true && persistence.enabled === true;
        const scaled = at(settings, "keda", "enabled") === true || at(settings, "hpa", "enabled") === true;
        const logs = shared
            ? {
                  name: "logs",
                  persistentVolumeClaim: {
                      claimName:
                          text(at(values, "logs", "persistence", "existingClaim")) ?? `${this.request.name}-logs`,
                  },
              }
            : { name: "logs", emptyDir: {} };
        const server = component === "api-server" || component === "webserver";
        const withLogs = traits.logs === true && !(persistent && !shared) && (shared || !server);
        const logMount = withLogs || (persistent && !shared) ? [{ name: "logs", mountPath: "/opt/airflow/logs" }] : [];
        const given = [...records(values.volumeMounts), ...records(settings.extraVolumeMounts)];
        const container = {
            name: component,
            image: this.image(),
            env: this.environment([settings.env], true, traits.jwt),
            resources: settings.resources,
            volumeMounts: [
                ...(component === "scheduler" || component === "webserver"
                    ? [configMount("pod_templates/", "pod_template_file.yaml")]
                    : []),
                ...logMount,
                ...CONFIG_MOUNTS,
                ...given,
                ...(traits.dags ? this.dagMounts() : []),
            ],
        };
        const wait = {
            name: "wait-for-airflow-migrations",
            image: this.image(),
            env: this.environment([settings.env]),
            resources: settings.resources,
            // The DAG processor and the servers write no log before they start.
            volumeMounts: [...(server || component === "dag-processor" ? [] : logMount), ...CONFIG_MOUNTS, ...given],
        };
        const groomer = record(settings.logGroomerSidecar);
        const sidecars = [
            ...(traits.dags ? this.gitSync("git-sync") : []),
            ...(traits.groomer && groomer.enabled !== false && (persistent || groomer.requirePersistence !== true)
                ? [
                      {
                          name: `${component}-log-groomer`,
                          image: this.image(),
                          resources: groomer.resources,
                          volumeMounts: [...logMount, ...given],
                      },
                  ]
                : []),
            ...records(settings.extraContainers),
        ];
        const evict =
            component === "worker" ? String(settings.safeToEvict) : settings.safeToEvict === true ? "true" : undefined;
        return [
            ...serviceAccount(this.account(component), namespace, settings.serviceAccount),
            workload({
                ...this.common(component, section),
                podAnnotations: {
                    ...(evict === undefined ? {} : { [SAFE_TO_EVICT]: evict }),
                    ...record(settings.podAnnotations),
                },
                kind: persistent ? "StatefulSet" : "Deployment",
                replicas: scaled ? undefined : settings.replicas,
                strategy: settings.strategy,
                initContainers: [
                    wait,
                    ...(traits.dags ? this.gitSync("git-sync-init") : []),
                    ...records(settings.extraInitContainers),
                ],
                containers: [container, ...sidecars],
                volumes: [
                    { name: "config", configMap: { name: `${this.name}-config` } },
                    ...(withLogs ? [logs] : []),
                    ...(traits.dags ? this.dagVolumes() : []),
                    ...records(values.volumes),
                    ...records(settings.extraVolumes),
                ],
                claimTemplates: persistent && !shared ? [claim(persistence)] : undefined,
                pod: {
                    terminationGracePeriodSeconds: settings.terminationGracePeriodSeconds ?? 30,
                    securityContext: this.securityContext(settings),
                    imagePullSecrets: this.pullSecrets(),
                },
            }),
            ...this.budgetOf(component, section),
            ...this.autoscalerOf(component, settings, persistent),
        ];
    }

    /** What scales a component by its processors; KEDA comes before it. */
    private autoscalerOf(component: string, settings: Properties, persistent: boolean): Manifest[] {
        const hpa = record(settings.hpa);
        const name = this.objectName(component);
        return hpa.enabled !== true || at(settings, "keda", "enabled") === true
            ? []
            : [
                  plain("autoscaling/v2", "HorizontalPodAutoscaler", name, this.namespace, {
                      spec: {
                          scaleTargetRef: {
                              apiVersion: "apps/v1",
                              kind: persistent ? "StatefulSet" : "Deployment",
                              name,
                          },
                          minReplicas: hpa.minReplicaCount,
                          maxReplicas: hpa.maxReplicaCount,
                          metrics: hpa.metrics,
                      },
                  }),
              ];
    }

    /** Whether there are workers of Celery, and a broker for them. */
    celery(): boolean {
        return String(this.values.executor).includes("Celery");
    }

    /** Which user the pods are: precedence as the chart has it, not merged. */
    securityContext(settings: Properties): unknown {
        const chosen = [
            at(settings, "securityContexts", "pod"),
            settings.securityContext,
            at(this.values, "securityContexts", "pod"),
            this.values.securityContext,
        ].find((one) => Object.keys(record(one)).length > 0);
        return chosen ?? { runAsUser: this.values.uid, fsGroup: this.values.gid };
    }

    private gitSync(name: string): Properties[] {
        const git = record(at(this.values, "dags", "gitSync"));
        if (git.enabled !== true) {
            return [];
        }
        const credentials = text(git.credentialsSecret);
        const names = ["GIT_SYNC_USERNAME", "GITSYNC_USERNAME", "GIT_SYNC_PASSWORD", "GITSYNC_PASSWORD"];
        return [
            {
                name,
                image: "registry.k8s.io/git-sync/git-sync:v4.4.2",
                resources: git.resources,
                env: credentials
                    ? names.map((name) => ({ name, valueFrom: { secretKeyRef: { name: credentials, key: name } } }))
                    : [],
                volumeMounts: [
                    { name: "dags", mountPath: "/git" },
                    ...(git.sshKeySecret
                        ? [
                              {
                                  name: "git-sync-ssh-key",
                                  mountPath: "/etc/git-secret/ssh",
                                  subPath: "gitSshKey",
                                  readOnly: true,
                              },
                          ]
                        : []),
                    ...(git.knownHosts
                        ? [
                              {
                                  name: "config",
                                  mountPath: "/etc/git-secret/known_hosts",
                                  subPath: "known_hosts",
                                  readOnly: true,
                              },
                          ]
                        : []),
                ],
            },
        ];
    }

    private dagMounts(): Properties[] {
        return this.dagVolumes().some(({ name }) => name === "dags")
            ? [{ name: "dags", mountPath: "/opt/airflow/dags", readOnly: true }]
            : [];
    }

    private dagVolumes(): Properties[] {
        const { values } = this;
        const git = record(at(values, "dags", "gitSync"));
        const persistence = record(at(values, "dags", "persistence"));
        return [
            ...(persistence.enabled === true
                ? [
                      {
                          name: "dags",
                          persistentVolumeClaim: {
                              claimName: text(persistence.existingClaim) ?? `${this.request.name}-dags`,
                          },
                      },
                  ]
                : git.enabled === true
                  ? [{ name: "dags", emptyDir: {} }]
                  : []),
            ...(git.enabled === true && git.sshKeySecret
                ? [
                      {
                          name: "git-sync-ssh-key",
                          secret: { secretName: git.sshKeySecret, items: [{ key: "gitSshKey", path: "gitSshKey" }] },
                      },
                  ]
                : []),
        ];
    }
}

const sections: Record<string, string> = {
    "api-server": "apiServer",
    "dag-processor": "dagProcessor",
    "database-cleanup": "databaseCleanup",
    worker: "workers",
};

function configMount(folder: string, file: string): Properties {
    return { name: "config", mountPath: `/opt/airflow/${folder}${file}`, subPath: file, readOnly: true };
}

export const CONFIG_MOUNTS = [configMount("", "airflow.cfg"), configMount("config/", "airflow_local_settings.py")];

function claim(persistence: Properties): Properties {
    const className = text(persistence.storageClassName);
    return {
        metadata: { name: "logs", annotations: persistence.annotations },
        spec: {
            ...(className ? { storageClassName: className } : {}),
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: persistence.size } },
        },
    };
}
