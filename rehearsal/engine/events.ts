/** The parts of the engine's event stream (`pulumi … --json`) that a rehearsal reads. */
export interface EngineEvent {
    sequence: number;
    timestamp: number;
    preludeEvent?: { config: Record<string, string> };
    diagnosticEvent?: Diagnostic & { ephemeral?: boolean };
    resourcePreEvent?: { metadata: StepMetadata; planning?: boolean };
    resOutputsEvent?: { metadata: StepMetadata; planning?: boolean };
    resOpFailedEvent?: { metadata: StepMetadata };
    policyEvent?: PolicyEvent;
    policyLoadEvent?: object;
    policyAnalyzeSummaryEvent?: PolicySummary;
    policyAnalyzeStackSummaryEvent?: PolicySummary;
    summaryEvent?: Summary;
    errorEvent?: { error: string };
    cancelEvent?: object;
}

export interface StepMetadata {
    op: string;
    urn: string;
    type: string;
    old: StepState | null;
    new: StepState | null;
    keys?: string[];
    diffs?: string[];
    detailedDiff: Record<string, { diffKind: string; inputDiff: boolean }> | null;
    logical?: boolean;
}

export interface StepState {
    type: string;
    urn: string;
    id: string;
    parent: string;
    provider: string;
    custom?: boolean;
    protect?: boolean;
    retainOnDelete?: boolean;
    inputs: Record<string, unknown>;
    outputs: Record<string, unknown>;
    initErrors?: string[];
}

export interface Diagnostic {
    urn?: string;
    prefix?: string;
    message: string;
    severity: string;
}

export interface PolicyEvent {
    resourceUrn?: string;
    message: string;
    policyName: string;
    policyPackName: string;
    enforcementLevel: string;
}

export interface PolicySummary {
    resourceUrn?: string;
    policyPackName: string;
    passed?: string[];
    failed?: string[];
}

export interface Summary {
    maybeCorrupt: boolean;
    durationSeconds: number;
    resourceChanges: Record<string, number>;
    policyPacks?: Record<string, string>;
    isPreview: boolean;
    result?: string;
}

/** Whether a deletion takes the resource out of the state only: `retainOnDelete` keeps it in the account. */
export function isKept({ op, old }: StepMetadata): boolean {
    return (op === "delete" || op === "delete-replaced") && old?.retainOnDelete === true;
}

/** The logical name at the end of a URN. */
export function nameOf(urn: string): string {
    return urn.split("::").slice(3).join("::");
}

/** The type token of a URN, without the types of its parents. */
export function typeOf(urn: string): string {
    return urn.split("::")[2]?.split("$").at(-1) ?? "";
}
