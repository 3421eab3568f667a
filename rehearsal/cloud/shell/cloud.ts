import { FaultKind, faultMatches, type Fault } from "../../engine/faults";
import { Clock, OperationLog } from "./clock";
import type { DoneOperation, SimulatedPackage } from "./package";
import type { Subject } from "./provider";
import { CloudError, type Properties, type SimulatedType } from "./type";
import { Universe } from "./universe";
import type { World, WorldObject } from "./world";

export const DEFAULT_ACCOUNT = "123456789012";
export const DEFAULT_REGION = "us-east-1";

export interface CloudOptions {
    /** Where the journal lies; in memory only without it. */
    directory?: string;
    speed?: number;
    /** Real milliseconds of silence after which nobody is believed to be at work any more. */
    patience?: number;
    faults?: Fault[];
    /** File of the operations log. */
    log?: string;
    /** What a crash does: by default this process is killed. */
    crash?: () => void;
}

/** The simulated cloud: what exists, what is simulated, time, and faults. */
export class Cloud {
    readonly universe: Universe;
    readonly clock: Clock;
    readonly log: OperationLog;
    private readonly faults: { fault: Fault; seen: number }[];
    private readonly crash: () => void;

    constructor(
        readonly packages: SimulatedPackage[],
        options: CloudOptions = {},
    ) {
        this.universe = new Universe(options.directory);
        this.clock = new Clock(options.speed ?? 0, options.patience);
        this.log = new OperationLog(this.clock, options.log);
        this.faults = (options.faults ?? []).map((fault) => ({ fault, seen: 0 }));
        this.crash = options.crash ?? (() => process.kill(process.pid, "SIGKILL"));
    }

    typeOf(token: string): SimulatedType | undefined {
        const name = token.slice(0, token.indexOf(":"));
        return this.packages.find((pack) => pack.name === name)?.type(token);
    }

    /** The world as a provider with this configuration sees it. */
    viewFor(pack: SimulatedPackage, config: Properties): World {
        const place = pack.place?.(config) ?? {};
        const viewer = {
            accountId: place.accountId ?? DEFAULT_ACCOUNT,
            region: place.region ?? DEFAULT_REGION,
            partition: place.partition ?? "aws",
            provider: config,
        };
        const prefix = `${pack.name}:`;
        // Components' packages (eks, awsx) work on the objects of aws.
        const asking = () => ({ ...viewer, everywhere: this.universe.view() });
        return this.universe.view({
            ...viewer,
            scope: (token) => (token.startsWith(prefix) ? pack.scope(token, asking()) : undefined),
        });
    }

    /** Runs one operation with its time, its faults, and its entry in the log. */
    async operate<T>(
        op: DoneOperation["operation"],
        subject: Subject,
        { seconds, source }: { seconds: number; source: string },
        carryOut: (done: (object: WorldObject) => void) => Promise<T>,
    ): Promise<T> {
        const entry = this.log.start({ op, token: subject.token, name: subject.name, urn: subject.urn });
        const fault = this.nextFault(op, subject);
        let object: WorldObject | undefined;
        let error: unknown;
        try {
            return await this.clock.work(async () => {
                refuse(fault, subject);
                await this.clock.pass(seconds);
                if (fault?.kind === FaultKind.Timeout) throw timeout(subject);
                const result = await carryOut((made) => {
                    object = made;
                    this.settle({ operation: op, token: subject.token, object, seconds });
                });
                if (fault?.kind === FaultKind.TimeoutAfter) throw timeout(subject);
                return result;
            });
        } catch (caught) {
            error = caught;
            throw caught;
        } finally {
            if (error) this.settle({ operation: op, token: subject.token, object, seconds });
            entry.end({
                id: object?.id,
                seconds,
                source,
                fault: fault?.spec,
                error: error === undefined ? undefined : error instanceof Error ? error.message : String(error),
            });
            if (fault?.kind === FaultKind.Crash && error === undefined) this.crash();
        }
    }

    private settle(operation: DoneOperation): void {
        if (operation.operation === "read") return;
        this.universe.transaction(() => {
            for (const pack of this.packages) pack.afterOperation?.(this.universe.view(), operation);
        });
        this.clock.notify();
    }

    private nextFault(op: string, subject: Subject): Fault | undefined {
        let hit: Fault | undefined;
        for (const entry of this.faults) {
            if (!faultMatches(entry.fault, op, subject.token, subject.name)) continue;
            entry.seen++;
            if (entry.fault.nth === "always" || entry.fault.nth === entry.seen) hit ??= entry.fault;
        }
        return hit;
    }
}

function refuse(fault: Fault | undefined, subject: Subject): void {
    if (fault?.kind === FaultKind.Throttled) throw new CloudError("ThrottlingException", "Rate exceeded");
    if (fault?.kind === FaultKind.Quota) {
        throw new CloudError("LimitExceededException", `the quota of this account for ${subject.token} is used up`);
    }
}

function timeout(subject: Subject): CloudError {
    return new CloudError("RequestTimeout", `timeout while waiting for ${subject.token} "${subject.name}"`);
}
