import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { AirflowMetastore, type AirflowMetastoreArgs } from "../../../components/airflow/airflowMetastore";
import { CloudWatchAlarms } from "../../../components/airflow/cloudWatchAlarms";
import { ExistingMetastore } from "../../../components/airflow/existingMetastore";
import { clusterInfo, type Loose, networkInfo, simulate } from "../mocks";

const INSTANCE = "aws:rds/instance:Instance";
const good: AirflowMetastoreArgs = {
    network: networkInfo,
    cluster: clusterInfo,
    zones: ["eu-west-1a", "eu-west-1b"],
};

const deploy = (more: Partial<AirflowMetastoreArgs> = {}) =>
    simulate(
        () => {
            const metastore = new AirflowMetastore("metastore", { ...good, ...more });
            return {
                connection: metastore.connection,
                secret: pulumi.isSecret(metastore.connection),
                endpoint: metastore.endpoint,
                final: metastore.finalSnapshotIdentifier,
                snapshots: metastore.snapshotIdentifiers,
            };
        },
        {
            outputs: {
                [INSTANCE]: (_, name) => ({ address: `${name}.rds.example`, port: 5432, identifier: `${name}-1a2b` }),
                "random:index/randomId:RandomId": () => ({ hex: "c0ffee00" }),
                "aws:rds/snapshot:Snapshot": (inputs) => ({ dbSnapshotIdentifier: inputs.dbSnapshotIdentifier }),
            },
        },
    );

describe("AirflowMetastore", () => {
    it("is private, encrypted with its own key, in two zones, backed up", async () => {
        const simulated = await deploy();
        const { inputs } = simulated.one(INSTANCE);
        assert.equal(inputs.engine, "postgres");
        assert.equal(inputs.engineVersion, "17");
        assert.equal(inputs.publiclyAccessible, false);
        assert.equal(inputs.storageEncrypted, true);
        assert.match(inputs.kmsKeyId, /^arn:aws:kms:/);
        assert.equal(inputs.multiAz, true);
        assert.equal(inputs.backupRetentionPeriod, 14);
        assert.equal(inputs.storageType, "gp3");
        assert.deepEqual([inputs.allocatedStorage, inputs.maxAllocatedStorage], [20, 100]);
        assert.deepEqual(simulated.one("aws:rds/subnetGroup:SubnetGroup").inputs.subnetIds, ["subnet-a", "subnet-b"]);
        assert.equal(simulated.one("aws:kms/key:Key").inputs.enableKeyRotation, true);
    });

    it("forces TLS, whatever else is set", async () => {
        const { parameters, family } = (await deploy({ parameters: { work_mem: "8192" } })).one(
            "aws:rds/parameterGroup:ParameterGroup",
        ).inputs;
        assert.deepEqual(parameters[0], { name: "rds.force_ssl", value: "1" });
        assert.equal(parameters[1].name, "work_mem");
        assert.equal(family, "postgres17");
    });

    it("lets the groups in that nodes really carry, and nobody else", async () => {
        const simulated = await deploy();
        const { ingress } = simulated.one("aws:ec2/securityGroup:SecurityGroup").inputs;
        assert.equal(ingress, undefined);
        const rule = simulated.one("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule").inputs;
        assert.equal(rule.referencedSecurityGroupId, "sg-nodes");
        assert.deepEqual([rule.ipProtocol, rule.fromPort, rule.toPort], ["tcp", 5432, 5432]);
        assert.equal(rule.cidrIpv4, undefined);
    });

    it("comes up beside the cluster: only the rule that admits its nodes waits for it", async () => {
        const simulated = await deploy();
        const { dependencies } = simulated.one(INSTANCE);
        assert.ok(!dependencies.some((name) => name.startsWith("metastore-nodes")), dependencies.join(", "));
    });

    it("says how many groups the nodes carry when it is another number", async () => {
        await assert.rejects(
            deploy({ nodeSecurityGroupCount: 2 }),
            /carry 1 security groups .* set nodeSecurityGroupCount to 1/,
        );
    });

    it("survives: protected from deletion, a last snapshot under a name of its own, its key kept", async () => {
        const simulated = await deploy();
        const { inputs } = simulated.one(INSTANCE);
        assert.equal(inputs.deletionProtection, true);
        assert.equal(inputs.skipFinalSnapshot, false);
        assert.equal(inputs.finalSnapshotIdentifier, "metastore-final-c0ffee00");
        assert.equal(simulated.result.final, "metastore-final-c0ffee00");
        assert.equal(simulated.one("aws:kms/key:Key").retainOnDelete, true);
        // A kept instance would hold its subnets and the network.
        assert.equal(simulated.one(INSTANCE).retainOnDelete, false);
    });

    it("can be thrown away when it is worth nothing", async () => {
        const { inputs } = (await deploy({ finalSnapshot: false, deletionProtection: false })).one(INSTANCE);
        assert.equal(inputs.skipFinalSnapshot, true);
        assert.ok(!("finalSnapshotIdentifier" in inputs));
    });

    it("gives a connection that is secret as a whole", async () => {
        const { result } = await deploy();
        assert.equal(result.secret, true);
        assert.equal(result.endpoint, "metastore.rds.example:5432/airflow");
        const { admin, password, ...rest } = JSON.parse(JSON.stringify(result.connection));
        assert.deepEqual(rest, {
            host: "metastore.rds.example",
            port: 5432,
            database: "airflow",
            user: "airflow",
            sslMode: "require",
        });
        assert.equal(admin.user, "metastore_admin");
        assert.notEqual(password, admin.password);
    });

    it("is verified where the authority is given", async () => {
        const caCertificate = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----";
        const { sslMode, caCertificate: given } = (await deploy({ caCertificate })).result.connection as Loose;
        assert.deepEqual([sslMode, given], ["verify-full", caCertificate]);
    });

    it("changes both passwords on request, and only then", async () => {
        const keepers = async (rotation?: string) =>
            (await deploy({ passwordRotation: rotation }))
                .all("random:index/randomPassword:RandomPassword")
                .map(({ inputs }) => inputs.keepers);
        assert.deepEqual(await keepers(), [{ rotation: "1" }, { rotation: "1" }]);
        assert.deepEqual(await keepers("2026-11"), [{ rotation: "2026-11" }, { rotation: "2026-11" }]);
    });

    it("takes snapshots that stay", async () => {
        const simulated = await deploy({ snapshots: ["before-airflow-3"] });
        const snapshot = simulated.one("aws:rds/snapshot:Snapshot");
        assert.equal(snapshot.retainOnDelete, true);
        assert.equal(snapshot.inputs.dbInstanceIdentifier, "metastore-1a2b");
        assert.deepEqual(simulated.result.snapshots, { "before-airflow-3": "metastore-before-airflow-3-c0ffee00" });
    });

    it("can begin with a snapshot, and refuses to become another one later", async () => {
        const simulated = await deploy({ restoreFrom: "metastore-final-1" });
        assert.equal(simulated.one(INSTANCE).inputs.snapshotIdentifier, "metastore-final-1");
        const guard = simulated.one("pulumi:index:Stash", "metastore-identity");
        assert.ok(simulated.one(INSTANCE).dependencies.includes("metastore-identity"));
        const hook = simulated.hooks.get(guard.hooks.beforeUpdate[0]) as Loose;
        const input = (restoreFrom: string) => ({ input: { ...guard.inputs.input, restoreFrom } });
        await assert.rejects(
            hook.callback({ oldInputs: input("metastore-final-1"), newInputs: input("other") }),
            /the database "metastore" cannot be changed like this without losing it: restoreFrom/,
        );
        await hook.callback({ oldInputs: input("a"), newInputs: input("a") });
    });

    it("never shrinks", async () => {
        const simulated = await deploy();
        const hook = simulated.hooks.get(simulated.one(INSTANCE).hooks.beforeUpdate[0]) as Loose;
        await assert.rejects(
            hook.callback({ oldInputs: { allocatedStorage: 50 }, newInputs: { allocatedStorage: 20 } }),
            /cannot shrink from 50 to 20 GiB/,
        );
        await hook.callback({ oldInputs: { allocatedStorage: 20 }, newInputs: { allocatedStorage: 50 } });
    });

    it("says which zone of the network is missing", async () => {
        await assert.rejects(
            simulate(() => {
                const network = { ...networkInfo, privateSubnetIds: { "eu-west-1a": "subnet-a" } };
                new AirflowMetastore("metastore", { ...good, network });
            }),
            /no private subnet in zone eu-west-1b/,
        );
    });

    it("stays on an exact version that is asked for", async () => {
        assert.equal((await deploy({ engineVersion: "17.6" })).one(INSTANCE).inputs.autoMinorVersionUpgrade, false);
        assert.equal((await deploy()).one(INSTANCE).inputs.autoMinorVersionUpgrade, true);
    });
});

describe("ExistingMetastore", () => {
    const connect = (args: Loose) =>
        simulate(() => {
            const metastore = new ExistingMetastore("metastore", { host: "db.example.com", password: "x", ...args });
            return { connection: metastore.connection, secret: pulumi.isSecret(metastore.connection) };
        });

    it("gives the same connection as a new one, and makes nothing", async () => {
        const simulated = await connect({});
        assert.deepEqual(JSON.parse(JSON.stringify(simulated.result.connection)), {
            host: "db.example.com",
            port: 5432,
            database: "airflow",
            user: "airflow",
            password: "x",
            sslMode: "require",
        });
        assert.equal(simulated.result.secret, true);
        assert.deepEqual(
            simulated.resources.filter(({ custom }) => custom),
            [],
        );
    });

    it("verifies with certificates, and names the administrator", async () => {
        const { result } = await connect({
            caCertificate: "-----BEGIN CERTIFICATE-----",
            adminUser: "root",
            adminPassword: "y",
        });
        const { sslMode, admin } = result.connection as Loose;
        assert.equal(sslMode, "verify-full");
        assert.deepEqual(admin, { user: "root", password: "y", database: "postgres" });
    });
});

describe("CloudWatchAlarms", () => {
    it("watch what stops Airflow, and tell whom they should", async () => {
        const simulated = await simulate(() => {
            const alarms = new CloudWatchAlarms("alarms", {
                actions: ["arn:aws:sns:eu-west-1:123456789012:people"],
                database: { instanceIdentifier: "metastore-1", freeStorageGiB: 2 },
                fileSystem: { fileSystemId: "fs-1" },
            });
            return alarms.alarmNames;
        });
        const alarms = simulated.all("aws:cloudwatch/metricAlarm:MetricAlarm");
        assert.deepEqual(alarms.map(({ name }) => name).sort(), [
            "alarms-database-connections",
            "alarms-database-cpu",
            "alarms-database-storage",
            "alarms-files-io",
            "alarms-files-throughput",
        ]);
        for (const { inputs } of alarms) {
            assert.deepEqual(inputs.alarmActions, ["arn:aws:sns:eu-west-1:123456789012:people"]);
        }
        const storage = alarms.find(({ name }) => name === "alarms-database-storage")!.inputs;
        assert.equal(storage.threshold, 2 * 1024 ** 3);
        assert.equal(storage.comparisonOperator, "LessThanThreshold");
        assert.deepEqual(storage.dimensions, { DBInstanceIdentifier: "metastore-1" });
    });
});
