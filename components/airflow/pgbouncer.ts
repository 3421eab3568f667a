import { type Problem } from "../shared/check";
import { keysOf } from "../shared/shape";
import { CA_FILE, CA_FOLDER, type MetastoreConnection, SslMode, STATS_USER } from "./metastoreConnection";

/** What can be set about PgBouncer. */
export interface PgBouncerSettings {
    /**
     * Whether Airflow's many short connections go through PgBouncer.
     * @default true
     */
    enabled?: boolean;
    /**
     * Pods of PgBouncer. Each keeps pools of its own, so the connections at the database double with two.
     * @default 1
     */
    replicas?: number;
    /**
     * Connections that each pod opens to the database for Airflow.
     * @default 20
     */
    poolSize?: number;
    /**
     * Connections that each pod accepts from Airflow; more are refused.
     * @default 500
     */
    maxClientConnections?: number;
}

/** The shape of {@link PgBouncerSettings}. */
export const pgbouncerShape = keysOf<PgBouncerSettings>({
    enabled: "boolean",
    replicas: "integer",
    poolSize: "integer",
    maxClientConnections: "integer",
});

/** What is wrong with PgBouncer's settings. */
export function checkPgBouncer(settings: PgBouncerSettings = {}): Problem[] {
    const numbers = ["replicas", "poolSize", "maxClientConnections"] as const;
    if (settings.enabled === false) {
        return numbers
            .filter((key) => settings[key] !== undefined)
            .map((path) => ({ path, message: "has no effect with enabled false; leave it out" }));
    }
    return numbers
        .filter((key) => settings[key] !== undefined && settings[key] < 1)
        .map((key) => ({
            path: key,
            message: `${settings[key]} is not at least 1; to do without PgBouncer set enabled to false`,
        }));
}

/** What PgBouncer listens on, by the name of the release. */
export const PGBOUNCER_PORT = 6543;
/** The database alias that the chart uses in its own URLs. */
export function pgbouncerDatabase(release: string): string {
    return `${release}-metadata`;
}

/**
 * The `pgbouncer.ini` that the chart would write, were it able to build it from a Secret: with
 * `data.metadataSecretName` it silently writes one that points at `<release>-postgresql` (facts: airflow-chart, 3).
 */
export function pgbouncerIni(connection: MetastoreConnection, settings: PgBouncerSettings, release: string): string {
    const target = [
        `host=${parameter(connection.host)}`,
        `port=${connection.port}`,
        `dbname=${parameter(connection.database)}`,
        `pool_size=${settings.poolSize ?? 20}`,
    ].join(" ");
    return [
        "[databases]",
        `${pgbouncerDatabase(release)} = ${target}`,
        `${release}-result-backend = ${target}`,
        "",
        "[pgbouncer]",
        "pool_mode = transaction",
        `listen_port = ${PGBOUNCER_PORT}`,
        "listen_addr = *",
        "auth_type = scram-sha-256",
        "auth_file = /etc/pgbouncer/users.txt",
        `stats_users = ${STATS_USER}`,
        "ignore_startup_parameters = extra_float_digits",
        `max_client_conn = ${settings.maxClientConnections ?? 500}`,
        // Clients that prepare statements (psycopg 3, SQLAlchemy) need them followed from connection to connection.
        "max_prepared_statements = 200",
        "verbose = 0",
        "log_disconnections = 0",
        "log_connections = 0",
        `server_tls_sslmode = ${connection.sslMode}`,
        "server_tls_ciphers = normal",
        ...(connection.sslMode === SslMode.VerifyFull ? [`server_tls_ca_file = ${CA_FOLDER}/${CA_FILE}`] : []),
        "",
    ].join("\n");
}

/** The users that PgBouncer lets in; with the database's own it also logs in at the server. */
export function pgbouncerUsers(connection: MetastoreConnection, statsPassword: string): string {
    return [
        `${userField(connection.user)} ${userField(connection.password)}`,
        `${userField(STATS_USER)} ${userField(statsPassword)}`,
        "",
    ].join("\n");
}

/** Where the exporter beside PgBouncer reads its statistics: inside the pod, so without TLS. */
export function pgbouncerStatsUrl(statsPassword: string): string {
    return `postgresql://${STATS_USER}:${encodeURIComponent(statsPassword)}@127.0.0.1:${PGBOUNCER_PORT}/pgbouncer?sslmode=disable`;
}

/** A value of a connection string in `pgbouncer.ini`: single quotes, doubled inside. */
function parameter(value: string): string {
    refuseLines(value);
    return /^[A-Za-z0-9_.-]+$/.test(value) ? value : `'${value.replace(/'/g, "''")}'`;
}

/** A field of `users.txt`: double quotes, doubled inside. */
function userField(value: string): string {
    refuseLines(value);
    return `"${value.replace(/"/g, '""')}"`;
}

function refuseLines(value: string): void {
    if (/[\r\n\0]/.test(value)) {
        throw new Error("PgBouncer's files have no way to write a line break in a name or password");
    }
}
