import { strict as assert } from "node:assert";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { aws } from "../../rehearsal/cloud/aws";
import { Kinds } from "../../rehearsal/cloud/kubernetes/cluster";
import { happen, happenSomewhere, pods } from "../../rehearsal/cloud/kubernetes/nature";
import { SimulatedProvider } from "../../rehearsal/cloud/shell/provider";
import type { Properties } from "../../rehearsal/cloud/shell/type";
import type { WorldObject } from "../../rehearsal/cloud/shell/world";
import { Bench, node, object, platform, role } from "./cloud-kubernetes-fixture";

const T = {
    namespace: "kubernetes:core/v1:Namespace",
    secret: "kubernetes:core/v1:Secret",
    service: "kubernetes:core/v1:Service",
    claim: "kubernetes:core/v1:PersistentVolumeClaim",
    volume: "kubernetes:core/v1:PersistentVolume",
    storageClass: "kubernetes:storage.k8s.io/v1:StorageClass",
    deployment: "kubernetes:apps/v1:Deployment",
    deploymentPatch: "kubernetes:apps/v1:DeploymentPatch",
    statefulSet: "kubernetes:apps/v1:StatefulSet",
    job: "kubernetes:batch/v1:Job",
    snapshot: "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshot",
    snapshotClass: "kubernetes:snapshot.storage.k8s.io/v1:VolumeSnapshotClass",
    scaledObject: "kubernetes:keda.sh/v1alpha1:ScaledObject",
    release: "kubernetes:helm.sh/v3:Release",
};

const repositoryOpts = { repo: "https://charts.example.com" };

function workload(name: string, pod: Properties = {}, more: Properties = {}): Properties {
    const labels = { app: name };
    const spec = { containers: [{ name: "c", image: "busybox" }], ...pod };
    return {
        metadata: { name },
        spec: { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec }, ...more },
    };
}

function mounting(claim: string, more: Properties = {}): Properties {
    return {
        containers: [{ name: "c", image: "busybox", volumeMounts: [{ name: "d", mountPath: "/data" }] }],
        volumes: [{ name: "d", persistentVolumeClaim: { claimName: claim } }],
        ...more,
    };
}

function storageClass(name: string, more: Properties = {}): Properties {
    return {
        metadata: { name },
        provisioner: "ebs.csi.aws.com",
        parameters: { type: "gp3", encrypted: "true" },
        volumeBindingMode: "WaitForFirstConsumer",
        allowVolumeExpansion: true,
        ...more,
    };
}

function claim(name: string, className: string, more: Properties = {}): Properties {
    return {
        metadata: { name },
        spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: className,
            resources: { requests: { storage: "4Gi" } },
            ...more,
        },
    };
}

describe("Simulated cluster: objects", () => {
    it("wants the namespace, refuses what is there already, and names what has no name", async () => {
        const bench = new Bench();
        await assert.rejects(
            bench.create(T.secret, "s", { metadata: { namespace: "nowhere" }, stringData: { a: "b" } }),
            /namespaces "nowhere" not found/,
        );
        const made = await bench.create(T.secret, "s", { stringData: { a: "b" } });
        assert.match(made.id, /^default\/s-[0-9a-f]{8}$/);
        assert.deepEqual(made.outputs.data, { a: "Yg==" });
        assert.equal(made.outputs.stringData, undefined);
        await bench.create(T.secret, "named", { metadata: { name: "named" } });
        await assert.rejects(
            bench.create(T.secret, "other", { metadata: { name: "named" } }),
            /secrets "named" already exists/,
        );
    });

    it("serves custom resources only with their definition", async () => {
        const bench = new Bench();
        const scaled = {
            metadata: { name: "w" },
            spec: { scaleTargetRef: { name: "w" }, triggers: [{ type: "cron" }] },
        };
        await assert.rejects(bench.create(T.scaledObject, "w", scaled), /no matches for kind "ScaledObject"/);
    });

    it("refuses versions that the cluster does not serve any more, and says which one it serves", async () => {
        const spec = { rules: [{ host: "a.example.com" }] };
        await assert.rejects(
            new Bench().create("kubernetes:extensions/v1beta1:Ingress", "i", { metadata: { name: "i" }, spec }),
            /no matches for kind "Ingress" in version "extensions\/v1beta1" \(Kubernetes 1.36 serves it in networking.k8s.io\/v1\)/,
        );
    });

    it("patches what something else made, and takes the patch back", async () => {
        const bench = new Bench();
        const patch = { metadata: { name: "coredns", namespace: "kube-system", labels: { mine: "yes" } } };
        const { id } = await bench.create(T.deploymentPatch, "p", patch);
        const labels = (): unknown =>
            (bench.cluster.manifest(Kinds.Deployment, "kube-system", "coredns")?.metadata as Properties).labels;
        assert.equal((labels() as Properties).mine, "yes");
        await bench.delete(T.deploymentPatch, id);
        assert.equal((labels() as Properties).mine, undefined);
    });

    it("is not reachable without its EKS cluster", async () => {
        const bench = new Bench();
        bench.world.remove("aws:eks/cluster:Cluster", "platform");
        await assert.rejects(bench.create(T.namespace, "n", { metadata: { name: "n" } }), /unreachable/);
    });
});

describe("Simulated cluster: pods", () => {
    it("explains why pods do not come up", async () => {
        const bench = new Bench();
        const fails = async (name: string, pod: Properties, expected: RegExp): Promise<void> =>
            assert.rejects(bench.create(T.deployment, name, workload(name, pod)), expected);
        await Promise.all([
            fails(
                "selector",
                { nodeSelector: { spot: "yes" } },
                /0\/2 nodes are available: 2 node\(s\) didn't match Pod's node affinity\/selector/,
            ),
            fails(
                "secret",
                { containers: [{ name: "c", image: "i", envFrom: [{ secretRef: { name: "gone" } }] }] },
                /CreateContainerConfigError: secret "gone" not found/,
            ),
            fails("account", { serviceAccountName: "gone" }, /serviceaccount "gone" not found/),
            fails("volume", mounting("gone"), /persistentvolumeclaim "gone" not found/),
            fails("priority", { priorityClassName: "gone" }, /no PriorityClass with name gone/),
        ]);
    });

    it("runs Jobs to their end, and refuses to change their template", async () => {
        const bench = new Bench();
        const job = (image: string): Properties => ({
            metadata: { name: "j" },
            spec: { template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image }] } } },
        });
        const made = await bench.create(T.job, "j", job("a"));
        assert.equal((made.outputs.status as Properties).succeeded, 1);
        assert.deepEqual(bench.provider.diff(T.job, job("a"), job("b")).replaces, ["spec"]);
    });

    it("rolls a Deployment to a new template", async () => {
        const bench = new Bench();
        const olds = workload("roll", {}, { replicas: 3 });
        const { id } = await bench.create(T.deployment, "roll", olds);
        const before = pods(bench.world, "platform").filter(({ pod }) => pod.startsWith("default/roll"));
        const outputs = await bench.update(
            T.deployment,
            "roll",
            id,
            olds,
            workload("roll", { containers: [{ name: "c", image: "other" }] }, { replicas: 3 }),
        );
        const after = pods(bench.world, "platform").filter(({ pod }) => pod.startsWith("default/roll"));
        assert.equal((outputs.status as Properties).readyReplicas, 3);
        assert.equal(after.length, 3);
        assert.equal(
            after.some(({ pod }) => before.some((one) => one.pod === pod)),
            false,
        );
    });
});

describe("Simulated cluster: EBS", () => {
    it("binds with the first pod, in its zone, and deletes the volume some time after the claim", async () => {
        const bench = new Bench();
        await bench.create(T.storageClass, "gp3", storageClass("gp3"));
        const { id, outputs } = await bench.create(T.claim, "data", claim("data", "gp3"));
        assert.equal((outputs.status as Properties).phase, "Pending");
        const writer = await bench.create(
            T.deployment,
            "w",
            workload("w", mounting("data", { nodeSelector: { "topology.kubernetes.io/zone": "eu-west-1b" } })),
        );
        const [disk] = bench.world.all("aws:ebs/volume:Volume");
        assert.deepEqual(
            [disk.outputs.availabilityZone, disk.outputs.encrypted, disk.outputs.size],
            ["eu-west-1b", true, 4],
        );
        await bench.delete(T.deployment, writer.id);
        await bench.delete(T.claim, id);
        assert.equal(bench.world.all("aws:ebs/volume:Volume").length, 1, "the driver needs a moment");
        await bench.create(T.deployment, "later", workload("later"));
        assert.equal(bench.world.all("aws:ebs/volume:Volume").length, 0);
    });

    it("leaves an orphan when the driver goes with the claim", async () => {
        const bench = new Bench();
        await bench.create(T.storageClass, "gp3", storageClass("gp3"));
        const { id } = await bench.create(T.claim, "data", claim("data", "gp3"));
        const writer = await bench.create(T.deployment, "w", workload("w", mounting("data")));
        await bench.delete(T.deployment, writer.id);
        await bench.delete(T.claim, id);
        bench.world.remove("aws:eks/addon:Addon", "platform:aws-ebs-csi-driver");
        bench.settle();
        await bench.create(T.deployment, "later", workload("later"));
        assert.equal(bench.world.all("aws:ebs/volume:Volume").length, 1);
    });

    it("keeps a claim that a pod uses from disappearing", async () => {
        const bench = new Bench();
        await bench.create(T.storageClass, "gp3", storageClass("gp3"));
        const { id } = await bench.create(T.claim, "data", claim("data", "gp3"));
        await bench.create(T.deployment, "w", workload("w", mounting("data")));
        await assert.rejects(bench.delete(T.claim, id), /pvc-protection: the claim is in use by pod default\/w-/);
    });

    it("never binds ReadWriteMany, nor unknown parameters, nor without rights", async () => {
        const bench = new Bench();
        await bench.create(T.storageClass, "now", storageClass("now", { volumeBindingMode: "Immediate" }));
        await bench.create(
            T.storageClass,
            "bad",
            storageClass("bad", { volumeBindingMode: "Immediate", parameters: { kind: "gp3" } }),
        );
        await Promise.all([
            assert.rejects(
                bench.create(T.claim, "shared", claim("shared", "now", { accessModes: ["ReadWriteMany"] })),
                /Only AccessModes\[ReadWriteOnce\] supported/,
            ),
            assert.rejects(bench.create(T.claim, "bad", claim("bad", "bad")), /Invalid parameter key kind/),
            assert.rejects(
                bench.create(T.claim, "lost", claim("lost", "no-such-class")),
                /storageclass.storage.k8s.io "no-such-class" not found/,
            ),
        ]);
        const poor = new Bench(platform().filter(({ token }) => token !== "aws:iam/rolePolicy:RolePolicy"));
        await poor.create(T.storageClass, "now", storageClass("now", { volumeBindingMode: "Immediate" }));
        await assert.rejects(
            poor.create(T.claim, "data", claim("data", "now")),
            /not authorized to perform: ec2:CreateVolume/,
        );
    });

    it("strands a pod whose volume is in a zone without nodes", async () => {
        const bench = new Bench();
        await bench.create(T.storageClass, "gp3", storageClass("gp3"));
        await bench.create(T.claim, "data", claim("data", "gp3"));
        await bench.create(T.deployment, "w", workload("w", mounting("data")));
        const zone = bench.world.all("aws:ebs/volume:Volume")[0].outputs.availabilityZone;
        happen(bench.world, "platform", `lose-zone:${String(zone)}`);
        const [pod] = pods(bench.world, "platform").filter((one) => one.pod.startsWith("default/w-"));
        assert.equal(pod.node, undefined);
        assert.match(pod.reason ?? "", /volume node affinity conflict/);
    });

    it("moves a pod with its volume inside a zone when its node is drained", async () => {
        const bench = new Bench([...platform(), node("node-a2", "eu-west-1a")]);
        await bench.create(T.storageClass, "gp3", storageClass("gp3"));
        await bench.create(T.claim, "data", claim("data", "gp3"));
        await bench.create(
            T.deployment,
            "w",
            workload("w", mounting("data", { nodeSelector: { "topology.kubernetes.io/zone": "eu-west-1a" } })),
        );
        const where = (): string | undefined =>
            pods(bench.world, "platform").find(({ pod }) => pod.startsWith("default/w-"))?.node;
        const first = where();
        assert.match(happen(bench.world, "platform", `drain:${first}`), /pods evicted/);
        assert.notEqual(where(), first);
        assert.ok(["node-a", "node-a2"].includes(where() ?? ""));
    });

    it("takes snapshots and restores them into claims that are large enough", async () => {
        const bench = new Bench();
        await bench.create(T.storageClass, "gp3", storageClass("gp3"));
        await bench.create(T.claim, "data", claim("data", "gp3"));
        await bench.create(T.deployment, "w", workload("w", mounting("data")));
        await bench.create(T.snapshotClass, "keep", {
            metadata: { name: "keep" },
            driver: "ebs.csi.aws.com",
            deletionPolicy: "Retain",
        });
        await bench.create(T.snapshot, "s", {
            metadata: { name: "s" },
            spec: { volumeSnapshotClassName: "keep", source: { persistentVolumeClaimName: "data" } },
        });
        assert.equal(bench.world.all("aws:ebs/snapshot:Snapshot").length, 1);
        const dataSource = { apiGroup: "snapshot.storage.k8s.io", kind: "VolumeSnapshot", name: "s" };
        const restored = (name: string, storage: string): Properties =>
            claim(name, "gp3", { dataSource, resources: { requests: { storage } } });
        await bench.create(T.claim, "small", restored("small", "2Gi"));
        await bench.create(T.claim, "large", restored("large", "8Gi"));
        await bench.create(T.deployment, "r", workload("r", mounting("large")));
        await assert.rejects(
            bench.create(T.deployment, "f", workload("f", mounting("small"))),
            /is less than the size/,
        );
    });

    it("gives each replica of a StatefulSet a claim that outlives it", async () => {
        const bench = new Bench();
        await bench.create(T.storageClass, "gp3", storageClass("gp3"));
        const template = { metadata: { name: "d" }, spec: claim("d", "gp3").spec };
        const pod = { containers: [{ name: "c", image: "i", volumeMounts: [{ name: "d", mountPath: "/d" }] }] };
        const { id } = await bench.create(
            T.statefulSet,
            "db",
            workload("db", pod, { replicas: 2, serviceName: "db", volumeClaimTemplates: [template] }),
        );
        await bench.delete(T.statefulSet, id);
        assert.deepEqual(
            bench.cluster.inNamespace(Kinds.PersistentVolumeClaim, "default").map((one) => one.id),
            ["default/d-db-0", "default/d-db-1"],
        );
    });
});

describe("Simulated cluster: EFS", () => {
    const shared = { provisioner: "efs.csi.aws.com", volumeBindingMode: "Immediate", allowVolumeExpansion: false };
    const parameters = {
        provisioningMode: "efs-ap",
        fileSystemId: "fs-1",
        directoryPerms: "775",
        uid: "50000",
        gid: "0",
    };
    const target = (zone: string): ReturnType<typeof object> =>
        object("aws:efs/mountTarget:MountTarget", `fsmt-${zone}`, {
            fileSystemId: "fs-1",
            subnetId: `subnet-${zone}`,
            securityGroups: ["sg-efs"],
        });
    const group = (admitted: string): ReturnType<typeof object> =>
        object("aws:ec2/securityGroup:SecurityGroup", "sg-efs", {
            vpcId: "vpc-1",
            ingress: [{ protocol: "tcp", fromPort: 2049, toPort: 2049, securityGroups: [admitted] }],
            egress: [],
        });
    const fileSystem = object("aws:efs/fileSystem:FileSystem", "fs-1", { encrypted: true });

    async function mount(bench: Bench, pod: Properties = {}): Promise<unknown> {
        await bench.create(T.storageClass, "efs", storageClass("efs-sc", { ...shared, parameters }));
        await bench.create(T.claim, "logs", claim("logs", "efs-sc", { accessModes: ["ReadWriteMany"] }));
        return bench.create(T.deployment, "w", workload("w", mounting("logs", pod), { replicas: 2 }));
    }

    it("mounts where a mount target of the zone admits the nodes", async () => {
        const bench = new Bench([
            ...platform(),
            fileSystem,
            target("eu-west-1a"),
            target("eu-west-1b"),
            group("sg-nodes"),
        ]);
        await mount(bench, { securityContext: { runAsUser: 50000 } });
        assert.deepEqual(bench.world.all("aws:efs/accessPoint:AccessPoint")[0].outputs.posixUser, {
            uid: 50000,
            gid: 0,
        });
    });

    it("does not where the zone has none", async () => {
        const bench = new Bench([...platform(), fileSystem, target("eu-west-1a"), group("sg-nodes")]);
        await assert.rejects(mount(bench), /FailedMount|the file system has no mount target in eu-west-1b/);
    });

    it("does not where another group is admitted", async () => {
        const bench = new Bench([
            ...platform(),
            fileSystem,
            target("eu-west-1a"),
            target("eu-west-1b"),
            group("sg-other"),
        ]);
        await assert.rejects(mount(bench), /do not admit the groups of the node \(sg-nodes\) on 2049/);
    });

    it("refuses to write on the root of a file system as an ordinary user", async () => {
        const bench = new Bench([
            ...platform(),
            fileSystem,
            target("eu-west-1a"),
            target("eu-west-1b"),
            group("sg-nodes"),
        ]);
        const spec = {
            capacity: { storage: "5Gi" },
            accessModes: ["ReadWriteMany"],
            storageClassName: "",
            csi: { driver: "efs.csi.aws.com", volumeHandle: "fs-1" },
        };
        await bench.create(T.volume, "static", { metadata: { name: "static" }, spec });
        await bench.create(
            T.claim,
            "static",
            claim("static", "", { volumeName: "static", accessModes: ["ReadWriteMany"] }),
        );
        await assert.rejects(
            bench.create(
                T.deployment,
                "w",
                workload("w", mounting("static", { securityContext: { runAsUser: 1000 } })),
            ),
            /Permission denied: it writes as user 1000/,
        );
    });
});

describe("Simulated cluster: load balancers and operators", () => {
    const service = (more: Properties = {}): Properties => ({
        metadata: { name: "ui" },
        spec: { type: "LoadBalancer", selector: { app: "ui" }, ports: [{ port: 80 }] },
        ...more,
    });
    const controller = {
        chart: "aws-load-balancer-controller",
        name: "aws-load-balancer-controller",
        namespace: "kube-system",
        version: "3.5.0",
        repositoryOpts,
    };
    const values = {
        clusterName: "platform",
        serviceAccount: { annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/lbc" } },
    };
    const withRole = (): Bench =>
        new Bench([...platform(), ...role("lbc", "aws-load-balancer-controller", ["elasticloadbalancing:*", "ec2:*"])]);

    it("gives a Service an address that holds network interfaces until it goes", async () => {
        const bench = new Bench();
        await bench.create(T.deployment, "ui", workload("ui"));
        const { id, outputs } = await bench.create(T.service, "ui", service());
        assert.match(JSON.stringify(outputs.status), /amazonaws\.com/);
        assert.equal(bench.world.all("aws:ec2/networkInterface:NetworkInterface").length, 2);
        await bench.delete(T.service, id);
        assert.equal(bench.world.all("aws:ec2/networkInterface:NetworkInterface").length, 0);
    });

    it("finds public subnets by their routes for a Service, tagged or not, and none of another cluster", async () => {
        const without = (change: (subnet: WorldObject) => Properties): WorldObject[] =>
            platform().map((one) =>
                one.token === "aws:ec2/subnet:Subnet" ? { ...one, outputs: { ...one.outputs, ...change(one) } } : one,
            );
        const untagged = new Bench(without(() => ({ tags: {} })));
        await untagged.create(T.deployment, "ui", workload("ui"));
        const { outputs } = await untagged.create(T.service, "ui", service());
        assert.match(JSON.stringify(outputs.status), /amazonaws\.com/);

        const others = new Bench(without(() => ({ tags: { "kubernetes.io/cluster/other": "shared" } })));
        await others.create(T.deployment, "ui", workload("ui"));
        await assert.rejects(others.create(T.service, "ui", service()), /could not find any suitable subnets/);

        const routes = [{ cidrBlock: "0.0.0.0/0", natGatewayId: "nat-1" }];
        const hidden = new Bench(
            platform().map((one) => (one.id === "rtb-1" ? { ...one, inputs: { vpcId: "vpc-1", routes } } : one)),
        );
        await hidden.create(T.deployment, "ui", workload("ui"));
        await assert.rejects(hidden.create(T.service, "ui", service()), /could not find any suitable subnets/);
    });

    it("waits for pods behind a Service", async () => {
        await assert.rejects(new Bench().create(T.service, "ui", service()), /Service does not target any Pods/);
    });

    it("hangs when the controller went before its Services", async () => {
        const bench = withRole();
        await bench.create(T.release, "lbc", { ...controller, values });
        await bench.create(T.deployment, "ui", workload("ui"));
        const { id, outputs } = await bench.create(T.service, "ui", service());
        assert.equal((outputs.spec as Properties).loadBalancerClass, "service.k8s.aws/nlb");
        await bench.delete(T.release, "kube-system/aws-load-balancer-controller");
        await assert.rejects(bench.delete(T.service, id), /no AWS Load Balancer Controller runs/);
    });

    it("refuses Services while the controller's webhook has no endpoints", async () => {
        const bench = withRole();
        await assert.rejects(
            bench.create(T.release, "lbc", { ...controller, values: { ...values, nodeSelector: { nowhere: "yes" } } }),
            /failed to initialize completely/,
        );
        await assert.rejects(
            bench.create(T.service, "ui", service()),
            /no endpoints available for service "aws-load-balancer-webhook-service"/,
        );
    });

    it("keeps records of DNS as long as the policy says", async () => {
        const zone = object("aws:route53/zone:Zone", "Z1", {
            name: "example.com",
            arn: "arn:aws:route53:::hostedzone/Z1",
        });
        const bench = new Bench([...platform(), zone, ...role("dns", "external-dns", ["route53:*"])]);
        const dns = {
            chart: "external-dns",
            name: "external-dns",
            namespace: "kube-system",
            repositoryOpts,
            values: {
                policy: "sync",
                txtOwnerId: "me",
                serviceAccount: { annotations: { "eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/dns" } },
            },
        };
        await bench.create(T.release, "external-dns", dns);
        await bench.create(T.deployment, "ui", workload("ui"));
        const annotations = { "external-dns.alpha.kubernetes.io/hostname": "ui.example.com" };
        const { id } = await bench.create(T.service, "ui", service({ metadata: { name: "ui", annotations } }));
        await bench.create(T.deployment, "a", workload("a"));
        await bench.create(T.deployment, "b", workload("b"));
        const names = (): unknown[] =>
            bench.world
                .all("aws:route53/record:Record")
                .filter((one) => one.outputs.type === "A")
                .map((one) => one.outputs.name);
        assert.deepEqual(names(), ["ui.example.com"]);
        await bench.delete(T.service, id);
        await bench.create(T.deployment, "c", workload("c"));
        await bench.create(T.deployment, "d", workload("d"));
        assert.deepEqual(names(), []);
    });

    it("refuses a release's name twice, and waits for its pods", async () => {
        const bench = new Bench();
        await bench.create(T.namespace, "keda", { metadata: { name: "keda" } });
        const keda = { chart: "keda", name: "keda", namespace: "keda", repositoryOpts };
        const { outputs } = await bench.create(T.release, "keda", keda);
        assert.equal((outputs.status as Properties).status, "deployed");
        await assert.rejects(bench.create(T.release, "again", keda), /cannot re-use a name that is still in use/);
        await assert.rejects(
            bench.create(T.release, "none", { chart: "keda", name: "none", namespace: "keda" }),
            /failed to download "keda"/,
        );
        await bench.create(T.deployment, "w", workload("w", {}, { replicas: undefined }));
        await bench.create(T.scaledObject, "w", {
            metadata: { name: "w" },
            spec: { scaleTargetRef: { name: "w" }, minReplicaCount: 2, triggers: [{ type: "cron" }] },
        });
        assert.equal(pods(bench.world, "platform").filter(({ pod }) => pod.startsWith("default/w-")).length, 2);
        happen(bench.world, "platform", "load:default/w=5");
        assert.equal(pods(bench.world, "platform").filter(({ pod }) => pod.startsWith("default/w-")).length, 5);
    });

    it("gives a release's name back, and takes away what it brought, when somebody uninstalls it", async () => {
        const bench = new Bench();
        await bench.create(T.namespace, "keda", { metadata: { name: "keda" } });
        const keda = { chart: "keda", name: "keda", namespace: "keda", repositoryOpts };
        await bench.create(T.release, "keda", keda);
        const there = () => pods(bench.world, "platform").filter(({ pod }) => pod.startsWith("keda/")).length;
        assert.ok(there() > 0);
        assert.throws(
            () => happenSomewhere(bench.world, "uninstall:keda/other"),
            /no Helm release.*there are keda\/keda/,
        );
        assert.throws(() => happenSomewhere(new Bench([]).world, "uninstall:keda/keda"), /there is no cluster yet/);
        happenSomewhere(bench.world, "uninstall:keda/keda");
        assert.equal(there(), 0);
        await bench.create(T.release, "again", keda);
    });

    it("is gone with everything in it when the cluster is deleted", async () => {
        const bench = new Bench();
        await bench.create(T.namespace, "quotas", { metadata: { name: "quotas" } });
        await bench.create("kubernetes:core/v1:ResourceQuota", "q", { metadata: { name: "q", namespace: "quotas" } });
        const token = "aws:eks/cluster:Cluster";
        const [{ id, inputs }] = bench.world.all(token);
        const provider = new SimulatedProvider(bench.cloud, aws, { region: "eu-west-1" });
        await provider.delete({ token, name: "platform", urn: "urn:platform" }, id, inputs);
        const left = [...bench.cloud.universe.every()]
            .map((one) => one.token)
            .filter((one) => /^kubernetes:/.test(one));
        assert.deepEqual(left, []);
    });

    it("deadlocks on Airflow's default hooks, as Helm does", async () => {
        const bench = new Bench([...platform(), node("big", "eu-west-1a", { cpu: "7900m", memory: "30Gi" })]);
        await bench.create(
            T.storageClass,
            "gp3",
            storageClass("gp3", {
                metadata: { name: "gp3", annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
            }),
        );
        const release = { chart: "airflow", name: "airflow", namespace: "default", version: "1.22.0", repositoryOpts };
        await assert.rejects(bench.create(T.release, "airflow", release), /wait-for-airflow-migrations/);
    });

    it("reads a release's value files: later ones win, and its values win over all of them", async () => {
        const bench = new Bench();
        const release = (more: object) => ({ chart: "metrics-server", namespace: "default", repositoryOpts, ...more });
        const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "values-")), "values.yaml");
        fs.writeFileSync(file, "replicas: 2\nargs: [--one]\n");
        const running = (name: string) =>
            pods(bench.world, "platform").filter(({ pod }) => pod.startsWith(`default/${name}-`)).length;
        const files = { valueYamlFiles: [{ text: "replicas: 3" }, { path: file }] };
        await bench.create(T.release, "files", release({ name: "files", ...files }));
        assert.equal(running("files"), 2);
        await bench.delete(T.release, "default/files");
        await bench.create(T.release, "both", release({ name: "both", ...files, values: { replicas: 4 } }));
        assert.equal(running("both"), 4);
        for (const [asset, refusal] of [
            [{ path: `${file}.not` }, /valueYamlFiles\[0\]: ENOENT/],
            [{ text: "- a" }, /valueYamlFiles\[0\]: expected YAML with a map/],
            [{ text: "a: {" }, /valueYamlFiles\[0\]: /],
            ["values.yaml", /valueYamlFiles\[0\]: expected an asset/],
        ] as const) {
            const wrong = bench.create(T.release, "wrong", release({ name: "wrong", valueYamlFiles: [asset] }));
            await assert.rejects(wrong, refusal);
        }
    });

    it("says that it knows nothing of other charts", async () => {
        const { outputs } = await new Bench().create(T.release, "grafana", {
            chart: "grafana",
            name: "grafana",
            namespace: "default",
            repositoryOpts,
        });
        assert.match(String(outputs.simulation), /opaque/);
    });
});
