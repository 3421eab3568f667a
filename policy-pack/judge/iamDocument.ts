import { isTree, isUnknown, UNKNOWN, type Unknown } from "../plain";

/** A policy document, as IAM reads it. */
export interface PolicyDocument {
    /** `${…}` is a variable in this version only; in the older one, the default, it is text. */
    variables: boolean;
    statements: Statement[];
}

export interface Statement {
    /** Where it is, for messages: `Statement[0]`, or `Statement` when there is one. */
    path: string;
    effect: "Allow" | "Deny" | Unknown;
    principals: Principals;
    /** Which actions it speaks of; patterns in lower case. */
    actions: { patterns: string[]; except: boolean; unknown: boolean };
    resources: { patterns: string[]; unknown: boolean };
    conditions: Condition[];
    /** Something in the conditions that is not known. */
    conditionsUnknown: boolean;
}

export interface Principals {
    /** `NotPrincipal`: everyone but these. */
    except: boolean;
    /** By kind in lower case (`federated`, `aws`, `service`…); `"*"` alone is kind `*`. */
    named: { kind: string; name: string | Unknown }[];
    unknown: boolean;
}

/** One operator on one key; its values are alternatives, conditions of a statement must all hold. */
export interface Condition {
    /** The operator in lower case without its qualifier and suffix, for example `stringlike`. */
    operator: string;
    /** `ForAnyValue:`, `ForAllValues:`. */
    qualifier: "any" | "all" | undefined;
    ifExists: boolean;
    /** The key in lower case: IAM compares keys without case. */
    key: string;
    values: (string | Unknown)[];
    path: string;
}

/** Why a document is none; AWS would refuse it. */
export class MalformedDocument {
    constructor(
        readonly path: string,
        readonly why: string,
    ) {}
}

/** Reads a policy document from a string or an object; names of elements in any case, single values in place of lists. */
export function readDocument(value: unknown): PolicyDocument | Unknown | MalformedDocument {
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    try {
        return document(typeof value === "string" ? parse(value) : value);
    } catch (error) {
        if (error instanceof MalformedDocument) {
            return error;
        }
        throw error;
    }
}

function parse(json: string): unknown {
    try {
        return JSON.parse(json) as unknown;
    } catch {
        throw new MalformedDocument("", "it is not JSON");
    }
}

function document(tree: unknown): PolicyDocument | Unknown {
    if (!isTree(tree)) {
        throw new MalformedDocument("", "it is not an object");
    }
    const statement = element(tree, "statement");
    if (isUnknown(statement)) {
        return UNKNOWN;
    }
    if (!isTree(statement) && !Array.isArray(statement)) {
        throw new MalformedDocument("Statement", "it has no statement");
    }
    const list = Array.isArray(statement)
        ? statement.map((entry, index) => [entry, `Statement[${index}]`] as const)
        : [[statement, "Statement"] as const];
    if (list.length === 0) {
        throw new MalformedDocument("Statement", "it has no statement");
    }
    refuseMany("Statement", list.length);
    const version = element(tree, "version");
    return {
        variables: version === "2012-10-17" || isUnknown(version),
        statements: list.map(([entry, path]) => readStatement(entry as unknown, path)),
    };
}

function readStatement(entry: unknown, path: string): Statement {
    if (isUnknown(entry)) {
        return {
            path,
            effect: UNKNOWN,
            principals: { except: false, named: [], unknown: true },
            actions: { patterns: [], except: false, unknown: true },
            resources: { patterns: [], unknown: true },
            conditions: [],
            conditionsUnknown: true,
        };
    }
    if (!isTree(entry)) {
        throw new MalformedDocument(path, "a statement is an object");
    }
    const { conditions, unknown } = readConditions(element(entry, "condition"), `${path}.Condition`);
    return {
        path,
        effect: readEffect(element(entry, "effect"), `${path}.Effect`),
        principals: readPrincipals(entry, path),
        actions: readActions(entry, path),
        resources: strings(element(entry, "resource"), `${path}.Resource`),
        conditions,
        conditionsUnknown: unknown,
    };
}

/** No policy of AWS is longer than 20,480 characters: so many of anything is none, and is not worth the time. */
function refuseMany(path: string, count: number): void {
    if (count > 600) {
        throw new MalformedDocument(path, "it is longer than a policy can be");
    }
}

function readEffect(value: unknown, path: string): Statement["effect"] {
    if (isUnknown(value)) {
        return UNKNOWN;
    }
    const effect = typeof value === "string" ? value.toLowerCase() : undefined;
    if (effect === "allow" || effect === "deny") {
        return effect === "allow" ? "Allow" : "Deny";
    }
    throw new MalformedDocument(path, "the effect is neither Allow nor Deny");
}

function readActions(entry: Record<string, unknown>, path: string): Statement["actions"] {
    const [action, notAction] = [element(entry, "action"), element(entry, "notaction")];
    if (action === undefined && notAction === undefined) {
        throw new MalformedDocument(`${path}.Action`, "a statement needs an action");
    }
    const except = action === undefined;
    const where = `${path}.${except ? "NotAction" : "Action"}`;
    const { patterns, unknown } = strings(except ? notAction : action, where);
    if (patterns.length === 0 && !unknown) {
        throw new MalformedDocument(where, "a statement needs an action");
    }
    // A blank of a template may become an action.
    if (patterns.some((pattern) => pattern !== "*" && !/[:$<{%]/.test(pattern))) {
        throw new MalformedDocument(where, "an action has a service and a colon");
    }
    return { patterns: patterns.map((pattern) => pattern.toLowerCase()), except, unknown };
}

function readPrincipals(entry: Record<string, unknown>, path: string): Principals {
    const [own, others] = [element(entry, "principal"), element(entry, "notprincipal")];
    const except = own === undefined && others !== undefined;
    const value = except ? others : own;
    if (isUnknown(value)) {
        return { except, named: [], unknown: true };
    }
    if (typeof value === "string") {
        if (value !== "*") {
            throw new MalformedDocument(`${path}.Principal`, "a principal is an object, or `*`");
        }
        return { except, named: [{ kind: "*", name: "*" }], unknown: false };
    }
    if (value === undefined || value === null) {
        throw new MalformedDocument(`${path}.Principal`, "a statement of such a policy needs a principal");
    }
    if (!isTree(value)) {
        throw new MalformedDocument(`${path}.Principal`, "a principal is an object, or `*`");
    }
    const named = Object.entries(value).flatMap(([kind, names]): Principals["named"] =>
        (Array.isArray(names) ? names : [names]).map((name: unknown) => {
            if (typeof name !== "string" && !isUnknown(name)) {
                throw new MalformedDocument(`${path}.Principal.${kind}`, "a principal's name is a string");
            }
            return { kind: kind.toLowerCase(), name };
        }),
    );
    if (named.length === 0) {
        throw new MalformedDocument(`${path}.Principal`, "a principal names somebody");
    }
    refuseMany(`${path}.Principal`, named.length);
    return { except, named, unknown: false };
}

function readConditions(value: unknown, path: string): { conditions: Condition[]; unknown: boolean } {
    if (value === undefined || value === null) {
        return { conditions: [], unknown: false };
    }
    if (isUnknown(value)) {
        return { conditions: [], unknown: true };
    }
    if (!isTree(value)) {
        throw new MalformedDocument(path, "conditions are an object of operators");
    }
    const conditions: Condition[] = [];
    let unknown = false;
    for (const [spelled, keys] of Object.entries(value)) {
        if (isUnknown(keys)) {
            unknown = true;
            continue;
        }
        if (!isTree(keys)) {
            throw new MalformedDocument(`${path}.${spelled}`, "an operator has an object of keys");
        }
        for (const [key, wanted] of Object.entries(keys)) {
            conditions.push(readCondition(spelled, key, wanted, `${path}.${spelled}`));
        }
    }
    refuseMany(path, conditions.length);
    return { conditions, unknown };
}

const OPERATOR =
    /^(string(not)?(equals|equalsignorecase|like)|arn(not)?(equals|like)|(numeric|date)((not)?equals|(less|greater)than(equals)?)|(not)?ipaddress|bool|null|binaryequals)$/;

function readCondition(spelled: string, key: string, wanted: unknown, path: string): Condition {
    let operator = spelled.trim().toLowerCase();
    const qualifier = operator.startsWith("foranyvalue:")
        ? "any"
        : operator.startsWith("forallvalues:")
          ? "all"
          : undefined;
    operator = qualifier ? operator.slice(operator.indexOf(":") + 1) : operator;
    const ifExists = operator.endsWith("ifexists");
    operator = ifExists ? operator.slice(0, -"ifexists".length) : operator;
    if (!OPERATOR.test(operator)) {
        throw new MalformedDocument(path, "there is no such operator");
    }
    if (!key.includes(":")) {
        throw new MalformedDocument(path, "a condition key has a prefix and a colon");
    }
    const list = Array.isArray(wanted) ? wanted : [wanted];
    if (list.length === 0) {
        throw new MalformedDocument(path, "a condition without a value");
    }
    const values = list.map((item: unknown) => {
        if (typeof item === "string" || isUnknown(item)) {
            return item;
        }
        if (typeof item === "boolean" || typeof item === "number") {
            return String(item);
        }
        throw new MalformedDocument(path, "a condition's value is a string, number or truth value");
    });
    return { operator, qualifier, ifExists, key: key.trim().toLowerCase(), values, path };
}

function strings(value: unknown, path: string): { patterns: string[]; unknown: boolean } {
    const patterns: string[] = [];
    let unknown = false;
    for (const item of value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]) {
        if (isUnknown(item)) {
            unknown = true;
        } else if (typeof item === "string") {
            patterns.push(item);
        } else {
            throw new MalformedDocument(path, "it holds something other than strings");
        }
    }
    return { patterns, unknown };
}

/** An element by its name in any case: what AWS may read must not escape by its spelling. */
function element(tree: Record<string, unknown>, name: string): unknown {
    const keys = Object.keys(tree).filter((key) => key.toLowerCase() === name);
    if (keys.length > 1) {
        throw new MalformedDocument(keys[1] as string, "the same element is there twice");
    }
    return keys.length === 1 ? (tree[keys[0] as string] ?? undefined) : undefined;
}

/** Whether a statement speaks of an action; `undefined` when that is not known. */
export function speaksOf(statement: Statement, action: string): boolean | undefined {
    const { patterns, except, unknown } = statement.actions;
    const named = patterns.some((pattern) => matchesPattern(pattern, action.toLowerCase()));
    if (named) {
        return !except;
    }
    return unknown ? undefined : except;
}

/** Whether `*` and `?` of a pattern can stand for a text; linear, no matter how many wildcards. */
export function matchesPattern(pattern: string, value: string): boolean {
    let [p, v, star, mark] = [0, 0, -1, 0];
    while (v < value.length) {
        if (p < pattern.length && (pattern[p] === "?" || (pattern[p] === value[v] && pattern[p] !== "*"))) {
            p++;
            v++;
        } else if (p < pattern.length && pattern[p] === "*") {
            star = p++;
            mark = v;
        } else if (star >= 0) {
            p = star + 1;
            v = ++mark;
        } else {
            return false;
        }
    }
    while (pattern[p] === "*") {
        p++;
    }
    return p === pattern.length;
}
