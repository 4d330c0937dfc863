import { describe, expect, it } from "vitest";
import { expectShape, RouteAnswer } from "./shapes.ts";
import { withApp, app, type Env, made, TYPES } from "./executor-support.ts";

withApp();

describe("who is paid (3.5)", () => {
  const TEMPLATE = { OPENCLAW_COMMAND_TEMPLATE: "openclaw run {{direction}} --model {{model}}" };

  it.each([
    ["claude", undefined, {}, "openrouter", true],
    ["cursor", undefined, {}, "openrouter", false],
    ["openclaw", undefined, {}, "openai-codex", true],
    // 2: openrouter in the command's model or the task's.
    ["cursor", "openrouter/free", {}, "openrouter", false],
    ["cursor", "openrouter/meta/llama/free", {}, "openrouter", false],
    ["cursor", "openrouter/anthropic/claude-sonnet", {}, "openrouter", true],
    ["claude", "openrouter/free", {}, "openrouter", false],
    ["openclaw", "openrouter/gpt-4o", {}, "openrouter", true],
    // 3: the command's model is OpenAI's.
    ["cursor", "gpt-4o", {}, "openai", true],
    ["cursor", "o1-mini", {}, "openai", true],
    ["cursor", "o3-mini", {}, "openai", true],
    ["cursor", "o4-mini", {}, "openai", true],
    ["cursor", "openai/anything", {}, "openai", true],
    ["claude", "openai/gpt-5-codex", {}, "openai-codex", true],
    ["cursor", "gpt-5-codex", {}, "openai-codex", true],
    // 4: codex in the model.
    ["cursor", "my-codex", {}, "openai-codex", true],
    // 6: the command is codex's.
    ["openclaw", "llama3", {}, "openai-codex", true],
    // 7: the executor.
    ["openclaw", "llama3", TEMPLATE, "openclaw", false],
    ["cursor", "sonnet-4", {}, "cursor", true],
    ["claude", "sonnet-4", {}, "claude", true],
  ])("%s with %s and %j: %s, paid %s", async (executor, model_override, env, provider, is_paid_provider) => {
    const { context } = await made({ executor, ...(model_override ? { model_override } : {}) }, env);
    expect(context.route_decision).toMatchObject({ executor, provider, billing_provider: provider, is_paid_provider });
  });

  it("a command without a model is judged by the task's", async () => {
    const { context } = await made({ executor: "cursor", command_override: "echo hi" });
    expect(context.route_decision).toMatchObject({ provider: "openrouter", is_paid_provider: false });
  });

  it("the decision has every key", async () => {
    const { route_decision } = (await made()).context;
    expect(Object.keys(route_decision)).toEqual(
      expect.arrayContaining([
        "executor",
        "task_type",
        "tier",
        "model",
        "provider",
        "billing_provider",
        "is_paid_provider",
        "policy",
      ]),
    );
  });
});

describe("GET /route (3.2)", () => {
  const route = async (query: string, env: Env = {}) => {
    const answer = await (await app.with(env)).get(`/api/agent/route?${query}`);
    expect(answer.status, answer.text).toBe(200);
    expectShape(RouteAnswer, answer.body);
    return answer.body;
  };
  const ROUTES = {
    claude: { model: "openrouter/free", tier: "openrouter", provider: "openrouter", is_paid_provider: true },
    cursor: { model: "cursor/openrouter/free", tier: "cursor", provider: "openrouter", is_paid_provider: false },
    openclaw: { model: "openclaw/gpt-5-codex", tier: "openclaw", provider: "openai-codex", is_paid_provider: true },
  };

  it.each(
    TYPES.flatMap((type) => (["claude", "cursor", "openclaw"] as const).map((executor) => [type, executor] as const)),
  )("%s for %s", async (task_type, executor) => {
    const expected = ROUTES[executor];
    expect(await route(`task_type=${task_type}&executor=${executor}`)).toMatchObject({
      task_type,
      executor,
      billing_provider: expected.provider,
      ...expected,
    });
  });

  it.each([
    ["task_type=impl", {}, "cursor"],
    ["task_type=impl&executor=auto", {}, "cursor"],
    ["task_type=impl&executor=", {}, "cursor"],
    ["task_type=impl", { AGENT_EXECUTOR_DEFAULT: "claude" }, "claude"],
    ["task_type=impl", { AGENT_EXECUTOR_CHEAP_DEFAULT: "openclaw", AGENT_EXECUTOR_DEFAULT: "claude" }, "openclaw"],
    ["task_type=impl&executor=clawwork", {}, "openclaw"],
    ["task_type=impl&executor=gemini", {}, "claude"],
    ["task_type=review&executor=gemini", { AGENT_EXECUTOR_DEFAULT: "cursor" }, "claude"],
  ])("%s with %j is %s", async (query, env, executor) => {
    expect(await route(query, env as Env)).toMatchObject({ executor });
  });

  it("says what a posted task will get", async () => {
    const env = { CURSOR_CLI_MODEL: "sonnet-4", CURSOR_CLI_REVIEW_MODEL: "gpt-4o" };
    for (const task_type of ["impl", "review"]) {
      const answer = await route(`task_type=${task_type}&executor=cursor`, env);
      const task = await made({ executor: "cursor" }, env, { task_type });
      const { model, tier, provider, billing_provider, is_paid_provider } = answer;
      expect(task.model).toBe(model);
      expect(task.context.route_decision).toMatchObject({ model, tier, provider, billing_provider, is_paid_provider });
    }
  });
});
