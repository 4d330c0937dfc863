import { execFileSync } from "node:child_process";
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import * as Executor from "../../core/flow/executor/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import * as Config from "../../core/ground/config.ts";
import * as Task from "../../core/work/task/index.ts";
import { commandOf, PLACE, withModel } from "../../core/flow/executor/command.ts";
import { testDeps, type TestDeps } from "../support/deps.ts";

const settings = (env: Record<string, string> = {}) => Config.read(env).executor;
const of = (
  type: Task.TaskType,
  executor: Executor.Executor,
  env?: Record<string, string>,
  override?: string,
): Executor.Route => Executor.routeOf(settings(env), type, executor, override);

describe("the table of executors (contract 3.1)", () => {
  it.each([
    ["claude", "impl", "openrouter/free", "openrouter", "openrouter", true],
    ["cursor", "impl", "cursor/openrouter/free", "cursor", "openrouter", false],
    ["openclaw", "impl", "openclaw/gpt-5-codex", "openclaw", "openai-codex", true],
    ["openclaw", "review", "openclaw/gpt-5-codex", "openclaw", "openai-codex", true],
  ] as const)("%s for %s", (executor, type, model, tier, provider, paid) => {
    const route = of(type, executor);
    expect(route).toMatchObject({ model, tier, provider, billing_provider: provider, is_paid_provider: paid });
    expect(route.template).toContain(PLACE);
  });

  it("takes models from the settings, by task type", () => {
    const env = { OLLAMA_MODEL: "a", OLLAMA_CLOUD_MODEL: "b", CLAUDE_FALLBACK_MODEL: "c" };
    const models = Task.TaskType.options.map((type) => of(type, "claude", env).model);
    expect(models).toEqual(["a", "b", "b", "c", "c"]);
    expect(of("heal", "openclaw", { OPENCLAW_MODEL: "m" }).model).toBe("openclaw/m");
    expect(of("review", "cursor", { CURSOR_CLI_REVIEW_MODEL: "r" }).model).toBe("cursor/r");
  });

  it.each([
    ["gpt-5.3-codex-spark", "openclaw/gpt-5.3-codex"],
    ["x/gtp-5.3-codex", "openclaw/x/gpt-5.3-codex"],
    ["mine", "openclaw/yours"],
  ])("an alias of %s", (asked, model) => {
    const route = of("impl", "openclaw", { AGENT_MODEL_ALIAS_MAP: "mine:yours" }, asked);
    expect(route.model).toBe(model);
    expect(route.template).toContain(`--model ${model.replace("openclaw/", "")}`);
  });

  it("a template without a place for the direction gets one at its end", () => {
    expect(of("impl", "openclaw", { OPENCLAW_COMMAND_TEMPLATE: "go --model {{model}}" }).template).toBe(
      `go --model gpt-5-codex "${PLACE}"`,
    );
  });
});

describe("FAILURES 12: a command that a shell gets", () => {
  const hostile = "it's `touch x` $(touch x) \"; touch x; '\n$HOME \\ ${IFS} !! {{model}} --model y";

  it.each([
    `printf %s "${PLACE}"`,
    `printf %s '${PLACE}'`,
    `printf %s ${PLACE}`,
    `printf %s "before ${PLACE} after"`,
    `printf %s 'before '${PLACE}' after'`,
    `printf %s "a \\" ${PLACE}"`,
  ])("%s: the direction is one argument, to the letter", (template) => {
    const out = execFileSync("/bin/sh", ["-c", commandOf(template, hostile)], { encoding: "utf8", cwd: "/" });
    expect(out).toContain(hostile);
  });

  it("for any direction", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), (text) => {
        const clean = text.replaceAll("\0", "");
        const out = execFileSync("/bin/sh", ["-c", commandOf(`printf %s "${PLACE}"`, clean)], { encoding: "utf8" });
        expect(out).toBe(clean);
      }),
      { numRuns: 60 },
    );
  });

  it.each([
    `sh -c "agent {{direction}}"`,
    `sh -c 'agent {{direction}} --fast'`,
    `sh -c "agent '{{direction}}'"`,
    `agent "say {{direction}}"`,
    "agent ${{direction}}",
  ])("a template whose place stands within other quotes is refused: %s", (template) => {
    expect(() => settings({ OPENCLAW_COMMAND_TEMPLATE: template })).toThrow(/OPENCLAW_COMMAND_TEMPLATE.*stands bare/s);
  });

  it.each(["agent {{direction}}", `agent "{{direction}}" --x`, "agent '{{direction}}'", `A="b" agent {{direction}}`])(
    "a template whose place stands bare or alone in its quotes is taken: %s",
    (template) => {
      expect(settings({ OPENCLAW_COMMAND_TEMPLATE: template })).toBeDefined();
    },
  );

  it.each(["b; touch x", "$(touch x)", "`x`", "a b", "'", "x".repeat(201)])(
    "a model of a client's is a name: %s is none",
    async (model) => {
      const input = Task.Create.parse({ direction: "x", task_type: "impl", context: { model_override: model } });
      await expect(Pipeline.create(await testDeps(), input)).rejects.toMatchObject({ code: "input.invalid" });
    },
  );

  it("a model takes the place of every one that is named", () => {
    expect(withModel("agent", "b")).toBe("agent --model b");
    expect(withModel("agent --model a --model=c", "b")).toBe("agent --model b --model b");
  });
});

describe("which provider that is, and whether it costs (contract 3.5)", () => {
  it.each([
    [{ worker: "openai-codex:7", command: "agent x", model: "m" }, "openai-codex", true],
    [{ command: "agent --model openrouter/free", model: "m" }, "openrouter", false],
    [{ command: "agent --model openrouter/x", model: "openrouter/free" }, "openrouter", true],
    [{ command: "agent x", model: "openrouter/y/free" }, "openrouter", false],
    [{ command: "agent --model gpt-5-codex", model: "m" }, "openai-codex", true],
    [{ command: "agent --model=o3-mini", model: "m" }, "openai", true],
    [{ command: "agent x", model: "my-codex" }, "openai-codex", true],
    [{ command: "agent x", model: "gpt-4o" }, "openai", true],
    [{ command: "codex exec", model: "m" }, "openai-codex", true],
    [{ executor: "openclaw", command: "x", model: "m" }, "openclaw", false],
    [{ executor: "cursor", command: "x", model: "m" }, "cursor", true],
    [{ executor: "aider", command: "x", model: "m" }, "claude", true],
    [{ command: "x", model: "m" }, "unknown", false],
  ])("%j is %s", (run, provider, paid) => {
    expect(Executor.billing(run)).toEqual({ provider, billing_provider: provider, is_paid_provider: paid });
  });
});

describe("who is chosen (contract 3.3)", () => {
  let deps: TestDeps;
  beforeAll(async () => {
    deps = await testDeps();
  });
  const chosen = async (
    direction: string,
    context: Record<string, unknown> = {},
    env: Record<string, string> = {},
    type: Task.TaskType = "impl",
  ) => {
    const own = { ...deps, config: Config.read(env) };
    const { task } = await Pipeline.create(own, Task.Create.parse({ direction, task_type: type, context }));
    return { ...task.parts.context, id: task.row.id } as Record<string, unknown> & {
      id: string;
      executor: string;
      executor_policy?: Record<string, unknown>;
    };
  };

  it("whom the client names, and no policy is recorded", async () => {
    const context = await chosen("x", { executor: "Clawwork " });
    expect(context.executor).toBe("openclaw");
    expect(context).not.toHaveProperty("executor_policy");
    expect(context).not.toHaveProperty("task_fingerprint");
    expect(context.route_decision).toMatchObject({ executor: "openclaw", task_type: "impl", policy: null });
  });

  it.each([
    ["fix this repo", {}, "cursor", "repo_scoped_question"],
    ["look at AGENTS.md", {}, "cursor", "repo_scoped_question"],
    ["mend core/tick.ts", {}, "cursor", "repo_scoped_question"],
    ["what is love", {}, "openclaw", "open_question_default"],
    ["what is love", { question_scope: "repository" }, "cursor", "repo_scoped_question"],
    ["fix this repo", { scope: "general" }, "openclaw", "open_question_default"],
    ["fix this repo", { executor: "nobody" }, "cursor", "repo_scoped_question"],
  ])("%s with %j: %s, %s", async (direction, context, executor, reason) => {
    const { executor: got, executor_policy, task_fingerprint } = await chosen(direction, context);
    expect([got, executor_policy?.reason]).toEqual([executor, reason]);
    expect(executor_policy).toMatchObject({ policy_applied: true, task_fingerprint });
  });

  it("without a policy the default, and nothing is recorded", async () => {
    const context = await chosen("x", {}, { AGENT_EXECUTOR_POLICY_ENABLED: "off", AGENT_EXECUTOR_DEFAULT: "cursor" });
    expect(context.executor).toBe("cursor");
    expect(context).not.toHaveProperty("executor_policy");
  });

  it("cheap first; after a failure, or often tried, the stronger one", async () => {
    const env = { AGENT_EXECUTORS_AVAILABLE: "cursor,claude" };
    const direction = "a riddle";
    const first = await chosen(direction, {}, env);
    expect([first.executor, first.executor_policy?.reason]).toEqual(["cursor", "cheap_default"]);
    await Pipeline.update(deps, first.id, { status: "failed", error: "no" }, { kind: "operator" });
    const second = await chosen(`  ${direction.toUpperCase()} `, {}, env);
    expect(second.executor_policy).toMatchObject({
      reason: "failure_threshold",
      historical_attempts: 1,
      historical_failures: 1,
      cheap_executor: "cursor",
      escalation_executor: "claude",
    });
    expect(second.executor).toBe("claude");
    const third = await chosen(direction, {}, env);
    expect(third.executor_policy).toMatchObject({ reason: "retry_threshold", effective_retry_count: 2 });
    expect((await chosen("another", { retry_count: 2 }, env)).executor_policy).toMatchObject({
      reason: "retry_threshold",
      retry_hint: 2,
      historical_attempts: 0,
    });
    expect((await chosen(direction, {}, env, "spec")).executor_policy?.reason).toBe("cheap_default");
  });

  it("one that cannot be had falls back, and says so", async () => {
    const only = await chosen("u", {}, { AGENT_EXECUTORS_AVAILABLE: "claude" });
    expect(only.executor_policy).toMatchObject({
      reason: "selected_executor_unavailable",
      selected_executor: "cursor",
      fallback_executor: "claude",
    });
    expect((await chosen("v", {}, { AGENT_EXECUTORS_AVAILABLE: "," })).executor).toBe("claude");
  });

  it("an item's task has no policy: routing alone says who does it", async () => {
    const item = { backlog: "b", item: "i", seq: 1, phase: "spec", round: 0 } as const;
    const input = Task.Create.parse({ direction: "x", task_type: "spec" });
    const { task } = await Pipeline.create(deps, input, { key: "b#i#1", item });
    expect(task.parts.context).not.toHaveProperty("executor");
    expect(task.row).toMatchObject({ model: "auto", command: expect.stringContaining("Direction: x'") as string });
  });

  it("command_override is taken as it is and leaves the model alone; model_override changes both", async () => {
    const context = { executor: "cursor", command_override: "echo hi", model_override: "m" };
    const over = await chosen("x", context);
    const task = await Task.read(deps.store, over.id);
    expect(task?.row).toMatchObject({ command: "echo hi", model: "cursor/openrouter/free" });
    const other = await chosen("x", { executor: "cursor", model_override: "gpt-5.3-codex-spark" });
    const changed = await Task.read(deps.store, other.id);
    expect(changed?.row.model).toBe("cursor/gpt-5.3-codex");
    expect(changed?.row.command).toMatch(/^agent '.*' --model gpt-5\.3-codex$/);
  });

  it("a command of a client's own is bounded: it lies on the task, which every end of it writes", async () => {
    const most = 16 * 1024;
    const kept = await chosen("x", { executor: "cursor", command_override: "x".repeat(most) });
    expect((await Task.row(deps.store, kept.id))?.command).toHaveLength(most);
    for (const over of ["x".repeat(most + 1), "é".repeat(most / 2 + 1)])
      await expect(chosen("x", { command_override: over })).rejects.toMatchObject({ code: "input.too_large" });
  });

  it.each(["constructor", "__proto__", "toString"])("a model called %s is no alias of anything", async (model) => {
    const made = await chosen("x", { executor: "openclaw", model_override: model });
    expect((await Task.row(deps.store, made.id))?.model).toBe(`openclaw/${model}`);
  });

  it("FAILURES 34: values of the wrong type break nothing", async () => {
    const context = { executor: {}, scope: 5, retry_count: "many", model_override: 7, command_override: [] };
    expect((await chosen("x", context)).executor).toBe("openclaw");
  });
});

describe("whether a context pays (contract 2.8)", () => {
  it.each([
    [{}, false],
    [{ allow_paid_providers: "yes" }, true],
    [{ force_allow_paid_providers: false, allow_paid_providers: true }, false],
    [{ force_paid_provider: 1 }, true],
    [{ force_paid_providers: "0" }, false],
  ])("%j: %s", (context, pays) => expect(Executor.allowsPaid(context)).toBe(pays));
});
