import { Sdk } from "./facts";
import type { SimulatedPackage } from "./package";
import type { SimulatedInvoke, SimulatedType } from "./type";

/** A package that is described by tables of types and look-ups alone, such as random and tls. */
export function tablePackage(name: string, types: SimulatedType[], invokes: SimulatedInvoke[] = []): SimulatedPackage {
    const sdk = new Sdk(`@pulumi/${name}`);
    const byToken = new Map(types.map((type) => [type.token, type]));
    const invokesByToken = new Map(invokes.map((one) => [one.token, one]));
    return {
        name,
        scope: () => "",
        type: (token) => byToken.get(token),
        facts: (token) => (byToken.has(token) ? sdk.facts(token) : undefined),
        hasTypeNamed: (type) => types.some(({ token }) => token.endsWith(`:${type}`)),
        invoke: (token) => invokesByToken.get(token),
    };
}
