import * as grpc from "@grpc/grpc-js";
import { ConstructRequest, type CallRequest } from "@pulumi/pulumi/proto/provider_pb";
import { ResourceMonitorClient } from "@pulumi/pulumi/proto/resource_grpc_pb";
import * as pb from "@pulumi/pulumi/proto/resource_pb";
import { marshal, unmarshal } from "./marshal";
import type { Properties } from "./type";
import { UNKNOWN, type Path } from "./values";
import { versionOf } from "./version";

/** A resource as its component sees it. */
export interface Registered {
    urn: string;
    /** `UNKNOWN` in the preview of a creation. */
    id: unknown;
    outputs: Properties;
}

export interface ChildOptions {
    /** @default the component itself */
    parent?: Registered;
    dependsOn?: (Registered | string)[];
    /** Inputs of the component that this child uses: what these depend on, the child depends on. */
    uses?: string[];
    secrets?: Path[];
    protect?: boolean;
    retainOnDelete?: boolean;
    deleteBeforeReplace?: boolean;
    ignoreChanges?: string[];
    aliases?: string[];
    /** An explicit provider (`urn::id`) instead of the one that the component was given. */
    provider?: string;
}

/** What a component registers its children with. Tests have one of their own. */
export interface Registrar {
    /**
     * Registers the component that is being constructed, with the options that the program gave it.
     * @param parent URN of the parent, for a component that chooses its own. @default the program's
     */
    root(parent?: string): Promise<Registered>;
    component(type: string, name: string, options?: ChildOptions): Promise<Registered>;
    custom(type: string, name: string, inputs: Properties, options?: ChildOptions): Promise<Registered>;
    outputs(resource: Registered, outputs: Properties): Promise<void>;
    invoke(token: string, args: Properties): Promise<Properties>;
}

/** The engine's resource monitor, for the components that live in their provider. */
export class Monitor implements Registrar {
    private readonly client: ResourceMonitorClient;
    private self: Registered | undefined;
    /** Everything that was registered below the component. */
    readonly registered: string[] = [];

    private readonly request: ConstructRequest;

    /** @param request What is constructed, or the call of a component's method, which can only look things up. */
    constructor(request: ConstructRequest | CallRequest) {
        this.request = request instanceof ConstructRequest ? request : new ConstructRequest();
        this.client = new ResourceMonitorClient(request.getMonitorendpoint(), grpc.credentials.createInsecure(), {
            "grpc.max_receive_message_length": -1,
            "grpc.max_send_message_length": -1,
        });
    }

    close(): void {
        this.client.close();
    }

    /** Registers the component that is being constructed, with the options that the program gave it. */
    async root(parent = this.request.getParent()): Promise<Registered> {
        const { request } = this;
        const register = new pb.RegisterResourceRequest()
            .setType(request.getType())
            .setName(request.getName())
            .setParent(parent)
            .setProtect(request.getProtect() ?? false)
            .setRetainondelete(request.getRetainondelete() ?? false)
            .setAliasesList(request.getAliasesList())
            .setAliasspecs(true)
            .setDependenciesList(request.getDependenciesList())
            .setIgnorechangesList(request.getIgnorechangesList())
            .setReplaceonchangesList(request.getReplaceonchangesList())
            .setDeletedwith(request.getDeletedwith())
            .setAdditionalsecretoutputsList(request.getAdditionalsecretoutputsList());
        const hooks = request.getResourceHooks();
        if (hooks) {
            register.setHooks(
                pb.RegisterResourceRequest.ResourceHooksBinding.deserializeBinary(hooks.serializeBinary()),
            );
        }
        request.getProvidersMap().forEach((value: string, key: string) => register.getProvidersMap().set(key, value));
        this.self = await this.send(register, {});
        return this.self;
    }

    component(type: string, name: string, options: ChildOptions = {}): Promise<Registered> {
        const register = this.child(type, name, options);
        this.request
            .getProvidersMap()
            .forEach((value: string, key: string) => register.getProvidersMap().set(key, value));
        return this.send(register, {});
    }

    custom(type: string, name: string, inputs: Properties, options: ChildOptions = {}): Promise<Registered> {
        const pack = type.slice(0, type.indexOf(":"));
        const provider = options.provider ?? this.request.getProvidersMap().get(pack) ?? "";
        return this.send(
            this.child(type, name, options)
                .setCustom(true)
                .setProvider(provider)
                // As the SDKs say it. Left to the engine, it would be another one once the state names a version.
                .setVersion(versionOf(type.replace(/^pulumi:providers:/, "").split(":", 1)[0])),
            inputs,
            options.secrets,
        );
    }

    outputs(resource: Registered, outputs: Properties): Promise<void> {
        const request = new pb.RegisterResourceOutputsRequest().setUrn(resource.urn).setOutputs(marshal(outputs));
        return new Promise((resolve, reject) =>
            this.client.registerResourceOutputs(request, (error) => (error ? reject(error) : resolve())),
        );
    }

    invoke(token: string, args: Properties): Promise<Properties> {
        const pack = token.slice(0, token.indexOf(":"));
        const request = new pb.ResourceInvokeRequest()
            .setTok(token)
            .setArgs(marshal(args))
            .setAcceptresources(true)
            .setVersion(versionOf(pack))
            .setProvider(this.request.getProvidersMap().get(pack) ?? "");
        return new Promise((resolve, reject) =>
            this.client.invoke(request, (error, response) =>
                error ? reject(error) : resolve(unmarshal(response.getReturn()).value),
            ),
        );
    }

    private child(type: string, name: string, options: ChildOptions): pb.RegisterResourceRequest {
        const dependencies = (options.dependsOn ?? []).map((one) => (typeof one === "string" ? one : one.urn));
        const inputs = this.request.getInputdependenciesMap();
        for (const key of options.uses ?? []) dependencies.push(...(inputs.get(key)?.getUrnsList() ?? []));
        return new pb.RegisterResourceRequest()
            .setType(type)
            .setName(name)
            .setParent(options.parent?.urn ?? this.self?.urn ?? "")
            .setDependenciesList([...new Set(dependencies)])
            .setProtect(options.protect ?? this.request.getProtect() ?? false)
            .setRetainondelete(options.retainOnDelete ?? this.request.getRetainondelete() ?? false)
            .setDeletebeforereplace(options.deleteBeforeReplace ?? false)
            .setDeletebeforereplacedefined(options.deleteBeforeReplace !== undefined)
            .setAliasurnsList(options.aliases ?? [])
            .setIgnorechangesList(options.ignoreChanges ?? []);
    }

    private send(request: pb.RegisterResourceRequest, inputs: Properties, secrets: Path[] = []): Promise<Registered> {
        request.setObject(marshal(inputs, secrets)).setAcceptsecrets(true).setSupportspartialvalues(true);
        return new Promise((resolve, reject) =>
            this.client.registerResource(request, (error, response) => {
                if (error) return reject(error);
                const id = response.getId();
                this.registered.push(response.getUrn());
                resolve({
                    urn: response.getUrn(),
                    id: id === "" || id === UNKNOWN_ID ? UNKNOWN : id,
                    outputs: known(unmarshal(response.getObject()).value, request.getCustom() && id === ""),
                });
            }),
        );
    }
}

const UNKNOWN_ID = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** In the preview of a creation every output that was not answered is unknown. */
function known(outputs: Properties, preview: boolean): Properties {
    if (!preview) return outputs;
    return new Proxy(outputs, {
        get: (target, key) => (typeof key === "string" && !(key in target) ? UNKNOWN : target[key as string]),
    });
}
