import { templateIn, templateOf } from "../judge/launchTemplates";
import { refer } from "../judge/references";
import { at, blocks, items, present, text, UNTIL_UP, whole } from "../judge/tree";
import { isUnknown, UNKNOWN } from "../plain";
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
            judgeFleet(judgement, stack, fleet, wanted(config));
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
        judgeMixed(judgement.judge(group), stack, group, policy.value, minimum);
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

function judgeMixed(judgement: Judgement, stack: Stack, group: Resource, policy: unknown, minimum: number): void {
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
    const types = typesOf(stack, group, "mixedInstancesPolicy", template?.value);
    judgeTypes(judgement, group, "mixedInstancesPolicy.launchTemplate.overrides", types, minimum);
}

function judgeFleet(judgement: Judgement, stack: Stack, fleet: Resource, minimum: number): void {
    const { props } = fleet;
    if (fleet.type === "aws:ec2/fleet:Fleet") {
        const [capacity] = blocks(props.targetCapacitySpecification, "");
        if (text(at(capacity?.value, "defaultTargetCapacityType")) !== "spot") {
            return;
        }
    }
    const property = present(props.launchTemplateConfig) ? "launchTemplateConfig" : "launchTemplateConfigs";
    const specifications = items(props.launchSpecifications);
    const types = [
        ...items(props[property]).flatMap((config) => typesOf(stack, fleet, property, config)),
        ...specifications.map((one) => (isUnknown(one) ? ANY : at(one, "instanceType"))),
    ];
    const where = specifications.length > 0 ? "launchSpecifications" : property;
    judgeTypes(judgement.judge(fleet), fleet, where, types, minimum);
}

/** Types described by attributes, or a list that is not known: as many as are needed. */
const ANY: unique symbol = Symbol("any");

function judgeTypes(
    judgement: Judgement,
    resource: Resource,
    property: string,
    types: unknown[],
    minimum: number,
): void {
    if (types.includes(ANY) || distinct(types) >= minimum) {
        return;
    }
    if (types.some(isUnknown)) {
        judgement.unknown(resource, property, "its launch template, which may say more, is not in this program");
    } else {
        judgement.violation(resource, property, pools(distinct(types)));
    }
}

/** The types of a launch template with overrides: each override's own, or that of the template that it names. */
function typesOf(stack: Stack, resource: Resource, property: string, config: unknown): unknown[] {
    const overrides = items(at(config, "overrides"));
    if ([config, ...overrides].some((one) => isUnknown(one) || present(at(one, "instanceRequirements")))) {
        return [ANY];
    }
    const byTemplate = (named: unknown): unknown => {
        const template = templateIn(stack, resource, property, named);
        const { instanceType, instanceRequirements } = template?.props ?? { instanceType: UNKNOWN };
        return present(instanceRequirements) ? ANY : instanceType;
    };
    const typeOf = (block: unknown): unknown => {
        const named = at(block, "launchTemplateSpecification");
        return at(block, "instanceType") ?? (present(named) ? byTemplate(named) : undefined);
    };
    return overrides.length === 0 ? [typeOf(config)] : overrides.map((one) => typeOf(one) ?? typeOf(config));
}
