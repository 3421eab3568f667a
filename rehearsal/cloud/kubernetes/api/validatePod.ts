import type { CheckFailure } from "../../shell/type";
import { dnsLabel, environmentName, labelValue, qualifiedName } from "./names";
import { quantity } from "./quantity";
import { at, list, record, records, strings, text } from "./value";

const volumeSources = new Set(
    (
        "awsElasticBlockStore azureDisk azureFile cephfs cinder configMap csi downwardAPI emptyDir ephemeral fc flexVolume flocker " +
        "gcePersistentDisk gitRepo glusterfs hostPath image iscsi nfs persistentVolumeClaim photonPersistentDisk portworxVolume " +
        "projected quobyte rbd scaleIO secret storageos vsphereVolume"
    ).split(" "),
);

/**
 * A pod's specification, as kubernetes/kubernetes validates it (pkg/apis/core/validation): containers, volumes, mounts,
 * resources, tolerations, affinity.
 *
 * @param restart The restart policies that the owner allows.
 */
export function checkPodSpec(spec: unknown, path: string, restart?: string[]): CheckFailure[] {
    const failures: CheckFailure[] = [];
    const report = (property: string, reason: string): void => {
        failures.push({ property: `${path}.${property}`, reason });
    };
    const pod = record(spec);
    const policy = pod.restartPolicy ?? "Always";
    if (restart && typeof policy === "string" && !restart.includes(policy)) {
        report(
            "restartPolicy",
            `Unsupported value: "${policy}": supported values: ${restart.map((one) => `"${one}"`).join(", ")}`,
        );
    }
    const volumes = checkVolumes(pod.volumes, report);
    if (Array.isArray(pod.containers) && pod.containers.length === 0) {
        report("containers", "Required value");
    }
    const names = new Set<string>();
    for (const field of ["initContainers", "containers", "ephemeralContainers"]) {
        records(pod[field]).forEach((container, index) => {
            checkContainer(container, `${field}[${index}]`, volumes, names, field, report);
        });
    }
    checkTolerations(pod.tolerations, report);
    checkAffinity(pod.affinity, report);
    for (const [key, value] of Object.entries(strings(pod.nodeSelector))) {
        const problem = qualifiedName(key) ?? labelValue(value);
        if (problem) {
            report(`nodeSelector["${key}"]`, problem);
        }
    }
    records(pod.topologySpreadConstraints).forEach((constraint, index) => {
        if (typeof constraint.maxSkew === "number" && constraint.maxSkew <= 0) {
            report(`topologySpreadConstraints[${index}].maxSkew`, "must be greater than zero");
        }
        oneOf(
            constraint.whenUnsatisfiable,
            ["DoNotSchedule", "ScheduleAnyway"],
            `topologySpreadConstraints[${index}].whenUnsatisfiable`,
            report,
        );
    });
    if (typeof pod.terminationGracePeriodSeconds === "number" && pod.terminationGracePeriodSeconds < 0) {
        report("terminationGracePeriodSeconds", "must be greater than or equal to 0");
    }
    return failures;
}

type Report = (property: string, reason: string) => void;

function oneOf(value: unknown, allowed: string[], property: string, report: Report): void {
    if (typeof value === "string" && !allowed.includes(value)) {
        report(
            property,
            `Unsupported value: "${value}": supported values: ${allowed.map((one) => `"${one}"`).join(", ")}`,
        );
    }
}

/** The names of the volumes; `undefined` when some of them are not known yet. */
function checkVolumes(volumes: unknown, report: Report): Set<string> | undefined {
    if (
        typeof volumes === "symbol" ||
        list(volumes).some((volume) => typeof volume === "symbol" || typeof record(volume).name === "symbol")
    ) {
        return undefined;
    }
    const names = new Set<string>();
    records(volumes).forEach((volume, index) => {
        const name = text(volume.name) ?? "";
        const problem = dnsLabel(name);
        if (problem) {
            report(`volumes[${index}].name`, problem);
        }
        if (names.has(name)) {
            report(`volumes[${index}].name`, `Duplicate value: "${name}"`);
        }
        names.add(name);
        const sources = Object.keys(volume).filter((field) => volumeSources.has(field) && volume[field] !== undefined);
        if (sources.length === 0) {
            report(`volumes[${index}]`, "Required value: must specify a volume type");
        } else if (sources.length > 1) {
            report(`volumes[${index}].${sources[1]}`, "Forbidden: may not specify more than 1 volume type");
        }
    });
    return names;
}

function checkContainer(
    container: Record<string, unknown>,
    path: string,
    volumes: Set<string> | undefined,
    names: Set<string>,
    field: string,
    report: Report,
): void {
    const name = text(container.name);
    if (name !== undefined) {
        const problem = dnsLabel(name);
        if (problem) {
            report(`${path}.name`, problem);
        }
        if (names.has(name)) {
            report(`${path}.name`, `Duplicate value: "${name}"`);
        }
        names.add(name);
    }
    if (container.image === undefined || container.image === "") {
        report(`${path}.image`, "Required value");
    }
    oneOf(container.imagePullPolicy, ["Always", "IfNotPresent", "Never"], `${path}.imagePullPolicy`, report);
    const mountPaths = new Set<string>();
    records(container.volumeMounts).forEach((mount, index) => {
        const volume = text(mount.name);
        if (volume !== undefined && volumes && !volumes.has(volume)) {
            report(`${path}.volumeMounts[${index}].name`, `Not found: "${volume}"`);
        }
        const mountPath = text(mount.mountPath);
        if (mountPath !== undefined && mountPaths.has(mountPath)) {
            report(`${path}.volumeMounts[${index}].mountPath`, `Invalid value: "${mountPath}": must be unique`);
        }
        mountPaths.add(mountPath ?? "");
        if (text(mount.subPath)?.startsWith("/")) {
            report(`${path}.volumeMounts[${index}].subPath`, "must be a relative path");
        }
    });
    checkResources(container.resources, `${path}.resources`, report);
    records(container.env).forEach((variable, index) => {
        const variableName = text(variable.name);
        if (variableName !== undefined && environmentName(variableName)) {
            report(`${path}.env[${index}].name`, environmentName(variableName) ?? "");
        }
        if (variable.value !== undefined && variable.value !== "" && variable.valueFrom !== undefined) {
            report(`${path}.env[${index}].valueFrom`, "may not be specified when `value` is not empty");
        }
    });
    records(container.ports).forEach((port, index) => {
        for (const key of ["containerPort", "hostPort"]) {
            const value = port[key];
            if (typeof value === "number" && (!Number.isInteger(value) || value < 1 || value > 65535)) {
                report(`${path}.ports[${index}].${key}`, "must be between 1 and 65535, inclusive");
            }
        }
        const portName = text(port.name);
        if (portName !== undefined && !/^(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(portName)) {
            report(
                `${path}.ports[${index}].name`,
                "must be no more than 15 characters, lower case alphanumeric or '-', with at least one letter",
            );
        }
    });
    if (field === "initContainers" && container.restartPolicy !== "Always") {
        for (const probe of ["livenessProbe", "readinessProbe", "startupProbe", "lifecycle"]) {
            if (container[probe] !== undefined) {
                report(
                    `${path}.${probe}`,
                    "Forbidden: may not be set for init containers without restartPolicy=Always",
                );
            }
        }
    }
    if (
        typeof at(container, "livenessProbe", "successThreshold") === "number" &&
        at(container, "livenessProbe", "successThreshold") !== 1
    ) {
        report(`${path}.livenessProbe.successThreshold`, "must be 1");
    }
}

/** Quantities, and requests within limits. Source: "Resource Management for Pods and Containers". */
export function checkResources(resources: unknown, path: string, report: Report): void {
    for (const field of ["requests", "limits"]) {
        for (const [name, value] of Object.entries(record(at(resources, field)))) {
            if (typeof value === "symbol") {
                continue;
            }
            const number = quantity(value);
            if (number !== undefined && number < 0) {
                report(`${path}.${field}["${name}"]`, "must be greater than or equal to 0");
            }
            if (!/^(cpu|memory|ephemeral-storage|hugepages-.+|.+\/.+)$/.test(name)) {
                report(`${path}.${field}["${name}"]`, "must be a standard resource for containers");
            }
        }
    }
    for (const [name, value] of Object.entries(record(at(resources, "requests")))) {
        const limit = quantity(at(resources, "limits", name));
        const request = quantity(value);
        if (limit !== undefined && request !== undefined && request > limit) {
            report(
                `${path}.requests`,
                `Invalid value: "${String(value)}": must be less than or equal to ${name} limit of ${String(at(resources, "limits", name))}`,
            );
        }
    }
}

function checkTolerations(tolerations: unknown, report: Report): void {
    records(tolerations).forEach((toleration, index) => {
        const path = `tolerations[${index}]`;
        oneOf(toleration.operator, ["Exists", "Equal", "Lt", "Gt"], `${path}.operator`, report);
        oneOf(toleration.effect, ["", "NoSchedule", "PreferNoSchedule", "NoExecute"], `${path}.effect`, report);
        if ((toleration.key === undefined || toleration.key === "") && toleration.operator !== "Exists") {
            report(
                `${path}.operator`,
                'operator must be Exists when `key` is empty, which means "match all values and all keys"',
            );
        }
        if (toleration.operator === "Exists" && typeof toleration.value === "string" && toleration.value !== "") {
            report(`${path}.operator`, "value must be empty when `operator` is 'Exists'");
        }
        if (toleration.tolerationSeconds !== undefined && toleration.effect !== "NoExecute") {
            report(`${path}.effect`, "effect must be 'NoExecute' when `tolerationSeconds` is set");
        }
    });
}

function checkAffinity(affinity: unknown, report: Report): void {
    const terms = records(
        at(affinity, "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"),
    );
    terms.forEach((term, index) => {
        records(term.matchExpressions).forEach((expression, position) => {
            const path = `affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}].matchExpressions[${position}]`;
            oneOf(
                expression.operator,
                ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"],
                `${path}.operator`,
                report,
            );
            if (
                ["In", "NotIn"].includes(String(expression.operator)) &&
                list(expression.values).length === 0 &&
                typeof expression.values !== "symbol"
            ) {
                report(`${path}.values`, "Required value: must be specified when `operator` is 'In' or 'NotIn'");
            }
        });
    });
    for (const field of ["podAffinity", "podAntiAffinity"]) {
        records(at(affinity, field, "requiredDuringSchedulingIgnoredDuringExecution")).forEach((term, index) => {
            if (term.topologyKey === undefined || term.topologyKey === "") {
                report(
                    `affinity.${field}.requiredDuringSchedulingIgnoredDuringExecution[${index}].topologyKey`,
                    "Required value: can not be empty",
                );
            }
        });
    }
}
