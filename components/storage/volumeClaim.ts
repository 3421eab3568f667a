import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, refuseProblems, under } from "../shared/check";
import { afterAll, detached } from "../shared/detached";
import { fittingProblems } from "../shared/fitting";
import { guardImmutable, refuseUpdate } from "../shared/guard";
import { isDnsSubdomain, labelProblems, namespaceProblems } from "../shared/kubernetesNames";
import { parseQuantity } from "../shared/quantity";
import { choices, keysOf, mapOf, type ShapesOf } from "../shared/shape";
import { AccessMode } from "./choices";

/** A snapshot that a claim can begin with: see {@link VolumeSnapshot} and {@link ImportedSnapshot}. */
export interface SnapshotInfo {
    /** The name of the VolumeSnapshot, in the claim's namespace. */
    name: string;
    /** The size of the volume when the snapshot was taken, for example `10Gi`. */
    size: string;
}

/** Arguments of {@link VolumeClaim}. */
export interface VolumeClaimArgs {
    /** The namespace of the claim. It must exist. */
    namespace: pulumi.Input<string>;
    /** The name of the claim. @default the component's name */
    claimName?: string;
    /** The StorageClass. @default the cluster's default class */
    storageClassName?: pulumi.Input<string>;
    /**
     * The size, for example `10Gi`. It can grow while a pod uses the volume, and never shrink. EFS needs one and ignores it.
     */
    size: pulumi.Input<string>;
    /** How many nodes and pods may use the volume. @default ReadWriteOnce */
    accessMode?: AccessMode;
    /** What the volume begins with; `size` must be at least the snapshot's. @default empty */
    fromSnapshot?: pulumi.Input<SnapshotInfo>;
    /** Labels of the claim. @default none */
    labels?: Record<string, string>;
    /** Whether `destroy` is refused. @default false: the claim goes, and its class says what happens to the volume */
    protect?: boolean;
}

const shapes: ShapesOf<VolumeClaimArgs> = {
    namespace: "string",
    claimName: "string",
    storageClassName: "string",
    size: "string",
    accessMode: choices(AccessMode),
    fromSnapshot: keysOf<SnapshotInfo>({ name: "string", size: "string" }),
    labels: mapOf("string"),
    protect: "boolean",
};

/** What is wrong with the arguments of a {@link VolumeClaim}. */
export function checkVolumeClaimArgs(args: VolumeClaimArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: VolumeClaimArgs): Problem[] {
    const size = args.size === undefined ? "" : plain(args.size);
    const snapshot = plain(args.fromSnapshot);
    const problems = [
        ...namespaceProblems("namespace", plain(args.namespace)),
        ...sizeProblems("size", size),
        ...labelProblems("labels", args.labels),
        ...under("fromSnapshot", sizeProblems("size", snapshot?.size)),
    ];
    if (args.claimName !== undefined && !isDnsSubdomain(args.claimName)) {
        problems.push({ path: "claimName", message: `"${args.claimName}" is no name of a claim` });
    }
    if (args.accessMode !== AccessMode.ReadWriteMany && args.accessMode !== AccessMode.ReadOnlyMany) {
        problems.push(...largestProblems(size));
    }
    const tooSmall = size && snapshot && restoreProblem(size, snapshot);
    return tooSmall ? [...problems, { path: "size", message: tooSmall }] : problems;
}

/** What is wrong with the size of a claim. */
export function sizeProblems(path: string, size: string | undefined): Problem[] {
    const bytes = size === undefined ? undefined : parseQuantity(size);
    if (size === undefined || (bytes !== undefined && bytes >= 2 ** 20)) {
        return [];
    }
    return bytes !== undefined && bytes >= 1
        ? [{ path, message: `"${size}" is ${bytes} bytes, less than any volume; give a unit, such as 10Gi` }]
        : [{ path, message: `"${size}" is no size of a volume, such as 10Gi` }];
}

/** EBS user guide, "Amazon EBS volume types": 64 TiB is the most that any type holds. EFS takes any size, and ignores it. */
function largestProblems(size: string | undefined): Problem[] {
    return (size === undefined ? 0 : (parseQuantity(size) ?? 0)) > 64 * 2 ** 40
        ? [{ path: "size", message: `${size} is more than the 64Ti of the largest EBS volume` }]
        : [];
}

/**
 * A claim that grows in place, and whose volume no change of settings can delete or shrink: such a change is refused in the
 * preview, with the way to do it.
 *
 * A claim that no pod has used yet has no volume, and Kubernetes refuses to grow it: let a pod use it first, or delete it. Let
 * pods take `claimName` rather than the plain name: on destroy, Pulumi would else delete the claim first and wait for the pods for ever.
 */
export class VolumeClaim extends pulumi.ComponentResource {
    /** The name of the claim, there once the claim is. */
    readonly claimName: pulumi.Output<string>;
    /** The size that was asked for. */
    readonly size: pulumi.Output<string>;

    constructor(name: string, args: VolumeClaimArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("VolumeClaim", name, checkVolumeClaimArgs(args));
        super("airflow-eks:index:VolumeClaim", name, {}, opts);
        const claimName = args.claimName ?? name;
        const accessMode = args.accessMode ?? AccessMode.ReadWriteOnce;
        const snapshot = args.fromSnapshot === undefined ? undefined : pulumi.output(args.fromSnapshot);
        const snapshotName = detached(snapshot?.name ?? "");
        const className = detached(args.storageClassName ?? "");

        const guard = guardImmutable(
            this,
            `${name}-guard`,
            {
                ...{ namespace: args.namespace, claimName, accessMode },
                ...{ storageClassName: args.storageClassName, fromSnapshot: snapshot?.name },
            },
            {
                what: `the claim "${claimName}"`,
                instead:
                    "make a second VolumeClaim under another name, copy the files with a Job that mounts both (or restore a snapshot), " +
                    "let the pods use it, and then remove the first one.",
            },
        );
        const claim = new k8s.core.v1.PersistentVolumeClaim(
            name,
            {
                metadata: { name: claimName, namespace: args.namespace, labels: args.labels },
                spec: {
                    accessModes: [accessMode],
                    storageClassName: args.storageClassName === undefined ? undefined : className.value,
                    resources: { requests: { storage: largeEnough(claimName, args.size, snapshot) } },
                    dataSource: snapshot && {
                        apiGroup: "snapshot.storage.k8s.io",
                        kind: "VolumeSnapshot",
                        name: snapshotName.value,
                    },
                },
            },
            {
                parent: this,
                protect: args.protect,
                dependsOn: afterAll(guard, className, snapshotName),
                hooks: { ...refuseShrinking(this, name, claimName), onError: [explainUnused(name, claimName)] },
            },
        );
        this.claimName = claim.metadata.name;
        this.size = pulumi.output(args.size);
        this.registerOutputs({ claimName: this.claimName, size: this.size });
    }
}

/** The claim's size, refused when the snapshot would not fit. */
function largeEnough(
    claimName: string,
    size: pulumi.Input<string>,
    snapshot: pulumi.Output<SnapshotInfo> | undefined,
): pulumi.Input<string> {
    return snapshot === undefined
        ? size
        : pulumi.all([size, snapshot]).apply(([wanted, info]) => {
              const problem = restoreProblem(wanted, info);
              if (problem) {
                  throw new pulumi.RunError(`the claim "${claimName}" cannot begin with that snapshot: ${problem}`);
              }
              return wanted;
          });
}

function restoreProblem(size: string, snapshot: SnapshotInfo): string | undefined {
    const [wanted, needed] = [parseQuantity(size), parseQuantity(snapshot.size)];
    return wanted !== undefined && needed !== undefined && wanted < needed
        ? `${size} is less than the ${snapshot.size} of snapshot "${snapshot.name}"; ask for at least ${snapshot.size}`
        : undefined;
}

interface ClaimInputs {
    spec?: { resources?: { requests?: { storage?: unknown } } };
}

function refuseShrinking(parent: pulumi.Resource, name: string, claimName: string): pulumi.ResourceHookBinding {
    return refuseUpdate(parent, name, (olds, news) => {
        const [from, to] = [olds, news].map((inputs) => (inputs as ClaimInputs).spec?.resources?.requests?.storage);
        const [before, after] = [from, to].map((size) => (typeof size === "string" ? parseQuantity(size) : undefined));
        return before !== undefined && after !== undefined && after < before
            ? `the claim "${claimName}" cannot shrink from ${String(from)} to ${String(to)}: no volume can. Set it back, or make a second, ` +
                  "smaller VolumeClaim, copy the files with a Job that mounts both, and then remove the first one."
            : undefined;
    });
}

/** Adds to the API server's words, which do not name the reason, what it means here. */
function explainUnused(name: string, claimName: string): pulumi.ErrorHook {
    return new pulumi.ErrorHook(`airflow-eks:index:VolumeClaim/${name}/unused`, async ({ failedOperation, errors }) => {
        if (
            failedOperation === "update" &&
            errors.some((error) => /immutable after creation|bound claims/.test(error))
        ) {
            await pulumi.log.error(
                `the claim "${claimName}" has no volume yet, because no pod has used it, and Kubernetes grows volumes only. Let a pod use ` +
                    "the claim and try again; or set its size back; or delete the claim with kubectl and run `pulumi refresh`, then it is made anew.",
            );
        }
        return false;
    });
}
