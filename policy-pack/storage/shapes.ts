import type { KubernetesObject, Malformed } from "./model";
import { isTree, placeholder, shapeOf, under } from "./values";

/** What stands at a place: a text, a number, a list of something, an object with these keys (and any others). */
type Shape = "text" | "number" | [Shape] | { [key: string]: Shape };

const claimSpec: Shape = { storageClassName: "text", volumeName: "text", resources: {} };
const source: Shape = { csi: { driver: "text" }, nfs: { server: "text" }, awsElasticBlockStore: {} };
const podSpec: Shape = {
    volumes: [
        {
            ...source,
            ephemeral: { volumeClaimTemplate: { metadata: {}, spec: claimSpec } },
            persistentVolumeClaim: { claimName: "text" },
        },
    ],
    nodeSelector: {},
    tolerations: [{}],
};
const pod: Shape = { metadata: {}, spec: podSpec };
const workload: Shape = { spec: { replicas: "number", template: pod } };
const job: Shape = { parallelism: "number", template: pod };
const claims: Shape = { volumeClaimTemplates: [{ metadata: {}, spec: claimSpec }] };
const annotations: Shape = { annotations: {} };
const topology: Shape = { matchLabelExpressions: [{ key: "text" }] };

/** The kinds of Kubernetes' own that are judged, as far as they are read; and which rule tells what is wrong in them. */
const shapes: Record<string, { about: Malformed["about"]; shape: Shape }> = {
    "storage.k8s.io/StorageClass": {
        about: "class",
        shape: { metadata: annotations, provisioner: "text", allowedTopologies: [topology] },
    },
    "/PersistentVolume": { about: "volume", shape: { metadata: annotations, spec: source } },
    "/PersistentVolumeClaim": { about: "claim", shape: { metadata: annotations, spec: claimSpec } },
    "/Service": { about: "balancer", shape: { metadata: annotations, spec: { type: "text" } } },
    "networking.k8s.io/Ingress": { about: "balancer", shape: { metadata: annotations, spec: {} } },
    "extensions/Ingress": { about: "balancer", shape: { metadata: annotations, spec: {} } },
    "/Pod": { about: "claim", shape: pod },
    "/PodTemplate": { about: "claim", shape: { template: pod } },
    "/ReplicationController": { about: "claim", shape: workload },
    "apps/Deployment": { about: "claim", shape: workload },
    "apps/DaemonSet": { about: "claim", shape: workload },
    "apps/ReplicaSet": { about: "claim", shape: workload },
    "apps/StatefulSet": { about: "claim", shape: { spec: { replicas: "number", template: pod, ...claims } } },
    "batch/Job": { about: "claim", shape: { spec: job } },
    "batch/CronJob": { about: "claim", shape: { spec: { jobTemplate: { spec: job } } } },
};

/** Where an object of Kubernetes cannot be what it should be: the API server refuses it, and what is in it cannot be judged. */
export function misshapen(object: KubernetesObject): Malformed[] {
    const known = `${object.group}/${object.kind}`;
    if (!Object.hasOwn(shapes, known)) {
        return [];
    }
    const { about, shape } = shapes[known];
    return mismatches(object.body, shape, object.path).map((one) => ({ ...one, resource: object.resource, about }));
}

/** The same for any value. */
export function mismatches(value: unknown, shape: Shape, path: string): { path: string; why: string }[] {
    if (value === undefined || value === null || placeholder(value)) {
        return [];
    }
    if (typeof shape === "string") {
        const fits = typeof value === (shape === "text" ? "string" : "number");
        return fits ? [] : [{ path, why: `It should be a ${shape} and is ${shapeOf(value)}.` }];
    }
    if (Array.isArray(shape)) {
        return Array.isArray(value)
            ? value.flatMap((one, index) => mismatches(one, shape[0], under(path, index)))
            : [{ path, why: `It should be a list and is ${shapeOf(value)}.` }];
    }
    if (!isTree(value)) {
        return [{ path, why: `It should be an object and is ${shapeOf(value)}.` }];
    }
    return Object.entries(shape).flatMap(([key, inner]) =>
        Object.hasOwn(value, key) ? mismatches(value[key], inner, under(path, key)) : [],
    );
}
