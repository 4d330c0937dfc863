import * as z from "zod";
import { fail } from "../../../core/ground/errors.ts";
import * as Pipeline from "../../../core/flow/pipeline/index.ts";
import * as Backlog from "../../../core/work/backlog/index.ts";
import { invalid, valueError } from "../issues.ts";
import * as Present from "../present.ts";
import { route } from "../route.ts";
import * as Shapes from "../shapes.ts";

/** The whole text of a file; empty, binary or without items it is the grammar that says so. */
const text = z.string();

const push = route({
  id: "pushBacklog",
  method: "POST",
  path: "/api/agent/backlogs/:id/push",
  scope: ["write"],
  summary: "Make the table say what a backlog file says; a file with problems changes nothing (422)",
  body: z.object({ text, kind: z.enum(["product", "meta"]).default("product"), dry_run: z.boolean().default(false) }),
  example: { text: "1. Say hello {#hello}\n", dry_run: true },
  answer: z
    .object({
      backlog: z.string(),
      dry_run: z.boolean(),
      created: z.array(z.string()),
      changed: z.array(z.string()),
      returned: z.array(z.string()),
      retired: z.array(z.string()),
      unchanged: z.number().int(),
      problems: z.array(Shapes.Problem),
    })
    .meta({ id: "Pushed" }),
  async handle({ deps, params, body }) {
    const pushed = await Pipeline.push(deps, { id: params.id, text: body.text, kind: body.kind, dryRun: body.dry_run });
    if (pushed.problems.length > 0) throw invalid(pushed.problems.map(problem));
    return { backlog: params.id, dry_run: body.dry_run, ...pushed };
  },
});

const check = route({
  id: "checkBacklog",
  method: "POST",
  path: "/api/agent/backlogs/check",
  scope: ["read"],
  summary: "What is wrong with the text of a backlog file",
  body: z.object({ text }),
  example: { text: "1. Say hello {#hello}\n" },
  answer: z.object({ ok: z.boolean(), problems: z.array(Shapes.Problem) }),
  handle({ body }) {
    const problems = Backlog.check(body.text);
    return { ok: problems.length === 0, problems };
  },
});

const list = route({
  id: "listBacklogs",
  method: "GET",
  path: "/api/agent/backlogs",
  scope: ["read"],
  summary: "Every backlog, by id",
  answer: z.object({
    backlogs: z.array(
      z.object({
        id: z.string(),
        branch: z.string(),
        pushed_at: Shapes.Time,
        started_product: z.number().int(),
        started_meta: z.number().int(),
      }),
    ),
    total: z.number().int(),
  }),
  async handle({ deps }) {
    const backlogs = (await Backlog.list(deps)).map((row) => ({
      id: row.id,
      branch: Backlog.integrationBranch(row.id),
      pushed_at: Present.time(row.pushed_at),
      started_product: row.started_product,
      started_meta: row.started_meta,
    }));
    return { backlogs, total: backlogs.length };
  },
});

const items = route({
  id: "listItems",
  method: "GET",
  path: "/api/agent/backlogs/:id/items",
  scope: ["read"],
  summary: "A backlog's items in the order of the file",
  query: z.object({ state: Shapes.ItemState.optional() }),
  answer: z.object({ items: z.array(Shapes.Item), total: z.number().int() }),
  refuses: { 404: "Backlog not found" },
  async handle({ deps, params, query }) {
    const rows = await Backlog.items(deps, backlogId(params.id), query);
    return { items: rows.map(item), total: rows.length };
  },
});

const retry = route({
  id: "retryItem",
  method: "POST",
  path: "/api/agent/backlogs/:id/items/:item/retry",
  scope: ["write"],
  summary: "Begin an abandoned item again, or one whose task was cancelled",
  answer: Shapes.Item,
  refuses: {
    404: "Item not found",
    409: "The item is queued; only abandoned ones and those with a cancelled task are retried",
  },
  async handle({ deps, params }) {
    const backlog = backlogId(params.id);
    if (!isId(params.item)) throw fail("item.not_found", "Item not found");
    return item(await Pipeline.retryItem(deps, backlog, params.item));
  },
});

/** What the terminal does with backlogs. */
export const backlogs = [check, push, list, items, retry];

/** What no push accepts is no backlog, and must not become a key of the table. */
function backlogId(given: string): string {
  if (!isId(given)) throw fail("backlog.not_found", "Backlog not found");
  return given;
}

function isId(given: string): boolean {
  return /^[A-Za-z0-9._-]{1,64}$/.test(given);
}

function item(row: Backlog.ItemRow): Shapes.Item {
  return {
    id: row.id,
    backlog: row.backlog,
    kind: row.kind,
    text: row.text,
    section: row.section,
    phase_number: row.phase_number,
    rank: row.rank,
    state: row.state,
    phase: row.phase,
    round: row.round,
    task: row.task ?? null,
    tasks_made: row.seq,
    spec_path: row.spec_path,
    branch: Backlog.itemBranch(row.backlog, row.id),
    base: row.base ?? null,
    head: row.head ?? null,
    last: row.last ?? null,
    created_at: Present.time(row.created_at),
    updated_at: Present.time(row.updated_at),
    started_at: Present.time(row.started_at),
    ended_at: Present.time(row.ended_at),
  };
}

function problem({ line, message, remedy }: Backlog.Problem) {
  const where = line === 0 ? "" : `line ${line}: `;
  return valueError(["body", "text", line], `${where}${message}. ${remedy}`, null);
}
