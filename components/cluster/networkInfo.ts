/**
 * Everything that components know about a network. {@link AirflowNetwork} (a new VPC) and {@link ExistingNetwork} (one that
 * is there) both give it.
 */
export interface NetworkInfo {
    /** The id of the VPC. */
    vpcId: string;
    /** The primary CIDR block of the VPC. */
    vpcCidr: string;
    /** One private subnet for each zone, keyed by the zone's full name, for example `eu-west-1a`. */
    privateSubnetIds: Record<string, string>;
    /** One public subnet for each zone, keyed likewise; empty where the network has none. */
    publicSubnetIds: Record<string, string>;
}
