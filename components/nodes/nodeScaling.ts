import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "../shared/check";
import { keysOf } from "../shared/shape";

/** How many nodes a group has. */
export interface NodeScaling {
    /** The fewest nodes. Zero is possible: Cluster Autoscaler starts from none. */
    min: number;
    /** The most nodes. */
    max: number;
    /**
     * How many nodes to start with. Later an autoscaler decides, and this is not looked at again; raise `min` to have more at once.
     * @default min
     */
    desired?: number;
}

/** The tag by which a group is found again at AWS, whatever random name it has. */
export const groupTag = "airflow-eks/node-group";

/** The shape of {@link NodeScaling}. */
export const scalingShape = keysOf<NodeScaling>({ min: "integer", max: "integer", desired: "integer" });

/** What is wrong with a scaling. */
export function scalingProblems(path: string, scaling: NodeScaling | undefined): Problem[] {
    if (scaling === undefined) {
        return [{ path, message: "is missing; give min and max." }];
    }
    const { min, max, desired } = scaling;
    const problems = (["min", "max"] as const)
        .filter((key) => scaling[key] === undefined)
        .map((key): Problem => ({ path: `${path}.${key}`, message: "is missing." }));
    for (const [key, value] of Object.entries({ min, max, desired })) {
        if (value !== undefined && (!Number.isInteger(value) || value < 0)) {
            problems.push({ path: `${path}.${key}`, message: `${value} is no number of nodes.` });
        }
    }
    if (max < 1) {
        problems.push({
            path: `${path}.max`,
            message: "a group that can have no node serves nobody; give at least 1.",
        });
    }
    if (min > max) {
        problems.push({ path: `${path}.min`, message: `min ${min} is above max ${max}.` });
    } else if (desired !== undefined && (desired < min || desired > max)) {
        problems.push({ path: `${path}.desired`, message: `desired ${desired} is outside min ${min} and max ${max}.` });
    }
    return problems;
}

/** A scaling as it stands at AWS. */
export interface CurrentScaling {
    min: number;
    max: number;
    desired: number;
}

/**
 * The scaling of a group that is there; undefined before it was made. A look-up for values only: whether the group exists is up
 * to the program.
 */
export async function currentScaling(
    clusterName: string,
    groupName: string,
    parent: pulumi.Resource,
): Promise<CurrentScaling | undefined> {
    const { names } = await aws.eks.getNodeGroups({ clusterName }, { parent });
    for (const nodeGroupName of names.filter((name) => name.startsWith(groupName))) {
        const group = await aws.eks.getNodeGroup({ clusterName, nodeGroupName }, { parent }).catch(() => undefined);
        const scaling = group?.scalingConfigs?.[0];
        if (scaling && group?.tags?.[groupTag] === groupName) {
            return { min: scaling.minSize, max: scaling.maxSize, desired: scaling.desiredSize };
        }
    }
    return undefined;
}

/** How many nodes to ask AWS for, which refuses a number outside min and max. */
export function desiredSize(wanted: NodeScaling, current: CurrentScaling | undefined): number {
    const size = current?.desired ?? wanted.desired ?? wanted.min;
    return Math.min(Math.max(size, wanted.min), wanted.max);
}

/**
 * The scaling of a node group whose size an autoscaler decides, and the options that leave it to the autoscaler.
 *
 * AWS takes min, max and desired only together, so none of the simple ways works. To ignore changes of the desired size would send
 * the size of the first deployment with the next change of min or max: back to two nodes, or refused for being below the new
 * min. Not to ignore them would undo the autoscaler after every refresh. So they are ignored as long as min and max stand at AWS as
 * wanted; when they do not, this deployment changes them, and sends with them the size that the group has at that time.
 */
export function autoscaledSize(
    clusterName: pulumi.Input<string>,
    groupName: string,
    wanted: NodeScaling,
    parent: pulumi.Resource,
): {
    scalingConfig: pulumi.Output<{ minSize: number; maxSize: number; desiredSize: number }>;
    opts: pulumi.CustomResourceOptions;
} {
    const current = pulumi.output(clusterName).apply((name) => currentScaling(name, groupName, parent));
    const scalingConfig = current.apply((there) => ({
        minSize: wanted.min,
        maxSize: wanted.max,
        desiredSize: desiredSize(wanted, there),
    }));
    const ignoreChanges = ["scalingConfig.desiredSize"];
    // Options are plain, what AWS says is not: only a transform can still choose them then. Pulumi's mocks take no transforms.
    const takesTransforms = "registerStackTransform" in (pulumi.runtime.getMonitor() ?? {});
    if (!takesTransforms) {
        return { scalingConfig, opts: { ignoreChanges } };
    }
    const settled = new Promise<boolean>((resolve, reject) => {
        current.apply((there) =>
            resolve(there === undefined || (there.min === wanted.min && there.max === wanted.max)),
        );
        (current as unknown as { promise(): Promise<unknown> }).promise().catch(reject);
    });
    const transform: pulumi.ResourceTransform = async ({ props, opts }) => {
        // Before the cluster is there its name is unknown: then the group is created, and nothing is to be ignored.
        if (
            pulumi.containsUnknowns(props.clusterName) ||
            pulumi.Output.isInstance(props.clusterName) ||
            !(await settled)
        ) {
            return undefined;
        }
        return { props, opts: { ...opts, ignoreChanges: [...(opts.ignoreChanges ?? []), ...ignoreChanges] } };
    };
    return { scalingConfig, opts: { transforms: [transform] } };
}
