import { isObject } from "../../../shell/values";
import type { Properties } from "../../../shell/type";
import type { Manifest } from "../../api/object";
import { at, record, records, text } from "../../api/value";
import { plain, service } from "../build";
import { AirflowParts } from "./airflowParts";

/** Workers: the first ones, and what `workers.celery.sets` adds, each with the first ones' values under its own. */
export function workers(parts: AirflowParts): Manifest[] {
    const { request, values } = parts;
    if (!parts.celery()) {
        return [];
    }
    const sets = records(at(values, "workers", "sets")).map(
        (set) =>
            new AirflowParts(
                request,
                { ...values, workers: mergeSet(record(values.workers), set) },
                text(set.name) ?? "",
            ),
    );
    const first = at(values, "workers", "enableDefault") === false ? [] : [parts];
    return [...first, ...sets].flatMap((set) => [
        ...set.component("worker", "workers", { logs: true, groomer: true, dags: true, ownVolume: true }),
        headless(set.objectName("worker"), set.namespace, set.labels("worker"), "worker-logs", 8793),
        ...scaledObject(set, "worker", "workers", workerQuery(set.values)),
    ]);
}

export function headless(
    name: string,
    namespace: string,
    selector: Record<string, string>,
    port: string,
    number: number,
): Manifest {
    return service(name, namespace, selector, [{ name: port, port: number }], { clusterIP: "None" });
}

/** Maps that a set replaces as a whole. Source: `workersMergeValues` in the chart's _helpers.yaml. */
const WHOLE = [
    "annotations",
    "podAnnotations",
    "resources",
    "nodeSelector",
    "affinity",
    "labels",
    "advanced",
    "config",
];

function mergeSet(below: Properties, above: Properties): Properties {
    const merged = { ...below };
    for (const [key, value] of Object.entries(above)) {
        const before = merged[key];
        if (isObject(before) && isObject(value) && !WHOLE.includes(key)) {
            merged[key] = mergeSet(before, value);
        } else if (!(Array.isArray(value) && value.length === 0 && before !== undefined)) {
            merged[key] = value;
        }
    }
    return merged;
}

/** What KEDA scales a component by: the answer to a query, unless another is given. */
export function scaledObject(parts: AirflowParts, component: string, section: string, query: string): Manifest[] {
    const { namespace, values } = parts;
    const keda = record(at(values, section, "keda"));
    if (keda.enabled !== true) {
        return [];
    }
    const name = parts.objectName(component);
    const persistent = at(values, section, "persistence", "enabled") === true;
    return [
        plain("keda.sh/v1alpha1", "ScaledObject", name, namespace, {
            spec: {
                scaleTargetRef: {
                    kind: persistent ? "StatefulSet" : "Deployment",
                    name,
                    envSourceContainerName: component,
                },
                pollingInterval: keda.pollingInterval,
                cooldownPeriod: keda.cooldownPeriod,
                minReplicaCount: keda.minReplicaCount,
                maxReplicaCount: keda.maxReplicaCount,
                ...(keda.advanced ? { advanced: keda.advanced } : {}),
                triggers: [
                    {
                        type: "postgresql",
                        metadata: {
                            targetQueryValue: "1",
                            connectionFromEnv:
                                parts.on("pgbouncer") && keda.usePgbouncer !== true
                                    ? "KEDA_DB_CONN"
                                    : "AIRFLOW_CONN_AIRFLOW_DB",
                            query: text(keda.query) ?? query,
                        },
                    },
                ],
            },
        }),
    ];
}

/** The chart's own query for workers, with the values in it. */
function workerQuery(values: Properties): string {
    const queues = String(at(values, "workers", "queue"))
        .split(",")
        .map((queue) => `'${queue.trim()}'`);
    return (
        `SELECT ceil(COUNT(*)::decimal / ${String(at(values, "config", "celery", "worker_concurrency"))}) FROM task_instance ` +
        `WHERE (state='running' OR state='queued') AND queue IN (${queues.join(",")})`
    );
}
