// What Pulumi starts when a program of another language uses the components: `pulumi package add path/to/components/plugin`.
const path = require("node:path");
require("tsx/cjs");
const { ComponentResource } = require("@pulumi/pulumi");
const { componentProviderHost } = require("@pulumi/pulumi/provider/experimental");
const library = require("..");

componentProviderHost({
    name: "airflow-eks",
    components: Object.values(library).filter((one) => one?.prototype instanceof ComponentResource),
    dirname: path.join(__dirname, ".."),
});
