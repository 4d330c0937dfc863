import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { sha256 } from "../../core/ground/id.ts";
import { expectShape, RouteAnswer } from "./shapes.ts";
import { contract, OWNER, type Body, type Contract } from "./support.ts";

/** Contract 2.2.2–4, 2.8, 3.1–3.5: which executor, model and command a posted task gets, and who is paid. */

let app: Contract;
beforeAll(async () => {
  app = await contract();
});

type Made = Body & { model: string; command: string; context: Body & { executor_policy?: Body; route_decision: Body } };
type Env = Record<string, string>;
let said = 0;

/** Posts under these settings; the direction is a new one unless it is given. */
async function made(context: Body = {}, env: Env = {}, more: Body = {}): Promise<Made> {
  const body = { direction: `Explain number ${said++} to me`, task_type: "impl", context, ...more };
  const answer = await (await app.with(env)).post("/api/agent/tasks", body);
  expect(answer.status, answer.text).toBe(201);
  // What is stored is what was answered.
  expect((await app.task(String(answer.body.id))).context).toEqual(answer.body.context);
  return answer.body as Made;
}

const SHELL = ["agent", "codex", "aider", "openclaw"].map((name) => `${name}() { say ${name} "$@"; }`);

/** The words that a POSIX shell makes of a command; nothing but `touch` can really be run by it. */
function words(command: string): string[] {
  const script = [`say() { printf '%s\\0' "$@"; }`, `touch() { : > "$1"; }`, ...SHELL, command].join("\n");
  const out = execFileSync("/bin/sh", ["-c", script], {
    encoding: "utf8",
    env: { PATH: "/nowhere" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return out.split("\0").slice(0, -1);
}

const ONLY = (executors: string): Env => ({ AGENT_EXECUTORS_AVAILABLE: executors });

describe("the executor's policy (3.3)", () => {
  it("an executor that is named is taken, without a policy", async () => {
    for (const [named, taken] of [
      ["claude", "claude"],
      ["cursor", "cursor"],
      ["openclaw", "openclaw"],
      ["clawwork", "openclaw"],
    ]) {
      const { context } = await made({ executor: named });
      expect(context.executor).toBe(taken);
      expect(context).not.toHaveProperty("executor_policy");
      expect(context).not.toHaveProperty("task_fingerprint");
      expect(context.route_decision).toMatchObject({ executor: taken, task_type: "impl" });
    }
  });

  it("a named one that is not available is taken all the same", async () => {
    expect((await made({ executor: "cursor" }, ONLY("claude"))).context.executor).toBe("cursor");
  });

  it.each(["gemini", "", 5, null])(
    "an executor that nobody knows (%j) is passed over: the policy decides",
    async (executor) => {
      const { context } = await made({ executor });
      expect(context.executor).toBe("openclaw");
      expect(context.executor_policy).toMatchObject({ policy_applied: true, reason: "open_question_default" });
    },
  );

  describe("switched off", () => {
    it.each(["0", "false", "no", "off"])("by %s: claude, no policy recorded", async (word) => {
      const { context } = await made({}, { AGENT_EXECUTOR_POLICY_ENABLED: word });
      expect(context.executor).toBe("claude");
      expect(context).not.toHaveProperty("executor_policy");
      expect(context).not.toHaveProperty("task_fingerprint");
    });

    it("the default executor is AGENT_EXECUTOR_DEFAULT", async () => {
      const env = { AGENT_EXECUTOR_POLICY_ENABLED: "0", AGENT_EXECUTOR_DEFAULT: "cursor" };
      expect((await made({}, env)).context.executor).toBe("cursor");
    });
  });

  it("records the fingerprint: sha256 of the type and the direction in lower case", async () => {
    const { context } = await made({}, {}, { direction: "  Fix THE Thing ", task_type: "heal" });
    const fingerprint = sha256("heal:fix the thing");
    expect(context.task_fingerprint).toBe(fingerprint);
    expect(context.executor_policy).toMatchObject({ policy_applied: true, task_fingerprint: fingerprint });
  });

  describe("a question about the repository goes to cursor", () => {
    it.each([...["repo", "repository", "codebase"].flatMap((word) => [{ question_scope: word }, { scope: word }])])(
      "by the hint %j",
      async (context) => {
        const { executor, executor_policy } = (await made(context)).context;
        expect(executor).toBe("cursor");
        expect(executor_policy).toMatchObject({ policy_applied: true, reason: "repo_scoped_question" });
        expect(executor_policy).toHaveProperty("repo_executor_preference");
      },
    );

    it.each([
      "What does this repo do?",
      "Summarise this repository for me",
      "Where in the codebase is the parser?",
      "Find it in repo please",
      "Find it in the repo please",
      "Follow AGENTS.md",
      "Follow CLAUDE.md",
      "Read docs/setup first",
      "Change api/routes",
      "Change web/pages",
      ...["py", "ts", "tsx", "js", "jsx", "md", "json", "toml", "yaml", "yml"].map(
        (end) => `Look at thing.${end} again`,
      ),
    ])("by the words %j", async (direction) => {
      const { executor, executor_policy } = (await made({}, {}, { direction })).context;
      expect(executor_policy).toMatchObject({ reason: "repo_scoped_question" });
      expect(executor).toBe("cursor");
    });

    it.each([
      [{ AGENT_EXECUTOR_REPO_DEFAULT: "claude" }, "claude"],
      [{ AGENT_EXECUTOR_REPO_DEFAULT: "openclaw", ...ONLY("claude,openclaw") }, "openclaw"],
      [{ AGENT_EXECUTOR_REPO_DEFAULT: "claude", ...ONLY("cursor,openclaw") }, "cursor"],
      [ONLY("claude,openclaw"), "claude"],
      [ONLY("openclaw"), "openclaw"],
    ])("or to the first that is available: %j → %s", async (env, executor) => {
      const { context } = await made({ scope: "repo" }, env);
      expect(context.executor).toBe(executor);
      expect(context.executor_policy).toMatchObject({ reason: "repo_scoped_question" });
    });
  });

  describe("an open question goes to openclaw", () => {
    it.each([{}, { question_scope: "open" }, { scope: "general" }])("with the hint %j", async (context) => {
      const { executor, executor_policy } = (await made(context)).context;
      expect(executor).toBe("openclaw");
      expect(executor_policy).toMatchObject({ policy_applied: true, reason: "open_question_default" });
      expect(executor_policy).toHaveProperty("open_question_executor");
    });

    it.each(["open", "general"])("the hint %j outweighs words about the repository", async (scope) => {
      const { context } = await made({ question_scope: scope }, {}, { direction: "Read src/app.ts in this repo" });
      expect(context.executor).toBe("openclaw");
    });
  });

  describe("cheap or escalated, where openclaw is not the answer", () => {
    const CHEAP = ONLY("cursor,claude");

    it("cheap at first, with all that was weighed", async () => {
      const { context } = await made({}, CHEAP);
      expect(context.executor).toBe("cursor");
      expect(context.executor_policy).toMatchObject({
        policy_applied: true,
        reason: "cheap_default",
        retry_threshold: 2,
        failure_threshold: 1,
        historical_attempts: 0,
        historical_failures: 0,
        effective_retry_count: 0,
        cheap_executor: "cursor",
        escalation_executor: "claude",
      });
      expect(context.executor_policy).toHaveProperty("retry_hint");
    });

    it.each([
      [{ AGENT_EXECUTOR_OPEN_QUESTION_DEFAULT: "cursor" }, "cursor"],
      [{ AGENT_EXECUTOR_CHEAP_DEFAULT: "claude", ...CHEAP }, "claude"],
      [{ AGENT_EXECUTOR_DEFAULT: "claude", ...CHEAP }, "claude"],
      [{ AGENT_EXECUTOR_CHEAP_DEFAULT: "cursor", AGENT_EXECUTOR_DEFAULT: "claude", ...CHEAP }, "cursor"],
    ])("which is cheap is a setting: %j → %s", async (env, executor) => {
      const { context } = await made({}, env);
      expect(context.executor).toBe(executor);
      expect(context.executor_policy).toMatchObject({ reason: "cheap_default", cheap_executor: executor });
    });

    it("escalates after one failure of the same work", async () => {
      const direction = `Fail once ${said++}`;
      const first = await made({}, CHEAP, { direction });
      await app.patch(String(first.id), { status: "failed", worker_id: OWNER, output: "no" });
      // The same work in other letters.
      const { context } = await made({}, CHEAP, { direction: ` ${direction.toUpperCase()} ` });
      expect(context.executor).toBe("claude");
      expect(context.executor_policy).toMatchObject({
        reason: "failure_threshold",
        historical_attempts: 1,
        historical_failures: 1,
        effective_retry_count: 1,
      });
    });

    it("escalates at the third time; of both reasons it names the retries", async () => {
      const direction = `Try twice ${said++}`;
      const first = await made({}, CHEAP, { direction });
      expect((await made({}, CHEAP, { direction })).context.executor).toBe("cursor");
      await app.patch(String(first.id), { status: "failed", worker_id: OWNER, output: "no" });
      const { context } = await made({}, CHEAP, { direction });
      expect(context.executor).toBe("claude");
      expect(context.executor_policy).toMatchObject({
        reason: "retry_threshold",
        historical_attempts: 2,
        historical_failures: 1,
        effective_retry_count: 2,
      });
    });

    it("another type is other work", async () => {
      const direction = `Of two types ${said++}`;
      const first = await made({}, CHEAP, { direction, task_type: "spec" });
      await app.patch(String(first.id), { status: "failed", worker_id: OWNER, output: "no" });
      expect((await made({}, CHEAP, { direction })).context.executor).toBe("cursor");
    });

    it.each([
      [{ retry_count: 2 }, 2, "claude"],
      [{ retry_index: 3 }, 3, "claude"],
      [{ attempt: 2 }, 2, "claude"],
      [{ attempt_count: 5 }, 5, "claude"],
      [{ retry_count: 1 }, 1, "cursor"],
      [{ retry_count: true, retry_index: 2 }, 2, "claude"],
      [{ retry_count: 0, attempt: 9 }, 0, "cursor"],
    ])("by the hint %j: %i retries → %s", async (hint, effective, executor) => {
      const { context } = await made(hint, CHEAP);
      expect(context.executor).toBe(executor);
      expect(context.executor_policy).toMatchObject({
        reason: executor === "claude" ? "retry_threshold" : "cheap_default",
        effective_retry_count: effective,
      });
    });

    it.each([
      [{ AGENT_EXECUTOR_ESCALATE_RETRY_THRESHOLD: "4" }, { retry_count: 3 }, "cursor"],
      [{ AGENT_EXECUTOR_ESCALATE_RETRY_THRESHOLD: "4" }, { retry_count: 4 }, "claude"],
      [{ AGENT_EXECUTOR_ESCALATE_TO: "openclaw" }, { retry_count: 2 }, "openclaw"],
      [{ AGENT_EXECUTOR_ESCALATE_TO: "cursor" }, { retry_count: 2 }, "claude"],
      [{ AGENT_EXECUTOR_CHEAP_DEFAULT: "claude" }, { retry_count: 2 }, "openclaw"],
    ])("%j with %j → %s", async (env, hint, executor) => {
      // Openclaw is available, but not first for open questions.
      const { context } = await made(hint, { AGENT_EXECUTOR_OPEN_QUESTION_DEFAULT: "cursor", ...env });
      expect(context.executor).toBe(executor);
    });

    it("the threshold of failures is a setting", async () => {
      const direction = `Fail patiently ${said++}`;
      const env = { ...CHEAP, AGENT_EXECUTOR_ESCALATE_FAILURE_THRESHOLD: "2" };
      const first = await made({}, env, { direction });
      await app.patch(String(first.id), { status: "failed", worker_id: OWNER, output: "no" });
      expect((await made({}, env, { direction })).context.executor).toBe("cursor");
    });
  });

  describe("what is chosen and not there falls back", () => {
    it.each([
      [ONLY("claude"), {}, "cursor", "claude"],
      [{ AGENT_EXECUTOR_CHEAP_DEFAULT: "openclaw", ...ONLY("claude,cursor") }, {}, "openclaw", "claude"],
      [{ AGENT_EXECUTOR_CHEAP_DEFAULT: "claude", ...ONLY("claude,cursor") }, { retry_count: 2 }, "openclaw", "claude"],
      [{ AGENT_EXECUTOR_ESCALATE_TO: "openclaw", ...ONLY("cursor") }, { retry_count: 2 }, "openclaw", "cursor"],
    ])("%j, %j: %s was selected, %s is taken", async (env, hint, selected, taken) => {
      const { context } = await made(hint, env);
      expect(context.executor).toBe(taken);
      expect(context.executor_policy).toMatchObject({
        reason: "selected_executor_unavailable",
        selected_executor: selected,
        fallback_executor: taken,
      });
    });
  });
});

/** 3.1: model and command of each executor; <p> stands for the prompt. */
const CLAUDE = "aider --model ollama/glm-4.7-flash:q8_0 --map-tokens 8192 --reasoning-effort high --yes <p>".split(" ");
const CURSOR = (model = "openrouter/free") => ["agent", "<p>", "--model", model];
const OPENCLAW = (model = "gpt-5-codex") => [
  "codex",
  "exec",
  "<p>",
  "--model",
  model,
  "--reasoning-effort",
  "high",
  "--worktree",
  "--skip-git-repo-check",
  "--json",
];

/** 3.4. */
function prompt({ direction, task_type }: Body): string {
  const roles: Record<string, string> = {
    spec: "Role agent: product-manager.",
    test: "Role agent: qa-engineer.",
    impl: "Role agent: dev-engineer.",
    review: "Role agent: reviewer. Guard agents: spec-guard.",
    heal: "Role agent: dev-engineer.",
  };
  return `${roles[String(task_type)] ?? ""} Task type: ${String(task_type)}. Respect role boundaries, spec scope, and acceptance criteria. Direction: ${String(direction)}`;
}

function expectCommand(task: Made, expected: readonly string[]): void {
  expect(words(task.command)).toEqual(expected.map((word) => (word === "<p>" ? prompt(task) : word)));
}

const TYPES = ["spec", "test", "impl", "review", "heal"] as const;

describe("model, tier and command (3.1, 3.4)", () => {
  it.each(TYPES)("claude, %s", async (task_type) => {
    const task = await made({ executor: "claude" }, {}, { task_type });
    expect(task.model).toBe("openrouter/free");
    expectCommand(task, CLAUDE);
    expect(task.context.route_decision).toMatchObject({ tier: "openrouter", model: "openrouter/free" });
  });

  it.each(TYPES)("cursor, %s", async (task_type) => {
    const task = await made({ executor: "cursor" }, {}, { task_type });
    expect(task.model).toBe("cursor/openrouter/free");
    expectCommand(task, CURSOR());
    expect(task.context.route_decision).toMatchObject({ tier: "cursor", model: "cursor/openrouter/free" });
  });

  it.each(TYPES)("openclaw, %s", async (task_type) => {
    const task = await made({ executor: "openclaw" }, {}, { task_type });
    expect(task.model).toBe("openclaw/gpt-5-codex");
    expectCommand(task, OPENCLAW());
    expect(task.context.route_decision).toMatchObject({ tier: "openclaw", model: "openclaw/gpt-5-codex" });
  });

  it.each([
    ["claude", "spec", { OLLAMA_MODEL: "m1" }, "m1"],
    ["claude", "test", { OLLAMA_CLOUD_MODEL: "m2" }, "m2"],
    ["claude", "impl", { OLLAMA_CLOUD_MODEL: "m2", OLLAMA_MODEL: "m1" }, "m2"],
    ["claude", "review", { CLAUDE_FALLBACK_MODEL: "m3" }, "m3"],
    ["claude", "heal", { CLAUDE_FALLBACK_MODEL: "m3" }, "m3"],
    ["cursor", "spec", { CURSOR_CLI_MODEL: "m4" }, "cursor/m4"],
    ["cursor", "impl", { CURSOR_CLI_MODEL: "m4", CURSOR_CLI_REVIEW_MODEL: "m5" }, "cursor/m4"],
    ["cursor", "review", { CURSOR_CLI_MODEL: "m4", CURSOR_CLI_REVIEW_MODEL: "m5" }, "cursor/m5"],
    ["cursor", "heal", { CURSOR_CLI_REVIEW_MODEL: "m5" }, "cursor/m5"],
    ["openclaw", "impl", { OPENCLAW_MODEL: "m6" }, "openclaw/m6"],
    ["openclaw", "review", { OPENCLAW_MODEL: "m6" }, "openclaw/m6"],
    ["openclaw", "heal", { OPENCLAW_MODEL: "m6", OPENCLAW_REVIEW_MODEL: "m7" }, "openclaw/m7"],
    ["openclaw", "test", { OPENCLAW_REVIEW_MODEL: "m7" }, "openclaw/gpt-5-codex"],
  ])("%s, %s with %j is %s", async (executor, task_type, env, model) => {
    const task = await made({ executor }, env, { task_type });
    expect(task.model).toBe(model);
    const short = model.replace(/^(cursor|openclaw)\//, "");
    if (executor !== "claude") expectCommand(task, executor === "cursor" ? CURSOR(short) : OPENCLAW(short));
  });

  it.each([
    ["openclaw run {{direction}} --model {{model}}", ["openclaw", "run", "<p>", "--model", "gpt-5-codex"]],
    ["openclaw run --model {{model}}", ["openclaw", "run", "--model", "gpt-5-codex", "<p>"]],
    ['openclaw run "{{direction}}"', ["openclaw", "run", "<p>"]],
  ])("OPENCLAW_COMMAND_TEMPLATE %j", async (template, expected) => {
    expectCommand(await made({ executor: "openclaw" }, { OPENCLAW_COMMAND_TEMPLATE: template }), expected);
  });

  it.each([
    `it's`,
    `"double" quotes`,
    "`touch /tmp/no`",
    "$(id) $HOME ${HOME}",
    "back\\slash \\' \\\" \\n",
    "lines\nand\ttabs",
    "'; exit 1; '",
    "''''",
    "! history # comment * ? [a] ~ & | > <",
    "--model other --yes",
    "{{direction}} {{model}}",
    "日本語 🙂",
    "$& $1 $$ $`",
  ])("12. the direction %j reaches the agent as one word, and no shell acts on it", async (direction) => {
    for (const [executor, expected] of [
      ["claude", CLAUDE],
      ["cursor", CURSOR()],
      ["openclaw", OPENCLAW()],
    ] as const) {
      const task = await made({ executor }, {}, { direction: `Do ${direction} now` });
      expect(task.direction).toBe(`Do ${direction} now`);
      expectCommand(task, expected);
    }
  });

  it("the prompt stands in single quotes, never in double ones", async () => {
    const { command } = await made({ executor: "cursor" });
    expect(command).toContain("'Role agent: dev-engineer.");
    expect(command).not.toContain('"');
  });
});

describe("model_override and command_override (2.8, 3.4)", () => {
  it.each([
    ["claude", "gpt-4o", "gpt-4o", CLAUDE.map((word) => (word.startsWith("ollama/") ? "gpt-4o" : word))],
    ["cursor", "sonnet-4", "cursor/sonnet-4", CURSOR("sonnet-4")],
    ["openclaw", "o3-mini", "openclaw/o3-mini", OPENCLAW("o3-mini")],
    ["openclaw", "gpt-5.3-codex-spark", "openclaw/gpt-5.3-codex", OPENCLAW("gpt-5.3-codex")],
    ["cursor", "gtp-5.3-codex", "cursor/gpt-5.3-codex", CURSOR("gpt-5.3-codex")],
    ["cursor", "gtp-5.3-codex-spark", "cursor/gpt-5.3-codex", CURSOR("gpt-5.3-codex")],
    ["cursor", "openai/gpt-5.3-codex-spark", "cursor/openai/gpt-5.3-codex", CURSOR("openai/gpt-5.3-codex")],
  ] as const)("%s with %s: model %s, in the command too", async (executor, model_override, model, expected) => {
    const task = await made({ executor, model_override });
    expect(task.model).toBe(model);
    expectCommand(task, expected);
    expect(task.context.route_decision).toMatchObject({ model });
  });

  it("AGENT_MODEL_ALIAS_MAP adds to the aliases", async () => {
    const env = { AGENT_MODEL_ALIAS_MAP: "fast:gpt-4o-mini, gtp-5.3-codex:other" };
    expect((await made({ executor: "cursor", model_override: "fast" }, env)).model).toBe("cursor/gpt-4o-mini");
    expect((await made({ executor: "cursor", model_override: "gtp-5.3-codex" }, env)).model).toBe("cursor/other");
    expect((await made({ executor: "cursor", model_override: "gpt-5.3-codex-spark" }, env)).model).toBe(
      "cursor/gpt-5.3-codex",
    );
  });

  it("is appended to a command that names no model", async () => {
    const env = { OPENCLAW_COMMAND_TEMPLATE: "openclaw run {{direction}}" };
    expectCommand(await made({ executor: "openclaw", model_override: "m" }, env), [
      "openclaw",
      "run",
      "<p>",
      "--model",
      "m",
    ]);
  });

  it.each(["x; touch $MARK", "$(touch $MARK)", "`touch $MARK`", "x' ; touch $MARK ; '", "x\ntouch $MARK"])(
    "23. a model that is a shell's word (%j) is one argument or is refused, never a command",
    async (text) => {
      const mark = join(tmpdir(), `contract-${process.pid}-${said++}`);
      const model_override = text.replace("$MARK", mark);
      const { status, body } = await app.post("/api/agent/tasks", {
        direction: "x",
        task_type: "impl",
        context: { executor: "cursor", model_override },
      });
      if (status !== 422) {
        const all = words((body as Made).command);
        expect(all.slice(0, 2)).toEqual(["agent", prompt(body)]);
        expect(all.length).toBeLessThanOrEqual(4);
      }
      expect(existsSync(mark)).toBe(false);
    },
  );

  it("a command that is given is shown as it is; the model stays, whatever else is overridden", async () => {
    const command_override = 'mytool --flag "quoted $HOME" `x`';
    const task = await made({ executor: "cursor", command_override, model_override: "gpt-4o" });
    expect(task.command).toBe(command_override);
    expect(task.model).toBe("cursor/openrouter/free");
  });
});

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
