import { Kinds, type Cluster } from "../cluster";
import { namespaceOf, specOf, type Manifest } from "../api/object";
import { at, records } from "../api/value";

const fact = { apiVersion: "rehearsal/v1", kind: "Fact" };

/**
 * Airflow's pods wait (init container `wait-for-airflow-migrations`) until somebody has migrated the database. Once done
 * it stays done, also when the Job that did it is gone.
 */
export function migrationProblem(cluster: Cluster, pod: Manifest): string | undefined {
    const waits = records(specOf(pod).initContainers).some(({ name }) => name === "wait-for-airflow-migrations");
    if (!waits || cluster.get(fact, namespaceOf(pod), "airflow-database-migrated")) {
        return undefined;
    }
    const done = cluster
        .inNamespace(Kinds.Job, namespaceOf(pod))
        .some(
            (job) =>
                at(job.outputs, "status", "completionTime") !== undefined &&
                /\bmigrate\b/.test(JSON.stringify(at(job.outputs, "spec", "template", "spec"))),
        );
    if (done) {
        cluster.apply(fact, { metadata: { name: "airflow-database-migrated", namespace: namespaceOf(pod) } });
        return undefined;
    }
    return "wait-for-airflow-migrations: TimeoutError: There are still unapplied migrations after 60 seconds";
}
