/** Airflow on EKS as Pulumi components: each works by itself in any program, and all together in `stacks/`. */

export * from "./shared/check";
export * from "./shared/drainGate";
export * from "./shared/zones";

export * from "./cluster/clusterInfo";
export * from "./cluster/networkInfo";
export * from "./cluster/workloadRole";
export * from "./cluster/airflowNetwork";
export * from "./cluster/existingNetwork";
export * from "./cluster/existingCluster";
export * from "./cluster/platformCluster";
export * from "./cluster/platformClusterArgs";

export { defaultVersion as defaultKubernetesVersion } from "./cluster/kubernetesVersion";
export * from "./cluster/clusterAccess";
export type { KubeconfigSettings } from "./cluster/kubeconfig";

export * from "./nodes/nodeGroup";
export * from "./nodes/spotNodeGroup";
export * from "./nodes/gravitonNodeGroup";
export * from "./nodes/nvmeNodeGroup";
export * from "./nodes/chooseInstanceTypes";
export { Architecture } from "./nodes/nodeTypes";
export { type NodeTaint, TaintEffect } from "./nodes/nodeTaint";
export type { NodeScaling } from "./nodes/nodeScaling";
export { LocalStorage } from "./nodes/nodeUserData";

export type { Toleration } from "./shared/toleration";
export { AccessMode, ReclaimPolicy, VolumeBinding } from "./storage/choices";
export { type EbsClassSpec, EbsVolumeType, FileSystemType } from "./storage/ebsStorageClass";
export * from "./storage/ebsCsiStack";
export * from "./storage/efsCsiDriver";
export {
    type EfsFileSystemSettings,
    type EfsLifecycle,
    EfsPerformanceMode,
    type EfsReplication,
    EfsThroughputMode,
    EfsTransition,
} from "./storage/efsFileSystem";
export { airflowEfsClass, defaultEfsClasses, type EfsClassSpec } from "./storage/efsStorageClass";
export { NfsClients } from "./storage/mountTargets";
export { checkEfsSharedStorageArgs, EfsSharedStorage, type EfsSharedStorageArgs } from "./storage/efsSharedStorage";
export {
    checkExistingFileSystemArgs,
    ExistingFileSystem,
    type ExistingFileSystemArgs,
} from "./storage/existingFileSystem";
export * from "./storage/crossAccountFileSystem";
export * from "./storage/crossAccountClasses";
export * from "./storage/staticEfsVolume";
export { checkVolumeClaimArgs, type SnapshotInfo, VolumeClaim, type VolumeClaimArgs } from "./storage/volumeClaim";
export * from "./storage/volumeSnapshots";
export * from "./storage/volumeSnapshot";
export * from "./storage/importedSnapshot";
export * from "./storage/snapshotSchedule";
export * from "./storage/storagePod";

export * from "./airflow/airflowMetastore";
export * from "./airflow/existingMetastore";
export * from "./airflow/metastoreConnection";
export * from "./airflow/airflowCelery";
export * from "./airflow/airflowCeleryArgs";
export type { AirflowPodArgs } from "./airflow/airflowPod";
export * from "./airflow/cloudWatchAlarms";
export type { DagBundle, DagSettings, GitSyncSettings } from "./airflow/dags";
export type { LogSettings } from "./airflow/logs";
export * from "./airflow/metastoreBootstrap";
export type { PgBouncerSettings } from "./airflow/pgbouncer";
export { NodeArchitecture, NodeCapacity, type PodPlacement, type PodToleration } from "./airflow/placement";
export type { AirflowSizes, ComponentSize, PodResources } from "./airflow/resources";
export type { SecretsManagerSettings } from "./airflow/airflowRoles";
export type { FernetSettings } from "./airflow/airflowSecrets";
export type { WorkerScaling } from "./airflow/scaling";
export { UiExposure, type UiSettings } from "./airflow/userInterface";
export type { WorkerSettings } from "./airflow/workers";

export * from "./addons/awsLoadBalancerController";
export * from "./addons/clusterAutoscaler";
export * from "./addons/externalDns";
export * from "./addons/helmAddon";
export * from "./addons/keda";
export * from "./addons/kubeOpsView";
export * from "./addons/metricsServer";
