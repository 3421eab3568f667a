import * as fs from "node:fs";

/** Real milliseconds after which who waits looks again. */
const TICK_MS = 200;

/** How long who waits believes that a silent caller will still bring about what is waited for, where the caller is this process. */
const PATIENCE_MS = 1500;

/** Simulated time, and who waits for what. */
export class Clock {
    private readonly started = Date.now();
    private working = 0;
    /** Counts what may have brought about something that is waited for. */
    private signs = 0;
    private readonly waiting = new Set<() => void>();

    /**
     * @param speed Simulated seconds in one real second; 0 passes them at once.
     * @param patience Real milliseconds of silence after which nobody is believed to be at work any more.
     */
    constructor(
        private readonly speed: number,
        private readonly patience = PATIENCE_MS,
    ) {}

    /** Simulated seconds since the start. */
    now(): number {
        return ((Date.now() - this.started) / 1000) * (this.speed || 1);
    }

    async pass(seconds: number): Promise<void> {
        if (this.speed > 0 && seconds > 0) {
            await new Promise((resolve) => setTimeout(resolve, (seconds / this.speed) * 1000));
        }
    }

    /** Runs an operation that others may be waiting for. */
    async work<T>(operation: () => Promise<T>): Promise<T> {
        this.working++;
        try {
            return await operation();
        } finally {
            this.working--;
            this.notify();
        }
    }

    /** The engine asked something: it is on its way to an operation. */
    alive(): void {
        this.signs++;
    }

    /** Tells those who wait to look again. */
    notify(): void {
        this.alive();
        [...this.waiting].forEach((wake) => wake());
    }

    /**
     * Waits until `left` finds nothing. Gives up, with what is left, when the time is over or when nobody is working any
     * more who could bring it about. Both are counted in ticks of this process too, never by wall time alone: a machine
     * that was slow or asleep, or a high speed at which the engine's own work would seem to take minutes, fails nothing.
     */
    async until<T>(left: () => T | undefined, seconds: number): Promise<T | undefined> {
        const deadline = this.now() + Math.max(seconds, 0);
        const enough = this.patience / TICK_MS;
        let waited = 0;
        let silent = 0;
        let seen = this.signs;
        this.working--; // Who waits does not work.
        try {
            for (;;) {
                const remains = left();
                if (remains === undefined) return undefined;
                // The engine needs a moment to start what depends on an operation that has just ended.
                if (this.working > 0 || this.signs !== seen) silent = 0;
                seen = this.signs;
                const isOver = this.speed > 0 && this.now() > deadline && waited >= enough;
                if (silent >= enough || isOver) return remains;
                if (await this.tick()) {
                    waited++;
                    silent++;
                }
            }
        } finally {
            this.working++;
        }
    }

    /** True after a tick, false when woken before. */
    private tick(): Promise<boolean> {
        return new Promise((resolve) => {
            const end = (whole: boolean) => {
                clearTimeout(timer);
                this.waiting.delete(wake);
                resolve(whole);
            };
            const wake = () => end(false);
            const timer = setTimeout(() => end(true), TICK_MS);
            this.waiting.add(wake);
        });
    }
}

export interface LoggedOperation {
    op: string;
    token: string;
    name: string;
    urn: string;
}

/** The log of operations: one line when each starts, one when it ends. */
export class OperationLog {
    private readonly file: number | undefined;
    private readonly noted = new Set<string>();

    constructor(
        private readonly clock: Clock,
        file?: string,
    ) {
        this.file = file === undefined ? undefined : fs.openSync(file, "a", 0o600);
    }

    start(operation: LoggedOperation): { end: (more: Record<string, unknown>) => void } {
        const started = this.clock.now();
        this.write({ at: "start", ...operation, started });
        return {
            end: (more) => this.write({ at: "end", ...operation, started, finished: this.clock.now(), ...more }),
        };
    }

    /** Notes, once, what was checked for its form only, because nothing more is known of it. */
    generic(what: string): void {
        if (!this.noted.has(what)) this.write({ at: "generic", what });
        this.noted.add(what);
    }

    private write(line: Record<string, unknown>): void {
        if (this.file !== undefined) fs.writeSync(this.file, JSON.stringify(line) + "\n");
    }
}
