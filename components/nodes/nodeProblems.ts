import type * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { plain } from "../shared/check";
import { labelProblems } from "../shared/kubernetesNames";
import type { NodeTaint } from "./nodeTaint";

/** How many instance types a managed node group takes: EKS API Reference, CreateNodegroup. */
export const mostTypes = 20;

/** What is wrong with names of instance types as such; whether AWS has them is asked in the preview. */
export function typeNameProblems(path: string, types: pulumi.Input<string>[] | undefined): Problem[] {
    if (types?.length === 0) {
        return [{ path, message: "name at least one instance type." }];
    }
    if ((types?.length ?? 0) > mostTypes) {
        return [{ path, message: `${types?.length} types, of which a node group takes ${mostTypes}; leave some out.` }];
    }
    return (types ?? []).flatMap((input, index) => {
        const type = plain(input);
        if (type === undefined) {
            return [];
        }
        const at = `${path}[${index}]`;
        if (!/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/.test(type)) {
            return [{ path: at, message: `"${type}" is no instance type such as c5.large.` }];
        }
        return types?.indexOf(type) === index ? [] : [{ path: at, message: `"${type}" is there twice; list it once.` }];
    });
}

/** What is wrong with labels and taints of a user that a component gives its nodes itself. */
export function ownLabelProblems(
    own: Record<string, string>,
    { labels = {}, taints = [], taint }: { labels?: Record<string, string>; taints?: NodeTaint[]; taint?: boolean },
): Problem[] {
    return Object.entries(own).flatMap(([key, value]) => [
        ...(labels[key] === undefined || labels[key] === value
            ? []
            : [{ path: `labels.${key}`, message: `these nodes carry ${key}: ${value}; use another key.` }]),
        ...taints.flatMap((one, index) =>
            taint && one.key === key
                ? [
                      {
                          path: `taints[${index}]`,
                          message: `taint makes one of ${key} already; leave out one of the two.`,
                      },
                  ]
                : [],
        ),
    ]);
}

/** What is wrong with a version of EKS's machine image. */
export function releaseVersionProblems(path: string, input: pulumi.Input<string> | undefined): Problem[] {
    const version = plain(input);
    return version === undefined || /^\d+\.\d+\.\d+-\d{8}$/.test(version)
        ? []
        : [{ path, message: `"${version}" is no version of EKS's image, such as 1.36.2-20261001.` }];
}

/** Tag keys have 128 characters, 46 of which say what Cluster Autoscaler reads a label by. */
const longestLabelKey = 82;

/** What is wrong with labels of nodes, also what EKS or Cluster Autoscaler would refuse while Kubernetes takes it. */
export function nodeLabelProblems(path: string, labels: Record<string, string>): Problem[] {
    const problems = labelProblems(path, labels);
    for (const key of Object.keys(labels)) {
        // What a kubelet may say of itself: admission plugin NodeRestriction.
        const reserved = /(^|\.)(kubernetes\.io|k8s\.io|eks\.amazonaws\.com)\//.test(key);
        if (reserved && !/^(node|kubelet)\.kubernetes\.io\/(?!instance-type$)/.test(key)) {
            problems.push({
                path: `${path}.${key}`,
                message: `"${key}" is reserved, nodes may not carry it on their own account; use a prefix of your own.`,
            });
        } else if (key.length > longestLabelKey) {
            problems.push({
                path: `${path}.${key}`,
                message: `the key has ${key.length} characters; Cluster Autoscaler's tags hold ${longestLabelKey}.`,
            });
        }
    }
    return problems;
}
