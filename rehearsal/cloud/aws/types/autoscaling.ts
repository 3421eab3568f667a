import { load } from "js-yaml";
import type { SimulatedType } from "../../shell/type";
import { list, record, text } from "../../shell/values";
import type { World, WorldObject } from "../../shell/world";
import { arn } from "../arn";
import { check } from "../checks";
import { seconds } from "../durations";
import { Kind } from "../kinds";
import { zonesOf } from "../places";
import { reconcileNodes, removeNodes, templateOf } from "./nodes";

/** Auto Scaling groups. Those whose instances are an EKS cluster's own nodes bring nodes, once the cluster admits their role. */
export const autoscalingGroup: SimulatedType = {
    token: Kind.AutoscalingGroup,
    seconds: seconds.autoscalingGroup,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    duplicate: "AlreadyExists",
    references: [
        { path: "vpcZoneIdentifiers[*]", to: Kind.Subnet, missing: "ValidationError" },
        {
            path: "launchTemplate.id",
            to: Kind.LaunchTemplate,
            holds: false,
            missing: "InvalidLaunchTemplateId.NotFound",
        },
        {
            path: "launchTemplate.name",
            to: Kind.LaunchTemplate,
            by: "name",
            holds: false,
            missing: "InvalidLaunchTemplateName.NotFoundException",
        },
    ],
    immutable: ["name", "namePrefix"],
    check: check((found, inputs) => {
        found
            .exclusive("launchTemplate", "launchConfiguration", "mixedInstancesPolicy")
            .someOf("launchTemplate", "launchConfiguration", "mixedInstancesPolicy")
            .exclusive("vpcZoneIdentifiers", "availabilityZones")
            .exclusive("launchTemplate.id", "launchTemplate.name")
            .range("minSize", 0, 10000)
            .range("maxSize", 0, 10000);
        const { minSize, maxSize, desiredCapacity } = inputs;
        // EC2 Auto Scaling API Reference, CreateAutoScalingGroup: "must be greater than or equal to the minimum size of the group …".
        if (typeof minSize === "number" && typeof maxSize === "number" && minSize > maxSize) {
            found.add(
                "minSize",
                `ValidationError: Max bound, ${maxSize}, must be greater than or equal to min bound, ${minSize}`,
            );
        }
        if (typeof desiredCapacity === "number" && typeof minSize === "number" && desiredCapacity < minSize) {
            found.add(
                "desiredCapacity",
                `ValidationError: Desired capacity:${desiredCapacity} must be between the specified min size:${minSize} and max size:${String(maxSize)}`,
            );
        }
        if (typeof desiredCapacity === "number" && typeof maxSize === "number" && desiredCapacity > maxSize) {
            found.add(
                "desiredCapacity",
                `ValidationError: Desired capacity:${desiredCapacity} must be between the specified min size:${String(minSize)} and max size:${maxSize}`,
            );
        }
    }),
    outputs: (inputs, id, world, old) => ({
        arn:
            old?.outputs.arn ??
            arn(world, "autoscaling", `autoScalingGroup:${world.hex(8)}:autoScalingGroupName/${id}`),
        desiredCapacity: inputs.desiredCapacity ?? old?.outputs.desiredCapacity ?? inputs.minSize,
        availabilityZones: inputs.availabilityZones ?? zonesOf(world.region),
        healthCheckType: inputs.healthCheckType ?? "EC2",
        defaultCooldown: inputs.defaultCooldown ?? 300,
        healthCheckGracePeriod: inputs.healthCheckGracePeriod ?? 300,
    }),
    settled: (object, world, old) => {
        if (old) removeNodes(world, object, Number(object.outputs.desiredCapacity));
        reconcileSelfManaged(object, world);
    },
    removed: (object, world) => removeNodes(world, object, 0),
};

/** Makes the nodes of an Auto Scaling group of a cluster's own nodes; a managed node group sees to its own. */
export function reconcileSelfManaged(group: WorldObject, world: World): void {
    const cluster = list(group.inputs.tags)
        .map((tag) => /^kubernetes\.io\/cluster\/(.+)$/.exec(String(record(tag).key))?.[1])
        .find((name) => name !== undefined);
    const role = cluster && nodeRole(group, world);
    if (group.implicit || !cluster || !role || !isAdmitted(world, cluster, role)) return;
    const template = templateOf(world, group.inputs);
    reconcileNodes(
        {
            ...group,
            inputs: {
                ...group.inputs,
                clusterName: cluster,
                nodeRoleArn: role,
                subnetIds: group.inputs.vpcZoneIdentifiers,
                scalingConfig: { desiredSize: group.outputs.desiredCapacity },
                labels: nodeLabels(text(template?.inputs.userData)),
            },
        },
        world,
    );
}

function nodeRole(group: WorldObject, world: World): string | undefined {
    const profile = record(templateOf(world, group.inputs)?.inputs.iamInstanceProfile);
    const found = world.find(
        Kind.InstanceProfile,
        ({ id, outputs }) => id === profile.name || (profile.arn !== undefined && outputs.arn === profile.arn),
    );
    const name = found?.inputs.role;
    return text(world.find(Kind.Role, ({ id, outputs }) => id === name || outputs.name === name)?.outputs.arn);
}

/** EKS User Guide, "Grant IAM users and roles access": an access entry of the type EC2_LINUX, or a line in `aws-auth`. */
function isAdmitted(world: World, cluster: string, role: string): boolean {
    const mode = record(world.get(Kind.Cluster, cluster)?.outputs.accessConfig).authenticationMode ?? "CONFIG_MAP";
    const entry = world.get(Kind.AccessEntry, `${cluster}:${role}`);
    if (mode !== "CONFIG_MAP" && String(entry?.outputs.type ?? entry?.inputs.type).startsWith("EC2_")) return true;
    const map = world.within(cluster).get("kubernetes:core/v1:ConfigMap", "kube-system/aws-auth");
    const mapped = load(text(record(map?.outputs.data).mapRoles) ?? "[]");
    return mode !== "API" && list(mapped).some((line) => record(line).rolearn === role);
}

/** Labels that the user data gives the kubelet: `--node-labels=a=b,c=d`. */
function nodeLabels(userData: string | undefined): Record<string, string> {
    const text = Buffer.from(userData ?? "", "base64").toString("utf8");
    const pairs = /--node-labels=["']?([^\s"']+)/.exec(text)?.[1].split(",") ?? [];
    return Object.fromEntries(pairs.map((pair) => pair.split("=") as [string, string]).filter(([, value]) => value));
}
