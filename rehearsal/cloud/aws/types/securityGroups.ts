import type { Properties, SimulatedType } from "../../shell/type";
import { isObject, list, record, same, text, texts } from "../../shell/values";
import type { World, WorldObject } from "../../shell/world";
import { arn } from "../arn";
import { defaultVpc } from "../defaultVpc";
import { check, refuse, type Findings } from "../checks";
import { parseCidr } from "../cidr";
import { seconds } from "../durations";
import { Kind } from "../kinds";

/** One rule as a firewall sees it, wherever it was written. */
export interface Rule {
    group: string;
    direction: "ingress" | "egress";
    /** `-1` for all, else the protocol's name. */
    protocol: string;
    fromPort: number;
    toPort: number;
    cidrs: string[];
    /** Groups whose members are meant; a group's own id for `self`. */
    groups: string[];
    prefixLists: string[];
    /** The object that the rule is a part of. */
    of: WorldObject;
}

const PROTOCOLS: Record<string, string> = { "6": "tcp", "17": "udp", "1": "icmp", all: "-1" };

/** Every rule of a security group: those written in it, those written apart, and those that AWS put there. */
export function rulesOf(world: World, groupId: string): Rule[] {
    const rules: Rule[] = [];
    const group = world.get(Kind.SecurityGroup, groupId);
    if (group) {
        for (const direction of ["ingress", "egress"] as const) {
            for (const block of list(group.inputs[direction]))
                rules.push(readRule(group, groupId, direction, record(block)));
        }
    }
    for (const rule of world.all(Kind.SecurityGroupRule)) {
        if (rule.inputs.securityGroupId !== groupId) continue;
        rules.push(readRule(rule, groupId, rule.inputs.type === "egress" ? "egress" : "ingress", rule.inputs));
    }
    for (const token of [Kind.IngressRule, Kind.EgressRule]) {
        for (const rule of world.all(token)) {
            if (rule.inputs.securityGroupId !== groupId) continue;
            rules.push(readRule(rule, groupId, token === Kind.EgressRule ? "egress" : "ingress", rule.inputs));
        }
    }
    return rules;
}

function readRule(of: WorldObject, group: string, direction: Rule["direction"], block: Properties): Rule {
    const written = String(block.protocol ?? block.ipProtocol ?? "-1").toLowerCase();
    const protocol = PROTOCOLS[written] ?? written;
    const all = protocol === "-1";
    return {
        of,
        group,
        direction,
        protocol,
        fromPort: all ? 0 : Number(block.fromPort ?? 0),
        toPort: all ? 65535 : Number(block.toPort ?? 65535),
        cidrs: [...texts(block.cidrBlocks), ...texts(block.ipv6CidrBlocks), ...texts([block.cidrIpv4, block.cidrIpv6])],
        groups: [
            ...texts(block.securityGroups),
            ...texts([block.sourceSecurityGroupId, block.referencedSecurityGroupId]),
            ...(block.self === true ? [group] : []),
        ],
        prefixLists: [...texts(block.prefixListIds), ...texts([block.prefixListId])],
    };
}

/** The groups that AWS makes itself let their members talk to each other, and out (VPC User Guide, default security groups). */
function openAmongMembers(): Properties {
    return {
        ingress: [{ protocol: "-1", fromPort: 0, toPort: 0, self: true }],
        egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: ["0.0.0.0/0"] }],
    };
}

export function makeDefaultGroup(world: World, vpcId: string, id: string): void {
    makeImplicitGroup(world, {
        id,
        vpcId,
        name: "default",
        description: "default VPC security group",
        owner: { token: Kind.Vpc, id: vpcId },
    });
}

export function makeImplicitGroup(
    world: World,
    group: {
        id: string;
        vpcId: string;
        name: string;
        description: string;
        owner: WorldObject["owner"];
        tags?: Properties;
    },
): void {
    const inputs = {
        name: group.name,
        description: group.description,
        vpcId: group.vpcId,
        tags: group.tags,
        ...openAmongMembers(),
    };
    world.put({
        token: Kind.SecurityGroup,
        id: group.id,
        inputs,
        outputs: {
            ...inputs,
            arn: arn(world, "ec2", `security-group/${group.id}`),
            ownerId: world.accountId,
            tagsAll: group.tags ?? {},
        },
        implicit: true,
        owner: group.owner,
    });
}

const PORT_PROTOCOLS = /^(tcp|udp|6|17)$/i;

function checkPorts(found: Findings, rule: Properties, at: string, protocolKey: string): void {
    const protocol = text(rule[protocolKey]);
    const { fromPort, toPort } = rule;
    if (protocol === undefined) return;
    if (!/^(-1|all|tcp|udp|icmp|icmpv6|\d{1,3})$/i.test(protocol)) {
        found.add(`${at}${protocolKey}`, `"${protocol}" is not a protocol: tcp, udp, icmp, icmpv6, -1 or a number`);
    }
    if (typeof fromPort !== "number" || typeof toPort !== "number") return;
    if (PORT_PROTOCOLS.test(protocol)) {
        if (fromPort > toPort)
            found.add(`${at}fromPort`, `from_port (${fromPort}) must not be above to_port (${toPort})`);
        if (fromPort < 0 || toPort > 65535) found.add(`${at}toPort`, "ports are between 0 and 65535");
    } else if (/^(-1|all)$/i.test(protocol) && (fromPort > 0 || toPort > 0)) {
        // The provider's rule: with all protocols, all ports are meant.
        found.add(`${at}fromPort`, `from_port (${fromPort}) and to_port (${toPort}) must both be 0 with protocol "-1"`);
    }
}

function checkCidrs(found: Findings, values: unknown[], at: string): void {
    values.forEach((value) => {
        const cidr = text(value);
        if (cidr !== undefined && !cidr.includes(":") && !parseCidr(cidr))
            found.add(at, `"${cidr}" is not a valid CIDR block`);
    });
}

const group: SimulatedType = {
    token: Kind.SecurityGroup,
    seconds: seconds.securityGroup,
    id: (_, world) => `sg-0${world.hex(16)}`,
    references: [
        { path: "vpcId", to: Kind.Vpc, missing: "InvalidVpcID.NotFound" },
        { path: "ingress[*].securityGroups[*]", to: Kind.SecurityGroup, missing: "InvalidGroup.NotFound" },
        { path: "egress[*].securityGroups[*]", to: Kind.SecurityGroup, missing: "InvalidGroup.NotFound" },
    ],
    unique: [["vpcId", "name"]],
    duplicate: "InvalidGroup.Duplicate",
    immutable: ["name", "namePrefix", "description", "vpcId"],
    defaults: (inputs) => ({ description: "Managed by Pulumi", ...inputs }),
    check: check((found, inputs) => {
        found.matches("name", /^(?!sg-).{1,255}$/, 'a group name: up to 255 characters, not starting with "sg-"');
        found.matches("description", /^[A-Za-z0-9 ._\-:/()#,@[\]+=&;{}!$*]{0,255}$/, "a description that EC2 takes");
        for (const direction of ["ingress", "egress"]) {
            list(inputs[direction]).forEach((block, index) => {
                if (!isObject(block)) return;
                checkPorts(found, block, `${direction}[${index}].`, "protocol");
                checkCidrs(found, list(block.cidrBlocks), `${direction}[${index}].cidrBlocks`);
            });
        }
    }),
    outputs: (inputs, id, world, old) => ({
        arn: arn(world, "ec2", `security-group/${id}`),
        // EC2 API Reference, CreateSecurityGroup: without a VPC, the group is one of the default VPC.
        vpcId: inputs.vpcId ?? old?.outputs.vpcId ?? defaultVpc(world).id,
        ingress: inputs.ingress ?? [],
        egress: inputs.egress ?? [],
    }),
    refusesDeletion: (object) =>
        object.implicit && object.inputs.name === "default"
            ? "CannotDelete: the specified group is the default group of its VPC"
            : undefined,
    removed: (object, world) => {
        for (const token of [Kind.SecurityGroupRule, Kind.IngressRule, Kind.EgressRule]) {
            for (const rule of world.all(token)) {
                if (rule.inputs.securityGroupId === object.id) world.remove(token, rule.id);
            }
        }
    },
};

/** EC2 refuses the same permission twice, however it is written (EC2 API Reference, AuthorizeSecurityGroupIngress). */
function refuseDuplicate(world: World, news: Rule, self?: WorldObject): void {
    const twin = rulesOf(world, news.group).find(
        (rule) =>
            rule.of.id !== self?.id &&
            rule.direction === news.direction &&
            rule.protocol === news.protocol &&
            rule.fromPort === news.fromPort &&
            rule.toPort === news.toPort &&
            (rule.cidrs.some((cidr) => news.cidrs.includes(cidr)) ||
                rule.groups.some((id) => news.groups.includes(id)) ||
                rule.prefixLists.some((id) => news.prefixLists.includes(id))),
    );
    if (twin)
        refuse("InvalidPermission.Duplicate", `the specified rule already exists in ${news.group} (${twin.of.id})`);
}

function refuseForeignGroups(world: World, rule: Rule): void {
    const vpcId = world.get(Kind.SecurityGroup, rule.group)?.outputs.vpcId;
    for (const id of rule.groups) {
        const other = world.get(Kind.SecurityGroup, id);
        if (other && other.outputs.vpcId !== vpcId) {
            refuse(
                "InvalidGroup.NotFound",
                `You have specified two resources that belong to different networks: ${rule.group} and ${id}`,
            );
        }
    }
}

const oldRule: SimulatedType = {
    token: Kind.SecurityGroupRule,
    seconds: seconds.call,
    id: (_, world) => `sgrule-${parseInt(world.hex(8), 16)}`,
    references: [
        { path: "securityGroupId", to: Kind.SecurityGroup, missing: "InvalidGroup.NotFound", holds: false },
        { path: "sourceSecurityGroupId", to: Kind.SecurityGroup, missing: "InvalidGroup.NotFound" },
    ],
    immutable: [
        "type",
        "securityGroupId",
        "protocol",
        "fromPort",
        "toPort",
        "cidrBlocks",
        "ipv6CidrBlocks",
        "prefixListIds",
        "self",
        "sourceSecurityGroupId",
    ],
    check: check((found, inputs) => {
        found.oneOf("type", ["ingress", "egress"]);
        const sources = ["cidrBlocks", "ipv6CidrBlocks", "prefixListIds", "self", "sourceSecurityGroupId"];
        found.someOf(...sources);
        for (const path of ["cidrBlocks", "ipv6CidrBlocks"])
            found.exclusive(path, "sourceSecurityGroupId").exclusive(path, "self");
        found.exclusive("self", "sourceSecurityGroupId");
        checkPorts(found, inputs, "", "protocol");
        checkCidrs(found, list(inputs.cidrBlocks), "cidrBlocks");
    }),
    relations: (inputs, world, self) => {
        const rule = readRule(
            { token: Kind.SecurityGroupRule, id: "", inputs, outputs: {} },
            String(inputs.securityGroupId),
            inputs.type === "egress" ? "egress" : "ingress",
            inputs,
        );
        refuseForeignGroups(world, rule);
        refuseDuplicate(world, rule, self);
    },
    outputs: (_, id) => ({ securityGroupRuleId: id.replace("sgrule-", "sgr-") }),
};

function newRule(token: string, direction: Rule["direction"]): SimulatedType {
    return {
        token,
        seconds: seconds.call,
        id: (_, world) => `sgr-0${world.hex(16)}`,
        references: [
            { path: "securityGroupId", to: Kind.SecurityGroup, missing: "InvalidGroup.NotFound", holds: false },
            { path: "referencedSecurityGroupId", to: Kind.SecurityGroup, missing: "InvalidGroup.NotFound" },
        ],
        immutable: ["securityGroupId"],
        check: check((found, inputs) => {
            const sources = ["cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId"];
            found.someOf(...sources).exclusive(...sources);
            checkPorts(found, inputs, "", "ipProtocol");
            checkCidrs(found, [inputs.cidrIpv4], "cidrIpv4");
            const all = inputs.ipProtocol === "-1";
            // EC2 API Reference, AuthorizeSecurityGroupIngress: ports are needed for tcp and udp.
            const needsPorts = PORT_PROTOCOLS.test(text(inputs.ipProtocol) ?? "");
            found.when(needsPorts && !has(inputs, "fromPort"), "fromPort", "required for tcp and udp");
            found.when(needsPorts && !has(inputs, "toPort"), "toPort", "required for tcp and udp");
            for (const port of ["fromPort", "toPort"]) {
                found.when(
                    all && typeof inputs[port] === "number" && inputs[port] !== -1,
                    port,
                    'not with protocol "-1"',
                );
            }
        }),
        relations: (inputs, world, self) => {
            const of = { token, id: "", inputs, outputs: {} };
            const rule = readRule(of, String(inputs.securityGroupId), direction, inputs);
            refuseForeignGroups(world, rule);
            refuseDuplicate(world, rule, self);
        },
        outputs: (_, id, world) => ({ securityGroupRuleId: id, arn: arn(world, "ec2", `security-group-rule/${id}`) }),
    };
}

function has(inputs: Properties, key: string): boolean {
    return !same(inputs[key], undefined);
}

export const securityGroupTypes = [
    group,
    oldRule,
    newRule(Kind.IngressRule, "ingress"),
    newRule(Kind.EgressRule, "egress"),
];
