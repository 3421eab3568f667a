import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, refuseProblems } from "./check";
import { drainScript } from "./drainScript";
import { controllerTolerations, type Toleration } from "./toleration";

/** What a {@link DrainGate} waits for before it lets go of the controller that it guards. */
export const DrainSubject = {
    /** Volumes that a CSI driver still has to delete or detach. */
    Volumes: "volumes",
    /** Services and Ingresses that are being deleted and still hold a load balancer. */
    LoadBalancers: "load-balancers",
    /** One complete synchronisation of ExternalDNS that began after the last user of it was gone. */
    DnsRecords: "dns-records",
} as const;
export type DrainSubject = (typeof DrainSubject)[keyof typeof DrainSubject];

/** Arguments of {@link DrainGate}. */
export interface DrainGateArgs {
    /** What to wait for. */
    subject: DrainSubject;
    /** The CSI driver's name, for `volumes`: for example `ebs.csi.aws.com`. */
    driver?: string;
    /** Where ExternalDNS shows its Prometheus metrics, for `dns-records`. */
    metricsUrl?: pulumi.Input<string>;
    /** The namespace of the gate. @default kube-system */
    namespace?: pulumi.Input<string>;
    /** The longest wait in seconds; what is left then is left behind. @default 300 */
    timeoutSeconds?: number;
    /** Labels of the nodes on which the gate runs. @default those that `system-node: enabled` selects */
    nodeSelector?: pulumi.Input<Record<string, string>>;
    /** The taints that the gate bears, those of the nodes' controllers. @default `CriticalAddonsOnly` */
    tolerations?: Toleration[];
    /** An image with Python 3; it needs no other package. @default public.ecr.aws/docker/library/python:3.13-alpine */
    image?: pulumi.Input<string>;
}

const DEFAULT_IMAGE = "public.ecr.aws/docker/library/python:3.13-alpine";
const DEFAULT_TIMEOUT_SECONDS = 300;
const IDLE_SCRIPT =
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); [signal.pause() for _ in iter(int, 1)]";

/** What is wrong with the arguments of a {@link DrainGate}. */
export function checkDrainGateArgs(args: DrainGateArgs): Problem[] {
    const problems: Problem[] = [];
    if (args.subject === DrainSubject.Volumes && !args.driver) {
        problems.push({ path: "driver", message: "name the CSI driver whose volumes are waited for" });
    }
    if (args.subject === DrainSubject.DnsRecords && args.metricsUrl === undefined) {
        problems.push({ path: "metricsUrl", message: "say where ExternalDNS shows its metrics" });
    }
    const timeout = plain(args.timeoutSeconds) ?? DEFAULT_TIMEOUT_SECONDS;
    if (!Number.isInteger(timeout) || timeout < 30 || timeout > 1800) {
        problems.push({ path: "timeoutSeconds", message: `${timeout} is not a whole number from 30 to 1800` });
    }
    return problems;
}

/**
 * Makes `pulumi destroy` wait for what a controller still has to clean up at AWS.
 *
 * Controllers work after the fact: a claim disappears at once and its EBS volume seconds later, a record when ExternalDNS
 * next synchronises. A controller that is removed in between leaves orphans that nobody deletes. Since `pulumi destroy` does
 * not run the program, the wait has to live in what the state holds: this gate is a Deployment whose pod idles until it is
 * deleted, and whose preStop hook then watches the cluster until the work is done. Kubernetes keeps the pod, and Pulumi
 * waits for the Deployment, until the hook returns.
 *
 * The gate depends on the controller, and what uses the controller depends on the gate, so that it is deleted between them.
 */
export class DrainGate extends pulumi.ComponentResource {
    constructor(name: string, args: DrainGateArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("DrainGate", name, checkDrainGateArgs(args));
        super("airflow-eks:index:DrainGate", name, {}, opts);

        const namespace = args.namespace ?? "kube-system";
        const timeoutSeconds = args.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS;
        const labels = { "app.kubernetes.io/name": "drain-gate", "app.kubernetes.io/instance": name };
        const account = gateAccount(this, name, namespace, args.subject);

        new k8s.apps.v1.Deployment(
            name,
            {
                metadata: { namespace, labels },
                spec: {
                    replicas: 1,
                    // Two gates at once would only wait twice.
                    strategy: { type: "Recreate" },
                    selector: { matchLabels: labels },
                    template: {
                        metadata: {
                            labels,
                            annotations: { "cluster-autoscaler.kubernetes.io/safe-to-evict": "true" },
                        },
                        spec: {
                            serviceAccountName: account.name,
                            terminationGracePeriodSeconds: timeoutSeconds + 30,
                            nodeSelector: args.nodeSelector ?? { "system-node": "enabled" },
                            tolerations: args.tolerations ?? controllerTolerations,
                            securityContext: {
                                runAsNonRoot: true,
                                runAsUser: 65534,
                                seccompProfile: { type: "RuntimeDefault" },
                            },
                            containers: [
                                {
                                    name: "gate",
                                    image: args.image ?? DEFAULT_IMAGE,
                                    // As process 1, Python would ignore SIGTERM without a handler and sit out the whole grace period.
                                    command: ["python3", "-c", IDLE_SCRIPT],
                                    env: [
                                        { name: "SUBJECT", value: args.subject },
                                        { name: "DRIVER", value: args.driver ?? "" },
                                        { name: "METRICS_URL", value: args.metricsUrl ?? "" },
                                        { name: "TIMEOUT_SECONDS", value: String(timeoutSeconds) },
                                    ],
                                    lifecycle: { preStop: { exec: { command: ["python3", "-c", drainScript] } } },
                                    resources: {
                                        requests: { cpu: "5m", memory: "32Mi" },
                                        limits: { memory: "64Mi" },
                                    },
                                    securityContext: {
                                        allowPrivilegeEscalation: false,
                                        readOnlyRootFilesystem: true,
                                        capabilities: { drop: ["ALL"] },
                                    },
                                },
                            ],
                        },
                    },
                },
            },
            { parent: this, dependsOn: account.ready, customTimeouts: { delete: `${timeoutSeconds + 120}s` } },
        );
        this.registerOutputs({});
    }
}

/** What the watching script may read, and nothing else. */
const READABLE: Record<DrainSubject, { apiGroups: string[]; resources: string[] }[]> = {
    [DrainSubject.Volumes]: [
        { apiGroups: [""], resources: ["persistentvolumes"] },
        { apiGroups: ["storage.k8s.io"], resources: ["volumeattachments"] },
    ],
    [DrainSubject.LoadBalancers]: [
        { apiGroups: [""], resources: ["services"] },
        { apiGroups: ["networking.k8s.io"], resources: ["ingresses"] },
    ],
    [DrainSubject.DnsRecords]: [],
};

function gateAccount(parent: DrainGate, name: string, namespace: pulumi.Input<string>, subject: DrainSubject) {
    const account = new k8s.core.v1.ServiceAccount(name, { metadata: { namespace } }, { parent });
    const accountName = account.metadata.name;
    const rules = READABLE[subject];
    if (rules.length === 0) {
        return { name: accountName, ready: [account] };
    }
    const role = new k8s.rbac.v1.ClusterRole(
        name,
        { rules: rules.map((rule) => ({ ...rule, verbs: ["get", "list"] })) },
        { parent },
    );
    const binding = new k8s.rbac.v1.ClusterRoleBinding(
        name,
        {
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
            subjects: [{ kind: "ServiceAccount", name: accountName, namespace }],
        },
        { parent },
    );
    return { name: accountName, ready: [account, binding] };
}
