import * as pulumi from "@pulumi/pulumi";
import { Callback } from "@pulumi/pulumi/proto/callback_pb";
import { disconnect, getMonitor } from "@pulumi/pulumi/runtime/settings";
import * as state from "@pulumi/pulumi/runtime/state";
import { SimulatedMocks } from "../../rehearsal/cloud/mocks";

/** Values of any shape: what a test looks into. */
export type Loose = ReturnType<typeof JSON.parse>;

/** One resource as a component registered it: what it asked for and with which options. */
export interface Registered {
    type: string;
    name: string;
    urn: string;
    /** The inputs with secrets unwrapped; `secretInputs` tells which of them were secret. */
    inputs: Record<string, Loose>;
    /** The top-level inputs that hold a secret anywhere inside. */
    secretInputs: string[];
    custom: boolean;
    /** The logical name of the parent, "" for a child of the stack. */
    parent: string;
    /** Logical names of the resources that must be there first (`dependsOn` and inputs). */
    dependencies: string[];
    protect: boolean;
    retainOnDelete: boolean;
    deleteBeforeReplace: boolean;
    ignoreChanges: string[];
    replaceOnChanges: string[];
    additionalSecretOutputs: string[];
    aliases: string[];
    /** Timeouts that were set, by operation: create, update, delete. */
    customTimeouts: Record<string, string>;
    /** Names of the hooks bound to the resource, by kind, e.g. `beforeUpdate`. */
    hooks: Record<string, string[]>;
    replacementTrigger: unknown;
    /** The transforms that the program asks the engine to apply; mocks apply none. */
    transforms: pulumi.ResourceTransform[];
    provider: string;
}

/** A function call (look-up) that a component made. */
export interface Called {
    token: string;
    inputs: Record<string, Loose>;
}

/** Answers that differ from the defaults. */
export interface SimulateOptions {
    /** Look-up answers by token, e.g. `aws:eks/getCluster:getCluster`; a function that throws makes the look-up fail. */
    calls?: Record<string, (inputs: Record<string, Loose>) => Record<string, Loose>>;
    /** Types with inputs that the rehearsal's catalogues do not have, such as a made-up instance type: they are not checked. */
    unknownToRehearsals?: string[];
    /** Additional outputs by resource type, over inputs, `arn`, `name` and so on. */
    outputs?: Record<string, (inputs: Record<string, Loose>, name: string) => Record<string, Loose>>;
    /** Whether `pulumi.runtime.isDryRun()` says that this is a preview; values are known all the same. @default false */
    preview?: boolean;
}

/** What a program registered. */
export class Simulated<T> {
    constructor(
        readonly result: T,
        readonly resources: Registered[],
        readonly calls: Called[],
        readonly hooks: Map<string, pulumi.ResourceHook>,
    ) {}

    /** All resources of one type, in order of registration. */
    all(type: string): Registered[] {
        return this.resources.filter((resource) => resource.type === type);
    }

    /** The one resource of a type (and name); throws when there is none or more than one. */
    one(type: string, name?: string): Registered {
        const found = this.all(type).filter((resource) => name === undefined || resource.name === name);
        if (found.length !== 1) {
            const there = this.resources.map((resource) => `${resource.type} ${resource.name}`).join("\n  ");
            throw new Error(`${found.length} resources ${type} ${name ?? ""} instead of one; there are:\n  ${there}`);
        }
        return found[0];
    }
}

const accountId = "123456789012";
const region = "eu-west-1";

/**
 * Runs a program against mocks and waits until everything is registered. The program may return outputs (also in an
 * object): they come back as plain values, secrets unwrapped.
 */
export async function simulate<T>(
    program: () => T | Promise<T>,
    options: SimulateOptions = {},
): Promise<Simulated<pulumi.Unwrap<T>>> {
    const resources: Registered[] = [];
    const calls: Called[] = [];
    const hooks = new Map<string, pulumi.ResourceHook>();
    const cloud = new SimulatedMocks({ region });
    await pulumi.runtime.setMocks(
        {
            call: ({ token, inputs }) => {
                const plainInputs = unwrapSecrets(inputs);
                calls.push({ token, inputs: plainInputs });
                const answer = options.calls?.[token] ?? defaultCalls[token];
                try {
                    return answer ? answer(plainInputs) : {};
                } catch (error) {
                    // The SDK takes the text from where gRPC puts it.
                    throw Object.assign(error as Error, { details: (error as Error).message });
                }
            },
            newResource: async (resource) => {
                const { type, name, inputs, custom } = resource;
                const plainInputs = unwrapSecrets(inputs);
                // The rehearsal's own description of the type refuses what the real engine would refuse.
                const { state: simulated } = options.unknownToRehearsals?.includes(type)
                    ? { state: {} }
                    : await cloud.newResource(resource);
                return {
                    id: custom === false ? undefined : idOf(type, name),
                    state: {
                        ...simulated,
                        ...defaultOutputs(type, name, plainInputs),
                        ...inputs,
                        // The API server names what has no name.
                        ...("metadata" in simulated ? { metadata: simulated.metadata } : {}),
                        ...outputDefaults[type]?.(plainInputs, name),
                        ...options.outputs?.[type]?.(plainInputs, name),
                    },
                };
            },
        },
        "project",
        "stack",
        options.preview ?? false,
        "organization",
    );
    record(resources, hooks);
    const failure = firstFailure();
    try {
        const outputs = await program();
        // After a failure some outputs never come; the engine would end the program then.
        const result = await Promise.race([unwrapped(outputs), failure.promise]);
        await Promise.race([disconnect(), failure.promise]);
        await Promise.race([turns(), failure.promise]);
        return new Simulated(result as pulumi.Unwrap<T>, resources, calls, hooks);
    } finally {
        await turns();
        failure.stop();
        // What a failure left waiting is no leak.
        (state as Loose).getStore().leakCandidates = new Set();
    }
}

/** Lets what is under way come to its end. */
async function turns(): Promise<void> {
    for (let turn = 0; turn < 5; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
    }
}

/** The first error that nobody handled, as the engine would see it, instead of the test runner. */
function firstFailure(): { promise: Promise<never>; stop: () => void } {
    const others = process.listeners("unhandledRejection");
    let fail: (error: unknown) => void = () => undefined;
    const promise = new Promise<never>((_, reject) => (fail = reject));
    promise.catch(() => undefined);
    const listener = (error: unknown) => fail(error);
    process.removeAllListeners("unhandledRejection");
    process.on("unhandledRejection", listener);
    return {
        promise,
        stop: () => {
            process.removeListener("unhandledRejection", listener);
            others.forEach((other) => process.on("unhandledRejection", other as Loose));
        },
    };
}

/** Resolves outputs in a value; unknown ones (in a preview) become `undefined`. */
async function unwrapped<T>(value: T): Promise<pulumi.Unwrap<T>> {
    return (pulumi.output(value) as Loose).promise(true);
}

/** Hooks into the mock monitor: options of a resource do not reach Pulumi's own mocks. */
function record(resources: Registered[], hooks: Map<string, pulumi.ResourceHook>): void {
    const transforms = new Map<string, pulumi.ResourceTransform>();
    (state as Loose).getStore().supportsTransforms = true;
    (state as Loose).getStore().callbacks = {
        registerResourceHook: async (hook: pulumi.ResourceHook) => void hooks.set(hook.name, hook),
        registerErrorHook: async () => undefined,
        registerTransform: async (transform: pulumi.ResourceTransform) => {
            const token = `transform-${transforms.size}`;
            transforms.set(token, transform);
            const callback = new Callback();
            callback.setToken(token);
            return callback;
        },
        registerStackTransform: () => undefined,
        registerStackTransformAsync: async () => undefined,
        awaitStackRegistrations: async () => undefined,
        shutdown: () => undefined,
    };
    const monitor = getMonitor() as Loose;
    monitor.registerStackTransform = () => undefined;
    const register = monitor.registerResource.bind(monitor);
    monitor.registerResource = (request: Loose, callback: Loose) => {
        const raw = request.toObject();
        const inputs = pulumi.runtime.deserializeProperties(request.getObject());
        const hooksOf: Record<string, string[]> = {};
        for (const [kind, names] of Object.entries(raw.hooks ?? {})) {
            if ((names as string[]).length > 0) {
                hooksOf[kind.replace(/List$/, "")] = names as string[];
            }
        }
        resources.push({
            type: raw.type,
            name: raw.name,
            urn: monitor.newUrn(raw.parent, raw.type, raw.name),
            inputs: unwrapSecrets(inputs),
            secretInputs: Object.keys(inputs).filter((key) => hasSecret(inputs[key])),
            custom: raw.custom,
            parent: nameOf(raw.parent),
            dependencies: (raw.dependenciesList as string[]).map(nameOf),
            protect: raw.protect ?? false,
            retainOnDelete: raw.retainondelete ?? false,
            deleteBeforeReplace: raw.deletebeforereplace,
            ignoreChanges: raw.ignorechangesList,
            replaceOnChanges: raw.replaceonchangesList,
            additionalSecretOutputs: raw.additionalsecretoutputsList,
            aliases: raw.aliasurnsList,
            customTimeouts: Object.fromEntries(
                Object.entries((raw.customtimeouts ?? {}) as Record<string, string>)
                    .filter(([, value]) => value !== "")
                    .map(([key, value]) => [key.replace(/^pb_/, ""), value]),
            ),
            hooks: hooksOf,
            replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
            transforms: raw.transformsList.map(({ token }: Loose) => transforms.get(token)),
            provider: nameOf(raw.provider.split("::").slice(0, 4).join("::")),
        });
        register(request, callback);
    };
}

function nameOf(urn: string): string {
    const name = urn.split("::").slice(3).join("::");
    return urn.includes("pulumi:pulumi:Stack") && !urn.includes("$") ? "" : name;
}

function isSecret(value: Loose): boolean {
    return pulumi.runtime.isRpcSecret(value);
}

function hasSecret(value: Loose): boolean {
    if (typeof value !== "object" || value === null) {
        return false;
    }
    return isSecret(value) || Object.values(value).some(hasSecret);
}

function unwrapSecrets(value: Loose): Loose {
    if (isSecret(value)) {
        return unwrapSecrets(pulumi.runtime.unwrapRpcSecret(value));
    }
    if (Array.isArray(value)) {
        return value.map(unwrapSecrets);
    }
    if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype) {
        return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unwrapSecrets(item)]));
    }
    return value;
}

/** Names that AWS gives ids in its own style; others are known by name. */
const idPrefixes: Record<string, string> = {
    "aws:ec2/vpc:Vpc": "vpc",
    "aws:ec2/subnet:Subnet": "subnet",
    "aws:ec2/securityGroup:SecurityGroup": "sg",
    "aws:ec2/launchTemplate:LaunchTemplate": "lt",
    "aws:efs/fileSystem:FileSystem": "fs",
    "aws:efs/accessPoint:AccessPoint": "fsap",
    "aws:efs/mountTarget:MountTarget": "fsmt",
};

function idOf(type: string, name: string): string {
    return idPrefixes[type] ? `${idPrefixes[type]}-${name}` : `${name}-id`;
}

function defaultOutputs(type: string, name: string, inputs: Record<string, Loose>): Record<string, Loose> {
    const [pkg, module] = type.split(":");
    if (pkg !== "aws") {
        return {};
    }
    const service = module.split("/")[0];
    const kind = type.split(":")[2];
    const where = service === "iam" ? "" : region;
    return {
        name: inputs.name ?? `${name}-physical`,
        arn: `arn:aws:${service}:${where}:${accountId}:${kind.charAt(0).toLowerCase()}${kind.slice(1)}/${inputs.name ?? name}`,
        tagsAll: inputs.tags ?? {},
    };
}

const outputDefaults: Record<string, (inputs: Record<string, Loose>, name: string) => Record<string, Loose>> = {
    "awsx:ec2:Vpc": (inputs, name) => ({
        vpcId: `vpc-${name}`,
        privateSubnetIds: inputs.availabilityZoneNames.map((zone: string) => `subnet-private-${zone}`),
        publicSubnetIds: inputs.availabilityZoneNames.map((zone: string) => `subnet-public-${zone}`),
        routes: [],
        routeTableAssociations: [],
        natGateways: [],
        internetGateway: {},
        routeTables: [{ id: `rtb-${name}-1` }, { id: `rtb-${name}-2` }],
    }),
    "eks:index:Cluster": (inputs) => ({
        eksCluster: {
            name: inputs.name,
            version: inputs.version,
            endpoint: "https://ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
            certificateAuthority: { data: "Q0E=" },
            identities: [{ oidcs: [{ issuer: `https://oidc.eks.${region}.amazonaws.com/id/ABCDEF` }] }],
            vpcConfig: { clusterSecurityGroupId: "sg-cluster" },
        },
    }),
    "pulumi:index:Stash": (inputs) => ({ output: inputs.input }),
    "aws:ec2/launchTemplate:LaunchTemplate": () => ({ latestVersion: 1, defaultVersion: 1 }),
    "random:index/randomPassword:RandomPassword": (inputs, name) => ({ result: `${name}-`.padEnd(inputs.length, "x") }),
    "random:index/randomBytes:RandomBytes": (_, name) => ({ base64: Buffer.from(name).toString("base64") }),
};

const defaultCalls: Record<string, (inputs: Record<string, Loose>) => Record<string, Loose>> = {
    "aws:index/getCallerIdentity:getCallerIdentity": () => ({
        accountId,
        arn: `arn:aws:iam::${accountId}:user/someone`,
        userId: "AIDAEXAMPLE",
    }),
    "aws:index/getRegion:getRegion": () => ({ id: region, name: region, region, description: "Ireland" }),
    "aws:index/getPartition:getPartition": () => ({ partition: "aws", dnsSuffix: "amazonaws.com", id: "aws" }),
    "aws:index/getAvailabilityZones:getAvailabilityZones": () => ({
        names: [`${region}a`, `${region}b`, `${region}c`],
        region,
        zoneIds: ["euw1-az1", "euw1-az2", "euw1-az3"],
    }),
    "aws:eks/getAddonVersion:getAddonVersion": ({ addonName }) => ({
        addonName,
        version: `v1.0.0-eksbuild.1`,
        mostRecent: true,
    }),
};

/** A cluster as components see it, for tests of what takes one. */
export const clusterInfo = {
    name: "platform",
    kubernetesVersion: "1.36",
    endpoint: "https://ABCDEF.gr7.eu-west-1.eks.amazonaws.com",
    certificateAuthority: "Q0E=",
    oidcProviderArn: `arn:aws:iam::${accountId}:oidc-provider/oidc.eks.${region}.amazonaws.com/id/ABCDEF`,
    oidcIssuer: `oidc.eks.${region}.amazonaws.com/id/ABCDEF`,
    region,
    partition: "aws",
    accountId,
    vpcId: "vpc-1",
    vpcCidr: "10.20.0.0/16",
    nodeSubnetIds: {
        [`${region}a`]: "subnet-a",
        [`${region}b`]: "subnet-b",
        [`${region}c`]: "subnet-c",
    } as Record<string, string>,
    nodeSecurityGroupIds: ["sg-nodes"],
    prefixDelegation: false,
    podIdentityAgent: true,
};

/** A network as components see it. */
export const networkInfo = {
    vpcId: "vpc-1",
    vpcCidr: "10.20.0.0/16",
    privateSubnetIds: {
        [`${region}a`]: "subnet-a",
        [`${region}b`]: "subnet-b",
        [`${region}c`]: "subnet-c",
    } as Record<string, string>,
    publicSubnetIds: {
        [`${region}a`]: "subnet-public-a",
        [`${region}b`]: "subnet-public-b",
        [`${region}c`]: "subnet-public-c",
    } as Record<string, string>,
};
