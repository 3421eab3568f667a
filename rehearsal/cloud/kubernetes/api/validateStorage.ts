import type { CheckFailure } from "../../shell/type";
import { checkRequirement, invalid, isEmpty, isUnknown, oneOf, subdomain, type Report } from "./findings";
import { volumeSources } from "./immutable";
import { dnsSubdomain, qualifiedName } from "./names";
import type { Manifest } from "./object";
import { quantity } from "./quantity";
import { at, list, record, records, text } from "./value";

/** Reports what is wrong with an object of one kind; more findings may be answered. */
export type Check = (manifest: Manifest, report: Report) => CheckFailure[] | void;

const accessModes = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"];

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

/** What a claim asks for, alone or as a template of a StatefulSet. */
export function checkClaim(spec: unknown, path: string, report: Report): void {
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
}

/** Volumes, claims, classes and snapshots. Source: pkg/apis/core/validation, pkg/apis/storage/validation, the snapshot CRDs. */
export const storageChecks: Record<string, Check> = {
    "v1/PersistentVolumeClaim": (manifest, report) => {
        if (!isUnknown(manifest.spec)) {
            checkClaim(manifest.spec, "spec", report);
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
            ["", "Retain", "Delete", "Recycle"],
            "spec.persistentVolumeReclaimPolicy",
            report,
        );
        const sources = volumeSources.filter((source) => at(manifest, "spec", source) !== undefined);
        if (sources.length === 0 && !isUnknown(manifest.spec)) {
            report("spec", "Required value: must specify a volume type");
        } else if (sources.length > 1) {
            report(`spec.${sources[1]}`, "Forbidden: may not specify more than 1 volume type");
        }
        oneOf(at(manifest, "spec", "volumeMode"), ["Block", "Filesystem"], "spec.volumeMode", report);
        const className = at(manifest, "spec", "storageClassName");
        if (!isEmpty(className)) {
            subdomain(className, "spec.storageClassName", report);
        }
        checkVolumeSource(record(manifest.spec), report);
    },
    "storage.k8s.io/v1/StorageClass": (manifest, report) => {
        oneOf(manifest.reclaimPolicy, ["", "Delete", "Retain"], "reclaimPolicy", report);
        oneOf(manifest.volumeBindingMode, ["Immediate", "WaitForFirstConsumer"], "volumeBindingMode", report);
        if (manifest.provisioner === "") {
            report("provisioner", "Required value");
        } else if (typeof manifest.provisioner === "string") {
            // Provisioners are named as labels are.
            invalid(manifest.provisioner, qualifiedName(manifest.provisioner.toLowerCase()), "provisioner", report);
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
    "storage.k8s.io/v1/VolumeAttributesClass": (manifest, report) => {
        if (Object.keys(record(manifest.parameters)).length === 0 && !isUnknown(manifest.parameters)) {
            report("parameters", "Required value: must contain at least one key/value pair");
        }
        if (typeof manifest.driverName === "string") {
            invalid(manifest.driverName, qualifiedName(manifest.driverName.toLowerCase()), "driverName", report);
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
};

/** What the source of a volume has to say, and on which nodes it can be used. */
function checkVolumeSource(spec: Record<string, unknown>, report: Report): void {
    const csi = record(spec.csi);
    if (spec.csi !== undefined && !isUnknown(spec.csi)) {
        for (const field of ["driver", "volumeHandle"]) {
            if (isEmpty(csi[field])) {
                report(`spec.csi.${field}`, "Required value");
            }
        }
        if (!isEmpty(csi.driver)) {
            subdomain(csi.driver, "spec.csi.driver", report);
        }
    }
    for (const [source, field] of [
        ["nfs", "server"],
        ["nfs", "path"],
        ["hostPath", "path"],
        ["local", "path"],
    ]) {
        if (spec[source] !== undefined && !isUnknown(spec[source]) && isEmpty(at(spec, source, field))) {
            report(`spec.${source}.${field}`, "Required value");
        }
    }
    const nfsPath = text(at(spec, "nfs", "path"));
    if (nfsPath && !nfsPath.startsWith("/")) {
        report("spec.nfs.path", `Invalid value: "${nfsPath}": must be an absolute path`);
    }
    if (spec.local !== undefined && spec.nodeAffinity === undefined) {
        report("spec.nodeAffinity", "Required value: Local volume requires node affinity");
    }
    const terms = at(spec, "nodeAffinity", "required", "nodeSelectorTerms");
    if (Array.isArray(terms) && terms.length === 0) {
        report(
            "spec.nodeAffinity.required.nodeSelectorTerms",
            "Required value: must have at least one node selector term",
        );
    }
    records(terms).forEach((term, index) => {
        records(term.matchExpressions).forEach((expression, position) => {
            checkRequirement(
                expression,
                ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"],
                `spec.nodeAffinity.required.nodeSelectorTerms[${index}].matchExpressions[${position}]`,
                report,
            );
        });
    });
}
