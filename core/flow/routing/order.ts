import type { CLASS_RULES } from "../../work/provider/index.ts";
import type { Capabilities, Cooling, Model } from "../../work/provider/index.ts";
import type { Stop } from "../../work/spend/index.ts";
import type { Candidate, Skipped, TaskType } from "../../work/task/index.ts";

/** What routing looks at; data only. Times in ms. */
export type Routing = {
  task: {
    type: TaskType;
    /** Tries already spent: after a failure the stronger models come first. */
    tries: number;
    /** `context.provider`: consent to pay, and nothing else is used. */
    pin: string | undefined;
    /** `context.executor`: a preference. */
    executor: string | undefined;
  };
  providers: readonly {
    name: string;
    family: "api" | "cli" | "simulated";
    executor: string | null;
    models: readonly Pick<Model, "name" | "tier" | "price">[];
    prefers: readonly TaskType[];
    capabilities: Capabilities;
    /** `none`: it asks for no key, or has none. */
    account?: string;
    /** Why a user's file switched it off. */
    off?: { detail: string; remedy: string };
  }[];
  readiness: ReadonlyMap<
    string,
    { ready: boolean; detail: string; remedy?: string; transient?: boolean; ready_at?: number }
  >;
  cooling: readonly Cooling[];
  /** Providers that an operator paused. */
  paused: readonly { provider: string; reason: string }[];
  rules: typeof CLASS_RULES;
  /** Whether a live worker with a free slot has the capability. */
  hasWorker: (provider: string) => boolean;
  /** `--provider`: for every task that names none itself. */
  hostPin: string | undefined;
  allowPaid: boolean;
  /** Why no more may be paid, where that is so. */
  stops: readonly Stop[];
  /** A budget of money bounds the task: what a run costs has to be known. */
  bounded: boolean;
  /** The scratch repository: the simulated provider may play. Elsewhere only when named. */
  allowSimulated: boolean;
  now: number;
};

/** An attempt's row is written with every heartbeat: it holds no more candidates than this. */
const MAX_CANDIDATES = 24;

/** What has to be changed in a tree is for those that edit; a review only reads. */
const READS_ONLY: readonly TaskType[] = ["review"];

/** The order of candidates, and who is left out and why. Pure. */
export function order(routing: Routing): { candidates: Candidate[]; skipped: Skipped[] } {
  const pin = routing.task.pin ?? routing.hostPin;
  // After a failure of this task the strongest come first, whoever has them; before, the cheap ones of each.
  const strength = (tier: number) => (routing.task.tries > 0 ? [-tier] : []);
  const candidates: (Candidate & { rank: number[] })[] = [];
  const skipped: Skipped[] = [];
  const known = routing.providers.filter((provider) => pin === undefined || provider.name === pin);
  if (pin !== undefined && known.length === 0)
    skipped.push({
      provider: pin,
      model: "",
      reason: "no such provider",
      who_acts: "user",
      remedy: `Name one of: ${routing.providers.map((p) => p.name).join(", ")}.`,
    });
  for (const [place, provider] of known.entries()) {
    // Never a fallback for real work: simulated plays only when named or on the scratch repository.
    if (provider.family === "simulated" && pin === undefined && !routing.allowSimulated) continue;
    for (const [cheapness, { name: model, tier, price }] of provider.models.entries()) {
      const leftOut = why(routing, provider, { model, price }, pin !== undefined);
      if (leftOut) {
        skipped.push({ provider: provider.name, model, ...leftOut });
        continue;
      }
      const preferred = provider.executor !== null && provider.executor === routing.task.executor;
      const suited = provider.prefers.includes(routing.task.type);
      candidates.push({
        provider: provider.name,
        model,
        where: provider.capabilities.where,
        reason:
          pin !== undefined
            ? "named"
            : preferred
              ? "preferred executor"
              : suited
                ? `suited to ${routing.task.type}`
                : "next in order",
        rank: [
          preferred ? 0 : 1,
          suited ? 0 : 1,
          ...strength(tier),
          provider.capabilities.paid ? 1 : 0,
          place,
          cheapness,
        ],
      });
    }
  }
  candidates.sort((a, b) => compare(a.rank, b.rank));
  return {
    candidates: candidates
      .slice(0, MAX_CANDIDATES)
      .map(({ provider, model, where, reason }) => ({ provider, model, where, reason })),
    skipped,
  };
}

type LeftOut = Omit<Skipped, "provider" | "model">;

function why(
  routing: Routing,
  provider: Routing["providers"][number],
  { model, price }: { model: string; price: Model["price"] },
  named: boolean,
): LeftOut | undefined {
  if (provider.off) return { reason: provider.off.detail, who_acts: "user", remedy: provider.off.remedy };
  if (!provider.capabilities.edits && !READS_ONLY.includes(routing.task.type))
    return {
      reason: `does not edit files, as ${routing.task.type} has to`,
      who_acts: "user",
      remedy: "Set up a provider that edits files.",
    };
  const paused = routing.paused.find((one) => one.provider === provider.name);
  if (paused)
    return { reason: `paused by an operator${paused.reason === "" ? "" : `: ${paused.reason}`}`, who_acts: "system" };
  const ready = routing.readiness.get(provider.name);
  if (!ready) return { reason: "not probed yet", who_acts: "system", returns_at: routing.now + 5_000 };
  if (!ready.ready) {
    // A server that nobody set up: it wants no key and has never answered. That does not pass by itself.
    const nobodys = provider.account === "none" && ready.ready_at === undefined;
    return {
      reason: ready.detail,
      // Out of reach for now: no time is known, and its next good probe wakes who waits for it.
      ...(ready.transient && !nobodys
        ? ({ class: "network", who_acts: "system" } as const)
        : ({ class: "auth", who_acts: "user" } as const)),
      ...(ready.remedy === undefined ? {} : { remedy: ready.remedy }),
    };
  }
  if (provider.capabilities.paid && !named && !routing.allowPaid)
    return {
      reason: "a paid provider, and paid providers are not allowed",
      guard: "paid_provider_blocked",
      class: "payment",
      who_acts: "user",
      remedy: `Set AGENT_ALLOW_PAID_PROVIDERS=1, or name it: --provider ${provider.name}.`,
    };
  const stop = provider.capabilities.paid ? routing.stops[0] : undefined;
  if (stop)
    return {
      reason: stop.message,
      guard: stop.guard,
      class: "payment",
      who_acts: stop.until === undefined ? "user" : "system",
      remedy: stop.remedy,
      ...(stop.until === undefined ? {} : { returns_at: stop.until }),
    };
  if (routing.bounded && provider.capabilities.paid && price === null && provider.capabilities.tells_cost !== true)
    return {
      reason: "its price is unknown, and a cost budget bounds the task: nobody could tell when that is spent",
      class: "payment",
      who_acts: "user",
      remedy: `Give ${model} a price in coherence.config.json, or take the budget away.`,
    };
  const cooling = routing.cooling.find(
    (c) => c.provider === provider.name && (c.model === undefined || c.model === model),
  );
  if (cooling) {
    const rule = routing.rules[cooling.class];
    return {
      reason: `cooling down after ${cooling.class}`,
      class: cooling.class,
      who_acts: rule.whoActs,
      remedy: rule.remedy,
      ...(cooling.until === null ? {} : { returns_at: cooling.until }),
    };
  }
  if (provider.capabilities.where === "machine" && !routing.hasWorker(provider.name))
    return {
      reason: "no live worker with this agent has a free slot",
      class: "no_worker",
      who_acts: "system",
      remedy: routing.rules.no_worker.remedy,
    };
  return undefined;
}

function compare(a: number[], b: number[]): number {
  for (const [i, value] of a.entries()) {
    const difference = value - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
