import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { InvalidArgumentsError } from "../shared/check";

/**
 * The zones once AWS confirmed, in the preview, that the provider's account has them in the provider's region. What must not be made
 * in the wrong region takes its zones from here.
 */
export function availableZones(parent: pulumi.Resource, subject: string, zones: string[]): pulumi.Output<string[]> {
    const there = aws.getAvailabilityZonesOutput({ state: "available" }, { parent });
    return pulumi.all([there.names, there.region]).apply(([names, region]) => {
        const problems = zones
            .filter((zone) => !names.includes(zone))
            .map((zone) => ({
                path: "zones",
                message: `${zone} is not there for this account in the provider's region ${region}, which has ${names.join(", ")}.`,
            }));
        if (problems.length > 0) {
            throw new InvalidArgumentsError(subject, problems);
        }
        return zones;
    });
}
