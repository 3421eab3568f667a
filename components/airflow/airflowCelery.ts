import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { releaseChart } from "../shared/chart";
import { refuseProblems } from "../shared/check";
import { detached } from "../shared/detached";
import { guardImmutable, refuseUpdate } from "../shared/guard";
import { parseQuantity } from "../shared/quantity";
import { type AirflowCeleryArgs, checkAirflowCeleryArgs } from "./airflowCeleryArgs";
import { airflowJob } from "./airflowJob";
import { airflowPod, type AirflowPodArgs } from "./airflowPod";
import { airflowRoles } from "./airflowRoles";
import { AirflowSecrets } from "./airflowSecrets";
import { airflowValues, FAB_AUTH_MANAGER, RELEASE, type ValueContext } from "./airflowValues";
import {
    airflowChart,
    DEFAULT_AIRFLOW_VERSION,
    type DeployedVersion,
    majorOf,
    refuseVersionChange,
} from "./airflowVersion";
import { logCleaning } from "./logCleaning";
import { retentionDays, sharedClass } from "./logs";
import { MetastoreBootstrap } from "./metastoreBootstrap";
import { CA_FILE, CA_FOLDER } from "./metastoreConnection";
import { sizesOf } from "./resources";
import { UiExposure, urlOf } from "./userInterface";

/**
 * Apache Airflow with Celery workers, by the official Helm chart: workers that KEDA scales by the tasks in the metastore, logs that
 * outlive their workers, PgBouncer before an external database, secrets that no upgrade changes.
 *
 * The database is made ready by Jobs of this component before the release: one makes database and role, one migrates, one makes the
 * first user. Each is named by what it runs, so it runs again exactly when that changes, and an upgrade works at any moment; the chart's
 * own Jobs either wait for pods that wait for them, or cannot be changed for five minutes after they ran.
 *
 * What starts before it: KEDA, the driver of the logs' class and the workers' nodes, by `dependsOn`. On destroy the release goes first,
 * and with it load balancers and ScaledObjects while their controllers still run.
 *
 * Creates a namespace, Secrets, up to three Jobs, a claim and a CronJob that cleans it (with a StorageClass for logs), up to two IAM roles and the release `airflow`.
 */
export class AirflowCelery extends pulumi.ComponentResource {
    /** The address of the UI; with port forwarding it is on this machine. */
    readonly url: pulumi.Output<string>;
    /** What to type to reach the UI without a load balancer. */
    readonly portForward: pulumi.Output<string>;
    /** The first user's name; empty without one. */
    readonly adminUsername: pulumi.Output<string>;
    /** The first user's password. */
    readonly adminPassword: pulumi.Output<string>;
    /** The namespace. */
    readonly namespace: pulumi.Output<string>;
    /** The role that tasks have; empty without policies for them. */
    readonly taskRoleArn: pulumi.Output<string>;

    constructor(name: string, args: AirflowCeleryArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("AirflowCelery", name, checkAirflowCeleryArgs(args));
        super("airflow-eks:index:AirflowCelery", name, {}, opts);

        const cluster = pulumi.output(args.cluster);
        const major = majorOf(args.airflowVersion ?? DEFAULT_AIRFLOW_VERSION);
        const guards = [
            guardVersion(this, name, args),
            guardImmutable(
                this,
                `${name}-place`,
                { namespace: args.namespace ?? "airflow" },
                {
                    what: "Airflow's namespace",
                    instead: "make a second AirflowCelery in the other namespace, and remove this one afterwards.",
                },
            ),
        ];
        const namespace = new k8s.core.v1.Namespace(
            name,
            { metadata: { name: args.namespace ?? "airflow" } },
            // All else lives in it, so that nothing is touched before the guard has spoken.
            { parent: this, dependsOn: guards },
        ).metadata.name;
        const roles = airflowRoles(this, name, {
            ...args,
            cluster,
            namespace,
            major,
            taskPolicies: args.taskPolicies ?? {},
            taskPolicyArns: args.taskPolicyArns ?? {},
        });
        const secrets = new AirflowSecrets(
            name,
            { ...args, namespace, major, git: args.dags?.gitSync, adminPassword: args.admin?.password, after: guards },
            { parent: this },
        );
        const jobs = databaseJobs(this, name, args, namespace, secrets);
        const claim = args.logs.storageClassName === undefined ? undefined : logsClaim(this, name, args, namespace);
        if (claim) {
            logCleaning(
                `${name}-log-cleaning`,
                {
                    namespace,
                    claimName: claim.metadata.name,
                    retentionDays: retentionDays(args.logs),
                    resources: sizesOf(args.sizes).logGroomer,
                    pod: podOf(args),
                },
                { parent: this },
            );
        }

        const values = pulumi
            .all({
                secrets: secrets.names,
                sslMode: pulumi.unsecret(pulumi.output(args.metastore).sslMode),
                region: cluster.region,
                claimName: claim?.metadata.name,
                bucket: args.logs.bucket,
                certificateArn: args.ui?.certificateArn,
                pullSecretName: args.image?.pullSecretName,
                taskAnnotations: roles.task,
                coreAnnotations: roles.core,
            })
            .apply((context) => airflowValues(args, context as unknown as ValueContext));
        const release = new k8s.helm.v3.Release(
            name,
            {
                ...releaseChart(airflowChart, args.chart),
                name: RELEASE,
                namespace,
                values,
                timeout: args.timeoutSeconds ?? 1200,
                maxHistory: 10,
                // What a failed upgrade has made new would block the next one.
                cleanupOnFail: true,
            },
            { parent: this, dependsOn: [...guards, ...jobs] },
        );

        const service = `${RELEASE}-${major === 3 ? "api-server" : "webserver"}`;
        this.namespace = namespace;
        this.url = address(this, name, args, release, service);
        this.portForward = pulumi.interpolate`kubectl --namespace ${namespace} port-forward service/${service} 8080:${servicePort(args)}`;
        this.adminUsername = pulumi.output((args.createUser ?? true) ? (args.admin?.username ?? "admin") : "");
        this.adminPassword = secrets.adminPassword;
        this.taskRoleArn = roles.taskRoleArn;
        this.registerOutputs({
            url: this.url,
            portForward: this.portForward,
            adminUsername: this.adminUsername,
            adminPassword: this.adminPassword,
            namespace: this.namespace,
            taskRoleArn: this.taskRoleArn,
        });
    }
}

/** Keeps version and pause in the state, and stops a change that the database would not survive before anything is touched. */
function guardVersion(parent: pulumi.Resource, name: string, args: AirflowCeleryArgs): pulumi.Resource {
    const input: DeployedVersion = {
        airflowVersion: args.airflowVersion ?? DEFAULT_AIRFLOW_VERSION,
        paused: args.paused ?? false,
    };
    return new pulumi.Stash(
        `${name}-version`,
        { input },
        {
            parent,
            hooks: refuseUpdate(parent, `${name}-version`, (olds, news) =>
                refuseVersionChange(
                    olds.input as DeployedVersion,
                    news.input as DeployedVersion,
                    args.acknowledgeChangeFrom,
                ),
            ),
        },
    );
}

/** Bootstrap, migration and first user, one after the other, all with the direct connection: PgBouncer is not there yet. */
function databaseJobs(
    parent: pulumi.Resource,
    name: string,
    args: AirflowCeleryArgs,
    namespace: pulumi.Input<string>,
    secrets: AirflowSecrets,
): pulumi.Resource[] {
    const pod = podOf(args);
    const bootstrap =
        (args.bootstrapMetastore ?? true)
            ? [new MetastoreBootstrap(`${name}-metastore`, { namespace, metastore: args.metastore, pod }, { parent })]
            : [];
    const job = (
        what: string,
        script: string,
        env: { name: string; value?: string; valueFrom?: unknown }[],
        dependsOn: pulumi.Resource[],
    ) =>
        airflowJob(
            `${name}-${what}`,
            {
                namespace,
                namePrefix: `${RELEASE}-${what}`,
                container: pulumi.output({
                    image: pod.image,
                    args: ["bash", "-c", script],
                    env: [...jobEnvironment(args, secrets.jobs), ...env] as k8s.types.input.core.v1.EnvVar[],
                    resources: sizesOf(args.sizes).jobs,
                    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
                    volumeMounts: [{ name: "metastore-ca", mountPath: CA_FOLDER, readOnly: true }],
                }),
                pod: airflowPod(pod, [
                    {
                        name: "metastore-ca",
                        secret: { secretName: secrets.jobs, items: [{ key: CA_FILE, path: CA_FILE }] },
                    },
                ]),
            },
            { parent, dependsOn },
        );
    const migration = job("migrate", "exec airflow db migrate", [], bootstrap);
    if (!(args.createUser ?? true)) {
        return [...bootstrap, migration];
    }
    const admin = args.admin ?? {};
    const user = job(
        "create-user",
        CREATE_USER,
        [
            { name: "ADMIN_USERNAME", value: admin.username ?? "admin" },
            { name: "ADMIN_EMAIL", value: admin.email ?? "admin@example.com" },
            { name: "ADMIN_FIRST_NAME", value: admin.firstName ?? "Airflow" },
            { name: "ADMIN_LAST_NAME", value: admin.lastName ?? "Admin" },
            { name: "ADMIN_ROLE", value: admin.role ?? "Admin" },
            { name: "ADMIN_PASSWORD", valueFrom: { secretKeyRef: { name: secrets.admin, key: "password" } } },
        ],
        [migration],
    );
    return [...bootstrap, migration, user];
}

/** Makes the user when it is not there, and gives it the password of the settings in any case. */
const CREATE_USER = [
    "set -eu",
    'airflow users create --username "$ADMIN_USERNAME" --email "$ADMIN_EMAIL" --firstname "$ADMIN_FIRST_NAME" --lastname "$ADMIN_LAST_NAME" --role "$ADMIN_ROLE" --password "$ADMIN_PASSWORD"',
    'exec airflow users reset-password --username "$ADMIN_USERNAME" --password "$ADMIN_PASSWORD"',
].join("\n");

/** What the chart's configuration file says to the pods of the release, as far as the Jobs need it: they run before there is one. */
function jobEnvironment(args: AirflowCeleryArgs, secretName: pulumi.Input<string>) {
    const fromSecret = (variable: string, key: string) => ({
        name: variable,
        valueFrom: { secretKeyRef: { name: secretName, key } },
    });
    return [
        fromSecret("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "connection"),
        ...(majorOf(args.airflowVersion ?? DEFAULT_AIRFLOW_VERSION) === 3
            ? [fromSecret("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_ASYNC", "asyncConnection")]
            : []),
        fromSecret("AIRFLOW__CORE__FERNET_KEY", "fernet-key"),
        // Its tables are migrated with Airflow's own only when Airflow knows of it.
        { name: "AIRFLOW__CORE__AUTH_MANAGER", value: args.authManager ?? FAB_AUTH_MANAGER },
        { name: "AIRFLOW__CORE__LOAD_EXAMPLES", value: "False" },
        { name: "PYTHONUNBUFFERED", value: "1" },
        ...Object.entries(args.environment ?? {}).map(([variable, value]) => ({ name: variable, value })),
    ];
}

function podOf(args: AirflowCeleryArgs): AirflowPodArgs {
    return { image: imageOf(args), pullSecretName: args.image?.pullSecretName, placement: args.placement };
}

function imageOf(args: AirflowCeleryArgs): string {
    const {
        repository = "apache/airflow",
        tag = args.airflowVersion ?? DEFAULT_AIRFLOW_VERSION,
        digest,
    } = args.image ?? {};
    return digest ? `${repository}@${digest}` : `${repository}:${tag}`;
}

/** One volume for the logs of all pods, on all nodes. */
function logsClaim(
    parent: pulumi.Resource,
    name: string,
    args: AirflowCeleryArgs,
    namespace: pulumi.Input<string>,
): k8s.core.v1.PersistentVolumeClaim {
    const storageClass = detached(sharedClass(args.logs.storageClassName!));
    return new k8s.core.v1.PersistentVolumeClaim(
        `${name}-logs`,
        {
            metadata: { namespace },
            spec: {
                accessModes: ["ReadWriteMany"],
                storageClassName: storageClass.value,
                resources: { requests: { storage: args.logs.size ?? "10Gi" } },
            },
        },
        {
            parent,
            dependsOn: storageClass.dependsOn,
            hooks: refuseUpdate(parent, `${name}-logs`, (olds, news) => {
                const [before, after] = [requested(olds), requested(news)];
                return (parseQuantity(after) ?? 0) < (parseQuantity(before) ?? 0)
                    ? `The logs' claim cannot shrink from ${before} to ${after}: Kubernetes only grows claims. Set logs.size back.`
                    : undefined;
            }),
        },
    );
}

function requested(claim: Record<string, unknown>): string {
    const spec = claim.spec as { resources?: { requests?: { storage?: string } } } | undefined;
    return String(spec?.resources?.requests?.storage ?? "");
}

function servicePort(args: AirflowCeleryArgs): number {
    return args.ui?.exposure !== UiExposure.NetworkLoadBalancer
        ? 8080
        : args.ui.certificateArn === undefined
          ? 80
          : 443;
}

/** The name that people open: the one of the settings, or what AWS has given the load balancer. */
function address(
    parent: pulumi.Resource,
    name: string,
    args: AirflowCeleryArgs,
    release: k8s.helm.v3.Release,
    service: string,
): pulumi.Output<string> {
    const known = urlOf(args.ui);
    const exposure = args.ui?.exposure ?? UiExposure.None;
    if (known !== undefined || exposure === UiExposure.None) {
        return release.status.apply(() => known ?? "http://localhost:8080");
    }
    const id = (object: string) => pulumi.interpolate`${release.status.namespace}/${object}`;
    const status =
        exposure === UiExposure.NetworkLoadBalancer
            ? k8s.core.v1.Service.get(`${name}-ui`, id(service), { parent }).status
            : k8s.networking.v1.Ingress.get(`${name}-ui`, id(`${RELEASE}-ingress`), { parent }).status;
    return status.apply((value) => {
        const host = value?.loadBalancer?.ingress?.[0]?.hostname;
        return host ? `http://${host}` : "";
    });
}
