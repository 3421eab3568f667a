import * as pulumi from "@pulumi/pulumi";

/** One statement of an IAM policy, in IAM's own spelling. */
export interface PolicyStatement {
    Sid?: string;
    /** @default Allow */
    Effect?: "Allow" | "Deny";
    Principal?: pulumi.Input<string | Record<string, pulumi.Input<string | string[]>>>;
    Action: string | string[];
    Resource?: pulumi.Input<string | pulumi.Input<string>[]>;
    Condition?: pulumi.Input<Record<string, Record<string, pulumi.Input<string | string[]>>>>;
}

/** An IAM policy document as JSON, for whatever takes one: inline policies, trust, key and resource policies. */
export function policyJson(...statements: pulumi.Input<PolicyStatement>[]): pulumi.Output<string> {
    return pulumi.jsonStringify({
        Version: "2012-10-17",
        Statement: pulumi
            .all(statements)
            .apply((all) => all.map(({ Sid, Effect, ...rest }) => ({ Sid, Effect: Effect ?? "Allow", ...rest }))),
    });
}

/** The ARN of a policy that AWS manages: its name with its path, for example `service-role/AmazonEBSCSIDriverPolicyV2`. */
export function managedPolicyArn(partition: pulumi.Input<string>, name: string): pulumi.Output<string> {
    return pulumi.interpolate`arn:${partition}:iam::aws:policy/${name}`;
}
