import { isObject } from "../../../shell/values";
import type { Properties } from "../../../shell/type";
import type { Manifest } from "../../api/object";
import { at, record, records, text } from "../../api/value";
import { plain, service } from "../build";
import { AirflowParts } from "./airflowParts";

/** Workers: the first ones, and what `workers.celery.sets` adds, each with the first ones' values under its own. */
export function workers(parts: AirflowParts): Manifest[] {
    const { request, values } = parts;
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
        ...scaledObject(set),
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

function scaledObject(parts: AirflowParts): Manifest[] {
    const { namespace, values } = parts;
    const keda = record(at(values, "workers", "keda"));
    if (keda.enabled !== true) {
        return [];
    }
    const name = parts.objectName("worker");
    const persistent = at(values, "workers", "persistence", "enabled") === true;
    return [
        plain("keda.sh/v1alpha1", "ScaledObject", name, namespace, {
            spec: {
                scaleTargetRef: {
                    kind: persistent ? "StatefulSet" : "Deployment",
                    name,
                    envSourceContainerName: "worker",
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
                            connectionFromEnv: parts.usesKeda() ? "KEDA_DB_CONN" : "AIRFLOW_CONN_AIRFLOW_DB",
                            query: text(keda.query) ?? defaultQuery(values),
                        },
                    },
                ],
            },
        }),
    ];
}

/** The chart's own query with the values in it. */
function defaultQuery(values: Properties): string {
    const queues = String(at(values, "workers", "queue"))
        .split(",")
        .map((queue) => `'${queue.trim()}'`);
    return (
        `SELECT ceil(COUNT(*)::decimal / ${String(at(values, "config", "celery", "worker_concurrency"))}) FROM task_instance ` +
        `WHERE (state='running' OR state='queued') AND queue IN (${queues.join(",")})`
    );
}
