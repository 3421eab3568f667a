import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain } from "../shared/check";
import { isDnsSubdomain } from "../shared/kubernetesNames";
import { parseQuantity } from "../shared/quantity";
import { keysOf } from "../shared/shape";
import type { ResolvedSizes } from "./resources";

/** Where task logs live. They must outlive the worker that wrote them, and be read by the UI from another zone. */
export interface LogSettings {
    /**
     * A StorageClass of EFS, for a volume that every pod writes to. Its access points must be owned by uid 50000 and gid 0 with permissions 775, as
     * `EfsSharedStorage` makes them by default. Takes the place of a bucket.
     */
    storageClassName?: pulumi.Input<string>;
    /** The size that is asked for. EFS has no limit and ignores it, quotas count it. @default 10Gi, as in the article */
    size?: string;
    /** An S3 bucket to which each task's log goes when the task ends. Takes the place of a volume. */
    bucket?: pulumi.Input<string>;
    /** The folder in the bucket. @default airflow/logs */
    prefix?: string;
    /** For how many days logs stay on disks; a bucket has lifecycle rules of its own. @default 30 */
    retentionDays?: number;
}

/** The shape of {@link LogSettings}. */
export const logsShape = keysOf<LogSettings>({
    storageClassName: "string",
    size: "string",
    bucket: "string",
    prefix: "string",
    retentionDays: "integer",
});

/** The name of the Airflow connection that reaches the bucket. */
const CONNECTION = "aws_logs";

/** What is wrong with where logs live. */
export function checkLogs(logs: LogSettings | undefined): Problem[] {
    const problems: Problem[] = [];
    const refuse = (path: string, message: string) => problems.push({ path, message });
    if ((logs?.storageClassName === undefined) === (logs?.bucket === undefined)) {
        refuse(
            "storageClassName",
            "give a StorageClass of EFS or a bucket, one of both: on a worker's own disk logs vanish with the worker",
        );
        return problems;
    }
    const className = plain(logs?.storageClassName);
    if (className !== undefined && !isDnsSubdomain(className)) {
        refuse(
            "storageClassName",
            `"${className}" is no name of a StorageClass: lower case letters, digits, "-" and "."`,
        );
    } else if (className !== undefined && isSingleNodeClass(className)) {
        refuse("storageClassName", singleNodeMessage(className));
    }
    const idle = logs?.bucket === undefined ? ("prefix" as const) : ("size" as const);
    if (logs?.[idle] !== undefined) {
        refuse(idle, `has no effect with a ${idle === "size" ? "bucket" : "volume"}; leave it out`);
    }
    const size = parseQuantity(logs?.size ?? "10Gi");
    if (size === undefined || size <= 0) {
        refuse("size", `"${logs?.size}" is no size such as 10Gi`);
    }
    const bucket = plain(logs?.bucket);
    if (bucket !== undefined && !/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
        refuse("bucket", `"${bucket}" is no name of an S3 bucket; give it without s3://`);
    }
    if (logs?.prefix !== undefined && !/^[\w.=-]+(\/[\w.=-]+)*$/.test(logs.prefix)) {
        refuse("prefix", `"${logs.prefix}" must be folders without a slash at either end`);
    }
    const days = retentionDays(logs);
    if (!Number.isInteger(days) || days < 1) {
        refuse("retentionDays", `${days} is not a whole number of at least 1`);
    }
    return problems;
}

/** The name of a class for the shared volume; ends the deployment when it turns out to be one for disks. */
export function sharedClass(storageClassName: pulumi.Input<string>): pulumi.Output<string> {
    return pulumi.output(storageClassName).apply((className) => {
        if (isSingleNodeClass(className)) {
            throw new Error(`logs.storageClassName: ${singleNodeMessage(className)}`);
        }
        return className;
    });
}

/**
 * The values for logs. On a shared volume every groomer of the chart would walk the same tree, one in each pod, so none runs and a
 * CronJob of the component cleans up; with a bucket each pod keeps what it has not sent yet on a disk of its own, and cleans that.
 */
export function logValues(
    logs: LogSettings,
    place: { claimName?: string; bucket?: string; region: string },
    sizes: ResolvedSizes,
) {
    const shared = place.claimName !== undefined;
    const logGroomerSidecar = shared
        ? { enabled: false }
        : { enabled: true, retentionDays: retentionDays(logs), resources: sizes.logGroomer };
    return {
        logs: { persistence: shared ? { enabled: true, existingClaim: place.claimName } : { enabled: false } },
        workers: {
            celery: {
                logGroomerSidecar: shared ? logGroomerSidecar : { ...logGroomerSidecar, requirePersistence: false },
            },
        },
        scheduler: { logGroomerSidecar },
        dagProcessor: { logGroomerSidecar },
        triggerer: { persistence: { enabled: false }, logGroomerSidecar },
        ...(place.bucket === undefined
            ? {}
            : {
                  config: {
                      logging: {
                          remote_logging: "True",
                          remote_base_log_folder: `s3://${place.bucket}/${logs.prefix ?? "airflow/logs"}`,
                          remote_log_conn_id: CONNECTION,
                          encrypt_s3_logs: "False",
                      },
                  },
                  // No key: boto3 then takes the pod's own role.
                  env: [
                      {
                          name: `AIRFLOW_CONN_${CONNECTION.toUpperCase()}`,
                          value: JSON.stringify({ conn_type: "aws", extra: { region_name: place.region } }),
                      },
                  ],
              }),
    };
}

/** For how many days logs stay on disks. */
export function retentionDays(logs: LogSettings | undefined): number {
    return logs?.retentionDays ?? 30;
}

/** Deletes logs of a shared volume that are older than that many days, and the folders that are empty then. */
export function cleaningScript(days: number): string {
    return [
        "set -eu",
        "cd /opt/airflow/logs",
        `find . -type f -mtime +${days} -delete`,
        // A folder that was made just now is about to be used.
        "find . -mindepth 1 -type d -empty -mmin +60 -delete",
    ].join("\n");
}

/** Classes that by their name make disks of one node. What a name does not tell, Kubernetes and the policy pack do. */
function isSingleNodeClass(className: string): boolean {
    const words = className.split(/[-.]/);
    return words.some((word) => /^(ebs|gp2|gp3|io1|io2|st1|sc1)$/.test(word)) && !words.includes("efs");
}

function singleNodeMessage(className: string): string {
    return `"${className}" is a class of EBS, whose volumes one node mounts at a time (ReadWriteOnce); logs need ReadWriteMany, a class of EFS`;
}
