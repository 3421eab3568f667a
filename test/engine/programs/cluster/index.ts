import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as parts from "../../../../components";

/** A part is there when its key is set, to an object with the arguments that differ. */
const config = new pulumi.Config();
const part = <Args>(key: string): Partial<Args> | undefined => config.getObject<Partial<Args>>(key);
const zones = config.getObject<string[]>("zones") ?? ["eu-west-1a", "eu-west-1b"];

// A time when AWS had no other instance types than these.
const knownTypes = config.get("knownTypes");
if (knownTypes) {
    void pulumi.runtime.registerInvokeTransform(async ({ token, args, opts }) =>
        token === "aws:ec2/getInstanceTypes:getInstanceTypes"
            ? { args: { filters: [...args.filters, { name: "instance-type", values: [knownTypes] }] }, opts }
            : undefined,
    );
}

const networkArgs = part<parts.AirflowNetworkArgs>("network");
const existingNetworkArgs = part<parts.ExistingNetworkArgs>("existingNetwork");
const network = networkArgs
    ? new parts.AirflowNetwork("network", { zones, ...networkArgs })
    : existingNetworkArgs && new parts.ExistingNetwork("network", { vpcId: "", zones, ...existingNetworkArgs });

const clusterArgs = part<parts.PlatformClusterArgs>("cluster");
const existingClusterArgs = part<parts.ExistingClusterArgs>("existingCluster");
const platform =
    clusterArgs && network
        ? new parts.PlatformCluster("platform", {
              network: network.info,
              zones,
              ...(clusterArgs.privateEndpointReachable ? {} : { publicAccessCidrs: ["203.0.113.0/24"] }),
              ...clusterArgs,
          })
        : existingClusterArgs &&
          new parts.ExistingCluster("platform", { clusterName: "", zones, ...existingClusterArgs });

export const networkInfo = network?.info;
export const info = platform?.info;
export const schedulable = platform?.schedulable;
export const kubeconfig = platform?.kubeconfig;

if (platform) {
    const cluster = platform.info;
    const provider = new k8s.Provider("platform", { kubeconfig: platform.kubeconfig });
    const inCluster = { providers: [provider] };
    const common = { cluster, zones, scaling: { min: 1, max: 3 } };

    const nodesArgs = part<parts.NodeGroupArgs>("nodes");
    if (nodesArgs) {
        new parts.NodeGroup("nodes", { ...common, instanceTypes: ["m5.large"], ...nodesArgs });
    }
    const spotArgs = part<parts.SpotNodeGroupArgs>("spot");
    if (spotArgs) {
        new parts.SpotNodeGroup("spot", { ...common, ...spotArgs });
    }
    const gravitonArgs = part<parts.GravitonNodeGroupArgs>("graviton");
    if (gravitonArgs) {
        new parts.GravitonNodeGroup("graviton", { ...common, ...gravitonArgs });
    }
    const nvmeArgs = part<parts.NvmeNodeGroupArgs>("nvme");
    const nvme = nvmeArgs && new parts.NvmeNodeGroup("nvme", { ...common, ...nvmeArgs }, inCluster);
    if (config.getBoolean("inCluster")) {
        new k8s.core.v1.ConfigMap("note", { metadata: { name: "note" }, data: { a: "b" } }, { provider });
    }
    const podArgs = part<PodArgs>("pod");
    if (podArgs) {
        const mounts = nvmeArgs?.localStorage === parts.LocalStorage.Mount;
        pod(podArgs, mounts ? nvme?.className : undefined, provider, platform.schedulable);
    }
}

interface PodArgs {
    nodeSelector: Record<string, string>;
    /** What the pod asks of its node's disk. */
    storage: string;
}

/** A Deployment, with a claim where a class is given; it comes up only where nodes and volumes really fit it. */
function pod(
    { nodeSelector, storage }: Partial<PodArgs>,
    claimClass: pulumi.Output<string> | undefined,
    provider: k8s.Provider,
    schedulable_: pulumi.Output<parts.ClusterInfo>,
) {
    const claim =
        claimClass &&
        new k8s.core.v1.PersistentVolumeClaim(
            "scratch",
            {
                metadata: { name: "scratch", annotations: { "pulumi.com/skipAwait": "true" } },
                spec: {
                    storageClassName: claimClass,
                    accessModes: ["ReadWriteOnce"],
                    resources: { requests: { storage: "10Gi" } },
                },
            },
            { provider },
        );
    const labels = { app: "pod" };
    new k8s.apps.v1.Deployment(
        "pod",
        {
            metadata: { name: "pod", annotations: { cluster: schedulable_.name } },
            spec: {
                selector: { matchLabels: labels },
                template: {
                    metadata: { labels },
                    spec: {
                        nodeSelector,
                        containers: [
                            {
                                name: "main",
                                // Nodes without a way to the internet reach ECR only, here its cache of public images.
                                image: "123456789012.dkr.ecr.eu-west-1.amazonaws.com/public/docker/library/busybox:1.37",
                                resources: { requests: storage ? { "ephemeral-storage": storage } : {} },
                                volumeMounts: claim ? [{ name: "data", mountPath: "/data" }] : [],
                            },
                        ],
                        volumes: claim
                            ? [{ name: "data", persistentVolumeClaim: { claimName: claim.metadata.name } }]
                            : [],
                    },
                },
            },
        },
        { provider },
    );
}
