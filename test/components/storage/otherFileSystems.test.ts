import * as assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import {
    checkCrossAccountClassesArgs,
    CrossAccountClasses,
    type CrossAccountClassesArgs,
} from "../../../components/storage/crossAccountClasses";
import {
    checkCrossAccountFileSystemArgs,
    CrossAccountFileSystem,
    type CrossAccountFileSystemArgs,
} from "../../../components/storage/crossAccountFileSystem";
import {
    checkExistingFileSystemArgs,
    ExistingFileSystem,
    type ExistingFileSystemArgs,
} from "../../../components/storage/existingFileSystem";
import {
    checkStaticEfsVolumeArgs,
    StaticEfsVolume,
    type StaticEfsVolumeArgs,
} from "../../../components/storage/staticEfsVolume";
import { clusterInfo, type Loose, networkInfo, simulate } from "../mocks";
import { assertProblems } from "./problems";

const ZONES = ["eu-west-1a", "eu-west-1b"];
const CLASS = "kubernetes:storage.k8s.io/v1:StorageClass";
const fileSystem = (more: object = {}) => ({
    "aws:efs/getFileSystem:getFileSystem": ({ fileSystemId }: Loose) => ({
        fileSystemId,
        arn: `arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/${fileSystemId}`,
        dnsName: `${fileSystemId}.efs.eu-west-1.amazonaws.com`,
        encrypted: true,
        ...more,
    }),
});

describe("ExistingFileSystem", () => {
    const base: ExistingFileSystemArgs = {
        ...{ fileSystemId: "fs-0123", network: networkInfo, cluster: clusterInfo, zones: ZONES },
    };
    const make = (args: Partial<ExistingFileSystemArgs> = {}, calls: object = fileSystem()) =>
        simulate(
            () => {
                const files = new ExistingFileSystem("files", { ...base, ...args });
                return { id: files.fileSystemId, arn: files.fileSystemArn, classes: files.classNames };
            },
            { calls: calls as never },
        );

    it("makes classes on the file system and nothing else", async () => {
        const made = await make();
        assert.deepEqual(
            made.resources.map(({ type }) => type),
            ["airflow-eks:index:ExistingFileSystem", CLASS],
        );
        assert.equal(made.one(CLASS).inputs.parameters.fileSystemId, "fs-0123");
        assert.deepEqual(made.result.classes, { "efs-sc": "efs-sc" });
        assert.match(made.result.arn, /file-system\/fs-0123$/);
    });

    it("makes the mount targets of a restored one by choice", async () => {
        const made = await make({ makeMountTargets: true, clients: "Vpc" });
        assert.equal(made.all("aws:efs/mountTarget:MountTarget").length, 2);
        assert.deepEqual(made.one("aws:ec2/securityGroup:SecurityGroup").inputs.ingress[0].cidrBlocks, [
            "10.20.0.0/16",
        ]);
        assert.ok(made.one(CLASS).dependencies.includes("files-eu-west-1a"));
        assert.equal(made.all("aws:efs/fileSystem:FileSystem").length, 0);
    });

    it("looks at the mount targets that it is told of", async () => {
        const target = ({ mountTargetId }: Loose) => ({
            ...{ mountTargetId, fileSystemId: "fs-0123", availabilityZoneName: `eu-west-1${mountTargetId.slice(-1)}` },
        });
        const calls = { ...fileSystem(), "aws:efs/getMountTarget:getMountTarget": target };
        const right = { "eu-west-1a": "fsmt-a", "eu-west-1b": "fsmt-b" };
        assert.equal((await make({ mountTargetIds: right }, calls)).result.id, "fs-0123");
        await assert.rejects(
            make({ mountTargetIds: { "eu-west-1a": "fsmt-b", "eu-west-1b": "fsmt-b" } }, calls),
            /mountTargetIds\.eu-west-1a: fsmt-b belongs to fs-0123 in eu-west-1b, not to fs-0123 in eu-west-1a/,
        );
    });

    it("refuses one that is not encrypted", async () => {
        await assert.rejects(make({}, fileSystem({ encrypted: false })), /fs-0123 is not encrypted/);
    });

    it("refuses bad input, all at once", () => {
        const check = (args: object) => checkExistingFileSystemArgs({ ...base, ...args } as ExistingFileSystemArgs);
        assertProblems(
            check({
                fileSystemId: "my-files",
                zones: [],
                clients: "Nodes",
                mountTargetIds: {},
                classes: { x: { uid: 1 } },
            }),
            {
                ...{ fileSystemId: /no id of a file system/, zones: /no zone/, clients: /without makeMountTargets/ },
                "classes.x.uid": /needs gid/,
            },
        );
        assertProblems(check({ mountTargetIds: { "eu-west-1a": "mine" } }), {
            "mountTargetIds.eu-west-1a": /no id of a mount target/,
            mountTargetIds: /none for eu-west-1b/,
        });
        assertProblems(check({ makeMountTargets: true, mountTargetIds: { "eu-west-1a": "fsmt-1" } }), {
            mountTargetIds: /leave out one/,
        });
        assertProblems(check({ fileSystemId: undefined, zone: "a" }), {
            fileSystemId: /no id/,
            zone: /no such setting; known are/,
        });
        assert.deepEqual(check({}), []);
    });
});

describe("CrossAccountFileSystem", () => {
    const base: CrossAccountFileSystemArgs = { fileSystemId: "fs-0123", clusterAccountId: "111111111111" };
    const make = (args: Partial<CrossAccountFileSystemArgs> = {}) =>
        simulate(
            () => {
                const shared = new CrossAccountFileSystem("shared", { ...base, ...args });
                return { access: shared.access, secret: pulumi.isSecret(shared.access) };
            },
            { calls: fileSystem() },
        );
    const statementsOf = ({ inputs }: { inputs: Loose }) => JSON.parse(inputs.policy).Statement as Loose[];

    it("lets the other account's driver in with a secret external id", async () => {
        const made = await make();
        const [trust] = JSON.parse(made.one("aws:iam/role:Role").inputs.assumeRolePolicy).Statement;
        const { result } = made.one("random:index/randomPassword:RandomPassword").inputs as Loose;
        assert.equal(result, undefined);
        assert.deepEqual(trust.Principal, { AWS: "arn:aws:iam::111111111111:root" });
        assert.equal(trust.Condition.StringEquals["sts:ExternalId"], made.result.access.externalId);
        assert.ok(made.result.access.externalId.length >= 32);
        assert.ok(made.result.secret);
        assert.equal(made.result.access.fileSystemId, "fs-0123");
        assert.ok(made.one("aws:iam/role:Role").secretInputs.includes("assumeRolePolicy"));
        const given = await make({ externalId: "agreed" });
        assert.equal(given.result.access.externalId, "agreed");
        assert.equal(given.all("random:index/randomPassword:RandomPassword").length, 0);
    });

    it("gives the role what the driver does, on this file system", async () => {
        const made = await make({ permissionsBoundary: "arn:aws:iam::1:policy/b", tags: { team: "data" } });
        const statements = statementsOf(made.one("aws:iam/rolePolicy:RolePolicy"));
        const create = statements.find(({ Action }) => Action === "elasticfilesystem:CreateAccessPoint");
        assert.match(create.Resource, /file-system\/fs-0123$/);
        assert.deepEqual(statements.map(({ Sid }) => Sid).sort(), [
            ...["DeleteItsAccessPoints", "Look", "MakeAccessPoints", "TagNewAccessPoints"],
        ]);
        const role = made.one("aws:iam/role:Role").inputs;
        assert.equal(role.permissionsBoundary, "arn:aws:iam::1:policy/b");
        assert.deepEqual(role.tags, { team: "data" });
    });

    it("admits the other account in the file system's policy and locks nobody out unless told to", async () => {
        const open = statementsOf((await make()).one("aws:efs/fileSystemPolicy:FileSystemPolicy"));
        assert.deepEqual(open[0].Principal, { AWS: "arn:aws:iam::111111111111:root" });
        assert.deepEqual(open[1].Condition, { Bool: { "elasticfilesystem:AccessedViaMountTarget": "true" } });
        assert.deepEqual([open[2].Effect, open[2].Condition], ["Deny", { Bool: { "aws:SecureTransport": "false" } }]);
        const closed = await make({ othersMayMount: false });
        const policy = closed.one("aws:efs/fileSystemPolicy:FileSystemPolicy");
        assert.deepEqual(
            statementsOf(policy).map(({ Effect }) => Effect),
            ["Allow", "Deny"],
        );
        assert.ok(policy.retainOnDelete);
    });

    it("refuses bad input, all at once", () => {
        assertProblems(
            checkCrossAccountFileSystemArgs({
                ...{ fileSystemId: "x", clusterAccountId: "12", externalId: "a b", roleName: "r" },
            } as CrossAccountFileSystemArgs),
            {
                ...{ fileSystemId: /no id/, clusterAccountId: /12 digits/, externalId: /2 to 1,224/ },
                roleName: /no such setting/,
            },
        );
        assert.deepEqual(checkCrossAccountFileSystemArgs(base), []);
    });
});

describe("CrossAccountClasses", () => {
    const access = { fileSystemId: "fs-0123", roleArn: "arn:aws:iam::222222222222:role/r", externalId: "psst" };
    const make = (args: Partial<CrossAccountClassesArgs> = {}) =>
        simulate(
            () =>
                new CrossAccountClasses("shared", {
                    ...{ access: pulumi.secret(access), classes: { "efs-shared": { uid: 50000, gid: 0 } } },
                    ...args,
                }).classNames,
        );

    it("tells the driver whom to be, and mounts as that", async () => {
        const made = await make();
        const secret = made.one("kubernetes:core/v1:Secret");
        assert.deepEqual(secret.inputs.stringData, { awsRoleArn: access.roleArn, externalId: "psst" });
        assert.equal(secret.inputs.metadata.namespace, "kube-system");
        assert.ok(secret.secretInputs.includes("stringData"));
        const { inputs, secretInputs } = made.one(CLASS);
        assert.equal(inputs.parameters.fileSystemId, "fs-0123");
        assert.equal(inputs.parameters["csi.storage.k8s.io/provisioner-secret-namespace"], "kube-system");
        assert.equal(inputs.parameters.az, undefined);
        assert.deepEqual(inputs.mountOptions, ["iam"]);
        assert.deepEqual(secretInputs, []);
        assert.deepEqual(made.result, { "efs-shared": "efs-shared" });
    });

    it("finds mount targets by DNS or by one zone's address by choice", async () => {
        const dns = await make({ mount: "Dns", namespace: "storage" });
        assert.equal(dns.one("kubernetes:core/v1:Secret").inputs.stringData.crossaccount, "true");
        assert.equal(dns.one("kubernetes:core/v1:Secret").inputs.metadata.namespace, "storage");
        const one = await make({
            ...{ mount: "OneAddress", mountZone: "eu-west-1a" },
            classes: { x: { mountOptions: ["iam", "hard"] } },
        });
        assert.equal(one.one(CLASS).inputs.parameters.az, "eu-west-1a");
        assert.deepEqual(one.one(CLASS).inputs.mountOptions, ["iam", "hard"]);
    });

    it("refuses bad input, all at once", () => {
        const check = (args: object) =>
            checkCrossAccountClassesArgs({ access, classes: { x: {} }, ...args } as CrossAccountClassesArgs);
        assertProblems(check({ classes: {}, mount: "OneAddress", namespace: "A" }), {
            ...{ classes: /at least one/, mountZone: /whose mount target/, namespace: /namespace/ },
        });
        assertProblems(check({ mountZone: "eu-west-1a", classes: { x: { gid: 1 } } }), {
            ...{ mountZone: /OneAddress only/, "classes.x.gid": /needs uid/ },
        });
        assert.deepEqual(check({}), []);
    });
});

describe("StaticEfsVolume", () => {
    const base: StaticEfsVolumeArgs = { fileSystemId: "fs-0123", namespace: "data", directory: { path: "/shared" } };
    const make = (args: Partial<StaticEfsVolumeArgs> = {}) =>
        simulate(() => {
            const volume = new StaticEfsVolume("shared", { ...base, ...args });
            return { claim: volume.claimName, volume: volume.volumeName, accessPoint: volume.accessPointId };
        });
    const VOLUME = "kubernetes:core/v1:PersistentVolume";
    const CLAIM = "kubernetes:core/v1:PersistentVolumeClaim";

    it("makes a volume of 5Gi that pods of all zones share and that keeps its files", async () => {
        const made = await make();
        const { spec } = made.one(VOLUME).inputs;
        assert.deepEqual(spec.accessModes, ["ReadWriteMany"]);
        assert.deepEqual(spec.capacity, { storage: "5Gi" });
        assert.equal(spec.persistentVolumeReclaimPolicy, "Retain");
        assert.equal(spec.storageClassName, "");
        assert.deepEqual(spec.csi, { driver: "efs.csi.aws.com", volumeHandle: "fs-0123::fsap-shared" });
        assert.equal(spec.nodeAffinity, undefined);
        assert.equal(spec.claimRef.name, "shared");
        const claim = made.one(CLAIM).inputs;
        assert.deepEqual(claim.metadata, { namespace: "data", name: "shared" });
        assert.equal(claim.spec.storageClassName, "");
        assert.ok(made.one(CLAIM).dependencies.includes("shared"));
        assert.equal(made.result.claim, "shared");
    });

    it("acts as Airflow's user, or as another, or through an access point that is there", async () => {
        const point = (await make()).one("aws:efs/accessPoint:AccessPoint").inputs;
        assert.deepEqual(point.posixUser, { uid: 50000, gid: 0 });
        assert.deepEqual(point.rootDirectory, {
            path: "/shared",
            creationInfo: { ownerUid: 50000, ownerGid: 0, permissions: "775" },
        });
        const other = await make({ directory: { path: "/a/b", uid: 1000, gid: 1000, permissions: "700" } });
        assert.deepEqual(other.one("aws:efs/accessPoint:AccessPoint").inputs.posixUser, { uid: 1000, gid: 1000 });
        const given = await make({ directory: undefined, accessPointId: "fsap-9", size: "1Ti", claimName: "logs" });
        assert.equal(given.all("aws:efs/accessPoint:AccessPoint").length, 0);
        assert.equal(given.one(VOLUME).inputs.spec.csi.volumeHandle, "fs-0123::fsap-9");
        assert.equal(given.one(CLAIM).inputs.metadata.name, "logs");
        assert.equal(given.one(CLAIM).inputs.spec.resources.requests.storage, "1Ti");
    });

    it("guards what would make it anew", async () => {
        const made = await make();
        const guard = made.one("pulumi:index:Stash", "shared-guard");
        assert.equal(guard.inputs.input.path, "/shared");
        assert.equal(guard.inputs.input.storage, "5Gi");
        // With its defaults, or a first uid would look like a new key of the guard, and make the volume anew.
        assert.deepEqual(
            (await make({ directory: { path: "/shared", uid: 50000, gid: 0, permissions: "775" } })).one(
                "pulumi:index:Stash",
                "shared-guard",
            ).inputs.input,
            guard.inputs.input,
        );
        assert.equal(guard.inputs.input.uid, 50000);
        assert.ok(made.one(CLAIM).dependencies.includes("shared-guard"));
        assert.ok(made.one("aws:efs/accessPoint:AccessPoint").dependencies.includes("shared-guard"));
    });

    it("refuses bad input, all at once", () => {
        const check = (args: object) => checkStaticEfsVolumeArgs({ ...base, ...args } as StaticEfsVolumeArgs);
        assertProblems(
            check({
                ...{ fileSystemId: "fs_1", namespace: "A B", claimName: "x_y", size: "5 GB", accessPointId: "ap" },
                directory: { path: "logs", uid: -1, permissions: "rwx", owner: 5 },
            }),
            {
                ...{ fileSystemId: /no id/, namespace: /namespace/, claimName: /no name/, size: /no size/ },
                ...{ accessPointId: /no id of an access point/, directory: /either/ },
                ...{ "directory.path": /no path such as/, "directory.uid": /whole number/ },
                ...{ "directory.permissions": /octal/, "directory.owner": /no such setting/ },
            },
        );
        assertProblems(check({ directory: undefined }), { directory: /either a directory or an accessPointId/ });
        assertProblems(check({ directory: { path: "/a/b/c/d/e" } }), { "directory.path": /5 levels/ });
        for (const path of ["/logs/", "//logs", "/.logs", "/logs/..", "/a;b", "/a\nb", "/a*"]) {
            assertProblems(check({ directory: { path } }), { "directory.path": /no path such as|EFS takes no name/ });
        }
        assert.deepEqual(check({ directory: { path: "/" } }), []);
        assert.deepEqual(check({}), []);
    });
});
