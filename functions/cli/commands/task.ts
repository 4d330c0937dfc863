import type { Command } from "commander";
import type { Shapes } from "../../../client/index.ts";
import { at, between, duration } from "../durations.ts";
import { fields, money, page, section, table } from "../output.ts";
import { open, type Common } from "../shell.ts";
import { oneLine, safe } from "../text.ts";
import { JSON_FLAG, show, type Register } from "./command.ts";

/** What is read of a task. */
const TASK = [
  "id",
  "status",
  "task_type",
  "item",
  "current_step",
  "queue",
  "retry_not_before",
  "wait_reason",
  "decision_prompt",
  "decision",
  "created_at",
  "updated_at",
  "direction",
  "error",
] as const;
type Task = Pick<Shapes["Task"], (typeof TASK)[number]>;
type Attempt = Shapes["Attempt"];

/** `task ID`: all there is to know about one task: its error, its attempts, who was tried and what it cost. */
export const task: Register = (program) => {
  program
    .command("task")
    .description("show one task: error, attempts, candidates tried, times and cost")
    .argument("<id>", "the task's id, whole")
    .option(...JSON_FLAG)
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common>();
      const shell = open(options);
      const params = { path: { id } };
      const answer = await shell.api.ask((api) => api.GET("/api/agent/tasks/{id}", { params })).reads(...TASK);
      if (options.json) return show(answer, true, () => "");
      const { attempts } = (
        await shell.api.ask((api) => api.GET("/api/agent/tasks/{id}/attempts", { params })).reads("attempts")
      ).data;
      shell.print(page([about(answer.data), problem(answer.data), ...attempts.map((one) => went(one, shell.width()))]));
    });
};

function about(row: Task): string {
  const item = row.item;
  return fields([
    ["Task", oneLine(row.id)],
    ["Status", oneLine(row.status)],
    ["Type", oneLine(row.task_type)],
    ["Item", item && `${oneLine(item.backlog)} ${oneLine(item.item)} (${oneLine(item.phase)}, round ${item.round})`],
    ["Step", row.current_step && oneLine(row.current_step)],
    ["Place", placeOf(row.queue)],
    ["Waits", row.retry_not_before && `${oneLine(row.wait_reason ?? "")} until ${at(row.retry_not_before)}`],
    ["Asks", row.decision_prompt && safe(row.decision_prompt)],
    ["Answer", row.decision && safe(row.decision)],
    ["Created", at(row.created_at)],
    ["Updated", row.updated_at ? at(row.updated_at) : undefined],
    ["What", safe(row.direction)],
  ]);
}

/** Where it stands; only what is parked has a time, which is shown by itself. */
function placeOf(place: Task["queue"]): string | undefined {
  if (!place) return undefined;
  if (place.waits_for !== null) return oneLine(place.waits_for);
  const soon = place.estimate_seconds === null ? "" : `, in about ${duration(place.estimate_seconds)}`;
  return place.position === null ? "over 1000 before it" : `${place.position} in the queue${soon}`;
}

function problem(row: Task): string {
  if (!row.error) return "";
  const { class: name, message, remedy, excerpt } = row.error;
  const said = fields([
    ["Class", oneLine(name)],
    ["What", safe(message)],
    ["Remedy", remedy && safe(remedy)],
    ["Printed", excerpt && safe(excerpt).trimEnd()],
  ]);
  return section("Error", said);
}

type Went = { who: string; result: string; took: string; cost: string; why: string };

function went(attempt: Attempt, width: number): string {
  const ended = attempt.end ? `${attempt.end.status}${attempt.end.class ? ` (${attempt.end.class})` : ""}` : "running";
  const heading = `Attempt ${attempt.n}: ${oneLine(ended)}, ${oneLine(attempt.owner ?? "")}, ${at(attempt.claimed_at)}, took ${between(attempt.claimed_at, attempt.ended_at)}`;
  const rows: Went[] = attempt.tried.map((one) => ({
    who: `${one.provider} ${one.model}`,
    result: one.class ?? "served",
    took: typeof one.ms === "number" ? duration(one.ms / 1000) : "—",
    cost: money(one.usage?.cost_usd),
    why: one.message ?? "",
  }));
  const now = attempt.candidates?.[attempt.chosen];
  if (now)
    rows.push({
      who: `${now.provider} ${now.model}`,
      result: attempt.outcome?.kind ?? (attempt.end ? "no outcome" : "at it"),
      took: "—",
      cost: money(attempt.usage?.cost_usd),
      why: attempt.end?.message ?? attempt.step ?? "",
    });
  const tried = table<Went>(
    [
      { head: "TRIED", of: (row) => row.who },
      { head: "RESULT", of: (row) => row.result },
      { head: "TOOK", of: (row) => row.took, drop: 1 },
      { head: "COST", of: (row) => row.cost, drop: 2 },
      { head: "WHY", of: (row) => row.why, width: "rest" },
    ],
    rows,
    width - 2,
    "nobody was tried",
  );
  const skipped = (attempt.skipped ?? []).map(
    (one) =>
      `left out: ${oneLine(`${one.provider} ${one.model}`)}: ${oneLine(one.reason)}${one.remedy ? ` — ${oneLine(one.remedy)}` : ""}`,
  );
  return section(heading, [tried, ...skipped].join("\n"));
}
