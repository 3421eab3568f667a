import * as assert from "node:assert/strict";
import { rules } from "../../../policy-pack/rules";
import { stackOf } from "../../../policy-pack/stack";
import { withDefaults } from "../../../policy-pack/config";
import { type Made, resources } from "./helpers";

type Props = Record<string, unknown>;
const many = (count: number, type: string, props: (index: number) => Props): Made[] =>
    Array.from({ length: count }, (_, index) => ({ type, name: `${type}-${index}`, props: props(index) }));

/** Programs in which every resource of one kind could be held against every one of another. */
const SHAPES: Record<string, (count: number) => Made[]> = {
    "volumes and regions that encrypt": (count) => [
        ...many(count, "aws:ebs/volume:Volume", (index) => ({ region: `a${index}` })),
        ...many(count, "aws:ebs/encryptionByDefault:EncryptionByDefault", (index) => ({ region: `b${index}` })),
    ],
    "launch templates and defaults of regions": (count) => [
        ...many(count, "aws:ec2/launchTemplate:LaunchTemplate", (index) => ({ region: `a${index}` })),
        ...many(count, "aws:ec2/instanceMetadataDefaults:InstanceMetadataDefaults", (index) => ({
            region: `b${index}`,
        })),
    ],
    "file systems, databases and backup plans": (count) => [
        ...many(count, "aws:efs/fileSystem:FileSystem", (index) => ({ arn: `arn:files-${index}` })),
        ...many(count, "aws:rds/instance:Instance", (index) => ({ arn: `arn:db-${index}` })),
        ...many(count, "aws:backup/selection:Selection", () => ({ selectionTags: [{ key: "a", value: "b" }] })),
    ],
    "node groups, launch templates and subnets": (count) => [
        ...many(count, "aws:ec2/launchTemplate:LaunchTemplate", (index) => ({ name: `template-${index}` })),
        ...many(count, "aws:ec2/subnet:Subnet", (index) => ({ id: `subnet-${index}`, availabilityZone: "eu-west-1a" })),
        ...many(count, "aws:eks/nodeGroup:NodeGroup", (index) => ({
            launchTemplate: { name: `template-${index}` },
            subnetIds: [`subnet-${index}`],
        })),
        ...many(1, "kubernetes:apps/v1:Deployment", () => ({
            metadata: { name: "app" },
            spec: { template: { spec: { nodeSelector: { disk: "fast" }, containers: [] } } },
        })),
    ],
};

/** How often a rule reads a property of a resource: a measure of its work that no other work on the machine changes. */
function reads(rule: (typeof rules)[number], made: Made[]): number {
    let count = 0;
    const counted = resources(made).map((one) => ({
        ...one,
        props: new Proxy(one.props, {
            get: (props, key: string) => (count++, props[key]),
        }),
    }));
    rule.stack!(stackOf(counted), withDefaults(rule, {}));
    return count;
}

describe("the work of whole-stack rules", () => {
    for (const [title, make] of Object.entries(SHAPES)) {
        it(`doubles when the program does: ${title}`, () => {
            for (const rule of rules.filter(({ stack }) => stack)) {
                const [once, twice] = [reads(rule, make(100)), reads(rule, make(200))];
                assert.ok(twice <= 2.2 * once + 100, `${rule.name}: ${once}, then ${twice}`);
            }
        });
    }
});
