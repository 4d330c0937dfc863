import type { Deps } from "../../ground/deps.ts";
import { fail } from "../../ground/errors.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import { advance, placeOf, type ItemChange } from "./change.ts";
import { defaultSpecPath, itemId, parse, specPathOf, type Item, type Problem } from "./grammar.ts";
import type { ItemRow } from "./row.ts";

/** Items of one backlog; a larger file is refused whole. */
export const MAX_ITEMS = 5000;
/** Also part of a branch name, so no two dots in a row, none at the end, no `.lock`. */
const BACKLOG_ID = /^(?!.*\.\.)(?!.*\.(?:lock)?$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const AT_ONCE = 16;

export type Pushed = {
  created: string[];
  changed: string[];
  /** Lines that had vanished and are back. */
  returned: string[];
  retired: string[];
  unchanged: number;
  problems: Problem[];
};

export type Push = { id: string; text: string; kind: "product" | "meta"; dryRun?: boolean };

/** The id of a backlog for a file: its stem, reduced to letters, digits, dot, dash and underscore. */
export function idOfFile(path: string): string {
  const stem = path.replace(/^.*[/\\]/, "").replace(/\.[^.]*$/, "");
  const id = stem
    .replace(/[^A-Za-z0-9._-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 64)
    .replace(/\.{2,}/g, ".")
    .replace(/\.(?:lock)?$/, "");
  return id === "" ? "backlog" : id;
}

/**
 * Makes the table say what the file says: new lines are put, changed texts and places follow, vanished lines retire, returned
 * ones go on. Repeating it changes nothing. A file with problems changes nothing (a line left out would look retired).
 * Throws `input.invalid` for a bad backlog id, `backlog.invalid` for too many items. Files are read, never written.
 */
export async function push(deps: Deps, input: Push): Promise<Pushed> {
  if (!BACKLOG_ID.test(input.id))
    throw fail("input.invalid", `${JSON.stringify(input.id.slice(0, 80))} is not a backlog id`, {
      remedy: "Use 1 to 64 letters, digits, dots, dashes and underscores, beginning with a letter or digit.",
    });
  const parsed = parse(input.text);
  const result = nothing(parsed.problems);
  if (parsed.problems.length > 0) return result;
  if (parsed.items.length > MAX_ITEMS)
    throw fail("backlog.invalid", `The backlog has ${parsed.items.length} items; at most ${MAX_ITEMS} are taken`, {
      remedy: "Split the file; each file is a backlog of its own.",
    });

  const now = deps.clock.now();
  const existing = new Map(
    (
      (await Store.queryAll(deps.store, {
        pk: Keys.backlog(input.id).pk,
        sk: { begins: Keys.itemsPrefix },
      })) as unknown as ItemRow[]
    ).map((row) => [row.id, row]),
  );
  const steps: (() => Promise<unknown>)[] = [];
  const named = new Set<string>();
  for (const item of parsed.items) {
    const id = itemId(input.kind, item.id);
    named.add(id);
    const row = existing.get(id);
    // From before the mark was refused: the other file's item is never changed.
    if (row && row.kind !== input.kind) {
      result.problems.push({
        line: item.line,
        message: `the id ${JSON.stringify(id)} is an item of the ${row.kind} backlog`,
        remedy: "Give the item another id.",
      });
      continue;
    }
    if (!row) {
      result.created.push(id);
      steps.push(() => Store.write(deps.store, { kind: "put", item: fresh(input, id, item, now), if: Store.isNew }));
      continue;
    }
    const change = difference(row, item);
    if (row.state === "retired") result.returned.push(id);
    else if (change) result.changed.push(id);
    else result.unchanged++;
    if (change || !isPlaced(row))
      steps.push(() =>
        follow(deps, row, (present) => difference(present, item) ?? (isPlaced(present) ? undefined : {})),
      );
  }
  for (const row of existing.values()) {
    if (row.kind !== input.kind || named.has(row.id) || row.state === "retired" || row.state === "done") continue;
    result.retired.push(row.id);
    steps.push(() => follow(deps, row, retired));
  }
  if (result.problems.length > 0) return nothing(result.problems);
  if (input.dryRun) return result;

  await Store.write(deps.store, {
    kind: "update",
    key: Keys.backlog(input.id),
    set: { ent: "backlog", v: 1, id: input.id, pushed_at: now },
    add: { started_product: 0, started_meta: 0 },
  });
  await Store.write(deps.store, { kind: "put", item: { ...Keys.backlogEntry(input.id), ent: "backlog-entry" } });
  for (let i = 0; i < steps.length; i += AT_ONCE) await Promise.all(steps.slice(i, i + AT_ONCE).map((step) => step()));
  await deps.events.publish({ type: "backlog.pushed", backlog: input.id });
  return result;
}

function nothing(problems: Problem[]): Pushed {
  return { created: [], changed: [], returned: [], retired: [], unchanged: 0, problems };
}

/** Writes a change of an item; one that moved on meanwhile is read again, so that what the file says is not lost. */
async function follow(deps: Deps, row: ItemRow, changeOf: (present: ItemRow) => ItemChange | undefined): Promise<void> {
  let present: ItemRow | undefined = row;
  for (let attempt = 0; present && attempt < 10; attempt++) {
    const change = changeOf(present);
    if (!change) return;
    if ((await Store.write(deps.store, advance(present, change, deps.clock.now()))).ok) return;
    present = (await Store.get(deps.store, { pk: row.pk, sk: row.sk })) as ItemRow | undefined;
  }
}

function retired(row: ItemRow): ItemChange | undefined {
  if (row.state === "retired" || row.state === "done") return undefined;
  return { state: "retired", last: "its line vanished from the backlog" };
}

function fresh(input: Push, id: string, item: Item, now: number): ItemRow {
  return {
    ...Keys.item(input.id, id),
    ...placeOf({ backlog: input.id, state: "queued", rank: item.rank, id, phase_number: item.phaseNumber }),
    ent: "item",
    v: 1,
    backlog: input.id,
    id,
    kind: input.kind,
    text: item.text,
    section: item.phase,
    phase_number: item.phaseNumber,
    rank: item.rank,
    state: "queued",
    phase: "spec",
    round: 0,
    seq: 0,
    spec_path: specPathOf(item.text) ?? defaultSpecPath(id, item.text),
    created_at: now,
    updated_at: now,
  };
}

/** False for an item from before its phase's number stood in the index: written again, it does. */
function isPlaced(row: ItemRow): boolean {
  return (row as unknown as Store.Item).gsi1sk === placeOf(row).gsi1sk;
}

/** What the file says differently, or undefined. A line that returns goes on with the phase it was in. */
function difference(row: ItemRow, item: Item): ItemChange | undefined {
  const change: ItemChange = {};
  if (row.text !== item.text) change.text = item.text;
  if (row.rank !== item.rank) change.rank = item.rank;
  if (row.section !== item.phase) change.section = item.phase;
  if (row.phase_number !== item.phaseNumber) change.phase_number = item.phaseNumber;
  if (row.state === "retired")
    Object.assign(change, { state: row.seq === 0 ? "queued" : row.phase, task: null, last: null });
  return Object.keys(change).length > 0 ? change : undefined;
}
