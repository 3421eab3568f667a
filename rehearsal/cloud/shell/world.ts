import type { Properties } from "./type";

/** One thing that exists in the simulated cloud. */
export interface WorldObject {
    token: string;
    id: string;
    /**
     * Where the id is unique: `<account>/<region>` for regional AWS objects, `<account>` for global ones, the cluster's name
     * for Kubernetes objects. Filled by the asking provider's view when absent.
     */
    scope?: string;
    /** What was asked for, defaults filled. */
    inputs: Properties;
    /** Inputs and everything that the cloud added. */
    outputs: Properties;
    /** True for what the cloud made by itself (a cluster's security group, a controller's volume). */
    implicit?: boolean;
    /** The token and id of the object on whose behalf it was made. */
    owner?: { token: string; id: string };
}

/**
 * All that exists in the simulated cloud, as one provider sees it: in memory while a rehearsal runs, and as a journal on
 * disk that is written before an operation answers, so that nothing is forgotten when engine or plugins are killed.
 *
 * Objects of the provider's own package are those of its scope (account and region, or cluster); of other packages a
 * provider sees everything.
 */
export interface World {
    readonly accountId: string;
    readonly region: string;
    readonly partition: string;
    /** The configuration of the provider that asks: region, kubeconfig, default tags, … */
    readonly provider: Properties;
    /** A view that sees every object of every scope. */
    readonly everywhere: World;
    /** A view of one cluster: its Kubernetes objects, and everything of other packages. */
    within(cluster: string): World;
    /** A view that sees everything, and works in this account and region. */
    at(accountId: string, region: string): World;
    /** The scope that the asking provider's objects of this type have, if it is known. */
    scopeOf(token: string): string | undefined;
    get(token: string, id: string): WorldObject | undefined;
    /** All objects of one type, in the order of their creation. */
    all(token: string): WorldObject[];
    /** Every object of every type that this view sees. */
    everything(): WorldObject[];
    find(token: string | string[], predicate: (object: WorldObject) => boolean): WorldObject | undefined;
    /** Adds or replaces an object. */
    put(object: WorldObject): void;
    remove(token: string, id: string): void;
    /** A number that grows with each call, and survives restarts: the source of generated ids. */
    next(): number;
    /** So many hex digits that differ with each call and are the same in each run of the same operations. */
    hex(digits: number): string;
}
