import { describe, expect, it } from "vitest";
import * as Clock from "../../../core/ground/clock.ts";
import * as Store from "../../../core/ground/store/index.ts";
import { Keys } from "../../../core/ground/store/index.ts";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Backlog from "../../../core/work/backlog/index.ts";
import * as Process from "../../../core/ground/process/index.ts";
import * as Task from "../../../core/work/task/index.ts";
import { openRepository } from "../../../core/work/workspace/index.ts";
import { testDeps, type TestDeps } from "../../support/deps.ts";
import { scratch, scratchDir } from "../../support/git.ts";

const DAY = 86_400_000;

async function finish(deps: TestDeps, direction: string): Promise<string> {
  const { task } = await Task.create(deps, Task.Create.parse({ direction, task_type: "impl" }));
  await Pipeline.update(
    deps,
    task.row.id,
    { status: "completed", output: "a long enough output" },
    { kind: "operator" },
  );
  await Store.write(deps.store, {
    kind: "put",
    item: { ...Keys.logChunk(task.row.id, 1, 1, 0), ent: "log", text: "a line\n" },
  });
  return task.row.id;
}

const hasLog = async (deps: TestDeps, id: string) =>
  (await Store.queryAll(deps.store, { pk: Keys.taskPartition(id), sk: { begins: Keys.logPrefix() } })).length > 0;

describe("cleanup", () => {
  it("FAILURES 54: what moves, asks or was abandoned stays, and so do fresh logs", async () => {
    const clock = Clock.virtual(Date.UTC(2026, 5, 15));
    const deps = await testDeps({ clock });
    const old = await finish(deps, "old");
    await clock.advance(8 * DAY);
    const fresh = await finish(deps, "fresh");
    const running = await Task.create(deps, Task.Create.parse({ direction: "runs", task_type: "impl" }));
    await Store.write(deps.store, {
      kind: "put",
      item: { ...Keys.logChunk(running.task.row.id, 1, 1, 0), ent: "log", text: "a line\n" },
    });

    const repo = scratch({ "README.md": "x\n" });
    const repository = await openRepository({
      dir: repo.dir,
      home: scratchDir(),
      clock,
      env: Process.baseEnv(process.env),
    });
    const head = (await repository.user()).head;
    await Backlog.push(deps, {
      id: "b",
      kind: "product",
      text: "1. Done {#done}\n2. Moves {#moves}\n3. Gone {#gone}\n4. Lost {#lost}\n",
    });
    for (const [id, state] of [
      ["done", "done"],
      ["moves", "impl"],
      ["gone", "retired"],
      ["lost", "abandoned"],
    ] as const) {
      const branch = Backlog.itemBranch("b", id);
      await repository.open({ branch, from: head, leftovers: {}, signal: new AbortController().signal, log: () => {} });
      const item = await Backlog.item(deps, "b", id);
      if (item) await Store.write(deps.store, Backlog.advance(item, { state }, clock.now()));
    }

    const would = await Pipeline.cleanup(deps, repository, { dryRun: true, keepDays: 7 });
    expect(would.branches.sort()).toEqual([Backlog.itemBranch("b", "done"), Backlog.itemBranch("b", "gone")]);
    expect(would.logs).toBe(1);
    expect(await repository.head(Backlog.itemBranch("b", "done"))).toBe(head);

    const cleaned = await Pipeline.cleanup(deps, repository, { dryRun: false, keepDays: 7 });
    expect({ ...cleaned, branches: cleaned.branches.sort() }).toEqual({ ...would, branches: would.branches.sort() });
    expect(await repository.head(Backlog.itemBranch("b", "done"))).toBeNull();
    expect(await repository.head(Backlog.itemBranch("b", "moves"))).toBe(head);
    expect(await repository.head(Backlog.itemBranch("b", "lost"))).toBe(head);
    expect(await hasLog(deps, old)).toBe(false);
    expect(await hasLog(deps, fresh)).toBe(true);
    expect(await hasLog(deps, running.task.row.id)).toBe(true);
  });

  it("removes the logs of every month, February's on the first of March too", async () => {
    const clock = Clock.virtual(Date.UTC(2026, 1, 10));
    const deps = await testDeps({ clock });
    const id = await finish(deps, "in February");
    await clock.advance(Date.UTC(2026, 2, 1, 12) - clock.now());
    expect(await Pipeline.cleanup(deps, null, { dryRun: false, keepDays: 7 })).toMatchObject({ logs: 1 });
    expect(await hasLog(deps, id)).toBe(false);
  });

  it("a done item that was not merged, a retired one and a posted task keep the branch that holds their work", async () => {
    const deps = await testDeps();
    const repo = scratch({ "README.md": "x\n" });
    const env = Process.baseEnv(process.env);
    const repository = await openRepository({ dir: repo.dir, home: repo.home, clock: deps.clock, env });
    const from = (await repository.user()).head;
    await Backlog.push(deps, { id: "b", kind: "product", text: "1. Done {#done}\n2. Gone {#gone}\n" });
    for (const [id, state] of [
      ["done", "done"],
      ["gone", "retired"],
    ] as const) {
      const item = await Backlog.item(deps, "b", id);
      if (item) await Store.write(deps.store, Backlog.advance(item, { state }, deps.clock.now()));
    }
    const task = await finish(deps, "posted");
    const works = [Backlog.itemBranch("b", "done"), Backlog.itemBranch("b", "gone"), Backlog.taskBranch(task)];
    for (const branch of works) {
      const signal = new AbortController().signal;
      const work = await repository.open({ branch, from, leftovers: {}, signal, log: () => {} });
      await work.write("work.txt", branch);
      await work.commit("Work", {});
    }
    expect(await Pipeline.cleanup(deps, repository, { dryRun: false, keepDays: 7 })).toMatchObject({
      worktrees: { length: 3 },
      branches: [],
    });
    for (const branch of works) expect(await repository.head(branch)).not.toBeNull();
    repo.remove();
  });
});
