/**
 * Writes Pulumi.yaml, in which every key of a stack's configuration stands with type, default and description: `pulumi config`
 * shows them, and the engine refuses values of another type. All of it comes from the documentation of the `Settings` interface
 * and of the components' arguments, so that it is said once. `npm run settings` writes the file, a test compares it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";
import * as ts from "typescript";

const root = join(__dirname, "..");
const projectFile = join(root, "Pulumi.yaml");

interface ConfigKey {
    type: string;
    items?: { type: string };
    description: string;
    secret?: boolean;
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
    const type = plainType(checker, checker.getTypeOfSymbolAtLocation(key, at));
    const tags = new Map(key.getJsDocTags(checker).map((tag) => [tag.name, ts.displayPartsToString(tag.text)]));
    const parts =
        type.isClassOrInterface() || (type.flags & ts.TypeFlags.Object && !checker.isArrayType(type))
            ? type.getProperties().map((part) => `- ${describePart(checker, part, at)}`)
            : [];
    const config: ConfigKey = {
        ...configType(checker, type),
        description: [documentation(checker, key), ...parts].join("\n"),
    };
    if (tags.has("secret")) {
        config.secret = true;
    }
    const value = tags.get("default");
    if (value !== undefined) {
        config.default = JSON.parse(value);
    }
    return config;
}

/** One line for a key of an object: its type, meaning and default. */
function describePart(checker: ts.TypeChecker, part: ts.Symbol, at: ts.Node): string {
    const type = plainType(checker, checker.getTypeOfSymbolAtLocation(part, at));
    const value = part
        .getJsDocTags(checker)
        .filter((tag) => tag.name === "default")
        .map((tag) => ` Default: ${oneLine(ts.displayPartsToString(tag.text)).replace(/\.$/, "")}.`)
        .join("");
    return `${part.name} (${typeName(checker, type, at)}): ${documentation(checker, part)}${value}`;
}

function documentation(checker: ts.TypeChecker, symbol: ts.Symbol): string {
    return oneLine(ts.displayPartsToString(symbol.getDocumentationComment(checker)).replace(/\{@link (\w+)\}/g, "$1"));
}

function oneLine(text: string): string {
    return text.replace(/\s+/g, " ").trim();
}

/** The type without `undefined`, outputs and promises. */
function plainType(checker: ts.TypeChecker, type: ts.Type): ts.Type {
    const bare = checker.getNonNullableType(type);
    if (!bare.isUnion()) {
        return bare;
    }
    const plain = bare.types.filter((member) => !["Promise", "OutputInstance"].includes(member.symbol?.name ?? ""));
    return plain.length === 1 ? plain[0] : bare;
}

function configType(checker: ts.TypeChecker, type: ts.Type): { type: string; items?: { type: string } } {
    if (checker.isArrayType(type)) {
        const [element] = checker.getTypeArguments(type as ts.TypeReference);
        return { type: "array", items: { type: configType(checker, element).type } };
    }
    if (type.flags & ts.TypeFlags.BooleanLike || isAll(type, ts.TypeFlags.BooleanLike)) {
        return { type: "boolean" };
    }
    if (type.flags & ts.TypeFlags.NumberLike) {
        return { type: "integer" };
    }
    return { type: type.flags & ts.TypeFlags.StringLike || isAll(type, ts.TypeFlags.StringLike) ? "string" : "object" };
}

function isAll(type: ts.Type, flags: ts.TypeFlags): boolean {
    return type.isUnion() && type.types.every((member) => member.flags & flags);
}

function typeName(checker: ts.TypeChecker, type: ts.Type, at: ts.Node): string {
    if (type.isUnion() && type.types.every((member) => member.isStringLiteral())) {
        return type.types.map((member) => (member as ts.StringLiteralType).value).join(" | ");
    }
    if (checker.isArrayType(type)) {
        const [element] = checker.getTypeArguments(type as ts.TypeReference);
        return `list of ${typeName(checker, plainType(checker, element), at)}`;
    }
    const { type: kind } = configType(checker, type);
    if (kind !== "object") {
        return type.flags & ts.TypeFlags.NumberLike ? "number" : kind;
    }
    const values = checker.getIndexTypeOfType(type, ts.IndexKind.String);
    if (values) {
        return values.flags & ts.TypeFlags.Any ? "map" : `map of ${typeName(checker, plainType(checker, values), at)}`;
    }
    const keys = type.getProperties().map((part) => part.name);
    return keys.length > 0 ? `{${keys.join(", ")}}` : "map";
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
