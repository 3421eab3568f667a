import assert from "node:assert/strict";
import type { WorkloadRoleArgs } from "../../../components/cluster/workloadRole";
import { WorkloadIdentity, WorkloadRole, checkWorkloadRoleArgs } from "../../../components/cluster/workloadRole";
import { managedPolicyArn, policyJson } from "../../../components/shared/iamPolicy";
import type { Loose } from "../mocks";
import { clusterInfo, simulate } from "../mocks";

const minimal = { cluster: clusterInfo, namespace: "airflow", serviceAccounts: ["airflow-worker"] };

async function made(args: Partial<WorkloadRoleArgs> = {}) {
    return simulate(() => {
        const role = new WorkloadRole("tasks", { ...minimal, ...args });
        return { roleArn: role.roleArn, roleName: role.roleName, annotations: role.annotations };
    });
}

const paths = (args: Loose) => checkWorkloadRoleArgs({ ...minimal, ...args }).map(({ path }) => path);

describe("WorkloadRole", () => {
    it("trusts exactly the named service accounts of the cluster", async () => {
        const s = await made({ serviceAccounts: ["airflow-worker", "airflow-triggerer"] });
        assert.deepEqual(JSON.parse(s.one("aws:iam/role:Role").inputs.assumeRolePolicy), {
            Version: "2012-10-17",
            Statement: [
                {
                    Effect: "Allow",
                    Action: "sts:AssumeRoleWithWebIdentity",
                    Principal: { Federated: clusterInfo.oidcProviderArn },
                    Condition: {
                        StringEquals: {
                            [`${clusterInfo.oidcIssuer}:aud`]: "sts.amazonaws.com",
                            [`${clusterInfo.oidcIssuer}:sub`]: [
                                "system:serviceaccount:airflow:airflow-worker",
                                "system:serviceaccount:airflow:airflow-triggerer",
                            ],
                        },
                    },
                },
            ],
        });
        assert.deepEqual(s.result.annotations, { "eks.amazonaws.com/role-arn": s.result.roleArn });
        assert.match(s.result.roleArn, /^arn:aws:iam::123456789012:role\/tasks$/);
        assert.equal(s.all("aws:eks/podIdentityAssociation:PodIdentityAssociation").length, 0);
    });

    it("associates service accounts by Pod Identity, for this cluster only", async () => {
        const s = await made({ mode: WorkloadIdentity.PodIdentity, serviceAccounts: ["a", "b"] });
        const [statement] = JSON.parse(s.one("aws:iam/role:Role").inputs.assumeRolePolicy).Statement;
        assert.deepEqual(statement.Action, ["sts:AssumeRole", "sts:TagSession"]);
        assert.deepEqual(statement.Principal, { Service: "pods.eks.amazonaws.com" });
        assert.deepEqual(statement.Condition, {
            StringEquals: { "aws:SourceAccount": "123456789012" },
            ArnEquals: { "aws:SourceArn": "arn:aws:eks:eu-west-1:123456789012:cluster/platform" },
        });
        const associations = s.all("aws:eks/podIdentityAssociation:PodIdentityAssociation");
        assert.deepEqual(
            associations.map(({ inputs }) => [
                inputs.clusterName,
                inputs.namespace,
                inputs.serviceAccount,
                inputs.roleArn,
            ]),
            [
                ["platform", "airflow", "a", s.result.roleArn],
                ["platform", "airflow", "b", s.result.roleArn],
            ],
        );
        assert.deepEqual(s.result.annotations, {});
    });

    it("refuses Pod Identity where no agent runs", async () => {
        const cluster = { ...clusterInfo, podIdentityAgent: false };
        await assert.rejects(
            made({ cluster, mode: WorkloadIdentity.PodIdentity }),
            /does not run the add-on eks-pod-identity-agent/,
        );
        await made({ cluster });
    });

    it("attaches policies, and takes boundary, description and tags", async () => {
        const s = await made({
            managedPolicyArns: { read: managedPolicyArn("aws", "ReadOnlyAccess") },
            inlinePolicies: { logs: policyJson({ Action: "s3:PutObject", Resource: ["arn:aws:s3:::logs/*"] }) },
            permissionsBoundary: "arn:aws:iam::123456789012:policy/boundary",
            description: "Tasks",
            tags: { "eks-cluster-name": "platform" },
        });
        const role = s.one("aws:iam/role:Role").inputs;
        assert.equal(role.permissionsBoundary, "arn:aws:iam::123456789012:policy/boundary");
        assert.equal(role.description, "Tasks");
        assert.deepEqual(role.tags, { "eks-cluster-name": "platform" });
        assert.equal(role.name, undefined, "a fixed name would stop a replacement");
        const attachment = s.one("aws:iam/rolePolicyAttachment:RolePolicyAttachment");
        assert.equal(attachment.name, "tasks-read");
        assert.equal(attachment.inputs.policyArn, "arn:aws:iam::aws:policy/ReadOnlyAccess");
        const inline = s.one("aws:iam/rolePolicy:RolePolicy").inputs;
        assert.equal(inline.name, "logs");
        assert.deepEqual(JSON.parse(inline.policy).Statement, [
            { Effect: "Allow", Action: "s3:PutObject", Resource: ["arn:aws:s3:::logs/*"] },
        ]);
    });

    it("describes itself", async () => {
        const s = await made();
        assert.equal(
            s.one("aws:iam/role:Role").inputs.description,
            "Service accounts airflow-worker in namespace airflow",
        );
    });

    describe("refuses before anything is registered", () => {
        const bad: [string, Loose, string[]][] = [
            ["nobody", { serviceAccounts: [] }, ["serviceAccounts"]],
            ["a wildcard", { serviceAccounts: ["efs-csi-*"] }, ["serviceAccounts[0]"]],
            ["one twice", { serviceAccounts: ["a", "a"] }, ["serviceAccounts[1]"]],
            ["a namespace", { namespace: "Airflow" }, ["namespace"]],
            [
                "more accounts than a trust policy holds",
                { serviceAccounts: [...Array(30).keys()].map((i) => `account-${i}`) },
                ["serviceAccounts"],
            ],
            [
                "too many policies",
                {
                    managedPolicyArns: Object.fromEntries(
                        [...Array(11).keys()].map((i) => [`p${i}`, "arn:aws:iam::aws:policy/A"]),
                    ),
                },
                ["managedPolicyArns"],
            ],
            ["no ARN", { managedPolicyArns: { read: "ReadOnlyAccess" } }, ["managedPolicyArns.read"]],
            ["no JSON", { inlinePolicies: { logs: "Statement" } }, ["inlinePolicies.logs"]],
            ["no policy", { inlinePolicies: { logs: "{}" } }, ["inlinePolicies.logs"]],
            ["a policy's name", { inlinePolicies: { "a b": '{"Statement":[]}' } }, ["inlinePolicies.a b"]],
            [
                "more than IAM takes",
                { inlinePolicies: { big: JSON.stringify({ Statement: ["x".repeat(10240)] }) } },
                ["inlinePolicies"],
            ],
        ];
        for (const [what, args, expected] of bad) {
            it(what, () => assert.deepEqual(paths(args), expected));
        }
        it("but takes as many accounts by Pod Identity", () => {
            const serviceAccounts = [...Array(30).keys()].map((i) => `account-${i}`);
            assert.deepEqual(paths({ serviceAccounts, mode: WorkloadIdentity.PodIdentity }), []);
        });
        it("everything at once", async () => {
            await assert.rejects(made({ namespace: "A", serviceAccounts: ["*"] }), /2 problem\(s\)/);
        });
    });
});
