import { Sdk } from "../shell/facts";
import type { SimulatedPackage } from "../shell/package";
import { kindOf } from "./api/kinds";
import { reconcile, elapse } from "./control/reconcile";
import { Cluster, releaseToken } from "./cluster";
import { constructComponent } from "./components/construct";
import { invokes } from "./components/invokes";
import { releaseType } from "./helm/release";
import { clusterOf, serverOf } from "./kubeconfig";
import { objectType } from "./types";

const sdk = new Sdk("@pulumi/kubernetes");

/** The simulated @pulumi/kubernetes provider: the API servers of the simulated EKS clusters. */
export const kubernetes: SimulatedPackage = {
    name: "kubernetes",
    dryRuns: true,
    checkConfig: (config) =>
        typeof config.kubeconfig === "string" && config.kubeconfig !== "" && serverOf(config.kubeconfig) === undefined
            ? [
                  {
                      property: "kubeconfig",
                      reason: "not a kubeconfig with a cluster and its server (paths of files are not read here)",
                  },
              ]
            : [],
    scope: (_token, world) => clusterOf(world.provider, world),
    type: (token) => {
        const kind = kindOf(token);
        return token === releaseToken ? releaseType : kind && objectType(kind);
    },
    facts: () => undefined,
    hasTypeNamed: (name) => sdk.hasTypeNamed(name),
    invoke: (token) => invokes.find((one) => one.token === token),
    construct: (request, monitor) => constructComponent(request, monitor),
    afterOperation: (world, { operation, object, seconds }) => {
        for (const cluster of Cluster.all(world)) {
            reconcile(cluster);
            // A deletion is told twice, when it begins and when the object is gone: its time counts once.
            const leaving = operation === "delete" && object !== undefined && cluster.fresh(object) !== undefined;
            elapse(cluster, leaving ? 0 : seconds);
        }
    },
};
