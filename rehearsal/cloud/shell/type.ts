import type { World, WorldObject } from "./world";

export { UNKNOWN } from "./values";

/** Plain property values. `UNKNOWN` (a symbol) stands where the engine does not know a value yet (preview only). */
export type Properties = Record<string, unknown>;

/** A finding about one property of the inputs; reported by the engine as a check failure. */
export interface CheckFailure {
    /** The property's path as Pulumi writes it, for example `scalingConfig.minSize` or `subnetIds[1]`. */
    property: string;
    reason: string;
}

/** An input that names another object of the simulated cloud. */
export interface Reference {
    /** Path of the input; `[*]` stands for every element: `vpcConfig.subnetIds[*]`. */
    path: string;
    /** The types (tokens) that the value may name. */
    to: string | string[];
    /** The output of the target that the value equals. @default id */
    by?: string;
    /** Whether the target cannot be deleted while this object names it; a string is AWS's error code. @default true */
    holds?: boolean | string;
    /** The error code when nothing of that name exists, as the API words it. @default InvalidParameterValue */
    missing?: string;
    /** Values that name something outside the simulated account, such as AWS's own policies. */
    outside?: RegExp;
}

/** What is known beside the inputs when they are checked. */
export interface Context {
    /** The resource's logical name. */
    name: string;
    /** The inputs of the last deployment, if any: a name once made is kept. */
    olds?: Properties;
    /** So many random hex digits, the same for the same resource in preview and update. */
    hex: (digits: number) => string;
    world: World;
    preview: boolean;
}

/** How long an operation typically takes on AWS, in seconds, and where that figure comes from. */
export interface Duration {
    create: number;
    update?: number;
    delete?: number;
    source: string;
}

/**
 * What a simulated resource type does beyond what its SDK class already says (required, known and typed inputs,
 * properties documented as forcing replacement). One table-like object for each type; strictness names its source.
 */
export interface SimulatedType {
    /** The type token, for example `aws:efs/mountTarget:MountTarget`. */
    token: string;
    /** Makes the physical id. @default the token's last name and random hex */
    id?: (inputs: Properties, world: World) => string;
    /** Inputs that name other objects. They must exist; most hold what they name against deletion. */
    references?: Reference[];
    /** Groups of inputs that no two living objects may share, for example `[["name"]]`. */
    unique?: string[][];
    /** The error code when something of the same name exists, as the API words it. @default AlreadyExistsException */
    duplicate?: string;
    /** Inputs that force a replacement although the SDK's documentation does not say so. */
    immutable?: string[];
    /** Inputs that are updated in place although the SDK's documentation reads otherwise. */
    mutable?: string[];
    /** Outputs that an update may change, beside the inputs: unknown in the preview of an update. */
    changing?: string[];
    /**
     * The input that is named automatically when absent, or `false`, or a function that does it otherwise.
     * @default `name`, where that is an optional input: logical name, dash, seven hex digits
     */
    autoname?: string | false;
    /** Fills defaults that AWS or Kubernetes fill, and names that are made otherwise than by `autoname`. */
    defaults?: (inputs: Properties, context: Context) => Properties;
    /** What the inputs alone show to be wrong. Runs in preview; `UNKNOWN` values are to be left alone. */
    check?: (inputs: Properties, context: Context) => CheckFailure[];
    /** The changed inputs that force a replacement, instead of what `immutable` and the SDK's documentation say. */
    replaces?: (olds: Properties, news: Properties) => string[];
    /** Whether the old object must go before the new one comes. @default when both have the same given name */
    deletesBeforeReplace?: (olds: Properties, news: Properties) => boolean;
    /** What the change itself makes impossible (a claim that shrinks, a version that skips): refused when the update is tried. */
    checkChange?: (olds: Properties, news: Properties, world: World) => CheckFailure[];
    /** What of these inputs the rehearsal knows no more than their form, as a person would name it: a chart, for instance. */
    opaque?: (inputs: Properties) => string[];
    /** What is wrong in relation to other objects. Throws a `CloudError`, as the API would at creation or update. */
    relations?: (inputs: Properties, world: World, self?: WorldObject) => void;
    /** The outputs that are not inputs (ARNs, endpoints, computed attributes). */
    outputs?: (inputs: Properties, id: string, world: World, old?: WorldObject) => Properties;
    /** Outputs that differ each time they are read, such as a status: what a refresh sees. */
    current?: (object: WorldObject, world: World) => Properties;
    /** What the preview of a creation can tell. @default the inputs; every other declared output is unknown */
    preview?: (inputs: Properties, world: World) => Properties;
    /** Output properties that are always secret. */
    secretOutputs?: string[];
    /** What else the cloud does once the object exists or changed (a cluster makes its security group). */
    settled?: (object: WorldObject, world: World, old?: WorldObject) => void;
    /** Why the object cannot be deleted now, beside what references hold. */
    refusesDeletion?: (object: WorldObject, world: World) => string | undefined;
    /**
     * What a provider still waits for once the object was made or changed. Asked again when the world changes, as long as
     * other operations are under way; what is left then fails the operation, while the object stays in world and state.
     */
    notReady?: (object: WorldObject, world: World) => string[] | undefined;
    /** How long a provider waits for readiness or disappearance, in seconds on AWS. @default 600 */
    timeout?: (object: WorldObject) => number;
    /** Called when the deletion begins: marks the object. */
    removing?: (object: WorldObject, world: World) => void;
    /** What keeps the object from disappearing (finalizers). Asked again like `notReady`. */
    notGone?: (object: WorldObject, world: World) => string | undefined;
    /** What else disappears, or stays, with the object. */
    removed?: (object: WorldObject, world: World) => void;
    /** How long it takes on AWS. A function where it depends on the inputs or on what is waited for. */
    seconds: Duration | ((inputs: Properties, world: World) => Duration);
}

/** An invoke (data source), such as `aws:ec2/getVpc:getVpc`. */
export interface SimulatedInvoke {
    token: string;
    invoke: (args: Properties, world: World) => Properties;
}

/** An error as the cloud's API words it: `InvalidSubnetID.NotFound: The subnet ID 'subnet-1' does not exist`. */
export class CloudError extends Error {
    constructor(
        readonly code: string,
        message: string,
    ) {
        super(`${code}: ${message}`);
        this.name = "CloudError";
    }
}
