import { strict as assert } from "node:assert";
import type { Properties } from "../../rehearsal/cloud/shell/type";
import { modelOf } from "../../rehearsal/cloud/kubernetes/helm/models";
import { nameOf } from "../../rehearsal/cloud/kubernetes/api/object";
import real from "./cloud-kubernetes-charts.json";

interface Chart {
    objects: string[];
    values?: Properties;
}

describe("Chart models", () => {
    for (const [name, chart] of Object.entries(real.charts as Record<string, Chart>)) {
        it(`${name}: the same objects as the real chart`, () => {
            const chartName = name.replace(/-(default|production)$/, "");
            const model = modelOf(chartName);
            assert.ok(model);
            const request = { name: chartName, namespace: "x", values: chart.values ?? {} };
            assert.deepEqual(model.check?.(request) ?? [], []);
            const { objects, hooks = [], definitions = [] } = model.render(request);
            const made = [
                ...definitions.map((one) => `CustomResourceDefinition ${nameOf(one)}`),
                ...objects.map((one) => `${String(one.kind)} ${nameOf(one)}`),
                ...hooks.map(
                    ({ manifest, events }) => `${String(manifest.kind)} ${nameOf(manifest)} [${events.join(",")}]`,
                ),
            ];
            assert.deepEqual(made.sort(), [...chart.objects].sort());
        });
    }

    it("are found by repository, registry, folder and archive", () => {
        for (const chart of [
            "airflow",
            "oci://registry.example.com/charts/airflow",
            "./charts/airflow",
            "vendor/airflow-1.22.0.tgz",
        ]) {
            assert.equal(modelOf(chart)?.name, "airflow", chart);
        }
        assert.equal(modelOf("grafana"), undefined);
    });

    it("refuse values that the real charts refuse", () => {
        const check = (values: Properties): string =>
            (modelOf("airflow")?.check?.({ name: "airflow", namespace: "x", values }) ?? []).join("\n");
        assert.match(check({ airflowVersion: "2.10.5" }), /2\.11\.0 and above/);
        assert.match(check({ redis: { passwordSecretName: "p" } }), /brokerUrlSecretName/);
        assert.match(check({ logs: { persistence: { accessMode: "ReadWriteMany" } } }), /'accessMode' not allowed/);
        assert.match(
            (modelOf("aws-load-balancer-controller")?.check?.({ name: "a", namespace: "x", values: {} }) ?? []).join(),
            /clusterName/,
        );
    });
});
