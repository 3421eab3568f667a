import { isUnknown, UNKNOWN, type Unknown } from "../plain";
import { at, items, text } from "./tree";
import { versionNumbers } from "./versions";

/** How an engine is told to refuse connections without TLS. */
export interface TlsSetting {
    parameter: string;
    /** Whether connections without TLS are refused when nothing is said. */
    byDefault: boolean;
    /** Whether the engine of this version can be told at all. */
    exists: boolean;
}

/** A database engine or parameter group family, split: `aurora-postgresql` and 16, `mysql` and 8. */
export function splitFamily(family: string): { engine: string; version: number[] | undefined } {
    const match = /^(.*?[a-z])-?(\d[\d.]*)?$/.exec(family.trim().toLowerCase());
    const version = match?.[2] === undefined ? undefined : versionNumbers(match[2]);
    return { engine: match?.[1] ?? family.toLowerCase(), version };
}

/**
 * The setting of an engine, `undefined` where there is none to judge (Oracle has options, Db2 a registry, Neptune refuses
 * plain connections always). Without a version AWS takes its newest default. Defaults: RDS guide, "Requiring an SSL
 * connection" of each engine: PostgreSQL from 15 on, Aurora PostgreSQL from 17, MariaDB from 11.8, DocumentDB always.
 */
export function tlsSetting(engine: string, version: number[] | undefined): TlsSetting | undefined {
    const since = (major: number, minor = 0): boolean =>
        version === undefined || (version[0] ?? 0) > major || (version[0] === major && (version[1] ?? 0) >= minor);
    switch (engine) {
        case "postgres":
            return { parameter: "rds.force_ssl", byDefault: since(15), exists: true };
        case "aurora-postgresql":
            return { parameter: "rds.force_ssl", byDefault: since(17), exists: true };
        case "mysql":
        case "aurora":
        case "aurora-mysql":
            return {
                parameter: "require_secure_transport",
                byDefault: false,
                exists: version === undefined || since(5, 7),
            };
        case "mariadb":
            return {
                parameter: "require_secure_transport",
                byDefault: since(11, 8),
                exists: version === undefined || since(10, 5),
            };
        case "docdb":
            return { parameter: "tls", byDefault: true, exists: true };
        default:
            return engine.startsWith("sqlserver")
                ? { parameter: "rds.force_ssl", byDefault: false, exists: true }
                : undefined;
    }
}

/** What a parameter group says of a parameter: its value in lower case, nothing, or unknown. The path is that of the value. */
export function parameterValue(parameters: unknown, name: string): { value: string | Unknown; path: string }[] {
    if (isUnknown(parameters)) {
        return [{ value: UNKNOWN, path: "parameters" }];
    }
    if (
        typeof parameters === "object" &&
        parameters !== null &&
        !Array.isArray(parameters) &&
        !("name" in parameters)
    ) {
        // CloudFormation's types take a map.
        const value = at(parameters, name);
        return value === undefined ? [] : [{ value: spell(value), path: `parameters["${name}"]` }];
    }
    return items(parameters).flatMap((entry, index) => {
        const key = text(at(entry, "name"));
        if (isUnknown(entry) || isUnknown(key)) {
            return [{ value: UNKNOWN, path: `parameters[${index}]` }];
        }
        return key?.trim().toLowerCase() === name
            ? [{ value: spell(at(entry, "value")), path: `parameters[${index}].value` }]
            : [];
    });
}

function spell(value: unknown): string | Unknown {
    const spelled = typeof value === "boolean" ? String(value) : text(value);
    return isUnknown(spelled) ? UNKNOWN : (spelled ?? "").trim().toLowerCase();
}

/** Whether a value of the parameter makes TLS a must, as the engine reads it. */
export function demandsTls(parameter: string, value: string): boolean {
    if (parameter === "tls") {
        return value !== "disabled";
    }
    return value === "1" || (parameter === "require_secure_transport" && value === "on");
}
