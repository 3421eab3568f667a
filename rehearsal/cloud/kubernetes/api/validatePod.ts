import type { CheckFailure } from "../../shell/type";
import {
    atLeast,
    checkPort,
    checkRequirement,
    checkSelector,
    invalid,
    isEmpty,
    isUnknown,
    oneOf,
    portName,
    protocols,
    type Report,
} from "./findings";
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
    if (!isUnknown(pod.containers) && list(pod.containers).length === 0) {
        report("containers", "Required value");
    }
    const names = new Set<string>();
    for (const field of ["initContainers", "containers", "ephemeralContainers"]) {
        records(pod[field]).forEach((container, index) => {
            checkContainer(container, `${field}[${index}]`, volumes, names, field, report);
        });
    }
    oneOf(pod.dnsPolicy, ["", "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"], "dnsPolicy", report);
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
    return failures;
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
        // A volume without a source is an emptyDir (`SetDefaults_Volume`).
        if (sources.length > 1) {
            report(`volumes[${index}].${sources[1]}`, "Forbidden: may not specify more than 1 volume type");
        }
        for (const source of sources) {
            checkVolume(source, record(volume[source]), `volumes[${index}].${source}`, report);
        }
    });
    return names;
}

/** What a source of a volume cannot do without. */
const neededOfSource: Record<string, string[]> = {
    secret: ["secretName"],
    hostPath: ["path"],
    persistentVolumeClaim: ["claimName"],
    configMap: ["name"],
    nfs: ["server", "path"],
    csi: ["driver"],
    iscsi: ["targetPortal", "iqn"],
    awsElasticBlockStore: ["volumeID"],
};

function checkVolume(source: string, volume: Record<string, unknown>, path: string, report: Report): void {
    for (const field of neededOfSource[source] ?? []) {
        if (isEmpty(volume[field])) {
            report(`${path}.${field}`, "Required value");
        }
    }
    // A YAML file may write it with a leading zero, which makes it octal: 0755 is 493.
    const { defaultMode } = volume;
    if (typeof defaultMode === "number" && (defaultMode < 0 || defaultMode > 0o777)) {
        report(
            `${path}.defaultMode`,
            `Invalid value: ${defaultMode}: must be a number between 0 and 0777 (octal), both inclusive`,
        );
    }
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
    oneOf(container.imagePullPolicy, ["", "Always", "IfNotPresent", "Never"], `${path}.imagePullPolicy`, report);
    const mountPaths = new Set<string>();
    records(container.volumeMounts).forEach((mount, index) => {
        const volume = text(mount.name);
        if (volume !== undefined && volumes && !volumes.has(volume)) {
            report(`${path}.volumeMounts[${index}].name`, `Not found: "${volume}"`);
        }
        const mountPath = text(mount.mountPath);
        if (mountPath === "") {
            report(`${path}.volumeMounts[${index}].mountPath`, "Required value");
        }
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
        checkVariableSource(variable, `${path}.env[${index}].valueFrom`, report);
    });
    records(container.envFrom).forEach((source, index) => {
        for (const kind of ["configMapRef", "secretRef"]) {
            if (source[kind] !== undefined && !isUnknown(source[kind]) && isEmpty(record(source[kind]).name)) {
                report(`${path}.envFrom[${index}].${kind}.name`, "Required value");
            }
        }
    });
    checkContainerPorts(container.ports, path, report);
    checkProbes(container, path, report);
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

/** Where a variable's value comes from, if not from the manifest. */
function checkVariableSource(variable: Record<string, unknown>, path: string, report: Report): void {
    const { value, valueFrom } = variable;
    if (valueFrom === undefined || isUnknown(valueFrom)) {
        return;
    }
    if (!isEmpty(value)) {
        report(path, "Invalid value: may not be specified when `value` is not empty");
    }
    const given = Object.keys(record(valueFrom)).filter((source) => record(valueFrom)[source] !== undefined);
    if (given.length !== 1) {
        report(
            path,
            given.length === 0
                ? "Invalid value: must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
                : "Invalid value: may not have more than one field specified at a time",
        );
    }
    for (const kind of ["configMapKeyRef", "secretKeyRef"]) {
        const reference = record(valueFrom)[kind];
        for (const field of reference === undefined || isUnknown(reference) ? [] : ["name", "key"]) {
            if (isEmpty(record(reference)[field])) {
                report(`${path}.${kind}.${field}`, "Required value");
            }
        }
    }
}

function checkContainerPorts(ports: unknown, container: string, report: Report): void {
    const names = new Set<string>();
    records(ports).forEach((port, index) => {
        const path = `${container}.ports[${index}]`;
        checkPort(port.containerPort, `${path}.containerPort`, report);
        checkPort(port.hostPort, `${path}.hostPort`, report, 0);
        oneOf(port.protocol, protocols, `${path}.protocol`, report);
        const name = text(port.name);
        if (name) {
            invalid(name, portName(name), `${path}.name`, report);
            if (names.has(name)) {
                report(`${path}.name`, `Duplicate value: "${name}"`);
            }
            names.add(name);
        }
    });
}

function checkProbes(container: Record<string, unknown>, path: string, report: Report): void {
    for (const probe of ["livenessProbe", "readinessProbe", "startupProbe"]) {
        if (container[probe] === undefined || isUnknown(container[probe])) {
            continue;
        }
        const given = record(container[probe]);
        const handlers = ["exec", "grpc", "httpGet", "tcpSocket"].filter((handler) => given[handler] !== undefined);
        if (handlers.length === 0) {
            report(`${path}.${probe}`, "Required value: must specify a handler type");
        } else if (handlers.length > 1) {
            report(`${path}.${probe}.${handlers[1]}`, "Forbidden: may not specify more than 1 handler type");
        }
        for (const handler of handlers) {
            if (handler === "exec" && !isUnknown(given.exec) && isEmpty(record(given.exec).command)) {
                report(`${path}.${probe}.exec.command`, "Required value");
            }
            checkPort(record(given[handler]).port, `${path}.${probe}.${handler}.port`, report);
        }
        for (const field of [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ]) {
            atLeast(given[field], 0, `${path}.${probe}.${field}`, report);
        }
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
    const given = at(affinity, "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms");
    const terms = records(given);
    if (Array.isArray(given) && given.length === 0) {
        report(
            "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
            "Required value: must have at least one node selector term",
        );
    }
    terms.forEach((term, index) => {
        records(term.matchExpressions).forEach((expression, position) => {
            checkRequirement(
                expression,
                ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"],
                `affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${index}].matchExpressions[${position}]`,
                report,
            );
        });
    });
    for (const field of ["podAffinity", "podAntiAffinity"]) {
        records(at(affinity, field, "requiredDuringSchedulingIgnoredDuringExecution")).forEach((term, index) => {
            checkSelector(
                term.labelSelector,
                `affinity.${field}.requiredDuringSchedulingIgnoredDuringExecution[${index}].labelSelector`,
                report,
            );
            if (term.topologyKey === undefined || term.topologyKey === "") {
                report(
                    `affinity.${field}.requiredDuringSchedulingIgnoredDuringExecution[${index}].topologyKey`,
                    "Required value: can not be empty",
                );
            }
        });
    }
}
