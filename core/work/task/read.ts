import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { Parts, TaskRow, Whole } from "./row.ts";

/** A task and its parts in one strongly consistent query, or undefined. */
export async function read(store: Store.Store, id: string): Promise<Whole | undefined> {
  const { items } = await Store.query(store, { pk: Keys.taskPartition(id), sk: { begins: "M" }, limit: 10 });
  return wholeOf(items);
}

/** The task that these items make, with those of its parts that are among them; undefined without the task itself. */
export function wholeOf(items: readonly Store.Item[]): Whole | undefined {
  const row = items.find((item) => item.sk === "M");
  if (!row) return undefined;
  const parts: Parts = {};
  for (const item of items) {
    const name = item.sk.slice(2);
    if (name && typeof item.json === "string") Object.assign(parts, { [name]: JSON.parse(item.json) as unknown });
  }
  return { row: row as unknown as TaskRow, parts };
}

/** A task's context, empty where there is none. */
export async function contextOf(store: Store.Store, id: string): Promise<Record<string, unknown>> {
  const part = await Store.get(store, Keys.taskPart(id, "context"));
  return typeof part?.json === "string" ? (JSON.parse(part.json) as Record<string, unknown>) : {};
}

/** The task alone, without its parts, or undefined. */
export async function row(store: Store.Store, id: string): Promise<TaskRow | undefined> {
  return (await Store.get(store, Keys.task(id))) as TaskRow | undefined;
}
