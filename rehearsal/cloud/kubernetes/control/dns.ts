import type { WorldObject } from "../../shell/world";
import { Kinds, type Cluster } from "../cluster";
import { annotationsOf, namespaceOf, specOf, type Manifest } from "../api/object";
import type { Kind } from "../api/kinds";
import { at, list, numberOr, records, text } from "../api/value";
import { callsAws } from "./credentials";
import { podsOf } from "./status";

const recordToken = "aws:route53/record:Record";
const hostnameNote = "external-dns.alpha.kubernetes.io/hostname";
const fact: Kind = { apiVersion: "rehearsal/v1", kind: "Fact" };

interface Settings {
    sources: string[];
    policy: string;
    owner: string;
    prefix: string;
    domains: string[];
    zoneIds: string[];
    intervalSeconds: number;
}

/** ExternalDNS by its container's arguments. Source: kubernetes-sigs/external-dns, docs/flags.md. */
function settingsOf(deployment: Manifest): Settings {
    const args = records(at(deployment, "spec", "template", "spec", "containers"))
        .flatMap((container) => [...list(container.command), ...list(container.args)])
        .map(String);
    const all = (flag: string): string[] =>
        args.filter((arg) => arg.startsWith(`--${flag}=`)).map((arg) => arg.slice(flag.length + 3));
    return {
        sources: all("source"),
        policy: all("policy")[0] ?? "sync",
        owner: all("txt-owner-id")[0] ?? "default",
        prefix: all("txt-prefix")[0] ?? "",
        domains: all("domain-filter"),
        zoneIds: all("zone-id-filter"),
        intervalSeconds: /^(\d+)m$/.test(all("interval")[0] ?? "") ? 60 * parseInt(all("interval")[0], 10) : 60,
    };
}

function deployments(cluster: Cluster): WorldObject[] {
    return cluster
        .list(Kinds.Deployment)
        .filter((one) =>
            JSON.stringify(at(one.outputs, "spec", "template", "spec", "containers") ?? "").includes("/external-dns"),
        );
}

/** Lets some seconds pass: every interval each running ExternalDNS compares records with what the cluster offers. */
export function synchronizeDns(cluster: Cluster, seconds: number): void {
    for (const deployment of deployments(cluster)) {
        const running = podsOf(cluster, Kinds.Deployment, deployment.outputs).some(
            (pod) => at(pod, "status", "phase") === "Running",
        );
        if (!running) {
            continue;
        }
        const settings = settingsOf(deployment.outputs);
        const name = `external-dns-${String(at(deployment.outputs, "metadata", "uid"))}`;
        const known = cluster.manifest(fact, namespaceOf(deployment.outputs), name);
        const waited = numberOr(known?.seconds, settings.intervalSeconds) + seconds;
        const due = waited >= settings.intervalSeconds;
        if (due) {
            synchronize(cluster, deployment.outputs, settings);
        }
        if (due || seconds > 0) {
            cluster.apply(fact, {
                metadata: { name, namespace: namespaceOf(deployment.outputs) },
                seconds: due ? 0 : waited,
            });
        }
    }
}

/** Whether records and cluster differ, so that another synchronisation would change something. */
export function dnsPending(cluster: Cluster): number {
    return Math.max(
        0,
        ...deployments(cluster).map((deployment) => {
            const settings = settingsOf(deployment.outputs);
            const wanted = endpointsOf(cluster, settings).map(({ host }) => host);
            const mine = ownRecords(cluster, settings).map((one) => text(one.outputs.name));
            const stale = settings.policy === "sync" && mine.some((host) => !wanted.includes(host ?? ""));
            return stale || wanted.some((host) => !mine.includes(host)) ? settings.intervalSeconds : 0;
        }),
    );
}

function synchronize(cluster: Cluster, deployment: Manifest, settings: Settings): void {
    const account = text(at(deployment, "spec", "template", "spec", "serviceAccountName")) ?? "default";
    const wanted = endpointsOf(cluster, settings);
    for (const { host, target } of wanted) {
        const zone = zoneOf(cluster, host, settings);
        const problem = zone
            ? callsAws(cluster, namespaceOf(deployment), account, ["route53:ChangeResourceRecordSets"], zone.arn)
            : `no hosted zone matches ${host}`;
        if (!zone || problem) {
            cluster.event(Kinds.Deployment, deployment, "FailedSync", `failed to submit all changes: ${problem}`);
            continue;
        }
        for (const [type, name, value] of [
            ["A", host, target],
            ["TXT", `${settings.prefix}a-${host}`, `"heritage=external-dns,external-dns/owner=${settings.owner}"`],
        ]) {
            const there = cluster.aws.find(
                recordToken,
                (one) => one.outputs.zoneId === zone.id && one.outputs.name === name && one.outputs.type === type,
            );
            if (there && there.outputs.externalDnsOwner !== settings.owner) {
                continue; // Somebody else's: never touched.
            }
            const outputs = {
                zoneId: zone.id,
                name,
                type,
                records: [value],
                fqdn: name,
                externalDnsOwner: settings.owner,
            };
            if (!there || JSON.stringify(there.outputs.records) !== JSON.stringify(outputs.records)) {
                const id = `${zone.id}_${name}_${type}`;
                cluster.aws.put({
                    token: recordToken,
                    id,
                    scope: zone.scope,
                    inputs: { zoneId: zone.id, name, type },
                    outputs: { ...outputs, id },
                    implicit: true,
                });
            }
        }
    }
    if (settings.policy !== "sync") {
        return;
    }
    for (const stale of ownRecords(cluster, settings).filter(
        (one) =>
            !wanted.some(({ host }) => host === one.outputs.name || String(one.outputs.name).endsWith(`a-${host}`)),
    )) {
        cluster.aws.remove(recordToken, stale.id);
    }
    for (const text of cluster.aws
        .all(recordToken)
        .filter(
            (one) => one.implicit && one.outputs.type === "TXT" && one.outputs.externalDnsOwner === settings.owner,
        )) {
        if (!wanted.some(({ host }) => String(text.outputs.name).endsWith(`a-${host}`))) {
            cluster.aws.remove(recordToken, text.id);
        }
    }
}

function ownRecords(cluster: Cluster, settings: Settings): WorldObject[] {
    return cluster.aws
        .all(recordToken)
        .filter(
            (one) =>
                one.implicit === true && one.outputs.externalDnsOwner === settings.owner && one.outputs.type === "A",
        );
}

/** What Services and Ingresses want to be called, and where they are. */
function endpointsOf(cluster: Cluster, settings: Settings): { host: string; target: string }[] {
    const found: { host: string; target: string }[] = [];
    const add = (object: Manifest, hosts: string[]): void => {
        const target = text(at(object, "status", "loadBalancer", "ingress", 0, "hostname"));
        if (target && at(object, "metadata", "deletionTimestamp") === undefined) {
            found.push(
                ...hosts
                    .filter(
                        (host) =>
                            settings.domains.length === 0 ||
                            settings.domains.some((domain) => host === domain || host.endsWith(`.${domain}`)),
                    )
                    .map((host) => ({ host, target })),
            );
        }
    };
    const noted = (object: Manifest): string[] =>
        (annotationsOf(object)[hostnameNote] ?? "")
            .split(",")
            .map((host) => host.trim().replace(/\.$/, ""))
            .filter((host) => host !== "");
    if (settings.sources.includes("service")) {
        cluster.manifests(Kinds.Service).forEach((service) => add(service, noted(service)));
    }
    if (settings.sources.includes("ingress")) {
        cluster.manifests(Kinds.Ingress).forEach((ingress) =>
            add(ingress, [
                ...noted(ingress),
                ...records(specOf(ingress).rules)
                    .map((rule) => text(rule.host) ?? "")
                    .filter((host) => host !== ""),
            ]),
        );
    }
    return found.filter(({ host }, index) => found.findIndex((one) => one.host === host) === index);
}

function zoneOf(
    cluster: Cluster,
    host: string,
    settings: Settings,
): { id: string; arn: string; scope?: string } | undefined {
    const zones = cluster.aws
        .all("aws:route53/zone:Zone")
        .filter((zone) => settings.zoneIds.length === 0 || settings.zoneIds.includes(zone.id))
        .filter((zone) => host === zone.outputs.name || host.endsWith(`.${String(zone.outputs.name)}`))
        .sort((a, b) => String(b.outputs.name).length - String(a.outputs.name).length);
    const [zone] = zones;
    return (
        zone && {
            id: zone.id,
            arn: text(zone.outputs.arn) ?? `arn:aws:route53:::hostedzone/${zone.id}`,
            scope: zone.scope,
        }
    );
}
