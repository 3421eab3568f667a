import type { SimulatedType } from "../../shell/type";
import { list, record, text, texts } from "../../shell/values";
import type { WorldObject } from "../../shell/world";
import { arn } from "../arn";
import { EKS_VERSIONS, minorOf } from "../catalogue/eksVersions";
import { INSTANCE_TYPES } from "../catalogue/instanceTypes";
import { check, refuse, vpcOfSubnet } from "../checks";
import { seconds } from "../durations";
import { trustsService } from "../iam/access";
import { Kind } from "../kinds";
import { clusterOf, makeAccessEntry } from "./cluster";
import { EFFECTS, reconcileNodes, removeNodes, templateOf, whyNodesDoNotJoin } from "./nodes";

const AMI_TYPES =
    /^(AL2023_(x86_64|ARM_64)_(STANDARD|NEURON|NVIDIA)|BOTTLEROCKET_(x86_64|ARM_64)(_NVIDIA|_FIPS)?|AL2_(x86_64|x86_64_GPU|ARM_64)|CUSTOM|WINDOWS_(CORE|FULL)_(2019|2022|2025)_x86_64)$/;

const amiArchitecture = (amiType: string) => (/ARM_64/.test(amiType) ? "arm64" : "x86_64");

export const nodeGroup: SimulatedType = {
    token: Kind.NodeGroup,
    seconds: seconds.nodeGroup,
    autoname: "nodeGroupName",
    id: (inputs) => `${String(inputs.clusterName)}:${String(inputs.nodeGroupName)}`,
    unique: [["clusterName", "nodeGroupName"]],
    duplicate: "ResourceInUseException",
    references: [
        {
            path: "clusterName",
            to: Kind.Cluster,
            missing: "ResourceNotFoundException",
            holds: "ResourceInUseException",
        },
        { path: "nodeRoleArn", to: Kind.Role, by: "arn", holds: false, missing: "InvalidParameterException" },
        { path: "subnetIds[*]", to: Kind.Subnet, missing: "InvalidParameterException" },
        { path: "launchTemplate.id", to: Kind.LaunchTemplate, holds: false, missing: "InvalidRequestException" },
        {
            path: "launchTemplate.name",
            to: Kind.LaunchTemplate,
            by: "name",
            holds: false,
            missing: "InvalidRequestException",
        },
    ],
    // EKS API Reference: UpdateNodegroupConfig and UpdateNodegroupVersion name what can change.
    immutable: [
        "clusterName",
        "nodeGroupName",
        "nodeGroupNamePrefix",
        "nodeRoleArn",
        "subnetIds",
        "instanceTypes",
        "amiType",
        "capacityType",
        "diskSize",
        "remoteAccess",
        "launchTemplate.id",
        "launchTemplate.name",
    ],
    changing: ["releaseVersion"],
    check: check((found, inputs) => {
        const scaling = record(inputs.scalingConfig);
        const { minSize, maxSize, desiredSize } = scaling;
        // EKS API Reference, NodegroupScalingConfig.
        found
            .range("scalingConfig.minSize", 0, 450)
            .range("scalingConfig.maxSize", 1, 450)
            .range("scalingConfig.desiredSize", 0, 450);
        if (typeof minSize === "number" && typeof maxSize === "number" && minSize > maxSize)
            found.add(
                "scalingConfig.minSize",
                `minimum capacity ${minSize} can't be greater than maximum size ${maxSize}`,
            );
        if (typeof desiredSize === "number" && typeof maxSize === "number" && desiredSize > maxSize)
            found.add(
                "scalingConfig.desiredSize",
                `desired capacity ${desiredSize} can't be greater than maximum size ${maxSize}`,
            );
        if (typeof desiredSize === "number" && typeof minSize === "number" && desiredSize < minSize)
            found.add(
                "scalingConfig.desiredSize",
                `minimum capacity ${minSize} can't be greater than desired size ${desiredSize}`,
            );
        found.matches(
            "nodeGroupName",
            /^[0-9A-Za-z][A-Za-z0-9_-]{0,62}$/,
            "a node group name of up to 63 letters, digits, - and _",
        );
        found
            .matches("amiType", AMI_TYPES, "an AMI type of EKS")
            .oneOf("capacityType", ["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"])
            .oneOf("version", EKS_VERSIONS);
        found
            .oneOf("taints[*].effect", Object.keys(EFFECTS))
            .exclusive("updateConfig.maxUnavailable", "updateConfig.maxUnavailablePercentage");
        // EKS User Guide, launch template support: what may be said in one of the two only.
        found
            .exclusive("launchTemplate", "diskSize")
            .exclusive("launchTemplate", "remoteAccess")
            .exclusive("launchTemplate.id", "launchTemplate.name");
        found.when(
            found.has("launchTemplate") && !found.has("launchTemplate.id") && !found.has("launchTemplate.name"),
            "launchTemplate",
            "id or name is required",
        );
        found.range("diskSize", 1, 65536);
        // EKS API Reference, CreateNodegroup: labels and taints that EKS keeps for itself.
        for (const key of Object.keys(record(inputs.labels))) {
            if (/^(eks\.amazonaws\.com|kubernetes\.io|k8s\.io)\//.test(key) || /^node-role\.kubernetes\.io/.test(key))
                found.add(`labels["${key}"]`, `the label key ${key} is reserved`);
        }
        found.when(
            inputs.capacityType === "CAPACITY_BLOCK" && !found.has("launchTemplate"),
            "capacityType",
            "CAPACITY_BLOCK needs a launch template",
        );
        const machines = texts(inputs.instanceTypes);
        for (const [index, name] of machines.entries()) {
            if (!INSTANCE_TYPES.has(name))
                found.add(
                    `instanceTypes[${index}]`,
                    `"${name}" is none of the instance types that the rehearsal knows`,
                );
        }
        found.when(list(inputs.instanceTypes).length > 20, "instanceTypes", "up to 20 instance types");
        const wanted = amiArchitecture(text(inputs.amiType) ?? "AL2023_x86_64_STANDARD");
        const misfit =
            inputs.amiType === "CUSTOM"
                ? undefined
                : machines.map((name) => INSTANCE_TYPES.get(name)).find((type) => type && type.architecture !== wanted);
        // EKS API Reference, CreateNodegroup: the AMI type must fit the architecture.
        if (misfit && typeof inputs.amiType !== "symbol")
            found.add(
                "instanceTypes",
                `${misfit.name} is ${misfit.architecture}, the AMI type ${text(inputs.amiType) ?? "AL2023_x86_64_STANDARD (default)"} is ${wanted}`,
            );
        if (new Set(machines.map((name) => INSTANCE_TYPES.get(name)?.architecture)).size > 1)
            found.add("instanceTypes", "instance types of different architectures");
    }),
    checkChange: (olds, news) =>
        minorOf(news.version) < minorOf(olds.version)
            ? [{ property: "version", reason: "a node group cannot go back to an older version" }]
            : [],
    relations: (inputs, world) => {
        const cluster = clusterOf(world, inputs);
        const vpcId = record(cluster.outputs.vpcConfig).vpcId;
        for (const id of texts(inputs.subnetIds)) {
            if (vpcOfSubnet(world, id) !== vpcId)
                refuse("InvalidParameterException", `Subnet ${id} is not in the cluster's VPC ${String(vpcId)}`);
        }
        if (!trustsService(world, String(inputs.nodeRoleArn), "ec2.amazonaws.com")) {
            refuse(
                "InvalidParameterException",
                `The trust policy of ${String(inputs.nodeRoleArn)} does not name ec2.amazonaws.com`,
            );
        }
        if (minorOf(inputs.version) > minorOf(cluster.outputs.version)) {
            refuse(
                "InvalidParameterException",
                `Requested nodegroup version ${String(inputs.version)} is newer than the cluster's ${String(cluster.outputs.version)}`,
            );
        }
        const template = templateOf(world, inputs)?.inputs;
        if (!template) return;
        const version = Number(record(inputs.launchTemplate).version);
        const latest = Number(templateOf(world, inputs)!.outputs.latestVersion);
        if (Number.isFinite(version) && (version < 1 || version > latest))
            refuse("InvalidRequestException", `launch template version ${version} does not exist`);
        const both = (where: string, what: string) =>
            refuse("InvalidParameterException", `${what} cannot be given in the launch template and in ${where}`);
        if (template.instanceType && texts(inputs.instanceTypes).length > 0) both("instanceTypes", "Instance types");
        // EKS User Guide, "Launch template configuration basics": settings that are prohibited there.
        for (const [path, what] of [
            ["iamInstanceProfile", "an instance profile"],
            ["instanceMarketOptions", "Spot market options"],
            ["hibernationOptions", "hibernation"],
        ]) {
            if (template[path] !== undefined)
                refuse("InvalidRequestException", `a node group's launch template must not give ${what}`);
        }
        if (list(template.networkInterfaces).some((one) => record(one).subnetId !== undefined))
            refuse("InvalidRequestException", "a node group's launch template must not give a subnet");
        if (template.imageId !== undefined && inputs.amiType !== undefined && inputs.amiType !== "CUSTOM")
            both("amiType", "An image");
        if (template.imageId !== undefined && inputs.releaseVersion !== undefined) both("releaseVersion", "An image");
        const machine = INSTANCE_TYPES.get(String(template.instanceType));
        const wanted = amiArchitecture(text(inputs.amiType) ?? "AL2023_x86_64_STANDARD");
        if (machine && template.imageId === undefined && machine.architecture !== wanted)
            refuse(
                "InvalidParameterException",
                `${machine.name} of the launch template is ${machine.architecture}, the AMI type is ${wanted}`,
            );
    },
    outputs: (inputs, id, world, old) => {
        const version = inputs.version ?? old?.outputs.version ?? clusterOf(world, inputs).outputs.version;
        const name =
            record(list(record(list(old?.outputs.resources)[0]).autoscalingGroups)[0]).name ??
            `eks-${id.split(":")[1]}-${world.hex(8)}`;
        const template = templateOf(world, inputs);
        return {
            arn: arn(world, "eks", `nodegroup/${id.replace(":", "/")}/${world.hex(8)}`),
            ...(old ? { arn: old.outputs.arn } : {}),
            status: "ACTIVE",
            version,
            releaseVersion: inputs.releaseVersion ?? `${String(version)}.0-20260710`,
            amiType: inputs.amiType ?? (template?.inputs.imageId ? "CUSTOM" : "AL2023_x86_64_STANDARD"),
            capacityType: inputs.capacityType ?? "ON_DEMAND",
            diskSize: inputs.diskSize ?? (template ? 0 : 20),
            instanceTypes: inputs.instanceTypes ?? (template?.inputs.instanceType ? [] : ["t3.medium"]),
            updateConfig: inputs.updateConfig ?? { maxUnavailable: 1 },
            resources: [{ autoscalingGroups: [{ name }], remoteAccessSecurityGroupId: "" }],
        };
    },
    settled: (object, world, old) => {
        const { id } = object;
        const owner = { token: Kind.NodeGroup, id };
        const scaling = record(object.inputs.scalingConfig);
        const name = groupName(object);
        const outputs = {
            name,
            minSize: scaling.minSize,
            maxSize: scaling.maxSize,
            desiredCapacity: scaling.desiredSize,
            vpcZoneIdentifiers: object.inputs.subnetIds,
        };
        world.put({ token: Kind.AutoscalingGroup, id: name, inputs: {}, outputs, implicit: true, owner });
        // EKS User Guide, access entries: EKS makes one for the node role of a managed node group.
        const mode = record(clusterOf(world, object.inputs).outputs.accessConfig).authenticationMode;
        if (mode !== "CONFIG_MAP")
            makeAccessEntry(world, String(object.inputs.clusterName), String(object.inputs.nodeRoleArn), "EC2_LINUX");
        if (old) removeNodes(world, object, Number(scaling.desiredSize));
        reconcileNodes(object, world);
    },
    notReady: (object, world) => {
        const reasons = whyNodesDoNotJoin(object, world);
        return reasons.length > 0 ? reasons.map((reason) => `NodeCreationFailure: ${reason}`) : undefined;
    },
    timeout: () => 1500,
    removed: (object, world) => {
        world.remove(Kind.AutoscalingGroup, groupName(object));
        removeNodes(world, object, 0);
        const { clusterName, nodeRoleArn } = object.inputs;
        const shared = world.find(
            Kind.NodeGroup,
            (one) =>
                one.id !== object.id &&
                one.inputs.clusterName === clusterName &&
                one.inputs.nodeRoleArn === nodeRoleArn,
        );
        const entry = world.get(Kind.AccessEntry, `${String(clusterName)}:${String(nodeRoleArn)}`);
        if (!shared && entry?.implicit) world.remove(Kind.AccessEntry, entry.id);
    },
};

function groupName(group: WorldObject): string {
    return String(record(list(record(list(group.outputs.resources)[0]).autoscalingGroups)[0]).name);
}
