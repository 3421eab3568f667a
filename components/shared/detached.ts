import * as pulumi from "@pulumi/pulumi";
import { unknown as unknownValue } from "@pulumi/pulumi/output";

/** A value that other resources gave, apart from the resources. */
export interface Detached<T> {
    /** The value, for a property that cannot be changed. */
    value: pulumi.Input<T>;
    /** The resources that it comes from, for `dependsOn`: they are still made earlier and deleted later. */
    dependsOn: Promise<pulumi.Resource[]>;
}

/**
 * Takes a value's dependencies off it, so that the replacement of what it comes from replaces nothing that holds data.
 *
 * When a resource is deleted before it is replaced (a StorageClass, a mount target: there can be no second of that name or
 * in that zone), the engine takes everything that was made from its outputs as unknown, and deletes first whatever could not
 * be updated then: a claim, with its volume. A `dependsOn` keeps the order and does not count for that.
 */
export function detached<T>(input: pulumi.Input<T>): Detached<T> {
    const output = pulumi.output(input) as unknown as {
        promise(withUnknowns: boolean): Promise<T>;
        isKnown: Promise<boolean>;
        isSecret: Promise<boolean>;
        allResources(): Promise<Set<pulumi.Resource>>;
    };
    const value = output.isKnown.then((known) => (known ? output.promise(true) : unknownValue));
    const result = output.isSecret.then(async (secret) => (secret ? pulumi.secret(await value) : value));
    // A failure is reported where the value is used; here it would end the program a second time, without its context.
    result.catch(() => undefined);
    return { value: result as pulumi.Input<T>, dependsOn: output.allResources().then((all) => [...all]) };
}

/** The `dependsOn` of something that uses detached values and comes after a resource, such as its guard. */
export async function afterAll(resource: pulumi.Resource, ...values: Detached<unknown>[]): Promise<pulumi.Resource[]> {
    const others = await Promise.all(values.map((value) => value.dependsOn));
    return [resource, ...others.flat()];
}
