import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gitAs, put, scratch, scratchDir } from "../support/git.ts";
import {
  eachWithItsRepository,
  env,
  never,
  ITEM,
  TRAILERS,
  repo,
  logged,
  log,
  connect,
  open,
  message,
  branchHead,
  files,
} from "./workspace-support.ts";

eachWithItsRepository();

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
    await expect(work.read("deep")).rejects.toThrow(/no plain file/);
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
