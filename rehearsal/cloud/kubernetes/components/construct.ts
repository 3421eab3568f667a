import { Reference } from "../../shell/marshal";
import type { Registered, Registrar } from "../../shell/monitor";
import type { ConstructRequest, ConstructResult } from "../../shell/package";
import type { Properties } from "../../shell/type";
import { record, text } from "../../shell/values";
import { isNamespaced, tokenOf } from "../api/kinds";
import { nameOf, namespaceOf } from "../api/object";
import { modelOf } from "../helm/models";
import { kindOfManifest, render } from "../helm/objects";
import { manifestsOf } from "./manifests";

/** The components of @pulumi/kubernetes that live in its provider. */
export async function constructComponent(request: ConstructRequest, monitor: Registrar): Promise<ConstructResult> {
    switch (request.type) {
        case "kubernetes:yaml/v2:ConfigFile":
        case "kubernetes:yaml/v2:ConfigGroup":
            return register(
                request,
                monitor,
                manifestsOf(request.inputs),
                request.type.endsWith("ConfigFile") ? ["file"] : ["files", "objs", "yaml"],
            );
        case "kubernetes:helm.sh/v4:Chart":
            return register(request, monitor, chartOf(request), ["values", "chart"]);
        default:
            throw new Error(`component ${request.type} is not simulated`);
    }
}

/** A chart as plain resources: no release, no hooks in order, no waiting but that of each resource. */
function chartOf({ name, inputs }: ConstructRequest): Properties[] {
    const model = modelOf(inputs.chart);
    if (!model) {
        throw new Error(
            `nothing is known of the chart "${String(inputs.chart)}": a helm.v4.Chart needs a model, a helm.v3.Release is taken as opaque`,
        );
    }
    const values = record(inputs.values);
    const plan = {
        model,
        request: { name: text(inputs.name) ?? name, namespace: text(inputs.namespace) ?? "default", values },
        skipDefinitions: inputs.skipCrds === true,
    };
    const { objects, hooks = [], definitions = [] } = render(plan);
    const crds = plan.skipDefinitions
        ? []
        : definitions.map((one) => ({
              apiVersion: "apiextensions.k8s.io/v1",
              kind: "CustomResourceDefinition",
              ...one,
          }));
    return [...crds, ...objects, ...hooks.map(({ manifest }) => manifest)];
}

/** Children are named `<prefix>:<namespace>/<name>`; definitions and namespaces come before what needs them. */
async function register(
    request: ConstructRequest,
    monitor: Registrar,
    manifests: Properties[],
    uses: string[],
): Promise<ConstructResult> {
    const root = await monitor.root();
    const prefix = text(request.inputs.resourcePrefix) ?? request.name;
    const first = (manifest: Properties): boolean =>
        ["CustomResourceDefinition", "Namespace"].includes(String(manifest.kind));
    const make = async (manifest: Properties, dependsOn: Registered[]): Promise<Registered> => {
        const kind = kindOfManifest(manifest);
        const name =
            isNamespaced(kind.kind) && record(manifest.metadata).namespace !== undefined
                ? `${namespaceOf(manifest)}/${nameOf(manifest)}`
                : nameOf(manifest);
        return monitor.custom(tokenOf(kind), `${prefix}:${name}`, withAnnotations(manifest, request.inputs), {
            uses,
            dependsOn,
        });
    };
    const before = await Promise.all(manifests.filter(first).map((one) => make(one, [])));
    const after = await Promise.all(manifests.filter((one) => !first(one)).map((one) => make(one, before)));
    const outputs = { resources: [...before, ...after].map((one) => new Reference(one.urn, one.id)) };
    await monitor.outputs(root, outputs);
    return { urn: root.urn, outputs };
}

function withAnnotations(manifest: Properties, inputs: Properties): Properties {
    if (inputs.skipAwait !== true) {
        return manifest;
    }
    const metadata = record(manifest.metadata);
    return {
        ...manifest,
        metadata: { ...metadata, annotations: { ...record(metadata.annotations), "pulumi.com/skipAwait": "true" } },
    };
}
