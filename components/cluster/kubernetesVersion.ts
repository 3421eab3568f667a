import type { Problem } from "../shared/check";

/** The oldest version that the components were made for. */
export const oldestVersion = "1.34";
/** The version of new clusters: in standard support, and known to all controllers that the components install. */
export const defaultVersion = "1.36";

/** The minor version of `1.36`; undefined for anything else. */
export function minorVersion(version: string): number | undefined {
    const match = /^1\.(\d{1,3})$/.exec(version);
    return match ? Number(match[1]) : undefined;
}

/** Whether a version is older than another one. */
export function olderThan(version: string, other: string): boolean {
    return (minorVersion(version) ?? 0) < (minorVersion(other) ?? 0);
}

/** What is wrong with the Kubernetes version of a new cluster. */
export function versionProblems(path: string, version: string): Problem[] {
    if (minorVersion(version) === undefined) {
        return [
            {
                path,
                message: `"${version}" is no Kubernetes version; give major and minor as text, such as "${defaultVersion}".`,
            },
        ];
    }
    return olderThan(version, oldestVersion)
        ? [{ path, message: `${version} is out of standard support and costs extra; give ${oldestVersion} or newer.` }]
        : [];
}

/** Why EKS cannot take a cluster from one version to another, or undefined when it can. */
export function upgradeRefusal(from: string, to: string): string | undefined {
    const old = minorVersion(from);
    const next = minorVersion(to);
    if (old === undefined || next === undefined || next === old || next === old + 1) {
        return undefined;
    }
    return next < old
        ? `Kubernetes ${from} cannot go back to ${to}: EKS takes no version back. Set ${from} again.`
        : `Kubernetes ${from} cannot become ${to} at once: EKS upgrades one minor version at a time. Deploy 1.${old + 1} first.`;
}
