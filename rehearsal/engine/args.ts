import * as path from "node:path";
import { parseFault } from "./faults";
import { ROOT } from "./places";
import { UsageError } from "./usage";

export const VERBS = ["start", "preview", "up", "refresh", "destroy", "outputs", "export", "policy"] as const;
export type Verb = (typeof VERBS)[number];

/** A rehearsal as asked for. */
export interface Request {
    verb: Verb;
    /** The program's folder. */
    program: string;
    stack?: string;
    /** `key=value`, unread: what they may name is in the program's Pulumi.yaml. */
    set: string[];
    /** The same, to be kept secret by the engine. */
    secret: string[];
    faults: string[];
    /** What happens in the account before the verb: a node is lost, a spot instance interrupted. The cloud reads them. */
    happenings: string[];
    /** Simulated seconds in a real one; 0: no waiting at all. */
    speed: number;
    json: boolean;
    fresh: boolean;
    showSecrets: boolean;
    policy: boolean;
    skipPreview: boolean;
    world?: string;
    seed?: string;
    /** What stands behind `--`, for the engine itself. */
    engineArgs: string[];
}

export const HELP = `Rehearses a Pulumi program with the real engine on a simulated cloud: no account, no cost.

  npm start                                    deploy the dev stack, policy pack enforced, and tell how it went
  npm run rehearse -- <verb> <stack> [flags]

Verbs
  preview | up | refresh | destroy             the engine's own
  outputs                                      the stack's outputs
  export                                       the engine's state
  policy                                       preview, and what each rule of the policy pack judged

State lasts between calls: "up", then "up --set …" is a rehearsal of day 2.

Flags
  --set KEY=VALUE       change a setting (lasts until --fresh): workers.scaling.max=5, zones[2]=eu-west-1c,
                        aws:region=eu-north-1, disks={"defaultClass": "gp3"}; =null unsets. Tracked files never change.
  --secret KEY=VALUE    the same for a setting that is a secret: airflow.dags.gitSync.sshKey=…
  --fault SPEC          make an operation fail: <create|update|delete|read|any>:<type>[/<name>][@<n>|@always]=<kind>
                        kinds: throttled, quota, timeout, timeout-after (carried out, then no answer), crash (plugin killed)
  --event SPEC          let something happen to the cluster first: drain:<node|label=value>, uncordon:…, lose-node:…, lose-zone:<zone>,
                        interrupt-spot:…, load:<namespace>/<scaledobject>=<n>, uninstall:<namespace>/<release> (helm uninstall)
  --speed N             let N simulated seconds pass in one real second (default: do not wait at all)
  --fresh               forget state, settings and simulated account first
  --json                print one JSON document, nothing else, on stdout; of a failed call: exitCode and error
  --show-secrets        outputs and export in plain text
  --no-policy           without the policy pack
  --skip-preview        up, destroy, refresh: without the preview before
  --program DIR         another Pulumi program, for example examples/ebs-workshop
  --world NAME          a simulated account that several programs or stacks share (default: one for each stack)
  --seed FILE           what exists in the account before (JSON), for programs that use existing clusters
  -- ARGS               handed to the engine: -- --target 'urn:…'

Examples
  npm run rehearse -- up dev --set workers.scaling.max=5
  npm run rehearse -- up dev --fresh --fault 'create:aws:eks/nodeGroup:NodeGroup@1=throttled'
  npm run rehearse -- up prod --speed 60
  npm run rehearse -- up dev --event uninstall:airflow/airflow
  npm run rehearse -- export dev --show-secrets
  npm run rehearse -- policy prod --json

Exit status: the engine's; 2 for a call that makes no sense (nothing was started then).`;

/** Reads the command line; `undefined` where help was asked for. Throws a {@link UsageError} of one line. */
export function parseArgs(argv: string[]): Request | undefined {
    const dashes = argv.indexOf("--");
    const own = dashes < 0 ? argv : argv.slice(0, dashes);
    if (own.length === 0 || own.includes("--help") || own.includes("-h")) {
        return undefined;
    }
    const request: Request = {
        verb: "start",
        program: ROOT,
        set: [],
        secret: [],
        faults: [],
        happenings: [],
        speed: 0,
        json: false,
        fresh: false,
        showSecrets: false,
        policy: true,
        skipPreview: false,
        engineArgs: dashes < 0 ? [] : argv.slice(dashes + 1),
    };
    const words = [];
    for (let rest = own; rest.length > 0;) {
        const [word, ...next] = rest as [string, ...string[]];
        rest = word.startsWith("-") ? readFlag(request, word, next) : next;
        if (!word.startsWith("-")) {
            words.push(word);
        }
    }
    return { ...request, ...readWords(words) };
}

function readWords(words: string[]): { verb: Verb; stack?: string } {
    const [verb, stack, ...more] = words;
    if (verb === undefined) {
        throw new UsageError(`no command; one of ${VERBS.join(", ")} (--help explains them)`);
    }
    if (!VERBS.some((known) => known === verb)) {
        throw new UsageError(`unknown command "${verb}"; one of ${VERBS.join(", ")} (--help explains them)`);
    }
    if (stack === undefined && verb !== "start") {
        throw new UsageError(`${verb}: which stack? For example: npm run rehearse -- ${verb} dev`);
    }
    if (stack !== undefined && !isName(stack, 100)) {
        throw new UsageError(`"${stack}" is no stack's name`);
    }
    if (more.length > 0) {
        throw new UsageError(`${more[0]}: one stack at a time`);
    }
    return { verb: verb as Verb, stack };
}

/** Names become files, so that none may be a path: neither `a/b` nor `..`. */
function isName(text: string, length: number): boolean {
    return /^\w[\w.-]*$/.test(text) && text.length <= length;
}

/** Takes one flag and its value off the command line; answers with the rest. */
function readFlag(request: Request, word: string, next: string[]): string[] {
    const [flag, inline] = word.split(/=(.*)/s) as [string, string | undefined];
    const simple = SIMPLE_FLAGS[flag];
    if (simple) {
        if (inline !== undefined) {
            throw new UsageError(`${flag} takes no value`);
        }
        simple(request);
        return next;
    }
    const valued = VALUED_FLAGS[flag];
    if (!valued) {
        throw new UsageError(`unknown flag ${flag} (--help lists them)`);
    }
    const value = inline ?? next[0];
    if (value === undefined || value === "") {
        throw new UsageError(`${flag} needs a value`);
    }
    valued(request, value);
    return inline === undefined ? next.slice(1) : next;
}

const SIMPLE_FLAGS: Record<string, (request: Request) => void> = {
    "--json": (request) => (request.json = true),
    "--fresh": (request) => (request.fresh = true),
    "--show-secrets": (request) => (request.showSecrets = true),
    "--no-policy": (request) => (request.policy = false),
    "--skip-preview": (request) => (request.skipPreview = true),
};

const VALUED_FLAGS: Record<string, (request: Request, value: string) => void> = {
    "--set": (request, value) => request.set.push(value),
    "--secret": (request, value) => request.secret.push(value),
    "--fault": (request, value) => {
        try {
            parseFault(value);
        } catch (error) {
            throw new UsageError((error as Error).message);
        }
        request.faults.push(value);
    },
    "--event": (request, value) => request.happenings.push(value),
    "--speed": (request, value) => {
        request.speed = Number(value);
        if (!/^\d+(\.\d+)?$/.test(value)) {
            throw new UsageError(
                `--speed ${value}: expected a number of simulated seconds for each real one (0: no waiting)`,
            );
        }
    },
    "--program": (request, value) => (request.program = path.resolve(value)),
    "--world": (request, value) => {
        if (!isName(value, 60)) {
            throw new UsageError(`--world ${value}: expected a name of letters, digits, dots and dashes`);
        }
        request.world = value;
    },
    "--seed": (request, value) => (request.seed = path.resolve(value)),
};
