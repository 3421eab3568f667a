import type { Problem } from "../shared/check";
import { isLabelKey, isLabelValue } from "../shared/kubernetesNames";

/** What a taint does to pods that do not tolerate it. */
export const TaintEffect = {
    /** New pods are not scheduled. */
    NoSchedule: "NO_SCHEDULE",
    /** New pods are scheduled elsewhere if possible. */
    PreferNoSchedule: "PREFER_NO_SCHEDULE",
    /** Running pods are evicted too. */
    NoExecute: "NO_EXECUTE",
} as const;
export type TaintEffect = (typeof TaintEffect)[keyof typeof TaintEffect];

/** A taint of all nodes of a group. */
export interface NodeTaint {
    /** The taint's key, `name` or `domain/name`. */
    key: string;
    /** The taint's value. @default empty */
    value?: string;
    /** What happens to pods that do not tolerate it. */
    effect: TaintEffect;
}

/** What is wrong with taints. */
export function taintProblems(taints: NodeTaint[]): Problem[] {
    return taints.flatMap(({ key, value, effect }, index) => {
        const path = `taints[${index}]`;
        const problems: Problem[] = [];
        // Settings come from YAML, where no compiler asks for a key.
        if (key === undefined) {
            return [{ path: `${path}.key`, message: "is missing." }];
        }
        if (!isLabelKey(key)) {
            problems.push({
                path: `${path}.key`,
                message: `"${key}" is no taint key: use "name" or "domain/name", 63 letters each.`,
            });
        }
        if (value !== undefined && !isLabelValue(value)) {
            problems.push({
                path: `${path}.value`,
                message: `"${value}" is no taint value: use at most 63 letters, digits, "-", "_" and ".".`,
            });
        }
        if (!Object.values(TaintEffect).includes(effect)) {
            problems.push({
                path: `${path}.effect`,
                message: `"${effect}" is none of ${Object.values(TaintEffect).join(", ")}.`,
            });
        }
        if (taints.findIndex((other) => other.key === key) !== index) {
            problems.push({
                path,
                message: `"${key}" is there twice; Cluster Autoscaler's tags hold one effect of a key, list it once.`,
            });
        }
        return problems;
    });
}
