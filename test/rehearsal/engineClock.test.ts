import assert from "node:assert/strict";
import { Clock } from "../../rehearsal/cloud/shell/clock";

describe("rehearsal: waiting in the simulated cloud", () => {
    const real = Date.now;
    let asks: NodeJS.Timeout | undefined;
    afterEach(() => {
        Date.now = real;
        clearInterval(asks);
    });

    /** What is waited for: it comes true when told. */
    function something() {
        let there = false;
        return { left: () => (there ? undefined : "nothing there"), comes: () => (there = true) };
    }

    it("gives up, with what is left, when nobody is at work any more", async () => {
        const clock = new Clock(0, 200);
        assert.equal(await clock.until(() => "nothing there", 600), "nothing there");
    });

    it("goes on while others work, and sees at once what they brought", async () => {
        const clock = new Clock(0, 200);
        const { left, comes } = something();
        const other = clock.work(async () => {
            await new Promise((resolve) => setTimeout(resolve, 1000));
            comes();
        });
        assert.equal(await clock.work(() => clock.until(left, 600)), undefined);
        await other;
    });

    it("goes on while the engine asks for anything", async () => {
        const clock = new Clock(0, 400);
        const { left, comes } = something();
        asks = setInterval(() => clock.alive(), 50);
        setTimeout(comes, 2500);
        assert.equal(await clock.until(left, 600), undefined);
    });

    it("does not take the engine's own work at a high speed for minutes", async () => {
        const clock = new Clock(1_000_000, 2000);
        const { left, comes } = something();
        setTimeout(comes, 700);
        assert.equal(await clock.until(left, 600), undefined);
    });

    it("gives up nothing because the machine was asleep", async () => {
        const clock = new Clock(0, 2000);
        const { left, comes } = something();
        setTimeout(() => (Date.now = () => real() + 3_600_000), 50);
        setTimeout(comes, 500);
        assert.equal(await clock.until(left, 600), undefined);
    });
});
