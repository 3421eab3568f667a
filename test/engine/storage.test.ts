import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { aws } from "../../rehearsal/cloud/aws";
import { kubernetes } from "../../rehearsal/cloud/kubernetes";
import { pods } from "../../rehearsal/cloud/kubernetes/nature";
import { Cloud } from "../../rehearsal/cloud/shell/cloud";
import type { WorldObject } from "../../rehearsal/cloud/shell/world";
import { node, object, platform } from "../rehearsal/cloud-kubernetes-fixture";
import { type Rehearsal, Rehearsals } from "./harness";

const program = "test/engine/programs/storage";
const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";
const CLASS = "kubernetes:storage.k8s.io/v1:StorageClass";
const FILE_SYSTEM = "aws:efs/fileSystem:FileSystem";

/** The fixture's cluster without its add-ons, with two nodes in each zone that drivers' controllers may use, and what else is there. */
function seedFile(directory: string, more: WorldObject[]): string {
    const labels = { "system-node": "enabled" };
    const objects = [
        ...platform().filter(({ token }) => token !== "aws:eks/addon:Addon" && token !== "kubernetes:core/v1:Node"),
        ...["node-a", "node-a2"].map((name) => node(name, "eu-west-1a", { labels })),
        ...["node-b", "node-b2"].map((name) => node(name, "eu-west-1b", { labels })),
        ...more,
    ];
    const file = path.join(directory, "seed.json");
    fs.writeFileSync(file, JSON.stringify(objects));
    return file;
}

/** Rehearses the program with the named parts, each with the arguments that differ. */
function rehearser(rehearsals: Rehearsals, world?: string, there: WorldObject[] = []) {
    const seed = seedFile(rehearsals.directory, there);
    return (verb: Rehearsal["verb"], parts: Record<string, object> = {}, more: Partial<Rehearsal> = {}) =>
        rehearsals.run({
            ...{ verb, program, seed, world, policy: false },
            set: Object.entries(parts).map(([key, value]) => `${key}=${JSON.stringify(value)}`),
            ...more,
        });
}

type Rehearsed = Awaited<ReturnType<ReturnType<typeof rehearser>>>;

/** What the engine did with resources of a type, by logical name: only what is not "same". */
function done({ events }: Rehearsed, type: string): Record<string, string[]> {
    const result: Record<string, string[]> = {};
    for (const event of events) {
        const metadata = (event.resOutputsEvent ?? event.resOpFailedEvent)?.metadata;
        if (metadata?.type === type && metadata.op !== "same") {
            (result[metadata.urn.split("::").pop() ?? ""] ??= []).push(metadata.op);
        }
    }
    return result;
}

const succeeds = (rehearsed: Rehearsed) => assert.equal(rehearsed.exitCode, 0, rehearsed.problems());
const unchanged = (rehearsed: Rehearsed) => {
    succeeds(rehearsed);
    assert.deepEqual(Object.keys(rehearsed.changes ?? {}), ["same"]);
};
const refused = (rehearsed: Rehearsed, why: RegExp) => {
    assert.notEqual(rehearsed.exitCode, 0, "it was not refused");
    assert.match(rehearsed.problems(), why);
};

describe("Storage on the engine: EFS", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    const rehearse = rehearser(rehearsals, "efs");
    after(() => rehearsals.remove());

    const parts = { filesDriver: {}, files: {}, static: {}, claim: { accessMode: "ReadWriteMany", used: true } };
    let fileSystemId: unknown;

    it("comes up: file system, driver, a volume that pods of two zones share, a claim of Airflow's class", async () => {
        const up = await rehearse("up", parts);
        succeeds(up);
        fileSystemId = up.outputs.fileSystemId;
        assert.match(String(fileSystemId), /^fs-/);
        assert.match(String(up.outputs.driverVersion), /^v\d+\.\d+\.\d+-eksbuild/);
        assert.deepEqual(Object.keys(done(up, "aws:efs/mountTarget:MountTarget")).sort(), [
            "files-eu-west-1a",
            "files-eu-west-1b",
        ]);
        assert.deepEqual(
            Object.keys(done(up, "kubernetes:apps/v1:Deployment"))
                .filter((name) => /reader/.test(name))
                .sort(),
            [...["reader-eu-west-1a", "reader-eu-west-1b"]],
        );
        unchanged(await rehearse("up", parts));
    });

    it("changes what can be changed, and replaces a class without touching the claim that has it", async () => {
        const files = {
            throughputMode: "bursting",
            lifecycle: { toInfrequentAccess: "AFTER_7_DAYS" },
            classes: { "efs-sc": { uid: 50000, gid: 0, directoryPerms: "700" }, more: {} },
        };
        const up = await rehearse("up", { ...parts, files });
        succeeds(up);
        assert.deepEqual(done(up, FILE_SYSTEM), { files: ["update"] });
        assert.ok(done(up, CLASS)["files-efs-sc"].includes("delete-replaced"));
        assert.deepEqual(done(up, CLASS)["files-more"], ["create"]);
        assert.deepEqual(done(up, CLAIM), {});
    });

    it("refuses in the preview what would make the file system or its volumes anew", async () => {
        const files = { performanceMode: "maxIO", throughputMode: "bursting" };
        const why = /performanceMode from "generalPurpose" to "maxIO".*second EfsSharedStorage/;
        refused(await rehearse("preview", { ...parts, files }), why);
        refused(await rehearse("up", { ...parts, files }, { skipPreview: true }), why);
        refused(await rehearse("preview", { ...parts, claim: { accessMode: "ReadWriteOnce" } }), /accessMode from/);
    });

    it("is gone after destroy, save what holds data, which an ExistingFileSystem takes over", async () => {
        succeeds(await rehearse("destroy", parts));
        const other = { stack: "other" };
        const existing = { fileSystemId, makeMountTargets: true };
        const up = await rehearse("up", { filesDriver: {}, existing }, other);
        succeeds(up);
        assert.equal(up.outputs.fileSystemId, fileSystemId);
        assert.deepEqual(done(up, FILE_SYSTEM), {});
        succeeds(await rehearse("destroy", {}, other));
        const absent = { existing: { fileSystemId: "fs-00000000000000000" } };
        refused(await rehearse("preview", absent, { stack: "absent" }), /no matching EFS file system found/);
    });
});

describe("Storage on the engine: a file system of another account", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    const rehearse = rehearser(rehearsals);
    after(() => rehearsals.remove());

    it("gets role and policy there, secret and classes here, and keeps the external id secret", async () => {
        const parts = { other: {} };
        const up = await rehearse("up", parts);
        succeeds(up);
        assert.deepEqual(Object.keys(done(up, CLASS)), ["others-efs-other"]);
        assert.deepEqual(Object.keys(done(up, "kubernetes:core/v1:Secret")), ["others"]);
        const state = JSON.stringify(await rehearsals.export({ program }));
        assert.doesNotMatch(state, /"externalId":"[A-Za-z0-9]{32}"/);
        unchanged(await rehearse("up", parts));
        succeeds(await rehearse("destroy", parts));
    });
});

describe("Storage on the engine: EBS", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    const rehearse = rehearser(rehearsals, "ebs");
    after(() => rehearsals.remove());

    const drivers = { snapshots: {}, disks: {} };
    const grown = { ...drivers, claim: { size: "10Gi" } };
    const copied = { ...grown, snapshot: {}, restored: { size: "10Gi" } };

    it("comes up: snapshot controller, then the driver, classes, and a pod with a volume", async () => {
        const up = await rehearse("up", { ...drivers, claim: { size: "4Gi" } });
        succeeds(up);
        const order = up.operations.filter(({ token }) => token === "aws:eks/addon:Addon").map(({ name }) => name);
        assert.deepEqual(order, ["snapshots", "disks"]);
    });

    it("grows a claim in place", async () => {
        const up = await rehearse("up", grown);
        succeeds(up);
        assert.deepEqual(done(up, CLAIM), { "ebs-claim": ["update"] });
    });

    it("refuses in the preview to shrink it, with both sizes", async () => {
        const smaller = { ...drivers, claim: { size: "5Gi" } };
        refused(await rehearse("preview", smaller), /claim "ebs-claim" cannot shrink from 10Gi to 5Gi/);
        refused(await rehearse("up", smaller, { skipPreview: true }), /cannot shrink from 10Gi to 5Gi/);
    });

    it("moves a pod with a volume within its zone, where alone it can run (article 003)", async () => {
        const writer = async (...happenings: string[]) => {
            await rehearse("preview", grown, { happenings });
            const { universe } = new Cloud([aws, kubernetes], {
                directory: path.join(rehearsals.directory, ".rehearsal", "worlds", "ebs"),
            });
            return pods(universe.view(), "platform").find(({ pod }) => pod.startsWith("data/app-"));
        };
        const before = await writer();
        assert.match(before?.node ?? "", /^node-[ab]2?$/);
        const drained = before?.node ?? "";
        const other = drained.endsWith("2") ? drained.slice(0, -1) : `${drained}2`;
        const moved = await writer(`drain:${drained}`);
        assert.deepEqual([moved?.node, moved?.phase], [other, "Running"], "the other node of the same zone");
        const stranded = await writer(`drain:${other}`);
        assert.deepEqual([stranded?.node, stranded?.phase], [undefined, "Pending"]);
        assert.match(stranded?.reason ?? "", /volume node affinity/);
        assert.equal((await writer(`uncordon:${drained}`))?.node, drained);
        await writer(`uncordon:${other}`);
    });

    it("copies the volume and begins another with the copy, which must be large enough", async () => {
        refused(
            await rehearse("preview", { ...copied, restored: { size: "4Gi" } }),
            /4Gi is less than the 10Gi of snapshot "before"; ask for at least 10Gi/,
        );
        const up = await rehearse("up", copied);
        succeeds(up);
        assert.deepEqual(done(up, CLAIM), { restored: ["create"] });
        // The copy stays as large as its volume was, whatever the claim does afterwards.
        succeeds(await rehearse("up", { ...copied, claim: { size: "20Gi" } }));
    });

    it("replaces classes without touching claims", async () => {
        const disks = { classes: { gp3: { iops: 4000 }, standard: { type: "io1", iopsPerGb: 50 } } };
        const up = await rehearse("up", { ...copied, claim: { size: "20Gi" }, disks });
        succeeds(up);
        assert.ok(done(up, CLASS)["disks-gp3"].includes("delete-replaced"));
        assert.deepEqual(done(up, CLAIM), {});
        assert.deepEqual(done(up, "kubernetes:apps/v1:Deployment"), {});
    });

    it("refuses a class that would make the claim anew", async () => {
        const claim = { size: "20Gi", storageClassName: "standard" };
        refused(await rehearse("preview", { ...copied, claim }), /storageClassName from "gp3" to "standard"/);
    });

    it("destroys pods, claims, classes, driver, in this order, and leaves no volume behind", async () => {
        const destroyed = await rehearse("destroy", copied);
        succeeds(destroyed);
        const order = destroyed.operations.map(({ token, name }) => `${token.split(":").pop()} ${name}`);
        const steps = [
            "Deployment app",
            "PersistentVolumeClaim ebs-claim",
            "StorageClass disks-gp3",
            "Deployment disks-gate",
            "Addon disks",
        ];
        assert.deepEqual(
            order.filter((step) => steps.includes(step)),
            steps,
        );
        assert.deepEqual(destroyed.leftBehind, []);
    });

    it("explains why a claim that no pod has used cannot grow", async () => {
        const unused = (size: string) => ({ ...drivers, claim: { size, used: false } });
        succeeds(await rehearse("up", unused("4Gi")));
        refused(await rehearse("up", unused("8Gi")), /"ebs-claim" has no volume yet, because no pod has used it/);
    });
});

describe("Storage on the engine: every other option, policy pack enforced", function () {
    this.timeout(600_000);
    const rehearsals = new Rehearsals();
    const gp2 = {
        apiVersion: "storage.k8s.io/v1",
        kind: "StorageClass",
        metadata: { name: "gp2", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
        provisioner: "kubernetes.io/aws-ebs",
        volumeBindingMode: "WaitForFirstConsumer",
    };
    const agent = { clusterName: "platform", addonName: "eks-pod-identity-agent" };
    const there = [
        { token: CLASS, id: "gp2", scope: "platform", inputs: {}, outputs: gp2, implicit: true },
        object("aws:ebs/snapshot:Snapshot", "snap-0a1b2c", { volumeSize: 8, encrypted: true }),
        object("aws:eks/addon:Addon", "platform:eks-pod-identity-agent", agent),
    ];
    const rehearse = rehearser(rehearsals, "options", there);
    after(() => rehearsals.remove());

    const files = {
        throughputMode: "provisioned",
        provisionedMibps: 5,
        lifecycle: { toInfrequentAccess: "AFTER_7_DAYS", backOnAccess: true },
        replication: { region: "eu-central-1" },
        classes: { shared: { gidRangeStart: 1000, gidRangeEnd: 2000 } },
    };
    const parts = {
        cluster: { podIdentityAgent: true },
        snapshots: {},
        filesDriver: { identity: "PodIdentity", accessPointTags: { team: "data" } },
        disks: {
            identity: "PodIdentity",
            demotedClasses: ["gp2"],
            classes: { gp3: { tags: { backup: "daily" } } },
            volumeTags: { team: "data" },
        },
        files,
        static: { directory: { path: "/shared" } },
        schedule: { everyHours: 6, keep: 3 },
        imported: { snapshotId: "snap-0a1b2c" },
        claim: { storageClassName: "shared", accessMode: "ReadWriteMany" },
    };
    const options = { policy: true };
    const world = () => [
        ...new Cloud([aws, kubernetes], {
            directory: path.join(rehearsals.directory, ".rehearsal", "worlds", "options"),
        }).universe.every(),
    ];
    const defaultClasses = () =>
        world()
            .filter(({ token }) => token === CLASS)
            .map(({ outputs }) => outputs.metadata as { name: string; annotations?: Record<string, string> })
            .filter(({ annotations = {} }) => annotations["storageclass.kubernetes.io/is-default-class"] === "true")
            .map(({ name }) => name);

    it("comes up: Pod Identity, a copy in another region, a restored snapshot, one default class", async () => {
        const up = await rehearse("up", parts, options);
        succeeds(up);
        assert.deepEqual(Object.keys(done(up, "aws:eks/podIdentityAssociation:PodIdentityAssociation")).sort(), [
            "disks-ebs-csi-controller-sa",
            "files-driver-efs-csi-controller-sa",
            "files-driver-efs-csi-node-sa",
        ]);
        assert.deepEqual(defaultClasses(), ["gp3"], "the class that was there is the default no more");
        const copies = world().filter(({ token, scope }) => token === FILE_SYSTEM && scope?.endsWith("/eu-central-1"));
        assert.equal(copies.length, 1);
        const claims = world().filter(({ token }) => token === CLAIM);
        assert.deepEqual(
            claims.map(({ outputs }) => (outputs.status as { phase: string }).phase),
            ["Bound", "Bound", "Bound"],
        );
        unchanged(await rehearse("up", parts, options));
    });

    it("refuses in the preview another copy, and another user of a static volume", async () => {
        const copied = { ...parts, files: { ...files, replication: { region: "us-east-1" } } };
        refused(await rehearse("preview", copied), /copy of the file system "files".*region from "eu-central-1"/);
        const owned = { ...parts, static: { directory: { path: "/shared", uid: 1000, gid: 1000 } } };
        refused(await rehearse("preview", owned), /the volume "shared".*uid from 50000 to 1000/);
    });

    it("changes the rest in place", async () => {
        const up = await rehearse(
            "up",
            {
                ...parts,
                filesDriver: {},
                disks: { ...parts.disks, identity: "Irsa" },
                files: { ...files, throughputMode: "elastic", provisionedMibps: undefined },
                schedule: { everyHours: 12, keep: 5, enabled: false },
            },
            options,
        );
        succeeds(up);
        assert.deepEqual(up.changes, { same: up.changes?.same, update: 6, delete: 3 }, JSON.stringify(up.changes));
        assert.deepEqual(done(up, FILE_SYSTEM), { files: ["update"] });
        assert.deepEqual(done(up, "aws:eks/addon:Addon"), { disks: ["update"], "files-driver": ["update"] });
        assert.deepEqual(done(up, CLAIM), {});
    });

    it("leaves what holds data and what was there", async () => {
        succeeds(await rehearse("destroy", parts));
        const before = new Set(platform().map(({ token, id }) => `${token} ${id}`));
        const made = world().filter(
            ({ token, id, implicit }) =>
                token.startsWith("aws:") && !before.has(`${token} ${id}`) && (!implicit || token === FILE_SYSTEM),
        );
        assert.deepEqual(made.map(({ token, id }) => (/Snapshot|Addon/.test(token) ? id : token)).sort(), [
            "aws:efs/backupPolicy:BackupPolicy",
            FILE_SYSTEM,
            FILE_SYSTEM,
            "aws:efs/fileSystemPolicy:FileSystemPolicy",
            "aws:efs/replicationConfiguration:ReplicationConfiguration",
            "aws:kms/key:Key",
            "platform:eks-pod-identity-agent",
            "snap-0a1b2c",
        ]);
    });
});
