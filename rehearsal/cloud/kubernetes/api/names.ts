/**
 * Names, labels and annotations, worded as the API server words it.
 * Source: kubernetes.io, "Object Names and IDs", "Labels and Selectors", "Annotations".
 */
const label1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/;
const subdomain1123 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualified = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const pathSegment = /^[^/%]+$/;

/** What is wrong with a DNS label of RFC 1123 (namespaces, containers, volumes). */
export function dnsLabel(name: string): string | undefined {
    return name.length > 63
        ? "must be no more than 63 characters"
        : label1123.test(name)
          ? undefined
          : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end " +
            "with an alphanumeric character";
}

/** What is wrong with a DNS label of RFC 1035 (services). */
export function serviceName(name: string): string | undefined {
    return name.length > 63
        ? "must be no more than 63 characters"
        : label1035.test(name)
          ? undefined
          : "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic " +
            "character, and end with an alphanumeric character";
}

/** What is wrong with a DNS subdomain of RFC 1123 (most objects). */
export function dnsSubdomain(name: string): string | undefined {
    return name.length > 253
        ? "must be no more than 253 characters"
        : subdomain1123.test(name)
          ? undefined
          : "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must " +
            "start and end with an alphanumeric character";
}

/** What is wrong with a name that is a path segment only (roles and their bindings). */
export function pathSegmentName(name: string): string | undefined {
    return name === "." || name === ".." || !pathSegment.test(name)
        ? "may not be '.', '..', or contain '/' or '%'"
        : undefined;
}

/** What is wrong with a label's or annotation's key: an optional DNS prefix and a name of at most 63 characters. */
export function qualifiedName(key: string): string | undefined {
    const parts = key.split("/");
    const name = parts[parts.length - 1];
    if (parts.length > 2) {
        return "a qualified name must consist of a name with an optional DNS subdomain prefix and '/'";
    }
    if (parts.length === 2 && (parts[0] === "" || dnsSubdomain(parts[0]))) {
        return `prefix part ${dnsSubdomain(parts[0]) ?? "must be non-empty"}`;
    }
    if (name === "" || name.length > 63) {
        return `name part ${name === "" ? "must be non-empty" : "must be no more than 63 characters"}`;
    }
    return qualified.test(name)
        ? undefined
        : "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
}

/** What is wrong with a label's value. */
export function labelValue(value: string): string | undefined {
    if (value.length > 63) {
        return "must be no more than 63 characters";
    }
    return value === "" || qualified.test(value)
        ? undefined
        : "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and " +
              "end with an alphanumeric character";
}

/** What is wrong with a key of a ConfigMap or Secret. */
export function dataKey(key: string): string | undefined {
    return /^[-._a-zA-Z0-9]{1,253}$/.test(key) && key !== "." && key !== ".."
        ? undefined
        : "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
}

/** What is wrong with the name of an environment variable (relaxed since Kubernetes 1.34: anything printable but `=`). */
export function environmentName(name: string): string | undefined {
    return /^[\x20-\x3c\x3e-\x7e]+$/.test(name)
        ? undefined
        : "must consist of printable ASCII characters other than '='";
}

/** The byte limit of all annotations together. */
export const annotationBytes = 256 * 1024;
