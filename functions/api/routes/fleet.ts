import * as z from "zod";
import { fail } from "../../../core/ground/errors.ts";
import * as Status from "../../../core/watch/status/index.ts";
import * as Provider from "../../../core/work/provider/index.ts";
import { FailureClass } from "../../../core/work/task/index.ts";
import * as Present from "../present.ts";
import { route } from "../route.ts";
import * as Shapes from "../shapes.ts";

const Provided = z
  .object({
    name: z.string(),
    ready: z.boolean(),
    detail: z.string(),
    remedy: z.string().nullable(),
    models: z.array(z.string()),
    checked_at: Shapes.Time,
    cooling_until: Shapes.Time.nullable(),
    cooldowns: z.array(
      z.object({
        model: z.string().nullable().describe("Null: all its models"),
        class: FailureClass,
        until: Shapes.Time.nullable().describe("Null: until it is ready again or its configuration changes"),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: "Provider" });

const Worker = z
  .object({
    id: z.string(),
    capabilities: z.array(z.string()),
    slots: z.number().int(),
    live: z.boolean(),
    seen_at: Shapes.Time,
    doing: z.array(z.object({ task_id: z.string(), attempt: z.number().int(), step: z.string().nullable() })),
  })
  .meta({ id: "Worker" });

const providers = route({
  id: "listProviders",
  method: "GET",
  path: "/api/agent/providers",
  scope: ["read"],
  summary: "Which providers answered their probe, which cool down, and what to do about them",
  answer: z.object({ providers: z.array(Provided), total: z.number().int() }),
  async handle({ deps }) {
    const { readiness, cooldowns } = await Provider.health(deps);
    const now = deps.clock.now();
    const cooling = cooldowns.filter((row) => Provider.standing(row, now).kind === "open");
    const rows = readiness.map((row) => {
      const own = cooling.filter((cooldown) => cooldown.provider === row.name);
      const whole = own.find((cooldown) => cooldown.model === undefined);
      return {
        name: row.name,
        ready: row.ready,
        detail: row.detail,
        remedy: row.remedy ?? null,
        models: row.models ?? [],
        checked_at: Present.time(row.checked_at),
        cooling_until: Present.time(whole?.until ?? undefined),
        cooldowns: own.map((cooldown) => ({
          model: cooldown.model ?? null,
          class: cooldown.class,
          until: Present.time(cooldown.until ?? undefined),
          message: cooldown.message,
        })),
      };
    });
    return { providers: rows, total: rows.length };
  },
});

const workers = route({
  id: "listWorkers",
  method: "GET",
  path: "/api/agent/workers",
  scope: ["read"],
  summary: "The machines that run agents, and what each does now",
  answer: z.object({ workers: z.array(Worker), total: z.number().int() }),
  async handle({ deps }) {
    const rows = (await Status.workers(deps)).map(({ capacity, seen_at, ...row }) => ({
      ...row,
      slots: capacity,
      seen_at: Present.time(seen_at),
    }));
    return { workers: rows, total: rows.length };
  },
});

const cleanup = route({
  id: "cleanUp",
  method: "POST",
  path: "/api/agent/cleanup",
  scope: ["admin"],
  summary: "Remove worktrees, branches and old logs of work that is over",
  body: z.object({ dry_run: z.boolean().default(false), keep_days: z.number().min(0).max(3650).default(7) }),
  bodyOptional: true,
  example: { dry_run: true },
  answer: z
    .object({ worktrees: z.array(z.string()), branches: z.array(z.string()), logs: z.number().int() })
    .meta({ id: "Cleaned" }),
  refuses: { 404: "This host works on no repository" },
  async handle({ host, body }) {
    if (!host.cleanup) throw fail("not_found", "This host works on no repository");
    return host.cleanup({ dryRun: body.dry_run, keepDays: body.keep_days });
  },
});

/** Who does the work, and what it leaves behind. */
export const fleet = [providers, workers, cleanup];
