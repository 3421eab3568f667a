import * as pulumi from "@pulumi/pulumi";
import * as components from "../components";
import type { AlarmSettings, Settings } from "./settings";

/** The add-ons whose pods run where `controllerNodes` says. */
const CONTROLLERS = [
    "keda",
    "loadBalancerController",
    "externalDns",
    "kubeOpsView",
    "clusterAutoscaler",
    "metricsServer",
] as const;

/** Whether settings ask for something that is there already, or for an optional part. */
export function isSet(settings: object | undefined): boolean {
    return Object.keys(settings ?? {}).length > 0;
}

/** The settings with a place for every controller that has none. */
export function withPlaces(settings: Settings): Settings {
    const { controllerNodes, disks, existingCluster, filesDriver } = settings;
    if (!isSet(existingCluster) && !isSet(controllerNodes)) {
        return settings;
    }
    const addons = CONTROLLERS.map((key) => {
        const { placement, ...area } = settings[key];
        return [key, { ...area, placement: { nodeSelector: controllerNodes, ...placement } }];
    });
    return {
        ...settings,
        ...(Object.fromEntries(addons) as Pick<Settings, (typeof CONTROLLERS)[number]>),
        disks: { controllerNodeSelector: controllerNodes, ...disks },
        filesDriver: { controllerNodeSelector: controllerNodes, ...filesDriver },
    };
}

/**
 * The settings with the profile of the AWS provider (`aws:profile`) for the API of the cluster too, unless the kubeconfig names another:
 * whoever makes a cluster is its admin, and `aws eks get-token` on its own knows the environment's credentials only.
 */
export function withProfile(settings: Settings, profile: string | undefined): Settings {
    const key = isSet(settings.existingCluster) ? "existingCluster" : "cluster";
    const area = settings[key];
    return profile === undefined
        ? settings
        : { ...settings, [key]: { ...area, kubeconfig: { profile, ...area.kubeconfig } } };
}

/** The metastore's arguments: its settings, and how many groups the nodes of an existing cluster carry. */
export function metastoreArgs({ metastore, existingCluster }: Settings) {
    const groups = existingCluster.nodeSecurityGroupIds;
    return { nodeSecurityGroupCount: Array.isArray(groups) ? groups.length : undefined, ...metastore };
}

/** The arguments of the alarms: their settings, and what they watch. */
export function alarmArgs(
    alarms: AlarmSettings,
    fileSystemId: pulumi.Input<string>,
    instanceIdentifier?: pulumi.Input<string>,
): components.CloudWatchAlarmsArgs {
    return {
        ...alarms,
        database: instanceIdentifier === undefined ? undefined : { ...alarms.database, instanceIdentifier },
        fileSystem: { ...alarms.fileSystem, fileSystemId },
    };
}

/** Airflow's arguments: its settings, with logs on the stack's file system unless they go to a bucket. */
export function airflowArgs(
    { airflow, keda, existingMetastore }: Pick<Settings, "airflow" | "keda" | "existingMetastore">,
    classNames: pulumi.Input<Record<string, string>>,
) {
    const { logs, workers } = airflow;
    const logsClass = logs?.storageClassName ?? "efs-sc";
    return {
        // An existing database without an administrator is one that somebody has prepared.
        ...(isSet(existingMetastore) && { bootstrapMetastore: existingMetastore.adminUser !== undefined }),
        ...airflow,
        logs: logs?.bucket
            ? logs
            : {
                  ...logs,
                  storageClassName: pulumi
                      .all([classNames, logsClass])
                      .apply(([names, wanted]) => names[wanted] ?? wanted),
              },
        workers: { ...workers, scaling: { kedaInstalled: keda.enabled === true, ...workers?.scaling } },
    };
}

/** The host names that the stack's parts ask ExternalDNS for, by their settings. */
export function hostNames({ airflow, kubeOpsView }: Pick<Settings, "airflow" | "kubeOpsView">): Record<string, string> {
    const ui = airflow.ui?.exposure === "none" ? undefined : airflow.ui;
    const asked = {
        "airflow.ui.hostName": ui?.exposure && ui.hostName,
        "kubeOpsView.loadBalancer.hostname": kubeOpsView.enabled ? kubeOpsView.loadBalancer?.hostname : undefined,
    };
    return Object.fromEntries(
        Object.entries(asked).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
}

/** The Kubernetes version of a new cluster. */
export function plannedVersion({ cluster }: Pick<Settings, "cluster">): string {
    return (cluster.kubernetesVersion as string | undefined) ?? components.defaultKubernetesVersion;
}
