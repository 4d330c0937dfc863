import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import * as Task from "../../work/task/index.ts";

/** Characters of a session's key (contract 1.1.3). */
export const LONGEST_KEY = 200;

/** The session that a context names, or undefined. */
export function sessionKeyOf(context: Readonly<Record<string, unknown>>): string | undefined {
  const key = context.session_key;
  const text = typeof key === "string" ? key.trim() : "";
  return text === "" || Task.lengthOf(text) > LONGEST_KEY ? undefined : text;
}

/** The task that a session names, and whether it is the session's still: unfinished, and of that key by its context. */
export async function sessionOf(
  deps: Pick<Deps, "store">,
  key: string,
): Promise<{ named: string | undefined; active: Task.TaskRow | undefined }> {
  const session = await Store.get(deps.store, Keys.session(key));
  const named = typeof session?.task === "string" ? session.task : undefined;
  const task = named === undefined ? undefined : await Task.readToChange(deps.store, named);
  const isIts = task && !Task.hasEnded(task.row.status) && sessionKeyOf(task.context.context) === key;
  return { named, active: isIts ? task.row : undefined };
}

/** The write that makes a session name a task, while it still names `before`. */
export function sessionWrite(key: string, taskId: string, before: string | undefined): Store.Write {
  return {
    kind: "put",
    item: { ...Keys.session(key), ent: "session", v: 1, task: taskId },
    if: { same: before === undefined ? Store.absent("task") : Store.eq("task", before) },
  };
}

/** The writes that make a task that of the session which a context names: none where another unfinished one is. */
export async function joinWrites(
  deps: Pick<Deps, "store">,
  taskId: string,
  context: Readonly<Record<string, unknown>>,
): Promise<Store.Write[]> {
  const key = sessionKeyOf(context);
  if (key === undefined) return [];
  const { named, active } = await sessionOf(deps, key);
  return active === undefined ? [sessionWrite(key, taskId, named)] : [];
}
