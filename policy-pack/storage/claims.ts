import { isUnknown, UNKNOWN } from "../plain";
import type { Resource } from "../rule";
import type { Claim, Mode } from "./model";
import { elements, get, isTree, text, under } from "./values";

const betaClass = "volume.beta.kubernetes.io/storage-class";
const modes = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"] as const;

/** Reads the specification of a claim, with the metadata that belongs to it. */
export function readClaim(
    resource: Resource,
    kind: Claim["kind"],
    spec: { value: unknown; path: string },
    metadata: unknown,
    partial: boolean,
): Claim {
    const modesKey = ["accessModes", "accessMode"].find((key) => get(spec.value, key) !== undefined);
    const classKeys = kind === "setting" ? ["storageClassName", "storageClass", "class"] : ["storageClassName"];
    const classKey = classKeys.find((key) => isText(get(spec.value, key)));
    // The old annotation counts before the field: an object that has both is one that was converted.
    const annotated = text(get(metadata, "annotations", betaClass));
    const said = classKey === undefined ? undefined : text(get(spec.value, classKey));
    return {
        resource,
        path: spec.path,
        kind,
        name: text(get(metadata, "name")),
        namespace: text(get(metadata, "namespace")),
        modes: isUnknown(spec.value) ? UNKNOWN : readModes(modesKey && get(spec.value, modesKey)),
        modesUnsaid: modesKey === undefined && !isUnknown(spec.value),
        modesPath: under(spec.path, modesKey ?? "accessModes"),
        className: isUnknown(spec.value) ? UNKNOWN : (annotated ?? chartClass(kind, said)),
        classPath: under(spec.path, classKey ?? "storageClassName"),
        volumeName: text(get(spec.value, "volumeName")),
        labels: get(metadata, "labels"),
        partial,
    };
}

/** In the values of charts, "-" stands for "no class", and "" (or nothing) for the default class. */
function chartClass(kind: Claim["kind"], name: Claim["className"]): Claim["className"] {
    if (kind !== "setting" || isUnknown(name)) {
        return name;
    }
    return name === "-" ? "" : name === "" ? undefined : name?.includes("{{") ? UNKNOWN : name;
}

export function readModes(value: unknown): Mode[] | typeof UNKNOWN {
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    return elements(value).map(([mode]) => readMode(mode));
}

/** Modes are compared without regard to case: a wrongly written one is meant all the same, and refused by the API server only at `up`. */
function readMode(value: unknown): Mode {
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    const written = typeof value === "string" ? value.trim().toLowerCase() : undefined;
    return modes.find((mode) => mode.toLowerCase() === written) ?? "malformed";
}

function isText(value: unknown): boolean {
    return typeof value === "string" || isUnknown(value);
}

/** Kinds of volumes, other than claims, that charts offer under the same key. */
const noClaims = ["emptyDir", "hostPath", "nfs", "configMap", "secret", "custom"];

/** Whether an object, found somewhere under a custom resource or among values, is the specification of a claim. */
export function looksLikeClaim(value: unknown): boolean {
    if (!isTree(value)) {
        return false;
    }
    if (noClaims.includes(value.type as string)) {
        return false;
    }
    const mode = ["accessModes", "accessMode"].map((key) => get(value, key)).find((one) => one !== undefined);
    if (mode !== undefined) {
        return isUnknown(mode) || elements(mode).some(([one]) => isUnknown(one) || readMode(one) !== "malformed");
    }
    const named = ["storageClassName", "storageClass"].some((key) => isText(get(value, key)));
    const sized = ["size", "storage", "resources", "capacity", "volumeSize", "diskSize", "existingClaim"].some(
        (key) => get(value, key) !== undefined,
    );
    const strimzi = get(value, "type") === "persistent-claim";
    return (
        (named && (sized || get(value, "enabled") !== undefined)) ||
        strimzi ||
        get(value, "resources", "requests", "storage") !== undefined
    );
}
