import { readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import * as Workspace from "../../core/work/workspace/index.ts";
import { gitAs, put } from "../support/git.ts";
import {
  eachWithItsRepository,
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
