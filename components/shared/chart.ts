import { type Problem, plain } from "./check";

/** Where a Helm chart is taken from, when not from its publisher: a mirror, an OCI registry or a folder. */
export interface ChartSource {
    /** A chart repository (`https://…`) or an OCI registry's folder (`oci://…`) that holds the chart. @default the publisher's */
    repository?: string;
    /** A chart's folder or archive on the machine that runs Pulumi; takes the place of repository and version. */
    path?: string;
    /** The chart's version, exactly. @default the version that the component was tested with */
    version?: string;
}

/** A chart as its publisher offers it, in the version that a component was tested with. */
export interface PublishedChart {
    chart: string;
    repository: string;
    version: string;
}

const EXACT_VERSION = /^v?\d+\.\d+\.\d+([-+][0-9A-Za-z.+-]+)?$/;

/** What is wrong with a {@link ChartSource}. */
export function checkChartSource(source: ChartSource | undefined): Problem[] {
    const problems: Problem[] = [];
    const repository = plain(source?.repository);
    if (repository !== undefined && !/^(https?|oci):\/\/[^/]+/.test(repository)) {
        problems.push({ path: "repository", message: `"${repository}" is neither an https:// nor an oci:// address` });
    }
    const version = plain(source?.version);
    if (version !== undefined && !EXACT_VERSION.test(version)) {
        problems.push({
            path: "version",
            message: `"${version}" is not one exact version; a range would change what runs without a change here`,
        });
    }
    if (source?.path !== undefined && (source.repository !== undefined || source.version !== undefined)) {
        problems.push({ path: "path", message: "a local chart has its own version: leave out repository and version" });
    }
    return problems;
}

/** The arguments of a Helm release that say which chart it installs. */
export function releaseChart(published: PublishedChart, source: ChartSource = {}) {
    if (source.path !== undefined) {
        return { chart: source.path };
    }
    const repository = source.repository ?? published.repository;
    const version = source.version ?? published.version;
    // Helm takes an OCI chart by its whole address and knows no repository for it.
    return repository.startsWith("oci://")
        ? { chart: `${repository.replace(/\/$/, "")}/${published.chart}`, version }
        : { chart: published.chart, version, repositoryOpts: { repo: repository } };
}
