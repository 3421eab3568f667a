import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { AwsLoadBalancerController, EbsCsiStack, ExistingCluster, ExternalDns, VolumeClaim } from "pulumi-airflow-eks";

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
const zoneName = config.require("zoneName");
const hostname = `wordpress.${zoneName}`;

const disks = new EbsCsiStack("disks", { cluster: schedulable, zones, classes: { gp3: {} } }, inCluster);
const balancers = new AwsLoadBalancerController("balancers", { cluster: schedulable }, inCluster);
const dns = new ExternalDns("dns", { cluster: schedulable, zoneName }, inCluster);

const namespace = new k8s.core.v1.Namespace("wordpress", { metadata: { name: "wordpress" } }, { provider }).metadata
    .name;
const password = new random.RandomPassword("mysql", { length: 32, special: false });
const secret = new k8s.core.v1.Secret(
    "mysql",
    { metadata: { namespace }, stringData: { password: password.result } },
    { provider },
);
const passwordVariable = (name: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: secret.metadata.name, key: "password" } },
});

const databaseHost = application("mysql", {
    image: "docker.io/library/mysql:8.4",
    port: 3306,
    mountPath: "/var/lib/mysql",
    // An ext4 volume is not empty: it has lost+found, on which MySQL stops.
    subPath: "data",
    env: [
        passwordVariable("MYSQL_PASSWORD"),
        { name: "MYSQL_RANDOM_ROOT_PASSWORD", value: "yes" },
        { name: "MYSQL_DATABASE", value: "wordpress" },
        { name: "MYSQL_USER", value: "wordpress" },
    ],
});
application("wordpress", {
    image: "docker.io/library/wordpress:6.8-apache",
    port: 80,
    mountPath: "/var/www/html",
    subPath: "site",
    env: [
        { name: "WORDPRESS_DB_HOST", value: databaseHost },
        { name: "WORDPRESS_DB_NAME", value: "wordpress" },
        { name: "WORDPRESS_DB_USER", value: "wordpress" },
        passwordVariable("WORDPRESS_DB_PASSWORD"),
    ],
    annotations: {
        "service.beta.kubernetes.io/aws-load-balancer-type": "external",
        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing",
        "external-dns.alpha.kubernetes.io/hostname": hostname,
    },
    sourceRanges: config.requireObject<string[]>("sourceRanges"),
});

interface Application {
    image: string;
    port: number;
    mountPath: string;
    subPath: string;
    env: k8s.types.input.core.v1.EnvVar[];
    annotations?: Record<string, string>;
    /** Who may reach it by a load balancer; without, only the cluster does. */
    sourceRanges?: string[];
}

/** One pod with a volume of 20 GiB and a Service; the host name under which the cluster reaches it. */
function application(name: string, app: Application): pulumi.Output<string> {
    const labels = { app: name };
    const claim = new VolumeClaim(
        name,
        { namespace, storageClassName: disks.classNames.gp3, size: "20Gi" },
        { ...inCluster, dependsOn: disks },
    );
    new k8s.apps.v1.Deployment(
        name,
        {
            metadata: { namespace, labels },
            spec: {
                replicas: 1,
                // The volume goes to one node at a time: the old pod must let go of it first.
                strategy: { type: "Recreate" },
                selector: { matchLabels: labels },
                template: {
                    metadata: { labels },
                    spec: {
                        containers: [
                            {
                                name,
                                image: app.image,
                                env: app.env,
                                ports: [{ containerPort: app.port }],
                                volumeMounts: [{ name: "data", mountPath: app.mountPath, subPath: app.subPath }],
                                resources: { requests: { cpu: "100m", memory: "512Mi" }, limits: { memory: "1Gi" } },
                            },
                        ],
                        volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim.claimName } }],
                    },
                },
            },
        },
        { provider, dependsOn: disks },
    );
    const service = new k8s.core.v1.Service(
        name,
        {
            metadata: { namespace, labels, annotations: app.annotations },
            spec: {
                type: app.sourceRanges ? "LoadBalancer" : "ClusterIP",
                loadBalancerSourceRanges: app.sourceRanges,
                selector: labels,
                ports: [{ port: app.port }],
            },
        },
        { provider, dependsOn: app.sourceRanges ? [balancers, dns] : [] },
    );
    return service.metadata.name;
}

export const url = `http://${hostname}`;
