import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import type { NetworkInfo } from "../cluster/networkInfo";

/** Who may open the NFS port of a file system. */
export const NfsClients = {
    /** The nodes: members of the security groups that they carry. */
    Nodes: "Nodes",
    /** Every address of the VPC's primary range, as article 000 does it. */
    Vpc: "Vpc",
} as const;
export type NfsClients = (typeof NfsClients)[keyof typeof NfsClients];

const NFS_PORT = 2049;

/** What a file system needs to be mounted. */
export interface MountTargets {
    securityGroupId: pulumi.Output<string>;
    /** The mount targets by zone. */
    byZone: Record<string, aws.efs.MountTarget>;
}

/** Makes one mount target for each zone, and the one security group that they carry. */
export function mountTargets(
    parent: pulumi.Resource,
    name: string,
    fileSystemId: pulumi.Input<string>,
    args: {
        network: pulumi.Output<NetworkInfo>;
        cluster: pulumi.Output<ClusterInfo>;
        zones: string[];
        clients: NfsClients;
        tags?: Record<string, pulumi.Input<string>>;
    },
): MountTargets {
    const group = new aws.ec2.SecurityGroup(
        `${name}-nfs`,
        {
            description: "NFS of a shared file system",
            vpcId: args.network.vpcId,
            // No egress: answers to what was admitted may leave, and mount targets ask nobody.
            ingress: [nfsRule(args.network, args.cluster, args.clients)],
            tags: args.tags,
        },
        { parent },
    );
    const byZone = Object.fromEntries(
        args.zones.map((zone) => [
            zone,
            new aws.efs.MountTarget(
                `${name}-${zone}`,
                { fileSystemId, subnetId: subnetOf(args.network, zone, name), securityGroups: [group.id] },
                // EFS takes one mount target in a zone.
                { parent, deleteBeforeReplace: true },
            ),
        ]),
    );
    return { securityGroupId: group.id, byZone };
}

function nfsRule(network: pulumi.Output<NetworkInfo>, cluster: pulumi.Output<ClusterInfo>, clients: NfsClients) {
    const port = { protocol: "tcp", fromPort: NFS_PORT, toPort: NFS_PORT };
    return clients === NfsClients.Vpc
        ? { ...port, description: "NFS from the VPC", cidrBlocks: [network.vpcCidr] }
        : { ...port, description: "NFS from the nodes", securityGroups: cluster.nodeSecurityGroupIds };
}

function subnetOf(network: pulumi.Output<NetworkInfo>, zone: string, name: string): pulumi.Output<string> {
    return network.privateSubnetIds.apply((subnets) => {
        if (!subnets[zone]) {
            throw new Error(
                `"${name}" wants a mount target in ${zone}, where the network has no private subnet; it has some in ` +
                    `${Object.keys(subnets).join(", ")}. Change zones.`,
            );
        }
        return subnets[zone];
    });
}

/** Says in the preview when nodes may run where nothing can be mounted. */
export function warnOfZonesWithoutMountTarget(
    parent: pulumi.Resource,
    name: string,
    cluster: pulumi.Output<ClusterInfo>,
    zones: string[],
): void {
    cluster.nodeSubnetIds.apply((subnets) => {
        const bare = Object.keys(subnets).filter((zone) => !zones.includes(zone));
        if (bare.length > 0) {
            void pulumi.log.warn(
                `"${name}" has no mount target in ${bare.join(", ")}, where nodes of the cluster can run: pods there cannot mount it.`,
                parent,
            );
        }
    });
}
