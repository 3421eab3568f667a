import type { SimulatedType } from "../../shell/type";
import { record, texts } from "../../shell/values";
import { arn } from "../arn";
import { check, refuse } from "../checks";
import { seconds } from "../durations";
import { problemsOf } from "../iam/document";
import { Kind } from "../kinds";
import { asJson } from "./identity";
import { dnsAndBackupTypes } from "./names";

const RETENTIONS = [
    0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
const keyReference = {
    path: "kmsKeyId",
    to: [Kind.Key, Kind.Alias],
    by: "arn",
    holds: false,
    missing: "InvalidParameterException",
    outside: /^alias\/aws\//,
};

const bucket: SimulatedType = {
    token: Kind.Bucket,
    seconds: seconds.bucket,
    autoname: "bucket",
    id: (inputs) => String(inputs.bucket),
    immutable: ["bucket", "bucketPrefix"],
    defaults: asJson("policy"),
    check: check((found) => {
        // S3 User Guide, bucket naming rules.
        found.matches(
            "bucket",
            /^(?!xn--|sthree-)(?!.*\.\.)(?!\d+\.\d+\.\d+\.\d+$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
            "a bucket name: 3 to 63 lower-case letters, digits, dots and hyphens",
        );
    }),
    relations: (inputs, world, self) => {
        // Names are unique among all accounts and regions.
        const other = self ? undefined : world.everywhere.find(Kind.Bucket, ({ id }) => id === inputs.bucket);
        if (other)
            refuse(
                other.scope?.startsWith(world.accountId) ? "BucketAlreadyOwnedByYou" : "BucketAlreadyExists",
                `The requested bucket name ${String(inputs.bucket)} is not available`,
            );
    },
    outputs: (_, id, world) => ({
        arn: arn(world, "s3", id),
        bucketDomainName: `${id}.s3.amazonaws.com`,
        bucketRegionalDomainName: `${id}.s3.${world.region}.amazonaws.com`,
        hostedZoneId: "Z3AQBSTGFYJSTF",
    }),
    refusesDeletion: (object) =>
        object.outputs.holdsObjects === true && object.inputs.forceDestroy !== true
            ? `BucketNotEmpty: The bucket ${object.id} you tried to delete is not empty`
            : undefined,
};

/** The types that say one thing about a bucket; they go with it. */
function bucketPart(name: string): SimulatedType {
    return {
        token: `aws:s3/${name[0].toLowerCase()}${name.slice(1)}:${name}`,
        seconds: seconds.call,
        id: (inputs) => String(inputs.bucket),
        references: [{ path: "bucket", to: Kind.Bucket, missing: "NoSuchBucket", holds: false }],
        immutable: ["bucket"],
        defaults: asJson("policy"),
        check: check((found, inputs) => {
            if (name !== "BucketPolicy" || typeof inputs.policy !== "string") return;
            for (const problem of problemsOf(inputs.policy, "resource"))
                found.add("policy", `MalformedPolicy: ${problem}`);
        }),
    };
}

const logGroup: SimulatedType = {
    token: Kind.LogGroup,
    seconds: seconds.call,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    duplicate: "ResourceAlreadyExistsException",
    references: [keyReference],
    immutable: ["name", "namePrefix"],
    check: check((found) => {
        found.oneOf("retentionInDays", RETENTIONS).matches("name", /^[.\-_/#A-Za-z0-9]{1,512}$/, "a log group name");
    }),
    outputs: (inputs, id, world) => ({
        arn: arn(world, "logs", `log-group:${id}`),
        retentionInDays: inputs.retentionInDays ?? 0,
    }),
    refusesDeletion: (object) =>
        object.inputs.deletionProtectionEnabled === true
            ? `OperationAbortedException: log group ${object.id} is protected`
            : undefined,
};

const COMPARISONS = [
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
    "LessThanLowerOrGreaterThanUpperThreshold",
    "LessThanLowerThreshold",
    "GreaterThanUpperThreshold",
];

const metricAlarm: SimulatedType = {
    token: Kind.MetricAlarm,
    seconds: seconds.call,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    immutable: ["name"],
    references: ["alarmActions", "okActions", "insufficientDataActions"].map((path) => ({
        path: `${path}[*]`,
        to: Kind.Topic,
        by: "arn",
        holds: false,
        missing: "ValidationError",
        outside: /^arn:[\w-]+:(?!sns:)/,
    })),
    check: check((found, inputs) => {
        found
            .oneOf("comparisonOperator", COMPARISONS)
            .oneOf("treatMissingData", ["missing", "ignore", "breaching", "notBreaching"]);
        found
            .oneOf("statistic", ["SampleCount", "Average", "Sum", "Minimum", "Maximum"])
            .exclusive("metricName", "metricQueries")
            .exclusive("statistic", "extendedStatistic");
        found.someOf("metricName", "metricQueries", "evaluationCriteria");
        found.when(found.has("metricName") && !found.has("namespace"), "namespace", "required with metricName");
        found.when(found.has("metricName") && !found.has("period"), "period", "required with metricName");
        const { period } = inputs;
        // CloudWatch API Reference, PutMetricAlarm.
        if (typeof period === "number" && ![10, 20, 30].includes(period) && period % 60 !== 0)
            found.add("period", "10, 20, 30 or a multiple of 60 seconds");
    }),
    outputs: (_, id, world) => ({ arn: arn(world, "cloudwatch", `alarm:${id}`) }),
};

const autoscalingTag: SimulatedType = {
    token: Kind.AutoscalingTag,
    seconds: seconds.call,
    id: (inputs) => `${String(inputs.autoscalingGroupName)},${String(record(inputs.tag).key)}`,
    references: [{ path: "autoscalingGroupName", to: Kind.AutoscalingGroup, holds: false, missing: "ValidationError" }],
    immutable: ["autoscalingGroupName", "tag.key"],
};

const secret: SimulatedType = {
    token: Kind.Secret,
    seconds: seconds.few,
    id: (inputs, world) => arn(world, "secretsmanager", `secret:${String(inputs.name)}-${world.hex(6)}`),
    references: [keyReference],
    immutable: ["name", "namePrefix"],
    check: check((found, inputs) => {
        found.matches("name", /^[\w/+=.@-]{1,512}$/, "a secret name");
        const days = inputs.recoveryWindowInDays;
        if (typeof days === "number" && days !== 0 && (days < 7 || days > 30))
            found.add("recoveryWindowInDays", "0, or 7 to 30 days");
    }),
    relations: (inputs, world, self) => {
        if (self) return;
        const other = world.find([Kind.Secret, DELETED_SECRET], (one) => one.inputs.name === inputs.name);
        // Secrets Manager User Guide, delete a secret: its name is taken until the recovery window is over.
        if (other?.token === DELETED_SECRET)
            refuse(
                "InvalidRequestException",
                `You can't create this secret because a secret with this name (${String(inputs.name)}) is already scheduled for deletion`,
            );
        if (other) refuse("ResourceExistsException", `the secret ${String(inputs.name)} already exists`);
    },
    outputs: (_, id) => ({ arn: id }),
    removed: (object, world) => {
        if (object.inputs.recoveryWindowInDays === 0) return;
        world.put({ ...object, token: DELETED_SECRET, implicit: true, outputs: {} });
    },
};
const DELETED_SECRET = "aws:secretsmanager:DeletedSecret";

const secretVersion: SimulatedType = {
    token: Kind.SecretVersion,
    seconds: seconds.call,
    id: (inputs, world) => `${String(inputs.secretId)}|${world.hex(32)}`,
    references: [{ path: "secretId", to: Kind.Secret, missing: "ResourceNotFoundException", holds: false }],
    immutable: ["secretId", "secretString", "secretBinary"],
    secretOutputs: ["secretString", "secretBinary"],
    outputs: (inputs, id) => ({ arn: inputs.secretId, versionId: id.split("|")[1], versionStages: ["AWSCURRENT"] }),
};

const topic: SimulatedType = {
    token: Kind.Topic,
    seconds: seconds.call,
    id: (inputs, world) => arn(world, "sns", String(inputs.name)),
    unique: [["name"]],
    references: [{ ...keyReference, path: "kmsMasterKeyId" }].map((reference) => ({
        ...reference,
        outside: /^(alias\/|[0-9a-f-]{36}$)/,
    })),
    immutable: ["name", "namePrefix", "fifoTopic"],
    defaults: asJson("policy"),
    outputs: (_, id) => ({ arn: id }),
};

const subscription: SimulatedType = {
    token: Kind.TopicSubscription,
    seconds: seconds.few,
    id: (inputs, world) => `${String(inputs.topic)}:${world.hex(32)}`,
    references: [{ path: "topic", to: Kind.Topic, by: "arn", holds: false, missing: "NotFound" }],
    immutable: ["topic", "protocol", "endpoint"],
    check: check((found) =>
        found.oneOf("protocol", [
            "sqs",
            "sms",
            "lambda",
            "firehose",
            "application",
            "email",
            "email-json",
            "http",
            "https",
        ]),
    ),
    outputs: (_, id) => ({ arn: id, pendingConfirmation: false }),
};

const certificate: SimulatedType = {
    token: Kind.Certificate,
    seconds: seconds.certificate,
    id: (_, world) => arn(world, "acm", `certificate/${world.hex(32)}`),
    immutable: ["domainName", "subjectAlternativeNames", "validationMethod", "keyAlgorithm"],
    check: check((found) =>
        found.oneOf("validationMethod", ["DNS", "EMAIL", "NONE"]).someOf("domainName", "privateKey", "privateKeyWo"),
    ),
    outputs: (inputs, id, world) => ({
        arn: id,
        status:
            inputs.validationMethod === "DNS" || inputs.validationMethod === "EMAIL" ? "PENDING_VALIDATION" : "ISSUED",
        domainValidationOptions: [
            ...new Set([inputs.domainName, ...texts(inputs.subjectAlternativeNames)].map(String)),
        ].map((domainName) => ({
            domainName,
            resourceRecordName: `_${world.hex(32)}.${domainName.replace(/^\*\./, "")}.`,
            resourceRecordType: "CNAME",
            resourceRecordValue: `_${world.hex(32)}.acm-validations.aws.`,
        })),
    }),
};

const BUCKET_PARTS = [
    "BucketPublicAccessBlock",
    "BucketServerSideEncryptionConfiguration",
    "BucketVersioning",
    "BucketPolicy",
    "BucketLifecycleConfiguration",
    "BucketOwnershipControls",
    "BucketLogging",
];

export const serviceTypes = [
    bucket,
    ...BUCKET_PARTS.map(bucketPart),
    logGroup,
    metricAlarm,
    autoscalingTag,
    ...dnsAndBackupTypes,
    secret,
    secretVersion,
    topic,
    subscription,
    certificate,
];
