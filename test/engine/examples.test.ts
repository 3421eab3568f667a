import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { aws } from "../../rehearsal/cloud/aws";
import { kubernetes } from "../../rehearsal/cloud/kubernetes";
import { pods } from "../../rehearsal/cloud/kubernetes/nature";
import { Cloud } from "../../rehearsal/cloud/shell/cloud";
import type { WorldObject } from "../../rehearsal/cloud/shell/world";
import { ROOT, type Rehearsal, Rehearsals } from "./harness";

const CLUSTER = "examples";
const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";
const DISK = "aws:ebs/volume:Volume";

/** What an example may leave behind: the word for it in its README, by type. */
const WORDS: Record<string, RegExp> = {
    "aws:ebs/snapshot:Snapshot": /the EBS snapshot/,
    "aws:efs/accessPoint:AccessPoint": /access point/,
    "aws:efs/backupPolicy:BackupPolicy": /backup policy/,
    "aws:efs/fileSystem:FileSystem": /file system `(files|efs_fs)`/,
    "aws:efs/fileSystemPolicy:FileSystemPolicy": /policy/,
    "aws:kms/key:Key": /key/,
    "kubernetes:core/v1:PersistentVolume": /PersistentVolume/,
    "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotContent": /VolumeSnapshotContent/,
};

const KEY = "aws:kms/key:Key";
/** It has the id of its file system. */
const POLICY = "aws:efs/fileSystemPolicy:FileSystemPolicy";
const FILE_SYSTEM = ["aws:efs/backupPolicy:BackupPolicy", "aws:efs/fileSystem:FileSystem", POLICY, KEY];
const RETAINED_VOLUME = ["aws:efs/accessPoint:AccessPoint", "kubernetes:core/v1:PersistentVolume"];

/** What the whole platform leaves: its files with Airflow's logs, and the database's last snapshot with its key. */
const PLATFORM = [...FILE_SYSTEM, ...RETAINED_VOLUME, "aws:rds/snapshot:Snapshot", KEY];

/** What controllers leave in the cluster: nobody pays for it, and it goes with the cluster. */
const OF_CONTROLLERS = /^kubernetes:.*:(ServiceAccount|ConfigMap|CustomResourceDefinition|Fact)$/;

/** What existed before the example, by its own `seed.json`. */
function seeded(example: string): Set<string> {
    const file = path.join(ROOT, "examples", example, "seed.json");
    const objects = fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, "utf8")) as WorldObject[]) : [];
    return new Set(objects.map(({ id }) => id));
}

describe("Examples on the engine, with the policy pack, one after another on one cluster", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    after(() => rehearsals.remove());

    const rehearse = (verb: Rehearsal["verb"], example: string, more: Partial<Rehearsal> = {}) =>
        rehearsals.run({ verb, program: `examples/${example}`, world: "examples", ...more });
    type Rehearsed = Awaited<ReturnType<typeof rehearse>>;

    const universe = () =>
        new Cloud([aws, kubernetes], { directory: path.join(rehearsals.directory, ".rehearsal", "worlds", "examples") })
            .universe;
    const present = () => new Map([...universe().every()].map((one) => [`${one.scope} ${one.token} ${one.id}`, one]));
    const succeeds = (rehearsed: Rehearsed) => {
        assert.equal(rehearsed.exitCode, 0, rehearsed.problems());
        return rehearsed;
    };
    const refused = ({ exitCode, problems }: Rehearsed, ...why: RegExp[]) => {
        assert.notEqual(exitCode, 0, "it was not refused");
        why.forEach((reason) => assert.match(problems(), reason));
    };
    const running = () => {
        const all = pods(universe().view(), CLUSTER);
        assert.deepEqual(
            // A Job's pod is done.
            all.filter(({ phase }) => !["Running", "Succeeded"].includes(phase)),
            [],
        );
        return all;
    };
    const disks = () => [...present().values()].filter(({ token }) => token === DISK);

    /** Preview and up, nothing more to do, what the example shows, and destroy; `left` is all that is new in the world then. */
    function example(name: string, left: string[], shows: () => Promise<void> | void = () => undefined) {
        it(`${name} comes up, shows what it is for, and leaves what its README says`, async () => {
            const before = present();
            const brought = seeded(name);
            succeeds(await rehearse("up", name, { skipPreview: false }));
            running();
            const again = succeeds(await rehearse("up", name));
            assert.deepEqual(Object.keys(again.changes ?? {}), ["same"]);
            await shows();
            succeeds(await rehearse("destroy", name));
            const kept = [...present()].filter(([key]) => !before.has(key)).map(([, object]) => object);
            leaves(
                name,
                kept.filter(({ id, token }) => !brought.has(id) || token === POLICY),
                left,
            );
            assert.deepEqual(
                [...before.keys()].filter((key) => !present().has(key)),
                [],
                "it took away what was there before",
            );
        });
    }

    function leaves(name: string, kept: WorldObject[], left: string[]) {
        const tokens = kept.map(({ token }) => token).filter((token) => !OF_CONTROLLERS.test(token));
        assert.deepEqual(tokens.sort(), [...left].sort());
        const readme = fs.readFileSync(path.join(ROOT, "examples", name, "README.md"), "utf8");
        const said = readme.slice(readme.indexOf("`pulumi destroy` leaves behind"));
        left.forEach((token) => assert.match(said, WORDS[token]));
        if (left.length === 0) {
            assert.match(said, /leaves behind: nothing/);
        }
    }

    it("cluster comes up", async () => {
        succeeds(await rehearse("up", "cluster", { skipPreview: false }));
        running();
    });

    example("existing-cluster", FILE_SYSTEM);

    it("the whole platform comes up on that cluster, changes, and leaves what holds data", async () => {
        const settings = {
            zones: ["a", "c"],
            existingCluster: { clusterName: CLUSTER },
            workers: { instanceTypes: ["c5.large", "c5d.large", "c5a.large"], scaling: { min: 2, max: 3 } },
            services: { enabled: true, instanceTypes: ["m6i.large"], scaling: { min: 2, max: 4 } },
            loadBalancerController: { enabled: true },
            externalDns: { enabled: true, zoneName: "example.com" },
            kubeOpsView: { enabled: true, timeZone: "Asia/Seoul", loadBalancer: { hostname: "view.example.com" } },
            metricsServer: { enabled: true },
            metastore: { deletionProtection: false },
        };
        const config = Object.entries(settings).map(([key, value]) => [`platform:${key}`, value]);
        const program = rehearsals.program(
            {
                "index.ts": `module.exports = require(${JSON.stringify(path.join(ROOT, "stacks", "index.ts"))});`,
                "Pulumi.dev.yaml": JSON.stringify({
                    config: { "aws:region": "ap-northeast-2", ...Object.fromEntries(config) },
                }),
                "seed.json": fs.readFileSync(path.join(ROOT, "examples", "wordpress", "seed.json"), "utf8"),
            },
            "platform",
        );
        const platform = (verb: Rehearsal["verb"], set: string[] = []) =>
            rehearsals.run({ verb, program, world: "examples", set });
        const before = present();
        const up = succeeds(await platform("up"));
        running();
        assert.equal(up.outputs.clusterView, "http://view.example.com");
        const there = new Set([...present().values()].map(({ token }) => token));
        ["aws:lb/loadBalancer:LoadBalancer", "aws:route53/record:Record"].forEach((token) =>
            assert.ok(there.has(token)),
        );
        const changed = succeeds(await platform("up", ["kubeOpsView.timeZone=UTC", "workers.scaling.max=5"]));
        assert.deepEqual(changed.operations.map(({ op, name }) => `${op} ${name}`).sort(), [
            "update view",
            "update workers",
        ]);
        succeeds(await platform("destroy"));
        const kept = [...present()].filter(([key]) => !before.has(key)).map(([, { token }]) => token);
        const others = kept.filter((token) => !OF_CONTROLLERS.test(token) && token !== "aws:route53/zone:Zone");
        assert.deepEqual(others.sort(), [...PLATFORM].sort());
    });

    const snapshot = ["aws:ebs/snapshot:Snapshot", "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotContent"];
    example("ebs-workshop", snapshot, async () => {
        const [{ id }] = disks();
        const grown = succeeds(await rehearse("up", "ebs-workshop", { set: ["size=10Gi"] }));
        assert.deepEqual(
            grown.operations.map(({ op, token }) => `${op} ${token}`),
            [`update ${CLAIM}`],
        );
        assert.deepEqual(
            disks().map((disk) => [disk.id, disk.outputs.size]),
            [[id, 10]],
        );
        refused(await rehearse("preview", "ebs-workshop", { set: ["size=5Gi"] }), /cannot shrink from 10Gi to 5Gi/);
        succeeds(await rehearse("up", "ebs-workshop", { set: ["size=10Gi", "snapshot=true"] }));
        const copies = disks().filter((disk) => disk.id !== id);
        assert.deepEqual(
            copies.map(({ outputs }) => [outputs.size, /^snap-/.test(String(outputs.snapshotId))]),
            [[10, true]],
        );
        assert.ok(running().some(({ pod }) => pod.startsWith("ebs-workshop/reader")));
    });

    example("efs-workshop", [...FILE_SYSTEM, ...RETAINED_VOLUME], () => {
        const nodes = (name: RegExp) => new Set(running().flatMap(({ pod, node }) => (name.test(pod) ? [node] : [])));
        assert.deepEqual([nodes(/\/dynamic-/).size, nodes(/\/static-/).size], [2, 2]);
    });

    example("cross-account-efs", [POLICY, ...RETAINED_VOLUME], () => {
        const points = [...present().values()].filter(({ token }) => token === "aws:efs/accessPoint:AccessPoint");
        assert.ok(points.some(({ scope }) => scope === "210987654321/ap-northeast-2"));
    });

    example("node-groups", [], () => {
        const groups = running().flatMap(({ pod, node }) => {
            const found = universe()
                .view()
                .find("kubernetes:core/v1:Node", ({ id }) => id === node);
            const { labels } = found?.outputs.metadata as { labels: Record<string, string> };
            return pod.startsWith("node-groups/") ? [labels["eks.amazonaws.com/nodegroup"].replace(/-\w+$/, "")] : [];
        });
        assert.deepEqual(groups.sort(), ["fast", "graviton", "scratch", "spot"]);
    });

    example("wordpress", [], () => {
        const tokens = new Map([...present().values()].map(({ token }) => [token, true]));
        ["aws:lb/loadBalancer:LoadBalancer", "aws:route53/record:Record", DISK].forEach((token) =>
            assert.ok(tokens.has(token), `there is no ${token}`),
        );
        assert.deepEqual(
            disks().map(({ outputs }) => [outputs.size, outputs.encrypted, outputs.type]),
            [
                [20, true, "gp3"],
                [20, true, "gp3"],
            ],
        );
    });

    example("rescheduling", [], async () => {
        refused(
            await rehearse("preview", "rescheduling", { set: ["failing=true"] }),
            /policy: no-in-tree-ebs:/,
            /policy: ebs-wait-for-first-consumer:/,
            /policy: ebs-storage-class-encrypted:/,
        );
    });

    it("cluster goes at the end, and leaves its key and what the others left", async () => {
        succeeds(await rehearse("destroy", "cluster"));
        const awsOnly = ({ token }: WorldObject) => token.startsWith("aws:");
        const others = ["wordpress", "cross-account-efs"].flatMap((name) => [...seeded(name)]);
        const left = [...present().values()].filter((one) => awsOnly(one) && !others.includes(one.id));
        const all = [
            KEY,
            ...PLATFORM,
            ...FILE_SYSTEM,
            ...FILE_SYSTEM,
            ...snapshot,
            ...RETAINED_VOLUME,
            ...RETAINED_VOLUME,
        ];
        assert.deepEqual(left.map(({ token }) => token).sort(), all.filter((token) => token.startsWith("aws:")).sort());
        leaves("cluster", left.filter(({ token }) => token === KEY).slice(0, 1), [KEY]);
    });
});
