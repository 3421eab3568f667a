import { type Referred, refer } from "../judge/references";
import { at, items, text } from "../judge/tree";
import { isUnknown } from "../plain";
import { Judgement, type Resource, type Rule, type RuleConfig, type Stack } from "../rule";

const FILE_SYSTEMS = ["aws:efs/fileSystem:FileSystem", "aws-native:efs:FileSystem"];
const MOUNT_TARGETS = ["aws:efs/mountTarget:MountTarget", "aws-native:efs:MountTarget"];
const SUBNETS = ["aws:ec2/subnet:Subnet", "aws:ec2/defaultSubnet:DefaultSubnet", "aws-native:ec2:Subnet"];

/** What puts nodes or pods into subnets, and the property that lists them. */
const PLACES: Record<string, string> = {
    "aws:eks/nodeGroup:NodeGroup": "subnetIds",
    "aws:eks/fargateProfile:FargateProfile": "subnetIds",
    "aws-native:eks:Nodegroup": "subnets",
    "aws-native:eks:FargateProfile": "subnets",
};
const SCALING_GROUP = "aws:autoscaling/group:Group";

export const rule: Rule = {
    name: "efs-mount-target-per-zone",
    description: "A file system has a mount target in every zone in which nodes run, and one only.",
    why: "In a zone without one the file system's name does not resolve: pods that are scheduled there hang in ContainerCreating.",
    fix: "Create one aws.efs.MountTarget for each zone of the nodes, from a map of zone to subnet.",
    level: "mandatory",
    severity: "high",
    config: {
        zones: {
            type: "array",
            items: { type: "string", minLength: 1 },
            description: "The zones in which nodes run, when the nodes are not in this program.",
        },
    },
    stack(stack, config) {
        const judgement = new Judgement();
        const targets = groupTargets(stack);
        const places = nodePlaces(stack, config);
        const hasCluster = stack.resources.some(({ type }) =>
            /^(aws:eks\/|aws-native:eks:|eks:|kubernetes:)/.test(type),
        );
        for (const files of stack.ofType(...FILE_SYSTEMS)) {
            judgeFileSystem(
                judgement.judge(files),
                files,
                targets.get(files.urn) ?? [],
                places,
                targets.has(UNPLACED),
                hasCluster,
            );
        }
        for (const [key, own] of targets) {
            own.forEach(({ resource }) => judgement.judge(resource));
            if (key !== UNPLACED) {
                judgeDuplicates(judgement, own);
            }
        }
        return judgement;
    },
};

/** A subnet as far as it is known: one of this program, or the id of another. */
interface Place {
    zone?: string;
    network?: string;
    /** A subnet of which no zone is known: its id when it is not of this program, else its URN. */
    subnet?: string;
    /** What puts nodes there (not for zones of the configuration), for messages. */
    source?: { resource: Resource; property: string };
}

interface Target extends Place {
    resource: Resource;
}

interface Places {
    all: Place[];
    byNetwork: Map<string | undefined, Place[]>;
}

const UNPLACED = "";

/** Mount targets by the file system that they belong to; an id that is not of this program is a key as good as a URN. */
function groupTargets(stack: Stack): Map<string, Target[]> {
    const groups = new Map<string, Target[]>();
    for (const resource of stack.ofType(...MOUNT_TARGETS)) {
        const files = refer(stack, resource, "fileSystemId", resource.props.fileSystemId, FILE_SYSTEMS);
        const key = files.resources[0]?.urn ?? files.external[0] ?? UNPLACED;
        const places = placesOf(refer(stack, resource, "subnetId", resource.props.subnetId, SUBNETS), 1);
        const own = text(resource.props.availabilityZoneName);
        const target = {
            ...(places.length === 1 ? places[0] : {}),
            ...(typeof own === "string" ? { zone: own } : {}),
            resource,
        };
        const group = groups.get(key);
        if (group) {
            group.push(target);
        } else {
            groups.set(key, [target]);
        }
    }
    return groups;
}

/** The subnets that a property names. Several candidates count when they are as many zones as there are values; else one place stays open. */
function placesOf(found: Referred, wanted: number | undefined): Place[] {
    const places = [...found.resources.map(placeOf), ...found.external.map((subnet) => ({ subnet }))];
    if (!found.unknown) {
        return places;
    }
    const candidates = found.candidates.map(placeOf);
    const zones = new Map(candidates.map((place) => [place.zone, place]));
    return !zones.has(undefined) && (zones.size === 1 || zones.size === wanted) && zones.size > 0
        ? [...places, ...zones.values()]
        : [...places, {}];
}

function placeOf(subnet: Resource): Place {
    const zone = text(subnet.props.availabilityZone);
    const network = text(subnet.props.vpcId);
    return {
        ...(typeof zone === "string" ? { zone } : { subnet: subnet.urn }),
        network: typeof network === "string" ? network : subnet.propertyDependencies?.vpcId?.join(" "),
    };
}

/** The same place once, however many groups have nodes there. */
function distinct(places: Place[]): Places {
    const seen = new Map<string, Place>();
    for (const place of places) {
        const open = place.zone === undefined && place.subnet === undefined;
        const key = `${place.network} ${place.zone} ${place.subnet} ${open ? place.source?.resource.urn : ""}`;
        if (!seen.has(key)) {
            seen.set(key, place);
        }
    }
    const all = [...seen.values()];
    const byNetwork = new Map<string | undefined, Place[]>();
    for (const place of all) {
        const list = byNetwork.get(place.network);
        if (list) {
            list.push(place);
        } else {
            byNetwork.set(place.network, [place]);
        }
    }
    return { all, byNetwork };
}

/** Where nodes are: by the configuration, by node groups and profiles, by scaling groups of a cluster. */
function nodePlaces(stack: Stack, config: RuleConfig): Places {
    const places: Place[] = items(config.zones).flatMap((zone) => (typeof zone === "string" ? [{ zone }] : []));
    const take = (resource: Resource, property: string): void => {
        const found = refer(stack, resource, property, resource.props[property], SUBNETS);
        placesOf(found, undefined).forEach((place) => places.push({ ...place, source: { resource, property } }));
    };
    for (const [type, property] of Object.entries(PLACES)) {
        stack.ofType(type).forEach((resource) => take(resource, property));
    }
    stack
        .ofType(SCALING_GROUP)
        .filter(isNodes)
        .forEach((group) => take(group, "vpcZoneIdentifiers"));
    return distinct(places);
}

/** Whether a scaling group holds nodes of a cluster: its instances carry the cluster's tag. */
function isNodes(group: Resource): boolean {
    return items(group.props.tags).some((tag) => {
        const key = at(tag, "key");
        return typeof key === "string" && key.startsWith("kubernetes.io/cluster/");
    });
}

function judgeFileSystem(
    judgement: Judgement,
    files: Resource,
    targets: Target[],
    places: Places,
    unplaced: boolean,
    hasCluster: boolean,
): void {
    const only = text(files.props.availabilityZoneName);
    if (isUnknown(only) || unplaced) {
        judgement.unknown(files, "availabilityZoneName", "which mount targets it has is known only after `up`");
        return;
    }
    if (only !== undefined) {
        // A One Zone file system has one mount target, in its zone; nodes elsewhere reach it there.
        judgeZones(judgement, files, targets, places.all.length > 0 ? [only] : []);
        return;
    }
    const near = nearby(places, files, targets);
    const vague = near.find(({ source }) => source && isUnknown(source.resource.props[source.property]));
    if (vague && targets.length === 0 && typeof files.props.id !== "string") {
        // Mount targets made of a list of subnets (`subnetIds.apply(...)`) appear once that list is known.
        judgement.unknown(
            files,
            "mountTargets",
            "what is made for each subnet appears only after `up` has made the subnets",
        );
        return;
    }
    judgeZones(judgement, files, targets, [...new Set(near.flatMap(({ zone }) => zone ?? []))].sort());
    const subnets = new Set(targets.map(({ subnet }) => subnet));
    const open = near.find(({ zone, subnet }) => zone === undefined && !(subnet !== undefined && subnets.has(subnet)));
    if (open?.source) {
        judgement.unknown(
            open.source.resource,
            open.source.property,
            "in which zones its nodes run is not to be seen in this program (yet)",
        );
    } else if (places.all.length === 0 && hasCluster) {
        judgement.unknown(
            files,
            "mountTargets",
            "no nodes are in this program; name their zones in the rule's configuration (`zones`)",
        );
    }
}

function judgeZones(judgement: Judgement, files: Resource, targets: Target[], needed: string[]): void {
    const covered = new Set(targets.map(({ zone }) => zone));
    const unclear = targets.filter(({ zone }) => zone === undefined).length;
    const missing = needed.filter((zone) => !covered.has(zone));
    if (missing.length > unclear) {
        judgement.violation(
            files,
            "mountTargets",
            unclear > 0
                ? `nodes run in ${needed.join(", ")}, but it has ${targets.length} mount target(s) only: pods in the other zones cannot mount it`
                : `nodes run in ${missing.join(", ")}, but it has no mount target there: pods in that zone cannot mount it`,
        );
    } else if (missing.length > 0) {
        judgement.unknown(files, "mountTargets", "in which zones its mount targets are is known only after `up`");
    }
}

/** Nodes of another region or network than the file system's have nothing to do with it. */
function nearby(places: Places, files: Resource, targets: Target[]): Place[] {
    const region = text(files.props.region) ?? text(files.provider?.props.region);
    const known =
        typeof region === "string" ? region : targets.find((target) => target.zone)?.zone?.replace(/[a-z]$/, "");
    const networks = new Set(targets.map((target) => target.network));
    const everywhere = networks.size === 0 || networks.has(undefined);
    const near = everywhere
        ? places.all
        : [undefined, ...networks].flatMap((network) => places.byNetwork.get(network) ?? []);
    return near.filter(({ zone }) => known === undefined || zone === undefined || zone.startsWith(known));
}

function judgeDuplicates(judgement: Judgement, targets: Target[]): void {
    const seen = new Map<string, Resource>();
    for (const { resource, zone } of targets) {
        judgement.judge(resource);
        const first = zone === undefined ? undefined : seen.get(zone);
        if (first) {
            judgement.violation(
                resource,
                "subnetId",
                `${zone} has a mount target of this file system already ("${first.name}"); AWS refuses a second one`,
                "Create one mount target for each zone, not for each subnet.",
            );
        } else if (zone !== undefined) {
            seen.set(zone, resource);
        }
    }
}
