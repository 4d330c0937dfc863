import type { Store } from "../../core/ground/store/index.ts";

/** The embedded engine never conflicts: this makes a share `p` of transactions fail as AWS fails them. */
export function injectConflicts(store: Store, p: number): { count(): number } {
  let count = 0;
  store.doc.middlewareStack.add(
    (next, context) => (args) => {
      const kind = /^(TransactWrite|Put|Update|Delete)(Item|Items)?Command$/.exec(context.commandName ?? "")?.[1];
      if (!kind || Math.random() >= p) return next(args);
      count++;
      if (kind !== "TransactWrite")
        throw Object.assign(new Error("Transaction in progress"), { name: "TransactionConflictException" });
      const items = (args.input as { TransactItems: unknown[] }).TransactItems;
      throw Object.assign(new Error("Transaction cancelled"), {
        name: "TransactionCanceledException",
        CancellationReasons: items.map((_, i) => ({ Code: i === 0 ? "TransactionConflict" : "None" })),
      });
    },
    { step: "initialize", name: "injectConflicts" },
  );
  return { count: () => count };
}
