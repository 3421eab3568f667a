import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
    EbsCsiStack,
    EbsVolumeType,
    ExistingCluster,
    FileSystemType,
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

if (config.getBoolean("failing")) {
    // The provisioner is the one that Kubernetes no longer has, and nothing makes the volume wait for its pod.
    new k8s.storage.v1.StorageClass(
        "bad-storage",
        {
            metadata: { name: "bad-storage" },
            provisioner: "kubernetes.io/aws-ebs",
            parameters: { type: "gp2", fsType: "ext4" },
        },
        { provider },
    );
}

// The same volume type by the driver: made in the zone of its pod, and only where there are nodes.
const disks = new EbsCsiStack(
    "disks",
    {
        cluster: schedulable,
        zones,
        classes: { standard: { type: EbsVolumeType.Io1, iopsPerGb: 50, fsType: FileSystemType.Xfs, zones } },
        defaultClass: "standard",
    },
    inCluster,
);
const namespace = new k8s.core.v1.Namespace("rescheduling", { metadata: { name: "rescheduling" } }, { provider });
const onDisks = { ...inCluster, dependsOn: disks };
const claim = new VolumeClaim(
    "data",
    { namespace: namespace.metadata.name, storageClassName: disks.classNames.standard, size: "10Gi" },
    onDisks,
);
new StoragePod("writer", { namespace: namespace.metadata.name, claimName: claim.claimName }, onDisks);

export const claimName = claim.claimName;
