import { Kinds, type Cluster } from "../cluster";
import { nameOf, namespaceOf, specOf } from "../api/object";
import type { Kind } from "../api/kinds";
import { at, numberOr, record, records, text } from "../api/value";
import { podsOf } from "./status";

const operatorImage = /kedacore\/keda:|keda-operator/;

/** Whether KEDA's operator runs: it scales, and it takes its finalizer off. */
export function kedaAlive(cluster: Cluster): boolean {
    return cluster
        .manifests(Kinds.Deployment)
        .filter(
            (one) =>
                nameOf(one) === "keda-operator" ||
                operatorImage.test(JSON.stringify(at(one, "spec", "template", "spec", "containers") ?? "")),
        )
        .some((one) => podsOf(cluster, Kinds.Deployment, one).some((pod) => at(pod, "status", "phase") === "Running"));
}

/** Scales targets as a quiet system would: to the minimum. Source: keda.sh, "ScaledObject specification". */
export function reconcileScaledObjects(cluster: Cluster): void {
    if (!kedaAlive(cluster)) {
        return;
    }
    for (const scaled of cluster.list(Kinds.ScaledObject)) {
        const spec = specOf(scaled.outputs);
        const kind = targetKind(text(at(spec, "scaleTargetRef", "kind")) ?? "Deployment");
        const target =
            kind && cluster.get(kind, namespaceOf(scaled.outputs), String(at(spec, "scaleTargetRef", "name")));
        const problem = !target
            ? `target ${String(at(spec, "scaleTargetRef", "name"))} not found`
            : triggerProblem(scaled.outputs, target.outputs);
        if (!target || problem) {
            cluster.event(Kinds.ScaledObject, scaled.outputs, "ScaledObjectCheckFailed", problem ?? "");
            cluster.setStatus(scaled, {
                conditions: [{ type: "Ready", status: "False", reason: "ScaledObjectCheckFailed", message: problem }],
            });
            continue;
        }
        cluster.clearEvents(Kinds.ScaledObject, scaled.outputs);
        cluster.setStatus(scaled, { conditions: [{ type: "Ready", status: "True" }], scaleTargetKind: kind.kind });
        const minimum = numberOr(spec.minReplicaCount, 0);
        const maximum = numberOr(spec.maxReplicaCount, 100);
        const now = numberOr(specOf(target.outputs).replicas, 1);
        // Above the minimum only as far as somebody (a rehearsal's load) has asked for.
        const asked = numberOr(at(scaled.outputs, "metadata", "annotations", "rehearsal/replicas"), minimum);
        const wanted = Math.min(Math.max(asked, minimum), maximum);
        if (now !== wanted) {
            cluster.update(target, { ...target.outputs, spec: { ...specOf(target.outputs), replicas: wanted } });
        }
    }
}

function targetKind(kind: string): Kind | undefined {
    return [Kinds.Deployment, Kinds.StatefulSet].find((one) => one.kind === kind);
}

/** A connection that is read from the target's environment must be there. */
function triggerProblem(scaled: Record<string, unknown>, target: Record<string, unknown>): string | undefined {
    for (const trigger of records(specOf(scaled).triggers)) {
        const variable = text(at(trigger, "metadata", "connectionFromEnv"));
        const containers = records(at(target, "spec", "template", "spec", "containers"));
        const name = text(at(specOf(scaled), "scaleTargetRef", "envSourceContainerName"));
        const container = record(name ? containers.find((one) => one.name === name) : containers[0]);
        if (
            variable &&
            !records(container.env).some((one) => one.name === variable) &&
            records(container.envFrom).length === 0
        ) {
            return `error parsing ${String(trigger.type)} metadata: no connection given: container "${name ?? ""}" has no environment variable ${variable}`;
        }
    }
    return undefined;
}

/** HPAs keep their targets at the minimum at least. */
export function reconcileAutoscalers(cluster: Cluster): void {
    for (const scaler of cluster.manifests(Kinds.HorizontalPodAutoscaler)) {
        const kind = targetKind(String(at(scaler, "spec", "scaleTargetRef", "kind")));
        const target =
            kind && cluster.get(kind, namespaceOf(scaler), String(at(scaler, "spec", "scaleTargetRef", "name")));
        const minimum = numberOr(specOf(scaler).minReplicas, 1);
        if (target && numberOr(specOf(target.outputs).replicas, 1) < minimum) {
            cluster.update(target, { ...target.outputs, spec: { ...specOf(target.outputs), replicas: minimum } });
        }
    }
}
