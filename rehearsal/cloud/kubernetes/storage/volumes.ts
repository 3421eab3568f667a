import type { Properties } from "../../shell/type";
import type { WorldObject } from "../../shell/world";
import { Kinds, type Cluster } from "../cluster";
import { accessModes } from "../api/immutable";
import { labelsOf, nameOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { amount, gibibytes } from "../api/quantity";
import { selectorMatches } from "../api/selector";
import { at, list, records, strings, text } from "../api/value";
import { callsAws } from "../control/credentials";
import { matchesTerms } from "../control/scheduler";
import { controllerRuns, driverOf, Drivers } from "./drivers";
import { ebsVolume, type EbsVolumeRequest } from "./ebsParameters";
import { efsAccessPoint } from "./efsParameters";

export const volumeToken = "aws:ebs/volume:Volume";
export const accessPointToken = "aws:efs/accessPoint:AccessPoint";

const zoneLabel = "topology.kubernetes.io/zone";
const zoneLabels = [zoneLabel, "topology.ebs.csi.aws.com/zone", "failure-domain.beta.kubernetes.io/zone"];

type Failed = { error: string };

/** Binds a claim to a volume that is already there and fits: the static way. */
export function bindStatic(cluster: Cluster, claim: WorldObject, node?: Manifest): boolean {
    const wanted = text(specOf(claim.outputs).volumeName);
    const volume = cluster.list(Kinds.PersistentVolume).find((one) => {
        if (wanted !== undefined) {
            return one.id === wanted && isFree(one.outputs, claim.outputs);
        }
        return (
            isFree(one.outputs, claim.outputs) &&
            fits(one.outputs, claim.outputs) &&
            (!node || reachable(one.outputs, node))
        );
    });
    if (!volume) {
        return false;
    }
    bind(cluster, claim, volume);
    return true;
}

function isFree(volume: Manifest, claim: Manifest): boolean {
    const reference = at(volume, "spec", "claimRef");
    if (reference === undefined) {
        return at(volume, "status", "phase") === "Available";
    }
    return (
        at(reference, "name") === nameOf(claim) &&
        (at(reference, "namespace") ?? "default") === namespaceOf(claim) &&
        (at(reference, "uid") === undefined || at(reference, "uid") === at(claim, "metadata", "uid"))
    );
}

/** Class, access modes, size, mode and selector must fit. Source: kubernetes.io, "Persistent Volumes", "Binding". */
function fits(volume: Manifest, claim: Manifest): boolean {
    const offered = list(specOf(volume).accessModes);
    const selector = specOf(claim).selector;
    return (
        (text(specOf(volume).storageClassName) ?? "") === (text(specOf(claim).storageClassName) ?? "") &&
        accessModes(claim).every((mode) => offered.includes(mode)) &&
        amount(at(volume, "spec", "capacity", "storage")) >=
            amount(at(claim, "spec", "resources", "requests", "storage")) &&
        (specOf(volume).volumeMode ?? "Filesystem") === (specOf(claim).volumeMode ?? "Filesystem") &&
        (selector === undefined || selectorMatches(selector, labelsOf(volume)))
    );
}

/** Whether a volume's node affinity allows a node. */
export function reachable(volume: Manifest, node: Manifest): boolean {
    const required = at(volume, "spec", "nodeAffinity", "required");
    return required === undefined || matchesTerms(required, node);
}

export function bind(cluster: Cluster, claim: WorldObject, volume: WorldObject): void {
    const { outputs } = claim;
    cluster.update(volume, {
        ...volume.outputs,
        spec: {
            ...specOf(volume.outputs),
            claimRef: {
                apiVersion: "v1",
                kind: "PersistentVolumeClaim",
                namespace: namespaceOf(outputs),
                name: nameOf(outputs),
                uid: at(outputs, "metadata", "uid"),
            },
        },
        status: { phase: "Bound" },
    });
    cluster.update(claim, {
        ...outputs,
        spec: { ...specOf(outputs), volumeName: nameOf(volume.outputs) },
        status: {
            phase: "Bound",
            accessModes: specOf(volume.outputs).accessModes,
            capacity: specOf(volume.outputs).capacity,
        },
    });
    cluster.clearEvents(Kinds.PersistentVolumeClaim, outputs);
}

/**
 * Makes a volume for a claim, as the class's driver does.
 *
 * @param node Where the pod that uses it was put; absent for classes that bind immediately.
 * @returns Why there is no volume.
 */
export function provision(
    cluster: Cluster,
    claim: WorldObject,
    storageClass: Manifest,
    node?: Manifest,
): string | undefined {
    const driver = driverOf(storageClass.provisioner);
    const waiting = `Waiting for a volume to be created either by the external provisioner '${String(storageClass.provisioner)}' or manually by the system administrator`;
    if (!driver || !controllerRuns(cluster, driver)) {
        cluster.event(Kinds.PersistentVolumeClaim, claim.outputs, "ExternalProvisioning", waiting);
        return waiting;
    }
    const made =
        driver === Drivers.ebs
            ? provisionEbs(cluster, claim, storageClass, node)
            : provisionEfs(cluster, claim, storageClass);
    if ("error" in made) {
        const message = `failed to provision volume with StorageClass "${nameOf(storageClass)}": ${made.error}`;
        cluster.event(Kinds.PersistentVolumeClaim, claim.outputs, "ProvisioningFailed", message);
        return message;
    }
    const volume = cluster.apply(Kinds.PersistentVolume, {
        metadata: {
            name: volumeNameOf(claim.outputs),
            uid: cluster.hex(32),
            annotations: { "pv.kubernetes.io/provisioned-by": driver.name },
            finalizers: ["kubernetes.io/pv-protection"],
        },
        spec: {
            accessModes: accessModes(claim.outputs),
            volumeMode: specOf(claim.outputs).volumeMode ?? "Filesystem",
            storageClassName: nameOf(storageClass),
            persistentVolumeReclaimPolicy: storageClass.reclaimPolicy ?? "Delete",
            mountOptions: storageClass.mountOptions,
            ...made.spec,
        },
        status: { phase: "Available" },
    });
    bind(cluster, cluster.fresh(claim) ?? claim, volume);
    return undefined;
}

function volumeNameOf(claim: Manifest): string {
    return `pvc-${String(at(claim, "metadata", "uid"))}`;
}

function provisionEbs(
    cluster: Cluster,
    claim: WorldObject,
    storageClass: Manifest,
    node?: Manifest,
): { spec: Properties } | Failed {
    const modes = accessModes(claim.outputs);
    const block = specOf(claim.outputs).volumeMode === "Block";
    const request = ebsVolume(
        strings(storageClass.parameters),
        gibibytes(at(claim.outputs, "spec", "resources", "requests", "storage")),
    );
    if ("error" in request) {
        return { error: `rpc error: code = InvalidArgument desc = ${request.error}` };
    }
    // Multi-attach exists for raw block volumes of io1 and io2 only (EBS CSI driver, docs/multi-attach.md).
    if (
        modes.some((mode) => mode === "ReadWriteMany" || mode === "ReadOnlyMany") &&
        !(block && request.type === "io2")
    ) {
        return {
            error: "rpc error: code = InvalidArgument desc = Volume capabilities MULTI_NODE_MULTI_WRITER not supported. Only AccessModes[ReadWriteOnce] supported.",
        };
    }
    const problem =
        callsAws(cluster, "kube-system", Drivers.ebs.controllerAccount, [
            "ec2:CreateVolume",
            "ec2:AttachVolume",
            "ec2:CreateTags",
        ]) ?? keyProblem(cluster, request);
    if (problem) {
        return { error: `rpc error: code = Internal desc = Could not create volume in EC2: ${problem}` };
    }
    const restored = restoreOf(cluster, claim.outputs);
    if (restored && "error" in restored) {
        return restored;
    }
    const zone = zoneFor(cluster, claim.outputs, storageClass, node);
    if (typeof zone === "object") {
        return zone;
    }
    const size = gibibytes(at(claim.outputs, "spec", "resources", "requests", "storage"));
    const id = putVolume(cluster, claim.outputs, request, zone, size, restored?.snapshotId);
    return {
        spec: {
            capacity: { storage: `${size}Gi` },
            csi: { driver: Drivers.ebs.name, volumeHandle: id, fsType: request.fsType },
            nodeAffinity: {
                required: {
                    nodeSelectorTerms: [{ matchExpressions: [{ key: zoneLabel, operator: "In", values: [zone] }] }],
                },
            },
        },
    };
}

function putVolume(
    cluster: Cluster,
    claim: Manifest,
    request: EbsVolumeRequest,
    zone: string,
    size: number,
    snapshotId?: string,
): string {
    const id = `vol-0${cluster.hex(16)}`;
    const { accountId, region } = placeOf(cluster);
    cluster.aws.put({
        token: volumeToken,
        id,
        scope: cluster.eks?.scope,
        inputs: {},
        outputs: {
            id,
            arn: `arn:aws:ec2:${region}:${accountId}:volume/${id}`,
            availabilityZone: zone,
            size,
            type: request.type,
            iops: request.iops,
            throughput: request.throughput,
            encrypted: request.encrypted,
            kmsKeyId: request.kmsKeyId,
            snapshotId,
            tags: {
                "ebs.csi.aws.com/cluster": "true",
                [`kubernetes.io/cluster/${cluster.name}`]: "owned",
                "kubernetes.io/created-for/pvc/name": nameOf(claim),
                "kubernetes.io/created-for/pvc/namespace": namespaceOf(claim),
            },
        },
        implicit: true,
        owner: { token: "kubernetes:core/v1:PersistentVolume", id: volumeNameOf(claim) },
    });
    return id;
}

export function placeOf(cluster: Cluster): { accountId: string; region: string } {
    const [, , , region, accountId] = String(cluster.eks?.outputs.arn ?? "").split(":");
    return { region: region || cluster.aws.region, accountId: accountId || cluster.aws.accountId };
}

/** A customer key must exist, be enabled, and be usable by the driver. Source: aws-ebs-csi-driver docs/install.md. */
function keyProblem(cluster: Cluster, { kmsKeyId }: EbsVolumeRequest): string | undefined {
    if (kmsKeyId === undefined) {
        return undefined;
    }
    const key = cluster.aws.find(
        "aws:kms/key:Key",
        (one) => one.outputs.arn === kmsKeyId || one.outputs.keyId === kmsKeyId,
    );
    const alias = cluster.aws.find("aws:kms/alias:Alias", (one) => one.outputs.arn === kmsKeyId);
    if (!key && !alias) {
        return `InvalidKmsKey.NotFound: the volume vanished after its creation: no key ${kmsKeyId}`;
    }
    if (key?.outputs.isEnabled === false) {
        return `KMSKeyDisabled: ${kmsKeyId} is disabled`;
    }
    const problem = callsAws(
        cluster,
        "kube-system",
        Drivers.ebs.controllerAccount,
        ["kms:CreateGrant", "kms:GenerateDataKeyWithoutPlaintext", "kms:Decrypt"],
        kmsKeyId,
    );
    return problem && `the volume vanished after its creation: ${problem}`;
}

/** The zone of a new volume: the pod's node's, or any that nodes are in; within the class's allowed topologies. */
function zoneFor(cluster: Cluster, claim: Manifest, storageClass: Manifest, node?: Manifest): string | Failed {
    const allowed = allowedZones(storageClass);
    if (node) {
        const zone = labelsOf(node)[zoneLabel];
        return allowed && !allowed.includes(zone)
            ? { error: "no topology of the selected node is allowed by the class" }
            : zone;
    }
    const zones = [...new Set(cluster.manifests(Kinds.Node).map((one) => labelsOf(one)[zoneLabel]))]
        .filter((zone) => zone !== undefined)
        .sort();
    const eligible = allowed ? allowed.filter((zone) => zones.includes(zone)) : zones;
    if (eligible.length === 0) {
        return { error: "error generating accessibility requirements: no topology key found on CSINode" };
    }
    // Without a consumer, the provisioner spreads claims over zones by the hash of their names: it may miss the pod's zone.
    const hash = [...nameOf(claim)].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7);
    return eligible[hash % eligible.length];
}

/** The zones that a class allows; `undefined` when it does not say. */
export function allowedZones(storageClass: Manifest): string[] | undefined {
    const terms = records(storageClass.allowedTopologies);
    if (terms.length === 0) {
        return undefined;
    }
    return terms.flatMap((term) =>
        records(term.matchLabelExpressions)
            .filter((expression) => zoneLabels.includes(String(expression.key)))
            .flatMap((expression) => list(expression.values).map(String)),
    );
}

/** The snapshot that a claim restores: it must be ready and not larger than the claim. */
function restoreOf(cluster: Cluster, claim: Manifest): { snapshotId?: string } | Failed | undefined {
    const source = at(claim, "spec", "dataSourceRef") ?? at(claim, "spec", "dataSource");
    if (at(source, "kind") !== "VolumeSnapshot") {
        return undefined;
    }
    const snapshot = cluster.manifest(Kinds.VolumeSnapshot, namespaceOf(claim), String(at(source, "name")));
    if (!snapshot) {
        return {
            error: `error getting handle for DataSource Type VolumeSnapshot by Name ${String(at(source, "name"))}: snapshot not found`,
        };
    }
    if (at(snapshot, "status", "readyToUse") !== true) {
        return {
            error: `error getting handle for DataSource Type VolumeSnapshot by Name ${nameOf(snapshot)}: snapshot ${nameOf(snapshot)} is not Ready`,
        };
    }
    const wanted = amount(at(claim, "spec", "resources", "requests", "storage"));
    const least = amount(at(snapshot, "status", "restoreSize"));
    if (wanted < least) {
        return {
            error: `error getting handle for DataSource Type VolumeSnapshot by Name ${nameOf(snapshot)}: requested volume size ${wanted} is less than the size ${least} for the source snapshot ${nameOf(snapshot)}`,
        };
    }
    const content = cluster.manifest(
        Kinds.VolumeSnapshotContent,
        "",
        String(at(snapshot, "status", "boundVolumeSnapshotContentName")),
    );
    return { snapshotId: text(at(content, "status", "snapshotHandle")) };
}

function provisionEfs(cluster: Cluster, claim: WorldObject, storageClass: Manifest): { spec: Properties } | Failed {
    if (specOf(claim.outputs).volumeMode === "Block") {
        return { error: "rpc error: code = InvalidArgument desc = only filesystem volumes are supported" };
    }
    const name = volumeNameOf(claim.outputs);
    const fileSystem = strings(storageClass.parameters).fileSystemId;
    const points = cluster.aws.all(accessPointToken).filter((point) => point.outputs.fileSystemId === fileSystem);
    const request = efsAccessPoint(strings(storageClass.parameters), {
        volumeName: name,
        claimName: nameOf(claim.outputs),
        namespace: namespaceOf(claim.outputs),
        taken: new Set(points.map((point) => Number(at(point.outputs, "posixUser", "gid")))),
        unique: () => `${cluster.hex(8)}-${cluster.hex(4)}`,
    });
    if ("error" in request) {
        return { error: `rpc error: code = InvalidArgument desc = ${request.error}` };
    }
    const problem = callsAws(cluster, "kube-system", Drivers.efs.controllerAccount, [
        "elasticfilesystem:CreateAccessPoint",
        "elasticfilesystem:DescribeFileSystems",
    ]);
    if (problem) {
        return {
            error: `rpc error: code = Unauthenticated desc = Access Denied. Please ensure you have the right AWS permissions: ${problem}`,
        };
    }
    const found = cluster.aws.find("aws:efs/fileSystem:FileSystem", (one) => one.id === request.fileSystemId);
    if (!found) {
        return {
            error: `rpc error: code = InvalidArgument desc = File System does not exist: FileSystemNotFound: File system '${request.fileSystemId}' does not exist.`,
        };
    }
    if (points.length >= 10_000) {
        return { error: "rpc error: code = ResourceExhausted desc = AccessPointLimitExceeded" };
    }
    const reused = request.reuse
        ? points.find((point) => at(point.outputs, "tags", "efs.csi.aws.com/claim") === nameOf(claim.outputs))
        : undefined;
    const id = reused?.id ?? `fsap-0${cluster.hex(16)}`;
    if (!reused) {
        const [accountId, region] = String(found.scope).split("/");
        cluster.aws.put({
            token: accessPointToken,
            id,
            // Where the file system is, which may be another account.
            scope: found.scope,
            inputs: {},
            outputs: {
                id,
                arn: `arn:aws:elasticfilesystem:${region}:${accountId}:access-point/${id}`,
                fileSystemId: request.fileSystemId,
                posixUser: { uid: request.uid, gid: request.gid },
                rootDirectory: {
                    path: request.path,
                    creationInfo: { ownerUid: request.uid, ownerGid: request.gid, permissions: request.directoryPerms },
                },
                tags: { "efs.csi.aws.com/cluster": "true", "efs.csi.aws.com/claim": nameOf(claim.outputs) },
            },
            implicit: true,
            owner: { token: "kubernetes:core/v1:PersistentVolume", id: name },
        });
    }
    return {
        spec: {
            capacity: { storage: at(claim.outputs, "spec", "resources", "requests", "storage") },
            csi: { driver: Drivers.efs.name, volumeHandle: `${request.fileSystemId}::${id}` },
        },
    };
}
