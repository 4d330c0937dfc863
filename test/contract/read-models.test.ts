import { beforeAll, describe, expect, it } from "vitest";
import * as Shapes from "./shapes.ts";
import { contract, inStatus, ms, OWNER, type Body, type Contract } from "./support.ts";

/** Contract 4.4 to 4.10: effectiveness, status-report, usage, visibility, integration, monitor-issues, fatal-issues. */

const { expectShape } = Shapes;

async function read<T = Body>(app: Contract, path: string, shape: Parameters<typeof expectShape>[0]): Promise<T> {
  const answer = await app.get(`/api/agent/${path}`);
  expect(answer.status, answer.text).toBe(200);
  expectShape(shape, answer.body);
  return answer.body as T;
}

/** A task that a worker ran for a second. */
async function ran(app: Contract, end: "completed" | "failed", worker = OWNER, more: Body = {}): Promise<string> {
  const id = await app.create(more);
  await app.patch(id, { status: "running", worker_id: worker });
  await app.clock.advance(1000);
  const answer = await app.patch(id, { status: end, worker_id: worker, output: `it ${end}` });
  expect(answer.status, answer.text).toBe(200);
  return id;
}

type Bucket = { count: number; completed: number; failed: number; success_rate?: number };
type Usage = {
  by_model: Record<string, { count: number; by_status: Record<string, number>; last_used: string }>;
  routing: Record<string, { model: string; tier: string }>;
  execution: {
    by_agent: Record<string, Bucket>;
    by_executor: Record<string, Bucket>;
    by_tool: Record<string, Bucket>;
    coverage: Body;
    recent_runs: Body[];
  } & Body;
};
const usage = (app: Contract) => read<Usage>(app, "usage", Shapes.Usage);

describe("usage (4.6)", () => {
  it("of an empty store: nothing is used, nothing is missing", async () => {
    const empty = await usage(await contract());
    expect(empty.by_model).toEqual({});
    expect(empty.execution).toMatchObject({
      tracked_runs: 0,
      failed_runs: 0,
      success_runs: 0,
      success_rate: 1,
      codex_runs: 0,
      by_executor: {},
      by_agent: {},
      by_tool: {},
      coverage: { completed_or_failed_tasks: 0, tracked_task_runs: 0, coverage_rate: 1, untracked_task_ids: [] },
      recent_runs: [],
    });
  });

  it("routing shows claude's table for every type", async () => {
    const app = await (await contract()).with({ OLLAMA_MODEL: "m1", CLAUDE_FALLBACK_MODEL: "m3" });
    const { routing } = await usage(app);
    expect(routing).toMatchObject({
      spec: { model: "m1", tier: "openrouter" },
      test: { model: "openrouter/free", tier: "openrouter" },
      impl: { model: "openrouter/free", tier: "openrouter" },
      review: { model: "m3", tier: "openrouter" },
      heal: { model: "m3", tier: "openrouter" },
    });
  });

  it("counts tasks by model and status", async () => {
    const app = await contract();
    const first = await app.create({ context: { executor: "cursor", model_override: "m" } });
    await ran(app, "completed", OWNER, { context: { executor: "cursor", model_override: "m" } });
    const last = await ran(app, "failed", OWNER, { context: { executor: "cursor", model_override: "n" } });
    const { by_model } = await usage(app);
    expect(Object.keys(by_model).sort()).toEqual(["cursor/m", "cursor/n"]);
    expect(by_model["cursor/m"]).toMatchObject({ count: 2, by_status: { pending: 1, completed: 1 } });
    expect(by_model["cursor/n"]).toMatchObject({ count: 1, by_status: { failed: 1 } });
    expect((await app.task(first)).model).toBe("cursor/m");
    const ended = await app.task(last);
    expect([ms(ended.created_at), ms(ended.updated_at)]).toContain(ms(by_model["cursor/n"]?.last_used));
  });

  it("tracks each end once, by agent, executor and tool", async () => {
    const app = await contract();
    const done = await ran(app, "completed", OWNER, { context: { executor: "cursor" } });
    await ran(app, "failed", OWNER, { context: { executor: "claude" } });
    await ran(app, "completed", "openai-codex:7", { context: { executor: "openclaw" } });
    // Said again: no run.
    await app.patch(done, { status: "completed", worker_id: OWNER, output: "again" });
    await app.patch(done, { context: { runner_id: OWNER, note: 1 } });
    const { execution } = await usage(app);
    expect(execution).toMatchObject({
      tracked_runs: 3,
      failed_runs: 1,
      success_runs: 2,
      success_rate: 0.6667,
      codex_runs: 1,
      coverage: { completed_or_failed_tasks: 3, tracked_task_runs: 3, coverage_rate: 1, untracked_task_ids: [] },
    });
    expect(execution.by_agent).toMatchObject({
      [OWNER]: { count: 2, completed: 1, failed: 1 },
      "openai-codex": { count: 1, completed: 1, failed: 0 },
    });
    expect(execution.by_executor).toMatchObject({
      cursor: { count: 1, completed: 1, failed: 0 },
      openclaw: { count: 1, completed: 1, failed: 0 },
    });
    expect(execution.by_tool).toMatchObject({
      "agent-task-completion": { count: 3, completed: 2, failed: 1, success_rate: 0.6667 },
    });
    const sum = (buckets: Record<string, Bucket>) => Object.values(buckets).reduce((all, one) => all + one.count, 0);
    for (const buckets of [execution.by_agent, execution.by_executor, execution.by_tool]) expect(sum(buckets)).toBe(3);
  });

  it("shows the latest runs first, each with what is known of it", async () => {
    const app = await contract();
    const first = await ran(app, "completed", OWNER, { context: { executor: "cursor" } });
    await app.clock.advance(1000);
    const last = await ran(app, "failed", "openai-codex", { context: { executor: "openclaw" } });
    const { recent_runs } = (await usage(app)).execution;
    expect(recent_runs.map((one) => one.task_id)).toEqual([last, first]);
    expect(recent_runs[0]).toMatchObject({
      event_id: expect.stringMatching(/^rt_[0-9a-f]{12}$/) as string,
      tool: "agent-task-completion",
      status_code: 500,
      agent_id: "openai-codex",
      is_openai_codex: true,
      provider: "openai-codex",
      executor: "openclaw",
    });
    expect(recent_runs[1]).toMatchObject({
      status_code: 200,
      agent_id: OWNER,
      is_openai_codex: false,
      executor: "cursor",
      provider: "openrouter",
      runtime_ms: 1000,
    });
    expect(recent_runs[0]?.endpoint).toMatch(/^\/?tool:agent-task-completion$/);
  });

  it("has at most 50 of them, and counts all", async () => {
    const app = await contract();
    for (let i = 0; i < 55; i++) await ran(app, "completed");
    const { execution } = await usage(app);
    expect(execution.recent_runs).toHaveLength(50);
    expect(execution.tracked_runs).toBe(55);
  });
});

describe("visibility (4.7)", () => {
  type Visibility = { pipeline: Body; usage: Usage; remaining_usage: Body };
  const visibility = (app: Contract) => read<Visibility>(app, "visibility", Shapes.Visibility);

  it("of an empty store is green", async () => {
    expect(await visibility(await contract())).toMatchObject({
      pipeline: {
        running_count: 0,
        pending_count: 0,
        recent_completed_count: 0,
        running_by_phase: { spec: 0, impl: 0, test: 0, review: 0 },
        attention_flags: [],
      },
      remaining_usage: {
        coverage_rate: 1,
        remaining_to_full_coverage: 0,
        untracked_task_ids: [],
        health: "green",
      },
    });
  });

  it("counts what pipeline-status shows and holds what usage says", async () => {
    const app = await contract();
    for (let i = 0; i < 3; i++) await ran(app, "failed");
    for (let i = 0; i < 22; i++) await app.create({ task_type: "spec" });
    for (let i = 0; i < 11; i++) await inStatus(app, "running");
    const { pipeline, usage: inside, remaining_usage } = await visibility(app);
    expect(pipeline).toMatchObject({
      running_count: 10,
      pending_count: 20,
      recent_completed_count: 3,
      running_by_phase: { spec: 22, impl: 11, test: 0, review: 0 },
      attention_flags: ["repeated_failures"],
    });
    expect(inside).toEqual(await usage(app));
    expect(remaining_usage).toMatchObject({ coverage_rate: 1, health: "green" });
  });
});

describe("integration (4.8)", () => {
  type Integration = {
    status: string;
    summary: Body;
    integration: Body & { gaps: { id: string; severity: string }[]; primary_bindings: Body; agent_profiles: unknown[] };
  };
  const integration = async (env: Record<string, string> = {}) =>
    read<Integration>(await (await contract()).with(env), "integration", Shapes.Integration);

  it("with every executor there is nothing wrong", async () => {
    const { status, summary, integration: it } = await integration();
    expect(status).toBe("healthy");
    expect(summary).toMatchObject({ gap_count: 0, high_gap_count: 0 });
    expect(it).toMatchObject({
      missing_profile_files: [],
      unbound_profiles: [],
      unmapped_task_types: [],
      binary_checks: { aider: true, agent: true, openclaw: true },
      policy_defaults: { cheap_executor: "cursor", escalation_executor: "claude" },
      gaps: [],
    });
  });

  it("binds every type to its role", async () => {
    const { primary_bindings, guard_bindings, agent_profiles } = (await integration()).integration;
    expect(primary_bindings).toMatchObject({
      spec: "product-manager",
      test: "qa-engineer",
      impl: "dev-engineer",
      review: "reviewer",
      heal: "dev-engineer",
    });
    expect(guard_bindings).toMatchObject({ review: ["spec-guard"] });
    const named = JSON.stringify(agent_profiles);
    for (const profile of ["dev-engineer", "product-manager", "qa-engineer", "reviewer", "spec-guard"])
      expect(named).toContain(profile);
  });

  it.each([
    ["claude,openclaw", "agent", "high"],
    ["cursor,openclaw", "aider", "medium"],
    ["cursor,claude", "openclaw", "low"],
  ])("with %s alone the binary %s is missing: a %s gap", async (executors, binary, severity) => {
    const { status, summary, integration: it } = await integration({ AGENT_EXECUTORS_AVAILABLE: executors });
    expect(it.binary_checks).toMatchObject({ [binary]: false });
    expect(it.gaps).toHaveLength(1);
    expect(it.gaps[0]).toMatchObject({ severity });
    expect(it.gaps[0]?.id).toMatch(/^missing-executor-binary:./);
    expect(summary).toMatchObject({ gap_count: 1, high_gap_count: severity === "high" ? 1 : 0 });
    expect(status === "healthy").toBe(severity !== "high");
  });

  it("the defaults follow the settings", async () => {
    const env = { AGENT_EXECUTOR_CHEAP_DEFAULT: "claude" };
    expect((await integration(env)).integration.policy_defaults).toEqual({
      cheap_executor: "claude",
      escalation_executor: "openclaw",
    });
  });
});

describe("effectiveness (4.4)", () => {
  const effectiveness = (app: Contract) => read(app, "effectiveness", Shapes.Effectiveness);

  it("of an empty store is zero, whole", async () => {
    expect(await effectiveness(await contract())).toMatchObject({
      throughput: { completed_7d: 0, tasks_per_day: 0 },
      success_rate: 0,
      issues: { open: 0, resolved_7d: 0 },
      progress: { spec: 0, impl: 0, test: 0, review: 0, heal: 0 },
      goal_proximity: 0,
      heal_resolved_count: 0,
      top_issues_by_priority: [],
    });
  });

  it("counts what completed in seven days", async () => {
    const app = await contract();
    for (const [type, end] of [
      ["spec", "completed"],
      ["impl", "completed"],
      ["impl", "completed"],
      ["heal", "completed"],
      ["test", "failed"],
    ] as const)
      await ran(app, end, OWNER, { task_type: type });
    const answer = await effectiveness(app);
    expect(answer).toMatchObject({
      throughput: { completed_7d: 4, tasks_per_day: 0.6 },
      success_rate: 0.8,
      progress: { spec: 1, impl: 2, test: 0, review: 0, heal: 1 },
    });
    // The contract's figure; what nobody watches is no nearer to the goal (FAILURES 44).
    const most = Math.round(0.8 * (0.5 + 0.5 * 0.06) * 100) / 100;
    expect(answer.goal_proximity).toBeGreaterThanOrEqual(0);
    expect(answer.goal_proximity).toBeLessThanOrEqual(most);
  });

  it("forgets what is older", async () => {
    const app = await contract();
    await ran(app, "completed");
    await app.clock.advance(8 * 86_400_000);
    expect(await effectiveness(app)).toMatchObject({ throughput: { completed_7d: 0, tasks_per_day: 0 } });
  });
});

describe("what the monitor leaves (4.5, 4.9, 4.10), before it has run", () => {
  let empty: Contract;
  beforeAll(async () => {
    empty = await contract();
  });

  it("the status report says that there is none yet, layer by layer", async () => {
    const unknown = { status: "unknown", summary: "" };
    expect(await read(empty, "status-report", Shapes.StatusReport)).toMatchObject({
      generated_at: null,
      overall: { status: "unknown", going_well: [], needs_attention: [] },
      layer_0_goal: { status: "unknown", summary: "Report not yet generated by monitor" },
      layer_1_orchestration: unknown,
      layer_2_execution: unknown,
      layer_3_attention: unknown,
    });
  });

  it("there are no issues, exactly", async () => {
    expect((await empty.get("/api/agent/monitor-issues")).body).toEqual({ issues: [], last_check: null });
  });

  it("nothing is fatal", async () => {
    expect((await empty.get("/api/agent/fatal-issues")).body).toEqual({ fatal: false });
  });
});

describe("none of them takes parameters", () => {
  it.each([
    "usage",
    "visibility",
    "integration",
    "pipeline-status",
    "metrics",
    "effectiveness",
    "status-report",
    "monitor-issues",
    "fatal-issues",
  ])("GET %s passes over a query", async (path) => {
    const app = await contract();
    expect((await app.get(`/api/agent/${path}?limit=rubbish&status=x`)).status).toBe(200);
  });
});
