import type * as pulumi from "@pulumi/pulumi";
import { type Problem, plain } from "./check";

/** What is wrong with the ARN of a key. */
export function keyArnProblems(path: string, input: pulumi.Input<string> | undefined): Problem[] {
    const arn = plain(input);
    return arn === undefined || /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key\/.+$/.test(arn)
        ? []
        : [{ path, message: `"${arn}" is not the ARN of a key, arn:aws:kms:<region>:<account>:key/<id>` }];
}

/** What is wrong with the ARN of a role. */
export function roleArnProblems(path: string, input: pulumi.Input<string> | undefined): Problem[] {
    const arn = plain(input);
    return arn === undefined || /^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(arn)
        ? []
        : [{ path, message: `"${arn}" is not the ARN of a role, arn:aws:iam::<account>:role/<name>` }];
}
