import { Kind } from "../aws/kinds";
import type { ChildOptions, Registered, Registrar } from "../shell/monitor";
import type { ConstructRequest, ConstructResult } from "../shell/package";
import type { Properties } from "../shell/type";
import { empty, isObject, record, UNKNOWN } from "../shell/values";
import type { World } from "../shell/world";
import { addonConfiguration, constructVpcCni } from "./addons";
import { asJson, kubeconfigOf } from "./kubeconfig";
import { clusterOutputs } from "./outputs";
import { instanceRoles, networkOf, roleMappings, serviceRole } from "./roles";
import { nodeSecurityGroup, selfManagedNodes } from "./selfManaged";
import { clusterInputs, issuerUrl, newest, refuseArguments, regionOf, resource, together } from "./settings";

const NETWORK_INPUTS = ["vpcId", "subnetIds", "publicSubnetIds", "privateSubnetIds"];

/** `eks.Cluster`: the children that the real component makes of the settings that people use with managed node groups. */
export async function constructCluster(
    request: ConstructRequest,
    monitor: Registrar,
    world: World,
): Promise<ConstructResult> {
    const { name } = request;
    refuseArguments(request.inputs);
    const root = await monitor.root();
    const inputs: Properties = { ...request.inputs, ...(await networkOf(request.inputs, monitor)) };
    const tags = record(inputs.tags);
    const network = { uses: NETWORK_INPUTS };
    const subnetIds = inputs.subnetIds ?? together(inputs.publicSubnetIds, inputs.privateSubnetIds);

    const skipsGroups = inputs.skipDefaultSecurityGroups === true;
    const [role, clusterGroup] = await Promise.all([
        clusterRole(),
        skipsGroups
            ? undefined
            : monitor.custom(
                  Kind.SecurityGroup,
                  `${name}-eksClusterSecurityGroup`,
                  {
                      vpcId: inputs.vpcId,
                      revokeRulesOnDelete: true,
                      tags: {
                          Name: `${name}-eksClusterSecurityGroup`,
                          ...record(inputs.clusterSecurityGroupTags),
                          ...tags,
                      },
                  },
                  network,
              ),
    ]);
    const egress =
        clusterGroup &&
        rule("eksClusterInternetEgressRule", clusterGroup, [], {
            description: "Allow internet access.",
            type: "egress",
            fromPort: 0,
            toPort: 0,
            protocol: "-1",
            cidrBlocks: ["0.0.0.0/0"],
        });

    const cluster = await monitor.custom(
        Kind.Cluster,
        `${name}-eksCluster`,
        clusterInputs(name, inputs, role.role, clusterGroup, subnetIds),
        {
            dependsOn: [role.role, ...role.attachments, ...(clusterGroup ? [clusterGroup] : [])],
            uses: [...NETWORK_INPUTS, "encryptionConfigKeyArn", "publicAccessCidrs", "version", "name", "serviceRole"],
            ignoreChanges: ["accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"],
        },
    );
    const clusterName = cluster.outputs.name;
    const credentials = record(inputs.providerCredentialOpts);
    const region = regionOf(cluster, world);
    const provider = monitor.custom(
        "pulumi:providers:kubernetes",
        `${name}-eks-k8s`,
        { kubeconfig: asJson(kubeconfigOf(cluster.outputs, region, credentials)) },
        { dependsOn: [cluster] },
    );
    provider.catch(() => undefined);

    const nodes =
        clusterGroup &&
        (await nodeSecurityGroup(
            name,
            { cluster, vpcId: inputs.vpcId, clusterSecurityGroupId: clusterGroup.id, tags },
            monitor,
            network,
            record(inputs.nodeSecurityGroupTags),
        ));
    const instances = await instanceRoles({ ...request, inputs }, monitor, world);
    const [entries, nodeAccess] = await Promise.all([accessEntries(), configMap()]);
    const access = [...entries, ...(nodeAccess ? [nodeAccess] : [])];
    const cni = vpcCni(access);
    const [oidc, vpcCniAddon, classes, defaultNodes] = await Promise.all([
        inputs.createOidcProvider === true ? oidcProvider() : undefined,
        cni,
        storageClasses(access),
        inputs.skipDefaultNodeGroup === true ? undefined : cni.then((made) => makeDefaultNodes(made, nodeAccess)),
        kubeProxy(),
        coreDns(),
        egress,
    ]);

    const { roleArn } = credentials;
    const { outputs, dependencies } = clusterOutputs({
        inputs,
        subnetIds,
        cluster,
        role: role.role,
        provider: await provider,
        kubeconfig: kubeconfigOf(cluster.outputs, region, roleArn === undefined ? {} : { roleArn }),
        clusterGroup,
        nodeGroup: nodes?.group,
        nodeRule: nodes?.rule,
        oidc,
        vpcCni: vpcCniAddon,
        nodeAccess,
        storageClasses: classes,
        instances,
        defaultNodes,
    });
    await monitor.outputs(root, outputs);
    return { urn: root.urn, outputs, dependencies };

    function rule(
        suffix: string,
        group: Registered,
        others: Registered[],
        properties: Properties,
    ): Promise<Registered> {
        return monitor.custom(
            Kind.SecurityGroupRule,
            `${name}-${suffix}`,
            { ...properties, securityGroupId: group.id },
            { dependsOn: [group, ...others] },
        );
    }

    async function clusterRole(): Promise<{ role: Registered; attachments: Registered[] }> {
        if (isObject(inputs.serviceRole)) {
            const given = await resource(monitor, inputs.serviceRole);
            return { role: given, attachments: [] };
        }
        const about = {
            service: "eks.amazonaws.com",
            actions: ["sts:AssumeRole", "sts:TagSession"],
            description: "Allows EKS to manage clusters on your behalf.",
            policies: ["AmazonEKSClusterPolicy"],
            tags,
        };
        return serviceRole(`${name}-eksRole`, about, monitor, world);
    }

    function oidcProvider(): Promise<Registered> {
        const thumbprintLists = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"];
        const url = issuerUrl(cluster);
        return monitor.custom(
            Kind.OpenIdConnectProvider,
            `${name}-oidcProvider`,
            { clientIdLists: ["sts.amazonaws.com"], url, thumbprintLists },
            { dependsOn: [cluster] },
        );
    }

    async function accessEntries(): Promise<Registered[]> {
        if (inputs.authenticationMode !== "API" && inputs.authenticationMode !== "API_AND_CONFIG_MAP") return [];
        const given = {
            ...(instances.default
                ? { defaultNodeGroupInstanceRole: { principalArn: instances.default.outputs.arn, type: "EC2_LINUX" } }
                : {}),
            ...record(inputs.accessEntries),
        };
        return Promise.all(
            Object.entries(given).map(async ([key, value]) => {
                const { accessPolicies, username, ...entry } = record(value);
                const made = await monitor.custom(
                    Kind.AccessEntry,
                    `${name}-${key}`,
                    { ...entry, clusterName, ...(username === undefined ? {} : { userName: username }) },
                    { dependsOn: [cluster], uses: ["accessEntries"] },
                );
                await Promise.all(
                    Object.entries(record(accessPolicies)).map(([policy, association]) =>
                        monitor.custom(
                            Kind.AccessPolicyAssociation,
                            `${name}-${key}-${policy}`,
                            { ...record(association), principalArn: entry.principalArn, clusterName },
                            { parent: made, dependsOn: [cluster, made] },
                        ),
                    ),
                );
                return made;
            }),
        );
    }

    async function addon(addonName: string, options: Properties): Promise<Registered> {
        const version = options.version ?? (await newest(monitor, addonName, cluster.outputs.version));
        return monitor.custom(
            Kind.Addon,
            `${name}-${addonName}`,
            {
                clusterName,
                addonName,
                addonVersion: version,
                preserve: true,
                resolveConflictsOnCreate: options.resolveConflictsOnCreate ?? "OVERWRITE",
                resolveConflictsOnUpdate: options.resolveConflictsOnUpdate ?? "OVERWRITE",
                ...(options.configurationValues === undefined
                    ? {}
                    : { configurationValues: addonConfiguration(options.configurationValues) }),
                ...(empty(tags) ? {} : { tags }),
            },
            { dependsOn: [cluster] },
        );
    }

    async function kubeProxy(): Promise<void> {
        const options = record(inputs.kubeProxyAddonOptions);
        if (options.enabled ?? true) await addon("kube-proxy", options);
    }

    async function coreDns(): Promise<void> {
        const options = record(inputs.corednsAddonOptions);
        const explicit = options.configurationValues !== undefined;
        const wished = options.enabled === true && inputs.corednsAddonOptions !== undefined;
        // The add-on needs nodes to run on: unasked it comes with the default ones only.
        if (explicit || wished || (inputs.skipDefaultNodeGroup !== true && options.enabled !== false))
            await addon("coredns", options);
    }

    async function vpcCni(dependsOn: Registered[]): Promise<Registered | undefined> {
        if (inputs.useDefaultVpcCni === true) return undefined;
        const parent = await monitor.component("eks:index:VpcCniAddon", `${name}-vpc-cni`, { dependsOn });
        const settings = {
            ...record(inputs.vpcCniOptions),
            clusterName,
            clusterVersion: cluster.outputs.version,
            ...(empty(tags) ? {} : { tags }),
        };
        await constructVpcCni(`${name}-vpc-cni`, settings, monitor, { parent, dependsOn: [cluster] });
        return parent;
    }

    async function inCluster(): Promise<ChildOptions> {
        const made = await provider;
        return { provider: `${made.urn}::${made.id === UNKNOWN ? UNKNOWN_ID : String(made.id)}` };
    }

    async function configMap(): Promise<Registered | undefined> {
        if (inputs.authenticationMode === "API") return undefined;
        const data = { mapRoles: roleMappings(instances.roles, inputs.roleMappings) };
        const metadata = {
            name: "aws-auth",
            namespace: "kube-system",
            annotations: { "pulumi.com/patchForce": "true" },
        };
        return monitor.custom(
            "kubernetes:core/v1:ConfigMap",
            `${name}-nodeAccess`,
            { apiVersion: "v1", kind: "ConfigMap", immutable: false, metadata, data },
            await inCluster(),
        );
    }

    /** The default nodes: they come when their role is admitted and the pods' network is there. */
    function makeDefaultNodes(...dependsOn: (Registered | undefined)[]): Promise<Registered> {
        const options = inputs.nodeGroupOptions === undefined ? inputs : record(inputs.nodeGroupOptions);
        const ownGroup = record(cluster.outputs.vpcConfig).clusterSecurityGroupId ?? UNKNOWN;
        return selfManagedNodes(
            name,
            { ...options, amiId: options.amiId ?? inputs.nodeAmiId },
            {
                cluster,
                vpcId: inputs.vpcId,
                subnetIds,
                publicSubnetIds: inputs.publicSubnetIds,
                privateSubnetIds: inputs.privateSubnetIds,
                nodeSecurityGroupId: nodes?.group.id ?? ownGroup,
                profileName: instances.profileName,
            },
            monitor,
            world,
            {
                dependsOn: [...instances.attachments, ...dependsOn.filter((one) => one !== undefined)],
                uses: NETWORK_INPUTS,
            },
        );
    }

    async function storageClasses(dependsOn: Registered[]): Promise<Record<string, Registered>> {
        const made: Record<string, Registered> = {};
        const wanted =
            typeof inputs.storageClasses === "string"
                ? { [inputs.storageClasses]: { type: inputs.storageClasses, default: true } }
                : record(inputs.storageClasses);
        for (const [key, value] of Object.entries(wanted)) {
            const {
                type,
                default: isDefault,
                metadata,
                allowVolumeExpansion,
                reclaimPolicy,
                volumeBindingMode,
                encrypted,
                kmsKeyId,
            } = record(value);
            const annotations = {
                ...record(record(metadata).annotations),
                ...(isDefault === true ? { "storageclass.kubernetes.io/is-default-class": "true" } : {}),
            };
            const parameters = {
                type,
                ...(encrypted === undefined ? {} : { encrypted: String(encrypted) }),
                ...(kmsKeyId === undefined ? {} : { kmsKeyId }),
            };
            made[key] = await monitor.custom(
                "kubernetes:storage.k8s.io/v1:StorageClass",
                `${name.toLowerCase()}-${key}`,
                {
                    apiVersion: "storage.k8s.io/v1",
                    kind: "StorageClass",
                    metadata: { ...record(metadata), annotations },
                    provisioner: "kubernetes.io/aws-ebs",
                    parameters,
                    allowVolumeExpansion,
                    reclaimPolicy,
                    volumeBindingMode,
                },
                { ...(await inCluster()), dependsOn },
            );
        }
        return made;
    }
}

const UNKNOWN_ID = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
