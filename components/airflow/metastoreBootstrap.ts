import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { namespaceProblems } from "../shared/kubernetesNames";
import { airflowJob } from "./airflowJob";
import { BOOTSTRAP_SCRIPT, type BootstrapPlan } from "./bootstrapScript";
import { bootstrapSteps } from "./bootstrapSql";
import { airflowPod, type AirflowPodArgs } from "./airflowPod";
import { CA_FILE, CA_FOLDER, type MetastoreConnection, SslMode } from "./metastoreConnection";

/** Arguments of {@link MetastoreBootstrap}. */
export interface MetastoreBootstrapArgs {
    /** The namespace of the Job. */
    namespace: pulumi.Input<string>;
    /** The metastore, with its administrator. */
    metastore: pulumi.Input<MetastoreConnection>;
    /** The image and the nodes that it runs on: Airflow's own image, which has Python and a PostgreSQL driver. */
    pod: AirflowPodArgs;
}

/** What is wrong with the arguments of a {@link MetastoreBootstrap}. */
export function checkMetastoreBootstrapArgs(args: MetastoreBootstrapArgs): Problem[] {
    return namespaceProblems("namespace", plain(args.namespace));
}

/**
 * Makes Airflow's database and role on a PostgreSQL server, from inside the cluster, because nothing else reaches the
 * server. It can run any number of times; it runs again when names, passwords or the image change, and sets the password
 * anew, which is how passwords are rotated.
 *
 * The administrator's password reaches the pod in a Secret's variable; Airflow's own does not reach it at all, only what
 * PostgreSQL stores of it. Creates a Secret and a Job.
 */
export class MetastoreBootstrap extends pulumi.ComponentResource {
    /** The name of the Job that did it. */
    readonly jobName: pulumi.Output<string>;

    constructor(name: string, args: MetastoreBootstrapArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("MetastoreBootstrap", name, checkMetastoreBootstrapArgs(args));
        super("airflow-eks:index:MetastoreBootstrap", name, {}, opts);

        const connection = pulumi.output(args.metastore);
        const secret = new k8s.core.v1.Secret(
            name,
            {
                metadata: { namespace: args.namespace },
                stringData: connection.apply((metastore): Record<string, string> => ({
                    plan: JSON.stringify(bootstrapPlan(metastore)),
                    password: metastore.admin?.password ?? "",
                    [CA_FILE]: metastore.caCertificate ?? "",
                })),
            },
            { parent: this },
        );
        const fromSecret = (key: string) => ({ secretKeyRef: { name: secret.metadata.name, key } });
        const job = airflowJob(
            name,
            {
                namespace: args.namespace,
                namePrefix: "metastore-bootstrap",
                container: pulumi.output({
                    image: args.pod.image,
                    args: ["python", "-c", BOOTSTRAP_SCRIPT],
                    env: [
                        // The image's entrypoint would wait for the database that this Job makes.
                        { name: "CONNECTION_CHECK_MAX_COUNT", value: "0" },
                        { name: "PYTHONUNBUFFERED", value: "1" },
                        { name: "BOOTSTRAP_PLAN", valueFrom: fromSecret("plan") },
                        { name: "BOOTSTRAP_PASSWORD", valueFrom: fromSecret("password") },
                    ],
                    resources: { requests: { cpu: "100m", memory: "256Mi" }, limits: { memory: "512Mi" } },
                    securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
                    volumeMounts: [{ name: "metastore-ca", mountPath: CA_FOLDER, readOnly: true }],
                }),
                pod: airflowPod(args.pod, [
                    {
                        name: "metastore-ca",
                        secret: { secretName: secret.metadata.name, items: [{ key: CA_FILE, path: CA_FILE }] },
                    },
                ]),
            },
            { parent: this },
        );
        this.jobName = job.metadata.name;
        this.registerOutputs({ jobName: this.jobName });
    }
}

/** What the Job is told to do. */
export function bootstrapPlan(metastore: MetastoreConnection): BootstrapPlan {
    if (!metastore.admin) {
        throw new Error(
            "The metastore names no administrator, so database and role cannot be made: give ExistingMetastore adminUser and " +
                "adminPassword, or make them by hand and set bootstrapMetastore to false.",
        );
    }
    return {
        server: {
            host: metastore.host,
            port: metastore.port,
            user: metastore.admin.user,
            sslmode: metastore.sslMode,
            ...(metastore.sslMode === SslMode.VerifyFull ? { sslrootcert: `${CA_FOLDER}/${CA_FILE}` } : {}),
        },
        databases: { admin: metastore.admin.database, airflow: metastore.database },
        steps: bootstrapSteps(metastore),
    };
}
