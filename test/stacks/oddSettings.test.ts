import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { readSettings } from "../../stacks/settings";

interface Project {
    config: Record<string, { description: string }>;
}

/** Every key of the settings, as Pulumi.yaml describes them: `airflow.dags.bundles[].name`, `files.classes.*.uid`. */
function describedPaths(): string[] {
    const project = load(readFileSync(join(__dirname, "../../Pulumi.yaml"), "utf8")) as Project;
    return Object.entries(project.config).flatMap(([area, { description }]) => {
        const above: string[] = [area];
        const parts = description.split("\n").flatMap((line) => {
            const [, indent, name, type] = /^( *)- (\w+) \(([^)]*)\): \S/.exec(line) ?? [];
            if (name === undefined) {
                assert.doesNotMatch(line, /^ *- /, "a key without a type or a meaning");
                return [];
            }
            const depth = indent.length / 2 + 1;
            const path = `${above[depth - 1]}.${name}`;
            above[depth] =
                path + (type.startsWith("list of object") ? "[]" : type.startsWith("map of object") ? ".*" : "");
            return [path];
        });
        return [area, ...parts];
    });
}

function valuesAt(path: string, value: unknown): Record<string, unknown> {
    const keys = path.replaceAll("[]", ".[]").split(".");
    const inside = (index: number): unknown => {
        if (index === keys.length) {
            return value;
        }
        return keys[index] === "[]"
            ? [inside(index + 1)]
            : { [keys[index] === "*" ? "one" : keys[index]]: inside(index + 1) };
    };
    const areas = inside(0) as Record<string, unknown>;
    const [area] = keys;
    // What is switched off is judged too, but only what is on is completed.
    return keys.length > 1 ? { [area]: { enabled: true, ...(areas[area] as object) } } : areas;
}

const odd = ["x", -1, 1.5, true, null, [], ["x"], [null], [{}], {}, { a: null }, { a: "x" }];

describe("odd settings", () => {
    const paths = describedPaths();

    it("are described to the last key", () => {
        for (const path of ["keda.replicas", "airflow.dags.bundles[].name", "disks.classes.*.fsType"]) {
            assert.ok(paths.includes(path), path);
        }
        assert.ok(paths.length > 500, `${paths.length} keys`);
    });

    it("are refused or taken, but no check trips over them", function () {
        this.timeout(120_000);
        const trips = new Set<string>();
        for (const path of paths) {
            for (const value of odd) {
                try {
                    readSettings({ region: "eu-west-1", secretKeys: [], values: valuesAt(path, value) });
                } catch (error) {
                    trips.add(`${path}: ${JSON.stringify(value)}: ${(error as Error).message}`);
                }
            }
        }
        assert.deepEqual([...trips], []);
    });
});
