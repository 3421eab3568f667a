import { type Problem, under } from "../shared/check";
import type { HelmValues } from "../shared/helmValues";
import {
    APPENDED_LISTS,
    isSecretOption,
    PROTECTED,
    PROTECTED_IN_SETS,
    PROTECTED_VARIABLES,
    TOP_LEVEL,
    variableOf,
} from "./protectedValues";

/** What is wrong with further values of the chart: what it would ignore, and what would break a promise of the component. */
export function checkFurtherValues(values: HelmValues = {}): Problem[] {
    const problems: Problem[] = [
        ...Object.keys(values)
            .filter((key) => !TOP_LEVEL.includes(key))
            .map((path) => ({ path, message: "is no value of the chart, which would ignore it silently" })),
        ...protectedProblems(values, PROTECTED),
        ...deprecatedWorkers(values.workers),
        ...configProblems(values.config),
        ...variableProblems(values, ""),
    ];
    for (const list of APPENDED_LISTS) {
        if (values[list] !== undefined && values[list] !== null && !Array.isArray(values[list])) {
            problems.push({ path: list, message: "must be a list" });
        }
    }
    return problems;
}

/** What is wrong with the values of one further set of workers, beside its name and queues. */
export function checkSetValues(set: HelmValues): Problem[] {
    return protectedProblems(set, PROTECTED_IN_SETS);
}

function isMap(value: unknown): value is HelmValues {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Protected places, and other things than maps (`null` too) around them: both replace what the component has said there. */
function protectedProblems(values: HelmValues, reasons: Record<string, string>): Problem[] {
    const found = new Map<string, string>();
    for (const [path, reason] of Object.entries(reasons)) {
        const keys = path.split(".");
        let place: unknown = values;
        for (const [index, key] of keys.entries()) {
            if (!isMap(place) || !Object.hasOwn(place, key)) {
                break;
            }
            place = place[key];
            if (index === keys.length - 1) {
                found.set(path, `cannot be set here: ${reason}`);
            } else if (!isMap(place)) {
                found.set(
                    keys.slice(0, index + 1).join("."),
                    "must be a map of keys and values: this would hide what the component says there",
                );
                break;
            }
        }
    }
    return [...found].map(([path, message]) => ({ path, message }));
}

/** `workers.celery` has replaced `workers`, and wins where both say something. */
function deprecatedWorkers(workers: unknown): Problem[] {
    return Object.keys(isMap(workers) ? workers : {})
        .filter((key) => key !== "celery")
        .map((key) => ({
            path: `workers.${key}`,
            message: `is what the chart read before it had workers.celery, which wins; write workers.celery.${key}`,
        }));
}

/** Settings of Airflow stand in a ConfigMap, and Airflow ends at once when one is there twice, in any spelling. */
function configProblems(config: unknown): Problem[] {
    return Object.entries(isMap(config) ? config : {}).flatMap(([section, options]) =>
        Object.keys(isMap(options) ? options : {}).flatMap((option): Problem[] => {
            const path = `config.${section}.${option}`;
            if (`${section}.${option}` !== `${section}.${option}`.toLowerCase()) {
                return [
                    { path, message: `is the same to Airflow as ${path.toLowerCase()}, which must not be there twice` },
                ];
            }
            return isSecretOption(section, option)
                ? [
                      {
                          path,
                          message: `secrets never stand in values: put it into a Kubernetes Secret, and name that in \`secret\` for ${variableOf(section, option)}, unless the component sets it`,
                      },
                  ]
                : [];
        }),
    );
}

/** Variables of the component anywhere in the values: at the top, of one part, or in a text that the chart takes as a template. */
function variableProblems(value: unknown, path: string): Problem[] {
    if (Array.isArray(value)) {
        return value.flatMap((entry, index) => variableProblems(entry, `${path}[${index}]`));
    }
    if (!isMap(value)) {
        return [];
    }
    return Object.entries(value).flatMap(([key, entry]) => {
        const at = path ? `${path}.${key}` : key;
        const names =
            key === "env" || key === "secret"
                ? namesIn(entry)
                : key === "extraEnv" && typeof entry === "string"
                  ? (entry.match(/\b[A-Z][A-Z0-9_]+\b/g) ?? [])
                  : [];
        const found = [...new Set(names)].filter((name) => Object.hasOwn(PROTECTED_VARIABLES, name));
        return [
            ...found.map((name) => ({ path: at, message: `${name} cannot be set here: ${PROTECTED_VARIABLES[name]}` })),
            ...variableProblems(entry, at),
        ];
    });
}

function namesIn(list: unknown): string[] {
    return Array.isArray(list)
        ? list.filter(isMap).map((entry) => String(entry.envName ?? entry.name))
        : isMap(list)
          ? Object.keys(list)
          : [];
}

/** What is wrong with variables that are in two places: Helm loses one of them in an upgrade. */
export function doubleVariables(environment: Record<string, string> = {}, values: HelmValues = {}): Problem[] {
    const inValues = [...namesIn(values.env), ...namesIn(values.secret)];
    return under(
        "values",
        inValues
            .filter((name, index) => Object.hasOwn(environment, name) || inValues.indexOf(name) !== index)
            .map((name) => ({ path: "env", message: `${name} is there twice, with environment; give it once` })),
    );
}
