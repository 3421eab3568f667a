import type * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { nodeSelectorOf, type PodPlacement, tolerationsOf } from "./placement";

/** The user that Airflow's image runs as; the logs' access point gives everything to it. */
export const AIRFLOW_UID = 50000;

/** What the pods of Airflow's Jobs share with those of the release. */
export interface AirflowPodArgs {
    /** The image, with repository and tag or digest. */
    image: pulumi.Input<string>;
    /** The Secret of type `kubernetes.io/dockerconfigjson` that pulls it. @default none */
    pullSecretName?: pulumi.Input<string>;
    /** Where the pods run. @default on demand nodes */
    placement?: PodPlacement;
}

/** The pod of a Job, without its container. */
export function airflowPod(
    args: AirflowPodArgs,
    volumes: pulumi.Input<k8s.types.input.core.v1.Volume>[] = [],
): pulumi.Output<Omit<k8s.types.input.core.v1.PodSpec, "containers">> {
    return pulumi.output({
        automountServiceAccountToken: false,
        nodeSelector: nodeSelectorOf(args.placement),
        tolerations: tolerationsOf(args.placement),
        imagePullSecrets: args.pullSecretName === undefined ? [] : [{ name: args.pullSecretName }],
        securityContext: { runAsUser: AIRFLOW_UID, runAsNonRoot: true, fsGroup: 0 },
        volumes,
    });
}
