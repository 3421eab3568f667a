import { type Problem } from "../shared/check";
import { parseQuantity } from "../shared/quantity";
import { keysOf, mapOf } from "../shared/shape";

/** CPU and memory of a container, as Kubernetes quantities. */
export interface PodResources {
    /** What the scheduler reserves on a node. */
    requests?: Record<string, string>;
    /** What the container may not exceed: it is slowed down (CPU) or killed (memory). */
    limits?: Record<string, string>;
}

/** How many pods a part of Airflow has and how large they are. */
export interface ComponentSize {
    /** The number of pods. @default 1 */
    replicas?: number;
    /** CPU and memory of each. */
    resources?: PodResources;
}

/**
 * The size of each part of Airflow. The defaults are what Airflow 3 needs with some hundred DAGs: no CPU limits, which only
 * make probes fail, and memory requested as far as it is used.
 */
export interface AirflowSizes {
    /** UI and API, in Airflow 3 also what every task talks to. @default 1 pod, 500m, 1536Mi up to 2Gi */
    apiServer?: ComponentSize;
    /** Decides what runs when. @default 1 pod, 500m, 1Gi up to 2Gi */
    scheduler?: ComponentSize;
    /** Reads the DAG files. @default 1 pod, 500m, 1Gi up to 2Gi */
    dagProcessor?: ComponentSize;
    /** Waits for deferred tasks. @default 1 pod, 250m, 768Mi up to 1536Mi */
    triggerer?: ComponentSize;
    /** Hands tasks to workers. @default 100m, 128Mi up to 512Mi */
    redis?: PodResources;
    /** Turns metrics into Prometheus' form. @default 50m, 64Mi up to 128Mi */
    statsd?: PodResources;
    /** Pools the connections to the database. @default 100m, 128Mi, as in the article */
    pgbouncer?: PodResources;
    /** Deletes old logs: one CronJob on a shared volume, a sidecar in each pod with a bucket. @default 100m, 128Mi, as in the article */
    logGroomer?: PodResources;
    /** Fetches DAGs, in each pod that needs them. @default 50m, 128Mi up to 256Mi */
    gitSync?: PodResources;
    /** Migration and user creation. @default 250m, 768Mi up to 1536Mi */
    jobs?: PodResources;
}

/** The shape of {@link PodResources}. */
export const resourcesShape = keysOf<PodResources>({ requests: mapOf("string"), limits: mapOf("string") });
const sizeShape = keysOf<ComponentSize>({ replicas: "integer", resources: resourcesShape });

/** The shape of {@link AirflowSizes}. */
export const sizesShape = keysOf<AirflowSizes>({
    apiServer: sizeShape,
    scheduler: sizeShape,
    dagProcessor: sizeShape,
    triggerer: sizeShape,
    redis: resourcesShape,
    statsd: resourcesShape,
    pgbouncer: resourcesShape,
    logGroomer: resourcesShape,
    gitSync: resourcesShape,
    jobs: resourcesShape,
});

/** The sizes with their defaults. */
export function sizesOf(given: AirflowSizes = {}) {
    const size = (part: ComponentSize | undefined, resources: PodResources) => ({
        replicas: part?.replicas ?? 1,
        resources: part?.resources ?? resources,
    });
    const article: PodResources = {
        requests: { cpu: "100m", memory: "128Mi" },
        limits: { cpu: "100m", memory: "128Mi" },
    };
    return {
        apiServer: size(given.apiServer, of("500m", "1536Mi", "2Gi")),
        scheduler: size(given.scheduler, of("500m", "1Gi", "2Gi")),
        dagProcessor: size(given.dagProcessor, of("500m", "1Gi", "2Gi")),
        triggerer: size(given.triggerer, of("250m", "768Mi", "1536Mi")),
        redis: given.redis ?? of("100m", "128Mi", "512Mi"),
        statsd: given.statsd ?? of("50m", "64Mi", "128Mi"),
        pgbouncer: given.pgbouncer ?? article,
        logGroomer: given.logGroomer ?? article,
        gitSync: given.gitSync ?? of("50m", "128Mi", "256Mi"),
        jobs: given.jobs ?? of("250m", "768Mi", "1536Mi"),
    };
}

/** Sizes in which nothing is left open. */
export type ResolvedSizes = ReturnType<typeof sizesOf>;

/** What is wrong with sizes. */
export function checkSizes(sizes: AirflowSizes = {}): Problem[] {
    return Object.entries(sizes).flatMap(([part, size]) => {
        if (size === undefined) {
            return [];
        }
        const sized = size as ComponentSize & PodResources;
        const problems = checkReplicas(`${part}.replicas`, sized.replicas);
        const nested = ["apiServer", "scheduler", "dagProcessor", "triggerer"].includes(part);
        return [...problems, ...checkResources(nested ? `${part}.resources` : part, nested ? sized.resources : sized)];
    });
}

/** What is wrong with a number of pods. */
export function checkReplicas(path: string, replicas: number | undefined): Problem[] {
    return replicas === undefined || (Number.isInteger(replicas) && replicas >= 1)
        ? []
        : [{ path, message: `${replicas} is not a whole number of at least 1; to stop Airflow use paused` }];
}

/** What is wrong with CPU and memory. */
export function checkResources(path: string, resources: PodResources | undefined): Problem[] {
    const problems: Problem[] = [];
    for (const part of ["requests", "limits"] as const) {
        for (const [resource, quantity] of Object.entries(resources?.[part] ?? {})) {
            if (parseQuantity(quantity) === undefined) {
                problems.push({
                    path: `${path}.${part}.${resource}`,
                    message: `"${quantity}" is no Kubernetes quantity, such as 500m or 1Gi`,
                });
            }
        }
    }
    for (const [resource, request] of Object.entries(resources?.requests ?? {})) {
        const limit = resources?.limits?.[resource];
        if (limit !== undefined && (parseQuantity(request) ?? 0) > (parseQuantity(limit) ?? Infinity)) {
            problems.push({
                path: `${path}.requests.${resource}`,
                message: `${request} is more than the limit, ${limit}`,
            });
        }
    }
    return problems;
}

function of(cpu: string, memory: string, memoryLimit: string): PodResources {
    return { requests: { cpu, memory }, limits: { memory: memoryLimit } };
}
