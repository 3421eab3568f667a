import { list, record, records, strings } from "./value";

/** Whether labels fit a label selector (`matchLabels`, `matchExpressions`). Absent selectors fit nothing, empty ones everything. */
export function selectorMatches(selector: unknown, labels: Record<string, string>): boolean {
    if (typeof selector !== "object" || selector === null) {
        return false;
    }
    return (
        Object.entries(strings(record(selector).matchLabels)).every(([key, value]) => labels[key] === value) &&
        records(record(selector).matchExpressions).every((expression) => expressionMatches(expression, labels))
    );
}

/** One requirement of a selector; also those of node affinity, which know `Gt` and `Lt` besides. */
export function expressionMatches(expression: Record<string, unknown>, labels: Record<string, string>): boolean {
    const value = labels[String(expression.key)];
    const values = list(expression.values).map(String);
    switch (expression.operator) {
        case "In":
            return value !== undefined && values.includes(value);
        case "NotIn":
            return value === undefined || !values.includes(value);
        case "Exists":
            return value !== undefined;
        case "DoesNotExist":
            return value === undefined;
        case "Gt":
            return value !== undefined && Number(value) > Number(values[0]);
        case "Lt":
            return value !== undefined && Number(value) < Number(values[0]);
        default:
            return false;
    }
}

/** Whether labels fit a plain map, as a Service's selector is one. */
export function labelsMatch(selector: unknown, labels: Record<string, string>): boolean {
    const wanted = Object.entries(strings(selector));
    return wanted.length > 0 && wanted.every(([key, value]) => labels[key] === value);
}
