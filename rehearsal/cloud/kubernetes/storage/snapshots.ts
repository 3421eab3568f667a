import type { WorldObject } from "../../shell/world";
import { Kinds, type Cluster } from "../cluster";
import { annotationsOf, nameOf, namespaceOf, specOf } from "../api/object";
import { at, text } from "../api/value";
import { isReadyWorkload } from "../control/status";
import { callsAws } from "../control/credentials";
import { Drivers } from "./drivers";
import { placeOf, volumeToken } from "./volumes";

const snapshotToken = "aws:ebs/snapshot:Snapshot";

/** The snapshot controller and the EBS driver's sidecar: snapshots of bound claims. Source: kubernetes-csi/external-snapshotter v8. */
export function reconcileSnapshots(cluster: Cluster): void {
    for (const snapshot of cluster.list(Kinds.VolumeSnapshot)) {
        if (
            at(snapshot.outputs, "status", "readyToUse") !== true &&
            at(snapshot.outputs, "metadata", "deletionTimestamp") === undefined
        ) {
            const problem = take(cluster, snapshot);
            if (problem) {
                cluster.event(Kinds.VolumeSnapshot, snapshot.outputs, "SnapshotContentCreationFailed", problem);
            }
        }
    }
}

function take(cluster: Cluster, snapshot: WorldObject): string | undefined {
    if (!isReadyWorkload(cluster, Kinds.Deployment, "kube-system", "snapshot-controller")) {
        return "no snapshot controller runs";
    }
    const className = text(specOf(snapshot.outputs).volumeSnapshotClassName) ?? defaultSnapshotClass(cluster);
    const snapshotClass = className && cluster.manifest(Kinds.VolumeSnapshotClass, "", className);
    const existing = text(at(snapshot.outputs, "spec", "source", "volumeSnapshotContentName"));
    if (existing) {
        return adopt(cluster, snapshot, existing);
    }
    if (!snapshotClass) {
        return className
            ? `failed to get snapshot class ${className}: not found`
            : "cannot find default snapshot class";
    }
    const claim = cluster.manifest(
        Kinds.PersistentVolumeClaim,
        namespaceOf(snapshot.outputs),
        String(at(snapshot.outputs, "spec", "source", "persistentVolumeClaimName")),
    );
    if (!claim) {
        return `persistentvolumeclaims "${String(at(snapshot.outputs, "spec", "source", "persistentVolumeClaimName"))}" not found`;
    }
    if (at(claim, "status", "phase") !== "Bound") {
        return `the PVC ${nameOf(claim)} is not yet bound to a PV, will not attempt to take a snapshot`;
    }
    const volume = cluster.manifest(Kinds.PersistentVolume, "", String(specOf(claim).volumeName));
    if (at(volume, "spec", "csi", "driver") !== snapshotClass.driver) {
        return `driver mismatch: the volume is of ${String(at(volume, "spec", "csi", "driver"))}, the class of ${String(snapshotClass.driver)}`;
    }
    if (snapshotClass.driver !== Drivers.ebs.name) {
        return "rpc error: code = Unimplemented desc = snapshots are not supported";
    }
    const problem = callsAws(cluster, "kube-system", Drivers.ebs.controllerAccount, ["ec2:CreateSnapshot"]);
    if (problem) {
        return `rpc error: code = Internal desc = Could not create snapshot: ${problem}`;
    }
    const handle = String(at(volume, "spec", "csi", "volumeHandle"));
    const disk = cluster.aws.find(volumeToken, (one) => one.id === handle);
    const id = `snap-0${cluster.hex(16)}`;
    const { accountId, region } = placeOf(cluster);
    cluster.aws.put({
        token: snapshotToken,
        id,
        scope: cluster.eks?.scope,
        inputs: {},
        outputs: {
            id,
            arn: `arn:aws:ec2:${region}:${accountId}:snapshot/${id}`,
            volumeId: handle,
            volumeSize: disk?.outputs.size,
            encrypted: disk?.outputs.encrypted,
            kmsKeyId: disk?.outputs.kmsKeyId,
        },
        implicit: true,
        owner: { token: "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotContent", id: contentName(snapshot) },
    });
    const restoreSize = String(at(volume, "spec", "capacity", "storage"));
    cluster.apply(Kinds.VolumeSnapshotContent, {
        metadata: { name: contentName(snapshot), uid: cluster.hex(32) },
        spec: {
            driver: snapshotClass.driver,
            deletionPolicy: snapshotClass.deletionPolicy,
            source: { volumeHandle: handle },
            volumeSnapshotRef: { name: nameOf(snapshot.outputs), namespace: namespaceOf(snapshot.outputs) },
        },
        status: { readyToUse: true, restoreSize, snapshotHandle: id },
    });
    done(cluster, snapshot, contentName(snapshot), restoreSize);
    return undefined;
}

function adopt(cluster: Cluster, snapshot: WorldObject, name: string): string | undefined {
    const content = cluster.get(Kinds.VolumeSnapshotContent, "", name);
    if (!content) {
        return `VolumeSnapshotContent "${name}" not found`;
    }
    const handle = text(at(content.outputs, "spec", "source", "snapshotHandle"));
    const known = cluster.aws.find([snapshotToken, "aws:ebs/snapshotCopy:SnapshotCopy"], (one) => one.id === handle);
    if (!known) {
        return `InvalidSnapshot.NotFound: The snapshot '${String(handle)}' does not exist.`;
    }
    const restoreSize = `${String(known.outputs.volumeSize)}Gi`;
    cluster.setStatus(content, { readyToUse: true, restoreSize, snapshotHandle: handle });
    done(cluster, snapshot, name, restoreSize);
    return undefined;
}

function done(cluster: Cluster, snapshot: WorldObject, content: string, restoreSize: string): void {
    cluster.clearEvents(Kinds.VolumeSnapshot, snapshot.outputs);
    cluster.setStatus(snapshot, { readyToUse: true, restoreSize, boundVolumeSnapshotContentName: content });
}

function contentName(snapshot: WorldObject): string {
    return `snapcontent-${String(at(snapshot.outputs, "metadata", "uid"))}`;
}

function defaultSnapshotClass(cluster: Cluster): string | undefined {
    const marked = cluster
        .manifests(Kinds.VolumeSnapshotClass)
        .filter((one) => annotationsOf(one)["snapshot.storage.kubernetes.io/is-default-class"] === "true");
    return marked.length === 1 ? nameOf(marked[0]) : undefined;
}

/** A snapshot's content goes with it when the class says Delete, and takes the EBS snapshot along. */
export function releaseSnapshot(cluster: Cluster, snapshot: WorldObject): void {
    const content = cluster.get(
        Kinds.VolumeSnapshotContent,
        "",
        String(at(snapshot.outputs, "status", "boundVolumeSnapshotContentName")),
    );
    if (content && specOf(content.outputs).deletionPolicy === "Delete") {
        const handle = String(at(content.outputs, "status", "snapshotHandle"));
        const snap = cluster.aws.find(snapshotToken, (one) => one.id === handle && one.implicit === true);
        if (snap) {
            cluster.aws.remove(snapshotToken, snap.id);
        }
        cluster.remove(content);
    }
}
