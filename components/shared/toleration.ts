import { choices, keysOf } from "./shape";

/** The taint that pods of a controller bear. */
export interface Toleration {
    /** The taint's key; every taint when absent. */
    key?: string;
    /** `Exists` or `Equal`. @default Equal */
    operator?: string;
    /** The taint's value, with `Equal`. */
    value?: string;
    /** `NoSchedule`, `PreferNoSchedule` or `NoExecute`; every effect when absent. */
    effect?: string;
}

/** The shape of a {@link Toleration}. */
export const tolerationShape = keysOf<Toleration>({
    key: "string",
    operator: choices({ exists: "Exists", equal: "Equal" }),
    value: "string",
    effect: choices({ noSchedule: "NoSchedule", preferNoSchedule: "PreferNoSchedule", noExecute: "NoExecute" }),
});

/** What controllers bear unless told otherwise: the taint of nodes that are kept for them. */
export const controllerTolerations: Toleration[] = [{ key: "CriticalAddonsOnly", operator: "Exists" }];
