import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { check, itemId, parse } from "../../core/work/backlog/grammar.ts";
import { order, pick, type State } from "../../core/work/backlog/interleave.ts";
import { holding, short } from "./backlog-grammar-support.ts";

const idsOf = (text: string) => parse(text).items.map((item) => item.id);

describe("ids", () => {
  test("the mark at the end of the line, else the hash of the text", () => {
    const { items } = parse("1. build it {#build-it_2}\n2. build it{#b}\n3. build it\n4. say {#x} aloud\n");
    expect(items.map((item) => [item.id, item.text, item.explicit])).toEqual([
      ["build-it_2", "build it", true],
      ["b", "build it", true],
      [short("build it"), "build it", false],
      [short("say {#x} aloud"), "say {#x} aloud", false],
    ]);
  });

  test("a repeat gets -2, -3; an id that a line names itself is never given to another", () => {
    const id = short("same");
    expect(idsOf("1. same\n2. same\n3. same")).toEqual([id, `${id}-2`, `${id}-3`]);
    expect(idsOf(`1. same\n2. same\n3. other {#${id}-2}`)).toEqual([id, `${id}-3`, `${id}-2`]);
    expect(idsOf(`1. same\n2. other {#${id}}`)).toEqual([`${id}-2`, id]);
  });

  test("two texts with the same first 8 digits keep their ids in any order", () => {
    // Found by search: a collision of the kind that 100 000 lines are likely to hold.
    const [a, b] = collision();
    const one = parse(`1. ${a}\n2. ${b}`).items.map((item) => [item.text, item.id]);
    const two = parse(`1. ${b}\n2. ${a}`).items.map((item) => [item.text, item.id]);
    expect(new Map(one as [string, string][])).toEqual(new Map(two as [string, string][]));
    expect(new Set(one.map(([, id]) => id)).size).toBe(2);
  });

  test.each(["Upper", "a b", "ä", "", "a.b", "x".repeat(65)])("the id %j is a problem and no item", (id) => {
    expect(parse(`1. text {#${id}}`)).toMatchObject({ items: [], problems: [{ line: 1 }] });
  });

  test("the longest id is taken", () => {
    expect(idsOf(`1. text {#${"x".repeat(64)}}`)).toEqual(["x".repeat(64)]);
  });

  test.each(["-x", "_x", "-", "--"])("the id %s begins no branch's name and is a problem", (id) => {
    expect(check(`1. text {#${id}}`)).toMatchObject([{ line: 1, remedy: holding("the first a letter or digit") }]);
  });

  test("an id that begins with the mark of meta items is a problem: two files would claim one item", () => {
    expect(check("1. text {#meta-a}")).toMatchObject([{ line: 1, remedy: holding("Leave out `meta-`") }]);
    expect(idsOf("1. text {#meta}\n2. text {#metal-a}")).toEqual(["meta", "metal-a"]);
  });

  test("meta items have ids of their own, also the longest, of at most 64 characters", () => {
    const long = "x".repeat(59);
    expect(itemId("product", "a")).toBe("a");
    expect(itemId("meta", "a")).toBe("meta-a");
    expect(itemId("meta", long)).toBe(`meta-${long}`);
    const [one, two] = [itemId("meta", `${long}yy-1`), itemId("meta", `${long}yy-2`)];
    expect(one).toMatch(/^meta-x+-[0-9a-f]{16}$/);
    expect(one).toHaveLength(64);
    expect(two).not.toBe(one);
  });

  test("an explicit id on two lines is a problem that names both", () => {
    const { items, problems } = parse("1. one {#a}\n2. two {#a}\n");
    expect(items.map((item) => item.text)).toEqual(["one"]);
    expect(problems).toMatchObject([{ line: 2, message: holding("line 1") }]);
  });
});

describe("product and meta", () => {
  const both: State = { productStarted: 0, metaStarted: 0, ratio: 0.2, productCanMove: true, metaCanMove: true };
  const pattern = (product: number, meta: number, ratio: number) =>
    order(Array<string>(product).fill("P"), Array<string>(meta).fill("M"), ratio).join("");

  test("at 0.2 four product, then one meta, product first", () => {
    expect(pattern(8, 2, 0.2)).toBe("PPPPMPPPPM");
    expect(pattern(2, 3, 0.2)).toBe("PPMMM");
    expect(pattern(6, 0, 0.2)).toBe("PPPPPP");
    expect(order([1, 2, 3, 4, 5], ["a", "b"], 0.2)).toEqual([1, 2, 3, 4, "a", 5, "b"]);
  });

  test("other ratios keep their share; 0 and nonsense turn meta off", () => {
    expect(pattern(7, 3, 0.3)).toBe("PPPMPPMPPM");
    expect(pattern(3, 3, 0.5)).toBe("PMPMPM");
    expect(pattern(2, 2, 1)).toBe("MMPP");
    expect(pattern(71, 29, 0.29).slice(-1)).toBe("M");
    for (const off of [0, -1, NaN]) expect(pattern(2, 2, off)).toBe("PP");
    expect(pattern(1, 1, 7)).toBe("MP");
  });

  test("who cannot move leaves the place to the other", () => {
    expect(pick({ ...both, productCanMove: false })).toBe("meta");
    expect(pick({ ...both, productStarted: 4, metaCanMove: false })).toBe("product");
    expect(pick({ ...both, productStarted: 4 })).toBe("meta");
    expect(pick({ ...both, productCanMove: false, metaCanMove: false })).toBe("none");
    expect(pick({ ...both, productCanMove: false, ratio: 0 })).toBe("none");
  });

  test("a long wait of one side is not paid back in a burst", () => {
    const run = (state: State) => {
      let taken = "";
      for (let i = 0; i < 10; i++) {
        const next = pick(state);
        taken += next === "meta" ? "M" : "P";
        state =
          next === "meta"
            ? { ...state, metaStarted: state.metaStarted + 1 }
            : { ...state, productStarted: state.productStarted + 1 };
      }
      return taken;
    };
    expect(run({ ...both, productStarted: 100 })).toBe("PPPPMPPPPM");
    expect(run({ ...both, metaStarted: 100 })).toBe("PPPPMPPPPM");
  });

  test("nothing is lost, each side keeps its order, and meta's share of any beginning is at most the ratio", () => {
    fc.assert(
      fc.property(fc.nat(60), fc.nat(60), fc.integer({ min: 1, max: 99 }), (product, meta, percent) => {
        const ratio = percent / 100;
        const all = order(
          Array.from({ length: product }, (_, i) => `P${i}`),
          Array.from({ length: meta }, (_, i) => `M${i}`),
          ratio,
        );
        const of = (side: string) => all.filter((one) => one.startsWith(side));
        expect(of("P")).toEqual(Array.from({ length: product }, (_, i) => `P${i}`));
        expect(of("M")).toEqual(Array.from({ length: meta }, (_, i) => `M${i}`));
        let metas = 0;
        for (const [i, one] of all.entries()) {
          if (one.startsWith("M")) metas += 1;
          // Once product is used up, meta takes what is left.
          if (one === `P${product - 1}`) break;
          if (product > 0) expect(metas).toBeLessThanOrEqual(ratio * (i + 1) + 1e-9);
        }
      }),
    );
  });
});

/** Two short texts whose SHA-256 begin with the same 8 digits. */
function collision(): [string, string] {
  const seen = new Map<string, string>();
  for (let i = 0; ; i++) {
    const text = `item ${i}`;
    const other = seen.get(short(text));
    if (other !== undefined) return [other, text];
    seen.set(short(text), text);
  }
}
