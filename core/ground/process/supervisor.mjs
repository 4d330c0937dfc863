/**
 * Runs one command in a process group of its own and outlives the host: when the pipe on descriptor 3 closes, because the
 * host was killed, the group is ended as if the host had asked. In: one JSON line {file, args, cwd, env, graceMs}, later
 * perhaps the line "end". Out: {started: pid} | {failed}, then {exited: {code, signal}}, then its own end, which means
 * that the group has ended. The command inherits descriptors 0 to 2, so its output never passes through here.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { endGroups, groupsOfRun } from "./processes.mjs";

for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => {});

const host = new Socket({ fd: 3 });
let received = "";
let child;
let ending = false;

host.setEncoding("utf8");
host.on("data", (text) => {
  received += text;
  for (let end = received.indexOf("\n"); end !== -1; end = received.indexOf("\n")) {
    const line = received.slice(0, end);
    received = received.slice(end + 1);
    if (line === "end") void finish();
    else start(JSON.parse(line));
  }
});
host.on("close", () => void finish());
host.on("error", () => {}); // "close" follows

function start(command) {
  child = Object.assign(
    spawn(command.file, command.args, { cwd: command.cwd, env: command.env, detached: true, stdio: [0, 1, 2] }),
    { mark: command.env.COHERENCE_RUN, graceMs: command.graceMs },
  );
  child.on("error", (error) => {
    tell({ failed: { code: error.code ?? "", message: error.message } });
    if (child.pid === undefined) leave();
  });
  child.on("spawn", () => tell({ started: child.pid }));
  child.on("exit", (code, signal) => {
    tell({ exited: { code, signal } });
    void finish();
  });
}

async function finish() {
  if (ending) return;
  ending = true;
  if (child?.pid !== undefined) {
    await endGroups(() => groupsOfRun(child.pid, child.mark), child.graceMs);
    // Its process may be gone before its end was heard of here, and the host is to know how it ended.
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  leave();
}

function tell(message) {
  if (host.writable) host.write(`${JSON.stringify(message)}\n`);
}

/** Leaves once the last message is on its way. */
function leave() {
  if (host.writable) host.end(() => process.exit(0));
  else process.exit(0);
}
