import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { Problem } from "./check";
import { keepUntil } from "./guard";
import { choices, type ShapesOf } from "./shape";

/** What EKS does where fields of an add-on were changed by something else. */
export const AddonConflicts = {
    /** The change is lost. */
    Overwrite: "OVERWRITE",
    /** The change stays; EKS knows this for updates only. */
    Preserve: "PRESERVE",
    /** The add-on fails with a list of the conflicts. */
    None: "NONE",
} as const;
export type AddonConflicts = (typeof AddonConflicts)[keyof typeof AddonConflicts];

/** The choices that every component with a managed add-on offers. */
export interface ManagedAddonArgs {
    /**
     * The add-on's version, exactly as EKS names it: `v1.66.0-eksbuild.1`.
     * @default the newest for the cluster's version at the time, kept in the state from then on
     */
    version?: string;
    /** Any text, such as a date: changing it takes the version that is newest then. Without effect beside `version`. */
    versionAsOf?: string;
    /** What happens, when the add-on is made, to what differs. @default OVERWRITE */
    conflictsOnCreate?: AddonConflicts;
    /** What happens, when the add-on is updated, to what was changed by hand. @default PRESERVE */
    conflictsOnUpdate?: AddonConflicts;
}

/** The shapes of {@link ManagedAddonArgs}, for those of the component. */
export const managedAddonShapes: ShapesOf<ManagedAddonArgs> = {
    version: "string",
    versionAsOf: "string",
    conflictsOnCreate: choices(AddonConflicts),
    conflictsOnUpdate: choices(AddonConflicts),
};

/** The oldest version that a component works with. */
export interface VersionFloor {
    version: string;
    /** What older ones lack. */
    why: string;
}

/** What is wrong with {@link ManagedAddonArgs}. */
export function checkManagedAddonArgs(args: ManagedAddonArgs, floor?: VersionFloor): Problem[] {
    const problems: Problem[] = [];
    if (args.version !== undefined && !versionNumbers(args.version)) {
        problems.push({
            path: "version",
            message: `"${args.version}" is no version of an EKS add-on, such as v1.66.0-eksbuild.1`,
        });
    } else if (args.version !== undefined && floor && isOlder(args.version, floor.version)) {
        problems.push({ path: "version", message: `${args.version} is older than ${floor.version}: ${floor.why}` });
    }
    if ((args.conflictsOnCreate as AddonConflicts) === AddonConflicts.Preserve) {
        problems.push({
            path: "conflictsOnCreate",
            message: "PRESERVE exists for updates only: on creation take OVERWRITE or NONE",
        });
    }
    return problems;
}

/**
 * One managed add-on of EKS in a pinned version. Without a version of the user's, the newest one for the cluster is looked up
 * once and kept in the state until the cluster's Kubernetes version changes: a release upstream changes nothing by itself.
 */
export function managedAddon(
    parent: pulumi.Resource,
    name: string,
    spec: {
        addonName: string;
        clusterName: pulumi.Input<string>;
        kubernetesVersion: pulumi.Input<string>;
        args?: ManagedAddonArgs;
        /** What the newest version must not be older than. */
        floor?: VersionFloor;
        /** What the add-on's own schema takes; see `aws eks describe-addon-configuration`. */
        configuration?: pulumi.Input<Record<string, unknown>>;
        /** The role of its service account, for IRSA. */
        serviceAccountRoleArn?: pulumi.Input<string>;
        tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
    },
    opts: pulumi.CustomResourceOptions = {},
): aws.eks.Addon {
    const { args = {}, addonName } = spec;
    const addonVersion = args.version ?? newestKept(parent, name, spec);
    return new aws.eks.Addon(
        name,
        {
            addonName,
            addonVersion,
            clusterName: spec.clusterName,
            resolveConflictsOnCreate: args.conflictsOnCreate ?? AddonConflicts.Overwrite,
            resolveConflictsOnUpdate: args.conflictsOnUpdate ?? AddonConflicts.Preserve,
            configurationValues: spec.configuration && pulumi.jsonStringify(spec.configuration),
            serviceAccountRoleArn: spec.serviceAccountRoleArn,
            tags: spec.tags,
        },
        { parent, ...opts },
    );
}

function newestKept(
    parent: pulumi.Resource,
    name: string,
    spec: { addonName: string; kubernetesVersion: pulumi.Input<string>; args?: ManagedAddonArgs; floor?: VersionFloor },
): pulumi.Output<string> {
    const { addonName, kubernetesVersion, floor } = spec;
    const newest = aws.eks
        .getAddonVersionOutput({ addonName, kubernetesVersion, mostRecent: true }, { parent })
        .apply(({ version }) => {
            if (floor && isOlder(version, floor.version)) {
                throw new Error(
                    `"${name}": the newest ${addonName} for this cluster is ${version}, older than ${floor.version}: ${floor.why}.`,
                );
            }
            return version;
        });
    const asOf = spec.args?.versionAsOf;
    return keepUntil(
        parent,
        `${name}-version`,
        newest,
        asOf === undefined ? kubernetesVersion : pulumi.interpolate`${kubernetesVersion} as of ${asOf}`,
    );
}

function versionNumbers(version: string): number[] | undefined {
    const match = /^v(\d+)\.(\d+)\.(\d+)-eksbuild\.(\d+)$/.exec(version);
    return match?.slice(1).map(Number);
}

function isOlder(version: string, than: string): boolean {
    const [numbers, others] = [versionNumbers(version) ?? [], versionNumbers(than) ?? []];
    const differing = numbers.findIndex((part, index) => part !== others[index]);
    return differing >= 0 && numbers[differing] < (others[differing] ?? 0);
}
