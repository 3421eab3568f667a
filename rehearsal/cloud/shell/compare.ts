import type { TypeFacts } from "./facts";
import { replacesAt } from "./facts";
import type { Properties, SimulatedType } from "./type";
import { isObject, list, record, same, type Path } from "./values";

export function isImmutable(type: SimulatedType | undefined, facts: TypeFacts | undefined, path: Path): boolean {
    if (type?.mutable && matches(type.mutable, path)) return false;
    if (type?.immutable && matches(type.immutable, path)) return true;
    return facts !== undefined && replacesAt(facts.inputs, path);
}

export function matches(paths: string[], path: Path): boolean {
    const dotted = path.filter((part) => typeof part === "string").join(".");
    return paths.some((one) => dotted === one || dotted.startsWith(`${one}.`));
}

/** Scopes from which one object can name the other: the same, one within the other, or of different packages. */
export function reaches(a = "", b = ""): boolean {
    const isAws = (scope: string) => /^\d{12}/.test(scope);
    return isAws(a) !== isAws(b) || a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

export function withoutMarks(inputs: Properties): Properties {
    const { __defaults: _, ...rest } = inputs;
    return rest;
}

export function withoutNulls(inputs: Properties): Properties {
    return Object.fromEntries(Object.entries(inputs).filter(([, value]) => value !== null && value !== undefined));
}

export function splitCode(message: string): [string, string] {
    const match = /^([A-Z][\w.]+): (.*)$/s.exec(message);
    return match ? [match[1], match[2]] : ["DependencyViolation", message];
}

/**
 * Outputs as they will be after an update: what inputs say now, and all that inputs never said, also inside blocks. As the real
 * provider's plan has it: `vpcConfig.clusterSecurityGroupId` of a cluster is known while its version changes.
 */
export function planned(olds: unknown, oldInputs: unknown, news: unknown): unknown {
    if (Array.isArray(olds) && Array.isArray(news)) {
        const said = list(oldInputs);
        return news.map((element, index) =>
            same(said[index], element) ? planned(olds[index], said[index], element) : element,
        );
    }
    if (!isObject(olds) || !isObject(news)) return news;
    const said = record(oldInputs);
    return {
        ...Object.fromEntries(Object.entries(olds).filter(([key]) => !(key in said))),
        ...Object.fromEntries(Object.entries(news).map(([key, value]) => [key, planned(olds[key], said[key], value)])),
    };
}

/** Lists of plain values become sorted, JSON documents are read, so that equal meaning is equal. */
export function normalize(value: unknown): unknown {
    if (Array.isArray(value)) {
        const elements = value.map(normalize);
        return elements.every((element) => typeof element === "string") ? [...elements].sort() : elements;
    }
    if (isObject(value)) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, normalize(one)]));
    if (typeof value === "string" && /^\s*[{[]/.test(value)) {
        try {
            return stable(JSON.parse(value));
        } catch {
            return value;
        }
    }
    return value;
}

export function stable(value: unknown): string {
    return JSON.stringify(value, (_, inner: unknown) =>
        isObject(inner) ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1))) : inner,
    );
}
