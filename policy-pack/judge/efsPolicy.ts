import { isUnknown } from "../plain";
import { Judgement, type Resource, type Stack } from "../rule";
import {
    type Condition,
    MalformedDocument,
    type PolicyDocument,
    readDocument,
    speaksOf,
    type Statement,
} from "./iamDocument";
import { refer } from "./references";

const FILE_SYSTEMS = ["aws:efs/fileSystem:FileSystem", "aws-native:efs:FileSystem"];
const POLICY = "aws:efs/fileSystemPolicy:FileSystemPolicy";
const MOUNT = "elasticfilesystem:ClientMount";

/** Advises a policy on each file system of the program that refuses mounts without TLS. */
export function adviseFileSystemPolicies(stack: Stack): Judgement {
    const judgement = new Judgement();
    const policies = new Map<string, { resource: Resource; property: string; document: unknown }>();
    for (const policy of stack.ofType(POLICY)) {
        const found = refer(stack, policy, "fileSystemId", policy.props.fileSystemId, FILE_SYSTEMS);
        const entry = { resource: policy, property: "policy", document: policy.props.policy };
        [...found.resources, ...found.candidates].forEach(({ urn }) => policies.set(urn, entry));
        if (found.resources.length + found.candidates.length === 0) {
            adviseOne(judgement, policy, "policy", policy.props.policy);
        }
    }
    for (const files of stack.ofType(...FILE_SYSTEMS)) {
        judgement.judge(files);
        const own = files.props.fileSystemPolicy;
        const policy =
            policies.get(files.urn) ??
            (own ? { resource: files, property: "fileSystemPolicy", document: own } : undefined);
        if (policy) {
            adviseOne(judgement, policy.resource, policy.property, policy.document);
        } else {
            judgement.advise(
                files,
                "fileSystemPolicy",
                "no file system policy refuses mounts without TLS, so that rests on every class and volume",
                "Add an aws.efs.FileSystemPolicy that denies `*` when `aws:SecureTransport` is false, and allows mounts through mount targets.",
            );
        }
    }
    return judgement;
}

function adviseOne(judgement: Judgement, resource: Resource, property: string, value: unknown): void {
    const document = readDocument(value);
    if (isUnknown(document)) {
        judgement.unknown(resource, property, "whether it refuses mounts without TLS is known only after `up`");
    } else if (document instanceof MalformedDocument) {
        judgement.advise(resource, property, `the policy is malformed: ${document.why}`);
    } else if (!enforcesTls(document)) {
        judgement.advise(
            resource,
            property,
            "the policy lets clients mount without TLS",
            "Deny `*` when `aws:SecureTransport` is false.",
        );
    }
}

/** A denial of mounts without TLS, or allowances that all ask for TLS. */
function enforcesTls({ statements }: PolicyDocument): boolean {
    const about = statements.filter((statement) => speaksOf(statement, MOUNT) !== false);
    if (about.some((statement) => statement.effect === "Deny" && everybody(statement) && insecure(statement))) {
        return true;
    }
    const allowed = about.filter(({ effect }) => effect === "Allow");
    return (
        allowed.length > 0 &&
        allowed.every(({ conditions }) => conditions.some((condition) => isTrue(condition, "aws:securetransport")))
    );
}

function everybody({ principals }: Statement): boolean {
    return principals.except || principals.named.some(({ kind, name }) => name === "*" && ["*", "aws"].includes(kind));
}

/** Mounts go through mount targets: that a denial asks for one does not narrow it. */
function insecure({ conditions, conditionsUnknown }: Statement): boolean {
    const narrowing = conditions.filter((condition) => !isTrue(condition, "elasticfilesystem:accessedviamounttarget"));
    return !conditionsUnknown && narrowing.length === 1 && isFalse(narrowing[0]!, "aws:securetransport");
}

const isTrue = (condition: Condition, key: string): boolean => compares(condition, key, "true", "false");
const isFalse = (condition: Condition, key: string): boolean => compares(condition, key, "false", "true");

/** Whether a condition asks a truth value to be the one that is wanted, or not to be the other. */
function compares({ operator, key, values }: Condition, wantedKey: string, wanted: string, other: string): boolean {
    const value = /^string(equals|equalsignorecase|like)$|^bool$/.test(operator)
        ? wanted
        : /^stringnot(equals|equalsignorecase|like)$/.test(operator)
          ? other
          : undefined;
    return key === wantedKey && values.every((one) => !isUnknown(one) && one.toLowerCase() === value);
}
