import { isUnknown } from "../plain";
import type { Resource, Stack } from "../rule";
import { refer } from "./references";
import { at, blocks, present } from "./tree";

export const LAUNCH_TEMPLATES = ["aws:ec2/launchTemplate:LaunchTemplate", "aws-native:ec2:LaunchTemplate"];

/** The launch template of this program that an instance, a node group or a scaling group names, by id or by name. */
export function templateOf(stack: Stack, resource: Resource): Resource | undefined {
    return templateIn(stack, resource, "launchTemplate", resource.props.launchTemplate);
}

/** The same for a block that names a template somewhere below a property. */
export function templateIn(stack: Stack, resource: Resource, property: string, named: unknown): Resource | undefined {
    const [block] = blocks(named, property);
    const names = ["id", "launchTemplateId", "name", "launchTemplateName"].map((key) => at(block?.value, key));
    const value = isUnknown(block?.value) ? block?.value : names.find(present);
    return refer(stack, resource, property, value, LAUNCH_TEMPLATES).resources[0];
}
