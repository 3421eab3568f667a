import * as fc from "fast-check";

/** The oracle of `irsa-trust-scoped`: it tries tokens, as STS would, and knows nothing of how the rule judges. */

export const ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF";
export const PROVIDER = `arn:aws:iam::111122223333:oidc-provider/${ISSUER}`;
export const SUB = `${ISSUER}:sub`;
export const AUD = `${ISSUER}:aud`;
export const STS = "sts.amazonaws.com";

export interface Simple {
    Version: string;
    Statement: {
        Effect: string;
        Principal: unknown;
        Action: string;
        Condition: Record<string, Record<string, string[]>>;
    }[];
}

export function documents(each: number): fc.Arbitrary<Simple> {
    const whole = ["system:serviceaccount:apps:job", "system:serviceaccount:dev:bot-a"];
    const blur = fc
        .tuple(fc.constantFrom(...whole), fc.nat({ max: 40 }), fc.nat({ max: 12 }), fc.constantFrom("*", "?", "*", ""))
        .map(([text, from, length, by]) => (by === "" ? text : text.slice(0, from) + by + text.slice(from + length)));
    const subject = fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...whole) }, { weight: 3, arbitrary: blur });
    const operator = fc.constantFrom(
        "StringEquals",
        "StringLike",
        "StringLike",
        "StringEqualsIfExists",
        "StringLikeIfExists",
        "ForAllValues:StringEquals",
        "ForAnyValue:StringLike",
        "StringNotEquals",
        "StringNotLike",
    );
    const condition = fc.oneof(
        fc.tuple(operator, fc.constant(SUB), fc.array(subject, { minLength: 1, maxLength: 2 })),
        fc.tuple(
            operator,
            fc.constant(AUD),
            fc.array(fc.constantFrom(STS, STS, "*", "vault"), { minLength: 1, maxLength: 2 }),
        ),
        fc.constant<[string, string, string[]]>(["StringEquals", AUD, [STS]]),
        fc.tuple(fc.constant("Null"), fc.constantFrom(SUB, AUD), fc.constant<string[]>(["false"])),
    );
    const one = fc
        .tuple(
            fc.array(condition, { maxLength: 4 }),
            fc.constantFrom("sts:AssumeRoleWithWebIdentity", "sts:*", "sts:AssumeRole"),
        )
        .map(([conditions, action]) => {
            const Condition: Record<string, Record<string, string[]>> = {};
            const strict = conditions.filter(
                ([, key], index) => conditions.slice(0, index).filter(([, other]) => other === key).length < each,
            );
            for (const [name, key, values] of strict) {
                (Condition[name] ??= {})[key] ??= [...values];
            }
            return { Effect: "Allow", Principal: { Federated: PROVIDER }, Action: action, Condition };
        });
    return fc.array(one, { minLength: 1, maxLength: 2 }).map((Statement) => ({ Version: "2012-10-17", Statement }));
}

interface Token {
    sub?: string;
    aud?: string;
}

/** Parts that no document names, but that its patterns may match: every stretch of a name replaced. */
function blurred(names: string[]): string[] {
    const all = new Set<string>(["z", "zz", "zzz", "zzzzzzzz"]);
    for (const name of names) {
        for (let from = 0; from <= name.length; from++) {
            for (let to = from; to <= name.length; to++) {
                all.add(`${name.slice(0, from)}z${name.slice(to)}`);
            }
        }
    }
    return [...all];
}

const FOREIGN = blurred(["apps", "dev"]).map((namespace) => ({
    namespace,
    names: ["job", "bot-a", "z", "jobz", "zjob"],
}));
const ANYBODY = ["apps", "dev"].map((namespace) => ({ namespace, names: ["z", "zz", "zzz", "zzzzzzzz"] }));
const KNOWN = ["system:serviceaccount:apps:job", "system:serviceaccount:dev:bot-a"];

/** Tokens that a scoped role would not take. */
const INTRUDERS: Token[] = [
    ...[...FOREIGN, ...ANYBODY].flatMap(({ namespace, names }) =>
        names.map((name) => ({ sub: `system:serviceaccount:${namespace}:${name}`, aud: STS })),
    ),
    ...[...KNOWN, "system:serviceaccount:apps:jobz", "system:serviceaccount:apps:z"].flatMap((sub) => [
        { sub, aud: "elsewhere" },
        { sub },
    ]),
    ...blurred(["apps", "dev"]).map((namespace) => ({
        sub: `system:serviceaccount:${namespace}:job`,
        aud: "elsewhere",
    })),
    { aud: STS },
    {},
];

export const FRIENDS: Token[] = [...KNOWN, "system:serviceaccount:dev:bot-b", "system:serviceaccount:apps:jobx"].map(
    (sub) => ({ sub, aud: STS }),
);

export function open(policy: Simple): boolean {
    return INTRUDERS.some((token) => policy.Statement.some((one) => takes(one, token)));
}

export function takes(one: Simple["Statement"][number], token: Token): boolean {
    if (one.Action === "sts:AssumeRole") {
        return false;
    }
    return Object.entries(one.Condition).every(([name, keys]) =>
        Object.entries(keys).every(([key, values]) => meets(name, values, key === SUB ? token.sub : token.aud)),
    );
}

function meets(name: string, values: string[], value: string | undefined): boolean {
    if (name === "Null") {
        return value !== undefined;
    }
    const any = (test: (pattern: string) => boolean): boolean => values.some(test);
    const equal = (pattern: string): boolean => value === pattern;
    const alike = (pattern: string): boolean =>
        new RegExp(
            `^${pattern
                .replace(/[.+^${}()|[\]\\]/g, "\\$&")
                .replace(/\*/g, ".*")
                .replace(/\?/g, ".")}$`,
        ).test(value ?? "");
    switch (name) {
        case "StringEquals":
            return value !== undefined && any(equal);
        case "StringLike":
        case "ForAnyValue:StringLike":
            return value !== undefined && any(alike);
        case "StringEqualsIfExists":
        case "ForAllValues:StringEquals":
            return value === undefined || any(equal);
        case "StringLikeIfExists":
            return value === undefined || any(alike);
        case "StringNotEquals":
            return value === undefined || !any(equal);
        case "StringNotLike":
            return value === undefined || !any(alike);
        default:
            throw new Error(name);
    }
}
