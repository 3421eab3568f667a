import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pulumiCli, type Ways } from "../../rehearsal/engine/pulumiCli";
import { RehearsalError } from "../../rehearsal/engine/usage";

describe("rehearsal: where the Pulumi CLI comes from", () => {
    let cache: string;
    let calls: string[];
    beforeEach(() => {
        cache = fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-cache-"));
        calls = [];
    });
    afterEach(() => fs.rmSync(cache, { recursive: true, force: true }));

    const failing = (way: string, message: string) => () => {
        calls.push(way);
        return Promise.reject(new Error(message));
    };
    const working = (way: string, built: boolean) => async (_version: string, directory: string) => {
        calls.push(way);
        await new Promise((resolve) => setTimeout(resolve, 20));
        fs.mkdirSync(path.join(directory, "bin"));
        fs.writeFileSync(path.join(directory, "bin", "pulumi"), "#!/bin/sh\n", { mode: 0o755 });
        if (built) {
            fs.writeFileSync(path.join(directory, "bin", "built-from-go-modules"), "");
        }
    };
    const get = (ways: Ways, said: string[] = []) => pulumiCli((line) => said.push(line), ways, "1.2.3", cache);

    it("is downloaded, once", async () => {
        const ways = { download: working("download", false), build: working("build", true) };
        const cli = await get(ways);
        assert.deepEqual(await get(ways), cli);
        assert.deepEqual(calls, ["download"]);
        assert.equal(cli.needsLanguageHost, false);
        assert.ok(cli.binary.startsWith(path.join(cache, "versions", "1.2.3")));
    });

    it("is built where the download fails; then it needs the stand-in language host", async () => {
        const said: string[] = [];
        const cli = await get({ download: failing("download", "fetch failed"), build: working("build", true) }, said);
        assert.deepEqual(calls, ["download", "build"]);
        assert.equal(cli.needsLanguageHost, true);
        assert.ok(said.some((line) => line.includes("fetch failed")));
    });

    it("is built where the download leaves nothing that runs", async () => {
        await get({ download: () => Promise.resolve(), build: working("build", true) });
        assert.deepEqual(calls, ["build"]);
    });

    it("is missed in one line that names both ways", async () => {
        const ways = { download: failing("download", "fetch\nfailed"), build: failing("build", "Go is not installed") };
        await assert.rejects(get(ways), (error: Error) => {
            assert.ok(error instanceof RehearsalError);
            assert.match(
                error.message,
                /download: fetch failed.*build: Go is not installed.*get\.pulumi\.com.*go\.dev/,
            );
            return !error.message.includes("\n");
        });
        assert.deepEqual(fs.readdirSync(path.join(cache, "versions")), [], "no half-made CLI is left");
    });

    it("is fetched once by two clones that start together", async () => {
        const ways = { download: working("download", false), build: working("build", true) };
        const [one, two] = await Promise.all([get(ways), get(ways)]);
        assert.deepEqual(one, two);
        assert.deepEqual(calls, ["download"]);
    });

    it("replaces what a killed download left", async () => {
        fs.mkdirSync(path.join(cache, "versions", "1.2.3", "bin"), { recursive: true });
        await get({ download: working("download", false), build: working("build", true) });
        assert.deepEqual(calls, ["download"]);
    });
});
