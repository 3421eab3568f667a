import type { CheckFailure } from "../../shell/type";
import { volumeSources } from "./immutable";
import { dnsSubdomain, labelValue, qualifiedName } from "./names";
import type { Kind } from "./kinds";
import type { Manifest } from "./object";
import { quantity } from "./quantity";
import { selectorMatches } from "./selector";
import { checkData } from "./validateData";
import { checkPodSpec } from "./validatePod";
import { at, list, record, records, strings, text } from "./value";

type Report = (property: string, reason: string) => void;
type Check = (manifest: Manifest, report: Report) => CheckFailure[] | void;

const accessModes = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

/** What each kind demands of its fields. Source: kubernetes/kubernetes, pkg/apis, validation.go of each group. */
export function checkKind(kind: Kind, manifest: Manifest): CheckFailure[] {
    const failures: CheckFailure[] = [];
    const report: Report = (property, reason) => {
        failures.push({ property, reason });
    };
    const more = checks[`${kind.apiVersion}/${kind.kind}`]?.(manifest, report);
    return more ? [...failures, ...more] : failures;
}

function isUnknown(value: unknown): boolean {
    return typeof value === "symbol";
}

function oneOf(value: unknown, allowed: string[], property: string, report: Report): void {
    if (typeof value === "string" && !allowed.includes(value)) {
        report(
            property,
            `Unsupported value: "${value}": supported values: ${allowed.map((one) => `"${one}"`).join(", ")}`,
        );
    }
}

function atLeast(value: unknown, minimum: number, property: string, report: Report): void {
    if (typeof value === "number" && (value < minimum || !Number.isInteger(value))) {
        report(property, `Invalid value: ${value}: must be greater than or equal to ${minimum}`);
    }
}

function size(value: unknown, property: string, report: Report): void {
    if (value === undefined) {
        report(property, "Required value");
    } else if (!isUnknown(value)) {
        const number = quantity(value);
        if (number !== undefined && number <= 0) {
            report(property, `Invalid value: "${String(value)}": must be greater than zero`);
        }
    }
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
        if (selector === undefined || (!isUnknown(selector) && Object.keys(record(selector)).length === 0)) {
            report("spec.selector", "Required value: empty selector is invalid for deployment");
        } else if (!hasSymbol(selector) && !hasSymbol(labels) && !selectorMatches(selector, strings(labels))) {
            report(
                "spec.template.metadata.labels",
                `Invalid value: ${JSON.stringify(labels ?? {})}: \`selector\` does not match template \`labels\``,
            );
        }
        atLeast(at(manifest, "spec", "replicas"), 0, "spec.replicas", report);
        checkLabels(labels, "spec.template.metadata.labels", report);
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

function checkLabels(labels: unknown, path: string, report: Report): void {
    for (const [key, value] of Object.entries(strings(labels))) {
        const problem = qualifiedName(key) ?? labelValue(value);
        if (problem) {
            report(`${path}["${key}"]`, problem);
        }
    }
}

function hasSymbol(value: unknown): boolean {
    return isUnknown(value) || (typeof value === "object" && value !== null && Object.values(value).some(hasSymbol));
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

const claimSpec = (spec: unknown, path: string, report: Report): void => {
    const modes = at(spec, "accessModes");
    if (modes === undefined || (Array.isArray(modes) && modes.length === 0)) {
        report(`${path}.accessModes`, "Required value: at least 1 access mode is required");
    }
    list(modes).forEach((mode, index) => {
        oneOf(mode, accessModes, `${path}.accessModes[${index}]`, report);
    });
    if (list(modes).includes("ReadWriteOncePod") && list(modes).length > 1) {
        report(`${path}.accessModes`, "Forbidden: may not use ReadWriteOncePod with other access modes");
    }
    if (!isUnknown(at(spec, "resources")) && !isUnknown(at(spec, "resources", "requests"))) {
        size(at(spec, "resources", "requests", "storage"), `${path}.resources.requests.storage`, report);
    }
    oneOf(at(spec, "volumeMode"), ["Block", "Filesystem"], `${path}.volumeMode`, report);
    const className = at(spec, "storageClassName");
    if (typeof className === "string" && className !== "" && dnsSubdomain(className)) {
        report(`${path}.storageClassName`, dnsSubdomain(className) ?? "");
    }
    for (const field of ["dataSource", "dataSourceRef"]) {
        const source = record(at(spec, field));
        const group = source.apiGroup;
        if (source.kind === "VolumeSnapshot" && group !== "snapshot.storage.k8s.io" && !isUnknown(group)) {
            report(`${path}.${field}`, "must be snapshot.storage.k8s.io for a VolumeSnapshot");
        }
    }
};

const checks: Record<string, Check> = {
    "apps/v1/Deployment": deployment,
    "apps/v1/ReplicaSet": deployment,
    "apps/v1/DaemonSet": deployment,
    "apps/v1/StatefulSet": (manifest, report) => {
        records(at(manifest, "spec", "volumeClaimTemplates")).forEach((claim, index) => {
            claimSpec(claim.spec, `spec.volumeClaimTemplates[${index}].spec`, report);
        });
        // The claims of the templates are volumes of the pods, and take the place of volumes of the same name.
        const claims = records(at(manifest, "spec", "volumeClaimTemplates")).map((claim) => ({
            name: at(claim, "metadata", "name"),
            persistentVolumeClaim: { claimName: "template" },
        }));
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
    "v1/Pod": (manifest) =>
        isUnknown(manifest.spec) ? [] : checkPodSpec(manifest.spec, "spec", ["Always", "OnFailure", "Never"]),
    "v1/Secret": (manifest) => [...checkData(manifest, true), ...checkSecretType(manifest)],
    "v1/ConfigMap": (manifest) => checkData(manifest, false),
    "v1/PersistentVolumeClaim": (manifest, report) => {
        if (!isUnknown(manifest.spec)) {
            claimSpec(manifest.spec, "spec", report);
        }
    },
    "v1/PersistentVolume": (manifest, report) => {
        size(at(manifest, "spec", "capacity", "storage"), "spec.capacity.storage", report);
        const modes = at(manifest, "spec", "accessModes");
        if (!isUnknown(modes) && list(modes).length === 0) {
            report("spec.accessModes", "Required value");
        }
        list(modes).forEach((mode, index) => {
            oneOf(mode, accessModes, `spec.accessModes[${index}]`, report);
        });
        oneOf(
            at(manifest, "spec", "persistentVolumeReclaimPolicy"),
            ["Retain", "Delete", "Recycle"],
            "spec.persistentVolumeReclaimPolicy",
            report,
        );
        const sources = volumeSources.filter((source) => at(manifest, "spec", source) !== undefined);
        if (sources.length === 0 && !isUnknown(manifest.spec)) {
            report("spec", "Required value: must specify a volume type");
        } else if (sources.length > 1) {
            report(`spec.${sources[1]}`, "Forbidden: may not specify more than 1 volume type");
        }
        if (at(manifest, "spec", "csi") !== undefined && at(manifest, "spec", "csi", "volumeHandle") === "") {
            report("spec.csi.volumeHandle", "Required value");
        }
    },
    "storage.k8s.io/v1/StorageClass": (manifest, report) => {
        oneOf(manifest.reclaimPolicy, ["Delete", "Retain"], "reclaimPolicy", report);
        oneOf(manifest.volumeBindingMode, ["Immediate", "WaitForFirstConsumer"], "volumeBindingMode", report);
        if (manifest.provisioner === "") {
            report("provisioner", "Required value");
        }
        for (const [key, value] of Object.entries(record(manifest.parameters))) {
            if (key === "") {
                report("parameters", "Invalid value: field can not be empty.");
            }
            if (typeof value !== "string" && !isUnknown(value)) {
                report(`parameters["${key}"]`, `expected "string", got "${typeof value}"`);
            }
        }
        if (Object.keys(record(manifest.parameters)).length > 512) {
            report("parameters", "Too long: may not be more than 512 entries");
        }
        records(manifest.allowedTopologies).forEach((term, index) => {
            records(term.matchLabelExpressions).forEach((expression, position) => {
                if (Array.isArray(expression.values) && expression.values.length === 0) {
                    report(`allowedTopologies[${index}].matchLabelExpressions[${position}].values`, "Required value");
                }
            });
        });
    },
    "v1/Service": checkService,
    "networking.k8s.io/v1/Ingress": (manifest, report) => {
        if (isUnknown(manifest.spec)) {
            return;
        }
        if (
            !hasSymbol(at(manifest, "spec", "rules")) &&
            list(at(manifest, "spec", "rules")).length === 0 &&
            at(manifest, "spec", "defaultBackend") === undefined
        ) {
            report("spec", "Invalid value: either `defaultBackend` or `rules` must be specified");
        }
        records(at(manifest, "spec", "rules")).forEach((rule, index) => {
            const host = text(rule.host);
            if (host !== undefined && host !== "" && dnsSubdomain(host.replace(/^\*\./, ""))) {
                report(`spec.rules[${index}].host`, dnsSubdomain(host.replace(/^\*\./, "")) ?? "");
            }
            records(at(rule, "http", "paths")).forEach((path, position) => {
                const where = `spec.rules[${index}].http.paths[${position}]`;
                oneOf(path.pathType, ["Exact", "Prefix", "ImplementationSpecific"], `${where}.pathType`, report);
                if (
                    ["Exact", "Prefix"].includes(String(path.pathType)) &&
                    !String(path.path ?? "").startsWith("/") &&
                    !isUnknown(path.path)
                ) {
                    report(`${where}.path`, `Invalid value: "${String(path.path ?? "")}": must be an absolute path`);
                }
                const service = record(at(path, "backend", "service"));
                if (service.name !== undefined && service.port === undefined) {
                    report(`${where}.backend.service.port`, "Required value: port name or number is required");
                }
            });
        });
    },
    "policy/v1/PodDisruptionBudget": (manifest, report) => {
        if (
            at(manifest, "spec", "minAvailable") !== undefined &&
            at(manifest, "spec", "maxUnavailable") !== undefined
        ) {
            report("spec", "Invalid value: minAvailable and maxUnavailable cannot be both set");
        }
    },
    "autoscaling/v2/HorizontalPodAutoscaler": (manifest, report) => {
        const minimum = at(manifest, "spec", "minReplicas") ?? 1;
        const maximum = at(manifest, "spec", "maxReplicas");
        atLeast(minimum, 1, "spec.minReplicas", report);
        if (typeof maximum === "number" && typeof minimum === "number" && maximum < minimum) {
            report("spec.maxReplicas", `Invalid value: ${maximum}: must be greater than or equal to \`minReplicas\``);
        }
    },
    "scheduling.k8s.io/v1/PriorityClass": (manifest, report) => {
        if (typeof manifest.value === "number" && manifest.value > 1_000_000_000) {
            report("value", "Forbidden: maximum allowed value of a user defined priority is 1000000000");
        }
    },
    "storage.k8s.io/v1/VolumeAttributesClass": (manifest, report) => {
        if (Object.keys(record(manifest.parameters)).length === 0 && !isUnknown(manifest.parameters)) {
            report("parameters", "Required value: must contain at least one key/value pair");
        }
    },
    "apiextensions.k8s.io/v1/CustomResourceDefinition": (manifest, report) => {
        const name = text(at(manifest, "metadata", "name"));
        const plural = text(at(manifest, "spec", "names", "plural"));
        const group = text(at(manifest, "spec", "group"));
        if (name !== undefined && plural !== undefined && group !== undefined && name !== `${plural}.${group}`) {
            report("metadata.name", `Invalid value: "${name}": must be spec.names.plural+"."+spec.group`);
        }
    },
    "snapshot.storage.k8s.io/v1/VolumeSnapshotClass": (manifest, report) => {
        if (manifest.driver === undefined) {
            report("driver", "Required value");
        }
        if (manifest.deletionPolicy === undefined) {
            report("deletionPolicy", "Required value");
        }
        oneOf(manifest.deletionPolicy, ["Delete", "Retain"], "deletionPolicy", report);
    },
    "snapshot.storage.k8s.io/v1/VolumeSnapshot": (manifest, report) => {
        const source = at(manifest, "spec", "source");
        if (!isUnknown(manifest.spec) && !isUnknown(source)) {
            const given = ["persistentVolumeClaimName", "volumeSnapshotContentName"].filter(
                (field) => at(source, field) !== undefined,
            );
            if (given.length !== 1) {
                report(
                    "spec.source",
                    "Invalid value: exactly one of persistentVolumeClaimName and volumeSnapshotContentName must be set",
                );
            }
        }
        if (at(manifest, "spec", "volumeSnapshotClassName") === "") {
            report("spec.volumeSnapshotClassName", "Invalid value: must not be the empty string when set");
        }
    },
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

function checkService(manifest: Manifest, report: Report): void {
    const spec = record(manifest.spec);
    if (isUnknown(manifest.spec) || isUnknown(spec.ports)) {
        return;
    }
    oneOf(spec.type, ["ClusterIP", "NodePort", "LoadBalancer", "ExternalName"], "spec.type", report);
    const ports = records(spec.ports);
    if (ports.length === 0 && spec.type !== "ExternalName" && spec.clusterIP !== "None") {
        report("spec.ports", "Required value");
    }
    const names = new Set<string>();
    ports.forEach((port, index) => {
        for (const key of ["port", "nodePort", "targetPort"]) {
            const value = port[key];
            if (typeof value === "number" && (!Number.isInteger(value) || value < 1 || value > 65535)) {
                report(`spec.ports[${index}].${key}`, "must be between 1 and 65535, inclusive");
            }
        }
        oneOf(port.protocol, ["TCP", "UDP", "SCTP"], `spec.ports[${index}].protocol`, report);
        const name = text(port.name);
        if (ports.length > 1 && port.name === undefined) {
            report(`spec.ports[${index}].name`, "Required value");
        } else if (name !== undefined && names.has(name)) {
            report(`spec.ports[${index}].name`, `Duplicate value: "${name}"`);
        }
        names.add(name ?? "");
    });
    if (list(spec.loadBalancerSourceRanges).length > 0 && spec.type !== "LoadBalancer" && !isUnknown(spec.type)) {
        report("spec.loadBalancerSourceRanges", "Forbidden: may only be used when `type` is 'LoadBalancer'");
    }
    list(spec.loadBalancerSourceRanges).forEach((range, index) => {
        if (
            typeof range === "string" &&
            !/^(\d{1,3}(\.\d{1,3}){3}\/([12]?\d|3[0-2])|[0-9a-fA-F:]+\/\d{1,3})$/.test(range.trim())
        ) {
            report(`spec.loadBalancerSourceRanges[${index}]`, `Invalid value: "${range}": must be a valid CIDR value`);
        }
    });
    if (spec.loadBalancerClass !== undefined && spec.type !== "LoadBalancer" && !isUnknown(spec.type)) {
        report("spec.loadBalancerClass", "Forbidden: may only be used when `type` is 'LoadBalancer'");
    }
    checkLabels(spec.selector, "spec.selector", report);
}
