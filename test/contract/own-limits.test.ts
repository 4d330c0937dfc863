import { describe, expect, it } from "vitest";
import { inStatus, OWNER, refused } from "./support.ts";
import { withApp, app, ok } from "./update-support.ts";

withApp();

/** Limits of ours beside the contract's (spec 060): each from both sides, told where it is met. */

describe("evidence", () => {
  const list = (entries: number, length: number) =>
    Array.from({ length: entries }, (_, i) => String(i).padEnd(length, "x"));
  const FIELDS = ["success_evidence", "abort_evidence"] as const;

  it.each(FIELDS)("%s has 100 entries and 16 KiB at most, made or changed", async (field) => {
    const made = (value: unknown) =>
      app.post("/api/agent/tasks", { direction: "x", task_type: "impl", [field]: value });
    for (const taken of [list(100, 10), list(32, 512)]) {
      expect((await made(taken)).body).toMatchObject({ [field]: taken });
      expect(await ok(await inStatus(app, "pending"), { [field]: taken })).toMatchObject({ [field]: taken });
    }
    for (const [over, said] of [
      [list(101, 3), /at most 100 entries/],
      [[...list(32, 512), "y"], /over 16 KiB/],
      [list(30, 300).map((text) => text.replaceAll("x", "한")), /over 16 KiB/],
    ] as const) {
      const answer = await made(over);
      expect([answer.status, answer.text]).toEqual([422, expect.stringMatching(said) as string]);
      const id = await inStatus(app, "pending");
      const patched = await app.patch(id, { [field]: over });
      expect([patched.status, patched.text]).toEqual([422, expect.stringMatching(said) as string]);
    }
  });

  it("an entry is cut to 600 characters, and what is no list of strings is told so", async () => {
    const id = await inStatus(app, "pending");
    expect(await ok(id, { success_evidence: ["x".repeat(700)] })).toMatchObject({
      success_evidence: ["x".repeat(600)],
    });
    for (const wrong of [5, { a: 1 }, [5]]) {
      const answer = await app.patch(id, { success_evidence: wrong });
      expect([answer.status, answer.text]).toEqual([
        422,
        expect.stringContaining("a string or a list of strings") as string,
      ]);
    }
  });
});

describe("what runners say in their own words", () => {
  const wide = (bytes: number) => ({ a: "한".repeat(Math.floor((bytes - 8) / 3)) });

  it("is 16 KiB at most of a runner, its capabilities too; over it 413 with the limit", async () => {
    const beat = (body: object) => app.post("/api/agent/runners/heartbeat", { runner_id: "wordy", ...body });
    expect((await beat({ metadata: wide(16 * 1024) })).status).toBe(200);
    const both = { metadata: { b: "x".repeat(9000) }, capabilities: { c: "x".repeat(9000) } };
    for (const over of [{ metadata: wide(16 * 1024 + 9) }, { capabilities: wide(16 * 1024) }, both]) {
      const answer = await beat(over);
      expect([answer.status, answer.text]).toEqual([413, expect.stringContaining("over 16 KiB") as string]);
    }
  });

  it("is 64 KiB at most of a run; over it 413 with the limit, and nothing changes", async () => {
    const id = await app.create();
    const run = { task_id: id, run_id: "run_aaaaaaaaaaaa", worker_id: OWNER };
    const claim = (metadata: object) => app.post("/api/agent/run-state/claim", { ...run, metadata });
    const update = (metadata: object) => app.post("/api/agent/run-state/update", { ...run, patch: { metadata } });
    expect((await claim(wide(64 * 1024))).body).toMatchObject({ claimed: true });
    expect((await update(wide(64 * 1024))).body).toMatchObject({ claimed: true });
    const before = await app.items(id);
    for (const answer of [await claim(wide(64 * 1024 + 9)), await update(wide(64 * 1024 + 9))])
      expect([answer.status, answer.text]).toEqual([413, expect.stringContaining("over 64 KiB") as string]);
    expect(await app.items(id)).toEqual(before);
  });

  it("is 256 KiB at most of a task's context, after the merge", async () => {
    const id = await inStatus(app, "running");
    await ok(id, { context: { a: "x".repeat(200_000) } });
    await refused(app, id, { context: { b: "x".repeat(70_000) } }, 413, /over 256 KiB/);
  });
});
