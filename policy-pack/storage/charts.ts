import { isUnknown } from "../plain";
import { driverClasses } from "./addons";
import { airflowClaims, communityClaims, isAirflowChart, isCommunityChart } from "./airflow";
import type { Carried, ChartUse } from "./model";
import { get, isTree, text } from "./values";

/** The chart's own name, without the repository or registry before it. */
export function chartName({ chart }: ChartUse): string | undefined {
    return typeof chart === "string"
        ? chart
              .replace(/\/+$/, "")
              .split("/")
              .at(-1)
              ?.replace(/-\d+\.\d+\.\d+.*\.tgz$/, "")
        : undefined;
}

/** Reads a chart's values: exactly where the chart is known, by shape otherwise. */
export function readChart(chart: ChartUse, carried: Carried, byShape: (value: unknown, path: string) => void): void {
    if (chart.moreValues !== undefined || isUnknown(chart.values) || isUnknown(chart.chart)) {
        carried.blanks.push({ resource: chart.resource, path: chart.moreValues ?? chart.path });
    }
    if (isUnknown(chart.values)) {
        return;
    }
    const values = isTree(chart.values) ? chart.values : {};
    const before = carried.claims.length;
    carried.classes.push(...driverClasses(chart.resource, chartName(chart) ?? "", values, chart.path));
    if (isAirflowChart(chart)) {
        airflowClaims(chart, values, carried, byShape);
    } else if (isCommunityChart(chart)) {
        communityClaims(chart, values, carried, byShape);
    } else {
        byShape(values, chart.path);
    }
    const [forAll, otherwise] = ["storageClass", "defaultStorageClass"].map(
        (key) => text(get(values, "global", key)) || undefined,
    );
    for (const claim of carried.claims.slice(before)) {
        claim.namespace ??= chart.namespace;
        if (claim.kind === "setting") {
            // In Bitnami's charts the class for all counts before the one of a section.
            const named = isOfBitnami(chart) ? (forAll ?? claim.className) : (claim.className ?? forAll);
            const name = named ?? otherwise;
            claim.className = name === "-" ? "" : name;
        }
    }
}

/** Whether a chart is one of Bitnami's, whose names others use too. */
export function isOfBitnami({ chart, repository }: ChartUse): boolean {
    return [chart, repository].some((one) => typeof one === "string" && one.includes("bitnami"));
}
