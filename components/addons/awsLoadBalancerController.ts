import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { WorkloadIdentity, WorkloadRole } from "../cluster/workloadRole";
import type { PublishedChart } from "../shared/chart";
import { type Problem, refuseProblems } from "../shared/check";
import { DrainGate, DrainSubject } from "../shared/drainGate";
import { fittingProblems } from "../shared/fitting";
import { policyJson } from "../shared/iamPolicy";
import { isDnsSubdomain } from "../shared/kubernetesNames";
import { type ShapesOf, choices, keysOf } from "../shared/shape";
import {
    type AddonResources,
    type HelmAddonArgs,
    addonRelease,
    checkHelmAddonArgs,
    helmAddonShapes,
    placementOf,
} from "./helmAddon";
import { loadBalancerControllerPolicy } from "./policies/loadBalancerController";

/** Arguments of {@link AwsLoadBalancerController}. */
export interface AwsLoadBalancerControllerArgs extends HelmAddonArgs {
    /** CPU and memory of each controller. @default 100m and 128Mi up to 256Mi */
    resources?: AddonResources;
    /** How many controllers run; one works, the others take over. @default 2 */
    replicas?: number;
    /** The IngressClass that the controller makes and serves. Two controllers must not serve the same. @default alb */
    ingressClass?: string;
    /**
     * Whether every Service of type LoadBalancer becomes this controller's, also one that does not ask for it. It needs a webhook
     * through which all Services of the cluster pass: while it has no endpoints, none can be made. Without it a Service asks with
     * the annotation `service.beta.kubernetes.io/aws-load-balancer-type: external`.
     * @default false
     */
    claimAllServices?: boolean;
    /** How pods get AWS credentials. @default Irsa */
    identity?: WorkloadIdentity;
    /**
     * The image of the pod that holds up destroy until the last load balancer is gone, with Python 3: for networks that do not reach the default.
     * @default public.ecr.aws/docker/library/python:3.13-alpine
     */
    gateImage?: string;
}

/** Since 3.0 the chart's version is the controller's. */
export const awsLoadBalancerControllerChart: PublishedChart = {
    chart: "aws-load-balancer-controller",
    repository: "https://aws.github.io/eks-charts",
    version: "3.5.0",
};

const SERVICE_ACCOUNT = "aws-load-balancer-controller";
const NAMESPACE = "kube-system";
const DEFAULT_CLASS = "alb";

const shapes: ShapesOf<AwsLoadBalancerControllerArgs> = {
    ...helmAddonShapes,
    replicas: "integer",
    ingressClass: "string",
    claimAllServices: "boolean",
    identity: choices(WorkloadIdentity),
    gateImage: "string",
};

/** The clusters in which this program runs a controller, as they were given. */
const served = new WeakSet<object>();

/** Takes a cluster for one controller: a second one would fight with it over IngressClass, webhooks and every Ingress. */
function claimCluster(args: AwsLoadBalancerControllerArgs): Problem[] {
    if (served.has(args.cluster)) {
        const ingressClass = args.ingressClass ?? DEFAULT_CLASS;
        return [
            {
                path: "ingressClass",
                message: `this program runs a controller in that cluster already; two would fight over "${ingressClass}" and the webhooks`,
            },
        ];
    }
    served.add(args.cluster);
    return [];
}

/** What is wrong with the arguments of {@link AwsLoadBalancerController}. */
export function checkAwsLoadBalancerControllerArgs(args: AwsLoadBalancerControllerArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: AwsLoadBalancerControllerArgs): Problem[] {
    const problems = checkHelmAddonArgs(args);
    if (args.replicas !== undefined && args.replicas < 1) {
        problems.push({ path: "replicas", message: `${args.replicas} is less than 1` });
    }
    if (args.ingressClass !== undefined && !isDnsSubdomain(args.ingressClass)) {
        problems.push({ path: "ingressClass", message: `"${args.ingressClass}" is no name of an IngressClass` });
    }
    return problems;
}

/**
 * The AWS Load Balancer Controller, which makes load balancers for Services and Ingresses. One for each cluster.
 *
 * What has such a Service or Ingress must depend on this component: the controller has to be there to make the load balancer,
 * and has to outlive it, since it alone removes it. A gate in the state holds the controller until nothing is left to remove.
 * Its definitions stay on removal and are not upgraded by Helm: before raising `chart.version`, apply the `crds` folder of the
 * new chart.
 *
 * Creates a role with one policy, a Helm release with a PodDisruptionBudget, and a {@link DrainGate}.
 */
export class AwsLoadBalancerController extends pulumi.ComponentResource {
    /** The IngressClass that the controller serves, once it does. */
    readonly ingressClass: pulumi.Output<string>;

    constructor(name: string, args: AwsLoadBalancerControllerArgs, opts?: pulumi.ComponentResourceOptions) {
        const problems = checkAwsLoadBalancerControllerArgs(args);
        refuseProblems("AwsLoadBalancerController", name, problems.length > 0 ? problems : claimCluster(args));
        super("airflow-eks:index:AwsLoadBalancerController", name, {}, opts);

        const cluster = pulumi.output(args.cluster);
        const role = new WorkloadRole(
            name,
            {
                cluster,
                namespace: NAMESPACE,
                serviceAccounts: [SERVICE_ACCOUNT],
                mode: args.identity,
                inlinePolicies: {
                    "manage-load-balancers": cluster.apply(({ partition }) =>
                        policyJson(...loadBalancerControllerPolicy(partition)),
                    ),
                },
            },
            { parent: this },
        );
        const release = addonRelease(
            this,
            name,
            {
                published: awsLoadBalancerControllerChart,
                releaseName: "aws-load-balancer-controller",
                namespace: NAMESPACE,
                values: pulumi
                    .all([cluster, role.annotations])
                    .apply(([info, annotations]) => controllerValues(info, annotations, args)),
            },
            args,
        );
        new DrainGate(
            `${name}-drain`,
            { subject: DrainSubject.LoadBalancers, image: args.gateImage, ...placementOf(args.placement) },
            { parent: this, dependsOn: release },
        );
        this.ingressClass = release.status.apply(() => args.ingressClass ?? DEFAULT_CLASS);
        this.registerOutputs({ ingressClass: this.ingressClass });
    }
}

function controllerValues(
    cluster: ClusterInfo,
    annotations: Record<string, string>,
    args: AwsLoadBalancerControllerArgs,
) {
    return {
        clusterName: cluster.name,
        // Nodes hide their metadata from pods (IMDSv2, hop limit 1), so the controller cannot find these two by itself.
        region: cluster.region,
        vpcId: cluster.vpcId,
        replicaCount: args.replicas ?? 2,
        ingressClass: args.ingressClass ?? DEFAULT_CLASS,
        serviceAccount: { name: SERVICE_ACCOUNT, annotations },
        enableServiceMutatorWebhook: args.claimAllServices ?? false,
        defaultTargetType: "ip",
        // A certificate that is made anew at every upgrade is one that running controllers do not know.
        keepTLSSecret: true,
        podDisruptionBudget: { maxUnavailable: 1 },
        resources: args.resources ?? { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
        ...placementOf(args.placement),
    };
}
