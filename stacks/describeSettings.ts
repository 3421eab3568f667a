/**
 * Writes Pulumi.yaml, in which every key of a stack's configuration stands with type, default and description: `pulumi config`
 * shows them, and the engine refuses values of another type. All of it comes from the documentation of the `Settings` interface
 * and of the components' arguments, so that it is said once. `npm run settings` writes the file, a test compares it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import * as ts from "typescript";
import { SECRETS } from "./settings";

const root = join(__dirname, "..");
const projectFile = join(root, "Pulumi.yaml");

interface ConfigKey {
    type: string;
    items?: { type: string };
    description: string;
    default?: unknown;
}

/** The text of Pulumi.yaml, as the code wants it. */
export function describedProject(): string {
    const project = {
        name: "airflow-on-eks",
        description: "Apache Airflow with CeleryExecutor and KEDA on Amazon EKS, with storage that never strands a pod",
        // tsx strips types without checking them: a preview starts in half the time, and `npm run typecheck` has checked them.
        runtime: {
            name: "nodejs",
            options: { packagemanager: "npm", typescript: false, nodeargs: "--require tsx/cjs" },
        },
        main: "stacks/index.ts",
        config: settingsKeys(),
    };
    return [
        "# Written by `npm run settings` from the documentation in stacks/settings.ts and components/: change it there.",
        "# Values of a stack belong into Pulumi.<stack>.yaml; look at them with `pulumi config`.",
        dump(project, { indent: 4, lineWidth: -1, noRefs: true, quotingType: '"' }),
    ].join("\n");
}

function settingsKeys(): Record<string, ConfigKey> {
    const { options } = ts.parseJsonConfigFileContent(
        ts.readConfigFile(join(root, "tsconfig.json"), ts.sys.readFile).config,
        ts.sys,
        root,
    );
    const file = join(__dirname, "settings.ts");
    const program = ts.createProgram([file], { ...options, types: ["node"] });
    const checker = program.getTypeChecker();
    const source = program.getSourceFile(file);
    const settings = source?.statements.find(
        (statement): statement is ts.InterfaceDeclaration =>
            ts.isInterfaceDeclaration(statement) && statement.name.text === "Settings",
    );
    if (!settings) {
        throw new Error("stacks/settings.ts declares no interface Settings");
    }
    const keys = checker.getTypeAtLocation(settings).getProperties();
    return Object.fromEntries(keys.map((key) => [key.name, describeKey(checker, key, settings)]));
}

function describeKey(checker: ts.TypeChecker, key: ts.Symbol, at: ts.Node): ConfigKey {
    const types = plainTypes(checker, checker.getTypeOfSymbolAtLocation(key, at));
    const value = tagsOf(checker, key).get("default");
    return {
        ...configType(checker, types),
        description: [documentation(checker, key), ...describeParts(checker, types, key.name, at)].join("\n"),
        ...(value !== undefined && { default: JSON.parse(value) as unknown }),
    };
}

/** A line for each key of an object, of a list's objects or of a map's objects, with the lines of its own keys below. */
function describeParts(checker: ts.TypeChecker, types: ts.Type[], path: string, at: ts.Node): string[] {
    const inner = elementsOf(checker, types);
    if (inner) {
        return describeParts(checker, inner.types, path, at);
    }
    if (!isObject(types)) {
        return [];
    }
    return types[0].getProperties().flatMap((part) => {
        const partPath = `${path}.${part.name}`;
        const partTypes = plainTypes(checker, checker.getTypeOfSymbolAtLocation(part, at));
        const below = describeParts(checker, partTypes, partPath, at).map((line) => `  ${line}`);
        return [`- ${describePart(checker, part, partTypes, partPath)}`, ...below];
    });
}

/** One line for a key of an object: its type, meaning and default. */
function describePart(checker: ts.TypeChecker, part: ts.Symbol, types: ts.Type[], path: string): string {
    const given = tagsOf(checker, part).get("default");
    const value = given === undefined ? "" : ` Default: ${oneLine(given).replace(/\.$/, "")}.`;
    const kind = [typeName(checker, types), ...(SECRETS.includes(path) ? ["secret"] : [])].join(", ");
    return `${part.name} (${kind}): ${documentation(checker, part)}${value}`;
}

function tagsOf(checker: ts.TypeChecker, symbol: ts.Symbol): Map<string, string> {
    return new Map(symbol.getJsDocTags(checker).map((tag) => [tag.name, ts.displayPartsToString(tag.text)]));
}

function documentation(checker: ts.TypeChecker, symbol: ts.Symbol): string {
    return oneLine(ts.displayPartsToString(symbol.getDocumentationComment(checker)));
}

function oneLine(text: string): string {
    return text
        .replace(/\{@link (\w+)\s*\}/g, "$1")
        .replace(/\s+/g, " ")
        .trim();
}

/** What a value may be, without `undefined`, outputs and promises: one type, or the members of a union. */
function plainTypes(checker: ts.TypeChecker, type: ts.Type): ts.Type[] {
    const bare = checker.getNonNullableType(type);
    return bare.isUnion()
        ? bare.types.filter((member) => !["Promise", "OutputInstance"].includes(member.symbol?.name ?? ""))
        : [bare];
}

/** What a list or a map holds; undefined for anything else. */
function elementsOf(
    checker: ts.TypeChecker,
    [type]: ts.Type[],
): { kind: "list" | "map"; types: ts.Type[] } | undefined {
    if (checker.isArrayType(type)) {
        const [element] = checker.getTypeArguments(type as ts.TypeReference);
        return { kind: "list", types: plainTypes(checker, element) };
    }
    const values = isObject([type]) ? checker.getIndexTypeOfType(type, ts.IndexKind.String) : undefined;
    return values && { kind: "map", types: plainTypes(checker, values) };
}

function configType(checker: ts.TypeChecker, types: ts.Type[]): { type: string; items?: { type: string } } {
    if (checker.isArrayType(types[0])) {
        const items = elementsOf(checker, types)?.types ?? [];
        return { type: "array", items: { type: configType(checker, items).type } };
    }
    if (isAll(types, ts.TypeFlags.BooleanLike)) {
        return { type: "boolean" };
    }
    if (isAll(types, ts.TypeFlags.NumberLike)) {
        return { type: "integer" };
    }
    return { type: isAll(types, ts.TypeFlags.StringLike) ? "string" : "object" };
}

function isAll(types: ts.Type[], flags: ts.TypeFlags): boolean {
    return types.every((member) => member.flags & flags);
}

function isObject(types: ts.Type[]): boolean {
    return isAll(types, ts.TypeFlags.Object | ts.TypeFlags.Intersection);
}

function typeName(checker: ts.TypeChecker, types: ts.Type[]): string {
    if (types.length > 1 && types.every((member) => member.isStringLiteral())) {
        return types.map((member) => (member as ts.StringLiteralType).value).join(" | ");
    }
    const elements = elementsOf(checker, types);
    if (elements) {
        return isAll(elements.types, ts.TypeFlags.Any)
            ? elements.kind
            : `${elements.kind} of ${typeName(checker, elements.types)}`;
    }
    const { type } = configType(checker, types);
    return type === "integer" ? "number" : type;
}

if (require.main === module) {
    const text = describedProject();
    if (!process.argv.includes("--check")) {
        writeFileSync(projectFile, text);
    } else if (readFileSync(projectFile, "utf8") !== text) {
        console.error("Pulumi.yaml is not what the documentation in the code says; run `npm run settings`.");
        process.exitCode = 1;
    }
}
