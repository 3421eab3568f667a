import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { type ChartSource, type PublishedChart, checkChartSource, releaseChart } from "../shared/chart";
import { type Problem, plain, under } from "../shared/check";
import { type ShapesOf, keysOf, listOf, mapOf } from "../shared/shape";
import { parseQuantity } from "../shared/quantity";
import { type HelmValues, mergeValues } from "../shared/helmValues";

/** CPU and memory of a controller's container, as Kubernetes quantities. */
export interface AddonResources {
    /** What the scheduler reserves. */
    requests?: Record<string, string>;
    /** What the container may not exceed. */
    limits?: Record<string, string>;
}

/** Where the pods of an add-on run. */
export interface AddonPlacement {
    /** Labels of the nodes. @default `system-node: enabled`, the label of a {@link PlatformCluster}'s system nodes */
    nodeSelector?: Record<string, string>;
    /** Taints of those nodes that the pods tolerate, as Kubernetes writes them. @default `CriticalAddonsOnly` */
    tolerations?: { [key: string]: any }[]; // eslint-disable-line @typescript-eslint/no-explicit-any -- as the SDK analyser takes it
}

/** What all add-ons that are Helm releases take. */
export interface HelmAddonArgs {
    /** The cluster, once pods can run on it. */
    cluster: pulumi.Input<ClusterInfo>;
    /** Where the chart comes from, when not from its publisher. */
    chart?: ChartSource;
    /** CPU and memory of the controller. @default what the component says */
    resources?: AddonResources;
    /** Where the pods run. @default on the system nodes */
    placement?: AddonPlacement;
    /** Further values of the chart, merged last: they win over what the component sets. */
    values?: { [key: string]: any }; // eslint-disable-line @typescript-eslint/no-explicit-any -- as the SDK analyser takes it
    /** How long Helm waits until the add-on runs, in seconds. @default 600 */
    timeoutSeconds?: number;
}

/** The shapes of resources and placement, for the checks of add-ons. */
export const resourcesShape = keysOf<AddonResources>({ requests: mapOf("string"), limits: mapOf("string") });
export const placementShape = keysOf<AddonPlacement>({
    nodeSelector: mapOf("string"),
    tolerations: listOf(mapOf("anything")),
});

/** The shapes of what all add-ons share. */
export const helmAddonShapes: ShapesOf<HelmAddonArgs> = {
    cluster: "anything",
    chart: keysOf<ChartSource>({ repository: "string", path: "string", version: "string" }),
    resources: resourcesShape,
    placement: placementShape,
    values: mapOf("anything"),
    timeoutSeconds: "integer",
};

/** What is wrong with CPU and memory of an add-on. */
export function checkAddonResources(resources: AddonResources | undefined): Problem[] {
    return (["requests", "limits"] as const).flatMap((part) =>
        Object.entries(resources?.[part] ?? {})
            .filter(([, quantity]) => typeof quantity === "string" && parseQuantity(quantity) === undefined)
            .map(([resource, quantity]) => ({
                path: `resources.${part}.${resource}`,
                message: `"${quantity}" is no Kubernetes quantity, such as 100m or 128Mi`,
            })),
    );
}

/** What is wrong with the arguments that all add-ons share. */
export function checkHelmAddonArgs(args: HelmAddonArgs): Problem[] {
    const problems = [...under("chart", checkChartSource(args.chart)), ...checkAddonResources(args.resources)];
    const timeout = plain(args.timeoutSeconds);
    if (timeout !== undefined && (!Number.isInteger(timeout) || timeout < 60)) {
        problems.push({
            path: "timeoutSeconds",
            message: `${timeout} is too short for a controller's image to arrive; give at least 60`,
        });
    }
    return problems;
}

/** Node selector and tolerations of an add-on, in the spelling that charts and pods share. */
export function placementOf(placement: AddonPlacement = {}) {
    return {
        nodeSelector: placement.nodeSelector ?? { "system-node": "enabled" },
        tolerations: placement.tolerations ?? [{ key: "CriticalAddonsOnly", operator: "Exists" }],
    };
}

/** One Helm release of an add-on, in the name and namespace that its service account and its kept CRDs refer to. */
export function addonRelease(
    parent: pulumi.Resource,
    name: string,
    release: {
        published: PublishedChart;
        releaseName: string;
        namespace: pulumi.Input<string>;
        values: pulumi.Input<HelmValues>;
    },
    args: HelmAddonArgs,
    opts: pulumi.CustomResourceOptions = {},
): k8s.helm.v3.Release {
    return new k8s.helm.v3.Release(
        name,
        {
            ...releaseChart(release.published, args.chart),
            name: release.releaseName,
            namespace: release.namespace,
            values: pulumi
                .all([release.values, args.values ?? {}])
                .apply(([own, given]) => mergeValues(own as HelmValues, given as HelmValues)),
            timeout: args.timeoutSeconds ?? 600,
            // A first installation that fails half way would otherwise block its own name.
            cleanupOnFail: true,
        },
        { parent, ...opts },
    );
}
