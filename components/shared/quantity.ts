const factors: Record<string, number> = {
    n: 1e-9,
    u: 1e-6,
    m: 1e-3,
    "": 1,
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

/** A Kubernetes quantity as a number: `500m` is 0.5, `10Gi` is 10 x 2^30. Undefined when Kubernetes would refuse it. */
export function parseQuantity(text: string): number | undefined {
    const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text);
    if (!match) {
        return undefined;
    }
    const [, digits, exponent, suffix] = match;
    return exponent ? Number(digits + exponent) : Number(digits) * factors[suffix ?? ""];
}
