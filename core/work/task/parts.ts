import * as Json from "../../ground/json.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { TaskRow } from "./row.ts";
import type { TaskError } from "./words.ts";

/** Bytes that a context may have after a merge; contract runners keep 40 snapshots in it. */
export const MAX_CONTEXT_BYTES = 256 * 1024;
/** Bytes of an output that lie with the task: half its head, half its tail. The whole is in the log. */
export const MAX_OUTPUT_BYTES = 32 * 1024;

/** Free-form objects are one JSON string: as maps they break at depth 32, at 2^53 and at 400 kB. */
export function contextText(context: Record<string, unknown>): string {
  return Json.bounded(context, "context", MAX_CONTEXT_BYTES);
}

/** Head and tail of a text, at most `max` bytes, with a line that says how much is left out. */
export function headAndTail(text: string, max = MAX_OUTPUT_BYTES): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= max) return text;
  const half = Math.floor((max - 64) / 2);
  const clean = (part: Buffer) => part.toString("utf8").replaceAll("\uFFFD", "");
  return `${clean(bytes.subarray(0, half))}\n… ${bytes.length - 2 * half} bytes left out …\n${clean(bytes.subarray(bytes.length - half))}`;
}

/** The writes that store a task's parts. */
export function partWrites(
  taskId: string,
  parts: { context?: Record<string, unknown>; output?: string; error?: TaskError | null; result?: unknown },
): Store.Write[] {
  const writes: Store.Write[] = [];
  const put = (part: Keys.TaskPart, json: string) =>
    writes.push({ kind: "put", item: { ...Keys.taskPart(taskId, part), ent: "part", json } });
  if (parts.context !== undefined) put("context", contextText(parts.context));
  if (parts.output !== undefined) put("output", JSON.stringify(headAndTail(parts.output)));
  if (parts.error === null) writes.push({ kind: "delete", key: Keys.taskPart(taskId, "error") });
  else if (parts.error !== undefined) put("error", JSON.stringify(parts.error));
  if (parts.result !== undefined) put("result", JSON.stringify(parts.result));
  return writes;
}

/** A context as it was read: a write of it holds while nobody else has written it. */
export type ContextRead = { context: Record<string, unknown>; rev: number | undefined };

/** A task and its context, to be changed; undefined where there is no task. */
export async function readToChange(
  store: Store.Store,
  taskId: string,
): Promise<{ row: TaskRow; context: ContextRead } | undefined> {
  const [row, context] = await Store.getMany(store, [Keys.task(taskId), Keys.taskPart(taskId, "context")]);
  return row && { row: row as unknown as TaskRow, context: contextIn(context) };
}

function contextIn(item: Store.Item | undefined): ContextRead {
  return {
    context: typeof item?.json === "string" ? (JSON.parse(item.json) as Record<string, unknown>) : {},
    rev: typeof item?.rev === "number" ? item.rev : undefined,
  };
}

/** The write that merges keys into a context, shallowly, while it is as it was read. Throws `input.too_large` (413). */
export function mergeWrite(
  taskId: string,
  { context, rev }: ContextRead,
  changes: Record<string, unknown>,
): Store.Write {
  const json = contextText({ ...context, ...changes });
  return {
    kind: "put",
    item: { ...Keys.taskPart(taskId, "context"), ent: "part", json, rev: (rev ?? 0) + 1 },
    if: { same: rev === undefined ? Store.absent("rev") : Store.eq("rev", rev) },
  };
}

/**
 * Merges keys into a task's context, shallowly; two merges at once lose nothing. Throws `input.too_large` (413) when it would grow
 * over its bound, and `store.unavailable` (503) when others come between all the time; then nothing is changed.
 */
export async function mergeContext(store: Store.Store, taskId: string, patch: Record<string, unknown>): Promise<void> {
  const key = Keys.taskPart(taskId, "context");
  await Store.contend(store, "The task's context is too busy", async () => {
    const written = await Store.write(store, mergeWrite(taskId, contextIn(await Store.get(store, key)), patch));
    return written.ok || undefined;
  });
}
