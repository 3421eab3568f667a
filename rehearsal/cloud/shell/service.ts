import * as grpc from "@grpc/grpc-js";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { ResourceProviderService, type IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import * as pb from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import type { Cloud } from "./cloud";
import { marshal, unmarshal } from "./marshal";
import { Monitor } from "./monitor";
import type { SimulatedPackage } from "./package";
import { SimulatedProvider, type Diffed, type Subject } from "./provider";
import type { CheckFailure, Properties } from "./type";
import { formatPath, type Path } from "./values";

/**
 * Serves one package on a port of its own. The engine opens one connection for each provider instance (the default one, and
 * each that a program makes), so what Configure said is kept by connection.
 */
export async function serve(cloud: Cloud, pack: SimulatedPackage, version: string): Promise<number> {
    const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
    server.addService(ResourceProviderService, new Service(cloud, pack, version).handlers());
    return new Promise((resolve, reject) => {
        server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
            error ? reject(error) : resolve(port),
        );
    });
}

type Handler = grpc.handleUnaryCall<never, never>;

class Service {
    private readonly instances = new Map<string, SimulatedProvider>();
    private readonly configs = new Map<string, Properties>();

    constructor(
        private readonly cloud: Cloud,
        private readonly pack: SimulatedPackage,
        private readonly version: string,
    ) {}

    handlers(): IResourceProviderServer {
        const handle = <Q, A>(answer: (request: Q, peer: string) => A | Promise<A>): Handler =>
            ((call: grpc.ServerUnaryCall<Q, A>, callback: grpc.sendUnaryData<A>) => {
                this.cloud.clock.alive();
                Promise.resolve()
                    .then(() => answer(call.request, call.getPeer()))
                    .then(
                        (value) => callback(null, value),
                        (error: unknown) => callback(asServiceError(error)),
                    );
            }) as unknown as Handler;
        const handlers = {
            handshake: handle(() =>
                new pb.ProviderHandshakeResponse()
                    .setAcceptSecrets(true)
                    .setAcceptResources(this.pack.construct !== undefined)
                    .setAcceptOutputs(false),
            ),
            attach: handle(() => new Empty()),
            cancel: handle(() => new Empty()),
            getPluginInfo: handle(() => new plugin.PluginInfo().setVersion(this.version)),
            getSchema: handle(() => new pb.GetSchemaResponse().setSchema("{}")),
            getMapping: handle(() => new pb.GetMappingResponse()),
            getMappings: handle(() => new pb.GetMappingsResponse()),
            checkConfig: handle((request: pb.CheckRequest) => this.checkConfig(request)),
            diffConfig: handle((request: pb.DiffRequest) => this.diffConfig(request)),
            configure: handle((request: pb.ConfigureRequest, peer) => this.configure(request, peer)),
            check: handle((request: pb.CheckRequest, peer) => this.check(request, peer)),
            diff: handle((request: pb.DiffRequest, peer) => this.diff(request, peer)),
            create: handle((request: pb.CreateRequest, peer) => this.create(request, peer)),
            read: handle((request: pb.ReadRequest, peer) => this.read(request, peer)),
            update: handle((request: pb.UpdateRequest, peer) => this.update(request, peer)),
            delete: handle((request: pb.DeleteRequest, peer) => this.delete(request, peer)),
            invoke: handle((request: pb.InvokeRequest, peer) => this.invoke(request, peer)),
            call: handle((request: pb.CallRequest, peer) => this.call(request, peer)),
            construct: handle((request: pb.ConstructRequest, peer) => this.construct(request, peer)),
        };
        return handlers as unknown as IResourceProviderServer;
    }

    private instance(peer: string): SimulatedProvider {
        const known = this.instances.get(peer);
        if (known) return known;
        const fresh = new SimulatedProvider(this.cloud, this.pack, this.configs.get(peer));
        this.instances.set(peer, fresh);
        return fresh;
    }

    private checkConfig(request: pb.CheckRequest): pb.CheckResponse {
        const { value, secrets } = unmarshal(request.getNews());
        const failures = this.pack.checkConfig?.(readConfig(value)) ?? [];
        return new pb.CheckResponse().setInputs(marshal(value, secrets)).setFailuresList(failures.map(asFailure));
    }

    private diffConfig(request: pb.DiffRequest): pb.DiffResponse {
        const olds = unmarshal(request.getOldInputs() ?? request.getOlds()).value;
        const news = unmarshal(request.getNews()).value;
        const changed = [...new Set([...Object.keys(olds), ...Object.keys(news)])].filter(
            (key) => JSON.stringify(olds[key]) !== JSON.stringify(news[key]),
        );
        return new pb.DiffResponse()
            .setDiffsList(changed)
            .setChanges(
                changed.length > 0 ? pb.DiffResponse.DiffChanges.DIFF_SOME : pb.DiffResponse.DiffChanges.DIFF_NONE,
            );
    }

    private configure(request: pb.ConfigureRequest, peer: string): pb.ConfigureResponse {
        const config = readConfig(unmarshal(request.getArgs()).value);
        this.configs.set(peer, config);
        this.instances.delete(peer);
        return new pb.ConfigureResponse()
            .setAcceptsecrets(true)
            .setSupportspreview(true)
            .setAcceptresources(this.pack.construct !== undefined)
            .setAcceptoutputs(false);
    }

    private check(request: pb.CheckRequest, peer: string): pb.CheckResponse {
        const olds = unmarshal(request.getOlds()).value;
        const { value, secrets } = unmarshal(request.getNews());
        const seed = request.getRandomseed_asU8();
        const checked = this.instance(peer).check(subject(request.getUrn()), value, olds, seed);
        return new pb.CheckResponse()
            .setInputs(marshal(checked.inputs, secrets))
            .setFailuresList(checked.failures.map(asFailure));
    }

    private diff(request: pb.DiffRequest, peer: string): pb.DiffResponse {
        const oldInputs = unmarshal(request.getOldInputs() ?? request.getOlds()).value;
        const news = unmarshal(request.getNews()).value;
        return asDiffResponse(this.instance(peer).diff(subject(request.getUrn()).token, oldInputs, news));
    }

    private async create(request: pb.CreateRequest, peer: string): Promise<pb.CreateResponse> {
        const about = subject(request.getUrn());
        const { value, secrets } = unmarshal(request.getProperties());
        const provider = this.instance(peer);
        if (request.getPreview()) {
            const outputs = provider.previewCreate(about.token, value);
            return new pb.CreateResponse().setProperties(marshal(outputs, this.secret(about.token, secrets)));
        }
        const made = await provider.create(about, value);
        const properties = marshal(made.outputs, this.secret(about.token, secrets));
        if (made.notReady) throw new InitFailed(made.id, properties, marshal(value, secrets), made.notReady);
        return new pb.CreateResponse().setId(made.id).setProperties(properties);
    }

    private async update(request: pb.UpdateRequest, peer: string): Promise<pb.UpdateResponse> {
        const about = subject(request.getUrn());
        const { value, secrets } = unmarshal(request.getNews());
        const provider = this.instance(peer);
        if (request.getPreview()) {
            const olds = unmarshal(request.getOlds()).value;
            const oldInputs = unmarshal(request.getOldInputs()).value;
            const outputs = provider.previewUpdate(about.token, olds, oldInputs, value);
            return new pb.UpdateResponse().setProperties(marshal(outputs, this.secret(about.token, secrets)));
        }
        const made = await provider.update(about, request.getId(), value);
        const properties = marshal(made.outputs, this.secret(about.token, secrets));
        if (made.notReady) throw new InitFailed(made.id, properties, marshal(value, secrets), made.notReady);
        return new pb.UpdateResponse().setProperties(properties);
    }

    private async delete(request: pb.DeleteRequest, peer: string): Promise<Empty> {
        const inputs = unmarshal(request.getOldInputs() ?? request.getProperties()).value;
        await this.instance(peer).delete(subject(request.getUrn()), request.getId(), inputs);
        return new Empty();
    }

    private async read(request: pb.ReadRequest, peer: string): Promise<pb.ReadResponse> {
        const about = subject(request.getUrn());
        const inputs = unmarshal(request.getInputs());
        const state = unmarshal(request.getProperties());
        const object = await this.instance(peer).read(about, request.getId(), { ...state.value, ...inputs.value });
        if (!object) return new pb.ReadResponse();
        const secrets = this.secret(about.token, [...inputs.secrets, ...state.secrets]);
        return new pb.ReadResponse()
            .setId(object.id)
            .setProperties(marshal(object.outputs, secrets))
            .setInputs(marshal(object.inputs, secrets));
    }

    private invoke(request: pb.InvokeRequest, peer: string): pb.InvokeResponse {
        const answer = this.instance(peer).invoke(request.getTok(), unmarshal(request.getArgs()).value);
        return new pb.InvokeResponse().setReturn(marshal(answer));
    }

    private async call(request: pb.CallRequest, peer: string): Promise<pb.CallResponse> {
        if (!this.pack.call) throw new Error(`${request.getTok()} is not simulated`);
        const args = unmarshal(request.getArgs()).value;
        const monitor = new Monitor(request);
        const answer = await this.pack
            .call(request.getTok(), args, this.instance(peer).worldFor(), monitor)
            .finally(() => monitor.close());
        return new pb.CallResponse().setReturn(marshal(answer));
    }

    private async construct(request: pb.ConstructRequest, peer: string): Promise<pb.ConstructResponse> {
        if (!this.pack.construct) throw new Error(`component ${request.getType()} is not simulated`);
        const monitor = new Monitor(request);
        try {
            const { value: inputs, secrets } = unmarshal(request.getInputs());
            const about = {
                type: request.getType(),
                name: request.getName(),
                inputs,
                secrets,
                dryRun: request.getDryrun(),
            };
            const result = await this.pack.construct(about, monitor, this.instance(peer).worldFor());
            const response = new pb.ConstructResponse()
                .setUrn(result.urn)
                .setState(marshal(result.outputs, result.secrets));
            for (const output of Object.keys(result.outputs)) {
                const urns = result.dependencies?.[output] ?? monitor.registered;
                const dependencies = new pb.ConstructResponse.PropertyDependencies().setUrnsList(urns);
                response.getStatedependenciesMap().set(output, dependencies);
            }
            return response;
        } finally {
            monitor.close();
        }
    }

    private secret(token: string, inputs: Path[]): Path[] {
        return [...inputs, ...(this.pack.type(token)?.secretOutputs ?? []).map((output) => [output])];
    }
}

/** What a provider's configuration says; values that are no strings arrive as JSON. */
function readConfig(config: Properties): Properties {
    const read = (value: unknown): unknown => {
        if (typeof value !== "string" || !/^\s*([[{]|true$|false$)/.test(value)) return value;
        try {
            return JSON.parse(value) as unknown;
        } catch {
            return value;
        }
    };
    return Object.fromEntries(
        Object.entries(config).map(([key, value]) => [key, key === "kubeconfig" ? value : read(value)]),
    );
}

export function subject(urn: string): Subject {
    const [, , types, ...name] = urn.slice("urn:pulumi:".length).split("::");
    return { urn, token: types.slice(types.lastIndexOf("$") + 1), name: name.join("::") };
}

function asFailure({ property, reason }: CheckFailure): pb.CheckFailure {
    return new pb.CheckFailure().setProperty(property).setReason(reason);
}

function asDiffResponse(diffed: Diffed): pb.DiffResponse {
    const { Kind } = pb.PropertyDiff;
    const kinds = {
        add: [Kind.ADD, Kind.ADD_REPLACE],
        update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
        delete: [Kind.DELETE, Kind.DELETE_REPLACE],
    };
    const response = new pb.DiffResponse()
        .setHasdetaileddiff(true)
        .setReplacesList(diffed.replaces)
        .setDiffsList([...new Set(diffed.differences.map(({ path }) => String(path[0])))])
        .setDeletebeforereplace(diffed.deleteBeforeReplace)
        .setChanges(
            diffed.differences.length > 0
                ? pb.DiffResponse.DiffChanges.DIFF_SOME
                : pb.DiffResponse.DiffChanges.DIFF_NONE,
        );
    for (const { path, kind, replaces } of diffed.differences) {
        const entry = new pb.PropertyDiff().setInputdiff(true).setKind(kinds[kind][replaces ? 1 : 0]);
        response.getDetaileddiffMap().set(formatPath(path), entry);
    }
    return response;
}

/** The object was made but does not become ready: the engine keeps it in the state, marked as failed. */
class InitFailed extends Error {
    constructor(
        readonly id: string,
        readonly properties: ReturnType<typeof marshal>,
        readonly inputs: ReturnType<typeof marshal>,
        readonly reasons: string[],
    ) {
        super(reasons.join("; "));
    }
}

function asServiceError(error: unknown): grpc.ServerErrorResponse {
    if (error instanceof InitFailed) {
        const detail = new pb.ErrorResourceInitFailed()
            .setId(error.id)
            .setProperties(error.properties)
            .setInputs(error.inputs)
            .setReasonsList(error.reasons);
        const any = new Any();
        any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
        const status = new Status().setCode(grpc.status.UNKNOWN).setMessage(error.message).setDetailsList([any]);
        const metadata = new grpc.Metadata();
        metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
        return {
            name: "InitFailed",
            message: error.message,
            code: grpc.status.UNKNOWN,
            details: error.message,
            metadata,
        };
    }
    const message = error instanceof Error ? error.message : String(error);
    // A bug of the simulation is to be seen as one.
    const bug = error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
    const details = bug ? `the simulated cloud failed: ${error.stack}` : message;
    return { name: "Error", message: details, code: grpc.status.UNKNOWN, details };
}
