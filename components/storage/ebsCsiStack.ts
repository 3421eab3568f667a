import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { WorkloadIdentity, WorkloadRole } from "../cluster/workloadRole";
import { keyArnProblems } from "../shared/arns";
import { type Problem, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { DrainGate, DrainSubject } from "../shared/drainGate";
import { managedPolicyArn, policyJson } from "../shared/iamPolicy";
import { isDnsSubdomain, labelProblems } from "../shared/kubernetesNames";
import {
    checkManagedAddonArgs,
    managedAddon,
    type ManagedAddonArgs,
    managedAddonShapes,
    type VersionFloor,
} from "../shared/managedAddon";
import { parseQuantity } from "../shared/quantity";
import { zoneProblems } from "../shared/zones";
import { choices, keysOf, listOf, mapOf, type ShapesOf } from "../shared/shape";
import { controllerTolerations, type Toleration, tolerationShape } from "../shared/toleration";
import { rangeProblems } from "./choices";
import { driverTagProblems, EBS_ARGUMENT_TAGS } from "./driverTags";
import {
    EBS_PROVISIONER,
    EBS_REASONS,
    ebsClass,
    ebsClassesProblems,
    ebsClassesShape,
    type EbsClassSpec,
    EbsVolumeType,
    FileSystemType,
} from "./ebsStorageClass";

/** Which volumes of the account the driver may touch. */
export const EbsDriverPolicy = {
    /** Those that an EBS driver has tagged, of whatever cluster: AmazonEBSCSIDriverPolicyV2. */
    Account: "Account",
    /**
     * Those of this cluster: AmazonEBSCSIDriverEKSClusterScopedPolicy. Volumes that another version of the driver made must be tagged
     * `ebs.csi.aws.com/cluster-name` first.
     */
    Cluster: "Cluster",
} as const;
export type EbsDriverPolicy = (typeof EbsDriverPolicy)[keyof typeof EbsDriverPolicy];

/** Arguments of {@link EbsCsiStack}. */
export interface EbsCsiStackArgs extends ManagedAddonArgs {
    /** The cluster, once pods can run on it. */
    cluster: pulumi.Input<ClusterInfo>;
    /** The full names of the availability zones where pods with volumes run. */
    zones: string[];
    /** The StorageClasses by name. @default `gp3` and `standard` (io2 with 50 iops for each GiB, in the zones, xfs) */
    classes?: Record<string, EbsClassSpec>;
    /** The class of claims that name none: the only default of the cluster. @default gp3 */
    defaultClass?: string;
    /**
     * Default classes that others have made, which stop being the default: `gp2` on clusters that began before Kubernetes 1.30. They stay
     * otherwise what they are.
     * @default none
     */
    demotedClasses?: string[];
    /** The key that encrypts the volumes of classes without one of their own. @default the key that AWS manages for EBS */
    kmsKeyArn?: pulumi.Input<string>;
    /** How the driver gets its credentials. @default Irsa */
    identity?: WorkloadIdentity;
    /** Which volumes the driver may touch. @default Account */
    policy?: EbsDriverPolicy;
    /** The nodes of the driver's controller, by their labels. @default `system-node: enabled` */
    controllerNodeSelector?: Record<string, string>;
    /** The taints that the controller bears. @default `CriticalAddonsOnly` */
    controllerTolerations?: Toleration[];
    /** How many controllers run; one of them works. @default 2 */
    controllerReplicas?: number;
    /** The processor share that each node keeps for the driver. @default 30m */
    nodeCpuRequest?: string;
    /**
     * Attachments of each node that are not for volumes of claims: its root volume and what else is attached. Too few, and pods are sent to
     * nodes that cannot attach their volume.
     * @default what the driver finds by itself
     */
    reservedAttachments?: number;
    /** Runs the snapshotter even when no snapshot controller was there at installation: see {@link VolumeSnapshots}. @default false */
    snapshotter?: boolean;
    /** Tags of all volumes. @default none */
    volumeTags?: Record<string, string>;
    /** The longest wait in seconds, on destroy, for the driver to delete the last volumes. @default 300 */
    drainTimeoutSeconds?: number;
    /**
     * The image of the pod that holds up destroy until the last volume is gone, with Python 3: for networks that do not reach the default.
     * @default public.ecr.aws/docker/library/python:3.13-alpine
     */
    gateImage?: string;
}

const shapes: ShapesOf<EbsCsiStackArgs> = {
    ...managedAddonShapes,
    cluster: "anything",
    zones: listOf("string"),
    classes: ebsClassesShape,
    defaultClass: "string",
    demotedClasses: listOf("string"),
    kmsKeyArn: "string",
    identity: choices(WorkloadIdentity),
    policy: choices(EbsDriverPolicy),
    controllerNodeSelector: mapOf("string"),
    controllerTolerations: listOf(tolerationShape),
    controllerReplicas: "integer",
    nodeCpuRequest: "string",
    reservedAttachments: "integer",
    snapshotter: "boolean",
    volumeTags: mapOf("string"),
    drainTimeoutSeconds: "integer",
    gateImage: "string",
};

/** The classes that a cluster gets unless others are named. */
export function defaultEbsClasses(zones: string[]): Record<string, EbsClassSpec> {
    return {
        gp3: {},
        standard: { type: EbsVolumeType.Io2, iopsPerGb: 50, fsType: FileSystemType.Xfs, zones },
    };
}

/** What is wrong with the arguments of an {@link EbsCsiStack}. */
export function checkEbsCsiStackArgs(args: EbsCsiStackArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge, EBS_REASONS);
}

function judge(args: EbsCsiStackArgs): Problem[] {
    return [
        ...checkManagedAddonArgs(args, floor(args)),
        ...zoneProblems("zones", args.zones ?? []),
        ...ebsClassesProblems(args.classes ?? {}, args.zones ?? []),
        ...defaultProblems(args),
        ...keyArnProblems("kmsKeyArn", args.kmsKeyArn),
        ...labelProblems("controllerNodeSelector", args.controllerNodeSelector),
        ...rangeProblems("controllerReplicas", args.controllerReplicas, 1, 10),
        ...cpuProblems(args.nodeCpuRequest),
        ...rangeProblems("reservedAttachments", args.reservedAttachments, 1, 100),
        ...driverTagProblems("volumeTags", args.volumeTags ?? {}, EBS_ARGUMENT_TAGS),
        ...rangeProblems("drainTimeoutSeconds", args.drainTimeoutSeconds, 30, 1800, " seconds"),
    ];
}

/**
 * Block storage for pods: the managed add-on `aws-ebs-csi-driver`, one in a cluster, and StorageClasses whose volumes are encrypted,
 * follow their pod's zone and can grow.
 *
 * Creates the add-on, the role of its service account, a gate, and a StorageClass for each name. Let everything that uses its
 * volumes depend on this component; on destroy the driver then leaves after the last volume is gone.
 */
export class EbsCsiStack extends pulumi.ComponentResource {
    /** The add-on's version. */
    readonly version: pulumi.Output<string>;
    /** The ARN of the driver's role. */
    readonly roleArn: pulumi.Output<string>;
    /** The names of the StorageClasses by name: there once the driver can serve them. */
    readonly classNames: pulumi.Output<Record<string, string>>;
    /** The name of the class of claims that name none. */
    readonly defaultClassName: pulumi.Output<string>;

    constructor(name: string, args: EbsCsiStackArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("EbsCsiStack", name, checkEbsCsiStackArgs(args));
        super("airflow-eks:index:EbsCsiStack", name, {}, opts);
        const cluster = pulumi.output(args.cluster);

        const role = driverRole(this, name, cluster, args);
        const irsa = (args.identity ?? WorkloadIdentity.Irsa) === WorkloadIdentity.Irsa;
        const addon = managedAddon(
            this,
            name,
            {
                addonName: "aws-ebs-csi-driver",
                clusterName: cluster.name,
                kubernetesVersion: cluster.kubernetesVersion,
                args,
                floor: floor(args),
                configuration: configuration(args),
                serviceAccountRoleArn: irsa ? role.roleArn : undefined,
            },
            { dependsOn: [role] },
        );
        const gate = new DrainGate(
            `${name}-gate`,
            {
                subject: DrainSubject.Volumes,
                driver: EBS_PROVISIONER,
                timeoutSeconds: args.drainTimeoutSeconds,
                nodeSelector: args.controllerNodeSelector,
                tolerations: args.controllerTolerations,
                image: args.gateImage,
            },
            { parent: this, dependsOn: [addon] },
        );
        const classes = makeClasses(this, name, cluster, args, gate);

        this.version = addon.addonVersion;
        this.roleArn = role.roleArn;
        const names = Object.entries(classes).map(([key, made]) => [key, made.metadata.name] as const);
        this.classNames = pulumi.all(Object.fromEntries(names)).apply((known): Record<string, string> => known);
        this.defaultClassName = classes[defaultClassOf(args)].metadata.name;
        this.registerOutputs({
            version: this.version,
            roleArn: this.roleArn,
            classNames: this.classNames,
            defaultClassName: this.defaultClassName,
        });
    }
}

function driverRole(
    parent: pulumi.Resource,
    name: string,
    cluster: pulumi.Output<ClusterInfo>,
    args: EbsCsiStackArgs,
): WorkloadRole {
    const scoped = args.policy === EbsDriverPolicy.Cluster;
    const policy = scoped ? "AmazonEBSCSIDriverEKSClusterScopedPolicy" : "service-role/AmazonEBSCSIDriverPolicyV2";
    const keys = [args.kmsKeyArn, ...Object.values(classesOf(args)).map((spec) => spec.kmsKeyArn)].filter(
        (key) => key !== undefined,
    );
    return new WorkloadRole(
        name,
        {
            cluster,
            namespace: "kube-system",
            serviceAccounts: ["ebs-csi-controller-sa"],
            mode: args.identity,
            managedPolicyArns: { driver: managedPolicyArn(cluster.partition, policy) },
            inlinePolicies: keys.length > 0 ? { keys: keyPolicy(keys) } : undefined,
            // The scoped policy compares volumes with this; Pod Identity sets it on the session, IRSA knows it from the role only.
            tags: scoped ? { "eks-cluster-name": cluster.name } : undefined,
        },
        { parent },
    );
}

/** Without these a volume with a key of the customer's is made, cannot be attached, vanishes, and the claim stays pending. */
function keyPolicy(keys: pulumi.Input<string>[]): pulumi.Output<string> {
    const Resource = pulumi.all(keys).apply((arns) => [...new Set(arns)]);
    return policyJson(
        {
            Sid: "UseKeys",
            Action: ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKeyWithoutPlaintext", "kms:ReEncrypt*"],
            Resource,
        },
        {
            Sid: "LendKeysToEbs",
            Action: "kms:CreateGrant",
            Resource,
            Condition: { Bool: { "kms:GrantIsForAWSResource": "true" } },
        },
    );
}

function configuration(args: EbsCsiStackArgs): Record<string, unknown> {
    return {
        controller: {
            replicaCount: args.controllerReplicas ?? 2,
            nodeSelector: args.controllerNodeSelector ?? { "system-node": "enabled" },
            tolerations: args.controllerTolerations ?? controllerTolerations,
            ...(args.volumeTags ? { extraVolumeTags: args.volumeTags } : {}),
        },
        node: {
            tolerateAllTaints: true,
            resources: { requests: { cpu: args.nodeCpuRequest ?? "30m" } },
            ...(args.reservedAttachments === undefined ? {} : { reservedVolumeAttachments: args.reservedAttachments }),
        },
        ...(args.snapshotter ? { sidecars: { snapshotter: { forceEnable: true } } } : {}),
    };
}

function makeClasses(
    parent: pulumi.Resource,
    name: string,
    cluster: pulumi.Output<ClusterInfo>,
    args: EbsCsiStackArgs,
    gate: DrainGate,
): Record<string, k8s.storage.v1.StorageClass> {
    const defaultClass = defaultClassOf(args);
    const classes = Object.fromEntries(
        Object.entries(classesOf(args)).map(([className, spec]) => [
            className,
            ebsClass(
                `${name}-${className}`,
                {
                    ...{ className, spec, isDefault: className === defaultClass, kmsKeyArn: args.kmsKeyArn },
                    zones: spec.zones && zonesOf(cluster, spec.zones, className),
                },
                { parent, dependsOn: [gate] },
            ),
        ]),
    );
    for (const demoted of args.demotedClasses ?? []) {
        new k8s.storage.v1.StorageClassPatch(
            `${name}-demoted-${demoted}`,
            {
                metadata: {
                    name: demoted,
                    annotations: {
                        "storageclass.kubernetes.io/is-default-class": "false",
                        "pulumi.com/patchForce": "true",
                    },
                },
            },
            { parent, dependsOn: [classes[defaultClass]] },
        );
    }
    return classes;
}

function zonesOf(cluster: pulumi.Output<ClusterInfo>, zones: string[], className: string): pulumi.Output<string[]> {
    return cluster.apply(({ name, nodeSubnetIds }) => {
        const missing = zones.filter((zone) => !nodeSubnetIds[zone]);
        if (missing.length > 0) {
            throw new Error(
                `class "${className}" allows volumes in ${missing.join(", ")}, where no node of cluster ${name} can run; ` +
                    `its nodes have subnets in ${Object.keys(nodeSubnetIds).join(", ")}.`,
            );
        }
        return zones;
    });
}

function classesOf(args: EbsCsiStackArgs): Record<string, EbsClassSpec> {
    return args.classes ?? defaultEbsClasses(args.zones ?? []);
}

function defaultClassOf(args: EbsCsiStackArgs): string {
    return args.defaultClass ?? "gp3";
}

function floor(args: EbsCsiStackArgs): VersionFloor {
    return args.policy === EbsDriverPolicy.Cluster
        ? { version: "v1.58.0-eksbuild.1", why: "the policy for one cluster needs the tags that 1.58 gives volumes" }
        : { version: "v1.31.0-eksbuild.1", why: "it lacks settings that this component uses" };
}

function defaultProblems(args: EbsCsiStackArgs): Problem[] {
    const names = Object.keys(classesOf(args));
    const problems: Problem[] = [];
    if (!names.includes(defaultClassOf(args))) {
        problems.push({
            path: "defaultClass",
            message: `"${defaultClassOf(args)}" is not one of the classes ${names.join(", ")}; name the one that claims without a class get`,
        });
    }
    (args.demotedClasses ?? []).forEach((demoted, index, all) => {
        if (names.includes(demoted)) {
            problems.push({
                path: `demotedClasses[${index}]`,
                message: `"${demoted}" is made by this component; name only classes that others have made`,
            });
        } else if (!isDnsSubdomain(demoted)) {
            problems.push({ path: `demotedClasses[${index}]`, message: `"${demoted}" is no name of a StorageClass` });
        } else if (all.indexOf(demoted) !== index) {
            problems.push({ path: `demotedClasses[${index}]`, message: `"${demoted}" is there twice; list it once.` });
        }
    });
    return problems;
}

function cpuProblems(request: string | undefined): Problem[] {
    const cpu = request === undefined ? 0.03 : parseQuantity(request);
    return cpu !== undefined && cpu > 0 && cpu <= 4
        ? []
        : [{ path: "nodeCpuRequest", message: `"${request}" is no share of a processor, such as 30m` }];
}
