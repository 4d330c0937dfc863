import type { Deps } from "../../core/ground/deps.ts";
import { CoherenceError, fail } from "../../core/ground/errors.ts";
import { sha256, taskIdOf } from "../../core/ground/id.ts";
import * as Store from "../../core/ground/store/index.ts";
import { Keys } from "../../core/ground/store/index.ts";
import * as Pipeline from "../../core/flow/pipeline/index.ts";
import type * as Task from "../../core/work/task/index.ts";
import { invalid } from "./issues.ts";
import type { Caller } from "./route.ts";

/** How long a key stands for its first body. */
export const KEY_LASTS_MS = 24 * 3_600_000;
/** What a key may look like. */
export const SANE_KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Creates a task once a key: the same key and body is the same task, another body 409 `idempotency.conflict`. The key's item
 * is put first and its time is part of the task's creation key, so two at once, or one that died between the two writes, come to
 * the same task, and a key that has expired makes a new one.
 */
export async function createOnce(
  deps: Deps,
  caller: Caller,
  given: string,
  input: Task.Create,
): Promise<{ created: boolean; task: Task.Whole }> {
  if (!SANE_KEY.test(given))
    throw invalid([
      {
        type: "string_pattern_mismatch",
        loc: ["header", "idempotency-key"],
        msg: "Idempotency-Key is 1 to 255 printable ASCII characters without spaces",
        input: null,
      },
    ]);
  // Callers do not share keys: one could read another's task by guessing.
  const name = sha256(caller.kind === "key" ? `key#${caller.id}#${given}` : `operator#${given}`);
  const body = sha256(canonical(input));
  const now = deps.clock.now();
  const key = Keys.idempotency(name);
  const put = await Store.write(deps.store, {
    kind: "put",
    item: {
      ...key,
      ent: "idempotency",
      v: 1,
      at: now,
      body,
      task_id: taskIdOf(creationKey(name, now)),
      exp: Math.ceil((now + KEY_LASTS_MS) / 1000),
    },
    if: { free: Store.any(Store.absent("pk"), Store.le("exp", Math.floor(now / 1000))) },
  });
  const first = put.ok ? { at: now, body } : (put.refused[0]?.item as { at: number; body: string } | undefined);
  if (first?.body !== body)
    throw fail("idempotency.conflict", "This Idempotency-Key was used with another body", {
      remedy: "Send the same body, or a new key.",
    });
  try {
    return await Pipeline.create(deps, input, { key: creationKey(name, first.at) });
  } catch (error) {
    // Refused, so nothing was made: the key is free again for a corrected body. After any other error it may have been made.
    if (error instanceof CoherenceError)
      await Store.write(deps.store, { kind: "delete", key, if: { mine: Store.eq("at", first.at) } });
    throw error;
  }
}

function creationKey(name: string, at: number): string {
  return `idempotency#${name}#${at}`;
}

/** JSON with sorted keys: the order in which a client writes its fields is no difference. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "object" && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
