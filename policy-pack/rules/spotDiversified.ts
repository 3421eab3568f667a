import { templateOf } from "../judge/launchTemplates";
import { refer } from "../judge/references";
import { at, blocks, items, present, text, UNTIL_UP, whole } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type RuleConfig, type Stack } from "../rule";

const NODE_GROUPS = ["aws:eks/nodeGroup:NodeGroup", "aws-native:eks:Nodegroup"];
const SCALING_GROUP = "aws:autoscaling/group:Group";
const FLEETS = ["aws:ec2/fleet:Fleet", "aws:ec2/spotFleetRequest:SpotFleetRequest"];
const LAUNCH_CONFIGURATION = "aws:ec2/launchConfiguration:LaunchConfiguration";

export const rule: Rule = {
    name: "spot-diversified",
    description: "Spot nodes can be of several instance types.",
    why: "One type is one pool of spare capacity: when it is used up, all nodes are reclaimed at once and none come back.",
    fix: "List several types of the same size in `instanceTypes` (more families, generations, and with or without local disks), or describe them by attributes.",
    level: "advisory",
    severity: "low",
    config: {
        minimumTypes: {
            type: "integer",
            minimum: 2,
            default: 2,
            description: "How many instance types at least spot nodes can be of.",
        },
    },
    stack(stack, config) {
        const judgement = new Judgement();
        for (const group of stack.ofType(...NODE_GROUPS)) {
            judgeNodeGroup(judgement, stack, group, wanted(config));
        }
        for (const group of stack.ofType(SCALING_GROUP)) {
            judgeScalingGroup(judgement, stack, group, wanted(config));
        }
        for (const fleet of stack.ofType(...FLEETS)) {
            judgeFleet(judgement, fleet, wanted(config));
        }
        return judgement;
    },
};

const wanted = (config: RuleConfig): number => (typeof config.minimumTypes === "number" ? config.minimumTypes : 2);

function judgeNodeGroup(judgement: Judgement, stack: Stack, group: Resource, minimum: number): void {
    const { props } = group;
    const capacity = text(props.capacityType);
    if (isUnknown(capacity)) {
        judgement.unknown(group, "capacityType", UNTIL_UP);
        return;
    }
    if (capacity?.toUpperCase() !== "SPOT") {
        return;
    }
    judgement.judge(group);
    const types = items(props.instanceTypes);
    if (isUnknown(props.instanceTypes)) {
        judgement.unknown(group, "instanceTypes", UNTIL_UP);
    } else if (types.length === 0 && present(props.launchTemplate) && !templateOf(stack, group)) {
        judgement.unknown(
            group,
            "launchTemplate",
            "its launch template, which may name the instance type, is not in this program",
        );
    } else if (distinct(types) < minimum) {
        judgement.violation(group, "instanceTypes", pools(distinct(types)));
    }
}

/** Unknown types count as different ones. */
function distinct(types: unknown[]): number {
    const known = types.filter((type) => typeof type === "string");
    return new Set(known).size + types.filter(isUnknown).length;
}

function pools(count: number): string {
    return count <= 1
        ? "all its spot nodes come from the spare capacity of one instance type"
        : `its spot nodes come from ${count} instance types only`;
}

function judgeScalingGroup(judgement: Judgement, stack: Stack, group: Resource, minimum: number): void {
    const [policy] = blocks(group.props.mixedInstancesPolicy, "mixedInstancesPolicy");
    if (policy) {
        judgeMixed(judgement.judge(group), group, policy.value, minimum);
        return;
    }
    const old = group.props.launchConfiguration;
    const [launch] = refer(stack, group, "launchConfiguration", old, [LAUNCH_CONFIGURATION]).resources;
    if (launch && present(launch.props.spotPrice)) {
        judgement.violation(
            group,
            "launchConfiguration",
            pools(1),
            "Use a launch template and `mixedInstancesPolicy` with several overrides.",
        );
    }
    const template = templateOf(stack, group);
    if (
        template &&
        text(at(template.props, "instanceMarketOptions", "marketType")) === "spot" &&
        !present(template.props.instanceRequirements)
    ) {
        judgement.violation(group, "launchTemplate", pools(1), "Use `mixedInstancesPolicy` with several overrides.");
    }
}

function judgeMixed(judgement: Judgement, group: Resource, policy: unknown, minimum: number): void {
    const [distribution] = blocks(at(policy, "instancesDistribution"), "");
    const onDemand = at(distribution?.value, "onDemandPercentageAboveBaseCapacity");
    if (isUnknown(policy) || isUnknown(onDemand)) {
        judgement.unknown(group, "mixedInstancesPolicy", UNTIL_UP);
        return;
    }
    const percentage = whole(onDemand);
    if (typeof percentage !== "number" || percentage >= 100) {
        return;
    }
    const [template] = blocks(at(policy, "launchTemplate"), "");
    const overrides = items(at(template?.value, "overrides"));
    if (overrides.some((override) => isUnknown(override) || present(at(override, "instanceRequirements")))) {
        return;
    }
    const count = distinct(overrides.map((override) => at(override, "instanceType")));
    if (count < minimum) {
        judgement.violation(group, "mixedInstancesPolicy.launchTemplate.overrides", pools(count));
    }
}

function judgeFleet(judgement: Judgement, fleet: Resource, minimum: number): void {
    const { props } = fleet;
    if (fleet.type === "aws:ec2/fleet:Fleet") {
        const [capacity] = blocks(props.targetCapacitySpecification, "");
        if (text(at(capacity?.value, "defaultTargetCapacityType")) !== "spot") {
            return;
        }
    }
    const configs = [...items(props.launchTemplateConfigs), ...items(props.launchTemplateConfig)];
    const overrides = configs.flatMap((config) => items(at(config, "overrides")));
    const specifications = items(props.launchSpecifications);
    if (
        [...configs, ...overrides, ...specifications].some(
            (one) => isUnknown(one) || present(at(one, "instanceRequirements")),
        )
    ) {
        return;
    }
    judgement.judge(fleet);
    const count = distinct([...overrides, ...specifications].map((one) => at(one, "instanceType")));
    if (count < minimum) {
        judgement.violation(
            fleet,
            specifications.length > 0 ? "launchSpecifications" : "launchTemplateConfigs",
            pools(count),
        );
    }
}
