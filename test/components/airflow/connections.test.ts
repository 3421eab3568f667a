import assert from "node:assert/strict";
import { createHmac, pbkdf2Sync } from "node:crypto";
import fc from "fast-check";
import {
    asyncUrl,
    databaseUrl,
    directUrl,
    kedaUrl,
    type MetastoreConnection,
} from "../../../components/airflow/metastoreConnection";
import { pgbouncerIni, pgbouncerStatsUrl, pgbouncerUsers } from "../../../components/airflow/pgbouncer";
import { scramVerifier } from "../../../components/airflow/scram";
import { metastore } from "./samples";

/** A URL as Python's and Go's clients read it. */
function read(url: string) {
    const [, scheme, user, password, host, port, database, query] =
        /^([a-z+0-9]+):\/\/([^:@/]*):([^:@/]*)@(\[[^\]]+\]|[^:/@]+):(\d+)\/([^/?#]*)(?:\?([^#]*))?$/.exec(url)!;
    return {
        scheme,
        user: decodeURIComponent(user),
        password: decodeURIComponent(password),
        host,
        port: Number(port),
        database: decodeURIComponent(database),
        query: Object.fromEntries(new URLSearchParams(query)),
    };
}

describe("database URLs", () => {
    it("carry any name and password", () => {
        fc.assert(
            fc.property(
                fc.string({ minLength: 1, unit: "grapheme" }),
                fc.string({ unit: "grapheme" }),
                fc.string({ minLength: 1, unit: "grapheme" }),
                (user, password, database) => {
                    const connection: MetastoreConnection = { ...metastore, user, password, database };
                    for (const url of [directUrl(connection), kedaUrl(connection), asyncUrl(connection)]) {
                        assert.match(url, /^[\x21-\x7e]+$/);
                        assert.ok(!/['()*]/.test(url), url);
                        const parsed = read(url);
                        assert.deepEqual([parsed.user, parsed.password, parsed.database], [user, password, database]);
                    }
                },
            ),
        );
    });

    it("for KEDA have the plain scheme, never a driver's (facts 3)", () => {
        assert.equal(read(kedaUrl(metastore)).scheme, "postgresql");
        assert.equal(read(directUrl(metastore)).scheme, "postgresql");
    });

    it("to RDS encrypt (facts 3: no encryption is refused)", () => {
        assert.deepEqual(read(directUrl(metastore)).query, { sslmode: "require" });
        assert.deepEqual(read(kedaUrl(metastore)).query, { sslmode: "require" });
    });

    it("verify the server where the client can", () => {
        const verified: MetastoreConnection = { ...metastore, sslMode: "verify-full", caCertificate: "pem" };
        assert.deepEqual(read(directUrl(verified)).query, {
            sslmode: "verify-full",
            sslrootcert: "/etc/metastore-ca/ca.pem",
        });
        // The operator has no such file.
        assert.deepEqual(read(kedaUrl(verified)).query, { sslmode: "require" });
    });

    it("for the asynchronous engine say ssl, never sslmode, and go past PgBouncer (facts 3)", () => {
        for (const sslMode of ["require", "verify-full"] as const) {
            const parsed = read(asyncUrl({ ...metastore, sslMode }));
            assert.deepEqual(parsed.query, { ssl: "require" });
            assert.deepEqual([parsed.scheme, parsed.host, parsed.port], ["postgresql+asyncpg", metastore.host, 5432]);
        }
        assert.deepEqual(read(asyncUrl({ ...metastore, sslMode: "disable" })).query, {});
    });

    it("take addresses of IPv6", () =>
        assert.equal(read(databaseUrl({ ...metastore, host: "fd00::1" })).host, "[fd00::1]"));
});

describe("PgBouncer's files", () => {
    const ini = pgbouncerIni(metastore, {}, "airflow");

    it("lead to the metastore, not to the server that the chart would assume (facts 3)", () => {
        assert.match(
            ini,
            /^airflow-metadata = host=metastore\.abc\.eu-west-1\.rds\.amazonaws\.com port=5432 dbname=airflow /m,
        );
        assert.match(ini, /^airflow-result-backend = host=metastore\./m);
        assert.ok(!ini.includes("airflow-postgresql"));
    });

    it("encrypt towards the database, and verify it where a certificate is given", () => {
        assert.match(ini, /^server_tls_sslmode = require$/m);
        const verified = pgbouncerIni({ ...metastore, sslMode: "verify-full" }, {}, "airflow");
        assert.match(verified, /^server_tls_sslmode = verify-full$/m);
        assert.match(verified, /^server_tls_ca_file = \/etc\/metastore-ca\/ca\.pem$/m);
    });

    it("listen where the connections lead, pool by transaction, follow prepared statements", () => {
        for (const line of [
            "listen_port = 6543",
            "pool_mode = transaction",
            "auth_type = scram-sha-256",
            "max_prepared_statements = 200",
        ]) {
            assert.ok(ini.split("\n").includes(line), line);
        }
    });

    it("have the sizes that are set", () => {
        const sized = pgbouncerIni(metastore, { poolSize: 7, maxClientConnections: 99 }, "airflow");
        assert.match(sized, / pool_size=7$/m);
        assert.match(sized, /^max_client_conn = 99$/m);
    });

    it("quote a database name that needs it", () =>
        assert.match(pgbouncerIni({ ...metastore, database: "it's mine" }, {}, "airflow"), / dbname='it''s mine' /));

    it("double the quotes in users.txt, and nothing else", () => {
        const users = pgbouncerUsers({ ...metastore, user: 'a"b', password: 'c"d\\e%f' }, "stats");
        assert.equal(users, '"a""b" "c""d\\e%f"\n"airflow_stats" "stats"\n');
    });

    it("refuse a line break, for which they have no spelling", () =>
        assert.throws(() => pgbouncerUsers({ ...metastore, password: "a\nb" }, "stats"), /line break/));

    it("let statistics be read without the database's password", () => {
        assert.match(ini, /^stats_users = airflow_stats$/m);
        assert.equal(pgbouncerStatsUrl("x"), "postgresql://airflow_stats:x@127.0.0.1:6543/pgbouncer?sslmode=disable");
        // Nobody is made Airflow's role by logging in as somebody else.
        assert.ok(!/ user=/.test(ini));
    });
});

describe("a password's verifier", () => {
    it("is what PostgreSQL computes (RFC 5802)", () => {
        const [, iterations, salt, stored, server] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)$/.exec(
            scramVerifier("airflow", "secret"),
        )!;
        const salted = pbkdf2Sync("secret", Buffer.from(salt, "base64"), Number(iterations), 32, "sha256");
        assert.equal(server, createHmac("sha256", salted).update("Server Key").digest("base64"));
        assert.equal(Buffer.from(stored, "base64").length, 32);
        assert.equal(Buffer.from(salt, "base64").length, 16);
    });

    it("is the same each time, so that nothing changes between deployments", () => {
        assert.equal(scramVerifier("a", "b"), scramVerifier("a", "b"));
        assert.notEqual(scramVerifier("a", "b"), scramVerifier("a", "c"));
        assert.notEqual(scramVerifier("a", "b"), scramVerifier("c", "b"));
    });
});
