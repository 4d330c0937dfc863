import type { Deps } from "../../ground/deps.ts";
import * as Store from "../../ground/store/index.ts";
import { Keys } from "../../ground/store/index.ts";
import type { Failure, FailureClass } from "../task/index.ts";
import { afterFailure, afterSuccess, standing, type CooldownRow, type Target } from "./breaker.ts";
import { CLASS_RULES, PROBE_MS } from "./rules.ts";

type Bare = Pick<Deps, "store" | "clock" | "id">;

/** A row as it lies in the table: `rev` is raised by every change, so that none is made from what was read before another. */
type Kept = CooldownRow & { rev?: number };

/** S after which a target that nobody asked any more (a key that was replaced) is forgotten. */
const FORGOTTEN_AFTER_S = 30 * 86_400;
const CONTENDED = "Too many runs change this provider's cooldown at once";

/** A target that nobody may ask now. `until` in ms, null: until readiness or configuration changes. */
export type Cooling = { provider: string; model?: string; until: number | null; class: FailureClass };

export type Admission =
  /** `tests`: its cooldown is over, and this run alone tests it. */
  | { kind: "go"; tests: boolean }
  /** It cools down by now, or another run tests it, until about then. */
  | { kind: "cooling"; until: number | null; class: FailureClass };

/**
 * Whether a run may ask its target now; `by` names it. Where its cooldown is over exactly one run passes and tests it, for
 * `PROBE_MS` and as long as it keeps on testing; all others are turned away until it has served. Asked again, it passes again.
 */
export async function admit(deps: Bare, target: Target, by: string): Promise<Admission> {
  const now = deps.clock.now();
  const rows = (await Store.getMany(deps.store, keysOf(target))).filter((item) => item !== undefined);
  const tests: Store.Write[] = [];
  for (const item of rows) {
    const row = item as unknown as CooldownRow;
    const stands = standing(row, now);
    if (stands.kind === "closed") continue;
    if (stands.kind === "open" || (stands.until !== null && row.probe_by !== by))
      return { kind: "cooling", until: stands.until, class: row.class };
    tests.push({
      kind: "update",
      key: { pk: item.pk, sk: item.sk },
      set: { probe_until: now + PROBE_MS, probe_by: by },
      if: {
        same: Store.eq("until", row.until as number),
        untested: Store.any(Store.absent("probe_until"), Store.le("probe_until", now), Store.eq("probe_by", by)),
      },
    });
  }
  if (tests.length === 0) return { kind: "go", tests: false };
  if ((await Store.tx(deps.store, tests)).ok) return { kind: "go", tests: true };
  return { kind: "cooling", until: now + PROBE_MS, class: (rows[0] as unknown as CooldownRow).class };
}

/** The run that tests a target still does: the others keep away for another `PROBE_MS`. Changes nothing for any other run. */
export async function keepTesting(deps: Bare, target: Target, by: string): Promise<void> {
  for (const key of keysOf(target))
    await Store.write(deps.store, {
      kind: "update",
      key,
      set: { probe_until: deps.clock.now() + PROBE_MS },
      if: { mine: Store.eq("probe_by", by) },
    });
}

/**
 * The write that counts a failure, and starts or lengthens the cooldown that its class asks for: part of a transaction, to be made
 * anew when it is refused. Undefined for classes that cool nothing down.
 */
export async function failureWrite(deps: Bare, target: Target, failure: Failure): Promise<Store.Write | undefined> {
  const { scope } = CLASS_RULES[failure.class];
  if (scope === "none") return undefined;
  const key = keyOf(target, scope === "model");
  const before = (await Store.get(deps.store, key)) as Kept | undefined;
  const row = afterFailure(before, target, failure, deps.clock.now());
  return row && put(deps, key, before, row);
}

/**
 * One run that was served closes what was counted or cooled of its target, as far as `known` rows are about it. Says whether
 * anybody may have waited for that.
 */
export async function served(deps: Bare, target: Target, known: readonly CooldownRow[]): Promise<boolean> {
  let opened = false;
  for (const one of known.filter((row) => isAbout(row, target))) {
    const key = keyOf(target, one.model !== undefined);
    await Store.contend(deps, CONTENDED, async () => {
      const row = (await Store.get(deps.store, key)) as Kept | undefined;
      if (!row) return true;
      const after = afterSuccess(row, deps.clock.now());
      const write: Store.Write = after
        ? put(deps, key, row, after)
        : { kind: "delete", key, if: { unchanged: unchanged(row) } };
      if (!(await Store.write(deps.store, write)).ok) return undefined;
      opened ||= row.until !== 0 && (after === undefined || after.until === 0);
      return true;
    });
  }
  return opened;
}

/** Ends cooldowns; one run then tests each. Returns how many. */
export async function free(deps: Bare, which: (row: CooldownRow) => boolean): Promise<number> {
  const now = deps.clock.now();
  const rows = (await cooldowns(deps)).filter((row) => standing(row, now).kind === "open" && which(row));
  for (const row of rows)
    await Store.write(deps.store, {
      kind: "update",
      key: keyOf({ ...row, model: row.model ?? "" }, row.model !== undefined),
      // The row stays until a success takes it away: that success also closes what else began with the failure.
      set: { until: now },
      add: { rev: 1 },
      if: Store.isThere,
    });
  return rows.length;
}

/** Ends all cooldowns that a provider met, as an operator asks. */
export async function endCooldowns(deps: Bare, provider: string): Promise<void> {
  await free(deps, (row) => row.provider === provider);
}

/** Whether nothing but this ends a cooldown. */
export function endsBy(row: CooldownRow, ends: "readiness" | "configuration"): boolean {
  return row.until === null && CLASS_RULES[row.class].ends === ends;
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

/** Whether a row is about a target: the model itself, or the key that pays for it whatever provider noted it. */
export function isAbout(row: CooldownRow, target: Target): boolean {
  if (row.account !== target.account) return false;
  if (row.model !== undefined) return row.provider === target.provider && row.model === target.model;
  return row.account !== "none" || row.provider === target.provider;
}

function put({ clock }: Bare, key: Store.Key, before: Kept | undefined, row: CooldownRow): Store.Write {
  const exp = Math.ceil(Math.max(clock.now(), row.until ?? 0) / 1000) + FORGOTTEN_AFTER_S;
  const item = { ...key, ent: "cooldown", v: 1, ...row, rev: (before?.rev ?? 0) + 1, exp };
  return { kind: "put", item, if: { unchanged: unchanged(before) } };
}

function unchanged(before: Kept | undefined): Store.Test {
  return before?.rev === undefined ? Store.absent("rev") : Store.eq("rev", before.rev);
}

function keysOf(target: Target): Store.Key[] {
  return [keyOf(target, false), keyOf(target, true)];
}

function keyOf({ provider, account, model }: Target, ofModel: boolean): Store.Key {
  return ofModel ? Keys.modelCooldown(provider, account, model) : Keys.accountCooldown(provider, account);
}
