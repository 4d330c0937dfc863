import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync as linkTo, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { ofDisk } from "../../../functions/local/config-text.ts";
import { endAll, place, QUICK_SUITE, repository, run, start, type Place, type Run } from "./support.ts";

/** The user's files about providers, as a host follows them from its start to its end and over it. */

vi.setConfig({ testTimeout: 100_000 });
afterAll(endAll);

const FILE = "coherence.config.json";
const off = (name: string) => JSON.stringify({ providers: { [name]: { enabled: false } } });

type Config = { which: string; state: string; using: string; problem: string | null; remedy: string | null };
type Answer = { providers: { name: string; ready: boolean; detail: string }[]; config: Config[] };

/** A host that serves and starts no work. */
async function serving(at: Place, argv: readonly string[] = []): Promise<{ host: Run; read(): Promise<Answer> }> {
  const host = start(["--paused", "--provider", "simulated", ...argv], { at });
  const url = (await host.line(/^api /)).replace(/^api +/, "");
  await host.line(/^no work is started/);
  return { host, read: async () => (await (await fetch(`${url}/api/agent/providers`)).json()) as Answer };
}

async function stop(host: Run): Promise<void> {
  host.kill("SIGTERM");
  expect((await host.ended).code).toBe(0);
}

const detailOf = (answer: Answer, name: string) => answer.providers.find((one) => one.name === name)?.detail;
const fileOf = (answer: Answer, which: "home" | "repository") => answer.config.find((one) => one.which === which);

/** Puts a file into a home that may not be there yet. */
function inHome(at: Place, text: string): string {
  mkdirSync(at.home, { recursive: true });
  const file = join(at.home, FILE);
  writeFileSync(file, text);
  return file;
}

describe.concurrent("the file of the home", () => {
  test("followed while the host runs: taken, refused with the last good one kept, kept over a restart, gone", async ({
    expect,
  }) => {
    const at = place();
    const first = await serving(at);
    expect(first.host.said()).not.toMatch(/^config/m);
    expect(fileOf(await first.read(), "home")).toMatchObject({ state: "absent", using: "nothing" });

    inHome(at, off("ollama"));
    await first.host.line(/^config .*is used$/);
    await first.host.line(/^ {2}ollama: not ready: it is switched off in .*home/);

    inHome(at, '{ "providers": { "ollama": { "enabled": "yes" } } }');
    await first.host.line(/^config +REFUSED .*providers\.ollama\.enabled: expected true or false$/);
    const broken = await first.read();
    expect(fileOf(broken, "home")).toMatchObject({
      state: "refused",
      using: "last_good",
      problem: "providers.ollama.enabled: expected true or false",
    });
    expect(detailOf(broken, "ollama")).toMatch(/^it is switched off/);
    await stop(first.host);

    const second = await serving(at);
    expect(second.host.said()).toMatch(/^config +REFUSED .*\n.* Until then what it said before goes on\.$/m);
    expect(second.host.said()).toMatch(/^ {2}ollama: not ready: it is switched off/m);
    expect(fileOf(await second.read(), "home")).toMatchObject({ state: "refused", using: "last_good" });

    rmSync(join(at.home, FILE));
    await second.host.line(/^config .*is gone/);
    await second.host.line(/^ {2}ollama: (ready|not ready: http)/);
    expect(detailOf(await second.read(), "ollama")).not.toMatch(/switched off/);
    await stop(second.host);

    // Gone is good too: nothing of it comes back with the next broken one.
    inHome(at, "{");
    const third = await serving(at);
    expect(third.host.said()).toMatch(
      /^config +REFUSED .*is not JSON.*\n.* Until then the host goes on without it\.$/m,
    );
    expect(fileOf(await third.read(), "home")).toMatchObject({ state: "refused", using: "nothing" });
    expect(detailOf(await third.read(), "ollama")).not.toMatch(/switched off/);
    await stop(third.host);
  });

  test("that switches a provider on: the work that waited for it begins and is done", async ({ expect }) => {
    const at = place();
    const repo = repository(["a"]);
    inHome(at, off("simulated"));
    const argv = ["--provider", "simulated", "--repo", repo.dir, "--backlog", repo.backlog];
    const host = start(argv, { at, env: QUICK_SUITE });
    expect(await host.line(/^no work is started/)).toContain("simulated is not ready");
    inHome(at, "{}");
    await host.line(/^a provider is ready: work begins$/);
    await host.line(/^\S+ a: done/);
    await stop(host);
  });

  test("a last good one that was spoilt since is not used", async ({ expect }) => {
    const at = place();
    inHome(at, off("ollama"));
    const { host } = await serving(at);
    await stop(host);
    writeFileSync(join(at.home, "config", "last-good-home.json"), "{ half");
    inHome(at, "{");
    const { host: again, read } = await serving(at);
    expect(fileOf(await read(), "home")).toMatchObject({ state: "refused", using: "nothing" });
    await stop(again);
  });

  test("a key in it is refused with its variable's name, and neither shown nor kept", async ({ expect }) => {
    const at = place();
    const secret = "sk-live-0123456789";
    inHome(at, JSON.stringify({ providers: { anthropic: { api_key: secret } } }));
    const { host, read } = await serving(at);
    const answer = await read();
    expect(fileOf(answer, "home")).toMatchObject({
      problem: "providers.anthropic.api_key: a key never stands in this file",
      remedy: expect.stringContaining("ANTHROPIC_API_KEY") as string,
    });
    await stop(host);
    expect(host.said() + JSON.stringify(answer)).not.toContain(secret);
  });
});

describe.concurrent("the file of the repository", () => {
  test("counts as it is at HEAD, not as it lies in the tree; its word goes before the home's", async ({ expect }) => {
    const at = place();
    const repo = repository(["a"]);
    inHome(at, off("anthropic"));
    const { host, read } = await serving(at, ["--repo", repo.dir, "--backlog", repo.backlog]);
    expect(detailOf(await read(), "anthropic")).toMatch(/^it is switched off/);

    writeFileSync(join(repo.dir, FILE), JSON.stringify({ providers: { anthropic: { enabled: true } } }));
    repo.git("add", FILE);
    // What follows is seen by the same looks: had the tree counted, this would not be so any more.
    inHome(at, JSON.stringify({ providers: { anthropic: { enabled: false }, ollama: { enabled: false } } }));
    await host.line(/^ {2}ollama: not ready: it is switched off/);
    expect(detailOf(await read(), "anthropic")).toMatch(/^it is switched off/);

    repo.git("commit", "--quiet", "--message", "Anthropic it is");
    await host.line(/^config .*\(HEAD\) is used$/);
    await host.line(/^ {2}anthropic: not ready: ANTHROPIC_API_KEY is not set/);
    expect(detailOf(await read(), "anthropic")).toBe("ANTHROPIC_API_KEY is not set");
    await stop(host);
  });

  test.each<[string, (dir: string) => void, RegExp]>([
    ["a link", (dir) => linkTo("README.md", join(dir, FILE)), /is a symbolic link/],
    ["a folder", (dir) => (mkdirSync(join(dir, FILE)), writeFileSync(join(dir, FILE, "a"), "")), /is a folder/],
    ["too large a file", (dir) => writeFileSync(join(dir, FILE), " ".repeat(300 * 1024)), /is too large/],
    ["a binary file", (dir) => writeFileSync(join(dir, FILE), Buffer.from([0x7b, 0, 0xff, 0x7d])), /is not UTF-8 text/],
  ])("%s is refused, and the work is done without it", async (_, make, says) => {
    const repo = repository(["a"]);
    make(repo.dir);
    repo.git("add", "--all");
    repo.git("commit", "--quiet", "--message", "A config");
    const argv = ["--once", "--provider", "simulated", "--repo", repo.dir, "--backlog", repo.backlog];
    const { code, out } = await run(argv, {
      at: place(),
      env: { COHERENCE_TEST_COMMAND: 'echo "1 passed, 0 failed"' },
    });
    expect(out).toMatch(new RegExp(`^config +REFUSED .*${says.source}`, "m"));
    expect(code, out).toBe(0);
  });
});

test.each<[string, (file: string) => void, RegExp]>([
  ["a link", (file) => linkTo("elsewhere", file), /is a symbolic link/],
  ["a folder", (file) => mkdirSync(file), /is no file/],
  ["a pipe that nobody writes", (file) => execFileSync("mkfifo", [file]), /is no file/],
  ["an endless file", (file) => writeFileSync(file, " ".repeat(5_000_000)), /has over 256 KiB/],
])("in the home %s is refused, at once", (_, make, says) => {
  const at = place();
  mkdirSync(at.home);
  const file = join(at.home, FILE);
  make(file);
  expect(ofDisk(file, "home").seen).toMatchObject({ kind: "bad", problem: expect.stringMatching(says) as string });
});
