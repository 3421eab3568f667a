import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { isAlive, type ProcessIdentity } from "../../rehearsal/engine/processes";
import { RehearsalError, UsageError } from "../../rehearsal/engine/usage";
import { Rehearsals, ROOT } from "../engine/harness";

const PROGRAM = `
    import * as aws from "@pulumi/aws";
    import * as pulumi from "@pulumi/pulumi";
    import * as random from "@pulumi/random";
    const config = new pulumi.Config();
    const word = new random.RandomPassword("word", { length: config.getNumber("length") ?? 12, keepers: { of: config.get("keeper") ?? "" } });
    const files = new aws.efs.FileSystem("files", { encrypted: true, creationToken: "fixed", tags: { size: config.get("tag") ?? "s" } });
    export const id = files.id;
    export const password = word.result;
    export const told = config.getSecret("told");
`;
const SETTINGS = "\ntemplate: {config: {length: {}, keeper: {}, tag: {}, told: {secret: true}}}\n";

describe("rehearsal: the real engine", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    let program: string;
    before(() => {
        program = rehearsals.program({
            "index.ts": PROGRAM,
            "stand-ins.yaml": '"*": {"aws:region": eu-west-1}\n',
            // As Pulumi's own templates write it; TypeScript 6 calls it deprecated.
            "tsconfig.json": '{ "compilerOptions": { "module": "commonjs", "moduleResolution": "node" } }',
        });
        fs.appendFileSync(path.join(program, "Pulumi.yaml"), SETTINGS);
    });
    after(() => rehearsals.remove());

    const run = (more: Partial<Parameters<Rehearsals["run"]>[0]> = {}) =>
        rehearsals.run({ verb: "up", program, policy: false, ...more });

    it("deploys, finds no changes, changes, refreshes and destroys", async () => {
        const preview = await run({ verb: "preview" });
        assert.equal(preview.exitCode, 0, preview.problems());
        assert.deepEqual(preview.operations, [], "a preview makes nothing");
        assert.equal(preview.changes?.create, 3);

        const up = await run({ skipPreview: false });
        assert.equal(up.exitCode, 0, up.problems());
        assert.match(String(up.outputs.id), /^fs-/);
        assert.equal(up.outputs.password, "[secret]");
        assert.ok(up.aws.seconds > 0);
        assert.deepEqual(
            up.aws.chain.map(({ name }) => name),
            ["files"],
        );

        const again = await run();
        assert.deepEqual(again.changes, { same: 3 });

        const day2 = await run({ set: ["tag=m", "keeper=new"], secret: ["told=psst"] });
        assert.equal(day2.exitCode, 0, day2.problems());
        assert.equal(day2.changes?.update, 1);
        assert.equal(day2.changes?.replace, 1);
        assert.equal(day2.outputs.told, "[secret]");
        assert.equal(day2.outputs.id, up.outputs.id);
        assert.deepEqual((await run()).changes, { same: 3 }, "settings last");

        const outputs = await rehearsals.outputs({ program, showSecrets: true });
        assert.equal(outputs.told, "psst");
        assert.equal(String(outputs.password).length, 12);
        const { deployment } = await rehearsals.export({ program });
        assert.ok(!JSON.stringify(deployment).includes("psst"), "the state is encrypted");

        assert.deepEqual((await run({ verb: "refresh" })).changes, { same: 3 });
        const destroyed = await run({ verb: "destroy" });
        assert.equal(destroyed.exitCode, 0, destroyed.problems());
        assert.deepEqual((await rehearsals.export({ program })).deployment.resources ?? [], []);
        assert.ok(!fs.existsSync(path.join(program, "Pulumi.dev.yaml")), "the program's folder is left alone");
    });

    it("fails as the engine fails, and goes on from there", async () => {
        const failed = await run({ fresh: true, faults: ["create:FileSystem=throttled"] });
        assert.notEqual(failed.exitCode, 0);
        assert.ok(
            failed.diagnostics.some(({ message }) => message.includes("ThrottlingException")),
            failed.problems(),
        );
        assert.deepEqual(failed.leftBehind, []);
        const next = await run();
        assert.equal(next.exitCode, 0, next.problems());
        assert.ok(next.operations.some(({ op, name }) => op === "create" && name === "files"));
    });

    it("tells what a lost answer left behind; the account remembers it, as AWS does", async () => {
        const lost = await run({ fresh: true, faults: ["create:FileSystem=timeout-after"] });
        assert.notEqual(lost.exitCode, 0);
        assert.deepEqual(
            lost.leftBehind.map(({ name }) => name),
            ["files"],
        );
        const next = await run();
        assert.ok(
            next.diagnostics.some(({ message }) => message.includes("AlreadyExists")),
            next.problems(),
        );
    });

    for (const verb of ["up", "destroy"] as const) {
        it(`goes on after a plugin was killed in the midst of ${verb}`, async () => {
            await run({ fresh: true, verb: "up", faults: verb === "up" ? ["create:FileSystem=crash"] : [] });
            if (verb === "destroy") {
                const crashed = await run({ verb, faults: ["delete:FileSystem=crash"] });
                assert.notEqual(crashed.exitCode, 0);
            }
            const next = await run();
            assert.equal(next.exitCode, 0, next.problems());
            assert.ok(next.log.some((line) => line.includes("interrupted")));
            assert.deepEqual((await run()).changes, { same: 3 });
            assert.deepEqual((await run({ verb: "refresh" })).changes, { same: 3 }, "state and account agree");
        });
    }

    it("starts nothing for a fault of a type that is not simulated", async () => {
        await assert.rejects(run({ faults: ["create:Nonsense=quota"] }), UsageError);
    });

    it("passes on an error inside an apply, at once", async () => {
        const text = `import * as pulumi from "@pulumi/pulumi";
            export const out = pulumi.output("x").apply((x) => (undefined as any)[x].y);`;
        const failed = await run({ program: rehearsals.program({ "index.ts": text }) });
        assert.notEqual(failed.exitCode, 0);
        assert.ok(
            failed.diagnostics.some(({ message }) => message.includes("Cannot read properties of undefined")),
            failed.problems(),
        );
    });

    it("passes on an exception of the program", async () => {
        const broken = rehearsals.program({ "index.ts": 'throw new Error("no such setting");' });
        const failed = await run({ program: broken });
        assert.notEqual(failed.exitCode, 0);
        assert.ok(
            failed.diagnostics.some(({ message }) => message.includes("no such setting")),
            failed.problems(),
        );
    });

    it("ends what a test that ran out of time left running, and goes on", async () => {
        const { operationsLog, state } = rehearsals.places(program);
        fs.rmSync(operationsLog, { force: true });
        const abandoned = assert.rejects(run({ fresh: true, speed: 0.001 }), /abandoned/);
        await carriesOut(operationsLog);
        const next = await run();
        assert.equal(next.exitCode, 0, next.problems());
        await abandoned;

        // As an engine leaves it that is killed at the wrong moment; it is as small as that, so that no kill can be timed for it.
        const attributes = path.join(state, ".pulumi", "stacks", path.basename(program), "dev.json.attrs");
        assert.ok(fs.existsSync(attributes));
        fs.writeFileSync(attributes, "");
        const { deployment } = await rehearsals.export({ program });
        assert.ok(deployment.resources?.some(({ urn }) => urn.endsWith("::files")));
    });

    /** Waits until the file system is being made. */
    async function carriesOut(log: string, goesOn: () => void = () => undefined): Promise<void> {
        while (!read(log).includes('"name":"files"')) {
            goesOn();
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
    }

    function read(file: string): string {
        try {
            return fs.readFileSync(file, "utf8");
        } catch {
            return ""; // Not there yet, or just put aside.
        }
    }

    describe("killed", () => {
        const children: ChildProcess[] = [];
        after(() => children.forEach((child) => child.kill("SIGKILL")));

        /** A rehearsal as a process of its own, that has begun to create the file system and now waits for it. */
        async function underWay(): Promise<{ child: ChildProcess; started: ProcessIdentity[] }> {
            const places = rehearsals.places(program);
            fs.rmSync(places.operationsLog, { force: true });
            const env = { ...process.env, REHEARSAL_DIR: path.join(rehearsals.directory, ".rehearsal") };
            const flags = ["--program", program, "--fresh", "--no-policy", "--skip-preview", "--speed", "0.1"];
            const child = spawn(process.execPath, ["--import", "tsx", "rehearsal/cli.ts", "up", "dev", ...flags], {
                cwd: ROOT,
                env,
                stdio: "ignore",
            });
            children.push(child);
            await carriesOut(places.operationsLog, () =>
                assert.equal(child.exitCode, null, "it ended before it could be killed"),
            );
            const { children: own } = JSON.parse(read(places.lock)) as { children: ProcessIdentity[] };
            return { child, started: own.filter(isAlive) };
        }

        async function kill(child: ChildProcess, others: ProcessIdentity[]): Promise<void> {
            const gone = new Promise((resolve) => child.once("exit", resolve));
            child.kill("SIGKILL");
            for (const other of others.filter(isAlive)) {
                try {
                    process.kill(other.pid, "SIGKILL");
                } catch {
                    // It ended with the one before.
                }
            }
            await gone;
        }

        it("refuses a second rehearsal of the stack while one runs, and of what shares its world", async () => {
            const { child, started } = await underWay();
            await assert.rejects(
                run(),
                (error: Error) => error instanceof RehearsalError && error.message.includes(String(child.pid)),
            );
            await kill(child, started);
        });

        for (const [what, all] of [
            ["the command alone", false],
            ["command, engine and cloud together", true],
        ] as const) {
            it(`${what}: the next call repairs the state and goes on`, async () => {
                const { child, started } = await underWay();
                await kill(child, all ? started : []);
                const next = await run();
                assert.equal(next.exitCode, 0, next.problems());
                assert.deepEqual((await run()).changes, { same: 3 });
                assert.deepEqual(started.filter(isAlive), [], "nothing of the killed rehearsal lives on");
            });
        }
    });
});
