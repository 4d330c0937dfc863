import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { Usage } from "../task/index.ts";
import type { TurnRef } from "./row.ts";
import { readAll, working } from "./turn.ts";

/** The write that puts a part of a turn, if absent; JSON. It counts once the turn's update names it. */
export function partWrite(ref: TurnRef, name: string, json: string): Store.Write {
  const item = { ...Keys.attemptPart(ref.taskId, ref.n, ref.turn, name), ent: "part", json };
  return { kind: "put", item, if: Store.isNew };
}

/** Puts a part of a turn, if absent. */
export async function putPart(store: Store.Store, ref: TurnRef, name: string, json: string): Promise<void> {
  await Store.write(store, partWrite(ref, name, json));
}

/** A part of a turn, or undefined. */
export async function readPart<T>(store: Store.Store, ref: TurnRef, name: string): Promise<T | undefined> {
  return partOf<T>(await Store.get(store, Keys.attemptPart(ref.taskId, ref.n, ref.turn, name)));
}

/** What a part's item holds. */
export function partOf<T>(item: Store.Item | undefined): T | undefined {
  return typeof item?.json === "string" ? (JSON.parse(item.json) as T) : undefined;
}

/**
 * Saved progress of a turn, to go on from after a kill or a continue; the newest of a kind counts. JSON, ≤ 256 KB. `usage`: what
 * the go has used so far, kept at once, so that what can be gone on from is paid for.
 */
export async function save(
  store: Store.Store,
  ref: TurnRef,
  name: string,
  json: string,
  usage?: Usage,
): Promise<boolean> {
  const attempt = { key: Keys.attempt(ref.taskId, ref.n), if: working(ref.turn) };
  const written = await Store.tx(store, [
    usage ? { kind: "update", ...attempt, set: { usage } } : { kind: "check", ...attempt },
    { kind: "put", item: { ...Keys.attemptPart(ref.taskId, ref.n, ref.turn, `saved#${name}`), ent: "part", json } },
  ]);
  return written.ok;
}

/**
 * The newest saved progress of a name, from this attempt or an earlier one, or undefined. `open`: only from attempts that came
 * to no outcome: what was judged already is not progress.
 */
export async function saved<T>(
  store: Store.Store,
  ref: Pick<TurnRef, "taskId" | "n">,
  name: string,
  open = false,
): Promise<{ value: T; n: number; turn: number } | undefined> {
  // Parks leave attempts without a turn: they are passed over in one read rather than one by one.
  const attempts = (await readAll(store, ref.taskId, ref.n)).filter((attempt) => attempt.turn > 0).reverse();
  for (const attempt of attempts) {
    if (open && attempt.outcome) return undefined;
    for (let turn = attempt.turn; turn >= 1; turn--) {
      const value = await readPart<T>(store, { taskId: ref.taskId, n: attempt.n, turn }, `saved#${name}`);
      if (value !== undefined) return { value, n: attempt.n, turn };
    }
  }
  return undefined;
}

/** Keeps a turn's work order for the worker that takes it. */
export async function saveOrder(store: Store.Store, ref: TurnRef, order: unknown): Promise<void> {
  await putPart(store, ref, "order", JSON.stringify(order));
}

/** The work order of a turn, or undefined. */
export async function readOrder<T>(store: Store.Store, ref: TurnRef): Promise<T | undefined> {
  return readPart<T>(store, ref, "order");
}

/** Keeps the prompt of a turn. */
export async function savePrompt(store: Store.Store, ref: TurnRef, prompt: string): Promise<void> {
  await putPart(store, ref, "prompt", JSON.stringify(prompt));
}

/** The prompt of a turn, or undefined. */
export async function readPrompt(store: Store.Store, ref: TurnRef): Promise<string | undefined> {
  return readPart<string>(store, ref, "prompt");
}
