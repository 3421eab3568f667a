import * as aws from "@pulumi/aws";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { WorkloadIdentity, WorkloadRole } from "../cluster/workloadRole";
import type { PublishedChart } from "../shared/chart";
import { type Problem, plain, refuseProblems } from "../shared/check";
import { DrainGate, DrainSubject } from "../shared/drainGate";
import { fittingProblems } from "../shared/fitting";
import { policyJson } from "../shared/iamPolicy";
import { type ShapesOf, choices, keysOf, listOf, mapOf } from "../shared/shape";
import {
    type AddonResources,
    type HelmAddonArgs,
    addonRelease,
    checkHelmAddonArgs,
    helmAddonShapes,
    placementOf,
} from "./helmAddon";

/** What ExternalDNS does with records that nothing in the cluster asks for any more. */
export const DnsRecordPolicy = {
    /** Records of this owner are deleted with what asked for them. */
    Sync: "sync",
    /** Records are made and changed, never deleted: what is left over has to be deleted by hand. */
    UpsertOnly: "upsert-only",
} as const;
export type DnsRecordPolicy = (typeof DnsRecordPolicy)[keyof typeof DnsRecordPolicy];

/** Arguments of {@link ExternalDns}. */
export interface ExternalDnsArgs extends HelmAddonArgs {
    /** CPU and memory. @default 20m and 64Mi up to 128Mi */
    resources?: AddonResources;
    /** The id of the hosted zone, such as `Z0123456789ABCDEFGHIJ`. Give this or `zoneName`. */
    zoneId?: pulumi.Input<string>;
    /** The name of the hosted zone, such as `example.com`. Give this or `zoneId`. */
    zoneName?: pulumi.Input<string>;
    /** Whether the zone of that name is a private one. @default false */
    privateZone?: boolean;
    /** Domains within the zone that ExternalDNS keeps to. @default the whole zone */
    domains?: string[];
    /**
     * Host names that Services and Ingresses will ask for, by who asks. One that ExternalDNS would not give is refused before
     * anything is made, instead of never being answered. @default none
     */
    hostNames?: Record<string, string>;
    /** What happens to records that nothing asks for any more. @default sync */
    policy?: DnsRecordPolicy;
    /**
     * The name under which ExternalDNS marks its records. Two that share a zone and this name delete each other's records.
     * @default the stack's name and a random part, made once and kept in the state
     */
    txtOwnerId?: pulumi.Input<string>;
    /** How pods get AWS credentials. @default Irsa */
    identity?: WorkloadIdentity;
    /**
     * The image of the pod that holds up destroy until the last record is gone, with Python 3: for networks that do not reach the default.
     * @default public.ecr.aws/docker/library/python:3.13-alpine
     */
    gateImage?: string;
}

export const externalDnsChart: PublishedChart = {
    chart: "external-dns",
    repository: "https://kubernetes-sigs.github.io/external-dns/",
    version: "1.21.1",
};

const NAME = "external-dns";
const METRICS_PORT = 7979;

function isDomain(name: string): boolean {
    return /^(?=.{1,253}\.?$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\.?$/i.test(name);
}

/** Whether a domain is a zone's name or lies below it. */
function isWithin(domain: string, zone: string): boolean {
    const bare = (name: string) => name.toLowerCase().replace(/\.$/, "");
    return bare(domain) === bare(zone) || bare(domain).endsWith(`.${bare(zone)}`);
}

const shapes: ShapesOf<ExternalDnsArgs> = {
    ...helmAddonShapes,
    zoneId: "string",
    zoneName: "string",
    privateZone: "boolean",
    domains: listOf("string"),
    hostNames: mapOf("string"),
    policy: choices(DnsRecordPolicy),
    txtOwnerId: "string",
    identity: choices(WorkloadIdentity),
    gateImage: "string",
};

/** All domains and host names of the arguments, with their paths. */
function namesOf({ domains, hostNames }: ExternalDnsArgs): [path: string, name: string][] {
    return [
        ...(domains ?? []).map((domain, index): [string, string] => [`domains[${index}]`, domain]),
        ...Object.entries(hostNames ?? {}).map(([asker, name]): [string, string] => [`hostNames.${asker}`, name]),
    ];
}

/** Domains and host names that are none, or for which ExternalDNS would make no record: outside the zone, or outside the domains it keeps to. */
function nameProblems(args: ExternalDnsArgs, zoneName?: string): Problem[] {
    return namesOf(args).flatMap(([path, name]) => {
        if (!isDomain(name)) {
            return [{ path, message: `"${name}" is no domain name` }];
        }
        if (zoneName !== undefined && !isWithin(name, zoneName)) {
            return [{ path, message: `${name} lies outside the zone ${zoneName}` }];
        }
        const kept = path.startsWith("hostNames.") && args.domains?.length ? args.domains : [name];
        return kept.some((domain) => isWithin(name, domain))
            ? []
            : [{ path, message: `${name} lies outside the domains ${kept.join(", ")}` }];
    });
}

/** What is wrong with the arguments of {@link ExternalDns}. */
export function checkExternalDnsArgs(args: ExternalDnsArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge);
}

function judge(args: ExternalDnsArgs): Problem[] {
    const problems = checkHelmAddonArgs(args);
    if ((args.zoneId === undefined) === (args.zoneName === undefined)) {
        problems.push({
            path: "zoneId",
            message: "give the hosted zone by either zoneId or zoneName, so that records go to one zone only",
        });
    }
    const zoneId = plain(args.zoneId);
    if (zoneId !== undefined && !/^(\/hostedzone\/)?Z[A-Z0-9]{1,32}$/.test(zoneId)) {
        problems.push({ path: "zoneId", message: `"${zoneId}" is no id of a hosted zone, which starts with Z` });
    }
    const zoneName = plain(args.zoneName);
    if (zoneName !== undefined && !isDomain(zoneName)) {
        problems.push({ path: "zoneName", message: `"${zoneName}" is no domain name` });
    }
    problems.push(...nameProblems(args, zoneName));
    const owner = plain(args.txtOwnerId);
    if (owner !== undefined && !/^[\w.-]{1,200}$/.test(owner)) {
        problems.push({ path: "txtOwnerId", message: "use letters, digits, dots, dashes and underscores" });
    }
    return problems;
}

/**
 * ExternalDNS for one hosted zone of Route 53: it gives the names that Services and Ingresses ask for.
 *
 * It may change records in that zone only, and by default touches only records that it made itself. With the policy `sync` they
 * are deleted with what asked for them; on destroy a gate in the state holds ExternalDNS until it has looked once more. With
 * `upsert-only` every record stays, each with its TXT records, and has to be deleted before the zone can be.
 * To upgrade, raise `chart.version`; the one definition of the chart (DNSEndpoint) is neither upgraded nor removed by Helm.
 *
 * Creates a namespace, a role with one policy, a Helm release, a PodDisruptionBudget and a {@link DrainGate}.
 */
export class ExternalDns extends pulumi.ComponentResource {
    /** The id of the hosted zone. */
    readonly zoneId: pulumi.Output<string>;
    /** The domain of the hosted zone. */
    readonly zoneName: pulumi.Output<string>;
    /** The name under which records are marked, once ExternalDNS runs. */
    readonly txtOwnerId: pulumi.Output<string>;

    constructor(name: string, args: ExternalDnsArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("ExternalDns", name, checkExternalDnsArgs(args));
        super("airflow-eks:index:ExternalDns", name, {}, opts);

        const cluster = pulumi.output(args.cluster);
        const zone = hostedZone(this, name, args);
        this.zoneId = zone.zoneId;
        this.zoneName = zone.name;
        const owner = pulumi.output(args.txtOwnerId ?? keptOwnerId(this, name));
        const namespace = new k8s.core.v1.Namespace(name, { metadata: { name: NAME } }, { parent: this });
        const role = new WorkloadRole(
            name,
            {
                cluster,
                namespace: NAME,
                serviceAccounts: [NAME],
                mode: args.identity,
                inlinePolicies: { "change-records": zonePolicy(cluster, zone.zoneId) },
            },
            { parent: this },
        );
        const release = addonRelease(
            this,
            name,
            {
                published: externalDnsChart,
                releaseName: NAME,
                namespace: namespace.metadata.name,
                values: pulumi
                    .all([cluster, role.annotations, zone, owner])
                    .apply(([info, annotations, { zoneId, name: zoneName }, ownerId]) =>
                        externalDnsValues(info, annotations, { zoneId, zoneName, ownerId }, args),
                    ),
            },
            args,
        );
        new k8s.policy.v1.PodDisruptionBudget(
            name,
            {
                metadata: { namespace: namespace.metadata.name },
                spec: { maxUnavailable: 1, selector: { matchLabels: { "app.kubernetes.io/name": NAME } } },
            },
            { parent: this },
        );
        new DrainGate(
            `${name}-drain`,
            {
                subject: DrainSubject.DnsRecords,
                metricsUrl: `http://${NAME}.${NAME}:${METRICS_PORT}/metrics`,
                image: args.gateImage,
                ...placementOf(args.placement),
            },
            { parent: this, dependsOn: release },
        );
        this.txtOwnerId = pulumi.all([owner, release.status]).apply(([ownerId]) => ownerId);
        this.registerOutputs({ zoneId: this.zoneId, zoneName: this.zoneName, txtOwnerId: this.txtOwnerId });
    }
}

function hostedZone(parent: pulumi.Resource, name: string, args: ExternalDnsArgs) {
    const zone = aws.route53.getZoneOutput(
        args.zoneId !== undefined
            ? { zoneId: args.zoneId }
            : { name: args.zoneName, privateZone: args.privateZone ?? false },
        { parent },
    );
    return zone.apply(({ zoneId, name: zoneName }) => {
        refuseProblems("ExternalDns", name, nameProblems(args, zoneName));
        return { zoneId, name: zoneName };
    });
}

function keptOwnerId(parent: pulumi.Resource, name: string): pulumi.Output<string> {
    return new random.RandomId(
        `${name}-owner`,
        { byteLength: 8, prefix: `${pulumi.getStack()}-` },
        // A renamed stack keeps its records.
        { parent, ignoreChanges: ["prefix"] },
    ).hex;
}

/** https://github.com/kubernetes-sigs/external-dns/blob/master/docs/tutorials/aws.md, narrowed to one zone. */
function zonePolicy(cluster: pulumi.Output<ClusterInfo>, zoneId: pulumi.Output<string>): pulumi.Output<string> {
    return policyJson(
        {
            Action: [
                "route53:ChangeResourceRecordSets",
                "route53:ListResourceRecordSets",
                "route53:ListTagsForResources",
            ],
            Resource: pulumi
                .all([cluster, zoneId])
                .apply(([{ partition }, id]) => `arn:${partition}:route53:::hostedzone/${id}`),
        },
        { Action: "route53:ListHostedZones", Resource: "*" },
    );
}

function externalDnsValues(
    cluster: ClusterInfo,
    annotations: Record<string, string>,
    zone: { zoneId: string; zoneName: string; ownerId: string },
    args: ExternalDnsArgs,
) {
    return {
        fullnameOverride: NAME,
        provider: { name: "aws" },
        sources: ["service", "ingress"],
        domainFilters: args.domains?.length ? args.domains : [zone.zoneName.replace(/\.$/, "")],
        policy: args.policy ?? DnsRecordPolicy.Sync,
        registry: "txt",
        txtOwnerId: zone.ownerId,
        extraArgs: { "zone-id-filter": zone.zoneId },
        interval: "1m",
        triggerLoopOnEvent: true,
        env: [{ name: "AWS_DEFAULT_REGION", value: cluster.region }],
        serviceAccount: { name: NAME, annotations },
        resources: args.resources ?? { requests: { cpu: "20m", memory: "64Mi" }, limits: { memory: "128Mi" } },
        ...placementOf(args.placement),
    };
}
