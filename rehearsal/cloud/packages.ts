import { aws } from "./aws";
import { awsx } from "./awsx";
import { eks } from "./eks";
import { kubernetes } from "./kubernetes";
import { random } from "./random";
import type { SimulatedPackage } from "./shell/package";
import { tls } from "./tls";

/** Every package that the simulated cloud serves. */
export const packages: SimulatedPackage[] = [aws, awsx, eks, kubernetes, random, tls];
