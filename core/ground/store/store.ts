import type { Clock } from "../clock.ts";
import type { Id } from "../id.ts";
import { fromAttributes, toAttributes, type Attributes } from "./attributes.ts";
import { Placeholders, failing } from "./condition.ts";
import * as Cursor from "./cursor.ts";
import { inOne } from "./in-one.ts";
import { isLost, patiently } from "./retry.ts";
import { expression, keyOf, transactItem, updateExpression, type Item, type Key, type Write } from "./write.ts";
import type { Answers, Operation, Operations, Wire } from "./wire.ts";

/** The table and what is needed to talk to it. Made once by compose. */
export type Store = {
  wire: Wire;
  table: string;
  clock: Clock;
  id: Id;
  /** Called with the capacity units of each request, when somebody counts. */
  onCapacity?: (units: number, action: string) => void;
};

/** A write that was refused: which of the writes, which of its sub-conditions, and the item as it is. */
export type Refusal = { index: number; key: Key; conditions: string[]; item: Item | undefined };
export type Outcome = { ok: true } | { ok: false; refused: Refusal[] };

/** Reads without a limit read a whole partition: this is the most one page may ask for. */
export const MAX_LIMIT = 1000;
/** An item, strongly consistent, or undefined; an expired one is not there. */
export async function get(store: Store, key: Key): Promise<Item | undefined> {
  const got = await ask(store, "GetItem", {
    TableName: store.table,
    Key: toAttributes(key),
    ConsistentRead: true,
    ...metered(store),
  });
  count(store, "get", got.ConsumedCapacity);
  return alive(store, itemOf(got.Item));
}

/** Items by key, strongly consistent, in the order of `keys`, undefined where there is none. At most 100 keys. */
export async function getMany(store: Store, keys: readonly Key[]): Promise<(Item | undefined)[]> {
  if (keys.length === 0) return [];
  const found = new Map<string, Item>();
  let rest: Attributes[] = keys.map(({ pk, sk }) => toAttributes({ pk, sk }));
  await patiently(store, async () => {
    const got = await store.wire("BatchGetItem", {
      RequestItems: { [store.table]: { Keys: rest, ConsistentRead: true } },
      ...metered(store),
    });
    for (const units of got.ConsumedCapacity ?? []) count(store, "batchGet", units);
    for (const one of got.Responses?.[store.table] ?? []) {
      const item = fromAttributes(one) as Item;
      found.set(`${item.pk}\n${item.sk}`, item);
    }
    rest = got.UnprocessedKeys?.[store.table]?.Keys ?? [];
    if (rest.length > 0) throw Object.assign(new Error("keys were left out"), { name: "ThrottlingException" });
  });
  return keys.map((key) => alive(store, found.get(`${key.pk}\n${key.sk}`)));
}

export type Query = {
  index?: "gsi1" | "gsi2" | "gsi3";
  pk: string;
  /** On the sort key; absent: the whole partition. */
  sk?: { begins: string } | { from?: string; to?: string };
  /** 1 to MAX_LIMIT. */
  limit: number;
  /** Newest or largest first. */
  descending?: boolean;
  cursor?: string;
};

/** One page of a partition. Index pages are eventually consistent on AWS: never the truth, always a hint. */
export async function query(store: Store, q: Query): Promise<{ items: Item[]; cursor: string | undefined }> {
  if (!Number.isInteger(q.limit) || q.limit < 1 || q.limit > MAX_LIMIT)
    throw new RangeError(`A query needs a limit of 1 to ${MAX_LIMIT}, not ${q.limit}`);
  const bound = JSON.stringify([q.index, q.pk, q.sk, q.descending ?? false]);
  const into = new Placeholders();
  const pk = into.name(q.index ? `${q.index}pk` : "pk");
  const got = await ask(store, "Query", {
    TableName: store.table,
    ...(q.index ? { IndexName: q.index } : { ConsistentRead: true }),
    KeyConditionExpression: [`${pk} = ${into.value(q.pk)}`, ...range(q, into)].join(" AND "),
    ExpressionAttributeNames: into.names,
    ExpressionAttributeValues: into.values,
    Limit: q.limit,
    ScanIndexForward: !(q.descending ?? false),
    ...(q.cursor === undefined ? {} : { ExclusiveStartKey: toAttributes(Cursor.decode(bound, q.cursor)) }),
    ...metered(store),
  });
  count(store, "query", got.ConsumedCapacity);
  return {
    items: (got.Items ?? []).map((one) => fromAttributes(one) as Item).filter((item) => alive(store, item)),
    cursor: got.LastEvaluatedKey ? Cursor.encode(bound, fromAttributes(got.LastEvaluatedKey)) : undefined,
  };
}

/** Every page of a partition, for partitions that are small by construction; stops after `most` items (default 10 000). */
export async function queryAll(store: Store, q: Omit<Query, "limit" | "cursor">, most = 10_000): Promise<Item[]> {
  const items: Item[] = [];
  let cursor: string | undefined;
  do {
    const page = await query(store, { ...q, limit: MAX_LIMIT, ...(cursor === undefined ? {} : { cursor }) });
    items.push(...page.items);
    cursor = page.cursor;
  } while (cursor !== undefined && items.length < most);
  return items.slice(0, most);
}

/** How many items a partition holds, without reading them out; counted no further than the page that reaches `most`. */
export async function countOf(store: Store, q: Pick<Query, "index" | "pk" | "sk">, most = Infinity): Promise<number> {
  const into = new Placeholders();
  const pk = into.name(q.index ? `${q.index}pk` : "pk");
  const KeyConditionExpression = [`${pk} = ${into.value(q.pk)}`, ...range(q, into)].join(" AND ");
  let total = 0;
  let start: Attributes | undefined;
  do {
    const got = await ask(store, "Query", {
      TableName: store.table,
      ...(q.index ? { IndexName: q.index } : {}),
      KeyConditionExpression,
      ExpressionAttributeNames: into.names,
      ExpressionAttributeValues: into.values,
      Select: "COUNT",
      Limit: MAX_LIMIT,
      ...(start ? { ExclusiveStartKey: start } : {}),
      ...metered(store),
    });
    count(store, "query", got.ConsumedCapacity);
    total += got.Count ?? 0;
    start = got.LastEvaluatedKey;
  } while (start && total < most);
  return total;
}

/**
 * One conditional write. A refused condition is an answer; one that was sent again since its answer was lost may be refused for
 * what it did itself. Throws what `patiently` gives up on.
 */
export async function write(store: Store, one: Write): Promise<Outcome> {
  // Sent twice, an addition would count twice: a transaction's token prevents it.
  if (one.kind === "update" && one.add) return transact(store, [one]);
  return patiently(store, () => writeOnce(store, one));
}

async function writeOnce(store: Store, one: Write): Promise<Outcome> {
  if (one.kind === "check") return transact(store, [one]);
  const into = new Placeholders();
  try {
    if (one.kind === "put") {
      const rest = expression(store.table, one.if, into);
      const got = await store.wire("PutItem", { Item: toAttributes(one.item), ...rest, ...metered(store) });
      count(store, "put", got.ConsumedCapacity);
    } else if (one.kind === "update") {
      const UpdateExpression = updateExpression(one, into);
      const rest = expression(store.table, one.if, into);
      const Key = toAttributes(one.key);
      const got = await store.wire("UpdateItem", { Key, UpdateExpression, ...rest, ...metered(store) });
      count(store, "update", got.ConsumedCapacity);
    } else {
      const rest = expression(store.table, one.if, into);
      const got = await store.wire("DeleteItem", { Key: toAttributes(one.key), ...rest, ...metered(store) });
      count(store, "delete", got.ConsumedCapacity);
    }
    return { ok: true };
  } catch (error) {
    const refused = error as Error & { Item?: Attributes };
    if (refused.name !== "ConditionalCheckFailedException") throw error;
    const item = itemOf(refused.Item);
    return { ok: false, refused: [{ index: 0, key: keyOf(one), conditions: failing(one.if, item), item }] };
  }
}

/**
 * All writes or none (at most 100 keys; several on one key as if done in their order). `build` is called anew for each try, so that times in it are the try's own. A
 * refused condition is an answer. Throws what `patiently` gives up on.
 */
export async function tx(
  store: Store,
  build: readonly Write[] | ((now: number) => readonly Write[]),
): Promise<Outcome> {
  const rebuilt = (now: number) => inOne(typeof build === "function" ? build(now) : build);
  const writes = rebuilt(store.clock.now());
  const [only, ...others] = writes;
  return only && others.length === 0 ? write(store, only) : transact(store, writes, rebuilt);
}

async function transact(
  store: Store,
  first: readonly Write[],
  rebuilt: (now: number) => readonly Write[] = () => first,
): Promise<Outcome> {
  let next: { writes: readonly Write[]; token: string } | undefined = { writes: first, token: store.id.hex(32) };
  return patiently(store, async (now) => {
    const { writes, token } = next ?? { writes: rebuilt(now), token: store.id.hex(32) };
    next = undefined;
    try {
      const got = await store.wire("TransactWriteItems", {
        TransactItems: writes.map((one) => transactItem(store.table, one)),
        // Sent twice because an answer was lost, it counts once.
        ClientRequestToken: token,
        ...metered(store),
      });
      for (const units of got.ConsumedCapacity ?? []) count(store, "transact", units);
      return { ok: true };
    } catch (error) {
      const { name, CancellationReasons: reasons = [] } = error as Error & {
        CancellationReasons?: { Code?: string; Item?: Attributes }[];
      };
      // It may be carried out by now: asked for again as it is, or it would be done twice.
      if (name === "TransactionInProgressException" || isLost(error)) next = { writes, token };
      const refused = reasons.flatMap((reason, index): Refusal[] => {
        const one = writes[index];
        if (reason.Code !== "ConditionalCheckFailed" || !one) return [];
        const item = itemOf(reason.Item);
        return [{ index, key: keyOf(one), conditions: failing(one.if, item), item }];
      });
      if (name === "TransactionCanceledException" && refused.length > 0) return { ok: false, refused };
      throw error;
    }
  });
}

/** A request that may be sent as often as need be: a read. */
export function ask<O extends Operation>(store: Store, operation: O, input: Operations[O][0]): Promise<Answers[O]> {
  return patiently(store, () => store.wire(operation, input));
}

function range(q: Pick<Query, "index" | "sk">, into: Placeholders): string[] {
  if (!q.sk) return [];
  const sk = into.name(q.index ? `${q.index}sk` : "sk");
  if ("begins" in q.sk) return [`begins_with(${sk}, ${into.value(q.sk.begins)})`];
  const { from, to } = q.sk;
  if (from !== undefined && to !== undefined) return [`${sk} BETWEEN ${into.value(from)} AND ${into.value(to)}`];
  if (from !== undefined) return [`${sk} >= ${into.value(from)}`];
  if (to !== undefined) return [`${sk} <= ${into.value(to)}`];
  return [];
}

function itemOf(attributes: Attributes | undefined): Item | undefined {
  return attributes && (fromAttributes(attributes) as Item);
}

/** TTL takes days on AWS and never sweeps locally: an expired item is not there. `exp` is in seconds. */
function alive(store: Store, item: Item | undefined): Item | undefined {
  return item && typeof item.exp === "number" && item.exp * 1000 <= store.clock.now() ? undefined : item;
}

function metered(store: Store): { ReturnConsumedCapacity?: "TOTAL" } {
  return store.onCapacity ? { ReturnConsumedCapacity: "TOTAL" } : {};
}

function count(store: Store, action: string, units: { CapacityUnits?: number } | undefined): void {
  store.onCapacity?.(units?.CapacityUnits ?? 0, action);
}
