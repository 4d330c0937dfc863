import type { Command } from "commander";
import type { Shapes } from "../../../client/index.ts";
import { between } from "../durations.ts";
import { page, table } from "../output.ts";
import { open, type Common, type Shell } from "../shell.ts";
import { JSON_FLAG, show, WATCH_FLAG, whole, type Register } from "./command.ts";
import { watch } from "./watch.ts";

type Options = Common & { status?: string; type?: string; limit: number; watch?: boolean };

/** The most that one answer of the API shows. */
const MOST = 100;

type Seen = { tasks: Shapes["TaskListItem"][]; total: number };

/** `tasks`: the newest tasks, one a line. */
export const tasks: Register = (program) => {
  program
    .command("tasks")
    .description("list tasks, newest first")
    .option(
      "--status <status>",
      "only those that are so: pending, running, completed, failed, needs_decision, cancelled",
    )
    .option("--type <type>", "only spec, impl, test, review or heal")
    .option("--limit <n>", `at most so many, 1 to ${MOST}`, whole(1, MOST), 20)
    .option(...WATCH_FLAG)
    .addOption(program.createOption(...JSON_FLAG).conflicts("watch"))
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Options>();
      const shell = open(options);
      // Which words there are the API says best.
      const query = {
        status: options.status as Shapes["TaskStatus"] | undefined,
        task_type: options.type as Shapes["TaskType"] | undefined,
        limit: options.limit,
      };
      const ask = () =>
        shell.api.ask((api) => api.GET("/api/agent/tasks", { params: { query } })).reads("tasks", "total");
      const text = (data: Seen) => list(data.tasks, data.total, shell);
      if (options.watch) return watch(shell, async () => text((await ask()).data));
      show(await ask(), options.json, text);
    });
};

function list(rows: Shapes["TaskListItem"][], total: number, shell: Shell): string {
  const now = shell.clock.now();
  const text = table<Shapes["TaskListItem"]>(
    [
      { head: "ID", of: (task) => task.id, width: "whole" },
      { head: "TYPE", of: (task) => task.task_type, drop: 1 },
      { head: "STATUS", of: (task) => task.status, drop: 0 },
      { head: "AGE", of: (task) => between(task.created_at, now), drop: 2 },
      { head: "STEP", of: (task) => task.current_step, drop: 4 },
      { head: "MODEL", of: (task) => task.model, drop: 3 },
      { head: "WHAT", of: (task) => task.direction, width: "rest" },
    ],
    rows,
    shell.width(),
    "No tasks.",
  );
  return page([text, total > rows.length ? more(rows.length, total) : ""]);
}

/** That there are more, and what shows them. */
function more(shown: number, total: number): string {
  const how = shown < MOST ? `--limit shows more, up to ${MOST}.` : "--status and --type narrow it down.";
  return `The newest ${shown} of ${total}.\n${how}`;
}
