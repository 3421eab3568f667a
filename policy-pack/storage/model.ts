import type { Unknown } from "../plain";
import type { Resource } from "../rule";
import type { Text, Tree } from "./values";

/** Where something stands: the resource that carries it and the path of its properties. */
export interface Place {
    resource: Resource;
    path: string;
}

/** A Kubernetes object, wherever it was found: as a resource, in a list, in another object, in a chart's values. */
export interface KubernetesObject extends Place {
    group: string;
    kind: string;
    name: Text;
    namespace: Text;
    annotations: unknown;
    body: Tree;
    /** It changes some fields of an object that is not in this program: what it does not say is not absent. */
    patch: boolean;
}

/** A request for a volume: a claim, a template of claims, or a chart's or operator's setting that becomes one. */
export interface Claim extends Place {
    kind: "claim" | "template" | "ephemeral" | "setting";
    /** The name of a PersistentVolumeClaim object. */
    name?: Text;
    namespace?: Text;
    modes: Mode[] | Unknown;
    /** Nothing said which modes: whoever makes the claim chooses. */
    modesUnsaid?: boolean;
    modesPath: string;
    /** undefined: the cluster's default class; "": no class, only existing volumes. */
    className: Text;
    classPath: string;
    volumeName: Text;
    labels?: unknown;
    /** The name of the claim that is used instead of making one. */
    existing?: Text;
    /** How many pods, at least, mount the one claim. */
    sharedBy?: number;
    /** What it does not say is not absent (a patch, a setting whose default is elsewhere). */
    partial: boolean;
}

/** An access mode as written; anything that is no known mode is `malformed`. */
export type Mode = "ReadWriteOnce" | "ReadOnlyMany" | "ReadWriteMany" | "ReadWriteOncePod" | "malformed" | Unknown;

export interface StorageClass extends Place {
    name: Text;
    /** The object has no name of its own: Pulumi makes one of the logical name and random letters. */
    autoNamed: boolean;
    provisioner: Text;
    parameters: unknown;
    parametersPath: string;
    bindingMode: unknown;
    bindingPath: string;
    mountOptions: unknown;
    allowedTopologies: unknown;
    isDefault: boolean | Unknown;
    /** A patch: what it does not say stays as it is. */
    partial: boolean;
    /** A chart's template decides what is not said. */
    templated: boolean;
}

export interface Volume extends Place {
    name: Text;
    className: Text;
    claimName: Text;
    claimNamespace: Text;
    modes: Mode[] | Unknown;
    mountOptions: unknown;
    /** The terms (alternatives) that a node has to fit to use it. */
    nodeTerms: unknown;
    source: VolumeSource;
    sourcePath: string;
    partial: boolean;
}

/** What is mounted, without any claim, in a pod (or what a PersistentVolume stands for). */
export interface VolumeSource {
    type: "csi" | "awsElasticBlockStore" | "nfs" | "other" | "none" | "unknown";
    /** For `other`: which. */
    other?: string;
    driver?: Text;
    handle?: Text;
    attributes?: unknown;
    server?: Text;
}

export interface Mount extends Place {
    source: VolumeSource;
}

/** A pod or what makes pods, with the claims that it mounts by name. */
export interface Workload extends Place {
    object: KubernetesObject;
    replicas: number | Unknown;
    replicasPath: string;
    /** Runs on every node (DaemonSet). */
    everywhere: boolean;
    podSpec: unknown;
    podPath: string;
    claimNames: { name: Text; path: string }[];
}

/** A chart with its values, in whatever form a program installs it. */
export interface ChartUse extends Place {
    chart: Text;
    /** A version or a range of them. */
    version: Text;
    versionPath: string;
    repository: Text;
    values: unknown;
    /** The path of values that come from somewhere that cannot be seen, if any do. */
    moreValues: string | undefined;
    namespace: Text;
}

/** Everything about storage and pods that one resource carries. */
export interface Carried {
    objects: KubernetesObject[];
    claims: Claim[];
    classes: StorageClass[];
    volumes: Volume[];
    mounts: Mount[];
    workloads: Workload[];
    charts: ChartUse[];
    /** Where something was to be read that is not known yet. */
    blanks: Place[];
    /** Where something was to be read that cannot be what it should be. */
    malformed: Malformed[];
}

export interface Malformed extends Place {
    why: string;
    /** What cannot be judged because of it; tells which rule says so. */
    about: "claim" | "class" | "volume" | "balancer";
}

export function nothing(): Carried {
    return {
        objects: [],
        claims: [],
        classes: [],
        volumes: [],
        mounts: [],
        workloads: [],
        charts: [],
        blanks: [],
        malformed: [],
    };
}
