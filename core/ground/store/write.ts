import { toAttributes, type Attributes } from "./attributes.ts";
import { Placeholders, compileAll, type Conditions } from "./condition.ts";

/** A table key. */
export type Key = { pk: string; sk: string };
/** An item as it lies in the table. */
export type Item = Key & Record<string, unknown>;

/** One write, as data. A room that takes part in another's transaction returns these. */
export type Write =
  | { kind: "put"; item: Item; if?: Conditions }
  | {
      kind: "update";
      key: Key;
      /** Attributes to set; `undefined` ones are passed over. */
      set?: Record<string, unknown>;
      /** Numbers to add to. */
      add?: Record<string, number>;
      remove?: readonly string[];
      if?: Conditions;
    }
  | { kind: "delete"; key: Key; if?: Conditions }
  | { kind: "check"; key: Key; if: Conditions };

export function keyOf(write: Write): Key {
  return write.kind === "put" ? { pk: write.item.pk, sk: write.item.sk } : write.key;
}

type Expression = {
  TableName: string;
  ConditionExpression?: string;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Attributes;
  ReturnValuesOnConditionCheckFailure: "ALL_OLD";
};

/** The part that all four kinds share. */
export function expression(table: string, conditions: Conditions | undefined, into: Placeholders): Expression {
  const condition = compileAll(conditions, into);
  return {
    TableName: table,
    ...(condition === undefined ? {} : { ConditionExpression: condition }),
    ...(Object.keys(into.names).length > 0 ? { ExpressionAttributeNames: into.names } : {}),
    ...(Object.keys(into.values).length > 0 ? { ExpressionAttributeValues: into.values } : {}),
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  };
}

/** The update expression of an update write. */
export function updateExpression(write: Extract<Write, { kind: "update" }>, into: Placeholders): string {
  const set = Object.entries(write.set ?? {}).filter(([, value]) => value !== undefined);
  const parts = [
    set.length > 0 ? `SET ${set.map(([k, v]) => `${into.name(k)} = ${into.value(v)}`).join(", ")}` : "",
    write.remove && write.remove.length > 0 ? `REMOVE ${write.remove.map((k) => into.name(k)).join(", ")}` : "",
    Object.keys(write.add ?? {}).length > 0
      ? `ADD ${Object.entries(write.add ?? {})
          .map(([k, v]) => `${into.name(k)} ${into.value(v)}`)
          .join(", ")}`
      : "",
  ];
  return parts.filter(Boolean).join(" ");
}

/** One member of a transaction. */
export function transactItem(table: string, write: Write) {
  const into = new Placeholders();
  switch (write.kind) {
    case "put":
      return { Put: { Item: toAttributes(write.item), ...expression(table, write.if, into) } };
    case "update": {
      const UpdateExpression = updateExpression(write, into);
      return { Update: { Key: toAttributes(write.key), UpdateExpression, ...expression(table, write.if, into) } };
    }
    case "delete":
      return { Delete: { Key: toAttributes(write.key), ...expression(table, write.if, into) } };
    case "check": {
      const { ConditionExpression, ...rest } = expression(table, write.if, into);
      return { ConditionCheck: { Key: toAttributes(write.key), ConditionExpression, ...rest } };
    }
  }
}
