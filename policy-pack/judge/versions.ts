/** The numbers of a version such as `v1.3.8-eksbuild.1` or `1.28`; `undefined` when there are none. */
export function versionNumbers(version: string): number[] | undefined {
    const match = /^\s*v?(\d+(?:\.\d+)*)(?![0-9A-Za-z])/i.exec(version);
    return match?.[1]?.split(".").map(Number);
}

/** Negative when `a` is older than `b`; numbers that are missing count as zero; `undefined` when either is no version. */
export function compareVersions(a: string, b: string): number | undefined {
    const [left, right] = [versionNumbers(a), versionNumbers(b)];
    if (!left || !right) {
        return undefined;
    }
    for (let index = 0; index < Math.max(left.length, right.length); index++) {
        const difference = (left[index] ?? 0) - (right[index] ?? 0);
        if (difference !== 0) {
            return difference;
        }
    }
    return 0;
}
