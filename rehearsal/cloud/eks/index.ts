import { Kind } from "../aws/kinds";
import { Reference } from "../shell/marshal";
import type { Registrar } from "../shell/monitor";
import type { ConstructRequest, ConstructResult, SimulatedPackage } from "../shell/package";
import type { Properties } from "../shell/type";
import { isObject, record, text, UNKNOWN } from "../shell/values";
import { constructVpcCni } from "./addons";
import { constructCluster } from "./cluster";
import { resource } from "./settings";
import { asJson, kubeconfigOf } from "./kubeconfig";
import { constructManagedNodeGroup } from "./nodeGroup";
import { constructNodeGroupV2 } from "./selfManaged";

/** @pulumi/eks: its components live in their provider, so the simulation registers their children itself. */
export const eks: SimulatedPackage = {
    name: "eks",
    scope: () => "",
    type: () => undefined,
    facts: () => undefined,
    invoke: () => undefined,
    construct: (request, monitor, world) => {
        switch (request.type) {
            case "eks:index:Cluster":
                return constructCluster(request, monitor, world);
            case "eks:index:ManagedNodeGroup":
                return constructManagedNodeGroup(request, monitor);
            case "eks:index:NodeGroupV2":
                return constructNodeGroupV2(request, monitor, world);
            case "eks:index:VpcCniAddon":
                return constructCniComponent(request, monitor);
            case "eks:index:Addon":
                return constructAddon(request, monitor);
            default:
                throw new Error(
                    `the component ${request.type} is not simulated; use eks.ManagedNodeGroup, eks.NodeGroupV2 or aws.eks.NodeGroup`,
                );
        }
    },
    call: async (token, args, world, monitor) => {
        if (token !== "eks:index:Cluster/getKubeconfig") throw new Error(`${token} is not simulated`);
        const self = await resource(monitor, args.__self__);
        const cluster = await resource(monitor, self.outputs.eksCluster);
        const region = text(cluster.outputs.arn)?.split(":")[3] ?? world.region;
        const options = { roleArn: args.roleArn, profileName: args.profileName };
        const given = Object.fromEntries(
            Object.entries(options).filter(([, value]) => value !== undefined && value !== null),
        );
        return { result: asJson(kubeconfigOf(cluster.outputs, region, given)) };
    },
};

async function constructCniComponent({ name, inputs }: ConstructRequest, monitor: Registrar): Promise<ConstructResult> {
    const root = await monitor.root();
    const addon = await constructVpcCni(name, inputs, monitor, { uses: Object.keys(inputs) });
    const outputs = { addon: new Reference(addon.urn, addon.id) };
    await monitor.outputs(root, outputs);
    return { urn: root.urn, outputs };
}

async function constructAddon({ name, inputs }: ConstructRequest, monitor: Registrar): Promise<ConstructResult> {
    const { cluster, configurationValues, ...rest } = inputs;
    // The real component makes itself a child of the cluster (nodejs/eks/addons/addon.ts).
    const root = await monitor.root(text(record(cluster).urn));
    const component = isObject(cluster) && cluster.urn !== undefined ? (await resource(monitor, cluster)).outputs : {};
    const core = isObject(component.core) ? component.core : record(cluster);
    const eksCluster = isObject(core.cluster) ? await resource(monitor, core.cluster) : undefined;
    const configuration: Properties =
        configurationValues === undefined ? {} : { configurationValues: asJson(configurationValues) };
    const addon = await monitor.custom(
        Kind.Addon,
        name,
        {
            ...rest,
            ...configuration,
            clusterName: eksCluster?.outputs.name ?? UNKNOWN,
        },
        { uses: Object.keys(inputs), dependsOn: eksCluster ? [eksCluster] : [] },
    );
    const outputs = { addon: new Reference(addon.urn, addon.id) };
    await monitor.outputs(root, outputs);
    return { urn: root.urn, outputs };
}
