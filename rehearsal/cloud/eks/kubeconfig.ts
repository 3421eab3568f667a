import type { Properties } from "../shell/type";
import { hasUnknown, record, UNKNOWN } from "../shell/values";

/** The kubeconfig of a cluster: it fetches a token with the AWS CLI, so it holds no secret. */
export function kubeconfigOf(cluster: Properties, region: unknown, options: Properties = {}): unknown {
    const { name, endpoint } = cluster;
    const data = record(cluster.certificateAuthority).data ?? UNKNOWN;
    if (hasUnknown([name, endpoint, data, region, options])) return UNKNOWN;
    const args = ["--region", region, "eks", "get-token", "--cluster-name", name, "--output", "json"];
    if (options.roleArn !== undefined) args.push("--role", options.roleArn);
    if (options.profileName !== undefined) args.push("--profile", options.profileName);
    return {
        apiVersion: "v1",
        clusters: [{ cluster: { server: endpoint, "certificate-authority-data": data }, name: "kubernetes" }],
        contexts: [{ context: { cluster: "kubernetes", user: "aws" }, name: "aws" }],
        "current-context": "aws",
        kind: "Config",
        users: [
            {
                name: "aws",
                user: {
                    exec: {
                        apiVersion: "client.authentication.k8s.io/v1beta1",
                        command: "aws",
                        args,
                        env: [
                            {
                                name: "KUBERNETES_EXEC_INFO",
                                value: '{"apiVersion": "client.authentication.k8s.io/v1beta1"}',
                            },
                        ],
                    },
                },
            },
        ],
    };
}

export function asJson(value: unknown): unknown {
    return hasUnknown(value) ? UNKNOWN : JSON.stringify(value);
}
