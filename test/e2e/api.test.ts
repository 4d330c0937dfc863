import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Reply } from "../support/models/reply.ts";
import type { ModelRequest, ModelServer } from "../support/models/server.ts";
import { KEY, PROTOCOLS, settingsFor } from "../work/provider-api-helpers.ts";
import { BRANCH, mainline, notGreen, processesOf, project, startHost, users, type Project } from "./project.ts";
import { faults, tableOf, type Table } from "./table.ts";

/**
 * With a model server alone an item is finished: all four phases through the tool loop, by the real host, to a merged commit. The
 * "model" is scripted; everything between its words and the branch is what a user has.
 */

/** What the model is asked, read out of the prompt as a model would: the phase, the spec's path, the item; and its answers so far. */
function asked({ body }: ModelRequest) {
  const text = JSON.stringify(body);
  const before = (body["messages"] ?? body["input"]) as { role?: string; type?: string }[];
  return {
    phase: /type (\w+), attempt \d+/.exec(text)?.[1] ?? "",
    spec: /Spec file: (\S+?\.md)/.exec(text)?.[1] ?? "",
    item: /phase of item (\S+) of/.exec(text)?.[1] ?? "",
    step: before.filter((one) => one.role === "assistant" || one.type === "function_call").length,
  };
}

const call = (name: string, args: object): Reply => ({ kind: "function", name, args });
const says = (block: object): Reply => ({
  kind: "text",
  text: `It is done.\n\n\`\`\`coherence-result\n${JSON.stringify(block)}\n\`\`\`\n`,
});

/** Each phase's work: a look, what the phase is for, and the report. */
function works(request: ModelRequest): Reply {
  const { phase, spec, item, step } = asked(request);
  const steps: Record<string, Reply[]> = {
    spec: [
      call("list", {}),
      call("write", { path: spec, content: `# ${item}\n\nIt adds two numbers.\n` }),
      says({ summary: "Specified.", spec_path: spec }),
    ],
    impl: [
      call("read", { path: spec }),
      call("write", { path: `src/${item}.js`, content: "export const add = (a, b) => a - b;\n" }),
      call("edit", { path: `src/${item}.js`, old: "a - b", new: "a + b" }),
      call("run_tests", {}),
      says({ summary: "Written." }),
    ],
    test: [
      call("write", {
        path: `test/${item}.test.js`,
        content: `import assert from "node:assert";\nimport { test } from "node:test";\nimport { add } from "../src/${item}.js";\ntest("adds", () => assert.equal(add(1, 2), 3));\n`,
      }),
      call("run_tests", {}),
      says({ verdict: "pass", summary: "One test.", tests: [`test/${item}.test.js`] }),
    ],
    review: [call("changes", {}), call("run_tests", {}), says({ verdict: "pass", summary: "Reads well." })],
  };
  return steps[phase]?.[step] ?? { kind: "status", status: 400, message: `no such phase or step: ${phase} ${step}` };
}

describe.each(["messages", "responses", "chat"])("an item by a model server that speaks %s", (protocol) => {
  const { row, start } = PROTOCOLS[protocol] as (typeof PROTOCOLS)[string];
  let server: ModelServer;
  let made: Project;
  let base: string;
  let before: Record<string, string>;
  let ended: { code: number | undefined; said: string };
  let table: Table;

  beforeAll(async () => {
    const models = row.models.map((model) => model.name);
    server = await start(works, { key: row.credentials.length === 0 ? null : KEY, models });
    made = project(1, [], 1);
    base = made.git("rev-parse", "HEAD");
    before = users(made);
    const run = await startHost(made, { provider: row.name, env: settingsFor(row, server.url) });
    ended = { code: run.exitCode, said: run.all ?? "" };
    table = await tableOf(made.home);
  });
  afterAll(async () => {
    await server.close();
    rmSync(join(made.dir, ".."), { recursive: true, force: true });
  });

  it("is merged, green at every commit, and holds what the model wrote", async () => {
    expect(ended, ended.said).toMatchObject({ code: 0 });
    expect(table.items.map((item) => [item.id, item.state, item.round])).toEqual([["item-01", "done", 0]]);
    expect(mainline(made, base)).toHaveLength(1);
    expect(made.git("show", `${BRANCH}:src/item-01.js`)).toBe("export const add = (a, b) => a + b;");
    expect(await notGreen(made, mainline(made, base))).toEqual([]);
  });

  it("asked the model as often as there were steps, and counts what that cost", () => {
    expect(server.requests).toHaveLength(14);
    const { records } = table;
    expect(records.map((one) => [one.provider, one.model])).toEqual(
      Array.from({ length: 4 }, () => [row.name, `${row.name}/${row.models[0]?.name}`]),
    );
    const sum = (of: "tokens_in" | "tokens_out") => records.reduce((all, one) => all + (one[of] ?? NaN), 0);
    expect([sum("tokens_in"), sum("tokens_out")]).toEqual([14_000, 700]);
    expect(faults(table)).toEqual([]);
  });

  it("leaves nothing of the key anywhere, the user's things as they were, and no process", () => {
    expect(JSON.stringify([table.rows, ended.said])).not.toContain(KEY);
    expect(users(made)).toEqual(before);
    expect(processesOf(made)).toEqual([]);
  });
});

it("a model that always says done and leaves nothing is stopped by the item's budgets, and what it cost is shown", async () => {
  const { row, start } = PROTOCOLS["messages"] as (typeof PROTOCOLS)[string];
  const done = () => says({ verdict: "pass", summary: "All done.", spec_path: "specs/none.md" });
  const server = await start(done, { key: KEY, models: row.models.map((model) => model.name) });
  const made = project(1, [], 1);
  const base = made.git("rev-parse", "HEAD");
  try {
    const run = await startHost(made, { provider: row.name, env: settingsFor(row, server.url) });
    const said = run.all ?? "";
    expect(run.exitCode, said).toBe(1);
    const { items, records } = await tableOf(made.home);
    expect(items).toMatchObject([{ state: "abandoned" }]);
    // Two tries a task, and a task for the first round and each of the five after it.
    expect(server.requests).toHaveLength(12);
    expect(mainline(made, base)).toEqual([]);
    const cost = records.reduce((sum, one) => sum + (one.cost_usd ?? NaN), 0);
    expect(cost).toBeGreaterThan(0);
    expect(said).toContain(`Cost      ${cost.toFixed(4)} USD`);
  } finally {
    await server.close();
    rmSync(join(made.dir, ".."), { recursive: true, force: true });
  }
});
