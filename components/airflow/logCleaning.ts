import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { airflowPod, type AirflowPodArgs } from "./airflowPod";
import { cleaningScript } from "./logs";
import type { PodResources } from "./resources";

/** The one groomer of a shared log volume: the same for any number of schedulers and workers. */
export function logCleaning(
    name: string,
    args: {
        namespace: pulumi.Input<string>;
        claimName: pulumi.Input<string>;
        retentionDays: number;
        resources: PodResources;
        pod: AirflowPodArgs;
    },
    opts: pulumi.CustomResourceOptions,
): k8s.batch.v1.CronJob {
    const pod = airflowPod(args.pod, [{ name: "logs", persistentVolumeClaim: { claimName: args.claimName } }]);
    return new k8s.batch.v1.CronJob(
        name,
        {
            metadata: { namespace: args.namespace },
            spec: {
                schedule: "17 */6 * * *",
                concurrencyPolicy: "Forbid",
                successfulJobsHistoryLimit: 1,
                failedJobsHistoryLimit: 1,
                jobTemplate: {
                    spec: {
                        backoffLimit: 1,
                        template: {
                            metadata: { labels: { "app.kubernetes.io/name": "airflow-log-cleaning" } },
                            spec: pod.apply((spec) => ({
                                ...spec,
                                restartPolicy: "Never",
                                containers: [
                                    {
                                        name: "clean-logs",
                                        image: args.pod.image,
                                        args: ["bash", "-c", cleaningScript(args.retentionDays)],
                                        // The image's entrypoint would wait for a database that nothing here needs.
                                        env: [{ name: "CONNECTION_CHECK_MAX_COUNT", value: "0" }],
                                        resources: args.resources,
                                        securityContext: {
                                            allowPrivilegeEscalation: false,
                                            capabilities: { drop: ["ALL"] },
                                        },
                                        volumeMounts: [{ name: "logs", mountPath: "/opt/airflow/logs" }],
                                    },
                                ],
                            })),
                        },
                    },
                },
            },
        },
        opts,
    );
}
