/** What a pattern on the subject of a token lets in, among Kubernetes service accounts. */
export type Reach = "nobody" | "some" | "every account of a namespace" | "several namespaces";

const PREFIX = "system:serviceaccount:";

type Token = { literal: string } | { wildcard: "*" | "?" };

/**
 * Which service accounts a value of a condition lets in. A subject is `system:serviceaccount:<namespace>:<name>`, and neither
 * part has a colon: so the pattern is matched against that form, not read by eye (`*:apps:job` names one account only).
 */
export function reach(value: string, how: { wildcards: boolean; variables: boolean; ignoreCase: boolean }): Reach {
    const tokens = tokenize(how.ignoreCase ? value.toLowerCase() : value, how);
    let widest: Reach = "nobody";
    for (const start of afterPrefix(tokens)) {
        for (const [namespace, name] of splits(tokens.slice(start))) {
            if (!possible(namespace) || !possible(name)) {
                continue;
            }
            if (namespace.some(isWildcard)) {
                return "several namespaces";
            }
            if (!name.some((token) => !isWildcard(token))) {
                widest = "every account of a namespace";
            } else if (widest === "nobody") {
                widest = "some";
            }
        }
    }
    return widest;
}

const isWildcard = (token: Token): boolean => "wildcard" in token;
const isStar = (token: Token | undefined): boolean =>
    token !== undefined && "wildcard" in token && token.wildcard === "*";

/** Policy variables stand for whatever the request says: as good as `*`. `${*}`, `${?}` and `${$}` are the characters. */
function tokenize(value: string, { wildcards, variables }: { wildcards: boolean; variables: boolean }): Token[] {
    const tokens: Token[] = [];
    for (let index = 0; index < value.length; index++) {
        const character = value[index] as string;
        const variable = variables && character === "$" ? /^\$\{([^}]*)\}/.exec(value.slice(index, index + 300)) : null;
        if (variable) {
            const inside = variable[1] as string;
            tokens.push(["*", "?", "$"].includes(inside) ? { literal: inside } : { wildcard: "*" });
            index += variable[0].length - 1;
        } else if (wildcards && (character === "*" || character === "?")) {
            if (character !== "*" || !isStar(tokens.at(-1))) {
                tokens.push({ wildcard: character });
            }
        } else {
            tokens.push({ literal: character });
        }
    }
    return tokens;
}

/** All places in the pattern where the fixed prefix can have been matched. */
function afterPrefix(tokens: Token[]): number[] {
    let places = closure(new Set([0]), tokens);
    for (const character of PREFIX) {
        const next = new Set<number>();
        for (const place of places) {
            const token = tokens[place];
            if (token === undefined) {
                continue;
            }
            if (isStar(token)) {
                next.add(place);
            } else if (isWildcard(token) || ("literal" in token && token.literal === character)) {
                next.add(place + 1);
            }
        }
        places = closure(next, tokens);
    }
    return [...places];
}

/** A star may stand for nothing. */
function closure(places: Set<number>, tokens: Token[]): Set<number> {
    for (const place of places) {
        if (isStar(tokens[place])) {
            places.add(place + 1);
        }
    }
    return places;
}

/** All ways in which the colon between namespace and name can be matched. */
function splits(tokens: Token[]): [Token[], Token[]][] {
    const ways: [Token[], Token[]][] = [];
    for (const [index, token] of tokens.entries()) {
        if (isStar(token)) {
            ways.push([tokens.slice(0, index + 1), tokens.slice(index)]);
        } else if (isWildcard(token)) {
            ways.push([tokens.slice(0, index), tokens.slice(index + 1)]);
        } else if ("literal" in token && token.literal === ":") {
            ways.push([tokens.slice(0, index), tokens.slice(index + 1)]);
            break;
        }
    }
    return ways;
}

/** Whether a part can be a namespace or a name: something, and no colon. */
function possible(part: Token[]): boolean {
    return part.length > 0 && !part.some((token) => "literal" in token && token.literal === ":");
}
