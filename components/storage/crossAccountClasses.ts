import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { namespaceProblems } from "../shared/kubernetesNames";
import { choices, keysOf, type ShapesOf } from "../shared/shape";
import type { CrossAccountAccess } from "./crossAccountFileSystem";
import { EFS_REASONS, efsClasses, efsClassesProblems, efsClassesShape, type EfsClassSpec } from "./efsStorageClass";

/** How nodes find the mount target of a file system of another account. */
export const CrossAccountMount = {
    /** The driver notes the address of each zone's mount target in the volume, and a node takes its own zone's. Driver 3.1 or newer. */
    ZoneAddresses: "ZoneAddresses",
    /**
     * Nodes ask the DNS of their VPC. It needs a Route 53 private zone `<zone id>.<fs id>.efs.<region>.amazonaws.com` for each zone, by its
     * id such as `euw1-az1`, with the address of the zone's mount target.
     */
    Dns: "Dns",
    /** All nodes use the mount target of one zone, see `mountZone`: when that zone fails, all fail. */
    OneAddress: "OneAddress",
} as const;
export type CrossAccountMount = (typeof CrossAccountMount)[keyof typeof CrossAccountMount];

/** Arguments of {@link CrossAccountClasses}. */
export interface CrossAccountClassesArgs {
    /** What {@link CrossAccountFileSystem} gave. */
    access: pulumi.Input<CrossAccountAccess>;
    /** The StorageClasses by name. */
    classes: Record<string, EfsClassSpec>;
    /** How nodes find the mount targets. @default ZoneAddresses */
    mount?: CrossAccountMount;
    /** The full name of the zone, in the file system's account, whose mount target all nodes use; with `OneAddress` only. */
    mountZone?: string;
    /** The namespace of the Secret, where the driver runs. @default kube-system */
    namespace?: string;
}

const shapes: ShapesOf<CrossAccountClassesArgs> = {
    access: "anything",
    classes: efsClassesShape,
    mount: choices(CrossAccountMount),
    mountZone: "string",
    namespace: "string",
};

/** What is wrong with the arguments of {@link CrossAccountClasses}. */
export function checkCrossAccountClassesArgs(args: CrossAccountClassesArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), judge, EFS_REASONS);
}

function judge(args: CrossAccountClassesArgs): Problem[] {
    const problems = [...efsClassesProblems(args.classes), ...namespaceProblems("namespace", args.namespace)];
    if (Object.keys(args.classes ?? {}).length === 0) {
        problems.push({ path: "classes", message: "name at least one class" });
    }
    if (args.mount === CrossAccountMount.OneAddress && args.mountZone === undefined) {
        problems.push({ path: "mountZone", message: "say whose mount target all nodes use" });
    }
    if (args.mount !== CrossAccountMount.OneAddress && args.mountZone !== undefined) {
        problems.push({ path: "mountZone", message: "has an effect with OneAddress only; leave it out" });
    }
    return problems;
}

/**
 * StorageClasses on a file system of another account, for a cluster whose {@link EfsCsiDriver} may assume the role there.
 *
 * Creates a Secret that tells the driver how, and a StorageClass for each name.
 */
export class CrossAccountClasses extends pulumi.ComponentResource {
    /** The names of the StorageClasses by name. */
    readonly classNames: pulumi.Output<Record<string, string>>;

    constructor(name: string, args: CrossAccountClassesArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("CrossAccountClasses", name, checkCrossAccountClassesArgs(args));
        super("airflow-eks:index:CrossAccountClasses", name, {}, opts);
        const namespace = args.namespace ?? "kube-system";
        const access = pulumi.output(args.access);
        const byDns = args.mount === CrossAccountMount.Dns;

        const secret = new k8s.core.v1.Secret(
            name,
            {
                metadata: { namespace },
                stringData: {
                    awsRoleArn: access.roleArn,
                    externalId: access.externalId,
                    ...(byDns ? { crossaccount: "true" } : {}),
                },
            },
            { parent: this },
        );
        const specs = Object.entries(args.classes).map(
            ([key, spec]) => [key, { ...spec, mountOptions: withIam(spec.mountOptions) }] as const,
        );
        const classes = efsClasses(
            this,
            name,
            Object.fromEntries(specs),
            {
                fileSystemId: pulumi.unsecret(access.fileSystemId),
                "csi.storage.k8s.io/provisioner-secret-name": secret.metadata.name,
                "csi.storage.k8s.io/provisioner-secret-namespace": namespace,
                ...(args.mountZone === undefined ? {} : { az: args.mountZone }),
            },
            [],
        );
        this.classNames = pulumi.all(classes).apply((names): Record<string, string> => names);
        this.registerOutputs({ classNames: this.classNames });
    }
}

/** The policy of the file system admits the other account as somebody, so the mount must say who it is. */
function withIam(options: string[] = []): string[] {
    return options.includes("iam") ? options : [...options, "iam"];
}
