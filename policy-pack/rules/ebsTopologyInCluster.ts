import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type RuleConfig } from "../rule";
import { storageOf } from "../storage";
import { inTreeEbs, isEbsProvisioner } from "../storage/backing";
import type { StorageClass, Volume, VolumeSource } from "../storage/model";
import { nodesOf, type Nodes } from "../storage/nodes";
import { anyCase, elements, get, scalar, under } from "../storage/values";

const zoneKeys = [
    "topology.kubernetes.io/zone",
    "topology.ebs.csi.aws.com/zone",
    "failure-domain.beta.kubernetes.io/zone",
];
const zoneIdKeys = ["topology.k8s.aws/zone-id"];

export const rule: Rule = {
    name: "ebs-topology-in-cluster",
    description:
        "The zones in which a StorageClass of EBS may make volumes have nodes, and so have those of its volumes.",
    why: "An EBS volume is reachable from its own zone only: pods that use one in a zone without nodes stay Pending.",
    fix: "List zones of the node groups in `allowedTopologies`, or leave it out: WaitForFirstConsumer takes the zone of the pod.",
    level: "mandatory",
    severity: "medium",
    config: {
        zones: {
            type: "array",
            items: { type: "string", minLength: 1 },
            default: [],
            description: "Zones (or zone ids) in which the cluster has nodes that are not in this program.",
        },
    },
    stack: (stack, config) => {
        const judgement = new Judgement();
        const nodes = nodesOf(stack);
        const { classes, volumes } = storageOf(stack).carried;
        for (const one of classes.filter(({ provisioner }) => isEbsProvisioner(provisioner))) {
            // Each zone that is allowed may be the one in which a volume is made.
            zonesOf(one).forEach((zone) => judge(one.resource, zone.path, [zone], nodes, config, judgement));
        }
        for (const volume of volumes.filter(({ source }) => isEbs(source))) {
            const { path, zones } = zonesOfVolume(volume);
            if (zones.length > 0) {
                judge(volume.resource, path, zones, nodes, config, judgement);
            }
        }
        return judgement;
    },
};

interface Asked {
    zone: unknown;
    path: string;
    byId: boolean;
}

function isEbs({ type, driver }: VolumeSource): boolean {
    return type === "awsElasticBlockStore" || (type === "csi" && isEbsProvisioner(driver));
}

/** Judges zones of which one with nodes is enough. */
function judge(
    resource: Resource,
    path: string,
    asked: Asked[],
    nodes: Nodes,
    config: RuleConfig,
    judgement: Judgement,
): void {
    judgement.judge(resource);
    const configured = config.zones as string[];
    const sets = asked.map(({ byId }) => nodes.groups.map((group) => (byId ? group.zoneIds : group.zones)));
    const has = ({ zone }: Asked, index: number) =>
        configured.includes(zone as string) || sets[index].some((zones) => zones?.has(zone as string));
    if (asked.some(has)) {
        return;
    }
    if (asked.some(({ zone }) => isUnknown(zone))) {
        judgement.unknown(resource, path, "the zone is not known yet.");
    } else if (nodes.elsewhere !== undefined) {
        judgement.unknown(
            resource,
            path,
            `nodes may also come from ${nodes.elsewhere}, in zones that are not told here.`,
        );
    } else if (nodes.groups.length === 0 && configured.length === 0) {
        judgement.unknown(
            resource,
            path,
            "the cluster's nodes are not in this program (tell their zones by the rule's setting `zones`).",
        );
    } else if (sets.flat().some((zones) => zones === undefined)) {
        judgement.unknown(resource, path, "the zones of the node groups are not known (yet).");
    } else {
        const known = sets.flat().flatMap((zones) => [...(zones ?? [])]);
        const have = [...new Set([...known, ...configured])].sort().join(", ");
        const named = [...new Set(asked.map(({ zone }) => scalar(zone) ?? "(none)"))].join(" or ");
        judgement.violation(
            resource,
            path,
            `No node group is in zone ${named} (they are in ${have}): volumes there can never be attached.`,
        );
    }
}

/** The zones that a volume can be used in; none if one of the alternatives says nothing of zones. */
function zonesOfVolume({ nodeTerms, path }: Volume): { path: string; zones: Asked[] } {
    const here = under(path, "spec", "nodeAffinity");
    const terms = elements(nodeTerms).map(([term]) =>
        elements(get(term, "matchExpressions")).flatMap(([expression]) => {
            const key = get(expression, "key") as string;
            const byId = zoneIdKeys.includes(key);
            return (byId || zoneKeys.includes(key)) && get(expression, "operator") === "In"
                ? elements(get(expression, "values")).map(([zone]) => ({ zone, path: here, byId }))
                : [];
        }),
    );
    return { path: here, zones: terms.some((zones) => zones.length === 0) ? [] : terms.flat() };
}

function zonesOf(one: StorageClass): Asked[] {
    const { allowedTopologies, path } = one;
    const here = under(path, "allowedTopologies");
    if (isUnknown(allowedTopologies)) {
        return [{ zone: allowedTopologies, path: here, byId: false }];
    }
    const asked = elements(allowedTopologies).flatMap(([term, t]) =>
        elements(get(term, "matchLabelExpressions")).flatMap(([expression, e]) => {
            const key = get(expression, "key");
            const byId = zoneIdKeys.includes(key as string);
            return byId || zoneKeys.includes(key as string)
                ? elements(get(expression, "values")).map(([zone, v]) => ({
                      zone,
                      path: under(here, t, "matchLabelExpressions", e, "values", v),
                      byId,
                  }))
                : [];
        }),
    );
    return one.provisioner === inTreeEbs ? [...asked, ...oldParameters(one)] : asked;
}

/** The built-in driver took zones as parameters. */
function oldParameters({ parameters, parametersPath }: StorageClass): Asked[] {
    return ["zone", "zones"].flatMap((name) =>
        anyCase(parameters, name).flatMap(({ key, value }) =>
            (typeof value === "string" ? value.split(",").map((zone) => zone.trim()) : [value]).map((zone) => ({
                zone,
                path: under(parametersPath, key),
                byId: false,
            })),
        ),
    );
}
