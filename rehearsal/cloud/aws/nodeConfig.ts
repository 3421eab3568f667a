import { load } from "js-yaml";
import { record, text } from "../shell/values";

/** What a node's user data tells `nodeadm` of Amazon Linux 2023, as far as it decides what the node is like. */
export interface NodeConfig {
    /** kubelet's `maxPods`, in place of what EKS finds out about the instance type. */
    maxPods?: number;
    /** What becomes of the instance store: `RAID0`, `RAID10` or `Mount`. */
    localStorage?: string;
}

/**
 * Reads user data as `nodeadm` does: a `NodeConfig` alone, or the parts of that type of a MIME message, of which later ones win
 * (amazon-eks-ami, nodeadm/doc/examples.md). YAML or JSON, which is YAML.
 */
export function nodeConfig(userData: string): NodeConfig {
    const boundary = /^Content-Type:\s*multipart\/[^\n]*boundary="?([^"\s;]+)/im.exec(userData)?.[1];
    const parts = boundary === undefined ? [userData] : userData.split(`--${boundary}`).slice(1).map(nodeConfigPart);
    return parts.map(read).reduce<NodeConfig>((all, config) => ({ ...all, ...config }), {});
}

function nodeConfigPart(part: string): string {
    const [head, ...body] = part.split(/\r?\n\r?\n/);
    return /^Content-Type:\s*application\/node\.eks\.aws/im.test(head) ? body.join("\n\n") : "";
}

function read(part: string): NodeConfig {
    let document: unknown;
    try {
        document = load(part);
    } catch {
        return {};
    }
    if (record(document).kind !== "NodeConfig") return {};
    const spec = record(record(document).spec);
    const { maxPods } = record(record(spec.kubelet).config);
    const localStorage = text(record(record(spec.instance).localStorage).strategy);
    return {
        ...(typeof maxPods === "number" && { maxPods }),
        ...(localStorage !== undefined && { localStorage }),
    };
}
