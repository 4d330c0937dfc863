import { InvalidArgumentError, type Command } from "commander";
import type { Shapes } from "../../../client/index.ts";
import { Failure } from "../failure.ts";
import { section } from "../output.ts";
import { open, print, type Common } from "../shell.ts";
import { oneLine } from "../text.ts";

/** Which tasks; the options that `withFilters` adds. */
export type Filters = {
  status?: string;
  type?: string;
  backlog?: string;
  worker?: string;
  createdAfter?: string;
  createdBefore?: string;
  yes?: boolean;
};

type Change = Pick<Shapes["BulkChange"], "matched" | "ids" | "refused">;

/** Ids that are shown of many. */
const SHOWN = 10;
/** Tasks changed a request, so that it is seen how far it is. */
const AT_ONCE = 100;

/** Gives a command the filters of a bulk change: without an id it is about all tasks that fit. */
export function withFilters(command: Command): Command {
  return command
    .option("--status <status>", "all tasks that are so")
    .option("--type <type>", "all of a type: spec, impl, test, review or heal")
    .option("--backlog <id>", "all of a backlog's items")
    .option("--worker <id>", "all that a worker claimed")
    .option("--created-after <time>", "all made after it (2026-01-31T08:00:00Z)", time)
    .option("--created-before <time>", "all made before it", time)
    .option("-y, --yes", "do it; without, it says what it would do");
}

/** Whether a command is about all that fit rather than about one task. Throws when it is about both, or about nothing. */
export function isBulk(action: "cancel" | "retry", id: string | undefined, options: Filters): id is undefined {
  const filtered = Object.values(filterOf(options)).some((value) => value !== undefined);
  const remedy = `Name the task, or see: coherence ${action} --help`;
  if (id === undefined && !filtered) throw new Failure("usage", "Neither an id nor a filter is given", remedy);
  if (id !== undefined && filtered) throw new Failure("usage", "An id and a filter exclude each other", remedy);
  return filtered;
}

/** Cancels or retries all tasks that fit, a hundred at a time; without `--yes` it says what it would do. Exit 1 when some were refused. */
export async function bulk(action: "cancel" | "retry", options: Common & Filters & { reason?: string }): Promise<void> {
  const { api, note } = open(options);
  const page = { ...filterOf(options), dry_run: !options.yes, limit: options.yes ? AT_ONCE : SHOWN };
  const ask = (more: { cursor?: string }) =>
    api
      .ask((client) =>
        action === "cancel"
          ? client.POST("/api/agent/tasks/bulk-cancel", {
              body: { ...page, ...more, ...(options.reason === undefined ? {} : { reason: options.reason }) },
            })
          : client.POST("/api/agent/tasks/bulk-retry", { body: { ...page, ...more } }),
      )
      .reads("matched", "ids", "refused", "next_cursor");
  const done = action === "cancel" ? "cancelled" : "retried";
  const all: Change = { matched: 0, ids: [], refused: [] };
  let cursor: string | undefined;
  do {
    const { data, raw } = await ask(cursor === undefined ? {} : { cursor });
    if (options.json) print(raw);
    all.matched += data.matched;
    all.ids.push(...data.ids);
    all.refused.push(...data.refused);
    cursor = data.next_cursor ?? undefined;
    if (cursor !== undefined) note(options.yes ? `${all.ids.length} ${done} …` : `${all.matched} so far …`);
  } while (cursor !== undefined);
  if (all.refused.length > 0) process.exitCode = 1;
  if (!options.json) print(options.yes ? did(all, done) : would(all, done));
}

function filterOf(options: Filters) {
  return {
    status: options.status as Shapes["TaskStatus"] | undefined,
    task_type: options.type as Shapes["TaskType"] | undefined,
    backlog: options.backlog,
    claimed_by: options.worker,
    created_after: options.createdAfter,
    created_before: options.createdBefore,
  };
}

function would({ matched, ids }: Change, done: string): string {
  if (matched === 0) return "No task fits.";
  const shown = ids.slice(0, SHOWN);
  const more = matched > shown.length ? `\n  and ${matched - shown.length} more` : "";
  return `${section(`${matched} would be ${done}:`, shown.map(oneLine).join("\n"))}${more}\nSay --yes to do it.`;
}

function did({ matched, ids, refused }: Change, done: string): string {
  const not = refused.map(({ id, code, detail }) => `${oneLine(id)}: ${oneLine(detail)} (${oneLine(code)})`);
  const moved = matched - ids.length - refused.length;
  const passedOver = moved > 0 ? ` ${moved} had moved on meanwhile.` : "";
  return [`${ids.length} ${done}.${passedOver}`, section(`${refused.length} could not be:`, not.join("\n"))]
    .filter(Boolean)
    .join("\n");
}

function time(value: string): string {
  if (!/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/.test(value))
    throw new InvalidArgumentError("It is a time with a zone, as 2026-01-31T08:00:00Z.");
  return value;
}
