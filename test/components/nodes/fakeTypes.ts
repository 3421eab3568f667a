import type { Loose } from "../mocks";

/** A few instance types as `DescribeInstanceTypes` tells of them, for tests with mocks. */
const types: Record<
    string,
    {
        vcpus: number;
        gib: number;
        arm?: boolean;
        disk?: boolean;
        old?: boolean;
        gpus?: number;
        spot?: boolean;
        price?: number;
    }
> = {
    "c4.large": { vcpus: 2, gib: 3.75, old: true, price: 0.03 },
    "c5.large": { vcpus: 2, gib: 4, price: 0.04574 },
    "c5a.large": { vcpus: 2, gib: 4, price: 0.02859 },
    "c5d.large": { vcpus: 2, gib: 4, disk: true, price: 0.03266 },
    "c5.xlarge": { vcpus: 4, gib: 8, price: 0.08 },
    "c6g.large": { vcpus: 2, gib: 4, arm: true, price: 0.02 },
    "c6i.large": { vcpus: 2, gib: 4, price: 0.04011 },
    "c7x.large": { vcpus: 2, gib: 4 },
    "g4dn.xlarge": { vcpus: 4, gib: 16, gpus: 1, disk: true, price: 0.2 },
    "m5.large": { vcpus: 2, gib: 8, price: 0.04 },
    "nospot.large": { vcpus: 2, gib: 4, spot: false },
    "t3.large": { vcpus: 2, gib: 8, price: 0.03 },
    "t3.medium": { vcpus: 2, gib: 4, price: 0.015 },
    "t4g.medium": { vcpus: 2, gib: 4, arm: true, price: 0.012 },
};

/** Answers to look-ups of instance types. */
export const instanceTypeCalls: Record<string, (inputs: Loose) => Loose> = {
    // AWS would filter; that the code judges by details too is seen by not doing so here.
    "aws:ec2/getInstanceTypes:getInstanceTypes": () => ({ instanceTypes: Object.keys(types) }),
    "aws:ec2/getInstanceType:getInstanceType": ({ instanceType }) => {
        const type = types[instanceType];
        if (!type) {
            throw new Error(`no matching EC2 Instance Type found: ${instanceType}`);
        }
        return {
            instanceType,
            defaultVcpus: type.vcpus,
            memorySize: type.gib * 1024,
            supportedArchitectures: [type.arm ? "arm64" : "x86_64"],
            instanceStorageSupported: type.disk ?? false,
            currentGeneration: !type.old,
            supportedUsagesClasses: type.spot === false ? ["on-demand"] : ["on-demand", "spot"],
            gpuses: type.gpus ? [{ count: type.gpus }] : [],
            maximumNetworkInterfaces: 3,
            maximumIpv4AddressesPerInterface: 10,
        };
    },
    "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings": ({ filters }) => ({
        instanceTypes: Object.keys(types).filter(
            (type) => filters[0].values[0] !== "eu-west-1c" || type !== "c5a.large",
        ),
    }),
    "aws:ec2/getSpotPrice:getSpotPrice": ({ instanceType, availabilityZone }) => {
        const price = types[instanceType]?.price;
        if (!price) {
            throw new Error("no matching EC2 Spot Price found");
        }
        return { spotPrice: (availabilityZone === "eu-west-1a" ? price : price * 1.5).toFixed(6) };
    },
    "aws:eks/getNodeGroups:getNodeGroups": () => ({ names: [] }),
};
