import { afterEach, describe, expect, it } from "vitest";
import { play, run, start, type Answers, type Host } from "./host.ts";
import { answers, ID } from "./recorded.ts";

let host: Host;
afterEach(() => host.close());

const task = (status: string) => ({ body: { ...answers[`GET /api/agent/tasks/${ID}`].body, status } });
const page = (log: string, next: number, truncated = false) => ({
  body: { task_id: ID, log, command: "", output: null, truncated, next_offset: next },
});

describe("log -f", () => {
  it("goes on from the offset of each answer, joins what was cut, and ends with the task", async () => {
    const statuses = ["pending", "running", "running", "running", "completed"];
    const none = { status: 404, code: "task.log_not_found", body: { detail: "Task log not found" } };
    const scripted: Answers = {
      [`GET /api/agent/tasks/${ID}`]: (asked) => task(statuses[asked] ?? "completed"),
      [`GET /api/agent/tasks/${ID}/log?offset=0`]: (asked) => (asked === 0 ? none : page("one\ntw", 6, true)),
      // The rest of a line, and an escape sequence that the next answer ends.
      [`GET /api/agent/tasks/${ID}/log?offset=6`]: page("o\nred: \u001b[3", 14),
      [`GET /api/agent/tasks/${ID}/log?offset=14`]: page("1mthree\n# duration_seconds=1.0 exit=0 status=completed", 60),
      [`GET /api/agent/tasks/${ID}/log?offset=60`]: page("", 60),
    };
    host = await play(scripted);
    const { out, code } = await run(["log", ID, "--follow", "--api", host.base]);
    expect(out).toBe("one\ntwo\nred: three\n# duration_seconds=1.0 exit=0 status=completed\n");
    expect(code).toBe(0);
  });

  it("goes on from the cursor where an answer has one: the host then reads only what is new", async () => {
    const statuses = ["running", "running", "completed"];
    const at = (log: string, next: number, cursor: string) => ({
      body: { ...page(log, next).body, next_cursor: cursor },
    });
    host = await play({
      [`GET /api/agent/tasks/${ID}`]: (asked) => task(statuses[asked] ?? "completed"),
      [`GET /api/agent/tasks/${ID}/log?offset=0`]: at("one\n", 4, "001#001#0000:4"),
      [`GET /api/agent/tasks/${ID}/log?cursor=001%23001%230000%3A4`]: at("two\n", 8, "001#001#0001:8"),
      [`GET /api/agent/tasks/${ID}/log?cursor=001%23001%230001%3A8`]: at("", 8, "001#001#0001:8"),
    });
    const { out, code } = await run(["log", ID, "-f", "--api", host.base]);
    expect([out, code]).toEqual(["one\ntwo\n", 0]);
  });

  it("says once when the task asks, and goes on", async () => {
    const statuses = ["needs_decision", "needs_decision", "failed"];
    host = await play({
      [`GET /api/agent/tasks/${ID}`]: (asked) => task(statuses[asked] ?? "failed"),
      [`GET /api/agent/tasks/${ID}/log?offset=0`]: page("asks\n", 5),
      [`GET /api/agent/tasks/${ID}/log?offset=5`]: page("", 5),
    });
    const { out, err } = await run(["log", ID, "-f", "--api", host.base]);
    expect(out).toBe("asks\n");
    expect(err.match(/waits for an answer/g)).toHaveLength(1);
  });
});

describe("status --watch", () => {
  it("draws again, and outlives a host that is away for a while", async () => {
    const away = { status: 503, code: "store.unavailable", body: { detail: "The store does not answer" } };
    const well = answers["GET /api/agent/pipeline-status"];
    host = await play({ ...answers, "GET /api/agent/pipeline-status": (asked) => (asked === 1 ? away : well) });
    const watching = start(["status", "--watch", "--api", host.base]);
    let seen = "";
    for await (const chunk of watching.stdout) {
      seen += String(chunk);
      if ((seen.match(/Attention: stuck/g) ?? []).length === 2) break;
    }
    watching.kill("SIGINT");
    const ended = await watching;
    expect(ended.signal).toBe("SIGINT");
    expect(seen).toContain("The store does not answer (store.unavailable); looking again.");
  });
});

describe("a reader that has seen enough", () => {
  it("ends the command without a word", async () => {
    const log = page(Array.from({ length: 100_000 }, (_, n) => `line ${n}`).join("\n"), 1);
    host = await play({ [`GET /api/agent/tasks/${ID}/log`]: log });
    const printing = start(["log", ID, "--api", host.base]);
    printing.stdout.destroy();
    const { exitCode, stderr } = await printing;
    expect([exitCode, stderr]).toEqual([0, ""]);
  });
});
