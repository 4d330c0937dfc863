import fc from "fast-check";
import { expect, it } from "vitest";
import * as Sketch from "../../core/work/metrics/sketch.ts";

const durations = fc.array(fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 86_400_000 })), {
  maxLength: 200,
});

function of(values: number[]): Sketch.Sketch {
  const sketch: Sketch.Sketch = new Map();
  for (const ms of values) Sketch.add(sketch, ms);
  return sketch;
}

it("reads percentiles back within 2 %", () => {
  fc.assert(
    fc.property(durations, fc.constantFrom(0.5, 0.95), (values, share) => {
      const sorted = [...values].sort((a, b) => a - b);
      const exact = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
      const got = Sketch.percentile(of(values), share);
      if (exact === undefined) expect(got).toBeNull();
      else expect(Math.abs((got ?? NaN) - exact)).toBeLessThanOrEqual(exact * Sketch.ALPHA + 1e-6);
    }),
  );
});

it("adds up to the sketch of both", () => {
  fc.assert(
    fc.property(durations, durations, (a, b) => {
      const sum = of(a);
      Sketch.merge(sum, of(b));
      const sort = (sketch: Sketch.Sketch) => [...sketch].sort(([x], [y]) => x - y);
      expect(sort(sum)).toEqual(sort(of([...a, ...b])));
    }),
  );
});

it("needs few bins for a millisecond to a day", () => {
  expect(Sketch.binOf(86_400_000) - Sketch.binOf(1) + 1).toBeLessThanOrEqual(460);
});
