import * as pulumi from "@pulumi/pulumi";
import { AirflowNetwork, NatGateways, PlatformCluster } from "pulumi-airflow-eks";

// With source maps Node 20 never ends colouring the stack of an error in Pulumi's SDK, and its message is never seen.
process.setSourceMapsEnabled(false);

const config = new pulumi.Config();
const zones = config.requireObject<string[]>("zones");

const network = new AirflowNetwork("network", { zones, natGateways: NatGateways.Single });
const cluster = new PlatformCluster("cluster", {
    network: network.info,
    zones,
    clusterName: "examples",
    publicAccessCidrs: config.requireObject<string[]>("publicAccessCidrs"),
});

export const clusterName = cluster.schedulable.name;
export const vpcId = network.info.vpcId;
export const kubeconfig = pulumi.secret(cluster.kubeconfig);
