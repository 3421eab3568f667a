import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { EfsCsiDriver, EfsSharedStorage, ExistingCluster, ExistingNetwork, NfsClients } from "pulumi-airflow-eks";

// With source maps Node 20 never ends colouring the stack of an error in Pulumi's SDK, and its message is never seen.
process.setSourceMapsEnabled(false);

const config = new pulumi.Config();
const zones = config.requireObject<string[]>("zones");

const {
    info: cluster,
    schedulable,
    kubeconfig,
} = new ExistingCluster("cluster", {
    clusterName: config.require("clusterName"),
    zones,
});
const provider = new k8s.Provider("cluster", { kubeconfig, clusterIdentifier: cluster.name });
const inCluster = { providers: [provider] };
const network = new ExistingNetwork("network", { vpcId: cluster.vpcId, zones });

// The role that exactly the driver's service accounts may use, and the driver. Its controller runs on any node: a cluster that is there
// has no nodes of ours.
const driver = new EfsCsiDriver("driver", { cluster: schedulable, controllerNodeSelector: {} }, inCluster);

// The file system, a mount target in each zone that admits the VPC's addresses, and the class for Airflow's logs.
const files = new EfsSharedStorage(
    "files",
    {
        network: network.info,
        cluster,
        zones,
        clients: NfsClients.Vpc,
        displayName: "efs_fs",
    },
    { ...inCluster, dependsOn: driver },
);

export const fileSystemId = files.fileSystemId;
/** What the Airflow chart takes as logs.persistence.storageClassName. */
export const logsClass = files.classNames["efs-sc"];
