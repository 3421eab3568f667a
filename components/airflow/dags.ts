import * as pulumi from "@pulumi/pulumi";
import { type Problem, plain, under } from "../shared/check";
import { keysOf, listOf } from "../shared/shape";
import type { PodResources } from "./resources";

/** A git repository whose DAGs a sidecar (git-sync 4) keeps fetching. */
export interface GitSyncSettings {
    /** The repository: `git@host:owner/name.git` or `ssh://…` with a key, `https://…` with or without a token. */
    repo: string;
    /** Branch, tag or commit to follow. @default main */
    ref?: string;
    /** The folder of the DAGs within the repository; "" for its root. @default dags */
    subPath?: string;
    /** How many commits are fetched. @default 1 */
    depth?: number;
    /** How often it looks for something new. @default 60s */
    period?: string;
    /** The private key for SSH, as ssh-keygen wrote it. Secret. */
    sshKey?: pulumi.Input<string>;
    /**
     * The server's public keys, as `ssh-keyscan` prints them and the server's owner confirms them. Without them anybody in between could
     * serve other code.
     */
    knownHosts?: string;
    /** The user name for a token. @default git */
    username?: pulumi.Input<string>;
    /** The token for HTTPS. Secret. */
    token?: pulumi.Input<string>;
}

/** A DAG bundle of Airflow 3: Airflow itself fetches it, and knows which version a run used. */
export interface DagBundle {
    /** Its name. */
    name: string;
    /** The class, for example `airflow.providers.git.bundles.git.GitDagBundle`. */
    classpath: string;
    /** What the class takes. Nothing secret: name a connection. @default none */
    kwargs?: { [key: string]: any }; // eslint-disable-line @typescript-eslint/no-explicit-any -- as the SDK analyser takes it
}

/** Where DAGs come from: git-sync, bundles, or neither (the image has them, or Airflow's examples are shown). */
export interface DagSettings {
    /** DAGs from git by a sidecar. Works with Airflow 2 and 3. */
    gitSync?: GitSyncSettings;
    /** DAG bundles, Airflow 3 only. */
    bundles?: DagBundle[];
    /** Whether Airflow shows its example DAGs. @default false */
    examples?: boolean;
}

/** The shape of {@link DagSettings}. */
export const dagsShape = keysOf<DagSettings>({
    gitSync: keysOf<GitSyncSettings>({
        repo: "string",
        ref: "string",
        subPath: "string",
        depth: "integer",
        period: "string",
        sshKey: "string",
        knownHosts: "string",
        username: "string",
        token: "string",
    }),
    bundles: listOf(keysOf<DagBundle>({ name: "string", classpath: "string", kwargs: "anything" })),
    examples: "boolean",
});

/** What is wrong with where DAGs come from. */
export function checkDags(dags: DagSettings = {}, major: 2 | 3): Problem[] {
    const problems: Problem[] = [];
    if (dags.gitSync && dags.bundles) {
        problems.push({
            path: "bundles",
            message: "take git-sync or bundles, not both: both would read the same folder",
        });
    }
    if (dags.bundles && major === 2) {
        problems.push({ path: "bundles", message: "Airflow 2 has no DAG bundles; use gitSync" });
    }
    (dags.bundles ?? []).forEach(({ name, classpath }, index) => {
        if (!name || (dags.bundles ?? []).findIndex((other) => other.name === name) !== index) {
            problems.push({ path: `bundles[${index}].name`, message: `"${name}" must be a name of its own` });
        }
        if (!/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$/.test(classpath)) {
            problems.push({
                path: `bundles[${index}].classpath`,
                message: `"${classpath}" is no path of a Python class`,
            });
        }
    });
    return dags.gitSync ? [...problems, ...under("gitSync", checkGitSync(dags.gitSync))] : problems;
}

function checkGitSync(git: GitSyncSettings): Problem[] {
    const problems: Problem[] = [];
    const refuse = (path: string, message: string) => problems.push({ path, message });
    if (git.repo === undefined) {
        return [{ path: "repo", message: "is missing: name the repository" }];
    }
    const ssh = /^(ssh:\/\/|[\w.-]+@[\w.-]+:)/.test(git.repo);
    if (!ssh && !/^https:\/\/[^@/]+\/.+/.test(git.repo)) {
        refuse("repo", `"${git.repo}" is neither git@host:owner/name.git, ssh://… nor https://… without a user in it`);
    }
    if (ssh) {
        if (git.sshKey === undefined) {
            refuse("sshKey", "is missing: an SSH repository wants the private key of a deploy key");
        }
        if (!git.knownHosts?.trim()) {
            refuse(
                "knownHosts",
                "is missing: without the server's public keys git-sync would trust whoever answers; take them from ssh-keyscan and compare them",
            );
        } else {
            const problem = knownHostsProblem(git.knownHosts, git.repo);
            if (problem) {
                refuse("knownHosts", problem);
            }
        }
        if (git.token !== undefined) {
            refuse("token", "is for https:// repositories; an SSH one takes sshKey");
        }
    } else {
        if (git.sshKey !== undefined) {
            refuse("sshKey", "is for SSH repositories; an https:// one takes token");
        }
        if (git.knownHosts !== undefined) {
            refuse("knownHosts", "is for SSH repositories; an https:// one is known by its certificate");
        }
    }
    if (git.username !== undefined && git.token === undefined) {
        refuse("username", "has no effect without token");
    }
    if (plain(git.token) === "") {
        refuse("token", "is empty; leave it out for a public repository");
    }
    const key = plain(git.sshKey);
    if (key !== undefined && !/^-----BEGIN ([A-Z ]*PRIVATE KEY)-----\r?\n[^]+\n-----END \1-----$/.test(key.trim())) {
        refuse(
            "sshKey",
            "is no whole private key in PEM; give the file's content as it is (a base64 text is what a Secret's manifest wants, and would be encoded twice)",
        );
    }
    if (git.ref !== undefined && (git.ref === "" || /^-|[\s~^:?*[\\]|\.\./.test(git.ref))) {
        refuse("ref", `"${git.ref}" is no branch, tag or commit`);
    }
    if (git.subPath?.startsWith("/") || git.subPath?.split("/").includes("..")) {
        refuse("subPath", `"${git.subPath}" must stay within the repository, without a leading slash`);
    }
    const depth = git.depth ?? 1;
    if (!Number.isInteger(depth) || depth < 0) {
        refuse("depth", `${depth} is not a whole number of at least 0 (0 fetches everything)`);
    }
    if (git.period !== undefined && !/^[1-9]\d*(ms|s|m|h)$/.test(git.period)) {
        refuse("period", `"${git.period}" is no duration such as 60s or 5m`);
    }
    return problems;
}

/** Why keys of servers cannot be used for a repository, or undefined. */
function knownHostsProblem(knownHosts: string, repo: string): string | undefined {
    const lines = knownHosts.split("\n").filter((line) => !/^\s*(#.*)?$/.test(line));
    const keys = lines.map((line) => /^(?:@\S+ )?(\S+) (?:ssh|ecdsa|sk)-\S+ [A-Za-z0-9+/=]+/.exec(line)?.[1]);
    if (keys.length === 0 || keys.includes(undefined)) {
        return 'must be lines of "host type key", as ssh-keyscan prints them';
    }
    const host = /^(?:ssh:\/\/)?(?:[^@/]+@)?\[?([^:/\]]+)/.exec(repo)?.[1] ?? "";
    const names = keys.flatMap((key) => String(key).split(","));
    const covers = (name: string) =>
        // Hashed names and patterns tell too little to refuse them.
        /^\||[*?]/.test(name) || name.replace(/^\[(.*)\]:\d+$/, "$1").toLowerCase() === host.toLowerCase();
    return names.some(covers) ? undefined : `has keys of ${names.join(", ")}, none of ${host}, where the repository is`;
}

/** The Secret that the chart's git-sync reads, or undefined for a public repository. */
export function gitSecret(git: GitSyncSettings): Record<string, pulumi.Input<string>> | undefined {
    if (git.sshKey !== undefined) {
        // OpenSSH refuses a key whose last line does not end.
        return { gitSshKey: pulumi.output(git.sshKey).apply((key) => `${key.replace(/\r\n/g, "\n").trim()}\n`) };
    }
    if (git.token !== undefined) {
        const username = git.username ?? "git";
        // The chart refers to all four, for git-sync 3 and 4.
        return {
            GIT_SYNC_USERNAME: username,
            GITSYNC_USERNAME: username,
            GIT_SYNC_PASSWORD: git.token,
            GITSYNC_PASSWORD: git.token,
        };
    }
    return undefined;
}

/** The chart writes bundles into Airflow's configuration file, where a single percent sign begins a reference. */
function escapePercent(value: unknown): unknown {
    if (typeof value === "string") {
        return value.replace(/%/g, "%%");
    }
    if (Array.isArray(value)) {
        return value.map(escapePercent);
    }
    return typeof value === "object" && value !== null
        ? Object.fromEntries(Object.entries(value).map(([key, entry]) => [escapePercent(key), escapePercent(entry)]))
        : value;
}

/**
 * The values of `dags`. The chart hands `branch` and `rev` to git-sync 4 beside `ref`: a branch with rev HEAD becomes the ref,
 * a branch with another rev ends git-sync, and `ref` alone is overridden by the chart's default branch. So branch and ref are
 * the same, whatever it names, and rev is HEAD (apache/airflow#42918).
 */
export function dagValues(dags: DagSettings = {}, secretName: string | undefined, resources: PodResources) {
    const git = dags.gitSync;
    const ref = git?.ref ?? "main";
    return {
        config: { core: { load_examples: dags.examples ? "True" : "False" } },
        ...(git
            ? {
                  dags: {
                      persistence: { enabled: false },
                      gitSync: {
                          enabled: true,
                          repo: git.repo,
                          branch: ref,
                          ref,
                          rev: "HEAD",
                          depth: git.depth ?? 1,
                          subPath: git.subPath ?? "dags",
                          period: git.period ?? "60s",
                          // A network that fails for an hour must not take the pods with it.
                          maxFailures: 60,
                          resources,
                          ...(git.sshKey !== undefined ? { sshKeySecret: secretName, knownHosts: git.knownHosts } : {}),
                          ...(git.token !== undefined ? { credentialsSecret: secretName } : {}),
                      },
                  },
              }
            : {}),
        ...(dags.bundles
            ? {
                  dagProcessor: {
                      dagBundleConfigList: dags.bundles.map(({ name, classpath, kwargs }) => ({
                          name,
                          classpath,
                          kwargs: escapePercent(kwargs ?? {}),
                      })),
                  },
              }
            : {}),
    };
}
