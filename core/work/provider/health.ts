import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { Failure, FailureClass } from "../task/index.ts";
import type { PauseRow } from "./pause.ts";
import type { Provider, Readiness } from "./port.ts";
import { CLASS_RULES, RESET_SLACK_MS, STREAK } from "./rules.ts";

/** What a provider's last probe answered; one row a provider. `models` when it was last known which it has. */
export type ReadinessRow = {
  name: string;
  ready: boolean;
  detail: string;
  remedy?: string;
  transient?: boolean;
  models?: string[];
  checked_at: number;
};

/** Ms after which a provider is asked again; one that was only out of reach is asked at every run of the schedule. */
const ASK_AGAIN_MS = 14.5 * 60_000;

/** A cooldown of a credential, or of one of its models. `until` null: until readiness or configuration changes; 0: a streak is only being counted. */
export type CooldownRow = {
  provider: string;
  model?: string;
  class: FailureClass;
  until: number | null;
  /** Ms of the last cooldown, which the next one doubles. */
  length: number;
  /** Failures in a row. */
  streak: number;
  message: string;
};

export type Health = { readiness: ReadinessRow[]; cooldowns: CooldownRow[]; pauses: PauseRow[] };

/** Readiness and cooldowns of all providers, and who is paused, in one query. */
export async function health(deps: Pick<Deps, "store">): Promise<Health> {
  const items = await Store.queryAll(deps.store, { pk: Keys.PROVIDERS }, 1000);
  return {
    readiness: items.filter((item) => item.sk.startsWith(Keys.READINESS_PREFIX)) as unknown as ReadinessRow[],
    cooldowns: items.filter((item) => item.sk.startsWith(Keys.COOLDOWNS_PREFIX)) as unknown as CooldownRow[],
    pauses: items.filter((item) => item.sk.startsWith(Keys.PAUSES_PREFIX)) as unknown as PauseRow[],
  };
}

/** Stores what a probe answered. A provider that is ready is freed of what readiness ends, and announced when that is news. */
export async function saveReadiness(
  deps: Deps,
  name: string,
  readiness: Readiness,
  models: readonly string[] = [],
): Promise<void> {
  const before = (await Store.get(deps.store, Keys.provider(name))) as ReadinessRow | undefined;
  await Store.write(deps.store, {
    kind: "put",
    item: { ...Keys.provider(name), ent: "readiness", name, models, checked_at: deps.clock.now(), ...readiness },
  });
  if (!readiness.ready) return;
  const freed = await free(deps, (row) => row.provider === name && CLASS_RULES[row.class].ends === "readiness");
  if (freed > 0 || before?.ready !== true) await deps.events.publish({ type: "provider.ready", provider: name });
}

/** Ends the cooldowns that a changed configuration may end: asked for when a host starts. */
export async function configurationChanged(deps: Deps): Promise<void> {
  await free(deps, (row) => CLASS_RULES[row.class].ends === "configuration");
}

async function free(deps: Pick<Deps, "store">, which: (row: CooldownRow) => boolean): Promise<number> {
  const rows = (await health(deps)).cooldowns.filter((row) => row.until === null && which(row));
  // The row stays until a success takes it away: that success also closes what else began with the failure.
  for (const row of rows)
    await Store.write(deps.store, {
      kind: "update",
      key: Keys.cooldown(row.provider, row.model),
      set: { until: 0, streak: 0 },
      if: Store.isThere,
    });
  return rows.length;
}

/** Asks the providers whose last answer is too old to go by, and stores the answers; what is known of all. */
export async function probeDue(deps: Deps, providers: readonly Provider[]): Promise<ReadinessRow[]> {
  const known = new Map((await health(deps)).readiness.map((row) => [row.name, row]));
  const now = deps.clock.now();
  const due = providers.filter(({ name }) => {
    const row = known.get(name);
    return !row || row.transient === true || now - row.checked_at >= ASK_AGAIN_MS;
  });
  return probeAll(deps, due);
}

/** Asks every provider at once and stores the answers. A probe that throws counts as not ready. */
export async function probeAll(
  deps: Deps,
  providers: readonly Provider[],
  signal?: AbortSignal,
): Promise<ReadinessRow[]> {
  await Promise.all(
    providers.map(async (provider) => {
      const readiness = await provider.probe(signal).catch((): Readiness => ({
        ready: false,
        detail: "its probe failed",
        remedy: "Look into the host's log, and try again.",
        transient: true,
      }));
      await saveReadiness(deps, provider.name, readiness, provider.models);
    }),
  );
  return (await health(deps)).readiness;
}

/** Starts or lengthens the cooldown that a failure's class asks for; nothing for classes that have none. */
export async function coolDown(
  deps: Pick<Deps, "store" | "clock">,
  target: { provider: string; model: string },
  failure: Failure,
): Promise<void> {
  const rule = CLASS_RULES[failure.class];
  if (rule.scope === "none" || rule.starts === "never") return;
  const model = rule.scope === "model" ? target.model : undefined;
  const key = Keys.cooldown(target.provider, model);
  const before = (await Store.get(deps.store, key)) as CooldownRow | undefined;
  const now = deps.clock.now();
  const streak = (before?.streak ?? 0) + 1;
  const on = rule.starts === "at_once" || streak >= STREAK.inARow;
  const length = on ? lengthOf(failure, before?.length ?? 0, now) : 0;
  const row: CooldownRow = {
    provider: target.provider,
    ...(model === undefined ? {} : { model }),
    class: failure.class,
    until: !on ? 0 : length === null ? null : now + length,
    length: length ?? 0,
    streak,
    message: failure.message.slice(0, 500),
  };
  // Two failures at once may both write: either row is true, and the next failure or success corrects it.
  await Store.write(deps.store, { kind: "put", item: { ...key, ent: "cooldown", ...row } });
}

/** One success closes what was counted or cooled for a candidate. */
export async function served(
  deps: Pick<Deps, "store">,
  target: { provider: string; model: string },
  cooldowns: readonly CooldownRow[],
): Promise<void> {
  for (const row of cooldowns)
    if (row.provider === target.provider && (row.model === undefined || row.model === target.model))
      await Store.write(deps.store, { kind: "delete", key: Keys.cooldown(row.provider, row.model) });
}

/** Ms of a cooldown; null where time does not end it. Doubles from the last one up to the class's longest. */
function lengthOf(failure: Failure, last: number, now: number): number | null {
  const rule = CLASS_RULES[failure.class];
  if (rule.ends === "reset" && failure.resets_at !== undefined)
    return Math.max(1000, failure.resets_at + RESET_SLACK_MS - now);
  if (rule.cooldownMs === null) return null;
  const doubled = last > 0 && rule.doublingMaxMs !== null ? Math.min(last * 2, rule.doublingMaxMs) : rule.cooldownMs;
  return Math.max(doubled, failure.retry_after_ms ?? 0);
}
