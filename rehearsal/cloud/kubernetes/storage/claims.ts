import type { WorldObject } from "../../shell/world";
import { Kinds, type Cluster } from "../cluster";
import { accessModes } from "../api/immutable";
import { labelsOf, nameOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { amount, gibibytes } from "../api/quantity";
import { at, copy, numberOr, record, records, strings, text } from "../api/value";
import { callsAws } from "../control/credentials";
import { controllerRuns, driverOf, Drivers } from "./drivers";
import { ebsVolume } from "./ebsParameters";
import { accessPointToken, allowedZones, bindStatic, provision, reachable, volumeToken } from "./volumes";

const zoneLabel = "topology.kubernetes.io/zone";
const selectedNode = "volume.kubernetes.io/selected-node";

/** How long the drivers take to delete a volume once its claim is gone: detach and delete, or delete the access point. */
export const deletionSeconds = { "ebs.csi.aws.com": 20, "efs.csi.aws.com": 5 };

export function classOf(cluster: Cluster, claim: Manifest): Manifest | undefined {
    const name = text(specOf(claim).storageClassName);
    return name ? cluster.manifest(Kinds.StorageClass, "", name) : undefined;
}

export function waitsForConsumer(cluster: Cluster, claim: Manifest): boolean {
    return classOf(cluster, claim)?.volumeBindingMode === "WaitForFirstConsumer";
}

/** Binds what can be bound without a pod, and says of the rest why it waits. */
export function reconcileClaims(cluster: Cluster): void {
    for (const claim of cluster.list(Kinds.PersistentVolumeClaim)) {
        const manifest = claim.outputs;
        if (at(manifest, "metadata", "deletionTimestamp") !== undefined) {
            continue;
        }
        if (at(manifest, "status", "phase") === "Bound") {
            expand(cluster, claim);
        } else {
            bindClaim(cluster, claim);
        }
    }
}

function bindClaim(cluster: Cluster, claim: WorldObject): void {
    const manifest = claim.outputs;
    const name = text(specOf(manifest).storageClassName);
    if (specOf(manifest).volumeName !== undefined || !waitsForConsumer(cluster, manifest)) {
        if (bindStatic(cluster, claim) || specOf(manifest).volumeName !== undefined) {
            return;
        }
    }
    const say = (reason: string, message: string): void =>
        cluster.event(Kinds.PersistentVolumeClaim, manifest, reason, message);
    if (!name) {
        return say("FailedBinding", "no persistent volumes available for this claim and no storage class is set");
    }
    const storageClass = classOf(cluster, manifest);
    if (!storageClass) {
        return say("ProvisioningFailed", `storageclass.storage.k8s.io "${name}" not found`);
    }
    if (storageClass.volumeBindingMode === "WaitForFirstConsumer") {
        return say("WaitForFirstConsumer", "waiting for first consumer to be created before binding");
    }
    if (storageClass.provisioner !== "kubernetes.io/no-provisioner") {
        provision(cluster, claim, storageClass);
    }
}

/** The claims that a pod mounts, by volume. */
export function claimsOf(pod: Manifest): { volume: string; claim: string }[] {
    return records(specOf(pod).volumes).flatMap((volume) => {
        const claim = text(at(volume, "persistentVolumeClaim", "claimName"));
        const ephemeral = volume.ephemeral !== undefined ? `${nameOf(pod)}-${String(volume.name)}` : undefined;
        return (claim ?? ephemeral) ? [{ volume: String(volume.name), claim: claim ?? ephemeral ?? "" }] : [];
    });
}

/** Why a pod's volumes keep it from every node (`node` absent) or from one. */
export function volumeRefusal(cluster: Cluster, pod: Manifest, node?: Manifest): string | undefined {
    for (const { claim: name } of claimsOf(pod)) {
        const claim = cluster.manifest(Kinds.PersistentVolumeClaim, namespaceOf(pod), name);
        if (!claim) {
            return `persistentvolumeclaim "${name}" not found`;
        }
        if (at(claim, "metadata", "deletionTimestamp") !== undefined) {
            return `persistentvolumeclaim "${name}" is being deleted`;
        }
        const bound = at(claim, "status", "phase") === "Bound";
        if (!bound && !waitsForConsumer(cluster, claim)) {
            return "pod has unbound immediate PersistentVolumeClaims";
        }
        if (node) {
            const refusal = bound ? boundRefusal(cluster, pod, claim, node) : unboundRefusal(cluster, claim, node);
            if (refusal) {
                return refusal;
            }
        }
    }
    return node && tooManyVolumes(cluster, pod, node) ? "node(s) exceed max volume count" : undefined;
}

function boundRefusal(cluster: Cluster, pod: Manifest, claim: Manifest, node: Manifest): string | undefined {
    const volume = cluster.manifest(Kinds.PersistentVolume, "", String(specOf(claim).volumeName));
    if (volume && !reachable(volume, node)) {
        return "node(s) had volume node affinity conflict";
    }
    if (
        accessModes(claim).includes("ReadWriteOncePod") &&
        users(cluster, claim).some((other) => nameOf(other) !== nameOf(pod))
    ) {
        return "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode";
    }
    return undefined;
}

function unboundRefusal(cluster: Cluster, claim: Manifest, node: Manifest): string | undefined {
    const storageClass = classOf(cluster, claim) ?? {};
    const zones = allowedZones(storageClass);
    return zones && !zones.includes(labelsOf(node)[zoneLabel])
        ? "node(s) didn't find available persistent volumes to bind"
        : undefined;
}

/**
 * How many EBS volumes fit a node: 28 attachments shared with network interfaces on most Nitro types, less the root
 * volume and two interfaces. Source: EBS user guide, "Amazon EBS volume limits"; EBS CSI driver docs/faq.md.
 */
function tooManyVolumes(cluster: Cluster, pod: Manifest, node: Manifest): boolean {
    const limit = numberOr(Number(at(node, "status", "allocatable", "attachable-volumes-aws-ebs")), NaN) || 25;
    const mine = ebsClaims(cluster, pod).length;
    if (mine === 0) {
        return false;
    }
    const others = cluster
        .manifests(Kinds.Pod)
        .filter((other) => specOf(other).nodeName === nameOf(node) && nameOf(other) !== nameOf(pod))
        .reduce((sum, other) => sum + ebsClaims(cluster, other).length, 0);
    return others + mine > limit;
}

function ebsClaims(cluster: Cluster, pod: Manifest): string[] {
    return claimsOf(pod)
        .map(({ claim }) => claim)
        .filter((name) => {
            const claim = cluster.manifest(Kinds.PersistentVolumeClaim, namespaceOf(pod), name);
            return claim !== undefined && driverOf(classOf(cluster, claim)?.provisioner) === Drivers.ebs;
        });
}

/** Binds a pod's waiting claims for the node that was chosen. Returns why that did not work. */
export function bindForPod(cluster: Cluster, pod: Manifest, node: Manifest): string | undefined {
    for (const { claim: name } of claimsOf(pod)) {
        const claim = cluster.get(Kinds.PersistentVolumeClaim, namespaceOf(pod), name);
        if (!claim || at(claim.outputs, "status", "phase") === "Bound") {
            continue;
        }
        if (bindStatic(cluster, claim, node)) {
            continue;
        }
        const storageClass = classOf(cluster, claim.outputs);
        if (!storageClass || storageClass.provisioner === "kubernetes.io/no-provisioner") {
            return "node(s) didn't find available persistent volumes to bind";
        }
        const marked = copy(claim.outputs);
        marked.metadata = {
            ...record(marked.metadata),
            annotations: { ...record(at(marked, "metadata", "annotations")), [selectedNode]: nameOf(node) },
        };
        cluster.update(claim, marked);
        const problem = provision(cluster, cluster.fresh(claim) ?? claim, storageClass, node);
        if (problem) {
            return `running PreBind plugin "VolumeBinding": binding volumes: ${problem}`;
        }
    }
    return undefined;
}

/** The pods that mount a claim and are not finished. */
export function users(cluster: Cluster, claim: Manifest): Manifest[] {
    return cluster
        .inNamespace(Kinds.Pod, namespaceOf(claim))
        .map((pod) => pod.outputs)
        .filter(
            (pod) =>
                !["Succeeded", "Failed"].includes(String(at(pod, "status", "phase"))) &&
                claimsOf(pod).some(({ claim: name }) => name === nameOf(claim)),
        );
}

/** Grows a bound claim's volume; the file system follows once a pod has it mounted. */
function expand(cluster: Cluster, claim: WorldObject): void {
    const manifest = claim.outputs;
    const wanted = amount(at(manifest, "spec", "resources", "requests", "storage"));
    const actual = amount(at(manifest, "status", "capacity", "storage"));
    const volume = cluster.get(Kinds.PersistentVolume, "", String(specOf(manifest).volumeName));
    if (!volume) {
        cluster.setStatus(claim, { ...record(manifest.status), phase: "Lost" });
        return;
    }
    modify(cluster, manifest, volume);
    if (wanted <= actual) {
        return;
    }
    const driver = driverOf(at(volume.outputs, "spec", "csi", "driver"));
    const say = (reason: string, message: string): void =>
        cluster.event(Kinds.PersistentVolumeClaim, manifest, reason, message);
    if (driver !== Drivers.ebs) {
        return say("ExternalExpanding", "waiting for an external controller to expand this PVC");
    }
    if (!controllerRuns(cluster, driver)) {
        return say(
            "ExternalExpanding",
            "waiting for an external controller to expand this PVC: ebs.csi.aws.com does not run",
        );
    }
    const problem = callsAws(cluster, "kube-system", driver.controllerAccount, ["ec2:ModifyVolume"]);
    if (problem) {
        return say(
            "VolumeResizeFailed",
            `resize volume "${nameOf(volume.outputs)}" by resizer "ebs.csi.aws.com" failed: ${problem}`,
        );
    }
    const size = gibibytes(wanted);
    const disk = cluster.aws.find(volumeToken, (one) => one.id === at(volume.outputs, "spec", "csi", "volumeHandle"));
    if (disk) {
        cluster.aws.put({ ...disk, outputs: { ...disk.outputs, size } });
    }
    const capacity = { storage: `${size}Gi` };
    cluster.update(volume, { ...volume.outputs, spec: { ...specOf(volume.outputs), capacity } });
    cluster.setStatus(claim, { ...record(manifest.status), capacity });
    cluster.clearEvents(Kinds.PersistentVolumeClaim, manifest);
}

/** A VolumeAttributesClass changes type, IOPS and throughput of a living volume. Source: EBS CSI driver docs/modify-volume.md. */
function modify(cluster: Cluster, claim: Manifest, volume: WorldObject): void {
    const name = text(specOf(claim).volumeAttributesClassName);
    if (!name || at(claim, "status", "currentVolumeAttributesClassName") === name) {
        return;
    }
    const attributes = cluster.manifest(Kinds.VolumeAttributesClass, "", name);
    if (!attributes) {
        cluster.event(
            Kinds.PersistentVolumeClaim,
            claim,
            "VolumeModifyFailed",
            `volumeattributesclass.storage.k8s.io "${name}" not found`,
        );
        return;
    }
    const size = gibibytes(at(volume.outputs, "spec", "capacity", "storage"));
    const request = ebsVolume(strings(attributes.parameters), size);
    const problem =
        "error" in request
            ? request.error
            : callsAws(cluster, "kube-system", Drivers.ebs.controllerAccount, ["ec2:ModifyVolume"]);
    if (problem || "error" in request) {
        cluster.event(Kinds.PersistentVolumeClaim, claim, "VolumeModifyFailed", String(problem));
        return;
    }
    const disk = cluster.aws.find(volumeToken, (one) => one.id === at(volume.outputs, "spec", "csi", "volumeHandle"));
    if (disk) {
        const { type, iops, throughput } = request;
        cluster.aws.put({ ...disk, outputs: { ...disk.outputs, type, iops, throughput } });
    }
    const live = cluster.get(Kinds.PersistentVolumeClaim, namespaceOf(claim), nameOf(claim));
    if (live) {
        cluster.setStatus(live, { ...record(live.outputs.status), currentVolumeAttributesClassName: name });
    }
}

/** What becomes of the volume when its claim goes: kept, or left to the driver, which needs a moment and must be alive. */
export function releaseVolume(cluster: Cluster, claim: Manifest): void {
    const volume = cluster.get(Kinds.PersistentVolume, "", text(specOf(claim).volumeName) ?? "");
    cluster.clearEvents(Kinds.PersistentVolumeClaim, claim);
    if (!volume || at(volume.outputs, "spec", "claimRef", "uid") !== at(claim, "metadata", "uid")) {
        return;
    }
    const driver = String(at(volume.outputs, "spec", "csi", "driver"));
    const due = deletionSeconds[driver as keyof typeof deletionSeconds] ?? 5;
    const deletes = specOf(volume.outputs).persistentVolumeReclaimPolicy === "Delete";
    cluster.setStatus(volume, { phase: "Released", ...(deletes ? { deletionDueSeconds: due } : {}) });
}

/** Lets the drivers work on released volumes for some seconds. */
export function deleteReleased(cluster: Cluster, seconds: number): void {
    for (const volume of cluster.list(Kinds.PersistentVolume)) {
        const due = at(volume.outputs, "status", "deletionDueSeconds");
        if (typeof due !== "number") {
            continue;
        }
        const driver = driverOf(at(volume.outputs, "spec", "csi", "driver"));
        const problem = !driver
            ? "no driver deletes this volume"
            : !controllerRuns(cluster, driver)
              ? `the driver ${driver.name} does not run (any more)`
              : callsAws(
                    cluster,
                    "kube-system",
                    driver.controllerAccount,
                    driver === Drivers.ebs ? ["ec2:DeleteVolume"] : ["elasticfilesystem:DeleteAccessPoint"],
                );
        if (problem) {
            cluster.event(Kinds.PersistentVolume, volume.outputs, "VolumeFailedDelete", problem);
        } else if (due > seconds) {
            cluster.setStatus(volume, { ...record(volume.outputs.status), deletionDueSeconds: due - seconds });
        } else {
            deleteVolume(cluster, volume);
        }
    }
}

function deleteVolume(cluster: Cluster, volume: WorldObject): void {
    const handle = String(at(volume.outputs, "spec", "csi", "volumeHandle"));
    const token = handle.startsWith("vol-") ? volumeToken : accessPointToken;
    const id = handle.startsWith("vol-") ? handle : handle.split(":").pop();
    const thing = cluster.aws.find(token, (one) => one.id === id && one.implicit === true);
    if (thing) {
        cluster.aws.remove(token, thing.id);
    }
    cluster.clearEvents(Kinds.PersistentVolume, volume.outputs);
    cluster.remove(volume);
}

/** The seconds that the drivers still need for volumes whose claims are gone. */
export function pendingDeletion(cluster: Cluster): number {
    return Math.max(
        0,
        ...cluster
            .manifests(Kinds.PersistentVolume)
            .map((volume) => numberOr(at(volume, "status", "deletionDueSeconds"), 0)),
    );
}
