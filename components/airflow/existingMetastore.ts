import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { choices, keysOf } from "../shared/shape";
import { checkIdentifier, checkRole, endpointOf, type MetastoreConnection, SslMode } from "./metastoreConnection";

/** Arguments of {@link ExistingMetastore}. */
export interface ExistingMetastoreArgs {
    /** The server's host name. Its firewall must let the cluster's nodes in. */
    host: pulumi.Input<string>;
    /** The server's port. @default 5432 */
    port?: pulumi.Input<number>;
    /** Airflow's database. @default airflow */
    database?: pulumi.Input<string>;
    /** Airflow's role. @default airflow */
    user?: pulumi.Input<string>;
    /** The password of that role. */
    password: pulumi.Input<string>;
    /** How clients protect the connection. @default verify-full with a certificate authority, otherwise require */
    sslMode?: pulumi.Input<SslMode>;
    /** PEM certificates of the authority that signed the server's certificate. @default none */
    caCertificate?: pulumi.Input<string>;
    /** Who may create roles and databases. Without it both must be there, and `AirflowCelery` takes `bootstrapMetastore: false`. @default none */
    adminUser?: pulumi.Input<string>;
    /** The administrator's password. */
    adminPassword?: pulumi.Input<string>;
    /** The database that the administrator connects to first. @default postgres */
    adminDatabase?: pulumi.Input<string>;
}

const shape = keysOf<ExistingMetastoreArgs>({
    host: "string",
    port: "integer",
    database: "string",
    user: "string",
    password: "string",
    sslMode: choices(SslMode),
    caCertificate: "string",
    adminUser: "string",
    adminPassword: "string",
    adminDatabase: "string",
});

/** What is wrong with the arguments of an {@link ExistingMetastore}. */
export function checkExistingMetastoreArgs(args: ExistingMetastoreArgs): Problem[] {
    return fittingProblems(args, shape, judge);
}

function judge(args: ExistingMetastoreArgs): Problem[] {
    const problems: Problem[] = [];
    const refuse = (path: string, message: string) => problems.push({ path, message });
    for (const key of ["host", "password"] as const) {
        if (args[key] === undefined) {
            refuse(key, "is missing");
        }
    }
    for (const key of ["database", "user", "password", "adminUser", "adminPassword", "adminDatabase"] as const) {
        const text = plain(args[key]);
        // eslint-disable-next-line no-control-regex -- PgBouncer's files have no way to write them
        if (text !== undefined && (text === "" || /[\u0000-\u001f]/.test(text))) {
            refuse(key, "must be a text of at least one character, without line breaks or other control characters");
        }
    }
    const host = plain(args.host);
    if (host !== undefined && !/^[A-Za-z0-9][A-Za-z0-9.-]*$|^[0-9A-Fa-f:]+$/.test(host)) {
        refuse("host", `"${host}" is no host name; give it without scheme, port or path`);
    }
    const port = plain(args.port);
    if (port !== undefined && (!Number.isInteger(port) || port < 1 || port > 65535)) {
        refuse("port", `${port} is no TCP port`);
    }
    const sslMode = plain(args.sslMode);
    if (sslMode === SslMode.VerifyFull && args.caCertificate === undefined) {
        refuse("caCertificate", "verify-full needs the certificates to verify with");
    }
    const certificate = plain(args.caCertificate);
    if (certificate !== undefined && !certificate.includes("-----BEGIN CERTIFICATE-----")) {
        refuse("caCertificate", "is no PEM certificate; give the file's content, not its path");
    }
    if (sslMode === SslMode.Disable && args.caCertificate !== undefined) {
        refuse("caCertificate", "has no effect with sslMode disable; leave one of them out");
    }
    if (args.adminDatabase !== undefined && args.adminUser === undefined) {
        refuse("adminDatabase", "has no effect without adminUser");
    }
    if ((args.adminUser === undefined) !== (args.adminPassword === undefined)) {
        refuse("adminUser", "give the administrator's name and password, or neither");
    }
    if (plain(args.adminUser) !== undefined && plain(args.adminUser) === (plain(args.user) ?? "airflow")) {
        refuse("adminUser", "administrator and Airflow need different roles, or leave the administrator out");
    }
    // What is there may have any name; what is to be made gets one that needs no quoting.
    if (args.adminUser !== undefined) {
        problems.push(
            ...checkIdentifier("database", plain(args.database), "the database name"),
            ...checkRole("user", plain(args.user)),
        );
    }
    return problems;
}

/** A PostgreSQL server that is there already. Creates nothing. */
export class ExistingMetastore extends pulumi.ComponentResource {
    /** What clients need to know; a secret as a whole. */
    readonly connection: pulumi.Output<MetastoreConnection>;
    /** `host:port/database`, to read. */
    readonly endpoint: pulumi.Output<string>;

    constructor(name: string, args: ExistingMetastoreArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("ExistingMetastore", name, checkExistingMetastoreArgs(args));
        super("airflow-eks:index:ExistingMetastore", name, {}, opts);
        this.connection = pulumi.secret(
            pulumi.output(args).apply((given): MetastoreConnection => ({
                host: given.host,
                port: given.port ?? 5432,
                database: given.database ?? "airflow",
                user: given.user ?? "airflow",
                password: given.password,
                sslMode: given.sslMode ?? (given.caCertificate ? SslMode.VerifyFull : SslMode.Require),
                caCertificate: given.caCertificate,
                admin:
                    given.adminUser !== undefined && given.adminPassword !== undefined
                        ? {
                              user: given.adminUser,
                              password: given.adminPassword,
                              database: given.adminDatabase ?? "postgres",
                          }
                        : undefined,
            })),
        );
        this.endpoint = endpointOf(this.connection);
        this.registerOutputs({ connection: this.connection, endpoint: this.endpoint });
    }
}
