import { HELP, parseArgs, type Request } from "./engine/args";
import { prepare, previewsFirst, readDocument, rehearse, type Outcome } from "./engine/rehearse";
import { RehearsalError, UsageError } from "./engine/usage";
import { Progress } from "./report/progress";
import { summary } from "./report/summary";

/** Runs one call of the command line; answers with the exit status. */
export async function main(argv: string[]): Promise<number> {
    try {
        const request = parseArgs(argv);
        if (!request) {
            console.log(HELP);
            return 0;
        }
        return await answer(request);
    } catch (error) {
        if (error instanceof UsageError || error instanceof RehearsalError) {
            const exitCode = error instanceof UsageError ? 2 : 1;
            console.error(error.message);
            if (argv.includes("--json") && exitCode === 1) {
                console.log(JSON.stringify({ exitCode, error: error.message }));
            }
            return exitCode;
        }
        throw error;
    }
}

async function answer(request: Request): Promise<number> {
    const prepared = prepare(request);
    // With --json only the document goes to stdout; what a person reads on the way goes to stderr.
    const say = (line: string) => (request.json ? console.error(line) : console.log(line));
    if (request.verb === "outputs" || request.verb === "export") {
        const { exitCode, document, stderr } = await readDocument(prepared, {
            say: console.error,
            event: () => undefined,
        });
        if (exitCode === 0) {
            console.log(JSON.stringify(document, null, 2));
        } else {
            console.error(stderr.trim());
        }
        return exitCode;
    }
    say(`Rehearsing ${request.verb === "start" ? "up" : request.verb} of ${prepared.project.name} ${prepared.stack}`);
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
    main(process.argv.slice(2)).then(
        (status) => (process.exitCode = status),
        (error: unknown) => {
            console.error(error);
            process.exitCode = 1;
        },
    );
}
