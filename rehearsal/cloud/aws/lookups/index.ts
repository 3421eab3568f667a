import type { SimulatedInvoke } from "../../shell/type";
import { clusterLookups } from "./clusters";
import { machineLookups } from "./machines";
import { networkLookups } from "./networks";
import { objectLookups } from "./objects";
import { placeLookups } from "./place";
import { policyDocument } from "./policyDocument";

export const invokes: SimulatedInvoke[] = [
    ...placeLookups,
    ...machineLookups,
    ...networkLookups,
    ...clusterLookups,
    ...objectLookups,
    policyDocument,
];
