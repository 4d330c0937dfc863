import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import * as Workspace from "../../core/work/workspace/index.ts";
import { gitAs, put, scratch, scratchDir, type Scratch } from "../support/git.ts";

const env = Process.baseEnv({ PATH: process.env["PATH"], HOME: "/nonexistent" });
const never = new AbortController().signal;
const clock = Clock.virtual(1_700_000_000_000);
const ITEM = "coherence-item/backlog/one";
const TRAILERS = { "Coherence-Task": "task_1", "Coherence-Attempt": "1" };

let repo: Scratch;
let logged: string[];
const log = (line: string) => void logged.push(line);

beforeEach(() => {
  repo = scratch({ "a.txt": "one\n", ".gitignore": "ignored/\n*.log\n" });
  logged = [];
});
afterEach(() => repo.remove());

const connect = (more: Partial<Workspace.RepositoryOptions> = {}) =>
  Workspace.openRepository({ dir: repo.dir, home: repo.home, env, clock, graceMs: 200, ...more });

async function open(repository: Workspace.Repository, branch = ITEM, from?: string): Promise<Workspace.Workspace> {
  return repository.open({
    branch,
    from: from ?? (await repository.user()).head,
    leftovers: { "Coherence-Task": "task_0" },
    signal: never,
    log,
  });
}

/** Everything of the user's that must stay as it is. */
function users() {
  const refs = repo.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/heads", "refs/tags", "refs/stash");
  return {
    head: readFileSync(join(repo.dir, ".git/HEAD"), "utf8"),
    index: readFileSync(join(repo.dir, ".git/index")).toString("base64"),
    config: readFileSync(join(repo.dir, ".git/config"), "utf8"),
    exclude: readFileSync(join(repo.dir, ".git/info/exclude"), "utf8"),
    status: repo.git("status", "--porcelain", "--ignored"),
    refs: refs.split("\n").filter((line) => !line.startsWith("refs/heads/coherence")),
  };
}

const message = (ref: string) => repo.git("log", "-1", "--format=%B", ref);
const branchHead = (branch = ITEM) => repo.git("rev-parse", `refs/heads/${branch}`);
const files = (ref = ITEM) => repo.git("ls-tree", "-r", "--name-only", ref).split("\n");

describe("opening a repository", () => {
  it("refuses what is none, with a remedy", async () => {
    const place = scratchDir();
    const bare = join(place, "bare");
    mkdirSync(bare);
    gitAs(bare, "init", "--quiet", "--bare");
    mkdirSync(join(repo.dir, "sub"));
    const refused = [place, bare, join(place, "gone"), join(repo.dir, "sub"), join(repo.dir, "a.txt")];
    for (const dir of refused) {
      await expect(connect({ dir }), dir).rejects.toMatchObject({
        code: "workspace.not_a_repository",
        remedy: expect.stringMatching(/\w/) as string,
      });
    }
    await expect(connect({ dir: join(repo.dir, "sub") })).rejects.toThrow(`inside the repository ${repo.dir}`);
    rmSync(place, { recursive: true });
  });

  it("refuses one without a commit, and a home inside the checkout", async () => {
    const empty = scratch();
    await expect(connect({ dir: empty.dir })).rejects.toMatchObject({ code: "workspace.no_commits" });
    empty.remove();
    await expect(connect({ home: join(repo.dir, ".coherence") })).rejects.toMatchObject({ code: "config.invalid" });
  });

  it("reads the user's state and commits", async () => {
    const repository = await connect();
    const head = repo.git("rev-parse", "HEAD");
    expect(await repository.user()).toEqual({ branch: "main", head });
    expect(await repository.dirty()).toBe(false);
    put(repo.dir, { "a.txt": "two\n" });
    repo.git("checkout", "--quiet", "--detach");
    expect(await repository.user()).toEqual({ branch: null, head });
    expect(await repository.dirty()).toBe(true);
    expect(await repository.show(head, "a.txt")).toBe("one\n");
    expect(await repository.show(head, "gone.txt")).toBeNull();
    await expect(repository.show("--help", "a.txt")).rejects.toMatchObject({ code: "input.invalid" });
    expect(await repository.head("coherence/none")).toBeNull();
    expect(await repository.contains("main", head)).toBe(true);
    expect(await repository.contains("main", "0".repeat(40))).toBe(false);
    expect(await repository.ensureIntegration("coherence/backlog")).toBe(head);
    expect(await repository.ensureIntegration("coherence/backlog")).toBe(head);
    await expect(repository.ensureIntegration("main")).rejects.toMatchObject({ code: "input.invalid" });
  });
});

describe("the user's own", () => {
  it("branches, index, tree and settings stay byte for byte", async () => {
    repo.git("branch", "feature");
    repo.git("config", "commit.gpgSign", "true");
    repo.git("config", "gpg.program", "/bin/false");
    put(repo.dir, { ".git/hooks/pre-commit": "#!/bin/sh\nexit 1\n", "a.txt": "dirty\n", "new.txt": "n\n" });
    repo.git("add", "new.txt");
    const before = users();
    const repository = await connect();
    const into = "coherence/backlog";
    const tip = await repository.ensureIntegration(into);
    const work = await open(repository, ITEM, tip);
    await work.write("b.txt", "b\n");
    await work.commit("Work", TRAILERS);
    const head = await work.head();
    const done = await repository.integrate({
      into,
      head,
      message: "Merge",
      trailers: TRAILERS,
      notRedderThan: null,
      base: tip,
      log,
      signal: never,
    });
    expect(done).toMatchObject({ kind: "integrated", suite: null });
    await repository.user();
    await repository.dirty();
    await repository.cleanup(() => false);
    expect(users()).toEqual(before);
    expect(repo.git("log", "-1", "--format=%an <%ae> %cn", into)).toBe(
      "Coherence Pipeline <pipeline@coherence.invalid> Coherence Pipeline",
    );
  });

  it("a branch of ours that a person has checked out is not moved under them", async () => {
    const repository = await connect();
    const work = await open(repository);
    repo.git("checkout", "--quiet", ITEM);
    await work.write("b.txt", "b\n");
    await expect(work.commit("Work", TRAILERS)).rejects.toThrow("is checked out in");
    expect(repo.git("status", "--porcelain")).toBe("");
  });
});

describe("a worktree", () => {
  it("is outside the checkout, commits with trailers, and is used again", async () => {
    const repository = await connect();
    const work = await open(repository);
    expect(work.root.startsWith(join(repo.home, "trees"))).toBe(true);
    expect(work.openedAt).toBe(repo.git("rev-parse", "main"));
    put(work.root, { "b.txt": "b\n", "ignored/x": "x", "a.txt": null });
    const made = await work.commit("Add b\n\nBecause.", { ...TRAILERS, Odd: "two\nlines" });
    expect(made).toBe(branchHead());
    expect(await work.head()).toBe(made);
    expect(message(ITEM)).toBe("Add b\n\nBecause.\n\nCoherence-Task: task_1\nCoherence-Attempt: 1\nOdd: two lines");
    expect(files()).toEqual([".gitignore", "b.txt"]);
    expect(await work.commit("Nothing", TRAILERS)).toBeNull();
    const again = await open(repository);
    expect(again.root).toBe(work.root);
    expect(again.openedAt).toBe(made);
    expect(existsSync(join(again.root, "ignored/x"))).toBe(true);
    await expect(work.commit("Late", TRAILERS)).rejects.toMatchObject({ code: "workspace.moved" });
    await expect(work.write("c.txt", "")).rejects.toMatchObject({ code: "workspace.moved" });
  });

  it("saves what a killed attempt left, with its trailers, whatever git was doing", async () => {
    const repository = await connect();
    const work = await open(repository);
    const gitDir = gitAs(work.root, "rev-parse", "--absolute-git-dir");
    put(work.root, { "left.txt": "left\n" });
    writeFileSync(join(gitDir, "index.lock"), "");
    writeFileSync(join(repo.dir, ".git/refs/heads", `${ITEM}.lock`), "");
    const again = await open(repository);
    expect(again.openedAt).not.toBe(work.openedAt);
    expect(message(ITEM)).toBe("Save what an earlier attempt left\n\nCoherence-Task: task_0");
    expect(files()).toContain("left.txt");
    expect(gitAs(again.root, "status", "--porcelain")).toBe("");
  });

  it("16: adopts the commits an agent made, and the rest with them", async () => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "b.txt": "b\n" });
    gitAs(work.root, "add", "--all");
    gitAs(work.root, "commit", "--quiet", "-m", "The agent's own");
    const own = gitAs(work.root, "rev-parse", "HEAD");
    expect(await work.commit("Nothing more", TRAILERS)).toBe(own);
    expect(branchHead()).toBe(own);

    gitAs(work.root, "checkout", "--quiet", "-b", "agents-idea");
    put(work.root, { "c.txt": "c\n" });
    gitAs(work.root, "add", "--all");
    gitAs(work.root, "commit", "--quiet", "-m", "On a branch of its own");
    put(work.root, { "d.txt": "d\n" });
    await work.commit("The rest", TRAILERS);
    expect(repo.git("log", "--format=%s", `main..${ITEM}`).split("\n")).toEqual([
      "The rest",
      "On a branch of its own",
      "The agent's own",
    ]);

    gitAs(work.root, "reset", "--quiet", "--hard", "main");
    put(work.root, { "e.txt": "e\n" });
    gitAs(work.root, "add", "--all");
    gitAs(work.root, "commit", "--quiet", "-m", "Rewritten");
    await work.commit("Its content", TRAILERS);
    expect(files()).toEqual([".gitignore", "a.txt", "e.txt"]);
    expect(repo.git("log", "--format=%s", "-2", ITEM).split("\n")).toEqual(["Its content", "The rest"]);
  });

  it("leaves out a repository inside the tree, with or without commits", async () => {
    const work = await open(await connect());
    for (const name of ["empty", "full"]) {
      mkdirSync(join(work.root, name));
      gitAs(join(work.root, name), "init", "--quiet");
      put(work.root, { [`${name}/x.txt`]: "x" });
    }
    gitAs(join(work.root, "full"), "commit", "--quiet", "--allow-empty", "-m", "Inner");
    put(work.root, { "b.txt": "b\n" });
    await work.commit("Work", TRAILERS);
    expect(files()).toEqual([".gitignore", "a.txt", "b.txt"]);
  });

  it("after a kill an agent's own commits are found again", async () => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "b.txt": "b\n" });
    gitAs(work.root, "add", "--all");
    gitAs(work.root, "commit", "--quiet", "-m", "The agent's own");
    const again = await open(await connect());
    expect(again.openedAt).toBe(gitAs(work.root, "rev-parse", "HEAD"));
    expect(branchHead()).toBe(again.openedAt);
  });

  it("loses nothing when somebody else moved the branch", async () => {
    const repository = await connect();
    const work = await open(repository);
    const other = repo.git("commit-tree", "main^{tree}", "-p", "main", "-m", "Other");
    repo.git("update-ref", `refs/heads/${ITEM}`, other);
    put(work.root, { "mine.txt": "m\n" });
    const before = gitAs(work.root, "status", "--porcelain");
    await expect(work.commit("Mine", TRAILERS)).rejects.toMatchObject({
      code: "workspace.moved",
      data: { expected: work.openedAt, found: other },
    });
    expect(gitAs(work.root, "status", "--porcelain")).toBe(before);
    expect(branchHead()).toBe(other);

    const again = await open(repository);
    expect(again.openedAt).toBe(other);
    expect(await again.list()).not.toContain("mine.txt");
    const aside = repo.git("for-each-ref", "--format=%(refname)", "refs/coherence/aside");
    expect(files(aside)).toContain("mine.txt");
    expect(logged.join("\n")).toContain(aside);
  });

  it("of one branch is opened by one at a time", async () => {
    const repository = await connect();
    const results = await Promise.allSettled([open(repository), open(repository)]);
    expect(results.map((each) => each.status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(results.find((each) => each.status === "rejected")?.reason).toMatchObject({ code: "workspace.moved" });
    expect(await open(repository)).toMatchObject({ branch: ITEM });
  });

  it("is rebuilt when it is half-made, broken or gone", async () => {
    const repository = await connect();
    const { root } = await open(repository);
    rmSync(`${root}.json`); // killed during `worktree add`
    rmSync(join(root, "a.txt"));
    expect(await (await open(repository)).list()).toContain("a.txt");
    writeFileSync(join(root, ".git"), "gitdir: /nowhere\n");
    put(root, { "saved.txt": "s" });
    expect(await (await open(repository)).list()).toEqual([".gitignore", "a.txt"]);
    expect(existsSync(join(`${root}.broken`, "saved.txt"))).toBe(true);
    rmSync(root, { recursive: true });
    expect(await (await open(repository)).list()).toContain("a.txt");
    writeFileSync(join(gitAs(root, "rev-parse", "--absolute-git-dir"), "index"), "broken");
    put(root, { "b.txt": "b" });
    expect(await (await open(repository)).list()).toContain("b.txt");
    expect(branchHead()).toBe((await repository.head(ITEM)) ?? "");
  });

  it("ends what still runs in it before anybody enters", async () => {
    const repository = await connect();
    const { root } = await open(repository);
    const child = spawn("sleep", ["1000"], { cwd: root, env: { ...env, COHERENCE_TREE: root }, detached: true });
    const ended = new Promise((resolve) => child.on("exit", (_code, signal) => resolve(signal)));
    await open(repository);
    expect(await ended).toBe("SIGTERM");
    expect(logged.join()).toContain("Ended 1 process groups");
  });

  it("drops what is not committed, an agent's own commits too", async () => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "b.txt": "b\n", "ignored/x": "x", "nested/.git/HEAD": "ref: refs/heads/x\n" });
    gitAs(work.root, "add", "b.txt");
    gitAs(work.root, "commit", "--quiet", "-m", "Reviewer's");
    put(work.root, { "a.txt": "changed\n" });
    await work.reset();
    expect(gitAs(work.root, "status", "--porcelain")).toBe("");
    expect(gitAs(work.root, "rev-parse", "HEAD")).toBe(work.openedAt);
    expect(existsSync(join(work.root, "ignored/x"))).toBe(true);
  });

  it("shows what changed: committed, uncommitted and new, bounded", async () => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "b.txt": "b\n" });
    await work.commit("b", TRAILERS);
    put(work.root, { "ü new.txt": `${"x".repeat(60)}\n`.repeat(10_000), "a.txt": null, "x.log": "" });
    const { files: changed, patch } = await work.diff(work.openedAt);
    expect(changed.sort()).toEqual(["a.txt", "b.txt", "ü new.txt"]);
    expect(patch).toContain("+b\n");
    expect(patch).toContain("bytes left out");
    expect(Buffer.byteLength(patch)).toBeLessThanOrEqual(200_000);
    expect((await work.diff(branchHead())).files).not.toContain("b.txt");
    expect(gitAs(work.root, "diff", "--cached", "--name-only")).toBe("");
  });

  it("shows what its commits changed, and what of that is still there", async () => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "ü b.txt": "b\n", "c.txt": "c\n" });
    await work.commit("b and c", TRAILERS);
    const between = await work.head();
    put(work.root, { "a.txt": null, "c.txt": null });
    await work.commit("No a, no c", TRAILERS);
    put(work.root, { "d.txt": "not committed\n" });
    expect(await work.committed(work.openedAt)).toEqual({ files: ["a.txt", "ü b.txt"], present: ["ü b.txt"] });
    expect(await work.committed(between)).toEqual({ files: ["a.txt", "c.txt"], present: [] });
    await expect(work.committed("--help")).rejects.toMatchObject({ code: "input.invalid" });
  });

  it("reads, writes, lists and searches inside the tree only", async () => {
    const repository = await connect();
    const work = await open(repository);
    const outside = join(repo.home, "outside.txt");
    writeFileSync(outside, "secret");
    put(work.root, { "sub/b.txt": "needle here\nand needle -e there\n", "x.log": "needle", "ignored/y": "" });
    symlinkSync(outside, join(work.root, "link"));
    symlinkSync(join(repo.dir, ".git"), join(work.root, "gitlink"));
    await work.write("deep/er/c.txt", "c");
    expect(await work.read("deep/er/c.txt")).toBe("c");
    expect(await work.list()).toEqual(expect.arrayContaining(["a.txt", "sub/b.txt", "deep/er/c.txt"]));
    expect(await work.list()).not.toContain("x.log");
    expect(await work.search("needle")).toEqual([
      { path: "sub/b.txt", line: 1, text: "needle here" },
      { path: "sub/b.txt", line: 2, text: "and needle -e there" },
    ]);
    expect(await work.search("-e there")).toHaveLength(1);
    expect(await work.search("[")).toEqual([]);
    const refused = ["../x", "/etc/passwd", ".git", ".git/config", "sub/../../x", "link", "gitlink/config", "x.log"];
    for (const path of [...refused, "ignored/y", "", ".GIT/config", "nothing.txt"]) {
      await expect(work.read(path), path).rejects.toMatchObject({ code: "workspace.path" });
    }
    for (const path of refused) {
      await expect(work.write(path, "x"), path).rejects.toMatchObject({ code: "workspace.path" });
      await expect(work.remove(path), path).rejects.toMatchObject({ code: "workspace.path" });
    }
    expect(readFileSync(outside, "utf8")).toBe("secret");
    expect(readFileSync(join(work.root, "x.log"), "utf8")).toBe("needle");
  });

  it("follows no link to nowhere, and none to an ignored file", async () => {
    const work = await open(await connect());
    const nowhere = join(repo.home, "nowhere.txt");
    put(work.root, { "ignored/y": "secret" });
    symlinkSync(nowhere, join(work.root, "dangling"));
    symlinkSync(repo.home, join(work.root, "home"));
    symlinkSync("ignored/y", join(work.root, "alias"));
    symlinkSync(".", join(work.root, "here"));
    for (const path of ["dangling", "home/new.txt", "alias", "here/ignored/y", "here/ignored/new"]) {
      const refused = { code: "workspace.path", data: { refused: true } };
      await expect(work.read(path), path).rejects.toMatchObject(refused);
      await expect(work.write(path, "x"), path).rejects.toMatchObject(refused);
      await expect(work.remove(path), path).rejects.toMatchObject(refused);
    }
    expect(existsSync(nowhere)).toBe(false);
    expect(readFileSync(join(work.root, "ignored/y"), "utf8")).toBe("secret");
    // A link that stays among the files that are work is as good as the file; so is a name that could be a pattern.
    expect(await work.read("here/a.txt")).toBe("one\n");
    for (const name of ["[id].ts", ":colon", "*.txt", "-dash"]) {
      await work.write(name, "x");
      expect(await work.read(name), name).toBe("x");
    }
  });

  it("removes a file once, and no folder", async () => {
    const work = await open(await connect());
    await work.write("deep/b.txt", "b");
    expect(await work.remove("deep/b.txt")).toBe(true);
    expect(await work.remove("deep/b.txt")).toBe(false);
    expect(await work.remove("deep")).toBe(false);
    expect(await work.remove("a.txt")).toBe(true);
    expect(await work.list()).toEqual([".gitignore"]);
    await work.reset();
    expect(await work.read("a.txt")).toBe("one\n");
  });

  it("a workspace that somebody else opened since removes nothing", async () => {
    const repository = await connect();
    const work = await open(repository);
    await open(repository);
    await expect(work.remove("a.txt")).rejects.toMatchObject({ code: "workspace.moved" });
  });

  it("reads neither what is no file nor what is too large for a text", async () => {
    const work = await open(await connect());
    put(work.root, { "large.txt": "x".repeat(4 * 1024 * 1024 + 1) });
    await expect(work.read("large.txt")).rejects.toThrow(/more than 4194304/);
    await work.write("deep/b.txt", "b");
    await expect(work.read("deep")).rejects.toThrow(/no such file/);
  });
});

describe("24: a commit that holds a key", () => {
  const key = "gh" + "p_" + "0123456789abcdefghijABCDEFGHIJ012345";

  it("is refused, names file and line but not the value, and leaves the tree", async () => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "src/config.ts": `// one\nconst token = "${key}";\n` });
    const before = gitAs(work.root, "status", "--porcelain");
    const thrown: unknown = await work.commit("Work", TRAILERS).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ code: "workspace.secret", data: { file: "src/config.ts", line: 2 } });
    expect(`${String(thrown)}${JSON.stringify(thrown)}`).not.toContain(key);
    expect(gitAs(work.root, "status", "--porcelain")).toBe(before);
    expect(branchHead()).toBe(work.openedAt);
    const again = await open(repository);
    expect(again.openedAt).toBe(work.openedAt);
    expect(existsSync(join(again.root, "src/config.ts"))).toBe(true);
    expect(logged.join()).toContain("src/config.ts:2");
    put(again.root, { "src/config.ts": "// none\n" });
    expect(await again.commit("Work", TRAILERS)).toBe(branchHead());
  });

  it("is refused for a file's name", async () => {
    const work = await open(await connect());
    put(work.root, { "app/.env": "A=1\n", ".env.example": "A=\n" });
    await expect(work.commit("Work", TRAILERS)).rejects.toMatchObject({ data: { file: "app/.env" } });
  });

  it("in a commit of the agent's, removed by its next, does not reach the branch", async () => {
    const work = await open(await connect());
    for (const [text, subject] of [
      [key, "Key"],
      ["none", "No key"],
    ] as const) {
      put(work.root, { "c.txt": `${text}\n` });
      gitAs(work.root, "add", "--all");
      gitAs(work.root, "commit", "--quiet", "-m", subject);
    }
    await work.commit("Without the history", TRAILERS);
    expect(repo.git("log", "--format=%s", `main..${ITEM}`)).toBe("Without the history");
    expect(repo.git("log", "-p", `main..${ITEM}`)).not.toContain(key);
  });

  it.each([
    ["called binary by the tree's .gitattributes", { ".gitattributes": "*.cfg -diff\n", "app.cfg": `x=${key}\n` }],
    ["beside a NUL byte", { "app.cfg": `\0\nx=${key}\n` }],
  ])("in a file %s is found all the same, also in the agent's own commits", async (_name, held) => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, held);
    await expect(work.commit("Work", TRAILERS)).rejects.toMatchObject({
      code: "workspace.secret",
      data: { file: "app.cfg" },
    });
    gitAs(work.root, "add", "--all");
    gitAs(work.root, "commit", "--quiet", "-m", "Key");
    put(work.root, { "app.cfg": "none\n" });
    await work.commit("Without the history", TRAILERS);
    expect(repo.git("log", "--format=%s", `main..${ITEM}`)).toBe("Without the history");
  });

  it("brought in by a merge is not the item's doing", async () => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "b.txt": "b\n", "a.txt": "ours\n" });
    await work.commit("b", TRAILERS);
    const theirs = repo.commit({ "fixture.txt": `${key}\n`, "a.txt": "theirs\n" });
    expect(await work.merge(theirs, TRAILERS)).toEqual({ kind: "conflict", files: ["a.txt"] });
    put(work.root, { "a.txt": "both\n" });
    expect(await work.commit("Resolved", TRAILERS)).toBe(branchHead());
  });
});

describe("a merge into the branch", () => {
  it("is made when it is clean, and is nothing when it is in already", async () => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "b.txt": "b\n" });
    await work.commit("b", TRAILERS);
    const theirs = repo.commit({ "c.txt": "c\n" });
    const merged = await work.merge(theirs, TRAILERS);
    expect(merged).toEqual({ kind: "merged", head: branchHead() });
    expect(repo.git("rev-list", "--parents", "-1", ITEM).split(" ")).toHaveLength(3);
    expect(message(ITEM)).toContain("Coherence-Task: task_1");
    expect(await work.merge(theirs, TRAILERS)).toEqual(merged);
    expect(await work.commit("Nothing", TRAILERS)).toBeNull();
  });

  it("leaves conflicts as the work, over a kill too, and knows markers", async () => {
    repo.commit({ "guide.md": "<<<<<<< ours\n=======\n>>>>>>> theirs\n" });
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "a.txt": "ours\n" });
    await work.commit("ours", TRAILERS);
    const theirs = repo.commit({ "a.txt": "theirs\n" });
    expect(await work.merge(theirs, TRAILERS)).toEqual({ kind: "conflict", files: ["a.txt"] });
    expect(await work.markers()).toEqual(["a.txt"]);
    const again = await open(repository); // the attempt was killed here
    expect(await repository.contains(ITEM, theirs)).toBe(true);
    expect(await again.markers()).toEqual(["a.txt"]);
    put(again.root, { "a.txt": "both\n" });
    await again.commit("Resolved", TRAILERS);
    expect(await again.markers()).toEqual([]);
  });
});

describe("set-up", () => {
  const script = (code: string) => `'${process.execPath}' -e "${code}"`;

  it("runs once a lockfile, and what it makes is no work", async () => {
    repo.commit({ "package-lock.json": "{}" });
    const code =
      "const fs=require('fs');fs.mkdirSync('node_modules',{recursive:true});fs.writeFileSync('node_modules/x','');fs.writeFileSync('made','');console.log('set up')";
    const repository = await connect({ setupCommand: script(code) });
    const work = await open(repository);
    await work.prepare(log, never);
    await work.prepare(log, never);
    expect(logged.filter((line) => line === "set up")).toHaveLength(1);
    expect(await work.commit("Nothing", TRAILERS)).toBeNull();
    put(work.root, { "package-lock.json": '{"changed":1}', "b.txt": "" });
    const again = await open(repository);
    expect(files()).toEqual([".gitignore", "a.txt", "b.txt", "package-lock.json"]);
    expect(existsSync(join(again.root, "made"))).toBe(true);
    await again.prepare(log, never);
    expect(logged.filter((line) => line === "set up")).toHaveLength(2);
  });

  it("that fails says how, and is tried again", async () => {
    const work = await open(
      await connect({ setupCommand: script("console.error('no such package');process.exit(7)") }),
    );
    for (let i = 0; i < 2; i++) {
      await expect(work.prepare(log, never)).rejects.toMatchObject({
        code: "workspace.setup_failed",
        data: { tail: "no such package", exit: 7 },
        remedy: expect.stringContaining("COHERENCE_SETUP_COMMAND") as string,
      });
    }
    const missing = await open(await connect({ setupCommand: "no-such-program" }));
    await expect(missing.prepare(log, never)).rejects.toMatchObject({ code: "workspace.setup_failed" });
  });

  it("that is over its time fails, group and all", async () => {
    const options = { clock: Clock.system(), suiteTimeoutMs: 1000, setupCommand: `sh -c "echo begun; sleep 1000"` };
    const repository = await connect(options);
    const work = await open(repository);
    await expect(work.prepare(log, never)).rejects.toMatchObject({
      code: "workspace.setup_failed",
      message: expect.stringContaining("not done within 1 s") as string,
      data: { tail: "begun" },
    });
    expect(await Process.endGroupsIn(work.root)).toBe(0);
    const checked = await repository.checkBase(work.openedAt, log, never);
    expect(checked).toMatchObject({ kind: "setup_failed", tail: "begun" });
  });

  it("by a lockfile installs with npm", async () => {
    const lock = { name: "x", version: "1.0.0", lockfileVersion: 3, packages: { "": { name: "x", version: "1.0.0" } } };
    repo.commit({ "package.json": '{"name":"x","version":"1.0.0"}', "package-lock.json": JSON.stringify(lock) });
    const work = await open(await connect());
    await work.prepare(log, never);
    expect(logged[0]).toBe("$ npm ci --no-audit --no-fund");
  });
});

describe("the suite", () => {
  const TEST = 'import { test } from "node:test";\ntest("adds", () => {});\n';
  const FAILING = 'import { test } from "node:test";\ntest("adds", () => { throw new Error("no"); });\n';
  const manifest = (scripts: Record<string, string>) => `${JSON.stringify({ type: "module", scripts }, null, 2)}\n`;

  it("cannot be swapped by an agent, nor its parts, and package.json comes back", async () => {
    const base = repo.commit({
      "package.json": manifest({ test: "npm run unit", unit: "node --test" }),
      "a.test.js": FAILING,
    });
    const work = await open(await connect(), ITEM, base);
    const swapped = manifest({ test: "true", unit: "true", pretest: "touch pretest" });
    put(work.root, { "package.json": swapped });
    const result = await work.test(base, log, never);
    expect(result).toMatchObject({
      kind: "ran",
      suite: { command: ["npm", "test"], source: "base", exit: 1, passed: 0, failed: 1, failures: ["adds"] },
    });
    expect(readFileSync(join(work.root, "package.json"), "utf8")).toBe(swapped);
    expect(existsSync(join(work.root, "pretest"))).toBe(false);
    expect(logged.length).toBeGreaterThan(3);
  });

  it("killed with the base's scripts in place leaves the agent's package.json to the next", async () => {
    const base = repo.commit({ "package.json": manifest({ test: "node --test" }) });
    const repository = await connect();
    const work = await open(repository, ITEM, base);
    const own = manifest({ test: "vitest" });
    writeFileSync(`${work.root}.manifest`, own); // as a kill in the middle leaves it
    await open(repository, ITEM, base);
    expect(repo.git("show", `${ITEM}:package.json`)).toBe(own.trim());
  });

  it.each([
    ["added", null, "script-shell=/bin/true\n"],
    ["changed", "fund=false\n", "script-shell=/bin/true\n"],
    ["deleted", "script-shell=/bin/sh\n", null],
  ])("runs with the base's .npmrc when the agent's is %s, and that comes back", async (_name, atBase, own) => {
    const scripts = { test: "cat .npmrc; node --test" };
    const base = repo.commit({ "package.json": manifest(scripts), "a.test.js": FAILING, ".npmrc": atBase });
    const work = await open(await connect(), ITEM, base);
    put(work.root, { ".npmrc": own });
    expect(await work.test(base, log, never)).toMatchObject({ suite: { exit: 1, failures: ["adds"] } });
    expect(logged).toContain((atBase ?? "").trim());
    const path = join(work.root, ".npmrc");
    expect(existsSync(path) ? readFileSync(path, "utf8") : null).toBe(own);
  });

  it("never writes where an agent's .npmrc leads, and a killed run leaves the link to the next", async () => {
    const base = repo.commit({ "package.json": manifest({ test: "node --test" }), ".npmrc": "fund=false\n" });
    const repository = await connect();
    const work = await open(repository, ITEM, base);
    const outside = join(repo.home, "outside");
    writeFileSync(outside, "script-shell=/bin/true\n");
    put(work.root, { ".npmrc": null });
    symlinkSync(outside, join(work.root, ".npmrc"));
    await work.test(base, log, never);
    expect(readFileSync(outside, "utf8")).toBe("script-shell=/bin/true\n");
    expect(readlinkSync(join(work.root, ".npmrc"))).toBe(outside);
    put(work.root, { ".npmrc": null });
    writeFileSync(`${work.root}.npmrc`, JSON.stringify({ link: outside })); // as a kill in the middle leaves it
    await open(repository, ITEM, base);
    expect(repo.git("show", `${ITEM}:.npmrc`)).toBe(outside);
  });

  it("of a Makefile is the base's", async () => {
    const base = repo.commit({ Makefile: "test:\n\t@echo 1 passed, 2 failed; exit 1\n" });
    const work = await open(await connect(), ITEM, base);
    put(work.root, { Makefile: "test:\n\t@echo 9 passed, 0 failed\n" });
    expect(await work.test(base, log, never)).toMatchObject({
      suite: { passed: 1, failed: 2, exit: 2, source: "base" },
    });
  });

  it("is the item's where the base has none, the user's where it is set, else none", async () => {
    const base = repo.git("rev-parse", "HEAD");
    const work = await open(await connect());
    expect(await work.test(base, log, never)).toEqual({ kind: "none" });
    put(work.root, { "package.json": manifest({ test: "node --test" }), "a.test.js": TEST });
    expect(await work.test(base, log, never)).toMatchObject({
      suite: { source: "item", passed: 1, failed: 0, exit: 0 },
    });
    const set = await open(await connect({ testCommand: "echo '7 passed, 0 failed'" }));
    expect(await set.test(base, log, never)).toMatchObject({
      suite: { source: "config", passed: 7, failed: 0, tail: "7 passed, 0 failed" },
    });
  });

  it("without a test counts 0, though it exits 0", async () => {
    const base = repo.commit({ "package.json": manifest({ test: "node --test" }) });
    const work = await open(await connect(), ITEM, base);
    expect(await work.test(base, log, never)).toMatchObject({ suite: { exit: 0, passed: 0, failed: 0 } });
  });

  it("that never ends is red once it is over its time, and nothing of it is left", async () => {
    const endless =
      'import { test } from "node:test";\ntest("waits", () => new Promise(() => setInterval(() => {}, 9)));\n';
    const base = repo.commit({ "package.json": manifest({ test: "echo begun; node --test" }) });
    const repository = await connect({ clock: Clock.system(), suiteTimeoutMs: 1000 });
    const work = await open(repository, ITEM, base);
    put(work.root, { "a.test.js": endless });
    const red = { exit: 124, passed: null, failed: null, failures: ["the suite was not done within 1 s"] };
    const ran = await work.test(base, log, never);
    expect(ran).toMatchObject({ kind: "ran", suite: red });
    expect(ran.kind === "ran" && ran.suite.tail).toContain("begun");
    expect(await Process.endGroupsIn(work.root)).toBe(0);

    const head = (await work.commit("Endless", TRAILERS)) ?? "";
    const into = "coherence/backlog";
    const tip = await repository.ensureIntegration(into);
    const merged = await repository.integrate({
      into,
      head,
      message: "Merge",
      trailers: {},
      notRedderThan: null,
      base,
      log,
      signal: never,
    });
    expect(merged).toMatchObject({ kind: "red", suite: red, tip });
    expect(await repository.head(into)).toBe(tip);
    expect(await repository.checkBase(head, log, never)).toMatchObject({ kind: "red", suite: red });
  });

  it("ends by the signal, group and all, and rejects with its reason", async () => {
    const work = await open(await connect({ testCommand: `sh -c "sleep 1000 & sleep 1000"` }));
    const controller = new AbortController();
    const running = work.test(work.openedAt, log, controller.signal);
    controller.abort(new DOMException("timed out", "TimeoutError"));
    await expect(running).rejects.toThrow("timed out");
    expect(await Process.endGroupsIn(work.root)).toBe(0);
  });
});

describe("integration", () => {
  const INTO = "coherence/backlog";
  const GREEN = "sh -c 'test ! -e red || exit 1; echo 1 passed, 0 failed'";

  async function ready(repository: Workspace.Repository, changes: Record<string, string>, branch = ITEM) {
    const base = await repository.ensureIntegration(INTO);
    const work = await open(repository, branch, repo.git("rev-parse", "main"));
    put(work.root, changes);
    const head = (await work.commit("Work", TRAILERS)) ?? "";
    const request = {
      into: INTO,
      head,
      message: "Merge the item",
      trailers: TRAILERS,
      notRedderThan: null,
      base,
      log,
      signal: never,
    };
    return { base, head, request };
  }

  it("moves the branch when green, once, with a merge commit", async () => {
    const repository = await connect({ testCommand: GREEN });
    const { base, head, request } = await ready(repository, { "b.txt": "b\n" });
    const done = await repository.integrate(request);
    const tip = branchHead(INTO);
    expect(done).toMatchObject({ kind: "integrated", tip, suite: { passed: 1 } });
    expect(repo.git("rev-list", "--parents", "-1", tip)).toBe(`${tip} ${base} ${head}`);
    expect(message(tip)).toBe("Merge the item\n\nCoherence-Task: task_1\nCoherence-Attempt: 1");
    expect(await repository.integrate(request)).toEqual({ kind: "already", tip });
    expect(await repository.contains(INTO, head)).toBe(true);
  });

  it("reports red and conflict and moves nothing", async () => {
    const repository = await connect({ testCommand: GREEN });
    const red = await ready(repository, { red: "" });
    expect(await repository.integrate(red.request)).toMatchObject({ kind: "red", suite: { exit: 1 }, tip: red.base });
    const notRedderThan = {
      ...{ command: [], source: "config" as const, passed: null, failed: null },
      exit: 1,
      failures: [],
      tail: "",
      ms: 1,
    };
    const first = await ready(repository, { "a.txt": "first\n" }, "coherence-item/backlog/first");
    const second = await ready(repository, { "a.txt": "second\n" }, "coherence-item/backlog/second");
    expect(await repository.integrate(first.request)).toMatchObject({ kind: "integrated" });
    const tip = branchHead(INTO);
    expect(await repository.integrate(second.request)).toEqual({ kind: "conflict", files: ["a.txt"], tip });
    expect(branchHead(INTO)).toBe(tip);
    expect(await repository.integrate({ ...red.request, notRedderThan })).toMatchObject({ kind: "integrated" });
  });

  it("merges again when the branch moved while the suite ran", async () => {
    const move = `git -C ${repo.dir} update-ref refs/heads/${INTO} `;
    const repository = await connect();
    await ready(repository, { "b.txt": "b\n" });
    const other = repo.git("commit-tree", "main^{tree}", "-p", "main", "-m", "Other");
    const racing = await connect({ testCommand: move + other });
    const { head, request } = await ready(racing, { "c.txt": "c\n" });
    // The second run of the suite sets the branch to where it is.
    expect(await racing.integrate(request)).toMatchObject({ kind: "integrated" });
    expect(await racing.contains(INTO, head)).toBe(true);
    expect(await racing.contains(INTO, other)).toBe(true);
    expect(logged.join()).toContain("merging again");
  });

  it("killed in the middle is done again from the start", async () => {
    const controller = new AbortController();
    const repository = await connect({ testCommand: "sleep 1000" });
    const { base, request } = await ready(repository, { "b.txt": "b\n" });
    const running = repository.integrate({ ...request, signal: controller.signal });
    const trees = join(repo.home, "trees");
    while (!readdirSync(trees).some((name) => name.startsWith("merge-"))) await new Promise((r) => setTimeout(r, 5));
    controller.abort(new Error("stopped"));
    await expect(running).rejects.toThrow("stopped");
    expect(branchHead(INTO)).toBe(base);
    const root = join(trees, readdirSync(trees).find((name) => name.startsWith("merge-") && !name.includes(".")) ?? "");
    put(root, { "rubbish.txt": "r", "a.txt": "<<<<<<< x\n" });
    writeFileSync(join(gitAs(root, "rev-parse", "--absolute-git-dir"), "index.lock"), "");
    expect(await (await connect({ testCommand: GREEN })).integrate(request)).toMatchObject({ kind: "integrated" });
    expect(files(INTO)).toEqual([".gitignore", "a.txt", "b.txt"]);
  });

  it("brings the user's new commits in by the same steps", async () => {
    const repository = await connect({ testCommand: GREEN });
    const { request } = await ready(repository, { "b.txt": "b\n" });
    const head = repo.commit({ "user.txt": "u\n" });
    expect(await repository.integrate({ ...request, head })).toMatchObject({ kind: "integrated" });
    expect(files(INTO)).toContain("user.txt");
  });
});

describe("the base's colour", () => {
  it.each([
    ["green", "echo '1 passed, 0 failed'", undefined, { kind: "green" }],
    ["red", "false", undefined, { kind: "red" }],
    ["counted failures", "echo '1 passed, 2 failed'", undefined, { kind: "red" }],
    ["no tests", undefined, undefined, { kind: "no_tests" }],
    ["set-up fails", "true", "false", { kind: "setup_failed" }],
    ["no such program", "no-such-program", undefined, { kind: "setup_failed" }],
  ])("%s", async (_name, testCommand, setupCommand, expected) => {
    const repository = await connect({
      ...(testCommand === undefined ? {} : { testCommand }),
      ...(setupCommand === undefined ? {} : { setupCommand }),
    });
    const { head } = await repository.user();
    expect(await repository.checkBase(head, log, never)).toMatchObject(expected);
    expect(repo.git("worktree", "list", "--porcelain").match(/^worktree /gm)).toHaveLength(1);
  });
});

describe("cleanup", () => {
  it("removes what is over, keeps the rest and the user's own worktrees", async () => {
    const repository = await connect();
    await open(repository);
    const kept = await open(repository, "coherence-item/backlog/two");
    repo.git("worktree", "add", "--quiet", join(repo.home, "users-own"), "-b", "users-own");
    rmSync(join(repo.home, "users-own"), { recursive: true }); // e.g. a disk that is not mounted now
    const removed = await repository.cleanup((branch) => branch === kept.branch);
    expect(removed.branches).toEqual([ITEM]);
    expect(removed.worktrees).toHaveLength(1);
    expect(await repository.head(ITEM)).toBeNull();
    expect(await repository.head(kept.branch)).toBe(kept.openedAt);
    const left = repo.git("worktree", "list", "--porcelain");
    expect(left).toContain("users-own");
    expect(left).toContain(kept.root);
    expect(readdirSync(join(repo.home, "trees")).every((name) => kept.root.endsWith(name.split(".")[0] ?? ""))).toBe(
      true,
    );
  });

  it.each([ITEM, "coherence-task/task_1"])("keeps %s while it is the only copy of its work", async (branch) => {
    const repository = await connect();
    const work = await open(repository, branch);
    put(work.root, { "work.txt": "work\n" });
    const head = (await work.commit("Work", TRAILERS)) ?? "";
    for (const dryRun of [true, false]) {
      const { worktrees, branches } = await repository.cleanup(() => false, dryRun);
      expect({ worktrees, branches }).toEqual({ worktrees: [work.root], branches: [] });
    }
    // A person looks at it: still nothing else holds it.
    for (const how of ["--detach", "--ignore-other-worktrees"]) {
      repo.git("checkout", "--quiet", how, branch);
      expect((await repository.cleanup(() => false)).branches).toEqual([]);
      repo.git("checkout", "--quiet", "main");
    }
    expect(await repository.head(branch)).toBe(head);
    repo.git("merge", "--quiet", "--no-ff", "-m", "Merge", head);
    expect((await repository.cleanup(() => false)).branches).toEqual([branch]);
  });

  it("removes the branch whose work the integration branch holds", async () => {
    const repository = await connect();
    const work = await open(repository);
    put(work.root, { "work.txt": "work\n" });
    const head = (await work.commit("Work", TRAILERS)) ?? "";
    repo.git("branch", "coherence/backlog", head);
    expect((await repository.cleanup(() => false)).branches).toEqual([ITEM]);
  });

  it.each(["with", "without"])("removes a base's tree that a kill left, %s its note", async (how) => {
    const repository = await connect();
    const { head } = await repository.user();
    let left = "";
    // The tree as it is in the middle of the check, put back once the check has removed it.
    const testing = await connect({ testCommand: `sh -c "cp -R . ../copy; pwd"` });
    await testing.checkBase(head, (line) => (left = line), never);
    renameSync(join(repo.home, "trees/copy"), left);
    if (how === "with")
      writeFileSync(`${left}.json`, JSON.stringify({ branch: `base/${head}`, token: "", seen: head }));
    expect((await repository.cleanup(() => true, true)).worktrees).toEqual([left]);
    expect((await repository.cleanup(() => true)).worktrees).toEqual([left]);
    expect(readdirSync(join(repo.home, "trees"))).toEqual([]);
  });
});
