import * as fs from "node:fs";
import { parseArgs } from "node:util";
import { parseFault } from "../engine/faults";
import { happenSomewhere } from "./kubernetes/nature";
import { packages } from "./packages";
import { Cloud } from "./shell/cloud";
import { serve } from "./shell/service";
import { versionOf } from "./shell/version";
import type { WorldObject } from "./shell/world";

/** An engine or a program on a loaded machine is silent for seconds at times. */
const PATIENCE_MS = 5000;

/** The process of the simulated cloud: serves every package on a port of its own until its standard input closes. */
async function main(): Promise<void> {
    const { values } = parseArgs({
        options: {
            world: { type: "string" },
            log: { type: "string" },
            directory: { type: "string" },
            speed: { type: "string", default: "0" },
            event: { type: "string", multiple: true, default: [] },
            seed: { type: "string" },
            fault: { type: "string", multiple: true, default: [] },
        },
    });
    const speed = Number(values.speed);
    if (!Number.isFinite(speed) || speed < 0) throw new Error(`--speed ${values.speed}: not a number from 0`);
    const faults = values.fault.map(parseFault);
    const cloud = new Cloud(packages, {
        directory: values.world,
        log: values.log,
        speed,
        faults,
        patience: PATIENCE_MS,
    });
    if (values.seed !== undefined)
        cloud.universe.seed(JSON.parse(fs.readFileSync(values.seed, "utf8")) as WorldObject[]);
    cloud.universe.transaction(() => {
        for (const event of values.event) happenSomewhere(cloud.universe.view(), event);
    });
    if (values.directory !== undefined) process.chdir(values.directory);
    const ports: Record<string, number> = {};
    for (const pack of packages) ports[pack.name] = await serve(cloud, pack, versionOf(pack.name));
    process.stdout.write(JSON.stringify({ ports }) + "\n");
    process.stdin.on("end", () => process.exit(0));
    process.stdin.on("error", () => process.exit(0));
    process.stdin.resume();
    process.on("SIGTERM", () => process.exit(0));
}

main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
});
