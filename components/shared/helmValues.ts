/** Values of a Helm chart: what would stand in a values file. */
export type HelmValues = Record<string, unknown>;

function isMap(value: unknown): value is HelmValues {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Lays values over values as Helm does with several values files: maps are merged key by key, everything else (lists too) is
 * replaced, and `null` removes a default of the chart.
 */
export function mergeValues(base: HelmValues, over: HelmValues): HelmValues {
    const merged: HelmValues = { ...base };
    for (const [key, value] of Object.entries(over)) {
        const below = merged[key];
        merged[key] = isMap(below) && isMap(value) ? mergeValues(below, value) : value;
    }
    return merged;
}
