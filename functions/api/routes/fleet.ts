import * as z from "zod";
import { fail } from "../../../core/ground/errors.ts";
import * as Status from "../../../core/watch/status/index.ts";
import * as Present from "../present.ts";
import { route } from "../route.ts";
import * as Shapes from "../shapes.ts";

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

/** The machines that do the work, and what it leaves behind. */
export const fleet = [workers, cleanup];
