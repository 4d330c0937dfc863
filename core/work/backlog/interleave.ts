/**
 * Which backlog gives the next item. Places are counted: at a ratio of 0.2 every fifth place is meta's, product has the four
 * before it. Whoever cannot move leaves its place to the other; nothing is owed for it later, so no burst follows.
 */

export type Side = "product" | "meta";

export type State = {
  /** Items of each side that have been started, ever. */
  productStarted: number;
  metaStarted: number;
  /** Meta's share of the places, 0..1 (`PIPELINE_META_RATIO`); 0 turns meta off. */
  ratio: number;
  /** Whether a queued item of that side could start now. */
  productCanMove: boolean;
  metaCanMove: boolean;
};

/** The side whose item starts next; `none` when neither can. */
export function pick(state: State): Side | "none" {
  const ratio = share(state.ratio);
  const metaCanMove = state.metaCanMove && ratio > 0;
  if (state.productCanMove && metaCanMove) return turn(state.productStarted + state.metaStarted, ratio);
  if (state.productCanMove) return "product";
  return metaCanMove ? "meta" : "none";
}

/** Both lists as one, in the order in which they would start when nothing is in the way. */
export function order<P, M>(product: readonly P[], meta: readonly M[], ratio: number): (P | M)[] {
  const all: (P | M)[] = [];
  let [productStarted, metaStarted] = [0, 0];
  for (;;) {
    const next = pick({
      productStarted,
      metaStarted,
      ratio,
      productCanMove: productStarted < product.length,
      metaCanMove: metaStarted < meta.length,
    });
    switch (next) {
      case "product":
        all.push(product[productStarted++] as P);
        break;
      case "meta":
        all.push(meta[metaStarted++] as M);
        break;
      case "none":
        return all;
    }
  }
}

/** Whose the place is, counted from 0: meta's where its share of the places up to here reaches the next whole one. */
function turn(place: number, ratio: number): Side {
  // 0.29 × 100 is 28.999…: what is that near to a whole number is that number.
  const due = (places: number) => Math.floor(ratio * places + 1e-9);
  return due(place + 1) > due(place) ? "meta" : "product";
}

function share(ratio: number): number {
  return Number.isFinite(ratio) ? Math.min(1, Math.max(0, ratio)) : 0;
}
