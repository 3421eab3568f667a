import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { WorkloadIdentity, WorkloadRole } from "../cluster/workloadRole";
import { roleArnProblems } from "../shared/arns";
import { type Problem, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { DrainGate, DrainSubject } from "../shared/drainGate";
import { managedPolicyArn, policyJson } from "../shared/iamPolicy";
import { labelProblems } from "../shared/kubernetesNames";
import { checkManagedAddonArgs, managedAddon, type ManagedAddonArgs, managedAddonShapes } from "../shared/managedAddon";
import { parseQuantity } from "../shared/quantity";
import { choices, keysOf, listOf, mapOf, type ShapesOf } from "../shared/shape";
import { controllerTolerations, type Toleration, tolerationShape } from "../shared/toleration";
import { rangeProblems } from "./choices";
import { driverTagProblems, EFS_ARGUMENT_TAGS } from "./driverTags";
import { EFS_PROVISIONER } from "./efsStorageClass";

/** Arguments of {@link EfsCsiDriver}. */
export interface EfsCsiDriverArgs extends ManagedAddonArgs {
    /** The cluster, once pods can run on it. */
    cluster: pulumi.Input<ClusterInfo>;
    /** The driver is there already, from Helm or by hand: nothing is made, and nothing removed. @default false */
    alreadyInstalled?: boolean;
    /** How the driver gets its credentials. @default Irsa */
    identity?: WorkloadIdentity;
    /** The nodes of the driver's controller, by their labels. @default `system-node: enabled` */
    controllerNodeSelector?: Record<string, string>;
    /** The taints that the controller bears. @default `CriticalAddonsOnly` */
    controllerTolerations?: Toleration[];
    /** How many controllers run; one of them works. @default 2 */
    controllerReplicas?: number;
    /** The memory that each node keeps for the driver. @default 128Mi */
    nodeMemoryRequest?: string;
    /**
     * The memory that the driver may use on a node. Its proxy takes about 12 MiB for each mounted volume and 30 MiB for each mount in
     * progress, and when it is killed under heavy writing the node's mounts hang; source: the driver's docs/faq.md.
     * @default 1Gi, enough for 50 volumes
     */
    nodeMemoryLimit?: string;
    /**
     * Whether the files of a claim are deleted with it, where its class says `Delete`. The controller then mounts file systems, and needs
     * up to 3 processors and 2.5 GiB for a hundred deletions at once.
     * @default false
     */
    deleteAccessPointRootDir?: boolean;
    /** Roles of other accounts that the driver assumes to reach their file systems, by names of yours: see {@link CrossAccountFileSystem}. */
    crossAccountRoleArns?: Record<string, pulumi.Input<string>>;
    /** Tags of the access points that the driver makes. @default none */
    accessPointTags?: Record<string, string>;
    /** The longest wait in seconds, on destroy, for the driver to delete the last volumes. @default 300 */
    drainTimeoutSeconds?: number;
    /**
     * The image of the pod that holds up destroy until the last volume is gone, with Python 3: for networks that do not reach the default.
     * @default public.ecr.aws/docker/library/python:3.13-alpine
     */
    gateImage?: string;
}

const shapes: ShapesOf<EfsCsiDriverArgs> = {
    ...managedAddonShapes,
    cluster: "anything",
    alreadyInstalled: "boolean",
    identity: choices(WorkloadIdentity),
    controllerNodeSelector: mapOf("string"),
    controllerTolerations: listOf(tolerationShape),
    controllerReplicas: "integer",
    nodeMemoryRequest: "string",
    nodeMemoryLimit: "string",
    deleteAccessPointRootDir: "boolean",
    crossAccountRoleArns: mapOf("string"),
    accessPointTags: mapOf("string"),
    drainTimeoutSeconds: "integer",
    gateImage: "string",
};

const FLOOR = {
    version: "v1.3.8-eksbuild.1",
    why: "up to 1.3.6 its mounts hang and pods stay in ContainerCreating or Terminating (article 004)",
};

/** What is wrong with the arguments of an {@link EfsCsiDriver}. */
export function checkEfsCsiDriverArgs(args: EfsCsiDriverArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: EfsCsiDriverArgs): Problem[] {
    return [
        ...checkManagedAddonArgs(args, FLOOR),
        ...labelProblems("controllerNodeSelector", args.controllerNodeSelector),
        ...rangeProblems("controllerReplicas", args.controllerReplicas, 1, 10),
        ...rangeProblems("drainTimeoutSeconds", args.drainTimeoutSeconds, 30, 1800, " seconds"),
        ...memoryProblems(args),
        ...Object.entries(args.crossAccountRoleArns ?? {}).flatMap(([key, arn]) =>
            roleArnProblems(`crossAccountRoleArns.${key}`, arn),
        ),
        ...driverTagProblems("accessPointTags", args.accessPointTags ?? {}, EFS_ARGUMENT_TAGS),
    ];
}

/**
 * The driver that mounts EFS file systems into pods: the managed add-on `aws-efs-csi-driver`, one in a cluster.
 *
 * Creates the add-on, the role of its service accounts and a gate. Let everything that uses its volumes depend on this
 * component; on destroy the driver then leaves after the last volume is gone.
 */
export class EfsCsiDriver extends pulumi.ComponentResource {
    /** The add-on's version; empty when the driver was there already. */
    readonly version: pulumi.Output<string>;
    /** The ARN of the driver's role; empty when the driver was there already. */
    readonly roleArn: pulumi.Output<string>;

    constructor(name: string, args: EfsCsiDriverArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("EfsCsiDriver", name, checkEfsCsiDriverArgs(args));
        super("airflow-eks:index:EfsCsiDriver", name, {}, opts);

        if (args.alreadyInstalled) {
            this.version = pulumi.output("");
            this.roleArn = pulumi.output("");
        } else {
            const cluster = pulumi.output(args.cluster);
            const role = driverRole(this, name, cluster, args);
            const irsa = (args.identity ?? WorkloadIdentity.Irsa) === WorkloadIdentity.Irsa;
            const addon = managedAddon(
                this,
                name,
                {
                    addonName: "aws-efs-csi-driver",
                    clusterName: cluster.name,
                    kubernetesVersion: cluster.kubernetesVersion,
                    args,
                    floor: FLOOR,
                    configuration: configuration(args),
                    serviceAccountRoleArn: irsa ? role.roleArn : undefined,
                },
                { dependsOn: [role] },
            );
            new DrainGate(
                `${name}-gate`,
                {
                    subject: DrainSubject.Volumes,
                    driver: EFS_PROVISIONER,
                    timeoutSeconds: args.drainTimeoutSeconds,
                    nodeSelector: args.controllerNodeSelector,
                    tolerations: args.controllerTolerations,
                    image: args.gateImage,
                },
                { parent: this, dependsOn: [addon] },
            );
            this.version = addon.addonVersion;
            this.roleArn = role.roleArn;
        }
        this.registerOutputs({ version: this.version, roleArn: this.roleArn });
    }
}

/** The role that the controller makes access points with, and the nodes mount other accounts' file systems with. */
function driverRole(
    parent: pulumi.Resource,
    name: string,
    cluster: pulumi.Output<ClusterInfo>,
    args: EfsCsiDriverArgs,
): WorkloadRole {
    const policyArn = (policy: string) => managedPolicyArn(cluster.partition, policy);
    const others = Object.values(args.crossAccountRoleArns ?? {});
    const mountsAsItself = args.deleteAccessPointRootDir === true || others.length > 0;
    return new WorkloadRole(
        name,
        {
            cluster,
            namespace: "kube-system",
            serviceAccounts: ["efs-csi-controller-sa", "efs-csi-node-sa"],
            mode: args.identity,
            managedPolicyArns: {
                driver: policyArn("service-role/AmazonEFSCSIDriverPolicy"),
                ...(mountsAsItself ? { client: policyArn("AmazonElasticFileSystemClientFullAccess") } : {}),
            },
            inlinePolicies:
                others.length > 0
                    ? { "other-accounts": policyJson({ Action: "sts:AssumeRole", Resource: others }) }
                    : undefined,
        },
        { parent },
    );
}

function configuration(args: EfsCsiDriverArgs): Record<string, unknown> {
    return {
        controller: {
            replicaCount: args.controllerReplicas ?? 2,
            nodeSelector: args.controllerNodeSelector ?? { "system-node": "enabled" },
            tolerations: args.controllerTolerations ?? controllerTolerations,
            deleteAccessPointRootDir: args.deleteAccessPointRootDir ?? false,
            ...(args.deleteAccessPointRootDir
                ? { resources: { requests: { cpu: "200m", memory: "256Mi" }, limits: { cpu: "3", memory: "2560Mi" } } }
                : {}),
            ...(args.accessPointTags ? { tags: args.accessPointTags } : {}),
        },
        node: {
            resources: {
                requests: { cpu: "20m", memory: args.nodeMemoryRequest ?? "128Mi" },
                limits: { memory: args.nodeMemoryLimit ?? "1Gi" },
            },
        },
    };
}

function memoryProblems(args: EfsCsiDriverArgs): Problem[] {
    const problems: Problem[] = [];
    const bytes = (path: "nodeMemoryRequest" | "nodeMemoryLimit", fallback: string) => {
        const size = parseQuantity(args[path] ?? fallback);
        if (size === undefined || size < 2 ** 20) {
            problems.push({ path, message: `"${args[path]}" is no amount of memory; give one such as 256Mi or 1Gi` });
            return undefined;
        }
        return size;
    };
    const request = bytes("nodeMemoryRequest", "128Mi");
    const limit = bytes("nodeMemoryLimit", "1Gi");
    if (request !== undefined && limit !== undefined && request > limit) {
        problems.push({
            path: "nodeMemoryRequest",
            message: `${args.nodeMemoryRequest ?? "128Mi"} is more than nodeMemoryLimit, ${args.nodeMemoryLimit ?? "1Gi"}`,
        });
    }
    return problems;
}
