/** A range of addresses of one family, both ends included. */
export interface AddressRange {
    family: 4 | 6;
    first: bigint;
    last: bigint;
}

const BITS = { 4: 32n, 6: 128n } as const;

/** Reads `10.0.0.0/8` or `2001:db8::/32`. Host bits are cut off, as AWS does. `undefined` when it is not a range. */
export function parseCidr(cidr: string): AddressRange | undefined {
    const match = /^\s*([0-9a-fA-F:.]+)\/(\d{1,3})\s*$/.exec(cidr);
    if (!match) {
        return undefined;
    }
    const [, address, length] = match as unknown as [string, string, string];
    const family = address.includes(":") ? 6 : 4;
    const bits = BITS[family];
    const number = family === 6 ? parseIpv6(address) : parseIpv4(address);
    const prefix = BigInt(length);
    if (number === undefined || prefix > bits) {
        return undefined;
    }
    const size = 1n << (bits - prefix);
    const first = (number / size) * size;
    return { family, first, last: first + size - 1n };
}

function parseIpv4(address: string): bigint | undefined {
    const parts = address.split(".");
    if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255)) {
        return undefined;
    }
    return parts.reduce((sum, part) => (sum << 8n) | BigInt(part), 0n);
}

function parseIpv6(address: string): bigint | undefined {
    const halves = address.split("::");
    if (halves.length > 2) {
        return undefined;
    }
    const [head, tail] = halves.map(ipv6Groups);
    if (!head || (halves.length === 2 && !tail)) {
        return undefined;
    }
    const missing = 8 - head.length - (tail?.length ?? 0);
    if (halves.length === 1 ? missing !== 0 : missing < 1) {
        return undefined;
    }
    const groups = [...head, ...Array<bigint>(halves.length === 2 ? missing : 0).fill(0n), ...(tail ?? [])];
    return groups.reduce((sum, group) => (sum << 16n) | group, 0n);
}

function ipv6Groups(text: string): bigint[] | undefined {
    if (text === "") {
        return [];
    }
    const parts = text.split(":");
    const groups: bigint[] = [];
    for (const [index, part] of parts.entries()) {
        if (part.includes(".") && index === parts.length - 1) {
            const embedded = parseIpv4(part);
            if (embedded === undefined) {
                return undefined;
            }
            groups.push(embedded >> 16n, embedded & 0xffffn);
        } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
            groups.push(BigInt(`0x${part}`));
        } else {
            return undefined;
        }
    }
    return groups;
}

/** Addresses that nobody on the internet has: private, shared, local, multicast, reserved (IANA registries). */
const NOT_GLOBAL = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "224.0.0.0/3",
].map((cidr) => parseCidr(cidr) as AddressRange);

/** The whole of the IPv6 internet; what lies outside is local, unassigned or multicast. */
const GLOBAL_IPV6 = parseCidr("2000::/3") as AddressRange;

/** How much of the internet a single owner can plausibly have: an IPv4 /8, an IPv6 /16. */
const LARGEST_OWNER = { 4: 1n << 24n, 6: 1n << 112n } as const;

/**
 * Whether the ranges together let in the internet, not just somebody: more public addresses than any one owner has. What
 * is no range lets nobody in (AWS refuses it).
 */
export function isPublic(cidrs: string[]): boolean {
    const ranges = cidrs.flatMap((cidr) => parseCidr(cidr) ?? []);
    return ([4, 6] as const).some((family) => globalAddresses(ranges, family) > LARGEST_OWNER[family]);
}

/** How many public addresses of a family the union of the ranges holds. */
export function globalAddresses(ranges: AddressRange[], family: 4 | 6): bigint {
    const own = ranges.filter((range) => range.family === family);
    if (family === 6) {
        const inside = own.map(({ first, last }) => ({
            family,
            first: first > GLOBAL_IPV6.first ? first : GLOBAL_IPV6.first,
            last: last < GLOBAL_IPV6.last ? last : GLOBAL_IPV6.last,
        }));
        return size(inside.filter(({ first, last }) => first <= last));
    }
    // |A \ P| = |A u P| - |P|
    return size([...own, ...NOT_GLOBAL]) - size(NOT_GLOBAL);
}

function size(ranges: AddressRange[]): bigint {
    const sorted = [...ranges].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
    let total = 0n;
    let end = -1n;
    for (const { first, last } of sorted) {
        const from = first > end ? first : end + 1n;
        if (last >= from) {
            total += last - from + 1n;
            end = last;
        }
    }
    return total;
}
