import type { Command } from "commander";
import type { Shapes } from "../../../client/index.ts";
import { between } from "../durations.ts";
import { table } from "../output.ts";
import { open, type Common, type Shell } from "../shell.ts";
import { JSON_FLAG, show, type Register } from "./command.ts";

type Row = { id: string; live: string; seen: string; can: string; task?: string; step?: string };

/** `workers`: who works, and on what. */
export const workers: Register = (program) => {
  program
    .command("workers")
    .description("show the workers and what each does now")
    .option(...JSON_FLAG)
    .action(async (_: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common>();
      const shell = open(options);
      const answer = await shell.api.ask((api) => api.GET("/api/agent/workers")).reads("workers");
      show(answer, options.json, (data) => workersTable(data.workers, shell));
    });
};

/** A line for each thing that a worker does, one for a worker that is idle. `indent` cells are taken already. */
export function workersTable(workers: readonly Shapes["Worker"][], shell: Shell, indent = 0): string {
  const now = shell.clock.now();
  const rows = workers.flatMap((worker): Row[] => {
    const who = {
      id: worker.id,
      live: worker.live === false ? "no" : "yes",
      seen: worker.live === false ? `${between(worker.seen_at, now)} ago` : "now",
      can: worker.capabilities.join(", "),
    };
    if (worker.doing.length === 0) return [{ ...who, step: worker.live === false ? "gone" : "idle" }];
    return worker.doing.map((one) => ({ ...who, task: one.task_id, step: one.step ?? "unknown" }));
  });
  return table<Row>(
    [
      { head: "WORKER", of: (row) => row.id, drop: 0 },
      { head: "LIVE", of: (row) => row.live, drop: 2 },
      { head: "SEEN", of: (row) => row.seen, drop: 4 },
      { head: "CAN", of: (row) => row.can, drop: 3 },
      { head: "TASK", of: (row) => row.task, width: "whole", drop: 1 },
      { head: "DOES", of: (row) => row.step, width: "rest" },
    ],
    rows,
    shell.width() - indent,
    "none",
  );
}
