import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as storage from "../../../../components";
import { cluster as seeded, kubeconfig, network, zones } from "./platform";

/** A part is there when its key is set, to an object with the arguments that differ. */
const config = new pulumi.Config();
const part = <Args>(key: string): Partial<Args> | undefined => config.getObject<Partial<Args>>(key);
const cluster = { ...seeded, ...part<storage.ClusterInfo>("cluster") };

const kubernetes = new k8s.Provider("platform", { kubeconfig });
const inCluster = { providers: [kubernetes] };
const namespace = new k8s.core.v1.Namespace("data", { metadata: { name: "data" } }, { provider: kubernetes }).metadata
    .name;

const filesDriver = part<storage.EfsCsiDriverArgs>("filesDriver");
const driver = filesDriver && new storage.EfsCsiDriver("files-driver", { cluster, ...filesDriver }, inCluster);

const snapshotsArgs = part<storage.VolumeSnapshotsArgs>("snapshots");
const snapshots = snapshotsArgs && new storage.VolumeSnapshots("snapshots", { cluster, ...snapshotsArgs }, inCluster);

const disksArgs = part<storage.EbsCsiStackArgs>("disks");
const disks =
    disksArgs &&
    new storage.EbsCsiStack(
        "disks",
        { cluster, zones, ...disksArgs },
        { ...inCluster, dependsOn: snapshots ? [snapshots] : [] },
    );

const filesArgs = part<storage.EfsSharedStorageArgs>("files");
const files =
    filesArgs &&
    new storage.EfsSharedStorage(
        "files",
        { network, cluster, zones, ...filesArgs },
        { ...inCluster, dependsOn: driver ? [driver] : [] },
    );

const existingArgs = part<storage.ExistingFileSystemArgs>("existing");
const existing =
    existingArgs &&
    new storage.ExistingFileSystem(
        "existing",
        { fileSystemId: "", network, cluster, zones, ...existingArgs },
        inCluster,
    );

const staticArgs = part<storage.StaticEfsVolumeArgs>("static");
if (staticArgs && files) {
    const volume = new storage.StaticEfsVolume(
        "shared",
        { fileSystemId: files.fileSystemId, namespace, directory: { path: "/shared" }, ...staticArgs },
        { ...inCluster, dependsOn: [files] },
    );
    for (const zone of zones) {
        const { claimName } = volume;
        new storage.StoragePod(`reader-${zone}`, { namespace, claimName, zone }, { ...inCluster, dependsOn: [files] });
    }
}

const otherArgs = part<storage.CrossAccountFileSystemArgs>("other");
if (otherArgs) {
    const otherAccount = new aws.Provider("other-account", { region: "eu-west-1" });
    const fileSystem = new aws.efs.FileSystem("others-files", { encrypted: true }, { provider: otherAccount });
    const opened = new storage.CrossAccountFileSystem(
        "opened",
        { fileSystemId: fileSystem.id, clusterAccountId: cluster.accountId, ...otherArgs },
        { providers: [otherAccount] },
    );
    const classes = { "efs-other": { uid: 50000, gid: 0 } };
    new storage.CrossAccountClasses("others", { access: opened.access, classes }, inCluster);
}

const scheduleArgs = part<storage.SnapshotScheduleArgs>("schedule");
if (scheduleArgs) {
    new storage.SnapshotSchedule("schedule", { volumeTags: { backup: "daily" }, ...scheduleArgs });
}

const importedArgs = part<storage.ImportedSnapshotArgs>("imported");
if (importedArgs && snapshots && disks) {
    const imported = new storage.ImportedSnapshot(
        "imported",
        { snapshotId: "", size: "8Gi", namespace, ...importedArgs },
        { ...inCluster, dependsOn: [snapshots] },
    );
    const copy = new storage.VolumeClaim(
        "copy",
        { namespace, size: "8Gi", fromSnapshot: imported.info },
        { ...inCluster, dependsOn: [disks] },
    );
    new storage.StoragePod("copy-app", { namespace, claimName: copy.claimName }, { ...inCluster, dependsOn: [disks] });
}

const claimArgs = part<storage.VolumeClaimArgs & { used?: boolean }>("claim");
if (claimArgs) {
    const { used = true, ...args } = claimArgs;
    const storageClassName =
        args.storageClassName ??
        disks?.classNames.apply((names) => names["gp3"]) ??
        files?.classNames.apply((names) => names["efs-sc"]);
    const options = { ...inCluster, dependsOn: [disks, files].filter((made) => made !== undefined) };
    const claim = new storage.VolumeClaim(
        "ebs-claim",
        { namespace, size: "4Gi", ...args, storageClassName } as storage.VolumeClaimArgs,
        options,
    );
    const app = used
        ? new storage.StoragePod("app", { namespace, claimName: claim.claimName }, { ...options, dependsOn: [claim] })
        : undefined;
    const snapshotArgs = part<storage.VolumeSnapshotArgs>("snapshot");
    if (snapshotArgs && app && snapshots) {
        const snapshot = new storage.VolumeSnapshot(
            "before",
            {
                namespace,
                claimName: claim.claimName,
                claimSize: claim.size,
                className: snapshots.className,
                ...snapshotArgs,
            },
            { ...inCluster, dependsOn: [app] },
        );
        const restoreArgs = part<storage.VolumeClaimArgs>("restored");
        if (restoreArgs) {
            const restored = new storage.VolumeClaim(
                "restored",
                {
                    namespace,
                    size: "10Gi",
                    storageClassName,
                    fromSnapshot: snapshot.info,
                    ...restoreArgs,
                } as storage.VolumeClaimArgs,
                options,
            );
            new storage.StoragePod("restored-app", { namespace, claimName: restored.claimName }, options);
        }
    }
}

export const fileSystemId = files?.fileSystemId ?? existing?.fileSystemId;
export const driverVersion = driver?.version;
