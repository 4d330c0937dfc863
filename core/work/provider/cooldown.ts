import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { Failure, FailureClass } from "../task/index.ts";
import { afterFailure, afterSuccess, standing, type CooldownRow, type Target } from "./breaker.ts";
import { CLASS_RULES, PROBE_MS } from "./rules.ts";

type Bare = Pick<Deps, "store" | "clock">;

/** A target that nobody may ask now. `until` in ms, null: until readiness or configuration changes. */
export type Cooling = { provider: string; model?: string; until: number | null; class: FailureClass };

export type Admission =
  | { kind: "go" }
  /** It cools down by now, or another run tests it, until about then. */
  | { kind: "cooling"; until: number | null; class: FailureClass };

/**
 * Whether a run may ask its target now. Where its cooldown is over exactly one run passes, for `PROBE_MS`, and tests it; all
 * others are turned away until it has served.
 */
export async function admit(deps: Bare, target: Target): Promise<Admission> {
  const now = deps.clock.now();
  const rows = (await Store.getMany(deps.store, keysOf(target))).filter((item) => item !== undefined);
  const probes: Store.Write[] = [];
  for (const item of rows) {
    const row = item as unknown as CooldownRow;
    const stands = standing(row, now);
    if (stands.kind === "closed") continue;
    if (stands.kind === "open" || stands.until !== null)
      return { kind: "cooling", until: stands.until, class: row.class };
    probes.push({
      kind: "update",
      key: { pk: item.pk, sk: item.sk },
      set: { probe_until: now + PROBE_MS },
      if: {
        same: Store.eq("until", row.until as number),
        untested: Store.any(Store.absent("probe_until"), Store.le("probe_until", now)),
      },
    });
  }
  if (probes.length === 0 || (await Store.tx(deps.store, probes)).ok) return { kind: "go" };
  return { kind: "cooling", until: now + PROBE_MS, class: (rows[0] as unknown as CooldownRow).class };
}

/** Counts a failure, and starts or lengthens the cooldown that its class asks for; nothing for classes that have none. */
export async function coolDown(deps: Bare, target: Target, failure: Failure): Promise<void> {
  const { scope } = CLASS_RULES[failure.class];
  if (scope === "none") return;
  const key = keyOf(target, scope === "model");
  const before = (await Store.get(deps.store, key)) as CooldownRow | undefined;
  const row = afterFailure(before, target, failure, deps.clock.now());
  // Two failures at once may both write: either row is true, and the next failure or success corrects it.
  if (row) await Store.write(deps.store, { kind: "put", item: { ...key, ent: "cooldown", v: 1, ...row } });
}

/** One run that was served closes what was counted or cooled of its target. Says whether anybody may have waited for that. */
export async function served(deps: Bare, target: Target, cooldowns: readonly CooldownRow[]): Promise<boolean> {
  const now = deps.clock.now();
  let opened = false;
  for (const row of cooldowns.filter((one) => isAbout(one, target))) {
    opened ||= row.until !== 0;
    const key = keyOf(target, row.model !== undefined);
    const after = afterSuccess(row, now);
    if (!after) await Store.write(deps.store, { kind: "delete", key });
    else await Store.write(deps.store, { kind: "put", item: { ...key, ent: "cooldown", v: 1, ...after } });
  }
  return opened;
}

/** Ends cooldowns that no time ends; one run then tests each. Returns how many. */
export async function free(
  deps: Bare,
  ends: "readiness" | "configuration",
  which: (row: CooldownRow) => boolean,
): Promise<number> {
  const rows = (await cooldowns(deps)).filter(
    (row) => row.until === null && CLASS_RULES[row.class].ends === ends && which(row),
  );
  for (const row of rows)
    await Store.write(deps.store, {
      kind: "update",
      key: keyOf({ ...row, model: row.model ?? "" }, row.model !== undefined),
      // The row stays until a success takes it away: that success also closes what else began with the failure.
      set: { until: deps.clock.now() },
      if: Store.isThere,
    });
  return rows.length;
}

/** All targets that failed and have not served since. */
export async function cooldowns(deps: Pick<Deps, "store">): Promise<CooldownRow[]> {
  const items = await Store.queryAll(deps.store, { pk: Keys.PROVIDERS, sk: { begins: Keys.COOLDOWNS_PREFIX } });
  return items as unknown as CooldownRow[];
}

/** Which of the providers' targets may not be asked now, a key's for every provider it pays for. Pure; `now` in ms. */
export function cooling(
  rows: readonly CooldownRow[],
  providers: readonly { name: string; account: string }[],
  now: number,
): Cooling[] {
  return rows.flatMap((row) => {
    const stands = standing(row, now);
    if (stands.kind === "closed" || (stands.kind === "half_open" && stands.until === null)) return [];
    const { until } = stands;
    const model = row.model === undefined ? {} : { model: row.model };
    return providers
      .filter((provider) =>
        isAbout(row, { provider: provider.name, account: provider.account, model: row.model ?? "" }),
      )
      .map(({ name }) => ({ provider: name, ...model, until, class: row.class }));
  });
}

function isAbout(row: CooldownRow, target: Target): boolean {
  if (row.account !== target.account) return false;
  if (row.model !== undefined) return row.provider === target.provider && row.model === target.model;
  return row.account !== "none" || row.provider === target.provider;
}

function keysOf(target: Target): Store.Key[] {
  return [keyOf(target, false), keyOf(target, true)];
}

function keyOf({ provider, account, model }: Target, ofModel: boolean): Store.Key {
  return ofModel ? Keys.modelCooldown(provider, account, model) : Keys.accountCooldown(provider, account);
}
