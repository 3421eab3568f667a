import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { Rehearsals } from "./harness";

/** A class that is wrong in two ways, registered without a provider: a policy pack sees it like any other resource. */
const program = `
import * as pulumi from "@pulumi/pulumi";
class Any extends pulumi.Resource {
    constructor(type: string, name: string, props: pulumi.Inputs) {
        super(type, name, false, props, {});
        pulumi.runtime.registerResourceOutputs(this, props);
    }
}
new Any("kubernetes:storage.k8s.io/v1:StorageClass", "disk", {
    metadata: { name: "disk" },
    provisioner: "ebs.csi.aws.com",
    parameters: { Encrypted: "no" },
});
`;

describe("the policy pack's configuration, through the real engine", function () {
    this.timeout(900_000);
    const rehearsals = new Rehearsals();
    const folder = rehearsals.program({ "index.ts": program });
    after(() => rehearsals.remove());

    function configured(config: object): string[] {
        const file = path.join(rehearsals.directory, "config.json");
        fs.writeFileSync(file, JSON.stringify(config));
        return ["--policy-pack-config", file];
    }

    it("lets exceptions hold until they end", async () => {
        const except = (until: string) => ({ exceptions: [{ resource: "disk", reason: "to be migrated", until }] });
        const config = {
            "ebs-storage-class-encrypted": except("2999-12-31"),
            "ebs-wait-for-first-consumer": except("2020-12-31"),
        };
        const preview = await rehearsals.run({ verb: "preview", program: folder, engineArgs: configured(config) });
        assert.equal(preview.exitCode, 1);
        assert.deepEqual(
            preview.policies?.violations.map(({ rule }) => rule),
            ["ebs-wait-for-first-consumer"],
        );
        assert.match(preview.policies?.violations[0].message ?? "", /An exception for it ended on 2020-12-31/);
    });

    it("refuses settings of rules that do not exist", async () => {
        const preview = await rehearsals.run({
            verb: "preview",
            program: folder,
            engineArgs: configured({ "ebs-encrypted": "advisory" }),
        });
        assert.equal(preview.exitCode, 1);
        assert.match(preview.problems(), /ebs-encrypted: there is no such rule/);
    });

    it("mends classes where that is asked for", async () => {
        const config = { "ebs-storage-class-encrypted": "remediate", "ebs-wait-for-first-consumer": "remediate" };
        const up = await rehearsals.run({ verb: "up", program: folder, engineArgs: configured(config) });
        assert.equal(up.exitCode, 0, up.problems());
        const { deployment } = await rehearsals.export({ program: folder });
        const disk = deployment.resources?.find(({ urn }) => urn.endsWith("::disk"));
        assert.deepEqual(disk?.inputs?.parameters, { Encrypted: "true" });
        assert.equal(disk?.inputs?.volumeBindingMode, "WaitForFirstConsumer");
    });
});
