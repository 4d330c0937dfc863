import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Body } from "./support.ts";
import { withApp, app, type Made, another, made, TYPES } from "./executor-support.ts";

withApp();

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
      const mark = join(tmpdir(), `contract-${process.pid}-${another()}`);
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
