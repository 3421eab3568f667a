import type { SimulatedInvoke } from "../../shell/type";
import { list, record, text, texts } from "../../shell/values";
import { refuse } from "../checks";
import { zoneId, zonesOf } from "../places";
import { callerArn } from "../types/cluster";
import { like } from "../iam/document";

export const placeLookups: SimulatedInvoke[] = [
    {
        token: "aws:index/getRegion:getRegion",
        invoke: (args, world) => {
            const region = text(args.region) ?? text(args.name) ?? world.region;
            return { id: region, name: region, region, description: region, endpoint: `ec2.${region}.amazonaws.com` };
        },
    },
    {
        token: "aws:index/getCallerIdentity:getCallerIdentity",
        invoke: (_, world) => ({
            id: world.accountId,
            accountId: world.accountId,
            arn: callerArn(world),
            userId: "AROAREHEARSAL",
        }),
    },
    {
        token: "aws:index/getPartition:getPartition",
        invoke: (_, { partition }) => {
            const dnsSuffix = partition === "aws-cn" ? "amazonaws.com.cn" : "amazonaws.com";
            return { id: partition, partition, dnsSuffix, reverseDnsPrefix: dnsSuffix.split(".").reverse().join(".") };
        },
    },
    {
        token: "aws:index/getAvailabilityZones:getAvailabilityZones",
        invoke: (args, world) => {
            const region = text(args.region) ?? world.region;
            const excluded = [...texts(args.excludeNames), ...texts(args.excludeZoneIds)];
            const names = zonesOf(region).filter(
                (zone) =>
                    !excluded.includes(zone) &&
                    !excluded.includes(zoneId(zone)) &&
                    list(args.filters)
                        .map(record)
                        .every(({ name, values }) => {
                            const value = {
                                "zone-name": zone,
                                "zone-id": zoneId(zone),
                                "region-name": region,
                                "opt-in-status": "opt-in-not-required",
                                state: "available",
                                "zone-type": "availability-zone",
                                "group-name": region,
                            }[String(name)];
                            return value !== undefined && texts(values).some((wanted) => like(wanted, value, false));
                        }),
            );
            return { id: region, region, names, zoneIds: names.map(zoneId), groupNames: [region], state: args.state };
        },
    },
    {
        token: "aws:index/getAvailabilityZone:getAvailabilityZone",
        invoke: (args, world) => {
            const zone = zonesOf(world.region).find((one) => one === args.name || zoneId(one) === args.zoneId);
            if (zone === undefined)
                return refuse(
                    "InvalidParameterValue",
                    `Invalid availability zone: [${String(args.name ?? args.zoneId)}]`,
                );
            return {
                id: zone,
                name: zone,
                zoneId: zoneId(zone),
                region: world.region,
                nameSuffix: zone.slice(-1),
                state: "available",
                optInStatus: "opt-in-not-required",
                groupName: world.region,
                zoneType: "availability-zone",
            };
        },
    },
    {
        token: "aws:index/getDefaultTags:getDefaultTags",
        invoke: (_, world) => ({ id: world.partition, tags: record(record(world.provider.defaultTags).tags) }),
    },
];
