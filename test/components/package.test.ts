import assert from "node:assert/strict";
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
