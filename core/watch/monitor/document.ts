import type * as z from "zod";
import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";

/**
 * One document that the monitor left (`MON` / `<name>`, one JSON string). One that is missing or cannot be read is an answer and
 * no error: it must not cost the report for good.
 */
export async function document<T extends z.ZodObject>(
  deps: Pick<Deps, "store">,
  name: Parameters<typeof Keys.monitor>[0],
  shape: T,
): Promise<z.output<T> | "missing" | "unreadable"> {
  const item = await Store.get(deps.store, Keys.monitor(name));
  if (!item) return "missing";
  try {
    return shape.parse(JSON.parse(String(item.json)));
  } catch {
    return "unreadable";
  }
}
