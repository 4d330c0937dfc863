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

/** Cancels or retries all tasks that fit, a hundred at a time; without `--yes` it says what it would do. Exit 1 when some were refused. */
export async function bulk(action: "cancel" | "retry", options: Common & Filters & { reason?: string }): Promise<void> {
  const filter = {
    status: options.status as Shapes["TaskStatus"] | undefined,
    task_type: options.type as Shapes["TaskType"] | undefined,
    backlog: options.backlog,
    claimed_by: options.worker,
    created_after: options.createdAfter,
    created_before: options.createdBefore,
  };
  if (Object.values(filter).every((value) => value === undefined))
    throw new Failure(
      "usage",
      "Neither an id nor a filter is given",
      `Name the task, or see: coherence ${action} --help`,
    );
  const { api, note } = open(options);
  const ask = (more: { dry_run: boolean; limit: number; cursor?: string }) =>
    api
      .ask((client) =>
        action === "cancel"
          ? client.POST("/api/agent/tasks/bulk-cancel", {
              body: { ...filter, ...more, ...(options.reason === undefined ? {} : { reason: options.reason }) },
            })
          : client.POST("/api/agent/tasks/bulk-retry", { body: { ...filter, ...more } }),
      )
      .reads("matched", "ids", "refused", "next_cursor");
  const done = action === "cancel" ? "cancelled" : "retried";
  if (!options.yes) {
    const answer = await ask({ dry_run: true, limit: SHOWN });
    return print(options.json ? answer.raw : would(answer.data, done));
  }
  let changed = 0;
  const refused: Shapes["BulkChange"]["refused"] = [];
  let cursor: string | undefined;
  do {
    const answer = await ask({ dry_run: false, limit: AT_ONCE, ...(cursor === undefined ? {} : { cursor }) });
    if (options.json) print(answer.raw);
    changed += answer.data.ids.length;
    refused.push(...answer.data.refused);
    cursor = answer.data.next_cursor ?? undefined;
    if (cursor !== undefined) note(`${changed} ${done} …`);
  } while (cursor !== undefined);
  if (refused.length > 0) process.exitCode = 1;
  if (!options.json) print(did(changed, refused, done));
}

function would({ matched, ids }: Pick<Shapes["BulkChange"], "matched" | "ids">, done: string): string {
  if (matched === 0) return "No task fits.";
  const more = matched > ids.length ? `\n  and ${matched - ids.length} more` : "";
  return `${section(`${matched} would be ${done}:`, ids.map(oneLine).join("\n"))}${more}\nSay --yes to do it.`;
}

function did(changed: number, refused: Shapes["BulkChange"]["refused"], done: string): string {
  const not = refused.map(({ id, code, detail }) => `${oneLine(id)}: ${oneLine(detail)} (${oneLine(code)})`);
  return [`${changed} ${done}.`, section(`${refused.length} could not be:`, not.join("\n"))].filter(Boolean).join("\n");
}

function time(value: string): string {
  if (!/^\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/.test(value))
    throw new InvalidArgumentError("It is a time with a zone, as 2026-01-31T08:00:00Z.");
  return value;
}
