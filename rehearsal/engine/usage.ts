/** A mistake of the person who called: one line on stderr, exit status 2, nothing started. */
export class UsageError extends Error {
    override name = "UsageError";
}

/** Something outside the rehearsal is in the way (no CLI, a running rehearsal): one line, exit status 1. */
export class RehearsalError extends Error {
    override name = "RehearsalError";
}
