import { scramVerifier } from "./scram";

/** One statement of the bootstrap. */
export interface BootstrapStep {
    /** What it does, in words that may stand in a log. */
    title: string;
    /** Where it runs: in the database that is there from the beginning, or in Airflow's own. */
    in: "admin" | "airflow";
    /** The SQL. */
    sql: string;
    /** Whether the rows that it gives are statements to run in turn. */
    generates: boolean;
}

/** What the bootstrap should bring about. */
export interface BootstrapGoal {
    database: string;
    user: string;
    password: string;
}

/**
 * The SQL that makes Airflow's database and role, however often it runs and whatever is there already. The password is set
 * at every run, which is how it is rotated; only its verifier is in the SQL.
 *
 * An administrator without superuser rights (as on RDS) must belong to a role before it may give it a database, and since
 * PostgreSQL 15 nobody but a database's owner may create tables in its schema `public`.
 */
export function bootstrapSteps({ database, user, password }: BootstrapGoal): BootstrapStep[] {
    const role = identifier(user);
    const roleName = literal(user);
    const databaseName = literal(database);
    return [
        step(
            "wait for any other bootstrap of this server",
            "admin",
            "SELECT pg_advisory_lock(hashtext('airflow-metastore-bootstrap'))",
        ),
        generator(
            "create the role unless it is there",
            `SELECT ${literal(`CREATE ROLE ${role} LOGIN`)} WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = ${roleName})`,
        ),
        step(
            "set the role's password",
            "admin",
            `ALTER ROLE ${role} WITH LOGIN PASSWORD ${literal(scramVerifier(user, password))}`,
        ),
        generator(
            "make the administrator a member of the role",
            `SELECT ${literal(`GRANT ${role} TO CURRENT_USER`)} WHERE NOT pg_has_role(current_user, ${roleName}, 'USAGE')`,
        ),
        generator(
            "create the database unless it is there",
            `SELECT ${literal(`CREATE DATABASE ${identifier(database)} OWNER ${role} ENCODING 'UTF8' TEMPLATE template0`)} ` +
                `WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = ${databaseName})`,
        ),
        step("grant the database", "admin", `GRANT ALL PRIVILEGES ON DATABASE ${identifier(database)} TO ${role}`),
        step("grant the schema public", "airflow", `GRANT ALL ON SCHEMA public TO ${role}`),
    ];
}

/** A name in SQL. */
export function identifier(name: string): string {
    return `"${refuseNul(name).replace(/"/g, '""')}"`;
}

/** A text in SQL that means the same whatever `standard_conforming_strings` says. */
export function literal(text: string): string {
    const quoted = `'${refuseNul(text).replace(/\\/g, "\\\\").replace(/'/g, "''")}'`;
    return text.includes("\\") ? ` E${quoted}` : quoted;
}

function refuseNul(text: string): string {
    if (text.includes("\0")) {
        throw new Error("PostgreSQL has no NUL character in names and texts");
    }
    return text;
}

function step(title: string, where: "admin" | "airflow", sql: string): BootstrapStep {
    return { title, in: where, sql, generates: false };
}

function generator(title: string, sql: string): BootstrapStep {
    return { title, in: "admin", sql, generates: true };
}
