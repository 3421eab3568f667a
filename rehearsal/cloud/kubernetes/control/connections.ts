import { admits } from "../../aws/network";
import { Kinds, type Cluster } from "../cluster";
import { annotationsOf, namespaceOf, specOf, type Manifest } from "../api/object";
import { at, list, record, records, text } from "../api/value";

/** The security groups that a node really carries, as its maker wrote them down. */
export function groupsOf(node: Manifest): string[] {
    return (annotationsOf(node)["rehearsal/security-group-ids"] ?? "").split(",").filter((id) => id !== "");
}

/** The node's address inside the VPC. */
export function addressOf(node: Manifest): string | undefined {
    return text(records(at(node, "status", "addresses")).find(({ type }) => type === "InternalIP")?.address);
}

/**
 * A pod whose environment names the endpoint of a database must reach it: the database's groups must admit the groups
 * that the pod's node really carries.
 */
export function connectionProblem(cluster: Cluster, pod: Manifest, node: Manifest): string | undefined {
    const texts = environment(cluster, pod).join("\n");
    if (texts === "") {
        return undefined;
    }
    for (const token of [
        "aws:rds/instance:Instance",
        "aws:rds/cluster:Cluster",
        "aws:elasticache/replicationGroup:ReplicationGroup",
    ]) {
        for (const database of cluster.aws.all(token)) {
            const host =
                text(database.outputs.address) ??
                text(database.outputs.primaryEndpointAddress) ??
                text(database.outputs.endpoint)?.split(":")[0];
            if (!host || !texts.includes(host)) {
                continue;
            }
            const port = Number(database.outputs.port ?? 5432);
            const targets = list(database.outputs.vpcSecurityGroupIds ?? database.outputs.securityGroupIds).map(String);
            if (
                !admits(cluster.aws, {
                    targetGroups: targets,
                    sourceGroups: groupsOf(node),
                    sourceIp: addressOf(node),
                    port,
                })
            ) {
                return (
                    `could not connect to "${host}", port ${port}: Connection timed out: none of the security groups ${targets.join(", ")} ` +
                    `admits the groups of the node (${groupsOf(node).join(", ")})`
                );
            }
        }
    }
    return undefined;
}

/** Everything that a pod's containers read into their environment or mount as a Secret. */
function environment(cluster: Cluster, pod: Manifest): string[] {
    const namespace = namespaceOf(pod);
    const found: string[] = [];
    const decode = (secret: string, key?: unknown): void => {
        const data = record(cluster.manifest(Kinds.Secret, namespace, secret)?.data);
        for (const [name, value] of Object.entries(data)) {
            if ((key === undefined || key === name) && typeof value === "string") {
                found.push(Buffer.from(value, "base64").toString());
            }
        }
    };
    for (const container of [...records(specOf(pod).initContainers), ...records(specOf(pod).containers)]) {
        for (const variable of records(container.env)) {
            const reference = at(variable, "valueFrom", "secretKeyRef");
            if (typeof variable.value === "string") {
                found.push(variable.value);
            } else if (reference) {
                decode(String(at(reference, "name")), at(reference, "key"));
            }
        }
        for (const source of records(container.envFrom)) {
            if (source.secretRef) {
                decode(String(at(source.secretRef, "name")));
            }
        }
    }
    for (const volume of records(specOf(pod).volumes)) {
        const secret = text(at(volume, "secret", "secretName"));
        if (secret) {
            decode(secret);
        }
    }
    return found;
}
