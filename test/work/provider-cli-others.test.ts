import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import * as Clock from "../../core/ground/clock.ts";
import * as Process from "../../core/ground/process/index.ts";
import { aider, aiderParser } from "../../core/work/provider/cli/aider.ts";
import { command } from "../../core/work/provider/cli/command.ts";
import { cursor, cursorParser } from "../../core/work/provider/cli/cursor.ts";
import type { CliRow } from "../../core/work/provider/cli/row.ts";
import * as Cli from "../../core/work/provider/cli/run.ts";
import { probeCli } from "../../core/work/provider/readiness.ts";
import { read, RUBBISH } from "./provider-cli-support.ts";

/** The agents that nobody here has run: what their rows say, and how their words are read; `command` runs a real program. */

const KEY = "sk-secret-0123456789";
let tree: string;
let home: string;
beforeEach(() => {
  tree = mkdtempSync(join(tmpdir(), "cli-tree-"));
  home = mkdtempSync(join(tmpdir(), "cli-home-"));
});

function deps(settings: Record<string, string>): Cli.CliDeps {
  const hostEnv = { ...process.env, AWS_SECRET_ACCESS_KEY: "the host's", MY_TOKEN: "not named" };
  return { clock: Clock.system(), home, hostEnv, settings, run: Process.run };
}

const log: string[] = [];
async function go(row: CliRow, settings: Record<string, string>) {
  log.length = 0;
  const request = {
    task: { id: "task_1", type: "impl" as const, direction: "d", attempt: 1, turn: 1 },
    prompt: "Write it; $(touch shell) `touch shell`",
    model: row.models[0]?.name ?? "",
    cwd: tree,
    timeoutMs: 60_000,
    log: (line: string) => void log.push(line),
  };
  return Cli.run(deps(settings), row, request, new AbortController().signal);
}

describe("command", () => {
  const script = (text: string) => {
    const file = join(home, "agent.mjs");
    writeFileSync(file, text);
    return { COHERENCE_COMMAND: process.execPath, COHERENCE_COMMAND_ARGS: JSON.stringify([file, "$(touch shell)"]) };
  };
  const WORKS = `
    import { writeFileSync, readFileSync } from "node:fs";
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /KEY|TOKEN|SECRET/.test(name)));
    writeFileSync("seen.json", JSON.stringify({ args: process.argv.slice(2), prompt: readFileSync(0, "utf8"), env }));
    console.log("working");
    console.log("Done.");`;

  test("a program of the user's own works in the tree: its arguments and the prompt arrive as they are, no shell", async () => {
    expect(await go(command, script(WORKS))).toEqual({
      kind: "finished",
      output: "working\nDone.",
      usage: { tokens_in: null, tokens_out: null, tokens_cached: null, cost_usd: null },
    });
    expect(log).toEqual(["working", "Done."]);
    const seen = JSON.parse(readFileSync(join(tree, "seen.json"), "utf8")) as object;
    expect(seen).toEqual({ args: ["$(touch shell)"], prompt: "Write it; $(touch shell) `touch shell`", env: {} });
    expect(existsSync(join(tree, "shell"))).toBe(false);
  });

  test("of the host's variables it gets those that are named, and no other", async () => {
    const settings = {
      ...script(WORKS),
      COHERENCE_COMMAND_ENV: '["MY_KEY", "UNSET"]',
      MY_KEY: "k",
      OPENAI_API_KEY: KEY,
    };
    await go(command, settings);
    expect(JSON.parse(readFileSync(join(tree, "seen.json"), "utf8"))).toMatchObject({ env: { MY_KEY: "k" } });
    expect(readFileSync(join(tree, "seen.json"), "utf8")).not.toContain("UNSET");
  });

  test("another exit code than 0 is no success, and its words are kept", async () => {
    expect(await go(command, script(`console.log("half"); process.exit(3);`))).toMatchObject({
      kind: "failed",
      failure: { class: "crash", message: "The agent ended with exit code 3." },
      output: "half",
    });
  });

  test.each([
    ["nothing is set", {}, /^COHERENCE_COMMAND is not set/, /path of a program/],
    [
      "there is no such program",
      { COHERENCE_COMMAND: "/nowhere/agent" },
      /no program \/nowhere\/agent/,
      /COHERENCE_COMMAND/,
    ],
    [
      "arguments as a line",
      { COHERENCE_COMMAND: process.execPath, COHERENCE_COMMAND_ARGS: "-e 1" },
      /no?t? a JSON array/,
      /\["--quiet"\]/,
    ],
    [
      "a number among them",
      { COHERENCE_COMMAND: process.execPath, COHERENCE_COMMAND_ARGS: "[1]" },
      /not a JSON array/,
      /quiet/,
    ],
    [
      "a name that is none",
      { COHERENCE_COMMAND: process.execPath, COHERENCE_COMMAND_ENV: '["A=B"]' },
      /not a JSON array of names/,
      /MY_KEY/,
    ],
  ])("not ready: %s", async (_, settings, detail, remedy) => {
    const probed = await probeCli(deps(settings), command);
    expect(probed).toMatchObject({
      ready: false,
      detail: expect.stringMatching(detail) as string,
      remedy: expect.stringMatching(remedy) as string,
    });
    expect(await go(command, settings)).toMatchObject({ kind: "failed", failure: { class: "crash" } });
  });

  test("ready: its program is there; it is not started for that", async () => {
    const settings = script(`import { writeFileSync } from "node:fs"; writeFileSync("started", "");`);
    expect(await probeCli(deps(settings), command)).toEqual({ ready: true, detail: `${process.execPath} is there` });
    expect(existsSync(join(home, "started"))).toBe(false);
  });
});

describe("rows of agents that hold a key", () => {
  test.each([cursor, aider])("$name: the key is in no argument, the prompt in none of them either", (row) => {
    const call = {
      model: "m",
      prompt: "the prompt",
      home,
      baseUrl: "http://127.0.0.1:1/v1",
      key: KEY,
      modelSilenceMs: 90_000,
      budgetUsd: undefined,
      settings: {},
    };
    const { args, env, input, files } = row.command(call);
    expect(JSON.stringify(args)).not.toMatch(/sk-secret|the prompt/);
    expect(Object.values(env)).toContain(KEY);
    expect([input, ...Object.values(files ?? {})]).toContain("the prompt");
    expect(row.verified).toBeNull();
    expect(row.atHome(home)).toEqual({ HOME: home });
  });
});

describe("cursor's events", () => {
  const said = (text: string) => ({
    type: "assistant",
    message: { role: "assistant", content: [{ type: "text", text }] },
  });
  const tool = (subtype: string) => ({ type: "tool_call", subtype, call_id: "c1", tool_call: {} });

  test("its result ends it well; a call that is open is work of its own", () => {
    const done = { type: "result", subtype: "success", is_error: false, result: "All done." };
    const seen = read(cursorParser(), [
      { type: "system", subtype: "init" },
      said("I look."),
      tool("started"),
      tool("completed"),
      done,
    ]);
    expect(seen.ended).toEqual({ completed: true, failure: null, output: "All done.", tokens: null });
    expect(seen.busy).toEqual([false, false, true, false, false]);
    expect(seen.log).toEqual(["I look."]);
  });

  test("an error result, and an end without one, are no success", () => {
    const bad = { type: "result", subtype: "error", is_error: true, result: "no seat" };
    expect(read(cursorParser(), [bad]).ended).toMatchObject({
      completed: false,
      failure: { class: "crash", message: "no seat" },
    });
    expect(read(cursorParser(), [said("I stop here.")]).ended).toMatchObject({ completed: false, failure: null });
    expect(read(cursorParser(), RUBBISH).ended).toMatchObject({ completed: false });
  });
});

describe("aider's text", () => {
  test.each([
    ["RateLimitError", "rate_limit"],
    ["AuthenticationError", "auth"],
    ["ContextWindowExceededError", "context_length"],
    ["InternalServerError", "overloaded"],
    ["APIConnectionError", "network"],
  ])("litellm.%s is %s, and its first word of asking again ends it", (name, wanted) => {
    const seen = read(aiderParser(), ["Aider v0.86", `litellm.${name}: it said no`, "Retrying in 0.2 seconds..."]);
    expect(seen.fatal).toMatchObject({ class: wanted });
    expect(read(aiderParser(), [`litellm.${name}: it said no`]).ended).toMatchObject({
      completed: false,
      failure: { class: wanted },
    });
  });

  test("words in an answer decide nothing", () => {
    const lines = [
      "The code says litellm.RateLimitError: handle it.",
      "Retrying in 0.2 seconds... is printed there",
      "Done.",
    ];
    const { ended, fatal } = read(aiderParser(), lines);
    expect(fatal).toBeNull();
    expect(ended).toMatchObject({ completed: true, failure: null, output: lines.join("\n") });
  });
});
