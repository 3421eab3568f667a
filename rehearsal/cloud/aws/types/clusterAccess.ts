import type { Properties, SimulatedType } from "../../shell/type";
import { list, record, text } from "../../shell/values";
import type { World, WorldObject } from "../../shell/world";
import { addonProblems } from "../../kubernetes/control/addons";
import { arn } from "../arn";
import { ADDONS, addonVersions } from "../catalogue/eksVersions";
import { check, parseJson, refuse } from "../checks";
import { seconds } from "../durations";
import { podIdentityProblem } from "../iam/access";
import { Kind } from "../kinds";
import { clusterOf } from "./cluster";

const clusterReference = { path: "clusterName", to: Kind.Cluster, missing: "ResourceNotFoundException", holds: false };
const roleReference = { to: Kind.Role, by: "arn", holds: false, missing: "InvalidParameterException" };
const PRINCIPAL = /^arn:[\w-]+:iam::\d{12}:(role|user)\/.+$/;

const addon: SimulatedType = {
    token: Kind.Addon,
    seconds: seconds.addon,
    id: (inputs) => `${String(inputs.clusterName)}:${String(inputs.addonName)}`,
    unique: [["clusterName", "addonName"]],
    duplicate: "ResourceInUseException",
    references: [
        clusterReference,
        { ...roleReference, path: "serviceAccountRoleArn" },
        { ...roleReference, path: "podIdentityAssociations[*].roleArn" },
    ],
    immutable: ["clusterName", "addonName"],
    check: check((found, inputs) => {
        const name = text(inputs.addonName);
        const known = name === undefined ? undefined : ADDONS[name];
        if (name !== undefined && !known)
            found.add(
                "addonName",
                `InvalidParameterException: there is no add-on "${name}" that the rehearsal knows (${Object.keys(ADDONS).join(", ")})`,
            );
        found
            .oneOf("resolveConflictsOnCreate", ["NONE", "OVERWRITE"])
            .oneOf("resolveConflictsOnUpdate", ["NONE", "OVERWRITE", "PRESERVE"]);
        found.json("configurationValues").exclusive("serviceAccountRoleArn", "podIdentityAssociations");
        // EKS API Reference, DescribeAddonConfiguration: the schema allows no other properties.
        for (const key of Object.keys(record(parseJson(inputs.configurationValues)))) {
            if (known && !known.keys.includes(key)) {
                found.add(
                    "configurationValues",
                    `InvalidParameterException: ConfigurationValue is not supported: Json schema validation failed with error: [$.${key}: is not defined in the schema and the schema does not allow additional properties]`,
                );
            }
        }
    }),
    relations: (inputs, world) => {
        const version = String(clusterOf(world, inputs).outputs.version);
        const versions = addonVersions(String(inputs.addonName), version);
        if (inputs.addonVersion !== undefined && !versions.includes(String(inputs.addonVersion))) {
            refuse(
                "InvalidParameterException",
                `Addon version specified is not supported: ${String(inputs.addonName)} ${String(inputs.addonVersion)} on ${version} (known: ${versions.join(", ")})`,
            );
        }
        for (const association of list(inputs.podIdentityAssociations).map(record)) {
            trusted(world, {
                ...association,
                clusterName: inputs.clusterName,
                namespace: namespaceOfAddon(inputs),
            });
        }
    },
    outputs: (inputs, id, world, old) => ({
        arn: arn(world, "eks", `addon/${id.replace(":", "/")}/${world.hex(8)}`),
        ...(old ? { arn: old.outputs.arn } : {}),
        // The default version is not the newest one.
        addonVersion:
            inputs.addonVersion ??
            old?.outputs.addonVersion ??
            addonVersions(String(inputs.addonName), String(clusterOf(world, inputs).outputs.version))
                .slice(0, 2)
                .pop(),
        configurationValues: inputs.configurationValues ?? "",
        createdAt: "2026-01-01T00:00:00Z",
        modifiedAt: "2026-01-01T00:00:00Z",
    }),
    settled: (object, world) => {
        // An add-on makes the associations that it is given.
        const { clusterName } = object.inputs;
        const owner = { token: Kind.Addon, id: object.id };
        for (const one of world.all(Kind.PodIdentityAssociation))
            if (one.owner?.id === object.id) world.remove(one.token, one.id);
        for (const { roleArn, serviceAccount } of list(object.inputs.podIdentityAssociations).map(record)) {
            const inputs = {
                clusterName,
                namespace: namespaceOfAddon(object.inputs),
                serviceAccount,
                roleArn,
            };
            world.put({
                token: Kind.PodIdentityAssociation,
                id: `a-${world.hex(17)}`,
                inputs,
                outputs: inputs,
                implicit: true,
                owner,
            });
        }
    },
    notReady: (object, world) => {
        const problems = degraded(object, world);
        // Source: terraform-provider-aws, internal/service/eks/addon.go (waitAddonCreated); EKS API Reference, AddonIssue.
        return problems.length === 0
            ? undefined
            : [
                  `waiting for EKS Add-On (${object.id}): timeout while waiting for state to become 'ACTIVE' (last state: 'DEGRADED', timeout: 20m0s)`,
                  "InsufficientNumberOfReplicas: The add-on is unhealthy because it doesn't have the desired number of replicas.",
                  ...problems,
              ];
    },
    timeout: () => 1200,
    removed: (object, world) => {
        for (const one of world.all(Kind.PodIdentityAssociation))
            if (one.owner?.id === object.id) world.remove(one.token, one.id);
    },
};

function namespaceOfAddon({ addonName }: Properties): string {
    return ADDONS[String(addonName)]?.namespace ?? "kube-system";
}

/** An association's role must trust the service, for this service account. */
function trusted(world: World, { roleArn, clusterName, namespace, serviceAccount }: Properties): void {
    const who = {
        cluster: String(clusterName),
        namespace: String(namespace),
        serviceAccount: String(serviceAccount),
    };
    const problem = podIdentityProblem(world, String(roleArn), who);
    if (problem) refuse("InvalidParameterException", problem);
}

/** EKS User Guide, add-ons: an add-on is DEGRADED while a Deployment or DaemonSet of it lacks pods. */
function degraded({ inputs }: WorldObject, world: World): string[] {
    const [cluster, name] = [String(inputs.clusterName), String(inputs.addonName)];
    const problems = addonProblems(world, cluster, name);
    if (problems) return problems;
    // Of the others no more is known than whether they have Deployments.
    return !ADDONS[name]?.needsNodes || hasPlaceFor(world, cluster, inputs.configurationValues)
        ? []
        : ["no node has a place for its pods"];
}

/** Whether some node has no taint that an add-on's pods do not tolerate. */
function hasPlaceFor(world: World, cluster: string, configuration: unknown): boolean {
    const written = JSON.stringify(parseJson(configuration) ?? {});
    return world.all("kubernetes:core/v1:Node").some((node) => {
        if (node.scope !== cluster) return false;
        return list(record(node.outputs.spec).taints)
            .map(record)
            .every(
                ({ key, effect }) =>
                    effect === "PreferNoSchedule" ||
                    key === "CriticalAddonsOnly" ||
                    /agent-not-ready$/.test(String(key)) ||
                    written.includes(`"${String(key)}"`) ||
                    /"operator":"Exists"/.test(written),
            );
    });
}

const accessEntry: SimulatedType = {
    token: Kind.AccessEntry,
    seconds: seconds.access,
    id: (inputs) => `${String(inputs.clusterName)}:${String(inputs.principalArn)}`,
    unique: [["clusterName", "principalArn"]],
    duplicate: "ResourceInUseException",
    references: [clusterReference],
    immutable: ["clusterName", "principalArn", "type"],
    check: check((found, inputs) => {
        found.matches("principalArn", PRINCIPAL, "the ARN of a role or user");
        found.oneOf("type", [
            "STANDARD",
            "EC2_LINUX",
            "EC2_WINDOWS",
            "FARGATE_LINUX",
            "EC2",
            "HYBRID_LINUX",
            "HYPERPOD_LINUX",
        ]);
        // EKS API Reference, CreateAccessEntry: names that EKS and Kubernetes keep for themselves.
        found.matches(
            "kubernetesGroups[*]",
            /^(?!(system|eks|aws|amazon|iam):)/,
            "a group name that EKS takes: it cannot start with system:, eks:, aws:, amazon: or iam:",
        );
        found.matches(
            "userName",
            /^(?!(system|eks|aws|amazon|iam):)/,
            "a user name that EKS takes: it cannot start with system:, eks:, aws:, amazon: or iam:",
        );
        found.when(
            text(inputs.type) !== undefined && inputs.type !== "STANDARD" && found.has("kubernetesGroups"),
            "kubernetesGroups",
            "only for entries of type STANDARD",
        );
    }),
    relations: (inputs, world) => {
        refuseWithoutApi(world, inputs.clusterName);
    },
    outputs: (inputs, id, world) => ({
        accessEntryArn: arn(world, "eks", `access-entry/${id.replace(":", "/")}`),
        type: inputs.type ?? "STANDARD",
        userName: inputs.userName ?? inputs.principalArn,
        kubernetesGroups: inputs.kubernetesGroups ?? [],
        createdAt: "2026-01-01T00:00:00Z",
        modifiedAt: "2026-01-01T00:00:00Z",
    }),
    removed: (object, world) => {
        for (const one of world.all(Kind.AccessPolicyAssociation)) {
            if (
                one.inputs.clusterName === object.inputs.clusterName &&
                one.inputs.principalArn === object.inputs.principalArn
            )
                world.remove(one.token, one.id);
        }
    },
};

function refuseWithoutApi(world: World, clusterName: unknown): void {
    const cluster = clusterOf(world, { clusterName });
    if (record(cluster.outputs.accessConfig).authenticationMode === "CONFIG_MAP") {
        refuse(
            "InvalidRequestException",
            "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
        );
    }
}

const ACCESS_POLICIES = [
    "AmazonEKSClusterAdminPolicy",
    "AmazonEKSAdminPolicy",
    "AmazonEKSAdminViewPolicy",
    "AmazonEKSEditPolicy",
    "AmazonEKSViewPolicy",
    "AmazonEKSSecretReaderPolicy",
    "AmazonEKSAutoNodePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStorageClusterPolicy",
    "AmazonEKSComputeClusterPolicy",
    "AmazonEKSLoadBalancingClusterPolicy",
    "AmazonEKSNetworkingClusterPolicy",
    "AmazonEKSHybridPolicy",
    "AmazonEKSClusterInsightsPolicy",
];

const accessPolicyAssociation: SimulatedType = {
    token: Kind.AccessPolicyAssociation,
    seconds: seconds.access,
    id: ({ clusterName, principalArn, policyArn }) =>
        `${String(clusterName)}#${String(principalArn)}#${String(policyArn)}`,
    references: [clusterReference],
    immutable: ["clusterName", "principalArn", "policyArn", "accessScope"],
    check: check((found, inputs) => {
        const policy = text(inputs.policyArn);
        if (
            policy !== undefined &&
            !ACCESS_POLICIES.some((name) => policy.endsWith(`:eks::aws:cluster-access-policy/${name}`))
        )
            found.add(
                "policyArn",
                `InvalidParameterException: The policyArn parameter format is not valid: "${policy}" is no access policy`,
            );
        found
            .matches("principalArn", PRINCIPAL, "the ARN of a role or user")
            .oneOf("accessScope.type", ["cluster", "namespace"]);
        const scope = record(inputs.accessScope);
        found.when(
            scope.type === "namespace" && !found.has("accessScope.namespaces"),
            "accessScope.namespaces",
            "required with type namespace",
        );
        found.when(
            scope.type === "cluster" && found.has("accessScope.namespaces"),
            "accessScope.namespaces",
            "not with type cluster",
        );
    }),
    relations: (inputs, world) => {
        refuseWithoutApi(world, inputs.clusterName);
        const entry = world.get(Kind.AccessEntry, `${String(inputs.clusterName)}:${String(inputs.principalArn)}`);
        if (!entry)
            refuse(
                "ResourceNotFoundException",
                `The specified principalArn ${String(inputs.principalArn)} has no access entry in ${String(inputs.clusterName)}`,
            );
        if (entry.outputs.type !== undefined && entry.outputs.type !== "STANDARD" && entry.outputs.type !== "EC2")
            refuse(
                "InvalidRequestException",
                `policies cannot be associated with an access entry of type ${String(entry.outputs.type)}`,
            );
    },
    outputs: () => ({ associatedAt: "2026-01-01T00:00:00Z", modifiedAt: "2026-01-01T00:00:00Z" }),
};

const podIdentityAssociation: SimulatedType = {
    token: Kind.PodIdentityAssociation,
    seconds: seconds.access,
    id: (_, world) => `a-${world.hex(17)}`,
    unique: [["clusterName", "namespace", "serviceAccount"]],
    duplicate: "ResourceInUseException",
    references: [clusterReference, { ...roleReference, path: "roleArn" }],
    immutable: ["clusterName", "namespace", "serviceAccount"],
    relations: (inputs, world) => trusted(world, inputs),
    outputs: (inputs, id, world) => ({
        associationId: id,
        associationArn: arn(world, "eks", `podidentityassociation/${String(inputs.clusterName)}/${id}`),
    }),
};

export const clusterAccessTypes = [addon, accessEntry, accessPolicyAssociation, podIdentityAssociation];
