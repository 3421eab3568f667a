import { type Problem, under } from "../shared/check";
import { type HelmValues, mergeValues } from "../shared/helmValues";
import { isDnsLabel } from "../shared/kubernetesNames";
import { checkSetValues } from "./furtherValues";
import { NodeCapacity } from "./placement";
import { workerCountQuery } from "./scaling";
import { concurrencyOf, isQueueName, queuesOf, type WorkerSettings } from "./workers";

/**
 * Further sets of workers, in the further values at `workers.celery.sets`: each has a name and queues of its own, and what it does not
 * say it has from the first one. The chart gives each a Deployment, a ScaledObject and a service account.
 */
function workerSetsOf(values: HelmValues | undefined): HelmValues[] {
    const workers = values?.workers as HelmValues | undefined;
    const sets = (workers?.celery as HelmValues | undefined)?.sets;
    return Array.isArray(sets) ? sets.filter((set) => typeof set === "object" && set !== null) : [];
}

/** The service accounts of further sets of workers. */
export function setAccounts(values: HelmValues | undefined, release: string): string[] {
    return workerSetsOf(values).map((set) => {
        const name = (set.serviceAccount as HelmValues | undefined)?.name;
        return typeof name === "string" && name !== "" ? name : `${release}-worker-${String(set.name)}`;
    });
}

/** What is wrong with further sets of workers. */
export function checkWorkerSets(values: HelmValues | undefined, workers: WorkerSettings = {}): Problem[] {
    const taken = new Map(queuesOf(workers).map((queue) => [queue, "the arg workers"]));
    const names = new Set(["default"]);
    const problems = workerSetsOf(values).flatMap((set, index) => {
        const found = checkSetValues(set);
        const { name } = set;
        if (typeof name !== "string" || !isDnsLabel(name) || name.length > 40 || names.has(name)) {
            found.push({
                path: "name",
                message: `${JSON.stringify(name)} is no name of its own: at most 40 of a-z, 0-9 and "-", and not "default"`,
            });
        } else {
            names.add(name);
        }
        for (const queue of setQueues(set)) {
            if (!isQueueName(queue)) {
                found.push({
                    path: "queue",
                    message: "name the set's queues: letters, digits and any of _.-, joined by commas",
                });
            } else if (taken.has(queue)) {
                found.push({
                    path: "queue",
                    message: `${taken.get(queue)} takes tasks from "${queue}" too, so that KEDA would start workers twice for each; name other queues`,
                });
            } else {
                taken.set(queue, `workers.celery.sets[${index}]`);
            }
        }
        if (hasBudget(values, workers) && set.podDisruptionBudget !== undefined) {
            found.push({
                path: "podDisruptionBudget",
                message:
                    "the budget of the first workers holds for these pods too, and Kubernetes evicts no pod that has two; leave it out",
            });
        }
        if (isScaled(set, workers) && !workers.scaling?.kedaInstalled) {
            found.push({
                path: "keda.enabled",
                message: "needs KEDA in the cluster: set workers.scaling.kedaInstalled to true",
            });
        }
        return under(`workers.celery.sets[${index}]`, found);
    });
    return under("values", problems);
}

/** How many tasks further sets of workers can run at a time. */
export function capacityOfSets(values: HelmValues | undefined, workers: WorkerSettings, most: number): number {
    return workerSetsOf(values).reduce((sum, set) => {
        const keda = set.keda as HelmValues | undefined;
        const pods = isScaled(set, workers) ? (keda?.maxReplicaCount ?? most) : (set.replicas ?? workers.replicas ?? 2);
        return sum + Number(pods) * concurrencyOf(workers);
    }, 0);
}

/**
 * The values with what further sets of workers need: KEDA's query for their own queues, since they would have the one of the first
 * workers; no budget beside that of the first workers, which the chart makes for all pods of workers; and no pods in a pause.
 */
export function withWorkerSets(values: HelmValues, workers: WorkerSettings, paused: boolean): HelmValues {
    const sets = workerSetsOf(values);
    if (sets.length === 0) {
        return values;
    }
    const alike: HelmValues = {
        ...(hasBudget(values, workers) ? { podDisruptionBudget: { enabled: false } } : {}),
        ...(paused ? { replicas: 0, keda: { enabled: false } } : {}),
    };
    const complete = sets.map((set) =>
        mergeValues(
            isScaled(set, workers)
                ? mergeValues(set, { keda: { query: workerCountQuery(concurrencyOf(workers), setQueues(set)) } })
                : set,
            alike,
        ),
    );
    return mergeValues(values, { workers: { celery: { sets: complete } } });
}

/** Whether the first workers have a disruption budget. */
function hasBudget(values: HelmValues | undefined, workers: WorkerSettings): boolean {
    const celery = (values?.workers as HelmValues | undefined)?.celery as HelmValues | undefined;
    const given = (celery?.podDisruptionBudget as HelmValues | undefined)?.enabled;
    return given === undefined ? workers.placement?.capacity === NodeCapacity.OnDemand : given === true;
}

function isScaled(set: HelmValues, workers: WorkerSettings): boolean {
    return ((set.keda as HelmValues | undefined)?.enabled ?? workers.scaling?.enabled ?? true) === true;
}

function setQueues(set: HelmValues): string[] {
    return String(set.queue ?? "")
        .split(",")
        .map((queue) => queue.trim());
}
