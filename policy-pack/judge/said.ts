import { isTree, isUnknown } from "../plain";

/**
 * What a program says of a resource, as stack rules should see it in preview: there the outputs hold an unknown value for
 * all that the provider will fill in. Where the inputs show that the program says nothing, the value is absent, and the
 * default counts; where they say something, that counts. Known outputs stay as they are.
 */
export function said(outputs: unknown, inputs: unknown): unknown {
    if (isUnknown(outputs)) {
        return inputs;
    }
    if (isTree(outputs) && isTree(inputs)) {
        return saidOf(outputs, inputs);
    }
    if (Array.isArray(outputs) && Array.isArray(inputs) && outputs.length === inputs.length) {
        return outputs.map((item, index) => said(item, inputs[index]));
    }
    return outputs;
}

/** The same for all properties of a resource. */
export function saidOf(outputs: Record<string, unknown>, inputs: Record<string, unknown>): Record<string, unknown> {
    const entries = Object.entries(outputs).map(([key, value]) => [key, said(value, inputs[key])] as const);
    return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
