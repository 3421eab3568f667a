import assert from "node:assert/strict";
import type { Properties } from "../../rehearsal/cloud/shell/type";
import type { WorldObject } from "../../rehearsal/cloud/shell/world";
import { INSTANCE_TYPES, maxPods, spotPrice } from "../../rehearsal/cloud/aws/catalogue/instanceTypes";
import { Account, refuses } from "./cloud-aws-account";

const DB = "aws:rds/instance:Instance";
const SUBNET_GROUP = "aws:rds/subnetGroup:SubnetGroup";
const PARAMETERS = "aws:rds/parameterGroup:ParameterGroup";
const SNAPSHOT = "aws:rds/snapshot:Snapshot";
const BUCKET = "aws:s3/bucket:Bucket";
const SECRET = "aws:secretsmanager/secret:Secret";
const ZONE = "aws:route53/zone:Zone";
const RECORD = "aws:route53/record:Record";

const database: Properties = {
    identifier: "metastore",
    engine: "postgres",
    engineVersion: "17.6",
    instanceClass: "db.t4g.medium",
    allocatedStorage: 20,
    username: "airflow",
    password: "correct-horse",
    skipFinalSnapshot: true,
};

describe("simulated AWS: databases", () => {
    let account: Account;
    let inputs: Properties;
    let subnets: WorldObject[];
    beforeEach(async () => {
        account = new Account();
        ({ subnets } = await account.network());
        const group = await account.make(SUBNET_GROUP, { name: "db", subnetIds: subnets.map(({ id }) => id) });
        inputs = { ...database, dbSubnetGroupName: group.outputs.name };
    });

    it("a subnet group spans two zones", async () => {
        await refuses("DBSubnetGroupDoesNotCoverEnoughAZs", () =>
            account.make(SUBNET_GROUP, { name: "one", subnetIds: [subnets[0].id] }),
        );
    });

    it("settings that RDS refuses", () => {
        const cases: [Properties, string[]][] = [
            [{ password: "short" }, ["password"]],
            [{ password: "with space and /" }, ["password"]],
            [{ manageMasterUserPassword: true }, ["manageMasterUserPassword"]],
            [{ allocatedStorage: 10 }, ["allocatedStorage"]],
            [{ maxAllocatedStorage: 21 }, ["maxAllocatedStorage"]],
            [{ kmsKeyId: "arn:aws:kms:x" }, ["kmsKeyId"]],
            [{ engineVersion: "9.6" }, ["engineVersion"]],
            [{ username: "rdsadmin" }, ["username"]],
            [{ backupRetentionPeriod: 36 }, ["backupRetentionPeriod"]],
            [{ monitoringInterval: 60 }, ["monitoringRoleArn"]],
            [{ storageType: "gp3", iops: 12000 }, ["iops"]],
            [{ identifier: "Meta--store" }, ["identifier"]],
            [{ multiAz: true, availabilityZone: "us-east-1a" }, ["availabilityZone"]],
            [{}, []],
        ];
        for (const [more, paths] of cases)
            assert.deepEqual(account.refused(DB, { ...database, ...more }), paths, JSON.stringify(more));
    });

    it("is protected against deletion, and leaves a final snapshot", async () => {
        const protectedDb = await account.make(DB, { ...inputs, deletionProtection: true, skipFinalSnapshot: false });
        await refuses("InvalidParameterCombination", () => account.remove(protectedDb));
        const open = await account.change(protectedDb, { deletionProtection: false });
        await refuses("InvalidParameterCombination", () => account.remove(open));
        const named = await account.change(open, { finalSnapshotIdentifier: "metastore-final" });
        await account.remove(named);
        assert.deepEqual(
            account.all(SNAPSHOT).map(({ id }) => id),
            ["metastore-final"],
        );
        const again = await account.make(DB, {
            ...inputs,
            skipFinalSnapshot: false,
            finalSnapshotIdentifier: "metastore-final",
        });
        await refuses("DBSnapshotAlreadyExists", () => account.remove(again));
    });

    it("comes back from its snapshot, encrypted as it was", async () => {
        const key = await account.make("aws:kms/key:Key", {});
        const first = await account.make(DB, {
            ...inputs,
            storageEncrypted: true,
            kmsKeyId: key.outputs.arn,
            skipFinalSnapshot: false,
            finalSnapshotIdentifier: "final",
        });
        await account.remove(first);
        const { identifier, instanceClass, skipFinalSnapshot, dbSubnetGroupName } = inputs;
        const back = await account.make(DB, {
            identifier,
            instanceClass,
            skipFinalSnapshot,
            dbSubnetGroupName,
            snapshotIdentifier: "final",
        });
        assert.deepEqual(
            [back.outputs.username, back.outputs.storageEncrypted, back.outputs.engine],
            ["airflow", true, "postgres"],
        );
    });

    it("neither shrinks nor jumps to a new major version by accident", async () => {
        const made = await account.make(DB, { ...inputs, allocatedStorage: 50, engineVersion: "16.4" });
        await refuses("InvalidRequest", () => account.change(made, { allocatedStorage: 40 }));
        await refuses("InvalidRequest", () => account.change(made, { engineVersion: "17.6" }));
        await account.change(made, { engineVersion: "17.6", allowMajorVersionUpgrade: true });
        assert.deepEqual(account.replacedBy(made, { storageEncrypted: true }), ["storageEncrypted"]);
        assert.deepEqual(account.replacedBy(made, { instanceClass: "db.m7g.large", backupRetentionPeriod: 7 }), []);
    });

    it("its parameter group fits its version, and stays while it is used", async () => {
        const old = await account.make(PARAMETERS, { name: "old", family: "postgres16" });
        await refuses("InvalidParameterCombination", () => account.make(DB, { ...inputs, parameterGroupName: "old" }));
        await account.make(PARAMETERS, {
            name: "new",
            family: "postgres17",
            parameters: [{ name: "rds.force_ssl", value: "1" }],
        });
        await account.make(DB, { ...inputs, parameterGroupName: "new" });
        await refuses("InvalidDBParameterGroupState", () => account.remove(account.get(PARAMETERS, "new")!));
        await refuses("InvalidDBSubnetGroupStateFault", () => account.remove(account.get(SUBNET_GROUP, "db")!));
        await account.remove(old);
        const parameter = { name: "max_connections", value: "100" };
        assert.deepEqual(account.refused(PARAMETERS, { family: "postgres17", parameters: [parameter] }), [
            "parameters[0].applyMethod",
        ]);
    });

    it("its security groups are of its VPC", async () => {
        const other = await account.make("aws:ec2/vpc:Vpc", { cidrBlock: "10.9.0.0/16" });
        const group = await account.make("aws:ec2/securityGroup:SecurityGroup", { vpcId: other.id });
        await refuses("InvalidParameterValue", () => account.make(DB, { ...inputs, vpcSecurityGroupIds: [group.id] }));
    });
});

describe("simulated AWS: names that outlive, protections", () => {
    it("bucket names are unique among all accounts; a full bucket stays", async () => {
        const account = new Account();
        const bucket = await account.make(BUCKET, { bucket: "airflow-logs" });
        await refuses("BucketAlreadyOwnedByYou", () => account.make(BUCKET, { bucket: "airflow-logs" }));
        const other = account.as({ assumeRoles: [{ roleArn: "arn:aws:iam::210987654321:role/x" }] });
        await refuses("BucketAlreadyExists", () =>
            other.create({ token: BUCKET, name: "b", urn: "urn" }, { bucket: "airflow-logs" }),
        );
        account.cloud.universe.view().put({ ...bucket, outputs: { ...bucket.outputs, holdsObjects: true } });
        await refuses("BucketNotEmpty", () => account.remove(bucket));
        assert.deepEqual(account.refused(BUCKET, { bucket: "Airflow_Logs" }), ["bucket"]);
    });

    it("a deleted secret keeps its name for its recovery window", async () => {
        const account = new Account();
        await account.remove(await account.make(SECRET, { name: "fernet" }));
        await refuses("InvalidRequestException", () => account.make(SECRET, { name: "fernet" }));
        await account.remove(await account.make(SECRET, { name: "other", recoveryWindowInDays: 0 }));
        await account.make(SECRET, { name: "other" });
    });

    it("a zone with records stays, unless it may go by force", async () => {
        const account = new Account();
        const zone = await account.make(ZONE, { name: "example.org" });
        const record = { zoneId: zone.id, name: "airflow", type: "A", ttl: 60, records: ["192.0.2.1"] };
        const made = await account.make(RECORD, record);
        assert.equal(made.outputs.fqdn, "airflow.example.org");
        await refuses("InvalidChangeBatch", () => account.make(RECORD, record));
        await refuses("HostedZoneNotEmpty", () => account.remove(zone));
        await account.remove(await account.change(zone, { forceDestroy: true }));
        assert.equal(account.all(RECORD).length, 0);
    });

    it("volumes: sizes and speeds of their type, no shrinking, keys only with encryption", async () => {
        const account = new Account();
        const volume = (inputs: Properties) =>
            account.refused("aws:ebs/volume:Volume", { availabilityZone: "us-east-1a", ...inputs });
        assert.deepEqual(volume({ size: 10, type: "gp3", iops: 100 }), ["iops"]);
        assert.deepEqual(volume({ size: 10, type: "gp2", throughput: 200 }), ["throughput"]);
        assert.deepEqual(volume({ size: 100000 }), ["size"]);
        assert.deepEqual(volume({ size: 10, kmsKeyId: "arn:aws:kms:x" }), ["kmsKeyId"]);
        const made = await account.make("aws:ebs/volume:Volume", {
            availabilityZone: "us-east-1a",
            size: 10,
            encrypted: true,
        });
        await refuses("InvalidRequest", () => account.change(made, { size: 5 }));
        assert.deepEqual(account.replacedBy(made, { encrypted: false }), ["encrypted"]);
    });

    it("log retention, alarms and backup plans are checked", () => {
        const account = new Account();
        assert.deepEqual(account.refused("aws:cloudwatch/logGroup:LogGroup", { retentionInDays: 10 }), [
            "retentionInDays",
        ]);
        const alarm = {
            comparisonOperator: "GreaterThanThreshold",
            evaluationPeriods: 1,
            metricName: "Free",
            threshold: 1,
        };
        assert.deepEqual(account.refused("aws:cloudwatch/metricAlarm:MetricAlarm", alarm), ["namespace", "period"]);
        const rules = [
            {
                ruleName: "r",
                targetVaultName: "v",
                schedule: "daily",
                lifecycle: { coldStorageAfter: 30, deleteAfter: 60 },
            },
        ];
        assert.deepEqual(account.refused("aws:backup/plan:Plan", { rules }), [
            "rules[0].lifecycle.deleteAfter",
            "rules[0].schedule",
        ]);
    });

    it("a key that nobody could manage is refused", () => {
        const statement = { Effect: "Allow", Principal: "*", Action: "kms:Decrypt", Resource: "*" };
        const policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
        assert.deepEqual(new Account().refused("aws:kms/key:Key", { policy }), ["policy"]);
        assert.deepEqual(new Account().refused("aws:kms/key:Key", { deletionWindowInDays: 3 }), [
            "deletionWindowInDays",
        ]);
    });
});

describe("simulated AWS: look-ups", () => {
    const account = new Account();
    const look = (token: string, args: Properties = {}) => {
        const [module, name] = token.includes("/") ? token.split("/") : ["index", token];
        return account.provider.invoke(`aws:${module}/${name}:${name}`, args);
    };

    it("where and who", () => {
        assert.equal(look("getRegion").region, "us-east-1");
        assert.equal(look("getCallerIdentity").accountId, "123456789012");
        assert.equal(look("getPartition").dnsSuffix, "amazonaws.com");
        assert.deepEqual(look("getAvailabilityZones", { excludeNames: ["us-east-1e"] }).names, [
            "us-east-1a",
            "us-east-1b",
            "us-east-1c",
            "us-east-1d",
            "us-east-1f",
        ]);
    });

    it("objects by filter and tag; none or several are errors", async () => {
        const { vpc, subnets } = await account.network();
        const filters = [{ name: "vpc-id", values: [vpc.id] }];
        assert.deepEqual(
            look("ec2/getSubnets", { filters }).ids,
            subnets.map(({ id }) => id),
        );
        assert.equal(
            look("ec2/getSubnet", { filters: [...filters, { name: "availability-zone", values: ["us-east-1b"] }] }).id,
            subnets[1].id,
        );
        assert.throws(() => look("ec2/getSubnet", { filters }), /multiple/);
        assert.throws(() => look("ec2/getVpc", { tags: { Name: "no" } }), /no matching/);
        assert.throws(
            () => look("ec2/getSubnets", { filters: [{ name: "vpcId", values: [] }] }),
            /InvalidParameterValue/,
        );
    });

    it("instance types: by filter, offered by zone, with a price", () => {
        const filters = [
            { name: "vcpu-info.default-vcpus", values: ["4"] },
            { name: "memory-info.size-in-mib", values: ["16384"] },
            { name: "processor-info.supported-architecture", values: ["arm64"] },
        ];
        const types = look("ec2/getInstanceTypes", { filters }).instanceTypes as string[];
        assert.ok(types.includes("m7g.xlarge") && !types.includes("m7i.xlarge") && !types.includes("m7g.large"));
        const offered = look("ec2/getInstanceTypeOfferings", {
            locationType: "availability-zone",
            filters: [{ name: "instance-type", values: ["m7g.large"] }],
        });
        assert.ok(!(offered.locations as string[]).includes("us-east-1e"));
        assert.equal(look("ec2/getInstanceType", { instanceType: "m7gd.large" }).instanceStorageSupported, true);
        const price = Number(
            look("ec2/getSpotPrice", { instanceType: "m5.large", availabilityZone: "us-east-1a" }).spotPrice,
        );
        assert.ok(price > 0 && price < INSTANCE_TYPES.get("m5.large")!.onDemand);
        assert.throws(() => look("ec2/getInstanceType", { instanceType: "m5.tiny" }), /InvalidInstanceType/);
    });

    it("the catalogue is consistent", () => {
        for (const type of INSTANCE_TYPES.values()) {
            assert.ok(type.vcpus > 0 && type.memoryGiB > 0 && type.onDemand > 0, type.name);
            assert.ok(spotPrice(type, "us-east-1a") < type.onDemand, type.name);
        }
        // Known figures of the EKS AMI's list of maximum pods.
        const pods = {
            "t3.medium": 17,
            "t3.large": 35,
            "m5.large": 29,
            "m5.xlarge": 58,
            "m5.4xlarge": 234,
            "c5.18xlarge": 737,
        };
        for (const [name, count] of Object.entries(pods)) assert.equal(maxPods(INSTANCE_TYPES.get(name)!), count, name);
        assert.deepEqual(
            ["m7g.large", "c6gn.large", "t4g.medium", "im4gn.large", "g5g.xlarge"].map(
                (name) => INSTANCE_TYPES.get(name)?.architecture,
            ),
            Array(5).fill("arm64"),
        );
        assert.deepEqual(
            ["g4dn.xlarge", "g5.xlarge", "m7i.large", "c7i-flex.large"].map(
                (name) => INSTANCE_TYPES.get(name)?.architecture,
            ),
            Array(4).fill("x86_64"),
        );
    });

    it("add-on versions: the newest, or the default one, for a cluster version that exists", () => {
        const version = (args: Properties) =>
            look("eks/getAddonVersion", { addonName: "kube-proxy", kubernetesVersion: "1.36", ...args }).version;
        assert.match(String(version({ mostRecent: true })), /^v1\.36\./);
        assert.notEqual(version({ mostRecent: true }), version({}));
        assert.throws(() => version({ addonName: "kube-proxi" }), /ResourceNotFoundException/);
        assert.throws(() => version({ kubernetesVersion: "1.99" }), /InvalidParameterException|InvalidParameterValue/);
    });

    it("policy documents are computed", () => {
        const { json } = look("iam/getPolicyDocument", {
            statements: [
                {
                    sid: "a",
                    actions: ["s3:Get*"],
                    resources: ["b", "a"],
                    conditions: [{ test: "StringEquals", variable: "aws:x", values: ["1"] }],
                },
                { effect: "Deny", principals: [{ type: "AWS", identifiers: ["*"] }], actions: ["*"], resources: ["*"] },
            ],
        });
        assert.deepEqual(JSON.parse(String(json)), {
            Version: "2012-10-17",
            Statement: [
                {
                    Sid: "a",
                    Effect: "Allow",
                    Action: "s3:Get*",
                    Resource: ["b", "a"],
                    Condition: { StringEquals: { "aws:x": "1" } },
                },
                { Effect: "Deny", Principal: { AWS: "*" }, Action: "*", Resource: "*" },
            ],
        });
    });

    it("answers have the keys and forms that the SDK declares", async () => {
        const other = new Account();
        await other.cluster();
        const found = other.provider.invoke("aws:eks/getCluster:getCluster", { name: "platform" });
        assert.equal((found.certificateAuthorities as unknown[]).length, 1);
        assert.deepEqual(found.outpostConfigs, []);
        assert.equal("certificateAuthority" in found, false);
        assert.equal(typeof (found.vpcConfig as Properties).clusterSecurityGroupId, "string");
    });

    it("what is not simulated says so", () => {
        assert.throws(() => look("ec2/getFleet"), /is not simulated/);
    });
});
