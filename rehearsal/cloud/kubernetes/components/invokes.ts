import { CloudError, type Properties, type SimulatedInvoke } from "../../shell/type";
import { record, text } from "../../shell/values";
import { modelOf } from "../helm/models";
import { render } from "../helm/objects";
import { parseManifests } from "./manifests";

/** What the SDK's own components (yaml v1, helm v3 Chart) ask of the provider. */
export const invokes: SimulatedInvoke[] = [
    {
        token: "kubernetes:yaml:decode",
        invoke: (args) => ({
            result: parseManifests(String(args.text ?? "")).map((manifest) => {
                const metadata = record(manifest.metadata);
                return args.defaultNamespace && metadata.namespace === undefined
                    ? { ...manifest, metadata: { ...metadata, namespace: args.defaultNamespace } }
                    : manifest;
            }),
        }),
    },
    {
        token: "kubernetes:helm:template",
        invoke: (args) => ({ result: template(record(JSON.parse(String(args.jsonOpts ?? "{}")))) }),
    },
];

function template(options: Properties): Properties[] {
    const chart = options.chart ?? options.path;
    const model = modelOf(chart);
    if (!model) {
        throw new CloudError(
            "NotSimulated",
            `nothing is known of the chart "${String(chart)}", and the rehearsal runs no Helm: a helm.v3.Release of it is taken as ` +
                "opaque; for its objects, render it (helm template) and hand them to a yaml.v2.ConfigGroup",
        );
    }
    const name = text(options.release_name) ?? text(options.releaseName) ?? "release-name";
    const { objects, hooks = [] } = render({
        model,
        request: { name, namespace: text(options.namespace) ?? "default", values: record(options.values) },
        skipDefinitions: true,
    });
    return [...objects, ...hooks.map(({ manifest }) => manifest)];
}
