/**
 * The program that carries the steps of `bootstrapSql.ts` out, in the Airflow image: it is on every node anyway, comes from
 * the registry that the user has chosen, and must contain a PostgreSQL driver for Airflow itself.
 *
 * It prints titles and the server's own messages, never SQL. A server that cannot be reached yet is waited for; every other
 * failure ends the program, and the Job tries again.
 */
export const BOOTSTRAP_SCRIPT = `
import json, os, sys, time
try:
    import psycopg2 as driver
except ImportError:
    import psycopg as driver

plan = json.loads(os.environ["BOOTSTRAP_PLAN"])
deadline = time.monotonic() + int(os.environ.get("BOOTSTRAP_WAIT_SECONDS", "300"))
connections = {}

def connect(where):
    if where in connections:
        return connections[where]
    while True:
        try:
            connection = driver.connect(
                password=os.environ["BOOTSTRAP_PASSWORD"], dbname=plan["databases"][where],
                connect_timeout=10, application_name="metastore-bootstrap", **plan["server"])
            connection.autocommit = True
            connections[where] = connection
            return connection
        except driver.OperationalError as error:
            print("cannot connect yet:", str(error).strip(), flush=True)
            if time.monotonic() > deadline:
                sys.exit(1)
            time.sleep(5)

for step in plan["steps"]:
    cursor = connect(step["in"]).cursor()
    try:
        cursor.execute(step["sql"])
        generated = [row[0] for row in cursor.fetchall()] if step["generates"] else []
        for statement in generated:
            cursor.execute(statement)
    except driver.Error as error:
        diagnosis = getattr(error, "diag", None)
        reason = getattr(diagnosis, "message_primary", None) or type(error).__name__
        print("FAILED:", step["title"] + ":", reason, flush=True)
        sys.exit(1)
    if step["generates"] and not generated:
        print("already done:", step["title"], flush=True)
    else:
        print("done:", step["title"], flush=True)
`.trimStart();

/** What the program reads from its environment as `BOOTSTRAP_PLAN`. */
export interface BootstrapPlan {
    /** Keyword arguments of the driver's `connect`. */
    server: Record<string, string | number>;
    /** The databases by the word that steps use for them. */
    databases: { admin: string; airflow: string };
    steps: { title: string; in: string; sql: string; generates: boolean }[];
}
