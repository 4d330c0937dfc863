import type { Command } from "commander";
import { open, type Common } from "../shell.ts";
import { oneLine } from "../text.ts";
import { JSON_FLAG, show, whole, type Register } from "./command.ts";

/** `priority ID N`: moves a task in the queue. */
export const priority: Register = (program) => {
  program
    .command("priority")
    .description("move a posted task in the queue: 0 to 99, higher goes first, 50 is usual")
    .argument("<id>", "the task's id, whole")
    .argument("<priority>", "0 to 99", whole(0, 99))
    .option(...JSON_FLAG)
    .action(async (id: string, value: number, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<Common>();
      const answer = await open(options)
        .api.ask((api) => api.PATCH("/api/agent/tasks/{id}", { params: { path: { id } }, body: { priority: value } }))
        .reads("id", "status", "priority");
      show(answer, options.json, (task) => {
        const waits = task.status === "pending" ? "" : `; it is ${oneLine(task.status)} and not in the queue`;
        return `${oneLine(task.id)} has priority ${task.priority}${waits}`;
      });
    });
};
