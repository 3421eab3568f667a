import { UNKNOWN, type Unknown } from "../plain";
import { text, whole } from "./tree";

/** The ports of a transport protocol that a security group rule opens. */
export interface Ports {
    /** `any`: every protocol and port; `other`: neither TCP nor UDP, for example ICMP. */
    protocol: "any" | "tcp" | "udp" | "other";
    from: number;
    to: number;
}

/**
 * Reads protocol and ports in every spelling that AWS and its provider take: `-1`, `"all"`, names in any case, numbers as
 * strings. For all protocols AWS ignores the ports; a protocol with ports but without them opens all.
 */
export function readPorts(protocol: unknown, from: unknown, to: unknown): Ports | Unknown {
    const spelled = text(protocol);
    if (spelled === UNKNOWN) {
        return UNKNOWN;
    }
    const name = readProtocol(spelled);
    if (name === "any" || name === "other") {
        return { protocol: name, from: 0, to: 65535 };
    }
    const [first, last] = [whole(from), whole(to)];
    if (first === UNKNOWN || last === UNKNOWN) {
        return UNKNOWN;
    }
    const low = typeof first !== "number" || first < 0 ? 0 : first;
    const high = typeof last !== "number" || last < 0 ? 65535 : last;
    return { protocol: name, from: Math.min(low, high), to: Math.max(low, high) };
}

function readProtocol(spelled: string | undefined): Ports["protocol"] {
    const name = (spelled ?? "-1").trim().toLowerCase();
    const number = /^[+-]?\d+$/.test(name) ? Number(name) : undefined;
    if (name === "all" || name === "any" || name === "" || number === -1) {
        return "any";
    }
    if (name === "tcp" || number === 6) {
        return "tcp";
    }
    return name === "udp" || number === 17 ? "udp" : "other";
}

/** Whether a rule opens all there is, whatever the port. */
export function opensEverything({ protocol, from, to }: Ports): boolean {
    return protocol === "any" || (protocol === "tcp" && from <= 1 && to >= 65535);
}

/** Whether a rule opens a TCP port. */
export function opensTcp(ports: Ports, port: number): boolean {
    return ports.protocol === "any" || (ports.protocol === "tcp" && ports.from <= port && port <= ports.to);
}
