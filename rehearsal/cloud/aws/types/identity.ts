import type { Context, Properties, SimulatedType } from "../../shell/type";
import { list, record, text, texts, isObject, UNKNOWN } from "../../shell/values";
import type { World } from "../../shell/world";
import { arn } from "../arn";
import { check, refuse, type Findings } from "../checks";
import { seconds } from "../durations";
import { roleNamed } from "../iam/access";
import { problemsOf, statements } from "../iam/document";
import { MANAGED_POLICIES } from "../iam/managedPolicies";
import { Kind } from "../kinds";

/** The provider takes a policy as an object too, and keeps it as JSON. */
export function asJson(...keys: string[]): (inputs: Properties, context: Context) => Properties {
    return (inputs) => {
        const made = { ...inputs };
        for (const key of keys) if (isObject(inputs[key])) made[key] = stringify(inputs[key]);
        return made;
    };
}

function stringify(document: Properties): unknown {
    let unknown = false;
    const json = JSON.stringify(document, (_, value: unknown) => {
        if (value === UNKNOWN) unknown = true;
        return value;
    });
    return unknown ? UNKNOWN : json;
}

function policy(found: Findings, inputs: Properties, key: string, kind: "identity" | "trust" | "resource"): void {
    if (typeof inputs[key] !== "string") return;
    for (const problem of problemsOf(inputs[key], kind)) found.add(key, `MalformedPolicyDocument: ${problem}`);
}

const NAME = /^[\w+=,.@-]{1,64}$/;
const NAME_SAYS = "an IAM name: up to 64 letters, digits and +=,.@-_";

/** IAM resolves principals of the own account when a trust policy is put: they must exist (IAM User Guide, principals). */
function refuseMissingPrincipals(world: World, document: unknown, self?: string): void {
    for (const statement of statements(document)) {
        for (const principal of texts([record(statement.Principal).AWS].flat())) {
            const match = /^arn:[\w-]+:iam::(\d{12}):role\/(?:.*\/)?([^/]+)$/.exec(principal);
            if (!match || match[1] !== world.accountId || match[2] === self) continue;
            if (!world.get(Kind.Role, match[2])) {
                refuse("MalformedPolicyDocument", `Invalid principal in policy: "AWS":"${principal}"`);
            }
        }
    }
}

const policyArn = {
    to: Kind.Policy,
    by: "arn",
    missing: "NoSuchEntity",
    holds: "DeleteConflict",
    outside: /^arn:[\w-]+:iam::aws:policy\//,
};

/** AWS's own policies that the rehearsal knows. */
export function refuseUnknownManaged(arns: string[]): void {
    for (const one of arns) {
        const name = /^arn:[\w-]+:iam::aws:policy\/(.+)$/.exec(one)?.[1];
        if (name !== undefined && !(name in MANAGED_POLICIES)) {
            refuse(
                "NoSuchEntity",
                `Policy ${one} does not exist or is not attachable (none of the policies that the rehearsal knows)`,
            );
        }
    }
}

const role: SimulatedType = {
    token: Kind.Role,
    seconds: seconds.iam,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    duplicate: "EntityAlreadyExists",
    references: [
        { ...policyArn, path: "managedPolicyArns[*]" },
        { ...policyArn, path: "permissionsBoundary" },
    ],
    immutable: ["name", "namePrefix", "path"],
    defaults: asJson("assumeRolePolicy"),
    check: check((found, inputs) => {
        found.matches("name", NAME, NAME_SAYS).range("maxSessionDuration", 3600, 43200);
        policy(found, inputs, "assumeRolePolicy", "trust");
        list(inputs.inlinePolicies).forEach((inline) => policy(found, record(inline), "policy", "identity"));
    }),
    relations: (inputs, world, self) => {
        refuseMissingPrincipals(world, inputs.assumeRolePolicy, self?.id);
        refuseUnknownManaged(texts(inputs.managedPolicyArns));
    },
    outputs: (inputs, id, world, old) => ({
        arn: arn(world, "iam", `role${text(inputs.path) ?? "/"}${id}`),
        path: inputs.path ?? "/",
        maxSessionDuration: inputs.maxSessionDuration ?? 3600,
        uniqueId: old?.outputs.uniqueId ?? `AROA${world.hex(17).toUpperCase()}`,
        createDate: "2026-01-01T00:00:00Z",
        managedPolicyArns: inputs.managedPolicyArns ?? [],
        inlinePolicies: inputs.inlinePolicies ?? [],
    }),
    refusesDeletion: (object, world) => {
        // IAM API Reference, DeleteRole: policies and instance profiles must be gone first.
        if (object.inputs.forceDetachPolicies === true) return undefined;
        const holder = world.find([Kind.RolePolicyAttachment, Kind.RolePolicy, Kind.InstanceProfile], ({ inputs }) =>
            roleNamed(inputs.role, object),
        );
        return holder && `DeleteConflict: Cannot delete entity, must detach all policies first (${holder.id})`;
    },
};

const managedPolicy: SimulatedType = {
    token: Kind.Policy,
    seconds: seconds.iam,
    id: (inputs, world) => arn(world, "iam", `policy${text(inputs.path) ?? "/"}${String(inputs.name)}`),
    unique: [["name"]],
    duplicate: "EntityAlreadyExists",
    immutable: ["name", "namePrefix", "path", "description"],
    defaults: asJson("policy"),
    check: check((found, inputs) => {
        found.matches("name", /^[\w+=,.@-]{1,128}$/, "an IAM name of up to 128 characters");
        policy(found, inputs, "policy", "identity");
        // IAM quotas: 6,144 characters without white space.
        const size = typeof inputs.policy === "string" ? inputs.policy.replace(/\s/g, "").length : 0;
        found.when(size > 6144, "policy", `LimitExceeded: ${size} characters, a managed policy has up to 6144`);
    }),
    outputs: (inputs, id, world, old) => ({
        arn: id,
        path: inputs.path ?? "/",
        policyId: old?.outputs.policyId ?? `ANPA${world.hex(17).toUpperCase()}`,
        attachmentCount: 0,
    }),
};

const rolePolicy: SimulatedType = {
    token: Kind.RolePolicy,
    seconds: seconds.iam,
    id: (inputs) => `${String(inputs.role)}:${String(inputs.name)}`,
    references: [{ path: "role", to: Kind.Role, missing: "NoSuchEntity", holds: false }],
    immutable: ["name", "namePrefix", "role"],
    defaults: asJson("policy"),
    check: check((found, inputs) => {
        policy(found, inputs, "policy", "identity");
        const size = typeof inputs.policy === "string" ? inputs.policy.replace(/\s/g, "").length : 0;
        found.when(
            size > 10240,
            "policy",
            `LimitExceeded: ${size} characters, a role's inline policies have up to 10240`,
        );
    }),
};

const attachment: SimulatedType = {
    token: Kind.RolePolicyAttachment,
    seconds: seconds.iam,
    id: (inputs) => `${String(inputs.role)}/${String(inputs.policyArn)}`,
    references: [
        { path: "role", to: Kind.Role, missing: "NoSuchEntity", holds: false },
        { ...policyArn, path: "policyArn" },
    ],
    immutable: ["role", "policyArn"],
    check: check((found) =>
        found.matches("policyArn", /^arn:[\w-]+:iam::(aws|\d{12}):policy\//, "the ARN of a policy"),
    ),
    relations: (inputs) => refuseUnknownManaged([String(inputs.policyArn)]),
};

const openIdConnectProvider: SimulatedType = {
    token: Kind.OpenIdConnectProvider,
    seconds: seconds.iam,
    id: (inputs, world) => arn(world, "iam", `oidc-provider/${bare(inputs.url)}`),
    unique: [["url"]],
    duplicate: "EntityAlreadyExists",
    immutable: ["url"],
    check: check((found, inputs) => {
        found.matches("url", /^https:\/\//, "a URL that starts with https://");
        found.when(list(inputs.clientIdLists).length > 100, "clientIdLists", "up to 100 client ids");
        found.matches("thumbprintLists[*]", /^[0-9A-Fa-f]{40}$/, "a thumbprint of 40 hex digits");
    }),
    outputs: (inputs, id) => ({
        arn: id,
        url: bare(inputs.url),
        thumbprintLists: inputs.thumbprintLists ?? ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"],
    }),
};

/** IAM answers the URL without its scheme. */
function bare(url: unknown): string {
    return String(url).replace(/^https:\/\//, "");
}

const instanceProfile: SimulatedType = {
    token: Kind.InstanceProfile,
    seconds: seconds.iam,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    duplicate: "EntityAlreadyExists",
    references: [{ path: "role", to: Kind.Role, missing: "NoSuchEntity", holds: false }],
    immutable: ["name", "namePrefix", "path"],
    outputs: (inputs, id, world) => ({
        arn: arn(world, "iam", `instance-profile${text(inputs.path) ?? "/"}${id}`),
        path: inputs.path ?? "/",
    }),
};

const key: SimulatedType = {
    token: Kind.Key,
    seconds: seconds.key,
    id: (_, world) => world.hex(32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    immutable: ["customerMasterKeySpec", "keyUsage", "multiRegion", "customKeyStoreId"],
    defaults: asJson("policy"),
    check: check((found, inputs) => {
        found.range("deletionWindowInDays", 7, 30).range("rotationPeriodInDays", 90, 2560);
        found.oneOf("keyUsage", ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC", "KEY_AGREEMENT"]);
        policy(found, inputs, "policy", "resource");
        // KMS API Reference, PutKeyPolicy: the safety check against keys that nobody can manage.
        const manages = ["kms:*", "*", "kms:PutKeyPolicy", "kms:Put*"];
        const safe = statements(inputs.policy).some(
            ({ Effect, Action }) =>
                Effect === "Allow" && [Action].flat().some((action) => manages.includes(String(action))),
        );
        found.when(
            typeof inputs.policy === "string" && !safe && inputs.bypassPolicyLockoutSafetyCheck !== true,
            "policy",
            "MalformedPolicyDocument: the policy would not allow anybody to change it in the future",
        );
    }),
    outputs: (inputs, id, world) => ({
        arn: arn(world, "kms", `key/${id}`),
        keyId: id,
        description: inputs.description ?? "Managed by Pulumi",
        policy:
            inputs.policy ??
            JSON.stringify({
                Version: "2012-10-17",
                Id: "key-default-1",
                Statement: [
                    {
                        Sid: "Enable IAM User Permissions",
                        Effect: "Allow",
                        Principal: { AWS: arn(world, "iam", "root") },
                        Action: "kms:*",
                        Resource: "*",
                    },
                ],
            }),
        enableKeyRotation: inputs.enableKeyRotation ?? false,
        isEnabled: inputs.isEnabled ?? true,
        multiRegion: inputs.multiRegion ?? false,
        keyUsage: inputs.keyUsage ?? "ENCRYPT_DECRYPT",
        customerMasterKeySpec: inputs.customerMasterKeySpec ?? "SYMMETRIC_DEFAULT",
    }),
    removed: (object, world) => {
        for (const one of world.all(Kind.Alias))
            if (one.outputs.targetKeyId === object.id) world.remove(Kind.Alias, one.id);
    },
};

const alias: SimulatedType = {
    token: Kind.Alias,
    seconds: seconds.call,
    autoname: false,
    id: (inputs) => String(inputs.name),
    unique: [["name"]],
    duplicate: "AlreadyExistsException",
    references: [{ path: "targetKeyId", to: Kind.Key, holds: false, missing: "NotFoundException", outside: /^arn:/ }],
    immutable: ["name", "namePrefix"],
    defaults: (inputs, { name, hex, olds }) =>
        inputs.name || inputs.namePrefix
            ? inputs
            : { ...inputs, name: olds?.name ?? `alias/${name}-${hex(7)}`, __defaults: ["name"] },
    check: check((found) =>
        found.matches(
            "name",
            /^alias\/(?!aws\/)[\w/-]{1,250}$/,
            "an alias: alias/ and letters, digits, / _ -, not alias/aws/",
        ),
    ),
    outputs: (inputs, id, world) => ({
        arn: arn(world, "kms", id),
        targetKeyId: text(inputs.targetKeyId)?.replace(/^.*key\//, ""),
        targetKeyArn: text(inputs.targetKeyId)?.startsWith("arn:")
            ? inputs.targetKeyId
            : arn(world, "kms", `key/${String(inputs.targetKeyId)}`),
    }),
};

export const identityTypes = [
    role,
    managedPolicy,
    rolePolicy,
    attachment,
    openIdConnectProvider,
    instanceProfile,
    key,
    alias,
];
