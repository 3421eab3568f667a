import { Kind } from "../aws/kinds";
import { stable } from "../shell/compare";
import type { ChildOptions, Registered, Registrar } from "../shell/monitor";
import type { Properties } from "../shell/type";
import { hasUnknown, isObject, record, UNKNOWN } from "../shell/values";
import { newest } from "./settings";

// What the real component makes of an option that is not given; an option that is given has the same name in the environment.
const ENVIRONMENT: [option: string, variable: string, fallback?: string][] = [
    ["nodePortSupport", "AWS_VPC_CNI_NODE_PORT_SUPPORT"],
    ["customNetworkConfig", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"],
    ["warmEniTarget", "WARM_ENI_TARGET", "1"],
    ["warmIpTarget", "WARM_IP_TARGET"],
    ["warmPrefixTarget", "WARM_PREFIX_TARGET"],
    ["enablePrefixDelegation", "ENABLE_PREFIX_DELEGATION"],
    ["logLevel", "AWS_VPC_K8S_CNI_LOGLEVEL", "DEBUG"],
    ["logFile", "AWS_VPC_K8S_CNI_LOG_FILE", "/host/var/log/aws-routed-eni/ipamd.log"],
    ["vethPrefix", "AWS_VPC_K8S_CNI_VETHPREFIX", "eni"],
    ["eniMtu", "AWS_VPC_ENI_MTU", "9001"],
    ["eniConfigLabelDef", "ENI_CONFIG_LABEL_DEF"],
    ["pluginLogLevel", "AWS_VPC_K8S_PLUGIN_LOG_LEVEL", "DEBUG"],
    ["pluginLogFile", "AWS_VPC_K8S_PLUGIN_LOG_FILE", "/var/log/aws-routed-eni/plugin.log"],
    ["enablePodEni", "ENABLE_POD_ENI", "false"],
    ["cniConfigureRpfilter", "AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER"],
    ["cniCustomNetworkCfg", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"],
    ["cniExternalSnat", "AWS_VPC_K8S_CNI_EXTERNALSNAT"],
    ["externalSnat", "AWS_VPC_K8S_CNI_EXTERNALSNAT", "false"],
];

/** The add-on that a `VpcCniAddon` component makes. */
export async function constructVpcCni(
    name: string,
    settings: Properties,
    monitor: Registrar,
    options: ChildOptions,
): Promise<Registered> {
    const env: Properties = {};
    for (const [option, variable, fallback] of ENVIRONMENT) {
        const value = settings[option];
        if (value !== undefined && value !== false) env[variable] = value === UNKNOWN ? UNKNOWN : String(value);
        else if (fallback !== undefined) env[variable] ??= fallback;
    }
    const policy =
        settings.enableNetworkPolicy === undefined ? {} : { enableNetworkPolicy: String(settings.enableNetworkPolicy) };
    const init = { env: { DISABLE_TCP_EARLY_DEMUX: String(settings.disableTcpEarlyDemux ?? false) } };
    const configuration = hasUnknown(settings.configurationValues)
        ? UNKNOWN
        : merge({ env, init, ...policy }, record(settings.configurationValues));
    const version = settings.addonVersion ?? (await newest(monitor, "vpc-cni", settings.clusterVersion));
    return monitor.custom(
        Kind.Addon,
        name,
        {
            clusterName: settings.clusterName,
            addonName: "vpc-cni",
            addonVersion: version,
            preserve: true,
            resolveConflictsOnCreate: settings.resolveConflictsOnCreate ?? "OVERWRITE",
            resolveConflictsOnUpdate: settings.resolveConflictsOnUpdate ?? "OVERWRITE",
            configurationValues: addonConfiguration(configuration),
            ...(settings.serviceAccountRoleArn === undefined
                ? {}
                : { serviceAccountRoleArn: settings.serviceAccountRoleArn }),
            ...(settings.tags === undefined ? {} : { tags: settings.tags }),
        },
        options,
    );
}

/** What is given as an object is written with its keys in order, so that it is the same text each time (nodejs/eks/addons/addon.ts). */
export function addonConfiguration(values: unknown): unknown {
    return hasUnknown(values) ? UNKNOWN : stable(values);
}

function merge(base: Properties, over: Properties): Properties {
    const merged = { ...base };
    for (const [key, value] of Object.entries(over))
        merged[key] = isObject(value) && isObject(base[key]) ? merge(record(base[key]), value) : value;
    return merged;
}
