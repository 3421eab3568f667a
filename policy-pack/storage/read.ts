import { isUnknown } from "../plain";
import type { Resource } from "../rule";
import { addonClasses } from "./addons";
import { readChart } from "./charts";
import { chartOfRelease, chartsOfObject } from "./chartUses";
import { looksLikeClaim, readClaim } from "./claims";
import { documents } from "./documents";
import { nothing, type Carried, type ChartUse, type Claim, type KubernetesObject, type Place } from "./model";
import { isContainer, isDescribing, kubernetesType, looksLikeObject, objectsIn } from "./objects";
import { mismatches, misshapen } from "./shapes";
import { elements, get, isTree, text, under } from "./values";
import { classOfValues, looksLikeClass, looksLikeMount, readClass, readSource, readVolume } from "./volumes";
import { readWorkload } from "./workloads";

const read = new WeakMap<Resource, Carried>();

/** Everything about storage that a resource carries, wherever in it; read once. */
export function readResource(resource: Resource): Carried {
    let carried = read.get(resource);
    if (!carried) {
        carried = nothing();
        new Reader(carried).resource(resource);
        read.set(resource, carried);
    }
    return carried;
}

/** The keys under which a value that is not known yet may hide a claim or a volume. */
const hiding = new Set([
    "spec",
    "template",
    "podTemplate",
    "jobTemplate",
    "items",
    "volumes",
    "volumeClaimTemplates",
    "volumeClaimTemplate",
    "ephemeral",
    "storage",
    "persistence",
    "values",
]);
const templateKeys = new Set([
    "volumeClaimTemplate",
    "volumeClaimTemplates",
    "persistentVolumeClaimTemplate",
    "pvcTemplate",
]);

/** More than any real object has; a value with more is not read to its end, and said to be so. */
const mostNodes = 200_000;

class Reader {
    #nodes = 0;

    constructor(readonly carried: Carried) {}

    resource(resource: Resource): void {
        this.carried.classes.push(...addonClasses(resource, this.carried));
        const type = kubernetesType(resource.type);
        if (!type) {
            return;
        }
        const place = { resource, path: "" };
        if (isContainer(resource)) {
            this.#container(place);
        } else if (/^helm\.sh\/v\d+$/.test(type.apiVersion) && type.kind === "Release") {
            this.#expect(resource, { chart: "text", values: {} });
            this.#chart(chartOfRelease(resource));
        } else {
            const { apiVersion, kind } = ownType(resource) ?? type;
            if (kind.endsWith("List")) {
                this.#expect(resource, { items: [{}] });
            }
            objectsIn(place, resource.props, apiVersion, kind).forEach((object) => this.object(object));
        }
    }

    /** Files of objects: read here only if their text is among the properties (otherwise their objects are resources of their own). */
    #container(place: Place): void {
        // With anything unknown in it, preview does not take it apart: what is in it is judged when `up` does.
        for (const [key, value] of Object.entries(place.resource.props)) {
            if (holdsUnknown(value)) {
                this.carried.blanks.push({ ...place, path: key });
            }
        }
        for (const key of ["yaml", "objs", "objects", "manifests"]) {
            for (const [part, index] of elements(get(place.resource.props, key))) {
                const where = { ...place, path: under(key, index) };
                const found = typeof part === "string" ? documents(part) : [part];
                if (found === undefined) {
                    this.#malformed(where, "It is no YAML that can be read.");
                } else if (found.some((one) => one !== null && one !== undefined && !isTree(one) && !isUnknown(one))) {
                    this.#malformed(where, "It holds something that is no object.");
                }
                found?.forEach(
                    (one) =>
                        looksLikeObject(one) &&
                        objectsIn(where, one, one.apiVersion, one.kind).forEach((o) => this.object(o)),
                );
            }
        }
    }

    object(object: KubernetesObject): void {
        this.carried.objects.push(object);
        if (object.group === "" && object.kind === "ConfigMap") {
            this.#podTemplates(object);
        }
        if (isDescribing(object)) {
            return;
        }
        this.carried.malformed.push(...misshapen(object));
        this.#blank(object, "spec", object.body.spec);
        switch (`${object.group}/${object.kind}`) {
            case "storage.k8s.io/StorageClass":
                this.carried.classes.push(readClass(object));
                return;
            case "/PersistentVolume":
                this.carried.volumes.push(readVolume(object));
                return;
            case "/PersistentVolumeClaim":
                this.#claim(object);
                return;
        }
        const charts = chartsOfObject(object);
        if (charts.length > 0) {
            charts.forEach((chart) => this.#chart(chart));
            return;
        }
        const workload = readWorkload(object);
        if (workload) {
            this.carried.workloads.push(workload);
        }
        for (const [key, value] of Object.entries(object.body)) {
            if (!["metadata", "status", "apiVersion", "kind"].includes(key) && !key.startsWith("__")) {
                this.#inside(object, key, value, false);
            }
        }
    }

    #malformed(place: Place, why: string): void {
        this.carried.malformed.push({ ...place, why, about: "claim" });
    }

    #expect(resource: Resource, shape: Parameters<typeof mismatches>[1]): void {
        for (const { path, why } of mismatches(resource.props, shape, "")) {
            this.#malformed({ resource, path }, why);
        }
    }

    #chart(chart: ChartUse): void {
        this.carried.charts.push(chart);
        const { resource } = chart;
        readChart(chart, this.carried, (value, path) => this.value({ resource, path }, value, true));
    }

    /** Of what a ConfigMap holds only whole pods count: Airflow's KubernetesExecutor, for one, makes pods of such a file. */
    #podTemplates({ resource, path, body }: KubernetesObject): void {
        for (const [key, value] of isTree(body.data) ? Object.entries(body.data) : []) {
            if (typeof value === "string" && /(^|\n)kind:\s*Pod\s*(\n|$)/.test(value)) {
                this.#manifest({ resource, path: under(path, "data", key) }, value);
            }
        }
    }

    #claim(object: KubernetesObject): void {
        const { resource, body, path } = object;
        const spec = { value: body.spec, path: under(path, "spec") };
        this.carried.claims.push(readClaim(resource, "claim", spec, body.metadata, object.patch));
    }

    /** Looks through any value for claims, volumes, and whole objects. Values of charts follow the customs of charts. */
    value(place: Place, value: unknown, ofChart: boolean): void {
        if (++this.#nodes > mostNodes) {
            if (this.#nodes === mostNodes + 1) {
                this.carried.blanks.push(place);
            }
            return;
        }
        if (Array.isArray(value)) {
            value.forEach((element, index) =>
                this.#element({ ...place, path: under(place.path, index) }, element, ofChart),
            );
            return;
        }
        if (!isTree(value) || (ofChart && isOff(value.enabled))) {
            return;
        }
        if (looksLikeObject(value)) {
            objectsIn(place, value, value.apiVersion, value.kind).forEach((object) => this.object(object));
            return;
        }
        if (looksLikeMount(value)) {
            const { source, key } = readSource(value);
            this.carried.mounts.push({ resource: place.resource, path: under(place.path, key as string), source });
        }
        if (ofChart && looksLikeClass(value)) {
            this.carried.classes.push(classOfValues(place.resource, value, place.path));
        } else if (looksLikeClaim(value)) {
            this.#found(place, value, ofChart);
        }
        for (const [key, inner] of Object.entries(value)) {
            this.#inside(place, key, inner, ofChart);
        }
    }

    #element(place: Place, element: unknown, ofChart: boolean): void {
        if (ofChart && typeof element === "string") {
            this.#manifest(place, element);
        } else {
            this.value(place, element, ofChart);
        }
    }

    /** A text among values that holds whole objects (extra manifests, a pod template). With template code in it, it cannot be read here. */
    #manifest(place: Place, value: string): void {
        if (!/(^|\n)\s*kind:/.test(value) || !/apiVersion:/.test(value)) {
            return;
        }
        const found = documents(value);
        if (found === undefined) {
            this.carried.blanks.push({ resource: place.resource, path: place.path });
        }
        for (const one of found ?? []) {
            if (looksLikeObject(one)) {
                objectsIn(place, one, one.apiVersion, one.kind).forEach((object) => this.object(object));
            }
        }
    }

    #inside(place: Place, key: string, value: unknown, ofChart: boolean): void {
        this.#blank(place, key, value);
        const path = under(place.path, key);
        if (templateKeys.has(key) && (isTree(value) || Array.isArray(value))) {
            const kind = place.path.endsWith("ephemeral") ? "ephemeral" : "template";
            for (const [template, index] of elements(value)) {
                this.#template({ ...place, path: Array.isArray(value) ? under(path, index) : path }, template, kind);
            }
            return;
        }
        if (typeof value === "object" && value !== null && key !== "status") {
            this.value({ ...place, path }, value, ofChart);
        } else if (ofChart && typeof value === "string") {
            this.#manifest({ ...place, path }, value);
        }
    }

    #template(place: Place, template: unknown, kind: Claim["kind"]): void {
        const inner = get(template, "spec");
        const spec =
            inner === undefined
                ? { value: template, path: place.path }
                : { value: inner, path: under(place.path, "spec") };
        if (isUnknown(spec.value)) {
            this.carried.blanks.push({ resource: place.resource, path: spec.path });
        }
        if (isTree(spec.value) || isUnknown(spec.value)) {
            const claim = readClaim(place.resource, kind, spec, get(template, "metadata"), this.#isPatch(place));
            this.carried.claims.push({ ...claim, name: undefined });
        }
    }

    #found(place: Place, value: Record<string, unknown>, ofChart: boolean): void {
        if (ofChart && isUsed(value.existingClaim)) {
            return;
        }
        // Charts and operators have customs of their own: other keys, "-" for no class.
        const unlike =
            value.storageClassName === undefined &&
            ["storageClass", "class", "StorageClass", "storageAccessModes", "AccessMode"].some(
                (key) => value[key] !== undefined && !isTree(value[key]),
            );
        const kind = ofChart || unlike ? "setting" : "template";
        const spec = { value, path: place.path };
        const claim = readClaim(place.resource, kind, spec, get(value, "metadata"), this.#isPatch(place));
        this.carried.claims.push({ ...claim, name: undefined });
    }

    #isPatch(place: Place): boolean {
        return /Patch$/.test(place.resource.type);
    }

    #blank(place: Place, key: string, value: unknown): void {
        if (isUnknown(value) && hiding.has(key)) {
            this.carried.blanks.push({ resource: place.resource, path: under(place.path, key) });
        }
    }
}

function isOff(enabled: unknown): boolean {
    return enabled === false || enabled === "false";
}

function isUsed(value: unknown): boolean {
    return isUnknown(value) || (text(value) !== undefined && value !== "");
}

/** In YAML programs every custom resource has the same type, and says itself what it is. */
function ownType({ type, props }: Resource): { apiVersion: string; kind: string } | undefined {
    const { apiVersion, kind } = props;
    const general = /^kubernetes:apiextensions\.k8s\.io:CustomResource(Patch)?$/.exec(type);
    return general && typeof apiVersion === "string" && typeof kind === "string"
        ? { apiVersion, kind: kind + (general[1] ?? "") }
        : undefined;
}

function holdsUnknown(value: unknown): boolean {
    return isUnknown(value) || (typeof value === "object" && value !== null && Object.values(value).some(holdsUnknown));
}
