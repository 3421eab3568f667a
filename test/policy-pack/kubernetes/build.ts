import { toProperties } from "../../../policy-pack/plain";
import type { Resource, Rule, RuleConfig, Verdict } from "../../../policy-pack/rule";
import { stackOf } from "../../../policy-pack/stack";
import { withDefaults } from "../../../policy-pack/config";

type More = Partial<Omit<Resource, "type" | "name" | "urn" | "props">>;

export function resource(type: string, name: string, props: object, more: More = {}): Resource {
    return { type, name, urn: urnOf(type, name), props: toProperties(props), ...more };
}

export function urnOf(type: string, name: string): string {
    return `urn:pulumi:test::policies::${type}::${name}`;
}

/** A Kubernetes resource: its type is made of API version and kind, as the SDK does. */
export function k8s(apiVersion: string, kind: string, name: string, body: object, more: More = {}): Resource {
    const version = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
    return resource(
        `kubernetes:${version}:${kind}`,
        name,
        {
            apiVersion,
            kind,
            metadata: { name, ...(body as { metadata?: object }).metadata },
            ...without(body, "metadata"),
        },
        more,
    );
}

function without(body: object, key: string): object {
    return Object.fromEntries(Object.entries(body).filter(([name]) => name !== key));
}

export const storageClass = (name: string, body: object, more?: More) =>
    k8s("storage.k8s.io/v1", "StorageClass", name, body, more);
export const ebsClass = (name: string, body: object = {}, more?: More) =>
    storageClass(
        name,
        {
            provisioner: "ebs.csi.aws.com",
            parameters: { type: "gp3", encrypted: "true" },
            volumeBindingMode: "WaitForFirstConsumer",
            ...body,
        },
        more,
    );
export const efsClass = (name: string, body: object = {}, more?: More) =>
    storageClass(
        name,
        {
            provisioner: "efs.csi.aws.com",
            parameters: { provisioningMode: "efs-ap", fileSystemId: "fs-1", directoryPerms: "700" },
            ...body,
        },
        more,
    );
export const claimSpec = (mode: string, storageClassName?: unknown) => ({
    accessModes: [mode],
    resources: { requests: { storage: "10Gi" } },
    ...(storageClassName !== undefined && { storageClassName }),
});
export const claim = (name: string, spec: object, more?: More, metadata: object = {}) =>
    k8s("v1", "PersistentVolumeClaim", name, { metadata, spec }, more);
export const volume = (name: string, spec: object, more?: More) => k8s("v1", "PersistentVolume", name, { spec }, more);
export const helm = (name: string, chart: string, values: unknown, props: object = {}) =>
    resource("kubernetes:helm.sh/v3:Release", name, { chart, values, ...props });

/** What a rule says of a program: the resource rule on each resource, then the stack rule. */
export function judge(rule: Rule, resources: Resource[], config: RuleConfig = {}): Verdict {
    const whole = withDefaults(rule, config);
    const verdicts = [
        ...resources.flatMap((one) => (rule.resource ? [rule.resource(one, whole)] : [])),
        ...(rule.stack ? [rule.stack(stackOf(resources), whole)] : []),
    ];
    return {
        findings: verdicts.flatMap(({ findings }) => findings),
        undecided: verdicts.flatMap(({ undecided }) => undecided),
        advice: verdicts.flatMap(({ advice }) => advice ?? []),
    };
}

/** `name: property` of each finding, sorted. */
export function found(rule: Rule, resources: Resource[], config?: RuleConfig): string[] {
    return places(judge(rule, resources, config).findings);
}

export function undecided(rule: Rule, resources: Resource[], config?: RuleConfig): string[] {
    return places(judge(rule, resources, config).undecided);
}

function places(list: { resource: Resource; property: string }[]): string[] {
    return list.map(({ resource: { name }, property }) => `${name}: ${property}`).sort();
}
