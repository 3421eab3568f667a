import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { Lock, LockedError } from "../../rehearsal/engine/lock";
import { identify, isAlive } from "../../rehearsal/engine/processes";

const MODULE = path.resolve(__dirname, "..", "..", "rehearsal", "engine", "lock");

describe("rehearsal: lock", function () {
    this.timeout(60_000);
    let directory: string;
    let file: string;
    const children: ChildProcess[] = [];
    beforeEach(() => {
        directory = fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-lock-"));
        file = path.join(directory, "deep", "dev.lock");
    });
    afterEach(() => {
        children.splice(0).forEach((child) => child.kill("SIGKILL"));
        fs.rmSync(directory, { recursive: true, force: true });
    });

    /** A process that takes the lock and keeps it; answers once it has it, with what it printed. */
    async function holder(extra = ""): Promise<{ child: ChildProcess; said: string }> {
        const script = `
            const { Lock } = require(${JSON.stringify(MODULE)});
            Lock.take(${JSON.stringify(file)}, "p dev").then((lock) => { let said = "taken"; ${extra} console.log(said); setInterval(() => {}, 1000); },
                (error) => { console.log(error.name); });`;
        const child = spawn(process.execPath, ["--require", "tsx/cjs", "-e", script], {
            stdio: ["ignore", "pipe", "inherit"],
        });
        children.push(child);
        const said = await new Promise<string>((resolve) =>
            child.stdout!.once("data", (data: Buffer) => resolve(data.toString().trim())),
        );
        return { child, said };
    }

    async function killed(child: ChildProcess): Promise<void> {
        const gone = new Promise((resolve) => child.once("exit", resolve));
        child.kill("SIGKILL");
        await gone;
    }

    it("is refused to a second process, which learns who holds it", async () => {
        const { child } = await holder();
        await assert.rejects(
            Lock.take(file, "p dev"),
            (error: Error) => error instanceof LockedError && error.message.includes(`process ${child.pid}`),
        );
    });

    it("is free again once released", async () => {
        (await Lock.take(file, "p dev")).release();
        (await Lock.take(file, "p dev")).release();
        assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
    });

    it("dies with its process, and so does what that had started", async () => {
        const { child, said } = await holder(
            `const own = require("node:child_process").spawn("sleep", ["600"], { detached: true, stdio: "ignore" }); lock.owns(own.pid); said = String(own.pid);`,
        );
        const orphan = identify(Number(said))!;
        await killed(child);
        assert.ok(isAlive(orphan), "the orphan lives until somebody takes the lock");
        const lock = await Lock.take(file, "p dev");
        assert.ok(!isAlive(orphan));
        lock.release();
    });

    it("is not held by another process that got the dead one's id", async () => {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, JSON.stringify({ pid: process.pid, started: "long ago", children: [] }));
        (await Lock.take(file, "p dev")).release();
    });

    it("is taken over from a file that was cut off", async () => {
        fs.mkdirSync(path.dirname(file), { recursive: true });
        fs.writeFileSync(file, '{"pid": 1');
        (await Lock.take(file, "p dev")).release();
    });

    it("is free although the one who was taking it over was killed too", async () => {
        const { child } = await holder();
        const dead = identify(child.pid!);
        await killed(child);
        fs.writeFileSync(`${file}.takeover`, JSON.stringify(dead));
        (await Lock.take(file, "p dev")).release();
        assert.deepEqual(fs.readdirSync(path.dirname(file)), []);
    });

    it("goes to exactly one of many who find it orphaned", async () => {
        const { child } = await holder();
        await killed(child);
        const answers = await Promise.all(Array.from({ length: 6 }, () => holder()));
        assert.deepEqual(answers.map(({ said }) => said).sort(), [...Array<string>(5).fill("LockedError"), "taken"]);
    });
});
