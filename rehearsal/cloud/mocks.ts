import type * as pulumi from "@pulumi/pulumi";
import { packages } from "./packages";
import { Cloud } from "./shell/cloud";
import { SimulatedProvider } from "./shell/provider";
import { CloudError, type Properties } from "./shell/type";
import { isObject } from "./shell/values";
import type { World } from "./shell/world";

export interface SimulatedMocksOptions {
    /** Refuse what does not fit the rest of the world, such as a subnet of a VPC that nobody made. @default false */
    strict?: boolean;
    /** The region that the program's providers work in. @default us-east-1 */
    region?: string;
}

/** A resource that a program registered. */
export interface MockedResource {
    type: string;
    name: string;
    id?: string;
    inputs: Properties;
    outputs: Properties;
}

const SECRET = "4dabf18193072939515e22adb298388d";

/**
 * Pulumi's mocks over a simulated cloud in memory: the same types that a rehearsal has check the inputs and make the
 * outputs, so a unit test sees a wrong property as soon as the real engine would.
 */
export class SimulatedMocks implements pulumi.runtime.Mocks {
    readonly resources: MockedResource[] = [];
    private readonly cloud = new Cloud(packages);
    private readonly providers = new Map<string, SimulatedProvider>();

    constructor(private readonly options: SimulatedMocksOptions = {}) {}

    /** What exists in the simulated account; a test may put things there first. */
    get world(): World {
        return this.cloud.universe.view();
    }

    async newResource(args: pulumi.runtime.MockResourceArgs): Promise<{ id: string | undefined; state: Properties }> {
        const inputs = unwrap(args.inputs) as Properties;
        const made = await this.make(args, inputs);
        this.resources.push({ type: args.type, name: args.name, id: made.id, inputs, outputs: made.state });
        // Secrets that went in come out as secrets.
        const secrets = Object.entries(args.inputs).filter(([, value]) => JSON.stringify(value)?.includes(SECRET));
        return { id: made.id, state: { ...made.state, ...Object.fromEntries(secrets) } };
    }

    call(args: pulumi.runtime.MockCallArgs): Properties {
        return this.provider(args.token).invoke(args.token, unwrap(args.inputs) as Properties);
    }

    private async make(args: pulumi.runtime.MockResourceArgs, inputs: Properties) {
        const { type: token, name } = args;
        if (args.custom === false) return { id: undefined, state: inputs };
        const pack = packages.find((one) => one.name === token.split(":")[0]);
        if (!pack || token.startsWith("pulumi:")) return { id: `${name}-id`, state: inputs };
        const provider = this.provider(token);
        const subject = { token, name, urn: `urn:pulumi:stack::project::${token}::${name}` };
        if (args.id) {
            const there = await provider.read(subject, args.id, inputs);
            return { id: args.id, state: there?.outputs ?? inputs };
        }
        const checked = provider.check(subject, inputs, undefined, "", false);
        if (checked.failures.length > 0) {
            const reasons = checked.failures.map(({ property, reason }) => `${property}: ${reason}`);
            throw new Error(`${token} "${name}" is refused:\n  ${reasons.join("\n  ")}`);
        }
        try {
            const { id, outputs } = await provider.create(subject, checked.inputs, !this.options.strict);
            return { id, state: outputs };
        } catch (error) {
            if (this.options.strict || !(error instanceof CloudError)) throw error;
            return { id: `${name}-id`, state: checked.inputs };
        }
    }

    private provider(token: string): SimulatedProvider {
        const name = token.split(":")[0];
        const pack = packages.find((one) => one.name === name);
        if (!pack) throw new Error(`nothing simulates the package "${name}"`);
        if (!this.providers.has(name)) {
            const config = this.options.region === undefined ? {} : { region: this.options.region };
            this.providers.set(name, new SimulatedProvider(this.cloud, pack, config));
        }
        return this.providers.get(name)!;
    }
}

function unwrap(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(unwrap);
    if (!isObject(value)) return value;
    if (SECRET in value) return unwrap(value.value);
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, unwrap(one)]));
}
