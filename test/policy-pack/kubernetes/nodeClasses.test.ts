import assert from "node:assert/strict";
import { UNKNOWN } from "../../../policy-pack/plain";
import { rule as disks } from "../../../policy-pack/rules/ebsVolumeEncrypted";
import { rule as metadata } from "../../../policy-pack/rules/imdsv2Required";
import { found, helm, k8s, resource, undecided } from "./build";

const nodes = (spec: object, kind = "EC2NodeClass") => k8s("karpenter.k8s.aws/v1", kind, "n", { spec });
const disk = (ebs: unknown) => ({ blockDeviceMappings: [{ deviceName: "/dev/xvda", ebs }] });
const place = ["n: spec.blockDeviceMappings[0].ebs.encrypted"];

describe("the disks of nodes that Karpenter starts", () => {
    it("are encrypted when nothing is said of them, and not when they are listed without saying so", () => {
        assert.deepEqual(found(disks, [nodes({})]), []);
        assert.deepEqual(found(disks, [nodes(disk({ volumeSize: "50Gi", encrypted: true }))]), []);
        assert.deepEqual(found(disks, [nodes(disk({ volumeSize: "50Gi" }))]), place);
        assert.deepEqual(found(disks, [nodes(disk({ volumeSize: "50Gi", encrypted: false }))]), place);
        assert.deepEqual(found(disks, [nodes(disk({ encrypted: false }), "AWSNodeTemplate")]), place);
        assert.deepEqual(found(disks, [nodes(disk({ encrypted: false }), "Other")]), []);
    });
    it("are found in other objects too", () => {
        const extra = { apiVersion: "karpenter.k8s.aws/v1", kind: "EC2NodeClass", spec: disk({ encrypted: false }) };
        assert.deepEqual(found(disks, [helm("x", "any", { extraObjects: [extra] })]), [
            "x: values.extraObjects[0].spec.blockDeviceMappings[0].ebs.encrypted",
        ]);
    });
    it("are encrypted where the account does so, and may need a key of one's own", () => {
        const always = resource("aws:ebs/encryptionByDefault:EncryptionByDefault", "e", { enabled: true });
        assert.deepEqual(found(disks, [always, nodes(disk({}))]), []);
        const own = (kmsKeyID?: string) => [nodes(disk({ encrypted: true, kmsKeyID }))];
        assert.equal(found(disks, own(), { requireCustomerKey: true }).length, 1);
        assert.deepEqual(
            found(disks, own("arn:aws:kms:eu-west-1:111122223333:key/1"), { requireCustomerKey: true }),
            [],
        );
    });
    it("are left to up while unknown, and wrong when they are no disks", () => {
        assert.deepEqual(undecided(disks, [nodes(disk({ encrypted: UNKNOWN }))]), place);
        assert.equal(undecided(disks, [nodes({ blockDeviceMappings: UNKNOWN })]).length, 1);
        for (const blockDeviceMappings of [5, "x", [5], [{ ebs: 5 }]]) {
            assert.equal(found(disks, [nodes({ blockDeviceMappings })]).length, 1, JSON.stringify(blockDeviceMappings));
        }
    });
});

describe("the metadata service of nodes that Karpenter starts", () => {
    it("requires tokens unless something else is said", () => {
        const says = (metadataOptions: object) => [nodes({ metadataOptions })];
        assert.deepEqual(found(metadata, [nodes({})]), []);
        assert.deepEqual(found(metadata, says({ httpPutResponseHopLimit: 2 })), []);
        assert.deepEqual(found(metadata, says({ httpTokens: "required" })), []);
        assert.deepEqual(found(metadata, says({ httpTokens: "optional" })), ["n: spec.metadataOptions.httpTokens"]);
        assert.deepEqual(found(metadata, says({ httpTokens: "optional", httpEndpoint: "disabled" })), []);
        assert.deepEqual(undecided(metadata, says({ httpTokens: UNKNOWN })), ["n: spec.metadataOptions.httpTokens"]);
    });
});
