import { realpathSync } from "node:fs";
import { sep } from "node:path";
import { directoryOf, endGroups, processes, variableOf, type Process } from "./processes.mjs";

const GRACE_MS = 10_000;

/**
 * Ends every process group that still works in `dir` (SIGTERM, after `graceMs` SIGKILL) and resolves with their number once
 * all have ended. A group works there when a member carries our mark, or when its leader (or, that being gone, a member)
 * sits there without a terminal: a person's shell or editor is left alone. Never ends this process or its ancestors.
 */
export async function endGroupsIn(dir: string, graceMs = GRACE_MS): Promise<number> {
  const places = [...new Set([dir, real(dir)])];
  const inside = (path: string | null) =>
    path !== null && places.some((place) => path === place || path.startsWith(place + sep));
  return endGroups(() => {
    const live = processes();
    const alive = new Set(live.map((each) => each.pid));
    const spared = groupsAbove(live, process.pid);
    const works = (each: Process) =>
      inside(variableOf(each.pid, "COHERENCE_TREE")) ||
      (!each.terminal && (each.pid === each.group || !alive.has(each.group)) && inside(directoryOf(each.pid)));
    return [...new Set(live.filter((each) => !spared.has(each.group) && works(each)).map((each) => each.group))];
  }, graceMs);
}

/** The groups of a process and of all its ancestors. */
function groupsAbove(live: Process[], pid: number): Set<number> {
  const byPid = new Map(live.map((each) => [each.pid, each]));
  const groups = new Set<number>();
  for (let each = byPid.get(pid); each; each = byPid.get(each.parent)) groups.add(each.group);
  return groups;
}

function real(dir: string): string {
  try {
    return realpathSync(dir);
  } catch {
    return dir; // not there: only the mark can match
  }
}
