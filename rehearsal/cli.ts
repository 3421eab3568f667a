import { HELP, parseArgs, type Request } from "./engine/args";
import { prepare, previewsFirst, readDocument, rehearse, type Outcome } from "./engine/rehearse";
import { RehearsalError, UsageError } from "./engine/usage";
import { Progress } from "./report/progress";
import { summary } from "./report/summary";

/** Runs one call of the command line; answers with the exit status. */
export async function main(argv: string[]): Promise<number> {
    const own = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined);
    try {
        const request = parseArgs(argv);
        if (!request) {
            console.log(HELP);
            return 0;
        }
        return await answer(request);
    } catch (error) {
        const isExpected = error instanceof UsageError || error instanceof RehearsalError;
        const exitCode = error instanceof UsageError ? 2 : 1;
        console.error(isExpected ? error.message : error);
        if (own.includes("--json")) {
            tellFailure(exitCode, error instanceof Error ? error.message : String(error));
        }
        return exitCode;
    }
}

async function answer(request: Request): Promise<number> {
    const prepared = prepare(request);
    if (request.verb === "outputs" || request.verb === "export") {
        return answerDocument(prepared);
    }
    // With --json only the document goes to stdout; what a person reads on the way goes to stderr.
    const say = (line: string) => (request.json ? console.error(line) : console.log(line));
    const progress = new Progress(say, previewsFirst(request));
    try {
        const outcome = await rehearse(prepared, { say, event: (event) => progress.event(event) });
        progress.close();
        tell(request, outcome);
        return outcome.exitCode;
    } finally {
        progress.close();
    }
}

async function answerDocument(prepared: ReturnType<typeof prepare>): Promise<number> {
    const { exitCode, document, stderr } = await readDocument(prepared, {
        say: console.error,
        event: () => undefined,
    });
    if (exitCode === 0) {
        console.log(JSON.stringify(document, null, 2));
        return exitCode;
    }
    console.error(stderr.trim());
    if (prepared.request.json) {
        tellFailure(exitCode, stderr.trim());
    }
    return exitCode;
}

/** With `--json` a failure is a document too. */
function tellFailure(exitCode: number, error: string): void {
    console.log(JSON.stringify({ exitCode, error }, null, 2));
}

function tell(request: Request, outcome: Outcome): void {
    if (request.json) {
        console.log(JSON.stringify(asDocument(outcome), null, 2));
        return;
    }
    if (outcome.exitCode !== 0 && outcome.stderr.trim() !== "") {
        console.error(outcome.stderr.trim());
    }
    console.log(`\n${summary(outcome)}`);
}

/** The JSON document: all that the summary says, in full, without the engine's raw events and state (`export` gives that). */
function asDocument({ events: _events, resources: _resources, ...rest }: Outcome): object {
    return rest;
}

if (require.main === module) {
    // Who reads may have gone (`… | head`): the rehearsal goes on to its end, unheard.
    for (const stream of [process.stdout, process.stderr]) {
        stream.on("error", () => undefined);
    }
    void main(process.argv.slice(2)).then((status) => (process.exitCode = status));
}
