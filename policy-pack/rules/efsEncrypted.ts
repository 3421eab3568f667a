import { CUSTOMER_KEY, judgeCustomerKey } from "../judge/customerKey";
import { at, blocks, MALFORMED, truth, UNTIL_UP } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type RuleConfig } from "../rule";

const FILE_SYSTEMS = ["aws:efs/fileSystem:FileSystem", "aws-native:efs:FileSystem"];
const REPLICATION = "aws:efs/replicationConfiguration:ReplicationConfiguration";

export const rule: Rule = {
    name: "efs-encrypted",
    description: "An EFS file system is encrypted at rest.",
    why: "Encryption can be chosen at creation only: a file system without it stays readable on disk and in its backups until all data is moved to another one.",
    fix: "Set `encrypted: true` (and `kmsKeyId` for a key of your own) on a new file system; an existing one is copied, not changed.",
    level: "mandatory",
    severity: "high",
    config: CUSTOMER_KEY,
    resource(resource, config) {
        const judgement = new Judgement();
        if (FILE_SYSTEMS.includes(resource.type)) {
            judgeFileSystem(judgement.judge(resource), resource, config);
        } else if (resource.type === REPLICATION) {
            judgeReplica(judgement.judge(resource), resource, config);
        }
        return judgement;
    },
};

function judgeFileSystem(judgement: Judgement, resource: Resource, config: RuleConfig): void {
    const encrypted = truth(resource.props.encrypted);
    if (isUnknown(encrypted)) {
        judgement.unknown(resource, "encrypted", UNTIL_UP);
    } else if (encrypted === true) {
        judgeCustomerKey(judgement, resource, "kmsKeyId", resource.props.kmsKeyId, config);
    } else {
        judgement.violation(
            resource,
            "encrypted",
            encrypted === MALFORMED
                ? "it is not a truth value, so the file system is refused or made without encryption"
                : encrypted === undefined
                  ? "it is missing, which means not encrypted, and cannot be changed after creation"
                  : "the file system is not encrypted, which cannot be changed after creation",
        );
    }
}

/** EFS encrypts the copy always, whatever the source is; only whose key is a question. */
function judgeReplica(judgement: Judgement, resource: Resource, config: RuleConfig): void {
    for (const { value, path } of blocks(resource.props.destination, "destination")) {
        if (at(value, "fileSystemId") === undefined) {
            judgeCustomerKey(judgement, resource, `${path}.kmsKeyId`, at(value, "kmsKeyId"), config);
        }
    }
}
