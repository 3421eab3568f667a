import * as assert from "node:assert/strict";
import type { Problem } from "../../../components/shared/check";

/** Asserts that a check finds problems at exactly these paths, and that each message says what the pattern asks for. */
export function assertProblems(found: Problem[], expected: Record<string, RegExp>): void {
    const paths = (list: string[]) => [...new Set(list)].sort();
    assert.deepEqual(
        paths(found.map(({ path }) => path)),
        paths(Object.keys(expected)),
        JSON.stringify(found, null, 1),
    );
    for (const [path, pattern] of Object.entries(expected)) {
        const messages = found.filter((problem) => problem.path === path).map(({ message }) => message);
        assert.match(messages.join("\n"), pattern, path);
    }
}
