import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, describe, test, vi } from "vitest";
import { put } from "../../support/git.ts";
import {
  endAll,
  fakeCodex,
  place,
  processesOf,
  QUICK_SUITE,
  repository,
  run,
  scenario,
  start,
  untouched,
  type Run,
} from "./support.ts";

/** How the host comes up, what it says, and how it goes down: a process of its own, as a user runs it. */

vi.setConfig({ testTimeout: 100_000 });
afterAll(endAll);

const SERVING = /^api {7}(http:\/\/127\.0\.0\.1:\d+)$/;
const urlOf = async (host: Run) => SERVING.exec(await host.line(SERVING))?.[1] ?? "";
/** A repository on which the simulated provider was named. */
const simulated = (ids: string[], more: string[] = []) => {
  const repo = repository(ids);
  return { repo, argv: ["--repo", repo.dir, "--backlog", repo.backlog, "--provider", "simulated", ...more] };
};

describe("a bare machine", () => {
  test("no provider: it says so, works on a scratch repository of its own, and ends with a summary", async ({
    expect,
  }) => {
    const at = place();
    const { code, out, err } = await run(["--once"], { at, env: QUICK_SUITE });
    expect([code, err]).toEqual([0, ""]);
    expect(out).toMatch(/^ {2}codex: not ready: Cannot run codex: .*Install codex/m);
    expect(out).toMatch(
      /^No provider is ready: the simulated one .* scratch repository\. Nothing it writes is real work/m,
    );
    expect(out).toMatch(
      /^home {6}\/.*\nproviders\n[\s\S]*^api {7}http[\s\S]*^works on {2}.*\(scratch\)$[\s\S]*^backlog {3}/m,
    );
    // Each loop turns once: a rejected review, a fallback, a question answered by its default.
    expect(out).toMatch(/word-count: impl \(round 1\): the review rejected it/);
    expect(out).toMatch(/round-money: asking: Which way does half a cent round\?/);
    expect(out).toMatch(/^Items {5}6: 6 done$/m);
    expect(out).toMatch(/^Time {6}(\d+m)?\d+s$/m);
    expect(out).toMatch(/^Cost {6}0\.0000 USD/m);
    expect(out).toMatch(/^Needs you nothing$/m);
    expect(processesOf(at)).toEqual([]);

    // A second run finds all of it done.
    const again = await run(["--once"], { at, env: QUICK_SUITE });
    expect(again.code).toBe(0);
    expect(again.out).toMatch(/0 new, 0 changed, 0 retired, 6 as they were/);
    expect(again.out).not.toMatch(/checking the base|: spec$/m);
  });

  test("only a paid provider ready: it says so, names the switch, and starts nothing", async ({ expect }) => {
    const codex = await fakeCodex();
    const repo = repository(["a"]);
    const argv = ["--repo", repo.dir, "--backlog", repo.backlog];
    const names =
      /only paid providers are ready \(codex(?:, [\w-]+)*\): set AGENT_ALLOW_PAID_PROVIDERS=1, or name one with --provider/;

    const once = await run([...argv, "--once"], { at: place(), env: { ...codex.env, ...QUICK_SUITE } });
    expect(once.code).toBe(2);
    expect(once.err).toMatch(names);

    const host = start(argv, { at: place(), env: { ...codex.env, ...QUICK_SUITE } });
    expect(await host.line(/^no work is started/)).toMatch(names);
    const tasks = await fetch(`${await urlOf(host)}/api/agent/tasks`);
    expect(await tasks.json()).toMatchObject({ total: 0 });
    host.kill("SIGTERM");
    expect((await host.ended).code).toBe(0);

    const allowed = { ...codex.env, ...QUICK_SUITE, AGENT_ALLOW_PAID_PROVIDERS: "1" };
    const paid = await run([...argv, "--once"], { at: place(), env: allowed });
    expect(paid.out).toMatch(/^Items {5}1: 1 done$/m);
    expect(paid.code).toBe(0);
    await codex.close();
  });
});

describe.concurrent("serving", () => {
  test("--paused: every door serves, no work starts; a foreign Host and Origin are refused", async ({ expect }) => {
    const { argv } = simulated(["a", "b"], ["--paused"]);
    const host = start(argv, { at: place(), env: QUICK_SUITE });
    expect(await host.line(/^no work is started/)).toContain("--paused");
    const url = await urlOf(host);
    for (const path of ["/api/health", "/api/agent/tasks", "/api/agent/pipeline-status", "/api/agent/providers"])
      expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 200]);
    const items = (await (await fetch(`${url}/api/agent/backlogs/plan/items`)).json()) as { total: number };
    expect(items.total).toBe(2);
    // A posted task waits as well.
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ direction: "Wait", task_type: "impl" });
    const posted = await fetch(`${url}/api/agent/tasks`, { method: "POST", headers, body });
    expect(await posted.json()).toMatchObject({ status: "pending" });
    expect(await raw(url, "evil.example")).toMatch(/^HTTP\/1\.1 403 /);
    expect((await fetch(`${url}/api/health`, { headers: { origin: "http://evil.example" } })).status).toBe(403);
    host.kill("SIGINT");
    const { code, out } = await host.ended;
    expect(code).toBe(0);
    expect(out).not.toContain("checking the base");
  });

  test("requests are counted by route, also those just before a stop; not when that is off", async ({ expect }) => {
    const at = place();
    const { argv } = simulated(["a"], ["--paused"]);
    const countedAfter = async (env: Record<string, string>) => {
      const host = start(argv, { at, env });
      const url = await urlOf(host);
      const path = `${url}/api/runtime/endpoints/summary`;
      const { endpoints } = (await (await fetch(path)).json()) as { endpoints: { endpoint: string }[] };
      await fetch(`${url}/api/agent/tasks/task_0123456789abcdef?secret=1`);
      host.kill("SIGTERM");
      expect((await host.ended).code).toBe(0);
      return endpoints;
    };
    expect(await countedAfter({ RUNTIME_TELEMETRY_ENABLED: "0" })).toEqual([]);
    expect(await countedAfter({})).toEqual([]);
    expect((await countedAfter({ RUNTIME_TELEMETRY_ENABLED: "0" })).map(({ endpoint }) => endpoint).sort()).toEqual([
      "/api/agent/tasks/{task_id}",
      "/api/runtime/endpoints/summary",
    ]);
  });

  test("a second host on the same home names the first and ends; a lock of a dead process is taken over", async ({
    expect,
  }) => {
    const at = place();
    const { argv } = simulated(["a"], ["--paused"]);
    const first = start(argv, { at });
    await first.line(/^no work is started/);
    const second = await run(argv, { at });
    expect(second.code).toBe(2);
    expect(second.err).toContain(`Another host (process ${first.child.pid}) works in ${at.home}`);
    expect(second.err).toContain(`kill ${first.child.pid}`);
    expect(second.err).not.toMatch(/^\s+at /m);
    // It has not taken anything of the first.
    expect((await fetch(`${await urlOf(first)}/api/health`)).status).toBe(200);

    first.kill("SIGKILL");
    await first.ended;
    expect(existsSync(join(at.home, "host.lock"))).toBe(true);
    const third = start(argv, { at });
    await third.line(/^no work is started/);
    // As a terminal that is closed says it.
    third.kill("SIGHUP");
    expect((await third.ended).code).toBe(0);
    expect(processesOf(at)).toEqual([]);
  });

  test("a lock whose process is another one by now is taken over, one that is not JSON too", async ({ expect }) => {
    for (const text of [JSON.stringify({ pid: process.pid, born: "1" }), "{", ""]) {
      const at = place();
      const { argv } = simulated(["a"], ["--paused"]);
      put(at.root, { "home/host.lock": text });
      const host = start(argv, { at });
      await host.line(/^no work is started/);
      host.kill("SIGTERM");
      expect((await host.ended).code).toBe(0);
    }
  });

  test("of eight that see the same dead process's lock, one takes it", async ({ expect }) => {
    const lock = new URL("../../../functions/local/lock.ts", import.meta.url).href;
    const contend = `const { lockHome } = await import(${JSON.stringify(lock)});
      process.stdin.once("data", () => {
        try { lockHome(process.argv[1]); console.log("won"); } catch (error) { console.log(error.code); }
      }).once("end", () => process.exit(0));
      console.log("here");`;
    for (let round = 0; round < 3; round++) {
      const at = place();
      put(at.root, { "home/host.lock": JSON.stringify({ pid: 2 ** 22 + 1, born: "1" }) });
      const contenders = Array.from({ length: 8 }, () =>
        execa(process.execPath, ["--input-type=module", "-e", contend, at.home], { stdin: "pipe" }),
      );
      await Promise.all(contenders.map((one) => once(one.stdout, "data")));
      contenders.forEach((one) => one.stdin.write("go\n"));
      await Promise.all(contenders.map((one) => once(one.stdout, "data")));
      contenders.forEach((one) => one.stdin.end());
      const said = (await Promise.all(contenders)).map((one) => one.stdout.split("\n")[1]);
      expect(said.sort()).toEqual([...Array<string>(7).fill("home.locked"), "won"]);
    }
  });

  test("a port that is taken", async ({ expect }) => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const at = place();
    const { code, err } = await run(simulated(["a"]).argv, { at, env: { PORT: String(port) } });
    server.close();
    expect(code).toBe(2);
    expect(err).toMatch(new RegExp(`^Port ${port} cannot be used: .*\nChoose another: PORT=`));
    expect(err).not.toMatch(/^\s+at /m);
    expect(processesOf(at)).toEqual([]);
  });

  test("a home inside the checkout is refused, also by a link", async ({ expect }) => {
    const { repo, argv } = simulated(["a"]);
    const at = place();
    symlinkSync(repo.dir, join(at.root, "link"));
    for (const home of [join(repo.dir, ".home"), join(at.root, "link", "home")]) {
      const before = untouched(repo)();
      const { code, err } = await run(argv, { at, env: { COHERENCE_HOME: home } });
      expect([code, err]).toEqual([2, expect.stringMatching(/inside the checkout .*\nSet COHERENCE_HOME/)]);
      expect(untouched(repo)()).toBe(before);
    }
  });
});

describe("the user's checkout", () => {
  test("changes that are not committed are mentioned, and are the same afterwards", async ({ expect }) => {
    const { repo, argv } = simulated(["a"], ["--once"]);
    put(repo.dir, { "README.md": "# Changed\n", "new.txt": "not added\n" });
    const before = repo.git("status", "--porcelain");
    const { code, out } = await run(argv, { at: place(), env: QUICK_SUITE });
    expect(code).toBe(0);
    expect(out).toMatch(/^note {6}.* has changes that are not committed: they stay as they are, work begins at main$/m);
    expect(repo.git("status", "--porcelain")).toBe(before);
    expect(readFileSync(join(repo.dir, "README.md"), "utf8")).toBe("# Changed\n");
    expect(repo.git("show", "coherence/plan:README.md")).toBe("# A project");
    expect(repo.git("ls-tree", "--name-only", "coherence/plan")).not.toContain("new.txt");
  });
});

describe.concurrent("going down", () => {
  test.for(["SIGTERM", "SIGINT"] as const)(
    "%s ends the agents and gives back what they held; the next start goes on without a stall",
    async (signal, { expect }) => {
      const codex = await fakeCodex();
      const at = place();
      const repo = repository([]);
      writeFileSync(repo.backlog, "1. Make it stand still at first {#a}\n");
      const argv = ["--once", "--repo", repo.dir, "--backlog", repo.backlog, "--provider", "codex"];
      const env = { ...codex.env, ...QUICK_SUITE };
      const host = start(argv, { at, env });
      await host.line(/ a: spec$/);
      await until(() => processesOf(at).some((line) => line.includes("fake-codex.mjs exec")));
      host.kill(signal);
      // The same Ctrl-C, handed on by npm.
      if (signal === "SIGINT") host.kill(signal);
      const { code, out, err } = await host.ended;
      expect([code, err]).toEqual([1, ""]);
      expect(out).toMatch(/^stopping: what runs is ended and given back; start again to go on$/m);
      expect(out).toMatch(/^Left {6}1: it was stopped; start again to go on$/m);
      expect(processesOf(at)).toEqual([]);

      const again = start(argv, { at, env });
      const task = await again.line(/ a: impl$/);
      expect(task).toBeDefined();
      const tasks = (await (await fetch(`${await urlOf(again)}/api/agent/tasks`)).json()) as {
        tasks: { task_type: string; id: string }[];
      };
      const spec = tasks.tasks.find((one) => one.task_type === "spec");
      const whole = await (await fetch(`${await urlOf(again)}/api/agent/tasks/${spec?.id}`)).json();
      const ended = await again.ended;
      expect(whole).toMatchObject({ status: "completed" });
      expect(JSON.stringify(whole)).not.toMatch(/"stalls":[1-9]/);
      expect(ended.out).not.toContain("going on with");
      expect(ended.code).toBe(0);
      await codex.close();
    },
  );

  test("SIGTERM while an item's suite runs leaves nothing of it", async ({ expect }) => {
    const at = place();
    const { argv } = simulated(["a"]);
    const suite = "sh -c 'test -e src/items/a.js && sleep 61; echo 1 passed, 0 failed'";
    const host = start(argv, { at, env: { COHERENCE_TEST_COMMAND: suite } });
    await until(() => processesOf(at).some((line) => line.includes("sleep 61")));
    host.kill("SIGTERM");
    const { code, out, err } = await host.ended;
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("stopping: what runs is ended and given back");
    expect(processesOf(at)).toEqual([]);
  });

  test("SIGINT while the base is checked", async ({ expect }) => {
    const at = place();
    const { repo, argv } = simulated(["a"], ["--once"]);
    const before = untouched(repo)();
    const host = start(argv, { at, env: { COHERENCE_TEST_COMMAND: "sleep 62" } });
    await host.line(/^checking the base/);
    await until(() => processesOf(at).some((line) => line.includes("sleep 62")));
    host.kill("SIGINT");
    const { code, out, err } = await host.ended;
    expect([code, err]).toEqual([1, ""]);
    expect(out).toMatch(/^stopped before the work began$/m);
    expect(processesOf(at)).toEqual([]);
    expect(untouched(repo)()).toBe(before);
    expect(existsSync(join(at.home, "host.lock"))).toBe(false);
  });

  test("SIGTERM while a provider is asked that does not answer", async ({ expect }) => {
    const at = place();
    const silent = createServer(() => {});
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const codex = await fakeCodex();
    const asked = new Promise((resolve) => silent.once("request", resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/v1`;
    const repo = repository(["a"]);
    const argv = ["--repo", repo.dir, "--backlog", repo.backlog, "--provider", "codex"];
    const host = start(argv, { at, env: { ...codex.env, OPENAI_BASE_URL: url } });
    await asked;
    host.kill("SIGTERM");
    const { code, out } = await host.ended;
    expect(code).toBe(0);
    expect(out).toMatch(/^stopped before the work began$/m);
    expect(out).not.toContain("api ");
    silent.closeAllConnections();
    silent.close();
    await codex.close();
  });

  test("a second signal, later, ends it at once, and the next start takes over", async ({ expect }) => {
    const at = place();
    const { argv } = simulated(["a"]);
    // A suite that does not care for SIGTERM holds the stop for its ten seconds.
    const suite = `sh -c 'trap "" TERM; test -e src/items/a.js && while :; do sleep 0.63; done; echo 1 passed, 0 failed'`;
    const host = start(argv, { at, env: { COHERENCE_TEST_COMMAND: suite } });
    await until(() => processesOf(at).some((line) => line.includes("sleep 0.63")));
    host.kill("SIGINT");
    await host.line(/^stopping/);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    host.kill("SIGINT");
    const { code, err } = await host.ended;
    expect([code, err]).toEqual([1, "stopped at once; start again to go on\n"]);
    const again = start([...argv, "--paused"], { at });
    await again.line(/^no work is started/);
    again.kill("SIGTERM");
    expect((await again.ended).code).toBe(0);
    // The supervisor ends what the host no longer could.
    await until(() => processesOf(at).length === 0, 15_000);
  });

  test("its store ends by itself: it says so and ends, and the next start goes on", async ({ expect }) => {
    const at = place();
    const { argv } = simulated(["a"], ["--once"]);
    const env = { ...QUICK_SUITE, ...scenario(at, { match: { attempt: 1, phase: "spec" }, do: { step: "hang" } }) };
    const host = start(argv, { at, env });
    await host.line(/ a: spec$/);
    const { pid } = JSON.parse(readFileSync(join(at.home, "store", "table.db.pid"), "utf8")) as { pid: number };
    process.kill(pid, "SIGKILL");
    const { code, err } = await host.ended;
    expect(code).toBe(2);
    expect(err).toMatch(/^The embedded DynamoDB ended by itself; its log is .*\nStart again to go on/m);
    expect(err).not.toMatch(/^\s+at |The host broke/m);
    expect(processesOf(at)).toEqual([]);
    const again = await run(argv, { at, env: QUICK_SUITE });
    expect(again.out).toMatch(/^Items {5}1: 1 done$/m);
    expect(again.code).toBe(0);
  });

  test("a caller that never finishes its request does not hold the stop", async ({ expect }) => {
    const host = start(simulated(["a"], ["--paused"]).argv, { at: place() });
    await host.line(/^no work is started/);
    const { port } = new URL(await urlOf(host));
    const socket = connect(Number(port), "127.0.0.1");
    socket.on("error", () => {});
    await new Promise<void>((resolve) =>
      socket.write("POST /api/agent/tasks HTTP/1.1\r\nHost: x\r\n", () => resolve()),
    );
    const begun = performance.now();
    host.kill("SIGTERM");
    expect((await host.ended).code).toBe(0);
    expect(performance.now() - begun).toBeLessThan(10_000);
    socket.destroy();
  });

  test("whoever reads its words goes away: it works on", async ({ expect }) => {
    const { argv, repo } = simulated(["a"]);
    const host = start(argv, { at: place(), env: QUICK_SUITE });
    const url = await urlOf(host);
    host.child.stdout?.destroy();
    await until(() => repo.git("branch", "--list", "coherence/plan") !== "");
    await until(async () => {
      const items = (await (await fetch(`${url}/api/agent/backlogs/plan/items`)).json()) as {
        items: { state: string }[];
      };
      return items.items.every((item) => item.state === "done");
    });
    host.kill("SIGTERM");
    const { code, err } = await host.ended;
    expect([code, err]).toEqual([0, ""]);
  });
});

async function until(holds: () => boolean | Promise<boolean>, ms = 40_000): Promise<void> {
  const begun = performance.now();
  while (!(await holds())) {
    if (performance.now() - begun > ms) throw new Error(`it did not come about: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** The first bytes of the answer to a request with this Host. */
function raw(url: string, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.on("error", reject).on("data", (data) => (resolve(data.toString()), socket.destroy()));
    socket.write(`GET /api/health HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  });
}
