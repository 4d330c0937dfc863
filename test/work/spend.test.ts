import { describe, expect, it } from "vitest";
import * as Config from "../../core/ground/config.ts";
import * as Spend from "../../core/work/spend/index.ts";
import { testDeps } from "../support/deps.ts";
import { NOON, stepping } from "../support/pipeline.ts";

const cost = (env: Record<string, string> = {}) => Config.read(env).cost;
const HOUR = 3_600_000;

describe("what a task may cost", () => {
  it.each<[string, Record<string, unknown>, Record<string, string>, number | undefined]>([
    ["nothing said: no bound", {}, {}, undefined],
    ["the context's limit", { max_cost_usd: 2 }, { AGENT_TASK_MAX_COST_USD: "1" }, 2],
    ["its older name", { max_cost: "0.5" }, {}, 0.5],
    ["the setting's limit", {}, { AGENT_TASK_MAX_COST_USD: "1" }, 1],
    ["zero is as if not set", { max_cost_usd: 0 }, { AGENT_TASK_MAX_COST_USD: "1" }, 1],
    ["below zero and rubbish too", { max_cost_usd: -3, max_cost: "a lot" }, {}, undefined],
    ["an estimate with its slack", { estimated_cost_usd: 4, cost_slack_ratio: 1.5 }, {}, 6],
    ["the slack's default", { estimated_cost_usd: 4 }, {}, 5],
    ["a slack below 1 is 1", { estimated_cost_usd: 4, cost_slack_ratio: 0.5 }, {}, 4],
    ["the least that an estimate allows", { estimated_cost_usd: 0.000001 }, {}, 0.0001],
    ["a limit goes before an estimate", { max_cost_usd: 1, estimated_cost_usd: 4 }, {}, 1],
    [
      "the setting's limit goes before the context's estimate",
      { estimated_cost_usd: 4 },
      { AGENT_TASK_MAX_COST_USD: "1" },
      1,
    ],
  ])("%s", (_name, context, env, expected) => {
    expect(Spend.taskLimit(context, cost(env))).toBe(expected);
  });
});

describe("budgets", () => {
  const weigh = (spent: number, more: Partial<Spend.Budget> = {}) =>
    Spend.weigh([{ scope: "task", spent, limit: 10, ...more }], []);

  it.each([
    [7.99, 0, 0, 2.01],
    [8, 1, 0, 2],
    [9.99, 1, 0, 0.01],
    [10, 0, 1, 0],
    [12, 0, 1, 0],
  ])("%s of 10: %s warned, %s stopped, %s left", (spent, warned, stopped, left) => {
    const weighed = weigh(spent);
    expect(weighed.warnings).toHaveLength(warned);
    expect(weighed.stops).toHaveLength(stopped);
    expect(weighed.left).toBeCloseTo(left);
  });

  it("a stop names its budget, the sums and the remedy; one that renews itself says when", () => {
    expect(weigh(10).stops).toMatchObject([
      { guard: "cost_overrun", message: "the task's cost budget is spent: $10.00 of $10.00" },
    ]);
    expect(weigh(10).stops[0]).not.toHaveProperty("until");
    expect(weigh(10, { scope: "day", renews: 7 }).stops[0]?.until).toBe(7);
  });

  it("the narrowest one bounds a run; without any there is no bound", () => {
    const budgets = [
      { scope: "task" as const, spent: 1, limit: 5 },
      { scope: "day" as const, spent: 9, limit: 10 },
    ];
    expect(Spend.weigh(budgets, []).left).toBe(1);
    expect(Spend.weigh([], [])).toEqual({ stops: [], warnings: [] });
  });
});

describe("windows of paid runs", () => {
  it("reads nothing when none is limited", async () => {
    const deps = await testDeps({ clock: stepping() });
    await Spend.countPaidRun(deps);
    expect(await Spend.paidWindows(deps, cost())).toEqual([]);
  });

  it("counts what began in the last 8 hours and 7 days, to the hour", async () => {
    const clock = stepping(NOON + 10 * 60_000);
    const deps = await testDeps({ clock });
    const limits = cost({
      PAID_TOOL_8H_LIMIT: "9",
      PAID_TOOL_WEEK_LIMIT: "30",
      PAID_TOOL_WINDOW_BUDGET_FRACTION: "0.5",
    });
    const used = async () => (await Spend.paidWindows(deps, limits)).map((one) => one.used);
    await Promise.all([1, 2, 3].map(() => Spend.countPaidRun(deps)));
    await clock.advance(2 * HOUR);
    await Spend.countPaidRun(deps);
    expect(await used()).toEqual([4, 4]);
    expect(await Spend.paidWindows(deps, limits)).toMatchObject([
      { name: "8h_limit", limit: 9, allowed: 4, frees_at: NOON + 9 * HOUR },
      { name: "1w_limit", limit: 30, allowed: 15, frees_at: NOON + 169 * HOUR },
    ]);
    await clock.advance(NOON + 9 * HOUR - 1 - clock.now());
    expect(await used()).toEqual([4, 4]);
    await clock.advance(1);
    expect(await used()).toEqual([1, 4]);
    await clock.advance(NOON + 169 * HOUR - clock.now());
    expect(await used()).toEqual([0, 1]);
  });

  it("says in the contract's words what is full, and lets at least one run pass", () => {
    const window = { name: "8h_limit" as const, used: 1, limit: 3, allowed: 1, fraction: 0.333, frees_at: 5 };
    const week = { ...window, name: "1w_limit" as const, frees_at: 9 };
    expect(Spend.weigh([], [window, week]).stops).toMatchObject([
      {
        guard: "usage_window_budget_exceeded",
        message:
          "Paid-provider usage blocked by window policy: 8h_limit used=1/3, allowed=1 (fraction=0.333); 1w_limit used=1/3, allowed=1 (fraction=0.333)",
        until: 9,
      },
    ]);
    expect(Spend.weigh([], [{ ...window, used: 0 }]).stops).toEqual([]);
  });

  it.each(["PAID_TOOL_8H_LIMIT", "PAID_TOOL_WEEK_LIMIT"])("%s takes whole numbers above 0 only", (name) => {
    for (const value of ["0", "-1", "1.5", "many"]) expect(() => cost({ [name]: value })).toThrow(name);
  });
  it.each(["0", "1.1", "-1"])("a fraction of %s is refused", (value) => {
    expect(() => cost({ PAID_TOOL_WINDOW_BUDGET_FRACTION: value })).toThrow("PAID_TOOL_WINDOW_BUDGET_FRACTION");
  });
});
