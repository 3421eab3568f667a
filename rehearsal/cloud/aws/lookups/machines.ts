import type { Properties, SimulatedInvoke } from "../../shell/type";
import { list, record, text, texts } from "../../shell/values";
import type { World } from "../../shell/world";
import { INSTANCE_TYPES, offeredIn, spotPrice, type InstanceType } from "../catalogue/instanceTypes";
import { refuse } from "../checks";
import { like } from "../iam/document";
import { zoneId, zonesOf } from "../places";

// EC2 API Reference, DescribeInstanceTypes: filters, as far as the catalogue can answer them.
const FILTERS: Record<string, (type: InstanceType) => unknown> = {
    "instance-type": ({ name }) => name,
    "vcpu-info.default-vcpus": ({ vcpus }) => vcpus,
    "memory-info.size-in-mib": ({ memoryGiB }) => Math.round(memoryGiB * 1024),
    "processor-info.supported-architecture": ({ architecture }) => architecture,
    "current-generation": ({ name }) => !/^(t2|m4)\./.test(name),
    "burstable-performance-supported": ({ burstable }) => burstable,
    "instance-storage-supported": ({ instanceStoreGB }) => instanceStoreGB > 0,
    "instance-storage-info.total-size-in-gb": ({ instanceStoreGB }) => instanceStoreGB,
    "bare-metal": () => false,
    hypervisor: ({ nitro }) => (nitro ? "nitro" : "xen"),
    "supported-usage-class": () => "on-demand,spot",
    "network-info.ipv4-addresses-per-interface": ({ addresses }) => addresses,
    "network-info.maximum-network-interfaces": ({ interfaces }) => interfaces,
    "ebs-info.ebs-optimized-support": ({ nitro }) => (nitro ? "default" : "supported"),
};

function chosen(args: Properties): InstanceType[] {
    return [...INSTANCE_TYPES.values()].filter((type) =>
        list(args.filters)
            .map(record)
            .every(({ name, values }) => {
                const read = FILTERS[String(name)];
                if (!read) return refuse("InvalidParameterValue", `The filter '${String(name)}' is invalid`);
                return String(read(type))
                    .split(",")
                    .some((value) => texts(values).some((wanted) => like(wanted, value, false)));
            }),
    );
}

function offerings(args: Properties, world: World): { instanceType: string; location: string }[] {
    const locationType = text(args.locationType) ?? "region";
    const zones = zonesOf(world.region);
    const places =
        locationType === "region"
            ? [world.region]
            : locationType === "availability-zone-id"
              ? zones.map(zoneId)
              : zones;
    const wanted = (key: string) =>
        list(args.filters)
            .map(record)
            .filter(({ name }) => name === key)
            .flatMap(({ values }) => texts(values));
    const [types, locations] = [wanted("instance-type"), wanted("location")];
    return [...INSTANCE_TYPES.values()].flatMap((type) =>
        places
            .filter((_, index) => locationType === "region" || offeredIn(type, zones[index]))
            .filter((place) => locations.length === 0 || locations.some((one) => like(one, place, false)))
            .filter(() => types.length === 0 || types.some((one) => like(one, type.name, false)))
            .map((location) => ({ instanceType: type.name, location })),
    );
}

function describe(type: InstanceType, world: World): Properties {
    return {
        id: type.name,
        instanceType: type.name,
        region: world.region,
        defaultVcpus: type.vcpus,
        defaultCores: Math.max(1, type.architecture === "arm64" ? type.vcpus : type.vcpus / 2),
        defaultThreadsPerCore: type.architecture === "arm64" ? 1 : 2,
        memorySize: Math.round(type.memoryGiB * 1024),
        supportedArchitectures: [type.architecture],
        burstablePerformanceSupported: type.burstable,
        currentGeneration: !/^(t2|m4)\./.test(type.name),
        bareMetal: false,
        hypervisor: type.nitro ? "nitro" : "xen",
        instanceStorageSupported: type.instanceStoreGB > 0,
        totalInstanceStorage: type.instanceStoreGB,
        instanceDisks: type.instanceStoreGB > 0 ? [{ count: 1, size: type.instanceStoreGB, type: "ssd" }] : [],
        maximumNetworkInterfaces: type.interfaces,
        maximumIpv4AddressesPerInterface: type.addresses,
        maximumIpv6AddressesPerInterface: type.addresses,
        maximumNetworkCards: 1,
        gpuses: type.gpus > 0 ? [{ count: type.gpus, manufacturer: "NVIDIA", memorySize: 16384, name: "GPU" }] : [],
        ebsOptimizedSupport: "default",
        ebsEncryptionSupport: "supported",
        ebsNvmeSupport: type.nitro ? "required" : "unsupported",
        enaSupport: type.nitro ? "required" : "unsupported",
        supportedUsagesClasses: ["on-demand", "spot"],
        supportedRootDeviceTypes: ["ebs"],
        supportedVirtualizationTypes: ["hvm"],
        networkPerformance: "Up to 10 Gigabit",
        freeTierEligible: /^t[23]\.micro$/.test(type.name),
    };
}

export const machineLookups: SimulatedInvoke[] = [
    {
        token: "aws:ec2/getInstanceTypes:getInstanceTypes",
        invoke: (args, world) => ({
            id: world.region,
            region: world.region,
            instanceTypes: chosen(args).map(({ name }) => name),
        }),
    },
    {
        token: "aws:ec2/getInstanceType:getInstanceType",
        invoke: (args, world) => {
            const type = INSTANCE_TYPES.get(String(args.instanceType));
            if (!type)
                return refuse(
                    "InvalidInstanceType",
                    `The following supplied instance types do not exist: [${String(args.instanceType)}]`,
                );
            return describe(type, world);
        },
    },
    {
        token: "aws:ec2/getInstanceTypeOfferings:getInstanceTypeOfferings",
        invoke: (args, world) => {
            const found = offerings(args, world);
            return {
                id: world.region,
                region: world.region,
                locationType: args.locationType,
                instanceTypes: found.map(({ instanceType }) => instanceType),
                locations: found.map(({ location }) => location),
                locationTypes: found.map(() => text(args.locationType) ?? "region"),
            };
        },
    },
    {
        token: "aws:ec2/getInstanceTypeOffering:getInstanceTypeOffering",
        invoke: (args, world) => {
            const found = offerings(args, world);
            const preferred = texts(args.preferredInstanceTypes).find((name) =>
                found.some(({ instanceType }) => instanceType === name),
            );
            const one = found.find(({ instanceType }) => instanceType === preferred) ?? found[0];
            if (!one) throw new Error("no EC2 Instance Type Offerings found matching criteria; try different search");
            return {
                id: one.instanceType,
                region: world.region,
                ...one,
                locationType: text(args.locationType) ?? "region",
            };
        },
    },
    {
        token: "aws:ec2/getSpotPrice:getSpotPrice",
        invoke: (args, world) => {
            const filter = (key: string) =>
                texts(
                    list(args.filters)
                        .map(record)
                        .find(({ name }) => name === key)?.values,
                )[0];
            const name = text(args.instanceType) ?? filter("instance-type");
            const zone = text(args.availabilityZone) ?? filter("availability-zone") ?? zonesOf(world.region)[0];
            const type = INSTANCE_TYPES.get(name ?? "");
            if (!type || !zonesOf(world.region).includes(zone) || !offeredIn(type, zone)) {
                throw new Error(`no EC2 Spot Price History found for ${name ?? "any type"} in ${zone}`);
            }
            return {
                id: world.region,
                region: world.region,
                instanceType: args.instanceType,
                availabilityZone: args.availabilityZone,
                spotPrice: spotPrice(type, zone).toFixed(6),
                spotPriceTimestamp: "2026-01-01T00:00:00Z",
            };
        },
    },
    {
        token: "aws:ec2/getAmi:getAmi",
        invoke: (args, world) => {
            const arm = JSON.stringify(args.filters ?? []).includes("arm64");
            return {
                id: arm ? "ami-0a1b2c3d4e5f60002" : "ami-0a1b2c3d4e5f60001",
                imageId: arm ? "ami-0a1b2c3d4e5f60002" : "ami-0a1b2c3d4e5f60001",
                architecture: arm ? "arm64" : "x86_64",
                name: "amazon-eks-node-al2023",
                ownerId: "602401143452",
                rootDeviceName: "/dev/xvda",
                region: world.region,
                owners: args.owners,
            };
        },
    },
    {
        token: "aws:ssm/getParameter:getParameter",
        invoke: (args, world) => {
            const name = String(args.name);
            const own = world.find("aws:ssm/parameter:Parameter", ({ inputs }) => inputs.name === name);
            if (!own && !name.startsWith("/aws/service/"))
                return refuse("ParameterNotFound", `couldn't find resource: ${name}`);
            const value = own
                ? String(own.inputs.value)
                : /arm64/.test(name)
                  ? "ami-0a1b2c3d4e5f60002"
                  : /image_id/.test(name)
                    ? "ami-0a1b2c3d4e5f60001"
                    : "1.36.0-20260710";
            return {
                id: name,
                name,
                arn: `arn:aws:ssm:${world.region}::parameter${name}`,
                region: world.region,
                type: "String",
                value,
                insecureValue: value,
                version: 1,
            };
        },
    },
];
