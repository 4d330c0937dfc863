import { fromAttributes, toAttribute, type Attributes } from "./attributes.ts";
import { eq } from "./condition.ts";
import { ask, write, type Store } from "./store.ts";
import type { Key } from "./write.ts";

/** Items that one sweep looks at. */
const PAGE = 500;

/**
 * Removes what has expired, where no TTL does (the embedded engine): each call looks at the next `limit` items of the table and
 * answers how many it removed. Where it is lies in memory: after a restart it begins anew.
 */
export function sweeper(store: Store, limit = PAGE): () => Promise<number> {
  let start: Attributes | undefined;
  return async () => {
    const page = await ask(store, "Scan", {
      TableName: store.table,
      Limit: limit,
      FilterExpression: "#exp < :now",
      ProjectionExpression: "#pk, #sk, #exp",
      ExpressionAttributeNames: { "#pk": "pk", "#sk": "sk", "#exp": "exp" },
      ExpressionAttributeValues: { ":now": toAttribute(Math.floor(store.clock.now() / 1000)) },
      ...(start ? { ExclusiveStartKey: start } : {}),
    });
    let removed = 0;
    for (const { pk, sk, exp } of (page.Items ?? []).map(fromAttributes) as (Key & { exp: number })[])
      // One that was written anew meanwhile stays.
      if ((await write(store, { kind: "delete", key: { pk, sk }, if: { expired: eq("exp", exp) } })).ok) removed++;
    start = page.LastEvaluatedKey;
    return removed;
  };
}
