import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
    AccessMode,
    EfsCsiDriver,
    EfsSharedStorage,
    ExistingCluster,
    ExistingNetwork,
    StaticEfsVolume,
    StoragePod,
    VolumeClaim,
} from "pulumi-airflow-eks";

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

const driver = new EfsCsiDriver("driver", { cluster: schedulable }, inCluster);
const files = new EfsSharedStorage(
    "files",
    {
        network: network.info,
        cluster,
        zones,
        classes: { "efs-sc": { directoryPerms: "700", gidRangeStart: 1000, gidRangeEnd: 2000, basePath: "/dynamic" } },
    },
    inCluster,
);

const namespace = new k8s.core.v1.Namespace("efs-workshop", { metadata: { name: "efs-workshop" } }, { provider });
const inNamespace = { namespace: namespace.metadata.name };
const onFiles = { ...inCluster, dependsOn: [driver, files] };
const dynamic = new VolumeClaim(
    "dynamic",
    {
        ...inNamespace,
        storageClassName: files.classNames["efs-sc"],
        size: "5Gi",
        accessMode: AccessMode.ReadWriteMany,
    },
    onFiles,
);
const fixed = new StaticEfsVolume(
    "static",
    { ...inNamespace, fileSystemId: files.fileSystemId, directory: { path: "/static" }, size: "5Gi" },
    onFiles,
);

// Both volumes are written from both zones at the same time.
for (const [index, zone] of zones.entries()) {
    new StoragePod(`dynamic-${index}`, { ...inNamespace, claimName: dynamic.claimName, zone }, onFiles);
    new StoragePod(`static-${index}`, { ...inNamespace, claimName: fixed.claimName, zone }, onFiles);
}

export const fileSystemId = files.fileSystemId;
export const claims = [dynamic.claimName, fixed.claimName];
