import { holds, type Conditions, type Test } from "./condition.ts";
import { keyOf, type Item, type Write } from "./write.ts";

type Update = Extract<Write, { kind: "update" }>;
type Attributes = Readonly<Record<string, unknown>>;

/**
 * Writes one after the other as writes that can be done at once: a transaction takes one a key. Several on a key become the one
 * that does the same; what a later one asks of attributes that an earlier one leaves holds by then, and is not asked of the table.
 * Throws when it would not hold: such writes are a fault of ours.
 */
export function inOne(writes: readonly Write[]): Write[] {
  const byKey = new Map<string, Write>();
  for (const next of writes) {
    const { pk, sk } = keyOf(next);
    const first = byKey.get(`${pk}\n${sk}`);
    byKey.set(`${pk}\n${sk}`, first ? then(first, next) : next);
  }
  return [...byKey.values()];
}

function then(first: Write, next: Write): Write {
  if (first.kind === "put" && next.kind === "put") return { ...next, ...only(first.if) };
  if (first.kind === "put" && next.kind === "update") {
    rest(next.if, first.item, () => true);
    return { kind: "put", item: applied(first.item, next), ...only(first.if) };
  }
  if (first.kind === "update" && next.kind === "update") {
    const left = { ...given(first.set) };
    const touched = new Set([...Object.keys(left), ...(first.remove ?? [])]);
    const asked = rest(next.if, left, (attr) => touched.has(attr));
    const set = given(next.set);
    const removed = new Set(next.remove);
    return {
      kind: "update",
      key: first.key,
      set: { ...Object.fromEntries(Object.entries(left).filter(([attr]) => !removed.has(attr))), ...set },
      remove: [...new Set([...(first.remove ?? []), ...removed])].filter((attr) => !Object.hasOwn(set, attr)),
      ...only({ ...asked, ...first.if }),
      ...(first.add || next.add ? { add: sums(first.add, next.add) } : {}),
    };
  }
  throw new Error(`a ${next.kind} cannot follow a ${first.kind} in one write`);
}

/** What is still to be asked of the table, of conditions on an item of which `left` is known where `known` says so. */
function rest(conditions: Conditions = {}, left: Attributes, known: (attr: string) => boolean): Conditions {
  return Object.fromEntries(
    Object.entries(conditions).filter(([name, test]) => {
      if (!attributesOf(test).every(known)) return true;
      if (!holds(test, left))
        throw new Error(`a write asks for "${name}", which the one before it in one write undoes`);
      return false;
    }),
  );
}

function attributesOf(test: Test): string[] {
  return test.op === "any" ? test.of.flatMap(attributesOf) : [test.attr];
}

function applied(item: Item, { set, remove, add }: Update): Item {
  const removed = new Set(remove);
  const kept = Object.entries({ ...item, ...given(set) }).filter(([attr]) => !removed.has(attr));
  const more = Object.entries(add ?? {}).map(([attr, n]) => [attr, Number(item[attr] ?? 0) + n] as const);
  return { ...Object.fromEntries([...kept, ...more]), pk: item.pk, sk: item.sk };
}

function sums(a: Update["add"] = {}, b: Update["add"] = {}): Record<string, number> {
  const attributes = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...attributes].map((attr) => [attr, (a[attr] ?? 0) + (b[attr] ?? 0)]));
}

/** Without what is passed over. */
function given(set: Attributes = {}): Record<string, unknown> {
  return Object.fromEntries(Object.entries(set).filter(([, value]) => value !== undefined));
}

function only(conditions: Conditions | undefined): { if?: Conditions } {
  return conditions && Object.keys(conditions).length > 0 ? { if: conditions } : {};
}
