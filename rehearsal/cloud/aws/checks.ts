import { CloudError, type CheckFailure, type Properties } from "../shell/type";
import { empty, formatPath, isObject, record, text, UNKNOWN, valuesAt } from "../shell/values";
import type { World, WorldObject } from "../shell/world";
import { Kind } from "./kinds";

/** Collects findings about inputs; leaves unknown and absent values alone. */
export class Findings {
    readonly failures: CheckFailure[] = [];

    constructor(private readonly inputs: Properties) {}

    add(property: string, reason: string): this {
        this.failures.push({ property, reason });
        return this;
    }

    private each<T>(path: string, is: (value: unknown) => value is T, judge: (value: T, path: string) => void): this {
        for (const { path: at, value } of valuesAt(this.inputs, path)) if (is(value)) judge(value, at);
        return this;
    }

    oneOf(path: string, choices: readonly (string | number)[]): this {
        const is = (value: unknown): value is string | number => typeof value === "string" || typeof value === "number";
        return this.each(path, is, (value, at) => {
            if (!choices.includes(value)) this.add(at, `expected one of ${choices.join(", ")}, got ${value}`);
        });
    }

    range(path: string, low: number, high: number): this {
        return this.each(path, isNumber, (value, at) => {
            if (value < low || value > high) this.add(at, `expected a number from ${low} to ${high}, got ${value}`);
        });
    }

    matches(path: string, pattern: RegExp, what: string): this {
        return this.each(path, isString, (value, at) => {
            if (!pattern.test(value)) this.add(at, `"${value}" is not ${what}`);
        });
    }

    json(path: string): this {
        return this.each(path, isString, (value, at) => {
            const document = parseJson(value);
            if (document === undefined) this.add(at, `contains invalid JSON: ${value.slice(0, 60)}`);
        });
    }

    /** At most one of the inputs may be there. */
    exclusive(...paths: string[]): this {
        const given = paths.filter((path) => this.has(path));
        return given.length > 1 ? this.add(given[1], `conflicts with ${given[0]}: give one of them`) : this;
    }

    someOf(...paths: string[]): this {
        return paths.some((path) => this.has(path))
            ? this
            : this.add(paths[0], `one of ${paths.join(", ")} is required`);
    }

    has(path: string): boolean {
        return valuesAt(this.inputs, path).some(({ value }) => value === UNKNOWN || !empty(value));
    }

    /** Adds a finding when a condition holds. */
    when(condition: boolean, property: string, reason: string): this {
        return condition ? this.add(property, reason) : this;
    }
}

function isString(value: unknown): value is string {
    return typeof value === "string";
}

function isNumber(value: unknown): value is number {
    return typeof value === "number";
}

export function check(judge: (findings: Findings, inputs: Properties) => void): (inputs: Properties) => CheckFailure[] {
    return (inputs) => {
        const findings = new Findings(inputs);
        judge(findings, inputs);
        return findings.failures;
    };
}

export function parseJson(value: unknown): unknown {
    if (isObject(value)) return value;
    if (typeof value !== "string") return undefined;
    try {
        return JSON.parse(value) as unknown;
    } catch {
        return undefined;
    }
}

export function refuse(code: string, message: string): never {
    throw new CloudError(code, message);
}

/** An object that must be there, or the API's error. */
export function need(world: World, token: string, id: unknown, code: string): WorldObject {
    const found = typeof id === "string" ? world.get(token, id) : undefined;
    return (
        found ??
        refuse(code, `The ${formatPath([token.slice(token.lastIndexOf(":") + 1)])} '${String(id)}' does not exist`)
    );
}

export function vpcOfSubnet(world: World, subnetId: unknown): string | undefined {
    return text(record(typeof subnetId === "string" ? world.get(Kind.Subnet, subnetId)?.outputs : undefined).vpcId);
}

export function zoneOfSubnet(world: World, subnetId: unknown): string | undefined {
    return text(
        record(typeof subnetId === "string" ? world.get(Kind.Subnet, subnetId)?.outputs : undefined).availabilityZone,
    );
}

/** Security groups must belong to the VPC of what carries them. */
export function needGroupsInVpc(world: World, groups: string[], vpcId: string | undefined): void {
    for (const id of groups) {
        const group = need(world, Kind.SecurityGroup, id, "InvalidGroup.NotFound");
        if (vpcId !== undefined && group.outputs.vpcId !== vpcId) {
            refuse(
                "InvalidParameterValue",
                `You have specified two resources that belong to different networks: security group ${id} is in ${String(group.outputs.vpcId)}, not in ${vpcId}`,
            );
        }
    }
}
