import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { PublishedChart } from "../shared/chart";
import { type Problem, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { type ShapesOf, keysOf } from "../shared/shape";
import {
    type AddonResources,
    type HelmAddonArgs,
    addonRelease,
    checkHelmAddonArgs,
    helmAddonShapes,
    placementOf,
} from "./helmAddon";

/** Arguments of {@link Keda}. */
export interface KedaArgs extends HelmAddonArgs {
    /** CPU and memory of each operator, metrics server and webhook. @default 100m and 128Mi up to 512Mi */
    resources?: AddonResources;
    /** How many operators and metrics servers run; only one works at a time, the others take over. @default 2 */
    replicas?: number;
}

/** KEDA 2.21 is stated to work with Kubernetes 1.34 to 1.36. */
export const kedaChart: PublishedChart = {
    chart: "keda",
    repository: "https://kedacore.github.io/charts",
    version: "2.21.0",
};

const shapes: ShapesOf<KedaArgs> = { ...helmAddonShapes, replicas: "integer" };

/** What is wrong with the arguments of {@link Keda}. */
export function checkKedaArgs(args: KedaArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: KedaArgs): Problem[] {
    const problems = checkHelmAddonArgs(args);
    if (args.replicas !== undefined && args.replicas < 1) {
        problems.push({ path: "replicas", message: `${args.replicas} is less than 1` });
    }
    return problems;
}

/**
 * KEDA, which scales Airflow's workers by the tasks that wait in the metastore. One for each cluster.
 *
 * Its custom resource definitions stay when it is removed: removing them would delete every ScaledObject of the cluster.
 * What has a ScaledObject must depend on this component, since only the running operator removes a ScaledObject's finalizer.
 * To upgrade, raise `chart.version`: the chart carries its definitions among its templates, so they follow.
 *
 * Creates a namespace and a Helm release. No AWS rights are needed: the query of Airflow's workers goes to PostgreSQL.
 */
export class Keda extends pulumi.ComponentResource {
    /** The namespace in which the operator runs. */
    readonly namespace: pulumi.Output<string>;

    constructor(name: string, args: KedaArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("Keda", name, checkKedaArgs(args));
        super("airflow-eks:index:Keda", name, {}, opts);

        const namespace = new k8s.core.v1.Namespace(name, { metadata: { name: "keda" } }, { parent: this });
        const release = addonRelease(
            this,
            name,
            {
                published: kedaChart,
                releaseName: "keda",
                namespace: namespace.metadata.name,
                values: pulumi.output(args.cluster).apply((cluster) => kedaValues(cluster.name, args)),
            },
            args,
        );
        this.namespace = pulumi.all([namespace.metadata.name, release.status]).apply(([value]) => value);
        this.registerOutputs({ namespace: this.namespace });
    }
}

function kedaValues(clusterName: string, args: KedaArgs) {
    const replicas = args.replicas ?? 2;
    const resources = args.resources ?? {
        requests: { cpu: "100m", memory: "128Mi" },
        limits: { memory: "512Mi" },
    };
    const budget = { maxUnavailable: 1 };
    return {
        clusterName,
        crds: { install: true, additionalAnnotations: { "helm.sh/resource-policy": "keep" } },
        operator: { replicaCount: replicas },
        metricsServer: { replicaCount: replicas },
        webhooks: { replicaCount: replicas },
        podDisruptionBudget: { operator: budget, metricServer: budget, webhooks: budget },
        resources: { operator: resources, metricServer: resources, webhooks: resources },
        // A tag names one image for good; pulling it for each new pod only makes pods depend on the registry.
        image: { pullPolicy: "IfNotPresent" },
        ...placementOf(args.placement),
    };
}
