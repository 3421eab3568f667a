import type {
    PolicyConfigSchema,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
} from "@pulumi/policy";
import { configProblems, configSchema, exceptionsFor, holds, withDefaults } from "./config";
import { toProperties, withUnknowns } from "./plain";
import { saidOf } from "./judge/said";
import { isPreview, unknownRules } from "./engine";
import { Report } from "./report";
import type { Edit, Finding, Provider, Resource, Rule, RuleConfig, Stack, Undecided, Verdict } from "./rule";
import { stackOf } from "./stack";

/** A policy that may judge single resources, the stack, or both: the SDK looks for each of the two functions. */
export type Policy = ResourceValidationPolicy & Partial<Pick<StackValidationPolicy, "validateStack">>;

/** Makes policies of rules, and the two companions that say what the rules left open and what they advise. */
export function policiesOf(rules: Rule[], report = new Report(rules)): Policy[] {
    const session = new Session(report);
    return [...rules.map((rule) => policyOf(rule, session)), laterPolicy(session), advicePolicy(session)];
}

function policyOf(rule: Rule, session: Session): Policy {
    const configOf = configReader(rule);
    const { resource: judgeResource, stack: judgeStack, remediate } = rule;
    return {
        name: rule.name,
        description: rule.description,
        enforcementLevel: rule.level,
        severity: rule.severity,
        remediationSteps: rule.fix,
        configSchema: { properties: configSchema(rule) } as PolicyConfigSchema,
        ...(judgeResource && {
            validateResource: (args: ResourceValidationArgs, violate: ReportViolation) => {
                const resource = session.resource(args, rule.name);
                const config = configOf(args.getConfig());
                session.settle(
                    rule,
                    config,
                    safely(rule, resource, () => judgeResource(resource, config)),
                    (message) => violate(message),
                );
                session.report.write(false);
            },
        }),
        ...(judgeStack && {
            validateStack: (args: StackValidationArgs, violate: ReportViolation) => {
                const stack = session.stack(args, rule.name);
                const config = session.shared(rule, configOf(args.getConfig()));
                const after = afterwards();
                const verdict = safely(rule, stack.resources[0], () => judgeStack(stack, config));
                session.settle(rule, config, verdict, (message, urn) => violate(message + after, urn));
                session.report.write(true);
            },
        }),
        ...(remediate && {
            remediateResource: (args: ResourceValidationArgs) => {
                const edits = remediate(session.resource(args, rule.name), configOf(args.getConfig()));
                edits.forEach((edit) => apply(args.props, edit));
                return edits.length > 0 ? args.props : undefined;
            },
        }),
    };
}

/** Says, resource by resource, what rules could not judge because it is unknown. */
function laterPolicy(session: Session): Policy {
    const line = ({ rule, resource, property, why }: Open<Undecided>) =>
        `${named(resource)}, ${property}: ${rule} could not judge this yet: ${sentence(why)}`;
    return {
        name: "judged-later",
        description: "What a rule cannot judge while it is unknown is judged by `up`, and named here meanwhile.",
        enforcementLevel: "advisory",
        validateResource: (args, violate) => session.open(args.urn).undecided.forEach((open) => violate(line(open))),
        validateStack: (_, violate) =>
            session.open("").undecided.forEach((open) => violate(line(open), open.resource.urn)),
    };
}

/** Says what rules advise where nothing is violated. */
function advicePolicy(session: Session): Policy {
    const line = ({ rule, ...finding }: Open<Finding>) =>
        `${named(finding.resource)}, ${finding.property}: ${sentence(finding.what)} ${sentence(finding.fix ?? "")} (${rule})`;
    return {
        name: "advice",
        description: "What is no violation but worth knowing.",
        enforcementLevel: "advisory",
        validateResource: (args, violate) => session.open(args.urn).advice.forEach((open) => violate(line(open))),
        validateStack: (_, violate) =>
            session.open("").advice.forEach((open) => violate(line(open), open.resource.urn)),
    };
}

type Open<T> = T & { rule: string };

/** What the policies of one pack share within a run. */
class Session {
    readonly #resources = new Latest<Resource>();
    readonly #stacks = new Latest<Stack>();
    readonly #providers = new Map<string, Provider>();
    /** What the program says of each resource, known before the stack is judged. */
    readonly #inputs = new Map<string, Record<string, unknown>>();
    #open = { urn: "", undecided: new Map<string, Open<Undecided>>(), advice: new Map<string, Open<Finding>>() };
    #shared: RuleConfig = {};

    constructor(readonly report: Report) {}

    resource(args: ResourceValidationArgs, rule: string): Resource {
        return this.#resources.get(args.urn, rule, () => {
            this.#open = { urn: args.urn, undecided: new Map(), advice: new Map() };
            const props = toProperties(args.props);
            this.#inputs.set(args.urn, props);
            return {
                type: args.type,
                name: args.name,
                urn: args.urn,
                props,
                options: { protect: args.opts?.protect, ignoreChanges: args.opts?.ignoreChanges },
                provider: args.provider && { ...args.provider, props: toProperties(args.provider.props) },
                parent: args.opts?.parent,
            };
        });
    }

    /** The SDK makes its resources anew for each policy; the rules share the plain ones of the first. */
    stack(args: StackValidationArgs, rule: string): Stack {
        const { resources } = args;
        return this.#stacks.get(`${resources.length} ${resources[0]?.urn} ${resources.at(-1)?.urn}`, rule, () => {
            this.#open = { urn: "", undecided: new Map(), advice: new Map() };
            this.#providers.clear();
            this.#shared = {};
            return stackOf(resources.map((resource) => this.#stackResource(resource)));
        });
    }

    #stackResource(resource: PolicyResource): Resource {
        const from = Object.entries(resource.propertyDependencies ?? {});
        const outputs = toProperties(resource.props);
        const inputs = this.#inputs.get(resource.urn);
        return {
            type: resource.type,
            name: resource.name,
            urn: resource.urn,
            props: inputs ? seenInStack(outputs, inputs) : outputs,
            inputs,
            options: { protect: resource.opts?.protect, ignoreChanges: resource.opts?.ignoreChanges },
            provider: resource.provider && this.#provider(resource.provider),
            parent: resource.parent?.urn ?? resource.opts?.parent,
            dependencies: (resource.dependencies ?? []).map(({ urn }) => urn),
            propertyDependencies: Object.fromEntries(
                from.map(([property, resources]) => [property, resources.map(({ urn }) => urn)]),
            ),
        };
    }

    #provider(provider: Provider): Provider {
        const known = this.#providers.get(provider.urn) ?? { ...provider, props: toProperties(provider.props) };
        this.#providers.set(provider.urn, known);
        return known;
    }

    /** What one rule is told about classes outside the program holds for the rules after it, unless they are told otherwise. */
    shared(rule: Rule, config: RuleConfig): RuleConfig {
        const known = sharedSettings.filter((key) => rule.config?.[key]);
        const added = known.filter((key) => config[key] === undefined && this.#shared[key] !== undefined);
        for (const key of known) {
            this.#shared[key] ??= config[key];
        }
        return added.length === 0
            ? config
            : { ...config, ...Object.fromEntries(added.map((key) => [key, this.#shared[key]])) };
    }

    settle(rule: Rule, config: RuleConfig, verdict: Verdict, violate: (message: string, urn?: string) => void): void {
        this.report.judged(rule.name, verdict.judged ?? []);
        for (const finding of verdict.findings) {
            const named = exceptionsFor(config, finding);
            const exception = named.find((candidate) => holds(candidate, new Date()));
            if (exception) {
                this.report.excepted(rule.name, finding, exception);
                continue;
            }
            const whole = { ...finding, fix: finding.fix ?? rule.fix };
            this.report.found(rule.name, "findings", whole);
            const ended = named.map(({ until }) => ` (An exception for it ended on ${until}.)`).join("");
            violate(message(whole) + ended, finding.resource?.urn);
        }
        for (const undecided of verdict.undecided.filter((one) => !isExcepted(config, one))) {
            this.report.undecided(rule.name, undecided);
            this.#open.undecided.set(`${rule.name} ${undecided.resource.urn} ${undecided.property}`, {
                rule: rule.name,
                ...undecided,
            });
        }
        for (const advice of (verdict.advice ?? []).filter((one) => !isExcepted(config, one))) {
            this.report.found(rule.name, "advice", advice);
            this.#open.advice.set(`${rule.name} ${advice.resource.urn} ${advice.property} ${advice.what}`, {
                rule: rule.name,
                ...advice,
            });
        }
    }

    /** What the rules left open in the present call: about one resource, or (URN "") about the stack. */
    open(urn: string): { undecided: Open<Undecided>[]; advice: Open<Finding>[] } {
        const { undecided, advice } = this.#open.urn === urn ? this.#open : { undecided: new Map(), advice: new Map() };
        return { undecided: [...undecided.values()], advice: [...advice.values()] };
    }
}

/** While a provider's own configuration is unknown the engine does not ask it, and previews no outputs at all: what the program says counts. */
function seenInStack(outputs: Record<string, unknown>, inputs: Record<string, unknown>): Record<string, unknown> {
    return Object.keys(outputs).length === 0 ? inputs : withUnknowns(saidOf(outputs, inputs), inputs);
}

const sharedSettings = ["storageClasses", "defaultStorageClass"];

function isExcepted(config: RuleConfig, found: { resource: Resource; property: string }): boolean {
    return exceptionsFor(config, found).some((exception) => holds(exception, new Date()));
}

/**
 * The value made last, as long as the callers are different policies of one call. The SDK runs all policies of a call one after another without a
 * pause, and each once, so a caller that comes again or another turn of the event loop begins a new call.
 */
class Latest<T> {
    #held?: { key: string; callers: Set<string>; value: T };

    get(key: string, caller: string, make: () => T): T {
        if (this.#held?.key !== key || this.#held.callers.has(caller)) {
            const held = { key, callers: new Set<string>(), value: make() };
            this.#held = held;
            setImmediate(() => {
                if (this.#held === held) {
                    this.#held = undefined;
                }
            });
        }
        this.#held.callers.add(caller);
        return this.#held.value;
    }
}

/** A rule that fails does not pass: its failure is a finding. It is told without the error's text, which may hold a secret value. */
function safely(rule: Rule, resource: Resource | undefined, judge: () => Verdict): Verdict {
    try {
        return judge();
    } catch (error) {
        const kind = error instanceof Error ? error.name : "error";
        const at =
            error instanceof Error
                ? (error.stack?.split("\n").find((line) => line.trim().startsWith("at ")) ?? "").trim()
                : "";
        const what = `The rule ${rule.name} itself failed here (${kind} ${at}), so nothing is known.`;
        return {
            findings: [
                {
                    resource: resource as Resource,
                    property: "(all)",
                    what,
                    fix: "Please report this as a bug of the policy pack.",
                },
            ],
            undecided: [],
        };
    }
}

/** Without a stack trace: the SDK prints it, and where it was noticed helps nobody. */
class ConfigurationError extends Error {
    constructor(rule: string, problems: string[]) {
        super(`The configuration of ${rule} is wrong:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
        this.name = "ConfigurationError";
        this.stack = this.message;
    }
}

function configReader(rule: Rule): (config: object) => RuleConfig {
    let last: { text: string; config: RuleConfig } | undefined;
    return (given) => {
        if (unknownRules().length > 0) {
            throw new ConfigurationError(
                "the pack",
                unknownRules().map((name) => `${name}: there is no such rule`),
            );
        }
        const text = JSON.stringify(given);
        if (last?.text !== text) {
            const config = withDefaults(rule, given as RuleConfig);
            const problems = configProblems(rule, config);
            if (problems.length > 0) {
                throw new ConfigurationError(rule.name, problems);
            }
            last = { text, config };
        }
        return last.config;
    };
}

function message({ resource, property, what, fix }: Finding): string {
    return `${named(resource)}, ${property}: ${sentence(what)} ${sentence(fix ?? "")}`.trim();
}

/** Rules on the whole stack judge again when `up` has ended. */
function afterwards(): string {
    switch (isPreview()) {
        case true:
            return "";
        case false:
            return " (This was found when the update had ended: it exists already.)";
        default:
            return " (If this is no preview, it exists already: what concerns several resources is judged when the update has ended.)";
    }
}

function sentence(text: string): string {
    return text === "" || /[.!?)]$/.test(text) ? text : `${text}.`;
}

function named(resource: Resource | undefined): string {
    return resource ? `${resource.name} (${resource.type})` : "the stack";
}

function apply(props: Record<string, unknown>, { path, value }: Edit): void {
    let here = props;
    for (const step of path.slice(0, -1)) {
        here[step] ??= {};
        here = here[step] as Record<string, unknown>;
    }
    here[path.at(-1) as string] = value;
}
