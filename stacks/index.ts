import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
    AirflowCelery,
    AirflowMetastore,
    AirflowNetwork,
    AwsLoadBalancerController,
    CloudWatchAlarms,
    ClusterAutoscaler,
    EbsCsiStack,
    EfsCsiDriver,
    EfsSharedStorage,
    ExistingCluster,
    ExistingFileSystem,
    ExistingMetastore,
    ExistingNetwork,
    ExternalDns,
    Keda,
    KubeOpsView,
    MetricsServer,
    NodeGroup,
    PlatformCluster,
    SpotNodeGroup,
    VolumeSnapshots,
} from "../components";
import { airflowArgs, alarmArgs, hostNames, isSet, metastoreArgs } from "./derived";
import { loadSettings, optional } from "./settings";

// With source maps Node 20 never ends colouring the stack of an error in Pulumi's SDK, and its message is never seen.
process.setSourceMapsEnabled(false);

const settings = loadSettings();
const { zones } = settings;

const existing = isSet(settings.existingCluster)
    ? new ExistingCluster("platform", { zones, ...settings.existingCluster })
    : undefined;
const network =
    existing || isSet(settings.existingNetwork)
        ? new ExistingNetwork("network", {
              zones,
              ...settings.existingNetwork,
              ...(existing && { vpcId: existing.info.vpcId }),
          })
        : new AirflowNetwork("network", { zones, ...settings.network });
const platform = existing ?? new PlatformCluster("platform", { network: network.info, zones, ...settings.cluster });
const cluster = platform.info;
const schedulable = platform.schedulable;
const inCluster = {
    // A kubeconfig may change its words; what is in the cluster is replaced only when the cluster is another one.
    providers: [new k8s.Provider("platform", { kubeconfig: platform.kubeconfig, clusterIdentifier: cluster.name })],
};

const metastore = isSet(settings.existingMetastore)
    ? new ExistingMetastore("metastore", settings.existingMetastore)
    : new AirflowMetastore("metastore", { network: network.info, cluster, zones, ...metastoreArgs(settings) });
const files = isSet(settings.existingFiles)
    ? new ExistingFileSystem("files", { network: network.info, cluster, zones, ...settings.existingFiles }, inCluster)
    : new EfsSharedStorage("files", { network: network.info, cluster, zones, ...settings.files }, inCluster);
const watched = metastore instanceof AirflowMetastore ? metastore.instanceIdentifier : undefined;
optional(settings.alarms, (args) => new CloudWatchAlarms("alarms", alarmArgs(args, files.fileSystemId, watched)));

const workers = new SpotNodeGroup("workers", { cluster, zones, ...settings.workers });
const services = optional(settings.services, (args) => new NodeGroup("services", { cluster, zones, ...args }));

const balancers = optional(
    settings.loadBalancerController,
    (args) => new AwsLoadBalancerController("load-balancers", { cluster: schedulable, ...args }, inCluster),
);
const dns = optional(
    settings.externalDns,
    (args) => new ExternalDns("dns", { cluster: schedulable, hostNames: hostNames(settings), ...args }, inCluster),
);
const reachable = { ...inCluster, dependsOn: [...balancers, ...dns] };
optional(
    settings.clusterAutoscaler,
    (args) => new ClusterAutoscaler("autoscaler", { cluster: schedulable, ...args }, inCluster),
);
optional(settings.metricsServer, (args) => new MetricsServer("metrics", { cluster: schedulable, ...args }));
const view = optional(settings.kubeOpsView, (args) => new KubeOpsView("view", args, reachable));

const snapshots = optional(
    settings.snapshots,
    (args) => new VolumeSnapshots("snapshots", { cluster: schedulable, ...args }, inCluster),
);
const disks = new EbsCsiStack(
    "disks",
    { cluster: schedulable, zones, ...settings.disks },
    { ...inCluster, dependsOn: snapshots },
);
const filesDriver = new EfsCsiDriver("files-driver", { cluster: schedulable, ...settings.filesDriver }, inCluster);
const keda = optional(settings.keda, (args) => new Keda("keda", { cluster: schedulable, ...args }, inCluster));

const airflow = new AirflowCelery(
    "airflow",
    { cluster: schedulable, metastore: metastore.connection, ...airflowArgs(settings, files.classNames) },
    {
        ...inCluster,
        dependsOn: [...keda, ...balancers, ...dns, ...services, filesDriver, disks, workers],
    },
);

export const airflowUrl = airflow.url;
export const airflowPortForward = airflow.portForward;
export const airflowUser = airflow.adminUsername;
export const airflowPassword = airflow.adminPassword;
export const kubeconfig = pulumi.secret(platform.kubeconfig);
export const kubeconfigCommand = pulumi.interpolate`aws eks update-kubeconfig --name ${cluster.name} --region ${cluster.region}`;
export const fileSystem = files.fileSystemId;
export const storageClasses = pulumi
    .all([disks.classNames, files.classNames])
    .apply(([blocks, shared]) => [...Object.values(blocks), ...Object.values(shared)]);
export const database = metastore.endpoint;
export const clusterView = view[0]?.access ?? "not deployed: see kubeOpsView in Pulumi.yaml";
