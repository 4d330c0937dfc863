import * as z from "zod";
import { fail } from "../../../core/ground/errors.ts";
import * as Status from "../../../core/watch/status/index.ts";
import type * as Provider from "../../../core/work/provider/index.ts";
import { FailureClass } from "../../../core/work/task/index.ts";
import * as Present from "../present.ts";
import { route } from "../route.ts";
import * as Shapes from "../shapes.ts";

const Until = Shapes.Time.nullable().describe("Null: until it is ready again or its configuration changes");
const OfModel = z.string().nullable().describe("Null: all its models");

const Spent = z.object({
  runs: z.number().int(),
  cost_usd: z.number().nullable().describe("Null: unknown"),
  coverage: z.number().nullable().describe("The share of runs whose cost is known; null without runs"),
});

const Model = z
  .object({
    name: z.string(),
    context_window: z.number().int(),
    tier: z.number().int().describe("1 to 3: after a failure the stronger go first"),
    price: z
      .object({
        input: z.number(),
        cached: z.number(),
        written: z.number(),
        output: z.number(),
        date: z.string(),
        source: z.string(),
      })
      .nullable()
      .describe("US dollars per million tokens; null: unknown"),
  })
  .meta({ id: "Model" });

const Provided = z
  .object({
    name: z.string(),
    ready: z.boolean(),
    detail: z.string(),
    remedy: z.string().nullable(),
    models: z.array(z.string()),
    checked_at: Shapes.Time,
    cooling_until: Shapes.Time.nullable(),
    cooldowns: z.array(z.object({ model: OfModel, class: FailureClass, until: Until, message: z.string() })),
    family: z
      .enum(["api", "cli", "simulated"])
      .nullable()
      .describe("Null, as what follows: this host has no such provider"),
    verified: z.string().nullable().describe("The version it was tested with; null: never"),
    paid: z.boolean().nullable(),
    account: z.string().nullable().describe("Names its key by a hash; `none` without one"),
    switched_off: z.boolean().nullable().describe("By a user's file"),
    model_details: z.array(Model).nullable(),
    cooling: z
      .array(z.object({ model: OfModel, class: FailureClass, until: Until }))
      .nullable()
      .describe("What may not be asked now, also for what another provider met under the same key"),
    spent: z
      .object({ today: Spent, window: Spent.describe("Today and the six days before (UTC)") })
      .nullable()
      .describe("Null: it costs nothing, or it cannot be read now"),
  })
  .meta({ id: "Provider" });

const Limit = z
  .object({
    name: z
      .enum(["8h_limit", "1w_limit", "day_cost_usd"])
      .describe("Runs of paid providers in 8 hours, in a week; US dollars of a UTC day"),
    used: z.number(),
    limit: z.number(),
    allowed: z.number().describe("What of the limit the pipeline may use"),
    renews_at: Shapes.Time,
    warn: z.boolean().describe("At least 80 % of it is used"),
  })
  .meta({ id: "PaidLimit" });

const ConfigFile = z
  .object({
    which: z.enum(["home", "repository"]),
    file: z.string(),
    state: z.enum(["absent", "used", "refused"]),
    using: z
      .enum(["nothing", "file", "last_good"])
      .describe("Of a refused file: what it said before, or nothing of it"),
    problem: z.string().nullable(),
    remedy: z.string().nullable(),
    since: Shapes.Time,
  })
  .meta({ id: "ConfigFile" });

const list = route({
  id: "listProviders",
  method: "GET",
  path: "/api/agent/providers",
  scope: ["read"],
  summary: "Which providers answered their probe, which cool down, what they cost, and what to do about them",
  answer: z.object({
    providers: z.array(Provided),
    total: z.number().int(),
    limits: z
      .array(Limit)
      .nullable()
      .describe("Those that are set, for all paid providers together; null: they cannot be read now"),
    config: z.array(ConfigFile).nullable().describe("The user's files about providers; null: this host reads none"),
  }),
  async handle({ deps, host }) {
    const { rows, limits } = await Status.providers(deps, host.providers?.registry.all() ?? []);
    return {
      providers: rows.map(provided),
      total: rows.length,
      limits: limits?.map((one) => ({ ...one, renews_at: Present.time(one.renews_at) })) ?? null,
      config:
        host.providers?.config?.().map(({ overrides: _, since, ...one }) => ({ ...one, since: Present.time(since) })) ??
        null,
    };
  },
});

const test = route({
  id: "testProvider",
  method: "POST",
  path: "/api/agent/providers/:name/test",
  scope: ["run"],
  summary: "Ask a provider now whether it can work; who asks meanwhile is given the same answer",
  answer: z
    .object({
      name: z.string(),
      ready: z.boolean(),
      detail: z.string(),
      remedy: z.string().nullable(),
      ms: z.number().int(),
      checked_at: Shapes.Time,
    })
    .meta({ id: "ProviderTest" }),
  refuses: { 404: 'There is no provider "codx". Name one of: codex, simulated' },
  async handle({ host, params }) {
    if (!host.providers) throw fail("provider.unknown", "This host has no providers");
    const asked = await host.providers.ask(params.name);
    return {
      name: asked.name,
      ready: asked.ready,
      detail: asked.detail,
      remedy: asked.ready ? null : asked.remedy,
      ms: Math.round(asked.ms),
      checked_at: Present.time(asked.checked_at),
    };
  },
});

function provided({ readiness: row, cooldowns, provider, cooling, spent }: Status.Provided): z.input<typeof Provided> {
  const whole = cooldowns.find((cooldown) => cooldown.model === undefined);
  return {
    name: row.name,
    ready: row.ready,
    detail: row.detail,
    remedy: row.remedy ?? null,
    models: row.models ?? [],
    checked_at: Present.time(row.checked_at),
    cooling_until: Present.time(whole?.until ?? undefined),
    cooldowns: cooldowns.map((one) => ({ ...coolingOf(one), message: one.message })),
    family: provider?.family ?? null,
    verified: provider?.verified ?? null,
    paid: provider?.capabilities.paid ?? null,
    account: provider?.account ?? null,
    switched_off: provider ? provider.off !== undefined : null,
    model_details: provider ? [...provider.models] : null,
    cooling: provider ? cooling.map(coolingOf) : null,
    spent,
  };
}

function coolingOf({ model, class: why, until }: Pick<Provider.Cooling, "model" | "class" | "until">) {
  return { model: model ?? null, class: why, until: Present.time(until ?? undefined) };
}

/** Who does the work, and whether they can. */
export const providers = [list, test];
