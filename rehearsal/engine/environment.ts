import * as path from "node:path";
import type { Places } from "./places";
import { PASSPHRASE } from "./secrets";

/** What of the caller's environment reaches engine, program, pack and cloud: nothing that names an account, a cluster or a proxy. */
const PASSED = /^(PATH|USER|LOGNAME|SHELL|TMPDIR|TEMP|TMP|LANG|LC_\w+|TZ|TERM|SystemRoot|ComSpec|PATHEXT)$/i;

const PLAIN_ERRORS = path.join(__dirname, "plainErrors.cjs");

/** The environment of everything that a rehearsal starts. */
export function rehearsalEnvironment(places: Places, caller: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
    const passed = Object.entries(caller).filter(([name]) => PASSED.test(name));
    return {
        ...Object.fromEntries(passed),
        HOME: path.join(places.home, "user"),
        PULUMI_HOME: places.home,
        PULUMI_BACKEND_URL: `file://${places.state}`,
        PULUMI_CONFIG_PASSPHRASE: PASSPHRASE,
        PULUMI_SKIP_UPDATE_CHECK: "true",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
        PULUMI_NODEJS_TRANSPILE_ONLY: "true",
        // A program's own tsconfig may ask for what TypeScript 6 only warns of: "moduleResolution": "node" (TS5107, TS5101).
        TS_NODE_IGNORE_DIAGNOSTICS: "5101,5107",
        NODE_OPTIONS: `${caller.NODE_OPTIONS ?? ""} --require ${JSON.stringify(PLAIN_ERRORS)}`.trim(),
        NO_COLOR: "1",
        // Read by the policy pack: where it writes what each rule judged.
        EKS_STORAGE_POLICIES_REPORT: places.judged,
    };
}
