import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { play, run, type Host } from "./host.ts";
import { answers, HARMLESS, ID } from "./recorded.ts";

let host: Host;
let folder: string;
beforeAll(async () => {
  host = await play(answers);
  folder = mkdtempSync(join(tmpdir(), "cli-"));
  writeFileSync(join(folder, "main.md"), "## Phase 1: A\n1. Write it {#it}\n");
  writeFileSync(join(folder, "bad.md"), "1. one {#same}\n2. two {#same}\n");
});
afterAll(() => host.close());

const coherence = (argv: string[], more: { COLUMNS?: string; input?: string } = {}) =>
  run(argv, {
    env: { AGENT_API_BASE: host.base, COLUMNS: more.COLUMNS ?? "140" },
    cwd: folder,
    ...(more.input === undefined ? {} : { input: more.input }),
  });
/* What a terminal would act upon, or would show as other than it is. */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** Every command that prints data, and the route whose answer `--json` prints. */
const READS: [argv: string[], route: keyof typeof answers][] = [
  [["status"], "GET /api/agent/pipeline-status"],
  [["tasks"], "GET /api/agent/tasks?limit=20"],
  [["task", ID], `GET /api/agent/tasks/${ID}`],
  [["items"], "GET /api/agent/backlogs/main/items"],
  [["log", ID], `GET /api/agent/tasks/${ID}/log`],
  [["providers"], "GET /api/agent/providers"],
  [["workers"], "GET /api/agent/workers"],
  [["cleanup"], "POST /api/agent/cleanup"],
  [["decide", ID, "8080"], `POST /api/agent/tasks/${ID}/decide`],
  [["cancel", ID], `POST /api/agent/tasks/${ID}/cancel`],
  [["retry", ID], `POST /api/agent/tasks/${ID}/retry`],
  [["release", ID], `POST /api/agent/tasks/${ID}/release`],
  [["backlog", "push", "main.md"], "POST /api/agent/backlogs/main/push"],
];

describe("what is printed", () => {
  it.each(READS)("%j has nothing in it that a terminal would act upon", async (argv) => {
    const { out, code } = await coherence(argv);
    expect(code).toBe(0);
    expect(out).not.toMatch(UNSAFE);
    expect(out.trim()).not.toBe("");
  });

  it.each(READS)("%j --json is the answer to the letter, and nothing else", async (argv, route) => {
    const { out, code } = await coherence([...argv, "--json"]);
    expect(code).toBe(0);
    expect(out).toBe(`${JSON.stringify(answers[route].body)}\n`);
  });

  it.each(READS.slice(0, 7).filter(([argv]) => argv[0] !== "log" && argv[0] !== "task"))(
    "%j fits a narrow terminal, its ids whole",
    async (argv) => {
      const { out } = await coherence(argv, { COLUMNS: "40" });
      const wide = out.split("\n").filter((line) => line.length > 40);
      // Questions, remedies and cooldowns are sentences: the terminal wraps them.
      expect(wide.filter((line) => !/^(\s*task_ffee|\s+coherence decide|codex|claude|.*% success)/.test(line))).toEqual(
        [],
      );
      if (argv[0] === "tasks" || argv[0] === "status") expect(out).toContain(ID);
    },
  );
});

describe("status", () => {
  it("shows attention, what each worker does, what waits, what needs a person, and the week", async () => {
    const { out } = await coherence(["status"]);
    expect(out).toContain("Attention: stuck, low_success_rate");
    expect(out).toMatch(new RegExp(`host-1 .*${ID}\\s+running the suite`));
    expect(out).toMatch(/host-2 .*idle/);
    expect(out).toMatch(new RegExp(`${ID}\\s+impl\\s+1m1s .*${HARMLESS}`));
    expect(out).toMatch(/task_ffeeddccbbaa9988\s+impl\s+2h1m/);
    expect(out).toContain('coherence decide task_ffeeddccbbaa9988 "answer"');
    expect(out).toContain("9 completed, 3 failed, 75 % success, p50 3m20s, p95 1h6m, cost $1.50 (known of 80 %)");
  });
});

describe("a share that is not whole", () => {
  it.each([
    [1000, 4, "99 % success"],
    [3, 997, "1 % success"],
    [1000, 0, "100 % success"],
    [0, 7, "0 % success"],
    [2, 1, "67 % success"],
  ])("%s completed and %s failed are %s", async (completed, failed, said) => {
    const total = completed + failed;
    const success_rate = { completed, failed, total, rate: Math.round((completed / total) * 100) / 100 };
    const metrics = "GET /api/agent/metrics" as const;
    const other = await play({ ...answers, [metrics]: { body: { ...answers[metrics].body, success_rate } } });
    const { out } = await run(["status"], { env: { AGENT_API_BASE: other.base, COLUMNS: "140" }, cwd: folder });
    await other.close();
    expect(out).toContain(`${completed} completed, ${failed} failed, ${said}`);
  });
});

describe("tasks", () => {
  it("shows one a line, and how many there are", async () => {
    const { out } = await coherence(["tasks"]);
    expect(out).toMatch(new RegExp(`^${ID}\\s+impl\\s+running .*${HARMLESS}$`, "m"));
    expect(out).toContain("1 of 41");
  });

  it("passes its filters on", async () => {
    const { out, code } = await coherence(["tasks", "--status", "failed", "--type", "impl", "--limit", "5"]);
    expect([out, code]).toEqual(["No tasks.\n", 0]);
  });
});

describe("task", () => {
  it("shows the error with its remedy, who was tried, times, cost, and who was left out", async () => {
    const { out } = await coherence(["task", ID]);
    expect(out).toMatch(/Class\s+bad_result/);
    expect(out).toMatch(/Remedy\s+Read the failing test\./);
    expect(out).toMatch(/Printed\s+1 failed\n\s+expected 1/);
    expect(out).toContain("main cli-watch (impl, round 2)");
    expect(out).toMatch(/Attempt 2: failed \(bad_result\), host-1, 2026-01-31 09:30:00Z, took 1h5m/);
    expect(out).toMatch(/claude opus\s+rate_limit\s+1m1s\s+unknown\s+429/);
    expect(out).toMatch(/codex gpt-5\s+bad\s+—\s+\$0\.0042\s+suite redder/);
    expect(out).toContain("left out: gemini pro: auth: no key — Set GEMINI_API_KEY.");
  });
});

describe("items", () => {
  it("takes the first backlog when none is named, and says so", async () => {
    const { out, err } = await coherence(["items"]);
    expect(out).toMatch(/^cli-watch\s+abandoned\s+impl\s+6 .*suite redder/m);
    expect(err).toBe("Backlog main, the first of 2.\n");
  });

  it("takes the named one, and a state", async () => {
    const { out } = await coherence(["items", "other", "--state", "done"]);
    expect(out).toBe("No items.\n");
  });
});

describe("log", () => {
  it("keeps lines and tabs", async () => {
    const { out, err } = await coherence(["log", ID]);
    expect(out).toContain("\n\tindented\n50 %\n100 %\n");
    expect(err).toContain("The beginning is left out");
  });
});

describe("providers", () => {
  it("says who is ready, what the others lack, and what cools down until when", async () => {
    const { out } = await coherence(["providers"]);
    expect(out).toMatch(/^codex\s+yes\s+gpt-5 /m);
    expect(out).toContain("claude: Set ANTHROPIC_API_KEY.");
    expect(out).toContain("codex gpt-5: cools down until 2026-01-31 09:45:00Z (rate_limit)");
  });
});

describe("backlog", () => {
  it("check says OK, or each line with its remedy, without a host", async () => {
    expect(await coherence(["--api", "http://127.0.0.1:1", "backlog", "check", "main.md"])).toMatchObject({
      out: "OK: main.md\n",
      code: 0,
    });
    const bad = await coherence(["backlog", "check", "bad.md"]);
    expect(bad.out).toMatch(/^2: .+ — .+\n$/);
    expect(bad.code).toBe(1);
    const json = await coherence(["backlog", "check", "bad.md", "--json"]);
    expect(JSON.parse(json.out)).toMatchObject({ problems: [{ line: 2 }] });
    expect(json.code).toBe(1);
  });

  it("push sends the file and says what changed", async () => {
    const { out } = await coherence(["backlog", "push", "main.md", "--meta", "--dry-run"]);
    expect(out).toBe("main: 2 created, 1 changed, 1 retired, 7 unchanged (dry run)\n  changed c\n  retired d\n");
    expect(host.asked.at(-1)?.body).toEqual({
      text: "## Phase 1: A\n1. Write it {#it}\n",
      kind: "meta",
      dry_run: true,
    });
  });

  it("push takes a file from standard input under a name", async () => {
    const { code } = await coherence(["backlog", "push", "-", "--id", "main"], { input: "1. x {#x}\n" });
    expect(code).toBe(0);
    expect(host.asked.at(-1)?.body).toMatchObject({ text: "1. x {#x}\n", kind: "product", dry_run: false });
  });

  it("push of a file with problems sends nothing", async () => {
    const before = host.asked.length;
    const { out, code } = await coherence(["backlog", "push", "bad.md"]);
    expect(out).toMatch(/^2: /);
    expect([code, host.asked.length]).toEqual([1, before]);
  });
});

describe("verbs", () => {
  it("decide sends the answer, or standard input for -", async () => {
    const { out } = await coherence(["decide", ID, "use 8080"]);
    expect(out).toBe(`${ID} is now pending\n`);
    expect(host.asked.at(-1)?.body).toEqual({ decision: "use 8080" });
    await coherence(["decide", ID, "-"], { input: "use\n9090\n" });
    expect(host.asked.at(-1)?.body).toEqual({ decision: "use\n9090" });
  });

  it("cancel sends the reason, when there is one", async () => {
    await coherence(["cancel", ID, "--reason", "not now"]);
    expect(host.asked.at(-1)?.body).toEqual({ reason: "not now" });
    await coherence(["cancel", ID]);
    expect(host.asked.at(-1)?.body).toEqual({});
  });

  it("retry takes an abandoned item too", async () => {
    expect(await coherence(["retry", "main/cli-watch"])).toMatchObject({ out: "cli-watch is now impl\n", code: 0 });
  });

  it("cleanup only says what would go, when told to", async () => {
    const { out } = await coherence(["cleanup", "--dry-run", "--keep-days", "30"]);
    expect(out).toContain("Would remove 1 worktrees, 1 branches, 2 logs.");
    expect(host.asked.at(-1)?.body).toEqual({ dry_run: true, keep_days: 30 });
  });
});
