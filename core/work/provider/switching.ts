import type { Registry } from "./registry.ts";

/** A registry behind which another may be put: who holds it sees all of the new one at once, or none of it. */
export type Switching = Registry & { use(next: Registry): void };

/** Begins with `first`. A list that was taken from it stays as it is; what has begun goes on with the provider it has. */
export function switching(first: Registry): Switching {
  let present = first;
  return { all: () => present.all(), get: (name) => present.get(name), use: (next) => void (present = next) };
}
