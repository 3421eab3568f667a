import type { LocalStorage } from "./nodeUserData";

/** What Cluster Autoscaler must know of nodes that are not there yet. */
export interface NodeTemplate {
    labels?: Record<string, string>;
    taints?: { key: string; value?: string; effect: string }[];
    diskSizeGiB?: number;
    localStorage?: LocalStorage;
}

const template = "k8s.io/cluster-autoscaler/node-template";
/** Effects as EKS spells them, and as Kubernetes and Cluster Autoscaler do. */
const effects: Record<string, string> = {
    NO_SCHEDULE: "NoSchedule",
    PREFER_NO_SCHEDULE: "PreferNoSchedule",
    NO_EXECUTE: "NoExecute",
};

/**
 * Tags of an Auto Scaling group from which Cluster Autoscaler builds the node that it would get, when there is none to look at (its
 * AWS README, "Auto-Discovery Setup"). EKS itself tags its groups for discovery, and nothing else. The keys name the tags within the program.
 */
export function templateTags({
    labels,
    taints,
    diskSizeGiB,
    localStorage,
}: NodeTemplate): Record<string, { key: string; value: string }> {
    const tags: Record<string, { key: string; value: string }> = {};
    for (const [key, value] of Object.entries(labels ?? {})) {
        tags[`label-${key}`] = { key: `${template}/label/${key}`, value };
    }
    for (const { key, value, effect } of taints ?? []) {
        tags[`taint-${key}-${effects[effect]}`] = {
            key: `${template}/taint/${key}`,
            value: `${value ?? ""}:${effects[effect]}`,
        };
    }
    // With RAID0 the instance store takes the root volume's place, and is larger than any pod should count on.
    if (localStorage !== "RAID0") {
        tags["ephemeral-storage"] = { key: `${template}/resources/ephemeral-storage`, value: `${diskSizeGiB ?? 50}Gi` };
    }
    return tags;
}
