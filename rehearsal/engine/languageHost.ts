import * as grpc from "@grpc/grpc-js";
import * as engineRpc from "@pulumi/pulumi/proto/engine_grpc_pb";
import * as engine from "@pulumi/pulumi/proto/engine_pb";
import * as services from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import type { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { spawn, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import * as path from "node:path";
import * as readline from "node:readline";

/** The runners end with this status when they have already told the user what went wrong. */
const ALREADY_REPORTED = 32;

type Unary<Q, A> = grpc.handleUnaryCall<Q, A>;

/**
 * A stand-in for the release's `pulumi-language-nodejs`, for machines where the CLI had to be built from Go modules (which
 * do not contain the language host). The SDK itself brings the runners; this serves them to the engine, which attaches
 * to the port by PULUMI_DEBUG_LANGUAGES. What a program or pack prints is told as the real host does.
 */
export class LanguageHost {
    readonly #server = new grpc.Server();
    readonly #children = new Set<ChildProcess>();
    readonly #environment: NodeJS.ProcessEnv;
    readonly #owns: (pid: number | undefined) => void;
    #engine: InstanceType<typeof engineRpc.EngineClient> | undefined;
    /** Ends when all that children have printed so far was told. */
    #told: Promise<void> = Promise.resolve();

    /** `owns` is told of each process that is started, so that none outlives the rehearsal. */
    constructor(environment: NodeJS.ProcessEnv, owns: (pid: number | undefined) => void = () => undefined) {
        this.#environment = environment;
        this.#owns = owns;
    }

    async listen(): Promise<number> {
        const handshake: Unary<language.LanguageHandshakeRequest, language.LanguageHandshakeResponse> = (
            call,
            done,
        ) => {
            const target = call.request.getEngineAddress();
            this.#engine?.close();
            this.#engine = new engineRpc.EngineClient(target, grpc.credentials.createInsecure());
            done(null, new language.LanguageHandshakeResponse());
        };
        const info: Unary<Empty, plugin.PluginInfo> = (_call, done) => {
            const answer = new plugin.PluginInfo();
            answer.setVersion("1.0.0");
            done(null, answer);
        };
        this.#server.addService(services.LanguageRuntimeService, {
            handshake,
            getPluginInfo: info,
            getRequiredPackages: answerWith(() => new language.GetRequiredPackagesResponse()),
            getProgramDependencies: answerWith(() => new language.GetProgramDependenciesResponse()),
            runtimeOptionsPrompts: answerWith(() => new language.RuntimeOptionsResponse()),
            about: answerWith(() => new language.AboutResponse()),
            installDependencies: (call: grpc.ServerWritableStream<unknown, unknown>) => call.end(),
            run: (call: Parameters<Unary<language.RunRequest, language.RunResponse>>[0], done: Done) =>
                this.#run(call.request, done),
            runPlugin: (call: grpc.ServerWritableStream<language.RunPluginRequest, language.RunPluginResponse>) =>
                this.#runPlugin(call),
        } as unknown as grpc.UntypedServiceImplementation);
        return new Promise((resolve, reject) =>
            this.#server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
                error ? reject(error) : resolve(port),
            ),
        );
    }

    /** What children still print after this finds no engine to tell it to: a closed client would throw. */
    close(): void {
        for (const child of this.#children) {
            child.kill("SIGKILL");
        }
        this.#engine?.close();
        this.#engine = undefined;
        this.#server.forceShutdown();
    }

    #run(request: language.RunRequest, done: Done): void {
        const info = request.getInfo();
        const programDirectory = info?.getProgramDirectory() || request.getPwd();
        const options = (info?.getOptions()?.toJavaScript() ?? {}) as Record<string, unknown>;
        const entry = path.resolve(programDirectory, info?.getEntryPoint() || request.getProgram() || ".");
        const answerWithError = (error: string) => {
            const answer = new language.RunResponse();
            answer.setError(error);
            done(null, answer);
        };
        const sdk = runner("run", programDirectory);
        if (sdk === undefined) {
            answerWithError(noSdk(programDirectory));
            return;
        }
        const args = [
            ...String(options.nodeargs ?? "")
                .split(/\s+/)
                .filter(Boolean),
            sdk,
            ...flag("monitor", request.getMonitorAddress()),
            ...flag("engine", this.#engineAddress()),
            ...flag("organization", request.getOrganization()),
            ...flag("project", request.getProject()),
            ...flag("root-directory", info?.getRootDirectory() ?? ""),
            ...flag("stack", request.getStack()),
            ...flag("pwd", request.getPwd()),
            ...(request.getDryrun() ? ["--dry-run"] : []),
            ...flag("parallel", String(request.getParallel() || 8)),
            entry,
            ...request.getArgsList(),
        ];
        const child = this.#spawn(args, request.getPwd(), {
            PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
            PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
            PULUMI_NODEJS_TYPESCRIPT: String(options.typescript ?? true),
        });
        this.#tell(child.stdout!);
        this.#tell(child.stderr!);
        let failure: Error | undefined;
        child.on("error", (error) => (failure = error));
        child.on("close", async (code, signal) => {
            // The engine may end with this answer: what the program printed comes before it.
            await this.#told;
            if (code !== 0 && code !== ALREADY_REPORTED) {
                answerWithError(failure?.message ?? `the program ended with ${signal ?? `status ${code}`}`);
                return;
            }
            const answer = new language.RunResponse();
            answer.setBail(code === ALREADY_REPORTED);
            done(null, answer);
        });
    }

    #runPlugin(call: grpc.ServerWritableStream<language.RunPluginRequest, language.RunPluginResponse>): void {
        const request = call.request;
        const directory = request.getInfo()?.getProgramDirectory() || request.getProgram() || request.getPwd();
        const analyzer = request.getKind() === "analyzer";
        const answer = (fill: (response: language.RunPluginResponse) => void) => {
            const response = new language.RunPluginResponse();
            fill(response);
            call.write(response);
        };
        const refuse = (why: string) => answer((response) => response.setStderr(Buffer.from(`${why}\n`)));
        const sdk = runner(analyzer ? "run-policy-pack" : "run-plugin", directory);
        if (sdk === undefined) {
            refuse(noSdk(directory));
            answer((response) => response.setExitcode(1));
            call.end();
            return;
        }
        const args = analyzer ? [sdk, ...request.getArgsList(), directory] : [sdk, directory, ...request.getArgsList()];
        const environment = Object.fromEntries(request.getEnvList().map((entry) => entry.split(/=(.*)/s).slice(0, 2)));
        const child = this.#spawn(args, analyzer ? directory : request.getPwd(), environment);
        child.on("error", (error) => refuse(error.message));
        child.stdout!.on("data", (data: Buffer) => answer((response) => response.setStdout(data)));
        child.stderr!.on("data", (data: Buffer) => answer((response) => response.setStderr(data)));
        child.on("close", (code) => {
            answer((response) => response.setExitcode(code ?? 1));
            call.end();
        });
        call.on("cancelled", () => child.kill());
    }

    #spawn(args: string[], cwd: string, environment: NodeJS.ProcessEnv): ChildProcess {
        const child = spawn(process.execPath, args, {
            cwd,
            env: { ...this.#environment, ...environment },
            stdio: ["ignore", "pipe", "pipe"],
        });
        this.#children.add(child);
        this.#owns(child.pid);
        child.on("close", () => this.#children.delete(child));
        return child;
    }

    /** The program's own prints become lines of the engine, one after another, as the real host's do. */
    #tell(stream: NodeJS.ReadableStream): void {
        readline.createInterface({ input: stream }).on("line", (line) => {
            const request = new engine.LogRequest();
            request.setSeverity(engine.LogSeverity.INFO);
            request.setMessage(`${line}\n`);
            this.#told = this.#told.then(
                () =>
                    new Promise((resolve) => {
                        if (this.#engine) {
                            this.#engine.log(request, () => resolve());
                        } else {
                            resolve();
                        }
                    }),
            );
        });
    }

    #engineAddress(): string {
        return this.#engine?.getChannel().getTarget().replace(/^dns:/, "") ?? "";
    }
}

type Done = grpc.sendUnaryData<language.RunResponse>;

function answerWith<T>(make: () => T): Unary<unknown, T> {
    return (_call, done) => done(null, make());
}

function flag(name: string, value: string): string[] {
    return value === "" ? [] : [`--${name}`, value];
}

/** Where the SDK that a program or pack uses has its runner; undefined where none is installed. */
function runner(name: string, from: string): string | undefined {
    try {
        return createRequire(path.join(from, "resolve.js")).resolve(`@pulumi/pulumi/cmd/${name}`);
    } catch {
        return undefined;
    }
}

function noSdk(directory: string): string {
    return `the package @pulumi/pulumi is not installed for ${directory}: run "npm install" there`;
}
