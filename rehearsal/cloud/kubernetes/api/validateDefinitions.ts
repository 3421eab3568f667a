import { invalid, isEmpty, isUnknown, oneOf, type Report } from "./findings";
import { serviceName } from "./names";
import type { Manifest } from "./object";
import { at, record, records, text } from "./value";

/** CustomResourceDefinitions. Source: k8s.io/apiextensions-apiserver, pkg/apis/apiextensions/validation. */
export function checkDefinition(manifest: Manifest, report: Report): void {
    const spec = record(manifest.spec);
    if (isUnknown(manifest.spec)) {
        return;
    }
    const name = text(at(manifest, "metadata", "name"));
    const plural = text(at(spec, "names", "plural"));
    const group = text(spec.group);
    if (name !== undefined && plural !== undefined && group !== undefined && name !== `${plural}.${group}`) {
        report("metadata.name", `Invalid value: "${name}": must be spec.names.plural+"."+spec.group`);
    }
    oneOf(spec.scope, ["Cluster", "Namespaced"], "spec.scope", report);
    if (spec.preserveUnknownFields === true) {
        report(
            "spec.preserveUnknownFields",
            "Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
        );
    }
    checkNames(record(spec.names), report);
    checkVersions(spec.versions, report);
}

function checkNames(names: Record<string, unknown>, report: Report): void {
    for (const field of ["plural", "singular"]) {
        const name = text(names[field]);
        if (name) {
            invalid(name, serviceName(name), `spec.names.${field}`, report);
        }
    }
    for (const field of ["kind", "listKind"]) {
        const name = text(names[field]);
        const problem = name ? serviceName(name.toLowerCase()) : undefined;
        if (name && problem) {
            report(
                `spec.names.${field}`,
                `Invalid value: "${name}": may have mixed case, but should otherwise match: ${problem}`,
            );
        }
    }
    for (const field of ["shortNames", "categories"]) {
        const given = names[field];
        (Array.isArray(given) ? given : []).forEach((name: unknown, index) => {
            if (typeof name === "string") {
                invalid(name, serviceName(name), `spec.names.${field}[${index}]`, report);
            }
        });
    }
    if (!isEmpty(names.kind) && names.kind === names.listKind) {
        report("spec.names.listKind", "Invalid value: kind and listKind may not be the same");
    }
}

function checkVersions(given: unknown, report: Report): void {
    if (isUnknown(given)) {
        return;
    }
    const versions = records(given);
    if (
        versions.filter((version) => version.storage === true).length !== 1 &&
        !versions.some(({ storage }) => isUnknown(storage))
    ) {
        report("spec.versions", "Invalid value: must have exactly one version marked as storage version");
    }
    const seen = new Set<string>();
    versions.forEach((version, index) => {
        const name = text(version.name);
        if (name !== undefined) {
            invalid(name, serviceName(name), `spec.versions[${index}].name`, report);
            if (seen.has(name)) {
                report("spec.versions", "Invalid value: must contain unique version names");
            }
            seen.add(name);
        }
        if (!isUnknown(version.schema) && isEmpty(at(version, "schema", "openAPIV3Schema"))) {
            report(`spec.versions[${index}].schema.openAPIV3Schema`, "Required value: schemas are required");
        } else if (isEmpty(at(version, "schema", "openAPIV3Schema", "type"))) {
            report(
                `spec.versions[${index}].schema.openAPIV3Schema.type`,
                "Required value: must not be empty at the root",
            );
        }
    });
}
