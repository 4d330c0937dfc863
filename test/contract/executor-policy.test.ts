import { describe, expect, it } from "vitest";
import { sha256 } from "../../core/ground/id.ts";
import { OWNER } from "./support.ts";
import { withApp, app, type Env, another, made } from "./executor-support.ts";

withApp();

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
      const direction = `Fail once ${another()}`;
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
      const direction = `Try twice ${another()}`;
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
      const direction = `Of two types ${another()}`;
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
      const direction = `Fail patiently ${another()}`;
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
