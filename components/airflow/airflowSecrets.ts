import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { RELEASE, type SecretNames } from "./airflowValues";
import { plain, type Problem } from "../shared/check";
import { keysOf } from "../shared/shape";
import { type GitSyncSettings, gitSecret } from "./dags";
import {
    asyncUrl,
    CA_FILE,
    databaseUrl,
    directUrl,
    kedaUrl,
    type MetastoreConnection,
    SslMode,
} from "./metastoreConnection";
import {
    PGBOUNCER_PORT,
    pgbouncerDatabase,
    pgbouncerIni,
    type PgBouncerSettings,
    pgbouncerStatsUrl,
    pgbouncerUsers,
} from "./pgbouncer";

/** The keys that Airflow encrypts connections and variables with. */
export interface FernetSettings {
    /**
     * Keys of one's own, the newest first: 32 bytes in URL-safe base64, as `cryptography`'s `Fernet.generate_key` makes them. Secret.
     * @default keys that are made here
     */
    keys?: pulumi.Input<pulumi.Input<string>[]>;
    /** How many keys have been made here. Raise it to add a new one; Airflow then encrypts with it and still reads what older ones wrote. @default 1 */
    newest?: number;
    /** The oldest of them that Airflow still needs. Raise it after `airflow rotate-fernet-key`. @default 1 */
    oldest?: number;
}

/** The shape of {@link FernetSettings}. */
export const fernetShape = keysOf<FernetSettings>({ keys: "anything", newest: "integer", oldest: "integer" });

/** What is wrong with the settings of keys. */
export function checkFernet(fernet: FernetSettings = {}): Problem[] {
    const problems: Problem[] = [];
    const [newest, oldest] = [fernet.newest ?? 1, fernet.oldest ?? 1];
    if (newest > 100) {
        problems.push({
            path: "newest",
            message: `${newest} would make that many keys; raise it by one for each rotation`,
        });
    }
    if (oldest < 1 || oldest > newest) {
        problems.push({
            path: "oldest",
            message: `${oldest} is not from 1 to newest, ${newest}; without a key Airflow can read nothing`,
        });
    }
    if (fernet.keys !== undefined && (fernet.newest !== undefined || fernet.oldest !== undefined)) {
        problems.push({ path: "keys", message: "give keys of your own, or count those that are made here; not both" });
    }
    const keys = plain(fernet.keys);
    if (keys !== undefined && (!Array.isArray(keys) || keys.length === 0)) {
        problems.push({ path: "keys", message: "must be a list of at least one key" });
    } else {
        keys?.forEach((input, index) => {
            const key = plain(input);
            if (key !== undefined && !/^[A-Za-z0-9_-]{43}=$/.test(key)) {
                problems.push({
                    path: `keys[${index}]`,
                    message: "is no Fernet key: 32 bytes in URL-safe base64, 44 characters",
                });
            } else if (key !== undefined && keys.findIndex((other) => plain(other) === key) !== index) {
                problems.push({
                    path: `keys[${index}]`,
                    message: "is there twice; list each key once, the newest first",
                });
            }
        });
    }
    return problems;
}

/** What the Secrets are made from. */
export interface AirflowSecretsArgs {
    namespace: pulumi.Input<string>;
    metastore: pulumi.Input<MetastoreConnection>;
    major: 2 | 3;
    pgbouncer?: PgBouncerSettings;
    fernet?: FernetSettings;
    git?: GitSyncSettings;
    adminPassword?: pulumi.Input<string>;
    rotation?: pulumi.Input<string>;
    /** What must be there before anything new is made. */
    after: pulumi.Resource[];
}

/**
 * Every secret of Airflow, each made once and kept in the stack's state, as the Kubernetes Secrets that the chart reads. A Secret
 * whose data changes gets a new name, and the new name in their specification is what restarts the pods that read it.
 */
export class AirflowSecrets extends pulumi.ComponentResource {
    /** The names of the Secrets. */
    readonly names: pulumi.Output<SecretNames>;
    /** The Secret that the Jobs read: the direct connection and the keys. */
    readonly jobs: pulumi.Output<string>;
    /** The Secret that holds the first user's password. */
    readonly admin: pulumi.Output<string>;
    /** The password of the first user. */
    readonly adminPassword: pulumi.Output<string>;

    constructor(name: string, args: AirflowSecretsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("airflow-eks:index:AirflowSecrets", name, {}, opts);
        const keepers = { rotation: args.rotation ?? "1" };
        const generate = (what: string, length: number) =>
            new random.RandomPassword(
                `${name}-${what}`,
                { length, special: false, keepers },
                { parent: this, dependsOn: args.after },
            ).result;
        const secret = (what: string, stringData: pulumi.Input<Record<string, pulumi.Input<string>>>) =>
            new k8s.core.v1.Secret(
                `${name}-${what}`,
                { metadata: { namespace: args.namespace }, stringData: pulumi.secret(stringData) },
                { parent: this },
            ).metadata.name;

        const metastore = pulumi.output(args.metastore);
        const redisPassword = generate("redis", 40);
        const fernetKey = fernetKeys(name, args.fernet, { parent: this, dependsOn: args.after });
        const pgbouncer = args.pgbouncer?.enabled ?? true;
        const gitData = args.git ? gitSecret(args.git) : undefined;
        this.adminPassword = pulumi.secret(args.adminPassword ?? generate("admin", 24));

        const parts: { [K in keyof SecretNames]: pulumi.Output<string> | undefined } = {
            metadata: secret(
                "metadata",
                pulumi.all([metastore, args.namespace]).apply(([connection, namespace]) => ({
                    connection: pgbouncer ? pgbouncerUrl(connection, namespace) : directUrl(connection),
                    kedaConnection: kedaUrl(connection),
                    asyncConnection: asyncUrl(connection),
                    [CA_FILE]: connection.caCertificate ?? "",
                })),
            ),
            broker: secret("broker", {
                connection: pulumi.interpolate`redis://:${redisPassword}@${RELEASE}-redis:6379/0`,
            }),
            redis: secret("redis", { password: redisPassword }),
            fernet: secret("fernet", { "fernet-key": fernetKey }),
            api: args.major === 3 ? secret("api", { "api-secret-key": generate("api", 64) }) : undefined,
            jwt: args.major === 3 ? secret("jwt", { "jwt-secret": generate("jwt", 64) }) : undefined,
            webserver:
                args.major === 2
                    ? secret("webserver", { "webserver-secret-key": generate("webserver", 64) })
                    : undefined,
            pgbouncer: undefined,
            pgbouncerStats: undefined,
            git: gitData ? secret("git", gitData) : undefined,
        };
        if (pgbouncer) {
            const statsPassword = generate("pgbouncer-stats", 40);
            parts.pgbouncer = secret(
                "pgbouncer",
                pulumi.all([metastore, statsPassword]).apply(([connection, stats]) => ({
                    "pgbouncer.ini": pgbouncerIni(connection, args.pgbouncer ?? {}, RELEASE),
                    "users.txt": pgbouncerUsers(connection, stats),
                })),
            );
            parts.pgbouncerStats = secret("pgbouncer-stats", { connection: statsPassword.apply(pgbouncerStatsUrl) });
        }
        this.names = pulumi.output(parts).apply((names): SecretNames => names as SecretNames);
        this.jobs = secret("jobs", {
            connection: metastore.apply(directUrl),
            asyncConnection: metastore.apply(asyncUrl),
            "fernet-key": fernetKey,
            [CA_FILE]: metastore.apply(({ caCertificate }) => caCertificate ?? ""),
        });
        this.admin = secret("admin", { password: this.adminPassword });
        this.registerOutputs({
            names: this.names,
            jobs: this.jobs,
            admin: this.admin,
            adminPassword: this.adminPassword,
        });
    }
}

/** PgBouncer has no certificate and lives in the same namespace; it does the TLS to the database. */
function pgbouncerUrl(connection: MetastoreConnection, namespace: string): string {
    return databaseUrl(connection, {
        host: `${RELEASE}-pgbouncer.${namespace}`,
        port: PGBOUNCER_PORT,
        database: pgbouncerDatabase(RELEASE),
        query: { sslmode: SslMode.Disable },
    });
}

/** Airflow reads several keys joined by commas, and encrypts with the first. */
function fernetKeys(
    name: string,
    fernet: FernetSettings = {},
    opts: pulumi.CustomResourceOptions,
): pulumi.Output<string> {
    if (fernet.keys !== undefined) {
        return pulumi.output(fernet.keys).apply((keys) => keys.join(","));
    }
    const [newest, oldest] = [fernet.newest ?? 1, fernet.oldest ?? 1];
    const keys: pulumi.Output<string>[] = [];
    for (let generation = newest; generation >= oldest; generation--) {
        const bytes = new random.RandomBytes(`${name}-fernet-${generation}`, { length: 32 }, opts);
        keys.push(bytes.base64.apply((text) => text.replace(/\+/g, "-").replace(/\//g, "_")));
    }
    return pulumi.all(keys).apply((all) => all.join(","));
}
