import type { Properties } from "../../shell/type";
import { isObject } from "../../shell/values";
import type { Manifest } from "../api/object";
import { at, copy, record, records, strings } from "../api/value";
import type { ReleaseRequest } from "./chart";

/** Values as templates see them: the chart's defaults under what was given; `null` takes a default away. */
export function mergeValues(defaults: Properties, given: Properties): Properties {
    const result: Properties = copy(defaults);
    for (const [key, value] of Object.entries(given)) {
        const before = result[key];
        if (value === null) {
            delete result[key];
        } else if (isObject(before) && isObject(value)) {
            result[key] = mergeValues(before, value);
        } else if (value !== undefined) {
            result[key] = value;
        }
    }
    return result;
}

/** The usual `fullname`: the release's name, with the chart's appended unless it is in there already. */
export function fullName(request: ReleaseRequest, chart: string): string {
    const override = request.values.fullnameOverride;
    if (typeof override === "string" && override !== "") {
        return override;
    }
    const name =
        typeof request.values.nameOverride === "string" && request.values.nameOverride !== ""
            ? request.values.nameOverride
            : chart;
    return (request.name.includes(name) ? request.name : `${request.name}-${name}`).slice(0, 63).replace(/-$/, "");
}

/** The usual selector labels. */
export function selectorLabels(request: ReleaseRequest, chart: string): Record<string, string> {
    return { "app.kubernetes.io/name": chart, "app.kubernetes.io/instance": request.name };
}

export interface WorkloadSpec {
    kind?: "Deployment" | "StatefulSet" | "DaemonSet";
    name: string;
    namespace: string;
    labels: Record<string, string>;
    replicas?: unknown;
    account: string;
    containers: Properties[];
    initContainers?: Properties[];
    volumes?: Properties[];
    /** Values that hold `nodeSelector`, `tolerations`, `affinity`, …: the first that says something counts. */
    placement?: Properties[];
    pod?: Properties;
    podAnnotations?: unknown;
    claimTemplates?: Properties[];
    annotations?: Properties;
    strategy?: unknown;
    serviceName?: string;
}

/** A workload as charts render it. */
export function workload(spec: WorkloadSpec): Manifest {
    const kind = spec.kind ?? "Deployment";
    const placed = Object.fromEntries(
        ["nodeSelector", "tolerations", "affinity", "topologySpreadConstraints", "priorityClassName"]
            .map((field) => [
                field,
                (spec.placement ?? []).map((values) => values[field]).find((value) => !isBlank(value)),
            ])
            .filter(([, value]) => value !== undefined),
    ) as Properties;
    return {
        apiVersion: "apps/v1",
        kind,
        metadata: { name: spec.name, namespace: spec.namespace, labels: spec.labels, annotations: spec.annotations },
        spec: {
            ...(kind === "DaemonSet" || spec.replicas === undefined ? {} : { replicas: spec.replicas }),
            ...(kind === "StatefulSet"
                ? { serviceName: spec.serviceName ?? spec.name, volumeClaimTemplates: spec.claimTemplates }
                : {}),
            ...(kind === "Deployment" && !isBlank(spec.strategy) ? { strategy: spec.strategy } : {}),
            selector: { matchLabels: spec.labels },
            template: {
                metadata: {
                    labels: spec.labels,
                    annotations: isBlank(spec.podAnnotations) ? undefined : spec.podAnnotations,
                },
                spec: {
                    serviceAccountName: spec.account,
                    initContainers: spec.initContainers,
                    containers: spec.containers,
                    volumes: spec.volumes,
                    ...placed,
                    ...spec.pod,
                },
            },
        },
    };
}

function isBlank(value: unknown): boolean {
    return (
        value === undefined ||
        value === null ||
        value === "" ||
        (typeof value === "object" && Object.keys(value).length === 0)
    );
}

export function serviceAccount(name: string, namespace: string, values: unknown, fallback = true): Manifest[] {
    const create = at(values, "create") ?? fallback;
    return create === false
        ? []
        : [
              {
                  apiVersion: "v1",
                  kind: "ServiceAccount",
                  metadata: { name, namespace, annotations: strings(at(values, "annotations")) },
              },
          ];
}

export function service(
    name: string,
    namespace: string,
    selector: Record<string, string>,
    ports: Properties[],
    spec: Properties = {},
    annotations?: unknown,
): Manifest {
    return {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name, namespace, annotations: strings(annotations) },
        spec: { selector, ports, ...spec },
    };
}

/** Objects that only have to be there: roles, bindings, configuration. */
export function plain(
    apiVersion: string,
    kind: string,
    name: string,
    namespace?: string,
    more: Properties = {},
): Manifest {
    return { apiVersion, kind, metadata: { name, ...(namespace ? { namespace } : {}) }, ...more };
}

const rbac = "rbac.authorization.k8s.io/v1";

export function clusterRole(name: string): Manifest {
    return plain(rbac, "ClusterRole", name, undefined, { rules: [] });
}

export function clusterRoleBinding(name: string, role: string, account: string, namespace: string): Manifest {
    return plain(rbac, "ClusterRoleBinding", name, undefined, {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
        subjects: [{ kind: "ServiceAccount", name: account, namespace }],
    });
}

export function role(name: string, namespace: string): Manifest {
    return plain(rbac, "Role", name, namespace, { rules: [] });
}

export function roleBinding(
    name: string,
    roleName: string,
    account: string,
    accountNamespace: string,
    namespace = accountNamespace,
): Manifest {
    return plain(rbac, "RoleBinding", name, namespace, {
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: roleName },
        subjects: [{ kind: "ServiceAccount", name: account, namespace: accountNamespace }],
    });
}

export function budget(name: string, namespace: string, labels: Record<string, string>, config: unknown): Manifest {
    return plain("policy/v1", "PodDisruptionBudget", name, namespace, {
        spec: { selector: { matchLabels: labels }, ...record(config) },
    });
}

export function webhooks(
    kind: "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration",
    name: string,
    serviceName: string,
    namespace: string,
    names: string[],
    failurePolicy: string,
): Manifest {
    return plain("admissionregistration.k8s.io/v1", kind, name, undefined, {
        webhooks: names.map((hook) => ({
            name: hook,
            failurePolicy,
            clientConfig: { service: { name: serviceName, namespace, path: "/" } },
            admissionReviewVersions: ["v1"],
            sideEffects: "None",
        })),
    });
}

/** Environment variables of a list of names and values; lists in values are taken as they are. */
export function environment(values: unknown): Properties[] {
    return records(values);
}
