import type { Properties } from "../../shell/type";
import { empty, text, texts } from "../../shell/values";
import { type Findings } from "../checks";
import { Kind } from "../kinds";

/** Engine versions that RDS offers in late 2026, as far as rehearsals need them. */
export const VERSIONS: Record<string, string[]> = {
    postgres: ["13", "14", "15", "16", "17", "18"],
    mysql: ["8.0", "8.4"],
    mariadb: ["10.6", "10.11", "11.4", "11.8"],
    "aurora-postgresql": ["13", "14", "15", "16", "17"],
    "aurora-mysql": ["8.0"],
};
export const PORTS: Record<string, number> = {
    postgres: 5432,
    "aurora-postgresql": 5432,
    mysql: 3306,
    "aurora-mysql": 3306,
    mariadb: 3306,
};
export const IDENTIFIER = /^[a-z](?!.*--)[a-z0-9-]{0,61}[a-z0-9]$|^[a-z]$/;
export const IDENTIFIER_SAYS =
    "an identifier: up to 63 lower-case letters, digits and single hyphens, starting with a letter";
export const RESERVED = new Set(["rdsadmin", "admin", "postgres_admin", "rds_superuser", "user", "root"]);

export const keyReference = {
    to: [Kind.Key, Kind.Alias],
    by: "arn",
    holds: false,
    missing: "KMSKeyNotAccessibleFault",
};

/** The provider makes identifiers of lower-case letters. */
export const lowerName =
    (property: string) =>
    (
        inputs: Properties,
        { name, hex, olds }: { name: string; hex: (digits: number) => string; olds?: Properties },
    ): Properties => {
        if (!empty(inputs[property]) || !empty(inputs[`${property}Prefix`])) return inputs;
        const kept = texts(olds?.__defaults).includes(property) ? olds?.[property] : undefined;
        const made = `${name}-${hex(7)}`.toLowerCase().replace(/[^a-z0-9-]/g, "-");
        return { ...inputs, [property]: kept ?? made, __defaults: [property] };
    };

export function familyOf(engine: unknown, version: unknown): string {
    const parts = String(version).split(".");
    return String(engine) === "postgres" || String(engine) === "aurora-postgresql"
        ? `${String(engine)}${parts[0]}`
        : `${String(engine)}${parts.slice(0, 2).join(".")}`;
}

export function checkVersion(found: Findings, inputs: Properties): void {
    const engine = text(inputs.engine);
    const version = text(inputs.engineVersion);
    if (engine === undefined) return;
    const known = VERSIONS[engine];
    if (!known)
        found.add(
            "engine",
            `"${engine}" is none of the engines that the rehearsal knows (${Object.keys(VERSIONS).join(", ")})`,
        );
    else if (version !== undefined && !known.some((one) => version === one || version.startsWith(`${one}.`))) {
        found.add("engineVersion", `InvalidParameterCombination: Cannot find version ${version} for ${engine}`);
    }
}

export function checkPassword(found: Findings, inputs: Properties, key: string): void {
    const password = text(inputs[key]);
    // RDS User Guide, DB instance settings: 8 to 128 printable ASCII characters without / " @ and space.
    if (password !== undefined && !/^[!#-.0-?A-~]{8,128}$/.test(password)) {
        found.add(key, '8 to 128 printable ASCII characters besides /, ", @ and space');
    }
}
