import { at, record } from "../../api/value";
import { definition } from "../../control/definitions";
import {
    budget,
    clusterRole,
    clusterRoleBinding,
    mergeValues,
    plain,
    role,
    roleBinding,
    service,
    serviceAccount,
    webhooks,
    workload,
} from "../build";
import type { ChartModel } from "../chart";

const resources = { limits: { cpu: 1, memory: "1000Mi" }, requests: { cpu: "100m", memory: "100Mi" } };

/** Read from renders of kedacore/keda 2.20.2 (2.21.0 differs in images only, as far as its notes say). */
export const keda: ChartModel = {
    name: "keda",
    version: "2.20.2",
    appVersion: "2.20.2",
    render: ({ namespace, values: given }) => {
        const values = mergeValues(
            {
                crds: { install: true },
                operator: { name: "keda-operator", replicaCount: 1 },
                metricsServer: { enabled: true, replicaCount: 1 },
                webhooks: { enabled: true, name: "keda-admission-webhooks", replicaCount: 1, failurePolicy: "Ignore" },
                resources: { operator: resources, metricServer: resources, webhooks: resources },
                nodeSelector: { "kubernetes.io/os": "linux" },
                serviceAccount: {
                    operator: { create: true, name: "keda-operator" },
                    metricServer: { create: true, name: "keda-metrics-server" },
                    webhooks: { create: true, name: "keda-webhook" },
                },
            },
            given,
        );
        const operator = String(at(values, "operator", "name"));
        const server = `${operator}-metrics-apiserver`;
        const hooks = String(at(values, "webhooks", "name"));
        const account = (part: string): string => String(at(values, "serviceAccount", part, "name"));
        const keep = record(at(values, "crds", "additionalAnnotations"));
        const definitions = [
            definition("eventing.keda.sh", "CloudEventSource", "cloudeventsources", "Namespaced", "v1alpha1"),
            definition(
                "eventing.keda.sh",
                "ClusterCloudEventSource",
                "clustercloudeventsources",
                "Cluster",
                "v1alpha1",
            ),
            definition(
                "keda.sh",
                "ClusterTriggerAuthentication",
                "clustertriggerauthentications",
                "Cluster",
                "v1alpha1",
            ),
            definition("keda.sh", "ScaledJob", "scaledjobs", "Namespaced", "v1alpha1"),
            definition("keda.sh", "ScaledObject", "scaledobjects", "Namespaced", "v1alpha1"),
            definition("keda.sh", "TriggerAuthentication", "triggerauthentications", "Namespaced", "v1alpha1"),
        ].map((one) => ({
            apiVersion: "apiextensions.k8s.io/v1",
            kind: "CustomResourceDefinition",
            ...one,
            metadata: { ...record(one.metadata), annotations: keep },
        }));
        const part = (
            name: string,
            app: string,
            section: string,
            account: string,
            image: string,
            resourceKey: string,
        ) => {
            const labels = { app: name };
            return workload({
                name,
                namespace,
                labels,
                replicas: at(values, section, "replicaCount"),
                account,
                placement: [record(values[section]), values],
                containers: [
                    { name: app, image: `ghcr.io/kedacore/${image}`, resources: at(values, "resources", resourceKey) },
                ],
                // Made by the operator itself at its first start.
                volumes: [{ name: "certificates", secret: { secretName: "kedaorg-certs", optional: true } }],
            });
        };
        const budgetOf = (key: string, name: string) => {
            const config = record(at(values, "podDisruptionBudget", key));
            return Object.keys(config).length > 0 ? [budget(name, namespace, { app: name }, config)] : [];
        };
        return {
            objects: [
                ...serviceAccount(account("operator"), namespace, at(values, "serviceAccount", "operator")),
                ...(at(values, "crds", "install") === false ? [] : definitions),
                ...[operator, `${operator}-minimal-cluster-role`].map(clusterRole),
                clusterRoleBinding(operator, operator, account("operator"), namespace),
                clusterRoleBinding(
                    `${operator}-minimal`,
                    `${operator}-minimal-cluster-role`,
                    account("operator"),
                    namespace,
                ),
                role(`${operator}-certs`, namespace),
                roleBinding(`${operator}-certs`, `${operator}-certs`, account("operator"), namespace),
                service(operator, namespace, { app: operator }, [{ name: "metricsservice", port: 9666 }]),
                part(operator, operator, "operator", account("operator"), "keda:2.20.2", "operator"),
                ...budgetOf("operator", operator),
                ...(at(values, "metricsServer", "enabled") === false
                    ? []
                    : [
                          ...serviceAccount(
                              account("metricServer"),
                              namespace,
                              at(values, "serviceAccount", "metricServer"),
                          ),
                          clusterRole(`${operator}-external-metrics-reader`),
                          clusterRoleBinding(
                              `${operator}-system-auth-delegator`,
                              "system:auth-delegator",
                              account("metricServer"),
                              namespace,
                          ),
                          clusterRoleBinding(
                              `${operator}-hpa-controller-external-metrics`,
                              `${operator}-external-metrics-reader`,
                              "horizontal-pod-autoscaler",
                              "kube-system",
                          ),
                          roleBinding(
                              `${operator}-auth-reader`,
                              "extension-apiserver-authentication-reader",
                              account("metricServer"),
                              namespace,
                              "kube-system",
                          ),
                          service(server, namespace, { app: server }, [
                              { name: "https", port: 443 },
                              { name: "metrics", port: 8080 },
                          ]),
                          part(
                              server,
                              server,
                              "metricsServer",
                              account("metricServer"),
                              "keda-metrics-apiserver:2.20.2",
                              "metricServer",
                          ),
                          plain(
                              "apiregistration.k8s.io/v1",
                              "APIService",
                              "v1beta1.external.metrics.k8s.io",
                              undefined,
                              {
                                  spec: {
                                      group: "external.metrics.k8s.io",
                                      version: "v1beta1",
                                      groupPriorityMinimum: 100,
                                      versionPriority: 100,
                                      service: { name: server, namespace, port: 443 },
                                  },
                              },
                          ),
                          ...budgetOf("metricServer", server),
                      ]),
                ...(at(values, "webhooks", "enabled") === false
                    ? []
                    : [
                          ...serviceAccount(account("webhooks"), namespace, at(values, "serviceAccount", "webhooks")),
                          clusterRole(`${operator}-webhook`),
                          clusterRoleBinding(
                              `${operator}-webhook`,
                              `${operator}-webhook`,
                              account("webhooks"),
                              namespace,
                          ),
                          service(hooks, namespace, { app: hooks }, [{ name: "https", port: 443 }]),
                          part(
                              hooks,
                              hooks,
                              "webhooks",
                              account("webhooks"),
                              "keda-admission-webhooks:2.20.2",
                              "webhooks",
                          ),
                          webhooks(
                              "ValidatingWebhookConfiguration",
                              "keda-admission",
                              hooks,
                              namespace,
                              ["vscaledobject.kb.io", "vscaledjob.kb.io", "vstriggerauthentication.kb.io"],
                              String(at(values, "webhooks", "failurePolicy")),
                          ),
                          ...budgetOf("webhooks", hooks),
                      ]),
            ],
        };
    },
};
