import type { ConfigProperty, Resource, Rule, RuleConfig } from "./rule";

/** Lets one resource (or several, by pattern) break a rule, for a stated reason, until a day. */
export interface Exception {
    /** A URN, a logical name, or a type token; `*` stands for any characters. */
    resource: string;
    /** A property's path or its beginning, `*` as above. @default every property */
    property?: string;
    reason: string;
    /** The last day (UTC) on which it holds, `YYYY-MM-DD`. */
    until: string;
}

/** What configuration every rule has besides its own and the SDK's `enforcementLevel`. */
export const commonConfig: Record<string, ConfigProperty> = {
    exceptions: {
        type: "array",
        description: "Resources that may break this rule, each with a reason and a last day.",
        items: {
            type: "object",
            properties: {
                resource: { type: "string", minLength: 1, description: "URN, logical name, or type; * is a wildcard." },
                property: {
                    type: "string",
                    minLength: 1,
                    description: "Path of the property, or its beginning; * is a wildcard.",
                },
                reason: { type: "string", minLength: 1, description: "Why the rule may be broken here." },
                until: {
                    type: "string",
                    pattern: "^\\d{4}-\\d{2}-\\d{2}$",
                    description: "Last day (UTC) on which the exception holds.",
                },
            },
            required: ["resource", "reason", "until"],
            additionalProperties: false,
        },
    },
};

export function configSchema(rule: Pick<Rule, "config">): Record<string, ConfigProperty> {
    return { ...rule.config, ...commonConfig };
}

/** Everything that is wrong with a rule's configuration. */
export function configProblems(rule: Pick<Rule, "name" | "config">, config: RuleConfig): string[] {
    const schema: ConfigProperty = { type: "object", properties: configSchema(rule), additionalProperties: false };
    const problems = mismatches(config, schema, "");
    if (problems.length > 0) {
        return problems;
    }
    return exceptionsOf(config).flatMap(({ until }, index) =>
        isDay(until) ? [] : [`exceptions[${index}].until: ${until} is not a day of the calendar`],
    );
}

/** The configuration with the defaults of its schema filled in. */
export function withDefaults(rule: Pick<Rule, "config">, config: RuleConfig): RuleConfig {
    const defaults = Object.entries(rule.config ?? {}).filter(([, property]) => property.default !== undefined);
    return { ...Object.fromEntries(defaults.map(([key, property]) => [key, property.default])), ...config };
}

export function exceptionsOf(config: RuleConfig): Exception[] {
    return (config.exceptions as Exception[] | undefined) ?? [];
}

/** The exceptions that name this property of this resource, whether or not they still hold. */
export function exceptionsFor(config: RuleConfig, found: { resource: Resource; property: string }): Exception[] {
    return exceptionsOf(config).filter(
        (exception) =>
            [found.resource.urn, found.resource.name, found.resource.type].some((text) =>
                matches(exception.resource, text),
            ) &&
            (exception.property === undefined || matches(`${exception.property}*`, found.property)),
    );
}

/** Whether an exception still holds at this moment. */
export function holds(exception: Exception, now: Date): boolean {
    return now.toISOString().slice(0, 10) <= exception.until;
}

export function matches(pattern: string, text: string): boolean {
    if (!pattern.includes("*")) {
        return pattern === text;
    }
    const parts = pattern.split("*");
    const first = parts.shift() as string;
    const last = parts.pop() as string;
    if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last)) {
        return false;
    }
    let from = first.length;
    for (const part of parts) {
        const at = text.indexOf(part, from);
        if (at < 0 || at + part.length > text.length - last.length) {
            return false;
        }
        from = at + part.length;
    }
    return true;
}

function isDay(text: string): boolean {
    const date = new Date(`${text}T00:00:00Z`);
    return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

function mismatches(value: unknown, schema: ConfigProperty, path: string): string[] {
    const where = path === "" ? "" : `${path}: `;
    if (schema.type !== undefined && ![schema.type].flat().some((type) => isOfType(value, type))) {
        return [`${where}expected ${[schema.type].flat().join(" or ")}, got ${nameOfType(value)}`];
    }
    if (schema.enum && !schema.enum.includes(value as string)) {
        return [`${where}expected one of ${schema.enum.join(", ")}`];
    }
    const problems: string[] = [];
    if (typeof value === "string") {
        if (schema.minLength !== undefined && value.length < schema.minLength) {
            problems.push(`${where}must not be empty`);
        }
        if (schema.pattern !== undefined && !new RegExp(schema.pattern).test(value)) {
            problems.push(`${where}does not match ${schema.pattern}`);
        }
    }
    if (typeof value === "number") {
        if (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity)) {
            problems.push(`${where}must be between ${schema.minimum ?? "-∞"} and ${schema.maximum ?? "∞"}`);
        }
    }
    if (Array.isArray(value) && schema.items) {
        const items = schema.items;
        problems.push(...value.flatMap((item, index) => mismatches(item, items, `${path}[${index}]`)));
    }
    if (isOfType(value, "object") && (schema.properties || schema.additionalProperties !== undefined)) {
        problems.push(...propertyMismatches(value as Record<string, unknown>, schema, path));
    }
    return problems;
}

function propertyMismatches(value: Record<string, unknown>, schema: ConfigProperty, path: string): string[] {
    const known = schema.properties ?? {};
    const under = (key: string) => (path === "" ? key : `${path}.${key}`);
    const missing = (schema.required ?? []).filter((key) => value[key] === undefined);
    return [
        ...missing.map((key) => `${under(key)}: is required`),
        ...Object.keys(value).flatMap((key) => {
            if (Object.hasOwn(known, key)) {
                return mismatches(value[key], known[key], under(key));
            }
            if (schema.additionalProperties === false) {
                return [`${under(key)}: is not known; known are ${Object.keys(known).sort().join(", ")}`];
            }
            return typeof schema.additionalProperties === "object"
                ? mismatches(value[key], schema.additionalProperties, under(key))
                : [];
        }),
    ];
}

function isOfType(value: unknown, type: string): boolean {
    switch (type) {
        case "array":
            return Array.isArray(value);
        case "object":
            return typeof value === "object" && value !== null && !Array.isArray(value);
        case "integer":
            return Number.isInteger(value);
        default:
            return typeof value === type;
    }
}

function nameOfType(value: unknown): string {
    return value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
}
