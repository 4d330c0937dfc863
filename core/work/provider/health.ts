import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { CooldownRow } from "./breaker.ts";
import { endsBy, free, isAbout } from "./cooldown.ts";
import type { PauseRow } from "./pause.ts";
import type { Provider, Readiness } from "./port.ts";

/** What a provider's last probe answered; one row a provider. `models` when it was last known which it has. */
export type ReadinessRow = {
  name: string;
  ready: boolean;
  detail: string;
  remedy?: string;
  transient?: boolean;
  models?: string[];
  checked_at: number;
  /** When it last was ready; absent: never yet. */
  ready_at?: number;
};

/** Ms after which a provider is asked again; one that was only out of reach is asked at every run of the schedule. */
const ASK_AGAIN_MS = 14.5 * 60_000;

/** Who was probed. */
export type Probed = Pick<Provider, "name" | "account"> & {
  models: readonly Pick<Provider["models"][number], "name">[];
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

/**
 * Stores what a probe answered. A provider that is ready is freed of what readiness ends, with all that its key pays for, and of a
 * model that was not there when its server lists it now; it is announced when that is news.
 */
export async function saveReadiness(deps: Deps, provider: Probed, readiness: Readiness): Promise<void> {
  const { name, account } = provider;
  const models = provider.models.map((model) => model.name);
  const before = (await Store.get(deps.store, Keys.provider(name))) as ReadinessRow | undefined;
  const now = deps.clock.now();
  const readyAt = readiness.ready ? now : before?.ready_at;
  await Store.write(deps.store, {
    kind: "put",
    item: {
      ...Keys.provider(name),
      ent: "readiness",
      name,
      models,
      checked_at: now,
      ...readinessOf(readiness),
      ...(readyAt === undefined ? {} : { ready_at: readyAt }),
    },
  });
  if (!readiness.ready) return;
  const listed = readiness.listed ?? [];
  const ended = (row: CooldownRow) =>
    endsBy(row, "readiness") || (row.class === "model_not_found" && listed.includes(row.model ?? ""));
  const freed = await free(
    deps,
    (row) => ended(row) && isAbout(row, { provider: name, account, model: row.model ?? "" }),
  );
  if (freed > 0 || before?.ready !== true) await deps.events.publish({ type: "provider.ready", provider: name });
}

/** Ends the cooldowns that a changed configuration may end: asked for when a host starts. */
export async function configurationChanged(deps: Deps): Promise<void> {
  await free(deps, (row) => endsBy(row, "configuration"));
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

/** What a row says, as the probe answered it, without the models. */
export function readinessOf({
  ready,
  detail,
  remedy,
  transient,
}: Pick<ReadinessRow, "ready" | "detail" | "remedy" | "transient">): Readiness {
  if (ready) return { ready, detail };
  return { ready, detail, remedy: remedy ?? "", ...(transient ? { transient } : {}) };
}

/** Asks one provider; a probe that throws counts as not ready. */
export function ask(provider: Provider, signal?: AbortSignal): Promise<Readiness> {
  return provider.probe(signal).catch((): Readiness => ({
    ready: false,
    detail: "its probe failed",
    remedy: "Look into the host's log, and try again.",
    transient: true,
  }));
}

/** Asks every provider at once and stores the answers. */
export async function probeAll(
  deps: Deps,
  providers: readonly Provider[],
  signal?: AbortSignal,
): Promise<ReadinessRow[]> {
  await Promise.all(
    providers.map(async (provider) => {
      await saveReadiness(deps, provider, await ask(provider, signal));
    }),
  );
  return (await health(deps)).readiness;
}
