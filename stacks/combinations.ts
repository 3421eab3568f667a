import * as components from "../components";
import type { Problem } from "../components";
import { isSet } from "./derived";
import type { Settings } from "./settings";

/** What only two areas of the settings together show to be wrong. */
export function combinationProblems(settings: Settings): Problem[] {
    return [
        ...classProblems(settings),
        ...logsProblems(settings),
        ...scalingProblems(settings),
        ...vpcProblems(settings),
        ...balancerProblems(settings),
        ...identityProblems(settings),
    ];
}

function blockClasses({ disks }: Settings): string[] {
    return Object.keys(disks.classes ?? components.defaultEbsClasses([]));
}

function logsProblems(settings: Settings): Problem[] {
    const name = settings.airflow.logs?.storageClassName as string | undefined;
    return name !== undefined && blockClasses(settings).includes(name)
        ? [
              {
                  path: "airflow.logs.storageClassName",
                  message: `"${name}" is a class of block storage, which one node mounts at a time; name a class of the shared file system`,
              },
          ]
        : [];
}

function classProblems(settings: Settings): Problem[] {
    const { existingFiles, files } = settings;
    const shared = isSet(existingFiles) ? existingFiles : files;
    const blocks = blockClasses(settings);
    return Object.keys(shared.classes ?? components.defaultEfsClasses)
        .filter((name) => blocks.includes(name))
        .map((name) => ({
            path: `disks.classes.${name}`,
            message: `the shared file system has a class "${name}" too; a cluster has one class of a name`,
        }));
}

function scalingProblems({ airflow, keda }: Settings): Problem[] {
    const { enabled, kedaInstalled } = airflow.workers?.scaling ?? {};
    return enabled !== false && keda.enabled === false && !kedaInstalled
        ? [
              {
                  path: "keda.enabled",
                  message:
                      "workers are scaled by KEDA: enable it, say with airflow.workers.scaling.kedaInstalled that the cluster has it, or set airflow.workers.scaling.enabled to false",
              },
          ]
        : [];
}

function vpcProblems({ existingCluster, existingNetwork }: Settings): Problem[] {
    return isSet(existingCluster) && existingNetwork.vpcId !== undefined
        ? [
              {
                  path: "existingNetwork.vpcId",
                  message: "is the VPC of existingCluster, which is looked up; leave it out",
              },
          ]
        : [];
}

/** A cluster that is there may have its own controller; in a new one nobody else would make the load balancer. */
function balancerProblems({ airflow, existingCluster, kubeOpsView, loadBalancerController }: Settings): Problem[] {
    if (isSet(existingCluster) || loadBalancerController.enabled) {
        return [];
    }
    const exposure = airflow.ui?.exposure ?? "none";
    const wanting = [
        ...(exposure === "none" ? [] : ["airflow.ui.exposure"]),
        ...(kubeOpsView.enabled && kubeOpsView.loadBalancer ? ["kubeOpsView.loadBalancer"] : []),
    ];
    return wanting.map((path) => ({
        path,
        message: "nothing would make this load balancer: set loadBalancerController.enabled to true",
    }));
}

/** A controller that asks an agent for its role which the new cluster does not have. */
function identityProblems(settings: Settings): Problem[] {
    if (isSet(settings.existingCluster) || settings.cluster.podIdentityAgent !== false) {
        return [];
    }
    return Object.entries(settings)
        .filter(([, area]) => {
            const { enabled, identity } = area as { enabled?: boolean; identity?: string };
            return enabled !== false && identity === "PodIdentity";
        })
        .map(([key]) => ({ path: `${key}.identity`, message: "needs cluster.podIdentityAgent, which is false" }));
}
