/**
 * The machine's process table, and the one way to end groups of processes. Plain JavaScript (typed beside it) because the
 * supervisor imports it: stripping types costs 30 ms at every start.
 */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";

const POLL_MS = 20;

/** Every live process; zombies are left out, since in a container nobody may ever reap them. */
export function processes() {
  return process.platform === "linux" ? fromProc() : fromPs();
}

function fromProc() {
  const live = [];
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const fields = statOf(name);
    if (fields === null) continue;
    const [, parent, group, , tty] = fields;
    live.push({ pid: Number(name), parent: Number(parent), group: Number(group), terminal: tty !== "0" });
  }
  return live;
}

/** The fields of a live process's status behind its name; null for a zombie and where there is none. */
function statOf(pid) {
  const stat = readOrNull(`/proc/${pid}/stat`);
  // The second field, the program's name in brackets, may itself hold blanks and brackets.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ") ?? [];
  return fields[0] === undefined || fields[0] === "Z" || fields[0] === "X" ? null : fields;
}

/**
 * When a process began, in words of the system, so that a pid that was given to another is not taken for it; null when it is no
 * more. A zombie is no more: a signal would still find it.
 */
export function birthOf(pid) {
  if (process.platform === "linux") return statOf(pid)?.[19] ?? null;
  return processes().some((each) => each.pid === pid) ? "alive" : null;
}

function fromPs() {
  const rows = execFileSync("ps", ["-axww", "-o", "pid=,ppid=,pgid=,tty=,stat="], { encoding: "utf8" });
  return rows.split("\n").flatMap((row) => {
    const [pid, parent, group, tty, state] = row.trim().split(/\s+/);
    if (!state || state.startsWith("Z")) return [];
    return [{ pid: Number(pid), parent: Number(parent), group: Number(group), terminal: !tty.startsWith("?") }];
  });
}

/** The value of one variable in a process's environment at its start, or null: not set, or another user's process. */
export function variableOf(pid, name) {
  const text = process.platform === "linux" ? readOrNull(`/proc/${pid}/environ`) : environmentFromPs(pid);
  const entry = text?.split("\0").find((each) => each.startsWith(`${name}=`));
  return entry === undefined ? null : entry.slice(name.length + 1);
}

function environmentFromPs(pid) {
  try {
    const text = execFileSync("ps", ["-Eww", "-o", "command=", "-p", String(pid)], { encoding: "utf8" });
    return text.trim().replaceAll(" ", "\0");
  } catch {
    return null; // ended meanwhile
  }
}

/** The directory a process works in; null where the system does not say. */
export function directoryOf(pid) {
  try {
    return process.platform === "linux" ? readlinkSync(`/proc/${pid}/cwd`) : null;
  } catch {
    return null;
  }
}

/** The groups that hold a process of `group`, or one that left it with `setsid` but still carries `mark` as COHERENCE_RUN. */
export function groupsOfRun(group, mark) {
  const own = process.pid;
  const found = new Set();
  for (const each of processes()) {
    if (each.pid === own || found.has(each.group)) continue;
    if (each.group === group || variableOf(each.pid, "COHERENCE_RUN") === mark) found.add(each.group);
  }
  return [...found];
}

/**
 * Ends every group that `find` names: SIGTERM, and SIGKILL after `graceMs`. Resolves with their number once `find` names
 * none, so a process that is forked meanwhile is ended too.
 */
export async function endGroups(find, graceMs) {
  const started = performance.now();
  const asked = new Set();
  for (;;) {
    const groups = find();
    if (groups.length === 0) return asked.size;
    const force = performance.now() - started >= graceMs;
    for (const group of groups) {
      if (force) signal(group, "SIGKILL");
      else if (!asked.has(group)) signal(group, "SIGTERM");
      asked.add(group);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function signal(group, name) {
  try {
    process.kill(-group, name);
  } catch (thrown) {
    if (thrown.code !== "ESRCH") throw thrown; // ended meanwhile
  }
}

function readOrNull(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // ended meanwhile, or another user's
  }
}
