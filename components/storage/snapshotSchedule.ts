import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { type Problem, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { managedPolicyArn, policyJson } from "../shared/iamPolicy";
import { keysOf, mapOf, type ShapesOf } from "../shared/shape";
import { rangeProblems } from "./choices";

/** Arguments of {@link SnapshotSchedule}. */
export interface SnapshotScheduleArgs {
    /**
     * The volumes that are copied: those with any of these tags. Give a StorageClass `tags` of its own to choose its volumes, or
     * name the tag that the driver gives: `kubernetes.io/created-for/pvc/namespace: airflow`. Two schedules must not share one.
     */
    volumeTags: Record<string, string>;
    /** The hours between two copies: 1, 2, 3, 4, 6, 8, 12 or 24. @default 24 */
    everyHours?: number;
    /** The time of the first copy of the day, `hh:mm` in UTC. @default 03:00 */
    startTime?: string;
    /** How many copies of each volume are kept, 1 to 1000. @default 7 */
    keep?: number;
    /** Whether copies are being made. What there is stays. @default true */
    enabled?: boolean;
    /** Tags of the schedule, its role and the copies. @default none */
    tags?: Record<string, string>;
}

const shapes: ShapesOf<SnapshotScheduleArgs> = {
    volumeTags: mapOf("string"),
    everyHours: "integer",
    startTime: "string",
    keep: "integer",
    enabled: "boolean",
    tags: mapOf("string"),
};

/** The intervals that the Data Lifecycle Manager knows. */
const HOURS = [1, 2, 3, 4, 6, 8, 12, 24];

/** What is wrong with the arguments of a {@link SnapshotSchedule}. */
export function checkSnapshotScheduleArgs(args: SnapshotScheduleArgs): Problem[] {
    return fittingProblems(args, keysOf(shapes), (fitting) => {
        const problems = rangeProblems("keep", fitting.keep, 1, 1000);
        const tags = Object.keys(fitting.volumeTags ?? {});
        if (tags.length === 0 || tags.length > 50) {
            problems.push({ path: "volumeTags", message: `${tags.length} tags; name 1 to 50 that choose the volumes` });
        }
        if (fitting.everyHours !== undefined && !HOURS.includes(fitting.everyHours)) {
            problems.push({ path: "everyHours", message: `${fitting.everyHours} is not one of ${HOURS.join(", ")}` });
        }
        if (fitting.startTime !== undefined && !/^([01]\d|2[0-3]):[0-5]\d$/.test(fitting.startTime)) {
            problems.push({ path: "startTime", message: `"${fitting.startTime}" is no time of day, such as "03:00"` });
        }
        return problems;
    });
}

/**
 * Copies of EBS volumes every few hours, of which the newest are kept.
 *
 * It uses the Data Lifecycle Manager of AWS rather than a CronJob that makes VolumeSnapshots: copies go on, and can be had, when
 * the cluster is broken or gone; AWS deletes the old ones; and there is no image, role and script to maintain. The price: a copy becomes a
 * VolumeSnapshot with an {@link ImportedSnapshot}. Copies outlive the schedule.
 *
 * Creates a policy of the Data Lifecycle Manager and its role.
 */
export class SnapshotSchedule extends pulumi.ComponentResource {
    /** The ARN of the policy. */
    readonly policyArn: pulumi.Output<string>;

    constructor(name: string, args: SnapshotScheduleArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("SnapshotSchedule", name, checkSnapshotScheduleArgs(args));
        super("airflow-eks:index:SnapshotSchedule", name, {}, opts);
        const role = new aws.iam.Role(
            name,
            {
                description: `Snapshots of the schedule ${name}`,
                assumeRolePolicy: policyJson({
                    Action: "sts:AssumeRole",
                    Principal: { Service: "dlm.amazonaws.com" },
                }),
                tags: args.tags,
            },
            { parent: this },
        );
        const attached = new aws.iam.RolePolicyAttachment(
            name,
            {
                role: role.name,
                policyArn: managedPolicyArn(
                    aws.getPartitionOutput({}, { parent: this }).partition,
                    "service-role/AWSDataLifecycleManagerServiceRole",
                ),
            },
            { parent: this },
        );
        const everyHours = args.everyHours ?? 24;
        const policy = new aws.dlm.LifecyclePolicy(
            name,
            {
                // The Data Lifecycle Manager takes letters, digits, spaces, "_" and "-".
                description: `Snapshots of volumes by ${name.replace(/[^\w-]/g, "-")}`,
                executionRoleArn: role.arn,
                state: (args.enabled ?? true) ? "ENABLED" : "DISABLED",
                policyDetails: {
                    resourceTypes: ["VOLUME"],
                    targetTags: args.volumeTags,
                    schedules: [
                        {
                            name: `every ${everyHours} hours`,
                            // With the driver's tags, without which its policy could not restore the copy.
                            copyTags: true,
                            tagsToAdd: args.tags,
                            createRule: {
                                interval: everyHours,
                                intervalUnit: "HOURS",
                                times: args.startTime ?? "03:00",
                            },
                            retainRule: { count: args.keep ?? 7 },
                        },
                    ],
                },
                tags: args.tags,
            },
            { parent: this, dependsOn: [attached] },
        );
        this.policyArn = policy.arn;
        this.registerOutputs({ policyArn: this.policyArn });
    }
}
