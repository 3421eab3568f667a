import * as pulumi from "@pulumi/pulumi";
import type { ClusterInfo } from "../cluster/clusterInfo";
import { type WorkloadIdentity, WorkloadRole } from "../cluster/workloadRole";
import type { HelmValues } from "../shared/helmValues";
import { policyJson } from "../shared/iamPolicy";
import { keysOf } from "../shared/shape";
import { RELEASE } from "./airflowValues";
import type { LogSettings } from "./logs";
import { setAccounts } from "./workerSets";

/** AWS Secrets Manager as the place where Airflow looks for connections and variables first. */
export interface SecretsManagerSettings {
    /** What the names of its secrets begin with: `<prefix>/connections/<id>`, `<prefix>/variables/<key>`. @default airflow */
    prefix?: string;
}

/** The shape of {@link SecretsManagerSettings}. */
export const secretsManagerShape = keysOf<SecretsManagerSettings>({ prefix: "string" });

/** What decides the roles. */
export interface AirflowRolesArgs {
    cluster: pulumi.Output<ClusterInfo>;
    namespace: pulumi.Input<string>;
    major: 2 | 3;
    logs: LogSettings;
    /** Further values of the chart, which may name further sets of workers. */
    values?: HelmValues;
    secretsManager?: SecretsManagerSettings;
    taskPolicies: Record<string, pulumi.Input<string>>;
    taskPolicyArns: Record<string, pulumi.Input<string>>;
    identity?: WorkloadIdentity;
    permissionsBoundary?: pulumi.Input<string>;
}

/** What the pods of Airflow may do at AWS: annotations of their service accounts. */
export interface AirflowRoles {
    /** For the pods that run what users write: workers and the triggerer. */
    task: pulumi.Output<Record<string, string>>;
    /** For the rest: scheduler, DAG processor, API server. */
    core: pulumi.Output<Record<string, string>>;
    /** The role of tasks, when there is one. */
    taskRoleArn: pulumi.Output<string>;
}

/**
 * Two roles, each only when something needs it: tasks get what the user grants them, and nothing else of Airflow gets that.
 * Logs and connections are read by all five accounts.
 */
export function airflowRoles(parent: pulumi.Resource, name: string, args: AirflowRolesArgs): AirflowRoles {
    const shared = sharedPolicies(args);
    const server = args.major === 3 ? "api-server" : "webserver";
    const role = (
        part: string,
        accounts: string[],
        inlinePolicies: Record<string, pulumi.Input<string>>,
        managedPolicyArns: Record<string, pulumi.Input<string>>,
    ) =>
        Object.keys(inlinePolicies).length + Object.keys(managedPolicyArns).length === 0
            ? undefined
            : new WorkloadRole(
                  `${name}-${part}`,
                  {
                      cluster: args.cluster,
                      namespace: args.namespace,
                      serviceAccounts: accounts,
                      inlinePolicies,
                      managedPolicyArns,
                      mode: args.identity,
                      permissionsBoundary: args.permissionsBoundary,
                  },
                  { parent },
              );
    const named = (parts: string[]) => parts.map((part) => `${RELEASE}-${part}`);
    const runners = [...named(["worker", "triggerer"]), ...setAccounts(args.values, RELEASE)];
    const task = role("tasks", [...new Set(runners)], { ...shared, ...args.taskPolicies }, args.taskPolicyArns);
    const core = role("core", named(["scheduler", "dag-processor", server]), shared, {});
    const none = pulumi.output(undefined).apply((): Record<string, string> => ({}));
    return {
        task: task?.annotations ?? none,
        core: core?.annotations ?? none,
        taskRoleArn: task?.roleArn ?? pulumi.output(""),
    };
}

function sharedPolicies(args: AirflowRolesArgs): Record<string, pulumi.Input<string>> {
    const policies: Record<string, pulumi.Input<string>> = {};
    const { bucket, prefix } = args.logs;
    if (bucket !== undefined) {
        const arn = pulumi.interpolate`arn:${args.cluster.partition}:s3:::${bucket}`;
        const folder = prefix ?? "airflow/logs";
        policies["airflow-logs"] = policyJson(
            { Action: ["s3:GetObject", "s3:PutObject"], Resource: pulumi.interpolate`${arn}/${folder}/*` },
            {
                Action: "s3:ListBucket",
                Resource: arn,
                Condition: { StringLike: { "s3:prefix": [`${folder}/*`, folder] } },
            },
        );
    }
    if (args.secretsManager) {
        const secret = pulumi.interpolate`arn:${args.cluster.partition}:secretsmanager:${args.cluster.region}:${args.cluster.accountId}:secret`;
        policies["airflow-secrets"] = policyJson({
            Action: ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
            Resource: ["connections", "variables", "config"].map(
                (kind) => pulumi.interpolate`${secret}:${args.secretsManager?.prefix ?? "airflow"}/${kind}/*`,
            ),
        });
    }
    return policies;
}
