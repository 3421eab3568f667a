import { randomBytes, randomInt, randomUUID } from "node:crypto";
import { Sdk } from "../shell/facts";
import type { SimulatedPackage } from "../shell/package";
import type { CheckFailure, Duration, Properties, SimulatedType } from "../shell/type";
import { list, same, text } from "../shell/values";
import { checkCharacters, makeCharacters, numberOr, shuffle } from "./characters";
import { ADJECTIVES, ADVERBS, NAMES } from "./petNames";

/** Nothing here reaches an API. */
const AT_ONCE: Duration = { create: 0, update: 0, delete: 0, source: "computed inside the provider" };

/** Every input of this provider, keepers too, makes a new value when it changes. */
const anyChange = (olds: Properties, news: Properties): string[] =>
    [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
        (key) => !key.startsWith("__") && !same(olds[key], news[key]),
    );

const base = { seconds: AT_ONCE, replaces: anyChange, autoname: false, deletesBeforeReplace: () => false } as const;

/** What bcrypt's output looks like; it verifies nothing, as Node has no bcrypt. */
function hashShape(): string {
    const alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    return `$2a$10$${Array.from({ length: 53 }, () => alphabet[randomInt(64)]).join("")}`;
}

const characterDefaults = (inputs: Properties): Properties => ({
    lower: true,
    upper: true,
    special: true,
    minLower: 0,
    minUpper: 0,
    minNumeric: 0,
    minSpecial: 0,
    ...inputs,
    numeric: inputs.numeric ?? inputs.number ?? true,
    number: inputs.number ?? inputs.numeric ?? true,
});

const atLeastOne =
    (property: string) =>
    (inputs: Properties): CheckFailure[] =>
        typeof inputs[property] === "number" && inputs[property] < 1
            ? [{ property, reason: `Attribute ${property} value must be at least 1` }]
            : [];

export const types: SimulatedType[] = [
    {
        ...base,
        token: "random:index/randomPassword:RandomPassword",
        check: checkCharacters,
        // The real provider's id is "none" for all; ids have to differ here.
        outputs: (inputs, _id, _world, old) => ({
            ...characterDefaults(inputs),
            result: old?.outputs.result ?? makeCharacters(inputs),
            bcryptHash: old?.outputs.bcryptHash ?? hashShape(),
        }),
        secretOutputs: ["result", "bcryptHash"],
    },
    {
        ...base,
        token: "random:index/randomString:RandomString",
        check: checkCharacters,
        id: makeCharacters,
        outputs: (inputs, id) => ({ ...characterDefaults(inputs), result: id }),
    },
    {
        ...base,
        token: "random:index/randomId:RandomId",
        check: atLeastOne("byteLength"),
        id: ({ byteLength }) => randomBytes(numberOr(byteLength, 1)).toString("base64url"),
        outputs: ({ prefix }, id) => {
            const bytes = Buffer.from(id, "base64url");
            const start = text(prefix) ?? "";
            return {
                b64Std: start + bytes.toString("base64"),
                b64Url: start + id,
                hex: start + bytes.toString("hex"),
                dec: start + BigInt(`0x${bytes.toString("hex")}`).toString(),
            };
        },
    },
    {
        ...base,
        token: "random:index/randomBytes:RandomBytes",
        check: atLeastOne("length"),
        outputs: ({ length }, _id, _world, old) => {
            const bytes = randomBytes(numberOr(length, 1));
            return old ? {} : { base64: bytes.toString("base64"), hex: bytes.toString("hex") };
        },
        secretOutputs: ["base64", "hex"],
    },
    {
        ...base,
        token: "random:index/randomUuid:RandomUuid",
        id: () => randomUUID(),
        outputs: (_inputs, id) => ({ result: id }),
    },
    {
        ...base,
        token: "random:index/randomPet:RandomPet",
        id: ({ length, prefix, separator }) => {
            const words = numberOr(length, 2);
            const adverbs = Array.from({ length: Math.max(words - 2, 0) }, () => oneOf(ADVERBS));
            const name = [...adverbs, ...(words > 1 ? [oneOf(ADJECTIVES)] : []), oneOf(NAMES)];
            return [...(text(prefix) ? [text(prefix)] : []), ...name].join(text(separator) ?? "-");
        },
        outputs: ({ length, separator }) => ({ length: length ?? 2, separator: separator ?? "-" }),
    },
    {
        ...base,
        token: "random:index/randomInteger:RandomInteger",
        check: ({ min, max }) =>
            typeof min === "number" && typeof max === "number" && min > max
                ? [
                      {
                          property: "min",
                          reason: `the minimum (${min}) needs to be smaller than or equal to the maximum (${max})`,
                      },
                  ]
                : [],
        outputs: ({ min, max, seed }, _id, _world, old) => ({
            result: old?.outputs.result ?? integer(numberOr(min, 0), numberOr(max, 0), text(seed)),
        }),
    },
    {
        ...base,
        token: "random:index/randomShuffle:RandomShuffle",
        outputs: ({ inputs, resultCount }, _id, _world, old) => ({
            results: old?.outputs.results ?? shuffle(list(inputs)).slice(0, numberOr(resultCount, list(inputs).length)),
        }),
    },
];

function oneOf(words: readonly string[]): string {
    return words[randomInt(words.length)]!;
}

function integer(min: number, max: number, seed: string | undefined): number {
    if (seed === undefined) {
        return min + randomInt(max - min + 1);
    }
    const sum = [...seed].reduce((total, letter) => (total * 31 + letter.codePointAt(0)!) % 2147483647, 7);
    return min + (sum % (max - min + 1));
}

const sdk = new Sdk("@pulumi/random");
const byToken = new Map(types.map((type) => [type.token, type]));

/** @pulumi/random: real random values, made once and kept. */
export const random: SimulatedPackage = {
    name: "random",
    scope: () => "random",
    type: (token) => byToken.get(token),
    facts: (token) => (byToken.has(token) ? sdk.facts(token) : undefined),
    hasTypeNamed: (name) => types.some(({ token }) => token.endsWith(`:${name}`)),
    invoke: () => undefined,
};
