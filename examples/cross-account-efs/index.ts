import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
    AccessMode,
    CrossAccountClasses,
    CrossAccountFileSystem,
    EfsCsiDriver,
    ExistingCluster,
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

// The account that has the file system.
const otherAccount = new aws.Provider("other-account", {
    region: new pulumi.Config("aws").require("region") as aws.Region,
    assumeRoles: [{ roleArn: config.require("otherAccountRoleArn") }],
});
const shared = new CrossAccountFileSystem(
    "shared",
    {
        fileSystemId: config.require("fileSystemId"),
        clusterAccountId: config.require("clusterAccountId"),
    },
    { providers: [otherAccount] },
);

// The account that has the cluster.
const driver = new EfsCsiDriver(
    "driver",
    { cluster: schedulable, crossAccountRoleArns: { shared: shared.roleArn } },
    inCluster,
);
const classes = new CrossAccountClasses(
    "classes",
    { access: shared.access, classes: { "efs-shared": { directoryPerms: "700", basePath: "/shared" } } },
    inCluster,
);

const namespace = new k8s.core.v1.Namespace("cross-account", { metadata: { name: "cross-account" } }, { provider });
const onFiles = { ...inCluster, dependsOn: [driver, classes] };
const claim = new VolumeClaim(
    "shared",
    {
        namespace: namespace.metadata.name,
        storageClassName: classes.classNames["efs-shared"],
        size: "5Gi",
        accessMode: AccessMode.ReadWriteMany,
    },
    onFiles,
);
new StoragePod("writer", { namespace: namespace.metadata.name, claimName: claim.claimName }, onFiles);

export const claimName = claim.claimName;
