import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { type Problem, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { type ManagedAddonArgs, checkManagedAddonArgs, managedAddon, managedAddonShapes } from "../shared/managedAddon";
import { type ShapesOf, keysOf } from "../shared/shape";
import {
    type AddonPlacement,
    type AddonResources,
    checkAddonResources,
    placementOf,
    placementShape,
    resourcesShape,
} from "./helmAddon";

/** Arguments of {@link MetricsServer}. */
export interface MetricsServerArgs extends ManagedAddonArgs {
    /** The cluster, once pods can run on it. */
    cluster: pulumi.Input<ClusterInfo>;
    /** How many servers run. @default 2 */
    replicas?: number;
    /** CPU and memory. @default 100m and 200Mi up to 400Mi */
    resources?: AddonResources;
    /** Where the pods run. @default on the system nodes */
    placement?: AddonPlacement;
}

const shapes: ShapesOf<MetricsServerArgs> = {
    cluster: "anything",
    ...managedAddonShapes,
    replicas: "integer",
    resources: resourcesShape,
    placement: placementShape,
};

/** What is wrong with the arguments of {@link MetricsServer}. */
export function checkMetricsServerArgs(args: MetricsServerArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: MetricsServerArgs): Problem[] {
    const problems = [...checkManagedAddonArgs(args), ...checkAddonResources(args.resources)];
    if (args.replicas !== undefined && args.replicas < 1) {
        problems.push({ path: "replicas", message: `${args.replicas} is less than 1` });
    }
    return problems;
}

/**
 * The metrics server as managed add-on: `kubectl top` and autoscaling by CPU and memory. One for each cluster.
 *
 * The add-on brings its own PodDisruptionBudget. Its version is kept until the cluster's changes; to upgrade before, set `version`.
 */
export class MetricsServer extends pulumi.ComponentResource {
    /** The version that runs. */
    readonly version: pulumi.Output<string>;

    constructor(name: string, args: MetricsServerArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("MetricsServer", name, checkMetricsServerArgs(args));
        super("airflow-eks:index:MetricsServer", name, {}, opts);

        const cluster = pulumi.output(args.cluster);
        const addon = managedAddon(this, name, {
            addonName: "metrics-server",
            clusterName: cluster.name,
            kubernetesVersion: cluster.kubernetesVersion,
            args,
            configuration: {
                replicas: args.replicas ?? 2,
                resources: args.resources ?? {
                    requests: { cpu: "100m", memory: "200Mi" },
                    limits: { memory: "400Mi" },
                },
                ...placementOf(args.placement),
            },
        });
        this.version = addon.addonVersion;
        this.registerOutputs({ version: this.version });
    }
}
