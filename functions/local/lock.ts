import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fail } from "../../core/ground/errors.ts";
import { birthOf } from "../../core/ground/process/index.ts";

type Owner = { pid: number; born: string };

/**
 * One host a home. Takes the folder's lock, also from a process that is no more. Throws `home.locked`, naming the process, when
 * it lives. The function lets go.
 */
export function lockHome(home: string): () => void {
  const file = join(home, "host.lock");
  const mine: Owner = { pid: process.pid, born: birthOf(process.pid) ?? "" };
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(mine));
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (take(draft, file)) return () => release(file, mine);
      const owner = read(file);
      if (owner && birthOf(owner.pid) === owner.born && owner.born !== "") throw locked(home, owner.pid);
      moveAway(file, `${draft}.stale`, owner);
    }
    throw locked(home, read(file)?.pid ?? 0);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Moves a dead process's lock away. Of two that see it dead the slower may take the other's new one: it puts that back. */
function moveAway(file: string, aside: string, dead: Owner | undefined): void {
  try {
    renameSync(file, aside);
  } catch {
    return; // somebody else was faster
  }
  const moved = read(aside);
  if (moved?.pid !== dead?.pid || moved?.born !== dead?.born) take(aside, file);
  rmSync(aside, { force: true });
}

function take(draft: string, file: string): boolean {
  try {
    linkSync(draft, file);
    return true;
  } catch {
    return false;
  }
}

function release(file: string, mine: Owner): void {
  if (read(file)?.pid === mine.pid) rmSync(file, { force: true });
}

function locked(home: string, pid: number) {
  return fail("home.locked", `Another host (process ${pid}) works in ${home}`, {
    remedy: `Stop it (kill ${pid}), or give this one a home of its own: COHERENCE_HOME=…`,
    data: { pid },
  });
}

function read(file: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Owner;
  } catch {
    return undefined;
  }
}
