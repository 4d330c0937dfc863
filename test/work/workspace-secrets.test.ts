import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gitAs, put } from "../support/git.ts";
import { eachWithItsRepository, ITEM, TRAILERS, repo, logged, connect, open, branchHead } from "./workspace-support.ts";

eachWithItsRepository();

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
