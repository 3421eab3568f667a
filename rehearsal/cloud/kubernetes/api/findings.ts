import { dnsLabel, dnsSubdomain, labelValue, qualifiedName } from "./names";
import { list, record, records, strings } from "./value";

/** Reports one finding: the field's path and what the API server says of it. */
export type Report = (property: string, reason: string) => void;

/** What a preview does not know yet. */
export function isUnknown(value: unknown): boolean {
    return typeof value === "symbol";
}

/** Whether something inside a value is not known yet. */
export function hasSymbol(value: unknown): boolean {
    return isUnknown(value) || (typeof value === "object" && value !== null && Object.values(value).some(hasSymbol));
}

/** Absent, or empty, where the API server makes no difference between the two. */
export function isEmpty(value: unknown): boolean {
    return (
        value === undefined ||
        value === null ||
        value === "" ||
        (typeof value === "object" && Object.keys(value).length === 0)
    );
}

/** Demands one of several words; an empty one is none, unless it is among them. */
export function oneOf(value: unknown, allowed: string[], property: string, report: Report): void {
    if (typeof value === "string" && !allowed.includes(value)) {
        report(
            property,
            `Unsupported value: "${value}": supported values: ${allowed
                .filter((one) => one !== "")
                .map((one) => `"${one}"`)
                .join(", ")}`,
        );
    }
}

export function atLeast(value: unknown, minimum: number, property: string, report: Report): void {
    if (typeof value === "number" && value < minimum) {
        report(property, `Invalid value: ${value}: must be greater than or equal to ${minimum}`);
    }
}

/** Reports a problem that {@link dnsLabel} and its kin found. */
export function invalid(value: string, problem: string | undefined, property: string, report: Report): void {
    if (problem !== undefined) {
        report(property, `Invalid value: "${value}": ${problem}`);
    }
}

/** A required name that is a DNS subdomain, such as that of a class. */
export function subdomain(value: unknown, property: string, report: Report): void {
    if (typeof value === "string") {
        invalid(value, dnsSubdomain(value), property, report);
    }
}

/** Transport protocols; an empty one is TCP. */
export const protocols = ["", "TCP", "UDP", "SCTP"];

/** The number of a port, or its name. */
export function checkPort(value: unknown, property: string, report: Report, lowest = 1): void {
    if (typeof value === "number" && (value < lowest || value > 65535)) {
        report(property, `Invalid value: ${value}: must be between 1 and 65535, inclusive`);
    }
    if (typeof value === "string") {
        invalid(value, portName(value), property, report);
    }
}

/** What is wrong with the name of a port. Source: IANA service names, `IsValidPortName` of kubernetes/apimachinery. */
export function portName(name: string): string | undefined {
    return /^(?!.*--)(?=.*[a-z])[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$/.test(name)
        ? undefined
        : "must be no more than 15 characters, lower case alphanumeric or '-', with at least one letter, and must not contain consecutive hyphens";
}

export function checkLabels(labels: unknown, path: string, report: Report): void {
    for (const [key, value] of Object.entries(strings(labels))) {
        const problem = qualifiedName(key) ?? labelValue(value);
        if (problem) {
            report(`${path}["${key}"]`, problem);
        }
    }
}

/** A label selector (`matchLabels`, `matchExpressions`). */
export function checkSelector(selector: unknown, path: string, report: Report): void {
    checkLabels(record(selector).matchLabels, `${path}.matchLabels`, report);
    records(record(selector).matchExpressions).forEach((expression, index) => {
        checkRequirement(
            expression,
            ["In", "NotIn", "Exists", "DoesNotExist"],
            `${path}.matchExpressions[${index}]`,
            report,
        );
    });
}

/** One requirement of a selector, or of node affinity (which knows `Gt` and `Lt` besides). */
export function checkRequirement(
    { key, operator, values }: Record<string, unknown>,
    operators: string[],
    path: string,
    report: Report,
): void {
    if (typeof key === "string") {
        invalid(key, qualifiedName(key), `${path}.key`, report);
    }
    if (typeof operator === "string" && !operators.includes(operator)) {
        report(`${path}.operator`, `Invalid value: "${operator}": not a valid selector operator`);
    }
    if (isUnknown(values)) {
        return;
    }
    const given = list(values);
    if (["In", "NotIn"].includes(String(operator)) && given.length === 0) {
        report(`${path}.values`, "Required value: must be specified when `operator` is 'In' or 'NotIn'");
    }
    if (["Exists", "DoesNotExist"].includes(String(operator)) && given.length > 0) {
        report(`${path}.values`, "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'");
    }
    if (["Gt", "Lt"].includes(String(operator)) && given.length !== 1) {
        report(`${path}.values`, "Required value: must be specified single value when `operator` is 'Lt' or 'Gt'");
    }
    given.forEach((value, index) => {
        if (typeof value === "string") {
            invalid(value, labelValue(value), `${path}.values[${index}]`, report);
        }
    });
}

/** A CIDR block of IPv4 or IPv6. */
export function isCidr(text: string): boolean {
    return /^(\d{1,3}(\.\d{1,3}){3}\/([12]?\d|3[0-2])|[0-9a-fA-F:]+\/\d{1,3})$/.test(text);
}

/** The name of a Service, where something refers to it. */
export function checkServiceName(name: unknown, property: string, report: Report): void {
    if (typeof name === "string") {
        invalid(name, name.includes(".") ? "must not contain dots" : dnsLabel(name), property, report);
    }
}
