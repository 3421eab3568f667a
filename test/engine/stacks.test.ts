import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { load } from "js-yaml";
import { packages } from "../../rehearsal/cloud/packages";
import { Cloud } from "../../rehearsal/cloud/shell/cloud";
import { Rehearsals, ROOT } from "./harness";

const DATABASE = "aws:rds/instance:Instance";

type Rehearsed = Awaited<ReturnType<Rehearsals["run"]>>;

const succeeds = (rehearsed: Rehearsed) => assert.equal(rehearsed.exitCode, 0, rehearsed.problems());

/** What the engine did, but for "same": operations by type and name. */
function done({ events }: Rehearsed): Record<string, string[]> {
    const result: Record<string, string[]> = {};
    for (const { resOutputsEvent } of events) {
        const step = resOutputsEvent?.metadata;
        if (step && step.op !== "same" && step.type !== "pulumi:pulumi:Stack") {
            (result[`${step.type} ${step.urn.split("::").pop()}`] ??= []).push(step.op);
        }
    }
    return result;
}

/** Types of all that is left in the simulated account; what was inside a cluster is gone with it. */
function leftIn(rehearsals: Rehearsals, stack: string): string[] {
    const directory = path.join(rehearsals.directory, ".rehearsal", "worlds", `airflow-on-eks.${stack}`);
    return [...new Cloud(packages, { directory }).universe.every()]
        .map(({ token }) => token)
        .filter((token) => token.startsWith("aws:") && token !== "aws:route53/zone:Zone") // The zone was there before.
        .sort();
}

/** What README and docs/day-2.md say that stays, because it holds data. */
const KEPT = [
    "aws:efs/accessPoint:AccessPoint",
    "aws:efs/backupPolicy:BackupPolicy",
    "aws:efs/fileSystem:FileSystem",
    "aws:efs/fileSystemPolicy:FileSystemPolicy",
    "aws:kms/key:Key",
    "aws:kms/key:Key",
    "aws:kms/key:Key",
    "aws:rds/snapshot:Snapshot",
];

/** After `up` no rule has found anything, and none waits for what is not known. */
function judgedWell({ policies }: Rehearsed): void {
    assert.deepEqual(policies?.violations, []);
}

describe("The stacks on the engine, policy pack enforced", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    after(() => rehearsals.remove());

    describe("dev", () => {
        // From IRSA to Pod Identity, with a secrets backend that needs it, while everything runs.
        const POD_IDENTITY = [
            "disks.identity=PodIdentity",
            "filesDriver.identity=PodIdentity",
            "airflow.identity=PodIdentity",
            "airflow.secretsManager={}",
        ];
        const KUBERNETES = { before: "cluster.kubernetesVersion=1.35", after: "cluster.kubernetesVersion=1.36" };

        it("is found sound in the first preview, where little is known", async () => {
            const preview = await rehearsals.run({ verb: "preview", set: [KUBERNETES.before] });
            succeeds(preview);
            const found = preview.policies?.violations.filter(({ rule }) => !["judged-later", "advice"].includes(rule));
            assert.deepEqual(found, []);
        });

        it("goes on after a throttled call where it stopped", async () => {
            const faults = ["create:aws:eks/nodeGroup:NodeGroup@1=throttled"];
            const broken = await rehearsals.run({ verb: "up", faults });
            assert.notEqual(broken.exitCode, 0);
            assert.match(broken.problems(), /ThrottlingException/);
            const up = await rehearsals.run({ verb: "up" });
            succeeds(up);
            judgedWell(up);
            assert.deepEqual(up.outputs.storageClasses, ["gp3", "standard", "efs-sc"]);
            assert.match(String(up.outputs.database), /^metastore-.*:5432\/airflow$/);
            assert.match(String(up.outputs.fileSystem), /^fs-/);
        });

        it("has more nodes and the next Kubernetes by settings, in place, and then nothing to change", async () => {
            const set = ["workers.scaling.max=5", KUBERNETES.after, ...POD_IDENTITY, "alarms.enabled=true"];
            // What AWS computed of the cluster stays known: the database's rule still names the nodes' group.
            succeeds(await rehearsals.run({ verb: "preview", set }));
            const up = await rehearsals.run({ verb: "up" });
            succeeds(up);
            const steps = done(up);
            assert.deepEqual(steps["aws:eks/cluster:Cluster platform-eksCluster"], ["update"]);
            assert.deepEqual(steps["aws:eks/nodeGroup:NodeGroup workers"], ["update"]);
            assert.deepEqual(steps["aws:eks/nodeGroup:NodeGroup platform-system"], ["update"]);
            const anew = Object.keys(steps).filter((one) => steps[one].includes("replace") && !/Stash/.test(one));
            assert.deepEqual(anew, []);
            const identities = up.resources.filter(({ type }) => type.endsWith(":PodIdentityAssociation"));
            assert.ok(identities.length >= 3, `${identities.length} associations`);
            const again = await rehearsals.run({ verb: "up", skipPreview: false });
            succeeds(again);
            assert.deepEqual(Object.keys(again.changes ?? {}), ["same"], JSON.stringify(done(again)));
            judgedWell(again);
        });

        it("is taken down to what holds data", async () => {
            succeeds(await rehearsals.run({ verb: "destroy" }));
            assert.deepEqual(leftIn(rehearsals, "dev"), KEPT);
        });
    });

    describe("prod", () => {
        const stack = "prod";

        it("comes up, and up again changes nothing", async () => {
            const up = await rehearsals.run({ verb: "up", stack });
            succeeds(up);
            judgedWell(up);
            assert.equal(up.outputs.airflowUrl, "https://airflow.example.com");
            const again = await rehearsals.run({ verb: "up", stack });
            succeeds(again);
            assert.deepEqual(Object.keys(again.changes ?? {}), ["same"], JSON.stringify(done(again)));
        });

        it("refuses to be destroyed before anything is deleted, until its protection is off", async () => {
            const refused = await rehearsals.run({ verb: "destroy", stack, skipPreview: false });
            assert.notEqual(refused.exitCode, 0);
            assert.match(refused.problems(), /protected/);
            assert.deepEqual(
                refused.operations.filter(({ op }) => op === "delete"),
                [],
            );

            const set = ["files.protect", "metastore.deletionProtection", "cluster.deletionProtection"];
            const off = set.map((key) => `${key}=false`);
            const withPack = await rehearsals.run({ verb: "preview", stack, set: off });
            assert.match(withPack.problems(), /stateful-protected/);
            assert.notEqual(withPack.exitCode, 0);
            const up = await rehearsals.run({ verb: "up", stack, policy: false });
            succeeds(up);
            assert.deepEqual(done(up)[`${DATABASE} metastore`], ["update"]);
        });

        it("is taken down with its load balancer and DNS record, to what holds data", async () => {
            succeeds(await rehearsals.run({ verb: "destroy", stack }));
            assert.deepEqual(leftIn(rehearsals, stack), KEPT);
        });
    });

    it("names all that only a user knows and the stack lacks, at once", async () => {
        const text = fs.readFileSync(path.join(ROOT, "Pulumi.prod.yaml"), "utf8");
        const config = (load(text) as { config: object }).config;
        const settings = Object.entries(config).map(([key, value]) => [key.replace("airflow-on-eks:", "bare:"), value]);
        const program = rehearsals.program(
            {
                "index.ts": `require(${JSON.stringify(path.join(ROOT, "stacks", "index.ts"))});`,
                "Pulumi.prod.yaml": JSON.stringify({ config: Object.fromEntries(settings) }),
            },
            "bare",
        );
        const preview = await rehearsals.run({ verb: "preview", program, stack: "prod", policy: false });
        assert.notEqual(preview.exitCode, 0);
        const said = preview.problems();
        for (const key of ["aws:region", "cluster.publicAccessCidrs", "externalDns.zoneId"]) {
            assert.ok(said.includes(key), `${key} is not in: ${said}`);
        }
        assert.deepEqual(preview.operations, []);
    });
});
