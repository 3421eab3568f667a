import * as pulumi from "@pulumi/pulumi";

/** What a guard tells the reader when it refuses a change. */
export interface GuardExplanation {
    /** The thing that is guarded, in words: `the file system "files"`. */
    what: string;
    /** How to reach the wanted state all the same, one or two sentences without a change of what is there. */
    instead: string;
}

/**
 * Refuses, in preview and in `up`, any change of inputs that would make the provider replace a resource which holds data.
 *
 * A replacement never shows one hook both sides, so the guarded inputs are kept in a Stash of their own: a change there is
 * an update, which a hook sees before anything is touched. The resource that is guarded must depend on what this returns.
 * A key that the state does not have yet (a newer version of the library guards more) is taken over as it is.
 */
export function guardImmutable(
    parent: pulumi.Resource,
    name: string,
    inputs: Record<string, pulumi.Input<unknown>>,
    explain: GuardExplanation,
): pulumi.Resource {
    const hook = refuseUpdate(parent, name, (olds, news) => {
        // The engine marks the whole input as secret when a part of it is.
        const secret = olds.input instanceof Hidden || news.input instanceof Hidden;
        const changes = changesOf(record(olds.input), record(news.input), secret);
        if (changes.length === 0) {
            return undefined;
        }
        return `${explain.what} cannot be changed like this without losing it: ${changes.join(", ")}. Set it back, or: ${explain.instead}`;
    });
    return new pulumi.Stash(name, { input: markAbsent(inputs) }, { parent, hooks: hook });
}

/**
 * Keeps the first value of something that the outside world decides (the newest version, the cheapest types) until `trigger`
 * changes: a release upstream alone then changes nothing, and a preview shows nothing.
 */
export function keepUntil<T>(
    parent: pulumi.Resource,
    name: string,
    value: pulumi.Input<T>,
    trigger: pulumi.Input<unknown>,
): pulumi.Output<T> {
    const kept = new pulumi.Stash(
        name,
        { input: value },
        // A replacement takes the new value in spite of `ignoreChanges`; without it each release upstream shows as an update.
        { parent, replacementTrigger: trigger, ignoreChanges: ["input"] },
    );
    return kept.output as pulumi.Output<T>;
}

/**
 * A hook for the `hooks` option of a resource: `judge` sees old and new inputs before an update, in preview too, and
 * returns why the update is refused, or undefined. Values that are not known yet appear as {@link isUnknown unknowns}.
 */
export function refuseUpdate(
    parent: pulumi.Resource,
    name: string,
    judge: (olds: Record<string, unknown>, news: Record<string, unknown>) => string | undefined,
): pulumi.ResourceHookBinding {
    const hook = new pulumi.ResourceHook(
        // Hooks share one name space in a deployment, resources of different parents do not.
        `${(parent as unknown as { __pulumiType: string }).__pulumiType}/${name}`,
        async ({ oldInputs, newInputs }) => {
            const refusal = judge(record(await settle(oldInputs)), record(await settle(newInputs)));
            if (refusal) {
                throw new Error(refusal);
            }
        },
        { onDryRun: true },
    );
    return { beforeUpdate: [hook] };
}

/** Whether a hook's input is a value that the engine does not know yet. */
export function isUnknown(value: unknown): boolean {
    return pulumi.containsUnknowns(value);
}

const ABSENT = "(not set)";

/** Each input on its own, so that one that is secret or unknown hides the others neither from readers nor from the guard. */
function markAbsent(inputs: Record<string, pulumi.Input<unknown>>): Record<string, pulumi.Output<unknown>> {
    return Object.fromEntries(
        Object.entries(inputs).map(([key, input]) => [
            key,
            pulumi.output(input as pulumi.Input<object>).apply((value) => value ?? ABSENT),
        ]),
    );
}

function changesOf(olds: Record<string, unknown>, news: Record<string, unknown>, secret: boolean): string[] {
    return Object.keys(olds)
        .filter((key) => key in news && !isUnknown(news[key]) && !equal(olds[key], news[key]))
        .map((key) => (secret ? key : `${key} from ${JSON.stringify(olds[key])} to ${JSON.stringify(news[key])}`));
}

/** A secret's value: compared, never shown. */
class Hidden {
    constructor(readonly value: unknown) {}
}

/** Inputs of a hook with secrets as {@link Hidden} instead of outputs. */
async function settle(value: unknown): Promise<unknown> {
    if (pulumi.Output.isInstance(value)) {
        // Unlike apply, this also gives a secret of which a part is not known yet.
        const secret = value as unknown as { promise(withUnknowns: boolean): Promise<unknown> };
        return new Hidden(await secret.promise(true));
    }
    if (value === null || typeof value !== "object" || Array.isArray(value) || isUnknown(value)) {
        return value;
    }
    const entries = await Promise.all(
        Object.entries(value).map(async ([key, part]) => [key, await settle(part)] as const),
    );
    return Object.fromEntries(entries);
}

function record(value: unknown): Record<string, unknown> {
    const plainValue = value instanceof Hidden ? value.value : value;
    return plainValue !== null && typeof plainValue === "object" ? (plainValue as Record<string, unknown>) : {};
}

function equal(a: unknown, b: unknown): boolean {
    return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(sorted);
    }
    if (value !== null && typeof value === "object") {
        return Object.fromEntries(
            Object.entries(value)
                .sort(([a], [b]) => (a < b ? -1 : 1))
                .map(([key, part]) => [key, sorted(part)]),
        );
    }
    return value;
}
