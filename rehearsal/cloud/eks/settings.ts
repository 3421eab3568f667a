import type { Registered, Registrar } from "../shell/monitor";
import type { Properties } from "../shell/type";
import { empty, hasUnknown, list, record, text, UNKNOWN } from "../shell/values";
import type { World } from "../shell/world";

export function refuseArguments(inputs: Properties): void {
    if (
        inputs.subnetIds !== undefined &&
        (inputs.publicSubnetIds !== undefined || inputs.privateSubnetIds !== undefined)
    ) {
        throw new Error(
            "subnetIds, and the use of publicSubnetIds and/or privateSubnetIds are mutually exclusive. Choose a single approach.",
        );
    }
    const mode = text(inputs.authenticationMode);
    if ((mode === undefined || mode === "CONFIG_MAP") && inputs.accessEntries !== undefined) {
        const why = mode === undefined ? "not set" : `set to '${mode}'`;
        throw new Error(`The 'accessEntries' property is not supported when 'authenticationMode' is ${why}.`);
    }
    if (inputs.endpointPublicAccess === false && inputs.publicAccessCidrs !== undefined) {
        throw new Error("`publicAccessCidrs` can only be set when `endpointPublicAccess` is true");
    }
    const missing = [
        ["fargate", empty(inputs.fargate) || inputs.fargate === false, "Fargate"],
        ["autoMode", record(inputs.autoMode).enabled !== true, "EKS Auto Mode"],
    ] as const;
    for (const [property, fine, what] of missing) {
        if (!fine)
            throw new Error(`eks.Cluster: ${what} (${property}) cannot be rehearsed: the simulation does not have it`);
    }
}

export function clusterInputs(
    name: string,
    inputs: Properties,
    role: Registered,
    group: Registered | undefined,
    subnetIds: unknown,
): Properties {
    const family = text(inputs.ipFamily);
    const range = inputs.kubernetesServiceIpAddressRange;
    const given = (key: string) => (inputs[key] === undefined ? {} : { [key]: inputs[key] });
    return {
        ...given("name"),
        ...given("version"),
        ...given("enabledClusterLogTypes"),
        ...given("upgradePolicy"),
        ...given("deletionProtection"),
        roleArn: role.outputs.arn,
        bootstrapSelfManagedAddons: inputs.bootstrapSelfManagedAddons ?? true,
        vpcConfig: {
            subnetIds,
            ...(group ? { securityGroupIds: [group.id] } : {}),
            ...given("endpointPrivateAccess"),
            ...given("endpointPublicAccess"),
            ...given("publicAccessCidrs"),
        },
        tags: { Name: `${name}-eksCluster`, ...record(inputs.clusterTags), ...record(inputs.tags) },
        ...(inputs.encryptionConfigKeyArn === undefined
            ? {}
            : { encryptionConfig: { provider: { keyArn: inputs.encryptionConfigKeyArn }, resources: ["secrets"] } }),
        ...(range === undefined && family === undefined
            ? {}
            : {
                  kubernetesNetworkConfig: {
                      ipFamily: family ?? "ipv4",
                      ...(family === "ipv6" ? {} : { serviceIpv4Cidr: range }),
                  },
              }),
        ...(inputs.authenticationMode === undefined
            ? {}
            : {
                  accessConfig: {
                      authenticationMode: inputs.authenticationMode,
                      bootstrapClusterCreatorAdminPermissions: true,
                  },
              }),
    };
}

export function together(...lists: unknown[]): unknown {
    return lists.includes(UNKNOWN) ? UNKNOWN : lists.flatMap(list);
}

export function clusterTag(clusterName: unknown): Properties {
    return typeof clusterName === "string" ? { [`kubernetes.io/cluster/${clusterName}`]: "owned" } : {};
}

export function regionOf(cluster: Registered, world: World): unknown {
    return text(cluster.outputs.arn)?.split(":")[3] ?? world.region;
}

export function issuerUrl(cluster: Registered): unknown {
    const { identities } = cluster.outputs;
    if (hasUnknown(identities) || identities === undefined) return UNKNOWN;
    return record(list(record(list(identities)[0]).oidcs)[0]).issuer ?? UNKNOWN;
}

export async function newest(monitor: Registrar, addonName: string, kubernetesVersion: unknown): Promise<unknown> {
    if (typeof kubernetesVersion !== "string") return UNKNOWN;
    const answer = await monitor.invoke("aws:eks/getAddonVersion:getAddonVersion", {
        addonName,
        kubernetesVersion,
        mostRecent: true,
    });
    return answer.version;
}

/** The resource behind a reference that a component was given. */
export async function resource(monitor: Registrar, reference: unknown): Promise<Registered> {
    const { urn, id } = record(reference);
    const answer = await monitor.invoke("pulumi:pulumi:getResource", { urn });
    return { urn: String(urn), id: answer.id ?? id, outputs: record(answer.state) };
}
