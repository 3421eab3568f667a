let dryRun: boolean | undefined;
let strangers: string[] = [];

/** Whether the engine runs a preview; undefined when it did not tell. */
export function isPreview(): boolean | undefined {
    const told = process.env.PULUMI_DRY_RUN ?? process.env.PULUMI_NODEJS_DRY_RUN;
    return dryRun ?? (told === undefined ? undefined : told === "true");
}

/** The rules that the configuration names and that do not exist. */
export function unknownRules(): string[] {
    return strangers;
}

type Method = (this: Message, ...args: unknown[]) => unknown;
interface Message {
    getTagsMap?: Method;
    getDryRun?: () => boolean;
    getPolicyconfigMap?: (this: Message, ...args: unknown[]) => { keys?: () => Iterable<string> };
}

/**
 * Listens to what the engine tells the pack when it configures it, where the policy SDK does not pass it on: whether it runs a preview (older
 * engines set environment variables instead), and settings for rules that do not exist, which would be silently without effect.
 */
export function listenToEngine(policies: string[]): void {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- the messages' classes have no place of their own in the SDK's API
    const messages = require("@pulumi/pulumi/proto/analyzer_pb") as Record<string, { prototype: Message } | undefined>;
    const stack = messages.AnalyzerStackConfigureRequest?.prototype;
    const getTagsMap = stack?.getTagsMap;
    if (stack && getTagsMap && stack.getDryRun) {
        stack.getTagsMap = function (...args) {
            dryRun = this.getDryRun?.();
            return getTagsMap.apply(this, args);
        };
    }
    const configuration = messages.ConfigureAnalyzerRequest?.prototype;
    const getPolicyconfigMap = configuration?.getPolicyconfigMap;
    if (configuration && getPolicyconfigMap) {
        // The message fills its own map by this method while it is read: the last call sees all of it.
        configuration.getPolicyconfigMap = function (...args) {
            const map = getPolicyconfigMap.apply(this, args);
            strangers = [...(map.keys?.() ?? [])].filter((name) => name !== "all" && !policies.includes(name)).sort();
            return map;
        };
    }
}
