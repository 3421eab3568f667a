import assert from "node:assert/strict";
import {
    AutoscalerExpander,
    ClusterAutoscaler,
    checkClusterAutoscalerArgs,
} from "../../../components/addons/clusterAutoscaler";
import {
    AwsLoadBalancerController,
    checkAwsLoadBalancerControllerArgs,
} from "../../../components/addons/awsLoadBalancerController";
import { DnsRecordPolicy, ExternalDns, checkExternalDnsArgs } from "../../../components/addons/externalDns";
import { Keda, checkKedaArgs } from "../../../components/addons/keda";
import { KubeOpsView, checkKubeOpsViewArgs } from "../../../components/addons/kubeOpsView";
import { MetricsServer, checkMetricsServerArgs } from "../../../components/addons/metricsServer";
import type { Problem } from "../../../components/shared/check";
import { clusterInfo, simulate } from "../mocks";

const RELEASE = "kubernetes:helm.sh/v3:Release";
const cluster = clusterInfo;
const paths = (problems: Problem[]) => problems.map((problem) => problem.path);
const zoneCalls = {
    calls: { "aws:route53/getZone:getZone": () => ({ zoneId: "Z123EXAMPLE", name: "example.com" }) },
};

describe("add-ons", () => {
    describe("Keda", () => {
        it("pins its chart, keeps its definitions and runs on the system nodes", async () => {
            const seen = await simulate(() => new Keda("keda", { cluster }).namespace);
            const { inputs } = seen.one(RELEASE);
            assert.equal(inputs.name, "keda");
            assert.match(inputs.version, /^\d+\.\d+\.\d+$/);
            assert.equal(inputs.values.crds.additionalAnnotations["helm.sh/resource-policy"], "keep");
            assert.deepEqual(inputs.values.nodeSelector, { "system-node": "enabled" });
            assert.deepEqual(inputs.values.podDisruptionBudget.operator, { maxUnavailable: 1 });
            assert.ok(inputs.values.resources.operator.requests.cpu);
            assert.equal(seen.result, "keda");
        });

        it("lays given values over its own, last", async () => {
            const values = { operator: { replicaCount: 5 }, logging: { operator: { level: "debug" } } };
            const seen = await simulate(() => void new Keda("keda", { cluster, values }));
            const { values: merged } = seen.one(RELEASE).inputs;
            assert.equal(merged.operator.replicaCount, 5);
            assert.equal(merged.logging.operator.level, "debug");
            assert.equal(merged.metricsServer.replicaCount, 2);
        });

        it("takes its chart from an OCI registry, a mirror or a folder", async () => {
            const chartOf = async (chart: object) =>
                (await simulate(() => void new Keda("keda", { cluster, chart }))).one(RELEASE).inputs;
            const oci = await chartOf({ repository: "oci://registry.example.com/charts/", version: "2.21.0" });
            assert.equal(oci.chart, "oci://registry.example.com/charts/keda");
            assert.equal(oci.repositoryOpts, undefined);
            const mirror = await chartOf({ repository: "https://charts.example.com" });
            assert.deepEqual(mirror.repositoryOpts, { repo: "https://charts.example.com" });
            const local = await chartOf({ path: "./charts/keda" });
            assert.equal(local.chart, "./charts/keda");
            assert.equal(local.version, undefined);
        });

        it("refuses everything that is wrong at once", () => {
            const chart = { repository: "charts.example.com", version: "^2.0.0", path: "./keda" };
            const resources = { requests: { cpu: "a lot" }, limits: { memory: "1Gb" } };
            assert.deepEqual(
                paths(checkKedaArgs({ cluster, chart, resources, timeoutSeconds: 5, replicas: 0 })).sort(),
                [
                    "chart.path",
                    "chart.repository",
                    "chart.version",
                    "replicas",
                    "resources.limits.memory",
                    "resources.requests.cpu",
                    "timeoutSeconds",
                ],
            );
            assert.deepEqual(checkKedaArgs({ cluster }), []);
        });

        it("refuses unknown keys and values of another type, as YAML may bring them", () => {
            const yaml = {
                cluster,
                replica: 2,
                replicas: "2",
                chart: { repo: "https://x" },
                placement: { nodeSelector: ["a"] },
            };
            const problems = checkKedaArgs(yaml as never);
            assert.deepEqual(paths(problems), ["replica", "replicas", "chart.repo", "placement.nodeSelector"]);
            assert.match(problems[0].message, /known are cluster, chart/);
            assert.match(problems[1].message, /"2" is not a whole number/);
        });
    });

    describe("ClusterAutoscaler", () => {
        it("runs the release of the cluster's version and may resize its own groups only", async () => {
            const seen = await simulate(() => new ClusterAutoscaler("scaler", { cluster }).imageTag);
            assert.equal(seen.result, "v1.36.1");
            const { values } = seen.one(RELEASE).inputs;
            assert.equal(values.autoDiscovery.clusterName, cluster.name);
            assert.equal(values.image.tag, "v1.36.1");
            assert.equal(values.extraArgs.expander, "least-waste");
            assert.match(values.rbac.serviceAccount.annotations["eks.amazonaws.com/role-arn"], /^arn:aws:iam::/);
            const policy = JSON.parse(seen.one("aws:iam/rolePolicy:RolePolicy").inputs.policy);
            const resize = policy.Statement.find((statement: { Action: string[] }) =>
                statement.Action.includes("autoscaling:SetDesiredCapacity"),
            );
            assert.equal(
                resize.Condition.StringEquals[`aws:ResourceTag/k8s.io/cluster-autoscaler/${cluster.name}`],
                "owned",
            );
        });

        it("trusts exactly its own service account", async () => {
            const seen = await simulate(() => void new ClusterAutoscaler("scaler", { cluster }));
            const trust = JSON.parse(seen.one("aws:iam/role:Role").inputs.assumeRolePolicy);
            const conditions = trust.Statement[0].Condition.StringEquals;
            assert.deepEqual(conditions[`${cluster.oidcIssuer}:sub`], [
                "system:serviceaccount:kube-system:cluster-autoscaler",
            ]);
            assert.equal(conditions[`${cluster.oidcIssuer}:aud`], "sts.amazonaws.com");
        });

        it("refuses a release older than the cluster, known or looked up", async () => {
            assert.deepEqual(paths(checkClusterAutoscalerArgs({ cluster, imageTag: "v1.35.0" })), ["imageTag"]);
            assert.deepEqual(paths(checkClusterAutoscalerArgs({ cluster, imageTag: "latest" })), ["imageTag"]);
            assert.deepEqual(checkClusterAutoscalerArgs({ cluster, imageTag: "v1.36.0" }), []);
            const older = { ...cluster, kubernetesVersion: "1.36" };
            await assert.rejects(
                simulate(
                    () => new ClusterAutoscaler("s", { cluster: Promise.resolve(older), imageTag: "v1.34.1" }).imageTag,
                ),
                /v1\.34\.1 is older than the cluster \(1\.36\)/,
            );
        });

        it("asks for a release where none is known", async () => {
            const newer = { ...cluster, kubernetesVersion: "1.99" };
            await assert.rejects(
                simulate(() => new ClusterAutoscaler("s", { cluster: newer }).imageTag),
                /imageTag: no release is known here for Kubernetes 1\.99/,
            );
        });

        it("takes expander and idle time", async () => {
            const args = { cluster, expander: AutoscalerExpander.Priority, scaleDownUnneededMinutes: 3 };
            const seen = await simulate(() => void new ClusterAutoscaler("scaler", args));
            const { extraArgs } = seen.one(RELEASE).inputs.values;
            assert.equal(extraArgs.expander, "priority");
            assert.equal(extraArgs["scale-down-unneeded-time"], "3m");
            assert.deepEqual(paths(checkClusterAutoscalerArgs({ cluster, scaleDownUnneededMinutes: 0 })), [
                "scaleDownUnneededMinutes",
            ]);
        });
    });

    describe("AwsLoadBalancerController", () => {
        it("is told region and VPC, and blocks no Service by default", async () => {
            const seen = await simulate(
                () => new AwsLoadBalancerController("balancers", { cluster: { ...cluster } }).ingressClass,
            );
            const { values } = seen.one(RELEASE).inputs;
            assert.equal(values.region, cluster.region);
            assert.equal(values.vpcId, cluster.vpcId);
            assert.equal(values.enableServiceMutatorWebhook, false);
            assert.equal(values.keepTLSSecret, true);
            assert.equal(seen.result, "alb");
        });

        it("may do what its project publishes, within IAM's limit for inline policies", async () => {
            const seen = await simulate(
                () => void new AwsLoadBalancerController("balancers", { cluster: { ...cluster } }),
            );
            const policy = seen.one("aws:iam/rolePolicy:RolePolicy").inputs.policy;
            assert.ok(policy.length < 10240, `${policy.length} characters`);
            const actions = JSON.parse(policy).Statement.flatMap((statement: { Action: string[] }) => statement.Action);
            for (const action of ["elasticloadbalancing:CreateLoadBalancer", "ec2:AuthorizeSecurityGroupIngress"]) {
                assert.ok(actions.includes(action), action);
            }
        });

        it("is held on destroy until no load balancer is left", async () => {
            const seen = await simulate(
                () => void new AwsLoadBalancerController("balancers", { cluster: { ...cluster } }),
            );
            const gate = seen.one("kubernetes:apps/v1:Deployment");
            const container = gate.inputs.spec.template.spec.containers[0];
            assert.equal(container.env[0].value, "load-balancers");
            assert.ok(seen.one("airflow-eks:index:DrainGate").dependencies.includes("balancers"));
            const grace = gate.inputs.spec.template.spec.terminationGracePeriodSeconds;
            assert.ok(grace > Number(container.env[3].value), "the grace period is longer than the wait");
        });

        it("has its gate, as ExternalDNS has, where it runs itself and from an image that nodes can reach", async () => {
            const placement = {
                nodeSelector: { pool: "base" },
                tolerations: [{ key: "base", operator: "Exists", effect: "NoSchedule" }],
            };
            const gateImage = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/python:3.13";
            const args = { placement, gateImage };
            const seen = await simulate(() => {
                new AwsLoadBalancerController("balancers", { cluster: { ...cluster }, ...args });
                new ExternalDns("dns", { cluster, zoneName: "example.com", ...args });
            }, zoneCalls);
            for (const gate of ["balancers-drain", "dns-drain"]) {
                const pod = seen.one("kubernetes:apps/v1:Deployment", gate).inputs.spec.template.spec;
                assert.deepEqual(pod.nodeSelector, placement.nodeSelector);
                assert.deepEqual(pod.tolerations, placement.tolerations);
                assert.equal(pod.containers[0].image, gateImage);
            }
        });

        it("is the only one in its cluster", async () => {
            const pair = (one: typeof cluster, two: typeof cluster) =>
                simulate(() => {
                    new AwsLoadBalancerController("one", { cluster: one });
                    new AwsLoadBalancerController("two", { cluster: two });
                });
            const same = { ...cluster };
            await assert.rejects(
                pair(same, same),
                /ingressClass: this program runs a controller in that cluster already/,
            );
            assert.equal((await pair({ ...cluster }, { ...cluster })).all(RELEASE).length, 2);
        });

        it("refuses bad input", () => {
            assert.deepEqual(
                paths(checkAwsLoadBalancerControllerArgs({ cluster, replicas: 0, ingressClass: "My Class" })),
                ["replicas", "ingressClass"],
            );
        });
    });

    describe("ExternalDns", () => {
        it("may change one zone only, under an owner of its own", async () => {
            const seen = await simulate(
                () => new ExternalDns("dns", { cluster, zoneName: "example.com" }).zoneId,
                zoneCalls,
            );
            assert.equal(seen.result, "Z123EXAMPLE");
            const policy = JSON.parse(seen.one("aws:iam/rolePolicy:RolePolicy").inputs.policy);
            assert.equal(policy.Statement[0].Resource, "arn:aws:route53:::hostedzone/Z123EXAMPLE");
            const owner = seen.one("random:index/randomId:RandomId");
            assert.equal(owner.inputs.prefix, "stack-");
            assert.deepEqual(owner.ignoreChanges, ["prefix"]);
            const { values } = seen.one(RELEASE).inputs;
            assert.equal(values.policy, "sync");
            assert.equal(values.extraArgs["zone-id-filter"], "Z123EXAMPLE");
            assert.deepEqual(values.domainFilters, ["example.com"]);
        });

        it("leaves records by choice, and keeps to domains", async () => {
            const args = {
                cluster,
                zoneId: "Z123EXAMPLE",
                domains: ["airflow.example.com"],
                policy: DnsRecordPolicy.UpsertOnly,
                txtOwnerId: "mine",
            };
            const seen = await simulate(() => void new ExternalDns("dns", args), zoneCalls);
            const { values } = seen.one(RELEASE).inputs;
            assert.equal(values.policy, "upsert-only");
            assert.equal(values.txtOwnerId, "mine");
            assert.deepEqual(values.domainFilters, ["airflow.example.com"]);
            assert.equal(seen.all("random:index/randomId:RandomId").length, 0);
        });

        it("refuses a domain outside the zone: named, or looked up by the zone's id", async () => {
            assert.deepEqual(
                paths(
                    checkExternalDnsArgs({
                        cluster,
                        zoneName: "example.com",
                        domains: ["a.example.com", "badexample.com", "example.com"],
                    }),
                ),
                ["domains[1]"],
            );
            const hostNames = { view: "view.example.net", ui: "ui.example.com" };
            const args = { cluster, zoneId: "Z123EXAMPLE", domains: ["other.org"], hostNames };
            await assert.rejects(
                simulate(
                    () => new ExternalDns("dns", { ...args, hostNames: { view: "view.other.org" } }).zoneId,
                    zoneCalls,
                ),
                /domains\[0\]: other\.org lies outside the zone example\.com\n.*hostNames\.view: view\.other\.org lies/,
            );
            assert.deepEqual(paths(checkExternalDnsArgs(args)), ["hostNames.view", "hostNames.ui"]);
            const named = { cluster, zoneName: "EXAMPLE.com.", hostNames };
            assert.deepEqual(paths(checkExternalDnsArgs(named)), ["hostNames.view"]);
        });

        it("refuses bad input, all at once", () => {
            assert.deepEqual(paths(checkExternalDnsArgs({ cluster })), ["zoneId"]);
            assert.deepEqual(
                paths(
                    checkExternalDnsArgs({
                        cluster,
                        zoneId: "123",
                        zoneName: "no domain",
                        domains: ["*"],
                        txtOwnerId: "a b",
                    }),
                ),
                ["zoneId", "zoneId", "zoneName", "domains[0]", "txtOwnerId"],
            );
        });
    });

    describe("KubeOpsView", () => {
        it("stays inside the cluster by default", async () => {
            const seen = await simulate(() => new KubeOpsView("view").access);
            assert.equal(seen.one("kubernetes:core/v1:Service").inputs.spec.type, "ClusterIP");
            assert.match(String(seen.result), /^kubectl -n kube-ops-view port-forward/);
        });

        it("gets an internal load balancer, a name and a time zone by choice", async () => {
            const args = { timeZone: "Asia/Seoul", loadBalancer: { hostname: "view.example.com" } };
            const seen = await simulate(() => new KubeOpsView("view", args).access);
            const service = seen.one("kubernetes:core/v1:Service").inputs;
            assert.equal(service.spec.type, "LoadBalancer");
            const annotations = service.metadata.annotations;
            assert.equal(annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"], "internal");
            assert.equal(annotations["external-dns.alpha.kubernetes.io/hostname"], "view.example.com");
            const pod = seen.one("kubernetes:apps/v1:Deployment").inputs.spec.template.spec;
            assert.deepEqual(pod.containers[0].env, [{ name: "TZ", value: "Asia/Seoul" }]);
            assert.equal(seen.result, "http://view.example.com");
        });

        it("is never public without ranges, nor to everybody", () => {
            const check = (sourceRanges?: string[]) =>
                paths(checkKubeOpsViewArgs({ loadBalancer: { internetFacing: true, sourceRanges } }));
            assert.deepEqual(check(), ["loadBalancer.sourceRanges"]);
            assert.deepEqual(check([]), ["loadBalancer.sourceRanges"]);
            assert.deepEqual(check(["0.0.0.0/0"]), ["loadBalancer.sourceRanges[0]"]);
            assert.deepEqual(check(["0.0.0.0/1", "128.0.0.0/1"]), [
                "loadBalancer.sourceRanges[0]",
                "loadBalancer.sourceRanges[1]",
            ]);
            assert.deepEqual(check(["203.0.113.0/24"]), []);
        });

        it("refuses bad input", () => {
            assert.deepEqual(
                paths(
                    checkKubeOpsViewArgs({
                        timeZone: "Seoul",
                        resources: { requests: { cpu: "fast" } },
                        loadBalancer: { hostname: "view", sourceRanges: ["10.0.0.1/8"] },
                    }),
                ),
                ["resources.requests.cpu", "timeZone", "loadBalancer.sourceRanges[0]", "loadBalancer.hostname"],
            );
        });
    });

    describe("MetricsServer", () => {
        it("is an add-on whose newest version is kept in the state", async () => {
            const seen = await simulate(() => new MetricsServer("metrics", { cluster }).version, {
                calls: { "aws:eks/getAddonVersion:getAddonVersion": () => ({ version: "v0.9.0-eksbuild.11" }) },
            });
            const addon = seen.one("aws:eks/addon:Addon").inputs;
            assert.equal(addon.addonVersion, "v0.9.0-eksbuild.11");
            assert.equal(JSON.parse(addon.configurationValues).nodeSelector["system-node"], "enabled");
            assert.equal(seen.one("pulumi:index:Stash").replacementTrigger, "1.36");
        });

        it("takes one exact version", async () => {
            const args = { cluster, version: "v0.9.0-eksbuild.1" };
            const seen = await simulate(() => void new MetricsServer("metrics", args));
            assert.equal(seen.one("aws:eks/addon:Addon").inputs.addonVersion, "v0.9.0-eksbuild.1");
            assert.equal(seen.calls.length, 0);
            assert.deepEqual(
                paths(checkMetricsServerArgs({ cluster, version: "0.9", conflictsOnCreate: "PRESERVE", replicas: 0 })),
                ["version", "conflictsOnCreate", "replicas"],
            );
        });
    });
});
