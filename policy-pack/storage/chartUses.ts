import { isUnknown } from "../plain";
import type { Resource } from "../rule";
import { document } from "./documents";
import type { ChartUse, KubernetesObject } from "./model";
import { elements, get, isTree, text, type Tree } from "./values";

/** A `kubernetes:helm.sh/v3:Release`. */
export function chartOfRelease(resource: Resource): ChartUse {
    const { props } = resource;
    const files = get(props, "valueYamlFiles");
    return {
        resource,
        path: "values",
        chart: text(get(props, "chart")),
        repository: text(get(props, "repositoryOpts", "repo")),
        values: get(props, "values"),
        moreValues: isUnknown(files) || elements(files).length > 0,
        namespace: text(get(props, "namespace")),
    };
}

/** Custom resources that install charts: of Argo CD, Flux, and Rancher's Helm controller. */
export function chartOfObject(object: KubernetesObject): ChartUse | undefined {
    const { body } = object;
    const namespace = text(get(body, "spec", "targetNamespace")) ?? object.namespace;
    const use = (chart: unknown, repository: unknown, values: Given, path: string, moreValues = false): ChartUse => ({
        resource: object.resource,
        path: object.path === "" ? path : `${object.path}.${path}`,
        chart: text(chart),
        repository: text(repository),
        values: values.value,
        moreValues: moreValues || values.unreadable,
        namespace,
    });
    switch (`${object.group}/${object.kind}`) {
        case "helm.toolkit.fluxcd.io/HelmRelease": {
            const elsewhere = elements(get(body, "spec", "valuesFrom")).length > 0;
            return use(
                get(body, "spec", "chart", "spec", "chart"),
                undefined,
                given(get(body, "spec", "values")),
                "spec.values",
                elsewhere,
            );
        }
        case "helm.cattle.io/HelmChart":
            return use(
                get(body, "spec", "chart"),
                get(body, "spec", "repo"),
                given(get(body, "spec", "valuesContent")),
                "spec.valuesContent",
            );
        case "argoproj.io/Application": {
            const [source] = [
                get(body, "spec", "source"),
                ...elements(get(body, "spec", "sources")).map(([one]) => one),
            ].filter((one) => get(one, "chart") !== undefined);
            const helm = get(source, "helm");
            const values = given(get(helm, "valuesObject") ?? get(helm, "values"));
            const merged = isTree(values.value)
                ? { ...values, value: withParameters(values.value, get(helm, "parameters")) }
                : values;
            const key = get(helm, "valuesObject") !== undefined ? "valuesObject" : "values";
            const files = elements(get(helm, "valueFiles")).length > 0;
            return source === undefined
                ? undefined
                : use(get(source, "chart"), get(source, "repoURL"), merged, `spec.source.helm.${key}`, files);
        }
        default:
            return undefined;
    }
}

interface Given {
    value: unknown;
    unreadable: boolean;
}

function given(values: unknown): Given {
    if (typeof values !== "string") {
        return { value: values ?? {}, unreadable: false };
    }
    const read = document(values);
    return { value: read ?? {}, unreadable: read === undefined };
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
