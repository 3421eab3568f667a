import { isUnknown } from "../plain";
import { Judgement, type Resource, type Stack } from "../rule";
import { isPublic } from "./cidr";
import { refer } from "./references";
import { indexGroups, resolvedRanges, SECURITY_GROUPS } from "./securityGroups";
import { items, text, truth, UNTIL_UP } from "./tree";

const LOAD_BALANCERS = [
    "aws:lb/loadBalancer:LoadBalancer",
    "aws:alb/loadBalancer:LoadBalancer",
    "aws:applicationloadbalancing/loadBalancer:LoadBalancer",
    "aws:elasticloadbalancingv2/loadBalancer:LoadBalancer",
    "aws:elb/loadBalancer:LoadBalancer",
    "aws:elasticloadbalancing/loadBalancer:LoadBalancer",
    "aws-native:elasticloadbalancingv2:LoadBalancer",
];

/** Judges load balancers that a program makes on AWS itself: internal, or behind groups that admit listed networks. */
export function judgeAwsLoadBalancers(stack: Stack): Judgement {
    const judgement = new Judgement();
    for (const balancer of stack.ofType(...LOAD_BALANCERS)) {
        judgeBalancer(judgement.judge(balancer), stack, balancer);
    }
    return judgement;
}

function judgeBalancer(judgement: Judgement, stack: Stack, balancer: Resource): void {
    const { props } = balancer;
    const scheme = text(props.scheme);
    const internal = truth(props.internal);
    if (internal === true || scheme === "internal" || text(props.loadBalancerType ?? props.type) === "gateway") {
        return;
    }
    if (isUnknown(internal) || isUnknown(scheme)) {
        judgement.unknown(balancer, isUnknown(scheme) ? "scheme" : "internal", UNTIL_UP);
        return;
    }
    if (isUnknown(props.securityGroups)) {
        const found = refer(stack, balancer, "securityGroups", props.securityGroups, SECURITY_GROUPS);
        if (found.resources.length === 0) {
            judgement.unknown(balancer, "securityGroups", UNTIL_UP);
            return;
        }
    }
    if (items(props.securityGroups).length === 0) {
        if (text(props.loadBalancerType ?? props.type) === "network") {
            judgement.violation(
                balancer,
                "securityGroups",
                "without a security group the whole internet reaches the load balancer",
            );
        } else {
            judgement.unknown(
                balancer,
                "securityGroups",
                "it joins the default group of its network, which this program does not show",
            );
        }
        return;
    }
    judgeGroups(judgement, stack, balancer);
}

function judgeGroups(judgement: Judgement, stack: Stack, balancer: Resource): void {
    const internet = admitInternet(stack, balancer, "securityGroups", balancer.props.securityGroups);
    if (internet === true) {
        judgement.violation(balancer, "securityGroups", "its security groups let the whole internet reach it");
    } else if (internet === undefined) {
        judgement.unknown(
            balancer,
            "securityGroups",
            "who is admitted by its security groups is not to be seen in this program (yet)",
        );
    }
}

/** Whether the security groups that a property names let the whole internet in; undefined when that is not (all) to be seen. */
export function admitInternet(stack: Stack, from: Resource, property: string, named: unknown): boolean | undefined {
    const groups = stack.once(indexGroups);
    const found = refer(stack, from, property, named, SECURITY_GROUPS);
    const openings = [...found.resources.map(({ urn }) => urn), ...found.external].flatMap(
        (key) => groups.get(key)?.openings ?? [],
    );
    if (isPublic(openings.flatMap((opening) => resolvedRanges(stack, opening).cidrs))) {
        return true;
    }
    return found.unknown || found.external.some((id) => !groups.has(id)) ? undefined : false;
}
