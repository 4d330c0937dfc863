import type { Store } from "../../core/ground/store/index.ts";
import { between } from "./wire.ts";

/** The embedded engine never conflicts: this makes a share `p` of writes fail as AWS fails them. */
export function injectConflicts(store: Store, p: number): { count(): number } {
  let count = 0;
  between(store, async (operation, input, next) => {
    if (!/^(TransactWrite|Put|Update|Delete)Items?$/.test(operation) || Math.random() >= p) return next();
    count++;
    if (operation !== "TransactWriteItems")
      throw Object.assign(new Error("Transaction in progress"), { name: "TransactionConflictException" });
    const items = (input as { TransactItems: unknown[] }).TransactItems;
    throw Object.assign(new Error("Transaction cancelled"), {
      name: "TransactionCanceledException",
      CancellationReasons: items.map((_, i) => ({ Code: i === 0 ? "TransactionConflict" : "None" })),
    });
  });
  return { count: () => count };
}
