import * as grpc from "@grpc/grpc-js";
import * as engineRpc from "@pulumi/pulumi/proto/engine_grpc_pb";
import type * as engine from "@pulumi/pulumi/proto/engine_pb";
import * as languageRpc from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import * as assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { LanguageHost } from "../../rehearsal/engine/languageHost";

/** A program's folder whose SDK is only a runner: what the host starts for it is this script. */
function programOf(script: string): string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), "language-host-"));
    const sdk = path.join(folder, "node_modules", "@pulumi", "pulumi", "cmd", "run");
    fs.mkdirSync(sdk, { recursive: true });
    fs.writeFileSync(path.join(sdk, "index.js"), script);
    return folder;
}

describe("the language host", () => {
    const closing: (() => void)[] = [];
    afterEach(() => closing.splice(0).forEach((close) => close()));

    async function listening(server: grpc.Server): Promise<string> {
        const port = await new Promise<number>((resolve, reject) =>
            server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
                error ? reject(error) : resolve(bound),
            ),
        );
        closing.push(() => server.forceShutdown());
        return `127.0.0.1:${port}`;
    }

    /** Starts a host and an engine that hands on each line it is told; answers with what runs a program. */
    async function hostFor(
        script: string | undefined,
        told: (line: string, host: LanguageHost) => void | Promise<void>,
    ) {
        const engineServer = new grpc.Server();
        const host = new LanguageHost(process.env);
        engineServer.addService(engineRpc.EngineService, {
            log: (call: grpc.ServerUnaryCall<engine.LogRequest, Empty>, done: grpc.sendUnaryData<Empty>) => {
                void Promise.resolve(told(call.request.getMessage().trim(), host)).then(() => done(null, new Empty()));
            },
        } as unknown as grpc.UntypedServiceImplementation);
        const address = await listening(engineServer);
        const client = new languageRpc.LanguageRuntimeClient(
            `127.0.0.1:${await host.listen()}`,
            grpc.credentials.createInsecure(),
        );
        closing.push(
            () => host.close(),
            () => client.close(),
        );
        const handshake = new language.LanguageHandshakeRequest();
        handshake.setEngineAddress(address);
        await new Promise((resolve) => client.handshake(handshake, resolve));

        const folder = script === undefined ? fs.mkdtempSync(path.join(os.tmpdir(), "no-sdk-")) : programOf(script);
        closing.push(() => fs.rmSync(folder, { recursive: true, force: true }));
        const request = new language.RunRequest();
        request.setInfo(new language.ProgramInfo().setProgramDirectory(folder));
        return (pwd = folder) =>
            new Promise<{ error: grpc.ServiceError | null; answer?: language.RunResponse }>((resolve) =>
                client.run(request.setPwd(pwd), (error, answer) => resolve({ error, answer })),
            );
    }

    it("tells the engine what a program prints, line by line, and then how it ended", async () => {
        const lines: string[] = [];
        const script = 'console.log("one\\ntwo\\nthree"); process.exit(3)';
        const run = await hostFor(script, async (line) => {
            await new Promise((resolve) => setTimeout(resolve, 100)); // An engine that is slow.
            lines.push(line);
        });
        const { answer } = await run();
        assert.equal(answer?.getError(), "the program ended with status 3");
        assert.deepEqual(lines, ["one", "two", "three"]);
    });

    it("says what is wrong where no SDK is installed, and where a program cannot be started", async () => {
        const without = await (await hostFor(undefined, () => undefined))();
        assert.match(without.answer?.getError() ?? "", /^the package @pulumi\/pulumi is not installed for .*no-sdk-/);
        const run = await hostFor("", () => undefined);
        const nowhere = await run(path.join(os.tmpdir(), "there-is-no-such-folder"));
        assert.match(nowhere.answer?.getError() ?? "", /ENOENT/);
    });

    it("is closed while a program prints, and nothing is thrown for the lines that are still to come", async () => {
        // More than a pipe holds: some lines are always read after the host was closed.
        const script = 'console.log(`${"x".repeat(1000)}\\n`.repeat(3000)); setInterval(() => undefined, 1000)';
        const thrown: unknown[] = [];
        const others = process.listeners("uncaughtException");
        process.removeAllListeners("uncaughtException");
        process.on("uncaughtException", (error) => thrown.push(error));
        try {
            let closed = false;
            const closeOnce = (_line: string, host: LanguageHost) => {
                if (!closed) {
                    host.close();
                }
                closed = true;
            };
            const run = await hostFor(script, closeOnce);
            const { error } = await run();
            assert.ok(error, "the call ends with the host");
            await new Promise((resolve) => setTimeout(resolve, 200));
            assert.deepEqual(thrown, []);
        } finally {
            process.removeAllListeners("uncaughtException");
            others.forEach((listener) => process.on("uncaughtException", listener));
        }
    });
});
