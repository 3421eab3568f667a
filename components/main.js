// What programs load. A published package is compiled (`dist`); in the source tree the TypeScript is read as it is.
const fs = require("node:fs");
const path = require("node:path");

const compiled = path.join(__dirname, "dist", "index.js");
if (fs.existsSync(compiled)) {
    module.exports = require(compiled);
} else {
    require("tsx/cjs");
    module.exports = require("./index.ts");
}
