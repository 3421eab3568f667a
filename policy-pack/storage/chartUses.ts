import { isUnknown } from "../plain";
import type { Resource } from "../rule";
import { document } from "./documents";
import type { ChartUse, KubernetesObject } from "./model";
import { elements, get, isTree, text, under, type Tree } from "./values";

/** A `kubernetes:helm.sh/v3:Release`. */
export function chartOfRelease(resource: Resource): ChartUse {
    const { props } = resource;
    const files = get(props, "valueYamlFiles");
    return {
        resource,
        path: "values",
        chart: text(get(props, "chart")),
        version: text(get(props, "version")),
        versionPath: "version",
        repository: text(get(props, "repositoryOpts", "repo")),
        values: get(props, "values"),
        moreValues: isUnknown(files) || elements(files).length > 0 ? "valueYamlFiles" : undefined,
        namespace: text(get(props, "namespace")),
    };
}

/** Custom resources that install charts: of Argo CD, Flux, and Rancher's Helm controller. */
export function chartsOfObject(object: KubernetesObject): ChartUse[] {
    const { body, group, kind } = object;
    const spec = { value: get(body, "spec"), path: under(object.path, "spec") };
    switch (`${group}/${kind}`) {
        case "helm.toolkit.fluxcd.io/HelmRelease":
            return [ofFlux(object, spec)];
        case "helm.cattle.io/HelmChart":
            return [ofRancher(object, spec)];
        case "argoproj.io/Application":
            return ofArgo(object, spec);
        case "argoproj.io/ApplicationSet": {
            const path = under(spec.path, "template", "spec");
            return ofArgo(object, { value: get(spec.value, "template", "spec"), path });
        }
        default:
            return [];
    }
}

interface At {
    value: unknown;
    path: string;
}

function ofFlux({ resource, namespace }: KubernetesObject, { value, path }: At): ChartUse {
    const values = given(get(value, "values"));
    const at = under(path, "values");
    return {
        resource,
        path: at,
        chart: text(get(value, "chart", "spec", "chart")),
        version: text(get(value, "chart", "spec", "version")),
        versionPath: under(path, "chart", "spec", "version"),
        repository: text(get(value, "chart", "spec", "sourceRef", "name")),
        values: values.value,
        moreValues: elements(get(value, "valuesFrom")).length > 0 ? under(path, "valuesFrom") : values.unreadable && at,
        namespace: text(get(value, "targetNamespace")) ?? namespace,
    };
}

function ofRancher({ resource, namespace }: KubernetesObject, { value, path }: At): ChartUse {
    const values = given(get(value, "valuesContent"));
    const at = under(path, "valuesContent");
    return {
        resource,
        path: at,
        chart: text(get(value, "chart")),
        version: text(get(value, "version")),
        versionPath: under(path, "version"),
        repository: text(get(value, "repo")),
        values: values.value,
        moreValues: values.unreadable && at,
        namespace: text(get(value, "targetNamespace")) ?? namespace,
    };
}

/** The charts of an Application: from a chart repository, or from a folder in git if values are given. */
function ofArgo({ resource }: KubernetesObject, { value, path }: At): ChartUse[] {
    const sources = [
        { value: get(value, "source"), path: under(path, "source") },
        ...elements(get(value, "sources")).map(([one, index]) => ({ value: one, path: under(path, "sources", index) })),
    ].filter(({ value: one }) => get(one, "chart") !== undefined || get(one, "helm") !== undefined);
    return sources.map(({ value: source, path: at }) => {
        const helm = get(source, "helm");
        const key = get(helm, "valuesObject") !== undefined ? "valuesObject" : "values";
        const values = given(get(helm, key));
        const where = under(at, "helm", key);
        return {
            resource,
            path: where,
            chart: text(get(source, "chart")),
            version: text(get(source, "targetRevision")),
            versionPath: under(at, "targetRevision"),
            repository: text(get(source, "repoURL")),
            values: isTree(values.value) ? withParameters(values.value, get(helm, "parameters")) : values.value,
            moreValues:
                elements(get(helm, "valueFiles")).length > 0
                    ? under(at, "helm", "valueFiles")
                    : values.unreadable && where,
            namespace: text(get(value, "destination", "namespace")),
        };
    });
}

interface Given {
    value: unknown;
    /** `undefined` if they can be read. */
    unreadable: true | undefined;
}

function given(values: unknown): Given {
    if (typeof values !== "string") {
        return { value: values ?? {}, unreadable: undefined };
    }
    const read = document(values);
    return { value: read ?? {}, unreadable: read === undefined ? true : undefined };
}

/** `a.b.c=value` set above the values, as `helm --set` does. */
function withParameters(values: Tree, parameters: unknown): Tree {
    const result = structuredCloneOf(values);
    for (const [parameter] of elements(parameters)) {
        const [name, value] = [get(parameter, "name"), get(parameter, "value")];
        const steps = typeof name === "string" ? name.split(".") : [];
        if (steps.length > 0 && !steps.includes("__proto__")) {
            set(result, steps, value === "true" ? true : value === "false" ? false : value);
        }
    }
    return result;
}

function set(tree: Tree, [step, ...rest]: string[], value: unknown): void {
    if (rest.length === 0) {
        tree[step] = value;
        return;
    }
    const inner = get(tree, step);
    tree[step] = isTree(inner) ? inner : {};
    set(tree[step] as Tree, rest, value);
}

function structuredCloneOf(value: unknown): Tree {
    const copy = (one: unknown): unknown =>
        Array.isArray(one)
            ? one.map(copy)
            : isTree(one)
              ? Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, copy(inner)]))
              : one;
    return copy(value) as Tree;
}
