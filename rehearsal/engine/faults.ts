/** What a fault does to the operation that it hits. */
export const FaultKind = {
    /** Refused with the API's throttling error; nothing was done. */
    Throttled: "throttled",
    /** Refused because a service quota is used up; nothing was done. */
    Quota: "quota",
    /** The operation takes its time, then fails; nothing was done. */
    Timeout: "timeout",
    /** The cloud carried it out, but the answer never arrived. */
    TimeoutAfter: "timeout-after",
    /** The cloud carried it out, then the plugin is killed before it answers. */
    Crash: "crash",
} as const;
export type FaultKind = (typeof FaultKind)[keyof typeof FaultKind];

export const FaultOperation = {
    Create: "create",
    Update: "update",
    Delete: "delete",
    Read: "read",
    Any: "any",
} as const;
export type FaultOperation = (typeof FaultOperation)[keyof typeof FaultOperation];

/** One fault: the `nth` operation that fits op, type and name fails as `kind` says. Counting starts anew with each rehearsal. */
export interface Fault {
    spec: string;
    op: FaultOperation;
    /** A type token (`aws:efs/mountTarget:MountTarget`), its last part (`MountTarget`), or `*`. */
    type: string;
    /** The resource's logical name; `*` stands for any characters. @default any */
    name?: string;
    nth: number | "always";
    kind: FaultKind;
}

export const FAULT_GRAMMAR = "<create|update|delete|read|any>:<type>[/<name>][@<n>|@always]=<kind>";

/** Reads `create:NodeGroup/workers@2=throttled`. Throws an error of one line that says what is wrong. */
export function parseFault(spec: string): Fault {
    const fail = (what: string): never => {
        throw new Error(`fault "${spec}": ${what}; expected ${FAULT_GRAMMAR}`);
    };
    const equals = spec.lastIndexOf("=");
    if (equals < 0) {
        return fail("names no kind");
    }
    const kind = spec.slice(equals + 1);
    if (!isOneOf(FaultKind, kind)) {
        return fail(`unknown kind "${kind}" (${Object.values(FaultKind).join(", ")})`);
    }
    const colon = spec.indexOf(":");
    const op = spec.slice(0, Math.max(colon, 0));
    if (!isOneOf(FaultOperation, op)) {
        return fail(`unknown operation "${op}"`);
    }
    const [target, count, ...more] = spec.slice(colon + 1, equals).split("@");
    if (more.length > 0) {
        return fail("has more than one @");
    }
    const match = /^((?:[\w-]+:[\w./-]+:)?(?:\w+|\*))(?:\/(.+))?$/.exec(target ?? "");
    const type = match?.[1];
    if (type === undefined) {
        return fail(`"${target}" is not a type (a token like aws:eks/nodeGroup:NodeGroup, its last part, or *)`);
    }
    return { spec, op, type, name: match?.[2], nth: count === undefined ? 1 : parseCount(count, fail), kind };
}

function parseCount(count: string, fail: (what: string) => never): number | "always" {
    if (count === "always") {
        return count;
    }
    return /^[1-9]\d{0,5}$/.test(count) ? Number(count) : fail(`"@${count}" is neither a count from 1 nor @always`);
}

function isOneOf<T extends Record<string, string>>(choices: T, value: string): value is T[keyof T] {
    return Object.values(choices).includes(value);
}

/** Whether a fault is about this operation. Which of the fitting operations it hits is for the caller to count. */
export function faultMatches(fault: Fault, op: string, token: string, name: string): boolean {
    return (
        (fault.op === FaultOperation.Any || fault.op === op) &&
        (fault.type === "*" || fault.type === token || fault.type === token.slice(token.lastIndexOf(":") + 1)) &&
        (fault.name === undefined || globToRegExp(fault.name).test(name))
    );
}

function globToRegExp(glob: string): RegExp {
    const escaped = glob.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    return new RegExp(`^${escaped.join(".*")}$`);
}
