import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type RuleConfig } from "../rule";
import { storageOf, type Storage } from "../storage";
import { clusterOf, mayBeSame } from "../storage/cluster";
import type { Claim, KubernetesObject, Workload } from "../storage/model";
import { readResource } from "../storage/read";
import { get, text } from "../storage/values";
import { classConfig } from "./sharing";

export const rule: Rule = {
    name: "rwo-single-writer",
    description: "One pod at a time uses a ReadWriteOnce claim on EBS.",
    why: "Its volume attaches to one node: replicas that land elsewhere wait for ever with a Multi-Attach error.",
    fix: "Run one replica, give each its own volume (StatefulSet with volumeClaimTemplates), or share a ReadWriteMany claim on EFS.",
    level: "advisory",
    severity: "medium",
    config: classConfig,
    stack: (stack, config) => {
        const judgement = new Judgement();
        const storage = storageOf(stack);
        const scalers = new Map<string, Scaler[]>();
        for (const scaler of storage.carried.objects.flatMap(scalerOf)) {
            const key = typeof scaler.name === "string" ? scaler.name : "";
            scalers.set(key, [...(scalers.get(key) ?? []), scaler]);
        }
        for (const workload of storage.carried.workloads.filter(({ claimNames }) => claimNames.length > 0)) {
            judgeWorkload(workload, storage, scalers, config, judgement);
        }
        for (const claim of storage.carried.claims.filter(({ sharedBy }) => (sharedBy ?? 1) > 1)) {
            judgement.judge(claim.resource);
            const [existing] =
                typeof claim.existing === "string"
                    ? storage.claims(claim.resource, claim.existing, claim.namespace)
                    : [];
            const used = existing ?? claim;
            if (isOnce(used) && isOnEbs(used, storage, config)) {
                judgement.violation(
                    claim.resource,
                    claim.modesPath,
                    "Several pods of the chart mount this one claim, which is ReadWriteOnce on EBS.",
                );
            }
        }
        return judgement;
    },
};

function judgeWorkload(
    workload: Workload,
    storage: Storage,
    scalers: Map<string, Scaler[]>,
    config: RuleConfig,
    judgement: Judgement,
): void {
    const { resource, object, replicas } = workload;
    judgement.judge(resource);
    for (const { name, path } of workload.claimNames) {
        const claims =
            typeof name === "string"
                ? storage.claims(resource, name, object.namespace)
                : claimsBehind(resource, path, storage);
        if (!claims.some((claim) => isOnce(claim) && isOnEbs(claim, storage, config))) {
            continue;
        }
        const named = typeof object.name === "string" ? (scalers.get(object.name) ?? []) : [];
        const scaled = named.filter((scaler) => scales(scaler, object));
        if (workload.everywhere) {
            judgement.violation(
                resource,
                path,
                "A DaemonSet runs on every node, and this claim is ReadWriteOnce on EBS.",
            );
        } else if (!isUnknown(replicas) && replicas > 1) {
            judgement.violation(
                resource,
                workload.replicasPath,
                `${replicas} replicas share one claim (${path}), which is ReadWriteOnce on EBS.`,
            );
        } else if (scaled.some(({ most }) => typeof most === "number" && most > 1)) {
            judgement.violation(
                resource,
                path,
                "An autoscaler may run several replicas of it, and this claim is ReadWriteOnce on EBS.",
            );
        } else if (isUnknown(replicas) || scaled.some(({ most }) => isUnknown(most))) {
            judgement.unknown(resource, workload.replicasPath, "the number of replicas is not known yet.");
        }
    }
}

/** The claims whose name, not known yet, went into the pod. */
function claimsBehind(resource: Resource, path: string, storage: Storage): Claim[] {
    const origins = resource.propertyDependencies?.[path.split(/[.[]/)[0]] ?? [];
    return origins
        .flatMap((urn) => storage.stack.byUrn(urn) ?? [])
        .flatMap((origin) => readResource(origin).claims.filter(({ kind }) => kind === "claim"));
}

function isOnce({ modes }: Claim): boolean {
    return (
        !isUnknown(modes) &&
        (modes.includes("ReadWriteOnce") || modes.includes("ReadWriteOncePod")) &&
        !modes.includes("ReadWriteMany")
    );
}

function isOnEbs(claim: Claim, storage: Storage, config: RuleConfig): boolean {
    const found = storage.resolve(claim, config);
    return "backings" in found && found.backings.every(({ type }) => type === "ebs" || type === "in-tree-ebs");
}

interface Scaler {
    object: KubernetesObject;
    kind: unknown;
    name: unknown;
    most: unknown;
}

function scalerOf(object: KubernetesObject): Scaler[] {
    const spec = object.body.spec;
    const target = get(spec, "scaleTargetRef");
    switch (`${object.group}/${object.kind}`) {
        case "autoscaling/HorizontalPodAutoscaler":
            return [{ object, kind: get(target, "kind"), name: get(target, "name"), most: get(spec, "maxReplicas") }];
        case "keda.sh/ScaledObject":
            return [
                {
                    object,
                    kind: get(target, "kind") ?? "Deployment",
                    name: get(target, "name"),
                    most: get(spec, "maxReplicaCount") ?? 100,
                },
            ];
        default:
            return [];
    }
}

function scales({ object, kind, name }: Scaler, target: KubernetesObject): boolean {
    return (
        kind === target.kind &&
        typeof name === "string" &&
        name === text(target.name) &&
        (object.namespace ?? "default") === (target.namespace ?? "default") &&
        mayBeSame(clusterOf(object.resource), clusterOf(target.resource))
    );
}
