import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** A Job that runs once for what it does: a migration, a user, a bootstrap. */
export interface AirflowJobArgs {
    /** The namespace. */
    namespace: pulumi.Input<string>;
    /** What the Job's name begins with. */
    namePrefix: string;
    /** The container, without its name. */
    container: pulumi.Input<Omit<k8s.types.input.core.v1.Container, "name">>;
    /** The rest of the pod, such as its volumes and where it runs. */
    pod: pulumi.Input<Omit<k8s.types.input.core.v1.PodSpec, "containers">>;
}

/**
 * A Job named by what it runs. Whatever changes the pod (image, arguments, the names of Secrets, which change with their
 * data) changes the name, so the new Job is created beside the old one, whose pod template could not be changed; and the
 * same pod is never run twice, since no time to live removes the finished Job behind Pulumi's back.
 */
export function airflowJob(name: string, args: AirflowJobArgs, opts: pulumi.CustomResourceOptions): k8s.batch.v1.Job {
    const template = pulumi.all([args.container, args.pod]).apply(([container, pod]) => ({
        metadata: {
            labels: { "app.kubernetes.io/name": args.namePrefix, "app.kubernetes.io/part-of": "airflow" },
            annotations: { "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" },
        },
        spec: {
            ...pod,
            // A pod that failed stays, and with it the log that says why.
            restartPolicy: "Never",
            containers: [{ name: args.namePrefix, ...container }],
        },
    }));
    return new k8s.batch.v1.Job(
        name,
        {
            metadata: {
                name: template.apply((value) => `${args.namePrefix}-${fingerprint(value)}`),
                namespace: args.namespace,
            },
            spec: { backoffLimit: 6, template },
        },
        { customTimeouts: { create: "30m" }, ...opts },
    );
}

/** Ten letters that stand for a value. Secrets reach a pod by name only, so none can be read out of it. */
function fingerprint(value: unknown): string {
    return createHash("sha256").update(canonical(value)).digest("hex").slice(0, 10);
}

function canonical(value: unknown): string {
    if (Array.isArray(value)) {
        return `[${value.map(canonical).join(",")}]`;
    }
    if (value !== null && typeof value === "object") {
        const entries = Object.entries(value).filter(([, part]) => part !== undefined);
        return `{${entries
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, part]) => `${JSON.stringify(key)}:${canonical(part)}`)
            .join(",")}}`;
    }
    return JSON.stringify(value ?? null);
}
