import { type Problem, under } from "../shared/check";
import { keysOf, listOf } from "../shared/shape";
import {
    checkPlacement,
    NodeCapacity,
    nodeSelectorOf,
    type PodPlacement,
    placementShape,
    spreadOverZones,
    tolerationsOf,
} from "./placement";
import { checkReplicas, checkResources, type PodResources, resourcesShape } from "./resources";
import { checkWorkerScaling, kedaValues, scalingShape, type WorkerScaling } from "./scaling";

/** The Celery workers, which run the tasks. */
export interface WorkerSettings {
    /** How many run when nothing scales them. @default 2, as in the article */
    replicas?: number;
    /** How many tasks one worker runs at a time. Each takes 250 to 300 MiB and more, by what it does. @default 4. The article uses 2 with 1 GiB. */
    concurrency?: number;
    /** The queues that they take tasks from. @default default */
    queues?: string[];
    /** CPU and memory. @default 500m, 2Gi up to 2560Mi. The article has 500m and 1024Mi, for a concurrency of 2. */
    resources?: PodResources;
    /**
     * How long a worker that is told to go may finish its tasks, in seconds. A Spot node gives it 120 of them, whatever stands here.
     * @default 600, as in the article
     */
    terminationGracePeriodSeconds?: number;
    /**
     * How often Airflow tries a task again that names no `retries` of its own. A Spot node takes with it what has not finished after two
     * minutes.
     * @default 2 on Spot and mixed nodes, 0 on demand
     */
    defaultTaskRetries?: number;
    /** Where they run. @default on Spot nodes */
    placement?: PodPlacement;
    /** How KEDA scales them. */
    scaling?: WorkerScaling;
}

/** The shape of {@link WorkerSettings}. */
export const workersShape = keysOf<WorkerSettings>({
    replicas: "integer",
    concurrency: "integer",
    queues: listOf("string"),
    resources: resourcesShape,
    terminationGracePeriodSeconds: "integer",
    defaultTaskRetries: "integer",
    placement: placementShape,
    scaling: scalingShape,
});

const DEFAULT_CONCURRENCY = 4;
const DEFAULT_RESOURCES: PodResources = {
    requests: { cpu: "500m", memory: "2Gi" },
    limits: { memory: "2560Mi" },
};

/** How many tasks a worker runs at a time. */
export function concurrencyOf(workers: WorkerSettings): number {
    return workers.concurrency ?? DEFAULT_CONCURRENCY;
}

/** The queues that the workers take tasks from. */
export function queuesOf(workers: WorkerSettings): string[] {
    return workers.queues ?? ["default"];
}

/** Whether a text can be a queue's name, in the worker's arguments and in KEDA's query. */
export function isQueueName(queue: string): boolean {
    return /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(queue);
}

/** What is wrong with the settings of workers. */
export function checkWorkers(workers: WorkerSettings = {}): Problem[] {
    const problems = [
        ...checkReplicas("replicas", workers.replicas),
        ...checkResources("resources", workers.resources),
        ...under("placement", checkPlacement(workers.placement)),
        ...under("scaling", checkWorkerScaling(workers.scaling)),
    ];
    const refuse = (path: string, message: string) => problems.push({ path, message });
    const concurrency = concurrencyOf(workers);
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 1000) {
        refuse(
            "concurrency",
            `${workers.concurrency} is not a whole number from 1 to 1000: with 0 a worker runs nothing, and KEDA divides by it`,
        );
    }
    const grace = workers.terminationGracePeriodSeconds ?? 600;
    if (!Number.isInteger(grace) || grace < 30) {
        refuse("terminationGracePeriodSeconds", `${grace} is not a whole number of at least 30`);
    }
    const retries = workers.defaultTaskRetries ?? 0;
    if (!Number.isInteger(retries) || retries < 0) {
        refuse("defaultTaskRetries", `${retries} is not a whole number of at least 0`);
    }
    const queues = queuesOf(workers);
    if (queues.length === 0) {
        refuse("queues", "name at least one queue; workers without one run nothing");
    }
    queues.forEach((queue, index) => {
        if (!isQueueName(queue)) {
            refuse(`queues[${index}]`, `"${queue}" must be letters, digits and any of _.-, and not begin with . or -`);
        } else if (queues.indexOf(queue) !== index) {
            refuse(`queues[${index}]`, `"${queue}" is there twice`);
        }
    });
    const scaling = workers.scaling ?? {};
    const [least, most] = [scaling.minReplicas ?? 2, scaling.maxReplicas ?? 10];
    if (
        (scaling.enabled ?? true) &&
        workers.replicas !== undefined &&
        (workers.replicas < least || workers.replicas > most)
    ) {
        refuse(
            "replicas",
            `${workers.replicas} is outside the limits that KEDA keeps, ${least} to ${most}; leave it out or move the limits`,
        );
    }
    return problems;
}

/** The most pods that there can be. */
export function mostWorkers(workers: WorkerSettings): number {
    return (workers.scaling?.enabled ?? true) ? (workers.scaling?.maxReplicas ?? 10) : (workers.replicas ?? 2);
}

/** The values of `workers` and of the settings that must agree with them; `elsewhere` is how many tasks other workers can run. */
export function workerValues(workers: WorkerSettings = {}, paused: boolean, elsewhere = 0) {
    const concurrency = concurrencyOf(workers);
    const queues = queuesOf(workers);
    const capacity = workers.placement?.capacity ?? NodeCapacity.Spot;
    const scaled = (workers.scaling?.enabled ?? true) && !paused;
    const onDemand = capacity === NodeCapacity.OnDemand;
    return {
        workers: {
            celery: {
                replicas: paused ? 0 : (workers.replicas ?? 2),
                queue: queues.join(","),
                keda: scaled ? kedaValues(workers.scaling ?? {}, concurrency, queues) : { enabled: false },
                // Logs live on the shared volume or in S3; a disk for each worker would tie it to one zone.
                persistence: { enabled: false },
                resources: workers.resources ?? DEFAULT_RESOURCES,
                terminationGracePeriodSeconds: workers.terminationGracePeriodSeconds ?? 600,
                nodeSelector: nodeSelectorOf(workers.placement, NodeCapacity.Spot),
                tolerations: tolerationsOf(workers.placement),
                topologySpreadConstraints: spreadOverZones("worker"),
                // On Spot nodes a budget would hold back the eviction that gives a worker its two minutes.
                podDisruptionBudget: { enabled: onDemand, ...(onDemand ? { config: { maxUnavailable: 1 } } : {}) },
                // New workers come before old ones go, and old ones finish their tasks meanwhile.
                strategy: { rollingUpdate: { maxSurge: "50%", maxUnavailable: "0%" } },
                // The probe starts a Python of its own, slow beside busy tasks.
                livenessProbe: { timeoutSeconds: 60 },
            },
        },
        config: {
            core: {
                default_task_retries: String(workers.defaultTaskRetries ?? (onDemand ? 0 : 2)),
                // Airflow lets 32 tasks run unless told otherwise, however many workers wait for more.
                parallelism: String(Math.max(32, mostWorkers(workers) * concurrency + elsewhere)),
            },
            celery: { worker_concurrency: concurrency },
        },
    };
}
