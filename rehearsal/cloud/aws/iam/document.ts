import type { Properties } from "../../shell/type";
import { isObject, record } from "../../shell/values";

/** One statement of an IAM policy document, as written. */
export interface Statement extends Properties {
    Effect?: unknown;
    Action?: unknown;
    NotAction?: unknown;
    Resource?: unknown;
    NotResource?: unknown;
    Principal?: unknown;
    NotPrincipal?: unknown;
    Condition?: unknown;
}

/** What a request to an API looks like to IAM. */
export interface Request {
    action: string;
    resource?: string;
    principal?: { kind: "AWS" | "Service" | "Federated"; name: string };
    /** Condition keys, in any case. A missing key is absent from the request. */
    context: Record<string, string | string[] | undefined>;
}

export function readDocument(document: unknown): Properties | undefined {
    if (isObject(document)) return document;
    if (typeof document !== "string") return undefined;
    try {
        const read: unknown = JSON.parse(document);
        return isObject(read) ? read : undefined;
    } catch {
        return undefined;
    }
}

/** The statements of a document; a single one may stand without a list. */
export function statements(document: unknown): Statement[] {
    return [readDocument(document)?.Statement].flat().filter(isObject);
}

/** Everything that IAM refuses about a document when it is put (IAM User Guide, "Grammar of the IAM JSON policy language"). */
export function problemsOf(document: unknown, kind: "identity" | "trust" | "resource"): string[] {
    const read = readDocument(document);
    if (!read) return ["contains an invalid JSON policy"];
    const problems: string[] = [];
    if (read.Version !== undefined && read.Version !== "2012-10-17" && read.Version !== "2008-10-17") {
        problems.push(`Version "${String(read.Version)}" is neither 2012-10-17 nor 2008-10-17`);
    }
    const all = [read.Statement].flat();
    if (read.Statement === undefined || all.length === 0 || !all.every(isObject)) {
        return [...problems, "Statement is missing or no list of statements"];
    }
    for (const [index, statement] of statements(read).entries()) {
        const add = (what: string) => problems.push(`Statement[${index}]: ${what}`);
        if (statement.Effect !== "Allow" && statement.Effect !== "Deny") add("Effect must be Allow or Deny");
        const unknown = Object.keys(statement).find((key) => !STATEMENT_KEYS.has(key));
        if (unknown !== undefined) add(`unknown element "${unknown}"`);
        if ((statement.Action === undefined) === (statement.NotAction === undefined)) add("needs Action or NotAction");
        for (const action of [statement.Action ?? statement.NotAction ?? []].flat()) {
            if (typeof action !== "string" || !/^(\*|[a-z0-9-]+:[\w*?]+)$/i.test(action)) {
                add(`"${String(action)}" is not an action such as s3:GetObject`);
            }
        }
        const hasResource = statement.Resource !== undefined || statement.NotResource !== undefined;
        const hasPrincipal = statement.Principal !== undefined || statement.NotPrincipal !== undefined;
        if (kind === "identity" && !hasResource) add("needs a Resource");
        if (kind === "identity" && hasPrincipal) add("must not have a Principal");
        if (kind !== "identity" && !hasPrincipal) add("needs a Principal");
        if (kind === "trust" && hasResource) add("has prohibited field Resource");
        for (const operator of Object.keys(record(statement.Condition))) {
            if (!OPERATOR.test(operator)) add(`unknown condition operator "${operator}"`);
        }
    }
    return problems;
}

const STATEMENT_KEYS = new Set(
    "Sid Effect Action NotAction Resource NotResource Principal NotPrincipal Condition".split(" "),
);

const OPERATOR =
    /^(?:(ForAllValues|ForAnyValue):)?(StringEquals|StringNotEquals|StringEqualsIgnoreCase|StringNotEqualsIgnoreCase|StringLike|StringNotLike|ArnEquals|ArnLike|ArnNotEquals|ArnNotLike|Bool|BinaryEquals|IpAddress|NotIpAddress|Null|Numeric\w+|Date\w+?)(IfExists)?$/;

/** Whether a document allows a request: some statement allows it, none denies it. */
export function allowsRequest(document: unknown, request: Request): boolean {
    const matching = statements(document).filter((statement) => matches(statement, request));
    return matching.some(({ Effect }) => Effect === "Allow") && !matching.some(({ Effect }) => Effect === "Deny");
}

export function denies(document: unknown, request: Request): boolean {
    return statements(document).some((statement) => statement.Effect === "Deny" && matches(statement, request));
}

function matches(statement: Statement, request: Request): boolean {
    const actions = (patterns: unknown) =>
        [patterns].flat().some((pattern) => like(String(pattern), request.action, true));
    if (statement.Action !== undefined && !actions(statement.Action)) return false;
    if (statement.NotAction !== undefined && actions(statement.NotAction)) return false;
    const resources = (patterns: unknown) =>
        [patterns].flat().some((pattern) => like(String(pattern), request.resource ?? "*", false));
    if (request.resource !== undefined) {
        if (statement.Resource !== undefined && !resources(statement.Resource)) return false;
        if (statement.NotResource !== undefined && resources(statement.NotResource)) return false;
    }
    if (statement.Principal !== undefined && !names(statement.Principal, request.principal)) return false;
    if (statement.NotPrincipal !== undefined && names(statement.NotPrincipal, request.principal)) return false;
    return Object.entries(record(statement.Condition)).every(([operator, keys]) =>
        Object.entries(record(keys)).every(([key, values]) =>
            holds(operator, key, [values].flat().map(String), request),
        ),
    );
}

function names(principal: unknown, who: Request["principal"]): boolean {
    if (principal === "*") return true;
    if (!who) return false;
    return [record(principal)[who.kind] ?? []].flat().some((name) => {
        if (name === "*") return true;
        if (name === who.name) return true;
        // An account, by number or root ARN, means everyone in it whom the account's own policies allow.
        const account = /^(?:arn:[\w-]+:iam::)?(\d{12})(?::root)?$/.exec(String(name))?.[1];
        return account !== undefined && who.kind === "AWS" && who.name.split(":")[4] === account;
    });
}

/** One condition: its keys are ANDed by the caller, its values ORed here. */
function holds(operator: string, key: string, values: string[], request: Request): boolean {
    const match = OPERATOR.exec(operator);
    if (!match) return false;
    const [, quantifier, base, ifExists] = match;
    const name = Object.keys(request.context).find((known) => known.toLowerCase() === key.toLowerCase());
    const actual = [name === undefined ? [] : (request.context[name] ?? [])].flat();
    if (base === "Null") return values.some((value) => (value === "true") === (actual.length === 0));
    const negated = base.includes("Not");
    if (actual.length === 0) {
        // IAM User Guide, condition operators: an absent key fails, unless …IfExists, ForAllValues or a negated operator.
        return ifExists !== undefined || quantifier === "ForAllValues" || negated;
    }
    const one = (value: string) => {
        const some = values.some((pattern) => compare(base, pattern, value));
        return negated ? !some : some;
    };
    return quantifier === "ForAnyValue" ? actual.some(one) : actual.every(one);
}

function compare(operator: string, pattern: string, value: string): boolean {
    switch (operator.replace("Not", "")) {
        case "StringEquals":
        case "BinaryEquals":
            return pattern === value;
        case "StringEqualsIgnoreCase":
        case "Bool":
            return pattern.toLowerCase() === value.toLowerCase();
        case "StringLike":
        case "ArnLike":
        case "ArnEquals":
            return like(pattern, value, false);
        default:
            return false;
    }
}

export function like(pattern: string, value: string, ignoreCase: boolean): boolean {
    const source = [...pattern]
        .map((letter) => (letter === "*" ? ".*" : letter === "?" ? "." : letter.replace(/[.+^${}()|[\]\\]/g, "\\$&")))
        .join("");
    return new RegExp(`^${source}$`, ignoreCase ? "is" : "s").test(value);
}
