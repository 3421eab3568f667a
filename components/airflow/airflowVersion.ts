import { type PublishedChart } from "../shared/chart";
import { type Problem } from "../shared/check";

/** The chart that the values of this library were rendered with and read. */
export const airflowChart: PublishedChart = {
    chart: "airflow",
    repository: "https://airflow.apache.org",
    version: "1.22.0",
};

/** The Airflow that the chart was made for. */
export const DEFAULT_AIRFLOW_VERSION = "3.2.2";

/** Airflow 2 or 3: they differ in processes, secrets and settings. */
export function majorOf(version: string): 2 | 3 {
    return version.startsWith("2.") ? 2 : 3;
}

/** What is wrong with a version of Airflow or of its chart. */
export function checkVersions(airflowVersion: string | undefined, chartVersion: string | undefined): Problem[] {
    const problems: Problem[] = [];
    if (airflowVersion !== undefined && !/^(2\.11|3\.[0-3])\.\d+$/.test(airflowVersion)) {
        problems.push({
            path: "airflowVersion",
            message: `"${airflowVersion}" is not known to run with chart ${airflowChart.version}: use 2.11.x, or 3.0.x to 3.3.x with all three numbers`,
        });
    }
    if (chartVersion !== undefined && chartVersion !== airflowChart.version) {
        problems.push({
            path: "chart.version",
            message:
                `"${chartVersion}" is not the chart whose templates this library was checked against, ${airflowChart.version}; another one may ignore ` +
                "values silently (chart 2.0 drops git-sync). Use that version, or upgrade the library",
        });
    }
    return problems;
}

/** What is kept of a deployment, to judge the next one by. */
export interface DeployedVersion {
    airflowVersion: string;
    paused: boolean;
}

/** Why a change of Airflow's version must not happen as it is, or undefined. */
export function refuseVersionChange(
    before: DeployedVersion,
    after: DeployedVersion,
    acknowledged: string | undefined,
): string | undefined {
    const [from, to] = [before.airflowVersion, after.airflowVersion];
    const order = compare(from, to);
    if (order === 0 || (order < 0 && majorOf(from) === majorOf(to))) {
        return undefined;
    }
    if (order > 0 && acknowledged !== from) {
        return (
            `Airflow ${to} does not know the tables that ${from} has made. Go back by restoring the snapshot taken before the upgrade, or run ` +
            `"airflow db downgrade --to-version ${to}" in a pod of ${from} first and set acknowledgeChangeFrom to "${from}" (docs/airflow.md).`
        );
    }
    if (order > 0) {
        return undefined;
    }
    if (!before.paused || !after.paused) {
        return (
            `Airflow ${from} must stand still while the database becomes ${to}'s: set paused to true, run \`pulumi up\`, take a snapshot of the metastore, ` +
            `and only then change the version, with paused still true (docs/airflow.md).`
        );
    }
    return acknowledged === from
        ? undefined
        : `From Airflow ${from} to ${to} there is no way back but a snapshot, and DAGs need changes. Follow "From 2.11 to 3" in docs/airflow.md and set ` +
              `acknowledgeChangeFrom to "${from}".`;
}

function compare(a: string, b: string): number {
    const [left, right] = [a, b].map((version) => version.split(".").map(Number));
    const index = left.findIndex((part, at) => part !== right[at]);
    return index < 0 ? 0 : left[index] - right[index];
}
