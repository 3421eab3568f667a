import { strict as assert } from "node:assert";
import type { Properties } from "../../rehearsal/cloud/shell/type";
import { modelOf } from "../../rehearsal/cloud/kubernetes/helm/models";
import { nameOf } from "../../rehearsal/cloud/kubernetes/api/object";
import type { Loose } from "../components/mocks";
import real from "./cloud-kubernetes-charts.json";

interface Chart {
    objects: string[];
    values?: Properties;
}

describe("Chart models", () => {
    for (const [name, chart] of Object.entries(real.charts as Record<string, Chart>)) {
        it(`${name}: the same objects as the real chart`, () => {
            const chartName = name.replace(/-(default|production|sets)$/, "");
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

    describe("of Airflow", () => {
        const render = (values: Properties) => {
            const { objects } = modelOf("airflow")!.render({ name: "airflow", namespace: "x", values });
            return (kind: string, name: string): Loose =>
                objects.find((one) => one.kind === kind && nameOf(one) === name) as Loose;
        };
        const sets = render((real.charts["airflow-sets"] as Chart).values!);

        it("ask for the tasks of each set's own queues, unless a query is given, which all sets then have", () => {
            const query = (find: typeof sets, name: string): string =>
                find("ScaledObject", name).spec.triggers[0].metadata.query;
            assert.match(query(sets, "airflow-worker"), / \/ 16\) .* queue IN \('default','quick'\)$/);
            assert.match(query(sets, "airflow-worker-long"), / queue IN \('long'\)$/);
            const given = { enabled: true, query: "SELECT 1" };
            const literal = render({ workers: { celery: { keda: given, sets: [{ name: "long", queue: "long" }] } } });
            assert.equal(query(literal, "airflow-worker-long"), "SELECT 1");
        });

        it("give each set an account, a selector and a place of its own", () => {
            const { spec } = sets("StatefulSet", "airflow-worker-fixed");
            assert.equal(spec.replicas, 3);
            assert.equal(spec.selector.matchLabels["worker-set"], "fixed");
            assert.equal(spec.template.spec.serviceAccountName, "airflow-worker-fixed");
            assert.ok(!("worker-set" in sets("PodDisruptionBudget", "airflow-worker-pdb").spec.selector.matchLabels));
        });

        it("lead an Ingress to a port that the Service has", () => {
            const named = (find: typeof sets, server: string) => [
                find("Ingress", "airflow-ingress").spec.rules[0].http.paths[0].backend.service.port.name,
                find("Service", `airflow-${server}`).spec.ports[0].name,
            ];
            assert.deepEqual(named(sets, "webserver"), ["airflow-ui", "airflow-ui"]);
            const three = render({ ingress: { apiServer: { enabled: true } } });
            assert.deepEqual(named(three, "api-server"), ["api-server", "api-server"]);
        });

        it("run the image by its digest, clone before the start, and tell the Cluster Autoscaler what may move", () => {
            const find = render({
                images: { airflow: { repository: "r/airflow", tag: "1", digest: "sha256:abc" } },
                imagePullSecrets: ["pull"],
                dags: { gitSync: { enabled: true, knownHosts: "h ssh-rsa A" } },
                workers: { celery: { persistence: { enabled: false } } },
            });
            const { metadata, spec } = find("Deployment", "airflow-worker").spec.template;
            assert.deepEqual(metadata.annotations, { "cluster-autoscaler.kubernetes.io/safe-to-evict": "false" });
            assert.deepEqual(
                spec.initContainers.map(({ name }: Loose) => name),
                ["wait-for-airflow-migrations", "git-sync-init"],
            );
            assert.equal(spec.containers[0].image, "r/airflow@sha256:abc");
            assert.ok("known_hosts" in find("ConfigMap", "airflow-config").data);
            for (const [kind, name] of [
                ["StatefulSet", "airflow-redis"],
                ["Deployment", "airflow-statsd"],
            ]) {
                assert.deepEqual(find(kind, name).spec.template.spec.imagePullSecrets, [{ name: "pull" }], name);
            }
        });

        it("know what only some values bring: Flower, a database that is cleaned, other scalers", () => {
            const find = render({
                flower: { enabled: true, secretName: "login" },
                databaseCleanup: { enabled: true },
                apiServer: { hpa: { enabled: true } },
                triggerer: { keda: { enabled: true } },
                pgbouncer: { enabled: true },
            });
            const [flower] = find("Deployment", "airflow-flower").spec.template.spec.containers;
            assert.equal(flower.image, "apache/airflow:3.2.2");
            assert.equal(flower.env.at(-1).valueFrom.secretKeyRef.name, "login");
            const { template } = find("CronJob", "airflow-database-cleanup").spec.jobTemplate.spec;
            assert.equal(template.spec.serviceAccountName, "airflow-database-cleanup");
            assert.equal(find("HorizontalPodAutoscaler", "airflow-api-server").spec.scaleTargetRef.kind, "Deployment");
            assert.ok(!("replicas" in find("Deployment", "airflow-api-server").spec));
            const [{ metadata }] = find("ScaledObject", "airflow-triggerer").spec.triggers;
            assert.equal(metadata.connectionFromEnv, "KEDA_DB_CONN");
        });

        it("keep the chart's own image when only the version is another", () => {
            const find = render({ airflowVersion: "2.11.0", dags: { gitSync: { enabled: true } } });
            const { spec } = find("Deployment", "airflow-scheduler").spec.template;
            assert.equal(spec.containers[0].image, "apache/airflow:3.2.2");
            assert.deepEqual(
                spec.containers.map(({ name }: Loose) => name),
                ["scheduler", "git-sync", "scheduler-log-groomer"],
            );
        });

        it("have no workers and no broker without Celery", () => {
            const find = render({ executor: "KubernetesExecutor" });
            assert.equal(find("StatefulSet", "airflow-worker"), undefined);
            assert.equal(find("StatefulSet", "airflow-redis"), undefined);
        });

        it("hand the tokens' key to servers and scheduler only, not to what waits before them", () => {
            const { spec } = render({})("Deployment", "airflow-scheduler").spec.template;
            const has = ({ env }: Loose): boolean =>
                env.some(({ name }: Loose) => name === "AIRFLOW__API_AUTH__JWT_SECRET");
            assert.deepEqual([spec.initContainers.some(has), has(spec.containers[0])], [false, true]);
        });
    });

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
