import type { Made } from "./helpers";

export const WORLD = "0.0.0.0/0";

export const group = (...ingress: unknown[]): Made => ({
    type: "aws:ec2/securityGroup:SecurityGroup",
    name: "group",
    props: { ingress },
});
export const classic = (props: Record<string, unknown>): Made => ({
    type: "aws:ec2/securityGroupRule:SecurityGroupRule",
    props: { type: "ingress", securityGroupId: "sg-1", protocol: "tcp", fromPort: 2049, toPort: 2049, ...props },
});
export const modern = (props: Record<string, unknown>): Made => ({
    type: "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
    props: { securityGroupId: "sg-1", ipProtocol: "tcp", fromPort: 2049, toPort: 2049, ...props },
});
export const open = (props: Record<string, unknown> = {}): Record<string, unknown> => ({
    protocol: "tcp",
    fromPort: 2049,
    toPort: 2049,
    cidrBlocks: [WORLD],
    ...props,
});
