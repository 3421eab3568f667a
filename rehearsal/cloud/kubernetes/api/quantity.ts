/**
 * Quantities as the API server reads them: `500m`, `4Gi`, `1e3`.
 * Source: kubernetes.io, "Quantity" in the API reference (common definitions).
 */
const pattern = /^([+-]?(?:\d+\.?\d*|\.\d+))(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/;

const multipliers: Record<string, number> = {
    n: 1e-9,
    u: 1e-6,
    m: 1e-3,
    k: 1e3,
    M: 1e6,
    G: 1e9,
    T: 1e12,
    P: 1e15,
    E: 1e18,
    Ki: 2 ** 10,
    Mi: 2 ** 20,
    Gi: 2 ** 30,
    Ti: 2 ** 40,
    Pi: 2 ** 50,
    Ei: 2 ** 60,
};

/** The number that a quantity stands for, or `undefined` when it is none. */
export function quantity(value: unknown): number | undefined {
    if (typeof value === "number") {
        return Number.isFinite(value) ? value : undefined;
    }
    if (typeof value !== "string") {
        return undefined;
    }
    const match = pattern.exec(value);
    if (!match) {
        return undefined;
    }
    const suffix = match[2] ?? "";
    const multiplier = suffix === "" ? 1 : (multipliers[suffix] ?? Number(`1${suffix}`));
    return Number(match[1]) * multiplier;
}

/** What the API server says of a value that is no quantity. */
export function quantityProblem(value: unknown): string {
    return `quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$', got "${String(value)}"`;
}

/** The number of a quantity; 0 when it is absent or not one. */
export function amount(value: unknown): number {
    return quantity(value) ?? 0;
}

/** Whole GiB, as CSI drivers round a claim's size up. */
export function gibibytes(value: unknown): number {
    return Math.ceil(amount(value) / 2 ** 30);
}
