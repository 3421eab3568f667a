import { CUSTOMER_KEY, isCustomerKey, requiresCustomerKey } from "../judge/customerKey";
import { at, blocks, items, text, UNTIL_UP } from "../judge/tree";
import { compareVersions } from "../judge/versions";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type RuleConfig } from "../rule";

const CLUSTERS = ["aws:eks/cluster:Cluster", "aws-native:eks:Cluster"];

/** From here on EKS encrypts all API data with a key that it owns (EKS guide, "Default envelope encryption"). */
const ENCRYPTED_BY_DEFAULT = "1.28";

export const rule: Rule = {
    name: "eks-secrets-encrypted",
    description: "The secrets of an EKS cluster are encrypted with a KMS key.",
    why: "Below Kubernetes 1.28 secrets lie in etcd in plain text, save for the encryption of its disk; from 1.28 on EKS encrypts them with a key of its own, whose use you can neither forbid nor see.",
    fix: 'Set `encryptionConfig: { provider: { keyArn }, resources: ["secrets"] }` (for eks.Cluster: `encryptionConfigKeyArn`). It can be added to an existing cluster, never taken away.',
    level: "mandatory",
    severity: "high",
    config: CUSTOMER_KEY,
    resource(resource, config) {
        const judgement = new Judgement();
        if (CLUSTERS.includes(resource.type)) {
            judgeCluster(judgement.judge(resource), resource, config);
        }
        return judgement;
    },
};

function judgeCluster(judgement: Judgement, resource: Resource, config: RuleConfig): void {
    const keys = secretKeys(resource.props.encryptionConfig);
    if (keys.some((key) => isCustomerKey(key))) {
        return;
    }
    const version = text(resource.props.version);
    const old = typeof version === "string" && (compareVersions(version, ENCRYPTED_BY_DEFAULT) ?? -1) < 0;
    const required = requiresCustomerKey(config);
    const unknown = isUnknown(resource.props.encryptionConfig) || keys.some(isUnknown);
    const what = "no key of your own encrypts the cluster's secrets";
    if (unknown) {
        if (old || required || isUnknown(version)) {
            judgement.unknown(resource, "encryptionConfig", UNTIL_UP);
        }
    } else if (required) {
        judgement.violation(resource, "encryptionConfig", `${what}, which the configuration requires`);
    } else if (isUnknown(version)) {
        judgement.unknown(resource, "version", UNTIL_UP);
    } else if (old) {
        judgement.violation(
            resource,
            "encryptionConfig",
            "secrets lie in etcd as plain text, for this version does not encrypt them by itself",
        );
    } else {
        judgement.advise(resource, "encryptionConfig", `${what}; EKS uses one that it owns`);
    }
}

/** The keys that are meant for secrets; an unknown entry counts as an unknown key. */
function secretKeys(configs: unknown): unknown[] {
    return blocks(configs, "encryptionConfig").flatMap(({ value }) => {
        if (isUnknown(value)) {
            return [value];
        }
        const resources = items(at(value, "resources"));
        const covered = resources.some(
            (entry) => isUnknown(entry) || (typeof entry === "string" && entry.toLowerCase() === "secrets"),
        );
        return covered ? blocks(at(value, "provider"), "provider").map((provider) => at(provider.value, "keyArn")) : [];
    });
}
