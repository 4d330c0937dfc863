import { spawn } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import * as Clock from "../clock.ts";
import * as Id from "../id.ts";
import { cannotStart, isMissing, marked } from "./command.ts";
import type { Command, Exit } from "./port.ts";
import { endGroups, groupsOfRun } from "./processes.mjs";
import { connect } from "./streams.ts";

/** A file of its own: a bundle has to put it (bundled with processes.mjs) beside itself. */
const SUPERVISOR = fileURLToPath(new URL("./supervisor.mjs", import.meta.url));
const GRACE_MS = 10_000;
/** How long output may still come after every process we know has ended: someone outside the group may hold the pipe. */
const DRAIN_MS = 2_000;

type Message =
  | { started: number }
  | { failed: { code: string; message: string } }
  | { exited: { code: number | null; signal: string | null } };

/**
 * Runs a command under a supervisor and resolves when its whole process group has ended: by itself, by `signal` (SIGTERM,
 * after `graceMs` SIGKILL), or, should this process be killed, by the supervisor. Throws `process.failed` when it cannot
 * be started.
 */
export async function run(command: Command, signal: AbortSignal): Promise<Exit> {
  const clock = Clock.system();
  const started = clock.now();
  if (signal.aborted) return { code: null, signal: null, aborted: true, stdout: "", stderr: "", ms: 0 };
  // Known without a process: every start of a host asks for agents that are not installed.
  if (isMissing(command)) throw cannotStart(command, "ENOENT", "");

  const mark = Id.system().hex(24);
  const graceMs = command.graceMs ?? GRACE_MS;
  // A session of its own and no environment: neither a Ctrl-C at the terminal nor NODE_OPTIONS meant for the command reach it.
  const supervisor = spawn(process.execPath, [SUPERVISOR], {
    cwd: "/",
    env: {},
    detached: true,
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const control = supervisor.stdio[3] as Socket;
  const seen = listen(control);
  const output = connect(command, supervisor);
  control.write(
    `${JSON.stringify({
      file: command.file,
      args: command.args,
      cwd: command.cwd,
      env: marked(command, mark),
      graceMs,
    })}\n`,
  );

  let aborted = false;
  const abort = () => {
    aborted = seen.exited === undefined; // an abort after the command's own end ends only what it left behind
    control.write("end\n");
  };
  signal.addEventListener("abort", abort, { once: true });
  let stopDraining = () => {};
  try {
    await new Promise<void>((resolve, reject) => {
      supervisor.on("error", (thrown) => reject(cannotStart(command, "", thrown.message)));
      supervisor.on("exit", () => {
        stopDraining = clock.after(DRAIN_MS, () => supervisor.stdio.forEach((stream) => stream?.destroy()));
      });
      supervisor.on("close", () => resolve());
    });
  } finally {
    signal.removeEventListener("abort", abort);
    stopDraining();
  }
  output.end();

  if (seen.failed) throw cannotStart(command, seen.failed.code, seen.failed.message);
  if (seen.started === undefined && !aborted) throw cannotStart(command, "", "its supervisor ended before it began");
  // The supervisor was itself killed: its work is done here.
  const group = seen.started;
  if (group !== undefined && supervisor.exitCode !== 0) await endGroups(() => groupsOfRun(group, mark), graceMs);
  return {
    code: seen.exited?.code ?? null,
    signal: seen.exited?.signal ?? null,
    aborted,
    stdout: output.stdout.text(),
    stderr: output.stderr.text(),
    ms: clock.now() - started,
  };
}

/** What the supervisor has said so far. */
function listen(control: Socket): {
  started?: number;
  failed?: { code: string; message: string };
  exited?: { code: number | null; signal: string | null };
} {
  const seen = {};
  let rest = "";
  control.setEncoding("utf8");
  control.on("error", () => {}); // a supervisor that ended; "close" follows
  control.on("data", (text: string) => {
    rest += text;
    for (let end = rest.indexOf("\n"); end !== -1; end = rest.indexOf("\n")) {
      Object.assign(seen, JSON.parse(rest.slice(0, end)) as Message);
      rest = rest.slice(end + 1);
    }
  });
  return seen;
}
