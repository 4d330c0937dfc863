import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Reply } from "../support/models/reply.ts";
import type { ModelRequest, ModelServer } from "../support/models/server.ts";
import { PROTOCOLS, settingsFor } from "../work/provider-api-helpers.ts";
import { project, startHost, type Project } from "./project.ts";
import { tableOf, type Table } from "./table.ts";

/**
 * A suite runs as the host's own user, so it can read the environment that the host was started with: nothing in Node takes it
 * away. What it shows of that reaches nobody.
 */

const KEY = "sk-e2e-4f9c2d81a0b7";
const OTHER = "tok-e2e-77aa55cc33";

/** Looks through the environments of its parents, and shows the keys that it finds. */
const THIEF = `
import { readFileSync } from "node:fs";
import assert from "node:assert";
import { test } from "node:test";
const found = [];
for (let pid = process.ppid; pid > 1; pid = Number(readFileSync(\`/proc/\${pid}/stat\`, "utf8").replace(/^.*\\) /s, "").split(" ")[1]))
  try { found.push(...readFileSync(\`/proc/\${pid}/environ\`, "utf8").split("\\0").filter((one) => /^(?:ANTHROPIC_API_KEY|GITHUB_TOKEN)=/.test(one))); } catch {}
test("shows what it found", () => {
  console.log("found", found.length, found.join(" "));
  assert.equal(process.env.ANTHROPIC_API_KEY, undefined);
  assert.fail(\`found \${found.join(" ")}\`);
});
`;
const HONEST = 'import { test } from "node:test";\ntest("is well", () => {});\n';

const call = (name: string, args: object): Reply => ({ kind: "function", name, args });
const says = (block: object): Reply => ({
  kind: "text",
  text: `My key is ${KEY}.\n\n\`\`\`coherence-result\n${JSON.stringify(block)}\n\`\`\`\n`,
});

let rounds = 0;
/** The item's first test shows the keys and fails; the second implementation mends that. */
function works({ body }: ModelRequest): Reply {
  const text = JSON.stringify(body);
  const phase = /type (\w+), attempt \d+/.exec(text)?.[1] ?? "";
  const spec = /Spec file: (\S+?\.md)/.exec(text)?.[1] ?? "";
  const step = (body["messages"] as { role: string }[]).filter((one) => one.role === "assistant").length;
  if (phase === "impl" && step === 0) rounds++;
  const write = (path: string, content: string) => call("write", { path, content });
  const steps: Record<string, Reply[]> = {
    spec: [write(spec, "# It\n\nIt is well.\n"), says({ summary: KEY, spec_path: spec })],
    impl: [
      write("src/it.js", `export const round = ${rounds};\n`),
      ...(rounds > 1 ? [write("test/it.test.js", HONEST)] : []),
      says({ summary: `${KEY} ${OTHER}` }),
    ],
    test: [
      write(rounds === 1 ? "test/it.test.js" : "test/more.test.js", rounds === 1 ? THIEF : HONEST),
      call("run_tests", {}),
      says({ verdict: rounds === 1 ? "fail" : "pass", summary: KEY, findings: [KEY], tests: ["test/it.test.js"] }),
    ],
    review: [says({ verdict: "pass", summary: "Well." })],
  };
  return steps[phase]?.[step] ?? { kind: "status", status: 400, message: `no such step: ${phase} ${step}` };
}

describe("a key that a suite found and an agent repeats", () => {
  const { row, start } = PROTOCOLS["messages"] as (typeof PROTOCOLS)[string];
  let server: ModelServer;
  let made: Project;
  let said: string;
  let code: number | undefined;
  let table: Table;

  beforeAll(async () => {
    server = await start(works, { key: KEY, models: row.models.map((model) => model.name) });
    made = project(1, [], 1);
    const env = { ...settingsFor(row, server.url), ANTHROPIC_API_KEY: KEY, GITHUB_TOKEN: OTHER };
    const run = await startHost(made, { provider: row.name, env });
    said = run.all ?? "";
    code = run.exitCode;
    table = await tableOf(made.home);
  });
  afterAll(async () => {
    await server.close();
    rmSync(join(made.dir, ".."), { recursive: true, force: true });
  });

  it("is shown by the suite, but stands masked in the log and in what the model is told", () => {
    expect(code, said).toBe(0);
    expect(rounds).toBe(2);
    const log = JSON.stringify(table.rows.filter((one) => one.sk.startsWith("L#")));
    if (process.platform === "linux") expect(log).toContain("ANTHROPIC_API_KEY=[masked]");
    expect(log).toContain("My key is [masked].");
    const told = JSON.stringify(server.requests.map(({ body }) => body));
    if (process.platform === "linux") expect(told).toContain("GITHUB_TOKEN=[masked]");
    // The next round's prompt has the end of the last log.
    expect(told).toContain("What was tried before you");
  });

  it("is in no row of the table, no prompt, and nothing the host says", () => {
    for (const secret of [KEY, OTHER]) {
      expect(JSON.stringify(table.rows)).not.toContain(secret);
      expect(JSON.stringify(server.requests.map(({ body }) => body))).not.toContain(secret);
      expect(said).not.toContain(secret);
    }
    expect(server.requests.every(({ key }) => key === KEY)).toBe(true);
  });
});
