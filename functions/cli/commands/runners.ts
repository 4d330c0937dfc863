import type { Command } from "commander";
import type { Shapes } from "../../../client/index.ts";
import { between } from "../durations.ts";
import { table } from "../output.ts";
import { open, type Common, type Shell } from "../shell.ts";
import { JSON_FLAG, show, type Register } from "./command.ts";

/** `runners`: the outside clients that claim tasks by the API. */
export const runners: Register = (program) => {
  program
    .command("runners")
    .description("show the outside runners that live, and what each is at")
    .option("--all", "those that fell silent too")
    .option(...JSON_FLAG)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common & { all?: boolean }>();
      const shell = open(options);
      const query = { include_stale: options.all ?? false };
      const answer = await shell.api
        .ask((api) => api.GET("/api/agent/runners", { params: { query } }))
        .reads("runners");
      show(answer, options.json, (data) => list(data.runners, shell));
    });
};

function list(rows: readonly Shapes["Runner"][], shell: Shell): string {
  const now = shell.clock.now();
  return table<Shapes["Runner"]>(
    [
      { head: "RUNNER", of: (row) => row.runner_id },
      { head: "STATUS", of: (row) => (row.online ? row.status : "gone"), drop: 0 },
      { head: "SEEN", of: (row) => `${between(row.last_seen_at, now)} ago`, drop: 2 },
      { head: "VERSION", of: (row) => row.version, drop: 4 },
      { head: "TASK", of: (row) => row.active_task_id, width: "whole", drop: 1 },
      { head: "LAST ERROR", of: (row) => row.last_error, width: "rest", drop: 3 },
    ],
    rows,
    shell.width(),
    "No runners.",
  );
}
