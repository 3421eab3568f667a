import { isPublicSubnet } from "../../aws/network";
import type { Properties } from "../../shell/type";
import type { WorldObject } from "../../shell/world";
import { Kinds, type Cluster } from "../cluster";
import type { Kind } from "../api/kinds";
import { annotationsOf, nameOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { at, list, records, strings, text } from "../api/value";
import { placeOf } from "../storage/volumes";
import { callsAws } from "./credentials";
import { isReadyWorkload, podsOf } from "./status";

export const interfaceToken = "aws:ec2/networkInterface:NetworkInterface";
const groupToken = "aws:ec2/securityGroup:SecurityGroup";
const balancerToken = "aws:lb/loadBalancer:LoadBalancer";
const classicToken = "aws:elb/loadBalancer:LoadBalancer";

const annotation = "service.beta.kubernetes.io/aws-load-balancer-";
export const nlbClass = "service.k8s.aws/nlb";
const serviceFinalizer = "service.k8s.aws/resources";
const classicFinalizer = "service.kubernetes.io/load-balancer-cleanup";
const ingressFinalizer = "ingress.k8s.aws/resources";

/** The AWS Load Balancer Controller's Deployment, wherever a chart put it. */
export function controllerOf(cluster: Cluster): Manifest | undefined {
    return cluster
        .manifests(Kinds.Deployment)
        .find((one) =>
            JSON.stringify(at(one, "spec", "template", "spec", "containers") ?? "").includes(
                "aws-load-balancer-controller",
            ),
        );
}

export function controllerAlive(cluster: Cluster): boolean {
    const controller = controllerOf(cluster);
    return (
        controller !== undefined &&
        podsOf(cluster, Kinds.Deployment, controller).some((pod) => at(pod, "status", "phase") === "Running")
    );
}

function controllerReady(cluster: Cluster): boolean {
    const controller = controllerOf(cluster);
    return (
        controller !== undefined &&
        (isReadyWorkload(cluster, Kinds.Deployment, namespaceOf(controller), nameOf(controller)) ||
            controllerAlive(cluster))
    );
}

/**
 * Why the API server refuses a new Service, Ingress or binding: the controller's webhooks fail closed, so nothing of the
 * kind can be made while the controller has no endpoints. Source: aws-load-balancer-controller, helm chart, webhook.yaml.
 */
export function webhookRefusal(cluster: Cluster, kind: Kind): string | undefined {
    const needed: Record<string, string> = {
        Service: "mservice",
        Ingress: "vingress",
        TargetGroupBinding: "mtargetgroupbinding",
    };
    const hook = needed[kind.kind];
    const configuration = cluster
        .manifests(Kinds.MutatingWebhookConfiguration)
        .concat(cluster.manifests(Kinds.ValidatingWebhookConfiguration))
        .find((one) => records(one.webhooks).some((webhook) => webhook.name === `${hook}.elbv2.k8s.aws`));
    if (!hook || !configuration || controllerReady(cluster)) {
        return undefined;
    }
    const service = records(configuration.webhooks)[0];
    const name = text(at(service, "clientConfig", "service", "name")) ?? "aws-load-balancer-webhook-service";
    const namespace = text(at(service, "clientConfig", "service", "namespace")) ?? "kube-system";
    return `Internal error occurred: failed calling webhook "${hook}.elbv2.k8s.aws": failed to call webhook: Post "https://${name}.${namespace}.svc:443/mutate-v1-service?timeout=10s": no endpoints available for service "${name}"`;
}

/** Whether the controller's webhook makes new LoadBalancer Services its own. */
export function mutatesServices(cluster: Cluster): boolean {
    return cluster
        .manifests(Kinds.MutatingWebhookConfiguration)
        .some((one) => records(one.webhooks).some(({ name }) => name === "mservice.elbv2.k8s.aws"));
}

/** Gives load balancers to Services and Ingresses, and takes them from Services that no longer want one. */
export function reconcileLoadBalancers(cluster: Cluster): void {
    for (const service of cluster.list(Kinds.Service)) {
        const wants =
            specOf(service.outputs).type === "LoadBalancer" &&
            at(service.outputs, "metadata", "deletionTimestamp") === undefined;
        const has = balancerOf(cluster, service) !== undefined;
        if (wants && !has) {
            serve(cluster, service);
        } else if (
            !wants &&
            has &&
            at(service.outputs, "metadata", "deletionTimestamp") === undefined &&
            !obstacle(cluster, service)
        ) {
            removeBalancer(cluster, service);
            cluster.setStatus(service, { loadBalancer: {} });
        }
    }
    for (const ingress of cluster.list(Kinds.Ingress)) {
        if (!balancerOf(cluster, ingress) && at(ingress.outputs, "metadata", "deletionTimestamp") === undefined) {
            serveIngress(cluster, ingress);
        }
    }
}

/** The AWS load balancer that was made for an object. */
export function balancerOf(cluster: Cluster, object: WorldObject): WorldObject | undefined {
    return cluster.aws.find(
        [balancerToken, classicToken],
        (one) =>
            one.owner?.token === object.token && one.owner.id === object.id && one.outputs.cluster === cluster.name,
    );
}

function serve(cluster: Cluster, service: WorldObject): void {
    const manifest = service.outputs;
    const notes = annotationsOf(manifest);
    const type = notes[`${annotation}type`];
    const byController = specOf(manifest).loadBalancerClass === nlbClass || type === "external" || type === "nlb-ip";
    const fail = (reason: string, message: string): void => cluster.event(Kinds.Service, manifest, reason, message);
    if (specOf(manifest).loadBalancerClass !== undefined && !byController) {
        return; // Some other controller's.
    }
    if (!byController) {
        // The cloud controller of EKS makes a Classic Load Balancer (or an NLB by annotation), open to the Internet by default.
        const internal = notes[`${annotation}internal`] === "true" || notes[`${annotation}internal`] === "0.0.0.0/0";
        const subnets = subnetsOfCloudController(cluster, internal);
        if (subnets.length === 0) {
            return fail(
                "SyncLoadBalancerFailed",
                "Error syncing load balancer: failed to ensure load balancer: could not find any suitable subnets for creating the ELB",
            );
        }
        return create(cluster, service, {
            token: type === "nlb" ? balancerToken : classicToken,
            kind: type === "nlb" ? "network" : "classic",
            internal,
            subnets,
            finalizer: classicFinalizer,
        });
    }
    if (!controllerAlive(cluster)) {
        return;
    }
    const internal =
        (notes[`${annotation}scheme`] ??
            (notes[`${annotation}internal`] === "false" ? "internet-facing" : "internal")) === "internal";
    const subnets = subnetsFor(cluster, internal, notes[`${annotation}subnets`]);
    if (subnets.length === 0) {
        return fail(
            "FailedBuildModel",
            `Failed build model due to unable to resolve at least one subnet (0 match VPC and tags: [kubernetes.io/role/${internal ? "internal-elb" : "elb"}])`,
        );
    }
    const problem = controllerProblem(cluster);
    if (problem) {
        return fail("FailedDeployModel", `Failed deploy model due to ${problem}`);
    }
    create(cluster, service, { token: balancerToken, kind: "network", internal, subnets, finalizer: serviceFinalizer });
}

function serveIngress(cluster: Cluster, ingress: WorldObject): void {
    const manifest = ingress.outputs;
    const className =
        text(specOf(manifest).ingressClassName) ??
        annotationsOf(manifest)["kubernetes.io/ingress.class"] ??
        defaultIngressClass(cluster);
    const ingressClass = className && cluster.manifest(Kinds.IngressClass, "", className);
    const controller = ingressClass
        ? at(ingressClass, "spec", "controller")
        : className === "alb"
          ? "ingress.k8s.aws/alb"
          : undefined;
    if (controller !== "ingress.k8s.aws/alb" || !controllerAlive(cluster)) {
        return;
    }
    const notes = annotationsOf(manifest);
    const internal = (notes["alb.ingress.kubernetes.io/scheme"] ?? "internal") === "internal";
    const subnets = subnetsFor(cluster, internal, notes["alb.ingress.kubernetes.io/subnets"]);
    const fail = (reason: string, message: string): void => cluster.event(Kinds.Ingress, manifest, reason, message);
    if (subnets.length < 2) {
        return fail(
            "FailedBuildModel",
            `Failed build model due to couldn't auto-discover subnets: subnets count less than minimal required count, ${subnets.length} < 2`,
        );
    }
    const services = records(specOf(manifest).rules).flatMap((rule) =>
        records(at(rule, "http", "paths")).map((path) => text(at(path, "backend", "service", "name"))),
    );
    const missing = services.find(
        (name) => name !== undefined && !cluster.get(Kinds.Service, namespaceOf(manifest), name),
    );
    if (missing) {
        return fail(
            "FailedBuildModel",
            `Failed build model due to ingress: ${namespaceOf(manifest)}/${nameOf(manifest)}: services "${missing}" not found`,
        );
    }
    const problem = controllerProblem(cluster);
    if (problem) {
        return fail("FailedDeployModel", `Failed deploy model due to ${problem}`);
    }
    create(cluster, ingress, {
        token: balancerToken,
        kind: "application",
        internal,
        subnets,
        finalizer: ingressFinalizer,
    });
}

function defaultIngressClass(cluster: Cluster): string | undefined {
    const marked = cluster
        .manifests(Kinds.IngressClass)
        .find((one) => annotationsOf(one)["ingressclass.kubernetes.io/is-default-class"] === "true");
    return marked && nameOf(marked);
}

function controllerProblem(cluster: Cluster): string | undefined {
    const controller = controllerOf(cluster);
    const account = text(at(controller, "spec", "template", "spec", "serviceAccountName")) ?? "default";
    const actions = [
        "elasticloadbalancing:CreateLoadBalancer",
        "elasticloadbalancing:CreateTargetGroup",
        "ec2:CreateSecurityGroup",
        "ec2:DescribeSubnets",
    ];
    // The controller tags all that it makes, and its published policy lets it make nothing else.
    const tagged = { "aws:RequestTag/elbv2.k8s.aws/cluster": cluster.name };
    return callsAws(cluster, controller ? namespaceOf(controller) : "kube-system", account, actions, "*", tagged);
}

/**
 * The subnets of a load balancer: those that are named, or those of the cluster's VPC that carry the role tag, one a zone.
 * Source: aws-load-balancer-controller, "Subnet Discovery".
 */
function subnetsFor(cluster: Cluster, internal: boolean, named: string | undefined): WorldObject[] {
    const vpcId = at(cluster.eks?.outputs.vpcConfig, "vpcId") ?? vpcOf(cluster);
    const subnets = cluster.aws.all("aws:ec2/subnet:Subnet").filter((one) => one.outputs.vpcId === vpcId);
    if (named) {
        const names = named.split(",").map((name) => name.trim());
        return subnets.filter((one) => names.includes(one.id) || names.includes(strings(one.outputs.tags).Name));
    }
    const role = internal ? "kubernetes.io/role/internal-elb" : "kubernetes.io/role/elb";
    const zones = new Set<unknown>();
    return subnets
        .filter((one) => ["1", ""].includes(strings(one.outputs.tags)[role] ?? "no"))
        .filter((one) => !zones.has(one.outputs.availabilityZone) && zones.add(one.outputs.availabilityZone));
}

/**
 * The subnets of a load balancer that the cloud controller makes: of the VPC, for no other cluster, public ones for a public balancer.
 * The role tag only decides between several of one zone. Source: cloud-provider-aws, aws.go (`findSubnets`, `findELBSubnets`).
 */
function subnetsOfCloudController(cluster: Cluster, internal: boolean): WorldObject[] {
    const vpcId = at(cluster.eks?.outputs.vpcConfig, "vpcId") ?? vpcOf(cluster);
    const role = internal ? "kubernetes.io/role/internal-elb" : "kubernetes.io/role/elb";
    const prefix = "kubernetes.io/cluster/";
    const tagged = (one: WorldObject): boolean => strings(one.outputs.tags)[role] !== undefined;
    const found = cluster.aws
        .all("aws:ec2/subnet:Subnet")
        .filter((one) => one.outputs.vpcId === vpcId)
        .filter((one) => {
            const clusters = Object.keys(strings(one.outputs.tags)).filter((key) => key.startsWith(prefix));
            return clusters.length === 0 || clusters.includes(`${prefix}${cluster.name}`);
        })
        .filter((one) => internal || isPublicSubnet(cluster.aws, one.id))
        .sort((one, other) => Number(tagged(other)) - Number(tagged(one)) || one.id.localeCompare(other.id));
    const zones = new Set<unknown>();
    return found.filter(({ outputs }) => !zones.has(outputs.availabilityZone) && zones.add(outputs.availabilityZone));
}

function vpcOf(cluster: Cluster): unknown {
    const [first] = list(at(cluster.eks?.outputs.vpcConfig, "subnetIds"));
    return cluster.aws.find("aws:ec2/subnet:Subnet", (one) => one.id === first)?.outputs.vpcId;
}

interface Plan {
    token: string;
    kind: "network" | "application" | "classic";
    internal: boolean;
    subnets: WorldObject[];
    finalizer: string;
}

/** The load balancer, its security group, and a network interface in each subnet: they hold subnets and VPC until it goes. */
function create(cluster: Cluster, object: WorldObject, { token, kind, internal, subnets, finalizer }: Plan): void {
    const { accountId, region } = placeOf(cluster);
    const short = `k8s-${namespaceOf(object.outputs).slice(0, 8)}-${nameOf(object.outputs).slice(0, 8)}-${cluster.hex(10)}`;
    const owner = { token: object.token, id: object.id };
    const scope = cluster.eks?.scope;
    const hash = cluster.hex(16);
    const dnsName = `${internal ? "internal-" : ""}${short}-${hash}.${kind === "application" || kind === "classic" ? `${region}.elb` : `elb.${region}`}.amazonaws.com`;
    const vpcId = subnets[0].outputs.vpcId;
    const put = (type: string, id: string, inputs: Properties, outputs: Properties): void =>
        cluster.aws.put({
            token: type,
            id,
            scope,
            inputs,
            outputs: { ...inputs, ...outputs, cluster: cluster.name },
            implicit: true,
            owner,
        });
    const groupId = `sg-0${cluster.hex(16)}`;
    const group = {
        vpcId,
        name: short,
        description: `[k8s] Managed SecurityGroup for LoadBalancer`,
        tags: { "elbv2.k8s.aws/cluster": cluster.name },
    };
    put(groupToken, groupId, group, {
        id: groupId,
        arn: `arn:aws:ec2:${region}:${accountId}:security-group/${groupId}`,
    });
    for (const subnet of subnets) {
        const id = `eni-0${cluster.hex(16)}`;
        put(
            interfaceToken,
            id,
            { subnetId: subnet.id, securityGroups: [groupId], description: `ELB ${short}` },
            { id, interfaceType: "network_load_balancer" },
        );
    }
    const arn = `arn:aws:elasticloadbalancing:${region}:${accountId}:loadbalancer/${kind === "application" ? "app" : "net"}/${short}/${hash}`;
    const id = kind === "classic" ? short : arn;
    put(
        token,
        id,
        { name: short, internal, subnets: subnets.map((one) => one.id), securityGroups: [groupId] },
        { id, arn, dnsName, loadBalancerType: kind, zoneId: "Z00000000000000000000", vpcId },
    );
    const fresh = cluster.fresh(object) ?? object;
    const metadata = { ...(fresh.outputs.metadata as Properties) };
    metadata.finalizers = [...new Set([...list(metadata.finalizers), finalizer])];
    cluster.update(fresh, {
        ...fresh.outputs,
        metadata,
        status: { loadBalancer: { ingress: [{ hostname: dnsName }] } },
    });
    cluster.clearEvents(object.token.endsWith(":Service") ? Kinds.Service : Kinds.Ingress, object.outputs);
}

/** Why the load balancer of an object cannot go: its controller is not there to take it down, so the finalizer stays. */
export function obstacle(cluster: Cluster, object: WorldObject): string | undefined {
    const finalizers = list(at(object.outputs, "metadata", "finalizers"));
    const own = finalizers.find((one) => one === serviceFinalizer || one === ingressFinalizer);
    if (!balancerOf(cluster, object) || own === undefined) {
        return undefined;
    }
    const problem = controllerAlive(cluster)
        ? controllerProblem(cluster)
        : "no AWS Load Balancer Controller runs (any more)";
    return problem && `finalizer "${String(own)}" is still there: ${problem}`;
}

export function removeBalancer(cluster: Cluster, object: WorldObject): void {
    for (const token of [balancerToken, classicToken, interfaceToken, groupToken]) {
        for (const one of cluster.aws.all(token)) {
            if (
                one.owner?.token === object.token &&
                one.owner.id === object.id &&
                one.outputs.cluster === cluster.name
            ) {
                cluster.aws.remove(token, one.id);
            }
        }
    }
}
