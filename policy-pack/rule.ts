import type { EnforcementLevel } from "@pulumi/policy";

/** A resource as rules see it: a plain tree in which unknown leaves are `UNKNOWN`. */
export interface Resource {
    /** The Pulumi type token, for example `aws:efs/fileSystem:FileSystem`. */
    type: string;
    /** The logical name. */
    name: string;
    urn: string;
    /** Inputs for a resource rule; outputs (inputs and what the provider added) for a stack rule. */
    props: Record<string, unknown>;
    /** What the program says, without what the provider added (stack rules only). */
    inputs?: Record<string, unknown>;
    options?: ResourceOptions;
    /** The provider that manages it: two Kubernetes providers are two clusters, unless their settings are the same. */
    provider?: Provider;
    /** The URN of the parent, when it has one (stack rules only). */
    parent?: string;
    /** The URNs of all that it depends on (stack rules only). */
    dependencies?: string[];
    /** The URNs that each property's value came from (stack rules only); tells which class a claim uses while its name is unknown. */
    propertyDependencies?: Record<string, string[]>;
}

export interface ResourceOptions {
    protect?: boolean;
    ignoreChanges?: string[];
}

export interface Provider {
    urn: string;
    type: string;
    name: string;
    /** May hold secrets (a kubeconfig, keys): compare, never show. */
    props: Record<string, unknown>;
}

/** What a rule found. The message never contains a value that may be secret. */
export interface Finding {
    resource: Resource;
    /** The property's path, for example `spec.volumeClaimTemplates[0].spec.accessModes`. */
    property: string;
    /** What would happen, in one sentence: the failure that is prevented. */
    what: string;
    /** What to do instead. @default the rule's own `fix` */
    fix?: string;
}

/** What could not be judged because it is unknown until `up`, or lives outside the program. */
export interface Undecided {
    resource: Resource;
    property: string;
    why: string;
}

export interface Verdict {
    findings: Finding[];
    undecided: Undecided[];
    /** What is not a violation but worth a line: always advisory, whatever the rule's level. */
    advice?: Finding[];
    /** The URNs of the resources that the rule looked at (a resource without anything to judge is not among them). */
    judged?: Iterable<string>;
}

/**
 * One rule. `resource` judges one resource before it is created; `stack` judges the whole program in preview and again
 * when `up` ends. Both are pure functions of plain trees: no `@pulumi/policy` types, so that tests call them directly.
 * A rule may have both: they share name, level, and configuration, and should not find the same thing twice.
 */
export interface Rule {
    name: string;
    /** What must hold, in one sentence. */
    description: string;
    /** Which failure it prevents. */
    why: string;
    /** How to mend a violation. */
    fix: string;
    level: EnforcementLevel;
    severity?: "low" | "medium" | "high" | "critical";
    resource?: (resource: Resource, config: RuleConfig) => Verdict;
    stack?: (stack: Stack, config: RuleConfig) => Verdict;
    /**
     * Opt-in (level `remediate`): what to set in the resource's properties, if anything. Never a change that would replace something that
     * holds data.
     */
    remediate?: (resource: Resource, config: RuleConfig) => Edit[];
    /** JSON schema properties of the rule's own configuration, besides level and exceptions that all rules have. */
    config?: Record<string, ConfigProperty>;
}

/** The part of JSON schema that a rule's configuration may use; the pack checks values against it before a rule sees them. */
export interface ConfigProperty {
    type?: "string" | "number" | "integer" | "boolean" | "object" | "array" | ("string" | "object" | "array")[];
    description?: string;
    default?: string | number | boolean | object;
    enum?: (string | number | boolean)[];
    pattern?: string;
    minLength?: number;
    minimum?: number;
    maximum?: number;
    items?: ConfigProperty;
    properties?: Record<string, ConfigProperty>;
    required?: string[];
    additionalProperties?: ConfigProperty | boolean;
}

/** One property that a remediation sets, by its path. */
export interface Edit {
    path: string[];
    value: unknown;
}

export type RuleConfig = Record<string, unknown>;

/** The whole program, indexed once for all rules (see `storage/` for classes, claims and volumes). */
export interface Stack {
    resources: Resource[];
    /** All resources whose type is one of those given. */
    ofType(...types: string[]): Resource[];
    byUrn(urn: string): Resource | undefined;
    childrenOf(urn: string): Resource[];
    /** Computes something once a run, for all rules that need it: `stack.once(indexSecurityGroups)`. */
    once<T>(make: (stack: Stack) => T): T;
}

/** Collects a verdict. */
export class Judgement implements Verdict {
    readonly findings: Finding[] = [];
    readonly undecided: Undecided[] = [];
    readonly advice: Finding[] = [];
    readonly judged = new Set<string>();

    /** Notes that the rule looked at this resource (findings and undecided values note it by themselves). */
    judge(resource: Resource): this {
        this.judged.add(resource.urn);
        return this;
    }

    violation(resource: Resource, property: string, what: string, fix?: string): this {
        this.findings.push({ resource, property, what, fix });
        return this.judge(resource);
    }

    unknown(resource: Resource, property: string, why: string): this {
        this.undecided.push({ resource, property, why });
        return this.judge(resource);
    }

    advise(resource: Resource, property: string, what: string, fix?: string): this {
        this.advice.push({ resource, property, what, fix });
        return this.judge(resource);
    }

    add(other: Verdict): this {
        this.findings.push(...other.findings);
        this.undecided.push(...other.undecided);
        this.advice.push(...(other.advice ?? []));
        for (const urn of other.judged ?? []) {
            this.judged.add(urn);
        }
        return this;
    }
}
