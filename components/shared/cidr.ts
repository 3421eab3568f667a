/** A block of IPv4 addresses: the first one as a number, and how long the common prefix is. */
export interface Cidr {
    first: number;
    prefix: number;
}

/** Reads `10.20.0.0/16`; undefined for anything else, also for a block that does not start at its first address. */
export function parseCidr(text: string): Cidr | undefined {
    const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\/(\d{1,2})$/.exec(text);
    if (!match) {
        return undefined;
    }
    const [a, b, c, d, prefix] = match.slice(1).map(Number);
    // A leading zero means octal to some readers, and AWS takes none.
    if (match.slice(1).some((number) => /^0\d/.test(number))) {
        return undefined;
    }
    if ([a, b, c, d].some((octet) => octet > 255) || prefix > 32) {
        return undefined;
    }
    const first = ((a * 256 + b) * 256 + c) * 256 + d;
    return first % cidrSize({ first, prefix }) === 0 ? { first, prefix } : undefined;
}

/** How many addresses a block holds. */
export function cidrSize({ prefix }: Cidr): number {
    return 2 ** (32 - prefix);
}

/** A block as text. */
export function formatCidr({ first, prefix }: Cidr): string {
    return `${[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".")}/${prefix}`;
}

/** Whether all of `inner` lies in `outer`. */
export function cidrContains(outer: Cidr, inner: Cidr): boolean {
    return inner.first >= outer.first && inner.first + cidrSize(inner) <= outer.first + cidrSize(outer);
}

/** Whether two blocks share addresses. */
export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
    return cidrContains(a, b) || cidrContains(b, a);
}

/** The `index`-th of the equal parts with a longer prefix that a block falls into. */
export function cidrPart(block: Cidr, prefix: number, index: number): Cidr {
    return { first: block.first + index * 2 ** (32 - prefix), prefix };
}
