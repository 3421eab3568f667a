import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { judgeTrust } from "../../../policy-pack/judge/trust";
import { UNKNOWN } from "../../../policy-pack/plain";
import { rule } from "../../../policy-pack/rules/irsaTrustScoped";
import { fails, found, holds, type Made, passes, waits } from "./helpers";
import { AUD, documents, FRIENDS, open, PROVIDER, STS, SUB, takes } from "./tokens";

const ACCOUNT = "system:serviceaccount:apps:job";

type Tree = Record<string, unknown>;

function statement(condition: unknown, more: Tree = {}): Tree {
    return {
        Effect: "Allow",
        Principal: { Federated: PROVIDER },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: condition,
        ...more,
    };
}

const document = (...statements: unknown[]): Tree => ({ Version: "2012-10-17", Statement: statements });
const role = (policy: unknown): Made[] => [
    { type: "aws:iam/role:Role", name: "role", props: { assumeRolePolicy: policy } },
];
const scoped = { StringEquals: { [SUB]: ACCOUNT, [AUD]: STS } };
const like = (sub: string): Tree => ({ StringLike: { [SUB]: sub }, StringEquals: { [AUD]: STS } });

const good: Record<string, unknown> = {
    "one account, both conditions": document(statement(scoped)),
    "as a string": JSON.stringify(document(statement(scoped)), null, 2),
    "a single statement that is no list": { Version: "2012-10-17", Statement: statement(scoped) },
    "lists of one": document(
        statement({ StringEquals: { [SUB]: [ACCOUNT], [AUD]: [STS] } }, { Action: ["sts:AssumeRoleWithWebIdentity"] }),
    ),
    "two accounts by name": document(
        statement({ StringEquals: { [SUB]: [ACCOUNT, "system:serviceaccount:other:job"], [AUD]: STS } }),
    ),
    "a wildcard behind a part of the name": document(statement(like("system:serviceaccount:kube-system:efs-csi-*"))),
    "StringLike for both, as in the EKS guide": document(
        statement({ StringLike: { [SUB]: "system:serviceaccount:kube-system:efs-csi-*", [AUD]: STS } }),
    ),
    "a question mark in the name": document(statement(like("system:serviceaccount:apps:job-?"))),
    "a star is a letter to StringEquals": document(
        statement({ StringEquals: { [SUB]: "system:serviceaccount:*:*", [AUD]: STS } }),
    ),
    "a wildcard in the prefix names one account": document(statement(like("*:apps:job"))),
    "operators and keys in other case": document(
        statement({ stringequals: { [SUB.toUpperCase()]: ACCOUNT, [AUD]: STS } }),
    ),
    "ForAnyValue fails on an absent key": document(
        statement({ "ForAnyValue:StringEquals": { [AUD]: STS }, StringEquals: { [SUB]: ACCOUNT } }),
    ),
    "IfExists with a key that must be there": document(
        statement({ StringEqualsIfExists: { [SUB]: ACCOUNT }, StringEquals: { [AUD]: STS }, Null: { [SUB]: "false" } }),
    ),
    "a lax condition beside a strict one": document(
        statement({ StringEquals: { [SUB]: ACCOUNT, [AUD]: STS }, StringLike: { [SUB]: "system:serviceaccount:*:*" } }),
    ),
    "one role for two clusters": document(
        statement(scoped),
        statement(
            {
                StringEquals: {
                    "oidc.eks.eu-west-1.amazonaws.com/id/B:sub": ACCOUNT,
                    "oidc.eks.eu-west-1.amazonaws.com/id/B:aud": STS,
                },
            },
            {
                Principal: {
                    Federated: "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/B",
                },
            },
        ),
    ),
    "a key of another issuer makes it useless, not open": document(
        statement({ StringEquals: { "oidc.eks.eu-west-1.amazonaws.com/id/OTHER:sub": ACCOUNT, [AUD]: STS } }),
    ),
    "a template that is scoped": document(
        statement(
            { StringEquals: { "<issuer>:sub": ACCOUNT, "<issuer>:aud": STS } },
            { Principal: { Federated: "arn:aws:iam::<account>:oidc-provider/<issuer>" } },
        ),
    ),
    "a template of which one blank is filled in": document(
        statement(
            { StringEquals: { [SUB]: ACCOUNT, [AUD.replace("eu-west-1", "<region>")]: STS } },
            { Principal: { Federated: PROVIDER.replace("eu-west-1", "<region>") } },
        ),
    ),
    "a template of the keys in which one blank is filled in": document(
        statement({ StringEquals: { [SUB]: ACCOUNT, "${issuer}:aud": STS } }),
    ),
    "an action that no token can use": document(statement(undefined, { Action: "sts:AssumeRole" })),
    "a denial": document(statement(scoped), statement(undefined, { Effect: "Deny" })),
    "everything but the account is denied": document(
        statement({ StringEquals: { [AUD]: STS } }),
        statement({ StringNotEquals: { [SUB]: ACCOUNT } }, { Effect: "Deny", Principal: "*" }),
    ),
    "Pod Identity": document({
        Effect: "Allow",
        Principal: { Service: "pods.eks.amazonaws.com" },
        Action: ["sts:AssumeRole", "sts:TagSession"],
    }),
    nodes: document({ Effect: "Allow", Principal: { Service: ["ec2.amazonaws.com"] }, Action: "sts:AssumeRole" }),
    "another account": document({
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::444455556666:root" },
        Action: "sts:AssumeRole",
        Condition: {},
    }),
    SAML: document({
        Effect: "Allow",
        Principal: { Federated: "arn:aws:iam::111122223333:saml-provider/corp" },
        Action: "sts:AssumeRoleWithSAML",
        Condition: { StringEquals: { "SAML:aud": "https://signin.aws.amazon.com/saml" } },
    }),
    GitHub: document({
        Effect: "Allow",
        Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
            StringEquals: { "token.actions.githubusercontent.com:aud": STS },
            StringLike: { "token.actions.githubusercontent.com:sub": "repo:owner/*" },
        },
    }),
    Cognito: document({
        Effect: "Allow",
        Principal: { Federated: "cognito-identity.amazonaws.com" },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: { StringEquals: { "cognito-identity.amazonaws.com:aud": "eu-west-1:pool" } },
    }),
    "a GitLab of one's own": document({
        Effect: "Allow",
        Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/gitlab.example.com" },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: { StringLike: { "gitlab.example.com:sub": "project_path:group/*:ref_type:branch:ref:main" } },
    }),
    "everybody of the organization, who has no token": document({
        Effect: "Allow",
        Principal: { AWS: "*" },
        Action: "sts:*",
        Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1234567890" } },
    }),
    "GitHub through any principal": document({
        Effect: "Allow",
        Principal: { Federated: "*" },
        Action: "sts:AssumeRoleWithWebIdentity",
        Condition: {
            StringEquals: { "token.actions.githubusercontent.com:sub": "repo:owner/name:ref:refs/heads/main" },
        },
    }),
};

const bad: Record<string, unknown> = {
    "no condition": document(statement(undefined)),
    "empty conditions": document(statement({})),
    "only aud": document(statement({ StringEquals: { [AUD]: STS } })),
    "only sub": document(statement({ StringEquals: { [SUB]: ACCOUNT } })),
    "sub and aud in different statements": document(
        statement({ StringEquals: { [SUB]: ACCOUNT } }),
        statement({ StringEquals: { [AUD]: STS } }),
    ),
    "a scoped statement beside an open one": document(statement(scoped), statement({ StringEquals: { [AUD]: STS } })),
    "every account of every namespace": document(statement(like("system:serviceaccount:*:*"))),
    "every account, shorter": document(statement(like("system:serviceaccount:*"))),
    "every subject": document(statement(like("*"))),
    "every account of a namespace": document(statement(like("system:serviceaccount:apps:*"))),
    "every account of a namespace, wordier": document(statement(like("system:serviceaccount:apps:?*"))),
    "an account of every namespace": document(statement(like("system:serviceaccount:*:job"))),
    "an account of similar namespaces": document(statement(like("system:serviceaccount:apps-*:job"))),
    "a question mark in the namespace": document(statement(like("system:serviceaccount:app?:job"))),
    "a wildcard that spans the colon": document(statement(like("system:serviceaccount:apps*job"))),
    "one open value among others": document(
        statement({ StringLike: { [SUB]: [ACCOUNT, "system:serviceaccount:*:x"] }, StringEquals: { [AUD]: STS } }),
    ),
    "a variable in the subject": document(statement({ StringEquals: { [SUB]: `\${${SUB}}`, [AUD]: STS } })),
    "IfExists on sub": document(statement({ StringEqualsIfExists: { [SUB]: ACCOUNT }, StringEquals: { [AUD]: STS } })),
    "IfExists on aud": document(statement({ StringEqualsIfExists: { [AUD]: STS }, StringEquals: { [SUB]: ACCOUNT } })),
    "ForAllValues on sub": document(
        statement({ "ForAllValues:StringEquals": { [SUB]: ACCOUNT }, StringEquals: { [AUD]: STS } }),
    ),
    "a negation": document(
        statement({ StringNotEquals: { [SUB]: "system:serviceaccount:apps:other" }, StringEquals: { [AUD]: STS } }),
    ),
    "a presence only": document(statement({ Null: { [SUB]: "false", [AUD]: "false" } })),
    "any audience": document(statement({ StringEquals: { [SUB]: ACCOUNT }, StringLike: { [AUD]: "*" } })),
    "an audience among any": document(
        statement({ StringEquals: { [SUB]: ACCOUNT }, StringLike: { [AUD]: [STS, "*"] } }),
    ),
    "all actions of STS": document(statement(undefined, { Action: "sts:*" })),
    "all actions": document(statement(undefined, { Action: "*" })),
    "a part of the action": document(statement(undefined, { Action: ["STS:assumerolewith*"] })),
    "all but another action": document(statement(undefined, { Action: undefined, NotAction: "sts:AssumeRole" })),
    "the cluster among principals": document(
        statement(undefined, {
            Principal: { Service: "ec2.amazonaws.com", Federated: ["cognito-identity.amazonaws.com", PROVIDER] },
        }),
    ),
    everybody: document(statement(undefined, { Principal: "*" })),
    "everybody, as AWS": document(statement(undefined, { Principal: { AWS: ["*"] } })),
    "everybody but one": document(
        statement(undefined, { Principal: undefined, NotPrincipal: { AWS: "arn:aws:iam::111122223333:root" } }),
    ),
    "everybody with a token for AWS of the cluster": document(
        statement({ StringEquals: { [AUD]: STS } }, { Principal: { Federated: "*" } }),
    ),
    "the partition of China": document(
        statement(
            { StringEquals: { "oidc.eks.cn-north-1.amazonaws.com.cn/id/A:aud": STS } },
            {
                Principal: {
                    Federated: "arn:aws-cn:iam::111122223333:oidc-provider/oidc.eks.cn-north-1.amazonaws.com.cn/id/A",
                },
            },
        ),
    ),
    "a cluster's issuer on another address": document(
        statement(
            {
                StringLike: {
                    "s3.example.com/cluster:sub": "system:serviceaccount:apps:*",
                    "s3.example.com/cluster:aud": STS,
                },
            },
            { Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/s3.example.com/cluster" } },
        ),
    ),
    "elements in lower case": {
        version: "2012-10-17",
        statement: { effect: "Allow", principal: { federated: PROVIDER }, action: "sts:AssumeRoleWithWebIdentity" },
    },
    "a denial that names nobody here": document(
        statement({ StringEquals: { [AUD]: STS } }),
        statement(
            { StringNotEquals: { [SUB]: ACCOUNT } },
            { Effect: "Deny", Principal: { AWS: "arn:aws:iam::111122223333:root" } },
        ),
    ),
    "a denial on two conditions": document(
        statement({ StringEquals: { [AUD]: STS } }),
        statement({ StringNotEquals: { [SUB]: ACCOUNT, [AUD]: STS } }, { Effect: "Deny", Principal: "*" }),
    ),
    "a template that was not filled in": document(
        statement(
            { StringLike: { "${issuer}:sub": "system:serviceaccount:apps:*", "${issuer}:aud": STS } },
            { Principal: { Federated: "${provider}" } },
        ),
    ),
    "a template in the keys only": document(
        statement({ StringLike: { "${issuer}:sub": "system:serviceaccount:apps:*", "${issuer}:aud": STS } }),
    ),
    "a template of which one blank is filled in": document(
        statement(
            {
                StringLike: {
                    [SUB]: "system:serviceaccount:*:job",
                    [AUD.replace("eu-west-1", "<region>")]: STS,
                },
            },
            { Principal: { Federated: PROVIDER.replace("eu-west-1", "<region>") } },
        ),
    ),
    "a template of the keys in which one blank is filled in": document(
        statement({ StringLike: { [SUB]: "system:serviceaccount:*:job", "${issuer}:aud": STS } }),
    ),
    "no JSON": "{",
    "a JSON that is no policy": "[]",
    "no statement": { Version: "2012-10-17" },
    "no action": document(statement(scoped, { Action: [] })),
    "an action without its service": document(statement(scoped, { Action: "AssumeRoleWithWebIdentity" })),
    "a statement without a principal": document(statement(scoped, { Principal: undefined })),
    "a principal that names nobody": document(statement(scoped, { Principal: { Federated: [] } })),
    "more statements than a policy can have": document(...Array.from({ length: 5_000 }, () => statement(scoped))),
    "an empty list of statements": { Version: "2012-10-17", Statement: [] },
    "a statement that is text": document("Allow"),
    "an effect that is none": document(statement(scoped, { Effect: "allowed" })),
    "conditions that are a list": document(statement([scoped])),
    "an operator that is none": document(statement({ StringEqual: { [SUB]: ACCOUNT, [AUD]: STS } })),
    "a key without its issuer": document(statement({ StringEquals: { sub: ACCOUNT, aud: STS } })),
    "a condition without a value": document(statement({ StringEquals: { [SUB]: [], [AUD]: STS } })),
    "a value that is an object": document(statement({ StringEquals: { [SUB]: { a: 1 }, [AUD]: STS } })),
};

const later: Record<string, unknown> = {
    "a document that is not known": UNKNOWN,
    "conditions that are not known": document(statement(UNKNOWN)),
    "a subject that is not known": document(statement({ StringEquals: { [SUB]: UNKNOWN, [AUD]: STS } })),
    "an issuer that is not known, without conditions": document(
        statement(undefined, { Principal: { Federated: UNKNOWN } }),
    ),
    "a statement that is not known": document(UNKNOWN),
    "an issuer nobody knows, without a subject": document(
        statement(undefined, { Principal: { Federated: "arn:aws:iam::111122223333:oidc-provider/id.example.com" } }),
    ),
};

describe("irsa-trust-scoped", () => {
    for (const [title, policy] of Object.entries(good)) {
        it(`takes: ${title}`, () => passes(rule, role(policy)));
    }
    for (const [title, policy] of Object.entries(bad)) {
        it(`refuses: ${title}`, () => fails(rule, role(policy)));
    }
    for (const [title, policy] of Object.entries(later)) {
        it(`waits for: ${title}`, () => waits(rule, role(policy)));
    }

    it("finds a wildcard even when the issuer is not known", () =>
        fails(
            rule,
            role(document(statement(like("system:serviceaccount:*:*"), { Principal: { Federated: UNKNOWN } }))),
        ));

    it("takes a scoped statement even when the issuer is not known", () =>
        passes(rule, role(document(statement(scoped, { Principal: { Federated: UNKNOWN } })))));

    it("judges the types of CloudFormation", () => {
        const native = (policy: unknown): Made[] => [
            { type: "aws-native:iam:Role", name: "role", props: { assumeRolePolicyDocument: policy } },
        ];
        passes(rule, native(document(statement(scoped))));
        fails(rule, native(document(statement({ StringEquals: { [AUD]: STS } }))));
    });

    it("names the place", () =>
        assert.deepEqual(
            found(rule, role(document(statement(scoped), statement(like("system:serviceaccount:apps:*"))))),
            ["role assumeRolePolicy.Statement[1].Condition.StringLike"],
        ));

    it("never shows a value", () => {
        for (const policy of Object.values(bad)) {
            for (const { what } of judgeTrust(policy)) {
                assert.ok(!what.includes("apps") && !what.includes("111122223333"), what);
            }
        }
    });

    holds(
        "never throws, whatever the document is",
        2000,
        fc.property(fc.anything(), (value) => void judgeTrust(value)),
    );
    holds(
        "never throws, whatever is in a document",
        2000,
        fc.property(
            fc.anything(),
            fc.anything(),
            fc.anything(),
            (principal, action, condition) =>
                void judgeTrust({
                    Statement: [{ Effect: "Allow", Principal: principal, Action: action, Condition: condition }],
                }),
        ),
    );
    holds(
        "agrees with a trial of tokens, where each claim has one condition",
        1500,
        fc.property(documents(1), (policy) => {
            // A role that no token can take is useless; what the rule says of it does not matter.
            fc.pre(open(policy) || FRIENDS.some((token) => policy.Statement.every((one) => takes(one, token))));
            assert.equal(judgeTrust(policy).length > 0, open(policy), JSON.stringify(policy));
        }),
    );
    holds(
        "misses no token that gets in, whatever is combined",
        1500,
        fc.property(documents(3), (policy) => {
            assert.ok(judgeTrust(policy).length > 0 || !open(policy), JSON.stringify(policy));
        }),
    );
});
