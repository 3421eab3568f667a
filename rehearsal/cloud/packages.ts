import { aws } from "./aws";
import { awsx } from "./awsx";
import { eks } from "./eks";
import { kubernetes } from "./kubernetes";
import { random } from "./random";
import type { SimulatedPackage } from "./shell/package";
import { tls } from "./tls";

/** Every package that the simulated cloud serves. */
export const packages: SimulatedPackage[] = [aws, awsx, eks, kubernetes, random, tls];

/** Whether a type, as a fault names it (a token, its last part, or `*`), is simulated. */
export function isSimulated(type: string): boolean {
    const knows = (pack: SimulatedPackage) =>
        pack.type(type) !== undefined || pack.facts(type) !== undefined || pack.hasTypeNamed?.(type) === true;
    return type === "*" || packages.some(knows);
}
