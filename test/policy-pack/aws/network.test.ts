import * as assert from "node:assert/strict";
import * as fc from "fast-check";
import { globalAddresses, isPublic, parseCidr } from "../../../policy-pack/judge/cidr";
import { opensTcp, type Ports, readPorts } from "../../../policy-pack/judge/ports";
import { UNKNOWN } from "../../../policy-pack/plain";
import { rule as nfs } from "../../../policy-pack/rules/nfsNotPublic";
import { fails, found, holds, type Made, passes, waits } from "./helpers";
import { classic, group, modern, open, WORLD } from "./groups";

describe("isPublic", () => {
    const world = [
        ["0.0.0.0/0"],
        ["::/0"],
        ["0::0/0"],
        ["0:0:0:0:0:0:0:0/0"],
        ["10.0.0.0/0"],
        ["1.2.3.4/0"],
        ["0.0.0.0/1", "128.0.0.0/1"],
        ["0.0.0.0/1"],
    ];
    const halves = [
        ["::/1", "8000::/1"],
        ["2000::/3"],
        ["0.0.0.0/00"],
        [" 0.0.0.0/0 "],
        ["10.0.0.0/8", "8.0.0.0/7", "192.168.0.0/16"],
        ["2600::/12"],
    ];
    for (const cidrs of [...world, ...halves]) {
        it(`is the internet: ${cidrs.join(" and ")}`, () => assert.equal(isPublic(cidrs), true));
    }
    const somebody = [
        [],
        ["10.0.0.0/8"],
        ["203.0.113.0/24"],
        ["17.0.0.0/8"],
        ["192.168.0.0/16", "172.16.0.0/12", "100.64.0.0/10"],
        ["fd00::/8"],
        ["2a05:d018::/36"],
        ["fe80::/10"],
    ];
    for (const cidrs of [
        ...somebody,
        ["garbage"],
        ["0.0.0.0"],
        ["1.2.3/0"],
        ["::/129"],
        ["0.0.0.0/33"],
        ["256.0.0.0/1"],
        [":::/0"],
        [""],
    ]) {
        it(`is not: ${cidrs.join(" and ") || "nothing"}`, () => assert.equal(isPublic(cidrs), false));
    }

    const cidr = fc
        .tuple(fc.nat(255), fc.nat(255), fc.integer({ min: 0, max: 16 }))
        .map(([a, b, length]) => `${a}.${b}.7.9/${length}`);
    holds(
        "counts the public addresses of a union as one counts blocks",
        300,
        fc.property(fc.array(cidr, { maxLength: 12 }), (cidrs) => {
            const blocks = new Uint8Array(1 << 16);
            for (const text of cidrs) {
                const [a, b, , , length] = text.split(/[./]/).map(Number) as [number, number, number, number, number];
                const size = 1 << (16 - length);
                blocks.fill(1, Math.floor((a * 256 + b) / size) * size, Math.floor((a * 256 + b) / size) * size + size);
            }
            let count = 0n;
            blocks.forEach((taken, block) => {
                const [a, b] = [block >> 8, block & 255];
                const local =
                    a === 0 ||
                    a === 10 ||
                    a === 127 ||
                    a >= 224 ||
                    (a === 100 && b >= 64 && b < 128) ||
                    (a === 169 && b === 254) ||
                    (a === 172 && b >= 16 && b < 32) ||
                    (a === 192 && b === 168);
                count += taken && !local ? 65536n : 0n;
            });
            assert.equal(
                globalAddresses(
                    cidrs.map((text) => parseCidr(text)!),
                    4,
                ),
                count,
            );
        }),
    );
    holds(
        "never throws",
        1000,
        fc.property(
            fc.array(
                fc.oneof(
                    fc.string(),
                    fc.ipV4(),
                    fc.ipV6().map((ip) => `${ip}/0`),
                ),
            ),
            (cidrs) => void isPublic(cidrs),
        ),
    );
});

describe("readPorts", () => {
    const spellings: [unknown, unknown, unknown, boolean][] = [
        ["tcp", 2049, 2049, true],
        ["TCP", "2049", "2049", true],
        ["6", 2000, 3000, true],
        [6, 0, 65535, true],
        ["-1", 0, 0, true],
        [-1, 443, 443, true],
        ["all", undefined, undefined, true],
        ["ALL", 0, 0, true],
        ["tcp", undefined, undefined, true],
        ["tcp", 0, 0, false],
        ["tcp", 2050, 65535, false],
        ["tcp", 3000, 2000, true],
        ["udp", 2049, 2049, false],
        ["17", 0, 65535, false],
        ["icmp", -1, -1, false],
        ["icmpv6", -1, -1, false],
        ["50", 0, 0, false],
    ];
    for (const [protocol, from, to, expected] of spellings) {
        it(`${String(protocol)} ${String(from)}-${String(to)} ${expected ? "opens" : "does not open"} NFS`, () =>
            assert.equal(opensTcp(readPorts(protocol, from, to) as Ports, 2049), expected));
    }
    holds(
        "agrees with a walk over the ports",
        500,
        fc.property(
            fc.constantFrom("tcp", "6", "udp", "-1", "all", "icmp"),
            fc.nat(65535),
            fc.nat(65535),
            fc.nat(65535),
            (protocol, from, size, port) => {
                const walked = new Set(
                    Array.from({ length: Math.min(size, 65535 - from) + 1 }, (_, index) => from + index),
                );
                const expected =
                    ["-1", "all"].includes(protocol) || (["tcp", "6"].includes(protocol) && walked.has(port));
                assert.equal(
                    opensTcp(readPorts(protocol, from, Math.min(from + size, 65535)) as Ports, port),
                    expected,
                );
            },
        ),
    );
});

describe("nfs-not-public", () => {
    const bad: Record<string, Made[]> = {
        inline: [group(open())],
        "inline, IPv6": [group(open({ cidrBlocks: undefined, ipv6CidrBlocks: ["::/0"] }))],
        "the second rule": [group(open({ cidrBlocks: ["10.0.0.0/8"] }), open())],
        "a range that holds it": [group(open({ fromPort: 0, toPort: 65535 }))],
        "all protocols": [group(open({ protocol: "-1", fromPort: 0, toPort: 0 }))],
        "a default group": [
            { type: "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", props: { ingress: [open()] } },
        ],
        "a rule of its own": [classic({ cidrBlocks: [WORLD] })],
        "a rule of its own, upper case": [classic({ type: "INGRESS", cidrBlocks: [WORLD] })],
        "a rule of the newest kind": [modern({ cidrIpv4: WORLD })],
        "a rule of the newest kind, IPv6, all": [
            modern({ cidrIpv6: "::/0", ipProtocol: "-1", fromPort: undefined, toPort: undefined }),
        ],
        "halves in one rule": [classic({ cidrBlocks: ["0.0.0.0/1", "128.0.0.0/1"] })],
        "UDP, for NFS alone": [group(open({ protocol: "udp" }))],
        "quarters in four rules": ["0.0.0.0/2", "64.0.0.0/2", "128.0.0.0/2", "192.0.0.0/2"].map((cidrIpv4) =>
            modern({ cidrIpv4 }),
        ),
        "many small rules": Array.from({ length: 256 }, (_, index) => modern({ cidrIpv4: `${index}.0.0.0/8` })),
        "inline and separate ones together": [
            {
                ...group(open({ cidrBlocks: ["1.0.0.0/8"] })),
                props: { id: "sg-1", ingress: [open({ cidrBlocks: ["1.0.0.0/8"] })] },
            },
            classic({ cidrBlocks: ["2.0.0.0/8"] }),
        ],
        "rules joined by a dependency": [
            group(),
            {
                ...classic({ cidrBlocks: ["1.0.0.0/8"], securityGroupId: UNKNOWN }),
                from: { securityGroupId: ["group"] },
            },
            { ...modern({ cidrIpv4: "2.0.0.0/8", securityGroupId: UNKNOWN }), from: { securityGroupId: ["group"] } },
        ],
        "a prefix list by id": [
            classic({ prefixListIds: ["pl-1"] }),
            { type: "aws:ec2/managedPrefixList:ManagedPrefixList", props: { id: "pl-1", entries: [{ cidr: WORLD }] } },
        ],
        "a prefix list by dependency, with entries of their own": [
            { ...modern({ prefixListId: UNKNOWN }), from: { prefixListId: ["list"] } },
            { type: "aws:ec2/managedPrefixList:ManagedPrefixList", name: "list", props: {} },
            ...["0.0.0.0/1", "128.0.0.0/1"].map((cidr) => ({
                type: "aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry",
                props: { cidr, prefixListId: UNKNOWN },
                from: { prefixListId: ["list"] },
            })),
        ],
        "an inline prefix list": [
            { ...group(open({ cidrBlocks: undefined, prefixListIds: [UNKNOWN] })), from: { ingress: ["list"] } },
            {
                type: "aws:ec2/managedPrefixList:ManagedPrefixList",
                name: "list",
                props: { entries: [{ cidr: "::/0" }] },
            },
        ],
        "CloudFormation's group": [
            {
                type: "aws-native:ec2:SecurityGroup",
                props: { securityGroupIngress: [{ ipProtocol: "tcp", fromPort: 2049, toPort: 2049, cidrIp: WORLD }] },
            },
        ],
        "CloudFormation's rule": [
            {
                type: "aws-native:ec2:SecurityGroupIngress",
                props: { groupId: "sg-1", ipProtocol: "-1", cidrIpv6: "::/0" },
            },
        ],
        "a range that is none": [group(open({ cidrBlocks: ["0.0.0.0"] }))],
        "a range that is a number": [group(open({ cidrBlocks: [0] }))],
    };
    for (const [title, made] of Object.entries(bad)) {
        it(`refuses: ${title}`, () => fails(nfs, made));
    }
    const good: Record<string, Made[]> = {
        "the network": [group(open({ cidrBlocks: ["10.20.0.0/16"] }))],
        "another group": [group({ protocol: "tcp", fromPort: 2049, toPort: 2049, securityGroups: ["sg-2"] })],
        itself: [classic({ self: true, protocol: "-1", fromPort: 0, toPort: 0 })],
        "an office": [group(open({ cidrBlocks: ["203.0.113.0/24"] }))],
        "egress to everywhere": [
            classic({ type: "egress", protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: [WORLD] }),
        ],
        "a group with egress only": [
            {
                type: "aws:ec2/securityGroup:SecurityGroup",
                props: { egress: [{ protocol: "-1", fromPort: 0, toPort: 0, cidrBlocks: [WORLD] }] },
            },
        ],
        "HTTPS for everybody": [group(open({ fromPort: 443, toPort: 443 }))],
        "ping for everybody": [group(open({ protocol: "icmp", fromPort: -1, toPort: -1 }))],
        "port 0 only": [group(open({ fromPort: 0, toPort: 0 }))],
        "ports beside it": [classic({ cidrBlocks: [WORLD], fromPort: 2050, toPort: 3000 })],
        "media over UDP": [group(open({ protocol: "udp", fromPort: 1024, toPort: 65535 }))],
        "public parts of different groups": [
            modern({ cidrIpv4: "1.0.0.0/8", securityGroupId: "sg-1" }),
            modern({ cidrIpv4: "2.0.0.0/8", securityGroupId: "sg-2" }),
        ],
        "a list of the office": [
            classic({ prefixListIds: ["pl-1"] }),
            {
                type: "aws:ec2/managedPrefixList:ManagedPrefixList",
                props: { id: "pl-1", entries: [{ cidr: "203.0.113.0/24" }] },
            },
        ],
    };
    for (const [title, made] of Object.entries(good)) {
        it(`takes: ${title}`, () => passes(nfs, made));
    }
    const later: Record<string, Made[]> = {
        "a range": [classic({ cidrBlocks: [UNKNOWN] })],
        "all ranges": [classic({ cidrBlocks: UNKNOWN })],
        "the ports of an open rule": [classic({ cidrBlocks: [WORLD], fromPort: UNKNOWN, toPort: UNKNOWN })],
        "a direction": [classic({ cidrBlocks: [WORLD], type: UNKNOWN })],
        "all rules": [{ type: "aws:ec2/securityGroup:SecurityGroup", props: { ingress: UNKNOWN } }],
        "a foreign prefix list": [modern({ prefixListId: "pl-63a5400a" })],
    };
    for (const [title, made] of Object.entries(later)) {
        it(`waits for: ${title}`, () => waits(nfs, made));
    }
    it("says each thing once", () =>
        assert.deepEqual(found(nfs, [group(open(), open({ fromPort: 443, toPort: 443 }))]), ["group ingress[0]"]));

    const slices = fc.integer({ min: 0, max: 5 }).chain((length) =>
        fc.record({
            cidrs: fc.constant(
                Array.from({ length: 2 ** length }, (_, index) => `${(index * 256) / 2 ** length}.0.0.0/${length}`),
            ),
            form: fc.constantFrom("inline", "classic", "modern", "list"),
        }),
    );
    holds(
        "finds the internet however it is sliced and written",
        300,
        fc.property(slices, fc.constantFrom(2049, 22, 5432), ({ cidrs, form }, port) => {
            fails(nfs, written(form, cidrs, 2049));
            if (port !== 2049) {
                passes(nfs, written(form, cidrs, port));
            }
        }),
    );
});

function written(form: string, cidrs: string[], port: number): Made[] {
    const ports = { fromPort: port, toPort: port };
    switch (form) {
        case "inline":
            return [group(...cidrs.map((cidr) => open({ cidrBlocks: [cidr], ...ports })))];
        case "classic":
            return cidrs.map((cidr) => classic({ cidrBlocks: [cidr], ...ports }));
        case "modern":
            return cidrs.map((cidrIpv4) => modern({ cidrIpv4, ...ports }));
        default:
            return [
                classic({ prefixListIds: ["pl-1"], ...ports }),
                {
                    type: "aws:ec2/managedPrefixList:ManagedPrefixList",
                    props: { id: "pl-1", entries: cidrs.map((cidr) => ({ cidr })) },
                },
            ];
    }
}
