import { isUnknown } from "../plain";
import type { Resource } from "../rule";
import { document } from "./documents";
import { elements, get, isTree } from "./values";

/** Which cluster a resource belongs to, as far as its provider tells. */
export interface Cluster {
    provider?: string;
    /** The API server's address, or whatever else the provider's settings say; undefined when not known. */
    settings?: string;
}

const clusters = new WeakMap<object, Cluster>();

export function clusterOf({ provider }: Resource): Cluster {
    if (!provider || provider.type !== "pulumi:providers:kubernetes") {
        return {};
    }
    let cluster = clusters.get(provider);
    if (!cluster) {
        cluster = { provider: provider.urn, settings: settingsOf(provider.props) };
        clusters.set(provider, cluster);
    }
    return cluster;
}

/** Two providers may serve one cluster; they are kept apart only if both tell their cluster and it is not the same. */
export function mayBeSame(one: Cluster, other: Cluster): boolean {
    return (
        one.provider === other.provider ||
        one.settings === undefined ||
        other.settings === undefined ||
        one.settings === other.settings
    );
}

function settingsOf(props: Record<string, unknown>): string | undefined {
    const named = ["context", "cluster"].map((key) => get(props, key));
    const kubeconfig = get(props, "kubeconfig");
    if (isUnknown(kubeconfig) || named.some(isUnknown)) {
        return undefined;
    }
    const config = typeof kubeconfig === "string" ? document(kubeconfig) : isTree(kubeconfig) ? kubeconfig : undefined;
    const server = config && serverOf(config, named[0]);
    return server ?? JSON.stringify([kubeconfig ?? null, ...named]);
}

function serverOf(config: Record<string, unknown>, wanted: unknown): string | undefined {
    const entry = (list: string, name: unknown) =>
        elements(get(config, list)).find(([one]) => get(one, "name") === name)?.[0];
    const context = entry("contexts", wanted ?? get(config, "current-context"));
    const cluster = entry("clusters", get(context, "context", "cluster")) ?? elements(get(config, "clusters"))[0]?.[0];
    const server = get(cluster, "cluster", "server");
    return typeof server === "string" ? server.replace(/\/+$/, "").toLowerCase() : undefined;
}
