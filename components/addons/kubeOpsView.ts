import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { sourceRangeProblems } from "../shared/sourceRanges";
import { type ShapesOf, listOf, keysOf } from "../shared/shape";
import {
    type AddonPlacement,
    type AddonResources,
    checkAddonResources,
    placementOf,
    placementShape,
    resourcesShape,
} from "./helmAddon";

/** A load balancer in front of {@link KubeOpsView}. */
export interface KubeOpsViewLoadBalancer {
    /** Whether it can be reached from outside the VPC. @default false */
    internetFacing?: boolean;
    /** CIDR ranges that may reach it. Needed when it faces the internet: the view has no login. @default the VPC */
    sourceRanges?: string[];
    /** The DNS name that ExternalDNS gives it. @default none */
    hostname?: pulumi.Input<string>;
}

/** Arguments of {@link KubeOpsView}. */
export interface KubeOpsViewArgs {
    /** The time zone of the clock in the view, as the IANA database names it: `Asia/Seoul`. @default UTC */
    timeZone?: string;
    /** A load balancer for it. @default none: reach it with `kubectl port-forward` */
    loadBalancer?: KubeOpsViewLoadBalancer;
    /** The image, of which only amd64 is known to exist. @default docker.io/hjacobs/kube-ops-view:23.5.0 */
    image?: pulumi.Input<string>;
    /** CPU and memory. @default 50m and 128Mi up to 256Mi */
    resources?: AddonResources;
    /** Where the pod runs. @default system nodes with amd64 */
    placement?: AddonPlacement;
}

const NAME = "kube-ops-view";
const PORT = 8080;

function isTimeZone(name: string): boolean {
    try {
        return new Intl.DateTimeFormat("en", { timeZone: name }) instanceof Intl.DateTimeFormat;
    } catch {
        return false;
    }
}

const shapes: ShapesOf<KubeOpsViewArgs> = {
    timeZone: "string",
    loadBalancer: keysOf<KubeOpsViewLoadBalancer>({
        internetFacing: "boolean",
        sourceRanges: listOf("string"),
        hostname: "string",
    }),
    image: "string",
    resources: resourcesShape,
    placement: placementShape,
};

/** What is wrong with the arguments of {@link KubeOpsView}. */
export function checkKubeOpsViewArgs(args: KubeOpsViewArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: KubeOpsViewArgs): Problem[] {
    const problems = checkAddonResources(args.resources);
    if (args.timeZone !== undefined && !isTimeZone(args.timeZone)) {
        problems.push({ path: "timeZone", message: `"${args.timeZone}" is no time zone, such as Asia/Seoul` });
    }
    const { internetFacing, sourceRanges, hostname } = args.loadBalancer ?? {};
    problems.push(
        ...sourceRangeProblems(
            "loadBalancer.sourceRanges",
            sourceRanges,
            internetFacing ? "the view faces the internet and has no login" : undefined,
        ),
    );
    const host = plain(hostname);
    if (host !== undefined && !/^([a-z0-9-]{1,63}\.)+[a-z]{2,63}$/i.test(host)) {
        problems.push({ path: "loadBalancer.hostname", message: `"${host}" is no full domain name` });
    }
    return problems;
}

/**
 * kube-ops-view, a page that shows the nodes of a cluster and the pods on them. It reads the cluster and shows it to whoever
 * reaches it, without a login; so it stays inside the cluster unless a load balancer is asked for.
 *
 * The project publishes no chart, so the component makes its few objects itself. With a load balancer it must depend on
 * {@link AwsLoadBalancerController}, with a host name on {@link ExternalDns} too, so that both outlive it on destroy.
 *
 * Creates a namespace, a service account that may read nodes and pods, a Deployment, a Service and a PodDisruptionBudget.
 */
export class KubeOpsView extends pulumi.ComponentResource {
    /** Where the view is: an address, or the command that makes it reachable. */
    readonly access: pulumi.Output<string>;

    constructor(name: string, args: KubeOpsViewArgs = {}, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("KubeOpsView", name, checkKubeOpsViewArgs(args));
        super("airflow-eks:index:KubeOpsView", name, {}, opts);

        const labels = { "app.kubernetes.io/name": NAME };
        const namespace = new k8s.core.v1.Namespace(name, { metadata: { name: NAME } }, { parent: this }).metadata.name;
        const account = reader(this, name, namespace);
        const deployment = viewDeployment(this, name, namespace, account, labels, args);
        const service = new k8s.core.v1.Service(
            name,
            {
                metadata: { name: NAME, namespace, labels, annotations: serviceAnnotations(args) },
                spec: {
                    type: args.loadBalancer ? "LoadBalancer" : "ClusterIP",
                    loadBalancerSourceRanges: args.loadBalancer?.sourceRanges,
                    selector: labels,
                    ports: [{ name: "http", port: 80, targetPort: "http" }],
                },
            },
            { parent: this, dependsOn: deployment },
        );
        new k8s.policy.v1.PodDisruptionBudget(
            name,
            { metadata: { namespace }, spec: { maxUnavailable: 1, selector: { matchLabels: labels } } },
            { parent: this },
        );
        this.access = args.loadBalancer
            ? pulumi
                  .all([args.loadBalancer.hostname, service.status])
                  .apply(
                      ([hostname, status]) =>
                          `http://${hostname ?? status?.loadBalancer?.ingress?.[0]?.hostname ?? ""}`,
                  )
            : service.metadata.apply(() => `kubectl -n ${NAME} port-forward service/${NAME} ${PORT}:80`);
        this.registerOutputs({ access: this.access });
    }
}

function serviceAnnotations(args: KubeOpsViewArgs): Record<string, pulumi.Input<string>> {
    if (!args.loadBalancer) {
        return {};
    }
    return {
        "service.beta.kubernetes.io/aws-load-balancer-type": "external",
        "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type": "ip",
        "service.beta.kubernetes.io/aws-load-balancer-scheme": args.loadBalancer.internetFacing
            ? "internet-facing"
            : "internal",
        ...(args.loadBalancer.hostname
            ? { "external-dns.alpha.kubernetes.io/hostname": args.loadBalancer.hostname }
            : {}),
    };
}

function reader(parent: pulumi.Resource, name: string, namespace: pulumi.Input<string>): pulumi.Output<string> {
    const account = new k8s.core.v1.ServiceAccount(name, { metadata: { namespace } }, { parent });
    const role = new k8s.rbac.v1.ClusterRole(
        name,
        {
            rules: [
                { apiGroups: [""], resources: ["nodes", "pods"], verbs: ["list"] },
                { apiGroups: ["metrics.k8s.io"], resources: ["nodes", "pods"], verbs: ["get", "list"] },
            ],
        },
        { parent },
    );
    const binding = new k8s.rbac.v1.ClusterRoleBinding(
        name,
        {
            roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
            subjects: [{ kind: "ServiceAccount", name: account.metadata.name, namespace }],
        },
        { parent },
    );
    return pulumi.all([account.metadata.name, binding.urn]).apply(([accountName]) => accountName);
}

function viewDeployment(
    parent: pulumi.Resource,
    name: string,
    namespace: pulumi.Input<string>,
    serviceAccountName: pulumi.Input<string>,
    labels: Record<string, string>,
    args: KubeOpsViewArgs,
): k8s.apps.v1.Deployment {
    const { nodeSelector, tolerations } = placementOf(args.placement);
    const probe = { httpGet: { path: "/health", port: "http" }, periodSeconds: 30, timeoutSeconds: 5 };
    return new k8s.apps.v1.Deployment(
        name,
        {
            metadata: { name: NAME, namespace, labels },
            spec: {
                replicas: 1,
                selector: { matchLabels: labels },
                template: {
                    metadata: { labels },
                    spec: {
                        serviceAccountName,
                        nodeSelector: { ...nodeSelector, ...(args.image ? {} : { "kubernetes.io/arch": "amd64" }) },
                        tolerations,
                        securityContext: {
                            runAsNonRoot: true,
                            runAsUser: 1000,
                            seccompProfile: { type: "RuntimeDefault" },
                        },
                        containers: [
                            {
                                name: NAME,
                                image: args.image ?? "docker.io/hjacobs/kube-ops-view:23.5.0",
                                env: [{ name: "TZ", value: args.timeZone ?? "UTC" }],
                                ports: [{ name: "http", containerPort: PORT }],
                                readinessProbe: { ...probe, initialDelaySeconds: 5 },
                                livenessProbe: { ...probe, initialDelaySeconds: 30 },
                                resources: args.resources ?? {
                                    requests: { cpu: "50m", memory: "128Mi" },
                                    limits: { memory: "256Mi" },
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
        { parent },
    );
}
