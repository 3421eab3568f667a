import { rule as floor } from "../../../policy-pack/rules/efsCsiVersionFloor";
import { rule as database } from "../../../policy-pack/rules/databaseNotPublic";
import { rule as volumes } from "../../../policy-pack/rules/ebsVolumeEncrypted";
import { rule as nfs } from "../../../policy-pack/rules/nfsNotPublic";
import { rule as targets } from "../../../policy-pack/rules/efsMountTargetPerZone";
import { UNKNOWN } from "../../../policy-pack/plain";
import { group, open, WORLD } from "./groups";
import { fails, type Made, passes, waits } from "./helpers";

const WRONG = [5, true, "0.0.0.0/0", ["text"], [[]], Number.NaN];

describe("values of a wrong type are never passed over", () => {
    const withIngress = (ingress: unknown): Made[] => [{ ...group(), props: { ingress } }];
    const addon = (addonVersion: unknown): Made[] => [
        { type: "aws:eks/addon:Addon", props: { addonName: "aws-efs-csi-driver", addonVersion } },
    ];
    for (const wrong of WRONG) {
        it(`in the place of a rule: ${JSON.stringify(wrong)}`, () => fails(nfs, withIngress(wrong)));
    }
    for (const wrong of [true, ["v2.0.0"], { version: "v2.0.0" }]) {
        it(`in the place of a version: ${JSON.stringify(wrong)}`, () => fails(floor, addon(wrong)));
    }
    it("but nothing is no rule, and no version the newest", () => {
        passes(nfs, withIngress(undefined));
        passes(nfs, withIngress([]));
        passes(nfs, withIngress([null]));
        passes(nfs, withIngress([{}]));
        passes(floor, addon(undefined));
        passes(floor, addon("v2.1.0-eksbuild.1"));
    });
    it("in the place of a mapping", () => {
        const template = (ebs: unknown): Made[] => [
            {
                type: "aws:ec2/launchTemplate:LaunchTemplate",
                props: { blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs }] },
            },
        ];
        for (const wrong of [[], {}, null, 5]) {
            fails(volumes, template(wrong));
        }
        passes(volumes, template({ encrypted: "true" }));
        passes(volumes, template([{ encrypted: "true" }]));
    });
    it("in the place of a group or a subnet", () => {
        const db = (vpcSecurityGroupIds: unknown): Made => ({
            type: "aws:rds/instance:Instance",
            props: { engine: "postgres", vpcSecurityGroupIds },
            from: { vpcSecurityGroupIds: ["group"] },
        });
        fails(database, [db([UNKNOWN]), group(open({ fromPort: 5000, toPort: 6000, cidrBlocks: [WORLD] }))]);
        fails(database, [db([{}]), group(open({ fromPort: 5000, toPort: 6000, cidrBlocks: [WORLD] }))]);
        const files: Made[] = [
            { type: "aws:efs/fileSystem:FileSystem", props: { id: "fs-1" } },
            { type: "aws:efs/mountTarget:MountTarget", props: { fileSystemId: "fs-1", subnetId: "s" } },
        ];
        const nodes = (...subnetIds: unknown[]): Made => ({
            type: "aws:eks/nodeGroup:NodeGroup",
            props: { subnetIds },
        });
        passes(targets, [...files, nodes("s")]);
        waits(targets, [...files, nodes("s", 5)]);
    });
});
