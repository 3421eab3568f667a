import type { WorldObject } from "../../shell/world";
import { serves } from "../api/access";
import { refusedUpdates } from "../api/immutable";
import { isNamespaced, qualifiedKind, tokenOf, type Kind } from "../api/kinds";
import { liveManifest } from "../api/live";
import { annotationsOf, idOf, nameOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { checkManifest } from "../api/validate";
import { at, list, record } from "../api/value";
import { Kinds, releaseToken, type Cluster } from "../cluster";
import { mutatesServices, nlbClass, webhookRefusal } from "../control/loadBalancers";
import type { ChartModel, ReleaseRequest, Rendered } from "./chart";

/** What a release is about to do. */
export interface ReleasePlan {
    model?: ChartModel;
    request: ReleaseRequest;
    skipDefinitions: boolean;
}

export function kindOfManifest(manifest: Manifest): Kind {
    return {
        apiVersion: String(manifest.apiVersion ?? "apiextensions.k8s.io/v1"),
        kind: String(manifest.kind ?? "CustomResourceDefinition"),
    };
}

/** The objects of a chart, each with its namespace; charts that are not known bring nothing. */
export function render({ model, request }: ReleasePlan): Rendered {
    if (!model) {
        return { objects: [] };
    }
    const { objects, hooks = [], definitions = [] } = model.render(request);
    return {
        objects: objects.map((one) => placed(one, request.namespace)),
        hooks: hooks.map((hook) => ({ ...hook, manifest: placed(hook.manifest, request.namespace) })),
        definitions,
    };
}

function placed(manifest: Manifest, namespace: string): Manifest {
    const metadata = record(manifest.metadata);
    return isNamespaced(String(manifest.kind)) && metadata.namespace === undefined
        ? { ...manifest, metadata: { ...metadata, namespace } }
        : manifest;
}

/** `Deployment.apps/apps/v1: ["airflow/airflow-scheduler", …]`, as the provider groups the names. */
export function namesOf({ objects }: Rendered): Record<string, string[]> {
    const names: Record<string, string[]> = {};
    for (const object of objects) {
        const kind = kindOfManifest(object);
        const key = `${qualifiedKind(kind)}/${kind.apiVersion}`;
        (names[key] ??= []).push(idOf(isNamespaced(kind.kind), object));
    }
    return names;
}

/** The living objects of a release. */
export function objectsOf(cluster: Cluster, release: WorldObject): WorldObject[] {
    const names = record(release.outputs.resourceNames);
    return Object.entries(names).flatMap(([key, ids]) => {
        const match = /^([^./]+)(?:\.[^/]+)?\/(.+)$/.exec(key);
        const kind = { apiVersion: match?.[2] ?? "", kind: match?.[1] ?? "" };
        return list(ids)
            .map((id) => {
                const [namespace, name] = isNamespaced(kind.kind) ? String(id).split(/\/(.*)/) : ["", String(id)];
                return cluster.get(kind, namespace, name);
            })
            .filter((object): object is WorldObject => object !== undefined && belongs(object, release));
    });
}

function belongs(object: WorldObject, release: WorldObject): boolean {
    return object.owner?.token === releaseToken && object.owner.id === release.id;
}

/** Why Helm would refuse: objects that are not its own, webhooks that do not answer, invalid or immutable fields. */
export function refusal(cluster: Cluster, plan: ReleasePlan, release?: WorldObject): string | undefined {
    const rendered = render(plan);
    const kinds = new Set([...list(rendered.definitions), ...rendered.objects].map((one) => servedBy(record(one))));
    for (const manifest of rendered.objects) {
        const kind = kindOfManifest(manifest);
        const there = cluster.get(kind, namespaceOf(manifest), nameOf(manifest));
        const ownerId = `${plan.request.namespace}/${plan.request.name}`;
        const kept = there && annotationsOf(there.outputs)["meta.helm.sh/release-name"] === plan.request.name;
        if (there && !(there.owner?.token === releaseToken && there.owner.id === ownerId) && !kept) {
            return (
                `Unable to continue with install: ${kind.kind} "${nameOf(manifest)}" in namespace "${isNamespaced(kind.kind) ? namespaceOf(manifest) : ""}" exists and cannot be ` +
                'imported into the current release: invalid ownership metadata; label validation error: missing key "app.kubernetes.io/managed-by": must be set to "Helm"'
            );
        }
        if (!kinds.has(`${kind.apiVersion.split("/")[0]}/${kind.kind}`) && !serves(cluster, kind)) {
            return `unable to build kubernetes objects from release manifest: resource mapping not found for name: "${nameOf(manifest)}": no matches for kind "${kind.kind}" in version "${kind.apiVersion}" ensure CRDs are installed first`;
        }
        const invalid = kind.kind === "CustomResourceDefinition" ? [] : checkManifest(kind, manifest);
        if (invalid.length > 0) {
            return `${qualifiedKind(kind)} "${nameOf(manifest)}" is invalid: ${invalid.map(({ property, reason }) => `${property}: ${reason}`).join(", ")}`;
        }
        const hook = there ? undefined : ownWebhook(rendered, kind) ? undefined : webhookRefusal(cluster, kind);
        if (hook) {
            return hook;
        }
        const frozen =
            release &&
            there &&
            refusedUpdates(kind, there.outputs, liveManifest(cluster, kind, manifest, there.outputs));
        if (frozen) {
            return `cannot patch "${nameOf(manifest)}" with kind ${kind.kind}: ${frozen}`;
        }
    }
    return undefined;
}

/** Helm makes webhook configurations after Services and Ingresses, so a chart's own webhook does not stop it. */
function ownWebhook(rendered: Rendered, kind: Kind): boolean {
    return (
        kind.kind === "Service" &&
        rendered.objects.some((one) => JSON.stringify(one.webhooks ?? "").includes("mservice.elbv2.k8s.aws"))
    );
}

function servedBy(manifest: Manifest): string {
    return manifest.kind === undefined || manifest.kind === "CustomResourceDefinition"
        ? `${String(at(manifest, "spec", "group"))}/${String(at(manifest, "spec", "names", "kind"))}`
        : "";
}

/** Charts' `crds/` folders: installed when absent, and never touched again. */
export function installDefinitions(cluster: Cluster, plan: ReleasePlan): void {
    if (plan.skipDefinitions) {
        return;
    }
    for (const definition of render(plan).definitions ?? []) {
        if (!cluster.get(Kinds.CustomResourceDefinition, "", nameOf(definition))) {
            cluster.apply(
                Kinds.CustomResourceDefinition,
                liveManifest(cluster, Kinds.CustomResourceDefinition, definition),
            );
        }
    }
}

export function install(cluster: Cluster, plan: ReleasePlan, release: WorldObject): void {
    const objects = render(plan).objects;
    const order = (manifest: Manifest): number =>
        ["CustomResourceDefinition", "ServiceAccount", "PriorityClass", "Secret", "ConfigMap"].indexOf(
            String(manifest.kind),
        ) >>> 0;
    for (const manifest of [...objects].sort((a, b) => order(a) - order(b))) {
        put(cluster, manifest, plan, release);
    }
}

function put(cluster: Cluster, manifest: Manifest, { request }: ReleasePlan, release?: WorldObject): void {
    const kind = kindOfManifest(manifest);
    const old = cluster.get(kind, namespaceOf(manifest), nameOf(manifest));
    const metadata = record(manifest.metadata);
    const marked = {
        ...manifest,
        metadata: {
            ...metadata,
            labels: { ...record(metadata.labels), "app.kubernetes.io/managed-by": "Helm" },
            annotations: {
                ...record(metadata.annotations),
                "meta.helm.sh/release-name": request.name,
                "meta.helm.sh/release-namespace": request.namespace,
            },
        },
    };
    const live = liveManifest(cluster, kind, marked, old?.outputs);
    if (kind.kind === "Service") {
        const before = at(old?.outputs, "spec", "loadBalancerClass");
        const mutated = !old && specOf(live).type === "LoadBalancer" && mutatesServices(cluster) ? nlbClass : undefined;
        live.spec = { ...(before || mutated ? { loadBalancerClass: before ?? mutated } : {}), ...specOf(live) };
    }
    cluster.apply(kind, live, release && { token: releaseToken, id: release.id });
}

/** What a new revision does not contain any more goes, unless it is marked to be kept. */
export function removeStale(cluster: Cluster, plan: ReleasePlan, release: WorldObject): void {
    const now = new Set(
        render(plan).objects.map(
            (one) => `${tokenOf(kindOfManifest(one))} ${idOf(isNamespaced(String(one.kind)), one)}`,
        ),
    );
    for (const object of owned(cluster, release)) {
        if (!now.has(`${object.token} ${object.id}`) && !isKept(object)) {
            cluster.remove(object);
        }
    }
}

/** Everything that a release owns of the kinds that charts here bring. */
function owned(cluster: Cluster, release: WorldObject): WorldObject[] {
    const custom: Kind[] = [Kinds.ScaledObject, { apiVersion: "elbv2.k8s.aws/v1beta1", kind: "IngressClassParams" }];
    return [...Object.values(Kinds), ...custom]
        .flatMap((kind) => cluster.list(kind))
        .filter((object) => belongs(object, release));
}

export function isKept(object: WorldObject): boolean {
    return annotationsOf(object.outputs)["helm.sh/resource-policy"] === "keep";
}

/** Hooks are objects outside of the release: made anew each time their moment comes. */
export function runHooks(cluster: Cluster, plan: ReleasePlan, event: string): void {
    const hooks = (render(plan).hooks ?? [])
        .filter((hook) => hook.events.includes(event))
        .sort((a, b) => a.weight - b.weight);
    for (const { manifest } of hooks) {
        const kind = kindOfManifest(manifest);
        const old = cluster.get(kind, namespaceOf(manifest), nameOf(manifest));
        if (
            old &&
            kind.kind === "Job" &&
            at(old.outputs, "status", "completionTime") !== undefined &&
            event.startsWith("post")
        ) {
            continue;
        }
        if (old) {
            cluster.remove(old);
        }
        put(cluster, manifest, plan);
    }
}
