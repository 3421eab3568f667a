/**
 * How long `npm start` takes: on a rehearsal directory of its own that is new, and again with nothing to change. The Pulumi
 * CLI must be in the cache already (run `npm start` once). `npx tsx bench/start.ts [runs]` prints seconds, the middle one last.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(__dirname, "..");
const runs = Number(process.argv[2] ?? 3);

function start(directory: string): number {
    const began = process.hrtime.bigint();
    const { status } = spawnSync("npm", ["start"], {
        cwd: root,
        env: { ...process.env, REHEARSAL_DIR: directory },
        stdio: ["ignore", "ignore", "inherit"],
    });
    if (status !== 0) {
        throw new Error(`npm start ended with ${status}`);
    }
    return Number(process.hrtime.bigint() - began) / 1e9;
}

const seconds = { new: [] as number[], again: [] as number[] };
for (let run = 0; run < runs; run++) {
    const directory = mkdtempSync(join(tmpdir(), "bench-start-"));
    seconds.new.push(start(directory));
    seconds.again.push(start(directory));
    rmSync(directory, { recursive: true, force: true });
}
for (const [kind, times] of Object.entries(seconds)) {
    const sorted = [...times].sort((a, b) => a - b);
    const shown = times.map((time) => time.toFixed(1)).join(" ");
    console.log(`${kind.padEnd(6)} ${shown}   median ${sorted[Math.floor(sorted.length / 2)].toFixed(1)} s`);
}
