import type { Properties } from "../../../shell/type";
import { at, list, record, text } from "../../api/value";
import { definition } from "../../control/definitions";
import {
    budget,
    clusterRole,
    clusterRoleBinding,
    fullName,
    mergeValues,
    plain,
    role,
    roleBinding,
    selectorLabels,
    service,
    serviceAccount,
    workload,
} from "../build";
import type { ChartModel } from "../chart";

/** Read from renders of kubernetes-sigs/external-dns 1.21.1. */
export const externalDns: ChartModel = {
    name: "external-dns",
    version: "1.21.1",
    appVersion: "0.21.0",
    check: ({ values }) => {
        const policy = values.policy ?? "upsert-only";
        return ["sync", "upsert-only", "create-only"].includes(String(policy))
            ? []
            : [`at '/policy': value must be one of "create-only", "sync", "upsert-only"`];
    },
    render: (request) => {
        const values = mergeValues(
            {
                sources: ["service", "ingress"],
                policy: "upsert-only",
                registry: "txt",
                interval: "1m",
                provider: { name: "aws" },
            },
            request.values,
        );
        const name = fullName(request, "external-dns");
        const { namespace } = request;
        const account = text(at(values, "serviceAccount", "name")) || name;
        const labels = selectorLabels(request, "external-dns");
        const args = [
            `--interval=${String(values.interval)}`,
            ...list(values.sources).map((source) => `--source=${String(source)}`),
            `--policy=${String(values.policy)}`,
            `--registry=${String(values.registry)}`,
            ...(values.txtOwnerId ? [`--txt-owner-id=${String(values.txtOwnerId)}`] : []),
            ...(values.txtPrefix ? [`--txt-prefix=${String(values.txtPrefix)}`] : []),
            ...list(values.domainFilters).map((domain) => `--domain-filter=${String(domain)}`),
            `--provider=${text(values.provider) ?? String(at(values, "provider", "name"))}`,
            ...extraArgs(values.extraArgs),
        ];
        return {
            definitions: [
                definition("externaldns.k8s.io", "DNSEndpoint", "dnsendpoints", "Namespaced", "v1alpha1"),
                definition("externaldns.k8s.io", "DNSRecord", "dnsrecords", "Namespaced", "v1alpha1"),
            ],
            objects: [
                ...serviceAccount(account, namespace, values.serviceAccount),
                clusterRole(name),
                clusterRoleBinding(`${name}-viewer`, name, account, namespace),
                service(name, namespace, labels, [{ name: "http", port: 7979 }]),
                workload({
                    name,
                    namespace,
                    labels,
                    replicas: 1,
                    account,
                    strategy: { type: "Recreate" },
                    placement: [values],
                    containers: [
                        {
                            name: "external-dns",
                            image: "registry.k8s.io/external-dns/external-dns:v0.21.0",
                            args,
                            env: values.env,
                            resources: values.resources,
                        },
                    ],
                }),
            ],
        };
    },
};

function extraArgs(args: unknown): string[] {
    return Array.isArray(args)
        ? args.map(String)
        : Object.entries(record(args)).flatMap(([key, value]) =>
              (Array.isArray(value) ? value : [value]).map((one) =>
                  one === null || one === "" ? `--${key}` : `--${key}=${String(one)}`,
              ),
          );
}

/** Read from renders of kubernetes/autoscaler's chart 9.59.0. */
export const clusterAutoscaler: ChartModel = {
    name: "cluster-autoscaler",
    version: "9.59.0",
    appVersion: "1.35.0",
    check: ({ values }) =>
        text(at(values, "autoDiscovery", "clusterName")) || list(values.autoscalingGroups).length > 0
            ? []
            : ["Please set either autoDiscovery.clusterName or autoscalingGroups: nothing would be scaled"],
    render: (request) => {
        const values = mergeValues(
            { replicaCount: 1, podDisruptionBudget: { maxUnavailable: 1 }, cloudProvider: "aws" },
            request.values,
        );
        const name = fullName(request, `${String(values.cloudProvider)}-cluster-autoscaler`);
        const { namespace } = request;
        const account = text(at(values, "rbac", "serviceAccount", "name")) || name;
        const labels = selectorLabels(request, `${String(values.cloudProvider)}-cluster-autoscaler`);
        return {
            objects: [
                budget(name, namespace, labels, values.podDisruptionBudget),
                ...serviceAccount(account, namespace, at(values, "rbac", "serviceAccount")),
                clusterRole(name),
                clusterRoleBinding(name, name, account, namespace),
                role(name, namespace),
                roleBinding(name, name, account, namespace),
                service(name, namespace, labels, [{ name: "http", port: 8085 }]),
                workload({
                    name,
                    namespace,
                    labels,
                    replicas: values.replicaCount,
                    account,
                    placement: [values],
                    containers: [
                        {
                            name: "aws-cluster-autoscaler",
                            image: `registry.k8s.io/autoscaling/cluster-autoscaler:${text(at(values, "image", "tag")) ?? "v1.35.0"}`,
                            args: [
                                `--node-group-auto-discovery=asg:tag=k8s.io/cluster-autoscaler/enabled,k8s.io/cluster-autoscaler/${String(at(values, "autoDiscovery", "clusterName"))}`,
                                ...extraArgs(values.extraArgs),
                            ],
                            resources: values.resources,
                        },
                    ],
                }),
            ],
        };
    },
};

/** Read from renders of kubernetes-sigs/metrics-server 3.13.1. */
export const metricsServer: ChartModel = {
    name: "metrics-server",
    version: "3.13.1",
    appVersion: "0.8.1",
    render: (request) => {
        const values = mergeValues(
            { replicas: 1, resources: { requests: { cpu: "100m", memory: "200Mi" } }, apiService: { create: true } },
            request.values,
        );
        const name = fullName(request, "metrics-server");
        const { namespace } = request;
        const account = text(at(values, "serviceAccount", "name")) || name;
        const labels = selectorLabels(request, "metrics-server");
        return {
            objects: [
                ...serviceAccount(account, namespace, values.serviceAccount),
                clusterRole(`system:${name}-aggregated-reader`),
                clusterRole(`system:${name}`),
                clusterRoleBinding(`${name}:system:auth-delegator`, "system:auth-delegator", account, namespace),
                clusterRoleBinding(`system:${name}`, `system:${name}`, account, namespace),
                roleBinding(
                    `${name}-auth-reader`,
                    "extension-apiserver-authentication-reader",
                    account,
                    namespace,
                    "kube-system",
                ),
                service(name, namespace, labels, [{ name: "https", port: 443, targetPort: "https" }]),
                workload({
                    name,
                    namespace,
                    labels,
                    replicas: values.replicas,
                    account,
                    placement: [values],
                    containers: [
                        {
                            name: "metrics-server",
                            image: "registry.k8s.io/metrics-server/metrics-server:v0.8.1",
                            resources: values.resources,
                        },
                    ],
                    volumes: [{ name: "tmp", emptyDir: {} }],
                }),
                ...(at(values, "apiService", "create") === false
                    ? []
                    : [
                          plain("apiregistration.k8s.io/v1", "APIService", "v1beta1.metrics.k8s.io", undefined, {
                              spec: {
                                  group: "metrics.k8s.io",
                                  version: "v1beta1",
                                  groupPriorityMinimum: 100,
                                  versionPriority: 100,
                                  service: { name, namespace, port: 443 },
                              },
                          }),
                      ]),
                ...(at(values, "podDisruptionBudget", "enabled") === true
                    ? [budget(name, namespace, labels, pdb(values.podDisruptionBudget))]
                    : []),
            ],
        };
    },
};

function pdb(values: unknown): Properties {
    const { minAvailable, maxUnavailable } = record(values);
    return {
        ...(minAvailable === undefined ? {} : { minAvailable }),
        ...(maxUnavailable === undefined ? {} : { maxUnavailable }),
    };
}

/** Read from renders of christianhuth/kube-ops-view 8.3.3. */
export const kubeOpsView: ChartModel = {
    name: "kube-ops-view",
    version: "8.3.3",
    appVersion: "23.5.0",
    render: (request) => {
        const values = mergeValues({ replicaCount: 1, service: { type: "ClusterIP", port: 80 } }, request.values);
        const name = fullName(request, "kube-ops-view");
        const { namespace } = request;
        const account = text(at(values, "serviceAccount", "name")) || name;
        const labels = selectorLabels(request, "kube-ops-view");
        const { type, port, loadBalancerClass, loadBalancerSourceRanges } = record(values.service);
        return {
            objects: [
                ...serviceAccount(account, namespace, values.serviceAccount),
                clusterRole(name),
                clusterRoleBinding(name, name, account, namespace),
                service(
                    name,
                    namespace,
                    labels,
                    [{ name: "http", port: port ?? 80, targetPort: "http" }],
                    {
                        type,
                        ...(loadBalancerClass ? { loadBalancerClass } : {}),
                        ...(list(loadBalancerSourceRanges).length > 0 ? { loadBalancerSourceRanges } : {}),
                    },
                    at(values, "service", "annotations"),
                ),
                workload({
                    name,
                    namespace,
                    labels,
                    replicas: values.replicaCount,
                    account,
                    placement: [values],
                    containers: [
                        {
                            name: "kube-ops-view",
                            image: "docker.io/hjacobs/kube-ops-view:23.5.0",
                            env: values.env,
                            resources: values.resources,
                        },
                    ],
                }),
                ...(at(values, "ingress", "enabled") === true
                    ? [
                          plain("networking.k8s.io/v1", "Ingress", name, namespace, {
                              spec: {
                                  ingressClassName: at(values, "ingress", "className") || undefined,
                                  rules: list(at(values, "ingress", "hosts")).map((host) => ({
                                      host: at(host, "host"),
                                      http: {
                                          paths: [
                                              {
                                                  path: "/",
                                                  pathType: "ImplementationSpecific",
                                                  backend: { service: { name, port: { number: port ?? 80 } } },
                                              },
                                          ],
                                      },
                                  })),
                              },
                          }),
                      ]
                    : []),
            ],
        };
    },
};
