import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { UNKNOWN } from "../../../policy-pack/plain";
import { rule as ebs } from "../../../policy-pack/rules/ebsVolumeEncrypted";
import { rule as efs } from "../../../policy-pack/rules/efsEncrypted";
import { rule as secrets } from "../../../policy-pack/rules/eksSecretsEncrypted";
import { rule as rds } from "../../../policy-pack/rules/rdsEncrypted";
import { fails, found, holds, judge, type Made, passes, waits } from "./helpers";

const KEY = "arn:aws:kms:eu-west-1:111122223333:key/0123";
const OWN_KEY = { requireCustomerKey: true };

describe("efs-encrypted", () => {
    const files = (props: Record<string, unknown>): Made[] => [
        { type: "aws:efs/fileSystem:FileSystem", name: "files", props },
    ];
    it("takes an encrypted one, with any key", () => {
        passes(efs, files({ encrypted: true }));
        passes(efs, files({ encrypted: "true" }));
        passes(efs, files({ encrypted: true, kmsKeyId: KEY }), OWN_KEY);
        passes(efs, [{ type: "aws-native:efs:FileSystem", props: { encrypted: true } }]);
    });
    it("refuses one without", () => {
        for (const encrypted of [undefined, null, false, "false", "yes", 1, {}, []]) {
            assert.deepEqual(found(efs, files({ encrypted })), ["files encrypted"], String(encrypted));
        }
        fails(efs, files({ kmsKeyId: KEY }));
        fails(efs, [{ type: "aws-native:efs:FileSystem", props: {} }]);
    });
    it("refuses the service's key where one's own is required", () => {
        assert.deepEqual(found(efs, files({ encrypted: true }), OWN_KEY), ["files kmsKeyId"]);
        fails(efs, files({ encrypted: true, kmsKeyId: "alias/aws/elasticfilesystem" }), OWN_KEY);
        fails(
            efs,
            files({ encrypted: true, kmsKeyId: "arn:aws:kms:eu-west-1:111122223333:alias/aws/elasticfilesystem" }),
            OWN_KEY,
        );
        passes(efs, files({ encrypted: true, kmsKeyId: "alias/awsome" }), OWN_KEY);
    });
    it("waits for what is not known", () => {
        waits(efs, files({ encrypted: UNKNOWN }));
        waits(efs, files({ encrypted: true, kmsKeyId: UNKNOWN }), OWN_KEY);
        passes(efs, files({ encrypted: true, kmsKeyId: UNKNOWN }));
    });
    it("takes replicas, which EFS encrypts always", () => {
        const replica = [
            {
                type: "aws:efs/replicationConfiguration:ReplicationConfiguration",
                props: { destination: { region: "eu-central-1" } },
            },
        ];
        passes(efs, replica);
        fails(efs, replica, OWN_KEY);
    });
});

describe("ebs-volume-encrypted", () => {
    const mapping = (deviceName: string, props: unknown = { encrypted: "true" }): unknown => ({
        deviceName,
        ebs: props,
    });
    const template = (...blockDeviceMappings: unknown[]): Made => ({
        type: "aws:ec2/launchTemplate:LaunchTemplate",
        name: "template",
        props: { id: "lt-1", blockDeviceMappings },
    });
    const nodes = (props: Record<string, unknown>): Made => ({
        type: "aws:eks/nodeGroup:NodeGroup",
        name: "nodes",
        props,
    });
    const byDefault: Made = {
        type: "aws:ebs/encryptionByDefault:EncryptionByDefault",
        name: "default",
        props: { enabled: true },
    };
    const volume = (props: Record<string, unknown>): Made => ({ type: "aws:ebs/volume:Volume", name: "volume", props });
    const snapshot: Made = {
        type: "aws:ebs/snapshot:Snapshot",
        name: "snapshot",
        props: { id: "snap-1", volumeId: "vol-1" },
    };
    const encrypted = volume({ id: "vol-1", encrypted: true });

    const good: Record<string, Made[]> = {
        "a volume": [volume({ encrypted: true })],
        "a volume with a key": [volume({ encrypted: true, kmsKeyId: KEY })],
        "a volume from a snapshot of an encrypted one": [
            encrypted,
            snapshot,
            { ...volume({ snapshotId: "snap-1" }), name: "restored" },
        ],
        "a copy of such a snapshot": [
            encrypted,
            snapshot,
            { type: "aws:ebs/snapshotCopy:SnapshotCopy", props: { sourceSnapshotId: "snap-1" } },
        ],
        "a copy with encryption": [
            { type: "aws:ebs/snapshotCopy:SnapshotCopy", props: { sourceSnapshotId: "snap-9", encrypted: true } },
        ],
        "an import": [{ type: "aws:ebs/snapshotImport:SnapshotImport", props: { encrypted: true } }],
        "an image": [{ type: "aws:ec2/amiCopy:AmiCopy", props: { encrypted: true } }],
        "an instance": [
            {
                type: "aws:ec2/instance:Instance",
                props: {
                    rootBlockDevice: { encrypted: true },
                    ebsBlockDevices: [{ deviceName: "/dev/sdf", encrypted: true }],
                },
            },
        ],
        "an instance of a template": [
            { type: "aws:ec2/instance:Instance", props: { launchTemplate: { id: "lt-1" } } },
            template(mapping("/dev/xvda")),
        ],
        "a template, text": [template(mapping("/dev/xvda", { encrypted: "true" }))],
        "a template, boolean": [template(mapping("/dev/sda1", { encrypted: true }))],
        "a template with an instance store": [
            template(mapping("/dev/xvda"), { deviceName: "/dev/sdb", virtualName: "ephemeral0" }),
        ],
        "a template with a device taken away": [
            template(mapping("/dev/xvda"), { deviceName: "/dev/sdb", noDevice: "" }),
        ],
        "a template without devices, in an account that encrypts": [template(), byDefault],
        "a volume that says nothing, in an account that encrypts": [volume({}), byDefault],
        "nodes with a template": [
            nodes({ amiType: "AL2023_x86_64_STANDARD", launchTemplate: { id: "lt-1", version: "1" } }),
            template(mapping("/dev/xvda")),
        ],
        "nodes with a template that is not made yet": [
            { ...nodes({ launchTemplate: { id: UNKNOWN, version: UNKNOWN } }), from: { launchTemplate: ["template"] } },
            template(mapping("/dev/xvda")),
        ],
        "Bottlerocket with both devices": [
            nodes({ amiType: "BOTTLEROCKET_ARM_64", launchTemplate: { id: "lt-1" } }),
            template(mapping("/dev/xvda"), mapping("/dev/xvdb")),
        ],
        "nodes in an account that encrypts": [nodes({ diskSize: 20 }), byDefault],
        "a configuration": [
            {
                type: "aws:ec2/launchConfiguration:LaunchConfiguration",
                props: { rootBlockDevice: { encrypted: true } },
            },
        ],
        "a fleet": [
            {
                type: "aws:ec2/spotFleetRequest:SpotFleetRequest",
                props: { launchSpecifications: [{ rootBlockDevices: [{ encrypted: true }] }] },
            },
        ],
        "CloudFormation's template": [
            {
                type: "aws-native:ec2:LaunchTemplate",
                props: { launchTemplateData: { blockDeviceMappings: [mapping("/dev/xvda", { encrypted: true })] } },
            },
        ],
    };
    for (const [title, made] of Object.entries(good)) {
        it(`takes: ${title}`, () => passes(ebs, made));
    }
    const bad: Record<string, Made[]> = {
        "a volume that says nothing": [volume({})],
        "a volume that says no": [volume({ encrypted: false })],
        "a volume with a key only": [volume({ kmsKeyId: KEY })],
        "a volume that says something else": [volume({ encrypted: "yes" })],
        "a volume from an encrypted snapshot, that says no": [
            encrypted,
            snapshot,
            { ...volume({ snapshotId: "snap-1", encrypted: false }), name: "restored" },
        ],
        "a copy that says nothing": [
            { type: "aws:ebs/snapshotCopy:SnapshotCopy", props: { sourceSnapshotId: "snap-9" } },
        ],
        "an import that says nothing": [{ type: "aws:ebs/snapshotImport:SnapshotImport", props: {} }],
        "a copy of an image that says nothing": [{ type: "aws:ec2/amiCopy:AmiCopy", props: { sourceAmiId: "ami-1" } }],
        "an image": [
            { type: "aws:ec2/ami:Ami", props: { ebsBlockDevices: [{ deviceName: "/dev/xvda", volumeSize: 8 }] } },
        ],
        "an instance without a root device": [{ type: "aws:ec2/instance:Instance", props: {} }],
        "an instance whose root device says nothing": [
            { type: "aws:ec2/instance:Instance", props: { rootBlockDevice: { volumeSize: 8 } } },
        ],
        "an instance whose second device says no": [
            {
                type: "aws:ec2/instance:Instance",
                props: {
                    rootBlockDevice: { encrypted: true },
                    ebsBlockDevices: [{ deviceName: "/dev/sdf", encrypted: false }],
                },
            },
        ],
        "a template without devices": [template()],
        "a template with another device only": [template(mapping("/dev/sdf"))],
        "a template with a device that says nothing": [template(mapping("/dev/xvda", { volumeSize: 20 }))],
        "a template with a device that says no": [template(mapping("/dev/xvda", { encrypted: "false" }))],
        "the last device of a template": [template(mapping("/dev/xvda"), mapping("/dev/sdf"), mapping("/dev/sdg", {}))],
        "nodes with a disk of EKS": [nodes({ diskSize: 20 })],
        "Bottlerocket without its data device": [
            nodes({ amiType: "BOTTLEROCKET_x86_64", launchTemplate: { id: "lt-1" } }),
            template(mapping("/dev/xvda")),
        ],
        "Amazon Linux with Ubuntu's device": [
            nodes({ amiType: "AL2023_ARM_64_STANDARD", launchTemplate: { id: "lt-1" } }),
            template(mapping("/dev/sda1")),
        ],
        "a spot request": [
            {
                type: "aws:ec2/spotInstanceRequest:SpotInstanceRequest",
                props: { rootBlockDevice: { encrypted: false } },
            },
        ],
        "a configuration": [{ type: "aws:ec2/launchConfiguration:LaunchConfiguration", props: {} }],
        "a fleet": [
            {
                type: "aws:ec2/spotFleetRequest:SpotFleetRequest",
                props: { launchSpecifications: [{ rootBlockDevices: [{ volumeSize: 8 }] }] },
            },
        ],
        "the default switched off": [{ ...byDefault, props: { enabled: false } }],
        "a default of another region": [
            { ...byDefault, region: "eu-central-1" },
            { ...volume({}), region: "eu-west-1" },
        ],
        "copies into another region": [
            {
                type: "aws:dlm/lifecyclePolicy:LifecyclePolicy",
                props: { policyDetails: { schedules: [{ crossRegionCopyRules: [{ encrypted: false }] }] } },
            },
        ],
    };
    for (const [title, made] of Object.entries(bad)) {
        it(`refuses: ${title}`, () => fails(ebs, made));
    }
    const later: Record<string, Made[]> = {
        "a volume": [volume({ encrypted: UNKNOWN })],
        "a foreign snapshot": [volume({ snapshotId: "snap-9" })],
        "the devices of a template": [{ ...template(), props: { blockDeviceMappings: UNKNOWN } }],
        "a foreign template": [nodes({ launchTemplate: { id: "lt-9" } })],
        "a template or none": [nodes({ launchTemplate: UNKNOWN })],
    };
    for (const [title, made] of Object.entries(later)) {
        it(`waits for: ${title}`, () => waits(ebs, made));
    }
    it("advises a template where EKS gives the disk", () => {
        passes(ebs, [nodes({})]);
        assert.equal(judge(ebs, [nodes({})]).advice.length, 1);
        assert.equal(judge(ebs, [nodes({}), byDefault]).advice.length, 0);
    });
    it("takes the account's default from the configuration", () => {
        passes(ebs, [nodes({ diskSize: 20 }), volume({}), template()], { accountEncryptsByDefault: true });
    });
    it("asks for a key of one's own where that is required", () => {
        assert.deepEqual(found(ebs, [volume({ encrypted: true })], OWN_KEY), ["volume kmsKeyId"]);
        passes(ebs, [volume({ encrypted: true, kmsKeyId: KEY })], OWN_KEY);
    });
    it("names the device", () =>
        assert.deepEqual(found(ebs, [template(mapping("/dev/xvda"), mapping("/dev/sdf", {}))]), [
            "template blockDeviceMappings[1].ebs.encrypted",
        ]));

    const device = fc.record({
        name: fc.constantFrom("/dev/xvda", "/dev/sda1", "/dev/sdf", "/dev/sdg"),
        encrypted: fc.constantFrom("true", "false", undefined, true, false),
    });
    holds(
        "finds a template unless every device is encrypted, and one is the root",
        500,
        fc.property(fc.array(device, { maxLength: 4 }), (devices) => {
            const made = [
                template(...devices.map(({ name, encrypted: value }) => mapping(name, { encrypted: value }))),
            ];
            const fine =
                devices.every(({ encrypted: value }) => String(value) === "true") &&
                devices.some(({ name }) => ["/dev/xvda", "/dev/sda1"].includes(name));
            assert.equal(judge(ebs, made).findings.length === 0, fine);
        }),
    );
});

describe("rds-encrypted", () => {
    const instance = (props: Record<string, unknown>, name = "db"): Made => ({
        type: "aws:rds/instance:Instance",
        name,
        props,
    });
    const cluster = (props: Record<string, unknown>): Made => ({
        type: "aws:rds/cluster:Cluster",
        name: "cluster",
        props,
    });
    const own = instance({ identifier: "db-1", storageEncrypted: true });
    const good: Record<string, Made[]> = {
        "an instance": [instance({ storageEncrypted: true })],
        "a cluster and its members": [
            cluster({ clusterIdentifier: "c-1", storageEncrypted: true }),
            { type: "aws:rds/clusterInstance:ClusterInstance", props: { clusterIdentifier: "c-1" } },
        ],
        "a cluster that is not made yet": [
            cluster({ storageEncrypted: true }),
            {
                type: "aws:rds/clusterInstance:ClusterInstance",
                props: { clusterIdentifier: UNKNOWN },
                from: { clusterIdentifier: ["cluster"] },
            },
        ],
        "a replica of an encrypted one": [own, instance({ replicateSourceDb: "db-1" }, "replica")],
        "a replica elsewhere, with a key": [
            instance({ replicateSourceDb: "arn:aws:rds:us-east-1:111122223333:db:db", kmsKeyId: KEY }),
        ],
        "an instance from a snapshot of an encrypted one": [
            own,
            {
                type: "aws:rds/snapshot:Snapshot",
                name: "snapshot",
                props: { id: "snap", dbInstanceIdentifier: "db-1" },
            },
            instance({ snapshotIdentifier: "snap" }, "restored"),
        ],
        "a cluster restored with a key": [cluster({ snapshotIdentifier: "foreign", kmsKeyId: KEY })],
        "Aurora Serverless v1, which is encrypted always": [cluster({ engineMode: "serverless" })],
        "a global cluster": [{ type: "aws:rds/globalCluster:GlobalCluster", props: { storageEncrypted: true } }],
        DocumentDB: [{ type: "aws:docdb/cluster:Cluster", props: { storageEncrypted: true } }],
        "a member by CloudFormation": [{ type: "aws-native:rds:DbInstance", props: { dbClusterIdentifier: "c-1" } }],
    };
    for (const [title, made] of Object.entries(good)) {
        it(`takes: ${title}`, () => passes(rds, made));
    }
    const bad: Record<string, Made[]> = {
        "an instance that says nothing": [instance({})],
        "an instance that says no": [instance({ storageEncrypted: false })],
        "an instance with a key only": [instance({ kmsKeyId: KEY })],
        "a cluster that says nothing": [cluster({})],
        "a cluster with provisioned members": [cluster({ engineMode: "provisioned" })],
        "a replica that says no, of a foreign source": [
            instance({ replicateSourceDb: "arn:aws:rds:us-east-1:1:db:x", storageEncrypted: false }),
        ],
        "a global cluster": [{ type: "aws:rds/globalCluster:GlobalCluster", props: {} }],
        DocumentDB: [{ type: "aws:docdb/cluster:Cluster", props: {} }],
        Neptune: [{ type: "aws:neptune/cluster:Cluster", props: { storageEncrypted: false } }],
        "CloudFormation's instance": [{ type: "aws-native:rds:DbInstance", props: {} }],
        nonsense: [instance({ storageEncrypted: "on" })],
    };
    for (const [title, made] of Object.entries(bad)) {
        it(`refuses: ${title}`, () => fails(rds, made));
    }
    it("finds the source of a replica, not the replica", () =>
        assert.deepEqual(
            found(rds, [instance({ identifier: "db-1" }), instance({ replicateSourceDb: "db-1" }, "replica")]),
            ["db storageEncrypted"],
        ));
    it("waits for what is not known", () => {
        waits(rds, [instance({ storageEncrypted: UNKNOWN })]);
        waits(rds, [instance({ snapshotIdentifier: "foreign" })]);
        waits(rds, [instance({ replicateSourceDb: UNKNOWN })]);
        waits(rds, [{ type: "aws:rds/clusterInstance:ClusterInstance", props: { clusterIdentifier: "foreign" } }]);
    });
    it("asks for a key of one's own where that is required", () => {
        fails(rds, [instance({ storageEncrypted: true })], OWN_KEY);
        passes(rds, [instance({ storageEncrypted: true, kmsKeyId: KEY })], OWN_KEY);
    });
});

describe("eks-secrets-encrypted", () => {
    const config = { provider: { keyArn: KEY }, resources: ["secrets"] };
    const cluster = (props: Record<string, unknown>): Made[] => [{ type: "aws:eks/cluster:Cluster", name: "c", props }];
    it("takes a key for the secrets", () => {
        passes(secrets, cluster({ version: "1.27", encryptionConfig: config }));
        passes(secrets, cluster({ version: "1.27", encryptionConfig: [config] }));
        passes(secrets, cluster({ version: "1.36", encryptionConfig: config }), OWN_KEY);
    });
    it("refuses none below 1.28", () => {
        for (const version of ["1.27", "1.9", "1.21"]) {
            assert.deepEqual(found(secrets, cluster({ version })), ["c encryptionConfig"]);
        }
        fails(secrets, cluster({ version: "1.27", encryptionConfig: { provider: {}, resources: ["secrets"] } }));
        fails(secrets, cluster({ version: "1.27", encryptionConfig: { ...config, resources: [] } }));
        fails(secrets, cluster({ version: "1.27", encryptionConfig: { ...config, resources: ["configmaps"] } }));
        fails(secrets, cluster({ version: "banana" }));
    });
    it("advises one from 1.28 on", () => {
        for (const version of ["1.28", "1.36", undefined]) {
            passes(secrets, cluster({ version }));
            assert.equal(judge(secrets, cluster({ version })).advice.length, 1);
        }
    });
    it("refuses none where one's own is required", () => fails(secrets, cluster({ version: "1.36" }), OWN_KEY));
    it("waits for what is not known", () => {
        waits(secrets, cluster({ version: UNKNOWN }));
        waits(
            secrets,
            cluster({ version: "1.27", encryptionConfig: { provider: { keyArn: UNKNOWN }, resources: ["secrets"] } }),
        );
        waits(secrets, cluster({ version: "1.27", encryptionConfig: UNKNOWN }));
        waits(secrets, cluster({ version: "1.36", encryptionConfig: UNKNOWN }), OWN_KEY);
        passes(secrets, cluster({ version: "1.36", encryptionConfig: UNKNOWN }));
    });
});
