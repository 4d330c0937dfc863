/** The backlog: its file's grammar, its items in the table, and which of them comes next. */
export {
  check,
  decode,
  defaultSpecPath,
  itemId,
  parse,
  specPathOf,
  type Item,
  type Parsed,
  type Problem,
} from "./grammar.ts";
export { order, pick, type Side } from "./interleave.ts";
export {
  integrationBranch,
  itemBranch,
  MOVING,
  taskBranch,
  taskKey,
  type BacklogRow,
  type ItemRow,
  type ItemState,
} from "./row.ts";
export { backlog, current, inState, item, items, list } from "./read.ts";
export { countIn, nextQueued, standings, type Standing } from "./standing.ts";
export { advance, type ItemChange } from "./change.ts";
export { idOfFile, MAX_ITEMS, push, type Push, type Pushed } from "./push.ts";
