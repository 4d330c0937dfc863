import { spawn } from "node:child_process";
import * as Clock from "../clock.ts";
import * as Id from "../id.ts";
import { cannotStart, marked } from "./command.ts";
import type { Command, Exit } from "./port.ts";
import { connect } from "./streams.ts";

const GRACE_MS = 10_000;
/** Half the time that output may still come after the command's own end. */
const DRAIN_MS = 500;

/**
 * Runs a short command of ours (git) without a supervisor, whose start costs ten times what git itself takes (measured: 30 ms
 * against 2). It has a group of its own and carries the marks, so `endGroupsIn` ends one that a killed host left behind.
 * Resolves when the command has ended: what it leaves in the background is not waited for, a second at most when that holds its
 * output. An abort ends the whole group, also what is in the background (SIGTERM, after `graceMs` SIGKILL). Throws
 * `process.failed` when it cannot be started.
 */
export async function exec(command: Command, signal: AbortSignal): Promise<Exit> {
  const clock = Clock.system();
  const started = clock.now();
  if (signal.aborted) return { code: null, signal: null, aborted: true, stdout: "", stderr: "", ms: 0 };

  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: marked(command, Id.system().hex(24)),
    detached: true,
    stdio: "pipe",
  });
  const output = connect(command, child);
  let aborted = false;
  let stopForcing = () => {};
  let stopDraining = () => {};
  // Twice: after a long pause of this process the first is over at once, with output still unread.
  const drain = () => {
    stopDraining = clock.after(DRAIN_MS, () => {
      stopDraining = clock.after(DRAIN_MS, () => child.stdio.forEach((stream) => stream?.destroy()));
    });
  };
  const abort = () => {
    aborted = true;
    end(child.pid, "SIGTERM");
    stopForcing = clock.after(command.graceMs ?? GRACE_MS, () => {
      end(child.pid, "SIGKILL");
      drain();
    });
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    const [code, by] = await new Promise<[number | null, string | null]>((resolve, reject) => {
      child.on("error", (thrown: NodeJS.ErrnoException) =>
        reject(cannotStart(command, thrown.code ?? "", thrown.message)),
      );
      child.on("exit", () => {
        if (!aborted) drain(); // else the group is given its time first
      });
      child.on("close", (code, by) => resolve([code, by]));
    });
    output.end();
    const kept = { stdout: output.stdout.text(), stderr: output.stderr.text() };
    return { code, signal: by, aborted, ...kept, ms: clock.now() - started };
  } finally {
    signal.removeEventListener("abort", abort);
    stopForcing();
    stopDraining();
  }
}

function end(group: number | undefined, name: "SIGTERM" | "SIGKILL"): void {
  if (group === undefined) return;
  try {
    process.kill(-group, name);
  } catch {
    // ended meanwhile
  }
}
