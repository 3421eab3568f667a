import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { plain, type Problem, refuseProblems } from "../shared/check";
import { fittingProblems } from "../shared/fitting";
import { keysOf, listOf, mapOf } from "../shared/shape";

/** What of the database is watched. */
export interface DatabaseAlarms {
    /** The instance: the output `instanceIdentifier` of `AirflowMetastore`. */
    instanceIdentifier: pulumi.Input<string>;
    /** Below how many GiB of free storage. RDS grows by itself up to its limit, so this tells that the limit is near. @default 5 */
    freeStorageGiB?: number;
    /** Above how many connections. RDS takes about 112 for each GiB of memory; db.t4g.medium has 4. @default 350 */
    connections?: number;
    /** Above how many percent of the processor, for a quarter of an hour. @default 85 */
    cpuPercent?: number;
}

/** What of the file system is watched. */
export interface FileSystemAlarms {
    /** The file system of the logs. */
    fileSystemId: pulumi.Input<string>;
    /** Above how many percent of what its throughput mode allows, for a quarter of an hour. Elastic throughput has no such figure worth watching. @default 80 */
    throughputPercent?: number;
    /** Above how many percent of the operations that General Purpose takes. @default 90 */
    ioPercent?: number;
}

/** Arguments of {@link CloudWatchAlarms}. */
export interface CloudWatchAlarmsArgs {
    /** ARNs of what is told when an alarm goes off or ends: SNS topics. Without any the alarms are seen in the console only. @default none */
    actions?: pulumi.Input<string>[];
    /** Alarms of Airflow's database. @default none */
    database?: DatabaseAlarms;
    /** Alarms of the logs' file system. @default none */
    fileSystem?: FileSystemAlarms;
    /** Tags of the alarms. @default none */
    tags?: Record<string, pulumi.Input<string>>;
}

const shape = keysOf<CloudWatchAlarmsArgs>({
    actions: listOf("string"),
    database: keysOf<DatabaseAlarms>({
        instanceIdentifier: "string",
        freeStorageGiB: "number",
        connections: "integer",
        cpuPercent: "number",
    }),
    fileSystem: keysOf<FileSystemAlarms>({ fileSystemId: "string", throughputPercent: "number", ioPercent: "number" }),
    tags: mapOf("string"),
});

/** What is wrong with the arguments of {@link CloudWatchAlarms}. */
export function checkCloudWatchAlarmsArgs(args: CloudWatchAlarmsArgs): Problem[] {
    return fittingProblems(args, shape, (given) => {
        const problems: Problem[] = [];
        if (!given.database && !given.fileSystem) {
            problems.push({ path: "database", message: "nothing is watched: name a database or a file system" });
        }
        (given.actions ?? []).forEach((action, index) => {
            const arn = plain(action);
            if (arn !== undefined && !/^arn:aws[a-z-]*:[a-z0-9-]+:/.test(arn)) {
                problems.push({
                    path: `actions[${index}]`,
                    message: `"${arn}" is no ARN, such as that of an SNS topic`,
                });
            }
        });
        for (const [path, percent] of [
            ["database.cpuPercent", given.database?.cpuPercent],
            ["fileSystem.throughputPercent", given.fileSystem?.throughputPercent],
            ["fileSystem.ioPercent", given.fileSystem?.ioPercent],
        ] as const) {
            if (percent !== undefined && (percent <= 0 || percent > 100)) {
                problems.push({ path, message: `${percent} is no percentage above 0` });
            }
        }
        for (const key of ["freeStorageGiB", "connections"] as const) {
            const value = given.database?.[key];
            if (value !== undefined && value <= 0) {
                problems.push({ path: `database.${key}`, message: `${value} is not above 0` });
            }
        }
        return problems;
    });
}

/**
 * A few alarms of what stops Airflow without Airflow telling: a database whose disk or connections run out, a file system that
 * is asked for more than it gives. Creates three alarms for a database and two for a file system.
 */
export class CloudWatchAlarms extends pulumi.ComponentResource {
    /** The names of the alarms. */
    readonly alarmNames: pulumi.Output<string[]>;

    constructor(name: string, args: CloudWatchAlarmsArgs, opts?: pulumi.ComponentResourceOptions) {
        refuseProblems("CloudWatchAlarms", name, checkCloudWatchAlarmsArgs(args));
        super("airflow-eks:index:CloudWatchAlarms", name, {}, opts);
        const alarms = [
            ...(args.database ? databaseAlarms(this, name, args, args.database) : []),
            ...(args.fileSystem ? fileSystemAlarms(this, name, args, args.fileSystem) : []),
        ];
        this.alarmNames = pulumi.all(alarms.map((alarm) => alarm.name));
        this.registerOutputs({ alarmNames: this.alarmNames });
    }
}

interface AlarmSpec {
    description: string;
    namespace: string;
    metric: string;
    dimensions: Record<string, pulumi.Input<string>>;
    comparison: "LessThanThreshold" | "GreaterThanThreshold";
    threshold: number;
    /** How many periods of five minutes in a row. */
    periods: number;
}

function alarm(
    parent: pulumi.Resource,
    name: string,
    args: CloudWatchAlarmsArgs,
    spec: AlarmSpec,
): aws.cloudwatch.MetricAlarm {
    return new aws.cloudwatch.MetricAlarm(
        name,
        {
            alarmDescription: spec.description,
            namespace: spec.namespace,
            metricName: spec.metric,
            dimensions: spec.dimensions,
            statistic: "Average",
            period: 300,
            evaluationPeriods: spec.periods,
            comparisonOperator: spec.comparison,
            threshold: spec.threshold,
            // A database that is being made, or a file system that nobody uses, is no reason to wake anybody.
            treatMissingData: "notBreaching",
            alarmActions: args.actions ?? [],
            okActions: args.actions ?? [],
            tags: args.tags,
        },
        { parent },
    );
}

function databaseAlarms(
    parent: pulumi.Resource,
    name: string,
    args: CloudWatchAlarmsArgs,
    database: DatabaseAlarms,
): aws.cloudwatch.MetricAlarm[] {
    const common = { namespace: "AWS/RDS", dimensions: { DBInstanceIdentifier: database.instanceIdentifier } };
    const free = database.freeStorageGiB ?? 5;
    const connections = database.connections ?? 350;
    const cpu = database.cpuPercent ?? 85;
    return [
        alarm(parent, `${name}-database-storage`, args, {
            ...common,
            description: `Airflow's database has less than ${free} GiB of storage left: raise maxAllocatedStorage, or clean old runs (airflow db clean).`,
            metric: "FreeStorageSpace",
            comparison: "LessThanThreshold",
            threshold: free * 1024 ** 3,
            periods: 1,
        }),
        alarm(parent, `${name}-database-connections`, args, {
            ...common,
            description: `Airflow's database has more than ${connections} connections: lower PgBouncer's poolSize, or take a larger instance class.`,
            metric: "DatabaseConnections",
            comparison: "GreaterThanThreshold",
            threshold: connections,
            periods: 2,
        }),
        alarm(parent, `${name}-database-cpu`, args, {
            ...common,
            description: `Airflow's database has used more than ${cpu} % of its processor for 15 minutes: take a larger instance class.`,
            metric: "CPUUtilization",
            comparison: "GreaterThanThreshold",
            threshold: cpu,
            periods: 3,
        }),
    ];
}

function fileSystemAlarms(
    parent: pulumi.Resource,
    name: string,
    args: CloudWatchAlarmsArgs,
    files: FileSystemAlarms,
): aws.cloudwatch.MetricAlarm[] {
    const dimensions = { FileSystemId: files.fileSystemId };
    const throughput = files.throughputPercent ?? 80;
    const io = files.ioPercent ?? 90;
    return [
        new aws.cloudwatch.MetricAlarm(
            `${name}-files-throughput`,
            {
                alarmDescription: `The logs' file system has carried more than ${throughput} % of its throughput for 15 minutes: use elastic throughput.`,
                metricQueries: [
                    metric("carried", "MeteredIOBytes", "Sum", dimensions),
                    metric("permitted", "PermittedThroughput", "Average", dimensions),
                    {
                        id: "used",
                        label: "Used throughput in percent",
                        // Bytes of five minutes against bytes a second.
                        expression: "carried / 300 / permitted * 100",
                        returnData: true,
                    },
                ],
                comparisonOperator: "GreaterThanThreshold",
                threshold: throughput,
                evaluationPeriods: 3,
                treatMissingData: "notBreaching",
                alarmActions: args.actions ?? [],
                okActions: args.actions ?? [],
                tags: args.tags,
            },
            { parent },
        ),
        alarm(parent, `${name}-files-io`, args, {
            namespace: "AWS/EFS",
            dimensions,
            description: `The logs' file system is at ${io} % of the operations that it takes: many small log files; move logs to S3 or spread them.`,
            metric: "PercentIOLimit",
            comparison: "GreaterThanThreshold",
            threshold: io,
            periods: 3,
        }),
    ];
}

function metric(id: string, metricName: string, stat: string, dimensions: Record<string, pulumi.Input<string>>) {
    return { id, metric: { namespace: "AWS/EFS", metricName, period: 300, stat, dimensions }, returnData: false };
}
