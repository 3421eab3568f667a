import { type Problem } from "../shared/check";
import { keysOf } from "../shared/shape";

/** How KEDA scales the workers by the tasks in the metastore. */
export interface WorkerScaling {
    /** Whether it does; otherwise `workers.replicas` run all the time. @default true */
    enabled?: boolean;
    /**
     * That KEDA runs in the cluster, for instance by the component `Keda`. Without it Kubernetes does not know what a
     * ScaledObject is, and the release fails.
     * @default false, which is refused as long as scaling is enabled
     */
    kedaInstalled?: boolean;
    /** How often KEDA asks the metastore, in seconds. @default 5. The article uses 3. */
    pollingSeconds?: number;
    /** After how many seconds without tasks the last workers go, when `minReplicas` is 0. @default 660, the grace period and a minute. The article uses 30. */
    cooldownSeconds?: number;
    /** Workers that always run. 0 makes the first task wait for a pod, and often for a node. @default 2, as in the article */
    minReplicas?: number;
    /** Workers at most. @default 10, as in the article */
    maxReplicas?: number;
    /**
     * For how long fewer tasks must have been there before workers go, in seconds. A worker that goes finishes its tasks within the
     * grace period, but takes no new ones.
     * @default 300
     */
    scaleDownStabilizationSeconds?: number;
}

/** The shape of {@link WorkerScaling}. */
export const scalingShape = keysOf<WorkerScaling>({
    enabled: "boolean",
    kedaInstalled: "boolean",
    pollingSeconds: "integer",
    cooldownSeconds: "integer",
    minReplicas: "integer",
    maxReplicas: "integer",
    scaleDownStabilizationSeconds: "integer",
});

/** What is wrong with the scaling of workers. */
export function checkWorkerScaling(scaling: WorkerScaling = {}): Problem[] {
    if (!(scaling.enabled ?? true)) {
        return [];
    }
    const problems: Problem[] = [];
    const refuse = (path: string, message: string) => problems.push({ path, message });
    if (!scaling.kedaInstalled) {
        refuse(
            "kedaInstalled",
            "workers are scaled by KEDA, which must be in the cluster: deploy the Keda component before Airflow and set this to true, or set enabled to false",
        );
    }
    const whole = (path: keyof WorkerScaling, least: number) => {
        const value = scaling[path];
        if (value !== undefined && (!Number.isInteger(value) || (value as number) < least)) {
            refuse(path, `${value} is not a whole number of at least ${least}`);
        }
    };
    whole("pollingSeconds", 1);
    whole("cooldownSeconds", 0);
    whole("minReplicas", 0);
    whole("maxReplicas", 1);
    whole("scaleDownStabilizationSeconds", 0);
    const [least, most] = [scaling.minReplicas ?? 2, scaling.maxReplicas ?? 10];
    if (least > most) {
        refuse("minReplicas", `${least} is more than maxReplicas, ${most}`);
    }
    if ((scaling.scaleDownStabilizationSeconds ?? 0) > 3600) {
        refuse("scaleDownStabilizationSeconds", "Kubernetes takes 3600 at most");
    }
    return problems;
}

/**
 * How many workers the tasks in the metastore need: those that run or wait, by the number that one worker takes. KEDA asks
 * PostgreSQL this; with a target of 1 the answer is the number of pods.
 *
 * The same text as the chart's own, spelled out so that it is what the tests have run on a real server.
 */
export function workerCountQuery(concurrency: number, queues: string[]): string {
    const list = queues.map((queue) => `'${queue.replace(/'/g, "''")}'`).join(",");
    return (
        `SELECT ceil(COUNT(*)::decimal / ${concurrency}) FROM task_instance ` +
        `WHERE (state='running' OR state='queued') AND queue IN (${list})`
    );
}

/** The values of `workers.celery.keda`. */
export function kedaValues(scaling: WorkerScaling, concurrency: number, queues: string[]) {
    return {
        enabled: true,
        pollingInterval: scaling.pollingSeconds ?? 5,
        cooldownPeriod: scaling.cooldownSeconds ?? 660,
        minReplicaCount: scaling.minReplicas ?? 2,
        maxReplicaCount: scaling.maxReplicas ?? 10,
        query: workerCountQuery(concurrency, queues),
        // Transaction pooling and prepared statements do not go together (apache/airflow#32590).
        usePgbouncer: false,
        advanced: {
            horizontalPodAutoscalerConfig: {
                behavior: {
                    scaleDown: { stabilizationWindowSeconds: scaling.scaleDownStabilizationSeconds ?? 300 },
                },
            },
        },
    };
}
