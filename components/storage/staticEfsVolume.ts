import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, refuseProblems, under } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { guardImmutable } from "../shared/guard";
import { isDnsSubdomain, namespaceProblems } from "../shared/kubernetesNames";
import { parseQuantity } from "../shared/quantity";
import { keysOf, mapOf, type ShapesOf } from "../shared/shape";
import { rangeProblems } from "./choices";
import { EFS_PROVISIONER, directoryProblems, permissionProblems } from "./efsStorageClass";
import { fileSystemIdProblems } from "./existingFileSystem";

/** The directory of a file system that a volume shows, and as whom pods act there. */
export interface EfsDirectory {
    /** The directory, made at the first mount. At most four levels. */
    path: string;
    /** The user that owns it and as which all pods act. @default 50000, Airflow's */
    uid?: number;
    /** The group that owns it and as which all pods act. @default 0, Airflow's */
    gid?: number;
    /** Its permissions when it is made, in octal. @default 775 */
    permissions?: string;
}

/** Arguments of {@link StaticEfsVolume}. */
export interface StaticEfsVolumeArgs {
    /** The id of the file system. */
    fileSystemId: pulumi.Input<string>;
    /** The namespace of the claim. It must exist. */
    namespace: pulumi.Input<string>;
    /** The name of the claim. @default the component's name */
    claimName?: string;
    /** The directory that the volume shows, through an access point of its own. */
    directory?: EfsDirectory;
    /** An access point that is there already, `fsap-…`, instead of `directory`. */
    accessPointId?: pulumi.Input<string>;
    /** The size that volume and claim state. EFS has no quota: it is a formality. @default 5Gi */
    size?: string;
    /** Tags of the access point. @default none */
    tags?: Record<string, pulumi.Input<string>>;
}

const shapes: ShapesOf<StaticEfsVolumeArgs> = {
    fileSystemId: "string",
    namespace: "string",
    claimName: "string",
    directory: keysOf<EfsDirectory>({ path: "string", uid: "integer", gid: "integer", permissions: "string" }),
    accessPointId: "string",
    size: "string",
    tags: mapOf("string"),
};

/** What is wrong with the arguments of a {@link StaticEfsVolume}. */
export function checkStaticEfsVolumeArgs(args: StaticEfsVolumeArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: StaticEfsVolumeArgs): Problem[] {
    const problems = [
        ...fileSystemIdProblems("fileSystemId", args.fileSystemId),
        ...namespaceProblems("namespace", plain(args.namespace)),
        ...under("directory", args.directory ? directorySpecProblems(args.directory) : []),
    ];
    if (args.claimName !== undefined && !isDnsSubdomain(args.claimName)) {
        problems.push({ path: "claimName", message: `"${args.claimName}" is no name of a claim` });
    }
    const accessPointId = plain(args.accessPointId);
    if (accessPointId !== undefined && !/^fsap-[0-9a-z]+$/.test(accessPointId)) {
        problems.push({ path: "accessPointId", message: `"${accessPointId}" is no id of an access point, fsap-…` });
    }
    if ((args.directory === undefined) === (args.accessPointId === undefined)) {
        problems.push({
            path: "directory",
            message: "give either a directory or an accessPointId: without both, only root could write",
        });
    }
    const size = parseQuantity(args.size ?? "5Gi");
    if (size === undefined || size < 1) {
        problems.push({ path: "size", message: `"${args.size}" is no size, such as 5Gi` });
    }
    return problems;
}

function directorySpecProblems(directory: EfsDirectory): Problem[] {
    return [
        ...directoryProblems("path", directory.path ?? ""),
        ...rangeProblems("uid", directory.uid, 0, 2 ** 32 - 1),
        ...rangeProblems("gid", directory.gid, 0, 2 ** 32 - 1),
        ...permissionProblems("permissions", directory.permissions),
    ];
}

/**
 * One directory of an EFS file system as a volume that pods of all zones share, whatever creates and deletes them: article
 * 001's static volume. Files stay when it is removed.
 *
 * Creates an access point, a PersistentVolume and the claim that only this volume answers.
 */
export class StaticEfsVolume extends pulumi.ComponentResource {
    /** The name of the claim, bound to the volume. */
    readonly claimName: pulumi.Output<string>;
    /** The name of the PersistentVolume. */
    readonly volumeName: pulumi.Output<string>;
    /** The id of the access point. */
    readonly accessPointId: pulumi.Output<string>;

    constructor(name: string, args: StaticEfsVolumeArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("StaticEfsVolume", name, checkStaticEfsVolumeArgs(args));
        super("airflow-eks:index:StaticEfsVolume", name, {}, opts);
        const claimName = args.claimName ?? name;
        const storage = args.size ?? "5Gi";
        const shape = { accessModes: ["ReadWriteMany"], storageClassName: "", volumeMode: "Filesystem" };
        const guard = guardImmutable(
            this,
            `${name}-guard`,
            { ...(args.directory && resolved(args.directory)), claimName, storage, ...pickInputs(args) },
            {
                what: `the volume "${name}"`,
                instead:
                    "make a second StaticEfsVolume, let the pods use its claim, and then remove this one; the files stay.",
            },
        );
        const accessPointId = args.accessPointId ?? accessPoint(this, name, args, guard).id;
        const volume = new k8s.core.v1.PersistentVolume(
            name,
            {
                spec: {
                    ...shape,
                    capacity: { storage },
                    persistentVolumeReclaimPolicy: "Retain",
                    // Reserves the volume: without it, any claim without a class could take it first.
                    claimRef: {
                        apiVersion: "v1",
                        kind: "PersistentVolumeClaim",
                        namespace: args.namespace,
                        name: claimName,
                    },
                    csi: {
                        driver: EFS_PROVISIONER,
                        volumeHandle: pulumi.interpolate`${args.fileSystemId}::${accessPointId}`,
                    },
                },
            },
            { parent: this, dependsOn: [guard] },
        );
        const claim = new k8s.core.v1.PersistentVolumeClaim(
            name,
            {
                metadata: { namespace: args.namespace, name: claimName },
                spec: { ...shape, volumeName: volume.metadata.name, resources: { requests: { storage } } },
            },
            { parent: this, dependsOn: [guard] },
        );
        this.claimName = claim.metadata.name;
        this.volumeName = volume.metadata.name;
        this.accessPointId = pulumi.output(accessPointId);
        this.registerOutputs({
            claimName: this.claimName,
            volumeName: this.volumeName,
            accessPointId: this.accessPointId,
        });
    }
}

function pickInputs({ namespace, fileSystemId, accessPointId }: StaticEfsVolumeArgs) {
    return { namespace, fileSystemId, accessPointId };
}

/** The directory with its defaults: to state one of them, or to leave it out, changes nothing, to set another one does. */
function resolved({ path, uid = 50000, gid = 0, permissions = "775" }: EfsDirectory): Required<EfsDirectory> {
    return { path, uid, gid, permissions };
}

function accessPoint(
    parent: pulumi.Resource,
    name: string,
    args: StaticEfsVolumeArgs,
    guard: pulumi.Resource,
): aws.efs.AccessPoint {
    const { path, uid, gid, permissions } = resolved(args.directory ?? { path: "/" });
    return new aws.efs.AccessPoint(
        name,
        {
            fileSystemId: args.fileSystemId,
            posixUser: { uid, gid },
            rootDirectory: { path, creationInfo: { ownerUid: uid, ownerGid: gid, permissions } },
            tags: { ...args.tags, Name: name },
        },
        { parent, dependsOn: [guard] },
    );
}
