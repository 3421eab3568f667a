import * as path from "node:path";

/** The version of a package's SDK, which is its provider's. */
export function versionOf(pack: string): string {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { version } = require(path.join(`@pulumi/${pack}`, "package.json")) as { version: string };
    return version;
}
