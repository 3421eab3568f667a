// What Pulumi starts. A published pack is compiled (`dist`); in the source tree the TypeScript is read as it is.
const fs = require("node:fs");
const path = require("node:path");

const compiled = path.join(__dirname, "dist", "pack.js");
if (fs.existsSync(compiled)) {
    require(compiled);
} else {
    require("tsx/cjs");
    require("./pack.ts");
}
