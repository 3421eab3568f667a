import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { InvalidArgumentsError, plain, refuseProblems, under } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import type { ShapesOf } from "../shared/shape";
import { choices, keysOf, listOf } from "../shared/shape";
import type { InstanceRequirements } from "./chooseInstanceTypes";
import { checkInstanceRequirements, chooseInstanceTypes } from "./chooseInstanceTypes";
import type { CommonNodeGroupArgs } from "./nodeGroup";
import { CapacityType, NodeGroup, commonNodeGroupShapes, judgeCommonNodeGroupArgs } from "./nodeGroup";
import { ownLabelProblems, typeNameProblems } from "./nodeProblems";
import { TaintEffect } from "./nodeTaint";
import { Architecture } from "./nodeTypes";

/** Arguments of {@link SpotNodeGroup}. */
export interface SpotNodeGroupArgs extends CommonNodeGroupArgs {
    /** The instance types, at least three of one size. Give these or `requirements`. */
    instanceTypes?: pulumi.Input<pulumi.Input<string>[]>;
    /** What instance types are chosen by. Its zones are the group's, where it names none. */
    requirements?: InstanceRequirements;
    /** The architecture of `instanceTypes`; `requirements` have their own. @default amd64 */
    architecture?: Architecture;
    /** Whether only pods that tolerate `lifecycle=spot` land on the nodes. @default false */
    taint?: boolean;
    /** Why fewer than three types or two zones will do. Without a reason that is refused: one shortage would take all nodes at once. @default none */
    lowDiversityReason?: string;
}

/** The label of spot nodes, and their taint where it is asked for. */
export const spotLabel = { lifecycle: "spot" };

const shapes: ShapesOf<SpotNodeGroupArgs> = {
    ...commonNodeGroupShapes,
    instanceTypes: listOf("string"),
    requirements: "anything",
    architecture: choices(Architecture),
    taint: "boolean",
    lowDiversityReason: "string",
};
const fewestTypes = 3;

/** What is wrong with the arguments of a {@link SpotNodeGroup}. */
export function checkSpotNodeGroupArgs(args: SpotNodeGroupArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (sound) => {
        const types = plain(sound.instanceTypes);
        const problems = [
            ...judgeCommonNodeGroupArgs(sound),
            ...ownLabelProblems(spotLabel, sound),
            ...typeNameProblems("instanceTypes", types),
            ...(sound.requirements ? under("requirements", checkInstanceRequirements(sound.requirements)) : []),
        ];
        if ((sound.instanceTypes === undefined) === (sound.requirements === undefined)) {
            problems.push({
                path: "instanceTypes",
                message: "give either instanceTypes or requirements to choose them by.",
            });
        }
        if (sound.architecture !== undefined && sound.requirements !== undefined) {
            problems.push({
                path: "architecture",
                message: "requirements have an architecture of their own; give it there.",
            });
        }
        if (sound.lowDiversityReason !== undefined) {
            if (sound.lowDiversityReason.trim().length < 10) {
                problems.push({
                    path: "lowDiversityReason",
                    message: "is no reason; say in a sentence why few types or zones will do.",
                });
            }
            return problems;
        }
        if (new Set(sound.zones).size === 1) {
            problems.push({
                path: "zones",
                message: "one zone's spot capacity can go all at once; give two, or a lowDiversityReason.",
            });
        }
        if (types !== undefined && types.length > 0) {
            problems.push(...diversityProblems(types.length));
        }
        return problems;
    });
}

/**
 * Spot nodes: two thirds cheaper, and taken back with two minutes' notice. Several types over several zones make that rare. EKS replaces a node
 * when AWS announces that it may go, drains it, and so needs no termination handler; what runs there must stand being moved.
 *
 * The nodes carry the label `lifecycle: spot`. Creates what a {@link NodeGroup} creates.
 *
 * @example
 * new SpotNodeGroup("workers", {
 *     cluster, zones, instanceTypes: ["c5.large", "c5d.large", "c5a.large"], scaling: { min: 2, max: 3, desired: 2 }, diskSizeGiB: 20,
 * });
 */
export class SpotNodeGroup extends pulumi.ComponentResource {
    /** The physical names of the groups, keyed by zone, or under `all` when one group spans the zones. */
    readonly groupNames: pulumi.Output<Record<string, string>>;
    /** The names of the Auto Scaling groups, with the same keys. */
    readonly autoScalingGroupNames: pulumi.Output<Record<string, string>>;
    /** The instance types in use. */
    readonly instanceTypes: pulumi.Output<string[]>;
    /** The labels of the nodes, for selectors. */
    readonly labels: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: SpotNodeGroupArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("SpotNodeGroup", name, checkSpotNodeGroupArgs(args));
        super("airflow-eks:index:SpotNodeGroup", name, {}, opts);
        const { requirements, taint, lowDiversityReason, ...common } = args;
        this.instanceTypes = diverse(
            name,
            lowDiversityReason,
            requirements
                ? chooseInstanceTypes(name, { zones: args.zones, ...requirements, spot: true }, { parent: this })
                : pulumi.output(args.instanceTypes ?? []),
        );
        const group = new NodeGroup(
            name,
            {
                ...common,
                instanceTypes: this.instanceTypes,
                architecture: requirements?.architecture ?? args.architecture,
                capacityType: CapacityType.Spot,
                labels: { ...args.labels, ...spotLabel },
                taints: [
                    ...(args.taints ?? []),
                    ...(taint ? [{ key: "lifecycle", value: "spot", effect: TaintEffect.NoSchedule }] : []),
                ],
            },
            { parent: this },
        );
        this.groupNames = group.groupNames;
        this.autoScalingGroupNames = group.autoScalingGroupNames;
        this.labels = group.labels;
        this.registerOutputs({
            groupNames: this.groupNames,
            autoScalingGroupNames: this.autoScalingGroupNames,
            instanceTypes: this.instanceTypes,
            labels: this.labels,
        });
    }
}

function diversityProblems(types: number): Problem[] {
    return types >= fewestTypes
        ? []
        : [
              {
                  path: "instanceTypes",
                  message: `${types} type(s) of spot capacity can go all at once; give ${fewestTypes} of one size, or a lowDiversityReason.`,
              },
          ];
}

/** Judges in the preview what was chosen or not plain. */
function diverse(name: string, reason: string | undefined, types: pulumi.Output<string[]>): pulumi.Output<string[]> {
    return types.apply((known) => {
        const problems = reason === undefined ? diversityProblems(known.length) : [];
        if (problems.length > 0) {
            throw new InvalidArgumentsError(`SpotNodeGroup "${name}"`, problems);
        }
        return known;
    });
}
