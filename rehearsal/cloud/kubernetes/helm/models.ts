import type { ChartModel } from "./chart";
import { airflow } from "./charts/airflow";
import { awsLoadBalancerController } from "./charts/awsLoadBalancerController";
import { keda } from "./charts/keda";
import { clusterAutoscaler, externalDns, kubeOpsView, metricsServer } from "./charts/small";

const models = [airflow, keda, awsLoadBalancerController, externalDns, clusterAutoscaler, metricsServer, kubeOpsView];

/** The model of a chart by what a release names: `keda`, `oci://registry/keda`, `./charts/keda`, `airflow-1.22.0.tgz`. */
export function modelOf(chart: unknown): ChartModel | undefined {
    const last = String(chart).replace(/\/$/, "").split("/").pop() ?? "";
    const name = last.replace(/(-v?\d+\.\d+\.\d+[^/]*)?\.tgz$/, "");
    return models.find((model) => model.name === name);
}
