import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { type Problem, under } from "../shared/check";
import { isDnsSubdomain } from "../shared/kubernetesNames";
import { choices, keysOf, listOf, mapOf } from "../shared/shape";
import { rangeProblems, ReclaimPolicy, VolumeBinding } from "./choices";

/** The name under which the EFS driver registers. */
export const EFS_PROVISIONER = "efs.csi.aws.com";

/**
 * A StorageClass that gives each claim a directory and an access point of an EFS file system.
 *
 * The access point makes all pods act as one user, whatever they run as: `uid` and `gid`, or a number that the driver takes
 * from the range, the same for user and group. Sources: the driver's docs/parameters.md.
 */
export interface EfsClassSpec {
    /** The directory below which the claims' directories lie. @default / */
    basePath?: string;
    /**
     * The directory of a claim below `basePath`, of text and `${.PVC.name}`, `${.PVC.namespace}`, `${.PV.name}`.
     * @default /${.PV.name}
     */
    subPathPattern?: string;
    /** Appends a random id to the directory. Without it, a claim that is made anew finds its old files. @default true */
    ensureUniqueDirectory?: boolean;
    /** The permissions of a directory when it is made, in octal, for example `775`. @default 700 */
    directoryPerms?: string;
    /** The user that owns the directory and as which all pods act; needs `gid`. @default from the range */
    uid?: number;
    /** The group that owns the directory and as which all pods act; needs `uid`. */
    gid?: number;
    /** The first number that the driver takes for a claim's user and group; needs `gidRangeEnd`. @default 50000 */
    gidRangeStart?: number;
    /** The last such number. The driver uses at most 10,000 of the range. @default 7000000 */
    gidRangeEnd?: number;
    /** Claims of one name share an access point, also those of other namespaces and clusters. @default false */
    reuseAccessPoint?: boolean;
    /** Options of the NFS mount. TLS is on without one. @default none */
    mountOptions?: string[];
    /**
     * What happens to a claim's access point when the claim is deleted. Its files stay in either case, unless the driver
     * runs with `deleteAccessPointRootDir`; then `Delete` deletes them.
     * @default Retain
     */
    reclaimPolicy?: ReclaimPolicy;
    /** EFS is in all zones, so there is nothing to wait for. @default Immediate */
    bindingMode?: VolumeBinding;
}

/**
 * The class for Airflow's logs: Airflow's user (50000, group 0) may write, and a claim that is made anew finds the files of
 * the one before. Article 000 asks for `directoryPerms: 700` and a range from 1000; Airflow's image runs as 50000 with group
 * 0 and expects to see its own files.
 */
export const airflowEfsClass: EfsClassSpec = {
    basePath: "/prod_airflow",
    subPathPattern: "/${.PVC.namespace}/${.PVC.name}",
    ensureUniqueDirectory: false,
    directoryPerms: "775",
    uid: 50000,
    gid: 0,
};

/** The classes that a file system gets unless others are named. */
export const defaultEfsClasses: Record<string, EfsClassSpec> = { "efs-sc": airflowEfsClass };

/** The shape of EFS classes by their names. */
export const efsClassesShape = mapOf(
    keysOf<EfsClassSpec>({
        basePath: "string",
        subPathPattern: "string",
        ensureUniqueDirectory: "boolean",
        directoryPerms: "string",
        uid: "integer",
        gid: "integer",
        gidRangeStart: "integer",
        gidRangeEnd: "integer",
        reuseAccessPoint: "boolean",
        mountOptions: listOf("string"),
        reclaimPolicy: choices(ReclaimPolicy),
        bindingMode: choices(VolumeBinding),
    }),
);

/** Why there are no such settings in an EFS class. */
export const EFS_REASONS = {
    encrypted: "there is no such setting: a class does not encrypt, the file system does, always",
    isDefault:
        "there is no such setting: the cluster's default class is a block volume, see defaultClass of EbsCsiStack",
    fileSystemId: "there is no such setting here: the component fills in its own file system",
    provisioningMode: "there is no such setting: it is always efs-ap, the only mode for EFS",
};

/** What is wrong with the EFS classes of a component, by their names. */
export function efsClassesProblems(classes: Record<string, EfsClassSpec> = {}): Problem[] {
    return Object.entries(classes).flatMap(([name, spec]) => [
        ...classNameProblems(`classes.${name}`, name),
        ...under(`classes.${name}`, efsClassProblems(spec)),
    ]);
}

/** What is wrong with the name of a StorageClass. */
export function classNameProblems(path: string, name: string): Problem[] {
    return isDnsSubdomain(name)
        ? []
        : [{ path, message: `"${name}" is no name of a StorageClass: use a-z, 0-9, "-" and "."` }];
}

function efsClassProblems(spec: EfsClassSpec): Problem[] {
    return [
        ...pathProblems(spec),
        ...permissionProblems("directoryPerms", spec.directoryPerms),
        ...identityProblems(spec),
        ...mountOptionProblems(spec.mountOptions ?? []),
    ];
}

/** What is wrong with the permissions of a directory. */
export function permissionProblems(path: string, permissions: string | undefined): Problem[] {
    return permissions === undefined || /^0?[0-7]{3}$/.test(permissions)
        ? []
        : [
              {
                  path,
                  message: `${JSON.stringify(permissions)} are no permissions; give three octal digits, such as "775"`,
              },
          ];
}

/** What is wrong with a directory of a file system: what an access point takes for its root (EFS API Reference, RootDirectory). */
export function directoryProblems(path: string, directory: string | undefined): Problem[] {
    if (directory === undefined) {
        return [];
    }
    const parts = directory.split("/").slice(1);
    if (!directory.startsWith("/") || (directory !== "/" && parts.includes(""))) {
        return [
            { path, message: `"${directory}" is no path such as /logs/airflow: "/" at the beginning, none at the end` },
        ];
    }
    if (parts.some((part) => part.startsWith(".")) || /[$#<>;`|&?{}^*\n]/.test(directory)) {
        return [{ path, message: `"${directory}": EFS takes no name that begins with "." and none of $#<>;\`|&?{}^*` }];
    }
    const levels = directory === "/" ? 0 : parts.length;
    if (levels > 4 || directory.length > 100) {
        return [
            { path, message: `"${directory}" has ${levels} levels; an access point takes four, and 100 characters` },
        ];
    }
    return [];
}

function pathProblems({ basePath, subPathPattern }: EfsClassSpec): Problem[] {
    const problems = directoryProblems("basePath", basePath);
    if (subPathPattern === undefined) {
        return problems;
    }
    const fixed = subPathPattern.replace(/\$\{\.(PVC\.name|PVC\.namespace|PV\.name)\}/g, "x");
    if (/[${}]/.test(fixed)) {
        problems.push({
            path: "subPathPattern",
            message: `"${subPathPattern}" has a variable that the driver lacks; there are \${.PVC.name}, \${.PVC.namespace} and \${.PV.name}`,
        });
    }
    // The driver joins the two, and leaves out what is doubled.
    const whole = `${basePath === undefined || basePath === "/" ? "" : basePath}/${fixed.replace(/^\/|\/$/g, "")}`;
    if (problems.length === 0) {
        problems.push(...directoryProblems("subPathPattern", whole));
    }
    return problems;
}

function identityProblems({ uid, gid, gidRangeStart, gidRangeEnd }: EfsClassSpec): Problem[] {
    const problems = [
        ...rangeProblems("uid", uid, 0, 2 ** 32 - 1),
        ...rangeProblems("gid", gid, 0, 2 ** 32 - 1),
        ...rangeProblems("gidRangeStart", gidRangeStart, 1, 2 ** 31 - 1),
        ...rangeProblems("gidRangeEnd", gidRangeEnd, 1, 2 ** 31 - 1),
    ];
    if ((uid === undefined) !== (gid === undefined)) {
        const [there, missing] = uid === undefined ? ["gid", "uid"] : ["uid", "gid"];
        problems.push({ path: there, message: `needs ${missing} beside it: an access point enforces both or neither` });
    }
    if ((gidRangeStart === undefined) !== (gidRangeEnd === undefined)) {
        const [there, missing] =
            gidRangeStart === undefined ? ["gidRangeEnd", "gidRangeStart"] : ["gidRangeStart", "gidRangeEnd"];
        problems.push({ path: there, message: `needs ${missing} beside it: the driver takes both or neither` });
    } else if (gidRangeStart !== undefined && gidRangeEnd !== undefined && gidRangeEnd <= gidRangeStart) {
        problems.push({ path: "gidRangeEnd", message: `${gidRangeEnd} is not above gidRangeStart, ${gidRangeStart}` });
    }
    if (uid !== undefined && gid !== undefined && (gidRangeStart !== undefined || gidRangeEnd !== undefined)) {
        problems.push({
            path: gidRangeStart !== undefined ? "gidRangeStart" : "gidRangeEnd",
            message: "has no effect beside uid and gid; leave out one or the other",
        });
    }
    return problems;
}

function mountOptionProblems(options: string[]): Problem[] {
    const refused: [RegExp, string][] = [
        [/^crossaccount/, "the driver refuses it since 3.0; use CrossAccountClasses"],
        [/^accesspoint=/, "the driver mounts each claim's own access point"],
        [/^(notls|notlscheck)$/, "the file system refuses connections without TLS"],
        [/^$|[\s,]/, "give one option in each element"],
    ];
    return options.flatMap((option, index) =>
        refused
            .filter(([pattern]) => pattern.test(option))
            .map(([, why]) => ({ path: `mountOptions[${index}]`, message: `"${option}" cannot be used: ${why}` })),
    );
}

/** Makes the classes and gives their names, each usable once what the class depends on is there. */
export function efsClasses(
    parent: pulumi.Resource,
    name: string,
    classes: Record<string, EfsClassSpec>,
    parameters: Record<string, pulumi.Input<string>>,
    dependsOn: pulumi.Resource[],
): Record<string, pulumi.Output<string>> {
    return Object.fromEntries(
        Object.entries(classes).map(([className, spec]) => [
            className,
            efsClass(parent, `${name}-${className}`, className, spec, parameters, dependsOn).metadata.name,
        ]),
    );
}

function efsClass(
    parent: pulumi.Resource,
    name: string,
    className: string,
    spec: EfsClassSpec,
    parameters: Record<string, pulumi.Input<string>>,
    dependsOn: pulumi.Resource[],
): k8s.storage.v1.StorageClass {
    return new k8s.storage.v1.StorageClass(
        name,
        {
            metadata: { name: className },
            provisioner: EFS_PROVISIONER,
            parameters: { provisioningMode: "efs-ap", ...parameters, ...efsClassParameters(spec) },
            mountOptions: spec.mountOptions,
            reclaimPolicy: spec.reclaimPolicy ?? ReclaimPolicy.Retain,
            volumeBindingMode: spec.bindingMode ?? VolumeBinding.Immediate,
        },
        // Kubernetes changes no class, and two cannot have one name. Claims and volumes live on without it.
        { parent, dependsOn, deleteBeforeReplace: true },
    );
}

function efsClassParameters(spec: EfsClassSpec): Record<string, string> {
    const { basePath, subPathPattern, ensureUniqueDirectory, directoryPerms, reuseAccessPoint } = spec;
    const { uid, gid, gidRangeStart, gidRangeEnd } = spec;
    const all = {
        ...{ basePath, subPathPattern, ensureUniqueDirectory, directoryPerms: directoryPerms ?? "700" },
        ...{ uid, gid, gidRangeStart, gidRangeEnd, reuseAccessPoint },
    };
    return Object.fromEntries(
        Object.entries(all)
            .filter(([, value]) => value !== undefined)
            .map(([key, value]) => [key, String(value)]),
    );
}
