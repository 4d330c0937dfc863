export * from "./store.ts";
export * from "./condition.ts";
export type { Item, Key, Write } from "./write.ts";
export * as Cursor from "./cursor.ts";
export * as Keys from "./keys.ts";
export { ensureTable, tableInput, GSI1_INCLUDES } from "./table.ts";
export { sweeper } from "./sweep.ts";
export * as Lock from "./lock.ts";
