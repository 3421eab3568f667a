import { Kind } from "../aws/kinds";
import { Reference } from "../shell/marshal";
import type { Registered, Registrar } from "../shell/monitor";
import type { ConstructRequest, ConstructResult } from "../shell/package";
import type { Properties } from "../shell/type";
import { empty, hasUnknown, isObject, list, record, UNKNOWN } from "../shell/values";
import { resource } from "./settings";

const PASSED = [
    "amiType",
    "capacityType",
    "diskSize",
    "forceUpdateVersion",
    "instanceTypes",
    "labels",
    "launchTemplate",
    "nodeGroupName",
    "nodeGroupNamePrefix",
    "releaseVersion",
    "remoteAccess",
    "tags",
    "taints",
    "version",
];

/** Which options make the component write a launch template of its own (nodejs/eks/nodes/nodegroup.ts of v4.3.0). */
const NEED_TEMPLATE = [
    "kubeletExtraArgs",
    "bootstrapExtraArgs",
    "bottlerocketSettings",
    "nodeadmExtraOptions",
    "enableIMDSv2",
    "userData",
    "amiId",
];

/** `eks.ManagedNodeGroup`: a node group, with a launch template when an option needs one. */
export async function constructManagedNodeGroup(
    request: ConstructRequest,
    monitor: Registrar,
): Promise<ConstructResult> {
    const { name, inputs } = request;
    const root = await monitor.root();
    const core = await coreOf(monitor, inputs.cluster);
    const cluster = isObject(core.cluster) ? await resource(monitor, core.cluster) : undefined;
    const [own] = list(core.instanceRoles);
    const given = isObject(inputs.nodeRole) ? inputs.nodeRole : inputs.nodeRoleArn === undefined ? own : undefined;
    const role = given === undefined ? undefined : await resource(monitor, given);
    if (inputs.nodeRoleArn === undefined && !role) {
        throw new Error("nodeRole, or nodeRoleArn must be specified: the cluster has no instance role of its own");
    }
    if (!empty(inputs.launchTemplate) && NEED_TEMPLATE.some((key) => inputs[key] !== undefined)) {
        throw new Error(
            `If you provide a custom launch template, you cannot provide any of ${NEED_TEMPLATE.join(", ")}. Please include these in the launch template that you are providing.`,
        );
    }
    const template = await launchTemplate(name, inputs, monitor);
    const passed = Object.fromEntries(
        PASSED.filter((key) => inputs[key] !== undefined && !(template && key === "diskSize")).map((key) => [
            key,
            inputs[key],
        ]),
    );
    const group = await monitor.custom(
        Kind.NodeGroup,
        name,
        {
            ...passed,
            clusterName: inputs.clusterName ?? cluster?.outputs.name ?? UNKNOWN,
            nodeRoleArn: inputs.nodeRoleArn ?? role?.outputs.arn,
            scalingConfig: { desiredSize: 2, maxSize: 2, minSize: 1, ...record(inputs.scalingConfig) },
            subnetIds: inputs.subnetIds ?? core.subnetIds ?? UNKNOWN,
            version: inputs.version ?? cluster?.outputs.version,
            ...(template ? { launchTemplate: { id: template.id, version: version(template) } } : {}),
        },
        {
            dependsOn: [cluster, role, template].filter((one): one is Registered => one !== undefined),
            uses: Object.keys(inputs),
            ignoreChanges: inputs.ignoreScalingChanges === true ? ["scalingConfig.desiredSize"] : [],
        },
    );
    const outputs = { nodeGroup: new Reference(group.urn, group.id), placementGroupName: "" };
    await monitor.outputs(root, outputs);
    return { urn: root.urn, outputs, dependencies: { nodeGroup: [group.urn], placementGroupName: [] } };
}

function version(template: Registered): unknown {
    const { latestVersion } = template.outputs;
    return hasUnknown(latestVersion) || latestVersion === undefined ? UNKNOWN : String(latestVersion);
}

/** The cluster's data: handed over as such, or read from the component that is referred to. */
export async function coreOf(monitor: Registrar, given: unknown): Promise<Properties> {
    const value = record(given);
    if (value.urn === undefined) return value;
    const component = await resource(monitor, value);
    return record(component.outputs.core);
}

async function launchTemplate(name: string, inputs: Properties, monitor: Registrar): Promise<Registered | undefined> {
    const extra = list(inputs.nodeadmExtraOptions).map(record);
    if (!NEED_TEMPLATE.some((key) => inputs[key] !== undefined)) return undefined;
    const disk =
        inputs.diskSize === undefined
            ? {}
            : { blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs: { volumeSize: inputs.diskSize } }] };
    const parts = extra.map(
        ({ contentType, content }) => `--//\nContent-Type: ${String(contentType)}\n\n${String(content)}\n`,
    );
    const mime = `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="//"\n\n${parts.join("")}--//--\n`;
    const data = inputs.userData ?? (extra.length > 0 ? mime : undefined);
    return monitor.custom(Kind.LaunchTemplate, `${name}-launchTemplate`, {
        ...disk,
        ...(inputs.amiId === undefined ? {} : { imageId: inputs.amiId }),
        ...(data === undefined
            ? {}
            : { userData: hasUnknown(data) ? UNKNOWN : Buffer.from(String(data)).toString("base64") }),
        ...(inputs.enableIMDSv2 === undefined
            ? {}
            : {
                  metadataOptions: {
                      httpTokens: inputs.enableIMDSv2 === true ? "required" : "optional",
                      httpPutResponseHopLimit: 2,
                      httpEndpoint: "enabled",
                  },
              }),
    });
}
