import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import {
    checkImportedSnapshotArgs,
    ImportedSnapshot,
    type ImportedSnapshotArgs,
} from "../../../components/storage/importedSnapshot";
import {
    checkSnapshotScheduleArgs,
    SnapshotSchedule,
    type SnapshotScheduleArgs,
} from "../../../components/storage/snapshotSchedule";
import { checkStoragePodArgs, StoragePod, type StoragePodArgs } from "../../../components/storage/storagePod";
import { checkVolumeClaimArgs, VolumeClaim, type VolumeClaimArgs } from "../../../components/storage/volumeClaim";
import {
    checkVolumeSnapshotArgs,
    VolumeSnapshot,
    type VolumeSnapshotArgs,
} from "../../../components/storage/volumeSnapshot";
import {
    checkVolumeSnapshotsArgs,
    VolumeSnapshots,
    type VolumeSnapshotsArgs,
} from "../../../components/storage/volumeSnapshots";
import { clusterInfo, type Loose, type Registered, type Simulated, simulate } from "../mocks";
import { assertProblems } from "./problems";

const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";
const SNAPSHOT = "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshot";

/** Runs the hook that judges a resource's update. */
function update<T>(made: Simulated<T>, resource: Registered, oldInputs: object, newInputs: object): Promise<void> {
    const hook = made.hooks.get(resource.hooks.beforeUpdate[0]);
    assert.ok(hook?.opts?.onDryRun, "it must run in previews");
    const { urn, name, type } = resource;
    return Promise.resolve(
        hook.callback({ urn, id: "", name, type, oldInputs: { ...oldInputs }, newInputs: { ...newInputs } }),
    );
}

describe("VolumeClaim", () => {
    const base: VolumeClaimArgs = { namespace: "data", size: "4Gi" };
    const make = (args: Partial<VolumeClaimArgs> = {}) =>
        simulate(() => {
            const claim = new VolumeClaim("ebs-claim", { ...base, ...args });
            return { name: claim.claimName, size: claim.size };
        });
    const sized = (storage: unknown) => ({ spec: { resources: { requests: { storage } } } });

    it("makes a claim, of the cluster's default class unless another is named", async () => {
        const { inputs } = (await make()).one(CLAIM);
        assert.deepEqual(inputs.metadata, { name: "ebs-claim", namespace: "data" });
        assert.deepEqual(inputs.spec, { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "4Gi" } } });
        const other = await make({
            ...{
                storageClassName: "efs-sc",
                accessMode: "ReadWriteMany",
                claimName: "logs",
                labels: { app: "x" },
                protect: true,
            },
        });
        const claim = other.one(CLAIM);
        assert.equal(claim.inputs.spec.storageClassName, "efs-sc");
        assert.deepEqual(claim.inputs.spec.accessModes, ["ReadWriteMany"]);
        assert.deepEqual(claim.inputs.metadata, { name: "logs", namespace: "data", labels: { app: "x" } });
        assert.ok(claim.protect);
        assert.deepEqual(other.result, { name: "logs", size: "4Gi" });
    });

    it("comes after its class without being made of it: a replaced class must not take the claim along", async () => {
        const made = await simulate(() => {
            const origin = new pulumi.Stash("class", { input: "gp3" });
            new VolumeClaim("ebs-claim", { ...base, storageClassName: origin.output });
        });
        const claim = made.one(CLAIM);
        assert.equal(claim.inputs.spec.storageClassName, "gp3");
        assert.ok(claim.dependencies.includes("class"));
    });

    it("grows, and refuses to shrink with both sizes, also in previews", async () => {
        const made = await make();
        const claim = made.one(CLAIM);
        await update(made, claim, sized("4Gi"), sized("10Gi"));
        await update(made, claim, sized("4Gi"), sized("4096Mi"));
        await update(made, claim, sized("4Gi"), sized(pulumi.unknown));
        await assert.rejects(
            update(made, claim, sized("10Gi"), sized("4Gi")),
            /claim "ebs-claim" cannot shrink from 10Gi to 4Gi/,
        );
        await assert.rejects(update(made, claim, sized("1Gi"), sized("1000M")), /from 1Gi to 1000M/);
    });

    it("guards what would make Kubernetes delete the volume", async () => {
        const made = await make({ storageClassName: "gp3" });
        const guard = made.one("pulumi:index:Stash", "ebs-claim-guard");
        assert.ok(made.one(CLAIM).dependencies.includes("ebs-claim-guard"));
        const before = guard.inputs.input;
        await update(made, guard, { input: before }, { input: before });
        await assert.rejects(
            update(made, guard, { input: before }, { input: { ...before, storageClassName: "io2" } }),
            /storageClassName from "gp3" to "io2"/,
        );
        await assert.rejects(
            update(made, guard, { input: before }, { input: { ...before, namespace: "other" } }),
            /namespace from "data" to "other"/,
        );
    });

    it("begins with a snapshot that fits", async () => {
        const made = await make({ fromSnapshot: pulumi.output({ name: "yesterday", size: "4Gi" }) });
        assert.deepEqual(made.one(CLAIM).inputs.spec.dataSource, {
            ...{ apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "yesterday" },
        });
        await assert.rejects(
            simulate(
                () =>
                    void new VolumeClaim("ebs-claim", {
                        ...base,
                        fromSnapshot: pulumi.output({ name: "s", size: "10Gi" }),
                    }),
            ),
            /4Gi is less than the 10Gi of snapshot "s"/,
        );
    });

    it("refuses bad input, all at once", () => {
        const check = (args: object) => checkVolumeClaimArgs({ ...base, ...args } as VolumeClaimArgs);
        assertProblems(
            check({
                namespace: "_",
                size: "big",
                accessMode: "Shared",
                claimName: "A",
                labels: { "a b": "" },
                mode: "x",
            }),
            {
                ...{
                    namespace: /namespace/,
                    size: /no size/,
                    accessMode: /one of ReadWriteOnce/,
                    claimName: /no name/,
                },
                ...{ "labels.a b": /label key/, mode: /no such setting/ },
            },
        );
        assertProblems(check({ fromSnapshot: { name: "s", size: "10Gi" } }), {
            size: /4Gi is less than the 10Gi of snapshot "s"; ask for at least 10Gi/,
        });
        assertProblems(check({ fromSnapshot: { name: "s", size: "all" } }), { "fromSnapshot.size": /no size/ });
        assertProblems(check({ size: "-1Gi" }), { size: /no size/ });
        assertProblems(check({ size: "10" }), { size: /"10" is 10 bytes, .* give a unit/ });
        assertProblems(check({ size: "65Ti" }), { size: /64Ti of the largest EBS volume/ });
        assert.deepEqual(check({ size: "1Pi", accessMode: "ReadWriteMany" }), [], "EFS takes any");
        assertProblems(check({ size: undefined }), { size: /no size/ });
        assert.deepEqual(check({ fromSnapshot: { name: "s", size: "4Gi" } }), []);
    });
});

describe("VolumeSnapshots", () => {
    const make = (args: Partial<VolumeSnapshotsArgs> = {}) =>
        simulate(() => new VolumeSnapshots("snapshots", { cluster: clusterInfo, ...args }).className);

    it("installs the snapshot controller, and a class that keeps copies, after it", async () => {
        const made = await make();
        assert.equal(made.one("aws:eks/addon:Addon").inputs.addonName, "snapshot-controller");
        const made1 = made.one("kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass");
        assert.equal(made1.inputs.driver, "ebs.csi.aws.com");
        assert.equal(made1.inputs.deletionPolicy, "Retain");
        assert.equal(made1.inputs.metadata.annotations["snapshot.storage.kubernetes.io/is-default-class"], "true");
        assert.ok(made1.dependencies.includes("snapshots"), "the class's kind comes with the add-on");
        assert.equal(made.result, "ebs-snapshots");
    });

    it("hands on its options", async () => {
        const made = await make({
            ...{
                className: "mine",
                deletionPolicy: "Delete",
                snapshotTags: { team: "data" },
                version: "v8.6.0-eksbuild.8",
            },
        });
        const { inputs } = made.one("kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass");
        assert.deepEqual([inputs.metadata.name, inputs.deletionPolicy], ["mine", "Delete"]);
        assert.deepEqual(inputs.parameters, { tagSpecification_1: "team=data" });
        assert.equal(made.one("aws:eks/addon:Addon").inputs.addonVersion, "v8.6.0-eksbuild.8");
    });

    it("refuses bad input, all at once", () => {
        const snapshotTags = { "a=b": "c" };
        const args = { cluster: clusterInfo, className: "A", deletionPolicy: "Maybe", version: "8", snapshotTags };
        assertProblems(checkVolumeSnapshotsArgs(args as unknown as VolumeSnapshotsArgs), {
            ...{ className: /no name/, deletionPolicy: /one of Delete, Retain/, version: /no version/ },
            "snapshotTags.a=b": /key to end/,
        });
        assert.deepEqual(checkVolumeSnapshotsArgs({ cluster: clusterInfo }), []);
    });
});

describe("VolumeSnapshot", () => {
    const base: VolumeSnapshotArgs = { namespace: "data", claimName: "ebs-claim", claimSize: "10Gi" };
    const make = (args: Partial<VolumeSnapshotArgs> = {}) =>
        simulate(() => new VolumeSnapshot("before", { ...base, ...args }).info);

    it("copies a claim, waits until the copy is usable, and remembers the size that it had", async () => {
        const made = await make();
        const { inputs } = made.one(SNAPSHOT);
        assert.deepEqual(inputs.spec, { source: { persistentVolumeClaimName: "ebs-claim" } });
        assert.equal(inputs.metadata.annotations["pulumi.com/waitFor"], "jsonpath={.status.readyToUse}=true");
        assert.deepEqual(made.result, { name: "before", size: "10Gi" });
        const kept = made.one("pulumi:index:Stash", "before-size");
        assert.deepEqual(kept.ignoreChanges, ["input"]);
        assert.equal(kept.replacementTrigger, "before");
        const named = await make({ className: "mine", snapshotName: "monday" });
        assert.equal(named.one(SNAPSHOT).inputs.spec.volumeSnapshotClassName, "mine");
        assert.equal(named.result.name, "monday");
    });

    it("looks a claim up whose size it is not told", async () => {
        const made = await simulate(() => new VolumeSnapshot("before", { ...base, claimSize: undefined }).info, {
            outputs: { [CLAIM]: () => ({ status: { capacity: { storage: "20Gi" } }, spec: {} }) },
        });
        assert.equal(made.result.size, "20Gi");
    });

    it("guards against a copy of something else under its name", async () => {
        const made = await make();
        const guard = made.one("pulumi:index:Stash", "before-guard");
        assert.ok(made.one(SNAPSHOT).dependencies.includes("before-guard"));
        await assert.rejects(
            update(made, guard, guard.inputs, { input: { ...guard.inputs.input, claimName: "other" } }),
            /snapshot "before".*claimName from "ebs-claim" to "other"/,
        );
    });

    it("refuses bad input, all at once", () => {
        const args = { namespace: "A", claimName: "", claimSize: "x", snapshotName: "_", className: "B", copies: 2 };
        assertProblems(checkVolumeSnapshotArgs(args as unknown as VolumeSnapshotArgs), {
            ...{ namespace: /namespace/, claimName: /no name/, claimSize: /no size/, snapshotName: /no name/ },
            ...{ className: /no name/, copies: /no such setting/ },
        });
        assert.deepEqual(checkVolumeSnapshotArgs(base), []);
    });
});

describe("ImportedSnapshot", () => {
    const base: ImportedSnapshotArgs = { snapshotId: "snap-0123", size: "10Gi", namespace: "data" };

    it("makes an EBS snapshot usable in Kubernetes and leaves it where it is", async () => {
        const content = "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotContent";
        const made = await simulate(() => new ImportedSnapshot("old", base).info, {
            outputs: { [content]: () => ({ metadata: { name: "old-content-1" } }) },
        });
        const { spec } = made.one(content).inputs;
        assert.deepEqual(spec, {
            ...{ driver: "ebs.csi.aws.com", deletionPolicy: "Retain", source: { snapshotHandle: "snap-0123" } },
            volumeSnapshotRef: { name: "old", namespace: "data" },
        });
        assert.deepEqual(made.one(SNAPSHOT).inputs.spec.source, { volumeSnapshotContentName: "old-content-1" });
        assert.deepEqual(made.result, { name: "old", size: "10Gi" });
    });

    it("refuses bad input, all at once", () => {
        const args = { snapshotId: "vol-1", size: "?", namespace: "A", snapshotName: "B" };
        assertProblems(checkImportedSnapshotArgs(args), {
            ...{ snapshotId: /no id/, size: /no size/, namespace: /namespace/, snapshotName: /no name/ },
        });
        assert.deepEqual(checkImportedSnapshotArgs(base), []);
    });
});

describe("SnapshotSchedule", () => {
    const base: SnapshotScheduleArgs = { volumeTags: { backup: "daily" } };
    const make = (args: Partial<SnapshotScheduleArgs> = {}) =>
        simulate(() => new SnapshotSchedule("nightly", { ...base, ...args }).policyArn);
    const POLICY = "aws:dlm/lifecyclePolicy:LifecyclePolicy";

    it("copies once a day and keeps a week by default, with the driver's tags", async () => {
        const made = await make();
        const { inputs, dependencies } = made.one(POLICY);
        const [schedule] = inputs.policyDetails.schedules;
        assert.equal(inputs.state, "ENABLED");
        assert.deepEqual(inputs.policyDetails.resourceTypes, ["VOLUME"]);
        assert.deepEqual(inputs.policyDetails.targetTags, { backup: "daily" });
        assert.deepEqual(schedule.createRule, { interval: 24, intervalUnit: "HOURS", times: "03:00" });
        assert.deepEqual(schedule.retainRule, { count: 7 });
        assert.equal(schedule.copyTags, true);
        assert.ok(dependencies.includes("nightly"));
        const trust = JSON.parse(made.one("aws:iam/role:Role").inputs.assumeRolePolicy).Statement[0];
        assert.deepEqual(trust.Principal, { Service: "dlm.amazonaws.com" });
    });

    it("describes itself in letters that the Data Lifecycle Manager takes, whatever its name", async () => {
        const made = await simulate(() => new SnapshotSchedule("disks.night@ly", base).policyArn);
        assert.equal(made.one(POLICY).inputs.description, "Snapshots of volumes by disks-night-ly");
    });

    it("hands on its options", async () => {
        const made = await make({
            everyHours: 6,
            startTime: "00:30",
            keep: 28,
            enabled: false,
            tags: { team: "data" },
        });
        const { inputs } = made.one(POLICY);
        const [schedule] = inputs.policyDetails.schedules;
        assert.equal(inputs.state, "DISABLED");
        assert.deepEqual(schedule.createRule, { interval: 6, intervalUnit: "HOURS", times: "00:30" });
        assert.equal(schedule.retainRule.count, 28);
        assert.deepEqual(schedule.tagsToAdd, { team: "data" });
    });

    it("refuses bad input, all at once", () => {
        assertProblems(checkSnapshotScheduleArgs({ volumeTags: {}, everyHours: 5, startTime: "24:00", keep: 0 }), {
            ...{ volumeTags: /1 to 50/, everyHours: /one of 1, 2/, startTime: /time of day/, keep: /1 to 1000/ },
        });
        assertProblems(checkSnapshotScheduleArgs({ volumeTags: { a: 1 } } as unknown as SnapshotScheduleArgs), {
            "volumeTags.a": /1 is not a text/,
            volumeTags: /0 tags/,
        });
        assert.deepEqual(checkSnapshotScheduleArgs(base), []);
    });
});

describe("StoragePod", () => {
    const base: StoragePodArgs = { namespace: "data", claimName: "ebs-claim" };
    const podOf = async (args: Partial<StoragePodArgs> = {}) => {
        const made = await simulate(() => void new StoragePod("app", { ...base, ...args }));
        return made.one("kubernetes:apps/v1:Deployment").inputs.spec as Loose;
    };

    it("writes the time into its claim, one pod at a time", async () => {
        const spec = await podOf();
        assert.deepEqual(spec.strategy, { type: "Recreate" });
        assert.equal(spec.template.spec.volumes[0].persistentVolumeClaim.claimName, "ebs-claim");
        assert.match(spec.template.spec.containers[0].command[2], />> \/data\/out\.txt; sleep 5/);
        assert.equal(spec.template.spec.securityContext.runAsUser, 50000);
        assert.deepEqual(spec.template.spec.nodeSelector, {});
    });

    it("runs where and as whom it is told", async () => {
        const { template } = await podOf({
            ...{
                zone: "eu-west-1b",
                nodeSelector: { pool: "base" },
                mountPath: "/logs",
                image: "img",
                command: ["true"],
                uid: 7,
            },
            tolerations: [{ operator: "Exists" }],
        });
        assert.deepEqual(template.spec.nodeSelector, { pool: "base", "topology.kubernetes.io/zone": "eu-west-1b" });
        assert.equal(template.spec.containers[0].volumeMounts[0].mountPath, "/logs");
        assert.deepEqual([template.spec.containers[0].image, template.spec.containers[0].command], ["img", ["true"]]);
        assert.equal(template.spec.securityContext.fsGroup, 7);
        assert.deepEqual(template.spec.tolerations, [{ operator: "Exists" }]);
    });

    it("refuses bad input, all at once", () => {
        assertProblems(
            checkStoragePodArgs({
                namespace: "A",
                claimName: "",
                mountPath: "data",
                uid: 0,
                nodeSelector: { "?": "x" },
            }),
            {
                ...{ namespace: /namespace/, claimName: /no name/, mountPath: /absolute/, uid: /whole number from 1/ },
                "nodeSelector.?": /label key/,
            },
        );
        assert.deepEqual(checkStoragePodArgs(base), []);
    });
});
