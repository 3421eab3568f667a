import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT } from "./places";

/** The flags that enforce the clone's own policy pack, configured by `policy-config.json` where the program has one. */
export function policyPackArgs(enforced: boolean, program: string): string[] {
    const pack = path.join(ROOT, "policy-pack");
    if (!enforced || !fs.existsSync(path.join(pack, "PulumiPolicy.yaml"))) {
        return [];
    }
    const config = path.join(program, "policy-config.json");
    return ["--policy-pack", pack, ...(fs.existsSync(config) ? ["--policy-pack-config", config] : [])];
}
