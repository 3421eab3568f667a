import { isUnknown, UNKNOWN } from "../plain";
import type { KubernetesObject, Workload } from "./model";
import { elements, get, isTree, text, under } from "./values";

/** Reads what makes pods; undefined when the object makes none. */
export function readWorkload(object: KubernetesObject): Workload | undefined {
    const pod = podOf(object);
    if (!pod) {
        return undefined;
    }
    const path = under(object.path, ...pod.keys);
    const replicas = replicasOf(object);
    return {
        resource: object.resource,
        path: object.path,
        object,
        replicas: replicas.value,
        replicasPath: under(object.path, "spec", replicas.key),
        everywhere: object.kind === "DaemonSet",
        podSpec: pod.spec,
        podPath: path,
        claimNames: elements(get(pod.spec, "volumes")).flatMap(([volume, index]) => {
            const name = text(get(volume, "persistentVolumeClaim", "claimName"));
            return name === undefined ? [] : [{ name, path: under(path, "volumes", index, "persistentVolumeClaim") }];
        }),
    };
}

function podOf({ body, kind }: KubernetesObject): { spec: unknown; keys: string[] } | undefined {
    const places =
        kind === "Pod"
            ? [["spec"]]
            : [
                  ["spec", "template", "spec"],
                  ["spec", "jobTemplate", "spec", "template", "spec"],
                  ["template", "spec"],
              ];
    for (const keys of places) {
        const spec = get(body, ...keys);
        if (isTree(spec) && (spec.containers !== undefined || spec.volumes !== undefined || kind === "Pod")) {
            return { spec, keys };
        }
    }
    return undefined;
}

function replicasOf({ body, kind }: KubernetesObject): { value: number | typeof UNKNOWN; key: string } {
    const key = kind === "Job" ? "parallelism" : "replicas";
    const value = get(body, "spec", key);
    if (isUnknown(value)) {
        return { value: UNKNOWN, key };
    }
    const number = typeof value === "string" ? Number(value) : value;
    return { value: typeof number === "number" && Number.isFinite(number) ? number : 1, key };
}
