import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { AirflowCelery, AirflowMetastore, EfsSharedStorage, Keda } from "../../../../components";
import { cluster, kubeconfig, network, zones } from "../storage/platform";

/** Database, files, KEDA and Airflow on a cluster that is there, with the arguments that differ. */
const config = new pulumi.Config();
const inCluster = { providers: [new k8s.Provider("platform", { kubeconfig })] };

const databases = config.getObject<Record<string, object>>("metastores") ?? { metastore: {} };
const metastores = Object.fromEntries(
    Object.entries(databases).map(([name, args]) => [
        name,
        new AirflowMetastore(name, { network, cluster, zones, ...args }),
    ]),
);
const used = metastores[config.get("metastore") ?? "metastore"];
const files = new EfsSharedStorage("files", { network, cluster, zones, classes: { "efs-sc": {} } }, inCluster);
const keda = new Keda("keda", { cluster }, inCluster);
const airflow = new AirflowCelery(
    "airflow",
    {
        cluster,
        metastore: used.connection,
        logs: { storageClassName: files.classNames["efs-sc"] },
        workers: { scaling: { kedaInstalled: true } },
        ...config.getObject<object>("airflow"),
    },
    { ...inCluster, dependsOn: [keda] },
);

export const url = airflow.url;
export const adminPassword = airflow.adminPassword;
export const finalSnapshot = used.finalSnapshotIdentifier;
export const snapshots = used.snapshotIdentifiers;
