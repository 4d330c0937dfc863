export {
  countOf,
  get,
  getMany,
  MAX_LIMIT,
  query,
  queryAll,
  tx,
  write,
  type Outcome,
  type Query,
  type Refusal,
  type Store,
} from "./store.ts";
export { contend, isAway } from "./retry.ts";
export * from "./condition.ts";
export type { Item, Key, Write } from "./write.ts";
export * as Cursor from "./cursor.ts";
export type { Operation, Operations, Wire } from "./wire.ts";
export { fromAttributes, toAttributes } from "./attributes.ts";
export * as Keys from "./keys.ts";
export { ensureTable, tableInput, GSI1_INCLUDES } from "./table.ts";
export { sweeper } from "./sweep.ts";
export * as Lock from "./lock.ts";
