import type { Model } from "../port.ts";
import type { Placed, Row } from "../row.ts";
import type { Override } from "./schema.ts";

type Given = NonNullable<Override["models"]>[number];

/** A provider with what a file says about it; `file` is how that file is called. Pure. */
export function applied(before: Placed, override: Override | undefined, file: string): Placed {
  if (!override) return before;
  const { row } = before;
  const { enabled, models, prefers, capabilities, base_url } = override;
  const changed = {
    ...(base_url === undefined ? row : askedAt(row, base_url)),
    ...(models === undefined ? {} : { models: models.map((one) => modelOf(row.models, one)) }),
    ...(prefers === undefined ? {} : { prefers: [...new Set(prefers)] }),
    capabilities: { ...row.capabilities, paid: capabilities?.paid ?? row.capabilities.paid },
  };
  switch (enabled) {
    case undefined:
      return { ...before, row: changed };
    case true:
      return { row: changed };
    case false: {
      const remedy = `To use it, take providers.${row.name}.enabled out of ${file}, or set it to true.`;
      return { row: changed, off: { detail: `it is switched off in ${file}`, remedy } };
    }
  }
}

/** A row whose model server is another by default; one that has none stays as it is. */
function askedAt(row: Row, url: string): Row {
  switch (row.family) {
    case "api":
      return { ...row, baseUrl: { ...row.baseUrl, fallback: url } };
    case "cli":
      return row.server ? { ...row, server: { ...row.server, fallback: url } } : row;
    case "simulated":
      return row;
  }
}

/**
 * A model as a file gives it. What is left out is as for the model of that name that was there; of one that was not, its window
 * and tier are those of the strongest, and its price is unknown.
 */
function modelOf(known: readonly Model[], given: Given): Model {
  const same = known.find((one) => one.name === given.name);
  const like = same ?? known.at(-1);
  return {
    name: given.name,
    context_window: given.context_window ?? like?.context_window ?? 100_000,
    tier: given.tier ?? like?.tier ?? 2,
    price: given.price === undefined ? (same?.price ?? null) : priced(given.price),
  };
}

/** What nothing is said of in the cache costs what fresh input does. */
function priced(price: Given["price"]): Model["price"] {
  return price ? { ...price, cached: price.cached ?? price.input, written: price.written ?? price.input } : null;
}
