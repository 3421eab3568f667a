/** Kubernetes versions that EKS offers, standard and extended support (late 2026). */
export const EKS_VERSIONS = ["1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37"];
export const NEWEST_EKS_VERSION = "1.37";

export function minorOf(version: unknown): number {
    return Number(/^1\.(\d+)$/.exec(String(version))?.[1] ?? NaN);
}

interface KnownAddon {
    /** Newest first; `{minor}` stands for the cluster's minor version. */
    versions: string[];
    /** Top-level keys of its configuration. */
    keys: string[];
    /** The service account that takes a role, if any. */
    serviceAccount?: string;
    namespace?: string;
    /** Needs nodes to become active: it has deployments, not daemon sets only. */
    needsNodes: boolean;
    minimum?: string;
}

const DAEMON = [
    "affinity",
    "nodeSelector",
    "resources",
    "tolerations",
    "podAnnotations",
    "podLabels",
    "priorityClassName",
    "updateStrategy",
];
const WORKLOAD = [
    ...DAEMON,
    "replicaCount",
    "replicas",
    "topologySpreadConstraints",
    "podDisruptionBudget",
    "args",
    "extraArgs",
    "serviceAccount",
];

/** Add-ons with versions that exist, as far as public code names them. */
export const ADDONS: Record<string, KnownAddon> = {
    "vpc-cni": {
        versions: [
            "v1.23.1-eksbuild.1",
            "v1.23.0-eksbuild.1",
            "v1.22.0-eksbuild.1",
            "v1.21.1-eksbuild.7",
            "v1.20.4-eksbuild.2",
            "v1.20.0-eksbuild.1",
        ],
        keys: [
            ...DAEMON,
            "env",
            "init",
            "nodeAgent",
            "enableNetworkPolicy",
            "enableWindowsIpam",
            "enableWindowsPrefixDelegation",
            "eniConfig",
            "livenessProbeTimeoutSeconds",
            "readinessProbeTimeoutSeconds",
            "warmWindowsPrefixTarget",
            "warmWindowsIPTarget",
            "minimumWindowsIPTarget",
            "branchENICooldown",
            "cri",
            "extraVolumes",
            "extraVolumeMounts",
        ],
        serviceAccount: "aws-node",
        needsNodes: false,
    },
    coredns: {
        versions: ["v1.14.3-eksbuild.23", "v1.14.2-eksbuild.4", "v1.13.2-eksbuild.1", "v1.12.4-eksbuild.1"],
        keys: [...WORKLOAD, "autoScaling", "corefile", "computeType", "livenessProbe", "readinessProbe"],
        needsNodes: true,
    },
    "kube-proxy": {
        versions: ["v{minor}.3-eksbuild.29", "v{minor}.0-eksbuild.25", "v{minor}.0-eksbuild.2"],
        keys: [...DAEMON, "ipvs", "mode"],
        needsNodes: false,
    },
    "eks-pod-identity-agent": {
        versions: ["v1.4.0-eksbuild.2", "v1.3.10-eksbuild.2", "v1.3.8-eksbuild.2"],
        keys: [...DAEMON, "agent", "init", "env", "extraArgs"],
        needsNodes: false,
    },
    "aws-ebs-csi-driver": {
        versions: ["v1.66.0-eksbuild.1", "v1.65.0-eksbuild.1", "v1.64.0-eksbuild.1", "v1.60.0-eksbuild.1"],
        keys: [
            "controller",
            "node",
            "sidecars",
            "defaultStorageClass",
            "storageClasses",
            "volumeSnapshotClasses",
            "nodeAllocatableUpdatePeriodSeconds",
            "fips",
            "image",
            "debugLogs",
            "nodeComponentOnly",
            "additionalDaemonSets",
            "customLabels",
            "proxy",
            "awsAccessSecret",
            "imagePullSecrets",
            "nameOverride",
            "fullnameOverride",
            "a1CompatibilityDaemonSet",
            "useOldCSIDriver",
            "deleteLegacyCSIDriver",
            "experimental",
            "volumeAttributesClasses",
        ],
        serviceAccount: "ebs-csi-controller-sa",
        needsNodes: true,
    },
    "aws-efs-csi-driver": {
        versions: ["v3.4.2-eksbuild.1", "v3.4.1-eksbuild.1", "v3.3.0-eksbuild.1", "v2.3.1-eksbuild.1"],
        keys: [
            "controller",
            "node",
            "sidecars",
            "storageClasses",
            "useFIPS",
            "portRangeUpperBound",
            "image",
            "replicaCount",
            "imagePullSecrets",
            "nameOverride",
            "fullnameOverride",
            "customLabels",
        ],
        serviceAccount: "efs-csi-controller-sa",
        needsNodes: true,
    },
    "snapshot-controller": {
        versions: ["v8.6.0-eksbuild.8", "v8.5.0-eksbuild.1", "v8.3.0-eksbuild.1"],
        keys: WORKLOAD,
        needsNodes: true,
    },
    "metrics-server": {
        versions: ["v0.9.0-eksbuild.11", "v0.8.1-eksbuild.1", "v0.8.0-eksbuild.2"],
        keys: [
            ...WORKLOAD,
            "addonResizer",
            "apiService",
            "containerPort",
            "defaultArgs",
            "hostNetwork",
            "metrics",
            "revisionHistoryLimit",
            "rbac",
            "service",
            "serviceMonitor",
            "livenessProbe",
            "readinessProbe",
            "securityContext",
            "podSecurityContext",
            "volumes",
            "schedulerName",
            "tls",
        ],
        needsNodes: true,
    },
    "external-dns": {
        versions: ["v0.21.0-eksbuild.1", "v0.20.0-eksbuild.1"],
        keys: [
            ...WORKLOAD,
            "policy",
            "registry",
            "sources",
            "txtOwnerId",
            "txtPrefix",
            "txtSuffix",
            "domainFilters",
            "interval",
            "logLevel",
            "logFormat",
            "provider",
            "env",
            "excludeDomains",
            "labelFilter",
            "managedRecordTypes",
        ],
        serviceAccount: "external-dns",
        namespace: "external-dns",
        needsNodes: true,
    },
    "cert-manager": {
        versions: ["v1.19.1-eksbuild.1"],
        keys: [...WORKLOAD, "webhook", "cainjector", "config", "crds"],
        namespace: "cert-manager",
        needsNodes: true,
    },
    "kube-state-metrics": {
        versions: ["v2.17.0-eksbuild.4"],
        keys: [...WORKLOAD, "collectors", "prometheus"],
        namespace: "kube-state-metrics",
        needsNodes: true,
    },
    "prometheus-node-exporter": {
        versions: ["v1.10.2-eksbuild.1"],
        keys: WORKLOAD,
        namespace: "prometheus-node-exporter",
        needsNodes: false,
    },
    "fluent-bit": {
        versions: ["v4.2.0-eksbuild.1"],
        keys: [...WORKLOAD, "config"],
        namespace: "fluent-bit",
        needsNodes: false,
    },
    "eks-node-monitoring-agent": {
        versions: ["v1.6.6-eksbuild.1"],
        keys: [...DAEMON, "monitoringAgent", "dcgmAgent", "nodeAgent"],
        needsNodes: false,
    },
    "aws-mountpoint-s3-csi-driver": {
        versions: ["v2.2.0-eksbuild.1"],
        keys: ["controller", "node", "experimental", "mountpointPod"],
        serviceAccount: "s3-csi-driver-sa",
        needsNodes: false,
    },
    "aws-ec2-local-instance-store-csi-driver": {
        versions: ["v1.0.5-eksbuild.1"],
        keys: ["controller", "node"],
        needsNodes: true,
    },
    "amazon-cloudwatch-observability": {
        versions: ["v4.7.0-eksbuild.1"],
        keys: [...WORKLOAD, "agent", "agents", "containerLogs", "manager", "dcgmExporter", "neuronMonitor"],
        serviceAccount: "cloudwatch-agent",
        namespace: "amazon-cloudwatch",
        needsNodes: true,
    },
    adot: { versions: ["v0.131.0-eksbuild.1"], keys: [...WORKLOAD, "collector", "manager"], needsNodes: true },
};

/** The versions of an add-on for a cluster, newest first. */
export function addonVersions(name: string, clusterVersion: string): string[] {
    return (ADDONS[name]?.versions ?? []).map((version) => version.replace("{minor}", clusterVersion));
}
