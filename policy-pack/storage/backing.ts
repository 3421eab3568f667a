import { isUnknown } from "../plain";
import type { Resource, Stack } from "../rule";
import type { StorageClass, VolumeSource } from "./model";
import { anyCase, type Text } from "./values";

export const efsDriver = "efs.csi.aws.com";
export const ebsDrivers = ["ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com"] as const;
export const inTreeEbs = "kubernetes.io/aws-ebs";

/** The names under which the driver's predecessor (plain NFS, no TLS) was installed. */
const oldEfsProvisioners = ["example.com/aws-efs", "openshift.org/aws-efs", "kubernetes.io/aws-efs", "aws-efs"];

/** What a volume really is. */
export type Backing =
    | { type: "efs" | "ebs" | "in-tree-ebs" | "s3files" | "unknown" }
    | { type: "other"; name: string }
    /** Volumes of this class are made by hand. */
    | { type: "static" };

/** Whether volumes of this provisioner are EBS volumes, by whatever driver. */
export function isEbsProvisioner(provisioner: Text): boolean {
    return (
        typeof provisioner === "string" &&
        (provisioner === inTreeEbs || (ebsDrivers as readonly string[]).includes(provisioner))
    );
}

export function backingOfClass({ provisioner, parameters }: Pick<StorageClass, "provisioner" | "parameters">): Backing {
    if (provisioner === undefined || isUnknown(provisioner)) {
        return { type: "unknown" };
    }
    if (provisioner === efsDriver) {
        const mode = anyCase(parameters, "provisioningMode")[0]?.value;
        return typeof mode === "string" && mode.toLowerCase().startsWith("s3files")
            ? { type: "s3files" }
            : { type: "efs" };
    }
    if (provisioner === "nfs.csi.k8s.io") {
        const server = anyCase(parameters, "server")[0]?.value;
        return isUnknown(server)
            ? { type: "unknown" }
            : isEfsAddress(server)
              ? { type: "efs" }
              : { type: "other", name: provisioner };
    }
    return backingOfProvisioner(provisioner);
}

/** What a provisioner makes when nothing else is known of its class. */
export function backingOfProvisioner(provisioner: string): Backing {
    if (provisioner === efsDriver || oldEfsProvisioners.includes(provisioner)) {
        return { type: "efs" };
    }
    if (provisioner === inTreeEbs) {
        return { type: "in-tree-ebs" };
    }
    if (isEbsProvisioner(provisioner)) {
        return { type: "ebs" };
    }
    return provisioner === "kubernetes.io/no-provisioner" ? { type: "static" } : { type: "other", name: provisioner };
}

export function backingOfSource(source: VolumeSource, isEfs: (server: Text) => boolean | undefined): Backing {
    switch (source.type) {
        case "csi":
            return csiBacking(source);
        case "awsElasticBlockStore":
            return { type: "in-tree-ebs" };
        case "nfs": {
            const efs = isEfs(source.server);
            return efs === undefined ? { type: "unknown" } : efs ? { type: "efs" } : { type: "other", name: "nfs" };
        }
        case "other":
            return { type: "other", name: source.other ?? "another volume" };
        default:
            return { type: "unknown" };
    }
}

function csiBacking({ driver, handle, attributes }: VolumeSource): Backing {
    if (driver === undefined || isUnknown(driver)) {
        return { type: "unknown" };
    }
    if (driver === efsDriver && typeof handle === "string" && handle.startsWith("s3files:")) {
        return { type: "s3files" };
    }
    if (driver === "nfs.csi.k8s.io") {
        return backingOfClass({ provisioner: driver, parameters: attributes });
    }
    return backingOfProvisioner(driver);
}

/** Whether a server's name is that of an EFS file system, as a whole or in one zone; its id may still be to be filled in. */
export function isEfsAddress(server: unknown): boolean {
    return (
        typeof server === "string" &&
        /^([a-z0-9-]+\.)?[^.\s]+\.efs\.[^.\s]+\.amazonaws\.com(\.cn)?\.?$/i.test(server.trim())
    );
}

/** Whether an NFS server is EFS, also by its address or by where the value came from; undefined when nobody can know yet. */
export function isEfsServer(server: Text, resource: Resource, stack?: Stack): boolean | undefined {
    if (isEfsAddress(server)) {
        return true;
    }
    const sources = Object.values(resource.propertyDependencies ?? {}).flat();
    const fromEfs = sources.some((urn) => /::aws(-native)?:efs[/:]/.test(urn));
    if (isUnknown(server)) {
        return fromEfs ? true : undefined;
    }
    const targets = stack?.ofType("aws:efs/mountTarget:MountTarget") ?? [];
    return targets.some(({ props }) =>
        [props.ipAddress, props.dnsName, props.mountTargetDnsName].some((one) => one === server && one !== undefined),
    );
}
