import type { SimulatedType } from "../../shell/type";
import { empty, list, record, text, texts } from "../../shell/values";
import { arn } from "../arn";
import { check, refuse } from "../checks";
import { seconds } from "../durations";
import { Kind } from "../kinds";

const keyReference = {
    path: "kmsKeyId",
    to: [Kind.Key, Kind.Alias],
    by: "arn",
    holds: false,
    missing: "InvalidParameterException",
    outside: /^alias\/aws\//,
};
const roleReference = { to: Kind.Role, by: "arn", holds: false, missing: "InvalidParameterValueException" };

const zone: SimulatedType = {
    token: Kind.Zone,
    seconds: seconds.zone,
    autoname: false,
    id: (_, world) => `Z0${world.hex(18).toUpperCase()}`,
    references: [{ path: "vpcs[*].vpcId", to: Kind.Vpc, missing: "InvalidVPCId" }],
    immutable: ["name", "delegationSetId"],
    check: check((found) =>
        found.matches("name", /^([a-z0-9_*-]{1,63}\.)+[a-z0-9-]{2,63}\.?$|^[a-z0-9-]+$/i, "a domain name"),
    ),
    outputs: (inputs, id, world) => ({
        arn: `arn:${world.partition}:route53:::hostedzone/${id}`,
        zoneId: id,
        name: text(inputs.name)?.replace(/\.$/, ""),
        primaryNameServer: "ns-1.awsdns-01.com",
        nameServers: ["ns-1.awsdns-01.com", "ns-2.awsdns-02.net", "ns-3.awsdns-03.org", "ns-4.awsdns-04.co.uk"],
    }),
    refusesDeletion: (object, world) => {
        const left = world.find(Kind.Record, ({ inputs }) => inputs.zoneId === object.id);
        if (!left || object.inputs.forceDestroy === true) return undefined;
        return `HostedZoneNotEmpty: The specified hosted zone contains non-required resource record sets and so cannot be deleted (${left.id})`;
    },
    removed: (object, world) => {
        for (const one of world.all(Kind.Record))
            if (one.inputs.zoneId === object.id) world.remove(Kind.Record, one.id);
    },
};

const dnsRecord: SimulatedType = {
    token: Kind.Record,
    seconds: seconds.record,
    autoname: false,
    id: ({ zoneId, name, type, setIdentifier }) =>
        [zoneId, name, type, ...texts([setIdentifier])].map(String).join("_"),
    references: [{ path: "zoneId", to: Kind.Zone, missing: "NoSuchHostedZone", holds: false }],
    immutable: ["zoneId", "name", "type", "setIdentifier"],
    check: check((found, inputs) => {
        found.someOf("records", "aliases").exclusive("records", "aliases").exclusive("ttl", "aliases");
        found.when(found.has("records") && inputs.ttl === undefined, "ttl", "required with records");
        found.oneOf("type", [
            "A",
            "AAAA",
            "CAA",
            "CNAME",
            "DS",
            "HTTPS",
            "MX",
            "NAPTR",
            "NS",
            "PTR",
            "SOA",
            "SPF",
            "SRV",
            "SSHFP",
            "SVCB",
            "TLSA",
            "TXT",
        ]);
    }),
    relations: (inputs, world, self) => {
        if (self || inputs.allowOverwrite === true) return;
        const other = world.find(Kind.Record, (one) =>
            ["zoneId", "name", "type", "setIdentifier"].every((key) => one.inputs[key] === inputs[key]),
        );
        if (other)
            refuse(
                "InvalidChangeBatch",
                `Tried to create resource record set [name='${String(inputs.name)}', type='${String(inputs.type)}'] but it already exists`,
            );
    },
    outputs: (inputs, _, world) => {
        const domain = String(world.get(Kind.Zone, String(inputs.zoneId))?.outputs.name);
        const name = String(inputs.name);
        return { fqdn: name === domain || name.endsWith(`.${domain}`) ? name : `${name}.${domain}` };
    },
};

const dlmPolicy: SimulatedType = {
    token: Kind.DlmPolicy,
    seconds: seconds.few,
    id: (_, world) => `policy-0${world.hex(16)}`,
    references: [{ ...roleReference, path: "executionRoleArn" }],
    immutable: ["defaultPolicy"],
    check: check((found, inputs) => {
        found
            .oneOf("state", ["ENABLED", "DISABLED"])
            .matches("description", /^[0-9A-Za-z _-]{1,500}$/, "a description of letters, digits, spaces, _ and -");
        const schedules = list(record(inputs.policyDetails).schedules).map(record);
        found.when(schedules.length > 4, "policyDetails.schedules", "up to 4 schedules");
        found
            .oneOf("policyDetails.schedules[*].createRule.interval", [1, 2, 3, 4, 6, 8, 12, 24])
            .range("policyDetails.schedules[*].retainRule.count", 1, 1000);
        const targets = record(inputs.policyDetails);
        found.when(
            inputs.defaultPolicy === undefined &&
                targets.policyType !== "EVENT_BASED_POLICY" &&
                empty(targets.targetTags),
            "policyDetails.targetTags",
            "required: which volumes the policy is about",
        );
    }),
    outputs: (_, id, world) => ({ arn: arn(world, "dlm", `policy/${id}`) }),
};

const vault: SimulatedType = {
    token: Kind.BackupVault,
    seconds: seconds.few,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    references: [{ ...keyReference, path: "kmsKeyArn" }],
    immutable: ["name", "kmsKeyArn"],
    check: check((found) =>
        found.matches("name", /^[a-zA-Z0-9_-]{2,50}$/, "a vault name of 2 to 50 letters, digits, - and _"),
    ),
    outputs: (_, id, world) => ({ arn: arn(world, "backup", `backup-vault:${id}`), recoveryPoints: 0 }),
    refusesDeletion: (object) =>
        Number(object.outputs.recoveryPoints) > 0 && object.inputs.forceDestroy !== true
            ? `InvalidRequestException: Backup vault cannot be deleted because it contains recovery points`
            : undefined,
};

const plan: SimulatedType = {
    token: Kind.BackupPlan,
    seconds: seconds.few,
    id: (_, world) => world.hex(32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    references: [
        {
            path: "rules[*].targetVaultName",
            to: Kind.BackupVault,
            missing: "InvalidParameterValueException",
            holds: false,
            outside: /^Default$/,
        },
    ],
    check: check((found, inputs) => {
        list(inputs.rules)
            .map(record)
            .forEach(({ lifecycle, schedule }, index) => {
                const { coldStorageAfter, deleteAfter } = record(lifecycle);
                // AWS Backup Developer Guide, lifecycle: at least 90 days in cold storage.
                if (
                    typeof coldStorageAfter === "number" &&
                    typeof deleteAfter === "number" &&
                    deleteAfter < coldStorageAfter + 90
                )
                    found.add(`rules[${index}].lifecycle.deleteAfter`, "at least 90 days after coldStorageAfter");
                if (typeof schedule === "string" && !/^(cron\(([^ ]+ ){5}[^ ]+\)|rate\(.+\))$/.test(schedule))
                    found.add(`rules[${index}].schedule`, `"${schedule}" is not a schedule such as cron(0 5 * * ? *)`);
            });
    }),
    outputs: (_, id, world, old) => ({
        arn: arn(world, "backup", `backup-plan:${id}`),
        version: old?.outputs.version ?? world.hex(24),
    }),
};

const selection: SimulatedType = {
    token: Kind.BackupSelection,
    seconds: seconds.few,
    id: (_, world) => world.hex(32),
    references: [
        {
            path: "planId",
            to: Kind.BackupPlan,
            missing: "InvalidParameterValueException",
            holds: "InvalidRequestException",
        },
        { ...roleReference, path: "iamRoleArn" },
    ],
    immutable: ["name", "planId", "iamRoleArn", "resources", "notResources", "selectionTags", "conditions"],
    check: check((found) => found.someOf("resources", "selectionTags", "conditions")),
};

export const dnsAndBackupTypes = [zone, dnsRecord, dlmPolicy, vault, plan, selection];
