import { isUnknown, UNKNOWN, type Unknown } from "../plain";
import { readModes } from "./claims";
import type { Carried, ChartUse, Claim, Mode } from "./model";
import { elements, get, isTree, placeholder, text, under, type Text, type Tree } from "./values";

/** The official chart (repository airflow.apache.org); charts of the same name from elsewhere are read by shape. */
export function isAirflowChart({ chart, repository }: ChartUse): boolean {
    if (typeof chart !== "string" || !/(^|\/)airflow(-\d+\.\d+\.\d+[^/]*\.tgz)?\/?$/.test(chart)) {
        return false;
    }
    const from = typeof repository === "string" && repository !== "" ? repository : chart;
    const elsewhere = /bitnami|airflow-helm|airflow-stable|astronomer|gethue/i;
    return !elsewhere.test(from);
}

/** The community's chart (airflow-helm/charts, once stable/airflow), whose values only look like the official ones. */
export function isCommunityChart({ chart, repository }: ChartUse): boolean {
    const from = [chart, repository].filter((one) => typeof one === "string").join(" ");
    return (
        /(^|[/ ])airflow(-\d+\.\d+\.\d+[^/ ]*\.tgz)?( |$)/.test(from) &&
        /airflow-helm|airflow-stable|stable/i.test(from)
    );
}

/** Its shared volumes, with the modes that it asks for when nothing is said; all else has the usual shapes. */
export function communityClaims(
    chart: ChartUse,
    values: Tree,
    carried: Carried,
    byShape: (value: unknown, path: string) => void,
): void {
    const modes: Record<string, Mode> = { logs: "ReadWriteMany", dags: "ReadOnlyMany" };
    for (const [area, mode] of Object.entries(modes)) {
        const at = [area, "persistence"];
        if (on(get(values, ...at, "enabled"), false) === true && !isGiven(values, area)) {
            const said = modesOf(get(values, ...at, "accessMode"), mode);
            carried.claims.push(
                claimOf(
                    chart,
                    values,
                    { at, enabled: true, modes: said, classFrom: [at] },
                    under(chart.path, ...at, "accessMode"),
                ),
            );
        }
    }
    byShape(withoutRead(values, Object.keys(modes)), chart.path);
}

interface Setting {
    /** The section's path from the values' root. */
    at: string[];
    enabled: boolean | Unknown;
    modes: Mode[] | Unknown;
    /** The sections that are asked for the class, in this order. */
    classFrom: string[][];
    existing?: Text;
    sharedBy?: number;
}

/**
 * The claims that the official chart makes of its values, defaults included: a volume for each worker, triggerer, and Redis unless switched off,
 * a shared one for logs (ReadWriteMany, fixed in the template) and one for DAGs if switched on.
 */
export function airflowClaims(
    chart: ChartUse,
    values: Tree,
    carried: Carried,
    byShape: (value: unknown, path: string) => void,
): void {
    for (const setting of settingsOf(values).filter(({ enabled }) => enabled !== false)) {
        if (isUnknown(setting.enabled)) {
            carried.blanks.push({ resource: chart.resource, path: under(chart.path, ...setting.at, "enabled") });
        } else {
            carried.claims.push(claimOf(chart, values, setting));
        }
    }
    byShape(withoutRead(values, ["workers", "triggerer", "redis", "postgresql", "dags", "logs"]), chart.path);
}

function settingsOf(values: Tree): Setting[] {
    const executor = get(values, "executor");
    const runs = (kind: string) =>
        typeof executor === "string" ? executor.includes(kind) : isUnknown(executor) || kind === "Celery";
    const logs = on(get(values, "logs", "persistence", "enabled"), false);
    const ownLogs = (enabled: boolean | Unknown) =>
        logs === true ? false : isUnknown(logs) && enabled === true ? UNKNOWN : enabled;
    const stateful = runs("Celery") || runs("Local");
    const worker = on(
        get(values, "workers", "celery", "persistence", "enabled"),
        on(get(values, "workers", "persistence", "enabled"), true),
    );
    const sets = elements(get(values, "workers", "celery", "sets"));
    const triggerer = all(
        on(get(values, "triggerer", "enabled"), true),
        on(get(values, "triggerer", "persistence", "enabled"), true),
    );
    const redis = all(
        on(get(values, "redis", "enabled"), true),
        on(get(values, "redis", "persistence", "enabled"), true),
    );
    const postgresql = all(
        on(get(values, "postgresql", "enabled"), true),
        on(get(values, "postgresql", "primary", "persistence", "enabled"), true),
    );
    const workerClass = [
        ["workers", "celery", "persistence"],
        ["workers", "persistence"],
    ];
    const once: Mode[] = ["ReadWriteOnce"];
    return [
        {
            at: section(values, workerClass),
            enabled: stateful ? ownLogs(worker) : false,
            modes: once,
            classFrom: workerClass,
        },
        ...sets.map(([set, index]): Setting => {
            const at = ["workers", "celery", "sets", String(index), "persistence"];
            const named = get(set, "persistence", "storageClassName") !== undefined;
            const enabled = on(get(set, "persistence", "enabled"), worker);
            return { at, enabled: named ? ownLogs(enabled) : false, modes: once, classFrom: [at, ...workerClass] };
        }),
        {
            at: ["triggerer", "persistence"],
            enabled: ownLogs(triggerer),
            modes: once,
            classFrom: [["triggerer", "persistence"]],
        },
        {
            at: ["redis", "persistence"],
            enabled: runs("Celery") && !isGiven(values, "redis") ? redis : false,
            modes: once,
            classFrom: [["redis", "persistence"]],
        },
        {
            at: ["postgresql", "primary", "persistence"],
            enabled: isGiven(values, "postgresql", "primary") ? false : postgresql,
            modes: once,
            classFrom: [
                ["postgresql", "primary", "persistence"],
                ["postgresql", "global"],
            ],
        },
        {
            at: ["dags", "persistence"],
            enabled: on(get(values, "dags", "persistence", "enabled"), false),
            modes: modesOf(get(values, "dags", "persistence", "accessMode"), "ReadWriteOnce"),
            classFrom: [["dags", "persistence"]],
            existing: existingIn(values, "dags"),
            sharedBy: 2,
        },
        {
            at: ["logs", "persistence"],
            enabled: logs,
            modes: ["ReadWriteMany"],
            classFrom: [["logs", "persistence"]],
            existing: existingIn(values, "logs"),
            sharedBy: 2,
        },
    ];
}

function modesOf(said: unknown, otherwise: Mode): Mode[] | Unknown {
    return said === undefined ? [otherwise] : readModes(said);
}

function claimOf(chart: ChartUse, values: Tree, setting: Setting, modesPath?: string): Claim {
    const from = setting.classFrom.find((keys) =>
        ["storageClassName", "storageClass"].some((key) => isNamed(get(values, ...keys, key))),
    );
    const key = from && get(values, ...from, "storageClassName") === undefined ? "storageClass" : "storageClassName";
    const name = from && text(get(values, ...from, key));
    const path = under(chart.path, ...setting.at);
    return {
        resource: chart.resource,
        path,
        kind: "setting",
        namespace: chart.namespace,
        modes: setting.modes,
        modesPath: modesPath ?? under(path, setting.at[0] === "dags" ? "accessMode" : "enabled"),
        className: name === "-" ? "" : placeholder(name) ? UNKNOWN : name,
        classPath: from ? under(chart.path, ...from, key) : under(path, "storageClassName"),
        volumeName: undefined,
        existing: setting.existing,
        sharedBy: setting.sharedBy,
        partial: false,
    };
}

/** The section whose settings are in use, for paths: the first that says anything, or the first of all. */
function section(values: Tree, candidates: string[][]): string[] {
    return (
        candidates.find((keys) => Object.keys((get(values, ...keys) as object | undefined) ?? {}).length > 0) ??
        candidates[0]
    );
}

function existingIn(values: Tree, area: string): Text {
    const name = text(get(values, area, "persistence", "existingClaim"));
    return name === "" ? undefined : name;
}

function isGiven(values: Tree, ...area: string[]): boolean {
    const name = get(values, ...area, "persistence", "existingClaim");
    return typeof name === "string" && name !== "";
}

function isNamed(name: unknown): boolean {
    return isUnknown(name) || (typeof name === "string" && name !== "");
}

/** A switch as templates read it: anything but nothing, zero, and emptiness is on. */
function on(value: unknown, otherwise: boolean | Unknown): boolean | Unknown {
    return value === undefined ? otherwise : isUnknown(value) ? UNKNOWN : Boolean(value);
}

function all(...switches: (boolean | Unknown)[]): boolean | Unknown {
    return switches.includes(false) ? false : (switches.find(isUnknown) ?? true);
}

/** The values without the sections that were read exactly; the rest (extra volumes, claim templates) has the usual shapes. */
function withoutRead(values: Tree, areas: string[]): Tree {
    const strip = (value: unknown): unknown => {
        if (Array.isArray(value)) {
            return value.map(strip);
        }
        return isTree(value)
            ? Object.fromEntries(
                  Object.entries(value).flatMap(([key, inner]) => (key === "persistence" ? [] : [[key, strip(inner)]])),
              )
            : value;
    };
    return Object.fromEntries(
        Object.entries(values).map(([key, value]) => [key, areas.includes(key) ? strip(value) : value]),
    );
}
