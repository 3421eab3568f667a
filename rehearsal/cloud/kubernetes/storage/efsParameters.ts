import { ROOT_PATH } from "../../aws/types/files";
/** What the EFS CSI driver makes of a StorageClass. */
export interface EfsAccessPointRequest {
    fileSystemId: string;
    uid: number;
    gid: number;
    directoryPerms: string;
    path: string;
    reuse: boolean;
}

const known = new Set([
    "provisioningmode",
    "filesystemid",
    "filesystemidconfigref",
    "filesystemidsecretref",
    "directoryperms",
    "uid",
    "gid",
    "gidrangestart",
    "gidrangeend",
    "basepath",
    "subpathpattern",
    "ensureuniquedirectory",
    "az",
    "enforcezoneaffinity",
    "reuseaccesspoint",
    "enabletagging",
    "crossaccount",
]);

export interface EfsClaim {
    volumeName: string;
    claimName: string;
    namespace: string;
    /** Identities that access points of this file system already have. */
    taken: Set<number>;
    unique: () => string;
}

/**
 * Reads a class's parameters as the driver does. Source: aws-efs-csi-driver docs/parameters.md and
 * pkg/driver/controller.go at v3.4.
 */
export function efsAccessPoint(
    parameters: Record<string, string>,
    claim: EfsClaim,
): EfsAccessPointRequest | { error: string } {
    const values = new Map<string, string>();
    for (const [key, value] of Object.entries(parameters)) {
        const lower = key.toLowerCase();
        if (!known.has(lower) && !lower.startsWith("csi.storage.k8s.io/")) {
            return { error: `Invalid parameter ${key} for the EFS CSI driver` };
        }
        values.set(lower, value);
    }
    const mode = values.get("provisioningmode");
    if (mode === undefined) {
        return { error: "Missing provisioningMode parameter" };
    }
    if (mode !== "efs-ap") {
        return {
            error: `Provisioning mode ${mode} is not supported. Only Access point provisioning: efs-ap is supported`,
        };
    }
    const fileSystemId = values.get("filesystemid")?.trim();
    if (!fileSystemId) {
        return { error: "Missing fileSystemId parameter" };
    }
    const perms = values.get("directoryperms");
    if (!perms) {
        return { error: "Missing directoryPerms parameter" };
    }
    if (!/^[0-7]{3,4}$/.test(perms)) {
        return {
            error: `Failed to create Access point: ValidationException: value "${perms}" at 'rootDirectory.creationInfo.permissions' must match ^[0-7]{3,4}$`,
        };
    }
    const identity = identityOf(values, claim.taken);
    if ("error" in identity) {
        return identity;
    }
    const path = pathOf(values, claim);
    return typeof path === "object"
        ? path
        : { fileSystemId, ...identity, directoryPerms: perms, path, reuse: values.get("reuseaccesspoint") === "true" };
}

function identityOf(values: Map<string, string>, taken: Set<number>): { uid: number; gid: number } | { error: string } {
    const numbers: Record<string, number | undefined> = {};
    for (const key of ["uid", "gid", "gidrangestart", "gidrangeend"]) {
        const value = values.get(key);
        if (value !== undefined && !/^-?\d+$/.test(value)) {
            return { error: `Failed to parse invalid ${key}: strconv.ParseInt: parsing "${value}": invalid syntax` };
        }
        numbers[key] = value === undefined ? undefined : Number(value);
    }
    const { uid, gid, gidrangestart: start, gidrangeend: end } = numbers;
    if ((uid ?? 0) < 0 || (gid ?? 0) < 0) {
        return { error: "uid and gid must not be negative" };
    }
    if (uid !== undefined && gid !== undefined) {
        return { uid, gid };
    }
    if ((uid === undefined) !== (gid === undefined)) {
        return { error: `Missing ${uid === undefined ? "uid" : "gid"} parameter: uid and gid go together` };
    }
    if ((start === undefined) !== (end === undefined)) {
        return { error: `Missing ${start === undefined ? "gidRangeStart" : "gidRangeEnd"} parameter` };
    }
    if (start !== undefined && (start <= 0 || start >= (end ?? 0))) {
        return { error: "gidRangeStart must be positive and less than gidRangeEnd" };
    }
    const first = start ?? 50_000;
    const last = Math.min(end ?? 7_000_000, first + 10_000);
    for (let id = first; id <= last; id++) {
        if (!taken.has(id)) {
            return { uid: id, gid: id };
        }
    }
    return { error: "Failed to locate a free GID for the given file system" };
}

function pathOf(values: Map<string, string>, claim: EfsClaim): string | { error: string } {
    const base = values.get("basepath") ?? "";
    const pattern = values.get("subpathpattern");
    let directory = claim.volumeName;
    if (pattern !== undefined && pattern !== "") {
        directory = pattern
            .replaceAll("${.PVC.name}", claim.claimName)
            .replaceAll("${.PVC.namespace}", claim.namespace)
            .replaceAll("${.PV.name}", claim.volumeName);
        if (/\$\{|\}/.test(directory)) {
            return {
                error: `Invalid subPathPattern "${pattern}": only \${.PVC.name}, \${.PVC.namespace} and \${.PV.name} are known`,
            };
        }
        if (values.get("ensureuniquedirectory") !== "false") {
            directory = `${directory}-${claim.unique()}`;
        }
    }
    const path = `/${base}/${directory}`.replace(/\/+/g, "/");
    if (path.length > 100) {
        return { error: `Proposed path '${path}' exceeds EFS limit of 100 characters` };
    }
    if (path.split("/").length - 1 > 4) {
        return { error: `Proposed path '${path}' exceeds EFS limit of 4 subdirectories` };
    }
    return ROOT_PATH.test(path)
        ? path
        : { error: `Failed to create Access point: ValidationException: '${path}' is no 'rootDirectory.path' of EFS` };
}
