import { judgeTrust } from "../judge/trust";
import { Judgement, type Rule } from "../rule";

/** Where a role keeps its trust policy. */
const DOCUMENTS: Record<string, string> = {
    "aws:iam/role:Role": "assumeRolePolicy",
    "aws-native:iam:Role": "assumeRolePolicyDocument",
};

export const rule: Rule = {
    name: "irsa-trust-scoped",
    description:
        "A role for service accounts names the accounts (`sub`) and the audience (`aud`) in one statement of its trust policy.",
    why: "Statements are alternatives and conditions within one must all hold: whatever a statement leaves open, any pod of the cluster can use to take the role and its rights.",
    fix: "Put `StringEquals` on `<issuer>:sub` (system:serviceaccount:<namespace>:<name>) and on `<issuer>:aud` (sts.amazonaws.com) into the same statement; with StringLike keep the wildcard behind a part of the name.",
    level: "mandatory",
    severity: "critical",
    resource(resource) {
        const judgement = new Judgement();
        const property = DOCUMENTS[resource.type];
        if (property === undefined) {
            return judgement;
        }
        const document = resource.props[property];
        if (document === undefined || document === null) {
            return judgement;
        }
        judgement.judge(resource);
        for (const { path, what, undecided } of judgeTrust(document)) {
            const at = path === "" ? property : `${property}.${path}`;
            if (undecided) {
                judgement.unknown(resource, at, what);
            } else {
                judgement.violation(resource, at, what);
            }
        }
        return judgement;
    },
};
