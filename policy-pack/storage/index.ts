import { isUnknown } from "../plain";
import type { Resource, RuleConfig, Stack } from "../rule";
import { backingOfClass, backingOfProvisioner, backingOfSource, isEfsServer, type Backing } from "./backing";
import { clusterOf, mayBeSame } from "./cluster";
import { nothing, type Carried, type Claim, type StorageClass, type Volume } from "./model";
import { isContainer } from "./objects";
import { readResource } from "./read";

/** What a claim's volume will be: every possibility, or why that cannot be said. */
export type Resolution =
    | { backings: Backing[]; via: string; classes: StorageClass[] }
    /** `later`: known when `up` has made what it comes from; otherwise it lies outside the program. */
    | { unresolved: string; later: boolean };

/** Everything about storage in a program, with the look-ups between claims, classes and volumes. */
export class Storage {
    readonly carried: Carried = nothing();
    readonly #classesByName = new Map<string, StorageClass[]>();
    readonly #nameless: StorageClass[] = [];
    readonly #volumesByName = new Map<string, Volume[]>();
    readonly #volumesByClass = new Map<string, Volume[]>();
    readonly #volumesByClaim = new Map<string, Volume[]>();
    readonly #claimsByName = new Map<string, Claim[]>();
    readonly #defaults: StorageClass[] = [];
    readonly #patchedDefaults: StorageClass[];

    constructor(readonly stack: Stack) {
        for (const resource of stack.resources) {
            if (!isContainer(resource) || stack.childrenOf(resource.urn).length === 0) {
                this.#add(readResource(resource));
            }
        }
        this.#patchedDefaults = this.carried.classes.filter(({ partial, isDefault }) => partial && isDefault === true);
        for (const storageClass of this.carried.classes.filter(({ partial }) => !partial)) {
            this.#addClass(storageClass);
        }
        for (const volume of this.carried.volumes.filter(({ partial }) => !partial)) {
            push(this.#volumesByName, volume.name, volume);
            push(this.#volumesByClass, volume.className ?? "", volume);
            push(this.#volumesByClaim, volume.claimName, volume);
        }
        for (const claim of this.carried.claims) {
            push(this.#claimsByName, claim.name, claim);
        }
    }

    #add(carried: Carried): void {
        for (const key of Object.keys(carried) as (keyof Carried)[]) {
            const all = this.carried[key] as unknown[];
            carried[key].forEach((one) => all.push(one));
        }
    }

    #addClass(storageClass: StorageClass): void {
        if (typeof storageClass.name === "string") {
            push(this.#classesByName, storageClass.name, storageClass);
        } else {
            this.#nameless.push(storageClass);
        }
        if (storageClass.isDefault !== false && !this.#isPatchedAway(storageClass)) {
            this.#defaults.push(storageClass);
        }
    }

    /** Whether a patch in the same program takes the default mark off. */
    #isPatchedAway({ name }: StorageClass): boolean {
        return this.carried.classes.some(
            (other) => other.partial && other.name === name && name !== undefined && other.isDefault === false,
        );
    }

    claims(resource: Resource, name: string, namespace: unknown): Claim[] {
        const found = this.#claimsByName.get(name) ?? [];
        return found.filter(
            (claim) =>
                this.#near(resource, claim.resource) &&
                (typeof claim.namespace !== "string" || typeof namespace !== "string" || claim.namespace === namespace),
        );
    }

    /** Follows a claim to what its volume will be, as the cluster's volume controller would. */
    resolve(claim: Claim, config: RuleConfig): Resolution {
        if (claim.existing !== undefined) {
            return this.#resolveExisting(claim, config);
        }
        const bound = this.#boundVolumes(claim);
        if (bound) {
            return bound;
        }
        if (isUnknown(claim.className)) {
            return this.#byOrigin(claim) ?? { unresolved: "the name of its class is not known yet", later: true };
        }
        if (claim.className === undefined) {
            return claim.partial
                ? { unresolved: "its class is not said here", later: false }
                : this.#byDefault(claim, config);
        }
        return claim.className === "" ? this.#byHand(claim, "") : this.#byName(claim, claim.className, config);
    }

    #resolveExisting(claim: Claim, config: RuleConfig): Resolution {
        if (isUnknown(claim.existing)) {
            const from = this.#originClaims(claim);
            return from.length === 1
                ? this.resolve(from[0], config)
                : { unresolved: "the claim's name is not known yet", later: true };
        }
        const [found] = this.claims(claim.resource, claim.existing as string, claim.namespace);
        return found
            ? this.resolve(found, config)
            : { unresolved: `claim ${claim.existing as string} is not in this program`, later: false };
    }

    #originClaims(claim: Claim): Claim[] {
        return this.#carriedBy(this.#origins(claim), "claims").filter(({ kind }) => kind === "claim");
    }

    #boundVolumes(claim: Claim): Resolution | undefined {
        if (isUnknown(claim.volumeName)) {
            const volumes = this.#originVolumes(claim);
            return volumes.length > 0 ? this.#ofVolumes(volumes, "the volume that it names") : undefined;
        }
        const { volumeName, name } = claim;
        if (volumeName) {
            const named = this.#nearest(claim.resource, this.#volumesByName.get(volumeName) ?? []);
            return named.length > 0 ? this.#ofVolumes(named, `volume ${volumeName}`) : undefined;
        }
        if (claim.kind === "claim" && typeof name === "string") {
            const reserved = (this.#volumesByClaim.get(name) ?? []).filter(
                (volume) =>
                    typeof volume.claimNamespace !== "string" ||
                    (claim.namespace ?? "default") === volume.claimNamespace,
            );
            const near = this.#nearest(claim.resource, reserved);
            return near.length > 0 ? this.#ofVolumes(near, "the volume that is reserved for it") : undefined;
        }
        return undefined;
    }

    #originVolumes(claim: Claim): Volume[] {
        return this.#carriedBy(this.#origins(claim), "volumes");
    }

    /** The class whose name went into the claim, told by the resources that the claim's property was made of. */
    #byOrigin(claim: Claim): Resolution | undefined {
        const classes = this.#carriedBy(this.#origins(claim), "classes");
        return classes.length > 0 ? this.#ofClasses(classes, "the class that its name comes from") : undefined;
    }

    /** The URNs that the claim's property depends on, with their descendants (an output of a component stands for its children). */
    #origins(claim: Claim): Set<string> {
        const root = claim.path.split(/[.[]/)[0];
        const named = claim.resource.propertyDependencies?.[root] ?? [];
        // A program may take the dependency off a value (so that replacing a class replaces no claim) and put it on the resource.
        const direct = named.length > 0 ? named : (claim.resource.dependencies ?? []);
        const all = new Set<string>();
        const visit = (urn: string) => {
            if (!all.has(urn)) {
                all.add(urn);
                this.stack.childrenOf(urn).forEach((child) => visit(child.urn));
            }
        };
        direct.forEach(visit);
        return all;
    }

    #carriedBy<K extends "claims" | "classes" | "volumes">(urns: Set<string>, what: K): Carried[K] {
        const resources = [...urns].flatMap((urn) => this.stack.byUrn(urn) ?? []);
        return resources.flatMap((resource) => readResource(resource)[what] as unknown[]) as Carried[K];
    }

    #byDefault(claim: Claim, config: RuleConfig): Resolution {
        const classes = this.#nearest(claim.resource, this.#defaults);
        const certain = classes.filter(({ isDefault }) => isDefault === true);
        if (certain.length > 0) {
            return this.#ofClasses(certain, "the default class");
        }
        if (classes.length > 0) {
            return { unresolved: "whether a class is the default one is not known yet", later: true };
        }
        const patched = this.#patchedDefaults.find((one) => this.#near(claim.resource, one.resource));
        const name = patched ? patched.name : config.defaultStorageClass;
        return typeof name === "string"
            ? this.#byName(claim, name, config)
            : { unresolved: "it takes the cluster's default class, which this program does not define", later: false };
    }

    #byName(claim: Claim, name: string, config: RuleConfig): Resolution {
        const classes = this.#nearest(claim.resource, this.#classesByName.get(name) ?? this.#autoNamed(name));
        const byHand = this.#nearest(claim.resource, this.#volumesByClass.get(name) ?? []);
        const dynamic = classes.filter((one) => backingOfClass(one).type !== "static");
        if (dynamic.length > 0) {
            return this.#ofClasses(dynamic, `class ${name}`);
        }
        if (byHand.length > 0) {
            return this.#ofVolumes(byHand, `the volumes of class ${name}`);
        }
        const configured = (config.storageClasses as Record<string, string> | undefined) ?? {};
        if (Object.hasOwn(configured, name)) {
            return {
                backings: [backingOfProvisioner(configured[name])],
                via: `class ${name} (by configuration)`,
                classes: [],
            };
        }
        const unnamed = this.#byOrigin(claim);
        return (
            unnamed ?? {
                unresolved:
                    classes.length > 0
                        ? `volumes of class ${name} are made by hand, outside this program`
                        : `class ${name} is not defined in this program`,
                later: false,
            }
        );
    }

    /** Objects without a name get `<logical name>-<hex>` from Pulumi. */
    #autoNamed(name: string): StorageClass[] {
        return this.#nameless.filter(
            (one) =>
                one.autoNamed &&
                name.startsWith(`${one.resource.name}-`) &&
                /^[0-9a-f]{6,8}$/.test(name.slice(one.resource.name.length + 1)),
        );
    }

    /** A claim without a class binds to existing volumes without a class. */
    #byHand(claim: Claim, className: string): Resolution {
        const volumes = this.#nearest(claim.resource, this.#volumesByClass.get(className) ?? []).filter((volume) =>
            offers(volume, claim),
        );
        return volumes.length > 0
            ? this.#ofVolumes(volumes, "the volumes without a class")
            : { unresolved: "it has no class and binds to a volume that is not in this program", later: false };
    }

    #ofClasses(classes: StorageClass[], via: string): Resolution {
        const backings = classes.map(backingOfClass);
        return backings.every(({ type }) => type === "unknown")
            ? { unresolved: "the provisioner of its class is not known yet", later: true }
            : { backings, via, classes };
    }

    #ofVolumes(volumes: Volume[], via: string): Resolution {
        const backings = volumes.map((volume) => this.backingOfVolume(volume));
        return backings.every(({ type }) => type === "unknown")
            ? { unresolved: "what its volume stands for is not known yet", later: true }
            : { backings, via, classes: [] };
    }

    backingOfVolume(volume: Volume): Backing {
        return backingOfSource(volume.source, (server) => isEfsServer(server, volume.resource, this.stack));
    }

    /** Those of the same provider; if there are none, those that may be in the same cluster. */
    #nearest<T extends { resource: Resource }>(resource: Resource, candidates: T[]): T[] {
        const { provider } = clusterOf(resource);
        const own = candidates.filter((one) => clusterOf(one.resource).provider === provider);
        return own.length > 0 ? own : candidates.filter((one) => this.#near(resource, one.resource));
    }

    #near(one: Resource, other: Resource): boolean {
        return mayBeSame(clusterOf(one), clusterOf(other));
    }
}

function offers(volume: Volume, claim: Claim): boolean {
    const { modes } = volume;
    return (
        isUnknown(modes) ||
        isUnknown(claim.modes) ||
        modes.some(isUnknown) ||
        claim.modes.every((mode) => isUnknown(mode) || modes.includes(mode))
    );
}

function push<T>(map: Map<string, T[]>, key: unknown, value: T): void {
    if (typeof key === "string") {
        const list = map.get(key);
        if (list) {
            list.push(value);
        } else {
            map.set(key, [value]);
        }
    }
}

/** The program's storage, read once for all rules of a run. */
export function storageOf(stack: Stack): Storage {
    return stack.once(makeStorage);
}

function makeStorage(stack: Stack): Storage {
    return new Storage(stack);
}
