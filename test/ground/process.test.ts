import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CoherenceError } from "../../core/ground/errors.ts";
import * as Process from "../../core/ground/process/index.ts";

const NODE = process.execPath;
const env = Process.baseEnv({ PATH: process.env["PATH"] });
const never = new AbortController().signal;
let dir: string;

beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), "coherence-process-")));
});
afterEach(async () => {
  await Process.endGroupsIn(dir, 0);
  rmSync(dir, { recursive: true, force: true });
});

const command = (file: string, args: string[], more: Partial<Parameters<typeof Process.run>[0]> = {}) => ({
  file,
  args,
  cwd: dir,
  env,
  graceMs: 200,
  ...more,
});
const script = (code: string, more: Partial<Parameters<typeof Process.run>[0]> = {}) =>
  command(NODE, ["-e", code], more);

/** True while the process runs; a zombie does not. */
function lives(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
  } catch {
    return false;
  }
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
}

/** A file that a child has finished writing, as a number. */
async function pidIn(name: string): Promise<number> {
  const path = join(dir, name);
  await until(() => existsSync(path) && readFileSync(path, "utf8").endsWith("\n"));
  return Number(readFileSync(path, "utf8"));
}

/** A program that ignores SIGTERM, says so in a file, and stays. */
const STUBBORN = `
  process.on("SIGTERM", () => {});
  setInterval(() => {}, 1000);
  require("fs").writeFileSync("stubborn", process.pid + "\\n");
`;
/** A program that starts the stubborn one and stays, itself ending on SIGTERM. */
const PARENT = `
  require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(STUBBORN)}], { stdio: "ignore" });
  setInterval(() => {}, 1000);
`;
const modes = [
  ["run", Process.run],
  ["exec", Process.exec],
] as const;

describe.each(modes)("%s", (_name, start) => {
  it("gives exit code, both streams and lines", async () => {
    const seen: string[] = [];
    const exit = await start(
      script(`console.log("one\\ntwo"); console.error("three"); process.exit(3)`, {
        onLine: (line, stream) => seen.push(`${stream}:${line}`),
      }),
      never,
    );
    expect(exit).toMatchObject({ code: 3, signal: null, aborted: false, stdout: "one\ntwo\n", stderr: "three\n" });
    expect(seen.sort()).toEqual(["stderr:three", "stdout:one", "stdout:two"]);
  });

  it("succeeds with input", async () => {
    const exit = await start(script(`process.stdin.pipe(process.stdout)`, { input: "grüße" }), never);
    expect(exit).toMatchObject({ code: 0, stdout: "grüße" });
  });

  it("is not broken by a child that never reads its input", async () => {
    const exit = await start(command("true", [], { input: "x".repeat(1_000_000) }), never);
    expect(exit.code).toBe(0);
  });

  it("says which signal ended it", async () => {
    const exit = await start(script(`process.kill(process.pid, "SIGKILL")`), never);
    expect(exit).toMatchObject({ code: null, signal: "SIGKILL", aborted: false });
  });

  it("keeps head and tail of 10 MB and blocks on neither stream", async () => {
    const exit = await start(
      script(
        `const line = "é".repeat(499) + "\\n";
         process.stdout.write("HEAD\\n"); process.stderr.write("HEAD\\n");
         for (let i = 0; i < 10_000; i++) { process.stdout.write(line); process.stderr.write(line); }
         process.stdout.write("TAIL\\n"); process.stderr.write("TAIL\\n");`,
        { keepBytes: 10_001, onLine: () => {} },
      ),
      never,
    );
    for (const text of [exit.stdout, exit.stderr]) {
      expect(text.startsWith("HEAD\né")).toBe(true);
      expect(text.endsWith("é\nTAIL\n")).toBe(true);
      expect(text).toMatch(/\n… 99\d{5} bytes left out …\n/);
      expect(text).not.toContain("\ufffd");
      expect(Buffer.byteLength(text)).toBeLessThan(10_100);
    }
    expect(exit.code).toBe(0);
  });

  it("hands on long lines in pieces and characters whole", async () => {
    const pieces: string[] = [];
    await start(
      script(`process.stdout.write("x" + "ü".repeat(200_000) + "\\nend")`, { onLine: (line) => pieces.push(line) }),
      never,
    );
    expect(pieces.every((piece) => piece.length <= 65_536)).toBe(true);
    expect(pieces.join("")).toBe(`x${"ü".repeat(200_000)}end`);
  });

  it("12: back-ticks and $() in an argument arrive verbatim", async () => {
    const direction = "fix `plan_progress` and $(touch pwned) and $HOME; \"quoted\" 'too' \\ *\n--end";
    const exit = await start(command(NODE, ["-e", "process.stdout.write(process.argv[1])", "--", direction]), never);
    expect(exit.stdout).toBe(direction);
    expect(existsSync(join(dir, "pwned"))).toBe(false);
  });

  it("gives the child the environment it was given, our marks, and nothing else", async () => {
    const exit = await start(
      script(`process.stdout.write(JSON.stringify(process.env))`, { env: { ONLY: "this" } }),
      never,
    );
    const { COHERENCE_TREE, COHERENCE_RUN, ...rest } = JSON.parse(exit.stdout) as Record<string, string>;
    expect(rest).toEqual({ ONLY: "this" });
    expect(COHERENCE_TREE).toBe(dir);
    expect(COHERENCE_RUN).toMatch(/^[0-9a-f]{24}$/);
  });

  it("names a program that is not there, and what to do", async () => {
    const thrown = await start(command("no-such-program", []), never).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(CoherenceError);
    expect(thrown).toMatchObject({ code: "process.failed", data: { file: "no-such-program", code: "ENOENT" } });
    expect((thrown as CoherenceError).message).toContain("no-such-program");
    expect((thrown as CoherenceError).remedy).toContain("Install no-such-program");
  });

  it("names a directory that is not there", async () => {
    await expect(start(command("true", [], { cwd: join(dir, "gone") }), never)).rejects.toMatchObject({
      code: "process.failed",
      message: expect.stringContaining("gone") as string,
    });
  });

  it("ends at once when it was aborted before the start", async () => {
    expect(await start(command("touch", ["made"]), AbortSignal.abort())).toMatchObject({ aborted: true, code: null });
    expect(existsSync(join(dir, "made"))).toBe(false);
  });

  it("14: an abort outranks exit code 0", async () => {
    const controller = new AbortController();
    const exit = await start(
      script(`process.on("SIGTERM", () => process.exit(0)); setInterval(() => {}, 1000); console.log("ready")`, {
        onLine: () => controller.abort(),
      }),
      controller.signal,
    );
    expect(exit).toMatchObject({ aborted: true, code: 0 });
  });
});

describe("what exec leaves in the background", () => {
  const KEEPS_OUTPUT = `
    const child = require("child_process").spawn("sleep", ["1000"], { stdio: "inherit", detached: true });
    require("fs").writeFileSync("sleeper", child.pid + "\\n");
    child.unref();
    console.log("done");
  `;

  it("and holds its output is not waited for", async () => {
    const exit = await Process.exec(script(KEEPS_OUTPUT), never);
    expect(exit).toMatchObject({ code: 0, aborted: false, stdout: "done\n" });
    expect(lives(await pidIn("sleeper"))).toBe(true);
  });

  it("does not hold up a stop", async () => {
    const controller = new AbortController();
    const running = Process.exec(script(`${KEEPS_OUTPUT} setInterval(() => {}, 1000);`), controller.signal);
    await pidIn("sleeper");
    controller.abort();
    expect(await running).toMatchObject({ aborted: true, signal: "SIGTERM" });
  });
});

describe("the group", () => {
  it("knows how a command ended that was gone before its supervisor heard of it", async () => {
    const controller = new AbortController();
    let pids: number[] = [];
    const exit = await Process.run(
      script(
        `process.on("SIGTERM", () => console.log("asked")); setInterval(() => {}, 1000);
         console.log(process.pid + " " + process.ppid)`,
        {
          onLine: (line) => {
            if (line !== "asked") {
              pids = line.split(" ").map(Number);
              return controller.abort();
            }
            const [child, supervisor] = pids as [number, number];
            process.kill(supervisor, "SIGSTOP");
            process.kill(child, "SIGKILL");
            // Past its next look at the group, so that this comes before its child's end.
            for (const due = performance.now() + 60; performance.now() < due || lives(child););
            process.kill(supervisor, "SIGCONT");
          },
        },
      ),
      controller.signal,
    );
    expect(exit).toMatchObject({ aborted: true, code: null, signal: "SIGKILL" });
  });

  it("13: an abort waits for a stubborn grandchild's end", async () => {
    const controller = new AbortController();
    const running = Process.run(script(PARENT), controller.signal);
    const pid = await pidIn("stubborn");
    controller.abort();
    const exit = await running;
    expect(lives(pid)).toBe(false);
    expect(exit).toMatchObject({ aborted: true, signal: "SIGTERM" });
  });

  it("ends what a command that ended by itself left in the background", async () => {
    const exit = await Process.run(
      script(`
        require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(STUBBORN)}], { stdio: "ignore" }).unref();
        setInterval(() => require("fs").existsSync("stubborn") && process.exit(0), 5);
      `),
      never,
    );
    expect(exit).toMatchObject({ code: 0, aborted: false });
    expect(lives(await pidIn("stubborn"))).toBe(false);
  });

  it("ends a grandchild that left the group with setsid and holds the output", async () => {
    const controller = new AbortController();
    const running = Process.run(
      script(
        `require("child_process").spawn(process.execPath, ["-e", ${JSON.stringify(STUBBORN)}], { stdio: "inherit", detached: true });
         setInterval(() => {}, 1000);`,
      ),
      controller.signal,
    );
    const pid = await pidIn("stubborn");
    controller.abort();
    await running;
    expect(lives(pid)).toBe(false);
  });

  it("dies when its host is killed with kill -9", async () => {
    const room = JSON.stringify(join(import.meta.dirname, "../../core/ground/process/index.ts"));
    writeFileSync(
      join(dir, "host.mjs"),
      `import { run } from ${room};
       const [file, code] = ${JSON.stringify([NODE, PARENT])};
       await run({ file, args: ["-e", code], cwd: ${JSON.stringify(dir)}, env: {}, graceMs: 100 }, new AbortController().signal);`,
    );
    const host = spawn(NODE, [join(dir, "host.mjs")], { stdio: "ignore", cwd: "/" });
    const pid = await pidIn("stubborn");
    expect(lives(pid)).toBe(true);
    host.kill("SIGKILL");
    await until(() => !lives(pid));
    expect(await Process.endGroupsIn(dir)).toBe(0);
  });

  it("is ended by the host when its supervisor is killed", async () => {
    const running = Process.run(script(PARENT), never);
    const pid = await pidIn("stubborn");
    const parentOf = (each: number) => Number(/\) \S+ (\d+)/.exec(readFileSync(`/proc/${each}/stat`, "utf8"))?.[1]);
    process.kill(parentOf(parentOf(pid)), "SIGKILL");
    await running;
    expect(lives(pid)).toBe(false);
  });
});

describe("endGroupsIn", () => {
  it("ends what carries the mark, and nothing of another directory", async () => {
    const other = realpathSync(mkdtempSync(join(tmpdir(), "coherence-process-")));
    const running = Process.run(script(PARENT), never);
    const elsewhere = new AbortController();
    let ended = false;
    const spared = Process.run(script(`setInterval(() => {}, 1000)`, { cwd: other }), elsewhere.signal).then((exit) => {
      ended = true;
      return exit;
    });
    const pid = await pidIn("stubborn");
    expect(await Process.endGroupsIn(dir, 100)).toBe(1);
    expect(lives(pid)).toBe(false);
    expect(await running).toMatchObject({ aborted: false, signal: "SIGTERM" });
    expect(ended).toBe(false);
    elsewhere.abort();
    await spared;
    rmSync(other, { recursive: true });
  });

  it("ends a group that dropped its environment but sits in the directory", async () => {
    const child = spawn(NODE, ["-e", STUBBORN], { cwd: dir, env: {}, detached: true, stdio: "ignore" });
    const pid = await pidIn("stubborn");
    expect(pid).toBe(child.pid);
    expect(await Process.endGroupsIn(dir, 50)).toBe(1);
    expect(lives(pid)).toBe(false);
  });

  it("is quick and ends nothing in a directory without processes", async () => {
    expect(await Process.endGroupsIn(dir)).toBe(0);
    expect(await Process.endGroupsIn(join(dir, "gone"))).toBe(0);
  });
});

describe("birthOf", () => {
  it("is the same for one process and another for the next, and null for a zombie that nobody reaps", async () => {
    const own = Process.birthOf(process.pid);
    expect(own).toMatch(/^\d+$/);
    // What the shell becomes knows nothing of the shell's child, and never asks how it ended.
    const parent = spawn("sh", ["-c", "sleep 60 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "inherit"] });
    const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
    expect(Process.birthOf(pid)).toMatch(/^\d+$/);
    expect(Process.birthOf(pid)).not.toBe(own);
    // The shell itself may reap what dies before it has become the other program.
    await until(() => readFileSync(`/proc/${parent.pid}/comm`, "utf8").trim() === "sleep");
    process.kill(pid, "SIGKILL");
    await until(() => Process.birthOf(pid) === null);
    // As a signal finds it, it is still there.
    expect(process.kill(pid, 0)).toBe(true);
    parent.kill("SIGKILL");
    await until(() => Process.birthOf(parent.pid ?? 0) === null);
  });
});

describe("baseEnv", () => {
  it("passes on what tools need, no credential, and lets extra win", () => {
    const host = { PATH: "/bin", HOME: "/h", GITHUB_TOKEN: "t", AWS_SECRET_ACCESS_KEY: "s", OPENAI_API_KEY: "k" };
    const made = Process.baseEnv({ ...host, HTTPS_PROXY: "http://u:p@proxy", LANG: undefined }, { TERM: "xterm" });
    expect(made).toEqual({ PATH: "/bin", HOME: "/h", LANG: "C.UTF-8", TERM: "xterm", CI: "1", NO_COLOR: "1" });
  });
});
