import { deadline } from "../../ground/clock.ts";
import type { Deps } from "../../ground/deps.ts";
import { ask, saveReadiness } from "./health.ts";
import type { Provider, Readiness } from "./port.ts";
import type { Registry } from "./registry.ts";

/** What a provider answered that was asked now. `ms` is how long it took, `checked_at` when it was. */
export type Asked = Readiness & { name: string; ms: number; checked_at: number };

/** Asks a provider now; throws `provider.unknown`. */
export type Asker = (name: string) => Promise<Asked>;

/** Ms that all of a probe has. */
const WITHIN_MS = 20_000;

/**
 * Asks providers at somebody's wish and stores the answers. One question a provider at a time: who asks meanwhile is given the
 * answer to the one under way.
 */
export function asker(deps: Deps, registry: Registry): Asker {
  const asking = new Map<string, Promise<Asked>>();
  return async (name) => {
    const known = asking.get(name);
    if (known) return known;
    const one = askNow(deps, registry.get(name)).finally(() => asking.delete(name));
    asking.set(name, one);
    return one;
  };
}

async function askNow(deps: Deps, provider: Provider): Promise<Asked> {
  const begun = deps.clock.now();
  const limit = deadline(deps.clock, WITHIN_MS);
  // One that does not heed the signal is not waited for either.
  const late = new Promise<Readiness>((resolve) =>
    limit.signal.addEventListener("abort", () => resolve(LATE), { once: true }),
  );
  try {
    const readiness = await Promise.race([ask(provider, limit.signal), late]);
    const now = deps.clock.now();
    await saveReadiness(deps, provider, readiness);
    return { name: provider.name, ...readiness, ms: now - begun, checked_at: now };
  } finally {
    limit.clear();
  }
}

const LATE: Readiness = {
  ready: false,
  detail: `it did not answer within ${WITHIN_MS / 1000} s`,
  remedy: "Try again, and look into the host's log.",
  transient: true,
};
