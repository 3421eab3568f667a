import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "./check";
import { type Shape, shapeOf, shapeProblems } from "./shape";

/**
 * All problems of arguments: those of their shape, and those that `judge` finds in the rest. `judge` sees the arguments without
 * what does not fit, so that it may rely on types; what it says about a place that did not fit is dropped. `reasons` say more about
 * some keys that nothing reads: why there is no such setting.
 */
export function fittingProblems<Args extends object>(
    args: Args,
    shape: Shape,
    judge: (args: Args) => Problem[],
    reasons: Record<string, string> = {},
): Problem[] {
    const misfits = shapeProblems(args, shape);
    if (misfits.some(({ path }) => path === "")) {
        return misfits;
    }
    const places = misfits.map(({ path }) => path.split("[")[0]);
    const elsewhere = judge(fitting(args, shape) as Args).filter(
        ({ path }) =>
            !places.some((place) => path === place || path.startsWith(`${place}.`) || path.startsWith(`${place}[`)),
    );
    return [...misfits.map((problem) => explained(problem, reasons)), ...elsewhere];
}

function explained({ path, message }: Problem, reasons: Record<string, string>): Problem {
    const key = path.split(".").pop() ?? path;
    const reason = Object.hasOwn(reasons, key) ? reasons[key] : undefined;
    return { path, message: (message.startsWith("there is no such setting") && reason) || message };
}

/** A value without the parts that do not fit a shape. */
function fitting(value: unknown, shape: Shape): unknown {
    if (typeof shape === "string" || "choices" in shape || isLater(value) || value === undefined) {
        return shapeProblems(value, shape).length === 0 ? value : undefined;
    }
    if ("listOf" in shape) {
        // All or nothing: what is left of a list would be judged under other numbers.
        return shapeProblems(value, shape).length === 0 ? value : undefined;
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
        // Still there, so that what refers to it by its name does not count as wrong too.
        return "keys" in shape ? {} : undefined;
    }
    const entries = Object.entries(value).map(([key, entry]) => {
        const entryShape = shapeOf(shape, key);
        return [key, entryShape === undefined ? undefined : fitting(entry, entryShape)] as const;
    });
    return Object.fromEntries(entries.filter(([, entry]) => entry !== undefined));
}

function isLater(value: unknown): boolean {
    return pulumi.Output.isInstance(value) || value instanceof Promise;
}
