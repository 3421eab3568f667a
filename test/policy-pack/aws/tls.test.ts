import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { adviseFileSystemPolicies } from "../../../policy-pack/judge/efsPolicy";
import { splitFamily } from "../../../policy-pack/judge/parameterGroups";
import { UNKNOWN } from "../../../policy-pack/plain";
import { rule } from "../../../policy-pack/rules/rdsTlsRequired";
import { stackOf } from "../../../policy-pack/stack";
import { fails, found, holds, judge, type Made, passes, resources, waits } from "./helpers";

const instance = (props: Record<string, unknown>, from?: Record<string, string[]>): Made => ({
    type: "aws:rds/instance:Instance",
    name: "db",
    props,
    from,
});
const group = (family: string, parameters?: unknown): Made => ({
    type: "aws:rds/parameterGroup:ParameterGroup",
    name: "group",
    props: { name: "group-1", family, parameters },
});
const cluster = (props: Record<string, unknown>): Made => ({ type: "aws:rds/cluster:Cluster", name: "db", props });
const clusterGroup = (family: string, parameters?: unknown): Made => ({
    ...group(family, parameters),
    type: "aws:rds/clusterParameterGroup:ClusterParameterGroup",
});
const ssl = (value: unknown): unknown => [{ name: "rds.force_ssl", value }];
const secure = (value: unknown): unknown => [{ name: "require_secure_transport", value }];

describe("rds-tls-required", () => {
    const good: Record<string, Made[]> = {
        "PostgreSQL 16 by default": [instance({ engine: "postgres", engineVersion: "16.3" })],
        "PostgreSQL without a version, which is the newest": [instance({ engine: "postgres" })],
        "PostgreSQL 15, in capitals": [instance({ engine: "Postgres", engineVersion: "15" })],
        "PostgreSQL 17 with a group that says nothing": [
            instance({ engine: "postgres", parameterGroupName: "group-1" }),
            group("postgres17"),
        ],
        "PostgreSQL 14 with a group": [
            instance({ engine: "postgres", engineVersion: "14", parameterGroupName: "group-1" }),
            group("postgres14", ssl("1")),
        ],
        "a number in the place of text": [
            instance({ engine: "postgres", engineVersion: "14", parameterGroupName: "group-1" }),
            group("postgres14", ssl(1)),
        ],
        "a group that is not made yet": [
            instance(
                { engine: "postgres", engineVersion: "14", parameterGroupName: UNKNOWN },
                { parameterGroupName: ["group"] },
            ),
            group("postgres14", ssl("1")),
        ],
        "the default group by name": [instance({ engine: "postgres", parameterGroupName: "default.postgres16" })],
        "MySQL with a group": [
            instance({ engine: "mysql", parameterGroupName: "group-1" }),
            group("mysql8.0", secure("ON")),
        ],
        "MariaDB 11.8 by default": [instance({ engine: "mariadb", engineVersion: "11.8.3" })],
        "SQL Server with a group": [
            instance({ engine: "sqlserver-ex", parameterGroupName: "group-1" }),
            group("sqlserver-ex-15.0", ssl("1")),
        ],
        "Aurora PostgreSQL 17 by default": [cluster({ engine: "aurora-postgresql", engineVersion: "17.4" })],
        "Aurora MySQL with a group": [
            cluster({ engine: "aurora-mysql", dbClusterParameterGroupName: "group-1" }),
            clusterGroup("aurora-mysql8.0", secure("1")),
        ],
        "Oracle, which has no parameter for it": [instance({ engine: "oracle-ee", engineVersion: "19" })],
        "DocumentDB by default": [{ type: "aws:docdb/cluster:Cluster", props: {} }],
        "a replica of one that is judged": [
            instance({ identifier: "db-1", engine: "postgres" }),
            { ...instance({ replicateSourceDb: "db-1" }), name: "replica" },
        ],
        "a proxy": [{ type: "aws:rds/proxy:Proxy", props: { requireTls: true } }],
        "CloudFormation's group": [
            { type: "aws-native:rds:DbInstance", props: { engine: "mysql", dbParameterGroupName: "g" } },
            {
                type: "aws-native:rds:DbParameterGroup",
                props: { id: "g", family: "mysql8.0", parameters: { require_secure_transport: "1" } },
            },
        ],
    };
    for (const [title, made] of Object.entries(good)) {
        it(`takes: ${title}`, () => passes(rule, made));
    }
    const bad: Record<string, Made[]> = {
        "PostgreSQL 14 by default": [instance({ engine: "postgres", engineVersion: "14.9" })],
        "PostgreSQL 14 with a group that says nothing": [
            instance({ engine: "postgres", parameterGroupName: "group-1" }),
            group("postgres14"),
        ],
        "PostgreSQL 16 with a group that says no": [
            instance({ engine: "postgres", parameterGroupName: "group-1" }),
            group("postgres16", ssl("0")),
        ],
        "a group that says no, whoever uses it": [group("postgres16", ssl(0))],
        "a value that the engine does not know": [
            instance({ engine: "postgres", parameterGroupName: "group-1" }),
            group("postgres16", ssl("true")),
        ],
        "the default group of an old family": [
            instance({ engine: "postgres", parameterGroupName: "default.postgres13" }),
        ],
        "MySQL by default": [instance({ engine: "mysql", engineVersion: "8.4" })],
        "MySQL 5.6, which cannot": [instance({ engine: "mysql", engineVersion: "5.6" })],
        "MariaDB 11.4 by default": [instance({ engine: "mariadb", engineVersion: "11.4" })],
        "SQL Server by default": [instance({ engine: "sqlserver-se" })],
        "Aurora PostgreSQL 16 by default": [cluster({ engine: "aurora-postgresql", engineVersion: "16.4" })],
        "Aurora MySQL by default": [cluster({ engine: "aurora-mysql", engineVersion: "8.0.mysql_aurora.3.05.2" })],
        "DocumentDB with a group that says no": [
            {
                type: "aws:docdb/clusterParameterGroup:ClusterParameterGroup",
                props: { name: "g", family: "docdb5.0", parameters: [{ name: "tls", value: "disabled" }] },
            },
        ],
        "a proxy that says nothing": [{ type: "aws:rds/proxy:Proxy", props: {} }],
        "a proxy that says no": [{ type: "aws:rds/proxy:Proxy", props: { requireTls: false } }],
    };
    for (const [title, made] of Object.entries(bad)) {
        it(`refuses: ${title}`, () => fails(rule, made));
    }
    const later: Record<string, Made[]> = {
        "a foreign group": [instance({ engine: "postgres", engineVersion: "16", parameterGroupName: "theirs" })],
        "a group that is not known": [instance({ engine: "mysql", parameterGroupName: UNKNOWN })],
        "a value": [instance({ engine: "postgres", parameterGroupName: "group-1" }), group("postgres16", ssl(UNKNOWN))],
        "all parameters": [
            instance({ engine: "postgres", parameterGroupName: "group-1" }),
            group("postgres16", UNKNOWN),
        ],
        "an engine": [instance({ engine: UNKNOWN })],
        "a version": [instance({ engine: "postgres", engineVersion: UNKNOWN })],
        "a foreign source": [instance({ replicateSourceDb: "arn:aws:rds:us-east-1:1:db:x" })],
        "a foreign snapshot": [instance({ snapshotIdentifier: "snap" })],
    };
    for (const [title, made] of Object.entries(later)) {
        it(`waits for: ${title}`, () => waits(rule, made));
    }
    it("names the value in the group, or the group that the database lacks", () => {
        assert.deepEqual(found(rule, bad["PostgreSQL 16 with a group that says no"]!), ["group parameters[0].value"]);
        assert.deepEqual(found(rule, bad["PostgreSQL 14 by default"]!), ["db parameterGroupName"]);
    });
    it("splits families", () => {
        assert.deepEqual(splitFamily("aurora-postgresql16"), { engine: "aurora-postgresql", version: [16] });
        assert.deepEqual(splitFamily("mysql8.0"), { engine: "mysql", version: [8, 0] });
        assert.deepEqual(splitFamily("sqlserver-ex-15.0"), { engine: "sqlserver-ex", version: [15, 0] });
        assert.deepEqual(splitFamily(""), { engine: "", version: undefined });
    });
    holds(
        "agrees with a table of PostgreSQL's versions, with and without a group",
        400,
        fc.property(
            fc.integer({ min: 10, max: 20 }),
            fc.nat(9),
            fc.constantFrom("none", "silent", "0", "1"),
            fc.boolean(),
            (major, minor, said, aurora) => {
                const made = aurora
                    ? [
                          cluster({
                              engine: "aurora-postgresql",
                              engineVersion: `${major}.${minor}`,
                              dbClusterParameterGroupName: said === "none" ? undefined : "group-1",
                          }),
                      ]
                    : [
                          instance({
                              engine: "postgres",
                              engineVersion: `${major}.${minor}`,
                              parameterGroupName: said === "none" ? undefined : "group-1",
                          }),
                      ];
                const parameters = said === "silent" ? [] : ssl(said);
                const own = aurora
                    ? clusterGroup(`aurora-postgresql${major}`, parameters)
                    : group(`postgres${major}`, parameters);
                const expected = said === "1" || (said !== "0" && major >= (aurora ? 17 : 15));
                assert.equal(judge(rule, said === "none" ? made : [...made, own]).findings.length === 0, expected);
            },
        ),
    );
});

describe("file system policies", () => {
    const files: Made = {
        type: "aws:efs/fileSystem:FileSystem",
        name: "files",
        props: { id: "fs-1", encrypted: true },
    };
    const policy = (document: unknown): Made => ({
        type: "aws:efs/fileSystemPolicy:FileSystemPolicy",
        name: "policy",
        props: { fileSystemId: "fs-1", policy: document },
    });
    const allow = {
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"],
        Condition: { Bool: { "elasticfilesystem:AccessedViaMountTarget": "true" } },
    };
    const deny = {
        Effect: "Deny",
        Principal: { AWS: "*" },
        Action: "*",
        Condition: { Bool: { "aws:SecureTransport": "false" } },
    };
    const advice = (...made: Made[]): number => adviseFileSystemPolicies(stackOf(resources(made))).advice.length;
    it("are advised where there is none, or one that lets plain mounts in", () => {
        assert.equal(advice(files), 1);
        assert.equal(advice(files, policy(JSON.stringify({ Statement: [allow] }))), 1);
        assert.equal(
            advice(files, policy({ Statement: [allow, { ...deny, Principal: { AWS: "arn:aws:iam::1:root" } }] })),
            1,
        );
        assert.equal(
            advice(files, policy({ Statement: [allow, { ...deny, Action: "elasticfilesystem:ClientWrite" }] })),
            1,
        );
        assert.equal(
            advice(
                files,
                policy({ Statement: [allow, { ...deny, Condition: { Bool: { "aws:SecureTransport": "true" } } }] }),
            ),
            1,
        );
        assert.equal(advice(files, policy("{")), 1);
    });
    it("are fine when they refuse plain mounts", () => {
        assert.equal(advice(files, policy(JSON.stringify({ Statement: [allow, deny] }))), 0);
        assert.equal(
            advice(files, policy({ Statement: { ...allow, Condition: { Bool: { "aws:SecureTransport": true } } } })),
            0,
        );
        assert.equal(
            advice(files, {
                ...policy({ Statement: [allow, deny] }),
                props: { fileSystemId: UNKNOWN, policy: { Statement: [allow, deny] } },
                from: { fileSystemId: ["files"] },
            }),
            0,
        );
    });
    it("are looked at again when they are known", () => {
        const verdict = adviseFileSystemPolicies(stackOf(resources([files, policy(UNKNOWN)])));
        assert.deepEqual([verdict.advice.length, verdict.undecided.length], [0, 1]);
    });
});
