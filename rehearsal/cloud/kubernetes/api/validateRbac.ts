import { invalid, isEmpty, isUnknown, oneOf, subdomain, type Report } from "./findings";
import { dnsSubdomain, pathSegmentName } from "./names";
import type { Manifest } from "./object";
import { list, record, records } from "./value";

const group = "rbac.authorization.k8s.io";

/** Rules of roles. Source: kubernetes/kubernetes, pkg/apis/rbac/validation (`ValidatePolicyRule`). */
export function checkRole(manifest: Manifest, report: Report, namespaced: boolean): void {
    records(manifest.rules).forEach((rule, index) => {
        const path = `rules[${index}]`;
        const none = (field: string): boolean => !isUnknown(rule[field]) && list(rule[field]).length === 0;
        if (none("verbs")) {
            report(`${path}.verbs`, "Required value: verbs must contain at least one value");
        }
        if (!none("nonResourceURLs")) {
            if (namespaced) {
                report(`${path}.nonResourceURLs`, "Invalid value: namespaced rules cannot apply to non-resource URLs");
            } else if (!none("apiGroups") || !none("resources") || !none("resourceNames")) {
                report(
                    `${path}.nonResourceURLs`,
                    "Invalid value: rules cannot apply to both regular resources and non-resource URLs",
                );
            }
            return;
        }
        if (none("apiGroups")) {
            report(`${path}.apiGroups`, "Required value: resource rules must supply at least one api group");
        }
        if (none("resources")) {
            report(`${path}.resources`, "Required value: resource rules must supply at least one resource");
        }
    });
}

/** Bindings: what role, and whom. Source: pkg/apis/rbac/validation (`ValidateRoleBinding`, `ValidateRoleBindingSubject`). */
export function checkBinding(manifest: Manifest, report: Report, namespaced: boolean): void {
    if (!isUnknown(manifest.roleRef)) {
        const { apiGroup, kind, name } = record(manifest.roleRef);
        oneOf(apiGroup, ["", group], "roleRef.apiGroup", report);
        oneOf(kind, namespaced ? ["Role", "ClusterRole"] : ["ClusterRole"], "roleRef.kind", report);
        if (isEmpty(name)) {
            report("roleRef.name", "Required value");
        } else if (typeof name === "string") {
            invalid(name, pathSegmentName(name), "roleRef.name", report);
        }
    }
    records(manifest.subjects).forEach((subject, index) => {
        const path = `subjects[${index}]`;
        const { kind, name, namespace, apiGroup } = subject;
        if (isEmpty(name)) {
            report(`${path}.name`, "Required value");
        }
        oneOf(kind, ["ServiceAccount", "User", "Group"], `${path}.kind`, report);
        if (kind !== "ServiceAccount") {
            oneOf(apiGroup, ["", group], `${path}.apiGroup`, report);
            return;
        }
        oneOf(apiGroup, [""], `${path}.apiGroup`, report);
        if (!isEmpty(name) && typeof name === "string") {
            invalid(name, dnsSubdomain(name), `${path}.name`, report);
        }
        if (!namespaced && isEmpty(namespace)) {
            report(`${path}.namespace`, "Required value");
        }
    });
}

/** Webhooks that admit objects. Source: pkg/apis/admissionregistration/validation. */
export function checkWebhooks(manifest: Manifest, report: Report): void {
    records(manifest.webhooks).forEach((webhook, index) => {
        const path = `webhooks[${index}]`;
        subdomain(webhook.name, `${path}.name`, report);
        oneOf(webhook.failurePolicy, ["Ignore", "Fail"], `${path}.failurePolicy`, report);
        oneOf(webhook.sideEffects, ["None", "NoneOnDryRun"], `${path}.sideEffects`, report);
        oneOf(webhook.matchPolicy, ["Exact", "Equivalent"], `${path}.matchPolicy`, report);
        if (typeof webhook.timeoutSeconds === "number" && (webhook.timeoutSeconds < 1 || webhook.timeoutSeconds > 30)) {
            report(`${path}.timeoutSeconds`, "Invalid value: the timeout value must be between 1 and 30 seconds");
        }
        const config = record(webhook.clientConfig);
        if (!isUnknown(webhook.clientConfig) && isEmpty(config.url) === isEmpty(config.service)) {
            report(`${path}.clientConfig`, "Required value: exactly one of url or service is required");
        }
        records(webhook.rules).forEach((rule, position) => {
            const where = `${path}.rules[${position}]`;
            for (const field of ["operations", "apiGroups", "apiVersions", "resources"]) {
                if (!isUnknown(rule[field]) && list(rule[field]).length === 0) {
                    report(`${where}.${field}`, "Required value");
                }
            }
            list(rule.operations).forEach((operation, place) => {
                oneOf(
                    operation,
                    ["*", "CONNECT", "CREATE", "DELETE", "UPDATE"],
                    `${where}.operations[${place}]`,
                    report,
                );
            });
        });
    });
}
