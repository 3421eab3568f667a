import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ComponentProvider } from "@pulumi/pulumi/provider/experimental/provider";
import * as library from "../../components";

/** What `pulumi package get-schema components/plugin` answers. */
async function schema() {
    const components = Object.values(library as Record<string, unknown>).filter(
        (one) => typeof one === "function" && one.prototype instanceof pulumi.ComponentResource,
    );
    const provider = new ComponentProvider({
        name: "airflow-eks",
        components: components as never[],
        dirname: join(__dirname, "../../components"),
    });
    return JSON.parse(await provider.getSchema());
}

describe("the components as an npm package", function () {
    this.timeout(300_000);

    it("are compiled into what Node and any program's TypeScript read without a translator", () => {
        const root = join(__dirname, "../..");
        const compiled = mkdtempSync(join(tmpdir(), "components-"));
        try {
            const tsc = join(root, "node_modules/typescript/bin/tsc");
            execFileSync(process.execPath, [tsc, "-p", join(root, "components"), "--outDir", compiled]);
            const env = { ...process.env, NODE_PATH: join(root, "node_modules"), NODE_OPTIONS: "" };
            const script = "console.log(JSON.stringify(Object.keys(require(process.argv[1]))))";
            const names = execFileSync(process.execPath, ["-e", script, compiled], { env, encoding: "utf8" });
            assert.deepEqual(JSON.parse(names).sort(), Object.keys(library).sort());
        } finally {
            rmSync(compiled, { recursive: true });
        }
    });
});

describe("the components as a package for every language", function () {
    this.timeout(180_000);

    it("has every component, with types that each language can say", async () => {
        const { resources } = await schema();
        for (const name of ["EfsSharedStorage", "EbsCsiStack", "AirflowCelery", "SpotNodeGroup", "Keda"]) {
            assert.ok(resources[`airflow-eks:index:${name}`]?.isComponent, name);
        }
        assert.ok(Object.keys(resources).length >= 34, `${Object.keys(resources).length} components`);
        // Another component's output must fit, in Python and YAML too.
        const { cluster, zones } = resources["airflow-eks:index:EfsSharedStorage"].inputProperties;
        assert.ok(!cluster.plain, "the cluster may be an output");
        assert.ok(zones.plain, "zones decide what exists");
    });
});
