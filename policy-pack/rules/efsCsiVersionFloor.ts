import { at, blocks, present, text, UNTIL_UP } from "../judge/tree";
import { compareVersions, versionNumbers } from "../judge/versions";
import { isUnknown, type Unknown } from "../plain";
import { Judgement, type Resource, type Rule } from "../rule";
import { chartName } from "../storage/charts";
import type { ChartUse, Workload } from "../storage/model";
import { readResource } from "../storage/read";

const ADDONS = ["aws:eks/addon:Addon", "aws-native:eks:Addon"];
const DRIVER = "aws-efs-csi-driver";

/** The chart of the first driver of each line of charts (CHANGELOG of the chart): chart 2.2.6 brings driver 1.3.8. */
const CHARTS: [chart: string, driver: string][] = [
    ["4.0.0", "3.0.0"],
    ["3.0.0", "2.0.0"],
    ["2.5.0", "1.7.0"],
    ["2.4.9", "1.6.0"],
    ["2.3.7", "1.5.0"],
    ["2.2.7", "1.4.0"],
    ["2.2.6", "1.3.8"],
    ["2.2.5", "1.3.7"],
    ["0.0.0", "1.0.0"],
];

export const rule: Rule = {
    name: "efs-csi-version-floor",
    description: "The EFS CSI driver is 1.3.8 or newer, as add-on, chart or image.",
    why: "With older drivers mounts hang (`nfs: server 127.0.0.1 not responding`), and pods stay in ContainerCreating or Terminating until the driver or the node is restarted.",
    fix: "Take a current version: add-on v1.3.8-eksbuild.1 or later, chart 2.2.6 or later (better: the newest for your cluster, pinned).",
    level: "mandatory",
    severity: "medium",
    config: {
        minimum: {
            type: "string",
            pattern: "^v?\\d+(\\.\\d+){0,2}$",
            default: "1.3.8",
            description: "The oldest driver version that is allowed.",
        },
    },
    resource(resource, config) {
        const judgement = new Judgement();
        const floor = typeof config.minimum === "string" ? config.minimum : "1.3.8";
        if (ADDONS.includes(resource.type)) {
            judgeAddon(judgement, resource, floor);
            return judgement;
        }
        const { charts, workloads } = readResource(resource);
        charts.filter((chart) => chartName(chart) === DRIVER).forEach((chart) => judgeChart(judgement, chart, floor));
        workloads.forEach((workload) => judgeImages(judgement, workload, floor));
        return judgement;
    },
};

function judgeAddon(judgement: Judgement, addon: Resource, floor: string): void {
    const name = text(addon.props.addonName);
    if (isUnknown(name)) {
        judgement.unknown(addon, "addonName", UNTIL_UP);
    } else if (name === DRIVER) {
        judgement.judge(addon);
        const version = text(addon.props.addonVersion);
        const isNone = version === undefined && present(addon.props.addonVersion);
        judgeVersion(judgement, addon, "addonVersion", isNone ? "no version" : version, floor);
    }
}

/** A version that must be there by itself; none means the newest. */
function judgeVersion(
    judgement: Judgement,
    resource: Resource,
    property: string,
    version: string | undefined | Unknown,
    floor: string,
): void {
    if (version === undefined) {
        return;
    }
    if (isUnknown(version)) {
        judgement.unknown(resource, property, UNTIL_UP);
        return;
    }
    const difference = compareVersions(version, floor);
    if (difference === undefined) {
        judgement.violation(resource, property, "it is no version of the driver");
    } else if (difference < 0) {
        judgement.violation(resource, property, `the driver is older than ${floor}`);
    }
}

function judgeChart(judgement: Judgement, chart: ChartUse, floor: string): void {
    const { resource } = chart;
    judgement.judge(resource);
    const tag = text(at(chart.values, "image", "tag"));
    if (typeof tag === "string" && versionNumbers(tag)) {
        judgeVersion(judgement, resource, chart.path === "" ? "image.tag" : `${chart.path}.image.tag`, tag, floor);
        return;
    }
    const { version, versionPath } = chart;
    if (isUnknown(version)) {
        judgement.unknown(resource, versionPath, UNTIL_UP);
    } else if (version !== undefined && version !== "") {
        judgeChartVersion(judgement, resource, versionPath, version, floor);
    }
}

/** Ranges take the newest chart that they admit: `^2.0.0` is 2.5.7. */
function judgeChartVersion(
    judgement: Judgement,
    resource: Resource,
    property: string,
    version: string,
    floor: string,
): void {
    const needed =
        CHARTS.filter(([, driver]) => (compareVersions(driver, floor) ?? 0) >= 0).at(-1)?.[0] ?? CHARTS[0]![0];
    const exact = /^\s*=?\s*v?(\d+\.\d+\.\d+)/.exec(version)?.[1];
    const line = /^\s*(?:~>?\s*v?(\d+\.\d+)|\^\s*v?(\d+)|v?(\d+(?:\.\d+)?)(?:\.[xX*])*\s*$)/.exec(version);
    if (exact !== undefined) {
        if ((compareVersions(exact, needed) ?? 0) < 0) {
            judgement.violation(resource, property, `chart ${exact} brings a driver that is older than ${floor}`);
        }
        return;
    }
    const newest = line?.slice(1).find((part) => part !== undefined);
    if (newest === undefined) {
        if (/\d/.test(version) && !/[<>*|]/.test(version)) {
            judgement.unknown(resource, property, "which driver it brings is not to be told from this version");
        }
        return;
    }
    const lead = newest.split(".").length;
    const limit = needed.split(".").slice(0, lead).join(".");
    if ((compareVersions(newest, limit) ?? 0) < 0) {
        judgement.violation(
            resource,
            property,
            `every chart of that range brings a driver that is older than ${floor}`,
        );
    }
}

function judgeImages(judgement: Judgement, { resource, podSpec, podPath }: Workload, floor: string): void {
    for (const list of ["containers", "initContainers"]) {
        for (const { value, path } of blocks(at(podSpec, list), `${podPath}.${list}`)) {
            const image = text(at(value, "image"));
            const match =
                typeof image === "string" ? /(?:^|\/)aws-efs-csi-driver(?::([^@]+))?(@.+)?$/.exec(image) : null;
            if (match) {
                judgement.judge(resource);
                const tag = match[1];
                if (tag !== undefined && versionNumbers(tag)) {
                    judgeVersion(judgement, resource, `${path}.image`, tag, floor);
                } else {
                    judgement.unknown(resource, `${path}.image`, "its tag does not tell the driver's version");
                }
            }
        }
    }
}
