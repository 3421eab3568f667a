import type * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { WorkloadIdentity } from "../cluster/workloadRole";
import { type ChartSource, checkChartSource } from "../shared/chart";
import { plain, type Problem, under } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { isDnsSubdomain, namespaceProblems } from "../shared/kubernetesNames";
import { parseQuantity } from "../shared/quantity";
import { choices, keysOf, mapOf } from "../shared/shape";
import { regionOfZone } from "../shared/zones";
import { type SecretsManagerSettings, secretsManagerShape } from "./airflowRoles";
import { checkFernet, type FernetSettings, fernetShape } from "./airflowSecrets";
import { FAB_AUTH_MANAGER } from "./airflowValues";
import { checkVersions, DEFAULT_AIRFLOW_VERSION, majorOf } from "./airflowVersion";
import { checkDags, type DagSettings, dagsShape } from "./dags";
import { checkLogs, type LogSettings, logsShape } from "./logs";
import type { MetastoreConnection } from "./metastoreConnection";
import { checkPgBouncer, type PgBouncerSettings, pgbouncerShape } from "./pgbouncer";
import { checkPlacement, type PodPlacement, placementShape } from "./placement";
import { checkFurtherValues, doubleVariables } from "./furtherValues";
import { PROTECTED_VARIABLES } from "./protectedValues";
import { type AirflowSizes, checkSizes, sizesShape } from "./resources";
import { checkUi, type UiSettings, uiShape } from "./userInterface";
import { checkWorkers, type WorkerSettings, workersShape } from "./workers";
import { checkWorkerSets } from "./workerSets";

/** The image of every pod and Job of Airflow. */
export interface AirflowImage {
    /** The repository. @default apache/airflow */
    repository?: string;
    /** The tag. @default the Airflow version */
    tag?: string;
    /** A digest, which wins over the tag. @default none */
    digest?: string;
    /** A Secret of type `kubernetes.io/dockerconfigjson` in Airflow's namespace that pulls it. @default none */
    pullSecretName?: pulumi.Input<string>;
}

/** The first user of the UI. */
export interface AdminUser {
    /** The name to log in with. @default admin */
    username?: string;
    /** The e-mail address. @default admin@example.com */
    email?: string;
    /** The first name. @default Airflow */
    firstName?: string;
    /** The last name. @default Admin */
    lastName?: string;
    /** The role: what the user may do. @default Admin */
    role?: string;
    /** The password; set anew whenever the Job that makes the user runs. Secret. @default made here, see the output `adminPassword` */
    password?: pulumi.Input<string>;
}

/** A disk for Redis, which keeps waiting tasks over a restart and ties Redis to a zone. */
export interface RedisDisk {
    /** A StorageClass of EBS. */
    storageClassName: string;
    /** The zone in which there are always nodes for Redis. */
    zone: string;
    /** The size of the disk. @default 1Gi */
    size?: string;
}

/** Arguments of {@link AirflowCelery}. */
export interface AirflowCeleryArgs {
    /** The cluster, once pods can run on it. */
    cluster: pulumi.Input<ClusterInfo>;
    /** The database: the output `connection` of `AirflowMetastore` or `ExistingMetastore`. */
    metastore: pulumi.Input<MetastoreConnection>;
    /** Whether a Job makes database and role. False when somebody else did and the metastore names no administrator. @default true */
    bootstrapMetastore?: boolean;
    /** Where task logs live: a StorageClass of EFS or a bucket. */
    logs: LogSettings;
    /** Airflow's version: 2.11.x or 3.0.x to 3.3.x. @default 3.2.2 */
    airflowVersion?: string;
    /** The version that runs now, to say that a jump from 2 to 3 (or a way back) is meant. See docs/airflow.md. @default none */
    acknowledgeChangeFrom?: string;
    /** Whether Airflow stands still: nothing runs but PgBouncer, Redis and statsd, nothing is lost. For upgrades between majors. @default false */
    paused?: boolean;
    /** Where the chart comes from, when not from https://airflow.apache.org. The version stays the one that was checked. */
    chart?: ChartSource;
    /** The image of every pod and Job. @default apache/airflow in Airflow's version */
    image?: AirflowImage;
    /** The namespace, which the component makes. @default airflow */
    namespace?: string;
    /** The class that authenticates people. Another one than FAB knows no first user: set createUser to false. @default FabAuthManager */
    authManager?: string;
    /** Whether a Job makes the first user. @default true */
    createUser?: boolean;
    /** The first user. */
    admin?: AdminUser;
    /** The workers. */
    workers?: WorkerSettings;
    /** CPU, memory and number of every other part. */
    sizes?: AirflowSizes;
    /** Where every other part runs. @default on demand nodes */
    placement?: PodPlacement;
    /** The connection pool before the database. */
    pgbouncer?: PgBouncerSettings;
    /** A disk for Redis. @default none: lost tasks are queued again by the scheduler */
    redisDisk?: RedisDisk;
    /** Where DAGs come from. @default the image */
    dags?: DagSettings;
    /** How people reach the UI. @default kubectl port-forward */
    ui?: UiSettings;
    /** The keys that encrypt connections and variables. @default one that is made here */
    fernet?: FernetSettings;
    /** Any text; another text makes new passwords and keys for Redis, the API, tokens, PgBouncer's statistics and the first user. @default 1 */
    rotation?: pulumi.Input<string>;
    /** IAM policies for tasks, as JSON documents under names of your choice. @default none */
    taskPolicies?: Record<string, pulumi.Input<string>>;
    /** ARNs of managed IAM policies for tasks, under names of your choice. @default none */
    taskPolicyArns?: Record<string, pulumi.Input<string>>;
    /** How pods get their AWS rights. @default Irsa */
    identity?: WorkloadIdentity;
    /** A policy that bounds what Airflow's roles can ever do. @default none */
    permissionsBoundary?: pulumi.Input<string>;
    /** AWS Secrets Manager as the first place for connections and variables. @default off */
    secretsManager?: SecretsManagerSettings;
    /** Variables of every Airflow pod and Job. Nothing secret. @default none */
    environment?: Record<string, string>;
    /**
     * Further values of the chart, merged last. What would break a promise of this component is refused. Further sets of workers, with queues
     * of their own, stand in `workers.celery.sets`.
     */
    values?: { [key: string]: any }; // eslint-disable-line @typescript-eslint/no-explicit-any -- as the SDK analyser takes it
    /** How long Helm waits until everything runs, in seconds; new Spot nodes are part of it. @default 1200 */
    timeoutSeconds?: number;
}

const shape = keysOf<AirflowCeleryArgs>({
    cluster: "anything",
    metastore: "anything",
    bootstrapMetastore: "boolean",
    logs: logsShape,
    airflowVersion: "string",
    acknowledgeChangeFrom: "string",
    paused: "boolean",
    chart: keysOf<ChartSource>({ repository: "string", path: "string", version: "string" }),
    image: keysOf<AirflowImage>({ repository: "string", tag: "string", digest: "string", pullSecretName: "string" }),
    namespace: "string",
    authManager: "string",
    createUser: "boolean",
    admin: keysOf<AdminUser>({
        username: "string",
        email: "string",
        firstName: "string",
        lastName: "string",
        role: "string",
        password: "string",
    }),
    workers: workersShape,
    sizes: sizesShape,
    placement: placementShape,
    pgbouncer: pgbouncerShape,
    redisDisk: keysOf<RedisDisk>({ storageClassName: "string", zone: "string", size: "string" }),
    dags: dagsShape,
    ui: uiShape,
    fernet: fernetShape,
    rotation: "string",
    taskPolicies: mapOf("string"),
    taskPolicyArns: mapOf("string"),
    identity: choices(WorkloadIdentity),
    permissionsBoundary: "string",
    secretsManager: secretsManagerShape,
    environment: mapOf("string"),
    values: mapOf("anything"),
    timeoutSeconds: "integer",
});

/** What is wrong with the arguments of an {@link AirflowCelery}. */
export function checkAirflowCeleryArgs(args: AirflowCeleryArgs): Problem[] {
    return fittingProblems(args, shape, judge);
}

function judge(args: AirflowCeleryArgs): Problem[] {
    const major = majorOf(args.airflowVersion ?? DEFAULT_AIRFLOW_VERSION);
    return [
        ...checkVersions(args.airflowVersion, args.chart?.version),
        ...under("chart", checkChartSource(args.chart)),
        ...namespaceProblems("namespace", args.namespace),
        ...under("logs", checkLogs(args.logs)),
        ...under("dags", checkDags(args.dags, major)),
        ...under("ui", checkUi(args.ui)),
        ...under("workers", checkWorkers(args.workers)),
        ...under("sizes", checkSizes(args.sizes)),
        ...under("placement", checkPlacement(args.placement)),
        ...under("pgbouncer", checkPgBouncer(args.pgbouncer)),
        ...under("fernet", checkFernet(args.fernet)),
        ...under("values", checkFurtherValues(args.values)),
        ...checkWorkerSets(args.values, args.workers),
        ...doubleVariables(args.environment, args.values),
        ...checkImage(args.image),
        ...checkUser(args),
        ...checkRedisDisk(args.redisDisk),
        ...checkEnvironment(args.environment),
        ...checkRest(args),
    ];
}

function checkImage(image: AirflowImage = {}): Problem[] {
    const problems: Problem[] = [];
    const { repository, tag } = image;
    if (repository !== undefined && /[:@](?!\d+\/)/.test(repository)) {
        problems.push({
            path: "image.repository",
            message: `"${repository}" has a tag or digest; give it as tag or digest`,
        });
    } else if (repository !== undefined && !/^[\w.-]+(:\d+)?(\/[a-z0-9._-]+)*$/.test(repository)) {
        problems.push({
            path: "image.repository",
            message: `"${repository}" is no repository such as registry.example.com/team/airflow, in lower case`,
        });
    }
    if (tag === "latest") {
        problems.push({
            path: "image.tag",
            message: '"latest" changes what runs without a change here, and no Job would migrate for it',
        });
    } else if (tag !== undefined && !/^\w[\w.-]{0,127}$/.test(tag)) {
        problems.push({ path: "image.tag", message: `"${tag}" is no tag of an image` });
    }
    const pullSecret = plain(image.pullSecretName);
    if (pullSecret !== undefined && !isDnsSubdomain(pullSecret)) {
        problems.push({ path: "image.pullSecretName", message: `"${pullSecret}" is no name of a Secret` });
    }
    if (image.digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(image.digest)) {
        problems.push({ path: "image.digest", message: `"${image.digest}" is no digest such as sha256:…` });
    }
    return problems;
}

function checkUser(args: AirflowCeleryArgs): Problem[] {
    const problems: Problem[] = [];
    const creates = args.createUser ?? true;
    if (creates && args.authManager !== undefined && args.authManager !== FAB_AUTH_MANAGER) {
        problems.push({
            path: "createUser",
            message: `${args.authManager} knows no such user; set createUser to false`,
        });
    }
    if (args.admin?.username === "") {
        problems.push({ path: "admin.username", message: "is empty; give a name, or leave it out for admin" });
    }
    if (!creates && args.admin !== undefined) {
        problems.push({ path: "admin", message: "has no effect with createUser false; leave it out" });
    }
    const password = plain(args.admin?.password);
    if (password !== undefined && (password.length < 8 || password.toLowerCase().includes("admin"))) {
        problems.push({
            path: "admin.password",
            message: 'is too easy to guess: give at least 8 characters, without "admin", or none',
        });
    }
    return problems;
}

function checkRedisDisk(disk: RedisDisk | undefined): Problem[] {
    if (!disk) {
        return [];
    }
    const problems: Problem[] = [];
    if (!disk.storageClassName) {
        problems.push({
            path: "redisDisk.storageClassName",
            message: "name a class of EBS: the cluster may have no default class",
        });
    }
    if (regionOfZone(disk.zone ?? "") === undefined) {
        problems.push({
            path: "redisDisk.zone",
            message: `"${disk.zone}" is no zone; a disk lives in one, such as eu-west-1a`,
        });
    }
    if ((parseQuantity(disk.size ?? "1Gi") ?? 0) <= 0) {
        problems.push({ path: "redisDisk.size", message: `"${disk.size}" is no size such as 1Gi` });
    }
    return problems;
}

function checkEnvironment(environment: Record<string, string> = {}): Problem[] {
    return Object.keys(environment).flatMap((variable) =>
        Object.hasOwn(PROTECTED_VARIABLES, variable)
            ? [{ path: `environment.${variable}`, message: `cannot be set here: ${PROTECTED_VARIABLES[variable]}` }]
            : /^[A-Za-z_][A-Za-z0-9_]*$/.test(variable)
              ? []
              : [{ path: `environment.${variable}`, message: "is no name of a variable" }],
    );
}

function checkRest(args: AirflowCeleryArgs): Problem[] {
    const problems: Problem[] = [];
    if (args.secretsManager?.prefix !== undefined && !/^[\w.-]+(\/[\w.-]+)*$/.test(args.secretsManager.prefix)) {
        problems.push({
            path: "secretsManager.prefix",
            message: "must be words joined by slashes, without one at either end",
        });
    }
    if ((args.timeoutSeconds ?? 1200) < 300) {
        problems.push({
            path: "timeoutSeconds",
            message: `${args.timeoutSeconds} is too short for nodes and images to arrive; give at least 300`,
        });
    }
    return problems;
}
