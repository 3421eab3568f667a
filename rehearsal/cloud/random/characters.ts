import { randomInt } from "node:crypto";
import type { CheckFailure, Properties } from "../shell/type";

const CLASSES = [
    { use: "lower", least: "minLower", characters: "abcdefghijklmnopqrstuvwxyz" },
    { use: "upper", least: "minUpper", characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
    { use: "numeric", least: "minNumeric", characters: "0123456789" },
    // The provider's own set, unless overrideSpecial names another.
    { use: "special", least: "minSpecial", characters: "!@#$%&*()-_=+[]{}<>:?" },
] as const;

/** What RandomPassword and RandomString refuse: registry.terraform.io/providers/hashicorp/random, resource "password". */
export function checkCharacters(inputs: Properties): CheckFailure[] {
    const failures: CheckFailure[] = [];
    const length = inputs.length;
    if (typeof length === "number" && length < 1) {
        failures.push({ property: "length", reason: "Attribute length value must be at least 1" });
    }
    const least = CLASSES.reduce((sum, { least }) => sum + numberOr(inputs[least], 0), 0);
    if (typeof length === "number" && length < least) {
        failures.push({
            property: "length",
            reason: `must be >= the sum of minUpper, minLower, minNumeric and minSpecial (${least}), got: ${length}`,
        });
    }
    if (CLASSES.every(({ use }) => inputs[use] === false)) {
        failures.push({
            property: "special",
            reason: "at least one of special, upper, lower, numeric must be true",
        });
    }
    return failures;
}

/** Characters by the rules that the inputs give: first as many of each class as are asked for, then any, then shuffled. */
export function makeCharacters(inputs: Properties): string {
    const special =
        typeof inputs.overrideSpecial === "string" && inputs.overrideSpecial !== ""
            ? inputs.overrideSpecial
            : undefined;
    const sets = CLASSES.map(({ use, least, characters }) => ({
        used: inputs[use] !== false && !(use === "numeric" && inputs.number === false),
        least: numberOr(inputs[least], 0),
        characters: use === "special" ? (special ?? characters) : characters,
    }));
    const all = sets.filter(({ used }) => used).map(({ characters }) => characters);
    const chosen = sets.flatMap(({ least, characters }) => pick(characters, least));
    chosen.push(...pick(all.join(""), numberOr(inputs.length, 0) - chosen.length));
    return shuffle(chosen).join("");
}

export function shuffle<T>(values: T[]): T[] {
    const shuffled = [...values];
    for (let last = shuffled.length - 1; last > 0; last--) {
        const other = randomInt(last + 1);
        [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
    }
    return shuffled;
}

export function numberOr(value: unknown, otherwise: number): number {
    return typeof value === "number" ? value : otherwise;
}

function pick(characters: string, count: number): string[] {
    return Array.from({ length: Math.max(count, 0) }, () => characters[randomInt(characters.length)]!);
}
