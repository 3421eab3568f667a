/** How nodes use the disks that come with their instance type. */
export const LocalStorage = {
    /** All disks as one array that holds images, containers, emptyDir volumes and logs; pods need no change. */
    Raid0: "RAID0",
    /** Each disk with a file system of its own under `/mnt/k8s-disks/<number>`, for pods that mount it. */
    Mount: "Mount",
} as const;
export type LocalStorage = (typeof LocalStorage)[keyof typeof LocalStorage];

/** What nodes of a group are configured with beyond what EKS itself tells them. */
export interface NodeConfiguration {
    maxPods?: number;
    localStorage?: LocalStorage;
}

const boundary = "NODECONFIG";

/**
 * User data of Amazon Linux 2023 for `nodeadm`, base64 encoded; undefined when EKS's own will do. EKS adds a part of its own with the
 * cluster's address, so none is given here.
 */
export function nodeUserData({ maxPods, localStorage }: NodeConfiguration): string | undefined {
    if (maxPods === undefined && localStorage === undefined) {
        return undefined;
    }
    const config = {
        apiVersion: "node.eks.aws/v1alpha1",
        kind: "NodeConfig",
        spec: {
            ...(maxPods !== undefined && { kubelet: { config: { maxPods } } }),
            ...(localStorage !== undefined && { instance: { localStorage: { strategy: localStorage } } }),
        },
    };
    const mime = [
        "MIME-Version: 1.0",
        `Content-Type: multipart/mixed; boundary="${boundary}"`,
        "",
        `--${boundary}`,
        "Content-Type: application/node.eks.aws",
        "",
        // JSON is YAML.
        JSON.stringify(config, undefined, 2),
        "",
        `--${boundary}--`,
        "",
    ].join("\n");
    return Buffer.from(mime).toString("base64");
}
