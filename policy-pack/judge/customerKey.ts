import { isUnknown } from "../plain";
import type { ConfigProperty, Judgement, Resource, RuleConfig } from "../rule";
import { present, UNTIL_UP } from "./tree";

/** The configuration by which a rule on encryption asks for a key of one's own. */
export const CUSTOMER_KEY: Record<string, ConfigProperty> = {
    requireCustomerKey: {
        type: "boolean",
        default: false,
        description: "Whether a KMS key of one's own is required instead of the service's.",
    },
};

export function requiresCustomerKey(config: RuleConfig): boolean {
    return config.requireCustomerKey === true;
}

/** Whether a key is named that is not one of AWS's own (`alias/aws/…`). */
export function isCustomerKey(key: unknown): boolean {
    return typeof key === "string" && key.trim() !== "" && !/(^|[:/])alias\/aws\//.test(key);
}

/** Asks for a customer key where configuration requires one. */
export function judgeCustomerKey(
    judgement: Judgement,
    resource: Resource,
    property: string,
    key: unknown,
    config: RuleConfig,
): void {
    if (!requiresCustomerKey(config) || isCustomerKey(key)) {
        return;
    }
    if (isUnknown(key)) {
        judgement.unknown(resource, property, UNTIL_UP);
        return;
    }
    judgement.violation(
        resource,
        property,
        present(key)
            ? "it is encrypted with the service's own key, over which nobody here has a say"
            : "no key is named, so it is encrypted with the service's own, over which nobody here has a say",
        "Name a KMS key of your own.",
    );
}
