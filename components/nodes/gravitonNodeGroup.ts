import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { plain, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import type { ShapesOf } from "../shared/shape";
import { choices, keysOf, listOf } from "../shared/shape";
import type { CommonNodeGroupArgs } from "./nodeGroup";
import { CapacityType, NodeGroup, commonNodeGroupShapes, judgeCommonNodeGroupArgs } from "./nodeGroup";
import { ownLabelProblems, typeNameProblems } from "./nodeProblems";
import { TaintEffect } from "./nodeTaint";
import { Architecture } from "./nodeTypes";

/** Arguments of {@link GravitonNodeGroup}. */
export interface GravitonNodeGroupArgs extends CommonNodeGroupArgs {
    /** The instance types, all arm64. @default t4g.medium */
    instanceTypes?: pulumi.Input<pulumi.Input<string>[]>;
    /** @default ON_DEMAND */
    capacityType?: CapacityType;
    /** Whether only pods that tolerate `family=graviton` land on the nodes, so that images without arm64 do not. @default false */
    taint?: boolean;
}

/** The label of Graviton nodes, and their taint where it is asked for. */
export const gravitonLabel = { family: "graviton" };

const shapes: ShapesOf<GravitonNodeGroupArgs> = {
    ...commonNodeGroupShapes,
    instanceTypes: listOf("string"),
    capacityType: choices(CapacityType),
    taint: "boolean",
};

/** What is wrong with the arguments of a {@link GravitonNodeGroup}. */
export function checkGravitonNodeGroupArgs(args: GravitonNodeGroupArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (sound) => [
        ...judgeCommonNodeGroupArgs(sound),
        ...ownLabelProblems(gravitonLabel, sound),
        ...typeNameProblems("instanceTypes", plain(sound.instanceTypes)),
    ]);
}

/**
 * Nodes with AWS's own arm64 processors, which do the same work for a fifth less, when images are built for arm64 too.
 *
 * The nodes carry the label `family: graviton`. Creates what a {@link NodeGroup} creates.
 */
export class GravitonNodeGroup extends pulumi.ComponentResource {
    /** The physical names of the groups, keyed by zone, or under `all` when one group spans the zones. */
    readonly groupNames: pulumi.Output<Record<string, string>>;
    /** The names of the Auto Scaling groups, with the same keys. */
    readonly autoScalingGroupNames: pulumi.Output<Record<string, string>>;
    /** The labels of the nodes, for selectors. */
    readonly labels: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: GravitonNodeGroupArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("GravitonNodeGroup", name, checkGravitonNodeGroupArgs(args));
        super("airflow-eks:index:GravitonNodeGroup", name, {}, opts);
        const { taint, ...common } = args;
        const group = new NodeGroup(
            name,
            {
                ...common,
                instanceTypes: args.instanceTypes ?? ["t4g.medium"],
                architecture: Architecture.Arm64,
                labels: { ...args.labels, ...gravitonLabel },
                taints: [
                    ...(args.taints ?? []),
                    ...(taint ? [{ key: "family", value: "graviton", effect: TaintEffect.NoSchedule }] : []),
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
            labels: this.labels,
        });
    }
}
