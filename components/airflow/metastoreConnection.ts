import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";

/** How far a client goes to protect its connection to the database; the words are PostgreSQL's own. */
export const SslMode = {
    /** Encrypted. The server's certificate is not looked at. */
    Require: "require",
    /** Encrypted, and the certificate must be signed by the given authority and carry the server's name. */
    VerifyFull: "verify-full",
    /** In the clear. Only for a database that cannot do TLS; RDS refuses it from PostgreSQL 15 on. */
    Disable: "disable",
} as const;
export type SslMode = (typeof SslMode)[keyof typeof SslMode];

/** Who may create roles and databases on the server. */
export interface MetastoreAdmin {
    /** The administrator's name, on RDS the master user. */
    user: string;
    /** The administrator's password. */
    password: string;
    /** The database that is there from the beginning, to connect to first. */
    database: string;
}

/**
 * All that Airflow knows about its database. {@link AirflowMetastore} (a new one) and {@link ExistingMetastore} (one that is
 * there) both give it.
 */
export interface MetastoreConnection {
    /** The server's host name. */
    host: string;
    /** The server's port. */
    port: number;
    /** Airflow's database. */
    database: string;
    /** The role that Airflow logs in with. */
    user: string;
    /** The password of that role. */
    password: string;
    /** How clients protect the connection. */
    sslMode: SslMode;
    /** PEM certificates of the authorities that sign the server's certificate; needed for `verify-full`. */
    caCertificate?: string;
    /** Who makes database and role. Without it both must be there. */
    admin?: MetastoreAdmin;
}

/** The user that only reads PgBouncer's own statistics, so that its exporter never holds the database's password. */
export const STATS_USER = "airflow_stats";

/** Where the pods of Airflow find the certificate authority of a metastore that is verified. */
export const CA_FOLDER = "/etc/metastore-ca";
/** The file in {@link CA_FOLDER}. */
export const CA_FILE = "ca.pem";

/** Options of {@link databaseUrl} that replace what the connection says. */
export interface UrlParts {
    scheme?: string;
    host?: string;
    port?: number;
    database?: string;
    query?: Record<string, string>;
}

/** A database URL in which every part is escaped, whatever characters it has. */
export function databaseUrl(connection: MetastoreConnection, parts: UrlParts = {}): string {
    const host = parts.host ?? connection.host;
    const query = Object.entries(parts.query ?? tlsQuery(connection))
        .map(([key, value]) => `${key}=${escapePart(value)}`)
        .join("&");
    return (
        `${parts.scheme ?? "postgresql"}://${escapePart(connection.user)}:${escapePart(connection.password)}` +
        `@${host.includes(":") ? `[${host}]` : host}:${parts.port ?? connection.port}` +
        `/${escapePart(parts.database ?? connection.database)}${query ? `?${query}` : ""}`
    );
}

/** Where a metastore is, without what is secret about it. */
export function endpointOf(connection: pulumi.Output<MetastoreConnection>): pulumi.Output<string> {
    return pulumi.unsecret(connection.apply(({ host, port, database }) => `${host}:${port}/${database}`));
}

/** Straight to the server, as the migration and everything that libpq carries wants it. */
export function directUrl(connection: MetastoreConnection): string {
    return databaseUrl(connection);
}

/**
 * Straight to the server for KEDA. The scheme is plain, since its client knows no drivers (apache/airflow#42070), and the
 * certificate is not verified, since the operator has no file of ours.
 */
export function kedaUrl(connection: MetastoreConnection): string {
    const sslmode = connection.sslMode === SslMode.VerifyFull ? SslMode.Require : connection.sslMode;
    return databaseUrl(connection, { query: { sslmode } });
}

/**
 * Straight to the server for Airflow 3's asynchronous engine. Airflow would derive it from the other URL and keep
 * `sslmode`, which asyncpg refuses; and behind PgBouncer its prepared statements fail (apache/airflow#68496). Authorities
 * can be given to asyncpg by a variable only that libpq would obey for every other database too, so it encrypts without
 * verifying.
 */
export function asyncUrl(connection: MetastoreConnection): string {
    const query: Record<string, string> = connection.sslMode === SslMode.Disable ? {} : { ssl: "require" };
    return databaseUrl(connection, { scheme: "postgresql+asyncpg", query });
}

/** Words that SQL keeps for itself: as names they need quoting. Source: pg_get_keywords() of PostgreSQL 17, categories R and T. */
export const RESERVED_WORDS = (
    "all analyse analyze and any array as asc asymmetric authorization binary both case cast check collate collation column concurrently " +
    "constraint create cross current_catalog current_date current_role current_schema current_time current_timestamp current_user default " +
    "deferrable desc distinct do else end except false fetch for foreign freeze from full grant group having ilike in initially inner " +
    "intersect into is isnull join lateral leading left like limit localtime localtimestamp natural not notnull null offset on only or order " +
    "outer overlaps placing primary references returning right select session_user similar some symmetric system_user table tablesample then " +
    "to trailing true union unique user using variadic verbose when where window with"
).split(" ");

/** What is wrong with a name that is to be made in a metastore. */
export function checkIdentifier(path: string, name: string | undefined, what: string): Problem[] {
    if (name === undefined || (/^[a-z_][a-z0-9_]{0,62}$/.test(name) && !RESERVED_WORDS.includes(name))) {
        return [];
    }
    return [
        {
            path,
            message: `${what} ${JSON.stringify(name)} would need quoting in SQL: use at most 63 lower case letters, digits and underscores, beginning with a letter, and no word of SQL`,
        },
    ];
}

/** What is wrong with the role that is to be made for Airflow. */
export function checkRole(path: string, name: string | undefined): Problem[] {
    const taken = /^(pg_|rds)|^(public|none)$/.test(name ?? "") || name === STATS_USER;
    return taken
        ? [{ path, message: `"${name}" belongs to the server or to PgBouncer; give Airflow a role of its own` }]
        : checkIdentifier(path, name, "the role name");
}

function tlsQuery(connection: MetastoreConnection): Record<string, string> {
    return connection.sslMode === SslMode.VerifyFull
        ? { sslmode: connection.sslMode, sslrootcert: `${CA_FOLDER}/${CA_FILE}` }
        : { sslmode: connection.sslMode };
}

/** `encodeURIComponent` leaves `!'()*`; some readers of URLs do not. */
function escapePart(part: string): string {
    return encodeURIComponent(part).replace(
        /[!'()*]/g,
        (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
    );
}
