import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { load } from "js-yaml";
import { describedProject } from "../../stacks/describeSettings";
import { airflowArgs } from "../../stacks/derived";
import { readSettings } from "../../stacks/settings";

const root = join(__dirname, "../..");
const enough = { cluster: { publicAccessCidrs: ["203.0.113.0/24"] }, workers: workers() };

function workers() {
    return { instanceTypes: ["c5.large", "c5a.large", "c5d.large"], scaling: { min: 2, max: 3 } };
}

function read(values: Record<string, unknown>, more: { region?: string; secretKeys?: string[] } = {}) {
    return readSettings({ region: "eu-west-1", secretKeys: [], values, ...more });
}

function paths(values: Record<string, unknown>, more = {}): string[] {
    return read(values, more).problems.map((problem) => problem.path);
}

describe("settings", () => {
    it("are complete with what only the user knows", () => {
        const { settings, problems } = read(enough);
        assert.deepEqual(problems, []);
        assert.deepEqual(settings.zones, ["eu-west-1a", "eu-west-1b"]);
        assert.equal(settings.keda.enabled, true);
        assert.equal(settings.kubeOpsView.enabled, false);
    });

    it("of the tracked stacks lack only what a user has to say", () => {
        const tracked = (stack: string) => {
            const { config } = load(readFileSync(join(root, `Pulumi.${stack}.yaml`), "utf8")) as {
                config: Record<string, unknown>;
            };
            return Object.fromEntries(
                Object.entries(config).map(([key, value]) => [key.replace("airflow-on-eks:", ""), value]),
            );
        };
        assert.deepEqual(paths(tracked("dev")), ["cluster.publicAccessCidrs"]);
        assert.deepEqual(paths(tracked("prod")).sort(), ["cluster.publicAccessCidrs", "externalDns.zoneId"]);
    });

    it("report everything that is wrong at once, each with its key", () => {
        const found = paths(
            {
                zones: ["a", "a"],
                network: { cidrBlock: "10.0.0.0/30", natGateway: "Single" },
                cluster: { publicAccessCidrs: ["0.0.0.0/0"], kubernetesVersion: 1.36 },
                workers: { ...workers(), diskSizeGiB: 5 },
                files: { classes: { "efs-sc": { uid: 50000 } } },
                metastore: { allocatedStorage: 1 },
                keda: { enabled: "yes" },
                airflow: { workers: { concurrency: 0 } },
                surprise: {},
            },
            { region: undefined },
        );
        for (const path of [
            "aws:region",
            "zones[1]",
            "network.natGateway",
            "cluster.kubernetesVersion",
            "workers.diskSizeGiB",
            "metastore.allocatedStorage",
            "keda.enabled",
            "airflow.workers.concurrency",
            "surprise",
        ]) {
            assert.ok(found.includes(path), `${path} is not among ${found.join(", ")}`);
        }
        assert.ok(
            found.some((path) => path.startsWith("files.classes.efs-sc")),
            found.join(", "),
        );
    });

    it("refuse zones of another region and take full names", () => {
        assert.deepEqual(paths({ ...enough, zones: ["eu-west-1a", "us-east-1b"] }).includes("zones[1]"), true);
        assert.deepEqual(read({ ...enough, zones: ["eu-west-1b", "c"] }).settings.zones, ["eu-west-1b", "eu-west-1c"]);
    });

    it("take a new thing or one that exists, never both", () => {
        const existingNetwork = { vpcId: "vpc-0a1b2c3d" };
        assert.deepEqual(paths({ ...enough, existingNetwork, network: { natGateways: "Single" } }), ["network"]);
        assert.deepEqual(paths({ ...enough, existingNetwork }), []);
        const mine = { workers: workers(), existingCluster: { clusterName: "mine" } };
        assert.deepEqual(paths(mine), []);
        assert.deepEqual(paths({ ...mine, network: { natGateways: "Single" } }), ["network"]);
        assert.deepEqual(paths({ ...mine, existingNetwork: { minFreeAddresses: 8 } }), []);
        assert.deepEqual(paths({ ...mine, existingNetwork: { vpcId: "vpc-0a1b2c3d" } }), ["existingNetwork.vpcId"]);
    });

    it("place controllers on system nodes of a new cluster, on any or the named ones of one that is there", () => {
        const selectors = (values: object) => {
            const { settings, problems } = read({ workers: workers(), ...values });
            assert.deepEqual(problems, []);
            const { clusterAutoscaler, disks, filesDriver, keda } = settings;
            return [keda, clusterAutoscaler]
                .map(({ placement }) => placement?.nodeSelector)
                .concat(disks.controllerNodeSelector, filesDriver.controllerNodeSelector);
        };
        const existingCluster = { clusterName: "mine" };
        const named = { team: "platform" };
        assert.deepEqual(selectors(enough), Array(4).fill(undefined));
        assert.deepEqual(selectors({ existingCluster }), Array(4).fill({}));
        const keda = { placement: { nodeSelector: { own: "yes" } } };
        assert.deepEqual(selectors({ existingCluster, controllerNodes: named, keda }), [
            { own: "yes" },
            named,
            named,
            named,
        ]);
        assert.deepEqual(paths({ ...enough, controllerNodes: { team: 5 } }), ["controllerNodes.team"]);
    });

    it("know a region by its whole name", () => {
        const zones = ["ap-southeast-1a", "ap-southeast-1b"];
        assert.deepEqual(paths({ ...enough, zones }, { region: "ap-south-1" }), ["zones[0]", "zones[1]"]);
        assert.deepEqual(paths({ ...enough, zones: ["A", "b"] }), ["zones[0]"]);
    });

    it("know what two areas together make wrong", () => {
        const cluster = { ...enough.cluster, kubernetesVersion: "1.35", serviceCidr: "10.20.0.0/16" };
        assert.deepEqual(
            paths({
                ...enough,
                cluster: { ...cluster, podIdentityAgent: false },
                clusterAutoscaler: { imageTag: "v1.34.1", identity: "PodIdentity" },
                airflow: {
                    ui: { exposure: "network-load-balancer", hostName: "airflow.example.org" },
                    logs: { storageClassName: "standard" },
                },
                kubeOpsView: { enabled: true, loadBalancer: { hostname: "view.example.com" } },
                externalDns: { enabled: true, zoneName: "example.com", domains: ["dev.example.com"] },
            }).sort(),
            [
                "airflow.logs.storageClassName",
                "airflow.ui.exposure",
                "cluster.serviceCidr",
                "clusterAutoscaler.identity",
                "clusterAutoscaler.imageTag",
                "externalDns.hostNames.airflow.ui.hostName",
                "externalDns.hostNames.kubeOpsView.loadBalancer.hostname",
                "kubeOpsView.loadBalancer",
            ],
        );
        const apart = { cidrBlock: "10.30.0.0/16" };
        assert.deepEqual(paths({ ...enough, cluster, network: apart }), []);
    });

    it("do not let a stack set what other parts give", () => {
        assert.ok(paths({ ...enough, files: { network: {} } }).includes("files.network"));
        assert.ok(paths({ ...enough, disks: { enabled: true } }).includes("disks.enabled"));
    });

    it("know one class of a name, for blocks or for files", () => {
        const classes = { logs: { directoryPerms: "775", uid: 50000, gid: 0 } };
        assert.deepEqual(
            paths({ ...enough, files: { classes }, disks: { classes: { logs: {} }, defaultClass: "logs" } }),
            ["disks.classes.logs"],
        );
    });

    it("make database and role of an existing server only where they name its administrator", () => {
        const existingMetastore = { host: "db.example.com", password: "secret password" };
        const bootstrap = (more: object) =>
            airflowArgs(read({ ...enough, existingMetastore: { ...existingMetastore, ...more } }).settings, {})
                .bootstrapMetastore;
        assert.equal(bootstrap({}), false);
        assert.equal(bootstrap({ adminUser: "postgres", adminPassword: "secret too" }), true);
        assert.equal(airflowArgs(read(enough).settings, {}).bootstrapMetastore, undefined);
    });

    it("want KEDA where workers are scaled by it", () => {
        assert.deepEqual(paths({ ...enough, keda: { enabled: false } }), ["keda.enabled"]);
        const unscaled = { workers: { scaling: { enabled: false } } };
        assert.deepEqual(paths({ ...enough, keda: { enabled: false }, airflow: unscaled }), []);
        const theirs = { workers: { scaling: { kedaInstalled: true } } };
        assert.deepEqual(paths({ ...enough, keda: { enabled: false }, airflow: theirs }), []);
    });

    it("keep secrets secret, and refuse them in plain text", async () => {
        const gitSync = { repo: "git@github.com:o/r.git", knownHosts: "github.com ssh-ed25519 AAAA", sshKey: "KEY" };
        const values = { ...enough, airflow: { dags: { gitSync } } };
        assert.deepEqual(paths(values), ["airflow.dags.gitSync.sshKey"]);
        const { settings } = read(values, { secretKeys: ["airflow"] });
        const key = settings.airflow.dags?.gitSync?.sshKey;
        assert.ok(pulumi.Output.isInstance(key));
        assert.equal(await pulumi.isSecret(key as pulumi.Output<string>), true);
        assert.equal(gitSync.sshKey, "KEY", "the source stays as it was");
    });

    it("are described in Pulumi.yaml as the code documents them", function () {
        this.timeout(120_000);
        assert.equal(readFileSync(join(root, "Pulumi.yaml"), "utf8"), describedProject(), "run `npm run settings`");
    });
});
