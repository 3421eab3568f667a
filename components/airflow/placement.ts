import { type Problem } from "../shared/check";
import { choices, keysOf, listOf, mapOf } from "../shared/shape";

/** What kind of nodes pods want. The label is the one that EKS puts on the nodes of managed node groups. */
export const NodeCapacity = {
    /** Cheap nodes that AWS may take back with two minutes' notice. */
    Spot: "SPOT",
    /** Nodes that stay. */
    OnDemand: "ON_DEMAND",
    /** Whatever there is. */
    Any: "ANY",
} as const;
export type NodeCapacity = (typeof NodeCapacity)[keyof typeof NodeCapacity];

/** The processors of nodes. Airflow's images are made for both. */
export const NodeArchitecture = { Amd64: "amd64", Arm64: "arm64" } as const;
export type NodeArchitecture = (typeof NodeArchitecture)[keyof typeof NodeArchitecture];

/** A taint that pods tolerate. */
export interface PodToleration {
    /** The taint's key. */
    key: string;
    /** The taint's value; without one any value is tolerated. */
    value?: string;
    /** The taint's effect; without one all are tolerated. */
    effect?: string;
}

/** Where pods run. */
export interface PodPlacement {
    /** What kind of nodes. @default ON_DEMAND for what must stay, SPOT for workers */
    capacity?: NodeCapacity;
    /** Which processors; without it pods go to either, so an image of one's own must have both. @default either */
    architecture?: NodeArchitecture;
    /** Further labels that nodes must have. @default none */
    nodeSelector?: Record<string, string>;
    /** Taints that the pods tolerate. @default none */
    tolerations?: PodToleration[];
}

/** The shape of a {@link PodPlacement}. */
export const placementShape = keysOf<PodPlacement>({
    capacity: choices(NodeCapacity),
    architecture: choices(NodeArchitecture),
    nodeSelector: mapOf("string"),
    tolerations: listOf(keysOf<PodToleration>({ key: "string", value: "string", effect: "string" })),
});

/** What is wrong with a placement. */
export function checkPlacement(placement: PodPlacement | undefined): Problem[] {
    const problems: Problem[] = [];
    for (const [index, { key, effect }] of (placement?.tolerations ?? []).entries()) {
        if (!key) {
            problems.push({
                path: `tolerations[${index}].key`,
                message: "name the taint; tolerating all would also take broken nodes",
            });
        }
        if (effect !== undefined && !["NoSchedule", "PreferNoSchedule", "NoExecute"].includes(effect)) {
            problems.push({ path: `tolerations[${index}].effect`, message: `"${effect}" is no effect of a taint` });
        }
    }
    return problems;
}

/** The node selector of a placement. */
export function nodeSelectorOf(
    placement: PodPlacement = {},
    capacity: NodeCapacity = NodeCapacity.OnDemand,
): Record<string, string> {
    const wanted = placement.capacity ?? capacity;
    return {
        ...(wanted === NodeCapacity.Any ? {} : { "eks.amazonaws.com/capacityType": wanted }),
        ...(placement.architecture ? { "kubernetes.io/arch": placement.architecture } : {}),
        ...placement.nodeSelector,
    };
}

/** The tolerations of a placement, as Kubernetes spells them. */
export function tolerationsOf(placement: PodPlacement = {}) {
    return (placement.tolerations ?? []).map(({ key, value, effect }) => ({
        key,
        ...(value === undefined ? { operator: "Exists" } : { operator: "Equal", value }),
        ...(effect === undefined ? {} : { effect }),
    }));
}

/** Spreads the pods of one component over zones as far as there are nodes, so that a lost zone takes a part of them only. */
export function spreadOverZones(component: string) {
    return [
        {
            maxSkew: 1,
            topologyKey: "topology.kubernetes.io/zone",
            whenUnsatisfiable: "ScheduleAnyway",
            labelSelector: { matchLabels: { tier: "airflow", component, release: "airflow" } },
        },
    ];
}
