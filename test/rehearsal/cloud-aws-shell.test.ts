import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as readline from "node:readline";
import { parseFault } from "../../rehearsal/engine/faults";
import { marshal, Reference, unmarshal } from "../../rehearsal/cloud/shell/marshal";
import { UNKNOWN, type Properties } from "../../rehearsal/cloud/shell/type";
import { Universe } from "../../rehearsal/cloud/shell/universe";
import { differences, formatPath, same, valuesAt } from "../../rehearsal/cloud/shell/values";
import { Account, refuses, subject } from "./cloud-aws-account";

const FILE_SYSTEM = "aws:efs/fileSystem:FileSystem";
const GROUP = "aws:ec2/securityGroup:SecurityGroup";

describe("simulated cloud: values on the wire", () => {
    it("keeps unknowns and secrets where they were", () => {
        const value = { a: UNKNOWN, list: [1, { deep: "secret" }], plain: "x" };
        const there = unmarshal(marshal(value, [["list", 1, "deep"], ["a"]]));
        assert.deepEqual(there.value, value);
        assert.deepEqual(there.secrets.map(formatPath).sort(), ["a", "list[1].deep"]);
    });

    it("marks no secret that is not there any more", () => {
        assert.deepEqual(unmarshal(marshal({ a: 1 }, [["b"], ["a", "c"]])).secrets, []);
    });

    it("reads a secret inside a secret", () => {
        const there = unmarshal(marshal({ a: { b: "x" } }, [["a"], ["a", "b"]]));
        assert.deepEqual(there.value, { a: { b: "x" } });
        assert.deepEqual(there.secrets.map(formatPath), ["a", "a.b"]);
    });

    it("carries references to resources", () => {
        const there = unmarshal(marshal({ one: new Reference("urn:a", "id-1") }));
        assert.deepEqual(there.value, { one: { urn: "urn:a", id: "id-1" } });
    });

    it("takes absent, null and empty for the same, and nothing else", () => {
        assert.ok(same(undefined, []) && same(null, {}) && same({ a: undefined }, {}));
        assert.ok(!same(0, undefined) && !same("", undefined) && !same(false, undefined) && !same([1], [1, 2]));
    });

    it("finds values at paths with lists", () => {
        const inputs = { vpcConfig: { subnetIds: ["a", UNKNOWN] }, none: null };
        assert.deepEqual(
            valuesAt(inputs, "vpcConfig.subnetIds[*]").map(({ path: at }) => at),
            ["vpcConfig.subnetIds[0]", "vpcConfig.subnetIds[1]"],
        );
        assert.deepEqual(valuesAt(inputs, "none"), []);
    });

    it("names the leaves that differ", () => {
        const found = differences({ a: [{ b: 1 }], gone: 1 }, { a: [{ b: 2 }], come: 1 });
        assert.deepEqual(
            found.map(({ path: at, kind }) => [formatPath(at), kind]),
            [
                ["a[0].b", "update"],
                ["gone", "delete"],
                ["come", "add"],
            ],
        );
    });
});

describe("simulated cloud: what the SDK's declarations refuse", () => {
    const account = new Account();

    it("an unknown, a missing and a wrongly typed input, with its path", () => {
        const inputs = { vpcConfig: { subnetIds: ["a", 3], subnets: [] }, version: 1.36, tags: { a: 1 } };
        assert.deepEqual(account.refused("aws:eks/cluster:Cluster", inputs), [
            "vpcConfig.subnetIds[1]",
            "vpcConfig.subnets",
            "version",
            "tags.a",
            "roleArn",
        ]);
    });

    it("proposes the right spelling", () => {
        const [failure] = account.check(FILE_SYSTEM, { Encrypted: true }).failures;
        assert.match(failure.reason, /did you mean "encrypted"/);
    });

    it("leaves unknown values alone", () => {
        assert.deepEqual(
            account.refused("aws:efs/mountTarget:MountTarget", { fileSystemId: UNKNOWN, subnetId: UNKNOWN }),
            [],
        );
    });

    it("a type that does not exist", () => {
        assert.match(account.check("aws:efs/folder:Folder", {}).failures[0].reason, /unknown resource type/);
    });

    it("a type without a table is still checked, named and made", async () => {
        const token = "aws:sqs/queue:Queue";
        assert.deepEqual(account.refused(token, { delaySecond: 1 }), ["delaySecond"]);
        const queue = await account.make(token, {}, "jobs");
        assert.match(String(queue.inputs.name), /^jobs-[0-9a-f]{7}$/);
        assert.match(String(queue.outputs.arn), /^arn:aws:sqs:us-east-1:123456789012:/);
    });
});

describe("simulated cloud: names, changes, replacements", () => {
    it("makes a name once and keeps it", () => {
        const account = new Account();
        const first = account.check(GROUP, { vpcId: "vpc-1" }, undefined, "web").inputs;
        assert.match(String(first.name), /^web-[0-9a-f]{7}$/);
        assert.deepEqual(first.__defaults, ["name"]);
        assert.equal(account.check(GROUP, { vpcId: "vpc-1" }, first, "web").inputs.name, first.name);
        const fixed = account.check(GROUP, { vpcId: "vpc-1", name: "mine" }, first, "web").inputs;
        assert.equal(fixed.name, "mine");
        assert.notEqual(account.check(GROUP, { vpcId: "vpc-1" }, fixed, "web").inputs.name, "mine");
    });

    it("replaces for what is immutable, by table or by documentation, and updates the rest", async () => {
        const account = new Account();
        const system = await account.make(FILE_SYSTEM, { encrypted: true, throughputMode: "elastic" });
        assert.deepEqual(account.replacedBy(system, { encrypted: false }), ["encrypted"]);
        assert.deepEqual(account.replacedBy(system, { throughputMode: "bursting", tags: { a: "b" } }), []);
        const { differences: found } = account.provider.diff(FILE_SYSTEM, system.inputs, {
            ...system.inputs,
            tags: { a: "b" },
        });
        assert.deepEqual(
            found.map(({ path: at, kind }) => [formatPath(at), kind]),
            [["tags", "add"]],
        );
    });

    it("compares lists as sets and JSON by its meaning", async () => {
        const account = new Account();
        const olds = { subnetIds: ["a", "b"], name: "x" };
        const token = "aws:rds/subnetGroup:SubnetGroup";
        assert.deepEqual(account.provider.diff(token, olds, { subnetIds: ["b", "a"], name: "x" }).differences, []);
        const policy = "aws:iam/policy:Policy";
        const [one, other] = ['{"a":1,"b":[2]}', '{ "b": [2], "a": 1 }'];
        assert.deepEqual(account.provider.diff(policy, { policy: one }, { policy: other }).differences, []);
        assert.equal(
            account.provider.diff(policy, { policy: one }, { policy: '{"a":2,"b":[2]}' }).differences.length,
            1,
        );
    });

    it("deletes first only when both would bear the same given name", () => {
        const account = new Account();
        const olds = { name: "mine", vpcId: "vpc-1", description: "a" };
        const diff = (news: Properties, old: Properties = olds) => account.provider.diff(GROUP, old, news);
        assert.equal(diff({ ...olds, description: "b" }).deleteBeforeReplace, true);
        const auto = { ...olds, __defaults: ["name"] };
        assert.equal(diff({ ...auto, description: "b" }, auto).deleteBeforeReplace, false);
        assert.equal(diff({ ...olds, tags: { a: "b" } }).deleteBeforeReplace, false);
    });

    it("an unknown new value counts as a change", () => {
        const account = new Account();
        const { replaces } = account.provider.diff(FILE_SYSTEM, { kmsKeyId: "arn:a" }, { kmsKeyId: UNKNOWN });
        assert.deepEqual(replaces, ["kmsKeyId"]);
    });

    it("in the preview of a creation what AWS computes is unknown, also inside blocks", () => {
        const outputs = new Account().provider.previewCreate("aws:eks/cluster:Cluster", {
            name: "x",
            vpcConfig: { subnetIds: ["a"] },
        });
        assert.equal(outputs.name, "x");
        assert.equal(outputs.endpoint, UNKNOWN);
        assert.equal((outputs.vpcConfig as Properties).clusterSecurityGroupId, UNKNOWN);
    });

    it("in the preview of an update what may change is unknown, the rest stays", async () => {
        const account = new Account();
        const template = await account.make("aws:ec2/launchTemplate:LaunchTemplate", { name: "nodes" });
        const news = { ...template.inputs, ebsOptimized: "true" };
        const outputs = account.provider.previewUpdate(template.token, template.outputs, template.inputs, news);
        assert.equal(outputs.latestVersion, UNKNOWN);
        assert.equal(outputs.arn, template.outputs.arn);
    });

    it("in the preview of an update what AWS computed inside a block stays, what the block no longer says goes", () => {
        const olds = { version: "1.35", vpcConfig: { publicAccessCidrs: ["a"], clusterSecurityGroupId: "sg-1" } };
        const oldInputs = { version: "1.35", vpcConfig: { publicAccessCidrs: ["a"] } };
        const preview = (news: Properties) =>
            new Account().provider.previewUpdate("aws:eks/cluster:Cluster", olds, oldInputs, news);
        assert.deepEqual(preview({ ...oldInputs, version: "1.36" }), { ...olds, version: "1.36" });
        assert.deepEqual(preview({ version: "1.35", vpcConfig: {} }), {
            version: "1.35",
            vpcConfig: { clusterSecurityGroupId: "sg-1" },
        });
    });

    it("what is gone is read as gone, and its deletion succeeds", async () => {
        const account = new Account();
        const system = await account.make(FILE_SYSTEM, {});
        await account.remove(system);
        assert.equal(await account.provider.read(subject(FILE_SYSTEM), system.id, {}), undefined);
        await account.remove(system);
    });
});

describe("simulated cloud: accounts and regions", () => {
    it("a provider sees its own account and region only", async () => {
        const account = new Account();
        await account.make(FILE_SYSTEM, { creationToken: "one" });
        const elsewhere = [{ region: "eu-west-1" }, { assumeRoles: [{ roleArn: "arn:aws:iam::210987654321:role/x" }] }];
        for (const config of elsewhere) {
            const other = account.as(config);
            assert.equal(other.worldFor().all(FILE_SYSTEM).length, 0);
            await other.create(subject(FILE_SYSTEM), { creationToken: "one" });
        }
        assert.equal(account.all(FILE_SYSTEM).length, 1);
    });

    it("the region of a single resource counts", async () => {
        const account = new Account();
        const { id, outputs } = await account.provider.create(subject(FILE_SYSTEM), { region: "eu-west-1" });
        assert.match(String(outputs.arn), /:eu-west-1:/);
        assert.equal(account.get(FILE_SYSTEM, id), undefined);
        assert.equal(account.as({ region: "eu-west-1" }).worldFor().get(FILE_SYSTEM, id)?.id, id);
    });

    it("IAM is one for all regions", async () => {
        const account = new Account();
        await account.role("shared", "ec2.amazonaws.com");
        assert.equal(account.as({ region: "eu-west-1" }).worldFor().get("aws:iam/role:Role", "shared")?.id, "shared");
    });

    it("a region that cannot be one is refused", () => {
        const failures = new Account().cloud.packages[0].checkConfig?.({ region: "mars" });
        assert.deepEqual(
            failures?.map(({ property }) => property),
            ["region"],
        );
    });
});

describe("simulated cloud: faults", () => {
    const withFault = (spec: string, crash?: () => void) => new Account({ faults: [parseFault(spec)], crash });

    it("a refused operation did nothing, and the next one succeeds", async () => {
        for (const kind of ["throttled", "quota", "timeout"]) {
            const account = withFault(`create:FileSystem=${kind}`);
            await assert.rejects(account.make(FILE_SYSTEM, {}));
            assert.equal(account.all(FILE_SYSTEM).length, 0, kind);
            await account.make(FILE_SYSTEM, {});
        }
    });

    it("timeout-after leaves what the engine never heard of, whose name is taken", async () => {
        const account = withFault("create:FileSystem=timeout-after");
        await assert.rejects(account.make(FILE_SYSTEM, { creationToken: "t" }), /timeout/);
        await refuses("FileSystemAlreadyExists", () => account.make(FILE_SYSTEM, { creationToken: "t" }));
    });

    it("counts the operations that fit by type, name and operation", async () => {
        const account = withFault("create:FileSystem/b@2=quota");
        await account.make(FILE_SYSTEM, {}, "a");
        await account.make(FILE_SYSTEM, {}, "b");
        await refuses("LimitExceededException", () => account.make(FILE_SYSTEM, {}, "b"));
        await account.make(FILE_SYSTEM, {}, "b");
    });

    it("crash comes after the operation was carried out and remembered", async () => {
        let crashed = 0;
        const account = withFault("create:FileSystem=crash", () => crashed++);
        await account.make(FILE_SYSTEM, {});
        assert.equal(crashed, 1);
        assert.equal(account.all(FILE_SYSTEM).length, 1);
    });
});

describe("simulated cloud: memory", () => {
    let directory: string;
    beforeEach(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), "world-"))));
    afterEach(() => fs.rmSync(directory, { recursive: true, force: true }));

    it("remembers everything, also its counter", async () => {
        const before = new Account({ directory });
        const system = await before.make(FILE_SYSTEM, { tags: { a: "b" } });
        const kept = new Account({ directory });
        assert.deepEqual(kept.get(FILE_SYSTEM, system.id), before.get(FILE_SYSTEM, system.id));
        const other = await kept.make(FILE_SYSTEM, {}, "other");
        assert.notEqual(other.id, system.id);
        await kept.remove(system);
        assert.deepEqual(
            new Account({ directory }).all(FILE_SYSTEM).map(({ id }) => id),
            [other.id],
        );
    });

    it("a torn last line never happened; a broken line in between is an error", async () => {
        const file = path.join(directory, "world.jsonl");
        const before = new Account({ directory });
        const system = await before.make(FILE_SYSTEM, {});
        fs.appendFileSync(file, '[{"put":{"token":"aws:efs/fileSystem:FileSystem","id":"fs-torn","sc');
        assert.deepEqual(
            new Account({ directory }).all(FILE_SYSTEM).map(({ id }) => id),
            [system.id],
        );
        fs.appendFileSync(file, "nonsense\n[]\n");
        assert.throws(() => new Universe(directory), /world\.jsonl:\d+: not a line of the journal/);
    });

    it("a seed is put once, also into a world that has something, and what became of it stays so", () => {
        const seed = ["fs-1", "fs-2"].map((id) => ({ token: FILE_SYSTEM, id, scope: "s", inputs: {}, outputs: {} }));
        const ids = (universe: Universe) => [...universe.every()].map(({ id }) => id);
        const first = new Universe(directory);
        first.seed([{ ...seed[0], id: "fs-0" }]);
        first.seed(seed);
        assert.deepEqual(ids(first), ["fs-0", "fs-1", "fs-2"]);
        first.view().remove(FILE_SYSTEM, "fs-1");
        const second = new Universe(directory);
        second.seed(seed);
        assert.deepEqual(ids(second), ["fs-0", "fs-2"]);
        second.seed([seed[1], { ...seed[1], id: "fs-3" }]);
        assert.deepEqual(ids(new Universe(directory)), ["fs-0", "fs-2", "fs-3"]);
    });

    it("an operation is remembered whole or not at all", async () => {
        const account = new Account({ directory });
        const { universe } = account.cloud;
        const world = universe.view();
        const object = { token: FILE_SYSTEM, id: "fs-1", scope: "x", inputs: {}, outputs: {} };
        assert.throws(() =>
            universe.transaction(() => {
                world.put(object);
                world.remove(FILE_SYSTEM, "fs-1");
                world.put({ ...object, id: "fs-2" });
                throw new Error("no");
            }),
        );
        assert.equal(world.all(FILE_SYSTEM).length, 0);
        assert.equal(new Universe(directory).view().all(FILE_SYSTEM).length, 0);
    });

    it("survives kill -9 of the process at any moment", async () => {
        const script = path.join(directory, "make.ts");
        const account = path.resolve(__dirname, "cloud-aws-account");
        fs.writeFileSync(
            script,
            `import { Account } from ${JSON.stringify(account)};
            const account = new Account({ directory: ${JSON.stringify(directory)} });
            (async () => {
                for (let n = 0; ; n++) {
                    const made = await account.make(${JSON.stringify(FILE_SYSTEM)}, {}, "n" + n);
                    console.log(made.id);
                }
            })();`,
        );
        for (const enough of [3, 40]) {
            const child = spawn(process.execPath, ["--require", require.resolve("tsx/cjs"), script], {
                stdio: ["ignore", "pipe", "inherit"],
            });
            const answered: string[] = [];
            for await (const line of readline.createInterface({ input: child.stdout! })) {
                answered.push(line);
                if (answered.length === enough) child.kill("SIGKILL");
            }
            const remembered = new Set(new Account({ directory }).all(FILE_SYSTEM).map(({ id }) => id));
            assert.ok(answered.length >= enough);
            assert.deepEqual(
                answered.filter((id) => !remembered.has(id)),
                [],
            );
        }
    });
});
