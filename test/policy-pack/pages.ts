import * as fs from "node:fs";
import * as path from "node:path";
import { load } from "js-yaml";
import type { Resource, RuleConfig } from "../../policy-pack/rule";
import { toProperties } from "../../policy-pack/plain";

const folder = path.join(__dirname, "../../policy-pack/docs");

/** A page of a rule's documentation, with the programs that it shows. */
export interface Page {
    rule: string;
    good: Resource[];
    bad: Resource[];
    config: RuleConfig;
}

/** A resource as pages write it; dependencies are named by logical names. */
interface Written {
    type: string;
    name: string;
    props?: object;
    parent?: string;
    options?: object;
    propertyDependencies?: Record<string, string[]>;
}

export function pages(): Page[] {
    const files = fs.readdirSync(folder).filter((file) => file.endsWith(".md"));
    return files.filter((file) => file !== "configuration.md").map((file) => page(file));
}

function page(file: string): Page {
    const text = fs.readFileSync(path.join(folder, file), "utf8");
    return {
        rule: path.basename(file, ".md"),
        good: program(block(text, "good") ?? []),
        bad: program(block(text, "bad") ?? []),
        config: (block(text, "config") as RuleConfig | undefined) ?? {},
    };
}

function block(text: string, name: string): unknown {
    const match = new RegExp(`\`\`\`yaml ${name}\\n([\\s\\S]*?)\`\`\``).exec(text);
    return match ? load(match[1]) : undefined;
}

function program(written: unknown): Resource[] {
    const all = written as Written[];
    const urn = (name: string) => urnOf(all.find((one) => one.name === name) ?? { type: "unknown", name });
    return all.map((one) => ({
        type: one.type,
        name: one.name,
        urn: urnOf(one),
        props: toProperties(one.props ?? {}),
        options: one.options,
        parent: one.parent === undefined ? undefined : urn(one.parent),
        propertyDependencies: Object.fromEntries(
            Object.entries(one.propertyDependencies ?? {}).map(([property, names]) => [property, names.map(urn)]),
        ),
    }));
}

function urnOf({ type, name }: { type: string; name: string }): string {
    return `urn:pulumi:test::pages::${type}::${name}`;
}
