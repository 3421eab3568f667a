import * as fs from "node:fs";

/** Simulated time, and who waits for what. */
export class Clock {
    private readonly started = Date.now();
    private working = 0;
    private changed = Date.now();
    private readonly waiting = new Set<() => void>();

    /** @param speed Simulated seconds in one real second; 0 passes them at once. */
    constructor(private readonly speed: number) {}

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

    /** Tells those who wait to look again. */
    notify(): void {
        this.changed = Date.now();
        [...this.waiting].forEach((wake) => wake());
    }

    /**
     * Waits until `left` finds nothing. Gives up, with what is left, when the time is over or when nobody is working any
     * more who could bring it about.
     */
    async until<T>(left: () => T | undefined, seconds: number): Promise<T | undefined> {
        const deadline = this.now() + Math.max(seconds, 0);
        this.working--; // Who waits does not work.
        try {
            for (;;) {
                const remains = left();
                if (remains === undefined) return undefined;
                // The engine needs a moment to start what depends on an operation that has just ended.
                const idle = this.working <= 0 && Date.now() - this.changed > 1500;
                if (idle || (this.speed > 0 && this.now() > deadline)) return remains;
                await new Promise<void>((resolve) => {
                    const wake = () => {
                        clearTimeout(timer);
                        this.waiting.delete(wake);
                        resolve();
                    };
                    const timer = setTimeout(wake, 200);
                    this.waiting.add(wake);
                });
            }
        } finally {
            this.working++;
        }
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

    private write(line: Record<string, unknown>): void {
        if (this.file !== undefined) fs.writeSync(this.file, JSON.stringify(line) + "\n");
    }
}
