import type { Problem } from "./check";

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const qualified = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Whether a text is a DNS label, as namespaces and Services are named: at most 63 of `a-z`, `0-9` and `-`. */
export function isDnsLabel(text: string): boolean {
    return text.length <= 63 && label.test(text);
}

/** Whether a text is a DNS subdomain, as most Kubernetes objects are named: labels joined by dots, at most 253. */
export function isDnsSubdomain(text: string): boolean {
    return text.length <= 253 && subdomain.test(text);
}

/** Whether Kubernetes takes a text as the key of a label, taint or annotation: `name` or `prefix/name`. */
export function isLabelKey(text: string): boolean {
    const parts = text.split("/");
    const name = parts[parts.length - 1];
    const prefix = parts.length === 2 ? parts[0] : undefined;
    return (
        parts.length <= 2 &&
        name.length <= 63 &&
        qualified.test(name) &&
        (prefix === undefined || isDnsSubdomain(prefix))
    );
}

/** Whether Kubernetes takes a text as the value of a label or taint: empty, or at most 63 letters. */
export function isLabelValue(text: string): boolean {
    return text === "" || (text.length <= 63 && qualified.test(text));
}

/** What is wrong with the name of a namespace. */
export function namespaceProblems(path: string, namespace: string | undefined): Problem[] {
    return namespace === undefined || isDnsLabel(namespace)
        ? []
        : [{ path, message: `"${namespace}" is no Kubernetes namespace: use at most 63 of a-z, 0-9 and "-".` }];
}

/** What is wrong with a map of labels. */
export function labelProblems(path: string, labels: Record<string, string | undefined> | undefined): Problem[] {
    return Object.entries(labels ?? {}).flatMap(([key, value]) => {
        const at = `${path}.${key}`;
        const problems: Problem[] = [];
        if (!isLabelKey(key)) {
            problems.push({
                path: at,
                message: `"${key}" is no label key: use "name" or "domain/name", 63 letters each.`,
            });
        }
        if (value !== undefined && !isLabelValue(value)) {
            problems.push({
                path: at,
                message: `"${value}" is no label value: use at most 63 letters, digits, "-", "_" and ".".`,
            });
        }
        return problems;
    });
}
