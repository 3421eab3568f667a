import assert from "node:assert/strict";
import * as yaml from "js-yaml";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import {
    knownStacks,
    parseSecret,
    parseSetting,
    readProject,
    writeConfigCopy,
    type Setting,
} from "../../rehearsal/engine/config";
import { rehearsalEnvironment } from "../../rehearsal/engine/environment";
import { cacheDirectory, placesOf, type Places } from "../../rehearsal/engine/places";
import { Sealer } from "../../rehearsal/engine/secrets";
import { UsageError } from "../../rehearsal/engine/usage";

describe("rehearsal: settings", () => {
    let directory: string;
    let places: Places;
    beforeEach(() => {
        directory = fs.mkdtempSync(path.join(os.tmpdir(), "rehearsal-config-"));
        write(
            "Pulumi.yaml",
            "name: p\nruntime: nodejs\nconfig: {workers: {type: object}, zones: {type: array}, p:size: {type: integer}, }\ntemplate: {config: {token: {description: a secret}}}\n",
        );
        write(
            "Pulumi.dev.yaml",
            'encryptionsalt: v1:theirs\nsecretsprovider: awskms://x\nconfig:\n  p:size: 3\n  p:workers: {maxSize: 2, version: "1.30"}\n  aws:region: eu-west-1\n',
        );
        process.env.REHEARSAL_DIR = path.join(directory, "rehearsal");
        places = placesOf(directory, "p", "dev", undefined);
    });
    afterEach(() => {
        delete process.env.REHEARSAL_DIR;
        fs.rmSync(directory, { recursive: true, force: true });
    });

    function write(name: string, text: string): void {
        fs.writeFileSync(path.join(directory, name), text);
    }

    function copy(...settings: string[]): {
        notes: string[];
        file: { config: Record<string, unknown>; encryptionsalt?: string };
    } {
        const project = readProject(directory);
        return copyWith(settings.map((text) => parseSetting(text, project)));
    }

    function copyWith(settings: Setting[]): ReturnType<typeof copy> {
        const project = readProject(directory);
        const notes = writeConfigCopy(project, "dev", places, settings);
        return {
            notes,
            file: yaml.load(fs.readFileSync(places.configFile, "utf8")) as ReturnType<typeof copy>["file"],
        };
    }

    it("copies the tracked file and never writes to it", () => {
        const before = fs.readFileSync(path.join(directory, "Pulumi.dev.yaml"), "utf8");
        const { file } = copy("size=5", "workers.maxSize=9");
        assert.deepEqual(file, {
            config: { "p:size": 5, "p:workers": { maxSize: 9, version: "1.30" }, "aws:region": "eu-west-1" },
        });
        assert.equal(fs.readFileSync(path.join(directory, "Pulumi.dev.yaml"), "utf8"), before);
        assert.ok(!places.configFile.startsWith(path.join(directory, "Pulumi")));
    });

    it("remembers settings from call to call, and follows the tracked file in all others", () => {
        copy("workers.maxSize=9");
        write("Pulumi.dev.yaml", "config:\n  p:size: 4\n  p:workers: {maxSize: 2, minSize: 1}\n");
        assert.deepEqual(copy().file.config, { "p:size": 4, "p:workers": { maxSize: 9, minSize: 1 } });
    });

    it("says which settings of earlier calls still hold", () => {
        assert.deepEqual(copy("workers.maxSize=9", "size=4", "token=x").notes, []);
        const { notes } = copy("size=5", "token=null");
        assert.match(notes.join("\n"), /^Settings of earlier calls that still hold: workers\.maxSize \(/);
        copy("workers.maxSize=null", "size=null");
        assert.deepEqual(copy().notes, []);
    });

    it("keeps the salt that the engine wrote into the copy", () => {
        copy();
        fs.writeFileSync(places.configFile, "encryptionsalt: v1:ours\nconfig: {}\n");
        assert.equal(copy().file.encryptionsalt, "v1:ours");
    });

    it("fills what only the user knows from stand-ins, the stack's own first, never over the tracked file", () => {
        write("stand-ins.yaml", '"*":\n  aws:region: us-east-1\n  token: all\n  zones: [a]\ndev:\n  token: dev\n');
        const { config } = copy().file;
        assert.equal(config["aws:region"], "eu-west-1");
        assert.equal(config["p:token"], "dev");
        assert.deepEqual(config["p:zones"], ["a"]);
    });

    it("puts a stand-in for what is encrypted for its owner, and says so", () => {
        write("Pulumi.dev.yaml", "config:\n  p:token:\n    secure: v1:abc\n  p:workers: {deep: {secure: v1:abc}}\n");
        write("stand-ins.yaml", "dev:\n  token: rehearsed\n");
        const { notes, file } = copy();
        assert.equal(file.config["p:token"], "rehearsed");
        assert.ok(!JSON.stringify(file).includes("v1:abc"));
        assert.equal(open(file, file.config["p:workers"], "deep"), "rehearsed-secret");
        assert.deepEqual(
            notes.map((note) => note.split(" ")[0]),
            ["p:token", "p:workers.deep"],
        );
    });

    it("fills what is absent at any depth", () => {
        write(
            "stand-ins.yaml",
            '"*":\n  workers: {maxSize: 7, minSize: 1, labels: {a: c}}\ndev:\n  workers: {labels: {a: b}}\n',
        );
        assert.deepEqual(copy().file.config["p:workers"], {
            maxSize: 2,
            version: "1.30",
            minSize: 1,
            labels: { a: "b" },
        });
    });

    it("encrypts secrets of stand-ins and of the command line, at any depth, with one salt", () => {
        write("stand-ins.yaml", 'dev:\n  token: {secret: first}\n  workers: {key: {secret: "1"}}\n');
        const { file } = copy();
        assert.equal(open(file, file.config, "p:token"), "first");
        assert.equal(open(file, file.config["p:workers"], "key"), "1");
        const again = copyWith([parseSecret("workers.deep.key=a=b", readProject(directory))]).file;
        assert.equal(again.encryptionsalt, file.encryptionsalt);
        const deep = (again.config["p:workers"] as { deep: unknown }).deep;
        assert.equal(open(again, deep, "key"), "a=b");
        assert.ok(!fs.readFileSync(places.configFile, "utf8").includes("a=b"));
    });

    it("takes an object that happens to be called secret as it is, where a person set it", () => {
        assert.deepEqual(copy('token={"secret": "x"}').file.config["p:token"], { secret: "x" });
    });

    function open(file: { encryptionsalt?: string }, holder: unknown, key: string): string {
        const { secure } = (holder as Record<string, { secure: string }>)[key]!;
        return new Sealer(file.encryptionsalt).open(secure);
    }

    it("reads values as pulumi config set --path does", () => {
        const project = readProject(directory);
        const value = (text: string) => parseSetting(`size=${text}`, project).value;
        assert.deepEqual(["5", "-3", "0", "007", "1.30", "true", "yes", '{"a": [1]}', '"5"', "", "null"].map(value), [
            5,
            -3,
            0,
            "007",
            "1.30",
            true,
            "yes",
            { a: [1] },
            "5",
            "",
            undefined,
        ]);
    });

    it("makes what a path needs, and unsets with null", () => {
        const { config } = copy(
            "zones[1]=b",
            "zones[0]=a",
            "workers.labels.x=1",
            'workers["a.b"]=2',
            "size=null",
            "workers.version=null",
        ).file;
        assert.deepEqual(config, {
            "p:zones": ["a", "b"],
            "p:workers": { maxSize: 2, labels: { x: 1 }, "a.b": 2 },
            "aws:region": "eu-west-1",
        });
        assert.deepEqual(copy("zones[0]=null").file.config["p:zones"], ["b"]);
    });

    it("refuses a key that Pulumi.yaml does not declare, and tells the declared ones", () => {
        const project = readProject(directory);
        assert.throws(
            () => parseSetting("worker.maxSize=1", project),
            (error: Error) =>
                error instanceof UsageError && /"worker".*size, token, workers, zones/.test(error.message),
        );
        assert.throws(() => parseSetting("size", project), UsageError);
        assert.throws(() => parseSetting("size[=1", project), UsageError);
        assert.throws(() => parseSetting("workers={a", project), UsageError);
        assert.equal(parseSetting("aws:region=eu-north-1", project).key, "aws:region");
    });

    it("knows the stacks by their tracked files", () => {
        write("Pulumi.prod.yaml", "");
        assert.deepEqual(knownStacks(directory), ["dev", "prod"]);
    });

    it("refuses a folder without a program in one line", () => {
        assert.throws(() => readProject(path.join(directory, "nowhere")), UsageError);
        write("Pulumi.yaml", "{");
        assert.throws(
            () => readProject(directory),
            (error: Error) => error instanceof UsageError && !error.message.includes("\n"),
        );
    });
});

describe("rehearsal: environment", () => {
    const places = { home: "/r/home", state: "/r/state", judged: "/r/judged" } as Places;

    it("passes nothing that names an account, a cluster, a proxy or the user's Pulumi", () => {
        const caller = {
            PATH: "/bin",
            HOME: "/home/me",
            AWS_PROFILE: "mine",
            AWS_REGION: "x",
            KUBECONFIG: "/k",
            PULUMI_HOME: "/p",
            PULUMI_ACCESS_TOKEN: "t",
            HTTPS_PROXY: "http://p",
            KUBERNETES_SERVICE_HOST: "h",
        };
        const environment = rehearsalEnvironment(places, caller);
        assert.equal(environment.PATH, "/bin");
        assert.equal(environment.PULUMI_HOME, "/r/home");
        assert.equal(environment.PULUMI_BACKEND_URL, "file:///r/state");
        assert.ok(environment.HOME!.startsWith("/r/home"));
        for (const name of [
            "AWS_PROFILE",
            "AWS_REGION",
            "KUBECONFIG",
            "PULUMI_ACCESS_TOKEN",
            "HTTPS_PROXY",
            "KUBERNETES_SERVICE_HOST",
        ]) {
            assert.equal(environment[name], undefined, name);
        }
    });

    it("keeps the CLI in the user's cache folder of each system", () => {
        assert.equal(cacheDirectory({ HOME: "/h" }, "linux"), "/h/.cache/airflow-on-eks-rehearsal");
        assert.equal(cacheDirectory({ HOME: "/h", XDG_CACHE_HOME: "/c" }, "linux"), "/c/airflow-on-eks-rehearsal");
        assert.equal(
            cacheDirectory({ HOME: "/h", XDG_CACHE_HOME: "relative" }, "linux"),
            "/h/.cache/airflow-on-eks-rehearsal",
        );
        assert.equal(cacheDirectory({ HOME: "/h" }, "darwin"), "/h/Library/Caches/airflow-on-eks-rehearsal");
        assert.equal(cacheDirectory({ LOCALAPPDATA: "/l" }, "win32"), path.join("/l", "airflow-on-eks-rehearsal"));
    });
});
