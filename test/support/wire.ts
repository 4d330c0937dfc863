import type { Operation, Store, Wire } from "../../core/ground/store/index.ts";

/**
 * Stands between a store and its table: sees every request, and may hold it, break it or let it go on. The function ends it.
 */
export function between(
  store: Store,
  seen: (operation: Operation, input: object, next: () => Promise<object>) => Promise<object>,
): () => void {
  const { wire } = store;
  store.wire = (async (operation: Operation, input: never) =>
    seen(operation, input, () => wire(operation, input))) as Wire;
  return () => void (store.wire = wire);
}
