import * as Json from "../../ground/json.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { TaskError } from "./words.ts";

/** Bytes that a context may have after a merge; contract runners keep 40 snapshots in it. */
export const MAX_CONTEXT_BYTES = 256 * 1024;
/** Bytes of an output that lie with the task: half its head, half its tail. The whole is in the log. */
export const MAX_OUTPUT_BYTES = 32 * 1024;

/** Free-form objects are one JSON string: as maps they break at depth 32, at 2^53 and at 400 kB. */
export function contextText(context: Record<string, unknown>): string {
  return Json.bounded(context, "context", MAX_CONTEXT_BYTES);
}

/** Throws `input.too_large` (413) for a context that is over its bound. */
export function checkContext(context: Record<string, unknown>): void {
  contextText(context);
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

/**
 * Merges keys into a task's context, shallowly; two merges at once lose nothing. A patch that says what lies elsewhere is a function:
 * it is asked anew at each try, so that whoever merges last says what is so. Throws `input.too_large` (413) when it would
 * grow over its bound, and `store.unavailable` (503) when others come between all the time; then nothing is changed.
 */
export async function mergeContext(
  store: Store.Store,
  taskId: string,
  patch: Record<string, unknown> | (() => Promise<Record<string, unknown>>),
): Promise<void> {
  const key = Keys.taskPart(taskId, "context");
  await Store.contend(store, "The task's context is too busy", async () => {
    const item = await Store.get(store, key);
    const rev = typeof item?.rev === "number" ? item.rev : undefined;
    const before = typeof item?.json === "string" ? (JSON.parse(item.json) as Record<string, unknown>) : {};
    const changes = typeof patch === "function" ? await patch() : patch;
    const outcome = await Store.write(store, {
      kind: "put",
      item: { ...key, ent: "part", json: contextText({ ...before, ...changes }), rev: (rev ?? 0) + 1 },
      if: { same: rev === undefined ? Store.absent("rev") : Store.eq("rev", rev) },
    });
    return outcome.ok || undefined;
  });
}
