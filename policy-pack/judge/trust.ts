import { isUnknown, UNKNOWN, type Unknown } from "../plain";
import {
    type Condition,
    MalformedDocument,
    matchesPattern,
    readDocument,
    speaksOf,
    type PolicyDocument,
    type Statement,
} from "./iamDocument";
import { reach } from "./subjectPattern";

/** What is wrong with a trust policy for service accounts, or what is left to see. */
export interface TrustProblem {
    /** Below the document, for example `Statement[0].Condition.StringLike`; empty for the whole. */
    path: string;
    what: string;
    undecided: boolean;
}

const ACTION = "sts:AssumeRoleWithWebIdentity";

/** Issuers of Kubernetes clusters: EKS in every partition, and those of other clouds. */
const CLUSTER = /^oidc[.-]eks[.-]|^container\.googleapis\.com\/|\.oic\.prod-aks\.azure\.com(\/|$)/;

/** Issuers whose tokens are no service accounts' (only used to be quiet about those that have no condition on `sub`). */
const OTHER =
    /^(token\.actions\.githubusercontent\.com|gitlab\.com|accounts\.google\.com|cognito-identity\.amazonaws\.com|www\.amazon\.com|graph\.facebook\.com|app\.terraform\.io|api\.pulumi\.com|oidc\.circleci\.com|agent\.buildkite\.com|api\.bitbucket\.org|sts\.windows\.net|login\.microsoftonline\.com|oidc\.vercel\.com|oidc\.fly\.io|firebase|securetoken\.google\.com|idbroker\.)/;

/** Judges who may take the role with a token of a cluster: named service accounts, and tokens made for AWS, or anybody. */
export function judgeTrust(document: unknown): TrustProblem[] {
    const read = readDocument(document);
    if (isUnknown(read)) {
        return [
            {
                path: "",
                what: "who may take the role is known only after `up` has made the cluster's issuer",
                undecided: true,
            },
        ];
    }
    if (read instanceof MalformedDocument) {
        return [
            { path: read.path, what: `the trust policy is malformed: ${read.why}; AWS refuses it`, undecided: false },
        ];
    }
    const filled = { ...read, statements: read.statements.map(fillIn) };
    return filled.statements.flatMap((statement) => judgeStatement(statement, filled));
}

function judgeStatement(statement: Statement, document: PolicyDocument): TrustProblem[] {
    const speaks = speaksOf(statement, ACTION);
    if (statement.effect === "Deny" || speaks === false) {
        return [];
    }
    const unsure = isUnknown(statement.effect) || speaks === undefined;
    const problems = issuers(statement).flatMap((issuer) => judgeIssuer(issuer, statement, document));
    const seen = new Set<string>();
    return problems
        .map((problem) => (unsure ? { ...problem, undecided: true } : problem))
        .filter(({ path, what }) => !seen.has(path + what) && seen.add(path + what));
}

type Issuer = string | "*" | Unknown;

/** A template that was not filled in: it may be any issuer. */
const TEMPLATE = /\$\{|\{\{|[<>%]/;
const BLANK = /\$\{[^}]*\}|\{\{[^}]*\}\}|<[^>]*>|%[a-z]/g;

/**
 * The statement with one spelling of its issuer: documents that are printed somewhere leave blanks in one key and not in the other. A blank
 * is filled with the one issuer that is spelled out and fits.
 */
function fillIn(statement: Statement): Statement {
    const inKeys = statement.conditions.flatMap(({ key }) => keyOf(key)?.issuer ?? []);
    const spelled = [...new Set([...issuers(statement), ...inKeys])].filter(
        (issuer): issuer is string => !isUnknown(issuer) && issuer !== "*" && !TEMPLATE.test(issuer),
    );
    const conditions = statement.conditions.map((condition) => {
        const { issuer, claim } = keyOf(condition.key) ?? {};
        const fitting =
            issuer !== undefined && TEMPLATE.test(issuer)
                ? spelled.filter((one) => matchesPattern(issuer.replace(BLANK, "*"), one))
                : [];
        return fitting.length === 1 ? { ...condition, key: `${fitting[0]}:${claim}` } : condition;
    });
    return { ...statement, conditions };
}

/** Whose tokens a statement takes. */
function issuers(statement: Statement): Issuer[] {
    const { principals } = statement;
    if (principals.except) {
        return ["*"];
    }
    const found = principals.named.flatMap(({ kind, name }): Issuer[] => {
        if (kind === "*" || (kind === "aws" && name === "*")) {
            return ["*"];
        }
        if (kind !== "federated") {
            return [];
        }
        if (isUnknown(name)) {
            return [UNKNOWN];
        }
        return name.includes(":saml-provider/") ? [] : [issuerOf(name)];
    });
    return principals.unknown ? [...found, UNKNOWN] : found;
}

function issuerOf(name: string): Issuer {
    const issuer = name.slice(name.indexOf(":oidc-provider/") + 1).replace(/^oidc-provider\//, "");
    if (TEMPLATE.test(issuer)) {
        return UNKNOWN;
    }
    return issuer.includes("*") ? "*" : issuer.trim().toLowerCase().replace(/\/$/, "");
}

function judgeIssuer(issuer: Issuer, statement: Statement, document: PolicyDocument): TrustProblem[] {
    const required = statement.conditions.filter((condition) => requires(condition, statement));
    if (required.some(({ key }) => NEVER_IN_A_TOKEN.test(key)) || required.some(neverTrue)) {
        return [];
    }
    const named = [...new Set(required.flatMap(({ key }) => keyOf(key)?.issuer ?? []))];
    if (typeof issuer === "string" && issuer !== "*") {
        // A condition on another issuer's key never holds: the role is useless to this one, not open.
        const others = named.filter((other) => other !== issuer);
        const blank = others.find((other) => TEMPLATE.test(other));
        return others.length === 0 || (others.length === 1 && blank !== undefined)
            ? judgeTokens(blank ?? issuer, statement, document)
            : [];
    }
    if (named.length > 1) {
        return [];
    }
    const only = named[0];
    if (only !== undefined) {
        const problems = judgeTokens(only, statement, document);
        return isUnknown(issuer) && !isCluster(only, statement) && problems.length > 0
            ? [undecidedPrincipal(statement)]
            : problems;
    }
    if (isUnknown(issuer)) {
        return [undecidedPrincipal(statement)];
    }
    if (statement.conditionsUnknown) {
        return [later(statement)];
    }
    return [
        {
            path: statement.path,
            what: "anybody with a token of any identity provider of the account can take the role",
            undecided: false,
        },
    ];
}

function undecidedPrincipal(statement: Statement): TrustProblem {
    return {
        path: `${statement.path}.Principal`,
        what: "whose tokens are trusted is known only after `up`",
        undecided: true,
    };
}

function later(statement: Statement): TrustProblem {
    return { path: `${statement.path}.Condition`, what: "its conditions are known only after `up`", undecided: true };
}

/** Keys that no token of a web identity brings along: a condition that requires one shuts all of them out. */
const NEVER_IN_A_TOKEN = /^(aws:principal|aws:userid$|aws:username$|saml:)/;

function keyOf(key: string): { issuer: string; claim: "sub" | "aud" } | undefined {
    const match = /^(.+):(sub|aud)$/.exec(key);
    return match ? { issuer: match[1] as string, claim: match[2] as "sub" | "aud" } : undefined;
}

const TEXT = ["stringequals", "stringequalsignorecase", "stringlike"];

/** Whether a condition fails when the key is absent, and wants it to be something. */
function requires(condition: Condition, statement: Statement): boolean {
    if (condition.operator === "null" || /^(string|arn|numeric|date)?not/.test(condition.operator)) {
        return false;
    }
    const lenient = condition.ifExists || condition.qualifier === "all";
    return !lenient || statement.conditions.some((other) => insistsOn(other, condition.key));
}

/** `Null: { key: "false" }`: the key must be there. */
function insistsOn(condition: Condition, key: string): boolean {
    return (
        condition.operator === "null" && condition.key === key && condition.values.every((value) => value === "false")
    );
}

/** A claim compared as if it were a number, a date, an address or an ARN, which it never is. */
function neverTrue({ operator, key }: Condition): boolean {
    return keyOf(key) !== undefined && !TEXT.includes(operator);
}

function isCluster(issuer: string, statement: Statement): boolean {
    return CLUSTER.test(issuer) || speaksOfServiceAccounts(issuer, statement);
}

function speaksOfServiceAccounts(issuer: string, statement: Statement): boolean {
    return statement.conditions.some(
        ({ key, values }) =>
            key === `${issuer}:sub` &&
            values.some((value) => typeof value === "string" && /^system:serviceaccount/i.test(value)),
    );
}

function judgeTokens(issuer: string, statement: Statement, document: PolicyDocument): TrustProblem[] {
    if (!isCluster(issuer, statement)) {
        const restricted = statement.conditions.some(({ key }) => key === `${issuer}:sub`);
        return OTHER.test(issuer) || restricted
            ? []
            : [
                  {
                      path: statement.path,
                      what: "its tokens can be taken by everybody whom that identity provider serves; whether it is a cluster's is not to be seen",
                      undecided: true,
                  },
              ];
    }
    return (["sub", "aud"] as const).flatMap((claim) => judgeClaim(claim, issuer, statement, document));
}

function judgeClaim(
    claim: "sub" | "aud",
    issuer: string,
    statement: Statement,
    document: PolicyDocument,
): TrustProblem[] {
    const key = `${issuer}:${claim}`;
    const own = statement.conditions.filter((condition) => condition.key === key);
    const restricting = [
        ...own.filter((condition) => TEXT.includes(condition.operator) && requires(condition, statement)),
        ...denials(key, statement, document),
    ];
    const judged = restricting.map((condition) => judgeValues(claim, condition, document.variables));
    if (judged.includes("fine")) {
        return [];
    }
    const bad = judged.findIndex((result) => result !== "fine" && result !== "unknown");
    if (judged.includes("unknown") || statement.conditionsUnknown) {
        return [later(statement)];
    }
    if (bad >= 0) {
        return [{ path: restricting[bad]!.path, what: judged[bad] as string, undecided: false }];
    }
    const lax = own[0];
    if (lax) {
        return [
            {
                path: lax.path,
                what: `the condition on \`${claim}\` also holds for tokens that it does not name, or that lack it (${describe(lax)})`,
                undecided: false,
            },
        ];
    }
    return [
        {
            path: `${statement.path}.Condition`,
            what:
                claim === "sub"
                    ? "without a condition on `sub` in this statement every pod of the cluster can take the role"
                    : "without a condition on `aud` in this statement a token that was made for another service takes the role, too",
            undecided: false,
        },
    ];
}

function describe({ operator, qualifier, ifExists }: Condition): string {
    if (qualifier === "all") {
        return "`ForAllValues:` holds when there is nothing to compare";
    }
    return ifExists
        ? "`…IfExists` holds when the claim is absent"
        : operator === "null"
          ? "`Null` only asks for its presence"
          : "it is negated";
}

/** A `Deny` on anything but the named values is as good as a condition. */
function denials(key: string, allowed: Statement, document: PolicyDocument): Condition[] {
    return document.statements.flatMap((statement) => {
        const [condition, ...more] = statement.conditions;
        const applies =
            statement.effect === "Deny" &&
            speaksOf(statement, ACTION) === true &&
            !statement.conditionsUnknown &&
            covers(statement, allowed);
        if (!applies || !condition || more.length > 0 || condition.key !== key || condition.qualifier === "any") {
            return [];
        }
        return /^stringnot(equals|equalsignorecase|like)$/.test(condition.operator)
            ? [{ ...condition, operator: condition.operator.replace("not", "") }]
            : [];
    });
}

function covers(denied: Statement, allowed: Statement): boolean {
    if (denied.principals.except || denied.principals.unknown) {
        return false;
    }
    const names = denied.principals.named;
    return (
        names.some(({ kind, name }) => name === "*" && ["*", "aws"].includes(kind)) ||
        allowed.principals.named.every((one) => names.some(({ kind, name }) => kind === one.kind && name === one.name))
    );
}

function judgeValues(claim: "sub" | "aud", condition: Condition, variables: boolean): string {
    const known = condition.values.filter((value) => !isUnknown(value));
    const how = {
        wildcards: condition.operator === "stringlike",
        ignoreCase: condition.operator === "stringequalsignorecase",
        variables,
    };
    for (const value of known) {
        const problem = claim === "sub" ? judgeSubject(value, how) : judgeAudience(value, how);
        if (problem) {
            return problem;
        }
    }
    return known.length < condition.values.length ? "unknown" : "fine";
}

function judgeSubject(
    value: string,
    how: { wildcards: boolean; variables: boolean; ignoreCase: boolean },
): string | undefined {
    const who = reach(value, how);
    if (who === "several namespaces") {
        return "the wildcard in `sub` spans namespaces: whoever may create a service account in one of them can take the role";
    }
    return who === "every account of a namespace"
        ? "the wildcard in `sub` lets every service account of the namespace take the role"
        : undefined;
}

function judgeAudience(
    value: string,
    { wildcards, variables }: { wildcards: boolean; variables: boolean },
): string | undefined {
    const fixed = value.slice(0, wildcards ? (/[*?]|$/.exec(value)?.index ?? value.length) : value.length);
    const open = fixed.length < value.length && !fixed.toLowerCase().startsWith("sts.");
    return open || (variables && value.includes("${"))
        ? "the wildcard in `aud` admits tokens that were made for another service"
        : undefined;
}
