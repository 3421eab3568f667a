import { createHash } from "node:crypto";
import { Kind } from "../aws/kinds";
import type { Registered, Registrar } from "../shell/monitor";
import type { ConstructRequest } from "../shell/package";
import type { Properties } from "../shell/type";
import { empty, hasUnknown, isObject, list, record, UNKNOWN } from "../shell/values";
import type { World } from "../shell/world";
import { resource } from "./settings";

const NODE_POLICIES = ["AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"];

/** Where a cluster goes: the VPC that the program names, or the account's default one with all its subnets. */
export async function networkOf(inputs: Properties, monitor: Registrar): Promise<Properties> {
    if (inputs.vpcId !== undefined) return {};
    const { id } = await monitor.invoke("aws:ec2/getVpc:getVpc", { default: true });
    const given = ["subnetIds", "publicSubnetIds", "privateSubnetIds"].some((key) => inputs[key] !== undefined);
    const filters = [{ name: "vpc-id", values: [id] }];
    const subnets = given ? {} : await monitor.invoke("aws:ec2/getSubnets:getSubnets", { filters });
    return { vpcId: id, ...(given ? {} : { subnetIds: subnets.ids }) };
}

/** A role of the component: its trust, and AWS's own policies by name. */
export async function serviceRole(
    name: string,
    about: { service: string; actions?: string[]; description?: string; policies: string[]; tags: Properties },
    monitor: Registrar,
    world: World,
): Promise<{ role: Registered; attachments: Registered[] }> {
    const parent = await monitor.component("eks:index:ServiceRole", name);
    const { service, actions = ["sts:AssumeRole"], description, policies, tags } = about;
    const statement = { Action: actions, Effect: "Allow", Principal: { Service: [service] } };
    const role = await monitor.custom(
        Kind.Role,
        `${name}-role`,
        {
            ...(description === undefined ? {} : { description }),
            assumeRolePolicy: JSON.stringify({ Version: "2012-10-17", Statement: [statement] }),
            ...(empty(tags) ? {} : { tags }),
        },
        { parent },
    );
    const attachments = await Promise.all(
        policies.map((policy) => {
            const id = `arn:aws:iam::aws:policy/${policy}`;
            const suffix = createHash("sha1").update(id).digest("hex").slice(0, 8);
            const policyArn = id.replace("arn:aws:", `arn:${world.partition}:`);
            return monitor.custom(
                Kind.RolePolicyAttachment,
                `${name}-${suffix}`,
                { role: role.id, policyArn },
                { parent, dependsOn: [role] },
            );
        }),
    );
    return { role, attachments };
}

/** The roles that a cluster's nodes may have; the default one comes with an instance profile. */
export interface InstanceRoles {
    roles: Registered[];
    /** The one that gets an access entry of its own. */
    default?: Registered;
    profileName?: unknown;
    attachments: Registered[];
}

export async function instanceRoles(
    { name, inputs }: ConstructRequest,
    monitor: Registrar,
    world: World,
): Promise<InstanceRoles> {
    if (inputs.instanceRoles !== undefined) {
        const roles = await Promise.all(list(inputs.instanceRoles).map((one) => resource(monitor, one)));
        return { roles, attachments: [] };
    }
    const wantsProfile = inputs.skipDefaultNodeGroup !== true;
    const profile = async (role: Registered, attachments: Registered[]): Promise<unknown> =>
        inputs.instanceProfileName ??
        (
            await monitor.custom(
                Kind.InstanceProfile,
                `${name}-instanceProfile`,
                { role: role.id },
                { dependsOn: [role, ...attachments] },
            )
        ).outputs.name;
    if (isObject(inputs.instanceRole)) {
        const role = await resource(monitor, inputs.instanceRole);
        const profileName = wantsProfile ? await profile(role, []) : undefined;
        return { roles: [role], default: role, profileName, attachments: [] };
    }
    if (!(inputs.createInstanceRole ?? inputs.skipDefaultNodeGroup !== true)) return { roles: [], attachments: [] };
    const tags = record(inputs.tags);
    const about = { service: "ec2.amazonaws.com", policies: NODE_POLICIES, tags };
    const { role, attachments } = await serviceRole(`${name}-instanceRole`, about, monitor, world);
    return { roles: [role], default: role, profileName: await profile(role, attachments), attachments };
}

/** The lines of `aws-auth` that let instances with these roles join as nodes. */
export function roleMappings(roles: Registered[], given: unknown): unknown {
    const nodes = roles.map(({ outputs }) => ({
        rolearn: outputs.arn,
        username: "system:node:{{EC2PrivateDNSName}}",
        groups: ["system:bootstrappers", "system:nodes"],
    }));
    const others = list(given)
        .map(record)
        .map(({ roleArn, username, groups }) => ({ rolearn: roleArn, username, groups }));
    const all = [...others, ...nodes];
    if (hasUnknown(all)) return UNKNOWN;
    const line = ({ rolearn, username, groups }: (typeof all)[number]): string =>
        `- rolearn: ${String(rolearn)}\n  username: ${JSON.stringify(username)}\n  groups: ${JSON.stringify(groups ?? [])}\n`;
    return all.length === 0 ? "[]\n" : all.map(line).join("");
}
