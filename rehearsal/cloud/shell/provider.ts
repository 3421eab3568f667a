import { createHash } from "node:crypto";
import type { TypeFacts } from "./facts";
import { checkFields, withUnknownFields } from "./facts";
import type { Cloud } from "./cloud";
import type { SimulatedPackage } from "./package";
import {
    CloudError,
    UNKNOWN,
    type CheckFailure,
    type Context,
    type Duration,
    type Properties,
    type SimulatedType,
} from "./type";
import { differences, empty, hasUnknown, same, valuesAt, type Difference, type Path } from "./values";
import type { World, WorldObject } from "./world";
import { isImmutable, matches, normalize, planned, reaches, splitCode, withoutMarks, withoutNulls } from "./compare";

/** The resource that an operation is about. */
export interface Subject {
    token: string;
    /** The logical name. */
    name: string;
    urn: string;
}

export interface Checked {
    inputs: Properties;
    failures: CheckFailure[];
}

export interface Diffed {
    differences: (Difference & { replaces: boolean })[];
    replaces: string[];
    deleteBeforeReplace: boolean;
}

export interface Made {
    id: string;
    outputs: Properties;
    /** Why the object, which exists, is not ready; the operation failed then. */
    notReady?: string[];
}

/** One configured provider of one package, on plain values: what the engine asks, without its protocol. */
export class SimulatedProvider {
    private world: World;

    constructor(
        private readonly cloud: Cloud,
        private readonly pack: SimulatedPackage,
        private readonly config: Properties = {},
    ) {
        this.world = this.cloud.viewFor(pack, config);
    }

    /** The world as this provider sees it, or sees it in the region that a resource names. */
    worldFor(inputs: Properties = {}): World {
        const region = inputs.region;
        if (this.pack.place === undefined || typeof region !== "string" || region === this.world.region)
            return this.world;
        return this.cloud.viewFor(this.pack, { ...this.config, region });
    }

    check(
        subject: Subject,
        news: Properties,
        olds?: Properties,
        seed: Uint8Array | string = "",
        preview = true,
    ): Checked {
        const { type, facts } = this.known(subject.token);
        if (!type && !facts) {
            return { inputs: news, failures: [{ property: "", reason: `unknown resource type "${subject.token}"` }] };
        }
        const context: Context = {
            name: subject.name,
            olds: olds && Object.keys(olds).length > 0 ? olds : undefined,
            hex: (digits) => createHash("sha256").update(seed).update(subject.urn).digest("hex").slice(0, digits),
            world: this.worldFor(news),
            preview,
        };
        let inputs = withoutNulls(news);
        inputs = this.named(inputs, type, facts, context);
        const failures = facts ? checkFields(facts.inputs, inputs) : [];
        if (failures.length > 0) return { inputs, failures };
        inputs = type?.defaults?.(inputs, context) ?? inputs;
        failures.push(...(type?.check?.(inputs, context) ?? []));
        for (const what of type ? (type.opaque?.(inputs) ?? []) : [subject.token]) this.cloud.log.generic(what);
        return { inputs, failures };
    }

    diff(token: string, oldInputs: Properties, news: Properties): Diffed {
        const { type, facts } = this.known(token);
        const normal = (inputs: Properties) => (this.pack.normalizes ? (normalize(inputs) as Properties) : inputs);
        const found = differences(withoutMarks(normal(oldInputs)), withoutMarks(normal(news)));
        const chosen = found.length > 0 ? type?.replaces?.(oldInputs, news) : undefined;
        const replaces = (path: Path) => (chosen ? matches(chosen, path) : (isImmutable(type, facts, path) ?? false));
        const detailed = found.map((difference) => ({ ...difference, replaces: replaces(difference.path) }));
        const replaced = [...new Set(detailed.filter((one) => one.replaces).map(({ path }) => String(path[0])))];
        return {
            differences: detailed,
            replaces: replaced,
            deleteBeforeReplace:
                replaced.length > 0 &&
                (type?.deletesBeforeReplace?.(oldInputs, news) ?? this.keepsGivenName(type, facts, oldInputs, news)),
        };
    }

    /** What a preview of the creation can tell. */
    previewCreate(token: string, inputs: Properties): Properties {
        const { type, facts } = this.known(token);
        if (type?.preview) return type.preview(withoutMarks(inputs), this.worldFor(inputs));
        const outputs = withoutMarks(inputs);
        for (const [key, { optional, shape }] of Object.entries(facts?.outputs ?? {})) {
            if (key in outputs) outputs[key] = withUnknownFields(shape, outputs[key]);
            else if (!optional) outputs[key] = UNKNOWN;
        }
        return outputs;
    }

    previewUpdate(token: string, olds: Properties, oldInputs: Properties, news: Properties): Properties {
        const { type } = this.known(token);
        if (this.pack.dryRuns) this.refuseChange(type, oldInputs, news, this.worldFor(news));
        const outputs = planned(olds, oldInputs, withoutMarks(news)) as Properties;
        for (const key of type?.changing ?? []) if (!(key in news)) outputs[key] = UNKNOWN;
        return outputs;
    }

    /** @param anyhow Without asking whether it fits what exists: for unit tests of a part. */
    async create(subject: Subject, inputs: Properties, anyhow = false): Promise<Made> {
        const { type } = this.known(subject.token);
        const world = this.worldFor(inputs);
        return this.cloud.operate("create", subject, this.seconds("create", type, inputs, world), async (done) => {
            const object = this.cloud.universe.transaction(() => {
                if (!anyhow) this.refuse(subject.token, type, inputs, world);
                const id = type?.id?.(inputs, world) ?? `${lastName(subject.token)}-${world.hex(17)}`;
                return this.put(subject.token, type, inputs, id, world);
            });
            done(object);
            return anyhow ? { id: object.id, outputs: object.outputs } : this.ready(object, type, world);
        });
    }

    async update(subject: Subject, id: string, inputs: Properties): Promise<Made> {
        const { type } = this.known(subject.token);
        const world = this.worldFor(inputs);
        return this.cloud.operate("update", subject, this.seconds("update", type, inputs, world), async (done) => {
            const object = this.cloud.universe.transaction(() => {
                const old = world.get(subject.token, id);
                if (!old) throw new CloudError("ResourceNotFoundException", `${subject.token} "${id}" does not exist`);
                this.refuseChange(type, old.inputs, inputs, world);
                this.refuse(subject.token, type, inputs, world, old);
                return this.put(subject.token, type, inputs, id, world, old);
            });
            done(object);
            return this.ready(object, type, world);
        });
    }

    async delete(subject: Subject, id: string, inputs: Properties): Promise<void> {
        const { type } = this.known(subject.token);
        const world = this.worldFor(inputs);
        await this.cloud.operate("delete", subject, this.seconds("delete", type, inputs, world), async (done) => {
            const object = world.get(subject.token, id);
            if (!object) return; // Gone already: every provider takes that for success.
            this.cloud.universe.transaction(() => {
                const refusal = type?.refusesDeletion?.(object, world);
                if (refusal !== undefined) throw new CloudError(...splitCode(refusal));
                this.refuseWhileHeld(object);
                type?.removing?.(object, world);
            });
            if (type?.notGone) {
                const left = () => {
                    const now = world.get(subject.token, id);
                    return now && type.notGone!(now, world);
                };
                done(object);
                const reason = await this.cloud.clock.until(left, type.timeout?.(object) ?? 600);
                if (reason !== undefined) throw new CloudError("timeout", reason);
            }
            this.cloud.universe.transaction(() => {
                const now = world.get(subject.token, id);
                if (!now) return;
                type?.removed?.(now, world);
                world.remove(subject.token, id);
            });
            done(object);
        });
    }

    /** What there is now, or `undefined` when it is gone. */
    async read(subject: Subject, id: string, inputs: Properties): Promise<WorldObject | undefined> {
        const { type } = this.known(subject.token);
        const world = this.worldFor(inputs);
        return this.cloud.operate("read", subject, { seconds: 0, source: "" }, async () => {
            const object = world.get(subject.token, id);
            if (!object || !type?.current) return object;
            return { ...object, outputs: { ...object.outputs, ...type.current(object, world) } };
        });
    }

    invoke(token: string, args: Properties): Properties {
        const invoke = this.pack.invoke(token);
        if (!invoke) throw new CloudError("NotSimulated", `the look-up "${token}" is not simulated`);
        return this.cloud.universe.transaction(() => invoke.invoke(withoutNulls(args), this.worldFor(args)));
    }

    private known(token: string): { type?: SimulatedType; facts?: TypeFacts } {
        return { type: this.pack.type(token), facts: this.pack.facts(token) };
    }

    private named(inputs: Properties, type: SimulatedType | undefined, facts: TypeFacts | undefined, context: Context) {
        const property = nameProperty(type, facts);
        if (property === undefined || !empty(inputs[property])) return inputs;
        const kept = defaulted(context.olds, property) ? context.olds?.[property] : undefined;
        const made = typeof kept === "string" ? kept : `${context.name}-${context.hex(7)}`;
        return { ...inputs, [property]: made, __defaults: [property] };
    }

    /** The bridged providers' rule: a replacement must come after when both would bear the same given name. */
    private keepsGivenName(
        type: SimulatedType | undefined,
        facts: TypeFacts | undefined,
        olds: Properties,
        news: Properties,
    ): boolean {
        const property = nameProperty(type, facts);
        if (property === undefined || empty(news[property]) || defaulted(news, property)) return false;
        return news[property] === UNKNOWN || same(olds[property], news[property]);
    }

    private refuseChange(type: SimulatedType | undefined, olds: Properties, news: Properties, world: World): void {
        const failures = type?.checkChange?.(olds, news, world) ?? [];
        if (failures.length === 0) return;
        throw new CloudError(
            "InvalidRequest",
            failures.map(({ property, reason }) => `${property}: ${reason}`).join("; "),
        );
    }

    /** Throws what the API would answer to inputs that do not fit what exists. */
    private refuse(
        token: string,
        type: SimulatedType | undefined,
        inputs: Properties,
        world: World,
        self?: WorldObject,
    ) {
        if (hasUnknown(inputs)) throw new CloudError("InternalError", "unknown values reached an operation");
        for (const reference of type?.references ?? []) {
            const targets = Array.isArray(reference.to) ? reference.to : [reference.to];
            for (const { path, value } of valuesAt(inputs, reference.path)) {
                if (typeof value !== "string" || value === "" || reference.outside?.test(value)) continue;
                if (!targets.some((target) => this.exists(world, target, reference.by, value))) {
                    throw new CloudError(
                        reference.missing ?? "InvalidParameterValue",
                        `${path}: no ${targets.map(lastName).join(" or ")} "${value}" exists`,
                    );
                }
            }
        }
        for (const group of type?.unique ?? []) {
            const values = group.map((path) => valuesAt(inputs, path)[0]?.value);
            if (values.some((value) => value === undefined)) continue;
            const other = world.find(
                token,
                (object) =>
                    object.id !== self?.id &&
                    group.every((path, index) => same(valuesAt(object.inputs, path)[0]?.value, values[index])),
            );
            if (other) {
                throw new CloudError(
                    type?.duplicate ?? "AlreadyExistsException",
                    `${lastName(token)} with ${group.map((path, index) => `${path} "${String(values[index])}"`).join(" and ")} already exists (${other.id})`,
                );
            }
        }
        type?.relations?.(inputs, world, self);
    }

    private exists(world: World, token: string, by: string | undefined, value: string): boolean {
        if (by === undefined && world.get(token, value)) return true;
        return world.find(token, (object) => (by ? object.outputs[by] : object.id) === value) !== undefined;
    }

    private refuseWhileHeld(target: WorldObject): void {
        for (const object of this.cloud.universe.every()) {
            if (object === target || !reaches(object.scope, target.scope)) continue;
            if (object.owner?.token === target.token && object.owner.id === target.id) continue;
            for (const reference of this.cloud.typeOf(object.token)?.references ?? []) {
                if (reference.holds === false || ![reference.to].flat().includes(target.token)) continue;
                const name = reference.by ? target.outputs[reference.by] : target.id;
                if (valuesAt(object.inputs, reference.path).some(({ value }) => value === name)) {
                    throw new CloudError(
                        typeof reference.holds === "string" ? reference.holds : "DependencyViolation",
                        `${lastName(target.token)} "${target.id}" is in use by ${lastName(object.token)} "${object.id}"`,
                    );
                }
            }
        }
    }

    private put(
        token: string,
        type: SimulatedType | undefined,
        inputs: Properties,
        id: string,
        world: World,
        old?: WorldObject,
    ): WorldObject {
        const plain = withoutMarks(inputs);
        const kept = { ...old?.outputs };
        for (const key of Object.keys(old?.inputs ?? {})) if (!(key in plain)) delete kept[key];
        const outputs = {
            ...this.pack.common?.(token, plain, id, world),
            ...kept,
            ...plain,
            ...type?.outputs?.(plain, id, world, old),
        };
        const scope = this.pack.scope(token, world) ?? "";
        world.put({ ...old, token, id, scope, inputs, outputs });
        type?.settled?.(world.get(token, id)!, world, old);
        return world.get(token, id)!;
    }

    private async ready(object: WorldObject, type: SimulatedType | undefined, world: World): Promise<Made> {
        if (!type?.notReady) return { id: object.id, outputs: object.outputs };
        const now = () => world.get(object.token, object.id) ?? object;
        const left = () => {
            const reasons = type.notReady!(now(), world);
            return reasons && reasons.length > 0 ? reasons : undefined;
        };
        const notReady = await this.cloud.clock.until(left, type.timeout?.(object) ?? 600);
        if (type.outputs) {
            const current = now();
            const fresh = type.outputs(withoutMarks(current.inputs), object.id, world, current);
            world.put({ ...current, outputs: { ...current.outputs, ...fresh } });
        }
        return { id: object.id, outputs: now().outputs, notReady };
    }

    private seconds(
        operation: "create" | "update" | "delete",
        type: SimulatedType | undefined,
        inputs: Properties,
        world: World,
    ) {
        const duration: Duration | undefined =
            typeof type?.seconds === "function" ? type.seconds(inputs, world) : type?.seconds;
        return { seconds: duration?.[operation] ?? 2, source: duration?.source ?? "an API call" };
    }
}

export function lastName(token: string): string {
    return token.slice(token.lastIndexOf(":") + 1);
}

function nameProperty(type: SimulatedType | undefined, facts: TypeFacts | undefined): string | undefined {
    if (type?.autoname !== undefined) return type.autoname === false ? undefined : type.autoname;
    const field = facts?.inputs.name;
    return field && field.optional && field.shape.kind === "string" ? "name" : undefined;
}

function defaulted(inputs: Properties | undefined, property: string): boolean {
    return Array.isArray(inputs?.__defaults) && inputs.__defaults.includes(property);
}
