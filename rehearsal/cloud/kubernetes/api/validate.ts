import type { CheckFailure } from "../../shell/type";
import type { Kind } from "./kinds";
import { isBuiltIn, isNamespaced, isPatch } from "./kinds";
import {
    annotationBytes,
    dnsLabel,
    dnsSubdomain,
    labelValue,
    pathSegmentName,
    qualifiedName,
    serviceName,
} from "./names";
import type { Manifest } from "./object";
import { checkShape } from "./shapes";
import { record, text } from "./value";
import { checkKind } from "./validateKinds";

/** What the API server would refuse about an object by itself: its shape, its metadata, and what its kind demands. */
export function checkManifest(kind: Kind, manifest: Manifest): CheckFailure[] {
    const shape = isBuiltIn(kind) ? checkShape(kind.apiVersion, kind.kind, manifest) : [];
    const failures = [...shape, ...checkMetadata(kind, manifest)];
    // The validation proper only runs on what the schema accepted, as in the API server.
    return failures.length > 0 || isPatch(kind) ? failures : checkKind(kind, manifest);
}

function checkMetadata(kind: Kind, manifest: Manifest): CheckFailure[] {
    const metadata = record(manifest.metadata);
    const failures: CheckFailure[] = [];
    const report = (property: string, reason: string | undefined): void => {
        if (reason !== undefined) {
            failures.push({ property, reason });
        }
    };
    const name = text(metadata.name);
    if (name !== undefined) {
        report(
            "metadata.name",
            nameProblem(kind, name) && `Invalid value: ${JSON.stringify(name)}: ${nameProblem(kind, name)}`,
        );
    }
    const namespace = text(metadata.namespace);
    if (namespace !== undefined && namespace !== "" && isNamespaced(kind.kind)) {
        report("metadata.namespace", dnsLabel(namespace));
    }
    for (const [key, value] of Object.entries(record(metadata.labels))) {
        report(
            `metadata.labels["${key}"]`,
            qualifiedName(key) ?? (typeof value === "string" ? labelValue(value) : undefined),
        );
    }
    let bytes = 0;
    for (const [key, value] of Object.entries(record(metadata.annotations))) {
        report(`metadata.annotations["${key}"]`, qualifiedName(key.toLowerCase()));
        bytes += key.length + (typeof value === "string" ? Buffer.byteLength(value) : 0);
    }
    report("metadata.annotations", bytes > annotationBytes ? "Too long: may not be more than 262144 bytes" : undefined);
    return failures;
}

function nameProblem({ apiVersion, kind }: Kind, name: string): string | undefined {
    if (apiVersion.startsWith("rbac.authorization.k8s.io/")) {
        return pathSegmentName(name);
    }
    switch (kind) {
        case "Namespace":
            return dnsLabel(name);
        case "Service":
            return serviceName(name);
        case "CronJob":
            // The controller appends a suffix of 11 characters to the names of its Jobs.
            return name.length > 52 ? "must be no more than 52 characters" : dnsSubdomain(name);
        case "StatefulSet":
            return dnsLabel(name);
        default:
            return dnsSubdomain(name);
    }
}
