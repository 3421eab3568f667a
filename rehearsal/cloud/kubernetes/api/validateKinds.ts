import type { CheckFailure } from "../../shell/type";
import {
    atLeast,
    checkLabels,
    checkSelector,
    checkServiceName,
    hasSymbol,
    isEmpty,
    isUnknown,
    oneOf,
    type Report,
} from "./findings";
import type { Kind } from "./kinds";
import type { Manifest } from "./object";
import { selectorMatches } from "./selector";
import { checkData } from "./validateData";
import { checkDefinition } from "./validateDefinitions";
import { checkIngress, checkIngressClass, checkNetworkPolicy, checkService } from "./validateNetwork";
import { checkPodSpec } from "./validatePod";
import { checkClaim, storageChecks, type Check } from "./validateStorage";
import { checkBinding, checkRole, checkWebhooks } from "./validateRbac";
import { at, list, record, records, strings, text } from "./value";

/** What each kind demands of its fields. Source: kubernetes/kubernetes, pkg/apis, validation.go of each group. */
export function checkKind(kind: Kind, manifest: Manifest): CheckFailure[] {
    const failures: CheckFailure[] = [];
    const report: Report = (property, reason) => {
        failures.push({ property, reason });
    };
    const more = checks[`${kind.apiVersion}/${kind.kind}`]?.(manifest, report);
    return more ? [...failures, ...more] : failures;
}

function workload(restart: string[]): Check {
    return (manifest, report) => {
        const selector = at(manifest, "spec", "selector");
        const labels = at(manifest, "spec", "template", "metadata", "labels");
        if (manifest.spec === undefined) {
            report("spec", "Required value");
            return;
        }
        if (isUnknown(manifest.spec)) {
            return;
        }
        if (
            !isUnknown(selector) &&
            Object.values(record(selector)).every((part) => !isUnknown(part) && isEmpty(part))
        ) {
            report(
                "spec.selector",
                `Required value: empty selector is invalid for ${manifest.kind === undefined ? "it" : String(manifest.kind).toLowerCase()}`,
            );
        } else if (!hasSymbol(selector) && !hasSymbol(labels) && !selectorMatches(selector, strings(labels))) {
            report(
                "spec.template.metadata.labels",
                `Invalid value: ${JSON.stringify(labels ?? {})}: \`selector\` does not match template \`labels\``,
            );
        }
        checkSelector(selector, "spec.selector", report);
        for (const field of ["replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"]) {
            atLeast(at(manifest, "spec", field), 0, `spec.${field}`, report);
        }
        checkLabels(labels, "spec.template.metadata.labels", report);
        oneOf(
            at(manifest, "spec", "strategy", "type"),
            ["", "Recreate", "RollingUpdate"],
            "spec.strategy.type",
            report,
        );
        oneOf(
            at(manifest, "spec", "updateStrategy", "type"),
            ["", "RollingUpdate", "OnDelete"],
            "spec.updateStrategy.type",
            report,
        );
        return checkTemplate(manifest, restart);
    };
}

function checkTemplate(manifest: Manifest, restart: string[]): CheckFailure[] {
    const spec = at(manifest, "spec", "template", "spec");
    return spec === undefined || isUnknown(spec) || isUnknown(at(manifest, "spec", "template"))
        ? isUnknown(spec) || isUnknown(at(manifest, "spec", "template"))
            ? []
            : [{ property: "spec.template.spec.containers", reason: "Required value" }]
        : checkPodSpec(spec, "spec.template.spec", restart);
}

const deployment = workload(["Always"]);

const job: Check = (manifest, report) => {
    for (const field of [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    ]) {
        atLeast(at(manifest, "spec", field), 0, `spec.${field}`, report);
    }
    if (at(manifest, "spec", "selector") !== undefined && at(manifest, "spec", "manualSelector") !== true) {
        report("spec.selector", "Invalid value: `selector` not auto-generated");
    }
    const restart = at(manifest, "spec", "template", "spec", "restartPolicy");
    if (restart === undefined && !hasSymbol(at(manifest, "spec", "template"))) {
        report("spec.template.spec.restartPolicy", 'Required value: valid values: "OnFailure", "Never"');
        return;
    }
    return checkTemplate(manifest, ["OnFailure", "Never"]);
};

const checks: Record<string, Check> = {
    ...storageChecks,
    "apps/v1/Deployment": deployment,
    "apps/v1/ReplicaSet": deployment,
    "apps/v1/DaemonSet": deployment,
    "apps/v1/StatefulSet": (manifest, report) => {
        const serviceName = at(manifest, "spec", "serviceName");
        if (serviceName !== "") {
            checkServiceName(serviceName, "spec.serviceName", report);
        }
        records(at(manifest, "spec", "volumeClaimTemplates")).forEach((claim, index) => {
            checkClaim(claim.spec, `spec.volumeClaimTemplates[${index}].spec`, report);
        });
        // The claims of the templates are volumes of the pods, and take the place of volumes of the same name.
        const names = records(at(manifest, "spec", "volumeClaimTemplates")).map((claim) =>
            at(claim, "metadata", "name"),
        );
        const claims = [...new Set(names)].map((name) => ({ name, persistentVolumeClaim: { claimName: "template" } }));
        const template = record(at(manifest, "spec", "template"));
        const spec = record(template.spec);
        const claimed = new Set(claims.map(({ name }) => name));
        const volumes = [...list(spec.volumes).filter((volume) => !claimed.has(record(volume).name)), ...claims];
        return isUnknown(spec.volumes) || claims.length === 0
            ? workload(["Always"])(manifest, report)
            : workload(["Always"])(
                  {
                      ...manifest,
                      spec: { ...record(manifest.spec), template: { ...template, spec: { ...spec, volumes } } },
                  },
                  report,
              );
    },
    "batch/v1/Job": job,
    "batch/v1/CronJob": (manifest, report) => {
        const schedule = text(at(manifest, "spec", "schedule"));
        if (
            schedule !== undefined &&
            !/^(@(yearly|annually|monthly|weekly|daily|midnight|hourly|every .+)|\S+(\s+\S+){4})$/.test(schedule)
        ) {
            report("spec.schedule", `Invalid value: "${schedule}": expected exactly 5 fields`);
        }
        oneOf(
            at(manifest, "spec", "concurrencyPolicy"),
            ["Allow", "Forbid", "Replace"],
            "spec.concurrencyPolicy",
            report,
        );
        const inner = at(manifest, "spec", "jobTemplate");
        if (!isUnknown(inner) && !isUnknown(manifest.spec)) {
            const failures = job(record(inner), (property, reason) => report(`spec.jobTemplate.${property}`, reason));
            failures?.forEach(({ property, reason }) => report(`spec.jobTemplate.${property}`, reason));
        }
    },
    "v1/ReplicationController": (manifest, report) => {
        const template = at(manifest, "spec", "template");
        const labels = at(manifest, "spec", "template", "metadata", "labels");
        // The selector of the old kind is plain labels, by default those of the template.
        const given = at(manifest, "spec", "selector");
        const selector = isEmpty(given) ? labels : given;
        if (isUnknown(manifest.spec) || hasSymbol(selector) || hasSymbol(labels)) {
            return;
        }
        atLeast(at(manifest, "spec", "replicas"), 0, "spec.replicas", report);
        if (isEmpty(selector)) {
            report("spec.selector", "Required value");
        } else if (template !== undefined && !selectorMatches({ matchLabels: selector }, strings(labels))) {
            report(
                "spec.template.metadata.labels",
                `Invalid value: ${JSON.stringify(labels ?? null)}: \`selector\` does not match template \`labels\``,
            );
        }
        if (template === undefined) {
            report("spec.template", "Required value");
            return;
        }
        return checkTemplate(manifest, ["Always"]);
    },
    "v1/Pod": (manifest) =>
        isUnknown(manifest.spec) ? [] : checkPodSpec(manifest.spec, "spec", ["Always", "OnFailure", "Never"]),
    "v1/Secret": (manifest) => [...checkData(manifest, true), ...checkSecretType(manifest)],
    "v1/ConfigMap": (manifest) => checkData(manifest, false),
    "v1/Service": checkService,
    "networking.k8s.io/v1/Ingress": checkIngress,
    "networking.k8s.io/v1/IngressClass": checkIngressClass,
    "networking.k8s.io/v1/NetworkPolicy": checkNetworkPolicy,
    "rbac.authorization.k8s.io/v1/Role": (manifest, report) => checkRole(manifest, report, true),
    "rbac.authorization.k8s.io/v1/ClusterRole": (manifest, report) => checkRole(manifest, report, false),
    "rbac.authorization.k8s.io/v1/RoleBinding": (manifest, report) => checkBinding(manifest, report, true),
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": (manifest, report) => checkBinding(manifest, report, false),
    "admissionregistration.k8s.io/v1/MutatingWebhookConfiguration": checkWebhooks,
    "admissionregistration.k8s.io/v1/ValidatingWebhookConfiguration": checkWebhooks,
    "policy/v1/PodDisruptionBudget": (manifest, report) => {
        if (
            at(manifest, "spec", "minAvailable") !== undefined &&
            at(manifest, "spec", "maxUnavailable") !== undefined
        ) {
            report("spec", "Invalid value: minAvailable and maxUnavailable cannot be both set");
        }
        for (const field of ["minAvailable", "maxUnavailable"]) {
            const value = at(manifest, "spec", field);
            atLeast(value, 0, `spec.${field}`, report);
            if (typeof value === "string" && !/^\d+%$/.test(value)) {
                report(
                    `spec.${field}`,
                    `Invalid value: "${value}": a valid percent string must be a numeric string followed by an ending '%'`,
                );
            }
        }
        checkSelector(at(manifest, "spec", "selector"), "spec.selector", report);
    },
    "autoscaling/v1/HorizontalPodAutoscaler": (manifest, report) => {
        checkScaling(manifest, report);
        const target = at(manifest, "spec", "targetCPUUtilizationPercentage");
        atLeast(target, 1, "spec.targetCPUUtilizationPercentage", report);
    },
    "autoscaling/v2/HorizontalPodAutoscaler": (manifest, report) => {
        checkScaling(manifest, report);
        records(at(manifest, "spec", "metrics")).forEach((metric, index) => {
            const path = `spec.metrics[${index}]`;
            const sources = ["resource", "containerResource", "pods", "object", "external"];
            oneOf(metric.type, ["ContainerResource", "External", "Object", "Pods", "Resource"], `${path}.type`, report);
            const given = sources.filter((source) => metric[source] !== undefined);
            if (given.length !== 1) {
                report(path, "Forbidden: must populate the given metric source only");
            }
            for (const source of given) {
                const target = record(record(metric[source]).target);
                atLeast(target.averageUtilization, 1, `${path}.${source}.target.averageUtilization`, report);
                oneOf(target.type, ["Utilization", "Value", "AverageValue"], `${path}.${source}.target.type`, report);
            }
        });
    },
    "scheduling.k8s.io/v1/PriorityClass": (manifest, report) => {
        if (typeof manifest.value === "number" && manifest.value > 1_000_000_000) {
            report("value", "Forbidden: maximum allowed value of a user defined priority is 1000000000");
        }
    },
    "apiextensions.k8s.io/v1/CustomResourceDefinition": checkDefinition,
    "keda.sh/v1alpha1/ScaledObject": (manifest, report) => {
        if (isUnknown(manifest.spec)) {
            return;
        }
        if (
            at(manifest, "spec", "scaleTargetRef", "name") === undefined &&
            !isUnknown(at(manifest, "spec", "scaleTargetRef"))
        ) {
            report("spec.scaleTargetRef.name", "Required value");
        }
        const minimum = at(manifest, "spec", "minReplicaCount") ?? 0;
        const maximum = at(manifest, "spec", "maxReplicaCount") ?? 100;
        if (typeof minimum === "number" && typeof maximum === "number" && minimum > maximum) {
            report("spec.minReplicaCount", `MinReplicaCount=${minimum} must be less than MaxReplicaCount=${maximum}`);
        }
        if (!isUnknown(at(manifest, "spec", "triggers")) && list(at(manifest, "spec", "triggers")).length === 0) {
            report("spec.triggers", "no triggers defined in the ScaledObject/ScaledJob");
        }
    },
};

function checkScaling(manifest: Manifest, report: Report): void {
    const minimum = at(manifest, "spec", "minReplicas") ?? 1;
    const maximum = at(manifest, "spec", "maxReplicas");
    atLeast(minimum, 1, "spec.minReplicas", report);
    atLeast(maximum, 1, "spec.maxReplicas", report);
    if (typeof maximum === "number" && typeof minimum === "number" && maximum < minimum) {
        report("spec.maxReplicas", `Invalid value: ${maximum}: must be greater than or equal to \`minReplicas\``);
    }
    const target = record(at(manifest, "spec", "scaleTargetRef"));
    const coreKinds = ["ReplicationController", "Pod", "Service", "Node"];
    if (
        !isUnknown(target.apiVersion) &&
        !String(target.apiVersion ?? "").includes("/") &&
        !coreKinds.includes(String(target.kind))
    ) {
        report(
            "spec.scaleTargetRef.apiVersion",
            `Invalid value: "${String(target.apiVersion ?? "")}": apiVersion must specify API group`,
        );
    }
    for (const field of ["kind", "name"]) {
        if (isEmpty(target[field]) && !isUnknown(at(manifest, "spec", "scaleTargetRef"))) {
            report(`spec.scaleTargetRef.${field}`, "Required value");
        }
    }
}

function checkSecretType(manifest: Manifest): CheckFailure[] {
    const keys = new Set([...Object.keys(record(manifest.data)), ...Object.keys(record(manifest.stringData))]);
    const needed: Record<string, string[]> = {
        "kubernetes.io/tls": ["tls.crt", "tls.key"],
        "kubernetes.io/dockerconfigjson": [".dockerconfigjson"],
        "kubernetes.io/ssh-auth": ["ssh-privatekey"],
    };
    if (isUnknown(manifest.data) || isUnknown(manifest.stringData)) {
        return [];
    }
    return (needed[String(manifest.type)] ?? [])
        .filter((key) => !keys.has(key))
        .map((key) => ({ property: `data["${key}"]`, reason: "Required value" }));
}
