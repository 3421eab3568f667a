import * as pulumi from "@pulumi/pulumi";

/** How whoever uses a kubeconfig gets AWS credentials. */
export interface KubeconfigSettings {
    /** ARN of a role that `aws eks get-token` assumes first. @default the caller's own credentials */
    roleArn?: pulumi.Input<string>;
    /** Name of a profile of the AWS CLI. @default the environment's credentials */
    profile?: pulumi.Input<string>;
}

/** What a kubeconfig says of a cluster. */
export interface KubeconfigCluster {
    name: string;
    endpoint: string;
    certificateAuthority: string;
    region: string;
}

/**
 * A kubeconfig as JSON (which is YAML) that gets its tokens from `aws eks get-token`: it holds no credential, and is the same text
 * at every deployment, so that nothing in the cluster is touched because of it.
 */
export function kubeconfigOf(
    cluster: pulumi.Output<KubeconfigCluster>,
    settings: KubeconfigSettings = {},
): pulumi.Output<string> {
    return pulumi.all([cluster, settings.roleArn, settings.profile]).apply(([info, roleArn, profile]) => {
        const exec = {
            apiVersion: "client.authentication.k8s.io/v1beta1",
            command: "aws",
            args: [
                "eks",
                "get-token",
                "--cluster-name",
                info.name,
                "--region",
                info.region,
                "--output",
                "json",
                ...(roleArn ? ["--role-arn", roleArn] : []),
            ],
            env: profile ? [{ name: "AWS_PROFILE", value: profile }] : undefined,
            interactiveMode: "Never",
        };
        return JSON.stringify({
            apiVersion: "v1",
            kind: "Config",
            clusters: [
                {
                    name: info.name,
                    cluster: { server: info.endpoint, "certificate-authority-data": info.certificateAuthority },
                },
            ],
            users: [{ name: info.name, user: { exec } }],
            contexts: [{ name: info.name, context: { cluster: info.name, user: info.name } }],
            "current-context": info.name,
        });
    });
}
