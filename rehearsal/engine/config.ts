import * as yaml from "js-yaml";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOT, type Places } from "./places";
import { Sealer } from "./secrets";
import { UsageError } from "./usage";

type Settings = Record<string, unknown>;

/** What `Pulumi.yaml` says of the project, as far as a rehearsal wants to know it. */
export interface Project {
    name: string;
    directory: string;
    /** Where the program and its providers run: beside `main`. */
    workingDirectory: string;
    /**
     * The keys under `config:` and `template.config:`, each with its namespace. The engine demands a value for each of the
     * former; the latter may hold all that there are.
     */
    declared: Set<string>;
}

export function readProject(directory: string): Project {
    const file = path.join(directory, "Pulumi.yaml");
    if (!fs.existsSync(file)) {
        throw new UsageError(`${directory} is no Pulumi program: it has no Pulumi.yaml`);
    }
    const project = (readYaml(file) ?? {}) as {
        name?: string;
        main?: string;
        config?: Settings;
        template?: { config?: Settings };
    };
    if (typeof project.name !== "string") {
        throw new UsageError(`${file} names no project`);
    }
    const name = project.name;
    const declared = new Set(
        Object.keys({ ...project.config, ...project.template?.config }).map((key) => withNamespace(key, name)),
    );
    const main = path.join(directory, project.main ?? ".");
    const isFolder = (one: string) => fs.statSync(one, { throwIfNoEntry: false })?.isDirectory() === true;
    const workingDirectory = [main, path.dirname(main)].find(isFolder) ?? directory;
    return { name, directory, workingDirectory, declared };
}

/** The stacks that a program's folder knows: one tracked settings file each. */
export function knownStacks(directory: string): string[] {
    return fs
        .readdirSync(directory)
        .map((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1])
        .filter((stack): stack is string => stack !== undefined)
        .sort();
}

/** One `--set` or `--secret`: a path into the structured configuration, and a value (`undefined` unsets). */
export interface Setting {
    key: string;
    path: (string | number)[];
    value: unknown;
    secret?: boolean;
}

/**
 * Reads `workers.maxSize=5`, `zones[0]=eu-west-1a`, `aws:region=eu-west-1`, `storage={"a": 1}`, `license=null` (unset). As
 * `pulumi config set --path` does, whole numbers and booleans become such, other words stay strings ("1.30" is a version).
 */
export function parseSetting(text: string, project: Project): Setting {
    const equals = text.indexOf("=");
    if (equals <= 0) {
        throw new UsageError(`--set ${text}: expected key=value`);
    }
    const [key, ...rest] = parsePath(text.slice(0, equals));
    const full = withNamespace(String(key), project.name);
    if (full.startsWith(`${project.name}:`) && project.declared.size > 0 && !project.declared.has(full)) {
        const names = [...project.declared].map((name) => name.slice(name.indexOf(":") + 1));
        throw new UsageError(
            `--set ${text}: unknown setting "${key}"; Pulumi.yaml declares ${names.sort().join(", ")}`,
        );
    }
    return { key: full, path: rest, value: parseValue(text.slice(equals + 1)) };
}

function parsePath(text: string): (string | number)[] {
    const parts: (string | number)[] = [];
    const token = /\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|(^|\.)([^.[\]]+)/y;
    while (token.lastIndex < text.length) {
        const match = token.exec(text);
        if (!match) {
            throw new UsageError(`--set ${text}: cannot read the path`);
        }
        if (match[4] === "__proto__" || match[1] === "__proto__") {
            throw new UsageError(`--set ${text}: no setting has this name`);
        }
        parts.push(match[1] ?? (match[2] !== undefined ? Number(match[2]) : match[4]!));
    }
    return parts;
}

function parseValue(text: string): unknown {
    if (/^\s*["[{]/.test(text)) {
        try {
            return JSON.parse(text);
        } catch (error) {
            throw new UsageError(`--set: ${text} is not valid JSON (${(error as Error).message})`);
        }
    }
    if (text === "null") {
        return undefined;
    }
    if (text === "true" || text === "false") {
        return text === "true";
    }
    return /^(0|-?[1-9]\d{0,14})$/.test(text) ? Number(text) : text;
}

/** Reads one `--secret`; its value is always a string. */
export function parseSecret(text: string, project: Project): Setting {
    const equals = text.indexOf("=");
    const { key, path } = parseSetting(text.slice(0, equals + 1) || text, project);
    return { key, path, value: text.slice(equals + 1), secret: true };
}

/**
 * Writes the rehearsal's copy of a stack's configuration: the tracked file, stand-ins for what only the user knows, and what
 * `--set` and `--secret` said. The tracked file itself is only read. Answers with what a person should know of it.
 */
export function writeConfigCopy(project: Project, stack: string, places: Places, settings: Setting[]): string[] {
    const earlier = readSaid(places.settingsFile);
    const said = [...earlier, ...settings];
    const tracked = readTracked(project, stack);
    const previous = (readYaml(places.configFile) ?? {}) as { encryptionsalt?: string };
    const notes = earlierSettings(earlier, settings, project);
    const config = fill(tracked.config, tracked.standIns, "", notes) as Settings;
    for (const setting of said) {
        apply(config, setting.secret ? { ...setting, value: new Secret(String(setting.value)) } : setting);
    }
    const sealed = sealSecrets(config, previous.encryptionsalt);
    const remembered = said.map((one) => ({ ...one, value: one.value ?? null }));
    fs.mkdirSync(path.dirname(places.configFile), { recursive: true });
    writeWhole(places.settingsFile, JSON.stringify(remembered, null, 2));
    writeWhole(places.configFile, yaml.dump(sealed, { lineWidth: -1, noRefs: true }));
    return notes;
}

/** What the program's own files say of a stack. Throws a {@link UsageError} where they cannot be read. */
export function readTracked(project: Project, stack: string): { config: Settings; standIns: Settings } {
    const tracked = readYaml(path.join(project.directory, `Pulumi.${stack}.yaml`)) ?? {};
    const config = (tracked as { config?: Settings }).config ?? {};
    return {
        config: mapKeys(config, (key) => withNamespace(key, project.name)),
        standIns: standIns(project, stack),
    };
}

/** A setting that lasts is easily forgotten, and refuses all further calls when it was a mistake. */
function earlierSettings(earlier: Setting[], now: Setting[], project: Project): string[] {
    const nameOf = ({ key, path }: Setting) => [key.replace(`${project.name}:`, ""), ...path].join(".");
    const anew = new Set(now.map(nameOf));
    const last = new Map(earlier.map((setting) => [nameOf(setting), setting.value]));
    const names = [...last].flatMap(([name, value]) => (value === undefined || anew.has(name) ? [] : [name]));
    return names.length === 0
        ? []
        : [
              `Settings of earlier calls that still hold: ${names.join(", ")} (--set NAME=null takes one back, --fresh all)`,
          ];
}

/** A value that goes into the copy encrypted. */
class Secret {
    constructor(readonly text: string) {}
}

/**
 * What exists in the simulated account before the program runs for the first time, where `seed.json` beside the program (for
 * the clone's own program in `rehearsal/`) names something: a hosted zone, for instance, which a user brings.
 */
export function seedOf(project: Project): string | undefined {
    const file = besideProgram(project, "seed.json");
    return fs.existsSync(file) ? file : undefined;
}

function besideProgram(project: Project, name: string): string {
    const isRoot = fs.realpathSync(project.directory) === fs.realpathSync(ROOT);
    return path.join(isRoot ? path.join(ROOT, "rehearsal") : project.directory, name);
}

/**
 * Values for what only a user knows, in `stand-ins.yaml` beside the program (for the clone's own program in `rehearsal/`):
 * `"*"` for every stack, then the stack's own name; each maps a configuration key to a value. `{secret: "…"}` is a secret.
 */
function standIns(project: Project, stack: string): Settings {
    const file = besideProgram(project, "stand-ins.yaml");
    const all = (readYaml(file) ?? {}) as Record<string, Settings | undefined>;
    const named = (settings: Settings = {}) => mapKeys(settings, (key) => withNamespace(key, project.name));
    return fill(markSecrets(named(all[stack])), markSecrets(named(all["*"])), "", []) as Settings;
}

function markSecrets(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(markSecrets);
    }
    if (!isMap(value)) {
        return value;
    }
    return onlyKey(value, "secret") ? new Secret(String(value.secret)) : mapValues(value, markSecrets);
}

/** Stand-ins fill what is absent, at any depth. What is encrypted for its owner cannot be read here and counts as absent. */
function fill(value: unknown, standIn: unknown, where: string, notes: string[]): unknown {
    if (value === undefined) {
        return standIn;
    }
    if (Array.isArray(value)) {
        return value.map((element, index) => fill(element, undefined, `${where}[${index}]`, notes));
    }
    if (!isMap(value)) {
        return value;
    }
    if (onlyKey(value, "secure")) {
        notes.push(`${where} is encrypted for its owner; the rehearsal uses a stand-in`);
        return standIn ?? new Secret("rehearsed-secret");
    }
    const others = isMap(standIn) ? standIn : {};
    const keys = [...new Set([...Object.keys(value), ...Object.keys(others)])];
    const inside = (key: string) => (where === "" ? key : `${where}.${key}`);
    return Object.fromEntries(keys.map((key) => [key, fill(value[key], others[key], inside(key), notes)]));
}

/** The file's content; a salt is made when there is a first secret, and kept. */
function sealSecrets(config: Settings, salt: string | undefined): object {
    let sealer: Sealer | undefined;
    const seal = (value: unknown): unknown => {
        if (value instanceof Secret) {
            sealer ??= new Sealer(salt);
            return { secure: sealer.seal(value.text) };
        }
        return Array.isArray(value) ? value.map(seal) : isMap(value) ? mapValues(value, seal) : value;
    };
    const sealed = seal(config);
    const kept = sealer?.salt ?? salt;
    return { ...(kept ? { encryptionsalt: kept } : {}), config: sealed };
}

function apply(config: Settings, setting: Setting): void {
    if (setting.path.length === 0) {
        if (setting.value === undefined) {
            delete config[setting.key];
        } else {
            config[setting.key] = setting.value;
        }
        return;
    }
    const last = setting.path.at(-1)!;
    let holder: unknown = (config[setting.key] = copyContainer(config[setting.key], setting.path[0]!));
    for (const [index, step] of setting.path.slice(0, -1).entries()) {
        const inside = holder as Record<string | number, unknown>;
        holder = inside[step] = copyContainer(inside[step], setting.path[index + 1]!);
    }
    if (setting.value !== undefined) {
        (holder as Record<string | number, unknown>)[last] = setting.value;
    } else if (Array.isArray(holder)) {
        holder.splice(Number(last), 1);
    } else {
        delete (holder as Record<string | number, unknown>)[last];
    }
}

function copyContainer(value: unknown, step: string | number): object {
    if (Array.isArray(value)) {
        return [...(value as unknown[])];
    }
    if (isMap(value)) {
        return { ...value };
    }
    return typeof step === "number" ? [] : {};
}

function withNamespace(key: string, project: string): string {
    return key.includes(":") ? key : `${project}:${key}`;
}

function isMap(value: unknown): value is Settings {
    return value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Secret);
}

function onlyKey(value: Settings, key: string): boolean {
    return Object.keys(value).length === 1 && key in value;
}

function mapKeys(settings: Settings, rename: (key: string) => string): Settings {
    return Object.fromEntries(Object.entries(settings).map(([key, value]) => [rename(key), value]));
}

function mapValues(settings: Settings, change: (value: unknown) => unknown): Settings {
    return Object.fromEntries(Object.entries(settings).map(([key, value]) => [key, change(value)]));
}

function readSaid(file: string): Setting[] {
    try {
        const said = JSON.parse(fs.readFileSync(file, "utf8")) as Setting[];
        return said.map((one) => ({ ...one, value: one.value ?? undefined }));
    } catch {
        return [];
    }
}

function readYaml(file: string): unknown {
    let text;
    try {
        text = fs.readFileSync(file, "utf8");
    } catch {
        return undefined;
    }
    try {
        return yaml.load(text, { schema: yaml.CORE_SCHEMA });
    } catch (error) {
        throw new UsageError(`${file}: ${(error as Error).message.split("\n")[0]}`);
    }
}

function writeWhole(file: string, text: string): void {
    fs.writeFileSync(`${file}.${process.pid}`, text);
    fs.renameSync(`${file}.${process.pid}`, file);
}
