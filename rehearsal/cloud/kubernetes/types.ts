import { CloudError, type CheckFailure, type Context, type Properties, type SimulatedType } from "../shell/type";
import { hasUnknown } from "../shell/values";
import type { World, WorldObject } from "../shell/world";
import { absent, admit, inNamespace, reach, served } from "./api/access";
import { refusedUpdates, replacements } from "./api/immutable";
import { isNamespaced, isPatch, resourceName, tokenOf, type Kind } from "./api/kinds";
import { liveManifest } from "./api/live";
import { annotationsOf, idOf, nameOf, namespaceOf, specOf, type Manifest } from "./api/object";
import { applyPatch, withdrawPatch } from "./api/patch";
import { checkManifest } from "./api/validate";
import { amount } from "./api/quantity";
import { at, record, text } from "./api/value";
import { awaited, timeoutOf } from "./await";
import { Cluster, Kinds } from "./cluster";
import { erase, markDeleted, obstacle } from "./control/deletion";
import { mutatesServices, nlbClass, webhookRefusal } from "./control/loadBalancers";
import { elapse } from "./control/reconcile";
import { preStopGrace, secondsOf } from "./durations";

const autonamed = "pulumi.com/autonamed";
const cache = new Map<string, SimulatedType>();

/** What every Kubernetes object is like to the engine, whatever its kind. */
export function objectType(kind: Kind): SimulatedType {
    const token = tokenOf(kind);
    const known = cache.get(token);
    if (known) {
        return known;
    }
    const type = isPatch(kind) ? patchType(kind) : plainType(kind);
    cache.set(token, type);
    return type;
}

function plainType(kind: Kind): SimulatedType {
    return {
        token: tokenOf(kind),
        autoname: false,
        defaults: (inputs, context) => named(kind, inputs, context),
        check: (inputs) => check(kind, inputs),
        replaces: (olds, news) => replacements(kind, olds, news, {}),
        deletesBeforeReplace: sameGivenName,
        checkChange: (_olds, news, world) => refusedChange(kind, news, world),
        id: (inputs) => idOf(isNamespaced(kind.kind), inputs),
        relations: (inputs, world, self) => relations(kind, inputs, world, self),
        outputs: (inputs, _id, world, old) => outputs(kind, inputs, world, old),
        current: (object) => object.outputs,
        secretOutputs: kind.kind === "Secret" ? ["data"] : undefined,
        notReady: (object, world) => awaited(Cluster.of(world), object),
        timeout: timeoutOf,
        refusesDeletion: (_object, world) => unreachable(Cluster.of(world)),
        removing: (object, world) => removing(object, Cluster.of(world)),
        notGone: (object, world) => obstacle(Cluster.of(world), object),
        removed: (object, world) => erase(Cluster.of(world), object),
        seconds: secondsOf(kind),
    };
}

/** `<logical name>-<8 hex>` where the program gives no name, kept from deployment to deployment. */
function named(kind: Kind, inputs: Properties, { name, olds, hex, world }: Context): Properties {
    if (typeof inputs.metadata === "symbol") {
        return inputs;
    }
    const metadata = { ...record(inputs.metadata) };
    const before = record(olds?.metadata);
    if (metadata.name === undefined && metadata.generateName === undefined) {
        const kept = record(before.annotations)[autonamed] === "true" ? before.name : undefined;
        metadata.name = kept ?? `${name}-${hex(8)}`;
        metadata.annotations =
            typeof metadata.annotations === "symbol"
                ? metadata.annotations
                : { ...record(metadata.annotations), [autonamed]: "true" };
    }
    const fallback = text(world.provider.namespace);
    if (isNamespaced(kind.kind) && metadata.namespace === undefined && fallback) {
        metadata.namespace = fallback;
    }
    return { ...inputs, apiVersion: inputs.apiVersion ?? kind.apiVersion, kind: inputs.kind ?? kind.kind, metadata };
}

function check(kind: Kind, inputs: Properties): CheckFailure[] {
    if (kind.kind.endsWith("List") && at(inputs, "items") !== undefined) {
        return [
            {
                property: "kind",
                reason: "list resources exist for compatibility with YAML manifests and Helm charts, and cannot be created directly",
            },
        ];
    }
    if (at(inputs, "metadata", "generateName") !== undefined) {
        return [
            {
                property: "metadata.generateName",
                reason: "the `.metadata.generateName` field is not supported in Server-Side Apply mode",
            },
        ];
    }
    return checkManifest(kind, inputs);
}

/** What the dry run of a preview is refused for: the update itself asks again with everything known. */
function refusedChange(kind: Kind, news: Properties, world: World): CheckFailure[] {
    const cluster = hasUnknown(news) ? undefined : Cluster.of(world);
    const live = cluster?.get(kind, namespaceOf(news), nameOf(news));
    const reason = cluster && live && updateRefusal(cluster, kind, live.outputs, news);
    return reason ? [{ property: "", reason }] : [];
}

/** The same user-given name and namespace: the old object must make room. Source: pulumi-kubernetes, provider.go, Diff. */
function sameGivenName(olds: Properties, news: Properties): boolean {
    return (
        annotationsOf(news)[autonamed] !== "true" &&
        nameOf(news) !== "" &&
        nameOf(news) === nameOf(olds) &&
        namespaceOf(news) === namespaceOf(olds)
    );
}

function relations(kind: Kind, inputs: Properties, world: World, self?: WorldObject): void {
    const cluster = Cluster.of(world);
    reach(cluster);
    served(cluster, kind);
    if (self) {
        const refusal = updateRefusal(cluster, kind, self.outputs, inputs);
        if (refusal) {
            throw new CloudError("Invalid", refusal);
        }
        return;
    }
    inNamespace(cluster, kind, inputs);
    absent(cluster, kind, inputs);
    admit(cluster, kind, inputs);
    const refusal = webhookRefusal(cluster, kind);
    if (refusal) {
        throw new CloudError("InternalError", refusal);
    }
}

/** What update validation and admission refuse. */
export function updateRefusal(cluster: Cluster, kind: Kind, live: Manifest, news: Manifest): string | undefined {
    const refused = refusedUpdates(kind, live, withDefaults(kind, live, news));
    if (refused || kind.kind !== "PersistentVolumeClaim") {
        return refused;
    }
    const [before, now] = [live, news].map((claim) => amount(at(claim, "spec", "resources", "requests", "storage")));
    const storageClass = cluster.manifest(Kinds.StorageClass, "", String(specOf(live).storageClassName));
    return now > before && storageClass?.allowVolumeExpansion !== true
        ? `persistentvolumeclaims "${nameOf(live)}" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize`
        : undefined;
}

/** Fields that the server filled are not taken back by a manifest that does not name them. */
function withDefaults(kind: Kind, live: Manifest, news: Manifest): Manifest {
    if (kind.kind !== "Job" && kind.kind !== "StatefulSet" && kind.kind !== "Deployment" && kind.kind !== "DaemonSet") {
        return news;
    }
    return applyPatch({ spec: overlay(live.spec, news.spec) }, { ...news, spec: {} });
}

/** What a manifest says, completed by what the live object has besides; lists are taken as they are said, element by element. */
function overlay(live: unknown, said: unknown): unknown {
    if (Array.isArray(said)) {
        return Array.isArray(live) && live.length === said.length
            ? said.map((part: unknown, index) => overlay(live[index], part))
            : said;
    }
    if (typeof said === "object" && said !== null && typeof live === "object" && live !== null) {
        const result: Properties = {};
        const known = live as Properties;
        for (const key of Object.keys(said)) {
            result[key] = overlay(known[key], (said as Properties)[key]);
        }
        for (const key of Object.keys(known).filter((one) => serverFields.has(one))) {
            result[key] ??= known[key];
        }
        return result;
    }
    return said === undefined ? live : said;
}

const serverFields = new Set(
    (
        "selector completions parallelism completionMode backoffLimit suspend restartPolicy terminationGracePeriodSeconds dnsPolicy schedulerName " +
        "serviceAccountName podManagementPolicy replicas"
    ).split(" "),
);

function outputs(kind: Kind, inputs: Properties, world: World, old?: WorldObject): Properties {
    const cluster = Cluster.of(world);
    const live = liveManifest(cluster, kind, inputs, old?.outputs);
    if (
        kind.kind === "Service" &&
        !old &&
        specOf(live).type === "LoadBalancer" &&
        specOf(live).loadBalancerClass === undefined &&
        mutatesServices(cluster)
    ) {
        live.spec = { ...specOf(live), loadBalancerClass: nlbClass };
    } else if (kind.kind === "Service" && old && at(old.outputs, "spec", "loadBalancerClass") !== undefined) {
        live.spec = { loadBalancerClass: at(old.outputs, "spec", "loadBalancerClass"), ...specOf(live) };
    }
    return live;
}

function unreachable(cluster: Cluster): string | undefined {
    try {
        reach(cluster);
    } catch (error) {
        return error instanceof Error ? error.message : String(error);
    }
    return undefined;
}

/** Deletion begins. Pods with a preStop hook hold on as long as their grace allows, and background work goes on meanwhile. */
function removing(object: WorldObject, cluster: Cluster): void {
    const grace = preStopGrace(object.outputs);
    if (grace > 0) {
        elapse(cluster, grace);
    }
    markDeleted(cluster, object);
}

/** `DeploymentPatch` and the like: server-side apply on an object that something else made. */
function patchType(kind: Kind): SimulatedType {
    const target: Kind = { apiVersion: kind.apiVersion, kind: kind.kind.slice(0, -"Patch".length) };
    const find = (world: World, inputs: Properties): WorldObject => {
        const cluster = Cluster.of(world);
        reach(cluster);
        const there = cluster.get(target, namespaceOf(inputs), nameOf(inputs));
        if (!there) {
            throw new CloudError("NotFound", `${resourceName(target)} "${nameOf(inputs)}" not found`);
        }
        return there;
    };
    const write = (world: World, manifest: Manifest, there: WorldObject): void =>
        Cluster.of(world).update(there, manifest);
    return {
        token: tokenOf(kind),
        autoname: false,
        defaults: (inputs) => ({ ...inputs, apiVersion: target.apiVersion, kind: target.kind }),
        check: (inputs) => [
            ...(at(inputs, "metadata", "name") === undefined && typeof inputs.metadata !== "symbol"
                ? [
                      {
                          property: "metadata.name",
                          reason: "patch resources require the `.metadata.name` field to be set",
                      },
                  ]
                : []),
        ],
        replaces: (olds, news) => replacements(kind, olds, news, {}),
        id: (inputs) => idOf(isNamespaced(target.kind), inputs),
        relations: (inputs, world) => void find(world, inputs),
        outputs: (inputs, _id, world) => applyPatch(find(world, inputs).outputs, inputs),
        settled: (object, world, old) => {
            const there = find(world, object.inputs);
            const base = old ? withdrawPatch(there.outputs, old.inputs) : there.outputs;
            write(world, applyPatch(base, object.inputs), there);
        },
        removed: (object, world) => {
            const cluster = Cluster.of(world);
            const there = cluster.get(target, namespaceOf(object.inputs), nameOf(object.inputs));
            if (there) {
                write(world, withdrawPatch(there.outputs, object.inputs), there);
            }
        },
        seconds: { create: 1, update: 1, delete: 1, source: "one call to the API server" },
    };
}
