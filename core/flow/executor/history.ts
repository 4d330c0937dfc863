import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { TaskRow } from "../../work/task/index.ts";
import type { History } from "./policy.ts";

/** As many earlier tasks are looked at; the thresholds are far below. */
const LOOK = 100;

/** How long a task counts as an earlier try of the same. */
const KEEP_MS = 90 * 86_400_000;

/** What became of the tasks that asked for the same before. */
export async function historyOf(store: Store.Store, fingerprint: string): Promise<History> {
  const { items } = await Store.query(store, { pk: Keys.fingerprintPartition(fingerprint), limit: LOOK });
  const tasks = await Store.getMany(
    store,
    items.map((item) => Keys.task(item.sk)),
  );
  const rows = tasks as unknown as (TaskRow | undefined)[];
  return { attempts: items.length, failures: rows.filter((row) => row?.status === "failed").length };
}

/** The write that remembers a task under what it asks for; part of its creation. */
export function remember(fingerprint: string, taskId: string, now: number): Store.Write {
  const exp = Math.ceil((now + KEEP_MS) / 1000);
  return { kind: "put", item: { ...Keys.fingerprint(fingerprint, taskId), ent: "fingerprint", v: 1, exp } };
}
