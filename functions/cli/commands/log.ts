import type { Command } from "commander";
import { Failure } from "../failure.ts";
import { open, type Common, type Shell } from "../shell.ts";
import { lines, oneLine, safe } from "../text.ts";
import { JSON_FLAG, show, type Register } from "./command.ts";

/** Ms between two looks at a log that grows; the host writes it once a second. */
const LOOK_EVERY_MS = 1000;
/** After these nothing is added to a log but by a retry. */
const ENDED = ["completed", "failed", "cancelled"];

/** What is read of a page of a log. */
const PAGE = ["log", "truncated", "next_offset", "next_cursor"] as const;

type Options = Common & { follow?: boolean };

/** `log ID`: what agent and suite printed; with `-f` as it comes, until the task has ended. */
export const log: Register = (program) => {
  program
    .command("log")
    .description("print a task's log")
    .argument("<id>", "the task's id, whole")
    .option("-f, --follow", "print what is added, until the task has ended")
    .addOption(program.createOption(...JSON_FLAG).conflicts("follow"))
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const shell = open(options);
      if (options.follow) return follow(shell, id);
      const params = { path: { id } };
      const answer = await shell.api.ask((api) => api.GET("/api/agent/tasks/{id}/log", { params })).reads(...PAGE);
      if (answer.data.truncated && !options.json) shell.note("The beginning is left out; -f prints all of it.");
      show(answer, options.json, (data) => safe(data.log));
    });
};

async function follow(shell: Shell, id: string): Promise<void> {
  const printable = lines();
  let from: From = { offset: 0, cursor: null };
  let asked = false;
  for (;;) {
    // The status is read before the log: what an ended task printed is then complete.
    const params = { path: { id } };
    const task = (
      await shell.api.ask((api) => api.GET("/api/agent/tasks/{id}", { params })).reads("status", "decision_prompt")
    ).data;
    const next = await piece(shell, id, from);
    from = next.from;
    const text = printable.take(next.text);
    if (text !== "") shell.print(text);
    if (next.more) continue;
    if (ENDED.includes(task.status)) break;
    if (task.status === "needs_decision" && !asked)
      shell.note(`It waits for an answer: ${oneLine(task.decision_prompt ?? "")} (coherence decide ${id} ANSWER)`);
    asked = task.status === "needs_decision";
    await shell.clock.sleep(LOOK_EVERY_MS);
  }
  const rest = printable.rest();
  if (rest !== "") shell.print(rest);
}

/** Where the next read begins: a cursor where the answer gave one, else bytes of the whole log. */
type From = { offset: number; cursor: string | null };

/** What was added since; a task that has printed nothing yet has no log. */
async function piece(shell: Shell, id: string, from: From): Promise<{ text: string; from: From; more: boolean }> {
  const query = from.cursor === null ? { offset: from.offset } : { cursor: from.cursor };
  const params = { path: { id }, query };
  try {
    const page = (await shell.api.ask((api) => api.GET("/api/agent/tasks/{id}/log", { params })).reads(...PAGE)).data;
    return {
      text: page.log,
      from: { offset: page.next_offset, cursor: page.next_cursor ?? null },
      more: page.truncated && page.next_offset > from.offset,
    };
  } catch (error) {
    if (error instanceof Failure && error.code === "task.log_not_found") return { text: "", from, more: false };
    throw error;
  }
}
