import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as path from "node:path";
import { aws } from "../../rehearsal/cloud/aws";
import { kubernetes } from "../../rehearsal/cloud/kubernetes";
import { pods } from "../../rehearsal/cloud/kubernetes/nature";
import { Cloud } from "../../rehearsal/cloud/shell/cloud";
import { Rehearsals } from "../engine/harness";
import { kubeconfig, platform } from "./cloud-kubernetes-fixture";

const program = `
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

const provider = new k8s.Provider("platform", { kubeconfig: ${JSON.stringify(kubeconfig)} });
const size = new pulumi.Config().get("size") ?? "4Gi";
const namespace = new k8s.core.v1.Namespace("apps", {}, { provider }).metadata.name;
const gp3 = new k8s.storage.v1.StorageClass("gp3", {
    provisioner: "ebs.csi.aws.com",
    parameters: { encrypted: "true" },
    volumeBindingMode: "WaitForFirstConsumer",
    allowVolumeExpansion: true,
}, { provider });
const claim = new k8s.core.v1.PersistentVolumeClaim("data", {
    metadata: { namespace },
    spec: { accessModes: ["ReadWriteOnce"], storageClassName: gp3.metadata.name, resources: { requests: { storage: size } } },
}, { provider });
const secret = new k8s.core.v1.Secret("password", { metadata: { namespace }, stringData: { password: "correct horse" } }, { provider });
const labels = { app: "writer" };
new k8s.apps.v1.Deployment("writer", {
    metadata: { namespace },
    spec: {
        selector: { matchLabels: labels },
        template: {
            metadata: { labels },
            spec: {
                containers: [{
                    name: "writer",
                    image: "busybox",
                    envFrom: [{ secretRef: { name: secret.metadata.name } }],
                    volumeMounts: [{ name: "data", mountPath: "/data" }],
                }],
                volumes: [{ name: "data", persistentVolumeClaim: { claimName: claim.metadata.name } }],
            },
        },
    },
}, { provider });
new k8s.yaml.v2.ConfigGroup("group", {
    objs: [{ apiVersion: "v1", kind: "ConfigMap", metadata: { name: "settings" }, data: { a: "b" } }],
}, { providers: [provider] });
const repositoryOpts = { repo: "https://charts.example.com" };
new k8s.helm.v3.Release("metrics", {
    chart: "metrics-server",
    name: "metrics",
    namespace: "default",
    repositoryOpts,
    valueYamlFiles: [new pulumi.asset.FileAsset("metrics.yaml")],
}, { provider });
new k8s.helm.v3.Release("podinfo", { chart: "podinfo", namespace: "default", repositoryOpts }, { provider });
export const data = secret.data;
`;

describe("Simulated Kubernetes on the real engine", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    const folder = rehearsals.program({
        "Pulumi.yaml":
            'name: objects\nruntime: {name: nodejs, options: {typescript: false, nodeargs: "--require tsx/cjs"}}\nmain: index.ts\nconfig: {size: {type: string, default: 4Gi}}\n',
        "index.ts": program,
        "metrics.yaml": "replicas: 2\n",
    });
    const seed = path.join(rehearsals.directory, "seed.json");
    fs.writeFileSync(seed, JSON.stringify(platform()));
    const common = { program: folder, seed, policy: false };
    after(() => rehearsals.remove());

    it("comes up, with secrets kept secret", async () => {
        const up = await rehearsals.run({ verb: "up", ...common });
        assert.equal(up.exitCode, 0, up.problems());
        assert.equal(JSON.stringify(await rehearsals.export({ program: folder })).includes("correct horse"), false);
        assert.deepEqual(up.genericOnly, ["Helm chart podinfo"]);
        const world = new Cloud([aws, kubernetes], { directory: rehearsals.places(folder).world }).universe.view();
        const metrics = pods(world, "platform").filter(({ pod }) => pod.startsWith("default/metrics-"));
        assert.equal(metrics.length, 2, "the program's file of values was read");
    });

    it("grows the claim that a pod uses, and refuses to shrink it below what it has", async () => {
        const grown = await rehearsals.run({ verb: "up", ...common, set: ["size=8Gi"] });
        assert.equal(grown.exitCode, 0, grown.problems());
        const shrunk = await rehearsals.run({ verb: "preview", ...common, set: ["size=2Gi"] });
        assert.notEqual(shrunk.exitCode, 0);
        assert.match(shrunk.problems(), /less than status.capacity/);
    });

    it("leaves nothing behind", async () => {
        const gone = await rehearsals.run({ verb: "destroy", ...common });
        assert.equal(gone.exitCode, 0, gone.problems());
    });
});
