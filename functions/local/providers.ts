import type { Provider, Readiness, Registry } from "../../core/work/provider/index.ts";

export type Probed = { provider: Provider; readiness: Readiness };

/** Asks every provider whether it can work; a probe that throws counts as not ready. */
export async function probe(registry: Registry, signal?: AbortSignal): Promise<Probed[]> {
  return Promise.all(
    registry.all().map(async (provider) => ({
      provider,
      readiness: await provider
        .probe(signal)
        .catch((): Readiness => ({ ready: false, detail: "its probe failed", remedy: "Look into the log." })),
    })),
  );
}

/** Which providers real work can use, and what stands in the way when there is none. */
export type Workforce =
  | { kind: "ready" }
  /** Only paid ones answered, and they are not allowed. */
  | { kind: "paid"; names: string[] }
  | { kind: "none" };

/** Decides from what the probes answered. A named provider counts if it is ready, whatever it costs. */
export function workforce(probed: readonly Probed[], pin: string | undefined, allowPaid: boolean): Workforce {
  const ready = probed.filter(({ readiness }) => readiness.ready).map(({ provider }) => provider);
  if (pin !== undefined) return ready.some((provider) => provider.name === pin) ? { kind: "ready" } : { kind: "none" };
  const real = ready.filter((provider) => provider.family !== "simulated");
  if (real.some((provider) => allowPaid || !provider.capabilities.paid)) return { kind: "ready" };
  return real.length > 0 ? { kind: "paid", names: real.map((provider) => provider.name) } : { kind: "none" };
}

/** A line a provider. */
export function describe(probed: readonly Probed[]): string[] {
  return probed.map(({ provider, readiness }) =>
    readiness.ready
      ? `  ${provider.name}: ready (${readiness.detail})`
      : `  ${provider.name}: not ready: ${readiness.detail}. ${readiness.remedy}`,
  );
}
