import type { EngineEvent, StepMetadata } from "../engine/events";
import { isKept, nameOf, typeOf } from "../engine/events";

const DOING: Record<string, string> = {
    create: "creating",
    update: "updating",
    delete: "deleting",
    replace: "replacing",
    read: "reading",
    refresh: "refreshing",
    import: "importing",
    "create-replacement": "creating a replacement of",
    "delete-replaced": "deleting the replaced",
};
const DONE: Record<string, string> = {
    create: "created",
    update: "updated",
    delete: "deleted",
    read: "read",
    import: "imported",
    "create-replacement": "created a replacement of",
    "delete-replaced": "deleted the replaced",
};
/** Something under way for so long gets a line of its own. */
const SLOW_MS = 4000;

/** Tells a person what the engine does, one line a finished step. */
export class Progress {
    readonly #say: (line: string) => void;
    readonly #underWay = new Map<string, { text: string; since: number }>();
    readonly #told = new Set<string>();
    readonly #timer: NodeJS.Timeout;
    #isPreview: boolean;
    #count = 0;

    /** `previewFirst`: the stream holds a preview and then the update itself. */
    constructor(say: (line: string) => void, previewFirst: boolean) {
        this.#say = say;
        this.#isPreview = previewFirst;
        this.#timer = setInterval(() => this.#tellSlow(), 1000);
        this.#timer.unref();
    }

    close(): void {
        clearInterval(this.#timer);
    }

    event(event: EngineEvent): void {
        const step =
            event.resourcePreEvent?.metadata ?? event.resOutputsEvent?.metadata ?? event.resOpFailedEvent?.metadata;
        if (step && !this.#isPreview) {
            this.#step(step, event);
        } else if (step && event.resourcePreEvent) {
            this.#planned();
        } else if (event.summaryEvent) {
            if (this.#isPreview) {
                this.#say(`  planned: ${describeChanges(event.summaryEvent.resourceChanges)}`);
            }
            this.#isPreview = false;
        }
        const said = event.diagnosticEvent;
        if (said && said.severity !== "debug" && !said.ephemeral && said.message.trim() !== "") {
            const where =
                said.urn && typeOf(said.urn) !== "pulumi:pulumi:Stack"
                    ? ` ${typeOf(said.urn)} ${nameOf(said.urn)}`
                    : "";
            const key = `${said.urn} ${said.message}`;
            if (this.#told.has(key)) {
                return; // Preview and update say the same things.
            }
            this.#told.add(key);
            const label = said.severity === "error" || said.severity === "warning" ? `${said.severity}:` : "│";
            this.#say(
                `  ${label}${where} ${said.message
                    .trim()
                    .replace(/^(error|warning): /, "")
                    .replace(/\n/g, "\n    ")}`,
            );
        }
    }

    #planned(): void {
        this.#count++;
        if (this.#count % 25 === 0) {
            this.#say(`  … ${this.#count} resources looked at`);
        }
    }

    #step(step: StepMetadata, event: EngineEvent): void {
        if (step.op === "same" || step.op === "replace" || step.type === "pulumi:pulumi:Stack") {
            return;
        }
        const what = `${step.type} ${nameOf(step.urn)}`;
        const key = `${step.op} ${step.urn}`;
        // Only what costs time is worth a line: components finish with their children, providers come and go with them. A provider
        // that changes is worth one: all that it serves moves to another cluster or region, perhaps.
        const isRoutine = step.type.startsWith("pulumi:providers:") && ["create", "delete", "read"].includes(step.op);
        const custom = (step.new ?? step.old)?.custom && !isRoutine;
        if (event.resourcePreEvent && custom) {
            this.#underWay.set(key, { text: `${DOING[step.op] ?? step.op} ${what}`, since: Date.now() });
            return;
        }
        if (event.resourcePreEvent) {
            return;
        }
        this.#underWay.delete(key);
        if (event.resOpFailedEvent) {
            this.#say(`  ✗ not ${DONE[step.op] ?? step.op}: ${what}`);
        } else if (custom && isKept(step)) {
            this.#say(`  = ${what} stays in the account`);
        } else if (custom && DONE[step.op]) {
            this.#say(`  ${SIGN[step.op] ?? "·"} ${what}`);
        }
    }

    #tellSlow(): void {
        const now = Date.now();
        const slow = [...this.#underWay.values()].filter(({ since }) => now - since > SLOW_MS);
        for (const one of slow) {
            this.#say(`  … still ${one.text}`);
            one.since = now + 2 * SLOW_MS;
        }
    }
}

const SIGN: Record<string, string> = {
    create: "+",
    update: "~",
    delete: "-",
    read: ">",
    import: "=",
    "create-replacement": "++",
    "delete-replaced": "--",
};

/** `12 to create, 3 unchanged`. */
export function describeChanges(changes: Record<string, number>): string {
    const words: Record<string, string> = {
        create: "create",
        update: "update",
        delete: "delete",
        replace: "replace",
        same: "unchanged",
    };
    const parts = Object.entries(words).flatMap(([op, word]) => (changes[op] ? [`${changes[op]} ${word}`] : []));
    return parts.length > 0 ? parts.join(", ") : "nothing to do";
}
