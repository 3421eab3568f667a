import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import {
    AccessMode,
    ExistingCluster,
    GravitonNodeGroup,
    LocalStorage,
    NvmeNodeGroup,
    SpotNodeGroup,
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

// Three types of one size over two zones, so that a shortage of one takes no more than a third.
const spot = new SpotNodeGroup("spot", {
    cluster,
    zones,
    instanceTypes: ["c5.large", "c5d.large", "c5a.large"],
    scaling: { min: 2, max: 3, desired: 2 },
    diskSizeGiB: 20,
});
const graviton = new GravitonNodeGroup("graviton", {
    cluster,
    zones,
    scaling: { min: 1, max: 3 },
    taint: true,
});
// Images, containers and emptyDir volumes on the instance's own disk.
const fast = new NvmeNodeGroup("fast", { cluster, zones, scaling: { min: 1, max: 1 } });
// The instance's own disk as a volume that pods claim.
const scratch = new NvmeNodeGroup(
    "scratch",
    {
        cluster,
        zones,
        scaling: { min: 1, max: 1 },
        localStorage: LocalStorage.Mount,
        labels: { purpose: "scratch" },
    },
    inCluster,
);

const namespace = new k8s.core.v1.Namespace("node-groups", { metadata: { name: "node-groups" } }, { provider });
const onEach = {
    spot: { group: spot, taint: undefined },
    graviton: { group: graviton, taint: { key: "family", operator: "Equal", value: "graviton", effect: "NoSchedule" } },
    fast: { group: fast, taint: undefined },
};
for (const [name, { group, taint }] of Object.entries(onEach)) {
    new k8s.apps.v1.Deployment(
        name,
        {
            metadata: { namespace: namespace.metadata.name },
            spec: {
                selector: { matchLabels: { app: name } },
                template: {
                    metadata: { labels: { app: name } },
                    spec: {
                        nodeSelector: group.labels,
                        tolerations: taint ? [taint] : [],
                        containers: [
                            {
                                name: "writer",
                                image: "public.ecr.aws/docker/library/busybox:1.37",
                                command: ["/bin/sh", "-c", "while true; do date -u >> /data/out.txt; sleep 5; done"],
                                volumeMounts: [{ name: "data", mountPath: "/data" }],
                                resources: { requests: { cpu: "10m", memory: "16Mi" } },
                            },
                        ],
                        volumes: [{ name: "data", emptyDir: {} }],
                    },
                },
            },
        },
        { provider, dependsOn: [group] },
    );
}

const claim = new VolumeClaim(
    "scratch",
    {
        namespace: namespace.metadata.name,
        storageClassName: scratch.className,
        size: "40Gi",
        accessMode: AccessMode.ReadWriteOnce,
    },
    inCluster,
);
new StoragePod(
    "scratch",
    { namespace: namespace.metadata.name, claimName: claim.claimName, nodeSelector: { purpose: "scratch" } },
    { ...inCluster, dependsOn: scratch },
);

export const nodeGroups = pulumi
    .all([spot.groupNames, graviton.groupNames, fast.groupNames, scratch.groupNames])
    .apply((groups) => groups.flatMap((names) => Object.values(names)));
export const clusterName = schedulable.name;
