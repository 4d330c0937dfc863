import { afterAll, expect, test, vi } from "vitest";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import { backlogOf, endAll, inTable, place, QUICK_SUITE, repository, run, untouched } from "./support.ts";
import { put } from "../../support/git.ts";

/** What belongs to one piece of work is never done as part of another. */

vi.setConfig({ testTimeout: 100_000 });
afterAll(endAll);

const states = (home: string, backlog: string) =>
  inTable(home, async (store) =>
    Object.fromEntries(
      (await Store.queryAll(store, { pk: Keys.backlog(backlog).pk, sk: { begins: "I#" } })).map(
        ({ id, state }) => [id, state] as [string, string],
      ),
    ),
  );

test("the simulated agent of the scratch repository touches nothing of a real backlog of the same home", async () => {
  const at = place();
  const repo = repository([], { "BACKLOG.md": backlogOf(["goodbye", "real"]) });
  const before = untouched(repo)();
  // Known to the table, and no work begun: the items are left queued.
  const { code } = await run(
    [
      "--once",
      "--repo",
      repo.dir,
      "--backlog",
      `${repo.dir}/BACKLOG.md`,
      "--provider",
      "simulated",
      "--hours",
      "0.0000001",
    ],
    {
      at,
      env: QUICK_SUITE,
    },
  );
  expect(code).toBe(1);
  const scratch = await run(["--once"], { at, env: QUICK_SUITE, cwd: repo.dir });
  expect([scratch.code, scratch.out.includes("(scratch)")]).toEqual([0, true]);
  expect(await states(at.home, "BACKLOG")).toEqual({ goodbye: "queued", real: "queued" });
  expect(untouched(repo)().split("\n").slice(-1)).toEqual(before.split("\n").slice(-1));
  expect(repo.git("branch", "--list", "coherence-item/*")).toBe("");
});

test("a home holds the work of one repository", async () => {
  const at = place();
  const [one, two] = [repository(["a"]), repository(["b"])];
  const argv = (repo: typeof one) => [
    "--once",
    "--repo",
    repo.dir,
    "--backlog",
    repo.backlog,
    "--provider",
    "simulated",
  ];
  expect((await run(argv(one), { at, env: QUICK_SUITE })).code).toBe(0);
  const before = untouched(two)();
  const refused = await run(argv(two), { at, env: QUICK_SUITE });
  expect([refused.code, refused.err]).toEqual([2, expect.stringMatching(/holds the work of .*\n.*home of its own/)]);
  expect(untouched(two)()).toBe(before);
});

test("--once works on the backlog it was given, not on others of the same repository", async () => {
  const at = place();
  const repo = repository(["a"]);
  put(repo.dir, { "other.md": backlogOf(["x", "y"]) });
  const argv = (file: string, ...more: string[]) => [
    "--once",
    "--repo",
    repo.dir,
    "--backlog",
    file,
    "--provider",
    "simulated",
    ...more,
  ];
  await run(argv(`${repo.dir}/other.md`, "--hours", "0.0000001"), { at, env: QUICK_SUITE });
  expect((await run(argv(repo.backlog, "--max-items", "1"), { at, env: QUICK_SUITE })).code).toBe(0);
  expect(await states(at.home, "plan")).toEqual({ a: "done" });
  expect(await states(at.home, "other")).toEqual({ x: "queued", y: "queued" });
});

test("a meta backlog at a ratio of 0 is not waited for", async () => {
  const at = place();
  const repo = repository(["a"]);
  put(repo.dir, { "meta.md": backlogOf(["m"]) });
  const env = { ...QUICK_SUITE, PIPELINE_META_BACKLOG: "meta.md", PIPELINE_META_RATIO: "0" };
  const { code, out } = await run(
    ["--once", "--repo", repo.dir, "--backlog", repo.backlog, "--provider", "simulated"],
    { at, env },
  );
  expect([code, /^Items {5}1: 1 done$/m.test(out)]).toEqual([0, true]);
});
