import type { TypeFacts } from "./facts";
import type { CheckFailure, Properties, SimulatedInvoke, SimulatedType } from "./type";
import type { Registrar } from "./monitor";
import type { Path } from "./values";
import type { World, WorldObject } from "./world";

/** What a component asks for, in plain values. */
export interface ConstructRequest {
    type: string;
    name: string;
    inputs: Properties;
    secrets: Path[];
    dryRun: boolean;
}

export interface ConstructResult {
    urn: string;
    outputs: Properties;
    secrets?: Path[];
    /** The resources that each output is made of. @default all that were registered */
    dependencies?: Record<string, string[]>;
}

/** All that one Pulumi package simulates. The shell serves it as a plugin. */
export interface SimulatedPackage {
    /** The package's name, as in `pulumi-resource-<name>`. */
    name: string;
    /** Checks the configuration of a provider. */
    checkConfig?: (config: Properties) => CheckFailure[];
    /** The account and region that a provider with this configuration works in, where that matters. */
    place?: (config: Properties) => { accountId?: string; region?: string; partition?: string };
    /** Lists of plain values are compared as sets, JSON documents by their meaning, as the real provider does. */
    normalizes?: boolean;
    /** Whether an update is tried by its API in preview already (a server-side dry run). */
    dryRuns?: boolean;
    /** Where the ids of a type are unique (see `WorldObject.scope`); `undefined` where that is not known yet. */
    scope: (
        token: string,
        world: Pick<World, "accountId" | "region" | "provider" | "everywhere">,
    ) => string | undefined;
    /** What is known of a type beyond its SDK class. */
    type: (token: string) => SimulatedType | undefined;
    /** What the SDK says of a type. Where it says nothing, `type` alone decides; without either the type is refused. */
    facts: (token: string) => TypeFacts | undefined;
    /** Outputs that all types of the package have. */
    common?: (token: string, inputs: Properties, id: string, world: World) => Properties;
    /** Whether there is a type of this name (`NodeGroup`), in whatever module. */
    hasTypeNamed?: (name: string) => boolean;
    invoke: (token: string) => SimulatedInvoke | undefined;
    /** Makes a component's children through the monitor. */
    construct?: (request: ConstructRequest, monitor: Registrar, world: World) => Promise<ConstructResult>;
    /** A component's method. */
    call?: (token: string, args: Properties, world: World, monitor: Registrar) => Promise<Properties>;
    /** Called after every operation of any package, also a failed one: what the cloud does by itself as time passes. */
    afterOperation?: (world: World, operation: DoneOperation) => void;
}

export interface DoneOperation {
    operation: "create" | "update" | "delete" | "read";
    token: string;
    object?: WorldObject;
    /** How long it took on AWS. */
    seconds: number;
}
