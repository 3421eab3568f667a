import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cleaningScript } from "../../../components/airflow/logs";

describe("the script that cleans logs", () => {
    const folder = mkdtempSync(join(tmpdir(), "logs-"));
    after(() => rmSync(folder, { recursive: true, force: true }));

    it("deletes what is old and the folders that it leaves, and nothing else", () => {
        const day = 24 * 3600;
        const now = Date.now() / 1000;
        const put = (path: string, age: number) => {
            mkdirSync(join(folder, path, ".."), { recursive: true });
            writeFileSync(join(folder, path), "log");
            utimesSync(join(folder, path), now - age, now - age);
        };
        put("dag_id=a/old.log", 9 * day);
        put("dag_id=a/new.log", 6 * day);
        put("dag_id=with space/old 'quoted'.log", 9 * day);
        mkdirSync(join(folder, "just-made"));
        mkdirSync(join(folder, "long-empty"));
        utimesSync(join(folder, "long-empty"), now - day, now - day);

        const script = cleaningScript(7).replace("/opt/airflow/logs", folder);
        execFileSync("bash", ["-c", script]);

        assert.ok(!existsSync(join(folder, "dag_id=a/old.log")));
        assert.ok(existsSync(join(folder, "dag_id=a/new.log")));
        assert.ok(!existsSync(join(folder, "dag_id=with space/old 'quoted'.log")));
        assert.ok(existsSync(join(folder, "just-made")));
        assert.ok(!existsSync(join(folder, "long-empty")));
    });
});
