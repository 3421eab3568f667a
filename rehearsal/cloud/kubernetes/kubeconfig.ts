import { load } from "js-yaml";
import type { Properties } from "../shell/type";
import type { World } from "../shell/world";
import { at, record, records, text } from "./api/value";
import { clusterName } from "./cluster";

/** The address of the API server that a kubeconfig (text or object) leads to. */
export function serverOf(kubeconfig: unknown, context?: unknown): string | undefined {
    const document = typeof kubeconfig === "string" ? parse(kubeconfig) : record(kubeconfig);
    const contexts = records(document.contexts);
    const name = text(context) ?? text(document["current-context"]);
    const chosen = contexts.find((one) => one.name === name) ?? contexts[0];
    const cluster =
        records(document.clusters).find((one) => one.name === at(chosen, "context", "cluster")) ??
        records(document.clusters)[0];
    return text(at(cluster, "cluster", "server"));
}

function parse(kubeconfig: string): Properties {
    try {
        return record(load(kubeconfig));
    } catch {
        return {};
    }
}

/** The simulated cluster that a provider's configuration leads to. */
export function clusterOf(config: Properties, world: Pick<World, "everywhere">): string | undefined {
    const server = serverOf(config.kubeconfig, config.context);
    const cluster =
        server && world.everywhere.find("aws:eks/cluster:Cluster", ({ outputs }) => outputs.endpoint === server);
    return cluster ? clusterName(cluster) : undefined;
}
