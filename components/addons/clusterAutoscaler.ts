import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { WorkloadIdentity, WorkloadRole } from "../cluster/workloadRole";
import type { PublishedChart } from "../shared/chart";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { policyJson } from "../shared/iamPolicy";
import { type ShapesOf, choices, keysOf } from "../shared/shape";
import {
    type AddonResources,
    type HelmAddonArgs,
    addonRelease,
    checkHelmAddonArgs,
    helmAddonShapes,
    placementOf,
} from "./helmAddon";

/** How the autoscaler chooses among node groups that could all take the waiting pods. */
export const AutoscalerExpander = {
    /** The group that leaves the least CPU and memory unused. */
    LeastWaste: "least-waste",
    /** The order that the values' `expanderPriorities` give. */
    Priority: "priority",
    /** The group in which the most pods fit. */
    MostPods: "most-pods",
    /** Any. */
    Random: "random",
} as const;
export type AutoscalerExpander = (typeof AutoscalerExpander)[keyof typeof AutoscalerExpander];

/** Arguments of {@link ClusterAutoscaler}. */
export interface ClusterAutoscalerArgs extends HelmAddonArgs {
    /** CPU and memory. @default 50m and 256Mi up to 600Mi */
    resources?: AddonResources;
    /**
     * The image's tag, whose minor version is the cluster's: the autoscaler simulates that version's scheduler.
     * @default the newest known release for the cluster's version (1.34 to 1.36)
     */
    imageTag?: string;
    /** How to choose among node groups. @default least-waste */
    expander?: AutoscalerExpander;
    /** Whether groups of equal size are kept equally large, so that zones stay balanced. @default true */
    balanceSimilarNodeGroups?: boolean;
    /** Minutes for which a node is idle before it is removed. @default 10 */
    scaleDownUnneededMinutes?: number;
    /** How pods get AWS credentials. @default Irsa */
    identity?: WorkloadIdentity;
}

export const clusterAutoscalerChart: PublishedChart = {
    chart: "cluster-autoscaler",
    repository: "https://kubernetes.github.io/autoscaler",
    version: "9.59.0",
};

/** The newest image of each minor version, from the autoscaler's releases. The chart alone would run 1.35 everywhere. */
const IMAGE_TAGS: Record<string, string> = { "1.34": "v1.34.1", "1.35": "v1.35.0", "1.36": "v1.36.1" };

const SERVICE_ACCOUNT = "cluster-autoscaler";
const NAMESPACE = "kube-system";

const shapes: ShapesOf<ClusterAutoscalerArgs> = {
    ...helmAddonShapes,
    imageTag: "string",
    expander: choices(AutoscalerExpander),
    balanceSimilarNodeGroups: "boolean",
    scaleDownUnneededMinutes: "number",
    identity: choices(WorkloadIdentity),
};

/** What is wrong with the arguments of {@link ClusterAutoscaler}. */
export function checkClusterAutoscalerArgs(args: ClusterAutoscalerArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: ClusterAutoscalerArgs): Problem[] {
    const problems = checkHelmAddonArgs(args);
    const { imageTag, scaleDownUnneededMinutes: minutes } = args;
    if (imageTag !== undefined && !/^v\d+\.\d+\.\d+/.test(imageTag)) {
        problems.push({ path: "imageTag", message: `"${imageTag}" is no release of the autoscaler, such as v1.36.1` });
    }
    if (minutes !== undefined && !(minutes >= 1)) {
        problems.push({ path: "scaleDownUnneededMinutes", message: `${minutes} is less than one minute` });
    }
    const cluster = plain(args.cluster);
    return cluster ? [...problems, ...imageProblems(cluster.kubernetesVersion, imageTag)] : problems;
}

/**
 * The Kubernetes Cluster Autoscaler: adds nodes to tagged node groups when pods do not fit, removes idle ones. One for each
 * cluster.
 *
 * It finds the node groups by the tags that `NodeGroup` and its siblings put on their Auto Scaling groups, and may resize
 * those of its own cluster only. A pod that must not be interrupted says so with the annotation
 * `cluster-autoscaler.kubernetes.io/safe-to-evict: "false"`, as Airflow's workers do. To upgrade, upgrade the cluster: the
 * image follows.
 *
 * Creates a role with one policy and a Helm release with a PodDisruptionBudget.
 */
export class ClusterAutoscaler extends pulumi.ComponentResource {
    /** The tag of the image that runs. */
    readonly imageTag: pulumi.Output<string>;

    constructor(name: string, args: ClusterAutoscalerArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("ClusterAutoscaler", name, checkClusterAutoscalerArgs(args));
        super("airflow-eks:index:ClusterAutoscaler", name, {}, opts);

        const cluster = pulumi.output(args.cluster);
        const role = new WorkloadRole(
            name,
            {
                cluster,
                namespace: NAMESPACE,
                serviceAccounts: [SERVICE_ACCOUNT],
                mode: args.identity,
                inlinePolicies: { "resize-node-groups": autoscalerPolicy(cluster) },
            },
            { parent: this },
        );
        this.imageTag = cluster.apply(({ kubernetesVersion }) => {
            refuseProblems("ClusterAutoscaler", name, imageProblems(kubernetesVersion, args.imageTag));
            return args.imageTag ?? IMAGE_TAGS[kubernetesVersion];
        });
        addonRelease(
            this,
            name,
            {
                published: clusterAutoscalerChart,
                releaseName: "cluster-autoscaler",
                namespace: NAMESPACE,
                values: pulumi
                    .all([cluster, role.annotations, this.imageTag])
                    .apply(([info, annotations, tag]) => autoscalerValues(info, annotations, tag, args)),
            },
            args,
        );
        this.registerOutputs({ imageTag: this.imageTag });
    }
}

/** Why the autoscaler's image does not fit the cluster's version: it is older, or none is known for that version. */
function imageProblems(kubernetesVersion: string, imageTag?: string): Problem[] {
    const minor = (version: string) => Number(version.replace(/^v/, "").split(".")[1]);
    if (imageTag === undefined && !(kubernetesVersion in IMAGE_TAGS)) {
        const message = `no release is known here for Kubernetes ${kubernetesVersion}; give one of that minor version`;
        return [{ path: "imageTag", message }];
    }
    if (imageTag !== undefined && minor(imageTag) < minor(kubernetesVersion)) {
        const message = `${imageTag} is older than the cluster (${kubernetesVersion}); take a release of the cluster's minor version`;
        return [{ path: "imageTag", message }];
    }
    return [];
}

/** https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/cloudprovider/aws/README.md, narrowed to the cluster's own groups. */
function autoscalerPolicy(cluster: pulumi.Output<ClusterInfo>): pulumi.Output<string> {
    return policyJson(
        {
            Action: [
                "autoscaling:DescribeAutoScalingGroups",
                "autoscaling:DescribeAutoScalingInstances",
                "autoscaling:DescribeLaunchConfigurations",
                "autoscaling:DescribeScalingActivities",
                "autoscaling:DescribeTags",
                "ec2:DescribeImages",
                "ec2:DescribeInstanceTypes",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:GetInstanceTypesFromInstanceRequirements",
                "eks:DescribeNodegroup",
            ],
            Resource: "*",
        },
        {
            Action: ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"],
            Resource: "*",
            Condition: cluster.apply(({ name }) => ({
                StringEquals: {
                    "aws:ResourceTag/k8s.io/cluster-autoscaler/enabled": "true",
                    [`aws:ResourceTag/k8s.io/cluster-autoscaler/${name}`]: "owned",
                },
            })),
        },
    );
}

function autoscalerValues(
    cluster: ClusterInfo,
    annotations: Record<string, string>,
    tag: string,
    args: ClusterAutoscalerArgs,
) {
    return {
        cloudProvider: "aws",
        awsRegion: cluster.region,
        autoDiscovery: { clusterName: cluster.name },
        fullnameOverride: "cluster-autoscaler",
        image: { tag },
        rbac: { serviceAccount: { name: SERVICE_ACCOUNT, annotations } },
        podDisruptionBudget: { maxUnavailable: 1 },
        resources: args.resources ?? { requests: { cpu: "50m", memory: "256Mi" }, limits: { memory: "600Mi" } },
        extraArgs: {
            expander: args.expander ?? AutoscalerExpander.LeastWaste,
            "balance-similar-node-groups": args.balanceSimilarNodeGroups ?? true,
            // Groups that differ by zone only would otherwise never count as similar.
            "balancing-ignore-label": "topology.ebs.csi.aws.com/zone",
            "scale-down-unneeded-time": `${args.scaleDownUnneededMinutes ?? 10}m`,
            "skip-nodes-with-system-pods": false,
            "skip-nodes-with-local-storage": false,
        },
        ...placementOf(args.placement),
    };
}
