import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
    EbsCsiStack,
    ExistingCluster,
    StoragePod,
    VolumeClaim,
    VolumeSnapshot,
    VolumeSnapshots,
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

const snapshots = new VolumeSnapshots("snapshots", { cluster: schedulable }, inCluster);
const disks = new EbsCsiStack(
    "disks",
    { cluster: schedulable, zones, classes: { gp3: { fsType: "xfs" } } },
    { ...inCluster, dependsOn: snapshots },
);

const namespace = new k8s.core.v1.Namespace("ebs-workshop", { metadata: { name: "ebs-workshop" } }, { provider });
const onDisks = { ...inCluster, dependsOn: disks };
const claim = new VolumeClaim(
    "data",
    {
        namespace: namespace.metadata.name,
        storageClassName: disks.classNames.gp3,
        size: config.get("size") ?? "4Gi",
    },
    onDisks,
);
const writer = new StoragePod("writer", { namespace: namespace.metadata.name, claimName: claim.claimName }, onDisks);

if (config.getBoolean("snapshot")) {
    const snapshot = new VolumeSnapshot(
        "data",
        {
            namespace: namespace.metadata.name,
            claimName: claim.claimName,
            claimSize: claim.size,
            className: snapshots.className,
        },
        { ...inCluster, dependsOn: [snapshots, writer] },
    );
    const restored = new VolumeClaim(
        "restored",
        {
            namespace: namespace.metadata.name,
            storageClassName: disks.classNames.gp3,
            size: claim.size,
            fromSnapshot: snapshot.info,
        },
        onDisks,
    );
    new StoragePod("reader", { namespace: namespace.metadata.name, claimName: restored.claimName }, onDisks);
}

export const claimName = claim.claimName;
export const size = claim.size;
