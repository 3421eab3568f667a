import type { CheckFailure } from "../../shell/type";
import { dataKey } from "./names";
import type { Manifest } from "./object";
import { record } from "./value";

/** Keys of a Secret's or ConfigMap's data, base64 in a Secret, and the limit of 1 MiB for all of it. */
export function checkData(manifest: Manifest, secret: boolean): CheckFailure[] {
    const failures: CheckFailure[] = [];
    let bytes = 0;
    for (const field of secret ? ["data", "stringData"] : ["data", "binaryData"]) {
        for (const [key, value] of Object.entries(record(manifest[field]))) {
            const problem = dataKey(key);
            if (problem) {
                failures.push({ property: `${field}["${key}"]`, reason: problem });
            }
            if (typeof value !== "string") {
                continue;
            }
            bytes += value.length;
            if (((secret && field === "data") || field === "binaryData") && !isBase64(value)) {
                failures.push({ property: `${field}["${key}"]`, reason: "illegal base64 data" });
            }
        }
    }
    return bytes > 2 ** 20
        ? [...failures, { property: "data", reason: "Too long: may not be more than 1048576 bytes" }]
        : failures;
}

function isBase64(value: string): boolean {
    const plain = value.replace(/[\r\n]/g, "");
    return plain.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(plain);
}
