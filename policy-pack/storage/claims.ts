import { isUnknown, UNKNOWN } from "../plain";
import type { Resource } from "../rule";
import type { Claim, Mode } from "./model";
import { elements, get, isTree, placeholder, text, under } from "./values";

const betaClass = "volume.beta.kubernetes.io/storage-class";
const modes = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"] as const;
/** What charts and operators call modes and class. */
const modesInCharts = ["accessModes", "accessMode", "storageAccessModes"];
const classInCharts = ["storageClassName", "storageClass", "class"];
const sizes = /^(size|storage|resources|capacity|volumeSize|diskSize|storageSize|existingClaim)$/i;

/** Reads the specification of a claim, with the metadata that belongs to it. */
export function readClaim(
    resource: Resource,
    kind: Claim["kind"],
    spec: { value: unknown; path: string },
    metadata: unknown,
    partial: boolean,
): Claim {
    const modesKeys = keysOf(spec.value, kind === "setting" ? modesInCharts : ["accessModes", "accessMode"]);
    const classKeys = kind === "setting" ? classInCharts : ["storageClassName"];
    const classKey = keysOf(spec.value, classKeys).find((key) => isText(get(spec.value, key)));
    const [modesKey] = modesKeys;
    // The old annotation counts before the field: an object that has both is one that was converted.
    const annotated = text(get(metadata, "annotations", betaClass));
    const said = classKey === undefined ? undefined : text(get(spec.value, classKey));
    return {
        resource,
        path: spec.path,
        kind,
        name: text(get(metadata, "name")),
        namespace: text(get(metadata, "namespace")),
        modes: isUnknown(spec.value)
            ? UNKNOWN
            : allModes(modesKeys.map((key) => readModes(get(spec.value, key), kind === "setting"))),
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
    return name === "-" ? "" : name === "" ? undefined : placeholder(name) ? UNKNOWN : name;
}

/** @param loose whether texts of one's own may stand among the modes, as charts have them: they count for nothing */
export function readModes(value: unknown, loose = false): Mode[] | typeof UNKNOWN {
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    const read = elements(value).map(([mode]): [unknown, Mode] => [mode, readMode(mode)]);
    const counted = read.filter(([written, mode]) => !loose || mode !== "malformed" || typeof written !== "string");
    return counted.map(([, mode]) => mode);
}

/** Modes are compared without regard to case: a wrongly written one is meant all the same, and refused by the API server only at `up`. */
function readMode(value: unknown): Mode {
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    const written = typeof value === "string" ? value.trim().toLowerCase() : undefined;
    const mode = modes.find((one) => one.toLowerCase() === written);
    return mode ?? (placeholder(value) ? UNKNOWN : "malformed");
}

/** A chart that offers an old and a new key for modes uses either. */
function allModes(lists: (Mode[] | typeof UNKNOWN)[]): Mode[] | typeof UNKNOWN {
    return lists.find(isUnknown) ?? lists.flatMap((list) => (isUnknown(list) ? [] : list));
}

/** The names of keys as an object writes them, in the order of those asked for; charts begin some with a capital letter. */
function keysOf(value: unknown, wanted: string[]): string[] {
    return wanted
        .flatMap((key) => [key, key.charAt(0).toUpperCase() + key.slice(1)])
        .filter((key) => get(value, key) !== undefined);
}

function isText(value: unknown): boolean {
    return typeof value === "string" || isUnknown(value);
}

/** Whether a text can be the name of a class; storage classes of S3 are written in capitals. */
function isClassName(value: unknown): boolean {
    return placeholder(value) || (typeof value === "string" && /^[a-z0-9.-]*$/.test(value));
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
    const [mode] = keysOf(value, modesInCharts).map((key) => get(value, key));
    if (isUnknown(mode) || elements(mode).some(([one]) => isUnknown(readMode(one)) || readMode(one) !== "malformed")) {
        return true;
    }
    const named = keysOf(value, ["storageClassName", "storageClass"]).some((key) => isClassName(get(value, key)));
    const sized = Object.keys(value).some((key) => sizes.test(key) && get(value, key) !== undefined);
    const strimzi = get(value, "type") === "persistent-claim";
    return (
        (named && (sized || get(value, "enabled") !== undefined)) ||
        strimzi ||
        get(value, "resources", "requests", "storage") !== undefined
    );
}
