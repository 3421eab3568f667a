import { CloudError, type CheckFailure, type Context, type Properties, type SimulatedType } from "../../shell/type";
import { hasUnknown } from "../../shell/values";
import type { World, WorldObject } from "../../shell/world";
import { inNamespace, reach } from "../api/access";
import { text } from "../api/value";
import { Cluster, Kinds, releaseToken } from "../cluster";
import { elapse, reconcile } from "../control/reconcile";
import { preStopGrace } from "../durations";
import { liveManifest } from "../api/live";
import { modelOf } from "./models";
import {
    install,
    installDefinitions,
    namesOf,
    objectsOf,
    refusal,
    render,
    removeStale,
    runHooks,
    type ReleasePlan,
} from "./objects";
import { unreadFiles, valueFileProblems, valuesOf } from "./valueFiles";
import { leftOf, waitFor } from "./wait";

/** The properties of a release. Source: @pulumi/kubernetes, helm/v3/release.d.ts (ReleaseArgs). */
const known: Record<string, "string" | "boolean" | "number" | "object" | "any"> = {
    allowNullValues: "boolean",
    atomic: "boolean",
    chart: "string",
    cleanupOnFail: "boolean",
    compat: "string",
    createNamespace: "boolean",
    dependencyUpdate: "boolean",
    description: "string",
    devel: "boolean",
    disableCRDHooks: "boolean",
    disableOpenapiValidation: "boolean",
    disableWebhooks: "boolean",
    forceUpdate: "boolean",
    keyring: "string",
    lint: "boolean",
    manifest: "object",
    maxHistory: "number",
    name: "string",
    namespace: "string",
    postrender: "string",
    recreatePods: "boolean",
    renderSubchartNotes: "boolean",
    replace: "boolean",
    repositoryOpts: "object",
    resetValues: "boolean",
    resourceNames: "object",
    reuseValues: "boolean",
    skipAwait: "boolean",
    skipCrds: "boolean",
    timeout: "number",
    valueYamlFiles: "any",
    values: "object",
    verify: "boolean",
    version: "string",
    waitForJobs: "boolean",
};

/**
 * `kubernetes:helm.sh/v3:Release`: Helm inside the provider. It waits unless `skipAwait`, 300 s unless `timeout`.
 * Source: pulumi-kubernetes, provider/pkg/provider/helm_release.go.
 */
export const releaseType: SimulatedType = {
    token: releaseToken,
    autoname: false,
    defaults,
    check,
    replaces: (olds, news) => ["name", "namespace"].filter((field) => olds[field] !== news[field]),
    deletesBeforeReplace: () => false,
    opaque: (inputs) => [
        ...(modelOf(inputs.chart) || hasUnknown(inputs.chart) ? [] : [`Helm chart ${String(inputs.chart)}`]),
        ...unreadFiles(inputs).map((file) => `Helm values ${file}`),
    ],
    id: (inputs) => `${String(inputs.namespace)}/${String(inputs.name)}`,
    relations,
    outputs,
    current: (object) => object.outputs,
    settled: (object, world, old) => settle(object, Cluster.of(world), old),
    notReady: (object, world) => notReady(object, Cluster.of(world)),
    timeout: (object) => seconds(object.inputs),
    refusesDeletion: (_object, world) => {
        try {
            reach(Cluster.of(world));
            return undefined;
        } catch (error) {
            return error instanceof Error ? error.message : String(error);
        }
    },
    removing: (object, world) => removing(object, Cluster.of(world)),
    notGone: (object, world) => leftOf(Cluster.of(world), object),
    removed: (object, world) => removed(object, Cluster.of(world)),
    seconds: (inputs) =>
        durations[modelOf(inputs.chart)?.name ?? ""] ?? {
            create: 60,
            update: 45,
            delete: 20,
            source: "Helm: pods of an average chart become ready",
        },
};

const helm = "Helm --wait: image pulls and readiness probes of the chart's slowest pod";
const durations: Record<string, { create: number; update: number; delete: number; source: string }> = {
    airflow: {
        create: 240,
        update: 150,
        delete: 60,
        source: `${helm}; Airflow's image has about 1.5 GB, its processes start for 60 s and more`,
    },
    keda: { create: 60, update: 45, delete: 30, source: helm },
    "aws-load-balancer-controller": { create: 50, update: 40, delete: 20, source: helm },
    "external-dns": { create: 40, update: 30, delete: 15, source: helm },
    "cluster-autoscaler": { create: 40, update: 30, delete: 15, source: helm },
    "metrics-server": { create: 45, update: 35, delete: 15, source: helm },
    "kube-ops-view": { create: 40, update: 30, delete: 15, source: helm },
};

function defaults(inputs: Properties, { name, olds, hex, world }: Context): Properties {
    const namespace =
        text(inputs.namespace) ||
        (typeof inputs.namespace === "symbol" ? inputs.namespace : text(world.provider.namespace) || "default");
    const given = inputs.name === undefined || inputs.name === "" ? (olds?.name ?? `${name}-${hex(8)}`) : inputs.name;
    const waits = inputs.skipAwait !== true;
    return { ...inputs, name: given, namespace, ...(waits && inputs.timeout === undefined ? { timeout: 300 } : {}) };
}

function check(inputs: Properties): CheckFailure[] {
    const failures: CheckFailure[] = [];
    for (const [key, value] of Object.entries(inputs)) {
        const type = known[key];
        if (type === undefined) {
            failures.push({ property: key, reason: "unknown property of a Helm release" });
        } else if (type !== "any" && typeof value !== "symbol" && typeof value !== type) {
            failures.push({ property: key, reason: `expected a value of type ${type}, got ${typeof value}` });
        }
    }
    const chart = inputs.chart;
    if (chart === undefined || chart === "") {
        failures.push({ property: "chart", reason: "required value" });
    }
    const repository =
        typeof inputs.repositoryOpts === "object" ? (inputs.repositoryOpts as Properties).repo : undefined;
    if (
        typeof chart === "string" &&
        !/[/.]/.test(chart) &&
        repository === undefined &&
        typeof inputs.repositoryOpts !== "symbol"
    ) {
        failures.push({
            property: "chart",
            reason: `failed to download "${chart}"; check the chart name and repository configuration.`,
        });
    }
    const name = text(inputs.name);
    if (name !== undefined && (name.length > 53 || !/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name))) {
        failures.push({
            property: "name",
            reason: `invalid release name, must match regex ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$ and the length must not be longer than 53`,
        });
    }
    failures.push(...valueFileProblems(inputs));
    if (failures.length === 0 && !hasUnknown(inputs.values) && !hasUnknown(inputs.valueYamlFiles)) {
        const plan = planOf(inputs);
        failures.push(...(plan.model?.check?.(plan.request) ?? []).map((reason) => ({ property: "values", reason })));
    }
    return failures;
}

function planOf(inputs: Properties): ReleasePlan {
    return {
        model: modelOf(inputs.chart),
        request: {
            name: String(inputs.name),
            namespace: String(inputs.namespace),
            values: valuesOf(inputs),
            version: text(inputs.version),
        },
        skipDefinitions: inputs.skipCrds === true,
    };
}

function relations(inputs: Properties, world: World, self?: WorldObject): void {
    const cluster = Cluster.of(world);
    reach(cluster);
    const name = String(inputs.name);
    const namespace = String(inputs.namespace);
    if (!self) {
        if (cluster.releases().some((release) => release.id === `${namespace}/${name}`)) {
            throw new CloudError("AlreadyExists", "cannot re-use a name that is still in use");
        }
        if (inputs.createNamespace !== true || cluster.get(Kinds.Namespace, "", namespace)) {
            inNamespace(cluster, Kinds.Secret, { metadata: { name: `sh.helm.release.v1.${name}.v1`, namespace } });
        }
    }
    const problem = refusal(cluster, planOf(inputs), self);
    if (problem) {
        throw new CloudError("HelmError", self ? `error running update: ${problem}` : problem);
    }
}

function outputs(inputs: Properties, _id: string, world: World, old?: WorldObject): Properties {
    const plan = planOf(inputs);
    const before = old?.outputs.status as Properties | undefined;
    const rendered = render(plan);
    const version = text(inputs.version) ?? plan.model?.version ?? "0.0.0";
    const cluster = Cluster.of(world);
    const running = old && cluster.fresh(old);
    // Asked again once the release is ready, with the object itself: then nothing is a new revision.
    const revision =
        running && JSON.stringify(running.inputs) === JSON.stringify(inputs)
            ? before?.revision
            : Number(before?.revision ?? 0) + 1;
    return {
        version,
        resourceNames: namesOf(rendered),
        status: {
            appVersion: plan.model?.appVersion ?? "",
            chart: String(inputs.chart).split("/").pop(),
            name: inputs.name,
            namespace: inputs.namespace,
            revision: revision ?? 1,
            status: "deployed",
            version,
        },
        ...(plan.model ? {} : { simulation: `opaque: nothing is known of the chart "${String(inputs.chart)}"` }),
    };
}

/** Installs or upgrades: definitions, hooks before, objects; what is not rendered any more goes. */
function settle(object: WorldObject, cluster: Cluster, old?: WorldObject): void {
    const { inputs } = object;
    const plan = planOf(inputs);
    const namespace = String(inputs.namespace);
    if (inputs.createNamespace === true && !cluster.get(Kinds.Namespace, "", namespace)) {
        cluster.apply(Kinds.Namespace, liveManifest(cluster, Kinds.Namespace, { metadata: { name: namespace } }));
    }
    if (!old) {
        installDefinitions(cluster, plan);
    }
    runHooks(cluster, plan, old ? "pre-upgrade" : "pre-install");
    install(cluster, plan, object);
    removeStale(cluster, plan, object);
    if (inputs.skipAwait === true) {
        runHooks(cluster, plan, old ? "post-upgrade" : "post-install");
    }
}

function notReady(object: WorldObject, cluster: Cluster): string[] | undefined {
    const { inputs } = object;
    const plan = planOf(inputs);
    const left = inputs.skipAwait === true ? [] : waitFor(cluster, object, inputs.waitForJobs === true);
    if (left.length === 0 && inputs.skipAwait !== true) {
        const status = object.outputs.status as Properties;
        runHooks(cluster, plan, Number(status.revision) > 1 ? "post-upgrade" : "post-install");
    }
    const id = `${String(inputs.namespace)}/${String(inputs.name)}`;
    return left.length === 0
        ? undefined
        : [
              `Helm release "${id}" was created, but failed to initialize completely. Use Helm CLI to investigate: failed to become available within ` +
                  `allocated timeout (${seconds(inputs)} s). Error: Helm Release ${id}: context deadline exceeded`,
              ...left,
          ];
}

function seconds(inputs: Properties): number {
    return typeof inputs.timeout === "number" && inputs.timeout > 0 ? inputs.timeout : 300;
}

function removing(object: WorldObject, cluster: Cluster): void {
    const grace = Math.max(0, ...objectsOf(cluster, object).map((one) => preStopGrace(one.outputs)));
    if (grace > 0) {
        elapse(cluster, grace);
    }
}

function removed({ inputs: { name, namespace } }: WorldObject, cluster: Cluster): void {
    cluster.clearEvents({ apiVersion: "helm.sh/v3", kind: "Release" }, { metadata: { name, namespace } });
}

/** `helm uninstall` by hand. Answers with what is in its way. */
export function uninstall(cluster: Cluster, release: WorldObject): string | undefined {
    removing(release, cluster);
    let left = leftOf(cluster, release);
    for (let round = 0; left !== undefined && round < 3; round++) {
        reconcile(cluster);
        left = leftOf(cluster, release);
    }
    if (left === undefined) {
        removed(release, cluster);
        cluster.remove(release);
    }
    return left;
}
