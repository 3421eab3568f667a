import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { detached } from "../shared/detached";
import { fittingProblems } from "../shared/fitting";
import { isDnsSubdomain, labelProblems, namespaceProblems } from "../shared/kubernetesNames";
import { keysOf, listOf, mapOf, type ShapesOf } from "../shared/shape";
import { type Toleration, tolerationShape } from "../shared/toleration";
import { rangeProblems } from "./choices";

/** Arguments of {@link StoragePod}. */
export interface StoragePodArgs {
    /** The namespace of the pod. It must exist. */
    namespace: pulumi.Input<string>;
    /** The claim that the pod mounts. */
    claimName: pulumi.Input<string>;
    /** Where it mounts it. @default /data */
    mountPath?: string;
    /** The full name of the zone where the pod runs. @default any */
    zone?: string;
    /** Labels of the nodes where the pod may run. @default any */
    nodeSelector?: Record<string, string>;
    /** The taints that the pod bears. @default none */
    tolerations?: Toleration[];
    /** The image. @default public.ecr.aws/docker/library/busybox:1.37 */
    image?: string;
    /** What the pod runs. @default a loop that appends the time to `out.txt` every five seconds, as in article 001 */
    command?: string[];
    /** The user as which the pod runs, and whose group owns an EBS volume. @default 50000 */
    uid?: number;
}

const shapes: ShapesOf<StoragePodArgs> = {
    namespace: "string",
    claimName: "string",
    mountPath: "string",
    zone: "string",
    nodeSelector: mapOf("string"),
    tolerations: listOf(tolerationShape),
    image: "string",
    command: listOf("string"),
    uid: "integer",
};

/** What is wrong with the arguments of a {@link StoragePod}. */
export function checkStoragePodArgs(args: StoragePodArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (fitting) => {
        const problems = [
            ...namespaceProblems("namespace", plain(fitting.namespace)),
            ...labelProblems("nodeSelector", fitting.nodeSelector),
            ...rangeProblems("uid", fitting.uid, 1, 2 ** 31 - 1),
        ];
        const claimName = fitting.claimName === undefined ? "" : plain(fitting.claimName);
        if (claimName !== undefined && !isDnsSubdomain(claimName)) {
            problems.push({ path: "claimName", message: `"${claimName}" is no name of a claim` });
        }
        if (fitting.mountPath !== undefined && !fitting.mountPath.startsWith("/")) {
            problems.push({ path: "mountPath", message: `"${fitting.mountPath}" is no absolute path` });
        }
        return problems;
    });
}

/**
 * One pod that writes into a claim, kept alive by a Deployment that never runs two: what examples and tests need to see a volume
 * being made, moved and shared.
 */
export class StoragePod extends pulumi.ComponentResource {
    /** The name of the Deployment. */
    readonly deploymentName: pulumi.Output<string>;

    constructor(name: string, args: StoragePodArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("StoragePod", name, checkStoragePodArgs(args));
        super("airflow-eks:index:StoragePod", name, {}, opts);
        const labels = { "app.kubernetes.io/name": "storage-pod", "app.kubernetes.io/instance": name };
        const mountPath = args.mountPath ?? "/data";
        const uid = args.uid ?? 50000;
        const claim = detached(args.claimName);
        const zone: Record<string, string> =
            args.zone === undefined ? {} : { "topology.kubernetes.io/zone": args.zone };
        const deployment = new k8s.apps.v1.Deployment(
            name,
            {
                metadata: { namespace: args.namespace, labels },
                spec: {
                    replicas: 1,
                    // A volume of one node could not be attached to the new pod while the old one has it.
                    strategy: { type: "Recreate" },
                    selector: { matchLabels: labels },
                    template: {
                        metadata: { labels },
                        spec: {
                            nodeSelector: { ...args.nodeSelector, ...zone },
                            tolerations: args.tolerations,
                            terminationGracePeriodSeconds: 3,
                            securityContext: {
                                runAsNonRoot: true,
                                runAsUser: uid,
                                fsGroup: uid,
                                seccompProfile: { type: "RuntimeDefault" },
                            },
                            containers: [
                                {
                                    name: "app",
                                    image: args.image ?? "public.ecr.aws/docker/library/busybox:1.37",
                                    command: args.command ?? [
                                        ...["/bin/sh", "-c"],
                                        `while true; do date -u >> ${mountPath}/out.txt; sleep 5; done`,
                                    ],
                                    resources: {
                                        requests: { cpu: "10m", memory: "16Mi" },
                                        limits: { memory: "64Mi" },
                                    },
                                    securityContext: {
                                        allowPrivilegeEscalation: false,
                                        capabilities: { drop: ["ALL"] },
                                    },
                                    volumeMounts: [{ name: "data", mountPath }],
                                },
                            ],
                            volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim.value } }],
                        },
                    },
                },
            },
            { parent: this, dependsOn: claim.dependsOn },
        );
        this.deploymentName = deployment.metadata.name;
        this.registerOutputs({ deploymentName: this.deploymentName });
    }
}
