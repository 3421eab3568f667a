import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { parseArgs } from "../../rehearsal/engine/args";
import { faultMatches, parseFault } from "../../rehearsal/engine/faults";
import { UsageError } from "../../rehearsal/engine/usage";

const ROOT = path.resolve(__dirname, "..", "..");

describe("rehearsal: command line", () => {
    const refused: [string, string[], RegExp][] = [
        ["an unknown command", ["deploy", "dev"], /unknown command "deploy"/],
        ["no stack", ["up"], /up: which stack\?/],
        ["two stacks", ["up", "dev", "prod"], /prod: one stack at a time/],
        ["a stack's name that is a path", ["up", "../dev"], /no stack's name/],
        ["an unknown flag", ["up", "dev", "--force"], /unknown flag --force/],
        ["a flag without its value", ["up", "dev", "--set"], /--set needs a value/],
        ["a value for a switch", ["up", "dev", "--json=yes"], /--json takes no value/],
        ["a speed that is no number", ["up", "dev", "--speed", "fast"], /--speed fast/],
        ["a negative speed", ["up", "dev", "--speed=-1"], /--speed -1/],
        ["a world's name that is a path", ["up", "dev", "--world", "../x"], /--world/],
        ["a world's name that is the folder above", ["up", "dev", "--world", ".."], /--world/],
        ["a stack's name that is the folder above", ["up", ".."], /no stack's name/],
        ["a malformed fault", ["up", "dev", "--fault", "create"], /names no kind/],
    ];
    for (const [what, argv, message] of refused) {
        it(`refuses ${what}`, () => {
            assert.throws(
                () => parseArgs(argv),
                (error: Error) => error instanceof UsageError && message.test(error.message),
            );
        });
    }

    it("reads flags wherever they stand, with = or without", () => {
        const request = parseArgs([
            "--speed=60",
            "up",
            "--set",
            "a=b=c",
            "dev",
            "--set=d=1",
            "--json",
            "--",
            "--target",
            "urn",
        ]);
        assert.equal(request?.verb, "up");
        assert.equal(request?.stack, "dev");
        assert.equal(request?.speed, 60);
        assert.equal(request?.json, true);
        assert.deepEqual(request?.set, ["a=b=c", "d=1"]);
        assert.deepEqual(request?.engineArgs, ["--target", "urn"]);
    });

    it("helps when asked, and when nothing is asked", () => {
        for (const argv of [[], ["--help"], ["up", "dev", "-h"]]) {
            assert.equal(parseArgs(argv), undefined);
        }
    });

    describe("as a process", function () {
        this.timeout(300_000);
        let directory: string;
        before(() => (directory = fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-cli-"))));
        after(() => fs.rmSync(directory, { recursive: true, force: true }));

        function call(...args: string[]) {
            const env = {
                ...process.env,
                REHEARSAL_DIR: path.join(directory, "state"),
                REHEARSAL_CACHE_DIR: path.join(directory, "cache"),
            };
            return spawnSync(process.execPath, ["--import", "tsx", "rehearsal/cli.ts", ...args], {
                cwd: ROOT,
                env,
                encoding: "utf8",
            });
        }

        it("says one line on stderr, exits with 2 and starts nothing", () => {
            fs.writeFileSync(
                path.join(directory, "Pulumi.yaml"),
                "name: p\nruntime: nodejs\nconfig: {size: {type: integer}}\n",
            );
            fs.writeFileSync(path.join(directory, "Pulumi.dev.yaml"), "config: {}\n");
            const program = ["--program", directory];
            const calls = [
                ["deploy", "dev"],
                ["up", "staging", ...program],
                ["up", "dev", ...program, "--set", "sise=3"],
                ["up", "dev", ...program, "--set", "size"],
                ["up", "dev", ...program, "--fault", "create:NodeGroup=slow"],
                ["up", "dev", "--program", path.join(directory, "nowhere")],
                ["up", "dev", ...program, "--seed", path.join(directory, "nowhere.json")],
                ["up", "dev", ...program, "--seed", path.join(directory, "Pulumi.yaml")],
                ["up", "dev", ...program, "--seed", path.join(ROOT, "package.json")],
                ["up", "dev", ...program, "--fault", "create:Nonsense=quota"],
                ["up", "dev", ...program, "--event", "flood:dev"],
                ["up", "broken", ...program],
            ];
            fs.writeFileSync(path.join(directory, "Pulumi.broken.yaml"), "config: {");
            for (const args of calls) {
                const { status, stdout, stderr } = call(...args);
                assert.equal(status, 2, `${args.join(" ")}: ${stderr}`);
                assert.equal(stdout, "");
                assert.equal(stderr.trim().split("\n").length, 1, stderr);
            }
            const left = ["Pulumi.broken.yaml", "Pulumi.dev.yaml", "Pulumi.yaml"];
            assert.deepEqual(fs.readdirSync(directory).sort(), left);
        });

        it("prints one JSON document of a failure too, where JSON is asked for", () => {
            for (const [args, exitCode] of [
                [["up", "staging"], 2],
                [["up", "dev", "--fault", "create:Nonsense=quota"], 2],
                [["outputs", "nowhere"], 2],
            ] as const) {
                const { status, stdout, stderr } = call(...args, "--json");
                const told = JSON.parse(stdout) as { exitCode: number; error: string };
                assert.deepEqual([status, told.exitCode, told.error], [exitCode, exitCode, stderr.trim()]);
            }
        });
    });
});

describe("rehearsal: faults", () => {
    it("reads a whole one", () => {
        const spec = "create:aws:eks/nodeGroup:NodeGroup/workers@2=throttled";
        assert.deepEqual(parseFault(spec), {
            spec,
            op: "create",
            type: "aws:eks/nodeGroup:NodeGroup",
            name: "workers",
            nth: 2,
            kind: "throttled",
        });
    });

    it("reads a short one: the first operation, any name", () => {
        const fault = parseFault("any:*=crash");
        assert.deepEqual(
            [fault.op, fault.type, fault.name, fault.nth, fault.kind],
            ["any", "*", undefined, 1, "crash"],
        );
        assert.equal(parseFault("delete:MountTarget@always=timeout-after").nth, "always");
    });

    const malformed = [
        "create:NodeGroup",
        "create:NodeGroup=slow",
        "make:NodeGroup=quota",
        "NodeGroup=quota",
        "create:=quota",
        "create:aws:eks=quota",
        "create:NodeGroup@0=quota",
        "create:NodeGroup@x=quota",
        "create:NodeGroup@1@2=quota",
    ];
    for (const spec of malformed) {
        it(`refuses ${spec}`, () => assert.throws(() => parseFault(spec), /^Error: fault ".*": .*expected </));
    }

    it("matches by operation, token or its last part, and name with *", () => {
        const token = "aws:eks/nodeGroup:NodeGroup";
        assert.ok(faultMatches(parseFault("create:NodeGroup/work*=quota"), "create", token, "workers-a"));
        assert.ok(faultMatches(parseFault("any:aws:eks/nodeGroup:NodeGroup=quota"), "update", token, "x"));
        assert.ok(!faultMatches(parseFault("create:NodeGroup/work*=quota"), "delete", token, "workers-a"));
        assert.ok(!faultMatches(parseFault("create:NodeGroup/work=quota"), "create", token, "workers-a"));
        assert.ok(!faultMatches(parseFault("create:Group=quota"), "create", token, "x"));
        assert.ok(!faultMatches(parseFault("create:NodeGroup/a.c=quota"), "create", token, "abc"));
        assert.ok(
            faultMatches(
                parseFault("create:kubernetes:storage.k8s.io/v1:StorageClass/efs-sc=quota"),
                "create",
                "kubernetes:storage.k8s.io/v1:StorageClass",
                "efs-sc",
            ),
        );
    });
});
