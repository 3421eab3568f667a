import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { InvalidArgumentsError } from "../../../components/shared/check";
import { EfsPerformanceMode, EfsThroughputMode, EfsTransition } from "../../../components/storage/efsFileSystem";
import {
    checkEfsSharedStorageArgs,
    EfsSharedStorage,
    type EfsSharedStorageArgs,
} from "../../../components/storage/efsSharedStorage";
import { NfsClients } from "../../../components/storage/mountTargets";
import { clusterInfo, networkInfo, simulate } from "../mocks";
import { assertProblems } from "./problems";

const ZONES = ["eu-west-1a", "eu-west-1b", "eu-west-1c"];
const base: EfsSharedStorageArgs = { network: networkInfo, cluster: clusterInfo, zones: ZONES };
const STATEFUL = [
    "aws:kms/key:Key",
    "aws:efs/fileSystem:FileSystem",
    "aws:efs/fileSystemPolicy:FileSystemPolicy",
    "aws:efs/backupPolicy:BackupPolicy",
];

function make(args: Partial<EfsSharedStorageArgs> = {}) {
    return simulate(() => {
        const files = new EfsSharedStorage("files", { ...base, ...args });
        return {
            fileSystemId: files.fileSystemId,
            classNames: files.classNames,
            mountTargetIds: files.mountTargetIds,
            securityGroupId: files.securityGroupId,
            kmsKeyArn: files.kmsKeyArn,
        };
    });
}

function check(args: object) {
    return checkEfsSharedStorageArgs({ ...base, ...args } as EfsSharedStorageArgs);
}

describe("EfsSharedStorage", () => {
    it("makes an encrypted file system with a key of its own, elastic, with a Name", async () => {
        const made = await make();
        const { inputs } = made.one("aws:efs/fileSystem:FileSystem");
        assert.equal(inputs.encrypted, true);
        assert.equal(inputs.kmsKeyId, made.one("aws:kms/key:Key").inputs.arn ?? inputs.kmsKeyId);
        assert.equal(inputs.performanceMode, "generalPurpose");
        assert.equal(inputs.throughputMode, "elastic");
        assert.deepEqual(inputs.lifecyclePolicies, [{ transitionToIa: "AFTER_30_DAYS" }]);
        assert.deepEqual(inputs.tags, { Name: "files" });
        assert.equal(made.one("aws:kms/key:Key").inputs.enableKeyRotation, true);
        assert.equal(made.one("aws:efs/backupPolicy:BackupPolicy").inputs.backupPolicy.status, "ENABLED");
        assert.equal(made.result.fileSystemId, "fs-files");
    });

    it("makes one mount target for each zone, in the zone's private subnet, all with the one group", async () => {
        const made = await make();
        const targets = made.all("aws:efs/mountTarget:MountTarget");
        assert.deepEqual(
            targets.map(({ name }) => name).sort(),
            ZONES.map((zone) => `files-${zone}`),
        );
        assert.deepEqual(targets.map(({ inputs }) => inputs.subnetId).sort(), ["subnet-a", "subnet-b", "subnet-c"]);
        assert.ok(targets.every(({ inputs }) => inputs.securityGroups[0] === "sg-files-nfs"));
        assert.ok(targets.every(({ deleteBeforeReplace }) => deleteBeforeReplace));
        assert.deepEqual(Object.keys(made.result.mountTargetIds), ZONES);
        const fewer = await make({ zones: ZONES.slice(1) });
        assert.deepEqual(
            fewer.all("aws:efs/mountTarget:MountTarget").map(({ name }) => name),
            ["files-eu-west-1b", "files-eu-west-1c"],
        );
    });

    it("admits TCP 2049 from the nodes' groups and nothing else", async () => {
        const cluster = { ...clusterInfo, nodeSecurityGroupIds: ["sg-1", "sg-2"] };
        const { inputs } = (await make({ cluster })).one("aws:ec2/securityGroup:SecurityGroup");
        assert.equal(inputs.egress, undefined);
        assert.equal(inputs.vpcId, "vpc-1");
        assert.deepEqual(
            inputs.ingress.map(({ description: _, ...rule }: Record<string, unknown>) => rule),
            [{ protocol: "tcp", fromPort: 2049, toPort: 2049, securityGroups: ["sg-1", "sg-2"] }],
        );
    });

    it("admits the VPC's range by choice, as article 000 does", async () => {
        const { inputs } = (await make({ clients: NfsClients.Vpc })).one("aws:ec2/securityGroup:SecurityGroup");
        assert.equal(inputs.ingress.length, 1);
        assert.deepEqual(inputs.ingress[0].cidrBlocks, ["10.20.0.0/16"]);
        assert.equal(inputs.ingress[0].securityGroups, undefined);
    });

    it("refuses unencrypted transport without locking anybody out", async () => {
        const made = await make();
        const { Statement } = JSON.parse(made.one("aws:efs/fileSystemPolicy:FileSystemPolicy").inputs.policy);
        const [allow, deny] = Statement;
        assert.equal(Statement.length, 2);
        assert.equal(allow.Effect, "Allow");
        assert.deepEqual(allow.Principal, { AWS: "*" });
        assert.deepEqual(allow.Condition, { Bool: { "elasticfilesystem:AccessedViaMountTarget": "true" } });
        assert.equal(allow.Action.length, 3);
        assert.equal(deny.Effect, "Deny");
        assert.deepEqual(deny.Condition, { Bool: { "aws:SecureTransport": "false" } });
    });

    it("keeps what holds data, and protects it where asked to", async () => {
        const made = await make();
        for (const type of STATEFUL) {
            assert.ok(made.one(type).retainOnDelete, type);
        }
        assert.equal(made.one("aws:efs/fileSystem:FileSystem").protect, false);
        assert.equal((await make({ protect: true })).one("aws:efs/fileSystem:FileSystem").protect, true);
        assert.equal(made.one("aws:efs/mountTarget:MountTarget", "files-eu-west-1a").retainOnDelete, false);
    });

    it("takes a given key, or the one that AWS manages, and then makes none", async () => {
        const kmsKeyArn = "arn:aws:kms:eu-west-1:123456789012:key/abc";
        const given = await make({ kmsKeyArn });
        assert.equal(given.one("aws:efs/fileSystem:FileSystem").inputs.kmsKeyId, kmsKeyArn);
        assert.equal(given.all("aws:kms/key:Key").length, 0);
        const managed = await make({ ownKey: false });
        assert.equal(managed.one("aws:efs/fileSystem:FileSystem").inputs.kmsKeyId, undefined);
        assert.equal(managed.all("aws:kms/key:Key").length, 0);
    });

    it("hands on throughput, lifecycle, backups, replication, display name and tags", async () => {
        const made = await make({
            throughputMode: EfsThroughputMode.Provisioned,
            provisionedMibps: 64,
            performanceMode: EfsPerformanceMode.MaxIo,
            lifecycle: { toInfrequentAccess: EfsTransition.After7Days, backOnAccess: true },
            backups: false,
            replication: { region: "eu-central-1" },
            displayName: "airflow-efs",
            tags: { team: "data" },
        });
        const { inputs } = made.one("aws:efs/fileSystem:FileSystem");
        assert.equal(inputs.provisionedThroughputInMibps, 64);
        assert.equal(inputs.performanceMode, "maxIO");
        assert.deepEqual(inputs.lifecyclePolicies, [
            { transitionToIa: "AFTER_7_DAYS" },
            { transitionToPrimaryStorageClass: "AFTER_1_ACCESS" },
        ]);
        assert.deepEqual(inputs.tags, { team: "data", Name: "airflow-efs" });
        assert.equal(made.one("aws:efs/backupPolicy:BackupPolicy").inputs.backupPolicy.status, "DISABLED");
        const replica = made.one("aws:efs/replicationConfiguration:ReplicationConfiguration");
        assert.equal(replica.inputs.destination.region, "eu-central-1");
        assert.ok(replica.retainOnDelete);
        const archived = await make({ lifecycle: { toArchive: EfsTransition.After90Days } });
        assert.deepEqual(archived.one("aws:efs/fileSystem:FileSystem").inputs.lifecyclePolicies, [
            { transitionToIa: "AFTER_30_DAYS" },
            { transitionToArchive: "AFTER_90_DAYS" },
        ]);
    });

    it("makes Airflow's class by default: its own user writes, and a new claim finds the old files", async () => {
        const made = await make();
        const { inputs, dependencies, deleteBeforeReplace } = made.one("kubernetes:storage.k8s.io/v1:StorageClass");
        assert.equal(inputs.metadata.name, "efs-sc");
        assert.equal(inputs.provisioner, "efs.csi.aws.com");
        assert.deepEqual(inputs.parameters, {
            provisioningMode: "efs-ap",
            fileSystemId: "fs-files",
            basePath: "/prod_airflow",
            subPathPattern: "/${.PVC.namespace}/${.PVC.name}",
            ensureUniqueDirectory: "false",
            directoryPerms: "775",
            uid: "50000",
            gid: "0",
        });
        assert.equal(inputs.reclaimPolicy, "Retain");
        assert.ok(deleteBeforeReplace);
        for (const zone of ZONES) {
            assert.ok(dependencies.includes(`files-${zone}`), "usable only once the mount targets are there");
        }
        assert.ok(dependencies.includes("files-policy"));
        assert.deepEqual(made.result.classNames, { "efs-sc": "efs-sc" });
    });

    it("makes as many classes as are named, with article 000's parameters where wanted", async () => {
        const made = await make({
            classes: {
                "efs-sc": { directoryPerms: "700", gidRangeStart: 1000, gidRangeEnd: 2000, basePath: "/prod_airflow" },
                shared: {
                    reuseAccessPoint: true,
                    mountOptions: ["tls"],
                    reclaimPolicy: "Delete",
                    bindingMode: "WaitForFirstConsumer",
                },
            },
        });
        const first = made.one("kubernetes:storage.k8s.io/v1:StorageClass", "files-efs-sc").inputs;
        assert.deepEqual(first.parameters, {
            provisioningMode: "efs-ap",
            fileSystemId: "fs-files",
            directoryPerms: "700",
            gidRangeStart: "1000",
            gidRangeEnd: "2000",
            basePath: "/prod_airflow",
        });
        const second = made.one("kubernetes:storage.k8s.io/v1:StorageClass", "files-shared").inputs;
        assert.equal(second.parameters.reuseAccessPoint, "true");
        assert.deepEqual(second.mountOptions, ["tls"]);
        assert.equal(second.reclaimPolicy, "Delete");
        assert.equal(second.volumeBindingMode, "WaitForFirstConsumer");
        assert.deepEqual(Object.keys(made.result.classNames), ["efs-sc", "shared"]);
    });

    it("fails when a zone has no private subnet", async () => {
        const network = { ...networkInfo, privateSubnetIds: { "eu-west-1a": "subnet-a" } };
        await assert.rejects(
            simulate(() => void new EfsSharedStorage("files", { ...base, network, classes: {} })),
            /mount target in eu-west-1b, where the network has no private subnet/,
        );
    });

    it("guards its copy, of which EFS has one at a time and changes nothing", async () => {
        const made = await make({ replication: { region: "eu-central-1" } });
        const guard = made.one("pulumi:index:Stash", "files-replica-guard");
        const unset = "(not set)";
        assert.deepEqual(guard.inputs.input, { region: "eu-central-1", kmsKeyArn: unset, availabilityZone: unset });
        const { dependencies } = made.one("aws:efs/replicationConfiguration:ReplicationConfiguration");
        assert.ok(dependencies.includes("files-replica-guard"));
    });

    it("guards what cannot be changed without losing the files", async () => {
        const made = await make();
        const guard = made.one("pulumi:index:Stash", "files-guard");
        assert.deepEqual(guard.inputs.input, { performanceMode: "generalPurpose", key: "a key of its own" });
        assert.ok(made.one("aws:efs/fileSystem:FileSystem").dependencies.includes("files-guard"));
        const hook = made.hooks.get(guard.hooks.beforeUpdate[0]);
        assert.ok(hook?.opts?.onDryRun, "it must run in previews");
        await assert.rejects(
            async () =>
                hook?.callback({
                    ...{ urn: guard.urn, id: "", name: guard.name, type: guard.type },
                    oldInputs: { input: { performanceMode: "generalPurpose", key: "a key of its own" } },
                    newInputs: { input: { performanceMode: "maxIO", key: "a key of its own" } },
                }),
            /the file system "files" cannot be changed.*performanceMode from "generalPurpose" to "maxIO".*second EfsSharedStorage/,
        );
    });

    describe("bad input", () => {
        it("is refused before anything is registered", async () => {
            let error: unknown;
            const made = await simulate(() => {
                try {
                    new EfsSharedStorage("files", { ...base, zones: [] });
                } catch (caught) {
                    error = caught;
                }
            });
            assert.ok(error instanceof InvalidArgumentsError);
            assert.equal(made.resources.length, 0);
        });

        it("is found all at once, each with its path", () => {
            assertProblems(
                check({
                    zones: ["eu-west-1a", "eu-west-1a", "b"],
                    throughputMode: "elastic",
                    provisionedMibps: 5000,
                    performanceMode: "maxIO",
                    ownKey: true,
                    kmsKeyArn: "alias/mine",
                    encrypted: false,
                    clients: "Everybody",
                    lifecycle: { toInfrequentAccess: "AFTER_90_DAYS", toArchive: "AFTER_30_DAYS" },
                    replication: { region: "Frankfurt" },
                    classes: {
                        Bad_Name: {},
                        odd: {
                            ...{ directoryPerms: "999", uid: 1000, gidRangeStart: 5, basePath: "logs", az: "a" },
                            ...{ mountOptions: ["crossaccount", "notls"], subPathPattern: "/${.PVC.uid}" },
                        },
                        deep: { basePath: "/a/b/c", subPathPattern: "/d/${.PVC.name}" },
                        both: { uid: 1, gid: 1, gidRangeStart: 1, gidRangeEnd: 2, fileSystemId: "fs-1" },
                        range: { gidRangeStart: 2000, gidRangeEnd: 1000 },
                        gone: { reclaimPolicy: "Recycle", bindingMode: "Later", uid: "50000", gid: -1 },
                    },
                }),
                {
                    "zones[1]": /twice/,
                    "zones[2]": /full name/,
                    provisionedMibps: /1 to 3414 MiB\/s[^]*no effect with elastic/,
                    performanceMode: /no maxIO with elastic/,
                    ownKey: /leave out one/,
                    kmsKeyArn: /ARN of a key/,
                    encrypted: /all files are encrypted/,
                    clients: /one of Nodes, Vpc/,
                    "lifecycle.toArchive": /not later/,
                    "replication.region": /no region/,
                    "classes.Bad_Name": /no name of a StorageClass/,
                    "classes.odd.directoryPerms": /three octal digits/,
                    "classes.odd.uid": /needs gid/,
                    "classes.odd.gidRangeStart": /needs gidRangeEnd/,
                    "classes.odd.basePath": /no path such as/,
                    "classes.odd.az": /no such setting; known are basePath/,
                    "classes.odd.mountOptions[0]": /CrossAccountClasses/,
                    "classes.odd.mountOptions[1]": /refuses connections without TLS/,
                    "classes.odd.subPathPattern": /variable that the driver lacks/,
                    "classes.deep.subPathPattern": /5 levels/,
                    "classes.both.gidRangeStart": /no effect beside uid and gid/,
                    "classes.both.fileSystemId": /fills in its own file system/,
                    "classes.range.gidRangeEnd": /not above gidRangeStart/,
                    "classes.gone.reclaimPolicy": /one of Delete, Retain/,
                    "classes.gone.bindingMode": /one of Immediate/,
                    "classes.gone.uid": /"50000" is not a whole number/,
                    "classes.gone.gid": /whole number from 0/,
                },
            );
        });

        it("includes directories that EFS makes no access point for, and none that the driver would mend", () => {
            const classes = (spec: object) => check({ classes: { a: { ...spec } } });
            for (const basePath of ["/logs/", "/.logs", "/a|b", ""]) {
                assertProblems(classes({ basePath }), { "classes.a.basePath": /no path such as|EFS takes no name/ });
            }
            for (const subPathPattern of ["../up", "a/../b", ".${.PVC.name}", "a//b"]) {
                const why = /no path such as|EFS takes no name/;
                assertProblems(classes({ subPathPattern }), { "classes.a.subPathPattern": why });
            }
            assert.deepEqual(classes({ basePath: "/", subPathPattern: "${.PVC.namespace}/${.PVC.name}/" }), []);
        });

        it("asks for what a mode needs", () => {
            assertProblems(check({ throughputMode: "provisioned" }), { provisionedMibps: /how many MiB/ });
            assertProblems(check({ throughputMode: "bursting", lifecycle: { toArchive: "AFTER_90_DAYS" } }), {
                "lifecycle.toArchive": /elastic throughput only/,
            });
            assertProblems(check({ lifecycle: { toInfrequentAccess: "NEVER", toArchive: "AFTER_90_DAYS" } }), {
                "lifecycle.toArchive": /not later/,
            });
            assertProblems(check({ zones: ["eu-west-1a", "us-east-1a"] }), { zones: /more than one region/ });
        });

        it("leaves to the provider what is not known yet", () => {
            assert.deepEqual(check({ kmsKeyArn: pulumi.output("not-looked-at") }), []);
        });

        it("accepts the arguments that tests here use", () => {
            assert.deepEqual(check({}), []);
            assert.deepEqual(check({ classes: { root: { uid: 0, gid: 0 } } }), []);
        });
    });
});
