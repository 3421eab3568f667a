import { admits } from "../../aws/network";
import { Kinds, type Cluster } from "../cluster";
import { labelsOf, nameOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { at, list, record, records, text } from "../api/value";
import { addressOf, groupsOf } from "../control/connections";
import { claimsOf } from "./claims";
import { driverOf, Drivers, runsOnNode } from "./drivers";
import { accessPointToken, placeOf, volumeToken } from "./volumes";

/** Why a pod's volumes cannot be mounted on its node, as the kubelet's events word it. */
export function mountProblem(cluster: Cluster, pod: Manifest, node: Manifest): string | undefined {
    for (const { volume, claim: name } of claimsOf(pod)) {
        const claim = cluster.manifest(Kinds.PersistentVolumeClaim, namespaceOf(pod), name);
        const persistent = claim && cluster.manifest(Kinds.PersistentVolume, "", String(specOf(claim).volumeName));
        const csi = at(persistent, "spec", "csi");
        const driver = driverOf(at(csi, "driver"));
        if (!persistent || !csi || !driver) {
            continue;
        }
        if (!runsOnNode(cluster, driver, nameOf(node))) {
            return `MountVolume.MountDevice failed for volume "${nameOf(persistent)}": kubernetes.io/csi: attacher.MountDevice failed to create newCsiDriverClient: driver name ${driver.name} not found in the list of registered CSI drivers`;
        }
        const problem =
            driver === Drivers.ebs
                ? ebsProblem(cluster, record(csi), node)
                : efsProblem(cluster, pod, volume, persistent, record(csi), node);
        if (problem) {
            return `MountVolume.SetUp failed for volume "${nameOf(persistent)}": rpc error: code = Internal desc = ${problem}`;
        }
    }
    return undefined;
}

function ebsProblem(cluster: Cluster, csi: Record<string, unknown>, node: Manifest): string | undefined {
    const disk = cluster.aws.find(volumeToken, (one) => one.id === csi.volumeHandle);
    if (!disk) {
        return `Could not attach volume "${String(csi.volumeHandle)}": InvalidVolume.NotFound: The volume '${String(csi.volumeHandle)}' does not exist.`;
    }
    const zone = labelsOf(node)["topology.kubernetes.io/zone"];
    return disk.outputs.availabilityZone === zone
        ? undefined
        : `Could not attach volume "${disk.id}": InvalidVolume.ZoneMismatch: The volume is in ${String(disk.outputs.availabilityZone)}, the instance in ${zone}`;
}

/** File system, mount target in the node's zone, its groups, the file system policy, and who may write. */
function efsProblem(
    cluster: Cluster,
    pod: Manifest,
    volume: string,
    persistent: Manifest,
    csi: Record<string, unknown>,
    node: Manifest,
): string | undefined {
    const [id, , pointId] = String(csi.volumeHandle).split(":");
    const fileSystem = cluster.aws.find("aws:efs/fileSystem:FileSystem", (one) => one.id === id);
    const zone = labelsOf(node)["topology.kubernetes.io/zone"];
    if (!fileSystem) {
        return `Could not mount "${id}:/": Failed to resolve "${id}.efs.${placeOf(cluster).region}.amazonaws.com" - check that your file system ID is correct`;
    }
    const point = pointId
        ? cluster.aws.find(accessPointToken, (one) => one.id === pointId && one.outputs.fileSystemId === id)
        : undefined;
    if (pointId && !point) {
        return `Could not mount "${id}:/": mount.nfs4: access denied by server while mounting 127.0.0.1:/: access point ${pointId} does not exist`;
    }
    const target = cluster.aws.find(
        "aws:efs/mountTarget:MountTarget",
        (one) => one.inputs.fileSystemId === id && zoneOfSubnet(cluster, one.inputs.subnetId) === zone,
    );
    if (!target) {
        return `Could not mount "${id}:/": Failed to resolve "${id}.efs.${placeOf(cluster).region}.amazonaws.com": the file system has no mount target in ${zone}`;
    }
    const groups = list(target.outputs.securityGroups ?? target.inputs.securityGroups).map(String);
    if (
        !admits(cluster.aws, {
            targetGroups: groups,
            sourceGroups: groupsOf(node),
            sourceIp: addressOf(node),
            port: 2049,
        })
    ) {
        return `Could not mount "${id}:/": Connection attempt to ${target.id} timed out: its security groups ${groups.join(", ")} do not admit the groups of the node (${groupsOf(node).join(", ")}) on 2049/tcp`;
    }
    return (
        policyProblem(cluster, id, csi, list(specOf(persistent).mountOptions).map(String)) ??
        writeProblem(pod, volume, point?.outputs)
    );
}

function zoneOfSubnet(cluster: Cluster, subnetId: unknown): unknown {
    return cluster.aws.find("aws:ec2/subnet:Subnet", (one) => one.id === subnetId)?.outputs.availabilityZone;
}

/**
 * Without a file system policy everybody who reaches port 2049 may mount; any policy replaces that default.
 * Source: EFS user guide, "Using file system policies".
 */
function policyProblem(
    cluster: Cluster,
    id: string,
    csi: Record<string, unknown>,
    options: string[],
): string | undefined {
    const policy = cluster.aws.find(
        "aws:efs/fileSystemPolicy:FileSystemPolicy",
        (one) => one.inputs.fileSystemId === id,
    );
    const document = policy && parse(policy.outputs.policy ?? policy.inputs.policy);
    if (!document) {
        return undefined;
    }
    const denied = `Could not mount "${id}:/": mount.nfs4: access denied by server while mounting 127.0.0.1:/`;
    const statements = records([document.Statement].flat());
    const plain = at(csi, "volumeAttributes", "encryptInTransit") === "false";
    const requiresTls = statements.some(
        (one) => one.Effect === "Deny" && /SecureTransport/i.test(JSON.stringify(one.Condition ?? {})),
    );
    if (plain && requiresTls) {
        return `${denied}: the file system policy refuses unencrypted transport`;
    }
    const mounts = statements.filter(
        (one) =>
            one.Effect === "Allow" &&
            [one.Action]
                .flat()
                .some((action) => /^(\*|elasticfilesystem:(\*|Client(\*|Mount)))$/i.test(String(action))),
    );
    const anonymous = mounts.some((one) => {
        const principal = one.Principal;
        return principal === "*" || [at(principal, "AWS")].flat().includes("*");
    });
    return mounts.length === 0 || (!anonymous && !options.includes("iam"))
        ? `${denied}: the file system policy allows ${mounts.length === 0 ? "nobody" : "only named principals"} to mount`
        : undefined;
}

function parse(policy: unknown): Record<string, unknown> | undefined {
    try {
        return typeof policy === "string"
            ? record(JSON.parse(policy))
            : typeof policy === "object" && policy !== null
              ? record(policy)
              : undefined;
    } catch {
        return undefined;
    }
}

/**
 * An access point with an identity does everything as that identity; without one the pod's own user counts, against the
 * owner and mode of the directory (the root of a fresh file system is root's, 0755).
 */
function writeProblem(pod: Manifest, volume: string, point: Record<string, unknown> | undefined): string | undefined {
    const creation = record(at(point, "rootDirectory", "creationInfo"));
    const owner = Number(creation.ownerUid ?? 0);
    const group = Number(creation.ownerGid ?? 0);
    const mode = String(creation.permissions ?? "755").slice(-3);
    const enforced = at(point, "posixUser", "uid");
    for (const container of records(specOf(pod).containers)) {
        const writes = records(container.volumeMounts).some(
            (mount) => mount.name === volume && mount.readOnly !== true,
        );
        const own = at(container, "securityContext", "runAsUser") ?? at(specOf(pod).securityContext, "runAsUser");
        const user = enforced === undefined ? own : Number(enforced);
        const groups = enforced === undefined ? groupIds(pod, container) : [Number(at(point, "posixUser", "gid"))];
        if (!writes || typeof user !== "number" || user === 0) {
            continue;
        }
        const digit = user === owner ? 0 : groups.includes(group) ? 1 : 2;
        if ((Number(mode[digit]) & 2) === 0) {
            return `container "${text(container.name) ?? ""}": Permission denied: it writes as user ${user}, the directory is ${owner}:${group} with mode 0${mode}`;
        }
    }
    return undefined;
}

function groupIds(pod: Manifest, container: Record<string, unknown>): number[] {
    const context = record(specOf(pod).securityContext);
    const own = at(container, "securityContext", "runAsGroup") ?? context.runAsGroup ?? 0;
    return [own, context.fsGroup, ...list(context.supplementalGroups)].filter(
        (id): id is number => typeof id === "number",
    );
}
