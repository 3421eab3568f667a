import { strict as assert } from "node:assert";
import { schedule } from "../../rehearsal/cloud/kubernetes/control/scheduler";
import { ebsVolume } from "../../rehearsal/cloud/kubernetes/storage/ebsParameters";
import { efsAccessPoint } from "../../rehearsal/cloud/kubernetes/storage/efsParameters";
import type { Properties } from "../../rehearsal/cloud/shell/type";
import { node } from "./cloud-kubernetes-fixture";

describe("EBS: what a class's parameters become", () => {
    it("has the driver's defaults", () => {
        assert.deepEqual(ebsVolume({}, 10), {
            type: "gp3",
            encrypted: false,
            kmsKeyId: undefined,
            iops: 3000,
            throughput: 125,
            fsType: "ext4",
        });
    });

    it("encrypts by the word true only, or by a key", () => {
        const encrypted = (parameters: Record<string, string>): unknown =>
            (ebsVolume(parameters, 10) as { encrypted?: boolean }).encrypted;
        assert.equal(encrypted({ encrypted: "true" }), true);
        assert.equal(encrypted({ ENCRYPTED: "true" }), true);
        for (const word of ["True", "yes", "1"]) {
            assert.equal(encrypted({ encrypted: word }), false, word);
        }
        assert.equal(encrypted({ kmsKeyId: "arn:aws:kms:eu-west-1:1:key/a" }), true);
    });

    const refused: [string, Record<string, string>, number, RegExp][] = [
        ["unknown keys", { flavour: "x" }, 10, /Invalid parameter key flavour/],
        ["the fstype key in another spelling", { "csi.storage.k8s.io/fsType": "xfs" }, 10, /Invalid parameter key/],
        ["unknown types", { type: "gp9" }, 10, /VolumeType/],
        ["iops and iopsPerGB together", { type: "io2", iops: "100", iopsPerGB: "10" }, 10, /not both/],
        ["io1 without iops", { type: "io1" }, 10, /must specify/],
        ["iops on gp2", { type: "gp2", iops: "100" }, 10, /not supported for gp2/],
        ["more iops than the size allows", { type: "gp3", iops: "16000" }, 10, /out of range/],
        ["throughput above a quarter of the iops", { type: "gp3", throughput: "1000" }, 10, /out of range/],
        ["too small a cold disk", { type: "sc1" }, 10, /too small/],
        ["iopsPerGB below the minimum", { type: "io1", iopsPerGB: "5" }, 10, /too low/],
    ];
    for (const [name, parameters, size, expected] of refused) {
        it(`refuses ${name}`, () => {
            assert.match((ebsVolume(parameters, size) as { error?: string }).error ?? "", expected);
        });
    }

    it("multiplies iopsPerGB", () => {
        assert.equal((ebsVolume({ type: "io1", iopsPerGB: "50" }, 10) as { iops?: number }).iops, 500);
    });
});

describe("EFS: what a class's parameters become", () => {
    const claim = {
        volumeName: "pvc-1",
        claimName: "logs",
        namespace: "airflow",
        taken: new Set<number>(),
        unique: () => "u",
    };
    const base = { provisioningMode: "efs-ap", fileSystemId: "fs-1", directoryPerms: "775" };

    it("gives identities from a range, the first that is free", () => {
        const made = efsAccessPoint(
            { ...base, gidRangeStart: "1000", gidRangeEnd: "2000" },
            { ...claim, taken: new Set([1000]) },
        );
        assert.deepEqual(made, {
            fileSystemId: "fs-1",
            uid: 1001,
            gid: 1001,
            directoryPerms: "775",
            path: "/pvc-1",
            reuse: false,
        });
    });

    it("takes uid 50000 with gid 0, and a stable directory", () => {
        const made = efsAccessPoint(
            {
                ...base,
                uid: "50000",
                gid: "0",
                basePath: "/prod_airflow",
                subPathPattern: "${.PVC.namespace}/${.PVC.name}",
                ensureUniqueDirectory: "false",
            },
            claim,
        );
        assert.deepEqual(made, {
            fileSystemId: "fs-1",
            uid: 50000,
            gid: 0,
            directoryPerms: "775",
            path: "/prod_airflow/airflow/logs",
            reuse: false,
        });
    });

    const refused: [string, Record<string, string>, RegExp][] = [
        ["no mode", { fileSystemId: "fs-1" }, /provisioningMode/],
        ["no permissions", { provisioningMode: "efs-ap", fileSystemId: "fs-1" }, /directoryPerms/],
        ["permissions that are none", { ...base, directoryPerms: "rwx" }, /permissions/],
        ["uid without gid", { ...base, uid: "1" }, /gid/],
        ["half a range", { ...base, gidRangeStart: "1" }, /gidRangeEnd/],
        ["unknown variables in the path", { ...base, subPathPattern: "${.PVC.uid}" }, /only/],
        ["a directory that EFS makes no access point for", { ...base, basePath: "/.logs" }, /rootDirectory\.path/],
        ["unknown keys", { ...base, encrypted: "true" }, /Invalid parameter encrypted/],
    ];
    for (const [name, parameters, expected] of refused) {
        it(`refuses ${name}`, () => {
            assert.match((efsAccessPoint(parameters, claim) as { error?: string }).error ?? "", expected);
        });
    }
});

describe("Scheduler", () => {
    const nodes = [
        node("a1", "a").outputs,
        node("a2", "a", { taints: [{ key: "spot", value: "true", effect: "NoSchedule" }] }).outputs,
        node("b1", "b", { cpu: "500m" }).outputs,
    ];
    const pod = (spec: Properties, name = "p"): Properties => ({
        metadata: { name, labels: { app: "p" } },
        spec: { containers: [{ name: "c" }], ...spec },
    });
    const where = (spec: Properties, placed: Properties[] = []): unknown => {
        const result = schedule(pod(spec), { nodes, placed });
        return "message" in result ? result.message : (result.node.metadata as Properties).name;
    };

    it("fits resources, selectors and taints", () => {
        assert.equal(where({ containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] }), "a1");
        assert.equal(where({ nodeSelector: { "topology.kubernetes.io/zone": "b" } }), "b1");
        assert.equal(
            where({
                tolerations: [{ key: "spot", operator: "Equal", value: "true" }],
                nodeSelector: { "kubernetes.io/hostname": "a2" },
            }),
            "a2",
        );
    });

    it("says of each node why not", () => {
        assert.equal(
            where({ containers: [{ name: "c", resources: { requests: { cpu: "4" } } }] }),
            "0/3 nodes are available: 1 node(s) had untolerated taint(s) {spot: true}, 2 Insufficient cpu.",
        );
    });

    it("counts what is already there", () => {
        const placed = [
            { ...pod({ containers: [{ name: "c", resources: { requests: { cpu: "1500m" } } }], nodeName: "a1" }, "q") },
        ];
        assert.match(
            String(where({ containers: [{ name: "c", resources: { requests: { cpu: "1" } } }] }, placed)),
            /2 Insufficient cpu/,
        );
    });

    it("keeps apart what wants to be apart, and spreads where that is demanded", () => {
        const anti = {
            podAntiAffinity: {
                requiredDuringSchedulingIgnoredDuringExecution: [
                    { topologyKey: "topology.kubernetes.io/zone", labelSelector: { matchLabels: { app: "p" } } },
                ],
            },
        };
        const placed = [pod({ nodeName: "a1" }, "q")];
        assert.equal(where({ affinity: anti }, placed), "b1");
        const spread = [
            {
                maxSkew: 1,
                topologyKey: "topology.kubernetes.io/zone",
                whenUnsatisfiable: "DoNotSchedule",
                labelSelector: { matchLabels: { app: "p" } },
            },
        ];
        assert.equal(where({ topologySpreadConstraints: spread }, placed), "b1");
    });
});
