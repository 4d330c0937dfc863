import { describe, expect, it } from "vitest";
import { Cursor, Keys } from "../../core/ground/store/index.ts";
import { typesByField } from "../functions/api/support.ts";
import { inStatus, OWNER, standing, type Body, type Status } from "./support.ts";
import { withApp, app, ok } from "./update-support.ts";

withApp();

/** Limits of what clients say: it is cut, or refused with the limit; never a 500, never a row without a bound. */

/** Texts of so many characters whose bytes are the most that there can be: two, three and four a character. */
const WIDE = ["é", "한", "😀"];
const MUCH = "x".repeat(400_000);

/** Bytes of the largest row of a task, but for what has a bound of its own. */
const largest = async (id: string) =>
  Math.max(...(await app.items(id)).map((item) => Buffer.byteLength(JSON.stringify(item))));

describe("current_step", () => {
  const STEPS: [Status, Body][] = [
    ["running", { worker_id: OWNER }],
    ["running", { status: "pending", worker_id: OWNER }],
    ["pending", { status: "running", worker_id: OWNER }],
    ["pending", {}],
    ["needs_decision", {}],
  ];
  it.each(STEPS)("over its limit is cut, of a task that is %s with %j", async (status, body) => {
    for (const character of ["x", ...WIDE]) {
      const id = await inStatus(app, status);
      const current_step = character.repeat(Math.floor(900_000 / Buffer.byteLength(character)));
      const task = await ok(id, { ...body, current_step });
      expect(current_step.startsWith(String(task.current_step))).toBe(true);
      expect(String(task.current_step)).toHaveLength(1000);
      expect(await largest(id)).toBeLessThan(16_000);
    }
  });
});

describe("names", () => {
  const to = (id: string) => ({
    "a runner": (name: string) => app.post("/api/agent/runners/heartbeat", { runner_id: name }),
    "a worker": (name: string) => app.patch(id, { status: "running", worker_id: name }),
    "a run": (name: string) => app.post("/api/agent/run-state/claim", { task_id: id, run_id: name, worker_id: name }),
    "a session": (name: string) => app.post("/api/agent/tasks/upsert-active", { session_key: name, direction: "x" }),
    "a session's worker": (name: string) =>
      app.post("/api/agent/tasks/upsert-active", { session_key: name.slice(0, 20), worker_id: name, direction: "x" }),
  });

  it.each(Object.keys(to("")) as (keyof ReturnType<typeof to>)[])(
    "of %s: 200 characters of any width are taken, one more is 422 with the limit",
    async (what) => {
      for (const character of WIDE) {
        const taken = await to(await app.create())[what](character.repeat(200));
        expect(taken.status, taken.text).toBe(200);
        const refused = await to(await app.create())[what](character.repeat(201));
        expect(refused.status).toBe(422);
        expect(Object.values(typesByField(refused))).toContain("string_too_long");
        expect(refused.text).toContain("at most 200 characters");
        expect((await to(await app.create())[what](MUCH)).status).toBe(422);
      }
    },
  );

  it("are keys that the table takes, whatever the width: all of them are listed again", async () => {
    for (const character of WIDE)
      expect((await app.post("/api/agent/runners/heartbeat", { runner_id: character.repeat(200) })).status).toBe(200);
    const { runners } = (await app.get("/api/agent/runners")).body as { runners: Body[] };
    for (const character of WIDE) expect(runners.map((one) => one.runner_id)).toContain(character.repeat(200));
    const key = Keys.byLastSeen(app.clock.now(), app.clock.now(), "😀".repeat(200));
    expect(Buffer.byteLength(key.gsi1sk)).toBeLessThanOrEqual(1024);
    expect(Buffer.byteLength(Keys.session("😀".repeat(200)).pk)).toBeLessThanOrEqual(2048);
  });

  it("of a worker by context.runner_id are bounded as those by worker_id", async () => {
    const id = await app.create();
    const before = await standing(app, id);
    for (const runner_id of ["한".repeat(201), "x".repeat(200_000)]) {
      const answer = await app.patch(id, { status: "running", context: { runner_id } });
      expect(answer.status).toBe(422);
      expect(answer.text).toContain("at most 200 characters");
    }
    expect(await standing(app, id)).toEqual(before);
    const name = "😀".repeat(200);
    expect(await ok(id, { status: "running", context: { runner_id: name } })).toMatchObject({ claimed_by: name });
  });

  it("a blank context.runner_id is nobody's name", async () => {
    const id = await app.create();
    expect(await ok(id, { status: "running", context: { runner_id: "  " } })).toMatchObject({ claimed_by: "unknown" });
  });

  it("of a session by a context join it whatever the width, as far as a session can be named", async () => {
    const session_key = `s${"😀".repeat(199)}`;
    const { body } = await app.post("/api/agent/tasks", {
      direction: "x",
      task_type: "impl",
      context: { session_key },
    });
    const found = await app.post("/api/agent/tasks/upsert-active", { session_key, direction: "y" });
    expect(found.body).toMatchObject({ created: false, task: { id: body.id } });
    const longer = { session_key: "한".repeat(3000) };
    const other = await app.post("/api/agent/tasks", { direction: "x", task_type: "impl", context: longer });
    expect([other.status, other.body.context]).toMatchObject([201, longer]);
  });
});

it("a cursor that somebody made up is 400, however long its place", async () => {
  const filter = { status: "pending" };
  for (const place of [`pending#${"x".repeat(2000)}`, "x", "nowhere#1#2", `pending#${"한".repeat(700)}`]) {
    const cursor = Cursor.encode(JSON.stringify(["cancel", filter]), { place });
    const answer = await app.post("/api/agent/tasks/bulk-cancel", { ...filter, cursor });
    expect(answer.status, answer.text).toBe(400);
  }
});
