import type { SimulatedInvoke } from "../../shell/type";
import { text } from "../../shell/values";
import { ADDONS, addonVersions, EKS_VERSIONS, NEWEST_EKS_VERSION } from "../catalogue/eksVersions";
import { refuse } from "../checks";
import { MANAGED_POLICIES } from "../iam/managedPolicies";
import { Kind } from "../kinds";
import { answer } from "./filters";
import { get, named } from "./lookUp";

export const clusterLookups: SimulatedInvoke[] = [
    get("aws:eks/getCluster", (args, world) => {
        const found = named(world, Kind.Cluster, args.name, ["name"], "ResourceNotFoundException");
        return answer(found, {
            certificateAuthorities: [found.outputs.certificateAuthority],
            roleArn: found.inputs.roleArn,
            enabledClusterLogTypes: found.inputs.enabledClusterLogTypes ?? [],
            accessConfigs: [found.outputs.accessConfig],
            kubernetesNetworkConfigs: [found.outputs.kubernetesNetworkConfig],
            upgradePolicies: [found.outputs.upgradePolicy],
        });
    }),
    get("aws:eks/getClusters", (_, world) => ({
        id: world.region,
        region: world.region,
        names: world.all(Kind.Cluster).map(({ id }) => id),
    })),
    get("aws:eks/getClusterAuth", (args, world) => ({
        id: args.name,
        name: args.name,
        region: world.region,
        token: `k8s-aws-v1.${Buffer.from(String(args.name)).toString("base64url")}`,
    })),
    get("aws:eks/getClusterVersions", (args, world) => {
        const all = [...EKS_VERSIONS]
            .reverse()
            .filter((version) => args.defaultOnly !== true || version === NEWEST_EKS_VERSION);
        return {
            id: world.region,
            region: world.region,
            clusterVersions: all.map((version) => ({
                clusterVersion: version,
                defaultVersion: version === NEWEST_EKS_VERSION,
                status: "STANDARD_SUPPORT",
                clusterType: "eks",
            })),
        };
    }),
    get("aws:eks/getAddonVersion", (args, world) => {
        const name = String(args.addonName);
        if (!ADDONS[name]) return refuse("ResourceNotFoundException", `Addon ${name} is not available`);
        if (!EKS_VERSIONS.includes(String(args.kubernetesVersion)))
            return refuse(
                "InvalidParameterException",
                `Kubernetes version ${String(args.kubernetesVersion)} is not known`,
            );
        const versions = addonVersions(name, String(args.kubernetesVersion));
        return {
            id: name,
            addonName: name,
            kubernetesVersion: args.kubernetesVersion,
            mostRecent: args.mostRecent,
            region: world.region,
            version: args.mostRecent === true ? versions[0] : versions.slice(0, 2).pop(),
        };
    }),
    get("aws:eks/getAddon", (args, world) =>
        answer(
            named(
                world,
                Kind.Addon,
                `${String(args.clusterName)}:${String(args.addonName)}`,
                [],
                "ResourceNotFoundException",
            ),
        ),
    ),
    get("aws:eks/getNodeGroup", (args, world) =>
        answer(
            named(
                world,
                Kind.NodeGroup,
                `${String(args.clusterName)}:${String(args.nodeGroupName)}`,
                [],
                "ResourceNotFoundException",
            ),
        ),
    ),
    get("aws:eks/getNodeGroups", (args, world) => ({
        id: args.clusterName,
        clusterName: args.clusterName,
        region: world.region,
        names: world
            .all(Kind.NodeGroup)
            .filter(({ inputs }) => inputs.clusterName === args.clusterName)
            .map(({ inputs }) => inputs.nodeGroupName),
    })),
    get("aws:iam/getOpenIdConnectProvider", (args, world) =>
        answer(
            named(
                world,
                Kind.OpenIdConnectProvider,
                args.arn ?? text(args.url)?.replace(/^https:\/\//, ""),
                ["url", "arn"],
                "NoSuchEntity",
            ),
        ),
    ),
    get("aws:iam/getRole", (args, world) => {
        const role = named(world, Kind.Role, args.name, ["name"], "NoSuchEntity");
        return answer(role, { path: role.outputs.path, permissionsBoundary: role.inputs.permissionsBoundary ?? "" });
    }),
    get("aws:iam/getPolicy", (args, world) => {
        const name = text(args.name) ?? text(args.arn)?.replace(/^.*\//, "");
        const managed = Object.keys(MANAGED_POLICIES).find((one) => one === name || one.endsWith(`/${name}`));
        const own = world.find(Kind.Policy, ({ id, inputs }) => id === args.arn || inputs.name === name);
        if (own) return answer(own);
        if (managed === undefined) return refuse("NoSuchEntity", `no policy "${name}" exists`);
        const id = `arn:${world.partition}:iam::aws:policy/${managed}`;
        return {
            id,
            arn: id,
            name,
            path: "/",
            policy: JSON.stringify(MANAGED_POLICIES[managed]),
            description: "",
            policyId: "ANPA",
            attachmentCount: 0,
            tags: {},
        };
    }),
];
