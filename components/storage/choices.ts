import type { Problem } from "../shared/check";

/** What happens to a volume when its claim is deleted. */
export const ReclaimPolicy = {
    /** The volume goes with its claim. */
    Delete: "Delete",
    /** The volume stays, released, until somebody deletes it by hand. */
    Retain: "Retain",
} as const;
export type ReclaimPolicy = (typeof ReclaimPolicy)[keyof typeof ReclaimPolicy];

/** When a claim gets its volume. */
export const VolumeBinding = {
    /** As soon as the claim is there. */
    Immediate: "Immediate",
    /** When the first pod that uses the claim has been given a node. */
    WaitForFirstConsumer: "WaitForFirstConsumer",
} as const;
export type VolumeBinding = (typeof VolumeBinding)[keyof typeof VolumeBinding];

/** How many nodes and pods may use a volume. */
export const AccessMode = {
    /** One node. */
    ReadWriteOnce: "ReadWriteOnce",
    /** One pod in the whole cluster. */
    ReadWriteOncePod: "ReadWriteOncePod",
    /** Many nodes: EFS only. */
    ReadWriteMany: "ReadWriteMany",
    /** Many nodes, reading: EFS only. */
    ReadOnlyMany: "ReadOnlyMany",
} as const;
export type AccessMode = (typeof AccessMode)[keyof typeof AccessMode];

/** A problem when a value is not a whole number of a range. `unit` follows the numbers, for example ` MiB/s`. */
export function rangeProblems(
    path: string,
    value: number | undefined,
    least: number,
    most: number,
    unit = "",
): Problem[] {
    return value === undefined || (Number.isInteger(value) && value >= least && value <= most)
        ? []
        : [{ path, message: `${value} is not a whole number from ${least} to ${most}${unit}` }];
}
