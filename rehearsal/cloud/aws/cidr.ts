/** An IPv4 range, as first address and number of addresses. */
export interface Range {
    first: number;
    size: number;
    prefix: number;
}

export function parseCidr(cidr: unknown): Range | undefined {
    const match = typeof cidr === "string" ? /^(\d+)\.(\d+)\.(\d+)\.(\d+)\/(\d+)$/.exec(cidr) : null;
    if (!match) return undefined;
    const [a, b, c, d, prefix] = match.slice(1).map(Number);
    if ([a, b, c, d].some((octet) => octet > 255) || prefix > 32) return undefined;
    const size = 2 ** (32 - prefix);
    const address = ((a * 256 + b) * 256 + c) * 256 + d;
    return { first: address - (address % size), size, prefix };
}

export function formatAddress(address: number): string {
    return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

export function formatCidr({ first, prefix }: Range): string {
    return `${formatAddress(first)}/${prefix}`;
}

export function overlaps(a: Range, b: Range): boolean {
    return a.first < b.first + b.size && b.first < a.first + a.size;
}

export function contains(outer: Range, inner: Range): boolean {
    return inner.first >= outer.first && inner.first + inner.size <= outer.first + outer.size;
}
