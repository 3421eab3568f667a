import { at, blocks, isTree, text } from "./tree";
import { isUnknown, UNKNOWN, type Unknown } from "../plain";
import type { Resource } from "../rule";

/** A volume that a resource makes or asks others to make. */
export interface Device {
    path: string;
    /** What holds `encrypted`, `kmsKeyId` and `snapshotId`. */
    ebs: unknown;
    /** Whether instances start from it. */
    root: boolean;
}

/** The volumes of a resource, and whether the one that instances start from is among them. */
export interface Devices {
    devices: Device[];
    root: "listed" | "missing" | Unknown;
    rootPath: string;
    /** A list of devices that is not known as a whole. */
    unknown: string[];
}

/** What images call the device that they start from: Amazon Linux and Bottlerocket, Ubuntu, Debian and Windows, old ones. */
const ROOT_DEVICES = ["/dev/xvda", "/dev/sda1", "/dev/sda", "xvda", "sda1", "/dev/nvme0n1"];

/** Devices as `aws.ec2.Instance`, launch configurations and spot requests write them. */
export function instanceDevices(tree: unknown, path: string): Devices {
    const [rootKey, ebsKey] = path === "" || isTree(at(tree, "rootBlockDevice")) ? ROOT_KEYS : FLEET_KEYS;
    const prefix = path === "" ? "" : `${path}.`;
    const root = at(tree, rootKey);
    const others = at(tree, ebsKey);
    const roots = isUnknown(root) ? [] : blocks(root, `${prefix}${rootKey}`);
    const own = isUnknown(others) ? [] : blocks(others, `${prefix}${ebsKey}`).filter(({ value }) => !isNone(value));
    const mapped = own.some(({ value }) => isRoot(value));
    return {
        devices: [
            ...roots.map(({ value, path: where }) => ({ path: where, ebs: value, root: true })),
            ...own.map(({ value, path: where }) => ({ path: where, ebs: value, root: isRoot(value) })),
        ],
        root: isUnknown(root) ? UNKNOWN : roots.length > 0 || mapped ? "listed" : "missing",
        rootPath: `${prefix}${rootKey}`,
        unknown: [
            ...(isUnknown(root) ? [`${prefix}${rootKey}`] : []),
            ...(isUnknown(others) ? [`${prefix}${ebsKey}`] : []),
        ],
    };
}

function isRoot(device: unknown): boolean {
    const name = text(at(device, "deviceName"));
    return typeof name === "string" && ROOT_DEVICES.includes(name);
}

/** `noDevice` takes a device of the image away; launch templates write it as text, of which any will do. */
function isNone(device: unknown): boolean {
    const none = at(device, "noDevice");
    return none === true || (typeof none === "string" && none !== "false");
}

const ROOT_KEYS = ["rootBlockDevice", "ebsBlockDevices"] as const;
const FLEET_KEYS = ["rootBlockDevices", "ebsBlockDevices"] as const;

/** Devices as launch templates map them; a mapping without `ebs` is an instance store or switched off. */
export function mappedDevices(mappings: unknown, path: string): Devices {
    if (isUnknown(mappings)) {
        return { devices: [], root: UNKNOWN, rootPath: path, unknown: [path] };
    }
    const entries = blocks(mappings, path);
    const names = entries.map(({ value }) => text(at(value, "deviceName")));
    const devices = entries.flatMap(({ value, path: where }) =>
        isUnknown(value)
            ? [{ path: where, ebs: UNKNOWN, root: false }]
            : isNone(value)
              ? []
              : blocks(at(value, "ebs"), `${where}.ebs`).map(({ value: ebs, path: inner }) => ({
                    path: inner,
                    ebs,
                    root: isRoot(value),
                })),
    );
    const named = entries.some(({ value }) => isRoot(value) && blocks(at(value, "ebs"), "").length > 0);
    const unsure = entries.some(({ value }) => isUnknown(value)) || names.some(isUnknown);
    return { devices, root: named ? "listed" : unsure ? UNKNOWN : "missing", rootPath: path, unknown: [] };
}

/** Names of the devices that a launch template maps to a volume; `undefined` when some are not known. */
export function mappedNames(template: Resource): string[] | undefined {
    const mappings =
        template.props.blockDeviceMappings ?? at(template.props, "launchTemplateData", "blockDeviceMappings");
    const entries = blocks(mappings, "");
    const names = entries
        .filter(({ value }) => isUnknown(value) || at(value, "ebs") !== undefined)
        .map(({ value }) => text(at(value, "deviceName")));
    return isUnknown(mappings) || names.some(isUnknown) ? undefined : names.map(String);
}
